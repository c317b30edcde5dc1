//! The sending half: its state variables, its queues, its buffer.

use std::collections::VecDeque;

use super::{RetrieveFrom, Sn};

/// VT(...) of Q.2110 §7.4, and what waits to be sent or acknowledged.
#[derive(Debug)]
pub(super) struct Transmitter {
    /// VT(PS): the number of the last poll.
    pub(super) ps: Sn,
    /// VT(A): the oldest SD that is not acknowledged.
    pub(super) a: Sn,
    /// VT(PA): the poll that the next STAT answers, at the earliest.
    pub(super) pa: Sn,
    /// VT(MS): the first SD that the peer will not take.
    pub(super) ms: Sn,
    /// VT(PD): SDs since the last poll.
    pub(super) pd: u32,
    /// VT(CC): BGNs, ENDs, ERs or RSs sent without an answer.
    pub(super) cc: u32,
    /// VT(SQ): the number of this attempt.
    pub(super) sq: u8,
    /// The peer granted credit when a STAT last came.
    pub(super) credit: bool,
    /// Clear-buffers: what is not delivered when a connection ends is forgotten, not kept for AA-RETRIEVE.
    pub(super) clear_buffers: bool,
    /// The transmission queue: what was never sent.
    queue: VecDeque<Vec<u8>>,
    /// The transmission buffer: what was sent, VT(A) first. `None` was acknowledged out of turn.
    buffer: VecDeque<Option<Sent>>,
    /// The retransmission queue: numbers of what is in the buffer.
    retransmission: VecDeque<Sn>,
}

#[derive(Debug)]
struct Sent {
    sdu: Vec<u8>,
    /// VT(PS) when it was sent last.
    poll: Sn,
    /// It is in the retransmission queue.
    queued: bool,
}

/// An SD was asked for that is not in the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotInBuffer;

impl Transmitter {
    pub(super) fn new(first_sq: u8) -> Transmitter {
        Transmitter {
            ps: Sn::ZERO,
            a: Sn::ZERO,
            pa: Sn::new(1),
            ms: Sn::ZERO,
            pd: 0,
            cc: 0,
            sq: first_sq,
            credit: true,
            clear_buffers: true,
            queue: VecDeque::new(),
            buffer: VecDeque::new(),
            retransmission: VecDeque::new(),
        }
    }

    /// "Initialize state variables" (sheet 49), this half. What was sent is not of the new connection.
    pub(super) fn initialize(&mut self) {
        self.buffer.clear();
        self.retransmission.clear();
        (self.ps, self.a, self.pa) = (Sn::ZERO, Sn::ZERO, Sn::new(1));
        self.pd = 0;
        self.credit = true;
    }

    /// VT(S): the number of the next new SD.
    pub(super) fn s(&self) -> Sn {
        self.a.plus(u32::try_from(self.buffer.len()).expect("the buffer is bounded far below 2^24"))
    }

    /// VT(S) < VT(MS), seen from VT(A).
    pub(super) fn window_is_open(&self) -> bool {
        self.s().from_base(self.a) < self.ms.from_base(self.a)
    }

    /// SDUs that wait to be sent or to be acknowledged, in number of places.
    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.buffer.len()
    }

    pub(super) fn queue_is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn has_retransmissions(&self) -> bool {
        !self.retransmission.is_empty()
    }

    pub(super) fn push(&mut self, sdu: Vec<u8>) {
        self.queue.push_back(sdu);
    }

    /// The next new SD, which goes to the buffer.
    pub(super) fn send_new(&mut self) -> Option<(Sn, &[u8])> {
        let sdu = self.queue.pop_front()?;
        let sn = self.s();
        self.buffer.push_back(Some(Sent { sdu, poll: self.ps, queued: false }));
        let sent = self.buffer.back()?.as_ref()?;
        Some((sn, &sent.sdu))
    }

    /// The next SD to be sent again. What was acknowledged meanwhile is passed over.
    pub(super) fn send_again(&mut self) -> Option<(Sn, &[u8])> {
        let sn = loop {
            let sn = self.retransmission.pop_front()?;
            if self.slot(sn).is_some_and(|slot| slot.is_some()) {
                break sn;
            }
        };
        let ps = self.ps;
        let sent = self.slot(sn)?.as_mut()?;
        sent.queued = false;
        sent.poll = ps;
        Some((sn, &sent.sdu))
    }

    /// All before `n_r` has arrived. `n_r` is between VT(A) and VT(S).
    pub(super) fn acknowledge_before(&mut self, n_r: Sn) {
        while self.a != n_r && self.buffer.pop_front().is_some() {
            self.a = self.a.next();
        }
    }

    /// `sn` has arrived, though some before it have not.
    pub(super) fn acknowledge(&mut self, sn: Sn) {
        if let Some(slot) = self.slot(sn) {
            *slot = None;
        }
    }

    /// Queues `sn` to be sent again, if it was not queued already, and, where the peer answered a poll, only if it was sent
    /// last before that poll. True if it is queued now and was not before.
    pub(super) fn queue_again(&mut self, sn: Sn, answered: Option<Sn>) -> Result<bool, NotInBuffer> {
        let sent = self.slot(sn).and_then(Option::as_mut).ok_or(NotInBuffer)?;
        let may_be_on_its_way = answered.is_some_and(|poll| !poll.is_after(sent.poll));
        if sent.queued || may_be_on_its_way {
            return Ok(false);
        }
        sent.queued = true;
        self.retransmission.push_back(sn);
        Ok(true)
    }

    /// "Release buffers" (sheet 49), this half.
    pub(super) fn release_buffers(&mut self) {
        self.queue.clear();
        self.buffer.clear();
        self.retransmission.clear();
    }

    /// "Clear transmitter" (sheet 49): nothing of the last connection can be retrieved any more.
    pub(super) fn clear(&mut self) {
        if !self.clear_buffers {
            self.queue.clear();
            self.buffer.clear();
        }
    }

    /// "Prepare recovery" and this half of "prepare retrieval" (sheet 49).
    pub(super) fn prepare_retrieval(&mut self) {
        if self.clear_buffers {
            self.queue.clear();
            self.buffer.clear();
        }
        self.retransmission.clear();
    }

    /// "Data retrieval" (sheet 50): takes out what was not acknowledged, from where it is asked for, and what was never sent.
    pub(super) fn retrieve(&mut self, from: RetrieveFrom) -> Vec<Vec<u8>> {
        let skip = match from {
            RetrieveFrom::Unknown => usize::MAX,
            RetrieveFrom::Total => 0,
            RetrieveFrom::After(sn) => sn.next().from_base(self.a) as usize,
        };
        let sent = self.buffer.iter_mut().skip(skip).filter_map(Option::take).map(|sent| sent.sdu);
        let mut sdus: Vec<Vec<u8>> = sent.collect();
        sdus.extend(self.queue.drain(..));
        sdus
    }

    fn slot(&mut self, sn: Sn) -> Option<&mut Option<Sent>> {
        self.buffer.get_mut(sn.from_base(self.a) as usize)
    }
}
