//! Linux's own ATM, PPPoE and L2TP as peers, booted in QEMU: `tests/peers/linux`.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `tests/peers/linux/build`, or a scenario by its name, with the words that follow. Without a word, lists them.
/// True if it succeeded.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<bool, String> {
    let lab = root.join("tests/peers/linux");
    let scenarios = scenarios(&lab.join("scenarios"))?;
    let program = match words.first() {
        None => {
            println!("build: makes the peers' kernel and root image from Debian's packages, as root");
            scenarios.iter().for_each(|(name, aim)| println!("{name}: {aim}"));
            return Ok(true);
        }
        Some(&"build") => lab.join("build"),
        Some(name) if scenarios.iter().any(|(scenario, _)| scenario == name) => {
            lab.join("scenarios").join(name)
        }
        Some(name) => {
            let names: Vec<&str> = scenarios.iter().map(|(name, _)| name.as_str()).collect();
            return Err(format!("no scenario {name:?}; there are build, {}", names.join(", ")));
        }
    };
    let status = Command::new(&program).args(&words[1..]).status();
    status.map(|status| status.success()).map_err(|error| format!("{}: {error}", program.display()))
}

/// The scenarios, each with the first line of its comment.
fn scenarios(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut scenarios = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let mut lines = text.lines();
        if !name.contains('.') && lines.next().is_some_and(|line| line.starts_with("#!")) {
            let aim = lines.next().unwrap_or_default().trim_start_matches("# ").to_owned();
            scenarios.push((name, aim));
        }
    }
    scenarios.sort();
    Ok(scenarios)
}
