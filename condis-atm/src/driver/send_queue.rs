//! Sends of all VCs of a line, on their way to it.
//!
//! Each VC has a queue of its own, bounded by [`VC_NBLS_MAX`]. The front of it, a *group* of NBLs, is made into *units*: cells
//! on a line of cells, SDUs on a line of SDUs. Whose turn it is goes by class (CBR, rt-VBR, nrt-VBR, UBR), then by the moment
//! that the contract allows, then round and round. The line takes what it can; what it refuses waits for `writable`.
//!
//! All of it happens under the lock of the data path: no method of a line calls its user. What is done comes out as
//! [`Done`], to be completed with no lock held.

use std::collections::{BTreeSet, VecDeque};
use std::io::IoSlice;
use std::time::Duration;

use condis::nbl::{CancelId, NetBuffer};
use condis::runtime::Time;
use condis::status::NdisStatus;
use condis::vc::KeptSends;
use condis_link::atm::{AtmLink, Cell, Form, Sdu};

use super::counters::{AtmCount, AtmCounters};
use super::pace::Pace;
use super::segment::Segmenting;
use super::vc_params::{Aal, AtmVcParams};
use crate::VpVc;
use crate::cell::VcTable;
use crate::traffic::ServiceCategory;

/// NBLs that wait on one VC at most. 4096: of full size some 37 MB; who sends faster than the line for longer is told.
pub(super) const VC_NBLS_MAX: usize = 4096;

/// SDUs of an MCM's own that wait on one VC at most. 256: what is beyond is lost, and SSCOP sends it again.
const OWN_MAX: usize = 256;

/// Units that a VC without a contract sends before others have their turn. 64 cells are 3 KiB.
const QUANTUM: usize = 64;

/// NBLs that are made into units together, unless the first of them is longer than [`QUANTUM`] units.
const GROUP_MAX: usize = 32;

/// Pieces of memory that an SDU may lie in to be handed to a line of SDUs as it is; of more it is copied.
const PIECES_MAX: usize = 8;

/// What may be said to a batch that goes back unsent: its status, and under which name it is counted.
pub(super) type Flush = (NdisStatus, AtmCount);

/// A batch that is through.
pub(super) struct Done {
    pub(super) sends: KeptSends,
    pub(super) status: NdisStatus,
}

/// Something to be sent.
pub(super) enum Item {
    /// Of a VC of NDIS.
    Sends(KeptSends),
    /// An SDU of an MCM's own.
    Own(Vec<u8>),
}

/// The front of a queue, being sent.
struct Group {
    /// Empty, if it is an SDU of our own, or cells that no SDU stands behind.
    sends: Option<KeptSends>,
    /// On a line of SDUs: the SDU of our own.
    own: Option<Vec<u8>>,
    /// Behind which unit each NBL ends.
    ends: Vec<usize>,
    sdus: usize,
    /// How many units there are, and how many the line has taken.
    units: usize,
    taken: usize,
}

struct VcQueue {
    segmenting: Segmenting,
    class: usize,
    pace: Option<Pace>,
    items: VecDeque<Item>,
    nbls: usize,
    group: Option<Group>,
    /// The cells of the group; empty on a line of SDUs.
    cells: Vec<Cell>,
    /// Its place among those that have something to send.
    place: Option<(Time, u64)>,
    /// When the contract allows the next unit.
    due: Time,
}

pub(super) struct SendQueue {
    form: Form,
    vcs: VcTable<VcQueue>,
    /// By class: when, whose turn, who.
    ready: [BTreeSet<(Time, u64, VpVc)>; CLASSES],
    turn: u64,
    /// What ends PDUs that were given up: goes before everything else, so that nothing overtakes it.
    aborts: VecDeque<Cell>,
    /// The line refused something, and has not said that there is room again.
    blocked: bool,
    /// With what all are refused; nothing while the adapter runs.
    refusal: Option<Flush>,
    /// How late the timer is by which this is called.
    late: Duration,
    counters: AtmCounters,
}

impl SendQueue {
    pub(super) fn new(form: Form, vcs_max: usize, counters: AtmCounters) -> SendQueue {
        SendQueue {
            form,
            vcs: VcTable::new(vcs_max),
            ready: Default::default(),
            turn: 0,
            aborts: VecDeque::new(),
            blocked: false,
            refusal: None,
            late: Duration::ZERO,
            counters,
        }
    }

    /// Lets a VC send, or gives it another contract; what waits goes on, in order (DP-101).
    pub(super) fn open(&mut self, now: Time, params: &AtmVcParams, done: &mut Vec<Done>) {
        let contract = &params.transmit.contract;
        let class = class_of(contract.category);
        let pace = Pace::new(contract);
        if let Some(queue) = self.vcs.get_mut(params.vpvc) {
            if let Some((due, turn)) = queue.place.take() {
                self.ready[queue.class].remove(&(due, turn, params.vpvc));
            }
            (queue.class, queue.pace, queue.due) = (class, pace, now);
            queue.segmenting.change(params);
            return self.requeue(params.vpvc, done);
        }
        let queue = VcQueue {
            segmenting: Segmenting::new(params),
            class,
            pace,
            items: VecDeque::new(),
            nbls: 0,
            group: None,
            cells: Vec::new(),
            place: None,
            due: now,
        };
        // The table of VCs has as many places, and said that there was one.
        let _ = self.vcs.insert(params.vpvc, queue);
    }

    /// A VC carries nothing any more: takes out what waits on it. A PDU that has begun is ended with an abort.
    pub(super) fn close(&mut self, vpvc: VpVc, done: &mut Vec<Done>) {
        self.flush_vc(vpvc, (NdisStatus::FAILURE, AtmCount::FlushedDeactivated), done);
        if let Some(queue) = self.vcs.remove(vpvc)
            && let Some((due, turn)) = queue.place
        {
            self.ready[queue.class].remove(&(due, turn, vpvc));
        }
    }

    /// Puts something behind what waits on its VC.
    ///
    /// # Errors
    /// The item, and with what it goes back.
    pub(super) fn push(&mut self, vpvc: VpVc, item: Item, done: &mut Vec<Done>) -> Result<(), (Item, Flush)> {
        if let Some(refusal) = self.refusal
            && matches!(item, Item::Sends(_))
        {
            return Err((item, refusal));
        }
        let Some(queue) = self.vcs.get_mut(vpvc) else {
            return Err((item, (NdisStatus::FAILURE, AtmCount::FlushedDeactivated)));
        };
        let nbls = match &item {
            Item::Sends(sends) if queue.nbls + sends.len() <= VC_NBLS_MAX => sends.len(),
            Item::Own(_) if queue.nbls < OWN_MAX => 1,
            Item::Sends(_) => return Err((item, (NdisStatus::RESOURCES, AtmCount::RefusedQueueFull))),
            Item::Own(_) => return Err((item, (NdisStatus::RESOURCES, AtmCount::DroppedOwnRefused))),
        };
        queue.nbls += nbls;
        queue.items.push_back(item);
        if queue.place.is_none() {
            self.requeue(vpvc, done);
        }
        Ok(())
    }

    /// NBLs that wait on a VC, those among them that are being sent.
    pub(super) fn waiting(&self, vpvc: VpVc) -> usize {
        self.vcs.get(vpvc).map_or(0, |queue| queue.nbls)
    }

    /// The line has room again.
    pub(super) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Hands the line what may go. Gives the moment at which something else may, if the line is not what it waits for.
    pub(super) fn pump(&mut self, now: Time, link: &dyn AtmLink, done: &mut Vec<Done>) -> Option<Time> {
        let next = self.pump_on(now, link, done);
        self.late = Duration::ZERO;
        next
    }

    /// The next pump is by a timer that is so late.
    pub(super) fn is_late(&mut self, late: Duration) {
        self.late = late.min(LATE_MAX);
    }

    fn pump_on(&mut self, now: Time, link: &dyn AtmLink, done: &mut Vec<Done>) -> Option<Time> {
        while !self.blocked {
            if let Some(abort) = self.aborts.front() {
                self.blocked = link.transmit_cells(&[*abort]) == 0;
                if !self.blocked {
                    self.aborts.pop_front();
                }
                continue;
            }
            let next = self.ready.iter().find_map(|ready| ready.first().filter(|(due, ..)| *due <= now));
            let Some(&(_, _, vpvc)) = next else {
                return self.ready.iter().filter_map(|ready| ready.first()).map(|(due, ..)| *due).min();
            };
            self.blocked = !self.send_some(now, link, vpvc, done);
        }
        None
    }

    /// Sends of one VC. False: the line is full.
    fn send_some(&mut self, now: Time, link: &dyn AtmLink, vpvc: VpVc, done: &mut Vec<Done>) -> bool {
        let Some(queue) = self.vcs.get_mut(vpvc) else { return true };
        let Some(group) = &mut queue.group else { return true };
        let wanted = match self.form {
            _ if queue.pace.is_some() => 1,
            Form::Cells => QUANTUM,
            Form::Sdus => SDUS_MAX,
        };
        let wanted = wanted.min(group.units - group.taken);
        let taken = match self.form {
            Form::Cells => {
                let taken = link.transmit_cells(&queue.cells[group.taken..group.taken + wanted]);
                self.counters.add(AtmCount::CellsSent, taken as u64);
                if let Some(pace) = &mut queue.pace
                    && taken > 0
                {
                    queue.due = pace.sent(now, self.late, taken as u32);
                }
                taken
            }
            Form::Sdus => {
                let taken = group.transmit_sdus(link, vpvc, wanted);
                if let Some(pace) = &mut queue.pace
                    && taken > 0
                {
                    let cells = group.cells_of_sdus(taken);
                    queue.due = pace.sent(now, self.late, cells);
                }
                taken
            }
        };
        group.taken += taken;
        if group.taken == group.units {
            let Some(Group { sends, sdus, .. }) = queue.group.take() else { return true };
            queue.cells.clear();
            self.counters
                .add(if sends.is_some() { AtmCount::SdusSent } else { AtmCount::OwnSent }, sdus as u64);
            queue.nbls -= sends.as_ref().map_or(sdus, KeptSends::len);
            if let Some(sends) = sends {
                done.push(Done { sends, status: NdisStatus::SUCCESS });
            }
        }
        if let Some((due, turn)) = queue.place.take() {
            self.ready[queue.class].remove(&(due, turn, vpvc));
        }
        self.requeue(vpvc, done);
        taken == wanted
    }

    /// Puts a VC among those that have something to send, if it has.
    fn requeue(&mut self, vpvc: VpVc, done: &mut Vec<Done>) {
        let Some(queue) = self.vcs.get_mut(vpvc) else { return };
        while queue.group.is_none() && !queue.items.is_empty() {
            queue.next_group(self.form, &self.counters, done);
        }
        if queue.group.is_none() {
            return;
        }
        self.turn += 1;
        queue.place = Some((queue.due, self.turn));
        self.ready[queue.class].insert((queue.due, self.turn, vpvc));
    }

    /// Takes out everything of NDIS's, and refuses what comes if `stay`.
    pub(super) fn flush(&mut self, flush: Flush, stay: bool, done: &mut Vec<Done>) {
        self.refusal = stay.then_some(flush);
        let all: Vec<VpVc> = self.vcs.iter().map(|(vpvc, _)| vpvc).collect();
        for vpvc in all {
            self.flush_vc(vpvc, flush, done);
        }
    }

    fn flush_vc(&mut self, vpvc: VpVc, (status, count): Flush, done: &mut Vec<Done>) {
        let Some(queue) = self.vcs.get_mut(vpvc) else { return };
        if let Some((due, turn)) = queue.place.take() {
            self.ready[queue.class].remove(&(due, turn, vpvc));
        }
        if queue.group.as_ref().is_some_and(|group| group.sends.is_some())
            && let Some(mut group) = queue.group.take()
        {
            let whole = group.ends.partition_point(|end| *end <= group.taken);
            if self.form == Form::Cells
                && let Some((sdu, cells_sent)) = group.begun()
                && let Some(abort) = queue.segmenting.abort(sdu, cells_sent)
            {
                self.counters.add(AtmCount::AbortedSending, 1);
                // Beyond the bound it is lost, and the receiver finds out by the next PDU.
                if self.aborts.len() < ABORTS_MAX {
                    self.aborts.push_back(abort);
                }
            }
            if let Some(sends) = &mut group.sends {
                let gone = sends.split_front(whole);
                queue.nbls -= gone.len();
                done.push(Done { sends: gone, status: NdisStatus::SUCCESS });
            }
            if let Some(rest) = group.sends {
                queue.nbls -= rest.len();
                self.counters.add(count, rest.len() as u64);
                done.push(Done { sends: rest, status });
            }
            queue.cells.clear();
        }
        let (own, sends): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut queue.items).into_iter().partition(|item| matches!(item, Item::Own(_)));
        queue.items = own;
        for item in sends {
            if let Item::Sends(sends) = item {
                queue.nbls -= sends.len();
                self.counters.add(count, sends.len() as u64);
                done.push(Done { sends, status });
            }
        }
        self.requeue(vpvc, done);
    }

    /// Takes sends again.
    pub(super) fn reopen(&mut self) {
        self.refusal = None;
    }

    /// Takes out what bears this id (DP-138). What has been made into units is on the line already, as good as.
    pub(super) fn cancel(&mut self, id: CancelId, done: &mut Vec<Done>) {
        let all: Vec<VpVc> = self.vcs.iter().map(|(vpvc, _)| vpvc).collect();
        for vpvc in all {
            let Some(queue) = self.vcs.get_mut(vpvc) else { continue };
            for item in &mut queue.items {
                let Item::Sends(sends) = item else { continue };
                let matching = sends.take_matching(|nbl| nbl.cancel_id() == Some(id));
                queue.nbls -= matching.len();
                self.counters.add(AtmCount::FlushedCancelled, matching.len() as u64);
                if !matching.is_empty() {
                    done.push(Done { sends: matching, status: NdisStatus::SEND_ABORTED });
                }
            }
            queue.items.retain(|item| !matches!(item, Item::Sends(sends) if sends.is_empty()));
        }
    }
}

impl VcQueue {
    /// Makes the front of the queue into units. What fits no more goes back: a re-activation may have made the SDUs shorter.
    fn next_group(&mut self, form: Form, counters: &AtmCounters, done: &mut Vec<Done>) {
        let sends = match self.items.front_mut() {
            None => return,
            Some(Item::Own(_)) => {
                let Some(Item::Own(own)) = self.items.pop_front() else { return };
                if form == Form::Cells {
                    self.segmenting.segment(&own, &mut self.cells);
                }
                let units = if form == Form::Cells { self.cells.len() } else { 1 };
                self.group =
                    Some(Group { sends: None, own: Some(own), ends: vec![units], sdus: 1, units, taken: 0 });
                return;
            }
            Some(Item::Sends(sends)) => sends,
        };
        let (mut count, mut units, mut sdus, mut ends) = (0, 0, 0, Vec::new());
        for nbl in sends.iter().take(GROUP_MAX) {
            let fits = nbl.net_buffers().all(|sdu| self.segmenting.fits(sdu.data_length()));
            if units >= QUANTUM || !fits {
                break;
            }
            for sdu in nbl.net_buffers() {
                units += match form {
                    Form::Cells => self.segmenting.segment_buffer(sdu, &mut self.cells),
                    Form::Sdus => 1,
                };
                sdus += 1;
            }
            count += 1;
            ends.push(units);
        }
        let front = sends.split_front(count.max(1));
        if sends.is_empty() {
            self.items.pop_front();
        }
        if count == 0 {
            counters.add(AtmCount::RefusedLength, front.len() as u64);
            self.nbls -= front.len();
            done.push(Done { sends: front, status: NdisStatus::INVALID_LENGTH });
            return;
        }
        self.group = Some(Group { sends: Some(front), own: None, ends, sdus, units, taken: 0 });
    }
}

impl Group {
    fn sdus(&self) -> impl Iterator<Item = &NetBuffer> {
        self.sends.iter().flat_map(|sends| sends.iter().flat_map(|nbl| nbl.net_buffers()))
    }

    /// The SDU of which some cells are on the line and others not, and how many are.
    fn begun(&self) -> Option<(&NetBuffer, usize)> {
        let mut before = 0;
        for sdu in self.sdus() {
            let cells = super::flow_spec::cells_of(sdu.data_length() as u64) as usize;
            if (before + 1..before + cells).contains(&self.taken) {
                return Some((sdu, self.taken - before));
            }
            before += cells;
        }
        None
    }

    /// Cells that the SDUs that the line took last would be.
    fn cells_of_sdus(&self, count: usize) -> u32 {
        let cells = match &self.own {
            Some(own) => super::flow_spec::cells_of(own.len() as u64),
            None => {
                let sdus = self.sdus().skip(self.taken).take(count);
                sdus.map(|sdu| super::flow_spec::cells_of(sdu.data_length() as u64)).sum()
            }
        };
        u32::try_from(cells).unwrap_or(u32::MAX)
    }

    /// Hands a line of SDUs the next ones, without a copy.
    fn transmit_sdus(&self, link: &dyn AtmLink, vpvc: VpVc, count: usize) -> usize {
        if let Some(own) = &self.own {
            return link.transmit_sdus(&[Sdu { vpvc, parts: &[IoSlice::new(own)] }]);
        }
        let mut copies: Vec<Vec<u8>> = Vec::new();
        let next = || self.sdus().skip(self.taken).take(count);
        for sdu in next().filter(|sdu| sdu.mdl_count() > PIECES_MAX && sdu.contiguous().is_none()) {
            let mut octets = vec![0; sdu.data_length()];
            sdu.copy_to(&mut octets);
            copies.push(octets);
        }
        let mut copies = copies.iter();
        let mut parts = [[IoSlice::new(&[]); PIECES_MAX]; SDUS_MAX];
        let mut pieces = [0; SDUS_MAX];
        for ((sdu, parts), pieces) in next().zip(&mut parts).zip(&mut pieces) {
            if let Some(octets) = sdu.contiguous() {
                (parts[0], *pieces) = (IoSlice::new(octets), 1);
            } else if sdu.mdl_count() > PIECES_MAX {
                let Some(octets) = copies.next() else { continue };
                (parts[0], *pieces) = (IoSlice::new(octets), 1);
            } else {
                for (piece, part) in sdu.mdls().zip(parts) {
                    *part = IoSlice::new(piece);
                    *pieces += 1;
                }
            }
        }
        let sdus: [Sdu<'_>; SDUS_MAX] =
            std::array::from_fn(|at| Sdu { vpvc, parts: &parts[at][..pieces[at]] });
        link.transmit_sdus(&sdus[..count])
    }
}

/// SDUs handed to a line in one call.
const SDUS_MAX: usize = 16;

/// Aborts that wait for a full line. 1024: as many VCs with a PDU half sent are given up at once.
const ABORTS_MAX: usize = 1024;

/// Lateness of a timer that is made up for. 2 ms: twice what the timers of threads are coarse by.
const LATE_MAX: Duration = Duration::from_millis(2);

const CLASSES: usize = 4;

const fn class_of(category: ServiceCategory) -> usize {
    match category {
        ServiceCategory::Cbr => 0,
        ServiceCategory::RtVbr => 1,
        ServiceCategory::NrtVbr => 2,
        ServiceCategory::Ubr => 3,
    }
}

/// Whether an SDU of this length fits.
pub(super) fn fits(params: &AtmVcParams, octets: usize) -> bool {
    match params.aal {
        Aal::Aal0 => octets == 48 || octets == 52,
        Aal::Aal5 => (1..=params.transmit.sdu_octets_max as usize).contains(&octets),
    }
}
