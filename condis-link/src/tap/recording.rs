//! Recording: a file, until it fails or is full.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use condis::runtime::{Runtime, Time};

use super::pcapng::{Direction, InterfaceDescription, Pcapng};
use crate::counters::{Count, Counters};

/// How a tap records.
#[derive(Default)]
pub struct TapOptions {
    /// What the clock on the wall showed when the runtime began, as time since the Unix epoch. With zero, which is right for
    /// a simulation, the file has the runtime's own time.
    pub epoch: Duration,
    /// Octets that the file may have; frames that do not fit are not recorded, nor is any after the first of them.
    pub file_octets_max: Option<u64>,
    /// Is told of the error that ended the recording, once, on the thread whose frame could not be written.
    pub on_error: Option<OnError>,
}

/// Who is told of an error.
pub type OnError = Box<dyn FnOnce(TapError) + Send>;

/// What a tap cannot do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapError {
    /// The file cannot be made.
    #[error("cannot create the capture file {}", path.display())]
    Create {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written; the recording ended there.
    #[error("cannot write the capture file; the recording ended there")]
    Write(#[source] io::Error),
}

/// What a tap writes to.
pub(super) struct Recorder {
    runtime: Arc<dyn Runtime>,
    epoch: Duration,
    file_octets_max: u64,
    recording: Mutex<Recording>,
    counters: Counters,
}

pub(super) struct Recording {
    /// Absent once the recording has ended.
    file: Option<Pcapng<BufWriter<Box<dyn Write + Send>>>>,
    on_error: Option<OnError>,
}

/// An error, and who is to be told of it once no lock is held.
pub(super) type Failed = Option<(OnError, TapError)>;

impl Recorder {
    /// Begins a recording to `to`.
    pub(super) fn new(
        runtime: Arc<dyn Runtime>,
        to: Box<dyn Write + Send>,
        options: TapOptions,
        description: &InterfaceDescription<'_>,
    ) -> Recorder {
        let mut recording = Recording { file: None, on_error: options.on_error };
        match Pcapng::begin(BufWriter::with_capacity(BUFFER_OCTETS, to), description) {
            Ok(file) => recording.file = Some(file),
            Err(error) => report(recording.fail(error)),
        }
        Recorder {
            runtime,
            epoch: options.epoch,
            file_octets_max: options.file_octets_max.unwrap_or(u64::MAX),
            recording: Mutex::new(recording),
            counters: Counters::default(),
        }
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whoever holds this records next.
    pub(super) fn lock(&self) -> MutexGuard<'_, Recording> {
        lock(&self.recording)
    }

    /// Records frames of one moment, each given in parts.
    #[must_use]
    pub(super) fn record<'a, P: Iterator<Item = &'a [u8]> + Clone>(
        &self,
        recording: &mut Recording,
        direction: Direction,
        frames: impl ExactSizeIterator<Item = P>,
    ) -> Failed {
        let (len, mut recorded) = (frames.len() as u64, 0);
        let mut failed = None;
        if let Some(file) = &mut recording.file {
            let at = Time::ZERO.after(self.epoch.saturating_add(self.runtime.now().since(Time::ZERO)));
            for frame in frames {
                match file.packet(at, direction, frame, self.file_octets_max) {
                    Ok(true) => recorded += 1,
                    Ok(false) => {
                        failed = recording.end();
                        break;
                    }
                    Err(error) => {
                        failed = recording.fail(error);
                        break;
                    }
                }
            }
        }
        self.counters.add(Count::Recorded, recorded);
        self.counters.add(Count::NotRecorded, len - recorded);
        failed
    }

    pub(super) fn finish(&self) {
        let failed = lock(&self.recording).end();
        report(failed);
    }
}

impl Recording {
    /// Ends the recording in order.
    fn end(&mut self) -> Failed {
        let mut file = self.file.take()?;
        let flushed = file.flush();
        self.file = Some(file);
        match flushed {
            Ok(()) => {
                self.file = None;
                None
            }
            Err(error) => self.fail(error),
        }
    }

    /// Ends the recording because it has failed.
    fn fail(&mut self, error: io::Error) -> Failed {
        if let Some(file) = self.file.take() {
            // Dropped as it is, the buffer would try once more to write what cannot be written.
            drop(file.into_inner().into_parts());
        }
        Some((self.on_error.take()?, TapError::Write(error)))
    }
}

/// A new file at `path`.
pub(super) fn create(path: &Path) -> Result<File, TapError> {
    File::create(path).map_err(|source| TapError::Create { path: path.to_owned(), source })
}

pub(super) fn report(failed: Failed) {
    if let Some((on_error, error)) = failed {
        on_error(error);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in a writer ends in a half-written file at worst.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file is written to in pieces of this size: some forty full frames.
const BUFFER_OCTETS: usize = 64 * 1024;
