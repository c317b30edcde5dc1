//! What the engine knows, and the one place where it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use condis::af::HeldAf;
use condis::driver::Made;
use condis::engine::Machine;
use condis::params::{CallFlags, CallManagerParams, CallParams, CloseData};
use condis::runtime::{Runtime, Time};
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{CloseAf, Pended, Refused};
use condis::trace::ObjectId;
use condis::vc::OwnedVc;

use super::record::{Make, Ndis, Network, Path, Record, Side};
use super::{Effect, Input, LegKey, Model, draw_key};
use crate::pppoe::discovery::{
    CallKey, Concentrator, ConcentratorOutput, Host, HostOutput, Key, ServiceKey, Session, SessionKey,
};
use crate::pppoe::driver::config::{EngineCounters, PppoeConfig, PppoeCounters, Snapshot};
use crate::pppoe::driver::flow_params::FlowParams;
use crate::pppoe::driver::params::{CallTarget, IncomingHost};
use crate::pppoe::driver::status;
use crate::pppoe::wire::{Code, MacAddr, PacketView, SessionId};

type Effects<M> = VecDeque<Effect<M>>;

/// A SAP, with the address family of the client that registered it.
pub(super) type Registered<M> = (HeldAf<<M as Model>::Role>, HeldSap<<M as Model>::Role>);

/// A session that was offered by the machine, before its VC is made.
struct Unmade<M: Model> {
    proposed: Session,
    sap: HeldSap<M::Role>,
    af: ObjectId,
}

/// The keys that the concentrator's cookies are made with.
struct CookieKeys {
    /// How long one is used.
    period: Duration,
    /// Since when the one in use is.
    since: Time,
    /// The one after it; nothing while it is being drawn.
    next: Option<Key>,
}

/// How long AC-Cookies are made with one key. An hour: who finds a key by trying has a hundred and twenty-eight bits to try meanwhile, and one
/// that leaks is soon good for nothing.
const COOKIE_KEY_PERIOD: Duration = Duration::from_secs(3_600);

pub(super) struct State<M: Model> {
    host: Host,
    pub(super) concentrator: Option<Concentrator>,
    cookie_keys: CookieKeys,
    vlan: Option<u16>,
    records: BTreeMap<LegKey, Record<M>>,
    by_session: BTreeMap<SessionKey, LegKey>,
    /// Sessions that were offered by the machine and have no VC yet.
    unmade: BTreeMap<SessionKey, Unmade<M>>,
    /// VCs that are being deleted, with their address families.
    doomed: BTreeMap<LegKey, ObjectId>,
    /// Address families whose clients wait for the end of their close.
    closing: Vec<(HeldAf<M::Role>, Pended<CloseAf>)>,
    /// The host's sessions, so that the concentrator does not take them for unknown.
    host_sessions: BTreeSet<(MacAddr, SessionId)>,
    pub(super) saps: BTreeMap<ServiceKey, Registered<M>>,
    /// No more calls: the adapter is going away.
    leaving: bool,
    link_up: bool,
    pub(super) counters: EngineCounters,
    published: Snapshot,
    to: PppoeCounters,
}

impl<M: Model> State<M> {
    pub(super) fn new(
        config: &PppoeConfig,
        mtu_octets: usize,
        runtime: &dyn Runtime,
        to: PppoeCounters,
    ) -> State<M> {
        let mtu = u16::try_from(mtu_octets).unwrap_or(u16::MAX);
        let mut host = config.host.clone();
        host.link_mtu = host.link_mtu.min(mtu);
        let host = Host::new(host, draw_key(runtime));
        let cookie_life = config.concentrator.as_ref().map(|config| config.limits.cookie_lifetime);
        let cookie_keys = CookieKeys {
            // Two keys are known, so none changes while a cookie of the last but one is young.
            period: COOKIE_KEY_PERIOD.max(cookie_life.unwrap_or_default()),
            since: runtime.now(),
            next: cookie_life.map(|_| draw_key(runtime)),
        };
        let concentrator = config.concentrator.clone().map(|mut concentrator| {
            concentrator.link_mtu = concentrator.link_mtu.min(mtu);
            Concentrator::new(concentrator, draw_key(runtime))
        });
        State {
            host,
            concentrator,
            cookie_keys,
            vlan: config.vlan,
            records: BTreeMap::new(),
            by_session: BTreeMap::new(),
            unmade: BTreeMap::new(),
            doomed: BTreeMap::new(),
            closing: Vec::new(),
            host_sessions: BTreeSet::new(),
            saps: BTreeMap::new(),
            leaving: false,
            link_up: true,
            counters: EngineCounters::default(),
            published: Snapshot::default(),
            to,
        }
    }

    /// Tells what has been counted.
    pub(super) fn publish(&mut self) {
        let snapshot = Snapshot {
            host: *self.host.counters(),
            concentrator: self.concentrator.as_ref().map(|side| *side.counters()),
            engine: self.counters,
        };
        self.to.publish(&mut self.published, snapshot);
    }

    /// Address families whose client waits, and on which nothing of ours is left.
    fn close_afs(&mut self, effects: &mut Effects<M>) {
        for (af, pended) in std::mem::take(&mut self.closing) {
            let id = af.at().id();
            let of_records = self.records.values().filter_map(|record| record.owner.as_ref());
            let in_use =
                of_records.map(|(owner_af, _)| owner_af).chain(self.doomed.values()).any(|af| *af == id)
                    || self.unmade.values().any(|unmade| unmade.af == id);
            if in_use {
                self.closing.push((af, pended));
            } else {
                effects.push_back(Effect::AfClosed { af, pended });
            }
        }
    }

    /// Takes what the machines have to say, until both are silent.
    fn poll(&mut self, now: Time, effects: &mut Effects<M>) {
        loop {
            if let Some(output) = self.host.poll_output() {
                self.host_output(now, output, effects);
            } else if let Some(output) = self.concentrator.as_mut().and_then(Concentrator::poll_output) {
                self.concentrator_output(now, output, effects);
            } else {
                return;
            }
        }
    }

    fn host_output(&mut self, now: Time, output: HostOutput, effects: &mut Effects<M>) {
        match output {
            HostOutput::Transmit { to, packet } => effects.push_back(Effect::Transmit { to, packet }),
            HostOutput::Connected { call, session } => {
                self.host_sessions.insert((session.peer, session.id));
                let leg = LegKey(call.0);
                if let Some(record) = self.records.get_mut(&leg) {
                    (record.network, record.session) = (Network::Session, Some(session));
                    self.advance(now, leg, effects);
                }
            }
            HostOutput::Failed { call, why } => {
                self.over(now, LegKey(call.0), status::of_failure(&why), CloseData::new(), effects);
            }
            HostOutput::Closed { call, why } => {
                let (status, data) = status::of_close(why);
                self.over(now, LegKey(call.0), status, data, effects);
            }
        }
    }

    fn concentrator_output(&mut self, now: Time, output: ConcentratorOutput, effects: &mut Effects<M>) {
        match output {
            ConcentratorOutput::Transmit { to, packet } => {
                effects.push_back(Effect::Transmit { to, packet });
            }
            ConcentratorOutput::Offered { session, service, proposed } => match self.saps.get(&service) {
                Some((af, sap)) if !self.leaving => {
                    self.counters.calls_offered += 1;
                    self.unmade.insert(session, Unmade { proposed, sap: sap.clone(), af: af.at().id() });
                    effects.push_back(Effect::MakeOffer { session, af: af.clone() });
                }
                Some(_) => self.reject(now, session, NdisStatus::CLOSING),
                None => self.reject(now, session, NdisStatus::INVALID_SAP),
            },
            ConcentratorOutput::Aborted { session, why } => {
                self.unmade.remove(&session);
                self.session_over(now, session, status::of_abort(why), CloseData::new(), effects);
            }
            ConcentratorOutput::Connected { session, details } => {
                if let Some(&leg) = self.by_session.get(&session)
                    && let Some(record) = self.records.get_mut(&leg)
                {
                    (record.network, record.session) = (Network::Session, Some(details));
                    self.advance(now, leg, effects);
                }
            }
            ConcentratorOutput::Closed { session, why } => {
                let (status, data) = status::of_close(why);
                self.session_over(now, session, status, data, effects);
            }
        }
    }

    // Inputs

    fn make(&mut self, now: Time, leg: LegKey, make: Make<M>, effects: &mut Effects<M>) {
        if let Some(record) = self.records.get_mut(&leg) {
            // NDIS takes the call for over; the path is not quite.
            record.next = Some(make);
            return;
        }
        let Make { vc, data, params, request, pended } = make;
        let begun = if self.leaving {
            Err(NdisStatus::CLOSING)
        } else {
            self.host.make_call(now, CallKey(leg.0), request).map_err(|why| status::of_make_call(&why))
        };
        match begun {
            Ok(()) => {
                self.counters.calls_made += 1;
                let record = Record {
                    vc,
                    data,
                    side: Side::Host,
                    network: Network::Setup,
                    path: Path::Inactive,
                    ndis: Ndis::Making(pended, params),
                    session: None,
                    owner: None,
                    next: None,
                };
                self.records.insert(leg, record);
            }
            Err(status) => {
                let result = Err(Refused::with(status, params));
                effects.extend([Effect::MakeDone { pended, result }, Effect::LetGo { vc }]);
            }
        }
    }

    fn offer_made(
        &mut self,
        now: Time,
        leg: LegKey,
        session: SessionKey,
        made: Result<OwnedVc<M::Role>, NdisStatus>,
        data: M::Data,
        effects: &mut Effects<M>,
    ) {
        match (made, self.unmade.remove(&session)) {
            (Ok(owner), Some(Unmade { proposed, sap, af })) => {
                let vc = owner.keep();
                let params = IncomingHost::of(&proposed).to_params();
                effects.push_back(Effect::Offer { leg, vc: vc.clone(), sap, params });
                self.by_session.insert(session, leg);
                let record = Record {
                    vc,
                    data,
                    side: Side::Concentrator(session),
                    network: Network::Setup,
                    path: Path::Inactive,
                    ndis: Ndis::Offered,
                    session: Some(proposed),
                    owner: Some((af, owner)),
                    next: None,
                };
                self.records.insert(leg, record);
            }
            (Ok(owner), None) => effects.push_back(Effect::Delete { leg, owner }),
            (Err(status), Some(_)) => self.reject(now, session, status),
            (Err(_), None) => {}
        }
    }

    fn offer_answered(
        &mut self,
        now: Time,
        leg: LegKey,
        result: Result<(), NdisStatus>,
        effects: &mut Effects<M>,
    ) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        match (&record.ndis, result) {
            (Ndis::Offered, Ok(())) => {
                record.ndis = Ndis::Accepted;
                self.advance(now, leg, effects);
            }
            (Ndis::OfferTakenBack, Ok(())) => record.ndis = Ndis::RemoteClosed,
            (Ndis::Offered, Err(status)) => {
                if let Side::Concentrator(session) = record.side {
                    self.reject(now, session, status);
                }
                self.forget(leg, effects);
            }
            (Ndis::OfferTakenBack, Err(_)) => self.forget(leg, effects),
            // The client closed meanwhile: its answer changes nothing, but it was owed (CO-147).
            (Ndis::Closing { .. }, _) => {
                if let Ndis::Closing { answer_owed, .. } = &mut record.ndis {
                    *answer_owed = false;
                }
                self.advance(now, leg, effects);
            }
            (Ndis::Making(..) | Ndis::Accepted | Ndis::Connected | Ndis::RemoteClosed, _) => {}
        }
    }

    fn activated(
        &mut self,
        now: Time,
        leg: LegKey,
        result: Result<(), NdisStatus>,
        effects: &mut Effects<M>,
    ) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        record.path = if result.is_ok() { Path::Active } else { Path::Inactive };
        if let Err(status) = result {
            self.counters.activations_refused += 1;
            self.end_session(now, leg, status);
        }
        self.advance(now, leg, effects);
    }

    /// The key of the cookies changes with the first packet after its period, before that is looked at: an adapter on which nobody speaks needs
    /// no timer.
    fn rotate_cookie_key(&mut self, now: Time, effects: &mut Effects<M>) {
        let Some(concentrator) = &mut self.concentrator else { return };
        let keys = &mut self.cookie_keys;
        if now < keys.since.after(keys.period) {
            return;
        }
        if let Some(key) = keys.next.take() {
            concentrator.rotate_key(now, key);
            keys.since = now;
            effects.push_back(Effect::DrawKey);
        }
    }

    fn unknown_session(&mut self, now: Time, from: MacAddr, id: SessionId) {
        match &mut self.concentrator {
            _ if self.host_sessions.contains(&(from, id)) => self.counters.session_not_ready += 1,
            Some(concentrator) => concentrator.handle_unknown_session(now, from, id),
            None => self.host.handle_unknown_session(now, from, id),
        }
    }

    fn network_gone(&mut self, now: Time, effects: &mut Effects<M>) {
        self.host.handle_network_gone(now);
        if let Some(concentrator) = &mut self.concentrator {
            concentrator.handle_network_gone(now);
        }
        self.poll(now, effects);
        // Those whose peers were told before that we leave: now their clients are, too.
        let legs: Vec<LegKey> = self.records.keys().copied().collect();
        for leg in legs {
            self.advance(now, leg, effects);
        }
    }

    /// Ends every session at the machines, and tells no client.
    fn leave(&mut self, now: Time) {
        self.leaving = true;
        let legs: Vec<LegKey> = self.records.keys().copied().collect();
        for leg in legs {
            if matches!(self.records[&leg].network, Network::Session) {
                self.end_session(now, leg, NdisStatus::MEDIA_DISCONNECTED);
            }
        }
    }

    // What follows

    /// The machine is through with a call.
    fn over(
        &mut self,
        now: Time,
        leg: LegKey,
        status: NdisStatus,
        data: CloseData,
        effects: &mut Effects<M>,
    ) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        if let (Side::Host, Some(session)) = (record.side, &record.session) {
            self.host_sessions.remove(&(session.peer, session.id));
        }
        // If we ended it ourselves, who did knows more.
        if !matches!(record.network, Network::Over(..)) {
            record.network = Network::Over(status, data);
            self.advance(now, leg, effects);
        }
    }

    fn session_over(
        &mut self,
        now: Time,
        session: SessionKey,
        status: NdisStatus,
        data: CloseData,
        effects: &mut Effects<M>,
    ) {
        if let Some(leg) = self.by_session.remove(&session) {
            self.over(now, leg, status, data, effects);
        }
    }

    fn reject(&mut self, now: Time, session: SessionKey, status: NdisStatus) {
        if let Some(concentrator) = &mut self.concentrator {
            // Taken back meanwhile: then there is nothing to reject.
            let _ = concentrator.reject(now, session, &status::rejection(status));
        }
    }

    /// Ends a call at its machine, wherever it stands there. `status` is what the client hears of it, if anything.
    fn end_session(&mut self, now: Time, leg: LegKey, status: NdisStatus) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let before = std::mem::replace(&mut record.network, Network::Over(status, CloseData::new()));
        match (before, record.side) {
            (over @ Network::Over(..), _) => record.network = over,
            (Network::Setup | Network::Session, Side::Host) => {
                // It has the call: it says so when it has not.
                let _ = self.host.close_call(now, CallKey(leg.0));
            }
            (Network::Setup, Side::Concentrator(session)) => self.reject(now, session, status),
            (Network::Session, Side::Concentrator(session)) => {
                if let Some(concentrator) = &mut self.concentrator {
                    let _ = concentrator.close(now, session);
                }
            }
        }
    }

    /// Does what a call needs next, as it stands.
    fn advance(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        match (&record.ndis, &record.network, record.path) {
            // Out: the session is there, then the path, then the call.
            (Ndis::Making(..), Network::Setup, _) => {}
            (Ndis::Making(..), Network::Session, Path::Inactive) => self.activate(leg, effects),
            (Ndis::Making(..), Network::Session, Path::Active) => self.made(leg, effects),
            (Ndis::Making(..), Network::Over(..), Path::Active) => self.deactivate(leg, effects),
            (Ndis::Making(..), Network::Over(status, _), Path::Inactive) => {
                // A session that the peer ended before the path was there: for the client, a call that never was.
                let status = match *status {
                    NdisStatus::SUCCESS => NdisStatus::DEST_OUT_OF_ORDER,
                    failure => failure,
                };
                if let Ndis::Making(pended, params) = std::mem::replace(&mut record.ndis, Ndis::RemoteClosed)
                {
                    let result = Err(Refused::with(status, params));
                    effects.push_back(Effect::MakeDone { pended, result });
                }
                self.forget(leg, effects);
            }
            (Ndis::Making(..), _, Path::Activating | Path::Deactivating) => {}
            // In: the path is there, then the session, then the call.
            (Ndis::Offered, Network::Over(..), _) => {
                self.tell_remote_close(leg, Ndis::OfferTakenBack, effects)
            }
            (Ndis::Offered | Ndis::OfferTakenBack, ..) => {}
            (Ndis::Accepted, Network::Setup, Path::Inactive) => self.activate(leg, effects),
            (Ndis::Accepted, Network::Setup, Path::Active) => {
                if let (Side::Concentrator(session), Some(concentrator)) =
                    (record.side, &mut self.concentrator)
                {
                    // Taken back meanwhile: then that is what comes next.
                    let _ = concentrator.accept(now, session);
                }
            }
            (Ndis::Accepted, Network::Session, Path::Active) => {
                record.ndis = Ndis::Connected;
                effects.push_back(Effect::Connected { vc: record.vc.clone() });
            }
            (Ndis::Accepted | Ndis::Connected, Network::Over(..), _) => {
                self.tell_remote_close(leg, Ndis::RemoteClosed, effects);
            }
            (Ndis::Accepted | Ndis::Connected | Ndis::RemoteClosed, ..) => {}
            (Ndis::Closing { .. }, ..) => self.close(now, leg, effects),
        }
    }

    /// The client's close: signal, deactivate, complete. NDIS tells the client once the VC is inactive and drained.
    fn close(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        self.end_session(now, leg, NdisStatus::REQUEST_ABORTED);
        // What the machine says goes out before the rest is done.
        self.poll(now, effects);
        let Some(record) = self.records.get_mut(&leg) else { return };
        match record.path {
            Path::Activating => return,
            Path::Active => self.deactivate(leg, effects),
            Path::Inactive | Path::Deactivating => {}
        }
        let Some(record) = self.records.get_mut(&leg) else { return };
        let Ndis::Closing { pended, answer_owed } = &mut record.ndis else { return };
        if let Some(pended) = pended.take() {
            effects.push_back(Effect::CloseDone { pended });
        }
        if record.path == Path::Inactive && !*answer_owed {
            self.forget(leg, effects);
        }
    }

    fn activate(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let Some(session) = &record.session else { return };
        record.path = Path::Activating;
        let params = flow(session, self.vlan).to_params();
        let (vc, data) = (record.vc.clone(), record.data.clone());
        effects.push_back(Effect::Activate { leg, vc, data, params });
    }

    fn deactivate(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        record.path = Path::Deactivating;
        let (vc, data) = (record.vc.clone(), record.data.clone());
        effects.push_back(Effect::Deactivate { leg, vc, data });
    }

    fn made(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let Some(session) = &record.session else { return };
        if let Ndis::Making(pended, params) = std::mem::replace(&mut record.ndis, Ndis::Connected) {
            let result = Ok(Made::with(agreed(params, session, self.vlan)));
            effects.push_back(Effect::MakeDone { pended, result });
        }
    }

    fn tell_remote_close(&mut self, leg: LegKey, then: Ndis, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        record.ndis = then;
        if let Network::Over(status, data) = &record.network {
            let (vc, status, data) = (record.vc.clone(), *status, data.clone());
            effects.push_back(Effect::RemoteClosed { vc, status, data });
        }
    }

    /// Nothing is left of a call.
    fn forget(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.remove(&leg) else { return };
        if let Side::Concentrator(session) = record.side {
            self.by_session.remove(&session);
        }
        effects.push_back(Effect::LetGo { vc: record.vc });
        if let Some((af, owner)) = record.owner {
            self.doomed.insert(leg, af);
            effects.push_back(Effect::Delete { leg, owner });
        }
        if let Some(make) = record.next {
            effects.push_back(Effect::Again { leg, make });
        }
    }
}

impl<M: Model> Machine for State<M> {
    type Input = Input<M>;
    type Effect = Effect<M>;

    fn handle(&mut self, now: Time, input: Input<M>, effects: &mut Effects<M>) {
        match input {
            Input::Packet { from, to, packet } => {
                self.rotate_cookie_key(now, effects);
                // A concentrator hears what hosts say, a host what concentrators say; an end may be of either's session.
                let code = PacketView::parse(&packet).ok().and_then(|view| Code::from_u8(view.header().code));
                if !matches!(code, Some(Code::Padi | Code::Padr)) || self.concentrator.is_none() {
                    self.host.handle_packet(now, from, to, &packet);
                }
                if let Some(concentrator) = &mut self.concentrator
                    && !matches!(code, Some(Code::Pado | Code::Pads))
                {
                    concentrator.handle_packet(now, from, to, &packet);
                }
            }
            Input::UnknownSession { from, id } => self.unknown_session(now, from, id),
            Input::Timer => {
                self.host.handle_timeout(now);
                if let Some(concentrator) = &mut self.concentrator {
                    concentrator.handle_timeout(now);
                }
            }
            // Told twice, by the miniport and by a send that came back: once is enough.
            Input::Link { up } if up == self.link_up => {}
            Input::Link { up } => {
                self.link_up = up;
                effects.push_back(Effect::Signaling { enabled: up });
                if !up {
                    self.network_gone(now, effects);
                }
            }
            Input::Leave => self.leave(now),
            Input::Gone => {
                self.leaving = true;
                self.network_gone(now, effects);
            }
            Input::Make { leg, make } => self.make(now, leg, make, effects),
            Input::Close { leg, pended } => match self.records.get_mut(&leg) {
                Some(record) => {
                    let answer_owed = matches!(record.ndis, Ndis::Offered | Ndis::OfferTakenBack);
                    let closing = Ndis::Closing { pended: Some(pended), answer_owed };
                    let before = std::mem::replace(&mut record.ndis, closing);
                    // The make-call is answered first, the close then (CO-128).
                    if let Ndis::Making(pended, params) = before {
                        let result = Err(Refused::with(NdisStatus::REQUEST_ABORTED, params));
                        effects.push_back(Effect::MakeDone { pended, result });
                    }
                    self.advance(now, leg, effects);
                }
                None => effects.push_back(Effect::CloseDone { pended }),
            },
            Input::OfferMade { leg, session, made, data } => {
                self.offer_made(now, leg, session, made, data, effects);
            }
            Input::OfferAnswered { leg, result } => self.offer_answered(now, leg, result, effects),
            Input::Activated { leg, result } => self.activated(now, leg, result, effects),
            Input::Deleted { leg } => drop(self.doomed.remove(&leg)),
            Input::CloseAf { af, pended } => self.closing.push((af, pended)),
            Input::KeyDrawn { key } => self.cookie_keys.next = Some(key),
            Input::Deactivated { leg } => {
                if let Some(record) = self.records.get_mut(&leg) {
                    record.path = Path::Inactive;
                    self.advance(now, leg, effects);
                }
            }
        }
        self.poll(now, effects);
        self.close_afs(effects);
    }

    fn next_timeout(&self) -> Option<Time> {
        let concentrator = self.concentrator.as_ref().and_then(Concentrator::next_timeout);
        self.host.next_timeout().into_iter().chain(concentrator).min()
    }

    fn timer() -> Input<M> {
        Input::Timer
    }

    fn rest(&mut self) {
        self.publish();
    }
}

/// The flow of a session. PPP's protocol field counts among the SDU, and not among the payload that was agreed on.
fn flow(session: &Session, vlan: Option<u16>) -> FlowParams {
    FlowParams {
        vlan,
        sdu_octets_max: Some(session.max_payload.saturating_add(PPP_PROTOCOL_LEN)),
        ..FlowParams::session(session.peer, session.id)
    }
}

/// The parameters in force: what was agreed on, and the flow. Changed, if the client asked for something else (CO-122).
fn agreed(mut params: CallParams, session: &Session, vlan: Option<u16>) -> CallParams {
    let specific = CallTarget::agreed(session).to_specific();
    let manager = params.manager.get_or_insert_with(|| Box::new(CallManagerParams::default()));
    if manager.specific != specific {
        manager.specific = specific;
        params.flags |= CallFlags::CALL_PARAMETERS_CHANGED;
    }
    params.media = Some(Box::new(flow(session, vlan).to_media()));
    params
}

/// Octets of the protocol field in front of a PPP payload (RFC 1661 §2, uncompressed).
const PPP_PROTOCOL_LEN: u16 = 2;
