//! NBLs on their way: sends down, completions up, receives up, returns down.
//!
//! A batch is owned by whoever holds it. NDIS counts it in and out once, and no lock is taken on the way.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::gate::Entry;
use super::{RECEIVES_WRITTEN_OFF, SIDES, Side, Users, Vc, VcCore, WRITTEN_OFF};
use crate::frame;
use crate::names::Function as F;
use crate::nbl::{Chain, NetBufferList};
use crate::status::NdisStatus;
use crate::trace::{VcId, Way};

/// NBLs that NDIS hands to a miniport, or to the data half of an MCM, to send.
///
/// They come back to the sender through [`Sends::complete`]. A batch that is dropped comes back as failed.
#[must_use = "a batch that is dropped comes back as failed"]
pub struct Sends<'a> {
    vc: &'a Arc<VcCore>,
    chain: Chain,
    fresh: bool,
}

/// A batch of sends that a miniport keeps to complete later.
#[must_use = "a batch that is dropped comes back as failed"]
pub struct KeptSends {
    /// There until the batch is taken apart.
    vc: Option<Arc<VcCore>>,
    chain: Chain,
    /// The NBLs were not lent for writing since they were sent, so that each says SUCCESS still.
    fresh: bool,
}

macro_rules! batch_of_sends {
    ($($ty:ty),*) => {$(
        impl $ty {
            /// The VC that these NBLs are sent on.
            pub fn vc_id(&self) -> VcId {
                self.vc().id
            }

            /// How many NBLs.
            pub fn len(&self) -> usize {
                self.chain.len()
            }

            /// True if there are none.
            pub fn is_empty(&self) -> bool {
                self.chain.is_empty()
            }

            /// The NBLs, in order.
            pub fn iter(&self) -> impl Iterator<Item = &NetBufferList> {
                self.chain.iter()
            }

            /// The NBLs, in order, to write headers in front of the data, or statuses. What is retreated is advanced again
            /// before the batch is completed.
            pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut NetBufferList> {
                self.fresh = false;
                self.chain.iter_mut()
            }

            /// Completes all with one status.
            #[inline]
            #[doc(alias = "NdisMCoSendNetBufferListsComplete")]
            pub fn complete(self, status: NdisStatus) {
                let (vc, mut chain, fresh) = self.into_parts();
                if !fresh || status != NdisStatus::SUCCESS {
                    vc.set_status(&mut chain, status);
                }
                vc.complete(chain);
            }

            /// Completes all, each with the status that it carries.
            #[inline]
            #[doc(alias = "NdisMCoSendNetBufferListsComplete")]
            pub fn complete_each(self) {
                let (vc, chain, fresh) = self.into_parts();
                if !fresh {
                    vc.count_errors(&chain);
                }
                vc.complete(chain);
            }
        }

        impl Drop for $ty {
            #[inline]
            fn drop(&mut self) {
                if !self.chain.is_empty() {
                    lose_sends(self.vc().clone(), std::mem::take(&mut self.chain));
                }
            }
        }

        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} sends on {}", self.len(), self.vc_id())
            }
        }
    )*};
}

batch_of_sends!(Sends<'_>, KeptSends);

impl<'a> Sends<'a> {
    /// Splits the first `count` off.
    pub fn split_front(&mut self, count: usize) -> Sends<'a> {
        Sends { vc: self.vc, chain: self.chain.split_off_front(count), fresh: self.fresh }
    }

    /// Keeps the batch, to complete it later from any thread.
    #[inline]
    pub fn keep(self) -> KeptSends {
        let (vc, chain, fresh) = self.into_parts();
        KeptSends { vc: Some(vc.clone()), chain, fresh }
    }

    fn vc(&self) -> &Arc<VcCore> {
        self.vc
    }

    /// Takes the batch apart. What is dropped then is forgotten at once: where nothing of it is left to be dropped in an
    /// unwinding, it stays in registers.
    #[inline]
    fn into_parts(mut self) -> (&'a Arc<VcCore>, Chain, bool) {
        let parts = (self.vc, std::mem::take(&mut self.chain), self.fresh);
        std::mem::forget(self);
        parts
    }
}

impl KeptSends {
    /// Splits the first `count` off.
    pub fn split_front(&mut self, count: usize) -> KeptSends {
        let chain = self.chain.split_off_front(count);
        KeptSends { vc: self.vc.clone(), chain, fresh: self.fresh }
    }

    /// Splits off those that `wanted` picks, keeping both in order. For a cancel.
    pub fn take_matching(&mut self, wanted: impl FnMut(&NetBufferList) -> bool) -> KeptSends {
        let chain = self.chain.take_matching(wanted);
        KeptSends { vc: self.vc.clone(), chain, fresh: self.fresh }
    }

    fn vc(&self) -> &Arc<VcCore> {
        self.vc.as_ref().expect(WHOLE)
    }

    #[inline]
    fn into_parts(mut self) -> (Arc<VcCore>, Chain, bool) {
        let parts = (self.vc.take().expect(WHOLE), std::mem::take(&mut self.chain), self.fresh);
        std::mem::forget(self);
        parts
    }
}

const WHOLE: &str = "only what consumes the batch takes it apart";

#[cold]
fn lose_sends(vc: Arc<VcCore>, mut chain: Chain) {
    let node = vc.node().clone();
    node.defer(move || {
        vc.report(
            "DP-124",
            format!(
                "{} lost a batch of {} sends; it comes back as failed",
                vc.driver(Side::Lower),
                chain.len()
            ),
        );
        vc.set_status(&mut chain, NdisStatus::FAILURE);
        vc.complete(chain);
    });
}

impl VcCore {
    /// `NdisCoSendNetBufferLists`: a check, a count, and down to the miniport. What may not pass comes back with its status.
    #[inline]
    pub(crate) fn send(self: &Arc<Self>, mut chain: Chain) {
        let nbls = chain.len();
        let octets = stamp(&mut chain, self.id, |nbl| nbl.set_status(NdisStatus::SUCCESS));
        if nbls == 0 {
            return;
        }
        match self.tx.enter(nbls, octets) {
            Entry::Open => {}
            Entry::Watched => {
                self.cross(Side::User, Way::Down, F::NdisCoSendNetBufferLists);
                self.cross(Side::Lower, Way::Up, F::MiniportCoSendNetBufferLists);
            }
            Entry::Shut { drained } => return self.refuse_send(chain, drained),
        }
        let sends = Sends { vc: self, chain, fresh: true };
        let sent = frame::guard(|| match &self.users {
            Users::CallManager { miniport, .. } | Users::Signaling { miniport, .. } => {
                miniport.send(Vc::new(self), sends)
            }
            Users::Mcm { data, .. } => data.send(Vc::new(self), sends),
        });
        if sent.is_err() {
            self.lose(Side::Lower, F::MiniportCoSendNetBufferLists);
        }
    }

    #[cold]
    fn refuse_send(self: &Arc<Self>, mut chain: Chain, drained: bool) {
        if self.tx.watched() {
            self.cross(Side::User, Way::Down, F::NdisCoSendNetBufferLists);
        }
        if drained {
            self.drained();
        }
        let status = if self.lost.load(SeqCst) & SIDES != 0 {
            NdisStatus::FAILURE
        } else {
            self.lock().control.send_refusal()
        };
        for nbl in chain.iter_mut() {
            nbl.set_status(status);
        }
        // A refused send never reached the miniport and is no statistic of the VC; its status tells the sender.
        self.give_back(chain, false);
    }

    /// Gives all NBLs of a batch the status that they complete with.
    fn set_status(&self, chain: &mut Chain, status: NdisStatus) {
        for nbl in chain.iter_mut() {
            nbl.set_status(status);
        }
        if status != NdisStatus::SUCCESS {
            self.tx.misses.fetch_add(chain.len() as u32, Relaxed);
        }
    }

    /// Counts the NBLs of a batch that completes with errors.
    fn count_errors(&self, chain: &Chain) {
        let errors = chain.iter().filter(|nbl| nbl.status() != NdisStatus::SUCCESS).count();
        self.tx.misses.fetch_add(errors as u32, Relaxed);
    }

    /// The miniport is done with a batch.
    #[inline]
    pub(crate) fn complete(self: &Arc<Self>, chain: Chain) {
        let nbls = chain.len();
        if nbls == 0 || self.tx.is_special() || !frame::may_nest() {
            return self.complete_slowly(chain);
        }
        self.tell_sent(chain);
        if self.tx.leave(nbls) {
            self.drained();
        }
    }

    #[cold]
    fn complete_slowly(self: &Arc<Self>, chain: Chain) {
        if chain.is_empty() || self.tx.is_special() && self.completed_specially(&chain) {
            return;
        }
        self.give_back(chain, true);
    }

    /// Traces a completion. True if the batch was written off with the object that held it, or has nobody to go back to.
    #[cold]
    fn completed_specially(self: &Arc<Self>, chain: &Chain) -> bool {
        if self.tx.watched() {
            self.cross(Side::Lower, Way::Down, F::NdisMCoSendNetBufferListsComplete);
        }
        if self.tx.ended() && !self.is_mcm() && self.lost.load(SeqCst) & SIDES == 0 {
            let nbls = chain.len();
            self.report(
                "DP-110",
                format!(
                    "the miniport ended a deactivation with {nbls} sends outstanding, and completes them now"
                ),
            );
        }
        let lock = self.lock();
        if self.lost.load(SeqCst) & WRITTEN_OFF != 0 {
            return true;
        }
        if !self.lost(Side::User) {
            return false;
        }
        let drained = self.tx.leave(chain.len());
        drop(lock);
        if drained {
            self.drained();
        }
        true
    }

    /// `ProtocolCoSendNetBufferListsComplete`. `counted`: the batch had entered, and leaves when the callback has returned.
    fn give_back(self: &Arc<Self>, chain: Chain, counted: bool) {
        if frame::may_nest() {
            self.give_back_now(chain, counted);
        } else {
            let vc = self.clone();
            frame::aside(move || vc.give_back_now(chain, counted));
        }
    }

    fn give_back_now(self: &Arc<Self>, chain: Chain, counted: bool) {
        let nbls = chain.len();
        if !(self.tx.is_special() && self.told_specially(Side::User, F::ProtocolCoSendNetBufferListsComplete))
        {
            self.tell_sent(chain);
        }
        if counted && self.tx.leave(nbls) {
            self.drained();
        }
    }

    #[inline]
    fn tell_sent(self: &Arc<Self>, chain: Chain) {
        let told = frame::call(|| match &self.users {
            Users::CallManager { client, .. } | Users::Mcm { client, .. } => {
                client.send_complete(Vc::new(self), chain)
            }
            Users::Signaling { user, .. } => user.send_complete(Vc::new(self), chain),
        });
        if told.is_err() {
            self.lose(Side::User, F::ProtocolCoSendNetBufferListsComplete);
        }
    }

    /// Traces a callback of the data path, if somebody listens. True if its object is lost, so that nobody is to be called.
    #[cold]
    fn told_specially(&self, side: Side, function: F) -> bool {
        if self.lost(side) {
            return true;
        }
        if self.tx.watched() {
            self.cross(side, Way::Up, function);
        }
        false
    }

    /// `NdisMCoIndicateReceiveNetBufferLists`: up to the owner of the data side, and back what it does not keep.
    pub(crate) fn indicate(self: &Arc<Self>, mut chain: Chain) {
        let (nbls, octets) = (chain.len(), stamp(&mut chain, self.id, |_| ()));
        if nbls == 0 {
            return;
        }
        match self.rx.enter(nbls, octets) {
            Entry::Open => {}
            Entry::Watched => self.cross(Side::Lower, Way::Down, F::NdisMCoIndicateReceiveNetBufferLists),
            Entry::Shut { drained } => return self.refuse_receive(chain, drained),
        }
        if frame::may_nest() {
            self.indicate_now(chain);
        } else {
            let vc = self.clone();
            frame::aside(move || vc.indicate_now(chain));
        }
    }

    fn indicate_now(self: &Arc<Self>, chain: Chain) {
        let mut batch = Receives { vc: self, chain, lent: false };
        self.receive(&mut batch);
        let rest = std::mem::take(&mut batch.chain);
        self.return_nbls(rest);
    }

    /// With NDIS_RECEIVE_FLAGS_RESOURCES: the miniport owns the NBLs again when this returns.
    pub(crate) fn indicate_lent(self: &Arc<Self>, chain: &mut Chain) {
        let (nbls, octets) = (chain.len(), stamp(chain, self.id, |_| ()));
        if nbls == 0 {
            return;
        }
        match self.rx.enter(nbls, octets) {
            Entry::Open => {}
            Entry::Watched => self.cross(Side::Lower, Way::Down, F::NdisMCoIndicateReceiveNetBufferLists),
            Entry::Shut { drained } => {
                self.rx.misses.fetch_add(nbls as u32, Relaxed);
                if drained {
                    self.drained();
                }
                return;
            }
        }
        let mut batch = Receives { vc: self, chain: std::mem::take(chain), lent: true };
        self.receive(&mut batch);
        *chain = std::mem::take(&mut batch.chain);
        if self.rx.leave(nbls) {
            self.drained();
        }
    }

    #[inline]
    fn receive(self: &Arc<Self>, batch: &mut Receives<'_>) {
        if self.rx.is_special() && self.told_specially(Side::User, F::ProtocolCoReceiveNetBufferLists) {
            return;
        }
        let told = frame::call(|| match &self.users {
            Users::CallManager { client, .. } | Users::Mcm { client, .. } => {
                client.receive(Vc::new(self), batch)
            }
            Users::Signaling { user, .. } => user.receive(Vc::new(self), batch),
        });
        if told.is_err() {
            self.lose(Side::User, F::ProtocolCoReceiveNetBufferLists);
        }
    }

    #[cold]
    fn refuse_receive(self: &Arc<Self>, chain: Chain, drained: bool) {
        self.rx.misses.fetch_add(chain.len() as u32, Relaxed);
        if self.rx.watched() {
            self.cross(Side::Lower, Way::Down, F::NdisMCoIndicateReceiveNetBufferLists);
        }
        if drained {
            self.drained();
        }
        if frame::may_nest() {
            self.tell_returned(chain);
        } else {
            let vc = self.clone();
            frame::aside(move || vc.tell_returned(chain));
        }
    }

    /// `NdisReturnNetBufferLists`: the NBLs go back to the miniport, and count as returned when it has them.
    pub(crate) fn return_nbls(self: &Arc<Self>, chain: Chain) {
        let nbls = chain.len();
        if nbls == 0 {
            return;
        }
        if frame::may_nest() {
            self.return_now(chain, nbls);
        } else {
            let vc = self.clone();
            frame::aside(move || vc.return_now(chain, nbls));
        }
    }

    fn return_now(self: &Arc<Self>, chain: Chain, nbls: usize) {
        let written_off = self.rx.is_special() && self.lost.load(SeqCst) & RECEIVES_WRITTEN_OFF != 0;
        self.tell_returned(chain);
        if !written_off && self.rx.leave(nbls) {
            self.drained();
        }
    }

    fn tell_returned(self: &Arc<Self>, chain: Chain) {
        if self.rx.is_special() && self.told_specially(Side::Lower, F::MiniportReturnNetBufferLists) {
            return;
        }
        let told = frame::call(|| match &self.users {
            Users::CallManager { miniport, .. } | Users::Signaling { miniport, .. } => {
                miniport.returned(Vc::new(self), chain)
            }
            Users::Mcm { data, .. } => data.returned(Vc::new(self), chain),
        });
        if told.is_err() {
            self.lose(Side::Lower, F::MiniportReturnNetBufferLists);
        }
    }
}

/// Marks each NBL with its VC (DP-127), does `also`, and sums up the data, in one walk: walks are what a batch of many costs.
/// A send gives each NBL the status that most complete with, so that a completion with SUCCESS needs no walk of its own.
#[inline]
fn stamp(chain: &mut Chain, vc: VcId, also: impl Fn(&mut NetBufferList)) -> u64 {
    let mut octets = 0;
    for nbl in chain.iter_mut() {
        nbl.set_source(vc.0);
        also(nbl);
        octets += nbl.data_len();
    }
    octets
}

/// NBLs that were received, lent to their receiver for the duration of the callback.
///
/// What is left in here when the callback returns goes back to the miniport. Keep what is needed longer.
pub struct Receives<'a> {
    vc: &'a Arc<VcCore>,
    chain: Chain,
    lent: bool,
}

impl Receives<'_> {
    /// How many NBLs.
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// The NBLs, in order.
    pub fn iter(&self) -> impl Iterator<Item = &NetBufferList> {
        self.chain.iter()
    }

    /// True if the miniport is short of buffers (NDIS_RECEIVE_FLAGS_RESOURCES): nothing can be kept, so copy.
    #[doc(alias = "NDIS_RECEIVE_FLAGS_RESOURCES")]
    pub fn is_lent(&self) -> bool {
        self.lent
    }

    /// Keeps all that is left. `None` if nothing can be kept, or nothing is left.
    pub fn keep(&mut self) -> Option<Kept> {
        self.keep_front(usize::MAX)
    }

    /// Keeps the first `count`.
    pub fn keep_front(&mut self, count: usize) -> Option<Kept> {
        if self.lent || self.chain.is_empty() || count == 0 {
            return None;
        }
        let chain = if count >= self.chain.len() {
            std::mem::take(&mut self.chain)
        } else {
            self.chain.split_off_front(count)
        };
        Some(Kept { vc: self.vc.clone(), chain })
    }
}

impl fmt::Debug for Receives<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} receives on {}", self.len(), self.vc.id)
    }
}

/// Received NBLs that their receiver keeps. They hold up the deactivation of their VC until they are given back.
#[must_use = "kept receives are given back with `give_back`"]
pub struct Kept {
    vc: Arc<VcCore>,
    chain: Chain,
}

impl Kept {
    /// The VC that they came on.
    pub fn vc_id(&self) -> VcId {
        self.vc.id
    }

    /// How many NBLs.
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// The NBLs, in order.
    pub fn iter(&self) -> impl Iterator<Item = &NetBufferList> {
        self.chain.iter()
    }

    /// Splits the first `count` off.
    pub fn split_front(&mut self, count: usize) -> Kept {
        Kept { vc: self.vc.clone(), chain: self.chain.split_off_front(count) }
    }

    /// Gives them back to the miniport. Lawful at any time, also while the VC closes (DP-122).
    #[doc(alias = "NdisReturnNetBufferLists")]
    pub fn give_back(mut self) {
        let chain = std::mem::take(&mut self.chain);
        if self.vc.rx.watched() {
            self.vc.cross(Side::User, Way::Down, F::NdisReturnNetBufferLists);
        }
        self.vc.return_nbls(chain);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.chain.is_empty() {
            let (vc, chain) = (self.vc.clone(), std::mem::take(&mut self.chain));
            self.vc.node().defer(move || vc.return_nbls(chain));
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kept receives of {}", self.len(), self.vc.id)
    }
}
