//! The data path of an adapter on an Ethernet link: the same for the miniport and for the MCM's data halves.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

use condis::adapter::{Adapter, HeldAdapter};
use condis::driver::{AdapterAttributes, LowerRole, Medium};
use condis::link_state;
use condis::nbl::{CancelId, Chain, Nbl, NetBufferList, Pool, PoolConfig};
use condis::oid::{OidAnswer, OidRequest};
use condis::params::CallParams;
use condis::role::{Mcm, Miniport};
use condis::status::NdisStatus;
use condis::trace::VcId;
use condis::vc::{HeldVc, KeptSends, Sends, Vc};
use condis_link::header::Header;
use condis_link::{BATCH_FRAMES_MAX, Frame, Link, LinkUser};

use super::flow_counters::{FlowCount, FlowCounters};
use super::flow_params::FlowParams;
use super::framing::{Framing, HEAD_LEN_MAX, RAW_HEAD_LEN, raw_head, vlan_of};
use super::oids;
use super::send_queue::{Next, Queued, SendQueue};
use crate::pppoe::wire::{
    ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, HEADER_LEN, MacAddr, SessionId, SessionView,
};

/// Flows at once. 65,536: one for each session id of one peer, which is more than any one adapter is used for.
pub(super) const FLOWS_MAX: usize = 1 << 16;

/// Receive buffers. 4096: a batch of every link in flight, and what a reader that keeps its receives for a while may hold.
const RECEIVES_MAX: usize = 4096;

/// Frames handed to the link in one call. Beyond 16 a call costs little more for each.
const FRAMES_MAX: usize = 16;

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

/// An MCM's signaling, which hears its packets from the data path directly.
pub(super) trait Signals: Send + Sync {
    fn packet(&self, from: MacAddr, to: MacAddr, packet: &[u8]);
    fn unknown_session(&self, from: MacAddr, id: SessionId);
    fn link_state(&self, up: bool);
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum FlowKey {
    Session { vlan: Option<u16>, peer: MacAddr, id: SessionId },
    Raw { vlan: Option<u16>, ethertype: u16, peer: Option<MacAddr> },
}

impl FlowKey {
    fn of(flow: &FlowParams) -> FlowKey {
        match (flow.peer, flow.session) {
            (Some(peer), Some(id)) => FlowKey::Session { vlan: flow.vlan, peer, id },
            (peer, _) => FlowKey::Raw { vlan: flow.vlan, ethertype: flow.ethertype, peer },
        }
    }
}

/// Where the frames of a flow go.
struct FlowEnd<R: Lower> {
    vc: HeldVc<R>,
    no_buffer: AtomicU64,
}

/// The data path of one adapter.
pub(super) struct DataPath<R: Lower> {
    link: Arc<dyn Link>,
    here: MacAddr,
    counters: FlowCounters,
    pool: Pool,
    /// Receives are indicated. Sends are gated by NDIS, and by the queue once they have to wait.
    running: AtomicBool,
    /// The device is gone.
    removed: AtomicBool,
    flows: RwLock<BTreeMap<FlowKey, Arc<FlowEnd<R>>>>,
    queue: Mutex<SendQueue>,
    /// Something waits: whoever sends has to stand in line.
    backlog: AtomicBool,
    adapter: Mutex<Option<HeldAdapter<R>>>,
    signals: OnceLock<(Option<u16>, Weak<dyn Signals>)>,
}

/// What the object of a VC keeps of its flow. It holds no handle of the VC, so that nothing keeps itself alive.
pub(super) struct FlowSlot(Mutex<Option<(FlowKey, Framing)>>);

impl FlowSlot {
    pub(super) fn new() -> FlowSlot {
        FlowSlot(Mutex::new(None))
    }

    fn lock(&self) -> MutexGuard<'_, Option<(FlowKey, Framing)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Lower> DataPath<R> {
    pub(super) fn new(link: Arc<dyn Link>, counters: FlowCounters) -> Arc<DataPath<R>> {
        let pool = Pool::new(PoolConfig {
            data_size: link.mtu_octets() + RAW_HEAD_LEN,
            headroom: HEAD_LEN_MAX,
            capacity: RECEIVES_MAX,
            ..PoolConfig::default()
        });
        Arc::new(DataPath {
            here: MacAddr(link.address().octets()),
            link,
            counters,
            pool,
            running: AtomicBool::new(false),
            removed: AtomicBool::new(false),
            flows: RwLock::default(),
            queue: Mutex::default(),
            backlog: AtomicBool::new(false),
            adapter: Mutex::new(None),
            signals: OnceLock::new(),
        })
    }

    /// Sends the signaling of this VLAN to `signals`, rather than to a VC.
    pub(super) fn signal_to(&self, vlan: Option<u16>, signals: Weak<dyn Signals>) {
        let fresh = self.signals.set((vlan, signals)).is_ok();
        debug_assert!(fresh, "an MCM has one signaling");
    }

    pub(super) fn attributes(&self) -> AdapterAttributes {
        let mtu_octets = u32::try_from(self.link.mtu_octets()).unwrap_or(u32::MAX);
        let speed = self.speed_bps();
        AdapterAttributes {
            transmit_bits_per_s: speed,
            receive_bits_per_s: speed,
            backfill_octets: HEAD_LEN_MAX as u32,
            ..AdapterAttributes::new(Medium::Ethernet, mtu_octets)
        }
    }

    pub(super) fn mtu_octets(&self) -> usize {
        self.link.mtu_octets()
    }

    /// True from initialization to halt.
    pub(super) fn in_use(&self) -> bool {
        self.lock_adapter().is_some()
    }

    // The life of the adapter

    pub(super) fn initialized(self: &Arc<Self>, adapter: Adapter<'_, R>) {
        *self.lock_adapter() = Some(adapter.keep());
        let user: Weak<DataPath<R>> = Arc::downgrade(self);
        self.link.attach(user);
    }

    pub(super) fn restart(&self) {
        self.lock_queue().reopen();
        self.running.store(true, SeqCst);
    }

    /// DP-066: what waits goes back, and nothing is indicated any more; NDIS waits for what is still out.
    pub(super) fn pause(&self) {
        self.running.store(false, SeqCst);
        self.flush(NdisStatus::PAUSED, FlowCount::FlushedPaused, true);
    }

    pub(super) fn reset(&self) {
        self.flush(NdisStatus::RESET_IN_PROGRESS, FlowCount::FlushedReset, false);
    }

    /// DP-074.
    pub(super) fn removed(&self) {
        self.removed.store(true, SeqCst);
        self.running.store(false, SeqCst);
        self.flush(NdisStatus::NOT_ACCEPTED, FlowCount::FlushedRemoved, true);
        self.tell_link_state(false);
    }

    pub(super) fn halt(&self) {
        self.running.store(false, SeqCst);
        let nobody: Weak<DataPath<R>> = Weak::new();
        self.link.attach(nobody);
        // Dropped with no lock held: it may be the last handle.
        let adapter = self.lock_adapter().take();
        drop(adapter);
    }

    /// DP-138.
    pub(super) fn cancel(&self, id: CancelId) {
        let cancelled = self.lock_queue().cancel(id);
        self.give_back(cancelled, NdisStatus::SEND_ABORTED, FlowCount::FlushedCancelled);
    }

    pub(super) fn oid(&self, vc: Option<Vc<'_, R>>, request: OidRequest) -> OidAnswer {
        if self.removed.load(SeqCst) {
            return OidAnswer::new(NdisStatus::NOT_ACCEPTED, request);
        }
        let adapter = self.lock_adapter().clone();
        let no_buffer = match vc {
            Some(vc) => self.no_buffer_of(vc.id()),
            None => self.counters.get(FlowCount::DroppedNoBuffer),
        };
        let receive_errors =
            self.counters.get(FlowCount::DroppedMalformed) + self.counters.get(FlowCount::DroppedTooLong);
        let statistics = match vc {
            Some(vc) => vc.statistics(),
            None => adapter.map(|adapter| adapter.at().statistics()).unwrap_or_default(),
        };
        let facts = oids::Facts {
            bits_per_s: self.speed_bps(),
            connected: self.link.is_up(),
            statistics,
            // A frame with a wrong header belongs to no VC.
            receive_errors: if vc.is_some() { 0 } else { receive_errors },
            no_buffer,
        };
        oids::answer(&facts, request)
    }

    fn no_buffer_of(&self, vc: VcId) -> u64 {
        let flows = self.flows.read().unwrap_or_else(PoisonError::into_inner);
        flows.values().find(|end| end.vc.id() == vc).map_or(0, |end| end.no_buffer.load(SeqCst))
    }

    fn tell_link_state(&self, up: bool) {
        let adapter = self.lock_adapter().clone();
        if let Some(adapter) = adapter {
            adapter.at().indicate_status(link_state::indication(up, self.speed_bps()));
        }
        if let Some((_, signals)) = self.signals.get()
            && let Some(signals) = signals.upgrade()
        {
            signals.link_state(up);
        }
    }

    fn speed_bps(&self) -> u64 {
        self.link.speed_bps().unwrap_or(SPEED_UNKNOWN_BPS)
    }

    // Flows

    /// Makes the VC carry the flow that `params` name, or another one than before.
    ///
    /// # Errors
    /// INVALID_DATA: no such flow. FAILURE: another VC carries it. RESOURCES: [`FLOWS_MAX`] are there. NOT_ACCEPTED: the
    /// device is gone. The VC carries what it carried before.
    pub(super) fn activate(
        &self,
        vc: Vc<'_, R>,
        slot: &FlowSlot,
        params: &CallParams,
    ) -> Result<(), NdisStatus> {
        if self.removed.load(SeqCst) {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        let flow = FlowParams::from_params(params).map_err(|_| NdisStatus::INVALID_DATA)?;
        let key = FlowKey::of(&flow);
        let framing = Framing::new(&flow, self.here, self.link.mtu_octets());
        let mut mine = slot.lock();
        let before = mine.map(|(before, _)| before);
        let old = {
            let mut flows = self.flows.write().unwrap_or_else(PoisonError::into_inner);
            match flows.get(&key) {
                Some(end) if end.vc.id() == vc.id() => None,
                Some(_) => return Err(NdisStatus::FAILURE),
                None if before.is_none() && flows.len() >= FLOWS_MAX => return Err(NdisStatus::RESOURCES),
                None => {
                    flows.insert(key, Arc::new(FlowEnd { vc: vc.keep(), no_buffer: AtomicU64::new(0) }));
                    before.filter(|before| *before != key).and_then(|before| flows.remove(&before))
                }
            }
        };
        *mine = Some((key, framing));
        drop(mine);
        drop(old);
        self.lock_queue().open(vc.id());
        Ok(())
    }

    /// The VC carries nothing any more; what waits on it goes back.
    pub(super) fn deactivate(&self, vc: VcId, slot: &FlowSlot) {
        let Some((key, _)) = slot.lock().take() else { return };
        let end = self.flows.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
        drop(end);
        let waiting = self.lock_queue().close(vc);
        self.give_back(waiting, NdisStatus::FAILURE, FlowCount::FlushedDeactivated);
    }

    // Sending

    /// Sends a batch on the VC of this slot, as `MiniportCoSendNetBufferLists`.
    pub(super) fn send(&self, slot: &FlowSlot, sends: Sends<'_>) {
        let framing = slot.lock().map(|(_, framing)| framing);
        let Some(framing) = framing else {
            return sends.complete(NdisStatus::FAILURE);
        };
        if self.removed.load(SeqCst) {
            return sends.complete(NdisStatus::NOT_ACCEPTED);
        }
        if self.backlog.load(SeqCst) || !sends.iter().all(|nbl| framing.fits(nbl)) {
            return self.send_in_line(framing, sends.keep());
        }
        let progress = self.transmit(&framing, sends.iter(), 0);
        if progress.nbls == sends.len() {
            return sends.complete(NdisStatus::SUCCESS);
        }
        let mut rest = sends.keep();
        let gone = rest.split_front(progress.nbls);
        // In line before anything is completed: what a completion sends stays behind it.
        let refused = self.push(Queued { sends: rest, framing, net_buffers_sent: progress.net_buffers });
        gone.complete(NdisStatus::SUCCESS);
        self.after_push(refused);
    }

    /// Sends a batch behind those that wait, without what does not fit.
    fn send_in_line(&self, framing: Framing, mut sends: KeptSends) {
        let unfit = sends.take_matching(|nbl| !framing.fits(nbl));
        self.counters.add(FlowCount::RefusedLength, unfit.len() as u64);
        let refused = if sends.is_empty() {
            Vec::new()
        } else {
            self.push(Queued { sends, framing, net_buffers_sent: 0 })
        };
        unfit.complete(NdisStatus::INVALID_LENGTH);
        self.after_push(refused);
    }

    fn push(&self, queued: Queued) -> Vec<(KeptSends, NdisStatus)> {
        let nbls = queued.sends.len() as u64;
        let mut queue = self.lock_queue();
        match queue.push(queued) {
            Ok(()) => {
                self.backlog.store(true, SeqCst);
                self.counters.add(FlowCount::Queued, nbls);
                Vec::new()
            }
            Err((sends, (status, count))) => {
                self.counters.add(count, nbls);
                vec![(sends, status)]
            }
        }
    }

    fn after_push(&self, refused: Vec<(KeptSends, NdisStatus)>) {
        for (sends, status) in refused {
            sends.complete(status);
        }
        self.drain();
    }

    /// Hands the link what waits, until it refuses. Called after every push, since the link may have told that there is room
    /// before what it refused stood in line.
    fn drain(&self) {
        loop {
            let mut queued = {
                let mut queue = self.lock_queue();
                match queue.take() {
                    Next::Send(queued) => queued,
                    Next::Busy => return,
                    Next::Empty => {
                        self.backlog.store(false, SeqCst);
                        return;
                    }
                }
            };
            let progress = self.transmit(&queued.framing, queued.sends.iter(), queued.net_buffers_sent);
            let gone = queued.sends.split_front(progress.nbls);
            queued.net_buffers_sent = progress.net_buffers;
            let (again, condemned) = self.lock_queue().sent(queued);
            gone.complete(NdisStatus::SUCCESS);
            if let Some((sends, (status, count))) = condemned {
                self.give_back(vec![sends], status, count);
            }
            if !again {
                return;
            }
        }
    }

    fn flush(&self, status: NdisStatus, count: FlowCount, stay: bool) {
        let waiting = self.lock_queue().flush((status, count), stay);
        self.give_back(waiting, status, count);
    }

    fn give_back(&self, batches: Vec<KeptSends>, status: NdisStatus, count: FlowCount) {
        for batch in batches {
            self.counters.add(count, batch.len() as u64);
            batch.complete(status);
        }
    }

    /// Hands frames to the link, without a copy where the SDU lies in one piece. `skip` net buffers of the first NBL have
    /// gone before.
    fn transmit<'n>(
        &self,
        framing: &Framing,
        nbls: impl Iterator<Item = &'n NetBufferList>,
        skip: usize,
    ) -> Progress {
        let mut progress = Progress { nbls: 0, net_buffers: skip };
        let mut sdus = nbls
            .flat_map(|nbl| {
                let last = nbl.net_buffers().count() - 1;
                nbl.net_buffers().enumerate().map(move |(index, sdu)| (sdu, index == last))
            })
            .skip(skip);
        loop {
            let mut heads = [[0; HEAD_LEN_MAX]; FRAMES_MAX];
            let mut pieces = [const { (0, Cow::Borrowed(&[] as &[u8]), 0, false) }; FRAMES_MAX];
            let mut count = 0;
            while count < FRAMES_MAX
                && let Some((sdu, last)) = sdus.next()
            {
                // All were looked at before they came here.
                let Some((head_len, replaced)) = framing.head(sdu, &mut heads[count]) else { continue };
                let octets = match sdu.contiguous() {
                    Some(octets) => Cow::Borrowed(octets),
                    None => {
                        let mut octets = vec![0; sdu.data_length()];
                        sdu.copy_to(&mut octets);
                        Cow::Owned(octets)
                    }
                };
                pieces[count] = (head_len, octets, replaced, last);
                count += 1;
            }
            if count == 0 {
                return progress;
            }
            let parts: [[IoSlice<'_>; 2]; FRAMES_MAX] = std::array::from_fn(|index| {
                let (head_len, octets, replaced, _) = &pieces[index];
                [IoSlice::new(&heads[index][..*head_len]), IoSlice::new(&octets[*replaced..])]
            });
            let frames: [Frame<'_>; FRAMES_MAX] = std::array::from_fn(|index| Frame::new(&parts[index]));
            let taken = self.link.transmit(&frames[..count]);
            self.counters.add(FlowCount::Sent, taken as u64);
            for (.., last) in &pieces[..taken] {
                if *last {
                    progress = Progress { nbls: progress.nbls + 1, net_buffers: 0 };
                } else {
                    progress.net_buffers += 1;
                }
            }
            if taken < count {
                return progress;
            }
        }
    }

    /// Sends a signaling packet past NDIS: an MCM's own affair. What a full link refuses is lost, as on any Ethernet, and
    /// the machine of the discovery stage sends it again: false then.
    pub(super) fn transmit_signaling(&self, vlan: Option<u16>, to: MacAddr, packet: &[u8]) -> bool {
        let mut header =
            Header::new(to.0.into(), self.here.0.into(), condis_link::header::EtherType::PPPOE_DISCOVERY);
        header.tags[0] = vlan.map(condis_link::header::VlanTag::customer);
        let mut room = [0; Header::OCTETS_MAX];
        let parts = [IoSlice::new(header.encode(&mut room)), IoSlice::new(packet)];
        let taken = self.link.transmit(&[Frame::new(&parts)]);
        let count = if taken == 1 { FlowCount::SignalingSent } else { FlowCount::DroppedSignalingRefused };
        self.counters.add(count, 1);
        taken == 1
    }

    // Receiving

    fn receive_frame(&self, frame: &[u8], run: &mut Run<R>) {
        let Ok((header, payload)) = Header::parse(frame) else {
            return self.counters.add(FlowCount::DroppedMalformed, 1);
        };
        let Some(vlan) = vlan_of(&header) else {
            return self.counters.add(FlowCount::DroppedTags, 1);
        };
        let from = MacAddr(header.source.octets());
        if header.ethertype.0 == ETHERTYPE_SESSION {
            return self.receive_session(vlan, from, &header, payload, run);
        }
        if header.ethertype.0 == ETHERTYPE_DISCOVERY
            && let Some(signals) = self.signals_of(vlan)
        {
            run.indicate();
            self.counters.add(FlowCount::SignalingReceived, 1);
            return signals.packet(from, MacAddr(header.destination.octets()), payload);
        }
        let raw = |peer| FlowKey::Raw { vlan, ethertype: header.ethertype.0, peer };
        let end = self.find(raw(Some(from)), run).or_else(|| self.find(raw(None), run));
        match end {
            Some(end) => self.deliver(end, &[&raw_head(&header), payload], run),
            None => self.counters.add(FlowCount::DroppedUnknownFlow, 1),
        }
    }

    fn receive_session(
        &self,
        vlan: Option<u16>,
        from: MacAddr,
        header: &Header,
        payload: &[u8],
        run: &mut Run<R>,
    ) {
        if header.destination.octets() != self.here.0 {
            return self.counters.add(FlowCount::DroppedNotForUs, 1);
        }
        let Ok(SessionView { id, ppp }) = SessionView::parse(payload) else {
            return self.counters.add(FlowCount::DroppedMalformed, 1);
        };
        if let Some(end) = self.find(FlowKey::Session { vlan, peer: from, id }, run) {
            return self.deliver(end, &[ppp], run);
        }
        run.indicate();
        if let Some(signals) = self.signals_of(vlan) {
            self.counters.add(FlowCount::UnknownSession, 1);
            return signals.unknown_session(from, id);
        }
        let signaling = FlowKey::Raw { vlan, ethertype: ETHERTYPE_DISCOVERY, peer: None };
        match self.find(signaling, run) {
            Some(end) => {
                self.counters.add(FlowCount::UnknownSession, 1);
                self.deliver(end, &[&raw_head(header), &payload[..HEADER_LEN]], run);
            }
            None => self.counters.add(FlowCount::DroppedUnknownFlow, 1),
        }
    }

    fn signals_of(&self, vlan: Option<u16>) -> Option<Arc<dyn Signals>> {
        let (own, signals) = self.signals.get()?;
        (*own == vlan).then(|| signals.upgrade()).flatten()
    }

    /// The flow, without a look-up if it is that of the frame before.
    fn find(&self, key: FlowKey, run: &Run<R>) -> Option<(FlowKey, Arc<FlowEnd<R>>)> {
        if let Some((last, end)) = &run.to
            && *last == key
        {
            return Some((key, end.clone()));
        }
        let flows = self.flows.read().unwrap_or_else(PoisonError::into_inner);
        Some((key, flows.get(&key)?.clone()))
    }

    fn deliver(&self, (key, end): (FlowKey, Arc<FlowEnd<R>>), pieces: &[&[u8]], run: &mut Run<R>) {
        if run.to.as_ref().is_none_or(|(last, _)| *last != key) {
            run.indicate();
            run.to = Some((key, end.clone()));
        }
        let octets: usize = pieces.iter().map(|piece| piece.len()).sum();
        if octets > self.pool.config().data_size {
            return self.counters.add(FlowCount::DroppedTooLong, 1);
        }
        let Ok(mut nbl) = self.pool.alloc() else {
            end.no_buffer.fetch_add(1, SeqCst);
            return self.counters.add(FlowCount::DroppedNoBuffer, 1);
        };
        if pieces.iter().all(|piece| nbl.first_mut().append(piece).is_ok()) {
            self.counters.add(FlowCount::Received, 1);
            run.nbls.push(nbl);
        }
    }

    fn lock_queue(&self) -> MutexGuard<'_, SendQueue> {
        // Nothing of a driver runs under it, so a panic cannot leave it half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_adapter(&self) -> MutexGuard<'_, Option<HeldAdapter<R>>> {
        self.adapter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a batch got: whole NBLs, and net buffers of the next one.
struct Progress {
    nbls: usize,
    net_buffers: usize,
}

/// Frames of one flow in a row, to be indicated together.
struct Run<R: Lower> {
    to: Option<(FlowKey, Arc<FlowEnd<R>>)>,
    nbls: Vec<Nbl>,
}

impl<R: Lower> Run<R> {
    fn indicate(&mut self) {
        if let Some((_, end)) = self.to.take()
            && !self.nbls.is_empty()
        {
            R::indicate(end.vc.at(), self.nbls.drain(..).collect());
        }
    }
}

impl<R: Lower> LinkUser for DataPath<R> {
    fn receive(&self, frames: &[&[u8]]) {
        if !self.running.load(SeqCst) {
            return self.counters.add(FlowCount::DroppedNotRunning, frames.len() as u64);
        }
        let mut run = Run { to: None, nbls: Vec::with_capacity(frames.len().min(BATCH_FRAMES_MAX)) };
        for frame in frames {
            self.receive_frame(frame, &mut run);
        }
        run.indicate();
    }

    fn link_state(&self, up: bool) {
        if !self.removed.load(SeqCst) {
            self.tell_link_state(up);
        }
    }

    fn writable(&self) {
        self.drain();
    }
}

/// What is told of a link that does not know its rate: that of a plain Ethernet of today.
const SPEED_UNKNOWN_BPS: u64 = 1_000_000_000;
