//! Memory: from the system, or from a heap on disk if it is bounded; and a message
//! where it ends, instead of an abort.
//!
//! The usual allocator is asked until [`bound`] is called, and the heap of
//! [`spill`](super::spill) from then on. When there is nothing left the program
//! says so and ends, with the status of an error. What it was writing is swept
//! away by the next run.
#![expect(unsafe_code, reason = "an allocator is unsafe to write")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use anyhow::{Context, Result, ensure};
use bytesize::ByteSize;

use super::spill::Spill;
use super::{UNUSABLE, printable};

/// The least that a run can be bounded to.
const LEAST: ByteSize = ByteSize::mb(256);

/// Bytes of a block that is given back: less than the words of a range of documents, and
/// more than what is taken and freed again and again.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: std::ffi::c_int = 1 << 19;

/// The heap on disk, once memory is bounded, and where it is.
static SPILL: OnceLock<(&'static Spill, String)> = OnceLock::new();

/// From now on keeps what this process holds of memory below so many bytes: all
/// else is on disk, in a file in that directory.
///
/// # Errors
///
/// If that is too little, or the directory is not fit for it.
pub(crate) fn bound(bytes: ByteSize, directory: &Path) -> Result<()> {
    let (given, least) = (bytes.display().si(), LEAST.display().si());
    ensure!(bytes >= LEAST, "{given} of memory are too little, {least} are the least");
    let here = || format!("cannot spill to {}", directory.display());
    let hint = "name a directory on a disk with --temp-dir";
    let spill = Spill::new(directory).context(hint).with_context(here)?;
    thread::Builder::new().name("twicetold-memory".to_owned()).spawn(move || {
        // The system told it once, so it will.
        let _ = spill.watch(bytes.0 as usize);
    })?;
    ensure!(SPILL.set((spill, printable(&directory.to_string_lossy()))).is_ok(), "memory is bounded already");
    Ok(())
}

/// From now on large blocks go back to the system as soon as they are freed.
///
/// The allocator of glibc begins so too, but gives it up for blocks as large as any it
/// saw freed; what one stage lets go of then stays, in pieces, beside what the next
/// ones take.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it sets two numbers of the allocator, which locks itself for that. If it
    // refuses them nothing is lost but memory.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 8 * LARGE);
    }
}

/// Gives back to the system what is free now, in whatever pieces: what blocks that stay, or
/// those of another thread, would otherwise keep from it. Takes some thousandths of a second
/// for a million blocks.
pub(crate) fn give_back_now() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the allocator locks itself for that, and touches only what nobody uses.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes of the file that holds what is not in memory.
pub(crate) fn spilled() -> u64 {
    SPILL.get().map_or(0, |(spill, _)| spill.bytes() as u64)
}

/// The most bytes of memory that this process held so far, where the system tells.
pub(crate) fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

struct Telling;

// The fuzzer has its own.
#[cfg_attr(not(fuzzing), global_allocator)]
#[cfg_attr(fuzzing, expect(dead_code))]
static ALLOCATOR: Telling = Telling;

fn spill() -> Option<&'static Spill> {
    SPILL.get().map(|(spill, _)| *spill)
}

/// The heap on disk, if that pointer is into it.
fn owner(pointer: *mut u8) -> Option<&'static Spill> {
    spill().filter(|spill| spill.holds(pointer))
}

// SAFETY: every call goes on to the system's allocator or to the heap on disk with
// what was given, so its contract is kept by the same callers; pointers they
// returned are passed back to the one that returned them.
unsafe impl GlobalAlloc for Telling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        let pointer = match spill() {
            None => unsafe { System.alloc(layout) },
            Some(spill) => unsafe { spill.heap().malloc(layout.size(), layout.align()) },
        };
        told(pointer, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if spill().is_none() {
            // SAFETY: the caller keeps the contract of `alloc_zeroed`.
            return told(unsafe { System.alloc_zeroed(layout) }, layout.size());
        }
        // SAFETY: the same, and that of `alloc` is no other; what it returns is so long.
        unsafe {
            let pointer = self.alloc(layout);
            pointer.write_bytes(0, layout.size());
            pointer
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `realloc`.
        let pointer = match owner(pointer) {
            None => unsafe { System.realloc(pointer, layout, size) },
            Some(spill) => unsafe { spill.heap().realloc(pointer, layout.size(), layout.align(), size) },
        };
        told(pointer, size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        match owner(pointer) {
            None => unsafe { System.dealloc(pointer, layout) },
            Some(spill) => unsafe { spill.heap().free(pointer, layout.size(), layout.align()) },
        }
    }
}

/// Passes memory on, or ends the program if there is none.
fn told(pointer: *mut u8, bytes: usize) -> *mut u8 {
    if pointer.is_null() {
        exhausted(bytes);
    }
    pointer
}

#[cold]
fn exhausted(bytes: usize) -> ! {
    static TOLD: AtomicBool = AtomicBool::new(false);
    thread_local! {
        static TELLS: Cell<bool> = const { Cell::new(false) };
    }
    if TOLD.swap(true, Ordering::SeqCst) {
        if TELLS.get() {
            process::abort();
        }
        // Another thread is telling, and will end this one too.
        loop {
            thread::park();
        }
    }
    TELLS.set(true);
    // Nothing here takes memory; who cannot be told is not.
    let mut err = io::stderr().lock();
    let _ = match SPILL.get() {
        None => writeln!(
            err,
            "error: memory is exhausted, {bytes} bytes more could not be had\n  \
             hint: bound it with --memory, scan less at a time, or skip more with --max-document",
        ),
        Some((spill, directory)) => writeln!(
            err,
            "error: {}: {bytes} bytes more could not be had in {directory}\n  \
             hint: make room there, or name another directory with --temp-dir",
            spill.refused(),
        ),
    };
    process::exit(UNUSABLE.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked for comes as it was asked for, and keeps what is in it.
    #[test]
    fn memory_is_passed_on() {
        for (size, align) in [(1, 1), (24, 8), (100, 64), (5000, 4096)] {
            let layout = Layout::from_size_align(size, align).expect("a layout");
            // SAFETY: the sizes are not zero; every pointer is used within its
            // layout and given back with it.
            unsafe {
                let zeros = ALLOCATOR.alloc_zeroed(layout);
                assert!((0..size).all(|at| *zeros.add(at) == 0));
                let pointer = ALLOCATOR.alloc(layout);
                assert_eq!(pointer.addr() % align, 0);
                (0..size).for_each(|at| *pointer.add(at) = at as u8);
                let grown = ALLOCATOR.realloc(pointer, layout, 3 * size);
                assert!((0..size).all(|at| *grown.add(at) == at as u8));
                assert_eq!(grown.addr() % align, 0);
                let larger = Layout::from_size_align(3 * size, align).expect("a layout");
                ALLOCATOR.dealloc(grown, larger);
                ALLOCATOR.dealloc(zeros, layout);
            }
        }
    }

    /// Large blocks have pages of their own, even after a larger one was freed: behind
    /// the two words in which the allocator notes what they are. Some may fit where other
    /// tests freed something.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    fn large_blocks_are_given_back() {
        give_back();
        drop(vec![1_u8; 16 << 20]);
        let blocks: Vec<Vec<u8>> = (0..32).map(|_| vec![0; 4 << 20]).collect();
        let own = blocks.iter().filter(|block| block.as_ptr().addr() % 4096 == 16);
        assert!(own.count() >= 16);
    }
}
