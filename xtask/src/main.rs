//! What the repository checks of itself.
//!
//! - `cargo run -p xtask -- coverage`: every rule that NDIS must obey is cited in a test or listed as left out.
//! - `cargo run -p xtask -- mutations`: a test that cites a rule fails once the library's check of it is taken out.
//! - `cargo run -p xtask -- peers`: Linux's own stacks in QEMU, against each other.

mod coverage;
mod mutations;
mod peers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["coverage"] => coverage::run(&root()),
        ["mutations"] => mutations::run(&root(), &mutations::Wanted::All),
        ["mutations", "--planted"] => mutations::run(&root(), &mutations::Wanted::Planted),
        ["mutations", "--rule", rule] => {
            mutations::run(&root(), &mutations::Wanted::Rule((*rule).to_owned()))
        }
        ["peers", words @ ..] => peers::run(&root(), words),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::from(2)
        }
    }
}

const USAGE: &str = "usage: cargo run -p xtask -- coverage | mutations [--planted | --rule CO-094] | peers [build | SCENARIO [WORDS]]";

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}
