//! One call at one port, as the switch sees it: half of a connection.

use condis_link::atm::VpVc;

use crate::switch::cac::Reservation;
use crate::uni::CallId;

/// Names a call through the switch: its place among the calls.
pub(super) type CallKey = u32;

/// A call at one port.
pub(super) struct Half {
    pub(super) part: Part,
    pub(super) vpvc: VpVc,
    /// What is set aside of both directions; none once the connection is cut.
    pub(super) reserved: Option<Reserved>,
}

/// What a half has of its port's rate.
pub(super) struct Reserved {
    /// From the line into the switch.
    pub(super) incoming: Reservation,
    /// From the switch to the line.
    pub(super) outgoing: Reservation,
}

/// Which part in its call a half has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// The call came in here.
    Root(CallKey),
    /// The call goes out here. Of a point-to-multipoint call there are several.
    Branch(CallKey),
    /// The connection is cut, and the call released here; the peer has not confirmed that. From both others.
    Ending,
}

/// A call at a port: where, and its name there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct At {
    /// The slot of the port.
    pub(super) port: u32,
    pub(super) call: CallId,
}

/// Halves by the name of their call. A look-up costs the same whatever is there: names are places.
#[derive(Default)]
pub(super) struct Halves {
    places: Vec<Option<(u32, Half)>>,
    /// Halves whose places signaling has given to others, before it was asked how they ended. They are few, and soon gone.
    displaced: Vec<(CallId, Half)>,
}

impl Halves {
    pub(super) fn insert(&mut self, call: CallId, half: Half) {
        let at = call.index();
        if at >= self.places.len() {
            self.places.resize_with(at + 1, || None);
        }
        if let Some((generation, before)) = self.places[at].replace((call.generation(), half)) {
            self.displaced.push((CallId::new(at as u32, generation), before));
        }
    }

    pub(super) fn get(&self, call: CallId) -> Option<&Half> {
        match self.places.get(call.index())? {
            Some((generation, half)) if *generation == call.generation() => Some(half),
            _ => self.displaced.iter().find(|(name, _)| *name == call).map(|(_, half)| half),
        }
    }

    pub(super) fn get_mut(&mut self, call: CallId) -> Option<&mut Half> {
        match self.places.get_mut(call.index())? {
            Some((generation, half)) if *generation == call.generation() => Some(half),
            _ => self.displaced.iter_mut().find(|(name, _)| *name == call).map(|(_, half)| half),
        }
    }

    pub(super) fn remove(&mut self, call: CallId) -> Option<Half> {
        let place = self.places.get_mut(call.index())?;
        if place.as_ref().is_some_and(|(generation, _)| *generation == call.generation()) {
            return place.take().map(|(_, half)| half);
        }
        let at = self.displaced.iter().position(|(name, _)| *name == call)?;
        Some(self.displaced.swap_remove(at).1)
    }

    /// The names of all.
    pub(super) fn names(&self) -> Vec<CallId> {
        let placed = self.places.iter().enumerate().filter_map(|(at, place)| {
            place.as_ref().map(|(generation, _)| CallId::new(at as u32, *generation))
        });
        placed.chain(self.displaced.iter().map(|(name, _)| *name)).collect()
    }
}
