//! Counts allocations: of this thread how many, of the process how much is in use.

#![allow(dead_code, reason = "each bench uses its part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counted.
pub(crate) struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// Whether octets are counted. Off while times are taken, as a shared counter would be in them.
static ON: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicUsize = AtomicUsize::new(0);
static CHUNKS: AtomicUsize = AtomicUsize::new(0);

/// Allocations of this thread so far.
pub(crate) fn allocations() -> usize {
    ALLOCATIONS.get()
}

/// Octets that `make` leaves allocated: as asked for, and in glibc's chunks (8 octets of header, in steps of 16, at least
/// 32). `make` must free nothing that was there before.
pub(crate) fn octets_of<T>(make: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = (ASKED.load(Relaxed), CHUNKS.load(Relaxed));
    ON.store(true, Relaxed);
    let made = make();
    ON.store(false, Relaxed);
    (made, ASKED.load(Relaxed) - before.0, CHUNKS.load(Relaxed) - before.1)
}

fn chunk(octets: usize) -> usize {
    (octets + 8).next_multiple_of(16).max(32)
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        if ON.load(Relaxed) {
            ASKED.fetch_add(layout.size(), Relaxed);
            CHUNKS.fetch_add(chunk(layout.size()), Relaxed);
        }
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if ON.load(Relaxed) {
            ASKED.fetch_sub(layout.size(), Relaxed);
            CHUNKS.fetch_sub(chunk(layout.size()), Relaxed);
        }
        // SAFETY: as above; what is freed came from `alloc`, so from the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}
