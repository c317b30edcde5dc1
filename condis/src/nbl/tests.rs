//! Rules DP-127 and DP-159 to DP-167, and what a pool promises. Random sequences are in `tests/nbl_model.rs`, allocations
//! are counted in `tests/nbl_allocations.rs`.

use std::mem::{offset_of, size_of};

use super::*;
use crate::runtime::Time;
use crate::status::NdisStatus;

fn pool(headroom: usize, data_size: usize) -> Pool {
    Pool::new(PoolConfig { data_size, headroom, tailroom: 0, capacity: 64, verify: false })
}

/// Everything about a net buffer that the rules speak of.
fn layout(buffer: &NetBuffer) -> (usize, usize, usize, usize, Vec<usize>) {
    let sizes = buffer.mdl_sizes().collect();
    (buffer.data_offset(), buffer.data_length(), buffer.current_mdl(), buffer.current_mdl_offset(), sizes)
}

fn bytes(buffer: &NetBuffer) -> Vec<u8> {
    let mut out = vec![0; buffer.data_length()];
    assert_eq!(buffer.copy_to(&mut out), out.len());
    out
}

/// DP-159, also when Delta is all of the unused space.
#[test]
fn retreat_within_the_unused_space_adds_no_mdl() {
    let pool = pool(10, 4);
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    buffer.retreat(3, 99).unwrap();
    assert_eq!(layout(buffer), (7, 7, 0, 7, vec![14]));
    buffer.retreat(7, 99).unwrap();
    assert_eq!(layout(buffer), (0, 14, 0, 0, vec![14]));
}

/// DP-160: the unused space of the old MDL is used up, since the data is one sequence through the chain.
#[test]
fn retreat_beyond_the_unused_space_puts_an_mdl_in_front() {
    let pool = pool(2, 4);
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    buffer.retreat(5, 8).unwrap();
    assert_eq!(layout(buffer), (8, 9, 0, 8, vec![11, 6]));
    assert_eq!(&bytes(buffer)[5..], b"data");
    // The next header finds the backfill.
    buffer.retreat(8, 0).unwrap();
    assert_eq!(layout(buffer), (0, 17, 0, 0, vec![11, 6]));
}

/// DP-161.
#[test]
fn failed_retreat_changes_nothing() {
    let pool = pool(2, 4);
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    let before = layout(buffer);
    for (delta, backfill) in
        [(usize::MAX, 0), (u32::MAX as usize, 0), (3, usize::MAX), (3, u32::MAX as usize)]
    {
        assert_eq!(buffer.retreat(delta, backfill), Err(NdisStatus::INVALID_LENGTH), "{delta} {backfill}");
        assert_eq!(layout(buffer), before);
    }
    for _ in 0..255 {
        buffer.retreat(buffer.data_offset() + 1, 0).unwrap();
    }
    let before = layout(buffer);
    assert_eq!(buffer.retreat(1, 0), Err(NdisStatus::RESOURCES));
    assert_eq!(layout(buffer), before);
    assert_eq!(buffer.prepend(b"x"), Err(NdisStatus::RESOURCES));
    assert_eq!(layout(buffer), before);
}

/// DP-162, over MDL borders too, and a retreat undone by an advance that frees.
#[test]
fn advance_and_retreat_undo_each_other() {
    let pool = pool(6, 4);
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    buffer.append_mdl(Box::from(&b"more"[..])).unwrap();
    let (before, data) = (layout(buffer), bytes(buffer));
    for delta in 0..=8 {
        buffer.advance(delta, false).unwrap();
        assert_eq!(bytes(buffer), data[delta..]);
        buffer.retreat(delta, 0).unwrap();
        assert_eq!((layout(buffer), bytes(buffer)), (before.clone(), data.clone()), "{delta}");
    }
    for delta in [0, 1, 6, 7, 100] {
        buffer.retreat(delta, 5).unwrap();
        buffer.advance(delta, true).unwrap();
        assert_eq!((layout(buffer), bytes(buffer)), (before.clone(), data.clone()), "{delta}");
    }
    assert_eq!(buffer.advance(9, false), Err(NdisStatus::INVALID_LENGTH));
    assert_eq!(layout(buffer), before);
}

/// advance-operations.md: only MDLs that a retreat allocated are freed, and only if asked.
#[test]
fn advance_frees_only_what_a_retreat_allocated() {
    let pool = pool(0, 4);
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    buffer.append_mdl(Box::from(&b"more"[..])).unwrap();
    buffer.prepend(b"head").unwrap();
    buffer.advance(6, false).unwrap();
    assert_eq!(buffer.mdl_count(), 3);
    buffer.advance(0, true).unwrap();
    assert_eq!(layout(buffer), (2, 6, 0, 2, vec![4, 4]));
    buffer.advance(4, true).unwrap();
    assert_eq!(layout(buffer), (6, 2, 1, 2, vec![4, 4]));
}

/// DP-164.
#[test]
fn data_is_a_view_if_contiguous_else_a_copy() {
    let pool = pool(0, 4);
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    buffer.append_mdl(Box::from(&b"more"[..])).unwrap();
    let mut storage = [0; 6];
    assert_eq!(buffer.data(9, Some(&mut [0; 9])), None, "less data than asked for");
    assert_eq!(buffer.data(4, None), Some(&b"data"[..]));
    assert_eq!(buffer.data(4, Some(&mut storage)), Some(&b"data"[..]));
    assert_eq!(storage, [0; 6], "a view needs no storage");
    assert_eq!(buffer.data(5, None), None);
    assert_eq!(buffer.data(5, Some(&mut [0; 4])), None, "storage too small");
    assert_eq!(buffer.data(6, Some(&mut storage)), Some(&b"datamo"[..]));
    buffer.advance(4, false).unwrap();
    assert_eq!(buffer.data(4, None), Some(&b"more"[..]));
    buffer.advance(4, false).unwrap();
    assert_eq!(buffer.data(0, None), Some(&b""[..]));
    assert_eq!(buffer.data(1, Some(&mut storage)), None);
}

#[test]
fn tail_room_takes_trailers_and_received_bytes() {
    let pool = Pool::new(PoolConfig { data_size: 4, headroom: 2, tailroom: 2, capacity: 1, verify: false });
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    let buffer = nbl.first_mut();
    assert_eq!(buffer.append(b"abc"), Err(NdisStatus::RESOURCES));
    buffer.append(b"ab").unwrap();
    assert_eq!((bytes(buffer), buffer.tailroom()), (b"dataab".to_vec(), 0));
    assert_eq!(buffer.fill(b"too long"), Err(NdisStatus::RESOURCES));
    assert_eq!(bytes(buffer), b"dataab");
    buffer.set_data_length(0).unwrap();
    buffer.tail_mut().unwrap().copy_from_slice(b"frame!");
    buffer.set_data_length(5).unwrap();
    assert_eq!(buffer.contiguous(), Some(&b"frame"[..]));
    assert_eq!(buffer.set_data_length(7), Err(NdisStatus::INVALID_LENGTH));
    assert_eq!(pool.alloc_copy(b"").unwrap_err(), NdisStatus::RESOURCES);
}

/// Section 7.5: a clone has the same bytes; its headers are its own.
#[test]
fn clone_takes_headers_without_touching_the_payload() {
    let parents = pool(8, 16);
    for headroom in [0, 3, 8, 64] {
        let clones = pool(headroom, 0);
        let mut parent = parents.alloc_copy(b"payload").unwrap();
        let mut a = clones.clone_nbl(&mut parent).unwrap();
        let mut b = clones.clone_nbl(&mut parent).unwrap();
        a.first_mut().prepend(b"to a:").unwrap();
        b.first_mut().prepend(b"to b:").unwrap();
        b.first_mut().prepend(b">").unwrap();
        assert_eq!(bytes(a.first()), b"to a:payload");
        assert_eq!(bytes(b.first()), b">to b:payload");
        assert_eq!(bytes(parent.first()), b"payload");
        let addresses = |nbl: &Nbl| nbl.first().mdls().last().map(<[u8]>::as_ptr);
        assert_eq!(addresses(&a), addresses(&parent), "the payload is not copied");
        assert!(a.is_clone() && !parent.is_clone());
        assert!(parent.is_shared() && a.is_shared());
        assert!(parent.first_mut().contiguous_mut().is_none(), "shared data is read-only");
        assert_eq!(parent.first_mut().append(b"x"), Err(NdisStatus::RESOURCES));
        assert_eq!(parent.first_mut().prepend(b"x"), Err(NdisStatus::FAILURE));
        assert_eq!(bytes(parent.first()), b"payload", "a refused prepend changes nothing");
        drop((a, b));
        assert!(!parent.is_shared());
        parent.first_mut().contiguous_mut().unwrap()[0] = b'P';
        assert_eq!(bytes(parent.first()), b"Payload");
    }
    assert_eq!(parents.freed_while_shared(), 0);
}

/// DP-166: a parent freed too early is counted, its clones keep their data, and nothing is handed out twice.
#[test]
fn parent_freed_before_its_clone_is_counted() {
    let (parents, clones) = (pool(8, 16), pool(8, 0));
    let mut parent = parents.alloc_copy(b"payload").unwrap();
    let clone = clones.clone_nbl(&mut parent).unwrap();
    drop(parent);
    assert_eq!((parents.freed_while_shared(), parents.outstanding()), (1, 0));
    let _other = parents.alloc_copy(b"another").unwrap();
    assert_eq!(bytes(clone.first()), b"payload");
    drop(clone);
    assert_eq!((clones.freed_while_shared(), clones.outstanding(), parents.outstanding()), (0, 0, 1));
}

#[test]
fn clone_of_several_net_buffers_and_of_a_clone() {
    let pool = pool(4, 8);
    let mut parent = pool.alloc_copy(b"one").unwrap();
    parent.add_net_buffer().unwrap().fill(b"two").unwrap();
    parent.add_net_buffer().unwrap();
    let mut child = pool.clone_nbl(&mut parent).unwrap();
    child.net_buffers_mut().for_each(|buffer| buffer.prepend(b"#").unwrap());
    let mut grandchild = pool.clone_nbl(&mut child).unwrap();
    grandchild.net_buffers_mut().for_each(|buffer| buffer.prepend(b"!!!!!").unwrap());
    let all: Vec<_> = grandchild.net_buffers().map(bytes).collect();
    assert_eq!(all, [&b"!!!!!#one"[..], b"!!!!!#two", b"!!!!!#"]);
    assert_eq!((parent.data_len(), child.data_len(), grandchild.data_len()), (6, 9, 24));

    let mut parents: Chain = [parent].into_iter().collect();
    let clones = pool.clone_chain(&mut parents).unwrap();
    assert_eq!(clones.data_len(), 6);
    // All or nothing: 60 are left, and the clones of four are 4 too many.
    let mut many = pool.alloc_chain(32).unwrap();
    assert!(pool.clone_chain(&mut many).is_err());
    assert_eq!(pool.outstanding(), 36);
}

/// Everything a list carried is gone when its memory comes back (also DP-127: no source from its former life).
#[test]
fn reused_list_is_as_new() {
    let pool = Pool::new(PoolConfig { capacity: 1, headroom: 4, data_size: 4, ..PoolConfig::default() });
    let mut nbl = pool.alloc_copy(b"data").unwrap();
    nbl.set_source(7);
    nbl.set_status(NdisStatus::FAILURE);
    nbl.set_flags(NblFlags::IS_IPV4 | NblFlags::IS_UDP);
    nbl.set_cancel_id(CancelId::new(1, 2));
    nbl.info_mut().timestamps.sent = Some(Time::from_nanos(1));
    nbl.info_mut().push_media_specific(3, b"x").unwrap();
    nbl.push_context(b"context").unwrap();
    nbl.add_net_buffer().unwrap().fill(b"2nd").unwrap();
    nbl.first_mut().prepend(b"longer header").unwrap();
    nbl.first_mut().append_mdl(Box::from(&b"more"[..])).unwrap();
    assert_eq!((nbl.source(), nbl.cancel_id().unwrap().0.get()), (7, 1 << 56 | 2));
    drop(nbl);

    let nbl = pool.alloc().unwrap();
    assert_eq!((nbl.source(), nbl.status(), nbl.flags()), (0, NdisStatus::SUCCESS, NblFlags::NONE));
    assert_eq!((nbl.cancel_id(), nbl.context_count(), nbl.data_len()), (None, 0, 0));
    assert_eq!(nbl.info(), Some(&Info::default()));
    assert_eq!(nbl.net_buffers().count(), 1);
    assert_eq!(layout(nbl.first()), (4, 0, 0, 4, vec![8]));
}

/// DP-167, section 7.5: contexts are a stack, and bounded.
#[test]
fn contexts_are_a_stack() {
    let mut nbl = pool(0, 0).alloc().unwrap();
    assert_eq!(nbl.context(), None);
    assert_eq!(nbl.pop_context(), None);
    nbl.push_context(b"upper").unwrap();
    nbl.push_context(b"low").unwrap();
    nbl.context_mut().unwrap()[0] = b'L';
    assert_eq!(nbl.context(), Some(&b"Low"[..]));
    assert_eq!(nbl.push_context(&[0; CONTEXT_OCTETS_MAX]), Err(NdisStatus::RESOURCES));
    assert_eq!((nbl.pop_context(), nbl.context()), (Some(3), Some(&b"upper"[..])));
    assert_eq!((nbl.pop_context(), nbl.pop_context()), (Some(5), None));
}

#[test]
fn out_of_band_information_is_copied_on_request() {
    let pool = pool(0, 4);
    let mut parent = pool.alloc().unwrap();
    parent.info_mut().push_media_specific(9, b"nine").unwrap();
    parent.set_cancel_id(CancelId::new(0, 5));
    let mut clone = pool.clone_nbl(&mut parent).unwrap();
    assert!(clone.info().is_none() && clone.cancel_id().is_none());
    clone.copy_info_from(&parent);
    assert_eq!(clone.info().unwrap().find_media_specific(9), Some(&b"nine"[..]));
    assert_eq!(clone.cancel_id(), CancelId::new(0, 5));
    for _ in 1..MEDIA_SPECIFIC_MAX {
        clone.info_mut().push_media_specific(1, b"").unwrap();
    }
    assert_eq!(clone.info_mut().push_media_specific(1, b""), Err(NdisStatus::RESOURCES));
    assert_eq!(CancelId::new(0, 1 << 56), None);
}

#[test]
fn pool_is_bounded() {
    let pool = Pool::new(PoolConfig { capacity: 3, ..PoolConfig::default() });
    assert!(pool.alloc_chain(4).is_err());
    assert_eq!(pool.outstanding(), 0, "all or nothing");
    let mut chain = pool.alloc_chain(3).unwrap();
    assert!(pool.alloc().is_err());
    drop(chain.pop_front());
    assert_eq!(pool.outstanding(), 2);
    assert!(pool.alloc_chain(2).is_err());
    chain.extend(pool.alloc());
    assert_eq!((chain.len(), pool.outstanding()), (3, 3));
    pool.free(chain);
    assert_eq!(pool.outstanding(), 0);
    assert_eq!(pool.alloc_chain(0).unwrap().len(), 0);

    let huge = Pool::new(PoolConfig { data_size: usize::MAX, ..PoolConfig::default() });
    assert_eq!(huge.alloc().unwrap_err(), NdisStatus::RESOURCES);
    assert_eq!(huge.outstanding(), 0);
}

#[test]
fn chain_of_several_pools_goes_back_to_each() {
    let pools = [pool(0, 1), pool(1, 1), pool(2, 1)];
    let nbls = [0, 0, 1, 2, 2, 1, 0].map(|index: usize| pools[index].alloc().unwrap());
    let chain: Chain = nbls.into_iter().collect();
    assert_eq!(pools.each_ref().map(Pool::outstanding), [3, 2, 2]);
    pools[1].free(chain);
    assert_eq!(pools.each_ref().map(Pool::outstanding), [0, 0, 0]);
}

/// Contents may be swapped between lists, of different pools and in chains; accounts and chains stay right.
#[test]
fn swapped_contents_keep_chains_and_accounts() {
    let (small, large) = (pool(0, 4), pool(0, 400));
    let mut chain: Chain = small.alloc_chain(3).unwrap();
    let mut other = large.alloc_copy(b"large").unwrap();
    std::mem::swap(chain.iter_mut().next().unwrap(), &mut *other);
    assert_eq!((chain.len(), chain.iter().count(), chain.data_len()), (3, 3, 5));
    std::mem::swap(chain.iter_mut().nth(1).unwrap().first_mut(), other.first_mut());
    drop(chain);
    assert_eq!((small.outstanding(), large.outstanding()), (1, 0));
    std::mem::swap(other.first_mut(), large.alloc().unwrap().first_mut());
    drop(other);
    assert_eq!((small.outstanding(), large.outstanding()), (0, 0));
    assert_eq!(small.alloc().unwrap().first().capacity(), 4);
    assert_eq!(large.alloc().unwrap().first().capacity(), 400);
}

/// A chain is dropped in a loop, whether its pool takes the memory back or is gone.
#[test]
fn dropping_a_million_lists_needs_no_stack() {
    let million =
        Pool::new(PoolConfig { data_size: 0, headroom: 0, capacity: 1_000_000, ..PoolConfig::default() });
    drop(million.alloc_chain(1_000_000).unwrap());
    assert_eq!(million.outstanding(), 0);
    let chain = million.alloc_chain(1_000_000).unwrap();
    drop(million);
    drop(chain);
}

#[test]
fn lists_outlive_their_pool() {
    let pool = pool(4, 4);
    let local = LocalPool::new(&pool);
    local.free(local.alloc().unwrap());
    let nbl = pool.alloc_copy(b"data").unwrap();
    let other = pool.clone();
    drop(pool);
    drop(other.alloc().unwrap());
    drop((other, local));
    assert_eq!(bytes(nbl.first()), b"data");
}

/// NET_BUFFER_LIST_POOL_FLAG_VERIFY.
#[test]
fn verifying_pool_poisons_what_is_freed() {
    let pool = Pool::new(PoolConfig { data_size: 4, headroom: 4, capacity: 1, verify: true, tailroom: 0 });
    for _ in 0..2 {
        let mut nbl = pool.alloc_copy(b"data").unwrap();
        nbl.first_mut().prepend(b"head").unwrap();
        nbl.add_net_buffer().unwrap().fill(b"2nd").unwrap();
        drop(nbl);
        let mut nbl = pool.alloc().unwrap();
        nbl.first_mut().retreat(4, 0).unwrap();
        nbl.first_mut().set_data_length(8).unwrap();
        assert_eq!(bytes(nbl.first()), [POISON; 8]);
        assert_eq!(nbl.add_net_buffer().unwrap().tail_mut().unwrap(), [POISON; 4]);
    }
}

/// What a cache holds is not out; what it cannot hold goes to the pool; and no list is out of reach of both.
#[test]
fn local_pool_accounts() {
    let pool = pool(0, 4); // capacity 64: batches of 8, at most 16 cached
    let local = LocalPool::new(&pool);
    let held: Vec<Nbl> = (0..64).map(|_| local.alloc().unwrap()).collect();
    assert_eq!((pool.outstanding(), local.len()), (64, 0));
    assert!(local.alloc().is_err());
    local.free_chain(held.into_iter().collect());
    assert_eq!(pool.outstanding(), 0);
    assert!((1..=16).contains(&local.len()), "{}", local.len());
    assert_eq!(local.alloc_copy(b"large").unwrap_err(), NdisStatus::INVALID_LENGTH);
    assert_eq!(pool.outstanding(), 0);

    let other = LocalPool::new(&pool);
    let foreign = Pool::new(PoolConfig::default());
    other.free(foreign.alloc().unwrap());
    other.free(local.alloc().unwrap());
    assert_eq!((foreign.outstanding(), pool.outstanding(), other.len()), (0, 0, 1));
    drop((local, other));
    assert_eq!(pool.alloc_chain(64).unwrap().len(), 64);
}

/// The data path looks at one line of 64 octets of a list: its link, VC, status, lengths, and where its bytes are.
#[test]
fn list_is_small_and_its_hot_part_is_one_line() {
    assert_eq!((size_of::<Nbl>(), size_of::<Option<Nbl>>(), size_of::<Chain>()), (8, 16, 16));
    assert_eq!(Nbl::OCTETS, 120);
    assert_eq!(size_of::<NetBuffer>(), 64);
    assert_eq!(offset_of!(list::Node, list) + NetBufferList::HOT_OCTETS, 64);
}
