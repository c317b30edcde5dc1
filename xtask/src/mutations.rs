//! Mutations: the library's checks, taken out one by one, each with the test that must notice.
//!
//! They stand in `condis/tests/mutations.toml`. The workspace is copied once, files that did not change are left alone, and
//! each mutation is built and tested there. A mutation that survives is a hole in the tests; one that does not build, or
//! whose test hangs or matches nothing, is a fault of the list.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LIST: &str = "condis/tests/mutations.toml";

/// A test that takes longer hangs: none of those named in the list takes a tenth of it.
const TEST_MAX: Duration = Duration::from_secs(120);

/// Which of them to try.
pub(crate) enum Wanted {
    All,
    /// The planted races.
    Planted,
    Rule(String),
}

/// One edit of one file.
struct Edit {
    file: String,
    find: String,
    replace: String,
}

struct Mutation {
    rule: String,
    planted: bool,
    edits: Vec<Edit>,
    test: String,
    note: String,
}

enum Verdict {
    /// The test failed, as it must. What it said of the seed, if anything.
    Caught(Option<String>),
    Survived,
    /// The list is wrong.
    Fault(String),
}

/// True if all were caught.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<bool, String> {
    let list: Vec<_> = read_list(&root.join(LIST))?.into_iter().filter(|m| wanted.matches(m)).collect();
    if list.is_empty() {
        return Err(format!("{LIST} names nothing of that kind"));
    }
    let tree = Tree::copy(root)?;
    let mut distinct: Vec<&str> = list.iter().map(|mutation| mutation.test.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    for test in distinct {
        match tree.test(test) {
            Verdict::Survived => {}
            Verdict::Caught(_) => return Err(format!("`{test}` fails without any mutation")),
            Verdict::Fault(what) => return Err(format!("`{test}`: {what}")),
        }
    }
    let mut all = true;
    println!("{:8} {:10} {:>5}  what is taken out, and the test that notices", "rule", "verdict", "s");
    for mutation in &list {
        #[expect(clippy::disallowed_methods, reason = "how long a mutation takes is for people to read")]
        let begun = Instant::now();
        let verdict = tree.try_out(mutation)?;
        let (word, more) = match verdict {
            Verdict::Caught(seed) => ("caught", seed),
            Verdict::Survived => ("SURVIVED", None),
            Verdict::Fault(what) => ("FAULT", Some(what)),
        };
        all &= word == "caught";
        let (rule, note, test) = (&mutation.rule, &mutation.note, &mutation.test);
        println!("{rule:8} {word:10} {:5.1}  {note} [{test}]", begun.elapsed().as_secs_f32());
        if let Some(more) = more {
            println!("{:27}{more}", "");
        }
    }
    Ok(all)
}

impl Wanted {
    fn matches(&self, mutation: &Mutation) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Planted => mutation.planted,
            Wanted::Rule(rule) => mutation.rule == *rule,
        }
    }
}

fn read_list(path: &Path) -> Result<Vec<Mutation>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let table: toml::Table = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let entries =
        table.get("mutation").and_then(toml::Value::as_array).ok_or("no [[mutation]] in the list")?;
    entries.iter().map(read_entry).collect()
}

fn read_entry(entry: &toml::Value) -> Result<Mutation, String> {
    let word = |of: &toml::Value, key: &str| {
        let value = of.get(key).and_then(toml::Value::as_str);
        value.map(str::to_owned).ok_or(format!("a mutation lacks `{key}`: {of:?}"))
    };
    let edit = |of: &toml::Value| {
        Ok::<_, String>(Edit {
            file: word(of, "file")?,
            find: word(of, "find")?,
            replace: word(of, "replace")?,
        })
    };
    let mut edits = vec![edit(entry)?];
    for more in entry.get("more").and_then(toml::Value::as_array).into_iter().flatten() {
        edits.push(edit(more)?);
    }
    Ok(Mutation {
        rule: word(entry, "rule")?,
        planted: entry.get("planted").and_then(toml::Value::as_bool).unwrap_or(false),
        edits,
        test: word(entry, "test")?,
        note: word(entry, "note")?,
    })
}

/// The copy of the workspace.
struct Tree {
    root: PathBuf,
    target: PathBuf,
}

impl Tree {
    /// Copies what git knows, and what is new and not ignored, where it differs from the copy of the last run.
    fn copy(from: &Path) -> Result<Tree, String> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(from)
            .output()
            .map_err(|error| format!("git ls-files: {error}"))?;
        let base = from.join("target/mutants");
        let tree = Tree { root: base.join("tree"), target: base.join("target") };
        let mut there = BTreeMap::new();
        for path in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
            let Ok(new) = fs::read(from.join(path)) else { continue };
            let to = tree.root.join(path);
            if fs::read(&to).ok().as_ref() != Some(&new) {
                let folder = to.parent().ok_or("a file without a folder")?;
                fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                fs::write(&to, new).map_err(|error| format!("{}: {error}", to.display()))?;
            }
            there.insert(to, ());
        }
        remove_others(&tree.root, &there)?;
        Ok(tree)
    }

    /// Carries a mutation out, tests it and takes it back.
    fn try_out(&self, mutation: &Mutation) -> Result<Verdict, String> {
        let mut originals: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut texts = BTreeMap::new();
        for edit in &mutation.edits {
            let path = self.root.join(&edit.file);
            if !texts.contains_key(&path) {
                let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", edit.file))?;
                originals.insert(path.clone(), text.clone());
                texts.insert(path.clone(), text);
            }
            let text = texts.get_mut(&path).ok_or("just inserted")?;
            match text.matches(&edit.find).count() {
                1 => *text = text.replacen(&edit.find, &edit.replace, 1),
                n => {
                    return Ok(Verdict::Fault(format!("found {n} times in {}: `{}`", edit.file, edit.find)));
                }
            }
        }
        let write = |texts: &BTreeMap<PathBuf, String>| {
            texts.iter().try_for_each(|(path, text)| {
                fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
            })
        };
        write(&texts)?;
        let verdict = self.test(&mutation.test);
        write(&originals)?;
        Ok(verdict)
    }

    /// Builds and runs one test: `cargo test` arguments, and a filter behind `--`.
    fn test(&self, test: &str) -> Verdict {
        let (build, filter) = test.split_once(" -- ").unwrap_or((test, ""));
        let built = Command::new("cargo")
            .args(["test", "--no-run", "--locked", "--message-format=json"])
            .args(build.split_whitespace())
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            // Nobody looks at the debug information of a mutation.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .stderr(Stdio::piped())
            .output();
        let built = match built {
            Ok(built) if built.status.success() => built,
            Ok(built) => {
                let messages = String::from_utf8_lossy(&built.stdout);
                let rendered = messages.lines().filter_map(|line| {
                    let message: serde_json::Value = serde_json::from_str(line).ok()?;
                    let level = message["message"]["level"].as_str()?;
                    (level == "error").then(|| message["message"]["rendered"].as_str().map(str::to_owned))?
                });
                let errors: String = rendered.collect();
                let said = String::from_utf8_lossy(&built.stderr);
                let last =
                    if errors.is_empty() { said.lines().last().unwrap_or("").to_owned() } else { errors };
                return Verdict::Fault(format!("does not build: {last}"));
            }
            Err(error) => return Verdict::Fault(format!("cargo: {error}")),
        };
        let binaries: Vec<PathBuf> = String::from_utf8_lossy(&built.stdout)
            .lines()
            .filter_map(|line| {
                let message: serde_json::Value = serde_json::from_str(line).ok()?;
                let test = message["profile"]["test"].as_bool()?;
                test.then(|| message["executable"].as_str().map(PathBuf::from))?
            })
            .collect();
        match binaries.as_slice() {
            [binary] => self.run_one(binary, filter),
            _ => Verdict::Fault(format!("{} test binaries, not one", binaries.len())),
        }
    }

    fn run_one(&self, binary: &Path, filter: &str) -> Verdict {
        let out = self.target.join("test-output");
        let run = || -> std::io::Result<Option<bool>> {
            let file = File::create(&out)?;
            let mut child = Command::new(binary)
                .args(filter.split_whitespace())
                .current_dir(self.root.join("condis"))
                .env("RUST_BACKTRACE", "0")
                .stdout(file.try_clone()?)
                .stderr(file)
                .spawn()?;
            #[expect(clippy::disallowed_methods, reason = "watches a child process")]
            let begun = Instant::now();
            loop {
                if let Some(status) = child.try_wait()? {
                    return Ok(Some(status.success()));
                }
                if begun.elapsed() > TEST_MAX {
                    child.kill()?;
                    child.wait()?;
                    return Ok(None);
                }
                #[expect(clippy::disallowed_methods, reason = "watches a child process")]
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let ended = run();
        let said = fs::read(&out).map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
        let matched =
            said.lines().any(|line| line.starts_with("running ") && !line.starts_with("running 0 "));
        match ended {
            Err(error) => Verdict::Fault(format!("{}: {error}", binary.display())),
            Ok(None) => Verdict::Fault(format!("hung for {} s", TEST_MAX.as_secs())),
            Ok(Some(_)) if !matched => Verdict::Fault(format!("no test matches `{filter}`")),
            Ok(Some(true)) => Verdict::Survived,
            Ok(Some(false)) => {
                let seed = said.lines().find(|line| line.contains("seed"));
                Verdict::Caught(seed.map(|line| line.trim().chars().take(160).collect()))
            }
        }
    }
}

/// Removes what the workspace does not have any more.
fn remove_others(folder: &Path, keep: &BTreeMap<PathBuf, ()>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_others(&path, keep)?;
        } else if !keep.contains_key(&path) {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}
