//! A message where memory ends, instead of an abort.
//!
//! The usual allocator, which is asked first; only when it has nothing left the
//! program says so and ends, with the status of an error. What it was writing is
//! swept away by the next run.
#![expect(unsafe_code, reason = "an allocator is unsafe to write")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use super::UNUSABLE;

struct Telling;

#[global_allocator]
static ALLOCATOR: Telling = Telling;

// SAFETY: every call goes on to the system's allocator with what was given, so
// its contract is kept by the same callers; pointers it returned are passed back
// as they are.
unsafe impl GlobalAlloc for Telling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        told(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        told(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `realloc`.
        told(unsafe { System.realloc(pointer, layout, size) }, size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
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
    let mut message = [0; 200];
    let mut rest = &mut message[..];
    // Nothing here takes memory; who cannot be told is not.
    let _ = writeln!(rest, "error: memory is exhausted, {bytes} bytes more could not be had");
    let _ = writeln!(rest, "  hint: scan less at a time, or more of it skipped with --max-document");
    let unused = rest.len();
    let used = message.len() - unused;
    let _ = io::stderr().write_all(&message[..used]);
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
}
