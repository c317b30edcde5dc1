//! The `condis` command.
#![forbid(unsafe_code)]

fn main() {}
