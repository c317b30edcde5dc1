//! The data path of an adapter on a line of ATM: the same for the miniport and for the MCM's data halves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::Duration;

use condis::adapter::{Adapter, HeldAdapter};
use condis::driver::{AdapterAttributes, LowerRole, Medium};
use condis::link_state;
use condis::nbl::{CancelId, Chain, Nbl, Pool, PoolConfig};
use condis::oid::{OidAnswer, OidRequest};
use condis::params::CallParams;
use condis::role::{Mcm, Miniport};
use condis::runtime::{Lane, OnTimer, Runtime, Time, TimerId};
use condis::status::NdisStatus;
use condis::trace::VcId;
use condis::vc::{HeldVc, Sends, Vc};
use condis_link::atm::{ATM_BATCH_MAX, AtmLink, AtmLinkUser, Cell, Form, SduIn};

use super::connections::AtmConnections;
use super::counters::{AtmCount, AtmCounters};
use super::oids;
use super::reassembly::{Received, Receiving, filled};
use super::send_queue::{self, Done, Item, SendQueue};
use super::vc_params::{Aal, AtmVcParams};
use crate::VpVc;
use crate::addr::Esi;
use crate::cell::runs::{Run, runs};
use crate::cell::{HecCounters, HecReceiver, Interface, VcTable};

/// VCs that are active at once. 16,384: as many as OC-3 has cells in 46 ms.
pub(super) const VCS_MAX: usize = 1 << 14;

/// What both roles that drive an adapter can do, under one name.
pub(super) trait Lower: LowerRole {
    fn indicate(vc: Vc<'_, Self>, chain: Chain);
}

impl Lower for Miniport {
    fn indicate(vc: Vc<'_, Miniport>, chain: Chain) {
        vc.indicate_receive(chain);
    }
}

impl Lower for Mcm {
    fn indicate(vc: Vc<'_, Mcm>, chain: Chain) {
        vc.indicate_receive(chain);
    }
}

/// An MCM's signaling, which hears its SDUs from the data path directly.
pub(super) trait Own: Send + Sync {
    /// An SDU came on a VC of the MCM's own.
    fn sdu(&self, vpvc: VpVc, sdu: &[u8]);
    fn link_state(&self, up: bool);
}

/// Where what arrives on a virtual connection goes.
enum To<R: Lower> {
    Vc(HeldVc<R>),
    Own,
}

/// One active virtual connection.
struct VcEnd<R: Lower> {
    to: To<R>,
    receiving: Mutex<Receiving>,
    /// SDUs of a line of SDUs for which there was no buffer.
    no_buffer: AtomicU64,
}

impl<R: Lower> VcEnd<R> {
    fn lock(&self) -> MutexGuard<'_, Receiving> {
        self.receiving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The active virtual connections, and what they have reserved.
struct Active<R: Lower> {
    ends: VcTable<Arc<VcEnd<R>>>,
    /// By their numbers: cells a second that are set aside for them.
    reserved: BTreeMap<VpVc, u64>,
}

/// The sending side.
struct Sending {
    queue: SendQueue,
    armed: Option<(Time, TimerId)>,
}

/// The data path of one adapter.
pub(super) struct DataPath<R: Lower> {
    me: Weak<DataPath<R>>,
    link: Arc<dyn AtmLink>,
    esi: Esi,
    counters: AtmCounters,
    connections: AtmConnections,
    pools: [Pool; POOLS.len()],
    /// Receives are indicated. Sends are gated by NDIS, and by the queue once they have to wait.
    running: AtomicBool,
    /// The device is gone.
    removed: AtomicBool,
    active: RwLock<Active<R>>,
    sending: Mutex<Sending>,
    hec: Mutex<HecReceiver>,
    /// The timer of reassembly is armed.
    reassembling: AtomicBool,
    adapter: Mutex<Option<HeldAdapter<R>>>,
    time: OnceLock<(Arc<dyn Runtime>, Lane)>,
    own: OnceLock<Weak<dyn Own>>,
}

/// Receive buffers: their octets, which are those of a whole PDU, and how many there are. Small SDUs are many; one of 64 KiB is rare.
const POOLS: [(usize, usize); 3] = [(2064, 4096), (9216, 1024), (65_568, 128)];

/// What the object of a VC keeps of its connection. It holds no handle of the VC, so that nothing keeps itself alive.
pub(super) struct AtmSlot(Mutex<Option<AtmVcParams>>);

impl AtmSlot {
    pub(super) fn new() -> AtmSlot {
        AtmSlot(Mutex::new(None))
    }

    fn lock(&self) -> MutexGuard<'_, Option<AtmVcParams>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Lower> DataPath<R> {
    pub(super) fn new(
        link: Arc<dyn AtmLink>,
        esi: Esi,
        counters: AtmCounters,
        connections: AtmConnections,
    ) -> Arc<DataPath<R>> {
        let pools = POOLS.map(|(data_size, capacity)| {
            Pool::new(PoolConfig { data_size, capacity, headroom: 0, ..PoolConfig::default() })
        });
        let queue = SendQueue::new(link.form(), VCS_MAX, counters.clone());
        Arc::new_cyclic(|me| DataPath {
            me: me.clone(),
            link,
            esi,
            counters,
            connections,
            pools,
            running: AtomicBool::new(false),
            removed: AtomicBool::new(false),
            active: RwLock::new(Active { ends: VcTable::new(VCS_MAX), reserved: BTreeMap::new() }),
            sending: Mutex::new(Sending { queue, armed: None }),
            hec: Mutex::new(HecReceiver::new()),
            reassembling: AtomicBool::new(false),
            adapter: Mutex::new(None),
            time: OnceLock::new(),
            own: OnceLock::new(),
        })
    }

    pub(super) fn attributes(&self) -> AdapterAttributes {
        let speed = self.speed_bps();
        AdapterAttributes {
            transmit_bits_per_s: speed,
            receive_bits_per_s: speed,
            ..AdapterAttributes::new(Medium::Atm, self.sdu_octets_max())
        }
    }

    pub(super) fn sdu_octets_max(&self) -> u32 {
        u32::try_from(self.link.sdu_octets_max()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.is_up()
    }

    pub(super) fn esi(&self) -> Esi {
        self.esi
    }

    /// True from initialization to halt.
    pub(super) fn in_use(&self) -> bool {
        self.lock_adapter().is_some()
    }

    // The life of the adapter

    pub(super) fn initialized(&self, adapter: Adapter<'_, R>) {
        let _ = self.time.set((adapter.runtime().clone(), adapter.lane()));
        *self.lock_adapter() = Some(adapter.keep());
        let user: Weak<DataPath<R>> = self.me.clone();
        self.link.attach(user);
    }

    pub(super) fn restart(&self) {
        self.lock_sending().queue.reopen();
        self.running.store(true, SeqCst);
    }

    /// DP-066: what waits goes back, and nothing is indicated any more; NDIS waits for what is still out.
    pub(super) fn pause(&self) {
        self.running.store(false, SeqCst);
        self.cut_off();
        self.flush(NdisStatus::PAUSED, AtmCount::FlushedPaused, true);
    }

    pub(super) fn reset(&self) {
        self.cut_off();
        self.flush(NdisStatus::RESET_IN_PROGRESS, AtmCount::FlushedReset, false);
    }

    /// DP-074.
    pub(super) fn removed(&self) {
        self.removed.store(true, SeqCst);
        self.running.store(false, SeqCst);
        self.flush(NdisStatus::NOT_ACCEPTED, AtmCount::FlushedRemoved, true);
        self.tell_link_state(false);
    }

    pub(super) fn halt(&self) {
        self.running.store(false, SeqCst);
        let nobody: Weak<DataPath<R>> = Weak::new();
        self.link.attach(nobody);
        let armed = self.lock_sending().armed.take();
        if let (Some((_, timer)), Some((runtime, lane))) = (armed, self.time.get()) {
            runtime.cancel(*lane, timer);
        }
        // Dropped with no lock held: it may be the last handle.
        let adapter = self.lock_adapter().take();
        drop(adapter);
    }

    /// DP-138.
    pub(super) fn cancel(&self, id: CancelId) {
        let mut done = Vec::new();
        self.lock_sending().queue.cancel(id, &mut done);
        complete(done);
    }

    /// What has been received of a PDU that is not whole is forgotten.
    fn cut_off(&self) {
        let ends: Vec<_> = self.read().ends.iter().map(|(_, end)| end.clone()).collect();
        for end in ends.iter().filter(|end| matches!(end.to, To::Vc(_))) {
            end.lock().cut_off(&self.counters);
        }
    }

    pub(super) fn oid(&self, vc: Option<Vc<'_, R>>, request: OidRequest) -> OidAnswer {
        if self.removed.load(SeqCst) {
            return OidAnswer::new(NdisStatus::NOT_ACCEPTED, request);
        }
        let adapter = self.lock_adapter().clone();
        let count = |count| self.counters.get(count);
        let errors = count(AtmCount::ErrorCrc)
            + count(AtmCount::ErrorLostEnd)
            + count(AtmCount::ErrorLostCells)
            + count(AtmCount::ErrorLength)
            + count(AtmCount::ErrorCpi)
            + count(AtmCount::ErrorOversize)
            + count(AtmCount::ErrorTimeout)
            + count(AtmCount::DroppedTooLong);
        let (statistics, receive_errors, no_buffer) = match vc {
            Some(vc) => {
                let end = self.end_of(vc.id());
                let (errors, no_buffer) = end.map_or((0, 0), |end| {
                    let receiving = end.lock();
                    (receiving.errors(), receiving.no_buffer() + end.no_buffer.load(Relaxed))
                });
                (vc.statistics(), errors, no_buffer)
            }
            None => {
                let statistics = adapter.map(|adapter| adapter.at().statistics()).unwrap_or_default();
                (statistics, errors, count(AtmCount::DroppedNoBuffer))
            }
        };
        let facts = oids::Facts {
            bits_per_s: self.speed_bps(),
            connected: self.link.is_up(),
            statistics,
            receive_errors,
            no_buffer,
            cells_per_s: self.link.cells_per_s(),
            esi: self.esi.0,
            vcs_max: VCS_MAX as u32,
            vpi_bits: VPI_BITS,
            sdu_octets_max: self.sdu_octets_max(),
            cells_received: count(AtmCount::CellsReceived),
            cells_sent: count(AtmCount::CellsSent),
            cells_dropped: count(AtmCount::DroppedNotRunning) + count(AtmCount::DroppedOam),
            unknown_vc: count(AtmCount::DroppedUnknownVc),
            hec_errors: count(AtmCount::DroppedHec),
            reassembly_errors: errors,
        };
        oids::answer(&facts, request)
    }

    fn end_of(&self, vc: VcId) -> Option<Arc<VcEnd<R>>> {
        let active = self.read();
        let end = active.ends.iter().find(|(_, end)| matches!(&end.to, To::Vc(held) if held.id() == vc));
        end.map(|(_, end)| end.clone())
    }

    fn tell_link_state(&self, up: bool) {
        let adapter = self.lock_adapter().clone();
        if let Some(adapter) = adapter {
            adapter.at().indicate_status(link_state::indication(up, self.speed_bps()));
        }
        if let Some(own) = self.own.get().and_then(Weak::upgrade) {
            own.link_state(up);
        }
    }

    /// Of the line: cells, with their headers.
    fn speed_bps(&self) -> u64 {
        self.link.cells_per_s().unwrap_or(CELLS_PER_S_UNKNOWN) * 53 * 8
    }

    // Virtual connections

    /// Makes the VC be the virtual connection that `params` name, or changes its contract.
    ///
    /// # Errors
    /// INVALID_DATA: there is no such connection on this line, or it is another one than before. VC_NOT_AVAILABLE: another VC
    /// is it. CELLRATE_NOT_AVAILABLE: the line cannot carry that much more. RESOURCES: [`VCS_MAX`] are active. NOT_ACCEPTED: the
    /// device is gone. The VC is what it was before.
    pub(super) fn activate(
        &self,
        vc: Vc<'_, R>,
        slot: &AtmSlot,
        params: &CallParams,
    ) -> Result<(), NdisStatus> {
        if self.removed.load(SeqCst) {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        let params = AtmVcParams::from_params(params).map_err(|_| NdisStatus::INVALID_DATA)?;
        let done = {
            let mut mine = slot.lock();
            let done = self.open(&params, *mine, To::Vc(vc.keep()))?;
            *mine = Some(params);
            done
        };
        self.connections.insert(vc.id(), params);
        self.opened(done);
        Ok(())
    }

    /// The VC carries nothing any more; what waits on it goes back.
    pub(super) fn deactivate(&self, vc: VcId, slot: &AtmSlot) {
        let params = slot.lock().take();
        self.connections.remove(vc);
        if let Some(params) = params {
            self.close(params.vpvc);
        }
    }

    /// Opens a virtual connection of an MCM's own.
    ///
    /// # Errors
    /// As [`DataPath::activate`].
    pub(super) fn open_own(&self, params: &AtmVcParams) -> Result<(), NdisStatus> {
        let done = self.open(params, None, To::Own)?;
        self.opened(done);
        Ok(())
    }

    pub(super) fn close_own(&self, vpvc: VpVc) {
        self.close(vpvc);
    }

    /// Sends what arrives on virtual connections of its own to `own`.
    pub(super) fn own_to(&self, own: Weak<dyn Own>) {
        let fresh = self.own.set(own).is_ok();
        debug_assert!(fresh, "an MCM has one signaling");
    }

    /// What is done with this is for [`DataPath::opened`], with no lock held.
    fn open(
        &self,
        params: &AtmVcParams,
        before: Option<AtmVcParams>,
        to: To<R>,
    ) -> Result<Vec<Done>, NdisStatus> {
        let vpvc = params.vpvc;
        let possible = vpvc.vpi <= Interface::Uni.vpi_max()
            && (params.aal == Aal::Aal5 || self.link.form() == Form::Cells)
            && params.transmit.sdu_octets_max.max(params.receive.sdu_octets_max) <= self.sdu_octets_max()
            && before.is_none_or(|before| before.vpvc == vpvc && before.aal == params.aal);
        if !possible {
            return Err(NdisStatus::INVALID_DATA);
        }
        let now = self.now();
        let mut old = None;
        {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            if before.is_none() && active.ends.get(vpvc).is_some() {
                return Err(NdisStatus::VC_NOT_AVAILABLE);
            }
            if before.is_none() && active.ends.len() >= VCS_MAX {
                return Err(NdisStatus::RESOURCES);
            }
            let wanted = u64::from(params.transmit.contract.reserved_cells_per_s());
            if let Some(rate) = self.link.cells_per_s() {
                let others = active.reserved.iter().filter(|(other, _)| **other != vpvc);
                let taken: u64 = others.map(|(_, cells)| cells).sum();
                let peak = u64::from(params.transmit.contract.pcr_cells_per_s.unwrap_or(0));
                if wanted > 0 && (taken + wanted > rate || peak > rate) {
                    return Err(NdisStatus::CELLRATE_NOT_AVAILABLE);
                }
            }
            active.reserved.insert(vpvc, wanted);
            match active.ends.get(vpvc) {
                Some(end) => end.lock().change(params, &self.counters),
                None => {
                    let receiving = Mutex::new(Receiving::new(params, matches!(to, To::Own)));
                    let end = Arc::new(VcEnd { to, receiving, no_buffer: AtomicU64::new(0) });
                    // There is room, and nobody has it.
                    old = active.ends.insert(vpvc, end).err();
                }
            }
        }
        debug_assert!(old.is_none(), "{old:?}");
        let mut done = Vec::new();
        self.lock_sending().queue.open(now, params, &mut done);
        if before.is_none() {
            self.link.vc_state(vpvc, true);
        }
        Ok(done)
    }

    /// A connection is open, or goes on otherwise: what waited may go.
    fn opened(&self, done: Vec<Done>) {
        complete(done);
        self.pump();
    }

    fn close(&self, vpvc: VpVc) {
        let end = {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            active.reserved.remove(&vpvc);
            active.ends.remove(vpvc)
        };
        if let Some(end) = &end {
            end.lock().cut_off(&self.counters);
        }
        drop(end);
        let mut done = Vec::new();
        self.lock_sending().queue.close(vpvc, &mut done);
        self.pump();
        self.link.vc_state(vpvc, false);
        complete(done);
    }

    // Sending

    /// Sends a batch on the VC of this slot, as `MiniportCoSendNetBufferLists`.
    pub(super) fn send(&self, slot: &AtmSlot, sends: Sends<'_>) {
        let params = *slot.lock();
        let Some(params) = params else {
            return sends.complete(NdisStatus::FAILURE);
        };
        if self.removed.load(SeqCst) {
            return sends.complete(NdisStatus::NOT_ACCEPTED);
        }
        let fits = |nbl: &condis::nbl::NetBufferList| {
            nbl.net_buffers().all(|sdu| send_queue::fits(&params, sdu.data_length()))
        };
        let mut sends = sends.keep();
        let unfit = if sends.iter().all(fits) { None } else { Some(sends.take_matching(|nbl| !fits(nbl))) };
        let mut done = Vec::new();
        if let Some(unfit) = unfit {
            self.counters.add(AtmCount::RefusedLength, unfit.len() as u64);
            done.push(Done { sends: unfit, status: NdisStatus::INVALID_LENGTH });
        }
        if !sends.is_empty() {
            self.send_item(params.vpvc, Item::Sends(sends), &mut done);
        }
        complete(done);
    }

    /// Sends an SDU of an MCM's own. False: it is lost.
    pub(super) fn send_own(&self, vpvc: VpVc, sdu: &[u8]) -> bool {
        if self.removed.load(SeqCst) {
            return false;
        }
        let mut done = Vec::new();
        let sent = self.send_item(vpvc, Item::Own(sdu.to_vec()), &mut done);
        complete(done);
        sent
    }

    fn send_item(&self, vpvc: VpVc, item: Item, done: &mut Vec<Done>) -> bool {
        let now = self.now();
        let mut sending = self.lock_sending();
        let before = sending.queue.waiting(vpvc);
        match sending.queue.push(vpvc, item, done) {
            Ok(()) => {
                let added = sending.queue.waiting(vpvc) - before;
                self.pump_locked(now, &mut sending, done);
                self.counters.add(AtmCount::Queued, sending.queue.waiting(vpvc).min(added) as u64);
                true
            }
            Err((Item::Sends(sends), (status, count))) => {
                self.counters.add(count, sends.len() as u64);
                done.push(Done { sends, status });
                false
            }
            Err((Item::Own(_), (_, count))) => {
                self.counters.add(count, 1);
                false
            }
        }
    }

    fn pump(&self) {
        let mut done = Vec::new();
        let now = self.now();
        self.pump_locked(now, &mut self.lock_sending(), &mut done);
        complete(done);
    }

    fn pump_locked(&self, now: Time, sending: &mut Sending, done: &mut Vec<Done>) {
        let wanted = sending.queue.pump(now, &*self.link, done);
        if sending.armed.map(|(at, _)| at) == wanted {
            return;
        }
        let Some((runtime, lane)) = self.time.get() else { return };
        if let Some((_, timer)) = sending.armed.take() {
            runtime.cancel(*lane, timer);
        }
        if let Some(at) = wanted {
            let target: Weak<DataPath<R>> = self.me.clone();
            sending.armed = Some((at, runtime.arm(*lane, at.since(now), target, at.as_nanos())));
        }
    }

    fn flush(&self, status: NdisStatus, count: AtmCount, stay: bool) {
        let mut done = Vec::new();
        self.lock_sending().queue.flush((status, count), stay, &mut done);
        complete(done);
        self.pump();
    }

    // Receiving

    /// The connection, without a look-up if it is that of the cells before. What came before may be what opens it: a CONNECT,
    /// with the first data right behind it.
    fn find(&self, vpvc: VpVc, batch: &mut Batch<R>) -> Option<Arc<VcEnd<R>>> {
        if let Some((last, end)) = &batch.to
            && *last == vpvc
        {
            return Some(end.clone());
        }
        let look = || self.read().ends.get(vpvc).cloned();
        look().or_else(|| {
            self.indicate(batch);
            look()
        })
    }

    fn receive_run(&self, now: Time, run: Run<'_>, batch: &mut Batch<R>) {
        let (vpvc, cells) = (run.vpvc(), run.len() as u64);
        let Some(end) = self.find(vpvc, batch) else {
            return self.counters.add(AtmCount::DroppedUnknownVc, cells);
        };
        if matches!(end.to, To::Vc(_)) && !self.running.load(SeqCst) {
            return self.counters.add(AtmCount::DroppedNotRunning, cells);
        }
        self.turn_to(vpvc, &end, batch);
        self.counters.add(AtmCount::CellsReceived, cells);
        let mut receiving = end.lock();
        if !run.is_user() && receiving.keeps_oam() {
            drop(receiving);
            return self.receive_oam(now, &run, &end);
        }
        receiving.receive(now, run, &self.counters, |octets| self.buffer(octets), &mut batch.received);
        batch.partial |= receiving.next_timeout().is_some();
    }

    fn receive_oam(&self, now: Time, run: &Run<'_>, end: &VcEnd<R>) {
        let mut answered = 0;
        for (header, payload) in run.iter() {
            let answers = end.lock().oam(now, header.pti(), payload);
            self.counters.add(AtmCount::DroppedOam, u64::from(answers.is_empty()));
            for answer in answers {
                // What a full line refuses is lost: whoever asks asks again.
                answered += self.link.transmit_cells(&[answer]);
            }
        }
        self.counters.add(AtmCount::LoopbackAnswered, answered as u64);
    }

    fn buffer(&self, octets: usize) -> Option<Nbl> {
        let fits = self.pools.iter().filter(|pool| pool.config().data_size >= octets);
        fits.into_iter().find_map(|pool| pool.alloc().ok())
    }

    fn receive_sdu(&self, sdu: &SduIn<'_>, batch: &mut Batch<R>) {
        let Some(end) = self.find(sdu.vpvc, batch) else {
            return self.counters.add(AtmCount::DroppedUnknownVc, 1);
        };
        if matches!(end.to, To::Vc(_)) && !self.running.load(SeqCst) {
            return self.counters.add(AtmCount::DroppedNotRunning, 1);
        }
        self.turn_to(sdu.vpvc, &end, batch);
        if sdu.octets.len() > end.lock().sdu_octets_max() {
            return self.counters.add(AtmCount::DroppedTooLong, 1);
        }
        match &end.to {
            To::Own => {
                self.counters.add(AtmCount::OwnReceived, 1);
                batch.received.push(Received::Own(sdu.octets.to_vec()));
            }
            To::Vc(_) => {
                let Some(nbl) = filled(self.buffer(sdu.octets.len()), sdu.octets) else {
                    end.no_buffer.fetch_add(1, Relaxed);
                    return self.counters.add(AtmCount::DroppedNoBuffer, 1);
                };
                self.counters.add(AtmCount::SdusReceived, 1);
                batch.received.push(Received::Nbl(nbl));
            }
        }
    }

    /// Cells of another connection come: those before are indicated.
    fn turn_to(&self, vpvc: VpVc, end: &Arc<VcEnd<R>>, batch: &mut Batch<R>) {
        if batch.to.as_ref().is_none_or(|(last, _)| *last != vpvc) {
            self.indicate(batch);
            batch.to = Some((vpvc, end.clone()));
        }
    }

    fn indicate(&self, batch: &mut Batch<R>) {
        let Some((vpvc, end)) = batch.to.take() else { return };
        if batch.received.is_empty() {
            return;
        }
        let mut chain = Vec::new();
        for received in batch.received.drain(..) {
            match received {
                Received::Nbl(nbl) => chain.push(nbl),
                Received::Own(sdu) => {
                    if let Some(own) = self.own.get().and_then(Weak::upgrade) {
                        own.sdu(vpvc, &sdu);
                    }
                }
            }
        }
        if let To::Vc(vc) = &end.to {
            R::indicate(vc.at(), chain.into_iter().collect());
        }
    }

    /// While a PDU is not whole, its time is looked at each second: of many VCs one timer.
    fn arm_reassembly(&self) {
        if self.reassembling.swap(true, SeqCst) {
            return;
        }
        let Some((runtime, lane)) = self.time.get() else { return };
        let target: Weak<DataPath<R>> = self.me.clone();
        runtime.arm(*lane, REASSEMBLY_EVERY, target, REASSEMBLY);
    }

    fn reassembly_timer(&self) {
        self.reassembling.store(false, SeqCst);
        let now = self.now();
        let ends: Vec<_> = self.read().ends.iter().map(|(_, end)| end.clone()).collect();
        let mut left = false;
        for end in ends {
            let mut receiving = end.lock();
            receiving.handle_timeout(now, &self.counters);
            left |= receiving.next_timeout().is_some();
        }
        if left {
            self.arm_reassembly();
        }
    }

    // Inside

    fn now(&self) -> Time {
        self.time.get().map_or(Time::ZERO, |(runtime, _)| runtime.now())
    }

    fn read(&self) -> RwLockReadGuard<'_, Active<R>> {
        self.active.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_sending(&self) -> MutexGuard<'_, Sending> {
        // Nothing of a driver runs under it, so a panic cannot leave it half changed.
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_adapter(&self) -> MutexGuard<'_, Option<HeldAdapter<R>>> {
        self.adapter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of one connection in a row, to be indicated together.
struct Batch<R: Lower> {
    to: Option<(VpVc, Arc<VcEnd<R>>)>,
    received: Vec<Received>,
    /// A PDU is not whole yet.
    partial: bool,
}

fn complete(done: Vec<Done>) {
    for Done { sends, status } in done {
        if !sends.is_empty() {
            sends.complete(status);
        }
    }
}

impl<R: Lower> AtmLinkUser for DataPath<R> {
    fn receive_cells(&self, cells: &[Cell]) {
        let now = self.now();
        let mut batch = Batch { to: None, received: Vec::new(), partial: false };
        {
            let mut hec = self.hec.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *hec.counters();
            let found: Vec<Run<'_>> = runs(&mut hec, Interface::Uni, cells).collect();
            let counters = *hec.counters();
            drop(hec);
            self.counters.add(AtmCount::DroppedHec, lost_headers(&counters) - lost_headers(&before));
            for run in found {
                self.receive_run(now, run, &mut batch);
            }
        }
        self.indicate(&mut batch);
        if batch.partial {
            self.arm_reassembly();
        }
    }

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        let received = Vec::with_capacity(sdus.len().min(ATM_BATCH_MAX));
        let mut batch = Batch { to: None, received, partial: false };
        for sdu in sdus {
            self.receive_sdu(sdu, &mut batch);
        }
        self.indicate(&mut batch);
    }

    fn link_state(&self, up: bool) {
        if !self.removed.load(SeqCst) {
            self.tell_link_state(up);
        }
    }

    fn writable(&self) {
        self.lock_sending().queue.unblock();
        self.pump();
    }
}

impl<R: Lower> OnTimer for DataPath<R> {
    fn on_timer(&self, token: u64) {
        if token == REASSEMBLY {
            return self.reassembly_timer();
        }
        {
            let mut sending = self.lock_sending();
            if let Some((at, _)) = sending.armed.filter(|(at, _)| at.as_nanos() == token) {
                sending.armed = None;
                sending.queue.is_late(self.now().since(at));
            }
        }
        self.pump();
    }
}

/// The token of the timer of reassembly. The other one's is the moment it is armed for, which is never the end of time.
const REASSEMBLY: u64 = u64::MAX;

/// How often PDUs are looked at that may have been waiting too long.
const REASSEMBLY_EVERY: Duration = Duration::from_secs(1);

/// Bits of a VPI at a UNI.
const VPI_BITS: u32 = 8;

/// What is told of a line that does not know its rate: OC-3.
const CELLS_PER_S_UNKNOWN: u64 = 353_207;

/// Cells that were lost for their header.
fn lost_headers(counters: &HecCounters) -> u64 {
    counters.dropped_several_bits + counters.dropped_while_detecting
}
