//! What is wrong with a lab, as it is shown.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use super::Source;

/// A lab that cannot be run: the place, what was expected, and what to do.
#[derive(Debug)]
pub struct LabError {
    message: String,
    help: Option<String>,
    /// On the heap, since errors are seldom and results are not.
    place: Option<Box<(NamedSource<String>, LabeledSpan)>>,
}

impl LabError {
    /// Something is wrong that has no place in a file.
    pub fn new(message: impl Into<String>) -> LabError {
        LabError { message: message.into(), help: None, place: None }
    }

    /// The place in `source`, and what is there.
    #[must_use]
    pub fn at(mut self, source: &Source, span: std::ops::Range<usize>, label: impl Into<String>) -> LabError {
        let named = NamedSource::new(&source.name, source.text.clone()).with_language("TOML");
        self.place = Some(Box::new((named, LabeledSpan::new_with_span(Some(label.into()), span))));
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> LabError {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LabError {}

impl Diagnostic for LabError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.0 as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.place.as_ref().map(|place| Box::new(std::iter::once(place.1.clone())) as _)
    }
}

/// The one of `valid` that is most like `name`, if one is at all.
pub(crate) fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = valid.into_iter().map(|other| (strsim::jaro_winkler(name, other), other));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= LIKENESS_MIN).then_some(best.1)
}

/// "did you mean …?", or the list of what there is.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    what: &str,
    valid: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(name, valid.clone()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => {
            let all: Vec<_> = valid.into_iter().map(|name| format!("\"{name}\"")).collect();
            match all.is_empty() {
                true => format!("there is no {what}"),
                false => format!("expected one of {}", all.join(", ")),
            }
        }
    }
}

/// Names less alike than this (1 is equal) are not a slip of the finger.
const LIKENESS_MIN: f64 = 0.7;
