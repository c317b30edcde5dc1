//! The signaling AAL's service: SSCF over SSCOP.

use std::collections::VecDeque;

use condis::runtime::Time;

use crate::sscop::wire::Source;
use crate::sscop::{Dialect, Output, Params, RequestError, SendError, Sscop};

/// What a signaling AAL is told when it is made.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SaalConfig {
    /// SSCOP's parameters. The defaults are those of the UNI; [`SaalConfig::uni30`] differs.
    pub sscop: Params,
}

impl SaalConfig {
    /// For UNI 3.0, over Q.SAAL1.
    pub fn uni30() -> SaalConfig {
        SaalConfig { sscop: Params { dialect: Dialect::QSaal1, ..Params::default() } }
    }
}

/// Where the service stands, as its user sees it (Q.2130, four states, and the wait for a resynchronisation).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub enum SaalState {
    /// No connection. From the start, and whenever one has ended.
    #[default]
    Released,
    /// [`Saal::establish`] was called; the peer has not answered.
    AwaitingEstablish,
    /// [`Saal::release`] was called; the peer has not answered.
    AwaitingRelease,
    /// Data flows.
    Established,
    /// [`Saal::establish`] was called on a connection that stands; the peer has not answered.
    AwaitingResync,
}

/// Why a connection stands now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EstablishedBecause {
    /// AAL-ESTABLISH.confirm: our [`Saal::establish`] was answered.
    Confirmed,
    /// AAL-ESTABLISH.indication: the peer asked for it, where there was none. If one stood, `Released` came just before.
    PeerAsked,
    /// AAL-ESTABLISH.indication: the peer resynchronised a connection that stood; SDUs on their way are lost.
    Resynchronised,
    /// AAL-ESTABLISH.indication: SSCOP recovered from a protocol error; SDUs on their way may be lost.
    Recovered,
}

/// Why there is no connection (any more).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReleasedBecause {
    /// AAL-RELEASE.confirm: our [`Saal::release`] was answered, or given up waiting for.
    Confirmed,
    /// AAL-RELEASE.indication: the peer's user refused or ended it, or began anew: `Established(PeerAsked)` follows then.
    PeerAsked,
    /// AAL-RELEASE.indication: SSCOP gave up, here or there: no answer, or a protocol error.
    ProtocolError,
    /// The line went down ([`Saal::set_line`]).
    LineDown,
}

/// What the owner has to do, or to tell the layer above.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SaalOutput {
    /// Send this as one AAL5 SDU on the signaling VC (0.5).
    Transmit(Vec<u8>),
    /// The connection stands: AAL-ESTABLISH.confirm or .indication. May come again while it stands.
    Established(EstablishedBecause),
    /// There is no connection: AAL-RELEASE.confirm or .indication.
    Released(ReleasedBecause),
    /// The peer user's information (SSCOP-UU), just before the `Established` or `Released` that it belongs to. Q.2931 has no
    /// use for it.
    UserToUser(Vec<u8>),
    /// AAL-DATA.indication: an SDU, in order, once.
    Data(Vec<u8>),
    /// AAL-UNITDATA.indication: an SDU outside of any connection, unassured.
    UnitData(Vec<u8>),
    /// After [`DataError::QueueFull`]: there is room again. Perhaps not told if `Released` or another `Established` comes before:
    /// who waits may try again after those, too.
    Writable,
}

/// Why an SDU was not taken. It comes back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// AAL-DATA is lawful in `Established` alone.
    #[error("no connection: {state:?}")]
    NotEstablished {
        /// The state.
        state: SaalState,
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// As many SDUs wait as may; [`SaalOutput::Writable`] will tell when there is room.
    #[error("{max} SDUs wait already")]
    QueueFull {
        /// The bound.
        max: usize,
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// Longer than k octets.
    #[error("an SDU of {} octets, of at most {max}", .sdu.len())]
    TooLong {
        /// The bound, k.
        max: usize,
        /// The SDU.
        sdu: Vec<u8>,
    },
}

/// Why a unit of data was not taken: longer than k octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an SDU of {len} octets, of at most {max}")]
pub struct UnitDataError {
    /// Its length.
    pub len: usize,
    /// The bound, k.
    pub max: usize,
}

/// What a [`Saal`] counts itself; SSCOP's own counters are in [`Saal::sscop`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SaalCounters {
    /// PDUs that came, and SDUs of [`Saal::unit_data`] that were to go, while the line was down.
    pub dropped_line_down: u64,
    /// Units of data from the peer's layer management. Ours has no use for them.
    pub dropped_management: u64,
    /// Signals of SSCOP that do not fit the state. Must stay 0.
    pub unexpected_signals: u64,
    /// Connections that came to stand, asked for here or there.
    pub established: u64,
    /// Recoveries that were gone along with.
    pub recovered: u64,
    /// Resynchronisations by the peer that were gone along with.
    pub resynchronised: u64,
    /// Connections and attempts that ended.
    pub released: u64,
}

/// The signaling AAL of one interface: SSCF at the UNI over SSCOP.
///
/// Give it one input at a time (`establish`, `release`, `data`, `unit_data`, `handle_pdu`, `handle_timeout`, `set_line`), then
/// call [`poll_output`](Saal::poll_output) until `None` and carry each output out in that order, and ask
/// [`next_timeout`](Saal::next_timeout) again. `now` never goes back. The same inputs give the same outputs.
pub struct Saal {
    sscop: Sscop,
    state: SaalState,
    line_is_up: bool,
    counters: SaalCounters,
    outputs: VecDeque<SaalOutput>,
}

impl Saal {
    /// Without a connection; the line is up.
    pub fn new(config: SaalConfig) -> Saal {
        Saal {
            sscop: Sscop::new(config.sscop),
            state: SaalState::Released,
            line_is_up: true,
            counters: SaalCounters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// AAL-ESTABLISH.request. Ends in `Established(Confirmed)` or `Released`. Where a connection stands, it is resynchronised;
    /// while an earlier request waits, nothing happens.
    #[doc(alias = "AAL-ESTABLISH")]
    pub fn establish(&mut self, now: Time) {
        self.establish_with(now, &[]);
    }

    /// [`establish`](Saal::establish) with information for the peer's user, of which at most j octets go out.
    pub fn establish_with(&mut self, now: Time, uu: &[u8]) {
        if !self.line_is_up {
            return self.released(ReleasedBecause::LineDown);
        }
        let uu = self.uu(uu);
        let asked = match self.state {
            SaalState::Released | SaalState::AwaitingRelease => {
                self.state = SaalState::AwaitingEstablish;
                self.sscop.establish(now, uu, CLEAR_BUFFERS)
            }
            SaalState::Established => {
                self.state = SaalState::AwaitingResync;
                self.sscop.resync(now, uu)
            }
            SaalState::AwaitingEstablish | SaalState::AwaitingResync => Ok(()),
        };
        lawful(asked);
        self.carry_out(now);
    }

    /// AAL-RELEASE.request. Ends in `Released(Confirmed)`, at once if there is nothing to release.
    #[doc(alias = "AAL-RELEASE")]
    pub fn release(&mut self, now: Time) {
        self.release_with(now, &[]);
    }

    /// [`release`](Saal::release) with information for the peer's user, of which at most j octets go out.
    pub fn release_with(&mut self, now: Time, uu: &[u8]) {
        match self.state {
            SaalState::Released => self.released(ReleasedBecause::Confirmed),
            SaalState::AwaitingEstablish | SaalState::Established | SaalState::AwaitingResync => {
                self.state = SaalState::AwaitingRelease;
                lawful(self.sscop.release(now, self.uu(uu)));
            }
            SaalState::AwaitingRelease => {}
        }
        self.carry_out(now);
    }

    /// AAL-DATA.request: an SDU to be delivered in order and once, while the connection stands and is not recovered or
    /// resynchronised.
    ///
    /// # Errors
    /// [`DataError`], with the SDU.
    #[doc(alias = "AAL-DATA")]
    pub fn data(&mut self, now: Time, sdu: Vec<u8>) -> Result<(), DataError> {
        if self.state != SaalState::Established {
            return Err(DataError::NotEstablished { state: self.state, sdu });
        }
        let taken = self.sscop.data(now, sdu).map_err(|refused| match refused {
            SendError::Refused { sdu, .. } => DataError::NotEstablished { state: self.state, sdu },
            SendError::QueueFull { max, sdu } => DataError::QueueFull { max, sdu },
            SendError::TooLong { max, sdu } => DataError::TooLong { max, sdu },
        });
        self.carry_out(now);
        taken
    }

    /// AAL-UNITDATA.request: an SDU sent now and never again, in any state. While the line is down it goes nowhere, and is
    /// counted.
    ///
    /// # Errors
    /// [`UnitDataError`].
    #[doc(alias = "AAL-UNIT-DATA")]
    pub fn unit_data(&mut self, now: Time, sdu: &[u8]) -> Result<(), UnitDataError> {
        let max = self.sscop.params().k;
        if sdu.len() > max {
            return Err(UnitDataError { len: sdu.len(), max });
        }
        if !self.line_is_up {
            self.counters.dropped_line_down += 1;
            return Ok(());
        }
        lawful(self.sscop.unit_data(now, sdu));
        self.carry_out(now);
        Ok(())
    }

    /// Takes an AAL5 SDU that came in on the signaling VC. What is wrong with it is counted.
    pub fn handle_pdu(&mut self, now: Time, pdu: &[u8]) {
        if !self.line_is_up {
            self.counters.dropped_line_down += 1;
            return;
        }
        self.sscop.handle_pdu(now, pdu);
        self.carry_out(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.sscop.handle_timeout(now);
        self.carry_out(now);
    }

    /// When [`handle_timeout`](Saal::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        self.sscop.next_timeout()
    }

    /// The line (or the signaling VC) came or went. When it goes, everything ends here and now, `Released(LineDown)` is told
    /// if there was anything but `Released`, and nothing is transmitted; requests made while it is down are answered with
    /// `Released`, and PDUs are dropped.
    pub fn set_line(&mut self, _now: Time, up: bool) {
        if self.line_is_up && !up {
            self.sscop.reset();
            self.outputs.retain(|output| !matches!(output, SaalOutput::Transmit(_)));
            if self.state != SaalState::Released {
                self.released(ReleasedBecause::LineDown);
            }
        }
        self.line_is_up = up;
    }

    /// Grants the peer credit as SDUs are delivered, which is so from the start, or holds it back while the layer above cannot
    /// take more. What was granted may still come.
    pub fn set_grants_credit(&mut self, grants: bool) {
        self.sscop.set_grants_credit(grants);
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<SaalOutput> {
        self.outputs.pop_front()
    }

    /// Where it stands.
    pub fn state(&self) -> SaalState {
        self.state
    }

    /// What was counted here.
    pub fn counters(&self) -> &SaalCounters {
        &self.counters
    }

    /// SSCOP below, to be looked at: its state and phase, and what it counted, with each MAA-ERROR under its name.
    pub fn sscop(&self) -> &Sscop {
        &self.sscop
    }

    /// As much user-to-user information as SSCOP takes.
    fn uu<'a>(&self, uu: &'a [u8]) -> &'a [u8] {
        &uu[..uu.len().min(self.sscop.params().j)]
    }

    /// Makes the service's outputs of SSCOP's. A response that it gives may bring more.
    fn carry_out(&mut self, now: Time) {
        while let Some(output) = self.sscop.poll_output() {
            self.signal(now, output);
        }
    }

    /// A signal of SSCOP, by the table of [the module](super).
    fn signal(&mut self, now: Time, signal: Output) {
        match (self.state, signal) {
            (_, Output::Transmit(pdu)) => self.outputs.push_back(SaalOutput::Transmit(pdu)),
            (_, Output::UnitDataIndication { sdu }) => self.outputs.push_back(SaalOutput::UnitData(sdu)),
            (SaalState::Established, Output::Writable) => self.outputs.push_back(SaalOutput::Writable),
            (SaalState::Established, Output::DataIndication { sdu, .. }) => {
                self.outputs.push_back(SaalOutput::Data(sdu));
            }
            (SaalState::Released, Output::EstablishIndication { uu }) => {
                let response = self.sscop.establish_response(now, &[], CLEAR_BUFFERS);
                self.gone_along(now, response, EstablishedBecause::PeerAsked, uu);
            }
            (SaalState::AwaitingEstablish, Output::EstablishConfirm { uu })
            | (SaalState::AwaitingResync, Output::ResyncConfirm { uu }) => {
                self.established(EstablishedBecause::Confirmed, uu);
            }
            (SaalState::Established, Output::ResyncIndication { uu }) => {
                self.counters.resynchronised += 1;
                let response = self.sscop.resync_response(now);
                self.gone_along(now, response, EstablishedBecause::Resynchronised, uu);
            }
            (SaalState::Established, Output::RecoverIndication) => {
                self.counters.recovered += 1;
                let response = self.sscop.recover_response(now);
                self.gone_along(now, response, EstablishedBecause::Recovered, Vec::new());
            }
            (
                SaalState::AwaitingEstablish | SaalState::Established | SaalState::AwaitingResync,
                Output::ReleaseIndication { source, uu },
            ) => {
                self.user_to_user(uu);
                self.released(match source {
                    Source::User => ReleasedBecause::PeerAsked,
                    Source::Sscop => ReleasedBecause::ProtocolError,
                });
            }
            (SaalState::AwaitingRelease, Output::ReleaseConfirm { uu }) => {
                self.user_to_user(uu);
                self.released(ReleasedBecause::Confirmed);
            }
            // For layer management: SSCOP has counted it.
            (_, Output::ErrorIndication { .. }) => {}
            (_, Output::ManagementUnitDataIndication { .. }) => self.counters.dropped_management += 1,
            (
                _,
                Output::EstablishIndication { .. }
                | Output::EstablishConfirm { .. }
                | Output::ReleaseIndication { .. }
                | Output::ReleaseConfirm { .. }
                | Output::DataIndication { .. }
                | Output::ResyncIndication { .. }
                | Output::ResyncConfirm { .. }
                | Output::RecoverIndication
                | Output::RetrieveIndication { .. }
                | Output::RetrieveCompleteIndication
                | Output::Writable,
            ) => self.counters.unexpected_signals += 1,
        }
    }

    /// A response was given: what it sends goes out before the user hears that the connection stands.
    fn gone_along(
        &mut self,
        now: Time,
        response: Result<(), RequestError>,
        because: EstablishedBecause,
        uu: Vec<u8>,
    ) {
        lawful(response);
        self.state = SaalState::Established;
        self.carry_out(now);
        self.established(because, uu);
    }

    fn established(&mut self, because: EstablishedBecause, uu: Vec<u8>) {
        self.counters.established += 1;
        self.state = SaalState::Established;
        self.user_to_user(uu);
        self.outputs.push_back(SaalOutput::Established(because));
    }

    fn released(&mut self, because: ReleasedBecause) {
        self.counters.released += 1;
        self.state = SaalState::Released;
        self.outputs.push_back(SaalOutput::Released(because));
    }

    fn user_to_user(&mut self, uu: Vec<u8>) {
        if !uu.is_empty() {
            self.outputs.push_back(SaalOutput::UserToUser(uu));
        }
    }
}

/// The SSCF at the UNI retrieves nothing.
const CLEAR_BUFFERS: bool = true;

/// The table asks SSCOP only what is lawful in its state. That it does is our affair, not the peer's.
fn lawful(asked: Result<(), RequestError>) {
    asked.expect("the two tables agree");
}
