//! A tap: records what passes a link.
//!
//! [`Tap`] wraps an Ethernet link, [`AtmTap`] a line of ATM. Both write pcapng, which Wireshark and tshark read.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use condis::runtime::Runtime;

use self::pcapng::{Direction, InterfaceDescription, LinkType};
use self::recording::{Recorder, lock, report};
use crate::counters::{Count, Counters};
use crate::{Frame, Link, LinkUser, MacAddr};

mod atm;
mod pcapng;
mod reassembly;
mod recording;

pub use atm::AtmTap;
pub use recording::{OnError, TapError, TapOptions};

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
        Ok(Tap::new(link, runtime, Box::new(recording::create(path)?), options))
    }

    /// Wraps `link`, whose user it becomes, and records to `to`, which need not be buffered.
    pub fn new(
        link: Arc<dyn Link>,
        runtime: Arc<dyn Runtime>,
        to: Box<dyn Write + Send>,
        options: TapOptions,
    ) -> Arc<Tap> {
        let description = InterfaceDescription {
            link_type: LinkType::Ethernet,
            name: link.name(),
            address: Some(link.address()),
            speed_bps: link.speed_bps(),
        };
        let recorder = Recorder::new(runtime, to, options, &description);
        let relay = Arc::new(Relay { recorder, user: Mutex::new(None) });
        let user: Weak<Relay> = Arc::downgrade(&relay);
        link.attach(user);
        Arc::new(Tap { link, relay })
    }

    /// How many frames were recorded, and how many not; and those that found no user behind the tap.
    pub fn recording_counters(&self) -> &Counters {
        self.relay.recorder.counters()
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
        let mut recording = self.relay.recorder.lock();
        let taken = self.link.transmit(frames);
        let frames = frames[..taken].iter().map(|frame| frame.parts().iter().map(|part| &**part));
        let failed = self.relay.recorder.record(&mut recording, Direction::Outbound, frames);
        drop(recording);
        report(failed);
        taken
    }

    fn close(&self) {
        self.link.close();
        self.relay.recorder.finish();
    }

    fn counters(&self) -> &Counters {
        self.link.counters()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.relay.recorder.finish();
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tap on {}: {}", self.link.name(), self.relay.recorder.counters())
    }
}

/// The user of the wrapped link, who passes everything on.
struct Relay {
    recorder: Recorder,
    user: Mutex<Option<Weak<dyn LinkUser>>>,
}

impl Relay {
    fn user(&self) -> Option<Arc<dyn LinkUser>> {
        lock(&self.user).as_ref()?.upgrade()
    }
}

impl LinkUser for Relay {
    fn receive(&self, frames: &[&[u8]]) {
        let parts = frames.iter().map(|frame| std::iter::once(*frame));
        let failed = self.recorder.record(&mut self.recorder.lock(), Direction::Inbound, parts);
        report(failed);
        match self.user() {
            Some(user) => user.receive(frames),
            None => self.recorder.counters().add(Count::NoUser, frames.len() as u64),
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
