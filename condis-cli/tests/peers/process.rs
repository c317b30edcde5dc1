//! A program that runs beside the test: read line by line, never waited for without end, killed with the test.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use super::HANG;
use super::cable::signal;

/// A running program.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    /// Lines that came and were not asked for yet.
    unread: VecDeque<String>,
    /// All that it said, for whoever reads why a test failed.
    said: Vec<String>,
}

/// How a program ended.
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// All that it said on standard output and standard error.
    pub(crate) said: String,
}

impl Process {
    /// Starts it, with nothing on its standard input.
    pub(crate) fn start(name: &str, command: &mut Command) -> Process {
        Process::spawn(name, command.stdin(Stdio::null()).stdout(Stdio::piped()))
    }

    /// Starts it with standard input and output as they are set.
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program can be started");
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            read_lines(output, sender.clone());
        }
        if let Some(errors) = child.stderr.take() {
            read_lines(errors, sender);
        }
        Process { name: name.to_owned(), child, lines, unread: VecDeque::new(), said: Vec::new() }
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says a line with `text` in it, and returns that line. Lines before it are passed over.
    pub(crate) fn line(&mut self, text: &str) -> String {
        let deadline = Instant::now() + HANG;
        loop {
            while let Some(line) = self.unread.pop_front() {
                if line.contains(text) {
                    return line;
                }
            }
            match self.next_line(deadline) {
                Ok(line) => self.unread.push_back(line),
                Err(why) => self.fail(&format!("did not say {text:?}"), why),
            }
        }
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits until it ends.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + HANG;
        loop {
            match self.next_line(deadline) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => self.fail("did not end", RecvTimeoutError::Timeout),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // Nobody holds its output any more: it ends now, if it has not.
        let status = self.child.wait().expect("it is our child");
        Ended { status, said: self.said.join("\n") }
    }

    fn next_line(&mut self, deadline: Instant) -> Result<String, RecvTimeoutError> {
        let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))?;
        self.said.push(line.clone());
        Ok(line)
    }

    fn fail(&self, what: &str, why: RecvTimeoutError) -> ! {
        panic!("{} {what} ({why}); it said:\n{}", self.name, self.said.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts that it was content.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert!(self.status.success(), "it ended with {}; it said:\n{}", self.status, self.said);
        self.said
    }
}

fn read_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            // After an error, or when nobody listens, there is nothing left to do.
            let Ok(line) = line else { return };
            if to.send(line).is_err() {
                return;
            }
        }
    });
}
