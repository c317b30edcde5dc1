//! SSCF at the UNI (Q.2130): the service of SSCOP as Q.2931 wants it.

mod saal;

pub use saal::{
    DataError, EstablishedBecause, ReleasedBecause, Saal, SaalConfig, SaalOutput, SaalState, UnitDataError,
};
