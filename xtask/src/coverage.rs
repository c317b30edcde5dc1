//! Coverage of the rules: which of the references' rules the tests cite.
//!
//! A rule that NDIS must obey is cited in a test (a file under `tests/`, a `#[cfg(test)]` module, a doctest) or stands in
//! `docs/conformance.md` with the reason why there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const LEFT_OUT: &str = "docs/conformance.md";

/// True if no rule of NDIS is left without a test or a reason.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let rules = rules(&root.join("docs/reference"))?;
    let left_out = left_out(&root.join(LEFT_OUT));
    let mut cited = BTreeSet::new();
    for path in sources(root)? {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        cited.extend(ids(&tests_of(&path, &text)));
    }
    let unknown: Vec<_> = cited.iter().chain(&left_out).filter(|id| !rules.contains_key(*id)).collect();
    let count = rules.keys().filter(|id| cited.contains(*id)).count();
    let of_ndis: Vec<_> = rules.iter().filter(|(_, rule)| rule.ndis).collect();
    let missing: Vec<_> =
        of_ndis.iter().filter(|(id, _)| !cited.contains(*id) && !left_out.contains(*id)).collect();
    println!("{count} of {} rules are cited in tests", rules.len());
    println!(
        "{} rules are NDIS's: {} cited, {} in {LEFT_OUT}, {} missing",
        of_ndis.len(),
        of_ndis.iter().filter(|(id, _)| cited.contains(*id)).count(),
        of_ndis.iter().filter(|(id, _)| !cited.contains(*id) && left_out.contains(*id)).count(),
        missing.len()
    );
    missing.iter().for_each(|(id, rule)| println!("missing: {id} {}", rule.text));
    unknown.iter().for_each(|id| println!("cited, but no rule: {id}"));
    Ok(missing.is_empty() && unknown.is_empty())
}

struct Rule {
    /// NDIS itself must obey.
    ndis: bool,
    text: String,
}

/// `- CO-001 [N CM] text`, line by line.
fn rules(folder: &Path) -> Result<BTreeMap<String, Rule>, String> {
    let mut rules = BTreeMap::new();
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        for line in text.lines() {
            let Some((id, rest)) = line.strip_prefix("- ").and_then(|line| line.split_once(" [")) else {
                continue;
            };
            let Some((who, text)) = rest.split_once("] ") else { continue };
            if ids(id).len() == 1 && ids(id).contains(id) {
                let ndis = who.split_whitespace().any(|who| who == "N");
                let text = text.chars().take(120).collect();
                if rules.insert(id.to_owned(), Rule { ndis, text }).is_some() {
                    return Err(format!("{id} stands twice in {}", folder.display()));
                }
            }
        }
    }
    Ok(rules)
}

/// The ids in the first column of the tables. Nothing if there is no such file yet.
fn left_out(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix('|')?.split('|').next());
    rows.flat_map(ids).collect()
}

fn sources(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("condis") {
            walk(&entry.path(), &mut found);
        }
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The part of a file that is tests.
fn tests_of(path: &Path, text: &str) -> String {
    let in_tests =
        path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
    if in_tests {
        return text.to_owned();
    }
    let (before, tests) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
    let mut found = tests.to_owned();
    let mut inside = false;
    for line in before.lines() {
        let line = line.trim_start();
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        if doc.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            found.push('\n');
            found.push_str(doc);
        }
    }
    found
}

/// The ids in a text: `CO-001`, and ranges: `CO-001 to CO-004`, `DP-209…214`.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find("CO-").into_iter().chain(rest.find("DP-")).min() {
        let (kind, after) = (&rest[at..at + 2], &rest[at + 3..]);
        let glued = rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        rest = after;
        let Some(first) = number(after).filter(|_| !glued) else { continue };
        let tail = &after[3..];
        let last = [" to ", "…", " to CO-", " to DP-", "…CO-", "…DP-"]
            .iter()
            .filter_map(|between| number(tail.strip_prefix(between)?))
            .next()
            .filter(|last| *last > first);
        found.extend((first..=last.unwrap_or(first)).map(|n| format!("{kind}-{n:03}")));
    }
    found
}

/// Three digits, and not four.
fn number(text: &str) -> Option<u32> {
    let digits = text.get(..3)?;
    let more = text[3..].starts_with(|c: char| c.is_ascii_digit());
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && !more).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        ids(text).into_iter().collect()
    }

    #[test]
    fn ids_and_ranges_are_read() {
        assert_eq!(list("CO-012, (DP-007) and X-45"), ["CO-012", "DP-007"]);
        assert_eq!(list("CO-002 to CO-004"), ["CO-002", "CO-003", "CO-004"]);
        assert_eq!(list("DP-209…211 DP-1234 ECO-001"), ["DP-209", "DP-210", "DP-211"]);
    }

    #[test]
    fn only_tests_count() {
        let text =
            "/// DP-001\n/// ```\n/// DP-002\n/// ```\n// DP-003\n#[cfg(test)]\nmod tests { /* DP-004 */ }";
        let in_source = ids(&tests_of(Path::new("condis/src/a.rs"), text));
        assert_eq!(in_source.into_iter().collect::<Vec<_>>(), ["DP-002", "DP-004"]);
        assert_eq!(ids(&tests_of(Path::new("condis/tests/a.rs"), text)).len(), 4);
    }
}
