//! The way out of a port: its queues by class, and who goes next.

use condis::runtime::Time;
use condis_link::atm::{CELL_OCTETS, Cell, Form, VpVc};

use super::buffers::Spare;
use super::counters::{Drops, PortCounters};
use super::flow::{FlowDrops, Treatment};
use super::frame::{Fate, FrameState};
use super::leg::Leg;
use super::limits::{Class, QueueLimit, QueueLimits};
use super::pace::Pace;
use super::queue::{Queue, QueuedSdu, cells_of_sdu};
use crate::aal5::Segmenter;
use crate::cell::{HEADER_OCTETS, HeaderWord, PAYLOAD_OCTETS};

/// The way out of one port.
pub(super) struct Output {
    pub(super) queues: Queues,
    pub(super) sdu_octets_max: usize,
    pub(super) is_up: bool,
    /// The line refused something, and will tell when there is room.
    pub(super) is_blocked: bool,
    /// It stands among the ports that have something to send.
    pub(super) is_ready: bool,
    pub(super) pace: Option<Pace>,
    /// When its pace lets it send again, as it stands among the timers.
    pub(super) timer: Option<Time>,
    pub(super) drops: Drops,
    pub(super) counters: PortCounters,
}

/// The queues, by class, in the form of the line.
pub(super) enum Queues {
    Cells([Queue<Cell>; 5]),
    Sdus([Queue<QueuedSdu>; 5]),
}

/// What a leg is offered: a whole SDU, from a line of SDUs or put together.
#[derive(Clone, Copy)]
pub(super) struct OfferedSdu<'a> {
    pub(super) octets: &'a [u8],
    pub(super) is_low_priority: bool,
}

impl Output {
    pub(super) fn new(form: Form, sdu_octets_max: usize, limits: &QueueLimits, pace: Option<Pace>) -> Output {
        let queues = match form {
            Form::Cells => Queues::Cells(Class::ALL.map(|class| Queue::new(limits.of(class)))),
            Form::Sdus => Queues::Sdus(Class::ALL.map(|class| Queue::new(limits.of(class)))),
        };
        Output {
            queues,
            sdu_octets_max,
            is_up: false,
            is_blocked: false,
            is_ready: false,
            pace,
            timer: None,
            drops: Drops::default(),
            counters: PortCounters::default(),
        }
    }

    /// Queues a cell for a leg that leads here, or drops it and counts that.
    #[inline]
    pub(super) fn offer_cell(
        &mut self,
        treatment: Treatment,
        leg: &mut Leg,
        header: HeaderWord,
        payload: &[u8; PAYLOAD_OCTETS],
        drops: &mut FlowDrops,
    ) {
        let Queues::Cells(queues) = &mut self.queues else {
            // Users' cells get there as SDUs.
            if !header.pti().is_user() {
                drops.count(&mut self.drops, |drops| drops.dropped_not_user_to_sdus += 1);
            }
            return;
        };
        if !self.is_up {
            drops.count(&mut self.drops, |drops| drops.dropped_line_down += 1);
            // The frame is damaged all the same.
            if header.pti().is_user() {
                leg.frame.step(false, false, header.pti().is_last());
            }
            return;
        }
        let queue = &mut queues[treatment.class as usize];
        let mut header = header.on(leg.header);
        let fate = if treatment.frame_discard && header.pti().is_user() {
            frame_fate(&queue.limit, queue.cells(), &mut leg.frame, header)
        } else {
            cell_fate(&queue.limit, queue.cells(), header)
        };
        if fate != Fate::Pass {
            count_lost(drops, &mut self.drops, fate, header.clp());
            return;
        }
        if queue.cells() >= queue.limit.efci_cells_min && header.pti().is_user() {
            header = header.with_efci();
            self.counters.congestion_marked += 1;
        }
        let mut cell = [0; CELL_OCTETS];
        cell[..HEADER_OCTETS].copy_from_slice(&header.octets());
        cell[HEADER_OCTETS..].copy_from_slice(payload);
        queue.push(cell);
    }

    /// True if its line takes SDUs.
    pub(super) fn takes_sdus(&self) -> bool {
        matches!(self.queues, Queues::Sdus(_))
    }

    pub(super) fn form(&self) -> Form {
        if self.takes_sdus() { Form::Sdus } else { Form::Cells }
    }

    /// Queues an SDU, or drops all of it and counts that in cells.
    pub(super) fn offer_sdu(
        &mut self,
        treatment: Treatment,
        leg: &mut Leg,
        sdu: OfferedSdu<'_>,
        drops: &mut FlowDrops,
        spare: &mut Spare,
    ) {
        let cells = cells_of_sdu(sdu.octets.len());
        if !self.is_up {
            drops.count(&mut self.drops, |drops| drops.dropped_line_down += u64::from(cells));
            return;
        }
        if sdu.octets.is_empty() || sdu.octets.len() > self.sdu_octets_max {
            drops.count(&mut self.drops, |drops| drops.dropped_sdu_length += u64::from(cells));
            return;
        }
        match self.sdu_fate(treatment, sdu.is_low_priority, cells) {
            Ok(()) => self.queue_sdu(treatment.class, leg, sdu, spare),
            Err(fate) => {
                drops.count(&mut self.drops, |drops| {
                    *lost(drops, fate, sdu.is_low_priority) += u64::from(cells);
                });
            }
        }
    }

    /// Queues a message of the switch itself. False if there is no room, or the line is down; it is counted.
    pub(super) fn queue_control(&mut self, leg: &Leg, octets: &[u8], spare: &mut Spare) -> bool {
        let treatment = Treatment { class: Class::Control, frame_discard: false };
        let taken = self.is_up
            && (1..=self.sdu_octets_max).contains(&octets.len())
            && self.sdu_fate(treatment, false, cells_of_sdu(octets.len())).is_ok();
        if taken {
            self.queue_sdu(Class::Control, leg, OfferedSdu { octets, is_low_priority: false }, spare);
        } else {
            self.counters.dropped_control += 1;
        }
        taken
    }

    /// Whether there is room for an SDU, which is taken as a whole or not at all.
    fn sdu_fate(&self, treatment: Treatment, is_low_priority: bool, cells: u32) -> Result<(), Fate> {
        let (limit, queued) = self.queue(treatment.class);
        if queued + cells > limit.cells_max || (is_low_priority && queued >= limit.clp1_cells_max) {
            return Err(Fate::Lost);
        }
        if treatment.frame_discard && queued >= limit.frame_begin_cells_max {
            return Err(Fate::Early);
        }
        Ok(())
    }

    fn queue_sdu(&mut self, class: Class, leg: &Leg, sdu: OfferedSdu<'_>, spare: &mut Spare) {
        match &mut self.queues {
            Queues::Cells(queues) => {
                let segmenter = Segmenter::new(leg.header.with_clp(sdu.is_low_priority));
                queues[class as usize].push_segmented(&segmenter, sdu.octets);
            }
            Queues::Sdus(queues) => {
                queues[class as usize].push(QueuedSdu { vpvc: leg.vpvc, octets: spare.filled(sdu.octets) });
            }
        }
    }

    /// The line went: what is queued is lost.
    pub(super) fn flush(&mut self, spare: &mut Spare) {
        let mut lost = 0;
        match &mut self.queues {
            Queues::Cells(queues) => queues.iter_mut().for_each(|queue| {
                lost += u64::from(queue.cells());
                queue.sent_all(drop);
            }),
            Queues::Sdus(queues) => queues.iter_mut().for_each(|queue| {
                lost += u64::from(queue.cells());
                queue.sent_all(|sdu| spare.put(sdu.octets));
            }),
        }
        self.drops.dropped_line_down += lost;
        self.is_blocked = false;
    }

    /// What is queued of this class now is the last for `vpvc`. False if nothing is.
    pub(super) fn drain(&mut self, class: Class, vpvc: VpVc) -> bool {
        match &mut self.queues {
            Queues::Cells(queues) => queues[class as usize].drain(vpvc),
            Queues::Sdus(queues) => queues[class as usize].drain(vpvc),
        }
    }

    /// A connection whose last cell has left.
    pub(super) fn drained(&mut self) -> Option<VpVc> {
        match &mut self.queues {
            Queues::Cells(queues) => queues.iter_mut().find_map(Queue::drained),
            Queues::Sdus(queues) => queues.iter_mut().find_map(Queue::drained),
        }
    }

    /// True if it could send something, but for its pace.
    pub(super) fn can_send(&self) -> bool {
        self.is_up && !self.is_blocked && self.cells() != 0
    }

    /// Cells that its pace lets go now.
    pub(super) fn allowance(&self, now: Time) -> u32 {
        self.pace.as_ref().map_or(u32::MAX, |pace| pace.cells(now))
    }

    pub(super) fn gone(&mut self, now: Time, cells: u32) {
        if let Some(pace) = &mut self.pace {
            pace.gone(now, cells);
        }
    }

    /// Cells that are queued.
    pub(super) fn cells(&self) -> u32 {
        Class::ALL.into_iter().map(|class| self.queue(class).1).sum()
    }

    pub(super) fn queued_cells(&self, class: Class) -> u32 {
        self.queue(class).1
    }

    fn queue(&self, class: Class) -> (&QueueLimit, u32) {
        match &self.queues {
            Queues::Cells(queues) => (&queues[class as usize].limit, queues[class as usize].cells()),
            Queues::Sdus(queues) => (&queues[class as usize].limit, queues[class as usize].cells()),
        }
    }
}

/// What becomes of a user's cell, where frames are discarded rather than cells. A last cell may fill the queue to its end.
#[inline]
fn frame_fate(limit: &QueueLimit, queued: u32, frame: &mut FrameState, header: HeaderWord) -> Fate {
    let is_last = header.pti().is_last();
    let clp_max = if header.clp() { limit.clp1_cells_max } else { u32::MAX };
    let max = if is_last { limit.cells_max } else { limit.frame_cells_max.min(clp_max) };
    frame.step(queued < max, queued < limit.frame_begin_cells_max.min(clp_max), is_last)
}

#[inline]
fn cell_fate(limit: &QueueLimit, queued: u32, header: HeaderWord) -> Fate {
    let max = if header.clp() { limit.clp1_cells_max } else { limit.cells_max };
    if queued < max { Fate::Pass } else { Fate::Lost }
}

#[cold]
fn count_lost(drops: &mut FlowDrops, of_port: &mut Drops, fate: Fate, clp: bool) {
    drops.count(of_port, |drops| *lost(drops, fate, clp) += 1);
}

fn lost(drops: &mut Drops, fate: Fate, clp: bool) -> &mut u64 {
    match fate {
        Fate::Lost | Fate::Pass if clp => &mut drops.dropped_clp1,
        Fate::Lost | Fate::Pass => &mut drops.dropped_queue_full,
        Fate::Early => &mut drops.dropped_early,
        Fate::Partial => &mut drops.dropped_partial,
    }
}
