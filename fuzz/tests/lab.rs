//! The body of the lab file target, on stable: over the seeds and the labs that come with the program, changed.

mod common;

use common::{Chance, seeds};
use condis_cli::lab::BUILTINS;
use condis_fuzz::lab;

/// Bits of TOML and of labs, which a changed octet alone would not find.
const PIECES: [&str; 16] = [
    "[[",
    "]]",
    "\"",
    "'''",
    "= ",
    "\n",
    "{ ",
    "0.5",
    "-1",
    "18446744073709551616",
    "\"9999999999s\"",
    "inf",
    "\u{e9}",
    "[node.\"\".adapter.x]\n",
    "drivers = []\n",
    "calls = 3\n",
];

/// For each text.
const RUNS: usize = 800;

#[test]
fn labs_changed() {
    for lab in BUILTINS {
        assert!(lab::file(lab.text.as_bytes()), "{} is a lab", lab.name);
    }
    let built_in = BUILTINS.iter().map(|lab| (lab.name.to_owned(), lab.text.as_bytes().to_vec()));
    let mut chance = Chance(1);
    let (mut good, mut bad) = (0, 0);
    for (_, text) in seeds("lab_file").into_iter().chain(built_in) {
        for _ in 0..RUNS {
            let mut changed = chance.changed(&text);
            if chance.below(2) == 0 {
                let at = chance.below(changed.len());
                let piece = PIECES[chance.below(PIECES.len())];
                changed.splice(at..at, piece.bytes());
            }
            match lab::file(&changed) {
                true => good += 1,
                false => bad += 1,
            }
        }
    }
    assert!(good > 50 && bad > 50, "{good} labs and {bad} others");
}
