//! What NDIS does by itself: it deletes a VC that its owner gave up, and plays the part of an object that panicked.
//!
//! An object that panicked is not called again. What it owed is answered for it, its calls end, and what it still held is
//! written off, so that the drivers that are well come to an end with it.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::control::{Activation, Call, Closing, Creator, Life, RemoteClose};
use super::ops::{Activate, CloseCall, Deactivate, IncomingCall, MakeCall, ModifyCallQos};
use super::upcall::Upcall;
use super::{
    Ctl, Owner, RECEIVES_WRITTEN_OFF, RETRY_WAITS, STAND_IN_REFUSED, Side, Users, VcCore, WRITTEN_OFF,
};
use crate::params::CloseData;
use crate::party::{AddParty, DropParty, PartyState};
use crate::runtime::OnTimer;
use crate::status::NdisStatus;
use crate::token::How;
use crate::token::sealed::Op;

impl OnTimer for VcCore {
    fn on_timer(&self, _: u64) {
        if let Some(vc) = crate::token::Object::adapter(self).find(self) {
            vc.lost.fetch_and(!(RETRY_WAITS | STAND_IN_REFUSED), SeqCst);
            vc.transition(|_| ());
        }
    }
}

impl VcCore {
    /// What NDIS does by itself: it deletes a VC that its owner gave up, and plays the part of an object that panicked.
    pub(crate) fn follow_up(self: &Arc<Self>) {
        let lost = self.lost.load(SeqCst);
        if lost & Side::Lower.bit() != 0 {
            self.stand_in_for_miniport();
        }
        if lost & Side::Manager.bit() != 0 || (lost & Side::User.bit() != 0 && self.lock().control.signaling)
        {
            self.stand_in_for_manager();
        }
        if lost & Side::User.bit() != 0 {
            self.stand_in_for_client();
        }
        // Asked now: what was done above may have come to a delete already.
        if self.lost.load(SeqCst) & RETRY_WAITS == 0 && self.is_given_up() {
            let _ = self.delete();
        }
        if let Owner::Af(af) = self.owner() {
            af.close_if_abandoned();
        }
    }

    /// True if nobody but NDIS deletes the VC: its owner gave it up, or panicked.
    pub(crate) fn is_given_up(&self) -> bool {
        let (creator, retired) = {
            let ctl = self.lock();
            (ctl.control.creator, ctl.retired)
        };
        retired
            || match creator {
                Creator::Client => self.lost(Side::User),
                Creator::Manager => self.creator_object_lost(),
            }
    }

    /// A driver refused what NDIS asked of its own accord: it is asked again after a second, and not before.
    pub(crate) fn retry_later(self: &Arc<Self>) {
        if self.lost.fetch_or(RETRY_WAITS, SeqCst) & RETRY_WAITS != 0 {
            return;
        }
        let vc: Weak<VcCore> = Arc::downgrade(self);
        let node = self.node();
        node.runtime().arm(node.lane(), Duration::from_secs(1), vc, 0);
    }

    fn creator_object_lost(&self) -> bool {
        match self.users {
            Users::Signaling { .. } => self.lost(Side::User),
            _ => self.lost(Side::Manager),
        }
    }

    /// The client's object panicked: its offers are rejected, its parties dropped and its calls closed.
    fn stand_in_for_client(self: &Arc<Self>) {
        if self.lock().control.owes_answer() {
            IncomingCall::settle(self, (), IncomingCall::lost(), How::Deferred);
        }
        self.write_off_receives();
        if self.lost.load(SeqCst) & STAND_IN_REFUSED != 0 {
            return self.retry_later();
        }
        let acted = {
            let mut ctl = self.lock();
            let connected = ctl
                .rare
                .as_ref()
                .and_then(|rare| rare.parties.iter().find(|party| party.is_there()).cloned());
            let acted = match connected {
                Some(party) if ctl.control.parties > 1 && ctl.control.begin_drop().is_ok() => {
                    party.set_state(PartyState::Dropping);
                    ctl.push(Upcall::DropParty(party, CloseData::new()));
                    true
                }
                _ if ctl.control.begin_close().is_ok() => {
                    ctl.push(Upcall::CloseCall(CloseData::new()));
                    true
                }
                _ => false,
            };
            if acted {
                self.conclude(&mut ctl);
            }
            acted
        };
        if acted {
            self.pump();
        }
    }

    /// Receives that a client keeps in an object that panicked never come back. They are written off once nothing more can
    /// be indicated.
    fn write_off_receives(self: &Arc<Self>) {
        let (written_off, pause_over) = {
            let mut ctl = self.lock();
            let stopped = !ctl.control.act.carries_data() || ctl.pause_waits;
            if !stopped || self.lost.load(SeqCst) & RECEIVES_WRITTEN_OFF != 0 {
                return;
            }
            self.lost.fetch_or(RECEIVES_WRITTEN_OFF, SeqCst);
            let written_off = self.rx.write_off();
            (written_off, self.after_write_off(&mut ctl))
        };
        if written_off > 0 {
            self.report(
                "DP-148",
                format!("{written_off} receives were lost with a client's object that panicked"),
            );
        }
        self.pump();
        if pause_over {
            crate::token::Object::adapter(&**self).vc_paused();
        }
    }

    /// The last NBLs of a VC may have been those that were written off. True if a pause waited for them.
    fn after_write_off(self: &Arc<Self>, ctl: &mut Ctl) -> bool {
        let drained = self.is_drained();
        if drained && ctl.control.drained() {
            ctl.push(Upcall::DeactivateComplete(Err(NdisStatus::FAILURE)));
        }
        self.conclude(ctl);
        drained && std::mem::take(&mut ctl.pause_waits)
    }

    /// The (M)CM's object panicked: what it owes is answered, the client is told that the call broke, and the VC is
    /// deactivated.
    fn stand_in_for_manager(self: &Arc<Self>) {
        let (make, close, qos, parties) = {
            let ctl = self.lock();
            let parties = ctl.rare.as_ref().map(|rare| rare.parties.clone()).unwrap_or_default();
            (ctl.control.owes_make(), ctl.control.owes_close(), ctl.control.qos, parties)
        };
        if make {
            MakeCall::settle(self, (), MakeCall::lost(), How::Deferred);
        }
        if close {
            CloseCall::settle(self, (), CloseCall::lost(), How::Deferred);
        }
        if qos {
            ModifyCallQos::settle(self, (), ModifyCallQos::lost(), How::Deferred);
        }
        for party in parties {
            match party.state() {
                PartyState::Adding if !make => {
                    drop(AddParty::settle(&party, (), AddParty::lost(), How::Deferred))
                }
                PartyState::Dropping => drop(DropParty::settle(&party, (), DropParty::lost(), How::Deferred)),
                _ => {}
            }
        }
        let acted = {
            let mut ctl = self.lock();
            let mut acted = false;
            if matches!(ctl.control.call, Call::Connected | Call::Accepted)
                && ctl.control.remote_close() == RemoteClose::Indicate
            {
                ctl.push(Upcall::IncomingCloseCall(NdisStatus::FAILURE, CloseData::new()));
                acted = true;
            }
            let over = matches!(ctl.control.call, Call::None | Call::Closing(Closing { done: true, .. }));
            if over && ctl.control.act == Activation::Active && ctl.control.life == Life::Live {
                if self.is_mcm() {
                    acted |= ctl.control.mcm_deactivate(false).is_ok();
                    if self.is_drained() {
                        ctl.control.drained();
                    }
                } else if ctl.control.begin_deactivate().is_ok() {
                    ctl.push(Upcall::Deactivate);
                    acted = true;
                }
            }
            if acted {
                self.conclude(&mut ctl);
            }
            acted
        };
        if acted {
            self.pump();
        }
    }

    /// The miniport's object panicked: the call breaks, and what the object still holds is written off.
    fn stand_in_for_miniport(self: &Arc<Self>) {
        let (activation, deactivation) = {
            let ctl = self.lock();
            (ctl.control.owes_activation(), ctl.control.owes_deactivation())
        };
        if activation {
            Activate::settle(self, (), Activate::lost(), How::Deferred);
        }
        if deactivation {
            Deactivate::settle(self, (), Deactivate::lost(), How::Deferred);
        }
        let (written_off, told, pause_over) = {
            let mut ctl = self.lock();
            let (mut told, mut pause_over) = (false, false);
            let broken = matches!(ctl.control.call, Call::Connected | Call::Accepted);
            if broken && ctl.control.remote_close() == RemoteClose::Indicate {
                ctl.push(Upcall::IncomingCloseCall(NdisStatus::FAILURE, CloseData::new()));
                told = true;
            }
            let mut written_off = 0;
            let stopped = !ctl.control.act.carries_data() || ctl.pause_waits;
            if stopped && self.lost.load(SeqCst) & WRITTEN_OFF == 0 {
                self.lost.fetch_or(WRITTEN_OFF, SeqCst);
                written_off = self.tx.write_off();
                pause_over = self.after_write_off(&mut ctl);
                told = true;
            } else if told {
                self.conclude(&mut ctl);
            }
            (written_off, told, pause_over)
        };
        if written_off > 0 {
            self.report(
                "DP-124",
                format!("{written_off} NBLs were lost with a miniport object that panicked"),
            );
        }
        if told {
            self.pump();
        }
        if pause_over {
            crate::token::Object::adapter(&**self).vc_paused();
        }
    }
}
