//! `condis call` and `condis listen`.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use condis::runtime::Threads;
use condis::trace::Sink;

use crate::lab::LabError;
use crate::netcat::{Ending, Line, LinkSpec, Netcat, Outcome, Passed, Progress, Target, World, open_line};
use crate::run::trace_to;

/// What `call` and `listen` have in common.
#[derive(Debug, Args)]
pub(super) struct LineArgs {
    /// The line: ethernet:INTERFACE for PPPoE (needs root or CAP_NET_RAW, which is given up once the socket is open).
    #[arg(long, value_name = "LINK")]
    link: String,
    /// Drives the line with a miniport call manager; without, with a call manager over a miniport.
    #[arg(long)]
    mcm: bool,
    /// Octets of data in one SDU at most [default: 1400 over PPPoE].
    #[arg(long, value_name = "OCTETS", value_parser = octets, help_heading = "Data")]
    sdu: Option<usize>,
    /// Sends FILE instead of standard input.
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    send_file: Option<PathBuf>,
    /// Writes every crossing of the NDIS boundary to FILE, as lines of JSON.
    #[arg(long, value_name = "FILE", help_heading = "Watching")]
    trace: Option<PathBuf>,
    /// Writes a capture (pcapng) of the line to FILE.
    #[arg(long, value_name = "FILE", help_heading = "Watching")]
    pcap: Option<PathBuf>,
    /// Says nothing on standard error but what goes wrong.
    #[arg(long, short, help_heading = "Watching")]
    quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct CallArgs {
    /// Whom to call: pppoe:SERVICE, or pppoe: for any service.
    address: String,
    #[command(flatten)]
    line: LineArgs,
    /// PPPoE: calls this access concentrator and no other.
    #[arg(long, value_name = "NAME")]
    ac_name: Option<String>,
    /// Gives up if the call is not up within DURATION.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Does not close the call at the end of the input: the other end does.
    #[arg(long, help_heading = "Data", conflicts_with = "idle")]
    keep: bool,
    /// After the end of the input, closes once nothing has come in for DURATION [default: 1s].
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "Data")]
    idle: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct ListenArgs {
    /// Where to take calls: pppoe:SERVICE.
    address: String,
    #[command(flatten)]
    line: LineArgs,
    /// PPPoE: the name of the access concentrator to be [default: condis].
    #[arg(long, value_name = "NAME")]
    ac_name: Option<String>,
    /// Keeps on listening after the first call, until Ctrl-C. The input goes to the first call.
    #[arg(long, short = 'k')]
    many: bool,
    /// After the end of the input, closes a call on which nothing has passed for DURATION; without, callers close.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "Data")]
    idle: Option<Duration>,
}

pub(super) fn call(args: &CallArgs) -> Result<ExitCode, LabError> {
    let target = Target::parse(&args.address)?;
    let netcat = Netcat {
        target,
        listen: false,
        mcm: args.line.mcm,
        sdu_octets: args.line.sdu,
        many: false,
        keep: args.keep,
        idle: args.idle,
        patience: Some(args.timeout),
        ac_name: args.ac_name.clone(),
    };
    run(&netcat, &args.line)
}

pub(super) fn listen(args: &ListenArgs) -> Result<ExitCode, LabError> {
    let target = Target::parse(&args.address)?;
    let netcat = Netcat {
        target,
        listen: true,
        mcm: args.line.mcm,
        sdu_octets: args.line.sdu,
        many: args.many,
        keep: false,
        idle: args.idle,
        patience: None,
        ac_name: args.ac_name.clone(),
    };
    run(&netcat, &args.line)
}

fn run(netcat: &Netcat, args: &LineArgs) -> Result<ExitCode, LabError> {
    let spec = LinkSpec::parse(&args.link)?;
    netcat.check(&spec)?;
    let stop = super::stop_on_signals()?;
    let (input, octets) = input(args)?;
    let runtime = Threads::new();
    let line = open_line(&spec, &runtime, args.pcap.as_deref())?;
    let trace = args.trace.as_deref().map(trace_to).transpose()?;
    let shows = !args.quiet && (args.send_file.is_some() || !std::io::stdin().is_terminal());
    let progress = Arc::new(if shows { Progress::new(octets) } else { Progress::hidden() });
    let outcome = lead(netcat, args, &runtime, (line, input, trace.clone()), &progress, &stop);
    runtime.shutdown();
    progress.finish();
    if let Some(trace) = trace {
        trace.flush().map_err(|error| LabError::new(format!("the trace could not be written: {error}")))?;
    }
    Ok(tell(&outcome?, args.quiet))
}

type Parts = (Line, Box<dyn Read + Send>, Option<Arc<crate::run::TraceFile>>);

fn lead(
    netcat: &Netcat,
    args: &LineArgs,
    runtime: &Arc<Threads>,
    (line, input, trace): Parts,
    progress: &Arc<Progress>,
    stop: &AtomicBool,
) -> Result<Outcome, LabError> {
    let (quiet, lines) = (args.quiet, progress.clone());
    netcat.run(World {
        runtime: runtime.clone(),
        line,
        trace: trace.map(|trace| trace as Arc<dyn Sink>),
        input,
        output: Box::new(std::io::stdout()),
        say: Arc::new(move |what| {
            if !quiet {
                lines.say(&format!("condis: {what}"));
            }
        }),
        progress: &mut |passed: Passed| progress.tell(passed),
        stop,
    })
}

/// What is sent, and its size if that is known.
fn input(args: &LineArgs) -> Result<(Box<dyn Read + Send>, Option<u64>), LabError> {
    let Some(path) = &args.send_file else { return Ok((Box::new(std::io::stdin()), None)) };
    let error = |error| LabError::new(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(error)?;
    let meta = file.metadata().map_err(error)?;
    if meta.is_dir() {
        return Err(LabError::new(format!("cannot read {}: it is a directory", path.display())));
    }
    let octets = meta.is_file().then_some(meta.len());
    Ok((Box::new(file), octets))
}

/// Says how it ended, and gives the exit status.
fn tell(outcome: &Outcome, quiet: bool) -> ExitCode {
    let (ended, passed) = (&outcome.ended, outcome.passed);
    if !quiet || !ended.is_ok() {
        eprintln!("condis: {ended}; {} octets sent, {} received", passed.sent_octets, passed.received_octets);
    }
    if !outcome.left.is_nothing() {
        eprintln!("condis: NDIS has left {}", outcome.left);
    }
    match &ended.ending {
        Ending::Refused(_) => ExitCode::from(REFUSED),
        _ if ended.is_ok() && outcome.left.is_nothing() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn octets(text: &str) -> Result<usize, String> {
    let octets = crate::lab::octets_of(text).and_then(|octets| usize::try_from(octets).ok());
    octets.filter(|octets| *octets > 0).ok_or_else(|| {
        "expected octets, more than none: a number, or one with a unit, such as 1400 or 8KiB".to_owned()
    })
}

/// The exit status of a call that did not come up.
const REFUSED: u8 = 3;

/// What `condis help call` and `condis help listen` say of the data.
pub(super) const DATA: &str = "\
The data:
  Standard input is sent, and what comes in goes to standard output. The end of the input ends the sending; the other \
direction goes on.

  Who has called closes the call when its input has ended, all of it has arrived, and the other end has nothing more to \
send, or is silent for a second (--idle). With --keep it leaves that to the other end. Who has taken a call leaves the \
closing to the caller, unless --idle is given. Ctrl-C closes the call at once.

  Over PPPoE an SDU is a PPP frame. The data goes in frames of protocol 0x6c6b, which is not assigned: numbered, with a \
CRC-32, at most 64 of them unheard, and sent again where they are lost. So the other end is to be condis as well: \
`condis listen`, or the clients of a lab, which echo.

Exit status:
  0  all that was asked happened: a normal end, and all data had passed
  1  it failed: the call broke, data was lost, or it was interrupted
  2  the command line is wrong, or the line cannot be opened
  3  the call did not come up: refused by the network or by the other end, or nobody answered";

pub(super) const CALL_EXAMPLES: &str = "\
Examples:
  condis call pppoe:internet --link ethernet:eth1 < file
  echo hello | condis call pppoe: --link ethernet:eth1 --mcm
  condis call pppoe:internet --link ethernet:eth1 --ac-name ac --send-file disk.img --pcap line.pcapng";

pub(super) const LISTEN_EXAMPLES: &str = "\
Examples:
  condis listen pppoe:internet --link ethernet:eth1 --ac-name ac > file
  condis listen pppoe:internet --link ethernet:eth1 --many --mcm";
