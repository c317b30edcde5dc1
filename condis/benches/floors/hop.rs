//! What people use instead of calls between layers: a channel between threads.
//!
//! One way: chains stream through a bounded crossbeam channel to another thread. Round trip: a chain goes to another task
//! through a tokio channel and comes back through a second one, one at a time.

use std::cell::Cell;

use condis::nbl::Chain;
use crossbeam_channel::{Receiver, Sender, bounded};

/// Places in a channel.
const PLACES: usize = 1024;

/// A stream of chains to another thread.
pub(crate) struct OneWay {
    there: Option<Sender<(u64, Chain)>>,
    heard: Receiver<u64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl OneWay {
    #[expect(clippy::disallowed_methods, reason = "this bench is about what threads cost")]
    pub(crate) fn new() -> OneWay {
        let (there, from) = bounded::<(u64, Chain)>(PLACES);
        let (done, heard) = bounded(1);
        let thread = std::thread::spawn(move || {
            for (last, chain) in from {
                drop(chain);
                if last > 0 {
                    done.send(last).expect("the other end waits");
                }
            }
        });
        OneWay { there: Some(there), heard, thread: Some(thread) }
    }

    /// Sends so many chains, which are empty: their lists would only add to it. Ends when all were received.
    pub(crate) fn run(&self, chains: u64) {
        let there = self.there.as_ref().expect("open until dropped");
        for nth in 1..=chains {
            there.send((if nth == chains { nth } else { 0 }, Chain::new())).expect("the other end is there");
        }
        assert_eq!(self.heard.recv(), Ok(chains));
    }
}

impl Drop for OneWay {
    fn drop(&mut self) {
        self.there = None;
        self.thread.take().expect("joined once").join().expect("it does not panic");
    }
}

/// A chain that goes to another task and back.
pub(crate) struct RoundTrip {
    runtime: tokio::runtime::Runtime,
    ends: Cell<Option<Ends>>,
}

type Ends = (tokio::sync::mpsc::Sender<Chain>, tokio::sync::mpsc::Receiver<Chain>);

impl RoundTrip {
    pub(crate) fn new(runtime: tokio::runtime::Runtime) -> RoundTrip {
        let (there, mut from) = tokio::sync::mpsc::channel::<Chain>(PLACES);
        let (back, home) = tokio::sync::mpsc::channel::<Chain>(PLACES);
        runtime.spawn(async move {
            while let Some(chain) = from.recv().await {
                if back.send(chain).await.is_err() {
                    return;
                }
            }
        });
        RoundTrip { runtime, ends: Cell::new(Some((there, home))) }
    }

    pub(crate) fn run(&self, trips: u64) {
        let (there, mut home) = self.ends.take().expect("one run at a time");
        let task = self.runtime.spawn(async move {
            for _ in 0..trips {
                there.send(Chain::new()).await.expect("the other task is there");
                home.recv().await.expect("the other task is there");
            }
            (there, home)
        });
        self.ends.set(Some(self.runtime.block_on(task).expect("it does not panic")));
    }
}
