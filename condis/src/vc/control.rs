//! The life of a VC: two states that move apart from each other, and what each call does to them.
//!
//! Nothing here calls anybody: each method is one event of the state table (`docs/reference/condis-calls.md` section 6.2,
//! whose row numbers stand beside it), refuses it with the documented status, or moves the state and says what happened.

use crate::status::NdisStatus;

/// Whether data may move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activation {
    /// Created, or deactivated.
    Inactive,
    /// The first activation pends.
    Activating,
    /// Data moves.
    Active,
    /// Data moves with the old parameters; an activation with other ones pends.
    Reactivating,
    /// A deactivation pends, or what was in flight is not back yet.
    Deactivating,
}

impl Activation {
    /// True in the two states in which data moves.
    pub const fn carries_data(self) -> bool {
        matches!(self, Activation::Active | Activation::Reactivating)
    }

    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Inactive => "inactive",
            Activation::Activating => "activating",
            Activation::Active => "active",
            Activation::Reactivating => "reactivating",
            Activation::Deactivating => "deactivating",
        }
    }
}

/// The call on a VC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// No call.
    None,
    /// Outgoing: the make-call pends.
    OutgoingPending,
    /// Incoming: offered, and the client has not answered.
    Offered {
        /// The remote went away meanwhile, and the client was told.
        remote_gone: bool,
    },
    /// Incoming: accepted and not yet connected.
    Accepted,
    /// Up.
    Connected,
    /// The remote closed, and the client has not closed yet.
    RemoteClosed,
    /// The client closed, and the close is not complete.
    Closing(Closing),
}

/// A close under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closing {
    /// Where a refused close falls back to.
    before: Before,
    /// The client's make-call has not been completed yet.
    pub make_owed: bool,
    /// The client's answer to the offer is still owed.
    pub answer_owed: bool,
    /// The (M)CM is done with SUCCESS; what is left is deactivation, drain and what is owed.
    pub done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Before {
    Outgoing,
    MadeMeanwhile,
    FailedMeanwhile,
    Offered,
    Accepted,
    Connected,
    RemoteClosed,
}

impl Call {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Call::None => "none",
            Call::OutgoingPending => "outgoing-pending",
            Call::Offered { .. } => "incoming-offered",
            Call::Accepted => "incoming-accepted",
            Call::Connected => "connected",
            Call::RemoteClosed => "remote-closed",
            Call::Closing(_) => "closing",
        }
    }
}

/// Who brought a VC into being, and therefore deletes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Creator {
    /// The client.
    Client,
    /// The (M)CM, for an incoming call; or the call manager, for its signaling.
    Manager,
}

/// Whether the VC exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Life {
    /// Being created: no driver uses it yet.
    Creating,
    /// There.
    Live,
    /// The delete callbacks run.
    Deleting,
    /// Gone; kept handles are refused.
    Deleted,
}

bitflags::bitflags! {
    /// What stops data although the VC itself would carry it.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(crate) struct Blocked: u8 {
        const BINDING_PAUSED = 1;
        const ADAPTER_PAUSED = 2;
        const RESETTING = 4;
        const REMOVED = 8;
    }
}

/// What became of a make-call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MakeEnd {
    Connected,
    Failed,
    /// The (M)CM said SUCCESS on an inactive VC: the client hears FAILURE.
    NoPath,
}

/// What becomes of a close that the remote asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RemoteClose {
    /// The client is told.
    Indicate,
    /// One indication per call, and none once the client closed itself (L3, L4).
    Drop,
    /// There is no call to close (L5, L6): a violation.
    Refuse,
}

/// The states of one VC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Control {
    pub(crate) act: Activation,
    pub(crate) call: Call,
    pub(crate) life: Life,
    pub(crate) creator: Creator,
    /// No client: the VC carries a call manager's signaling.
    pub(crate) signaling: bool,
    pub(crate) blocked: Blocked,
    /// The miniport is done with the deactivation, and NBLs are still out.
    pub(crate) lower_done: bool,
    /// An MCM deactivated with NBLs still out.
    pub(crate) draining: bool,
    /// A change of QoS that the client asked for pends.
    pub(crate) qos: bool,
    /// Adds and drops of parties that pend.
    pub(crate) party_ops: u16,
    /// Parties that are connected; 0 on a point-to-point call.
    pub(crate) parties: u16,
    /// The call was made with a party.
    pub(crate) multipoint: bool,
}

impl Control {
    pub(crate) fn new(creator: Creator, signaling: bool) -> Control {
        Control {
            act: Activation::Inactive,
            call: Call::None,
            life: Life::Creating,
            creator,
            signaling,
            blocked: Blocked::empty(),
            lower_done: false,
            draining: false,
            qos: false,
            party_ops: 0,
            parties: 0,
            multipoint: false,
        }
    }

    fn live(&self) -> Result<(), NdisStatus> {
        match self.life {
            Life::Live => Ok(()),
            Life::Creating | Life::Deleting | Life::Deleted => Err(NdisStatus::FAILURE),
        }
    }

    /// True while data of a former activation is still out.
    fn undrained(&self) -> bool {
        self.act == Activation::Deactivating || self.draining
    }

    // Activation

    /// A1, A4, A6, A7: the call manager asks its miniport.
    pub(crate) fn begin_activate(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        self.act = match self.act {
            Activation::Inactive => Activation::Activating,
            Activation::Active => Activation::Reactivating,
            Activation::Activating | Activation::Reactivating => return Err(NdisStatus::NOT_ACCEPTED),
            Activation::Deactivating => return Err(NdisStatus::CLOSING),
        };
        Ok(())
    }

    /// A1 to A5: the miniport answered. A refused re-activation leaves the old parameters in force.
    pub(crate) fn end_activate(&mut self, ok: bool) {
        self.act = match (self.act, ok) {
            (Activation::Activating, false) => Activation::Inactive,
            (Activation::Activating | Activation::Reactivating, _) => Activation::Active,
            (other, _) => other,
        };
    }

    /// A8: an MCM tells that the VC is ready, or that its parameters changed.
    pub(crate) fn mcm_activate(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        self.act = Activation::Active;
        self.draining = false;
        Ok(())
    }

    /// A9, A11 to A13: the call manager asks its miniport.
    pub(crate) fn begin_deactivate(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        match self.act {
            Activation::Active => {
                self.act = Activation::Deactivating;
                self.lower_done = false;
                Ok(())
            }
            Activation::Deactivating => Err(NdisStatus::CLOSING),
            Activation::Inactive | Activation::Activating | Activation::Reactivating => {
                Err(NdisStatus::NOT_ACCEPTED)
            }
        }
    }

    /// A10: the miniport is done. True if the VC is inactive now, false if NBLs are still out.
    pub(crate) fn end_deactivate(&mut self, drained: bool) -> bool {
        if self.act != Activation::Deactivating {
            return false;
        }
        self.lower_done = !drained;
        if drained {
            self.act = Activation::Inactive;
        }
        drained
    }

    /// A14, A15: an MCM deactivates, and is done on return.
    pub(crate) fn mcm_deactivate(&mut self, drained: bool) -> Result<(), NdisStatus> {
        self.live()?;
        match self.act {
            Activation::Inactive => Err(NdisStatus::NOT_ACCEPTED),
            _ => {
                self.act = Activation::Inactive;
                self.draining = !drained;
                Ok(())
            }
        }
    }

    /// The last NBL came back. True if a deactivation waited for it.
    pub(crate) fn drained(&mut self) -> bool {
        self.draining = false;
        let waited = self.act == Activation::Deactivating && self.lower_done;
        if waited {
            self.act = Activation::Inactive;
            self.lower_done = false;
        }
        waited
    }

    // Outgoing calls

    /// O1.
    pub(crate) fn begin_make(&mut self, multipoint: bool) -> Result<(), NdisStatus> {
        self.live()?;
        if self.creator != Creator::Client || self.signaling {
            return Err(NdisStatus::FAILURE);
        }
        match self.call {
            Call::None if self.undrained() || self.owes_changes() => Err(NdisStatus::CLOSING),
            Call::None if self.act == Activation::Inactive => {
                self.call = Call::OutgoingPending;
                self.multipoint = multipoint;
                self.parties = 0;
                Ok(())
            }
            Call::Closing(_) => Err(NdisStatus::CLOSING),
            _ => Err(NdisStatus::NOT_ACCEPTED),
        }
    }

    /// O2, O4, O5, O6, O9. The token makes sure that this comes once for each make-call.
    pub(crate) fn end_make(&mut self, ok: bool) -> MakeEnd {
        let end = match (ok, self.act.carries_data()) {
            (true, true) => MakeEnd::Connected,
            (true, false) => MakeEnd::NoPath,
            (false, _) => MakeEnd::Failed,
        };
        let connected = end == MakeEnd::Connected;
        match &mut self.call {
            Call::Closing(closing) => {
                closing.make_owed = false;
                closing.before = if connected { Before::MadeMeanwhile } else { Before::FailedMeanwhile };
            }
            call => *call = if connected { Call::Connected } else { Call::None },
        }
        if connected && self.multipoint {
            self.parties = 1;
        }
        end
    }

    // Incoming calls

    /// N1.
    pub(crate) fn begin_offer(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        if self.creator != Creator::Manager || self.signaling {
            return Err(NdisStatus::FAILURE);
        }
        match self.call {
            Call::None if self.undrained() || self.owes_changes() => Err(NdisStatus::CLOSING),
            Call::None => {
                self.call = Call::Offered { remote_gone: false };
                self.multipoint = false;
                Ok(())
            }
            Call::Closing(_) => Err(NdisStatus::CLOSING),
            _ => Err(NdisStatus::NOT_ACCEPTED),
        }
    }

    /// N2, N4, N5, N6, L2a. The result says whether the (M)CM hears an acceptance: after a close of the client's own, the
    /// answer that was still owed counts as a rejection.
    pub(crate) fn end_offer(&mut self, ok: bool) -> bool {
        match &mut self.call {
            Call::Offered { remote_gone } => {
                self.call = match (ok, *remote_gone) {
                    (true, false) => Call::Accepted,
                    (true, true) => Call::RemoteClosed,
                    (false, _) => Call::None,
                };
                ok
            }
            Call::Closing(closing) => {
                closing.answer_owed = false;
                false
            }
            _ => ok,
        }
    }

    /// N7. NOT_ACCEPTED: nothing was accepted, or it is over. VC_NOT_ACTIVATED: the VC is not active.
    pub(crate) fn connected(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        match self.call {
            Call::Accepted if self.act.carries_data() => {
                self.call = Call::Connected;
                Ok(())
            }
            Call::Accepted => Err(NdisStatus::VC_NOT_ACTIVATED),
            _ => Err(NdisStatus::NOT_ACCEPTED),
        }
    }

    // Closing

    /// L1 to L6.
    pub(crate) fn remote_close(&mut self) -> RemoteClose {
        if self.live().is_err() {
            return RemoteClose::Refuse;
        }
        match self.call {
            Call::Connected | Call::Accepted => {
                self.call = Call::RemoteClosed;
                RemoteClose::Indicate
            }
            Call::Offered { remote_gone: false } => {
                self.call = Call::Offered { remote_gone: true };
                RemoteClose::Indicate
            }
            Call::Offered { remote_gone: true } | Call::RemoteClosed | Call::Closing(_) => RemoteClose::Drop,
            Call::OutgoingPending | Call::None => RemoteClose::Refuse,
        }
    }

    /// L7, L2b, O8.
    pub(crate) fn begin_close(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        let before = match self.call {
            Call::Connected => Before::Connected,
            Call::Accepted => Before::Accepted,
            Call::RemoteClosed => Before::RemoteClosed,
            Call::OutgoingPending => Before::Outgoing,
            Call::Offered { remote_gone: true } => Before::Offered,
            Call::Offered { remote_gone: false } | Call::None => return Err(NdisStatus::NOT_ACCEPTED),
            Call::Closing(_) => return Err(NdisStatus::CLOSING),
        };
        if self.parties > 1 {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        self.call = Call::Closing(Closing {
            before,
            make_owed: before == Before::Outgoing,
            answer_owed: before == Before::Offered,
            done: false,
        });
        Ok(())
    }

    /// L8, L10, L11, L12. A refused close leaves the call as it was.
    pub(crate) fn end_close(&mut self, ok: bool) {
        let Call::Closing(closing) = &mut self.call else { return };
        if ok {
            closing.done = true;
            return;
        }
        self.call = match closing.before {
            Before::Outgoing => Call::OutgoingPending,
            Before::MadeMeanwhile | Before::Connected => Call::Connected,
            Before::FailedMeanwhile => Call::None,
            Before::Offered if closing.answer_owed => Call::Offered { remote_gone: true },
            Before::Offered => Call::None,
            Before::Accepted => Call::Accepted,
            Before::RemoteClosed => Call::RemoteClosed,
        };
    }

    /// Ends a close of which nothing is left to do: inactive, drained, and nothing owed (X-17, X-18, L13).
    pub(crate) fn finish_close(&mut self, drained: bool) -> bool {
        let Call::Closing(closing) = self.call else { return false };
        let finished = closing.done
            && !closing.make_owed
            && !closing.answer_owed
            && self.act == Activation::Inactive
            && drained
            && !self.qos
            && self.party_ops == 0;
        if finished {
            self.call = Call::None;
            self.draining = false;
            self.parties = 0;
            self.multipoint = false;
        }
        finished
    }

    // What is owed. A token answers once; these stop the second answer, where NDIS has given the first for a driver that
    // panicked.

    /// The (M)CM owes the end of a make-call.
    pub(crate) fn owes_make(&self) -> bool {
        matches!(self.call, Call::OutgoingPending | Call::Closing(Closing { make_owed: true, .. }))
    }

    /// The (M)CM owes the end of a close.
    pub(crate) fn owes_close(&self) -> bool {
        matches!(self.call, Call::Closing(Closing { done: false, .. }))
    }

    /// The client owes the answer to an offer.
    pub(crate) fn owes_answer(&self) -> bool {
        matches!(self.call, Call::Offered { .. } | Call::Closing(Closing { answer_owed: true, .. }))
    }

    /// The miniport owes the end of an activation.
    pub(crate) fn owes_activation(&self) -> bool {
        matches!(self.act, Activation::Activating | Activation::Reactivating)
    }

    /// The miniport owes the end of a deactivation.
    pub(crate) fn owes_deactivation(&self) -> bool {
        self.act == Activation::Deactivating && !self.lower_done
    }

    /// A change that the client asked for during a call that is over has not been answered.
    fn owes_changes(&self) -> bool {
        self.qos || self.party_ops > 0
    }

    // Quality of service and parties

    /// Q1, N8.
    pub(crate) fn begin_qos(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        let lawful = matches!(self.call, Call::Connected | Call::Offered { remote_gone: false });
        if !lawful || self.qos {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        self.qos = true;
        Ok(())
    }

    /// Q3: only after a re-activation with the new parameters, so only while active.
    pub(crate) fn may_change_qos(&self) -> bool {
        self.life == Life::Live && self.call == Call::Connected && self.act.carries_data()
    }

    /// P1.
    pub(crate) fn begin_add(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        if self.call != Call::Connected {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        if !self.multipoint {
            return Err(NdisStatus::FAILURE);
        }
        self.party_ops = self.party_ops.checked_add(1).ok_or(NdisStatus::RESOURCES)?;
        Ok(())
    }

    /// P2.
    pub(crate) fn end_add(&mut self, ok: bool) {
        self.party_ops -= 1;
        self.parties = self.parties.saturating_add(u16::from(ok));
    }

    /// P3. The last party goes with the call: FAILURE, and it stays. A party whose drop pends does not count.
    pub(crate) fn begin_drop(&mut self) -> Result<(), NdisStatus> {
        self.live()?;
        if !matches!(self.call, Call::Connected | Call::RemoteClosed) {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        if self.parties < 2 {
            return Err(NdisStatus::FAILURE);
        }
        self.parties -= 1;
        self.party_ops += 1;
        Ok(())
    }

    /// P4.
    pub(crate) fn end_drop(&mut self, ok: bool) {
        self.party_ops -= 1;
        self.parties += u16::from(!ok);
    }

    // Existence

    /// E9 to E14. `idle`: no driver is inside an upcall of this VC, and none is queued.
    pub(crate) fn begin_delete(&mut self, idle: bool) -> Result<(), NdisStatus> {
        self.live()?;
        if self.act == Activation::Deactivating {
            return Err(NdisStatus::CLOSING);
        }
        if self.call != Call::None || self.act != Activation::Inactive {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        if self.draining || self.owes_changes() || !idle {
            return Err(NdisStatus::CLOSING);
        }
        self.life = Life::Deleting;
        Ok(())
    }

    // Data

    /// True if the owner of the data side may send.
    pub(crate) fn sends(&self) -> bool {
        self.life == Life::Live
            && self.blocked.is_empty()
            && self.act.carries_data()
            && (self.signaling || self.call == Call::Connected)
    }

    /// True if the miniport may indicate receives. From activation on, since the far end may speak as soon as it is up.
    pub(crate) fn receives(&self) -> bool {
        let call = match self.call {
            Call::OutgoingPending
            | Call::Offered { remote_gone: false }
            | Call::Accepted
            | Call::Connected => true,
            Call::Offered { remote_gone: true } | Call::None | Call::RemoteClosed | Call::Closing(_) => false,
        };
        self.life == Life::Live
            && !self.blocked.intersects(Blocked::ADAPTER_PAUSED | Blocked::BINDING_PAUSED | Blocked::REMOVED)
            && self.act.carries_data()
            && (self.signaling || call)
    }

    /// With what a send is refused that [`Control::sends`] does not allow (DP-135, DP-082, DP-074).
    pub(crate) fn send_refusal(&self) -> NdisStatus {
        if self.life != Life::Live {
            NdisStatus::FAILURE
        } else if self.blocked.contains(Blocked::REMOVED) {
            NdisStatus::NOT_ACCEPTED
        } else if self.blocked.contains(Blocked::RESETTING) {
            NdisStatus::RESET_IN_PROGRESS
        } else if matches!(self.call, Call::Closing(_) | Call::RemoteClosed) {
            NdisStatus::CLOSING
        } else if !self.act.carries_data() || !(self.signaling || self.call == Call::Connected) {
            NdisStatus::VC_NOT_ACTIVATED
        } else {
            NdisStatus::PAUSED
        }
    }
}
