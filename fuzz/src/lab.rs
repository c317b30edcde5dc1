//! Lab files: any text is a lab, or an error that points into the text.

use condis_cli::lab::{Lab, Source};
use miette::Diagnostic;

/// Gives whether the text is a lab, so that a test sees how far it came.
pub fn file(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let source = Source { name: "fuzz".into(), text: text.into() };
    let error = match Lab::parse(source) {
        Ok(lab) => {
            // What is asked of every lab before it runs.
            let _ = (lab.serves(), lab.real_link());
            return true;
        }
        Err(error) => error,
    };
    assert!(!error.to_string().is_empty());
    for label in error.labels().into_iter().flatten() {
        let span = label.offset()..label.offset() + label.len();
        assert!(text.get(span.clone()).is_some(), "{span:?} is no place in a text of {}", text.len());
    }
    if let Some(help) = Diagnostic::help(&error) {
        assert!(!help.to_string().is_empty());
    }
    // As it is shown.
    let mut shown = String::new();
    let handler = miette::NarratableReportHandler::new();
    handler.render_report(&mut shown, &error).expect("an error can be shown");
    false
}
