//! The ways out of a flow.

use condis_link::atm::VpVc;

use super::frame::FrameState;
use crate::cell::{HeaderWord, Interface};

/// A way out of a flow.
pub(super) struct Leg {
    /// The slot of the port.
    pub(super) output: u32,
    pub(super) vpvc: VpVc,
    /// What is written into the headers.
    pub(super) header: HeaderWord,
    pub(super) frame: FrameState,
}

impl Leg {
    pub(super) fn new(output: u32, vpvc: VpVc, frame: FrameState) -> Leg {
        let header = HeaderWord::new(Interface::Uni, vpvc).expect("the fabric has looked at the VPI");
        Leg { output, vpvc, header, frame }
    }

    fn leads_to(&self, output: u32, vpvc: VpVc) -> bool {
        self.output == output && self.vpvc == vpvc
    }
}

/// The legs of a flow. Mostly there is one, which then needs no other place.
#[derive(Default)]
pub(super) struct Legs {
    first: Option<Leg>,
    more: Vec<Leg>,
}

impl Legs {
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    #[inline]
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.first.iter_mut().chain(&mut self.more)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Leg> {
        self.first.iter().chain(&self.more)
    }

    pub(super) fn contains(&self, output: u32, vpvc: VpVc) -> bool {
        self.iter().any(|leg| leg.leads_to(output, vpvc))
    }

    pub(super) fn push(&mut self, leg: Leg) {
        match self.first {
            None => self.first = Some(leg),
            Some(_) => self.more.push(leg),
        }
    }

    pub(super) fn remove(&mut self, output: u32, vpvc: VpVc) -> Option<Leg> {
        if self.first.as_ref().is_some_and(|leg| leg.leads_to(output, vpvc)) {
            let next = (!self.more.is_empty()).then(|| self.more.remove(0));
            return std::mem::replace(&mut self.first, next);
        }
        let at = self.more.iter().position(|leg| leg.leads_to(output, vpvc))?;
        Some(self.more.remove(at))
    }

    /// Takes those out that lead to this port.
    pub(super) fn remove_port(&mut self, output: u32) {
        loop {
            let Some(vpvc) = self.iter().find(|leg| leg.output == output).map(|leg| leg.vpvc) else { break };
            self.remove(output, vpvc);
        }
    }
}
