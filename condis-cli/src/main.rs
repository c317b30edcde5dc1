//! The `condis` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    condis_cli::cli::main()
}
