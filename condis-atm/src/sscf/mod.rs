//! SSCF at the UNI (Q.2130): the service of SSCOP as Q.2931 wants it.
//!
//! [`Saal`] is the signaling AAL above AAL5: one [`Sscop`](crate::sscop::Sscop) and the function that makes AAL-ESTABLISH,
//! AAL-RELEASE, AAL-DATA and AAL-UNIT-DATA of its signals. It owns no socket, clock, thread or random source: see [`Saal`].
//!
//! # States and signals (Q.2130 Table 4)
//! The number pairs are the states of the service at its two borders: above (1 idle, 2 outgoing pending, 3 release pending,
//! 4 established) / below, of SSCOP.
//!
//! | | Released 1/1 | AwaitingEstablish 2/2 | AwaitingRelease 3/4 | Established 4/10 | AwaitingResync 2/5 |
//! |---|---|---|---|---|---|
//! | `establish` | AA-ESTABLISH.request, 2/2 | nothing: it is asked for | AA-ESTABLISH.request, 2/2 | AA-RESYNC.request, 2/5 | nothing: it is asked for |
//! | `release` | `Released`, 1/1 | AA-RELEASE.request, 3/4 | nothing: it is asked for | AA-RELEASE.request, 3/4 | AA-RELEASE.request, 3/4 |
//! | `data` | refused | refused | refused | AA-DATA.request | refused |
//! | `unit_data` | AA-UNITDATA.request | same | same | same | same |
//! | AA-ESTABLISH.indication | response, `Established`, 4/10 | - | - | - | - |
//! | AA-ESTABLISH.confirm | - | `Established`, 4/10 | - | - | - |
//! | AA-RELEASE.indication | - | `Released`, 1/1 | - | `Released`, 1/1 | `Released`, 1/1 |
//! | AA-RELEASE.confirm | - | - | `Released`, 1/1 | - | - |
//! | AA-DATA.indication | - | - | - | `Data` | - |
//! | AA-RESYNC.indication | - | - | - | response, `Established` | - |
//! | AA-RESYNC.confirm | - | - | - | - | `Established`, 4/10 |
//! | AA-RECOVER.indication | - | - | - | response, `Established` | - |
//! | AA-UNITDATA.indication | `UnitData` | same | same | same | same |
//!
//! What has a `-` SSCOP does not give in that state; if it did, it would be counted and nothing else.
//!
//! A recovery is answered without asking anybody. It is told as `Established(Recovered)` because SDUs may be lost by it: the
//! SSCF asks SSCOP to clear its buffers (Clear-buffers is yes), and Q.2931 wants to compare states with its peer then.
//!
//! Not done: AA-RETRIEVE, which the UNI does not use.
//!
//! The text of Q.2130 was not read. Table, states and the values of the parameters are those of public implementations
//! (FreeBSD's ngatm, linux-atm).

mod saal;

#[cfg(test)]
mod tests;

pub use saal::{
    DataError, EstablishedBecause, ReleasedBecause, Saal, SaalConfig, SaalCounters, SaalOutput, SaalState,
    UnitDataError,
};
