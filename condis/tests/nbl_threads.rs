//! Lists that are freed on other threads than they were taken on: every one comes back, and none is in two hands.
//!
//! Two threads take lists, write their own number all over them and pass them on; whoever gets one checks it and frees it in one
//! of the possible ways.

use std::sync::mpsc;

use condis::nbl::{Chain, LocalPool, Nbl, NetBufferList, Pool, PoolConfig};

const ROUNDS: usize = 2_000;

#[test]
fn lists_freed_on_another_thread_come_back() {
    let pool = Pool::new(PoolConfig { data_size: 32, headroom: 8, capacity: 512, ..PoolConfig::default() });
    let clones = Pool::new(PoolConfig { data_size: 0, headroom: 8, capacity: 512, ..PoolConfig::default() });
    let ((to_a, at_a), (to_b, at_b)) = (mpsc::sync_channel(4), mpsc::sync_channel(4));
    std::thread::scope(|scope| {
        scope.spawn(|| talk(b'a', &pool, &clones, to_b, at_a));
        scope.spawn(|| talk(b'b', &pool, &clones, to_a, at_b));
    });
    assert_eq!((pool.outstanding(), clones.outstanding()), (0, 0));
    assert_eq!(clones.freed_while_shared(), 0);
    assert_eq!(pool.alloc_chain(512).unwrap().len(), 512, "nothing was lost in a cache");
}

/// Sends chains of lists and of clones, and takes those of the other.
fn talk(me: u8, pool: &Pool, clones: &Pool, to: mpsc::SyncSender<Chain>, from: mpsc::Receiver<Chain>) {
    let local = LocalPool::new(pool);
    for round in 0..ROUNDS {
        let mut chain: Chain = (0..round % 12).map(|_| local.alloc_copy(&[me; 32]).unwrap()).collect();
        if round % 3 == 0 {
            let mut cloned = clones.clone_chain(&mut chain).unwrap();
            cloned.iter_mut().for_each(|nbl| nbl.first_mut().prepend(&[me; 4]).unwrap());
            chain.append(cloned);
        }
        to.send(chain).unwrap();
        let mut got = from.recv().unwrap();
        got.iter().for_each(check);
        match round % 4 {
            0 => drop(got),
            1 => local.free_chain(got),
            2 => pool.free(got),
            _ => drop((got.split_off_front(3), got.pop_front() as Option<Nbl>)),
        }
    }
}

fn check(nbl: &NetBufferList) {
    let mut bytes = [0; 36];
    let len = nbl.first().copy_to(&mut bytes);
    assert_eq!(len, if nbl.is_clone() { 36 } else { 32 });
    assert!(bytes[..len].iter().all(|&byte| byte == bytes[0]), "{bytes:?}");
}
