//! The progress line on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Passed;

/// A line on standard error that tells what passed so far; nothing unless that is a terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// A line for so many octets to be sent, if that is known.
    pub fn new(octets: Option<u64>) -> Progress {
        let bar = ProgressBar::with_draw_target(octets, ProgressDrawTarget::stderr());
        let template = match octets {
            Some(_) => "{bar:24} {bytes}/{total_bytes} sent, {bytes_per_sec}, {eta} left; {msg} received",
            None => "{spinner} {bytes} sent, {bytes_per_sec}; {msg} received",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Shows it from now on. It takes a thread, which must not be there before capabilities are given up.
    pub fn start(&self) {
        self.0.enable_steady_tick(Duration::from_millis(200));
    }

    /// A line that is never shown.
    pub fn hidden() -> Progress {
        Progress(ProgressBar::hidden())
    }

    /// So much has passed by now.
    pub fn tell(&self, passed: Passed) {
        self.0.set_position(passed.sent_octets);
        self.0.set_message(indicatif::BinaryBytes(passed.received_octets).to_string());
    }

    /// Prints a line above it.
    pub fn say(&self, text: &str) {
        if self.0.is_hidden() { crate::say(text) } else { self.0.println(text) }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
