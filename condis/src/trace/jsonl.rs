use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::json;

use super::{Crossing, Report, Sink, Way};

/// Writes each crossing and report as one line of JSON.
///
/// `{"t":ns,"node":…,"caller":…,"callee":…,"role":…,"function":…,"object":…}`; a final status that a call returned adds
/// `"returned"`; a report has `"rule"` and `"what"`. A write error loses the line; [`JsonLines::lost`] counts them.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: Mutex<W>,
    lost: AtomicU64,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`. Buffer it, and call [`JsonLines::flush`] at the end.
    pub fn new(out: W) -> JsonLines<W> {
        JsonLines { out: Mutex::new(out), lost: AtomicU64::new(0) }
    }

    /// Lines that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Flushes the writer.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&self) -> std::io::Result<()> {
        self.out.lock().expect("nothing panics inside").flush()
    }

    /// The writer, with all that was written.
    pub fn into_inner(self) -> W {
        self.out.into_inner().expect("nothing panics inside")
    }

    fn line(&self, line: &serde_json::Value) {
        if writeln!(self.out.lock().expect("nothing panics inside"), "{line}").is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

impl<W: Write + Send> Sink for JsonLines<W> {
    fn crossing(&self, c: &Crossing<'_>) {
        let mut line = json!({
            "t": c.at.as_nanos(), "node": c.node, "caller": c.caller(), "callee": c.callee(), "role": c.role.name(),
            "function": c.function.name(), "object": c.object.to_string(),
        });
        if let Way::Returned(status) = c.way {
            line["returned"] = json!(status.to_string());
        }
        self.line(&line);
    }

    fn report(&self, r: &Report) {
        self.line(&json!({
            "t": r.at.as_nanos(), "object": r.object.to_string(), "rule": r.rule, "what": r.what,
        }));
    }
}
