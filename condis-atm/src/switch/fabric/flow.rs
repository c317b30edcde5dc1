//! One direction of a connection through the switch.

use condis_link::atm::{SduIn, VpVc};

use super::FlowConfig;
use super::buffers::Room;
use super::counters::Drops;
use super::frame::FrameState;
use super::leg::{Leg, Legs};
use super::limits::Class;
use super::output::OfferedSdu;
use super::queue::cells_of_sdu;
use super::way::{Way, mark_ready};
use crate::aal5::{Aal5Counters, Reassembler, ReassemblyConfig};
use crate::cell::runs::Run;
use crate::cell::{HeaderWord, Pti};
use crate::traffic::{Policer, PolicerCounters};

/// A flow.
pub(super) struct Flow {
    end: End,
    treatment: Treatment,
    pub(super) legs: Legs,
    /// The last user cell that came in did not end a frame.
    is_mid_frame: bool,
    /// Cells that came in.
    pub(super) cells: u64,
    pub(super) drops: FlowDrops,
    sdu_octets_max: usize,
    policer: Option<Box<Policer>>,
    /// Where it is needed: on the way from cells to SDUs.
    reassembly: Option<Box<Reassembler<Room>>>,
}

/// Where a flow ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// In the legs.
    Legs,
    /// In the switch itself: signaling, ILMI.
    Local,
}

/// The class and the treatment of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Treatment {
    pub(super) class: Class,
    pub(super) frame_discard: bool,
}

impl Flow {
    pub(super) fn new(config: FlowConfig, end: End) -> Flow {
        Flow {
            end,
            treatment: Treatment::of(config),
            legs: Legs::default(),
            is_mid_frame: false,
            cells: 0,
            drops: FlowDrops::default(),
            sdu_octets_max: config.sdu_octets_max,
            policer: policer(config),
            reassembly: None,
        }
    }

    /// What it has counted stays; policing counts anew.
    pub(super) fn change(&mut self, config: FlowConfig) {
        self.treatment = Treatment::of(config);
        self.policer = policer(config);
    }

    /// The class of its queues.
    pub(super) fn class(&self) -> Class {
        self.treatment.class
    }

    /// A leg that is added within a frame begins with the next, where frames are discarded as a whole.
    pub(super) fn add_leg(&mut self, output: u32, vpvc: VpVc) {
        let frame = if self.is_mid_frame { FrameState::Whole(0) } else { FrameState::Between };
        self.legs.push(Leg::new(output, vpvc, frame));
    }

    /// Puts SDUs together from now on.
    pub(super) fn reassemble(&mut self) {
        let config = ReassemblyConfig { sdu_octets_max: self.sdu_octets_max, ..ReassemblyConfig::default() };
        self.reassembly.get_or_insert_with(|| Box::new(Reassembler::new(config)));
    }

    pub(super) fn aal5_counters(&self) -> Option<Aal5Counters> {
        self.reassembly.as_ref().map(|reassembly| *reassembly.counters())
    }

    pub(super) fn policer_counters(&self) -> Option<PolicerCounters> {
        self.policer.as_ref().map(|policer| *policer.counters())
    }

    /// Cells of a line, all of this flow.
    #[inline]
    pub(super) fn handle_run(&mut self, run: Run<'_>, way: &mut Way<'_>) {
        self.cells += run.len() as u64;
        match self.policer {
            None => self.pass(run, way),
            Some(_) => self.police(run, way),
        }
    }

    /// Each cell by itself.
    fn police(&mut self, mut run: Run<'_>, way: &mut Way<'_>) {
        let Some(mut policer) = self.policer.take() else { return };
        while let Some(cell) = run.take_first() {
            match policer.handle_cell(way.now, cell.header()) {
                Some(header) => {
                    way.counters.tagged += u64::from(header != cell.header());
                    self.pass(cell.with_header(header), way);
                }
                None => self.drops.count(way.drops, |drops| drops.dropped_policed += 1),
            }
        }
        self.policer = Some(policer);
    }

    /// All cells of an SDU, or none. `None`: none; otherwise whether some were tagged.
    fn police_sdu(&mut self, cells: u64, way: &mut Way<'_>) -> Option<bool> {
        let Some(policer) = &mut self.policer else { return Some(false) };
        let mut trial = **policer;
        let header = HeaderWord::default();
        let mut is_tagged = false;
        for at in 1..=cells {
            let pti = if at == cells { Pti::USER_LAST } else { Pti::USER };
            match trial.handle_cell(way.now, header.with_pti(pti)) {
                Some(passed) => is_tagged |= passed.clp(),
                None => {
                    self.drops.count(way.drops, |drops| drops.dropped_policed += cells);
                    return None;
                }
            }
        }
        way.counters.tagged += u64::from(is_tagged) * cells;
        **policer = trial;
        Some(is_tagged)
    }

    /// An SDU of a line of SDUs.
    pub(super) fn handle_sdu(&mut self, sdu: &SduIn<'_>, way: &mut Way<'_>) {
        let cells = u64::from(cells_of_sdu(sdu.octets.len()));
        self.cells += cells;
        let Some(is_low_priority) = self.police_sdu(cells, way) else { return };
        match self.end {
            End::Local => way.hand_to_switch(sdu.vpvc, sdu.octets),
            End::Legs => self.pass_sdu(OfferedSdu { octets: sdu.octets, is_low_priority }, true, way),
        }
    }

    /// Cells that keep to the contract go on.
    #[inline]
    fn pass(&mut self, run: Run<'_>, way: &mut Way<'_>) {
        if self.end == End::Legs {
            self.pass_cells(&run, way);
        }
        if self.reassembly.is_some() && run.is_user() {
            self.put_together(run, way);
        }
    }

    /// Cells to all legs, as cells.
    fn pass_cells(&mut self, run: &Run<'_>, way: &mut Way<'_>) {
        if self.legs.len() == 0 {
            let cells = run.len() as u64;
            self.drops.count(way.drops, |drops| drops.dropped_no_leg += cells);
        }
        let outputs = &mut *way.rest.outputs;
        for (header, payload) in run.iter() {
            if header.pti().is_user() {
                self.is_mid_frame = !header.pti().is_last();
            }
            for leg in self.legs.iter_mut() {
                let output = &mut outputs[leg.output as usize];
                output.offer_cell(self.treatment, leg, header, payload, &mut self.drops);
            }
        }
        self.legs.iter().for_each(|leg| mark_ready(outputs, way.rest.ready, leg.output));
    }

    /// User cells to SDUs.
    fn put_together(&mut self, mut run: Run<'_>, way: &mut Way<'_>) {
        let Some(mut reassembly) = self.reassembly.take() else { return };
        let vpvc = run.vpvc();
        loop {
            let rooms = &mut *way.rest.rooms;
            let Some(pdu) = reassembly.next_pdu(way.now, &mut run, |octets| rooms.lend(octets)) else {
                break;
            };
            let sdu = OfferedSdu { octets: pdu.buffer.sdu(), is_low_priority: pdu.clp };
            match self.end {
                End::Local => way.hand_to_switch(vpvc, sdu.octets),
                End::Legs => self.pass_sdu(sdu, false, way),
            }
            way.rest.rooms.put(pdu.buffer);
        }
        self.reassembly = Some(reassembly);
    }

    /// An SDU to all legs whose lines take SDUs; `to_cells`: and to the others.
    fn pass_sdu(&mut self, sdu: OfferedSdu<'_>, to_cells: bool, way: &mut Way<'_>) {
        if self.legs.len() == 0 {
            let cells = u64::from(cells_of_sdu(sdu.octets.len()));
            self.drops.count(way.drops, |drops| drops.dropped_no_leg += cells);
        }
        let outputs = &mut *way.rest.outputs;
        for leg in self.legs.iter_mut() {
            let output = &mut outputs[leg.output as usize];
            if to_cells || output.takes_sdus() {
                output.offer_sdu(self.treatment, leg, sdu, &mut self.drops, way.rest.spare);
                mark_ready(outputs, way.rest.ready, leg.output);
            }
        }
    }
}

/// A contract that makes no sense was refused with its call.
fn policer(config: FlowConfig) -> Option<Box<Policer>> {
    config.policed.and_then(|contract| Policer::new(&contract).ok()).map(Box::new)
}

impl Treatment {
    fn of(config: FlowConfig) -> Treatment {
        Treatment { class: config.class, frame_discard: config.frame_discard }
    }
}

/// The drops of one flow. Most flows have none and no room for them.
#[derive(Default)]
pub(super) struct FlowDrops(Option<Box<Drops>>);

impl FlowDrops {
    pub(super) fn get(&self) -> Drops {
        self.0.as_deref().copied().unwrap_or_default()
    }

    #[cold]
    pub(super) fn count(&mut self, of_port: &mut Drops, count: impl Fn(&mut Drops)) {
        count(of_port);
        count(self.0.get_or_insert_default());
    }
}
