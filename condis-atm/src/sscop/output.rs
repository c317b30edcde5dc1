//! What SSCOP gives out, and how it refuses.

use super::wire::Source;
use super::{Event, MaaError, Sn, State};

/// What the owner has to do, or to tell the user (AA-) or layer management (MAA-). `uu` is the peer user's information.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send this PDU as one AAL5 SDU.
    Transmit(Vec<u8>),
    /// AA-ESTABLISH.indication: the peer asks for a connection. Answer with `establish_response` or `release`.
    EstablishIndication {
        /// The peer user's information.
        uu: Vec<u8>,
    },
    /// AA-ESTABLISH.confirm: `establish` was answered, data flows.
    EstablishConfirm {
        /// The peer user's information.
        uu: Vec<u8>,
    },
    /// AA-RELEASE.indication: the connection or the attempt is over.
    ReleaseIndication {
        /// Who ended it.
        source: Source,
        /// The peer user's information.
        uu: Vec<u8>,
    },
    /// AA-RELEASE.confirm: `release` was answered, or given up waiting for.
    ReleaseConfirm {
        /// The peer user's information.
        uu: Vec<u8>,
    },
    /// AA-DATA.indication: an SDU, in order, once. After an error recovery without cleared buffers there may be gaps in `sn`.
    DataIndication {
        /// The number of its SD.
        sn: Sn,
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// AA-RESYNC.indication: the peer resynchronises. Answer with `resync_response` or `release`.
    ResyncIndication {
        /// The peer user's information.
        uu: Vec<u8>,
    },
    /// AA-RESYNC.confirm: `resync` was answered, data flows again.
    ResyncConfirm {
        /// The peer user's information.
        uu: Vec<u8>,
    },
    /// AA-RECOVER.indication: SSCOP recovers from an error. Answer with `recover_response`, `resync` or `release`.
    RecoverIndication,
    /// AA-UNITDATA.indication.
    UnitDataIndication {
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// AA-RETRIEVE.indication: an SDU that was not (or not surely) delivered, taken back.
    RetrieveIndication {
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// AA-RETRIEVE-COMPLETE.indication: that was all.
    RetrieveCompleteIndication,
    /// After [`SendError::QueueFull`]: there is room again. Not told if the connection ends or the peer resynchronises it
    /// before.
    Writable,
    /// MAA-ERROR.indication.
    ErrorIndication {
        /// Which.
        error: MaaError,
        /// How many SDs have to be sent again, with [`MaaError::Retransmission`]; otherwise 0.
        count: u32,
    },
    /// MAA-UNITDATA.indication.
    ManagementUnitDataIndication {
        /// The SDU.
        sdu: Vec<u8>,
    },
}

/// Where AA-RETRIEVE.request begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetrieveFrom {
    /// Only what was never sent.
    Unknown,
    /// All that is not acknowledged, and what was never sent.
    Total,
    /// What was sent after this number, and what was never sent.
    After(Sn),
}

/// Why a request or a response was not taken. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Not lawful in this state.
    #[error("{request:?} is not lawful in {state}")]
    Refused {
        /// The request.
        request: Event,
        /// The state.
        state: State,
    },
    /// More octets than k or j allows.
    #[error("{len} octets, of at most {max}")]
    TooLong {
        /// How many.
        len: usize,
        /// k for SDUs, j for user-to-user information.
        max: usize,
    },
}

/// Why an SDU was not taken. It comes back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Not lawful in this state.
    #[error("no SDU is taken in {state}")]
    Refused {
        /// The state.
        state: State,
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// [`transmit_len_max`](super::Params::transmit_len_max) SDUs are there; [`Output::Writable`] will follow.
    #[error("{max} SDUs wait already")]
    QueueFull {
        /// The bound.
        max: usize,
        /// The SDU.
        sdu: Vec<u8>,
    },
    /// More than k octets.
    #[error("an SDU of {} octets, of at most {max}", .sdu.len())]
    TooLong {
        /// k.
        max: usize,
        /// The SDU.
        sdu: Vec<u8>,
    },
}
