//! Every rule of calls that the library must obey is named by a test, or listed with the reason why not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The rule ids in a text; two with "to" between them stand for all from one to the other.
fn ids(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut last = None;
    for (at, _) in text.match_indices("CO-") {
        let Some(id) = text.get(at + 3..at + 6).and_then(|digits| digits.parse::<u32>().ok()) else {
            continue;
        };
        if let Some((from, end)) = last
            && text.get(end..at) == Some(" to ")
        {
            found.extend(from..=id);
        }
        found.insert(id);
        last = Some((id, at + 6));
    }
    found
}

fn texts(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            texts(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&path).expect("readable"));
        }
    }
}

#[test]
fn every_rule_of_the_library_is_tested_or_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = fs::read_to_string(root.join("../docs/reference/condis-calls.md")).expect("readable");
    let rules: BTreeSet<u32> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("- CO-"))
        .filter_map(|line| {
            let (id, rest) = line.split_once(" [")?;
            let (who, _) = rest.split_once(']')?;
            who.split(' ').any(|who| who == "N").then(|| id.parse().expect("a number"))
        })
        .collect();
    assert!(rules.len() > 100, "the rules were found: {}", rules.len());
    let mut tests = String::new();
    texts(&root.join("tests"), &mut tests);
    let explained = fs::read_to_string(root.join("../docs/conformance.md")).expect("readable");
    let known: BTreeSet<u32> = ids(&tests).union(&ids(&explained)).copied().collect();
    let missing: Vec<_> = rules.difference(&known).map(|id| format!("CO-{id:03}")).collect();
    assert!(missing.is_empty(), "neither tested nor explained: {missing:?}");
}
