//! What the fuzz targets do: functions from octets, which panic if something is wrong.
//!
//! Each is called by a target of its own in `fuzz_targets/` and by the tests in `tests/`.
#![forbid(unsafe_code)]

pub mod atm_params;
pub mod calls;
pub mod cells;
pub mod ilmi;
mod input;
pub mod lab;
pub mod library;
pub mod link;
pub mod pppoe;
pub mod q2931;
pub mod sscop;
