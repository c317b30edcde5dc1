//! `condis call` and `condis listen`: standard input and output over one call.
//!
//! `address` is what can be called and over what, `adapter` the drivers and parameters for it, `stream` how data lies in SDUs, `pump` the
//! two standard streams, `terminal` the client driver, `call` its one call, `words` what is said of a call's end, and this file leads through all of it.
//!
//! The same client driver works over a call manager and over an MCM, and knows of neither.

mod adapter;
mod address;
mod call;
mod line;
mod progress;
mod pump;
mod stream;
mod terminal;
mod words;

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use condis::nbl::{Pool, PoolConfig};
use condis::node::{Left, Node};
use condis::runtime::{Runtime, Threads};
use condis::trace::Sink;
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::driver::{Bhli, SapAddress};
use condis_atm::uni::Version;

pub use crate::run::Line;
pub use adapter::{ATM_SDU_OCTETS, CALL_IDLE, PPPOE_SDU_OCTETS};
pub(crate) use address::real_atm_link;
pub use address::{Target, parse_link};
pub(crate) use line::open_line;
pub use progress::Progress;
pub use pump::Passed;
use pump::Pump;
use terminal::{Stand, Terminal};

use crate::client::OVERHEAD_OCTETS;
use crate::lab::{FRAME_OCTETS_MAX, LabError, Layers, LinkPlan, SDU_OCTETS_MAX, with_selector};

/// What `call` or `listen` is to do.
#[derive(Clone, Debug)]
pub struct Netcat {
    /// Whom to call, or where to take calls.
    pub target: Target,
    /// Take calls rather than make one.
    pub listen: bool,
    /// Drive the adapter with a miniport call manager.
    pub mcm: bool,
    /// Octets of data in one SDU at most; `None`: what suits the line.
    pub sdu_octets: Option<usize>,
    /// Listening: keep on after the first call.
    pub many: bool,
    /// Calling: leave the closing to the other end.
    pub keep: bool,
    /// Silence after which this end closes, once its input has ended.
    pub idle: Option<Duration>,
    /// How long a call may take to come up.
    pub patience: Option<Duration>,
    /// PPPoE: the concentrator to call, or to be.
    pub ac_name: Option<String>,
    /// ATM.
    pub atm: AtmChoices,
}

/// What can be chosen over ATM.
#[derive(Clone, Debug)]
pub struct AtmChoices {
    /// The signaling that is spoken.
    pub version: Version,
    /// Addresses of this end; with none, ILMI registers one.
    pub addresses: Vec<AtmAddress>,
    /// The end system that ILMI registers.
    pub esi: Esi,
    /// A constant bit rate to ask for, in cells a second.
    pub pcr: Option<u32>,
    /// Ask for nothing back.
    pub one_way: bool,
    /// The layers above: what the call says, or the listener wants.
    pub layers: Option<Layers>,
    /// The high layer information likewise.
    pub bhli: Option<Bhli>,
    /// Number and acknowledge the data, as over PPPoE.
    pub framed: bool,
}

impl Default for AtmChoices {
    fn default() -> AtmChoices {
        AtmChoices {
            version: Version::Uni40,
            addresses: Vec::new(),
            esi: Esi([0x02, 0, 0, 0, 0, 1]),
            pcr: None,
            one_way: false,
            layers: None,
            bhli: None,
            framed: false,
        }
    }
}

/// What it uses of the world.
pub struct World<'a> {
    /// Time and threads.
    pub runtime: Arc<Threads>,
    /// The line.
    pub line: Line,
    /// Who hears of all crossings.
    pub trace: Option<Arc<dyn Sink>>,
    /// What is sent.
    pub input: Box<dyn Read + Send>,
    /// Where to that goes which comes in.
    pub output: Box<dyn Write + Send>,
    /// Says to the user what happens.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
    /// Is told of what passed, ten times a second.
    pub progress: &'a mut dyn FnMut(Passed),
    /// The call is closed once this is set.
    pub stop: &'a AtomicBool,
}

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// This end closed it, after all had passed.
    Done,
    /// The other end did, in the normal way.
    Released(String),
    /// It did not come up.
    Refused(String),
    /// It broke, or could not be made.
    Failed(String),
    /// The user stopped it.
    Stopped,
}

/// The end of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// How it ended.
    pub ending: Ending,
    /// SDUs that came in and were lost, since the output took too little.
    pub lost_in: u64,
    /// SDUs that came back unsent.
    pub lost_out: u64,
}

/// What `call` or `listen` came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The end of the last call.
    pub ended: Ended,
    /// What passed in all calls.
    pub passed: Passed,
    /// What NDIS had left: nothing, unless there is a mistake in a driver.
    pub left: Left,
}

impl Ended {
    fn of(ending: Ending) -> Ended {
        Ended { ending, lost_in: 0, lost_out: 0 }
    }

    /// True if all that was asked happened.
    pub fn is_ok(&self) -> bool {
        matches!(self.ending, Ending::Done | Ending::Released(_)) && self.lost_in == 0 && self.lost_out == 0
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.ending {
            Ending::Done => f.write_str("closed by this end")?,
            Ending::Released(why) | Ending::Failed(why) => f.write_str(why)?,
            Ending::Refused(why) => write!(f, "refused: {why}")?,
            Ending::Stopped => f.write_str("closed by this end: interrupted")?,
        }
        if self.lost_in > 0 {
            write!(f, "; {} SDUs were lost, since the output took them too slowly", self.lost_in)?;
        }
        if self.lost_out > 0 {
            write!(f, "; {} SDUs could not be sent", self.lost_out)?;
        }
        Ok(())
    }
}

impl Netcat {
    /// Calls `target` in the way that nothing more is said about.
    pub fn to(target: Target) -> Netcat {
        Netcat {
            target,
            listen: false,
            mcm: false,
            sdu_octets: None,
            many: false,
            keep: false,
            idle: None,
            patience: None,
            ac_name: None,
            atm: AtmChoices::default(),
        }
    }

    /// Whether it can be done over this line.
    ///
    /// # Errors
    /// It cannot, and why.
    pub fn check(&self, link: &LinkPlan) -> Result<(), LabError> {
        let ethernet = matches!(link, LinkPlan::Ethernet { .. });
        if self.target.is_atm() == ethernet {
            let (what, wants) = match ethernet {
                true => (
                    "an ATM address is not called over an Ethernet",
                    "atmtcp:HOST:PORT or udp:HOST:PORT,HOST:PORT",
                ),
                false => ("PPPoE is not spoken over a line of ATM", "ethernet:INTERFACE"),
            };
            return Err(LabError::new(what).help(format!("expected --link {wants}")));
        }
        let octets_max = if ethernet { FRAME_OCTETS_MAX } else { SDU_OCTETS_MAX as usize - OVERHEAD_OCTETS };
        match self.sdu_octets {
            Some(octets) if octets > octets_max => {
                let network = if ethernet { "PPPoE" } else { "AAL5" };
                Err(LabError::new(format!("{octets} octets do not fit an SDU of {network}"))
                    .help(format!("expected --sdu of at most {octets_max} octets")))
            }
            _ => Ok(()),
        }
    }

    /// Does it, and gives the end of it.
    ///
    /// # Errors
    /// It cannot be begun: the drivers cannot be started, or take no such address.
    pub fn run(&self, world: World<'_>) -> Result<Outcome, LabError> {
        let World { runtime, line, trace, input, output, say, progress, stop } = world;
        let pump = Pump::default();
        let sdu_octets = self.sdu_octets();
        let pool = Pool::new(PoolConfig {
            data_size: sdu_octets + OVERHEAD_OCTETS,
            headroom: 64,
            capacity: 256,
            ..PoolConfig::default()
        });
        let speak = say.clone();
        let terminal = Terminal::new(
            self.plan(),
            pump.clone(),
            pool,
            runtime.clone(),
            Box::new(move |what| speak(what)),
        );
        let node = Node::new("terminal", runtime.clone());
        if let Some(trace) = trace {
            node.listen(trace);
        }
        node.register_protocol("terminal", terminal.clone());
        let at = line.clone();
        self.add_adapter(&node, line)?;

        let patience = self.patience.unwrap_or(if self.listen { Duration::MAX } else { UP_MAX });
        let mut ended = match come_up(&terminal, &at, patience, stop) {
            Stand::Ready if stop.load(SeqCst) => Ended::of(Ending::Stopped),
            Stand::Ready => {
                start(&pump, &terminal, input, output, sdu_octets);
                if self.listen {
                    say(&format!("listening on {}", self.place(&terminal)));
                } else {
                    terminal.dial();
                }
                self.lead(&terminal, &pump, &*say, progress, stop)
            }
            Stand::Ended(ended) => ended,
            Stand::Problem(why) => Ended::of(Ending::Failed(why)),
            Stand::ComingUp if stop.load(SeqCst) => Ended::of(Ending::Stopped),
            Stand::ComingUp if !at.is_up() => {
                Ended::of(Ending::Failed(format!("{} did not come up", at.name())))
            }
            Stand::ComingUp => Ended::of(Ending::Failed(terminal.waits_for().to_owned())),
        };
        if !stop.load(SeqCst) {
            while !pump.wait_written(LOOK_AGAIN_AFTER) && !stop.load(SeqCst) && pump.broken().is_none() {
                progress(pump.passed());
            }
            if let (Some(why), true) = (pump.broken(), ended.is_ok()) {
                ended.ending = Ending::Failed(why);
            }
        }
        pump.close();
        let left = come_down(&node, &runtime);
        Ok(Outcome { ended, passed: pump.passed(), left })
    }

    /// Where calls are taken, with the address that callers want if this end knows it.
    fn place(&self, terminal: &Terminal) -> String {
        let address = match (&self.target, terminal.address()) {
            (Target::AtmSap(SapAddress::OnlySelector(selector), _), Some(own)) => {
                with_selector(&own, *selector)
            }
            (Target::AtmSap(SapAddress::Any, _), Some(own)) => own,
            _ => return self.target.to_string(),
        };
        format!("{}: {address}", self.target)
    }

    /// From the first call to the end of the last.
    fn lead(
        &self,
        terminal: &Terminal,
        pump: &Pump,
        say: &dyn Fn(&str),
        progress: &mut dyn FnMut(Passed),
        stop: &AtomicBool,
    ) -> Ended {
        let runtime = terminal.0.runtime.clone();
        let begun = runtime.now();
        let (mut stopping, mut late) = (false, false);
        loop {
            match terminal.wait(LOOK_AGAIN_AFTER) {
                Stand::Ended(ended) if late => {
                    let patience = self.patience.unwrap_or_default();
                    let why = format!("no answer within {}", humantime::format_duration(patience));
                    return Ended { ending: Ending::Refused(why), ..ended };
                }
                Stand::Ended(ended) if self.many && self.listen && !stopping => {
                    say(&ended.to_string());
                    terminal.go_on();
                }
                Stand::Ended(ended) => return ended,
                Stand::Problem(why) => return Ended::of(Ending::Failed(why)),
                Stand::ComingUp | Stand::Ready => {}
            }
            progress(pump.passed());
            if stop.load(SeqCst) && !stopping {
                stopping = true;
                if !terminal.has_call() {
                    return Ended::of(if self.many { Ending::Done } else { Ending::Stopped });
                }
                terminal.hang_up(Ending::Stopped);
            }
            let patience = self.patience.filter(|_| !self.listen && !late && !terminal.is_up());
            if patience.is_some_and(|patience| runtime.now().since(begun) >= patience) {
                late = true;
                terminal.hang_up(Ending::Stopped);
            }
        }
    }
}

/// Waits until there is an address family, and whatever else takes no call to be had.
fn come_up(terminal: &Terminal, line: &Line, patience: Duration, stop: &AtomicBool) -> Stand {
    let end = terminal.0.runtime.now().after(patience);
    loop {
        let stand = match terminal.wait(LOOK_AGAIN_AFTER) {
            // A line that connects may still be at it.
            Stand::Ready if !line.is_up() => Stand::ComingUp,
            stand => stand,
        };
        let late = terminal.0.runtime.now() >= end;
        if !matches!(stand, Stand::ComingUp) || late || stop.load(SeqCst) {
            return stand;
        }
    }
}

/// Starts the threads of the two standard streams. They end with the process at the latest: nothing wakes a thread that
/// waits for a terminal.
#[expect(clippy::disallowed_methods, reason = "nothing of a run that replays comes from here")]
fn start(
    pump: &Pump,
    terminal: &Terminal,
    input: Box<dyn Read + Send>,
    output: Box<dyn Write + Send>,
    sdu_octets: usize,
) {
    let kicked = Arc::downgrade(&terminal.0);
    pump.on_change(move || {
        if let Some(terminal) = kicked.upgrade() {
            Terminal(terminal).kick();
        }
    });
    let (reads, writes) = (pump.clone(), pump.clone());
    std::thread::spawn(move || reads.read(input, sdu_octets));
    std::thread::spawn(move || writes.write(output));
}

/// Closes everything, and gives what is left. A thread of the link that is on its way out of a driver still holds objects of it,
/// so that is looked at more than once.
fn come_down(node: &Node, runtime: &Threads) -> Left {
    let down = Arc::new(AtomicBool::new(false));
    let (done, waiter) = (down.clone(), std::thread::current());
    node.shutdown(move || {
        done.store(true, SeqCst);
        waiter.unpark();
    });
    let end = runtime.now().after(DOWN_MAX);
    let mut wait = Duration::from_millis(1);
    while !(down.load(SeqCst) && node.left().is_nothing()) && runtime.now() < end {
        std::thread::park_timeout(wait);
        wait = (wait * 2).min(LOOK_AGAIN_AFTER);
    }
    node.left()
}

/// A signal sets a flag and wakes nobody.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How long it may take until a call can be made, unless it is said.
const UP_MAX: Duration = Duration::from_secs(10);

/// Nothing but drivers of this process takes part in coming down.
const DOWN_MAX: Duration = Duration::from_secs(10);
