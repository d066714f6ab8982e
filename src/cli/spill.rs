//! A heap on disk, so that a collection may be larger than the memory it gets.
//!
//! The heap is a file without a name, mapped into memory. Its pages are read and
//! written like any other memory; the system brings them to disk and back. A
//! thread watches how many of them this process holds, and lets go of them before
//! they are more than it may hold. Nothing else in the program knows of it, so no
//! result can depend on it.
#![expect(unsafe_code, reason = "memory is mapped, and an allocator is unsafe to call")]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dlmalloc::{Allocator, Dlmalloc};
use rustix::fs::{FallocateFlags, fallocate, fstatfs};
use rustix::io::Errno;
use rustix::mm::{self, Advice, MapFlags, ProtFlags};

/// A heap in a file. It lives as long as the program.
pub(crate) struct Spill {
    heap: Mutex<Dlmalloc<&'static Region>>,
    region: &'static Region,
}

impl Spill {
    /// Makes a heap in a file of this directory that nobody else can see, and that
    /// is gone when the program is, however it ends.
    ///
    /// # Errors
    ///
    /// If the directory is held in memory itself, the file cannot be made, or
    /// there is no room for it.
    pub(crate) fn new(directory: &Path) -> Result<&'static Spill> {
        let file = tempfile::tempfile_in(directory)?;
        let system = fstatfs(&file)?.f_type as u64;
        ensure!(system != TMPFS && system != RAMFS, "it is held in memory itself");
        // SAFETY: addresses are taken that nobody uses, and may not be used yet.
        let base = unsafe {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            mm::mmap_anonymous(ptr::null_mut(), ADDRESSES, ProtFlags::empty(), flags)
        };
        let base = base.context("cannot reserve addresses")?.expose_provenance();
        let region = Region { file, base, used: AtomicUsize::new(0), refused: AtomicI32::new(0) };
        let region: &'static Region = Box::leak(Box::new(region));
        let mut heap = Dlmalloc::new_with_allocator(region);
        // The file only grows, so nothing is looked for to give back.
        heap.set_max_release_check_rate(0);
        // Once in use it points into itself and must not be moved.
        let spill: &'static Spill = Box::leak(Box::new(Spill { heap: Mutex::new(heap), region }));
        // SAFETY: it is given back as it was asked for.
        unsafe {
            let pointer = spill.heap().malloc(1, 1);
            ensure!(!pointer.is_null(), "{}", spill.refused());
            spill.heap().free(pointer, 1, 1);
        }
        Ok(spill)
    }

    /// The heap, for one thread at a time.
    pub(crate) fn heap(&self) -> MutexGuard<'_, Dlmalloc<&'static Region>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is a pointer into the heap.
    pub(crate) fn holds(&self, pointer: *mut u8) -> bool {
        pointer.addr().wrapping_sub(self.region.base) < ADDRESSES
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> usize {
        self.region.used.load(Ordering::Acquire)
    }

    /// Why the file could not grow, the last time that it could not.
    pub(crate) fn refused(&self) -> &'static str {
        match Errno::from_raw_os_error(self.region.refused.load(Ordering::Relaxed)) {
            Errno::NOSPC => "the disk is full",
            Errno::DQUOT => "the quota is used up",
            Errno::FBIG => "no file may be larger",
            Errno::OPNOTSUPP => "room cannot be reserved on this file system",
            _ => "the system refused more",
        }
    }

    /// Keeps what this process holds of memory below so many bytes: lets go of all of
    /// the heap when it holds nearly as many. Never returns.
    ///
    /// # Errors
    ///
    /// If the system does not tell what the process holds.
    pub(crate) fn watch(&self, most: usize) -> io::Result<()> {
        let held = Held::new()?;
        let spare = (most / 2).min(SPARE).max(most / 8);
        loop {
            if held.bytes()? > most - spare {
                self.region.let_go();
            }
            // Until as much as that could have been taken.
            let room = most.saturating_sub(held.bytes()?) as u64;
            std::thread::sleep(Duration::from_nanos(room / FASTEST).min(LONGEST));
        }
    }
}

/// Addresses kept for the heap; more than disks hold.
const ADDRESSES: usize = 1 << 42;
/// By what the file grows at least.
const STEP: usize = 32 << 20;
/// What is left free, if that is not more than half: the thread that watches may
/// wake some milliseconds late, and pages that are in memory already are taken by
/// tens of gigabytes a second.
const SPARE: usize = 256 << 20;
/// Bytes a nanosecond by which the time between two looks is measured.
const FASTEST: u64 = 256;
/// Between two looks at what is held, at most.
const LONGEST: Duration = Duration::from_millis(5);
/// What `statfs` calls file systems in memory.
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// The mapped file.
pub(crate) struct Region {
    file: File,
    /// The address of its first byte.
    base: usize,
    /// Bytes of the file that are mapped, from the first.
    used: AtomicUsize,
    /// What the system said when the file could not grow.
    refused: AtomicI32,
}

impl Region {
    /// Makes the file longer and maps what is new. Not for two threads at once.
    fn grow(&self, bytes: usize) -> Result<(*mut u8, usize), Errno> {
        let used = self.used.load(Ordering::Acquire);
        let bytes = bytes.checked_next_multiple_of(STEP).ok_or(Errno::NOMEM)?;
        let end = used.checked_add(bytes).filter(|&end| end <= ADDRESSES).ok_or(Errno::NOMEM)?;
        // The room is taken now: a disk found full later would end the program
        // without a word.
        fallocate(&self.file, FallocateFlags::empty(), used as u64, bytes as u64)?;
        self.map(used, bytes)?;
        self.used.store(end, Ordering::Release);
        Ok((ptr::with_exposed_provenance_mut(self.base + used), bytes))
    }

    /// Lets go of all that was looked at. What it holds stays in the file, and comes
    /// back when it is looked at again.
    ///
    /// Mapping it anew does that at once, and whoever looks meanwhile waits. The
    /// system can be told to forget one page after the other, but two threads that
    /// look here and there are faster than that.
    fn let_go(&self) {
        // It fails only where the system has no room for its own tables.
        let _ = self.map(0, self.used.load(Ordering::Acquire));
    }

    /// Maps a part of the file, whether it was mapped before or not.
    fn map(&self, start: usize, bytes: usize) -> Result<(), Errno> {
        let at = ptr::with_exposed_provenance_mut::<u8>(self.base + start);
        let flags = MapFlags::SHARED | MapFlags::FIXED;
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: these addresses are our own, reserved by `new`. Each always stands
        // for the same byte of the file, which nobody else has and which never
        // shrinks, so that what was written there is still there. Advice changes
        // nothing that can be seen; should it fail, more is read than is needed.
        unsafe {
            mm::mmap(at.cast(), bytes, rights, flags, &self.file, start as u64)?;
            // Most of what is looked at again is here and there: where memory is as
            // scarce as that, the neighbours of a page would be read in vain. Writing
            // a page for the first time costs more so, but less comes at once too.
            let _ = mm::madvise(at.cast(), bytes, Advice::Random);
        }
        Ok(())
    }
}

// SAFETY: what `alloc` returns was mapped by `grow`, which returns no address
// twice, and stays mapped; it is called by one thread at a time, since `Dlmalloc`
// is asked with `&mut`. A file that grows is filled with zeros.
unsafe impl Allocator for &'static Region {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        match self.grow(size) {
            Ok((start, bytes)) => (start, bytes, 0),
            Err(error) => {
                self.refused.store(error.raw_os_error(), Ordering::Relaxed);
                (ptr::null_mut(), 0, 0)
            }
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        rustix::param::page_size()
    }
}

/// What this process holds of memory, as the system tells it.
struct Held {
    statm: File,
    page: usize,
}

impl Held {
    fn new() -> io::Result<Held> {
        Ok(Held { statm: File::open("/proc/self/statm")?, page: rustix::param::page_size() })
    }

    fn bytes(&self) -> io::Result<usize> {
        let mut text = [0; 128];
        let len = self.statm.read_at(&mut text, 0)?;
        let pages = text[..len].split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        let pages = pages.iter().fold(0, |pages, digit| pages * 10 + usize::from(digit.wrapping_sub(b'0')));
        Ok(pages * self.page)
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::Layout;
    use std::collections::BTreeMap;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    /// A heap in the directory of this package, which is on a disk.
    fn spill() -> &'static Spill {
        Spill::new(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("room for some bytes")
    }

    /// What a block is filled with.
    fn pattern(seed: usize, len: usize) -> Vec<u8> {
        (0..len).map(|at| (seed + at * 7) as u8).collect()
    }

    /// Several threads ask for blocks, grow and shrink them, and give them back,
    /// while others let go of all pages: every block holds what was written into
    /// it, lies where it was asked to and upon no other, as in ordinary vectors.
    #[cfg_attr(miri, ignore)]
    #[test]
    fn blocks_keep_what_is_in_them() {
        let spill = spill();
        let steps = || prop::collection::vec((0..4, 0..40usize, 1..100_000usize, 0..8), 200..400);
        let work = |seed: usize, steps: Vec<(i32, usize, usize, i32)>| {
            let mut blocks: BTreeMap<usize, (*mut u8, Layout, Vec<u8>)> = BTreeMap::new();
            for (step, (what, name, size, align)) in steps.into_iter().enumerate() {
                let held = blocks.remove(&name);
                if let Some((pointer, _, expected)) = &held {
                    // SAFETY: the block is ours and so long.
                    let found = unsafe { std::slice::from_raw_parts(*pointer, expected.len()) };
                    assert!(found == expected, "{name} at {step}");
                }
                match (what, held) {
                    (0, Some((pointer, layout, _))) => {
                        // SAFETY: it is given back as it was asked for.
                        unsafe { spill.heap().free(pointer, layout.size(), layout.align()) };
                    }
                    (1, Some((pointer, layout, expected))) => {
                        let (from, align) = (layout.size(), layout.align());
                        // SAFETY: as above; what is new is written before it is read.
                        let (pointer, kept) = unsafe {
                            let pointer = spill.heap().realloc(pointer, from, align, size);
                            assert!(!pointer.is_null() && pointer.addr().is_multiple_of(align));
                            (pointer, std::slice::from_raw_parts(pointer, from.min(size)))
                        };
                        assert!(kept == &expected[..kept.len()], "{name} at {step}");
                        let layout = Layout::from_size_align(size, align).expect("a layout");
                        blocks.insert(name, fill(pointer, layout, seed + step));
                    }
                    (_, Some(held)) => {
                        blocks.insert(name, held);
                        spill.region.let_go();
                    }
                    (_, None) => {
                        let layout = Layout::from_size_align(size, 1 << align).expect("a layout");
                        // SAFETY: the size is not zero.
                        let pointer = unsafe { spill.heap().malloc(layout.size(), layout.align()) };
                        assert!(!pointer.is_null() && pointer.addr().is_multiple_of(layout.align()));
                        assert!(spill.holds(pointer));
                        blocks.insert(name, fill(pointer, layout, seed + step));
                    }
                }
            }
        };
        proptest!(ProptestConfig::with_cases(20), |(first in steps(), second in steps())| {
            thread::scope(|scope| {
                scope.spawn(|| work(1, first));
                scope.spawn(|| work(100, second));
            });
        });
    }

    fn fill(pointer: *mut u8, layout: Layout, seed: usize) -> (*mut u8, Layout, Vec<u8>) {
        let bytes = pattern(seed, layout.size());
        // SAFETY: the block is as long as its layout says, and nobody else has it.
        unsafe { pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        (pointer, layout, bytes)
    }

    /// More than there is room for is refused, with a reason, and the rest goes on.
    #[cfg_attr(miri, ignore)]
    #[test]
    fn too_much_is_refused() {
        let spill = spill();
        let before = spill.bytes();
        for size in [1 << 43, 1 << 60, isize::MAX as usize - 4096] {
            // SAFETY: the size is not zero; nothing is returned.
            assert!(unsafe { spill.heap().malloc(size, 8) }.is_null(), "{size}");
            assert_eq!(spill.bytes(), before);
        }
        // SAFETY: the size is not zero.
        assert!(!unsafe { spill.heap().malloc(100, 8) }.is_null());
        assert!(!spill.holds(ptr::null_mut()) && !spill.holds(ptr::dangling_mut()));
    }

    #[cfg_attr(miri, ignore)]
    #[test]
    fn a_directory_in_memory_is_no_help() {
        let shared = Path::new("/dev/shm");
        let error = Spill::new(shared).err().expect("it is in memory");
        assert!(format!("{error:#}").contains("held in memory itself"), "{error:#}");
    }

    /// What this process holds is what it says of itself elsewhere.
    #[test]
    fn what_is_held_is_told() {
        let held = Held::new().expect("/proc").bytes().expect("a number");
        assert!(held > 1 << 20 && (held as u64) <= super::super::memory::peak().expect("a number"));
    }
}
