//! Control upcalls: what a transition causes, delivered driver by driver.
//!
//! A transition and the upcalls it causes are queued under one short lock. Each side of a VC is in at most one upcall at a
//! time, and gets them in the order of the transitions. What ends a call at one side waits until the other side has come
//! out of its own upcall: so whoever hears of the end may delete the VC at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use super::control::{Call, Closing};
use super::ops::{Activate, CloseCall, Deactivate, IncomingCall, MakeCall, ModifyCallQos};
use super::{Ctl, Owner, Rare, SIDES, Side, Users, Vc, VcCore};
use crate::driver::Connected;
use crate::frame;
use crate::names::Function as F;
use crate::params::{CallParams, CloseData};
use crate::party::{AddParty, DropParty, PartyCore};
use crate::sap::{SapCore, SapRef};
use crate::status::NdisStatus;
use crate::status_ind::{self, StatusIndication};
use crate::token::sealed::Op;
use crate::token::{Answer, How, Refused, Token};
use crate::trace::Way;

/// One upcall, with its owned arguments.
pub(crate) enum Upcall {
    // To the client, or to the call manager on its signaling VC.
    MakeCallComplete(Result<Connected, Refused>),
    /// With the parties that went with the call, so that their objects are dropped outside of the lock.
    CloseCallComplete(Result<(), NdisStatus>, Vec<Arc<PartyCore>>),
    IncomingCall(CallParams, Arc<SapCore>),
    CallConnected,
    IncomingCloseCall(NdisStatus, CloseData),
    ModifyQosComplete(Result<CallParams, Refused>),
    IncomingQosChange(CallParams),
    AddPartyComplete(Arc<PartyCore>, Result<CallParams, Refused>),
    DropPartyComplete(Arc<PartyCore>, Result<(), NdisStatus>),
    IncomingDropParty(Arc<PartyCore>, NdisStatus, CloseData),
    // To the (M)CM.
    MakeCall(CallParams, Option<Arc<PartyCore>>),
    CloseCall(CloseData),
    IncomingCallComplete(Result<CallParams, Refused>),
    ModifyQos(CallParams),
    AddParty(Arc<PartyCore>, CallParams),
    DropParty(Arc<PartyCore>, CloseData),
    // To the (M)CM, or to the call manager on its signaling VC.
    ActivateComplete(Result<CallParams, Refused>),
    DeactivateComplete(Result<(), NdisStatus>),
    // To any protocol.
    Status(Side, Arc<StatusIndication>),
    // To the miniport.
    Activate(CallParams),
    Deactivate,
}

impl Upcall {
    fn side(&self, signaling: bool) -> Side {
        match self {
            Upcall::MakeCallComplete(_)
            | Upcall::CloseCallComplete(..)
            | Upcall::IncomingCall(..)
            | Upcall::CallConnected
            | Upcall::IncomingCloseCall(..)
            | Upcall::ModifyQosComplete(_)
            | Upcall::IncomingQosChange(_)
            | Upcall::AddPartyComplete(..)
            | Upcall::DropPartyComplete(..)
            | Upcall::IncomingDropParty(..) => Side::User,
            Upcall::ActivateComplete(_) | Upcall::DeactivateComplete(_) if signaling => Side::User,
            Upcall::MakeCall(..)
            | Upcall::CloseCall(_)
            | Upcall::IncomingCallComplete(_)
            | Upcall::ModifyQos(_)
            | Upcall::AddParty(..)
            | Upcall::DropParty(..)
            | Upcall::ActivateComplete(_)
            | Upcall::DeactivateComplete(_) => Side::Manager,
            Upcall::Status(side, _) => *side,
            Upcall::Activate(_) | Upcall::Deactivate => Side::Lower,
        }
    }

    /// The side that must have come out of its upcall before this one may run, since it ends the call.
    fn waits_for(&self) -> u8 {
        match self {
            Upcall::CloseCallComplete(Ok(()), _) | Upcall::MakeCallComplete(Err(_)) => {
                Side::Manager.bit() | Side::Lower.bit()
            }
            Upcall::IncomingCallComplete(Err(_)) => Side::User.bit(),
            _ => 0,
        }
    }
}

/// Upcalls that may wait for a driver: many more than the operations of one call, few enough to cost nothing.
pub(crate) const QUEUE_MAX: usize = 64;

/// Upcalls that wait for their turn.
#[derive(Default)]
pub(crate) struct Queues([VecDeque<Upcall>; 3]);

impl Queues {
    fn is_empty(&self) -> bool {
        self.0.iter().all(VecDeque::is_empty)
    }
}

impl Ctl {
    /// Queues an upcall behind those of its side.
    pub(crate) fn push(&mut self, upcall: Upcall) {
        let side = upcall.side(self.control.signaling);
        self.rare.get_or_insert_default().queues.0[side as usize].push_back(upcall);
    }

    /// True if no side is in an upcall or has one queued.
    pub(crate) fn idle(&self, side: Side) -> bool {
        self.busy & side.bit() == 0 && self.queue_empty(side)
    }

    /// How many upcalls wait for `side`. What a network can cause without end is refused beyond [`QUEUE_MAX`].
    pub(crate) fn queue_len(&self, side: Side) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.queues.0[side as usize].len())
    }

    pub(crate) fn queue_empty(&self, side: Side) -> bool {
        self.rare.as_ref().is_none_or(|rare| rare.queues.0[side as usize].is_empty())
    }

    /// True if an upcall waits.
    pub(crate) fn has_queued(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.queues.is_empty())
    }

    /// Gives back the memory of what the VC no longer has.
    fn drop_rare(&mut self) {
        let gone = |rare: &Rare| {
            rare.queues.is_empty()
                && rare.name.is_none()
                && rare.parties.is_empty()
                && rare.offered_on.is_none()
        };
        if self.rare.as_deref().is_some_and(gone) {
            self.rare = None;
        }
    }

    /// Ends a close of which nothing is left to do. The last party goes with its call (section 6.4): what there was of
    /// parties is handed out, to be dropped outside of the lock.
    pub(crate) fn finish_close(&mut self, drained: bool) -> Option<Vec<Arc<PartyCore>>> {
        if !self.control.finish_close(drained) {
            return None;
        }
        let parties = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.parties)).unwrap_or_default();
        parties.iter().for_each(|party| party.gone());
        Some(parties)
    }

    /// Takes the turn of `side` for a request whose answer the caller waits for. False: it must be queued.
    pub(crate) fn claim(&mut self, side: Side) -> bool {
        let free = self.idle(side) && frame::may_nest();
        if free {
            self.busy |= side.bit();
        }
        free
    }

    /// Takes the next upcall whose turn has come.
    fn next(&mut self) -> Option<(Side, Upcall)> {
        let queues = &mut self.rare.as_mut()?.queues;
        for side in Side::ALL {
            let queue = &mut queues.0[side as usize];
            let Some(head) = queue.front() else { continue };
            if self.busy & (side.bit() | head.waits_for()) != 0 {
                continue;
            }
            let upcall = queue.pop_front()?;
            self.busy |= side.bit();
            return Some((side, upcall));
        }
        self.drop_rare();
        None
    }
}

impl VcCore {
    /// Moves the state on under the lock, then opens or shuts the gates, ends a close that has nothing left to wait for,
    /// and delivers what was queued.
    pub(crate) fn transition<T>(self: &Arc<Self>, change: impl FnOnce(&mut Ctl) -> T) -> T {
        let (result, pump, follow) = {
            let mut ctl = self.lock();
            let result = change(&mut ctl);
            let follow = self.conclude(&mut ctl);
            (result, ctl.has_queued(), follow)
        };
        if pump {
            self.pump();
        }
        if follow {
            self.follow_up();
        }
        result
    }

    /// The transition that an answer causes. One that `side` returned ends the upcall that it came out of, too.
    pub(crate) fn settled<T>(
        self: &Arc<Self>,
        how: How,
        side: Side,
        change: impl FnOnce(&mut Ctl) -> T,
    ) -> T {
        self.transition(|ctl| {
            if how == How::Returned {
                ctl.busy &= !side.bit();
            }
            change(ctl)
        })
    }

    /// The end of every transition. True if NDIS itself has something to do afterwards.
    pub(crate) fn conclude(self: &Arc<Self>, ctl: &mut Ctl) -> bool {
        let lost = self.lost.load(SeqCst) & SIDES;
        self.tx.set_open(ctl.control.sends() && lost == 0);
        self.rx.set_open(ctl.control.receives() && lost == 0);
        if matches!(ctl.control.call, Call::Closing(Closing { done: true, .. }))
            && let Some(parties) = ctl.finish_close(self.is_drained())
        {
            ctl.push(Upcall::CloseCallComplete(Ok(()), parties));
        }
        ctl.retired || lost != 0
    }

    /// Delivers queued upcalls until none has its turn.
    pub(crate) fn pump(self: &Arc<Self>) {
        loop {
            let Some((side, upcall)) = self.lock().next() else { return };
            if frame::may_nest() {
                self.deliver(upcall);
                self.release_quietly(side);
            } else {
                let vc = self.clone();
                frame::aside(move || {
                    vc.deliver(upcall);
                    vc.release(side);
                });
            }
        }
    }

    /// `side` has come out of its upcall.
    pub(crate) fn release(self: &Arc<Self>, side: Side) {
        if self.release_quietly(side) {
            self.pump();
        }
    }

    /// True if an upcall waits.
    fn release_quietly(self: &Arc<Self>, side: Side) -> bool {
        let (follow, waits) = {
            let mut ctl = self.lock();
            ctl.busy &= !side.bit();
            (ctl.retired || self.lost.load(SeqCst) & SIDES != 0, ctl.has_queued())
        };
        if follow {
            self.follow_up();
        }
        // Who queues another one after the lock pumps it.
        waits || follow
    }

    /// Where a thread is that runs an upcall of `side`.
    pub(crate) fn place(self: &Arc<Self>, side: Side) -> (usize, u8) {
        (Arc::as_ptr(self).addr(), side.bit())
    }

    /// Runs `callback` of the driver on `side`, unless its object is lost; a panic loses it.
    pub(crate) fn call<T>(
        self: &Arc<Self>,
        side: Side,
        function: F,
        callback: impl FnOnce() -> T,
    ) -> Option<T> {
        if self.lost(side) {
            return None;
        }
        self.cross(side, Way::Up, function);
        match frame::call_at(self.place(side), callback) {
            Ok(result) => Some(result),
            Err(frame::Panicked) => {
                self.lose(side, function);
                None
            }
        }
    }

    /// Calls a callback that answers. `None`: it pends, or its answer is on its way from the node's lane.
    pub(crate) fn ask<O: Op<Obj = VcCore, Key = ()>>(
        self: &Arc<Self>,
        side: Side,
        callback: impl for<'x> FnOnce(Token<'x, O>) -> Answer<'x, O>,
    ) -> Option<O::Answer> {
        if self.lost(side) {
            return Some(O::lost());
        }
        self.call(side, O::CALLBACK, || callback(Token::new(self, ())).take())?
    }

    /// The object on `side` panicked: it is not called again, and NDIS answers for it from now on.
    #[cold]
    pub(crate) fn lose(self: &Arc<Self>, side: Side, function: F) {
        {
            // The gates shut at once: the object is not called again, not even in this event.
            let mut ctl = self.lock();
            self.set_lost(side);
            self.conclude(&mut ctl);
        }
        match (self.owner(), side) {
            (Owner::Af(af), Side::User | Side::Manager) => af.hurt(side == Side::Manager),
            (Owner::Binding(binding), Side::User | Side::Manager) => binding.hurt(true),
            (_, Side::Lower) => {}
        }
        self.report(
            "DP-216",
            format!("{} panicked in {function}; its object is not called again", self.driver(side)),
        );
        let vc = self.clone();
        // After what the unwinding itself posted to the lane: the tokens that it dropped are settled first.
        self.node().defer(move || {
            vc.transition(|_| ());
            if side == Side::User
                && let Owner::Af(af) = vc.owner()
            {
                af.abandon_if_unbinding();
            }
        });
    }

    fn deliver(self: &Arc<Self>, upcall: Upcall) {
        match upcall {
            Upcall::MakeCall(params, party) => {
                if let Some(answer) = self.ask_make(params, party) {
                    MakeCall::settle(self, (), answer, How::Deferred);
                }
            }
            Upcall::CloseCall(data) => {
                if let Some(answer) = self.ask_close(data) {
                    CloseCall::settle(self, (), answer, How::Deferred);
                }
            }
            Upcall::IncomingCall(params, sap) => {
                if let Some(answer) = self.ask_incoming(params, &sap) {
                    IncomingCall::settle(self, (), answer, How::Deferred);
                }
            }
            Upcall::ModifyQos(params) => {
                if let Some(answer) = self.ask_qos(params) {
                    ModifyCallQos::settle(self, (), answer, How::Deferred);
                }
            }
            Upcall::Activate(params) => {
                if let Some(answer) = self.ask_activate(params) {
                    Activate::settle(self, (), answer, How::Deferred);
                }
            }
            Upcall::Deactivate => {
                if let Some(answer) = self.ask_deactivate() {
                    Deactivate::settle(self, (), answer, How::Deferred);
                }
            }
            Upcall::AddParty(party, params) => {
                if let Some(answer) = self.ask_add_party(&party, params) {
                    AddParty::settle(&party, (), answer, How::Deferred);
                }
            }
            Upcall::DropParty(party, data) => {
                if let Some(answer) = party.ask_drop(data) {
                    DropParty::settle(&party, (), answer, How::Deferred);
                }
            }
            Upcall::Status(side, status) => status_ind::tell(self, side, &status),
            Upcall::ActivateComplete(result) => self.tell_activated(result),
            Upcall::DeactivateComplete(result) => self.tell_deactivated(result),
            Upcall::IncomingCallComplete(result) => {
                self.call(Side::Manager, F::ProtocolCmIncomingCallComplete, || match &self.users {
                    Users::CallManager { manager, .. } => {
                        manager.incoming_call_complete(Vc::new(self), result)
                    }
                    Users::Mcm { manager, .. } => manager.incoming_call_complete(Vc::new(self), result),
                    Users::Signaling { .. } => {}
                });
            }
            Upcall::AddPartyComplete(party, result) => party.tell_added(result),
            Upcall::DropPartyComplete(party, result) => party.tell_dropped(result),
            Upcall::IncomingDropParty(party, status, data) => party.tell_incoming_drop(status, data),
            other => self.tell_client(other),
        }
    }

    fn tell_client(self: &Arc<Self>, upcall: Upcall) {
        let (Users::CallManager { client, .. } | Users::Mcm { client, .. }) = &self.users else { return };
        let vc = Vc::new(self);
        let user = Side::User;
        match upcall {
            Upcall::MakeCallComplete(result) => {
                self.call(user, F::ProtocolClMakeCallComplete, || client.make_call_complete(vc, result));
            }
            Upcall::CloseCallComplete(result, parties) => {
                drop(parties);
                self.call(user, F::ProtocolClCloseCallComplete, || client.close_call_complete(vc, result));
            }
            Upcall::CallConnected => {
                self.call(user, F::ProtocolClCallConnected, || client.call_connected(vc));
            }
            Upcall::IncomingCloseCall(status, data) => {
                self.call(user, F::ProtocolClIncomingCloseCall, || {
                    client.incoming_close_call(vc, status, data)
                });
            }
            Upcall::ModifyQosComplete(result) => {
                self.call(user, F::ProtocolClModifyCallQoSComplete, || {
                    client.modify_call_qos_complete(vc, result)
                });
            }
            Upcall::IncomingQosChange(params) => {
                self.call(user, F::ProtocolClIncomingCallQoSChange, || {
                    client.incoming_call_qos_change(vc, params)
                });
            }
            _ => unreachable!("the other upcalls are delivered above"),
        }
    }

    pub(crate) fn ask_make(
        self: &Arc<Self>,
        params: CallParams,
        party: Option<Arc<PartyCore>>,
    ) -> Option<<MakeCall as Op>::Answer> {
        let party = party.as_ref();
        self.ask::<MakeCall>(Side::Manager, |token| match &self.users {
            Users::CallManager { manager, .. } => {
                manager.make_call(Vc::new(self), params, party.map(crate::party::Party::new), token)
            }
            Users::Mcm { manager, .. } => {
                manager.make_call(Vc::new(self), params, party.map(crate::party::Party::new), token)
            }
            Users::Signaling { .. } => token.done(MakeCall::lost()),
        })
    }

    pub(crate) fn ask_close(self: &Arc<Self>, data: CloseData) -> Option<<CloseCall as Op>::Answer> {
        self.ask::<CloseCall>(Side::Manager, |token| match &self.users {
            Users::CallManager { manager, .. } => manager.close_call(Vc::new(self), data, token),
            Users::Mcm { manager, .. } => manager.close_call(Vc::new(self), data, token),
            Users::Signaling { .. } => token.done(CloseCall::lost()),
        })
    }

    pub(crate) fn ask_qos(self: &Arc<Self>, params: CallParams) -> Option<<ModifyCallQos as Op>::Answer> {
        self.ask::<ModifyCallQos>(Side::Manager, |token| match &self.users {
            Users::CallManager { manager, .. } => manager.modify_call_qos(Vc::new(self), params, token),
            Users::Mcm { manager, .. } => manager.modify_call_qos(Vc::new(self), params, token),
            Users::Signaling { .. } => token.done(ModifyCallQos::lost()),
        })
    }

    pub(crate) fn ask_incoming(
        self: &Arc<Self>,
        params: CallParams,
        sap: &Arc<SapCore>,
    ) -> Option<<IncomingCall as Op>::Answer> {
        self.ask::<IncomingCall>(Side::User, |token| match &self.users {
            Users::CallManager { client, .. } | Users::Mcm { client, .. } => {
                client.incoming_call(Vc::new(self), SapRef::new(sap), params, token)
            }
            Users::Signaling { .. } => token.done(IncomingCall::lost()),
        })
    }

    pub(crate) fn ask_activate(self: &Arc<Self>, params: CallParams) -> Option<<Activate as Op>::Answer> {
        self.ask::<Activate>(Side::Lower, |token| match &self.users {
            Users::CallManager { miniport, .. } | Users::Signaling { miniport, .. } => {
                miniport.activate(Vc::new(self), params, token)
            }
            Users::Mcm { .. } => token.done(Activate::lost()),
        })
    }

    pub(crate) fn ask_deactivate(self: &Arc<Self>) -> Option<<Deactivate as Op>::Answer> {
        self.ask::<Deactivate>(Side::Lower, |token| match &self.users {
            Users::CallManager { miniport, .. } | Users::Signaling { miniport, .. } => {
                miniport.deactivate(Vc::new(self), token)
            }
            Users::Mcm { .. } => token.done(Deactivate::lost()),
        })
    }

    pub(crate) fn ask_add_party(
        self: &Arc<Self>,
        party: &Arc<PartyCore>,
        params: CallParams,
    ) -> Option<<AddParty as Op>::Answer> {
        if self.lost(Side::Manager) {
            return Some(AddParty::lost());
        }
        let token = || Token::new(party, ());
        self.call(Side::Manager, F::ProtocolCmAddParty, || match &self.users {
            Users::CallManager { manager, .. } => {
                manager.add_party(Vc::new(self), crate::party::Party::new(party), params, token()).take()
            }
            Users::Mcm { manager, .. } => {
                manager.add_party(Vc::new(self), crate::party::Party::new(party), params, token()).take()
            }
            Users::Signaling { .. } => None,
        })?
    }

    fn tell_activated(self: &Arc<Self>, result: Result<CallParams, Refused>) {
        match &self.users {
            Users::CallManager { manager, .. } => {
                self.call(Side::Manager, F::ProtocolCmActivateVcComplete, || {
                    manager.activate_complete(Vc::new(self), result)
                });
            }
            Users::Signaling { user, .. } => {
                self.call(Side::User, F::ProtocolCmActivateVcComplete, || {
                    user.activate_complete(Vc::new(self), result)
                });
            }
            Users::Mcm { .. } => {}
        }
    }

    fn tell_deactivated(self: &Arc<Self>, result: Result<(), NdisStatus>) {
        match &self.users {
            Users::CallManager { manager, .. } => {
                self.call(Side::Manager, F::ProtocolCmDeactivateVcComplete, || {
                    manager.deactivate_complete(Vc::new(self), result)
                });
            }
            Users::Signaling { user, .. } => {
                self.call(Side::User, F::ProtocolCmDeactivateVcComplete, || {
                    user.deactivate_complete(Vc::new(self), result)
                });
            }
            Users::Mcm { .. } => {}
        }
    }
}
