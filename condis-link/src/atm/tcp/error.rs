//! What can go wrong with a line, and whom it is told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::wire::OutOfStep;

/// What a line tells of its connection, for a log or a person; the user of the line hears it as its link state.
#[derive(Debug)]
#[non_exhaustive]
pub enum LineEvent<'a> {
    /// The connection has been made.
    Connected {
        /// With whom.
        peer: SocketAddr,
    },
    /// It could not be made.
    ConnectFailed {
        /// With whom.
        peer: SocketAddr,
        /// What the system said.
        error: &'a io::Error,
        /// When it is tried again.
        again_in: Duration,
    },
    /// It has ended.
    Disconnected {
        /// With whom it was.
        peer: SocketAddr,
        /// Why.
        why: &'a Disconnect,
    },
}

impl std::fmt::Display for LineEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LineEvent::Connected { peer } => write!(f, "connected to {peer}"),
            LineEvent::ConnectFailed { peer, error, again_in } => {
                write!(f, "cannot connect to {peer}: {error}; trying again in {again_in:?}")
            }
            LineEvent::Disconnected { peer, why } => write!(f, "disconnected from {peer}: {why}"),
        }
    }
}

/// Who is told of what happens to a line. Called on the line's thread.
pub type OnLineEvent = Arc<dyn Fn(&LineEvent<'_>) + Send + Sync>;

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The other end ended it.
    #[error("the other end closed the connection")]
    ByPeer,
    /// The stream makes no sense any more.
    #[error("{0}")]
    OutOfStep(#[from] OutOfStep),
    /// It broke.
    #[error("{0}")]
    Broken(#[source] io::Error),
    /// We closed the line.
    #[error("closed")]
    Closed,
}
