//! The host: makes calls (RFC 2516 §5.1, §5.3, §5.5, §8).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use condis::runtime::Time;

use super::cookie::Key;
use super::host_uniq::{HostUniq, HostUniqs};
use super::rate::Bucket;
use super::session::{agreed_max_payload, error_text, padt, vendor_tags};
use super::{CloseCause, HostCounters, HostLimits, PPP_MAX_PAYLOAD_DEFAULT, Session};
use crate::pppoe::wire::{
    Code, Discovery, DiscoveryView, GrammarError, MacAddr, PADI_LEN_MAX, SessionId, Tag, Tags, TooLong,
    VendorTag, WireError, printable,
};

/// Names a call. The user chooses it; it is free again after `Failed` or `Closed`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallKey(pub u64);

/// What a call asks for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ServiceRequest {
    /// The service; empty is any.
    pub service_name: Vec<u8>,
    /// The concentrator, if it must be a certain one.
    pub ac_name: Option<Vec<u8>>,
    /// The longest PPP payload wanted, in octets. Asked for only where it is above [`PPP_MAX_PAYLOAD_DEFAULT`] and as
    /// far as the link allows it (RFC 4638).
    pub max_payload: Option<u16>,
    /// Vendor-Specific tags to send along, as an access node would add them.
    pub vendor: Vec<VendorTag>,
}

impl ServiceRequest {
    /// Any service of any concentrator.
    pub fn any() -> ServiceRequest {
        ServiceRequest::default()
    }

    /// This service, of any concentrator.
    pub fn named(service_name: &str) -> ServiceRequest {
        ServiceRequest { service_name: service_name.as_bytes().to_vec(), ..ServiceRequest::default() }
    }
}

/// Why a call cannot even begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeCallError {
    /// The key names a call already.
    #[error("call key {} is in use", .0.0)]
    KeyInUse(CallKey),
    /// [`HostLimits::calls_max`] calls are there.
    #[error("{max} calls are there already")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The PADI would leave a relay no room (RFC 2516 §5.1).
    #[error(transparent)]
    RequestTooLong(#[from] TooLong),
}

/// A command for a call that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no call has key {}", .0.0)]
pub struct NoSuchCall(pub CallKey);

/// Why a call did not come to a session.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// No acceptable PADO came.
    #[error("no offer after {padi_sent} PADIs")]
    NoOffer {
        /// PADIs sent since discovery last began.
        padi_sent: u32,
    },
    /// The chosen concentrator sent no PADS.
    #[error("no answer from {ac} after {padr_sent} PADRs")]
    NoConfirmation {
        /// The concentrator.
        ac: MacAddr,
        /// PADRs sent to it.
        padr_sent: u32,
    },
    /// The concentrator refused the service; with its text.
    #[error("service refused: {0}")]
    ServiceNameError(String),
    /// The concentrator could not; with its text.
    #[error("concentrator failed: {0}")]
    AcSystemError(String),
    /// The concentrator refused for another reason; with its text.
    #[error("refused: {0}")]
    GenericError(String),
    /// The PADS says what no PADS may say. If it named a session, that was ended.
    #[error("malformed PADS: {0}")]
    MalformedPads(GrammarError),
    /// The PADS names a session that another call has with this peer.
    #[error("session {0} is in use with this peer")]
    SessionIdInUse(SessionId),
    /// The user here closed the call.
    #[error("given up")]
    GivenUp,
    /// The link is gone.
    #[error("the network is gone")]
    NetworkGone,
}

/// What the driver has to do, or to tell its user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostOutput {
    /// Send a packet with EtherType 0x8863.
    Transmit {
        /// Where to.
        to: MacAddr,
        /// From VER and TYPE on, without padding.
        packet: Vec<u8>,
    },
    /// A call has its session.
    Connected {
        /// The call.
        call: CallKey,
        /// The session.
        session: Session,
    },
    /// A call came to nothing and is forgotten.
    Failed {
        /// The call.
        call: CallKey,
        /// Why.
        why: CallFailure,
    },
    /// A session is over, and its call forgotten.
    Closed {
        /// The call.
        call: CallKey,
        /// Why.
        why: CloseCause,
    },
}

/// What a host is told when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostConfig {
    /// Octets of payload that a frame of the link carries; 1500 on a plain Ethernet.
    pub link_mtu: u16,
    /// The bounds.
    pub limits: HostLimits,
}

impl Default for HostConfig {
    fn default() -> HostConfig {
        HostConfig { link_mtu: 1500, limits: HostLimits::default() }
    }
}

/// The host's machine: many calls at once, over one adapter. The contract is that of [the module](super).
///
/// Of the concentrators that answer a PADI, the first is taken that offers the service and has the name that the call
/// asks for; the others' PADOs are dropped.
pub struct Host {
    config: HostConfig,
    host_uniqs: HostUniqs,
    calls: BTreeMap<CallKey, Call>,
    by_uniq: BTreeMap<HostUniq, CallKey>,
    /// Id first, so that the sessions of one id are side by side.
    by_session: BTreeMap<(SessionId, MacAddr), CallKey>,
    /// One entry for each call that has a deadline.
    timers: BTreeSet<(Time, CallKey)>,
    padt_replies: Bucket,
    counters: HostCounters,
    outputs: VecDeque<HostOutput>,
}

struct Call {
    request: ServiceRequest,
    host_uniq: HostUniq,
    state: State,
}

/// Where a call stands.
#[derive(Clone)]
enum State {
    /// PADI is sent. From `make_call`, and from `Requesting` when the concentrator does not answer.
    Soliciting {
        round: u32,
        padi_sent: u32,
        deadline: Time,
        /// The last PADO that was an error: if nothing better comes, that is why the call fails.
        refusal: Option<CallFailure>,
    },
    /// PADR is sent. From `Soliciting`, by a PADO.
    Requesting { round: u32, offer: Offer, padr_sent: u32, deadline: Time },
    /// There is a session. From `Requesting`, by a PADS.
    Connected { session: Session },
}

/// A PADO that was taken up.
#[derive(Clone)]
struct Offer {
    ac: MacAddr,
    ac_name: Vec<u8>,
    padr: Vec<u8>,
}

impl State {
    fn deadline(&self) -> Option<Time> {
        match self {
            State::Soliciting { deadline, .. } | State::Requesting { deadline, .. } => Some(*deadline),
            State::Connected { .. } => None,
        }
    }
}

impl Host {
    /// A host without calls. From `seed` come its Host-Uniq tags: who knows it can forge answers.
    pub fn new(config: HostConfig, seed: Key) -> Host {
        Host {
            config,
            host_uniqs: HostUniqs::new(seed),
            calls: BTreeMap::new(),
            by_uniq: BTreeMap::new(),
            by_session: BTreeMap::new(),
            timers: BTreeSet::new(),
            padt_replies: Bucket::full(),
            counters: HostCounters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Begins a call: PADI goes out. It ends with `Connected` or `Failed`.
    ///
    /// # Errors
    /// [`MakeCallError`]; the call has not begun then, and no output comes of it.
    ///
    /// Source: RFC 2516 §5.1.
    pub fn make_call(
        &mut self,
        now: Time,
        call: CallKey,
        request: ServiceRequest,
    ) -> Result<(), MakeCallError> {
        let max = self.config.limits.calls_max;
        if self.calls.contains_key(&call) {
            return Err(MakeCallError::KeyInUse(call));
        }
        if self.calls.len() >= max {
            return Err(MakeCallError::TooMany { max });
        }
        let host_uniq = self.host_uniqs.make();
        let padi = self.padi(&request, host_uniq)?;
        let state = self.solicited(now, 1, 1, None);
        self.timers.extend(state.deadline().map(|deadline| (deadline, call)));
        self.by_uniq.insert(host_uniq, call);
        self.calls.insert(call, Call { request, host_uniq, state });
        self.counters.padi_sent += 1;
        self.transmit(MacAddr::BROADCAST, padi);
        Ok(())
    }

    /// Ends a call. Before it has a session it is given up (`Failed`), and nothing is sent; a PADS that comes later is
    /// answered with a PADT. With a session it is `Closed`, and a PADT goes out.
    ///
    /// # Errors
    /// [`NoSuchCall`]: it has ended already.
    ///
    /// Source: RFC 2516 §5.5.
    pub fn close_call(&mut self, _now: Time, call: CallKey) -> Result<(), NoSuchCall> {
        let ended = self.forget(call).ok_or(NoSuchCall(call))?;
        if let State::Connected { session } = ended.state {
            self.counters.padt_sent += 1;
            self.transmit(session.peer, session.padt());
            self.outputs.push_back(HostOutput::Closed { call, why: CloseCause::Local });
        } else {
            self.outputs.push_back(HostOutput::Failed { call, why: CallFailure::GivenUp });
        }
        Ok(())
    }

    /// Takes a packet of EtherType 0x8863: PADO, PADS, PADT. `to` is our own address or a group's.
    pub fn handle_packet(&mut self, now: Time, from: MacAddr, to: MacAddr, packet: &[u8]) {
        if from.is_group() {
            self.counters.dropped_source_not_unicast += 1;
            return;
        }
        let packet = match DiscoveryView::parse(packet) {
            Ok(packet) => packet,
            Err(WireError::UnknownCode(_)) => {
                self.counters.dropped_unknown_code += 1;
                return;
            }
            Err(_) => {
                self.counters.dropped_malformed += 1;
                return;
            }
        };
        match packet.code() {
            Code::Padi | Code::Padr => self.counters.dropped_not_for_host += 1,
            Code::Pado | Code::Pads | Code::Padt if to.is_group() => {
                self.counters.dropped_destination_not_unicast += 1;
            }
            Code::Pado => self.handle_pado(now, from, packet),
            Code::Pads => self.handle_pads(now, from, packet),
            Code::Padt => self.handle_padt(from, packet),
        }
    }

    /// Takes note of a session packet from `from` with an id that the driver has no session for, and answers with a
    /// PADT, within [`HostLimits::padt_replies`]: its PADT or ours was lost. A session that is there is left alone.
    pub fn handle_unknown_session(&mut self, now: Time, from: MacAddr, id: SessionId) {
        if from.is_group() {
            self.counters.unknown_session_not_unicast += 1;
        } else if self.by_session.contains_key(&(id, from)) {
            self.counters.unknown_session_known += 1;
        } else {
            self.reply_padt(now, from, id, None);
        }
    }

    /// Does what is due: retries, and failures of who got no answer.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(deadline, call)) = self.timers.first()
            && deadline <= now
        {
            self.timers.pop_first();
            self.call_timed_out(now, call);
        }
    }

    /// The link is gone: every call ends, and nothing is transmitted.
    pub fn handle_network_gone(&mut self, _now: Time) {
        self.outputs.retain(|output| !matches!(output, HostOutput::Transmit { .. }));
        let calls: Vec<CallKey> = self.calls.keys().copied().collect();
        for call in calls {
            let ended = self.forget(call).map(|ended| ended.state);
            self.outputs.push_back(match ended {
                Some(State::Connected { .. }) => HostOutput::Closed { call, why: CloseCause::NetworkGone },
                _ => HostOutput::Failed { call, why: CallFailure::NetworkGone },
            });
        }
    }

    /// When [`handle_timeout`](Host::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.first().map(|&(deadline, _)| deadline)
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<HostOutput> {
        self.outputs.pop_front()
    }

    /// What was counted so far.
    pub fn counters(&self) -> &HostCounters {
        &self.counters
    }

    /// The calls that have a session.
    pub fn sessions(&self) -> impl Iterator<Item = (CallKey, &Session)> {
        self.calls.iter().filter_map(|(&key, call)| match &call.state {
            State::Connected { session } => Some((key, session)),
            State::Soliciting { .. } | State::Requesting { .. } => None,
        })
    }

    /// How many calls there are, in any state.
    pub fn calls_len(&self) -> usize {
        self.calls.len()
    }

    /// PADO (RFC 2516 §5.2): taken up with a PADR if it suits a call that waits for one.
    fn handle_pado(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        let Some(host_uniq) = self.recognise(packet.tags()) else { return };
        let Some(&key) = self.by_uniq.get(&host_uniq) else {
            self.counters.dropped_pado_call_gone += 1;
            return;
        };
        let call = self.calls.get_mut(&key).expect("by_uniq names calls that are there");
        let State::Soliciting { round, refusal, .. } = &mut call.state else {
            self.counters.dropped_pado_late += 1;
            return;
        };
        let round = *round;
        if packet.check().is_err() {
            self.counters.dropped_ungrammatical += 1;
            return;
        }
        let tags = packet.tags();
        if let Some(failure) = refusal_of(tags) {
            *refusal = Some(failure);
            self.counters.dropped_pado_error += 1;
            return;
        }
        let Some(service_name) = chosen_service(&call.request, tags) else {
            self.counters.dropped_pado_other_service += 1;
            return;
        };
        let ac_name = tags.ac_name().unwrap_or_default();
        if call.request.ac_name.as_deref().is_some_and(|wanted| wanted != ac_name) {
            self.counters.dropped_pado_other_ac += 1;
            return;
        }
        let Ok(padr) = padr(&call.request, self.config.link_mtu, host_uniq, service_name, tags) else {
            self.counters.dropped_pado_too_long += 1;
            return;
        };
        self.counters.pado_taken += 1;
        self.request(now, key, round, Offer { ac: from, ac_name: ac_name.to_vec(), padr }, 1);
    }

    /// PADS (RFC 2516 §5.4): the session, or why there is none.
    fn handle_pads(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        let Some(host_uniq) = self.recognise(packet.tags()) else { return };
        let Some(&key) = self.by_uniq.get(&host_uniq) else {
            return self.pads_unwanted(now, from, packet);
        };
        let call = &self.calls[&key];
        let ac_name = match &call.state {
            State::Soliciting { .. } => return self.pads_unasked(now, from, packet),
            State::Connected { .. } => return self.pads_unwanted(now, from, packet),
            State::Requesting { offer, .. } if offer.ac != from => {
                self.counters.dropped_pads_wrong_mac += 1;
                return;
            }
            State::Requesting { offer, .. } => offer.ac_name.clone(),
        };
        match self.confirmed_session(from, ac_name, &call.request, packet) {
            Ok(session) => {
                self.by_session.insert((session.id, from), key);
                self.counters.sessions_connected += 1;
                self.enter(key, State::Connected { session: session.clone() });
                self.outputs.push_back(HostOutput::Connected { call: key, session });
            }
            Err(why) => {
                // An id beside a refusal, or in a PADS that makes no sense, may be a session over there. One that
                // another call has with this peer is not ours to end.
                if let Some(id) = packet.session_id()
                    && !self.by_session.contains_key(&(id, from))
                {
                    self.reply_padt(now, from, id, packet.tags().relay_session_id());
                }
                self.fail(key, why);
            }
        }
    }

    /// The session that a PADS from the right concentrator gives, or why it gives none.
    fn confirmed_session(
        &self,
        peer: MacAddr,
        ac_name: Vec<u8>,
        request: &ServiceRequest,
        packet: DiscoveryView<'_>,
    ) -> Result<Session, CallFailure> {
        packet.check().map_err(CallFailure::MalformedPads)?;
        let tags = packet.tags();
        if let Some(refusal) = refusal_of(tags) {
            return Err(refusal);
        }
        let no_id = CallFailure::MalformedPads(GrammarError::NoSessionId { code: Code::Pads });
        let id = packet.session_id().ok_or(no_id)?;
        if self.by_session.contains_key(&(id, peer)) {
            return Err(CallFailure::SessionIdInUse(id));
        }
        // What we did not ask for, the concentrator cannot grant (RFC 4638).
        let asked = agreed_max_payload(self.config.link_mtu, request.max_payload);
        let granted = asked
            .and_then(|asked| agreed_max_payload(self.config.link_mtu, Some(asked.min(tags.max_payload()?))));
        Ok(Session {
            peer,
            id,
            service_name: tags.service_names().next().unwrap_or_default().to_vec(),
            ac_name,
            max_payload: granted.unwrap_or(PPP_MAX_PAYLOAD_DEFAULT),
            host_uniq: tags.host_uniq().map(<[u8]>::to_vec),
            relay_session_id: tags.relay_session_id().map(<[u8]>::to_vec),
            vendor: vendor_tags(tags),
        })
    }

    /// A PADS for a call that has gone back to PADI: its concentrator was too slow, and is told so.
    fn pads_unasked(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        match packet.session_id() {
            Some(_) => self.pads_unwanted(now, from, packet),
            None => self.counters.dropped_pads_unasked += 1,
        }
    }

    /// A PADS with our Host-Uniq that no call waits for. If it brings a session that we do not have, the concentrator
    /// is told that nobody is there.
    fn pads_unwanted(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        match packet.session_id() {
            None => self.counters.dropped_pads_stale_refusal += 1,
            Some(id) if self.by_session.contains_key(&(id, from)) => {
                self.counters.dropped_pads_duplicate += 1
            }
            Some(id) => {
                self.counters.dropped_pads_unwanted += 1;
                self.reply_padt(now, from, id, packet.tags().relay_session_id());
            }
        }
    }

    /// PADT (RFC 2516 §5.5): the session is over, and not even a PPP termination may follow.
    fn handle_padt(&mut self, from: MacAddr, packet: DiscoveryView<'_>) {
        let (Ok(()), Some(id)) = (packet.check(), packet.session_id()) else {
            self.counters.dropped_ungrammatical += 1;
            return;
        };
        let Some(&call) = self.by_session.get(&(id, from)) else {
            let all_of_id = (id, MacAddr([0; 6]))..=(id, MacAddr::BROADCAST);
            match self.by_session.range(all_of_id).next() {
                Some(_) => self.counters.dropped_padt_wrong_mac += 1,
                None => self.counters.dropped_padt_unknown_session += 1,
            }
            return;
        };
        self.forget(call);
        self.counters.sessions_terminated_by_peer += 1;
        self.outputs.push_back(HostOutput::Closed {
            call,
            why: CloseCause::Peer { text: error_text(packet.tags()) },
        });
    }

    /// A call's deadline has come (RFC 2516 §8).
    fn call_timed_out(&mut self, now: Time, key: CallKey) {
        let HostLimits { padi_max, padr_max, rounds_max, .. } = self.config.limits;
        match self.calls[&key].state.clone() {
            State::Soliciting { round, padi_sent, refusal, .. } if padi_sent < padi_max => {
                self.solicit(now, key, round, padi_sent + 1, refusal);
            }
            State::Soliciting { padi_sent, refusal, .. } => {
                self.fail(key, refusal.unwrap_or(CallFailure::NoOffer { padi_sent }));
            }
            State::Requesting { round, offer, padr_sent, .. } if padr_sent < padr_max => {
                self.request(now, key, round, offer, padr_sent + 1);
            }
            State::Requesting { round, .. } if round < rounds_max => {
                self.solicit(now, key, round + 1, 1, None)
            }
            State::Requesting { offer, padr_sent, .. } => {
                self.fail(key, CallFailure::NoConfirmation { ac: offer.ac, padr_sent });
            }
            // Not armed here.
            State::Connected { .. } => {}
        }
    }

    /// Sends a PADI again; `padi_sent` counts it.
    fn solicit(&mut self, now: Time, key: CallKey, round: u32, padi_sent: u32, refusal: Option<CallFailure>) {
        let call = &self.calls[&key];
        let padi = self.padi(&call.request, call.host_uniq).expect("it was as long the first time");
        self.counters.padi_sent += 1;
        self.transmit(MacAddr::BROADCAST, padi);
        self.enter(key, self.solicited(now, round, padi_sent, refusal));
    }

    /// Sends a PADR; `padr_sent` counts it.
    fn request(&mut self, now: Time, key: CallKey, round: u32, offer: Offer, padr_sent: u32) {
        self.counters.padr_sent += 1;
        self.transmit(offer.ac, offer.padr.clone());
        let deadline = now.after(self.pause_after(padr_sent));
        self.enter(key, State::Requesting { round, offer, padr_sent, deadline });
    }

    /// The only place where a call that is there changes its state; its timer follows.
    fn enter(&mut self, key: CallKey, state: State) {
        let call = self.calls.get_mut(&key).expect("a call that changes its state is there");
        if let Some(deadline) = call.state.deadline() {
            self.timers.remove(&(deadline, key));
        }
        self.timers.extend(state.deadline().map(|deadline| (deadline, key)));
        call.state = state;
    }

    fn fail(&mut self, call: CallKey, why: CallFailure) {
        self.forget(call);
        self.outputs.push_back(HostOutput::Failed { call, why });
    }

    /// Takes a call out of every table.
    fn forget(&mut self, key: CallKey) -> Option<Call> {
        let call = self.calls.remove(&key)?;
        self.by_uniq.remove(&call.host_uniq);
        if let Some(deadline) = call.state.deadline() {
            self.timers.remove(&(deadline, key));
        }
        if let State::Connected { session } = &call.state {
            self.by_session.remove(&(session.id, session.peer));
        }
        Some(call)
    }

    /// The Host-Uniq of a PADO or PADS, if it is one of ours.
    fn recognise(&mut self, tags: Tags<'_>) -> Option<HostUniq> {
        let Some(value) = tags.host_uniq() else {
            self.counters.dropped_host_uniq_missing += 1;
            return None;
        };
        let host_uniq = self.host_uniqs.recognise(value);
        if host_uniq.is_none() {
            self.counters.dropped_host_uniq_foreign += 1;
        }
        host_uniq
    }

    /// Tells a peer that we have no such session.
    fn reply_padt(&mut self, now: Time, to: MacAddr, id: SessionId, relay_session_id: Option<&[u8]>) {
        if !self.padt_replies.take(now, self.config.limits.padt_replies) {
            self.counters.padt_replies_suppressed += 1;
            return;
        }
        self.counters.padt_replies_sent += 1;
        self.transmit(to, padt(id, relay_session_id));
    }

    fn transmit(&mut self, to: MacAddr, packet: Vec<u8>) {
        self.outputs.push_back(HostOutput::Transmit { to, packet });
    }

    /// PADI (RFC 2516 §5.1).
    fn padi(&self, request: &ServiceRequest, host_uniq: HostUniq) -> Result<Vec<u8>, TooLong> {
        let vendor: Vec<Vec<u8>> = request.vendor.iter().map(VendorTag::encode).collect();
        let padi = Discovery::new(Code::Padi, None)
            .with(Tag::ServiceName(&request.service_name))
            .with(Tag::HostUniq(host_uniq.octets()))
            .with_all(agreed_max_payload(self.config.link_mtu, request.max_payload).map(Tag::PppMaxPayload))
            .with_all(vendor.iter().map(|value| Tag::VendorSpecific(value)));
        match padi.encoded_len() {
            len if len > PADI_LEN_MAX => Err(TooLong { len, max: PADI_LEN_MAX }),
            _ => padi.encode(),
        }
    }

    fn solicited(&self, now: Time, round: u32, padi_sent: u32, refusal: Option<CallFailure>) -> State {
        State::Soliciting { round, padi_sent, deadline: now.after(self.pause_after(padi_sent)), refusal }
    }

    /// The pause after the `sent`th packet of its kind: doubled each time (RFC 2516 §8).
    fn pause_after(&self, sent: u32) -> Duration {
        let doublings = sent.saturating_sub(1).min(16);
        self.config.limits.retry_after.saturating_mul(1 << doublings)
    }
}

/// PADR (RFC 2516 §5.3): the service, and what concentrator and relay want back.
fn padr(
    request: &ServiceRequest,
    link_mtu: u16,
    host_uniq: HostUniq,
    service_name: &[u8],
    pado: Tags<'_>,
) -> Result<Vec<u8>, TooLong> {
    let vendor: Vec<Vec<u8>> = request.vendor.iter().map(VendorTag::encode).collect();
    Discovery::new(Code::Padr, None)
        .with(Tag::ServiceName(service_name))
        .with(Tag::HostUniq(host_uniq.octets()))
        .with_all(pado.ac_cookie().map(Tag::AcCookie))
        .with_all(pado.relay_session_id().map(Tag::RelaySessionId))
        .with_all(agreed_max_payload(link_mtu, request.max_payload).map(Tag::PppMaxPayload))
        .with_all(vendor.iter().map(|value| Tag::VendorSpecific(value)))
        .encode()
}

/// The service of a PADO to ask for: the one that the call names; or, if any will do, the first.
fn chosen_service<'a>(request: &ServiceRequest, pado: Tags<'a>) -> Option<&'a [u8]> {
    let wanted = &request.service_name[..];
    pado.service_names().find(|&name| wanted.is_empty() || name == wanted)
}

/// The failure that an error tag says, if there is one (RFC 2516 Appendix A).
fn refusal_of(tags: Tags<'_>) -> Option<CallFailure> {
    match tags.error()? {
        Tag::ServiceNameError(text) => Some(CallFailure::ServiceNameError(printable(text))),
        Tag::AcSystemError(text) => Some(CallFailure::AcSystemError(printable(text))),
        Tag::GenericError(text) => Some(CallFailure::GenericError(printable(text))),
        _ => None,
    }
}
