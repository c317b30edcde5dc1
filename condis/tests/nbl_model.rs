//! Net buffers and chains against simple models, under random sequences of calls.
//!
//! The model of a net buffer is the plain sequence of its bytes with the place and length of the data; that of a chain is a
//! `VecDeque` of numbers.

use std::collections::VecDeque;

use condis::nbl::{
    CancelId, Chain, Nbl, NetBuffer, NetBufferList, PREPEND_BACKFILL_OCTETS, Pool, PoolConfig,
};
use condis::status::NdisStatus;
use proptest::prelude::*;

fn pool(headroom: usize, data_size: usize, tailroom: usize) -> Pool {
    Pool::new(PoolConfig { data_size, headroom, tailroom, capacity: 4096, verify: false })
}

#[derive(Clone, Debug)]
enum Step {
    Retreat(usize, usize),
    Advance(usize, bool),
    Prepend(Vec<u8>),
    Append(Vec<u8>),
    AppendMdl(Vec<u8>),
    SetDataLength(usize),
    Fill(Vec<u8>),
    /// From now on the clone, taken from a pool of that headroom.
    Clone(usize),
    FreeParents,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || prop::collection::vec(any::<u8>(), 0..24);
    let step = prop_oneof![
        3 => (0..40usize, 0..16usize).prop_map(|(delta, backfill)| Step::Retreat(delta, backfill)),
        4 => (0..40usize, any::<bool>()).prop_map(|(delta, free)| Step::Advance(delta, free)),
        3 => some().prop_map(Step::Prepend),
        2 => some().prop_map(Step::Append),
        2 => some().prop_map(Step::AppendMdl),
        2 => (0..80usize).prop_map(Step::SetDataLength),
        1 => some().prop_map(Step::Fill),
        1 => (0..24usize).prop_map(Step::Clone),
        1 => Just(Step::FreeParents),
    ];
    prop::collection::vec(step, 1..60)
}

/// All bytes of the chain of MDLs, each with whether a parent shares it, and the part that is in use.
struct Model {
    space: Vec<(u8, bool)>,
    offset: usize,
    len: usize,
    /// Sizes of the MDLs that retreats put in front, the front one last.
    fronted: Vec<usize>,
}

impl Model {
    fn retreat(&mut self, delta: usize, backfill: usize) {
        if delta > self.offset {
            let size = delta - self.offset + backfill;
            self.space.splice(0..0, vec![(0, false); size]);
            self.fronted.push(size);
            self.offset = backfill;
        } else {
            self.offset -= delta;
        }
        self.len += delta;
    }

    fn advance(&mut self, delta: usize, free_mdl: bool) -> Result<(), NdisStatus> {
        if delta > self.len {
            return Err(NdisStatus::INVALID_LENGTH);
        }
        (self.offset, self.len) = (self.offset + delta, self.len - delta);
        while let Some(&size) = self.fronted.last().filter(|&&size| free_mdl && size <= self.offset) {
            self.space.drain(..size);
            self.offset -= size;
            self.fronted.pop();
        }
        Ok(())
    }

    fn prepend(&mut self, header: &[u8]) -> Result<(), NdisStatus> {
        let reused = header.len().min(self.offset);
        if self.space[self.offset - reused..self.offset].iter().any(|&(_, shared)| shared) {
            return Err(NdisStatus::FAILURE);
        }
        self.retreat(header.len(), PREPEND_BACKFILL_OCTETS);
        self.put(self.offset, header);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), NdisStatus> {
        let end = self.end();
        match self.space.get(end..end + bytes.len()) {
            Some(room) if room.iter().all(|&(_, shared)| !shared) => {
                self.put(end, bytes);
                self.len += bytes.len();
                Ok(())
            }
            _ => Err(NdisStatus::RESOURCES),
        }
    }

    fn append_mdl(&mut self, bytes: &[u8]) {
        // What is cut off the MDLs in front is gone from their sizes too.
        let mut left = self.end();
        for size in self.fronted.iter_mut().rev() {
            *size = left.min(*size);
            left -= *size;
        }
        self.space.truncate(self.end());
        self.space.extend(bytes.iter().map(|&byte| (byte, false)));
        self.len += bytes.len();
    }

    fn set_data_length(&mut self, len: usize) -> Result<(), NdisStatus> {
        if self.offset + len > self.space.len() {
            return Err(NdisStatus::INVALID_LENGTH);
        }
        self.len = len;
        Ok(())
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<(), NdisStatus> {
        let before = std::mem::replace(&mut self.len, 0);
        self.append(bytes).inspect_err(|_| self.len = before)
    }

    fn become_clone(&mut self, headroom: usize) {
        let data = self.space[self.offset..self.end()].iter().map(|&(byte, _)| (byte, true));
        self.space = std::iter::repeat_n((0, false), headroom).chain(data).collect();
        self.offset = headroom;
        self.fronted.clear();
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.space[at..][..bytes.len()].iter_mut().zip(bytes).for_each(|(to, &byte)| *to = (byte, false));
    }

    fn end(&self) -> usize {
        self.offset + self.len
    }

    fn check(&self, buffer: &NetBuffer) {
        let data: Vec<u8> = self.space[self.offset..self.end()].iter().map(|&(byte, _)| byte).collect();
        assert_eq!((buffer.data_offset(), buffer.data_length()), (self.offset, self.len));
        assert_eq!((buffer.capacity(), buffer.tailroom()), (self.space.len(), self.space.len() - self.end()));

        // DP-163: where the walk of DataOffset bytes lands.
        let sizes: Vec<usize> = buffer.mdl_sizes().collect();
        let (mut index, mut left) = (0, self.offset);
        while index + 1 < sizes.len() && left >= sizes[index] {
            left -= sizes[index];
            index += 1;
        }
        assert_eq!((buffer.current_mdl(), buffer.current_mdl_offset()), (index, left));

        assert_eq!(buffer.mdls().collect::<Vec<_>>().concat(), data);
        let mut copy = vec![0; data.len() + 1];
        assert_eq!(buffer.copy_to(&mut copy), data.len());
        assert_eq!(copy[..data.len()], data);

        // DP-164, for every length.
        let contiguous = sizes[index] - left;
        assert_eq!(buffer.contiguous(), (data.len() <= contiguous).then_some(&data[..]));
        for needed in 0..=data.len() {
            assert_eq!(buffer.data(needed, None), (needed <= contiguous).then_some(&data[..needed]));
            assert_eq!(buffer.data(needed, Some(&mut copy)), Some(&data[..needed]));
        }
        assert_eq!(buffer.data(data.len() + 1, Some(&mut copy)), None);
    }
}

proptest! {
    /// DP-159 to DP-164: the same bytes as a plain vector, whatever is done, and as new afterwards.
    #[test]
    fn net_buffer_is_a_window_on_bytes(
        headroom in 0..24usize,
        data_size in 0..24usize,
        tailroom in 0..8usize,
        steps in steps(),
    ) {
        let origin = pool(headroom, data_size, tailroom);
        let mut nbl = origin.alloc().unwrap();
        let mut parents = Vec::new();
        let space = vec![(0, false); headroom + data_size + tailroom];
        let mut model = Model { space, offset: headroom, len: 0, fronted: Vec::new() };
        model.check(nbl.first());
        for step in steps {
            let buffer = nbl.first_mut();
            match step {
                Step::Retreat(delta, backfill) => {
                    buffer.retreat(delta, backfill).unwrap();
                    model.retreat(delta, backfill);
                }
                Step::Advance(delta, free) => assert_eq!(buffer.advance(delta, free), model.advance(delta, free)),
                Step::Prepend(header) => assert_eq!(buffer.prepend(&header), model.prepend(&header)),
                Step::Append(bytes) => assert_eq!(buffer.append(&bytes), model.append(&bytes)),
                Step::AppendMdl(bytes) => {
                    buffer.append_mdl(bytes.clone().into()).unwrap();
                    model.append_mdl(&bytes);
                }
                Step::SetDataLength(len) => assert_eq!(buffer.set_data_length(len), model.set_data_length(len)),
                Step::Fill(bytes) => assert_eq!(buffer.fill(&bytes), model.fill(&bytes)),
                Step::Clone(headroom) => {
                    let clone = pool(headroom, 0, 0).clone_nbl(&mut nbl).unwrap();
                    let parent = std::mem::replace(&mut nbl, clone);
                    let before: Vec<u8> = parent.first().mdls().flatten().copied().collect();
                    parents.push((parent, before));
                    model.become_clone(headroom);
                }
                Step::FreeParents => {
                    for (parent, before) in parents.drain(..) {
                        assert_eq!(parent.first().mdls().collect::<Vec<_>>().concat(), before);
                    }
                    model.space.iter_mut().for_each(|(_, shared)| *shared = false);
                }
            }
            model.check(nbl.first());
        }
        drop(nbl);
        for (parent, before) in parents {
            assert_eq!(parent.first().mdls().collect::<Vec<_>>().concat(), before, "no clone changes its parent");
        }
        let fresh = origin.alloc().unwrap();
        assert_eq!(origin.outstanding(), 1);
        assert_eq!((fresh.first().data_offset(), fresh.first().data_length()), (headroom, 0));
        assert_eq!(fresh.first().capacity(), headroom + data_size + tailroom);
    }
}

#[derive(Clone, Debug)]
enum ChainStep {
    PushFront,
    PopFront,
    Append(usize),
    Extend(usize),
    /// The first n go behind the others.
    Rotate(usize),
    /// Those with that remainder by 3 are taken out.
    Take(u64),
}

fn chain_steps() -> impl Strategy<Value = Vec<ChainStep>> {
    let step = prop_oneof![
        Just(ChainStep::PushFront),
        Just(ChainStep::PopFront),
        (0..6usize).prop_map(ChainStep::Append),
        (0..6usize).prop_map(ChainStep::Extend),
        (0..12usize).prop_map(ChainStep::Rotate),
        (0..3u64).prop_map(ChainStep::Take),
    ];
    prop::collection::vec(step, 1..60)
}

fn number(nbl: &NetBufferList) -> u64 {
    nbl.cancel_id().unwrap().0.get()
}

proptest! {
    #[test]
    fn chain_is_a_sequence(steps in chain_steps()) {
        let pool = pool(0, 4, 0);
        let mut next = 0;
        let mut fresh = || -> (Nbl, u64) {
            next += 1;
            let mut nbl = pool.alloc_copy(&[0; 4][..next as usize % 5]).unwrap();
            nbl.set_cancel_id(CancelId::new(0, next));
            (nbl, next)
        };
        let (mut chain, mut model) = (Chain::new(), VecDeque::new());
        for step in steps {
            match step {
                ChainStep::PushFront => {
                    let (nbl, number) = fresh();
                    chain.push_front(nbl);
                    model.push_front(number);
                }
                ChainStep::PopFront => assert_eq!(chain.pop_front().map(|nbl| number(&nbl)), model.pop_front()),
                ChainStep::Append(n) => {
                    let (nbls, numbers): (Vec<Nbl>, Vec<u64>) = (0..n).map(|_| fresh()).unzip();
                    chain.append(nbls.into_iter().collect());
                    model.extend(numbers);
                }
                ChainStep::Extend(n) => {
                    let (nbls, numbers): (Vec<Nbl>, Vec<u64>) = (0..n).map(|_| fresh()).unzip();
                    chain.extend(nbls);
                    model.extend(numbers);
                }
                ChainStep::Rotate(n) => {
                    let front = chain.split_off_front(n);
                    let n = n.min(model.len());
                    assert_eq!(front.iter().map(number).collect::<Vec<_>>(), model.range(..n).copied().collect::<Vec<_>>());
                    assert_eq!(front.len(), n);
                    chain.append(front);
                    model.rotate_left(n);
                }
                ChainStep::Take(remainder) => {
                    let taken = chain.take_matching(|nbl| number(nbl) % 3 == remainder);
                    let expected: Vec<u64> = model.iter().copied().filter(|number| number % 3 == remainder).collect();
                    assert_eq!(taken.len(), expected.len());
                    assert_eq!(taken.into_iter().map(|nbl| number(&nbl)).collect::<Vec<_>>(), expected);
                    model.retain(|number| number % 3 != remainder);
                }
            }
            assert_eq!(chain.iter().map(number).collect::<Vec<_>>(), Vec::from(model.clone()));
            assert_eq!(chain.iter_mut().map(|nbl| number(nbl)).collect::<Vec<_>>(), Vec::from(model.clone()));
            assert_eq!((chain.len(), chain.is_empty()), (model.len(), model.is_empty()));
            assert_eq!(chain.data_len(), model.iter().map(|number| number % 5).sum::<u64>());
            assert_eq!(chain.first().map(number), model.front().copied());
            assert_eq!(pool.outstanding(), model.len());
        }
        drop(chain);
        assert_eq!(pool.outstanding(), 0);
    }
}
