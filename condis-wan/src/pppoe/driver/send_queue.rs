//! Sends that wait because the link was full.
//!
//! One queue for the link, in the order of the sends, bounded by [`QUEUE_NBLS_MAX`]. One thread at a time takes from it; what
//! it holds in its hands is still counted as queued, so that later sends of the same VC stay behind.

use std::collections::{BTreeSet, VecDeque};

use condis::nbl::CancelId;
use condis::status::NdisStatus;
use condis::trace::VcId;
use condis::vc::KeptSends;

use super::flow_counters::FlowCount;
use super::framing::Framing;

/// NBLs that wait at most. 4096: at full size 6 MB, 50 ms of 1 Gbit/s; who sends faster than the wire for longer is told.
pub(super) const QUEUE_NBLS_MAX: usize = 4096;

/// A batch that waits.
pub(super) struct Queued {
    pub(super) sends: KeptSends,
    pub(super) framing: Framing,
    /// Net buffers of the first NBL that have gone already.
    pub(super) net_buffers_sent: usize,
}

/// With what a batch goes back that may not wait any longer, and under which name it is counted.
pub(super) type Flush = (NdisStatus, FlowCount);

/// What the thread that takes from the queue is to do next.
pub(super) enum Next {
    /// Nothing waits any more.
    Empty,
    /// Another thread is at it, and will look again.
    Busy,
    /// Send this, and say how it went.
    Send(Queued),
}

#[derive(Default)]
pub(super) struct SendQueue {
    items: VecDeque<Queued>,
    nbls: usize,
    /// VCs whose sends may wait.
    open: BTreeSet<VcId>,
    /// With what all are refused; nothing while the adapter runs.
    refusal: Option<Flush>,
    /// The VC of the batch in a thread's hands.
    sending: Option<VcId>,
    /// Set if the batch in hands is not to come back.
    condemned: Option<Flush>,
    /// Somebody wanted to send meanwhile.
    again: bool,
}

impl SendQueue {
    /// Puts a batch behind the others.
    ///
    /// # Errors
    /// The batch, and with what it goes back.
    pub(super) fn push(&mut self, queued: Queued) -> Result<(), (KeptSends, Flush)> {
        let nbls = queued.sends.len();
        let refusal = if let Some(refusal) = self.refusal {
            refusal
        } else if !self.open.contains(&queued.sends.vc_id()) {
            (NdisStatus::FAILURE, FlowCount::FlushedDeactivated)
        } else if self.nbls + nbls > QUEUE_NBLS_MAX {
            (NdisStatus::RESOURCES, FlowCount::RefusedQueueFull)
        } else {
            self.nbls += nbls;
            self.items.push_back(queued);
            return Ok(());
        };
        Err((queued.sends, refusal))
    }

    /// The next batch to send.
    pub(super) fn take(&mut self) -> Next {
        if self.sending.is_some() {
            self.again = true;
            return Next::Busy;
        }
        match self.items.pop_front() {
            Some(queued) => {
                self.nbls -= queued.sends.len();
                self.sending = Some(queued.sends.vc_id());
                self.again = false;
                Next::Send(queued)
            }
            None => Next::Empty,
        }
    }

    /// The batch that was taken, with what the link refused of it. True: try again now. The rest comes back with its
    /// status if it may not wait any longer.
    pub(super) fn sent(&mut self, rest: Queued) -> (bool, Option<(KeptSends, Flush)>) {
        self.sending = None;
        let condemned = self.condemned.take();
        if rest.sends.is_empty() {
            return (true, None);
        }
        if let Some(flush) = condemned {
            return (true, Some((rest.sends, flush)));
        }
        self.nbls += rest.sends.len();
        self.items.push_front(rest);
        (std::mem::take(&mut self.again), None)
    }

    /// Lets a VC's sends wait.
    pub(super) fn open(&mut self, vc: VcId) {
        self.open.insert(vc);
    }

    /// Takes out what waits on a VC that carries nothing any more.
    pub(super) fn close(&mut self, vc: VcId) -> Vec<KeptSends> {
        self.open.remove(&vc);
        if self.sending == Some(vc) {
            self.condemned = Some((NdisStatus::FAILURE, FlowCount::FlushedDeactivated));
        }
        self.take_if(|queued| queued.sends.vc_id() == vc)
    }

    /// Takes out everything, and refuses what comes if `stay`.
    pub(super) fn flush(&mut self, flush: Flush, stay: bool) -> Vec<KeptSends> {
        self.refusal = stay.then_some(flush);
        if self.sending.is_some() {
            self.condemned = Some(flush);
        }
        self.take_if(|_| true)
    }

    /// Takes sends again.
    pub(super) fn reopen(&mut self) {
        self.refusal = None;
    }

    /// Takes out what bears this id. A batch in a thread's hands is on the wire already, as good as.
    pub(super) fn cancel(&mut self, id: CancelId) -> Vec<KeptSends> {
        let mut cancelled = Vec::new();
        for queued in &mut self.items {
            let first = queued.sends.iter().next().and_then(|nbl| nbl.cancel_id());
            let matching = queued.sends.take_matching(|nbl| nbl.cancel_id() == Some(id));
            if first == Some(id) {
                queued.net_buffers_sent = 0;
            }
            self.nbls -= matching.len();
            cancelled.push(matching);
        }
        self.items.retain(|queued| !queued.sends.is_empty());
        cancelled.retain(|sends| !sends.is_empty());
        cancelled
    }

    fn take_if(&mut self, mut wanted: impl FnMut(&Queued) -> bool) -> Vec<KeptSends> {
        let (taken, rest): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.items).into_iter().partition(|queued| wanted(queued));
        self.items = rest;
        let taken: Vec<_> = taken.into_iter().map(|queued| queued.sends).collect();
        self.nbls -= taken.iter().map(KeptSends::len).sum::<usize>();
        taken
    }
}
