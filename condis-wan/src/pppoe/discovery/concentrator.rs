//! The access concentrator: takes calls (RFC 2516 §5.2, §5.4, §5.5, §9).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use condis::runtime::Time;

use super::cookie::{Cookie, CookieError, CookieJar, Key};
use super::handshakes::{Fate, Handshake, Handshakes};
use super::rate::{Exceeded, RateTable};
use super::services::Services;
use super::session::{agreed_max_payload, error_text, padt, vendor_tags};
use super::session_ids::SessionIds;
use super::{
    CloseCause, ConcentratorCounters, ConcentratorLimits, OfferError, PPP_MAX_PAYLOAD_DEFAULT, Session,
};
use crate::pppoe::wire::{
    Code, DISCOVERY_LEN_MAX, Discovery, DiscoveryView, MacAddr, SessionId, Tag, WireError,
};

/// Names a service that is offered. The user chooses it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServiceKey(pub u64);

/// Names a session of the concentrator, from its offer on. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionKey(pub u64);

/// Why the user does not want a session: the error tag of the PADS, and text for people (RFC 2516 Appendix A).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// Service-Name-Error: this service cannot be had.
    Service(String),
    /// AC-System-Error: there is no room, or something is broken here.
    System(String),
    /// Generic-Error: anything else.
    Generic(String),
}

impl Rejection {
    /// The error tag with the first `len_max` octets of the text, in whole characters.
    fn tag(&self, len_max: usize) -> Tag<'_> {
        let cut = |text: &'_ str| (0..=len_max).rev().find(|&len| text.is_char_boundary(len)).unwrap_or(0);
        match self {
            Rejection::Service(text) => Tag::ServiceNameError(&text.as_bytes()[..cut(text)]),
            Rejection::System(text) => Tag::AcSystemError(&text.as_bytes()[..cut(text)]),
            Rejection::Generic(text) => Tag::GenericError(&text.as_bytes()[..cut(text)]),
        }
    }
}

/// Why an offer was taken back before the user had answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AbortReason {
    /// No PADR came again for [`ConcentratorLimits::offer_patience`].
    HostSilent,
    /// The host began anew, with the same Host-Uniq and a newer PADO.
    HostStartedOver,
    /// The link is gone.
    NetworkGone,
}

/// A command for a session that is not there, or not in the state for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session has ended, or never was.
    #[error("no session has key {}", .0.0)]
    NoSuchSession(SessionKey),
    /// The session waits for no answer: it is connected.
    #[error("session {} is connected already", .0.0)]
    NotOffered(SessionKey),
    /// The session is not connected: it waits for an answer.
    #[error("session {} is not connected", .0.0)]
    NotConnected(SessionKey),
}

/// What the driver has to do, or to tell its user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConcentratorOutput {
    /// Send a packet with EtherType 0x8863.
    Transmit {
        /// Where to.
        to: MacAddr,
        /// From VER and TYPE on, without padding.
        packet: Vec<u8>,
    },
    /// A host wants a session: to be answered with `accept` or `reject`.
    Offered {
        /// The session.
        session: SessionKey,
        /// The service that it asks for.
        service: ServiceKey,
        /// The session as it will be when it is accepted: host, id, payload, line tags.
        proposed: Session,
    },
    /// An offer is taken back; the answer is not wanted any more.
    Aborted {
        /// The session.
        session: SessionKey,
        /// Why.
        why: AbortReason,
    },
    /// An accepted session is there.
    Connected {
        /// The session.
        session: SessionKey,
        /// What was agreed on.
        details: Session,
    },
    /// A session is over.
    Closed {
        /// The session.
        session: SessionKey,
        /// Why.
        why: CloseCause,
    },
}

/// What a concentrator is told when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcentratorConfig {
    /// Its AC-Name, by which hosts tell it from others; at most 255 octets are used.
    pub ac_name: Vec<u8>,
    /// Octets of payload that a frame of the link carries; 1500 on a plain Ethernet.
    pub link_mtu: u16,
    /// The bounds.
    pub limits: ConcentratorLimits,
}

impl ConcentratorConfig {
    /// A concentrator of this name on a plain Ethernet.
    pub fn named(ac_name: &str) -> ConcentratorConfig {
        ConcentratorConfig {
            ac_name: ac_name.as_bytes().to_vec(),
            link_mtu: 1500,
            limits: ConcentratorLimits::default(),
        }
    }
}

/// The concentrator's machine: many sessions, over one adapter. The contract is that of [the module](super).
///
/// A PADI costs it a hash and an answer, and leaves nothing behind but a place in a bounded table of rates. State begins
/// with a PADR whose cookie is good, and that is a host whose address is real.
pub struct Concentrator {
    config: ConcentratorConfig,
    services: Services,
    cookies: CookieJar,
    handshakes: Handshakes,
    session_ids: SessionIds,
    sessions: BTreeMap<SessionKey, Record>,
    by_id: BTreeMap<SessionId, SessionKey>,
    /// How many sessions each MAC address has; none has zero.
    per_mac: BTreeMap<MacAddr, usize>,
    /// Offered sessions by host and Host-Uniq, where there is one.
    offered_to: BTreeMap<(MacAddr, Vec<u8>), SessionKey>,
    /// Offered sessions by the moment of losing patience.
    offered_until: BTreeSet<(Time, SessionKey)>,
    next_key: u64,
    padi_rate: RateTable,
    padr_rate: RateTable,
    padt_rate: RateTable,
    counters: ConcentratorCounters,
    outputs: VecDeque<ConcentratorOutput>,
}

struct Record {
    handshake: Handshake,
    session: Session,
    state: State,
}

/// Where a session stands.
enum State {
    /// The user has not answered. From a PADR.
    Offered { until: Time },
    /// PADS was sent. From `Offered`, by `accept`.
    Connected {
        /// The PADS, to be sent again when the PADR comes again.
        pads: Vec<u8>,
    },
}

/// Why there is no room for one more session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NoRoom {
    Sessions,
    SessionsPerMac,
    Offered,
    SessionIds,
}

impl Concentrator {
    /// A concentrator that offers nothing yet. From `key` come its cookies: who knows it can forge them.
    pub fn new(mut config: ConcentratorConfig, key: Key) -> Concentrator {
        config.ac_name.truncate(AC_NAME_LEN_MAX);
        let limits = &config.limits;
        // Where the ids begin follows from the key, so that a restarted concentrator does not give out at once the ids
        // that its hosts still think they have.
        let first_id = u16::from_be_bytes([key[0] ^ key[8], key[1] ^ key[9]]);
        Concentrator {
            services: Services::default(),
            cookies: CookieJar::new(key, limits.cookie_lifetime),
            handshakes: Handshakes::new(limits.handshakes_over_max),
            session_ids: SessionIds::new(first_id, limits.session_id_rest),
            sessions: BTreeMap::new(),
            by_id: BTreeMap::new(),
            per_mac: BTreeMap::new(),
            offered_to: BTreeMap::new(),
            offered_until: BTreeSet::new(),
            next_key: 1,
            padi_rate: RateTable::new(limits.padi),
            padr_rate: RateTable::new(limits.padr),
            padt_rate: RateTable::new(limits.padt_replies),
            counters: ConcentratorCounters::default(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Offers a service. The empty name is a service like any other; a host that asks for "any" gets it, or else the
    /// service that was offered first.
    ///
    /// # Errors
    /// [`OfferError`]; nothing has changed then.
    pub fn offer(&mut self, service: ServiceKey, name: &[u8]) -> Result<(), OfferError> {
        self.services.offer(service, name, &self.config.limits)
    }

    /// Offers a service no longer. Its sessions, and those that wait for an answer, stay. True if it was offered.
    pub fn withdraw(&mut self, service: ServiceKey) -> bool {
        self.services.withdraw(service)
    }

    /// Makes cookies with another key from now on. Those that are out stay good for their life.
    pub fn rotate_key(&mut self, now: Time, key: Key) {
        self.cookies.rotate(now, key);
    }

    /// Accepts an offered session: PADS goes out, and `Connected` follows.
    ///
    /// # Errors
    /// [`SessionError`]: it was taken back meanwhile, or answered already.
    ///
    /// Source: RFC 2516 §5.4.
    pub fn accept(&mut self, _now: Time, key: SessionKey) -> Result<(), SessionError> {
        let record = self.sessions.get_mut(&key).ok_or(SessionError::NoSuchSession(key))?;
        let State::Offered { until } = record.state else {
            return Err(SessionError::NotOffered(key));
        };
        let session = record.session.clone();
        let pads = pads(&session).expect("an offer whose PADS does not fit is not made");
        record.state = State::Connected { pads: pads.clone() };
        self.offered_until.remove(&(until, key));
        self.forget_offered_to(&session, key);
        self.counters.sessions_connected += 1;
        self.transmit_pads(session.peer, pads);
        self.outputs.push_back(ConcentratorOutput::Connected { session: key, details: session });
        Ok(())
    }

    /// Rejects an offered session: PADS with session id zero and an error tag goes out.
    ///
    /// # Errors
    /// As [`accept`](Concentrator::accept).
    ///
    /// Source: RFC 2516 §5.4.
    pub fn reject(&mut self, now: Time, key: SessionKey, why: &Rejection) -> Result<(), SessionError> {
        let record = self.sessions.get(&key).ok_or(SessionError::NoSuchSession(key))?;
        let State::Offered { .. } = record.state else {
            return Err(SessionError::NotOffered(key));
        };
        let peer = record.session.peer;
        let refusal = refusal_in(&record.session, why);
        self.counters.sessions_rejected += 1;
        self.forget(now, key, refusal.clone());
        self.transmit_pads(peer, refusal);
        Ok(())
    }

    /// Ends a session: PADT goes out, and `Closed` follows. An offer that waits for an answer is rejected instead.
    ///
    /// # Errors
    /// [`SessionError`]: it has ended meanwhile, or is not connected.
    ///
    /// Source: RFC 2516 §5.5.
    pub fn close(&mut self, now: Time, key: SessionKey) -> Result<(), SessionError> {
        let record = self.sessions.get(&key).ok_or(SessionError::NoSuchSession(key))?;
        let State::Connected { .. } = record.state else {
            return Err(SessionError::NotConnected(key));
        };
        let (peer, padt) = (record.session.peer, record.session.padt());
        self.counters.padt_sent += 1;
        self.outputs.push_back(ConcentratorOutput::Transmit { to: peer, packet: padt });
        self.end(now, key, CloseCause::Local);
        Ok(())
    }

    /// Takes a packet of EtherType 0x8863: PADI, PADR, PADT. `to` is our own address or a group's.
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
            Code::Pado | Code::Pads => self.counters.dropped_not_for_concentrator += 1,
            Code::Padr | Code::Padt if to.is_group() => self.counters.dropped_destination_not_unicast += 1,
            Code::Padi | Code::Padr | Code::Padt if packet.check().is_err() => {
                self.counters.dropped_ungrammatical += 1;
            }
            Code::Padi => self.handle_padi(now, from, packet),
            Code::Padr => self.handle_padr(now, from, packet),
            Code::Padt => self.handle_padt(now, from, packet),
        }
    }

    /// Takes note of a session packet from `from` with an id that the driver has no session for, and answers with a
    /// PADT, within [`ConcentratorLimits::padt_replies`]: its PADT or ours was lost. A session that is there, offered
    /// or connected, is left alone: the packet only came before the driver was ready.
    pub fn handle_unknown_session(&mut self, now: Time, from: MacAddr, id: SessionId) {
        if from.is_group() {
            self.counters.unknown_session_not_unicast += 1;
        } else if self.session_of(from, id).is_some() {
            self.counters.unknown_session_known += 1;
        } else if self.padt_rate.take(now, from).is_err() {
            self.counters.padt_replies_suppressed += 1;
        } else {
            self.counters.padt_replies_sent += 1;
            self.outputs.push_back(ConcentratorOutput::Transmit { to: from, packet: padt(id, None) });
        }
    }

    /// Does what is due: takes back the offers of hosts that fell silent.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(until, key)) = self.offered_until.first()
            && until <= now
        {
            self.abort(now, key, AbortReason::HostSilent);
        }
    }

    /// The link is gone: every session ends, and nothing is transmitted. The services stay.
    pub fn handle_network_gone(&mut self, now: Time) {
        self.outputs.retain(|output| !matches!(output, ConcentratorOutput::Transmit { .. }));
        let keys: Vec<SessionKey> = self.sessions.keys().copied().collect();
        for key in keys {
            match self.sessions[&key].state {
                State::Offered { .. } => self.abort(now, key, AbortReason::NetworkGone),
                State::Connected { .. } => self.end(now, key, CloseCause::NetworkGone),
            }
        }
    }

    /// When [`handle_timeout`](Concentrator::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        self.offered_until.first().map(|&(until, _)| until)
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<ConcentratorOutput> {
        self.outputs.pop_front()
    }

    /// What was counted so far.
    pub fn counters(&self) -> &ConcentratorCounters {
        &self.counters
    }

    /// The connected sessions.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionKey, &Session)> {
        self.sessions.iter().filter_map(|(&key, record)| match record.state {
            State::Connected { .. } => Some((key, &record.session)),
            State::Offered { .. } => None,
        })
    }

    /// How many sessions wait for the user's answer.
    pub fn offered_len(&self) -> usize {
        self.offered_until.len()
    }

    /// How many MAC addresses have a session, offered or connected.
    pub fn hosts_len(&self) -> usize {
        self.per_mac.len()
    }

    /// PADI (RFC 2516 §5.1): answered with a PADO, or, when it cannot be served, not at all (§5.2).
    fn handle_padi(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        match self.padi_rate.take(now, from) {
            Ok(()) => {}
            Err(Exceeded::PerMac) => {
                self.counters.dropped_padi_rate_mac += 1;
                return;
            }
            Err(Exceeded::Total) => {
                self.counters.dropped_padi_rate_total += 1;
                return;
            }
        }
        let wanted = requested_service(packet);
        if self.services.serving(wanted).is_none() {
            self.counters.dropped_padi_unknown_service += 1;
            return;
        }
        if self.room(now, from).is_err() {
            self.counters.dropped_padi_no_room += 1;
            return;
        }
        let cookie = self.cookies.make(now, from, packet.tags().host_uniq());
        let Some(pado) = self.pado(wanted, &cookie, packet) else {
            self.counters.dropped_answer_too_long += 1;
            return;
        };
        self.counters.pado_sent += 1;
        self.outputs.push_back(ConcentratorOutput::Transmit { to: from, packet: pado });
    }

    /// PADR (RFC 2516 §5.3). Its cookie is looked at before anything is done or spent for it, so that nobody can use up
    /// the share of another's address.
    fn handle_padr(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        let tags = packet.tags();
        if tags.error().is_some() {
            self.counters.dropped_padr_error += 1;
            return;
        }
        let Some(value) = tags.ac_cookie() else {
            self.counters.dropped_cookie_missing += 1;
            return;
        };
        let Some(cookie) = Cookie::read(value) else {
            self.counters.dropped_cookie_forged += 1;
            return;
        };
        let handshake = (from, cookie);
        if self.handshakes.fate(now, &handshake).is_none() {
            match self.cookies.check(now, from, tags.host_uniq(), &cookie) {
                Ok(()) => {}
                Err(CookieError::Forged) => {
                    self.counters.dropped_cookie_forged += 1;
                    return;
                }
                Err(CookieError::Expired) => {
                    self.counters.dropped_cookie_expired += 1;
                    return;
                }
            }
        }
        match self.padr_rate.take(now, from) {
            Ok(()) => {}
            Err(Exceeded::PerMac) => {
                self.counters.dropped_padr_rate_mac += 1;
                return;
            }
            Err(Exceeded::Total) => {
                self.counters.dropped_padr_rate_total += 1;
                return;
            }
        }
        match self.handshakes.fate(now, &handshake) {
            Some(Fate::Live(key)) => self.padr_again(now, key),
            Some(Fate::Over(refusal)) => {
                let refusal = refusal.to_vec();
                self.counters.padr_repeated_when_over += 1;
                self.transmit_pads(from, refusal);
            }
            None => self.first_padr(now, handshake, packet),
        }
    }

    /// A PADR that makes a session, or is refused.
    fn first_padr(&mut self, now: Time, handshake: Handshake, packet: DiscoveryView<'_>) {
        let (from, _) = handshake;
        let tags = packet.tags();
        if let Some(host_uniq) = tags.host_uniq()
            && let Some(&older) = self.offered_to.get(&(from, host_uniq.to_vec()))
        {
            self.abort(now, older, AbortReason::HostStartedOver);
        }
        let Some((service, name)) = self.services.serving(requested_service(packet)) else {
            self.counters.refused_service += 1;
            return self.refuse(from, packet, &Rejection::Service("this service is not offered".to_owned()));
        };
        let service_name = name.to_vec();
        let room = self.room(now, from);
        let id = match room.and_then(|()| self.session_ids.take(now).ok_or(NoRoom::SessionIds)) {
            Ok(id) => id,
            Err(no_room) => {
                let why = self.count_refusal(no_room);
                return self.refuse(from, packet, &Rejection::System(why.to_owned()));
            }
        };
        let max_payload = agreed_max_payload(self.config.link_mtu, tags.max_payload());
        let session = Session {
            peer: from,
            id,
            service_name,
            ac_name: self.config.ac_name.clone(),
            max_payload: max_payload.unwrap_or(PPP_MAX_PAYLOAD_DEFAULT),
            host_uniq: tags.host_uniq().map(<[u8]>::to_vec),
            relay_session_id: tags.relay_session_id().map(<[u8]>::to_vec),
            vendor: vendor_tags(tags),
        };
        if pads(&session).is_none() {
            self.session_ids.give_back(id);
            self.counters.dropped_answer_too_long += 1;
            return;
        }
        self.begin(now, handshake, service, session);
    }

    /// Offers a session to the user.
    fn begin(&mut self, now: Time, handshake: Handshake, service: ServiceKey, session: Session) {
        let key = SessionKey(self.next_key);
        self.next_key += 1;
        let until = now.after(self.config.limits.offer_patience);
        self.handshakes.begin(handshake, key);
        self.by_id.insert(session.id, key);
        *self.per_mac.entry(session.peer).or_default() += 1;
        self.offered_until.insert((until, key));
        if let Some(host_uniq) = &session.host_uniq
            && !host_uniq.is_empty()
        {
            self.offered_to.insert((session.peer, host_uniq.clone()), key);
        }
        let proposed = session.clone();
        self.sessions.insert(key, Record { handshake, session, state: State::Offered { until } });
        self.counters.sessions_offered += 1;
        self.outputs.push_back(ConcentratorOutput::Offered { session: key, service, proposed });
    }

    /// A PADR that came again: the host is still there, or has not got our PADS.
    fn padr_again(&mut self, now: Time, key: SessionKey) {
        let record = self.sessions.get_mut(&key).expect("handshakes names sessions that are there");
        match &mut record.state {
            State::Offered { until } => {
                self.offered_until.remove(&(*until, key));
                *until = now.after(self.config.limits.offer_patience);
                self.offered_until.insert((*until, key));
                self.counters.padr_repeated_while_offered += 1;
            }
            State::Connected { pads } => {
                let (peer, pads) = (record.session.peer, pads.clone());
                self.counters.padr_repeated_after_pads += 1;
                self.transmit_pads(peer, pads);
            }
        }
    }

    /// PADT (RFC 2516 §5.5): the session is over, and not even a PPP termination may follow. An offered session has no
    /// id that the host could know.
    fn handle_padt(&mut self, now: Time, from: MacAddr, packet: DiscoveryView<'_>) {
        let Some(id) = packet.session_id() else { return };
        let found = self.by_id.get(&id).map(|key| (*key, &self.sessions[key]));
        match found {
            Some((key, Record { session, state: State::Connected { .. }, .. })) if session.peer == from => {
                self.counters.sessions_terminated_by_peer += 1;
                self.end(now, key, CloseCause::Peer { text: error_text(packet.tags()) });
            }
            Some((_, Record { state: State::Connected { .. }, .. })) => {
                self.counters.dropped_padt_wrong_mac += 1
            }
            Some((_, Record { state: State::Offered { .. }, .. })) | None => {
                self.counters.dropped_padt_unknown_session += 1;
            }
        }
    }

    fn session_of(&self, peer: MacAddr, id: SessionId) -> Option<SessionKey> {
        let key = *self.by_id.get(&id)?;
        (self.sessions[&key].session.peer == peer).then_some(key)
    }

    /// Whether one more session fits, of this host.
    fn room(&mut self, now: Time, host: MacAddr) -> Result<(), NoRoom> {
        let limits = &self.config.limits;
        if self.sessions.len() >= limits.sessions_max {
            return Err(NoRoom::Sessions);
        }
        if self.per_mac.get(&host).is_some_and(|&sessions| sessions >= limits.sessions_per_mac_max) {
            return Err(NoRoom::SessionsPerMac);
        }
        if self.offered_until.len() >= limits.offered_max {
            return Err(NoRoom::Offered);
        }
        if !self.session_ids.any_free(now) {
            return Err(NoRoom::SessionIds);
        }
        Ok(())
    }

    /// Counts why there is no room, and says what the host is told.
    fn count_refusal(&mut self, no_room: NoRoom) -> &'static str {
        let (counter, text) = match no_room {
            NoRoom::Sessions => (&mut self.counters.refused_sessions_max, "no session is free"),
            NoRoom::SessionsPerMac => {
                (&mut self.counters.refused_sessions_per_mac_max, "too many sessions from this address")
            }
            NoRoom::Offered => {
                (&mut self.counters.refused_offered_max, "too many requests wait for an answer")
            }
            NoRoom::SessionIds => (&mut self.counters.refused_no_session_id, "no session id is free"),
        };
        *counter += 1;
        text
    }

    /// Refuses a PADR and remembers nothing: if it comes again, there may be room.
    fn refuse(&mut self, to: MacAddr, padr: DiscoveryView<'_>, why: &Rejection) {
        let tags = padr.tags();
        let refusal = refusal(requested_service(padr), tags.host_uniq(), tags.relay_session_id(), why);
        self.transmit_pads(to, refusal);
    }

    fn abort(&mut self, now: Time, key: SessionKey, why: AbortReason) {
        let Some(record) = self.sessions.get(&key) else { return };
        let refusal = refusal_in(&record.session, &Rejection::Generic("the request was given up".to_owned()));
        self.counters.sessions_aborted += 1;
        self.forget(now, key, refusal);
        self.outputs.push_back(ConcentratorOutput::Aborted { session: key, why });
    }

    fn end(&mut self, now: Time, key: SessionKey, why: CloseCause) {
        let Some(record) = self.sessions.get(&key) else { return };
        let refusal = refusal_in(&record.session, &Rejection::Generic("the session is over".to_owned()));
        self.forget(now, key, refusal);
        self.outputs.push_back(ConcentratorOutput::Closed { session: key, why });
    }

    /// Takes a session out of every table. While its cookie is good, a PADR that comes again gets `refusal`.
    fn forget(&mut self, now: Time, key: SessionKey, refusal: Vec<u8>) {
        let Some(Record { handshake, session, state }) = self.sessions.remove(&key) else { return };
        self.by_id.remove(&session.id);
        match state {
            State::Offered { until } => {
                self.offered_until.remove(&(until, key));
                self.forget_offered_to(&session, key);
                self.session_ids.give_back(session.id);
            }
            State::Connected { .. } => self.session_ids.release(now, session.id),
        }
        if let Some(sessions) = self.per_mac.get_mut(&session.peer) {
            *sessions -= 1;
            if *sessions == 0 {
                self.per_mac.remove(&session.peer);
            }
        }
        let (_, cookie) = handshake;
        let forget_at = cookie.expires(self.config.limits.cookie_lifetime);
        self.handshakes.end(now, handshake, forget_at, refusal);
    }

    fn forget_offered_to(&mut self, session: &Session, key: SessionKey) {
        let Some(host_uniq) = session.host_uniq.clone() else { return };
        let host = (session.peer, host_uniq);
        if self.offered_to.get(&host) == Some(&key) {
            self.offered_to.remove(&host);
        }
    }

    fn transmit_pads(&mut self, to: MacAddr, packet: Vec<u8>) {
        self.counters.pads_sent += 1;
        self.outputs.push_back(ConcentratorOutput::Transmit { to, packet });
    }

    /// PADO (RFC 2516 §5.2): our name, the service of the PADI, our others as far as they fit, the cookie, and what host
    /// and relay want back. `None` if not even the rest fits.
    fn pado(&self, wanted: &[u8], cookie: &Cookie, padi: DiscoveryView<'_>) -> Option<Vec<u8>> {
        let tags = padi.tags();
        let head = Discovery::new(Code::Pado, None)
            .with(Tag::AcName(&self.config.ac_name))
            .with(Tag::ServiceName(wanted));
        let max_payload = agreed_max_payload(self.config.link_mtu, tags.max_payload());
        let tail = [Some(Tag::AcCookie(cookie.octets())), tags.host_uniq().map(Tag::HostUniq)];
        let relay = tags.relay_session_id().map(Tag::RelaySessionId);
        let tail = || tail.into_iter().chain([relay, max_payload.map(Tag::PppMaxPayload)]).flatten();
        let tail_len: usize = tail().map(|tag| tag.encoded_len()).sum();
        let mut left = DISCOVERY_LEN_MAX.checked_sub(head.encoded_len() + tail_len)?;
        let others =
            self.services.names().filter(|&name| name != wanted).map(Tag::ServiceName).filter(|name| {
                let fits = name.encoded_len() <= left;
                left -= if fits { name.encoded_len() } else { 0 };
                fits
            });
        head.with_all(others).with_all(tail()).encode().ok()
    }
}

/// PADS (RFC 2516 §5.4): the session, its service, and what host and relay want back. `None` if it does not fit.
fn pads(session: &Session) -> Option<Vec<u8>> {
    let max_payload = Some(session.max_payload).filter(|&octets| octets > PPP_MAX_PAYLOAD_DEFAULT);
    Discovery::new(Code::Pads, Some(session.id))
        .with(Tag::ServiceName(&session.service_name))
        .with_all(session.host_uniq.as_deref().map(Tag::HostUniq))
        .with_all(session.relay_session_id.as_deref().map(Tag::RelaySessionId))
        .with_all(max_payload.map(Tag::PppMaxPayload))
        .encode()
        .ok()
}

fn refusal_in(session: &Session, why: &Rejection) -> Vec<u8> {
    let (host_uniq, relay) = (session.host_uniq.as_deref(), session.relay_session_id.as_deref());
    refusal(&session.service_name, host_uniq, relay, why)
}

/// A PADS that refuses: session id zero and an error tag (RFC 2516 §5.4). The service's name, which binds nobody here,
/// and then the text are left out where they do not fit.
fn refusal(service_name: &[u8], host_uniq: Option<&[u8]>, relay: Option<&[u8]>, why: &Rejection) -> Vec<u8> {
    let with = |service_name: Option<&[u8]>, text_len_max: usize| {
        Discovery::new(Code::Pads, None)
            .with_all(service_name.map(Tag::ServiceName))
            .with(why.tag(text_len_max))
            .with_all(host_uniq.map(Tag::HostUniq))
            .with_all(relay.map(Tag::RelaySessionId))
            .encode()
    };
    with(Some(service_name), REJECTION_TEXT_LEN_MAX)
        .or_else(|_| with(None, REJECTION_TEXT_LEN_MAX))
        .or_else(|_| with(None, 0))
        .expect("an empty error tag is no longer than the Service-Name that came with the same other tags")
}

/// The service that a PADI or PADR asks for. The grammar has seen to it that there is one.
fn requested_service<'a>(packet: DiscoveryView<'a>) -> &'a [u8] {
    packet.tags().service_names().next().unwrap_or_default()
}

/// Octets of a refusal's text: a line for people.
const REJECTION_TEXT_LEN_MAX: usize = 128;

/// Octets of our name: what is left of a PADO after it has to hold the rest.
const AC_NAME_LEN_MAX: usize = 255;
