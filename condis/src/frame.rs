//! Calls into drivers: guarded against panics, and bounded in depth.
//!
//! A callback may call NDIS, which may call back, and so on. Each thread counts its callbacks; past [`DEPTH_MAX`] what
//! would be delivered is put aside, and the outermost frame delivers it once its own callback has returned. So a stack of
//! 256 KiB carries any number of self-clocked sends. The bound is the same on every runtime, so that traces agree.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Callbacks that may be nested on one thread. Eight let every nesting that the documentation describes run directly.
const DEPTH_MAX: u32 = 8;

type Deferred = Box<dyn FnOnce()>;

/// In [`FRAME`]: something was put aside on this thread.
const WAITING: u32 = 1 << 31;

thread_local! {
    /// How deep the callbacks of this thread are nested, and [`WAITING`]: one word, so that one comparison tells whether
    /// another callback may be nested.
    static FRAME: Cell<u32> = const { Cell::new(0) };
    static ASIDE: RefCell<VecDeque<Deferred>> = const { RefCell::new(VecDeque::new()) };
}

/// A driver's callback panicked. Its object is not called again.
#[derive(Debug)]
pub(crate) struct Panicked;

/// True if another callback may be nested here. False: put the delivery [`aside`].
///
/// Once something was put aside on this thread, everything after it is too, so that the order holds.
#[inline]
pub(crate) fn may_nest() -> bool {
    FRAME.get() < DEPTH_MAX
}

/// Leaves `job` to the outermost frame of this thread.
pub(crate) fn aside(job: impl FnOnce() + 'static) {
    ASIDE.with_borrow_mut(|queue| queue.push_back(Box::new(job)));
    let depth = FRAME.get() & !WAITING;
    FRAME.set(depth | WAITING);
    if depth == 0 {
        run_aside();
    }
}

/// Calls into a driver.
#[inline]
pub(crate) fn call<T>(callback: impl FnOnce() -> T) -> Result<T, Panicked> {
    FRAME.set(FRAME.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(callback)).map_err(|_| Panicked);
    let frame = FRAME.get() - 1;
    FRAME.set(frame);
    if frame == WAITING {
        run_aside();
    }
    result
}

/// Calls down into a driver to send: guarded, but not counted. What a miniport does in there that could run in circles, its
/// completions, indications and returns, is counted on the way up.
#[inline]
pub(crate) fn guard<T>(callback: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(callback)).map_err(|_| Panicked)
}

/// Delivers what was put aside. Runs as the outermost frame.
#[cold]
fn run_aside() {
    FRAME.set(1 | WAITING);
    loop {
        let Some(job) = ASIDE.with_borrow_mut(|queue| {
            let job = queue.pop_front();
            if queue.is_empty() {
                FRAME.set(1);
            }
            job
        }) else {
            break;
        };
        // Driver code inside is guarded by its own frame; a panic here would be one of NDIS itself and must not be lost.
        job();
    }
    FRAME.set(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn the_outermost_frame_delivers_in_order() {
        let log = Rc::new(RefCell::new(Vec::new()));
        let (a, b) = (log.clone(), log.clone());
        call(|| {
            aside(move || {
                let inner = a.clone();
                a.borrow_mut().push(1);
                aside(move || inner.borrow_mut().push(3));
            });
            aside(move || b.borrow_mut().push(2));
            log.borrow_mut().push(0);
        })
        .expect("nothing panicked");
        assert_eq!(*log.borrow(), [0, 1, 2, 3]);
        assert!(may_nest());
    }

    #[test]
    fn a_panic_leaves_the_depth_as_it_was() {
        assert!(call(|| panic!("planted")).is_err());
        assert!(may_nest());
    }
}
