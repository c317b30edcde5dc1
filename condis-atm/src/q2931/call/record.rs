//! One call, as the core remembers it.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use super::deadlines::Armed;
use super::{CallId, CallState, PartyState};
use crate::VpVc;
use crate::q2931::wire::{CallRef, CalledPartyNumber, Cause};

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) state: State,
    /// The 23 bits of its reference.
    pub(super) value: u32,
    /// This end made the call, and so chose the reference.
    pub(super) ours: bool,
    pub(super) called: CalledPartyNumber,
    pub(super) connection: Option<VpVc>,
    /// CONNECT is sent by the network side, and CONNECT ACKNOWLEDGE has not come.
    pub(super) unacknowledged: bool,
    /// Of a point-to-multipoint call.
    pub(super) parties: Option<Box<Parties>>,
    /// The timer of the state.
    pub(super) timer: Armed,
    /// T322.
    pub(super) enquiry: Armed,
    /// STATUS ENQUIRYs sent since the last answer.
    pub(super) enquiries_sent: u8,
    pub(super) user: UserPart,
    /// A RESTART waits for the user to answer for this call.
    pub(super) restart: Restart,
}

/// What the user has been told of the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UserPart {
    /// The user has the call.
    Holds,
    /// The user was told `Released`, and has not answered.
    OwesResponse,
    /// The user has asked for the release.
    AwaitsConfirm,
    /// The user has answered, and is done with it.
    Done,
}

/// Which RESTART waits for a call.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Restart {
    /// That of this end.
    pub(super) ours: bool,
    /// That of the peer.
    pub(super) peers: bool,
}

/// [`CallState`] with what is true only there.
#[derive(Debug)]
pub(super) enum State {
    Null,
    SetupSent {
        /// The message, for T303.
        setup: Vec<u8>,
        sent: u8,
    },
    ProceedingReceived,
    AlertingReceived,
    ConnectReceived,
    SetupReceived,
    ProceedingSent,
    AlertingSent,
    ConnectSent,
    Active {
        /// MODIFY ACKNOWLEDGE is sent, and wants a CONNECTION AVAILABLE.
        unconfirmed: bool,
    },
    ModifyRequested,
    ModifyReceived,
    ReleaseSent {
        /// For T308.
        causes: Vec<Cause>,
        sent: u8,
    },
    ReleaseReceived {
        /// What was wrong with the RELEASE: told in the RELEASE COMPLETE.
        report: Option<Cause>,
    },
}

impl State {
    pub(super) const ACTIVE: State = State::Active { unconfirmed: false };

    pub(super) fn kind(&self) -> CallState {
        match self {
            State::Null => CallState::Null,
            State::SetupSent { .. } => CallState::SetupSent,
            State::ProceedingReceived => CallState::ProceedingReceived,
            State::AlertingReceived => CallState::AlertingReceived,
            State::ConnectReceived => CallState::ConnectReceived,
            State::SetupReceived => CallState::SetupReceived,
            State::ProceedingSent => CallState::ProceedingSent,
            State::AlertingSent => CallState::AlertingSent,
            State::ConnectSent => CallState::ConnectSent,
            State::Active { .. } => CallState::Active,
            State::ModifyRequested => CallState::ModifyRequested,
            State::ModifyReceived => CallState::ModifyReceived,
            State::ReleaseSent { .. } => CallState::ReleaseSent,
            State::ReleaseReceived { .. } => CallState::ReleaseReceived,
        }
    }
}

impl Call {
    /// In the null state.
    pub(super) fn new(
        value: u32,
        ours: bool,
        called: CalledPartyNumber,
        parties: Option<Box<Parties>>,
    ) -> Call {
        Call {
            state: State::Null,
            value,
            ours,
            called,
            connection: None,
            unacknowledged: false,
            parties,
            timer: Armed::NONE,
            enquiry: Armed::NONE,
            enquiries_sent: 0,
            user: UserPart::Holds,
            restart: Restart::default(),
        }
    }

    /// The reference as it stands in our messages.
    pub(super) fn reference(&self) -> CallRef {
        CallRef::new(self.value, !self.ours)
    }
}

/// The parties of a point-to-multipoint call.
#[derive(Debug)]
pub(super) struct Parties {
    by_endpoint: BTreeMap<u16, Party>,
    /// The party of the SETUP.
    pub(super) first: u16,
    /// The endpoint that was given out last.
    last: u16,
    /// Parties that are there or on their way in.
    counted: usize,
}

/// One party.
#[derive(Debug)]
pub(super) struct Party {
    state: PartyState,
    pub(super) timer: Armed,
    /// The user has been told that it is gone; the peer has not confirmed.
    pub(super) told: bool,
}

impl Parties {
    pub(super) fn new(first: u16, state: PartyState) -> Box<Parties> {
        let mut parties = Parties { by_endpoint: BTreeMap::new(), first, last: first, counted: 0 };
        parties.insert(first, state);
        Box::new(parties)
    }

    pub(super) fn len(&self) -> usize {
        self.by_endpoint.len()
    }

    /// Parties that are there or on their way in: a call without any is over (Q.2971 §9.4).
    pub(super) fn counted(&self) -> usize {
        self.counted
    }

    pub(super) fn state(&self, endpoint: u16) -> PartyState {
        self.by_endpoint.get(&endpoint).map_or(PartyState::Null, |party| party.state)
    }

    pub(super) fn get_mut(&mut self, endpoint: u16) -> Option<&mut Party> {
        self.by_endpoint.get_mut(&endpoint)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, PartyState)> + '_ {
        self.by_endpoint.iter().map(|(&endpoint, party)| (endpoint, party.state))
    }

    pub(super) fn insert(&mut self, endpoint: u16, state: PartyState) {
        self.by_endpoint.insert(endpoint, Party { state, timer: Armed::NONE, told: false });
        self.counted += usize::from(state.counts());
    }

    /// The one place where a party's state changes. `Null` removes it; its timer must be disarmed by then.
    pub(super) fn enter(&mut self, endpoint: u16, state: PartyState) {
        let Some(party) = self.by_endpoint.get_mut(&endpoint) else { return };
        self.counted -= usize::from(party.state.counts());
        self.counted += usize::from(state.counts());
        party.state = state;
        if state == PartyState::Null {
            self.by_endpoint.remove(&endpoint);
        }
    }

    /// An endpoint that no party has, the next in turn. Fewer parties than endpoints can be there.
    pub(super) fn free_endpoint(&mut self) -> u16 {
        loop {
            self.last = (self.last + 1) & super::PartyId::MAX.0;
            if !self.by_endpoint.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}

/// All calls, in slots that are used again.
#[derive(Debug, Default)]
pub(super) struct Calls {
    slots: Vec<Slot>,
    vacant: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    call: Option<Call>,
}

impl Calls {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    /// The slot that the next call gets.
    pub(super) fn next_slot(&self) -> usize {
        self.vacant.last().map_or(self.slots.len(), |&slot| slot as usize)
    }

    pub(super) fn insert(&mut self, call: Call) -> usize {
        match self.vacant.pop() {
            Some(slot) => {
                self.slots[slot as usize].call = Some(call);
                slot as usize
            }
            None => {
                self.slots.push(Slot { generation: 0, call: Some(call) });
                self.slots.len() - 1
            }
        }
    }

    pub(super) fn remove(&mut self, slot: usize) -> Option<Call> {
        let call = self.slots[slot].call.take()?;
        self.slots[slot].generation = self.slots[slot].generation.wrapping_add(1);
        self.vacant.push(slot as u32);
        Some(call)
    }

    pub(super) fn id(&self, slot: usize) -> CallId {
        CallId::new(slot as u32, self.slots[slot].generation)
    }

    pub(super) fn find(&self, call: CallId) -> Option<usize> {
        let slot = self.slots.get(call.index())?;
        (slot.call.is_some() && slot.generation == call.generation()).then_some(call.index())
    }

    /// The slots in use.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.call.is_some()).map(|(index, _)| index)
    }
}

/// Of a slot in use.
impl Index<usize> for Calls {
    type Output = Call;

    fn index(&self, slot: usize) -> &Call {
        self.slots[slot].call.as_ref().expect("references, timers and connections name calls that are there")
    }
}

impl IndexMut<usize> for Calls {
    fn index_mut(&mut self, slot: usize) -> &mut Call {
        self.slots[slot].call.as_mut().expect("references, timers and connections name calls that are there")
    }
}
