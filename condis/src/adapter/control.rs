use std::fmt;
use std::sync::Arc;

use super::pnp::{Done, Operation};
use super::{AdapterCore, AdapterInfo, AdapterState};
use crate::status::NdisStatus;

/// An adapter, for whoever runs the node: the part of the plug-and-play manager.
///
/// Operations run one at a time, on the node's lane, in the order they were asked for; `done` is called there as well.
#[derive(Clone)]
pub struct AdapterControl(Arc<AdapterCore>);

impl AdapterControl {
    pub(crate) fn new(adapter: Arc<AdapterCore>) -> AdapterControl {
        AdapterControl(adapter)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The state it is in.
    pub fn state(&self) -> AdapterState {
        self.0.state()
    }

    /// What is known of it.
    pub fn info(&self) -> AdapterInfo {
        self.0.info()
    }

    /// Pauses the stack, protocols first. Calls stay; data stops. Done once every NBL is back.
    ///
    /// NOT_ACCEPTED if it is not running.
    pub fn pause(&self, done: impl FnOnce(Result<(), NdisStatus>) + Send + 'static) {
        self.operate(Operation::Pause(Box::new(done)));
    }

    /// Lets a paused stack run, the miniport first. NOT_ACCEPTED if it is not paused; else what the miniport says.
    pub fn restart(&self, done: impl FnOnce(Result<(), NdisStatus>) + Send + 'static) {
        self.operate(Operation::Restart(Box::new(done)));
    }

    /// Resets the device. AFs, SAPs, VCs and calls stay (CO-203).
    pub fn reset(&self, done: impl FnOnce(Result<(), NdisStatus>) + Send + 'static) {
        self.operate(Operation::Reset(Box::new(done)));
    }

    /// Removes the adapter in order: tells the protocols, pauses the stack, unbinds clients, then call managers, and halts.
    pub fn remove(&self, done: impl FnOnce() + Send + 'static) {
        self.0.remove(Box::new(done));
    }

    /// As [`AdapterControl::remove`], but the device is gone already: sends and OIDs get NOT_ACCEPTED from here on.
    pub fn surprise_remove(&self, done: impl FnOnce() + Send + 'static) {
        let done: Done = Box::new(move |_| done());
        self.operate(Operation::Remove { surprise: true, done });
    }

    /// The system goes down: tells the miniport, and calls nothing of it any more (DP-076).
    #[doc(alias = "MiniportShutdownEx")]
    pub fn shut_down(&self) {
        self.operate(Operation::ShutDown);
    }

    fn operate(&self, operation: Operation) {
        self.0.operate(operation);
    }
}

impl fmt::Debug for AdapterControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "adapter {}: {:?}", self.name(), self.state())
    }
}
