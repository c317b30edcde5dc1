//! From a name or a path to a lab.

use std::fs;
use std::path::Path;

use super::error::{did_you_mean, nearest};
use super::file::LabFile;
use super::{BUILTINS, Lab, LabError, Source, check};

impl Lab {
    /// Loads the built-in lab of this name, or the file at this path, after changing it as `settings` say: each is
    /// `KEY=VALUE`, with the key as a path of names joined by dots and the value in TOML (bare text is text).
    ///
    /// # Errors
    /// There is no such lab, it cannot be read, or something in it is wrong.
    pub fn load(name: &str, settings: &[String]) -> Result<Lab, LabError> {
        let mut source = find(name)?;
        if !settings.is_empty() {
            source = changed(source, settings)?;
        }
        Lab::parse(source)
    }

    /// Reads a lab from a text.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(source: Source) -> Result<Lab, LabError> {
        let file: LabFile = toml::from_str(&source.text).map_err(|error| explain(&source, &error))?;
        check::check(file, source)
    }
}

/// A built-in wins over a file of the same name; a file is told by its extension or a directory.
fn find(name: &str) -> Result<Source, LabError> {
    if let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == name) {
        return Ok(Source { name: builtin.name.to_owned(), text: builtin.text.to_owned() });
    }
    match fs::read_to_string(name) {
        Ok(text) => Ok(Source { name: name.to_owned(), text }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing(name)),
        Err(error) => Err(LabError::new(format!("cannot read the lab file {name}: {error}"))),
    }
}

fn missing(name: &str) -> LabError {
    let builtins = || BUILTINS.iter().map(|builtin| builtin.name);
    if !name.contains('/') && !name.ends_with(".toml") {
        return LabError::new(format!("there is no built-in lab \"{name}\", and no file of that name"))
            .help(did_you_mean(name, "built-in lab", builtins()));
    }
    let path = Path::new(name);
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files: Vec<String> = fs::read_dir(directory)
        .map(|entries| entries.flatten().map(|entry| entry.path().display().to_string()).collect())
        .unwrap_or_default();
    files.retain(|file| file.ends_with(".toml"));
    files.sort();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let error = LabError::new(format!("there is no lab file {name}"));
    let shown: Vec<&str> = files.iter().map(|file| file.trim_start_matches("./")).collect();
    match (nearest(name, shown.iter().copied()), nearest(stem, builtins())) {
        (Some(file), _) => error.help(format!("did you mean \"{file}\"?")),
        (None, Some(builtin)) => error.help(format!("did you mean the built-in lab \"{builtin}\"?")),
        (None, None) => error.help("`condis labs` lists the built-in labs"),
    }
}

/// The text with the settings written into it.
fn changed(source: Source, settings: &[String]) -> Result<Source, LabError> {
    // An error in the file itself is shown in the file as it is.
    let mut document: toml_edit::DocumentMut = match source.text.parse() {
        Ok(document) => document,
        Err(_) => return Ok(source),
    };
    for setting in settings {
        let Some((path, value)) = setting.split_once('=') else {
            return Err(LabError::new(format!("--set {setting}: there is no \"=\" in it"))
                .help("expected KEY=VALUE, such as node.host.adapter.eth0.link=ethernet:eth1"));
        };
        let mut item: &mut toml_edit::Item = document.as_item_mut();
        let names: Vec<&str> = path.split('.').map(str::trim).collect();
        for (depth, name) in names[..names.len() - 1].iter().enumerate() {
            let known: Vec<String> = match item.as_table_like() {
                Some(table) => table.iter().map(|(key, _)| key.to_owned()).collect(),
                None => Vec::new(),
            };
            item = match item.as_table_like_mut().and_then(|table| table.get_mut(name)) {
                Some(item) => item,
                None => {
                    let within = if depth == 0 { "the lab".to_owned() } else { names[..depth].join(".") };
                    return Err(LabError::new(format!("--set {setting}: {within} has no \"{name}\""))
                        .help(did_you_mean(name, "table there", known.iter().map(String::as_str))));
                }
            };
        }
        let last = names[names.len() - 1];
        let Some(table) = item.as_table_like_mut() else {
            return Err(LabError::new(format!("--set {setting}: nothing can be set in there"))
                .help("expected the path of a key in a table"));
        };
        table.insert(last, toml_edit::value(value_of(value)));
    }
    Ok(Source { name: format!("{} (as changed by --set)", source.name), text: document.to_string() })
}

fn value_of(text: &str) -> toml_edit::Value {
    text.trim().parse().unwrap_or_else(|_| text.trim().into())
}

/// A mistake of form, as the TOML reader tells it, with the nearest valid name.
fn explain(source: &Source, error: &toml::de::Error) -> LabError {
    let message = error.message().trim_end();
    let span = error.span().unwrap_or(0..0);
    let Some((wrong, valid)) = unknown(message) else {
        if let Some(missing) = message.strip_prefix("missing field ") {
            let missing = missing.trim_matches('`');
            return source
                .error(span, format!("there is no \"{missing}\" in this table"), "this table")
                .help(format!(
                    "expected a line `{missing} = …` in it; `condis labs show two-ways` is an example"
                ));
        }
        let message = message.replace('\n', "; ");
        return source
            .error(span, message, "here")
            .help("expected a lab file, which is TOML; `condis labs show two-ways` is an example");
    };
    let help = did_you_mean(wrong, "key that fits", valid.iter().copied());
    let all = valid.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    source
        .error(span, format!("there is no key \"{wrong}\" here"), "not known")
        .help(format!("{help}\nvalid here: {all}"))
}

/// The name and the valid ones in serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}
