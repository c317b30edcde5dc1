//! Aim: every documented name is to be found. Method: the list in `docs/reference/names.txt` against the table, and the
//! table against the sources: the item it names stands below a `doc(alias)` with that name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use condis::names::{Function, TABLE};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn listed() -> Vec<String> {
    let text =
        fs::read_to_string(root().join("docs/reference/names.txt")).expect("the list is in the repository");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_table_has_every_documented_name_once() {
    let table: Vec<_> = TABLE.iter().map(|entry| entry.function.name().to_owned()).collect();
    assert_eq!(table, listed());
    assert_eq!(table.len(), 65 + 42);
    assert!(TABLE.iter().all(|entry| entry.function.is_condis()));
    assert_eq!(Function::ALL.iter().filter(|function| function.is_condis()).count(), table.len());
}

#[test]
fn every_item_of_the_table_bears_the_name_as_an_alias() {
    let aliases = aliases();
    for entry in TABLE {
        let name = entry.function.name();
        let found = aliases.get(name).unwrap_or_else(|| panic!("no item has the alias {name}"));
        for item in entry.items {
            // A completion is documented at the callback whose token it completes.
            let callback = item.rsplit(" of ").next().expect("rsplit gives at least one");
            for path in callback.split(" and ") {
                let method = path.rsplit("::").next().expect("rsplit gives at least one");
                let twin = method == "retire" && found.contains("delete");
                assert!(twin || found.contains(method), "{name}: `{method}` does not bear it; {found:?} do");
            }
        }
    }
}

#[test]
fn every_rule_of_the_table_exists() {
    let mut text = fs::read_to_string(root().join("docs/reference/condis-calls.md")).expect("it is there");
    text += &fs::read_to_string(root().join("docs/reference/condis-datapath.md")).expect("it is there");
    for entry in TABLE {
        assert!(!entry.rules.is_empty(), "{} obeys no rule", entry.function);
        for rule in entry.rules {
            assert!(text.contains(&format!("- {rule} [")), "{}: there is no rule {rule}", entry.function);
        }
    }
}

/// All `doc(alias)` of the library, with the names of the items that they stand above.
fn aliases() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&root().join("condis/src")) {
        let text = fs::read_to_string(&file).expect("a source is text");
        let mut waiting = Vec::new();
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("doc(alias = \"") {
                waiting.extend(rest.split('"').next().map(str::to_owned));
            } else if let Some(item) = item_of(line) {
                for alias in waiting.drain(..) {
                    found.entry(alias).or_default().insert(item.to_owned());
                }
            }
        }
    }
    found
}

fn item_of(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("pub ");
    let rest =
        ["fn ", "trait ", "struct ", "enum ", "const "].iter().find_map(|kind| line.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
