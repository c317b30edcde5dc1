//! A tap: records what passes a link.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use condis::runtime::{Runtime, Time};

use self::pcapng::{Direction, InterfaceDescription, Pcapng};
use crate::counters::{Count, Counters};
use crate::{Frame, Link, LinkUser, MacAddr};

mod pcapng;

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

/// A link that is the link it wraps, and records all frames that its user sends and receives in a pcapng file.
///
/// A frame is recorded when the link takes it or hands it over: so one that the wire loses is there, and one that was
/// refused is not. The file is buffered; it is whole once the tap is closed or dropped. An error while writing ends the
/// recording and nothing else: the link works on.
///
/// A tap may wrap a tap.
pub struct Tap {
    link: Arc<dyn Link>,
    relay: Arc<Relay>,
}

impl Tap {
    /// Wraps `link`, whose user it becomes, and records in a new file at `path`; one that is there is replaced.
    ///
    /// # Errors
    /// [`TapError::Create`].
    pub fn create(
        link: Arc<dyn Link>,
        runtime: Arc<dyn Runtime>,
        path: &Path,
        options: TapOptions,
    ) -> Result<Arc<Tap>, TapError> {
        let file = File::create(path).map_err(|source| TapError::Create { path: path.to_owned(), source })?;
        Ok(Tap::new(link, runtime, Box::new(file), options))
    }

    /// Wraps `link`, whose user it becomes, and records to `to`, which need not be buffered.
    pub fn new(
        link: Arc<dyn Link>,
        runtime: Arc<dyn Runtime>,
        to: Box<dyn Write + Send>,
        options: TapOptions,
    ) -> Arc<Tap> {
        let description =
            InterfaceDescription { name: link.name(), address: link.address(), speed_bps: link.speed_bps() };
        let mut recording = Recording { file: None, on_error: options.on_error };
        match Pcapng::begin(BufWriter::with_capacity(BUFFER_OCTETS, to), &description) {
            Ok(file) => recording.file = Some(file),
            Err(error) => report(recording.fail(error)),
        }
        let relay = Arc::new(Relay {
            runtime,
            epoch: options.epoch,
            file_octets_max: options.file_octets_max.unwrap_or(u64::MAX),
            recording: Mutex::new(recording),
            user: Mutex::new(None),
            counters: Counters::default(),
        });
        let user: Weak<Relay> = Arc::downgrade(&relay);
        link.attach(user);
        Arc::new(Tap { link, relay })
    }

    /// How many frames were recorded, and how many not; and those that found no user behind the tap.
    pub fn recording_counters(&self) -> &Counters {
        &self.relay.counters
    }
}

impl Link for Tap {
    fn name(&self) -> &str {
        self.link.name()
    }

    fn address(&self) -> MacAddr {
        self.link.address()
    }

    fn mtu_octets(&self) -> usize {
        self.link.mtu_octets()
    }

    fn speed_bps(&self) -> Option<u64> {
        self.link.speed_bps()
    }

    fn is_up(&self) -> bool {
        self.link.is_up()
    }

    fn attach(&self, user: Weak<dyn LinkUser>) {
        *lock(&self.relay.user) = Some(user);
    }

    fn transmit(&self, frames: &[Frame<'_>]) -> usize {
        // The lock is held until the frames are recorded, so that an answer cannot be recorded before its question. A link
        // does not call its user from inside `transmit`, so nobody waits for us who we wait for.
        let mut recording = lock(&self.relay.recording);
        let taken = self.link.transmit(frames);
        let frames = frames[..taken].iter().map(|frame| frame.parts().iter().map(|part| &**part));
        let failed = self.relay.record(&mut recording, Direction::Outbound, frames);
        drop(recording);
        report(failed);
        taken
    }

    fn close(&self) {
        self.link.close();
        self.relay.finish();
    }

    fn counters(&self) -> &Counters {
        self.link.counters()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.relay.finish();
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tap on {}: {}", self.link.name(), self.relay.counters)
    }
}

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

/// The user of the wrapped link, who passes everything on.
struct Relay {
    runtime: Arc<dyn Runtime>,
    epoch: Duration,
    file_octets_max: u64,
    recording: Mutex<Recording>,
    user: Mutex<Option<Weak<dyn LinkUser>>>,
    counters: Counters,
}

struct Recording {
    /// Absent once the recording has ended.
    file: Option<Pcapng<BufWriter<Box<dyn Write + Send>>>>,
    on_error: Option<OnError>,
}

/// An error, and who is to be told of it once no lock is held.
type Failed = Option<(OnError, TapError)>;

impl Relay {
    /// Records frames of one moment, each given in parts.
    #[must_use]
    fn record<'a, P: Iterator<Item = &'a [u8]> + Clone>(
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

    fn finish(&self) {
        let failed = lock(&self.recording).end();
        report(failed);
    }

    fn user(&self) -> Option<Arc<dyn LinkUser>> {
        lock(&self.user).as_ref()?.upgrade()
    }
}

impl LinkUser for Relay {
    fn receive(&self, frames: &[&[u8]]) {
        let parts = frames.iter().map(|frame| std::iter::once(*frame));
        let failed = self.record(&mut lock(&self.recording), Direction::Inbound, parts);
        report(failed);
        match self.user() {
            Some(user) => user.receive(frames),
            None => self.counters.add(Count::NoUser, frames.len() as u64),
        }
    }

    fn link_state(&self, up: bool) {
        if let Some(user) = self.user() {
            user.link_state(up);
        }
    }

    fn writable(&self) {
        if let Some(user) = self.user() {
            user.writable();
        }
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

fn report(failed: Failed) {
    if let Some((on_error, error)) = failed {
        on_error(error);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in a writer ends in a half-written file at worst.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file is written to in pieces of this size: some forty full frames.
const BUFFER_OCTETS: usize = 64 * 1024;
