//! What cells and SDUs that came in by a port may get to.

use std::collections::VecDeque;

use condis::runtime::Time;
use condis_link::atm::VpVc;

use super::buffers::{Rooms, Spare};
use super::counters::{Drops, PortCounters};
use super::output::Output;
use super::{LOCAL_SDUS_MAX, LocalSdu};
use crate::switch::PortId;

/// Where a batch came in, and where it may go.
pub(super) struct Way<'a> {
    pub(super) now: Time,
    pub(super) port: PortId,
    /// Of the way in.
    pub(super) counters: &'a mut PortCounters,
    pub(super) drops: &'a mut Drops,
    pub(super) rest: Rest<'a>,
}

/// All of the fabric but the ways in.
pub(super) struct Rest<'a> {
    pub(super) outputs: &'a mut [Output],
    pub(super) ready: &'a mut VecDeque<u32>,
    pub(super) local: &'a mut VecDeque<LocalSdu>,
    pub(super) spare: &'a mut Spare,
    pub(super) rooms: &'a mut Rooms,
}

impl Way<'_> {
    /// An SDU for the switch itself.
    pub(super) fn hand_to_switch(&mut self, vpvc: VpVc, octets: &[u8]) {
        if self.rest.local.len() >= LOCAL_SDUS_MAX {
            self.counters.dropped_local += 1;
            return;
        }
        let octets = self.rest.spare.filled(octets);
        self.rest.local.push_back(LocalSdu { port: self.port, vpvc, octets });
    }
}

/// Notes that a port has something to send.
#[inline]
pub(super) fn mark_ready(outputs: &mut [Output], ready: &mut VecDeque<u32>, slot: u32) {
    let output = &mut outputs[slot as usize];
    if !output.is_ready {
        output.is_ready = true;
        ready.push_back(slot);
    }
}
