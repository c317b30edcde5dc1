//! The signaling AAL's service: SSCF over SSCOP.

use condis::runtime::Time;

/// What a signaling AAL is told when it is made.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SaalConfig {}

/// Where the service stands, as its user sees it (Q.2130, four states, and the wait for a resynchronisation).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SaalState {
    /// No connection. From the start, and whenever one has ended.
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
    /// AAL-RELEASE.indication: the peer's user refused or ended it.
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
    /// AAL-DATA.indication: an SDU, in order, once.
    Data(Vec<u8>),
    /// AAL-UNITDATA.indication: an SDU outside of any connection, unassured.
    UnitData(Vec<u8>),
    /// After [`DataError::QueueFull`]: there is room again.
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

/// The signaling AAL of one interface: SSCF at the UNI over SSCOP.
///
/// Give it one input at a time (`establish`, `release`, `data`, `unit_data`, `handle_pdu`, `handle_timeout`, `set_line`), then
/// call [`poll_output`](Saal::poll_output) until `None` and carry each output out in that order.
pub struct Saal {}

impl Saal {
    /// Without a connection; the line is up.
    pub fn new(_config: SaalConfig) -> Saal {
        Saal {}
    }

    /// AAL-ESTABLISH.request. Ends in `Established(Confirmed)` or `Released`. Where a connection stands, it is resynchronised;
    /// while an earlier request waits, nothing happens.
    pub fn establish(&mut self, _now: Time) {}

    /// AAL-RELEASE.request. Ends in `Released(Confirmed)`, at once if there is nothing to release.
    pub fn release(&mut self, _now: Time) {}

    /// AAL-DATA.request: an SDU to be delivered in order and once, while the connection stands.
    ///
    /// # Errors
    /// [`DataError`], with the SDU.
    pub fn data(&mut self, _now: Time, sdu: Vec<u8>) -> Result<(), DataError> {
        Err(DataError::NotEstablished { state: self.state(), sdu })
    }

    /// AAL-UNITDATA.request: an SDU sent now and never again, in any state.
    ///
    /// # Errors
    /// [`UnitDataError`].
    pub fn unit_data(&mut self, _now: Time, _sdu: &[u8]) -> Result<(), UnitDataError> {
        Ok(())
    }

    /// Takes an AAL5 SDU that came in on the signaling VC. What is wrong with it is counted.
    pub fn handle_pdu(&mut self, _now: Time, _pdu: &[u8]) {}

    /// Does what is due.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// When [`handle_timeout`](Saal::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        None
    }

    /// The line (or the signaling VC) came or went. When it goes, everything ends here and now, `Released(LineDown)` is told
    /// if there was anything but `Released`, and nothing is transmitted; requests made while it is down are answered with
    /// `Released`, and PDUs are dropped.
    pub fn set_line(&mut self, _now: Time, _up: bool) {}

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<SaalOutput> {
        None
    }

    /// Where it stands.
    pub fn state(&self) -> SaalState {
        SaalState::Released
    }
}
