//! The fabric: cells and SDUs from port to port.
//!
//! It knows *flows* and nothing of calls. A flow is one direction of a connection: it begins at a port with a VPI and VCI, and
//! ends in *legs*, each a port with a VPI and VCI of its own; a point-to-multipoint connection has several, and each gets its
//! copy. What the switch itself is told (signaling, ILMI) ends inside ([`Fabric::poll_local`]).
//!
//! ```text
//! handle_cells ─▶ HEC ─▶ VC table ─▶ policing ─▶ each leg: frame discard, CLP, EFCI, label ─▶ queue of its class ─▶ transmit_cells
//! handle_sdus ──────────▶                      └▶ reassembly ─▶ SDU ─▶ legs at lines of SDUs, or the switch itself
//! ```
//!
//! - A port's line carries cells or AAL5 SDUs ([`Form`]). Between two lines of one form nothing is converted. From SDUs to
//!   cells an SDU is segmented as it is queued; from cells to SDUs a flow has a reassembly. OAM and resource management cells
//!   pass from cells to cells; a line of SDUs has no place for them, so they end there and are counted.
//! - A port has a queue for each [`Class`], bounded in cells ([`QueueLimits`]); the first class that has something goes first.
//!   In a queue the order is that of arrival, so the order of a VC is kept.
//! - An identifier whose leg is gone *drains* until no cell with it is queued any more ([`Fabric::poll_drained`]).
//! - In the steady state nothing is allocated: queues and buffers keep what they grew to. Every drop is counted under a name,
//!   at the flow and at the port ([`Drops`]).
//!
//! The contract: call `handle_*`; then, while [`Fabric::poll_ready`] names ports, [`Fabric::transmit_cells`] or
//! [`Fabric::transmit_sdus`] for each; then what `poll_local` and `poll_drained` have. [`Fabric::next_timeout`] tells when a
//! port may send again whose line has a rate.
//!
//! Left out: headers of an NNI (the ports are UNIs); virtual path connections (each VC is switched by itself).

mod buffers;
mod counters;
mod flow;
mod frame;
mod leg;
mod limits;
mod output;
mod pace;
mod queue;
mod way;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use condis::runtime::Time;
use condis_link::atm::{Cell, Form, Sdu, SduIn, VpVc};

pub use buffers::REASSEMBLY_OCTETS_MAX;
pub use counters::{Drops, PortCounters};
pub use limits::{Class, QueueLimit, QueueLimits};
pub use pace::PACE_BURST_CELLS;

use self::buffers::{Rooms, Spare};
use self::flow::{End, Flow};
use self::frame::FrameState;
use self::leg::Leg;
use self::output::{Output, Queues};
use self::pace::Pace;
use self::way::{Rest, Way, mark_ready};
use super::port::PortId;
use crate::aal5::{Aal5Counters, SDU_OCTETS_MAX};
use crate::cell::{HecCounters, HecReceiver, Interface, VcTable, runs::runs};
use crate::traffic::{Contract, PolicerCounters};

/// SDUs for the switch itself that wait to be taken with [`Fabric::poll_local`]: more than a batch of cells can complete.
pub const LOCAL_SDUS_MAX: usize = 1024;

/// Octets of the longest SDU for the switch itself: SSCOP's longest PDU has 4096 octets and its trailer (Q.2130 §6), an ILMI
/// message 484 (ILMI 4.0 §7).
pub const LOCAL_SDU_OCTETS_MAX: usize = 4104;

/// SDUs that go to a line in one call.
const SDU_BATCH: usize = 32;

/// What a port is for the fabric.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FabricPort {
    /// What its line carries.
    pub form: Form,
    /// Octets of the longest SDU that its line takes.
    pub sdu_octets_max: usize,
    /// Cells a second that it sends at most; `None`: as fast as the line takes them.
    pub cells_per_s: Option<u64>,
    /// The bounds of its queues.
    pub queues: QueueLimits,
    /// Flows that may begin there.
    pub flows_max: usize,
}

/// What a flow is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FlowConfig {
    /// In which queues its cells wait.
    pub class: Class,
    /// It carries AAL5 frames, which are discarded as a whole where there is no room.
    pub frame_discard: bool,
    /// Octets of the longest SDU, for a leg at a line of SDUs; no more than AAL5 allows.
    pub sdu_octets_max: usize,
    /// The contract that what comes in is held to, if it is. One that makes no sense polices nothing.
    pub policed: Option<Contract>,
}

impl FlowConfig {
    /// A flow of this class, of AAL5 frames up to the longest, discarded as a whole.
    pub const fn aal5(class: Class) -> FlowConfig {
        FlowConfig { class, frame_discard: true, sdu_octets_max: SDU_OCTETS_MAX, policed: None }
    }

    /// A flow of this class, of cells of which nothing is known.
    pub const fn cells(class: Class) -> FlowConfig {
        FlowConfig { class, frame_discard: false, sdu_octets_max: SDU_OCTETS_MAX, policed: None }
    }
}

/// Why a flow or a leg was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FabricError {
    /// No such port.
    #[error("there is no {0}")]
    NoSuchPort(PortId),
    /// The identifier has a flow, or this leg is there.
    #[error("{vpvc} of {port} is in use")]
    InUse {
        /// The port.
        port: PortId,
        /// The identifier there.
        vpvc: VpVc,
    },
    /// The identifier has no flow.
    #[error("{vpvc} of {port} has no flow")]
    NoSuchFlow {
        /// The port.
        port: PortId,
        /// The identifier there.
        vpvc: VpVc,
    },
    /// [`FabricPort::flows_max`] flows begin at this port.
    #[error("{port} has {max} flows already")]
    TooMany {
        /// The port.
        port: PortId,
        /// Its bound.
        max: usize,
    },
    /// A UNI has paths 0 to 255.
    #[error("{0} is no VPI/VCI of a UNI")]
    NotOfUni(VpVc),
}

/// What is known of a flow.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowInfo {
    /// Where it ends: port and identifier. None of a flow that ends in the switch.
    pub legs: Vec<(PortId, VpVc)>,
    /// Cells that came in, or the cells that the SDUs would have been.
    pub cells: u64,
    /// What became of those that did not go out.
    pub drops: Drops,
    /// What its reassembly has counted, if it has one.
    pub aal5: Option<Aal5Counters>,
    /// What its policing has counted, if it is policed.
    pub policer: Option<PolicerCounters>,
}

/// The fabric. The contract is that of [the module](self).
#[derive(Default)]
pub struct Fabric {
    slots: BTreeMap<PortId, u32>,
    vacant: Vec<u32>,
    /// Both by slot. A vacant slot has an input without flows and an output that is down.
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Slots of outputs with `is_ready`.
    ready: VecDeque<u32>,
    /// Of each output with a `timer`.
    timers: BTreeSet<(Time, u32)>,
    local: VecDeque<LocalSdu>,
    drained: VecDeque<(PortId, VpVc)>,
    spare: Spare,
    rooms: Rooms,
}

/// The way in of one port.
struct Input {
    port: PortId,
    hec: HecReceiver,
    flows: VcTable<Flow>,
    flows_max: usize,
    counters: PortCounters,
    drops: Drops,
}

/// An SDU for the switch itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalSdu {
    /// Where it came in.
    pub port: PortId,
    /// On which identifier.
    pub vpvc: VpVc,
    /// Its octets. [`Fabric::recycle`] takes the buffer back.
    pub octets: Vec<u8>,
}

impl Fabric {
    /// A fabric without ports.
    pub fn new() -> Fabric {
        Fabric::default()
    }

    /// Adds a port, whose line is down.
    ///
    /// # Panics
    /// If there is a port of this name: names are not used again.
    pub fn add_port(&mut self, port: PortId, config: &FabricPort) {
        let input = Input {
            port,
            hec: HecReceiver::new(),
            flows: VcTable::new(config.flows_max),
            flows_max: config.flows_max,
            counters: PortCounters::default(),
            drops: Drops::default(),
        };
        let pace = config.cells_per_s.map(Pace::new);
        let output = Output::new(config.form, config.sdu_octets_max, &config.queues, pace);
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.inputs[slot as usize] = input;
                self.outputs[slot as usize] = output;
                slot
            }
            None => {
                self.inputs.push(input);
                self.outputs.push(output);
                self.inputs.len() as u32 - 1
            }
        };
        assert!(self.slots.insert(port, slot).is_none(), "{port} is there already");
    }

    /// Takes a port away, with the flows that begin there and the legs that lead there. What drained there is forgotten, and no
    /// [`poll_drained`](Fabric::poll_drained) tells of this port any more.
    pub fn remove_port(&mut self, port: PortId) {
        let Some(slot) = self.slots.remove(&port) else { return };
        let at = slot as usize;
        let began: Vec<VpVc> = self.inputs[at].flows.iter().map(|(vpvc, _)| vpvc).collect();
        for vpvc in began {
            self.close_at(slot, vpvc);
        }
        for input in &mut self.inputs {
            let vcs: Vec<VpVc> = input.flows.iter().map(|(vpvc, _)| vpvc).collect();
            for vpvc in vcs {
                if let Some(flow) = input.flows.get_mut(vpvc) {
                    flow.legs.remove_port(slot);
                }
            }
        }
        self.outputs[at].is_up = false;
        self.outputs[at].flush(&mut self.spare);
        self.set_timer(slot, None);
        self.ready.retain(|ready| *ready != slot);
        self.outputs[at].is_ready = false;
        self.local.retain(|sdu| sdu.port != port);
        self.drained.retain(|(of, _)| *of != port);
        self.vacant.push(slot);
    }

    /// The line of a port went up or down. Down, what was queued is lost, so all that drained there is drained.
    pub fn set_up(&mut self, port: PortId, is_up: bool) {
        let Some(&slot) = self.slots.get(&port) else { return };
        let output = &mut self.outputs[slot as usize];
        output.is_up = is_up;
        if !is_up {
            output.flush(&mut self.spare);
            self.note_drained(slot);
            self.set_timer(slot, None);
        }
    }

    /// Makes a flow without legs.
    ///
    /// # Errors
    /// [`FabricError`]; nothing has changed then.
    pub fn open(&mut self, port: PortId, vpvc: VpVc, config: FlowConfig) -> Result<(), FabricError> {
        self.insert(port, vpvc, config, End::Legs)
    }

    /// Makes a flow that ends in the switch itself, in [`Fabric::poll_local`].
    ///
    /// # Errors
    /// As [`Fabric::open`].
    pub fn open_local(&mut self, port: PortId, vpvc: VpVc) -> Result<(), FabricError> {
        let config = FlowConfig { sdu_octets_max: LOCAL_SDU_OCTETS_MAX, ..FlowConfig::cells(Class::Control) };
        self.insert(port, vpvc, config, End::Local)
    }

    /// Changes what a flow is. What is queued stays where it is.
    ///
    /// # Errors
    /// [`FabricError::NoSuchPort`], [`FabricError::NoSuchFlow`].
    pub fn change(&mut self, port: PortId, vpvc: VpVc, config: FlowConfig) -> Result<(), FabricError> {
        let (_, flow) = self.flow_mut(port, vpvc)?;
        flow.change(config);
        Ok(())
    }

    /// Lets a flow lead to `vpvc_to` of `to` as well.
    ///
    /// In the middle of a frame, the new leg begins with the next, where frames are discarded as a whole.
    ///
    /// # Errors
    /// [`FabricError`]; nothing has changed then. One identifier may be the leg of one flow only, and the fabric does not look for
    /// others: whoever gives out identifiers does.
    pub fn add_leg(
        &mut self,
        port: PortId,
        vpvc: VpVc,
        to: PortId,
        vpvc_to: VpVc,
    ) -> Result<(), FabricError> {
        let output = *self.slots.get(&to).ok_or(FabricError::NoSuchPort(to))?;
        check_uni(vpvc_to)?;
        let takes_sdus = self.outputs[output as usize].takes_sdus();
        let (slot, flow) = self.flow_mut(port, vpvc)?;
        if flow.legs.contains(output, vpvc_to) {
            return Err(FabricError::InUse { port: to, vpvc: vpvc_to });
        }
        flow.add_leg(output, vpvc_to);
        if takes_sdus {
            self.reassemble(slot, vpvc);
        }
        Ok(())
    }

    /// Takes a leg away. True if cells with its identifier are still queued; [`Fabric::poll_drained`] then tells when the last
    /// has gone. False if none is, or there was no such leg.
    pub fn remove_leg(&mut self, port: PortId, vpvc: VpVc, to: PortId, vpvc_to: VpVc) -> bool {
        let Some(&output) = self.slots.get(&to) else { return false };
        let Ok((_, flow)) = self.flow_mut(port, vpvc) else { return false };
        let class = flow.class();
        flow.legs.remove(output, vpvc_to).is_some() && self.outputs[output as usize].drain(class, vpvc_to)
    }

    /// Takes a flow away. Its legs must be gone; those that are not go without draining.
    pub fn close(&mut self, port: PortId, vpvc: VpVc) {
        if let Some(&slot) = self.slots.get(&port) {
            self.close_at(slot, vpvc);
        }
    }

    /// Cells that came in at a port, in order. Nobody has looked at their HEC.
    pub fn handle_cells(&mut self, now: Time, port: PortId, cells: &[Cell]) {
        let Some((Input { hec, flows, counters, drops, .. }, rest)) = self.split(port) else { return };
        let mut way = Way { now, port, counters, drops, rest };
        way.counters.received += cells.len() as u64;
        for run in runs(hec, Interface::Uni, cells) {
            match flows.get_mut(run.vpvc()) {
                Some(flow) => flow.handle_run(run, &mut way),
                None => way.counters.dropped_unknown_vc += run.len() as u64,
            }
        }
    }

    /// SDUs that came in at a port, in order.
    pub fn handle_sdus(&mut self, now: Time, port: PortId, sdus: &[SduIn<'_>]) {
        let Some((Input { flows, counters, drops, .. }, rest)) = self.split(port) else { return };
        let mut way = Way { now, port, counters, drops, rest };
        way.counters.received += sdus.len() as u64;
        for sdu in sdus {
            match flows.get_mut(sdu.vpvc) {
                Some(flow) => flow.handle_sdu(sdu, &mut way),
                None => way.counters.dropped_unknown_vc += 1,
            }
        }
    }

    /// Queues a message of the switch itself. False if it was dropped, and counted: the queue was full, or the line is down.
    pub fn queue_control(&mut self, port: PortId, vpvc: VpVc, octets: &[u8]) -> bool {
        let Some(&slot) = self.slots.get(&port) else { return false };
        let leg = Leg::new(slot, vpvc, FrameState::Between);
        let taken = self.outputs[slot as usize].queue_control(&leg, octets, &mut self.spare);
        mark_ready(&mut self.outputs, &mut self.ready, slot);
        taken
    }

    /// An SDU for the switch itself.
    pub fn poll_local(&mut self) -> Option<LocalSdu> {
        self.local.pop_front()
    }

    /// Takes back the buffer of a [`LocalSdu`].
    pub fn recycle(&mut self, octets: Vec<u8>) {
        self.spare.put(octets);
    }

    /// A connection of a port of which no cell is queued any more, after [`Fabric::remove_leg`] said true.
    pub fn poll_drained(&mut self) -> Option<(PortId, VpVc)> {
        self.drained.pop_front()
    }

    /// A port that has something to send and may send it now, with the form of its line. It is not named again until something
    /// else is queued, its line is [writable](Fabric::handle_writable), or its time comes.
    pub fn poll_ready(&mut self, now: Time) -> Option<(PortId, Form)> {
        while let Some(slot) = self.ready.pop_front() {
            let output = &mut self.outputs[slot as usize];
            output.is_ready = false;
            if !output.can_send() {
                continue;
            }
            if output.allowance(now) == 0 {
                self.wait(slot);
                continue;
            }
            let form = output.form();
            return Some((self.inputs[slot as usize].port, form));
        }
        None
    }

    /// Sends what a port with a line of cells has queued and may send. `send` takes cells in order and gives how many it took;
    /// less than all means that the line has no room, until [`Fabric::handle_writable`].
    pub fn transmit_cells(&mut self, now: Time, port: PortId, mut send: impl FnMut(&[Cell]) -> usize) {
        let Some(&slot) = self.slots.get(&port) else { return };
        let output = &mut self.outputs[slot as usize];
        while output.can_send() {
            let allowance = output.allowance(now);
            let Queues::Cells(queues) = &mut output.queues else { return };
            let Some(queue) = queues.iter_mut().find(|queue| queue.cells() != 0) else { break };
            let front = queue.front();
            let count = front.len().min(allowance as usize);
            if count == 0 {
                break;
            }
            let taken = send(&front[..count]).min(count);
            queue.sent_cells(taken);
            output.is_blocked = taken < count;
            output.counters.sent += taken as u64;
            output.gone(now, taken as u32);
        }
        self.sent(slot);
    }

    /// The same for a port with a line of SDUs.
    pub fn transmit_sdus(&mut self, now: Time, port: PortId, mut send: impl FnMut(&[Sdu<'_>]) -> usize) {
        let Some(&slot) = self.slots.get(&port) else { return };
        let output = &mut self.outputs[slot as usize];
        while output.can_send() {
            let allowance = output.allowance(now);
            let Queues::Sdus(queues) = &mut output.queues else { return };
            let Some(queue) = queues.iter_mut().find(|queue| queue.cells() != 0) else { break };
            if allowance == 0 {
                break;
            }
            let (count, taken) = queue.lend(allowance, &mut send);
            let before = queue.cells();
            let spare = &mut self.spare;
            queue.sent(taken, |sdu| spare.put(sdu.octets));
            let cells = before - queue.cells();
            output.is_blocked = taken < count;
            output.counters.sent += taken as u64;
            output.gone(now, cells);
        }
        self.sent(slot);
    }

    /// The line of a port has room again.
    pub fn handle_writable(&mut self, port: PortId) {
        let Some(&slot) = self.slots.get(&port) else { return };
        self.outputs[slot as usize].is_blocked = false;
        mark_ready(&mut self.outputs, &mut self.ready, slot);
    }

    /// Makes ports ready whose time has come.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(at, slot)) = self.timers.first()
            && at <= now
        {
            self.set_timer(slot, None);
            mark_ready(&mut self.outputs, &mut self.ready, slot);
        }
    }

    /// When [`Fabric::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// What is known of a flow.
    pub fn flow(&self, port: PortId, vpvc: VpVc) -> Option<FlowInfo> {
        let slot = *self.slots.get(&port)?;
        let flow = self.inputs[slot as usize].flows.get(vpvc)?;
        let legs = flow.legs.iter().map(|leg| (self.inputs[leg.output as usize].port, leg.vpvc)).collect();
        Some(FlowInfo {
            legs,
            cells: flow.cells,
            drops: flow.drops.get(),
            aal5: flow.aal5_counters(),
            policer: flow.policer_counters(),
        })
    }

    /// All flows: where each begins.
    pub fn flows(&self) -> impl Iterator<Item = (PortId, VpVc)> + '_ {
        let of = |slot: &u32| &self.inputs[*slot as usize];
        self.slots.values().map(of).flat_map(|input| input.flows.iter().map(|(vpvc, _)| (input.port, vpvc)))
    }

    /// How many flows there are, those that end in the switch included.
    pub fn flows_len(&self) -> usize {
        self.inputs.iter().map(|input| input.flows.len()).sum()
    }

    /// How many legs there are.
    pub fn legs_len(&self) -> usize {
        self.inputs.iter().flat_map(|input| input.flows.iter()).map(|(_, flow)| flow.legs.len()).sum()
    }

    /// What a port has counted, in and out.
    pub fn counters(&self, port: PortId) -> Option<(PortCounters, Drops, HecCounters)> {
        let slot = *self.slots.get(&port)? as usize;
        let (input, output) = (&self.inputs[slot], &self.outputs[slot]);
        let (mut counters, mut drops) = (input.counters, input.drops);
        counters += output.counters;
        drops += output.drops;
        Some((counters, drops, *input.hec.counters()))
    }

    /// Cells that a port has queued in a class.
    pub fn queued_cells(&self, port: PortId, class: Class) -> u32 {
        self.slots.get(&port).map_or(0, |slot| self.outputs[*slot as usize].queued_cells(class))
    }

    fn insert(&mut self, port: PortId, vpvc: VpVc, config: FlowConfig, end: End) -> Result<(), FabricError> {
        check_uni(vpvc)?;
        let slot = *self.slots.get(&port).ok_or(FabricError::NoSuchPort(port))?;
        let Input { flows, flows_max, .. } = &mut self.inputs[slot as usize];
        if flows.get(vpvc).is_some() {
            return Err(FabricError::InUse { port, vpvc });
        }
        let max = *flows_max;
        flows.insert(vpvc, Flow::new(config, end)).map_err(|_| FabricError::TooMany { port, max })?;
        if end == End::Local {
            self.reassemble(slot, vpvc);
        }
        Ok(())
    }

    fn flow_mut(&mut self, port: PortId, vpvc: VpVc) -> Result<(u32, &mut Flow), FabricError> {
        let slot = *self.slots.get(&port).ok_or(FabricError::NoSuchPort(port))?;
        let flow = self.inputs[slot as usize].flows.get_mut(vpvc);
        flow.map(|flow| (slot, flow)).ok_or(FabricError::NoSuchFlow { port, vpvc })
    }

    /// Lets a flow that comes in as cells be put together to SDUs.
    fn reassemble(&mut self, slot: u32, vpvc: VpVc) {
        if !self.outputs[slot as usize].takes_sdus()
            && let Some(flow) = self.inputs[slot as usize].flows.get_mut(vpvc)
        {
            flow.reassemble();
        }
    }

    fn close_at(&mut self, slot: u32, vpvc: VpVc) {
        self.inputs[slot as usize].flows.remove(vpvc);
    }

    /// The way in of a port, and all that cells from there may get to.
    fn split(&mut self, port: PortId) -> Option<(&mut Input, Rest<'_>)> {
        let slot = *self.slots.get(&port)?;
        let Fabric { inputs, outputs, ready, local, spare, rooms, .. } = self;
        Some((&mut inputs[slot as usize], Rest { outputs, ready, local, spare, rooms }))
    }

    /// After a port has sent: what is left waits for its pace, and what has drained is told.
    fn sent(&mut self, slot: u32) {
        self.note_drained(slot);
        if self.outputs[slot as usize].can_send() {
            self.wait(slot);
        }
    }

    fn wait(&mut self, slot: u32) {
        let output = &self.outputs[slot as usize];
        let at = output.pace.as_ref().map(|pace| pace.next(output.cells()));
        self.set_timer(slot, at);
    }

    fn set_timer(&mut self, slot: u32, at: Option<Time>) {
        let before = std::mem::replace(&mut self.outputs[slot as usize].timer, at);
        if let Some(before) = before {
            self.timers.remove(&(before, slot));
        }
        self.timers.extend(at.map(|at| (at, slot)));
    }

    fn note_drained(&mut self, slot: u32) {
        let port = self.inputs[slot as usize].port;
        while let Some(vpvc) = self.outputs[slot as usize].drained() {
            self.drained.push_back((port, vpvc));
        }
    }
}

fn check_uni(vpvc: VpVc) -> Result<(), FabricError> {
    if vpvc.vpi <= Interface::Uni.vpi_max() { Ok(()) } else { Err(FabricError::NotOfUni(vpvc)) }
}

#[cfg(test)]
mod tests;
