//! The interface: SAAL, call control and ILMI, and what passes between them.

use std::collections::VecDeque;

use condis::runtime::{Random, Time};

use super::{UniConfig, UniOutput};
use crate::VpVc;
use crate::addr::{AtmAddress, Esi};
use crate::ilmi::{Attributes, IlmiConfig, IlmiCounters, IlmiOutput, Ime, LimitError, Prefix, UniVersion};
use crate::q2931::call::{CallControl, CallId, CallLine, CallState, Counters, Output, PartyId, PartyState};
use crate::q2931::wire::{Side, Version};
use crate::sscf::{DataError, Saal, SaalConfig, SaalOutput, SaalState};

/// One user-network interface, at either side. The contract is that of [the module](super).
pub struct Uni {
    config: UniConfig,
    link_up: bool,
    saal: Saal,
    calls: CallControl,
    ilmi: Option<Ime>,
    /// Fixed ones, then those that ILMI registered.
    addresses: Vec<AtmAddress>,
    /// Messages that the SAAL had no room for.
    waiting: VecDeque<Vec<u8>>,
    /// When to ask for the SAAL again.
    retry_at: Option<Time>,
    counters: UniCounters,
    outputs: VecDeque<UniOutput>,
}

/// What an interface counts beside its call control.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct UniCounters {
    /// Times that the SAAL came to stand where there was none.
    pub saal_established: u64,
    /// Times that it came anew while it stood, and may have lost messages.
    pub saal_resynchronised: u64,
    /// Times that it went.
    pub saal_released: u64,
    /// Messages lost because too many waited for the SAAL.
    pub dropped_waiting: u64,
    /// SDUs outside of any SAAL connection, which nobody here wants.
    pub dropped_unit_data: u64,
    /// SDUs on VC 0.5 while the line was down.
    pub dropped_line_down: u64,
    /// SDUs on VC 0.16 of an interface that does not speak ILMI.
    pub dropped_ilmi: u64,
    /// Addresses that the network refused to register.
    pub addresses_refused: u64,
}

impl Uni {
    /// An interface without calls, whose line is down. From `seed` follows what must differ from run to run.
    pub fn new(config: UniConfig, seed: u64) -> Uni {
        Uni {
            link_up: false,
            saal: Saal::new(saal_config(&config, seed)),
            calls: CallControl::new(config.signaling.clone(), seed),
            ilmi: config.addresses.ilmi.then(|| Ime::new(ilmi_config(&config, seed))),
            addresses: config.addresses.fixed.clone(),
            waiting: VecDeque::new(),
            retry_at: None,
            counters: UniCounters::default(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// The line, and with it VCs 0.5 and 0.16, came or went. When it comes, the SAAL is asked for.
    pub fn handle_link(&mut self, now: Time, up: bool) {
        if self.link_up == up {
            return;
        }
        self.link_up = up;
        self.retry_at = None;
        self.saal.set_line(now, up);
        if let Some(ilmi) = &mut self.ilmi {
            ilmi.handle_link(now, up);
        }
        self.settle(now);
        if up {
            self.saal.establish(now);
            self.settle(now);
        }
    }

    /// Takes an AAL5 SDU that arrived on VC 0.5. One that comes while the line is down is dropped: its answer would be lost.
    pub fn handle_signaling_sdu(&mut self, now: Time, sdu: &[u8]) {
        if !self.link_up {
            self.counters.dropped_line_down += 1;
            return;
        }
        self.saal.handle_pdu(now, sdu);
        self.settle(now);
    }

    /// Takes an AAL5 SDU that arrived on VC 0.16.
    pub fn handle_ilmi_sdu(&mut self, now: Time, sdu: &[u8]) {
        let Some(ilmi) = &mut self.ilmi else {
            self.counters.dropped_ilmi += 1;
            return;
        };
        ilmi.handle_sdu(now, sdu);
        self.settle(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.saal.establish(now);
        }
        if let Some(ilmi) = &mut self.ilmi {
            ilmi.handle_timeout(now);
        }
        self.saal.handle_timeout(now);
        self.settle(now);
        self.calls.handle_timeout(now);
        self.settle(now);
    }

    /// When [`handle_timeout`](Uni::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        let ilmi = self.ilmi.as_ref().and_then(Ime::next_timeout);
        [self.retry_at, self.saal.next_timeout(), self.calls.next_timeout(), ilmi].into_iter().flatten().min()
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<UniOutput> {
        self.outputs.pop_front()
    }

    /// True while the SAAL stands: calls can be made.
    pub fn signaling_is_up(&self) -> bool {
        self.calls.saal_is_up()
    }

    /// Where the SAAL stands.
    pub fn saal_state(&self) -> SaalState {
        self.saal.state()
    }

    /// The addresses of the interface. At the user side those that are its own: prefixes with its end systems', and fixed ones. At the
    /// network side those that the user registered, and fixed ones.
    pub fn addresses(&self) -> impl Iterator<Item = &AtmAddress> + '_ {
        self.addresses.iter()
    }

    /// True if the interface has that address, whatever its selector.
    pub fn has_address(&self, address: &AtmAddress) -> bool {
        self.addresses().any(|own| match (own, address) {
            (AtmAddress::Nsap(own), AtmAddress::Nsap(asked)) => {
                own[..AtmAddress::NSAP_OCTETS - 1] == asked[..AtmAddress::NSAP_OCTETS - 1]
            }
            _ => own == address,
        })
    }

    /// User side: registers a further end system under every prefix. Without ILMI there is nobody to tell.
    ///
    /// # Errors
    /// [`LimitError`].
    pub fn add_esi(&mut self, now: Time, esi: Esi) -> Result<(), LimitError> {
        self.at_ilmi(now, |ilmi| ilmi.add_esi(now, esi))
    }

    /// User side: takes an end system's addresses back.
    pub fn remove_esi(&mut self, now: Time, esi: Esi) {
        let _ = self.at_ilmi(now, |ilmi| {
            ilmi.remove_esi(now, esi);
            Ok(())
        });
    }

    /// Network side: gives the user a further prefix. Without ILMI there is nobody to tell.
    ///
    /// # Errors
    /// [`LimitError`].
    pub fn add_prefix(&mut self, now: Time, prefix: Prefix) -> Result<(), LimitError> {
        self.at_ilmi(now, |ilmi| ilmi.add_prefix(now, prefix))
    }

    /// Network side: takes a prefix back, and with it the addresses under it.
    pub fn remove_prefix(&mut self, now: Time, prefix: Prefix) {
        let _ = self.at_ilmi(now, |ilmi| {
            ilmi.remove_prefix(now, prefix);
            Ok(())
        });
    }

    /// ILMI, if it is spoken.
    pub fn ilmi(&self) -> Option<&Ime> {
        self.ilmi.as_ref()
    }

    /// What ILMI counted, if it is spoken.
    pub fn ilmi_counters(&self) -> Option<IlmiCounters> {
        self.ilmi.as_ref().map(Ime::counters)
    }

    /// What SSCF and SSCOP do and count.
    pub fn saal(&self) -> &Saal {
        &self.saal
    }

    /// What it was told when it was made.
    pub fn config(&self) -> &UniConfig {
        &self.config
    }

    /// Where a call stands; `None` if it has ended for its user.
    pub fn call_state(&self, call: CallId) -> Option<CallState> {
        self.calls.state(call)
    }

    /// Where a party stands; `Null` if there is none.
    pub fn party_state(&self, call: CallId, party: PartyId) -> PartyState {
        self.calls.party_state(call, party)
    }

    /// The VPI and VCI of a call, once it has them.
    pub fn connection(&self, call: CallId) -> Option<VpVc> {
        self.calls.connection(call)
    }

    /// Every call in a line: `cr 5 active 0.32 to 47.…`.
    pub fn calls(&self) -> impl Iterator<Item = CallLine> + '_ {
        self.calls.calls()
    }

    /// How many calls there are, in any state.
    pub fn calls_len(&self) -> usize {
        self.calls.calls_len()
    }

    /// What the call control counted so far.
    pub fn counters(&self) -> &Counters {
        self.calls.counters()
    }

    /// What the interface counted beside it.
    pub fn uni_counters(&self) -> &UniCounters {
        &self.counters
    }

    /// Does a request and what follows from it.
    pub(super) fn request<T>(&mut self, now: Time, request: impl FnOnce(&mut CallControl) -> T) -> T {
        let result = request(&mut self.calls);
        self.settle(now);
        result
    }

    /// Carries between the layers until nothing is left to carry.
    fn settle(&mut self, now: Time) {
        loop {
            if let Some(output) = self.saal.poll_output() {
                self.saal_says(now, output);
            } else if let Some(output) = self.calls.poll_output() {
                self.calls_say(now, output);
            } else if let Some(output) = self.ilmi.as_mut().and_then(Ime::poll_output) {
                self.ilmi_says(output);
            } else {
                return;
            }
        }
    }

    fn saal_says(&mut self, now: Time, output: SaalOutput) {
        match output {
            SaalOutput::Transmit(sdu) => self.outputs.push_back(UniOutput::TransmitSignaling(sdu)),
            SaalOutput::Established(_) => self.saal_established(now),
            SaalOutput::Released(_) => self.saal_released(now),
            SaalOutput::Data(message) => self.calls.handle_message(now, &message),
            SaalOutput::UnitData(_) | SaalOutput::UserToUser(_) => self.counters.dropped_unit_data += 1,
            SaalOutput::Writable => self.hand_over_waiting(now),
        }
    }

    fn calls_say(&mut self, now: Time, output: Output) {
        match output {
            Output::Transmit(message) => self.hand_over(now, message),
            // The peer may have begun anew within the same step: then it stands already.
            Output::EstablishSaal if self.link_up && !self.calls.saal_is_up() => {
                self.retry_at = None;
                self.saal.establish(now);
            }
            Output::EstablishSaal => {}
            Output::Indication(indication) => self.outputs.push_back(UniOutput::Indication(indication)),
            Output::Transition(transition) => self.outputs.push_back(UniOutput::Transition(transition)),
        }
    }

    fn ilmi_says(&mut self, output: IlmiOutput) {
        match output {
            IlmiOutput::Transmit(sdu) => self.outputs.push_back(UniOutput::TransmitIlmi(sdu)),
            IlmiOutput::AddressRegistered(address) => {
                if !self.addresses.contains(&address) {
                    self.addresses.push(address);
                    self.outputs.push_back(UniOutput::AddressesChanged);
                }
            }
            IlmiOutput::AddressRemoved(address) => {
                if !self.config.addresses.fixed.contains(&address) {
                    self.addresses.retain(|own| *own != address);
                    self.outputs.push_back(UniOutput::AddressesChanged);
                }
            }
            IlmiOutput::AddressRefused(_) => self.counters.addresses_refused += 1,
            // Nobody is asked: the network side takes every address under its prefixes.
            IlmiOutput::Up | IlmiOutput::Down | IlmiOutput::PrefixesChanged | IlmiOutput::AddressAsked(_) => {
            }
        }
    }

    fn at_ilmi(
        &mut self,
        now: Time,
        act: impl FnOnce(&mut Ime) -> Result<(), LimitError>,
    ) -> Result<(), LimitError> {
        let result = self.ilmi.as_mut().map_or(Ok(()), act);
        self.settle(now);
        result
    }

    /// AAL-ESTABLISH.confirm, .indication. What waited is lost with what was on its way, so that order is kept.
    fn saal_established(&mut self, now: Time) {
        self.retry_at = None;
        self.waiting.clear();
        if self.calls.saal_is_up() {
            self.counters.saal_resynchronised += 1;
        } else {
            self.counters.saal_established += 1;
            self.outputs.push_back(UniOutput::SignalingState { up: true });
        }
        self.calls.handle_saal_established(now);
    }

    /// AAL-RELEASE.confirm, .indication. While the line is up the SAAL is asked for again, at once if calls wait for it.
    fn saal_released(&mut self, now: Time) {
        self.waiting.clear();
        if self.calls.saal_is_up() {
            self.counters.saal_released += 1;
            self.outputs.push_back(UniOutput::SignalingState { up: false });
            self.calls.handle_saal_released(now);
        }
        if self.link_up {
            self.retry_at = Some(now.after(self.config.saal_retry_after));
        }
    }

    /// Gives a message to the SAAL, behind those that wait.
    fn hand_over(&mut self, now: Time, message: Vec<u8>) {
        if !self.waiting.is_empty() {
            return self.wait(message);
        }
        match self.saal.data(now, message) {
            Ok(()) => {}
            Err(DataError::QueueFull { sdu, .. }) => self.wait(sdu),
            // The SAAL went, and tells so behind this message; or the message is longer than it carries.
            Err(_) => self.counters.dropped_waiting += 1,
        }
    }

    fn wait(&mut self, message: Vec<u8>) {
        if self.waiting.len() >= self.config.messages_waiting_max {
            self.counters.dropped_waiting += 1;
            return;
        }
        self.waiting.push_back(message);
    }

    fn hand_over_waiting(&mut self, now: Time) {
        while let Some(message) = self.waiting.pop_front() {
            match self.saal.data(now, message) {
                Ok(()) => {}
                Err(DataError::QueueFull { sdu, .. }) => return self.waiting.push_front(sdu),
                Err(_) => self.counters.dropped_waiting += 1,
            }
        }
    }
}

/// A node that restarts must not be taken for its former self, whose connection its peer may still have: the number of its first
/// BGN is drawn, unless one is given.
fn saal_config(config: &UniConfig, seed: u64) -> SaalConfig {
    let mut saal = config.saal.clone();
    if saal.sscop.first_sq == 0 {
        saal.sscop.first_sq = Random::stream(seed, SAAL_STREAM).next_u64() as u8;
    }
    saal
}

/// Apart from the streams of ILMI, which are numbered by side.
const SAAL_STREAM: u64 = 2;

fn ilmi_config(config: &UniConfig, seed: u64) -> IlmiConfig {
    let addresses = &config.addresses;
    let ilmi = match config.signaling.side {
        Side::User => IlmiConfig::user(addresses.esis.iter().copied()),
        Side::Network => IlmiConfig::network(addresses.prefixes.iter().copied()),
    };
    let attributes = addresses.attributes.clone().unwrap_or_else(|| {
        let [_, _, system_identifier @ ..] =
            Random::stream(seed, config.signaling.side as u64).next_u64().to_be_bytes();
        let uni_version = match config.signaling.version {
            Version::Uni30 => UniVersion::V30,
            Version::Uni31 => UniVersion::V31,
            Version::Uni40 => UniVersion::V40,
        };
        Attributes { system_identifier, uni_version, ..Attributes::default() }
    });
    IlmiConfig { attributes, ..ilmi }
}
