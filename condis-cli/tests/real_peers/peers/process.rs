//! A program that runs beside the test: read line by line, never waited for without end, killed with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::HANG;
use super::cable::signal;

/// A running program.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Receiver<Line>,
    /// What it said on standard output.
    output: Vec<String>,
    /// All that it said, for whoever reads why a test failed.
    said: Vec<String>,
}

enum Line {
    Output(String),
    Error(String),
}

/// How a program ended.
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// What it said on standard output.
    pub(crate) output: String,
    /// All that it said, on standard output and on standard error.
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
            read_lines(output, sender.clone(), Line::Output);
        }
        if let Some(errors) = child.stderr.take() {
            read_lines(errors, sender, Line::Error);
        }
        Process { name: name.to_owned(), child, lines, output: Vec::new(), said: Vec::new() }
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says a line with `text` in it, and returns that line. Lines before it are passed over.
    pub(crate) fn line(&mut self, text: &str) -> String {
        self.line_of(&[text], HANG)
    }

    /// The same for a line with one of `texts` in it, and another time to wait.
    pub(crate) fn line_of(&mut self, texts: &[&str], hang: Duration) -> String {
        let deadline = Instant::now() + hang;
        loop {
            match self.next_line(deadline) {
                Ok(line) if texts.iter().any(|text| line.contains(text)) => return line,
                Ok(_) => {}
                Err(why) => self.fail(&format!("did not say any of {texts:?}"), why),
            }
        }
    }

    /// Says a line to it; its standard input must have been piped.
    pub(crate) fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its standard input is piped");
        // If it is gone, what it said before tells more than this error.
        let _ = writeln!(input, "{line}").and_then(|()| input.flush());
    }

    /// All that it said so far, for whoever reads why a test failed.
    pub(crate) fn said(&self) -> String {
        self.said.join("\n")
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
        Ended { status, output: self.output.join("\n"), said: self.said.join("\n") }
    }

    fn next_line(&mut self, deadline: Instant) -> Result<String, RecvTimeoutError> {
        let line = match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))? {
            Line::Output(line) => {
                self.output.push(line.clone());
                line
            }
            Line::Error(line) => line,
        };
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
    pub(crate) fn well(self) -> Ended {
        assert!(self.status.success(), "it ended with {}; it said:\n{}", self.status, self.said);
        self
    }
}

fn read_lines(from: impl Read + Send + 'static, to: Sender<Line>, as_line: fn(String) -> Line) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            // After an error, or when nobody listens, there is nothing left to do.
            let Ok(line) = line else { return };
            if to.send(as_line(line)).is_err() {
                return;
            }
        }
    });
}
