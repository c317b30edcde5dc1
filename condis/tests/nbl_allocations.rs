//! A warm pool allocates nothing: counted at the allocator, for each way in which lists come and go.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use condis::nbl::{Chain, LocalPool, Nbl, Pool, PoolConfig};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above; what is freed came from `alloc`, so from the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of the hundredth to thousandth run of `step`.
fn allocations_when_warm(mut step: impl FnMut()) -> usize {
    (0..100).for_each(|_| step());
    let before = ALLOCATIONS.get();
    (0..900).for_each(|_| step());
    ALLOCATIONS.get() - before
}

fn pool(headroom: usize, data_size: usize) -> Pool {
    Pool::new(PoolConfig { data_size, headroom, capacity: 256, ..PoolConfig::default() })
}

#[test]
fn the_count_counts() {
    assert_eq!(allocations_when_warm(|| drop(std::hint::black_box(Box::new(1)))), 900);
}

#[test]
fn list_allocated_and_dropped() {
    let pool = pool(64, 1500);
    let step = || {
        let mut nbl = pool.alloc_copy(&[7; 1000]).unwrap();
        nbl.first_mut().prepend(&[1; 20]).unwrap();
        nbl.first_mut().advance(20, false).unwrap();
    };
    assert_eq!(allocations_when_warm(step), 0);
}

#[test]
fn list_through_a_local_pool() {
    let local = LocalPool::new(&pool(64, 1500));
    let step = || {
        let batch: [Nbl; 100] = std::array::from_fn(|_| local.alloc().unwrap());
        batch.into_iter().for_each(|nbl| local.free(nbl));
    };
    assert_eq!(allocations_when_warm(step), 0);
}

#[test]
fn chain_moved_split_and_walked() {
    let pool = pool(64, 1500);
    let step = || {
        let mut chain = pool.alloc_chain(64).unwrap();
        let mut front = chain.split_off_front(20);
        let mut index = 0;
        let odd = front.take_matching(|_| {
            index += 1;
            index % 2 == 0
        });
        chain.append(odd);
        chain.extend(front);
        chain.push_front(pool.alloc().unwrap());
        assert_eq!((chain.len(), chain.iter().count(), chain.data_len()), (65, 65, 0));
        let collected: Chain = chain.into_iter().collect();
        pool.free(collected);
    };
    assert_eq!(allocations_when_warm(step), 0);
}

/// Clones too: the count of the shared payload stays with it, and the list of MDLs with the clone.
#[test]
fn list_cloned() {
    let (parents, clones) = (pool(64, 1500), pool(64, 0));
    let step = || {
        let mut chain = parents.alloc_chain(8).unwrap();
        chain.iter_mut().for_each(|nbl| nbl.first_mut().fill(&[7; 100]).unwrap());
        let mut cloned = clones.clone_chain(&mut chain).unwrap();
        cloned.iter_mut().for_each(|nbl| nbl.first_mut().prepend(&[1; 20]).unwrap());
        drop(cloned);
        drop(chain);
    };
    assert_eq!(allocations_when_warm(step), 0);
}

/// What few lists carry is kept with the list for the next that does.
#[test]
fn list_with_contexts_time_stamps_and_more_net_buffers() {
    let pool = pool(64, 1500);
    let step = || {
        let mut nbl = pool.alloc().unwrap();
        nbl.push_context(&[1; 64]).unwrap();
        nbl.info_mut().timestamps.sent = Some(condis::runtime::Time::ZERO);
        for _ in 0..3 {
            nbl.add_net_buffer().unwrap().fill(&[2; 100]).unwrap();
        }
    };
    assert_eq!(allocations_when_warm(step), 0);
}
