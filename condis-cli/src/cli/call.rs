//! `condis call` and `condis listen`.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use condis::runtime::{Runtime, Threads};
use condis::trace::Sink;
use condis_atm::addr::{AtmAddress, AtmAddressError, Esi};
use condis_atm::driver::Bhli;
use condis_atm::uni::Version;

use crate::lab::{EXPECTED_BHLI, EXPECTED_BLLI, LabError, Layers, VERSIONS};
use crate::netcat::{
    AtmChoices, Ending, Netcat, Outcome, Passed, Progress, Target, World, open_line, parse_link,
};
use crate::run::{Say, trace_to};

/// What `call` and `listen` have in common.
#[derive(Debug, Args)]
pub(super) struct LineArgs {
    /// The line, see below: ethernet:INTERFACE, atmtcp:HOST:PORT, atmtcp:listen:HOST:PORT, udp:HOST:PORT,HOST:PORT.
    #[arg(long, value_name = "LINK")]
    link: String,
    /// Drives the line with a miniport call manager; without, with a call manager over a miniport.
    #[arg(long)]
    mcm: bool,
    /// Octets of data in one SDU at most [default: 1400 over PPPoE, 9188 over ATM].
    #[arg(long, value_name = "OCTETS", value_parser = octets, help_heading = "Data")]
    sdu: Option<usize>,
    /// Sends FILE instead of standard input.
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    send_file: Option<PathBuf>,
    /// Numbers and acknowledges the data, which both ends must do (always so over PPPoE).
    #[arg(long, help_heading = "ATM")]
    framed: bool,
    /// The signaling to speak: 3.0, 3.1 or 4.0 [default: 4.0].
    #[arg(long, value_name = "VERSION", value_parser = uni, help_heading = "ATM")]
    uni: Option<Version>,
    /// The address of this end, without ILMI. May be given more than once.
    #[arg(long, value_name = "ADDRESS", value_parser = address, help_heading = "ATM")]
    own_address: Vec<AtmAddress>,
    /// The end system to register by ILMI: six octets in hex [default: one that is drawn].
    #[arg(long, value_name = "ESI", value_parser = end_system, help_heading = "ATM", conflicts_with = "own_address")]
    esi: Option<Esi>,
    /// The layers 2 and 3 above the connection: what a call says, or what a listener wants; such as llc, ip, snap:0000000800.
    #[arg(long, value_name = "LAYERS", value_parser = layers, help_heading = "ATM")]
    blli: Option<Layers>,
    /// The high layer information likewise, such as user:0123.
    #[arg(long, value_name = "INFO", value_parser = high_layer, help_heading = "ATM")]
    bhli: Option<Bhli>,
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
    /// Whom to call: pppoe:SERVICE, or pppoe: for any service; or an ATM address.
    address: String,
    #[command(flatten)]
    line: LineArgs,
    /// PPPoE: calls this access concentrator and no other.
    #[arg(long, value_name = "NAME")]
    ac_name: Option<String>,
    /// Gives up if the call is not up within DURATION.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Asks for a constant bit rate of so many cells a second; without, for best effort.
    #[arg(long, value_name = "CELLS/S", value_parser = clap::value_parser!(u32).range(1..), help_heading = "ATM")]
    pcr: Option<u32>,
    /// Asks for nothing back: data goes to the called end alone.
    #[arg(long, help_heading = "ATM", conflicts_with = "framed")]
    one_way: bool,
    /// Does not close the call at the end of the input: the other end does.
    #[arg(long, help_heading = "Data", conflicts_with = "idle")]
    keep: bool,
    /// After the end of the input, closes once nothing has come in for DURATION [default: 1s].
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "Data")]
    idle: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct ListenArgs {
    /// Where to take calls: pppoe:SERVICE; or an ATM address, a selector of the own one such as .01, or any.
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
    let netcat = Netcat {
        keep: args.keep,
        idle: args.idle,
        patience: Some(args.timeout),
        ..args.line.netcat(Target::parse(&args.address)?, args.ac_name.as_deref(), args.pcr, args.one_way)?
    };
    run(&netcat, &args.line)
}

pub(super) fn listen(args: &ListenArgs) -> Result<ExitCode, LabError> {
    let netcat = Netcat {
        listen: true,
        many: args.many,
        idle: args.idle,
        ..args.line.netcat(Target::parse_listen(&args.address)?, args.ac_name.as_deref(), None, false)?
    };
    run(&netcat, &args.line)
}

impl LineArgs {
    /// What is asked for of the line, if it fits the network that the target is in.
    fn netcat(
        &self,
        target: Target,
        ac_name: Option<&str>,
        pcr: Option<u32>,
        one_way: bool,
    ) -> Result<Netcat, LabError> {
        let of_atm = [
            ("--pcr", pcr.is_some(), "a session of PPPoE has no cell rate"),
            ("--one-way", one_way, "a session of PPPoE goes both ways"),
            ("--uni", self.uni.is_some(), "PPPoE has discovery for signaling"),
            ("--own-address", !self.own_address.is_empty(), "an Ethernet has its own address"),
            ("--esi", self.esi.is_some(), "an Ethernet has its own address"),
            ("--blli", self.blli.is_some(), "PPPoE says nothing of the layers above"),
            ("--bhli", self.bhli.is_some(), "PPPoE says nothing of the layers above"),
            ("--framed", self.framed, "over PPPoE the data is always framed"),
        ];
        let wrong = of_atm.iter().find(|(_, given, _)| *given).filter(|_| !target.is_atm());
        if let Some((option, _, why)) = wrong {
            return Err(
                LabError::new(format!("{option} is for ATM: {why}")).help(format!("leave {option} out"))
            );
        }
        if ac_name.is_some() && target.is_atm() {
            return Err(LabError::new("--ac-name is for PPPoE: ATM has no access concentrators")
                .help("leave --ac-name out"));
        }
        let default = AtmChoices::default();
        Ok(Netcat {
            mcm: self.mcm,
            sdu_octets: self.sdu,
            ac_name: ac_name.map(str::to_owned),
            atm: AtmChoices {
                version: self.uni.unwrap_or(default.version),
                addresses: self.own_address.clone(),
                esi: self.esi.unwrap_or_else(drawn_esi),
                pcr,
                one_way,
                layers: self.blli.clone(),
                bhli: self.bhli.clone(),
                framed: self.framed,
            },
            ..Netcat::to(target)
        })
    }
}

fn run(netcat: &Netcat, args: &LineArgs) -> Result<ExitCode, LabError> {
    let link = parse_link(&args.link)?;
    netcat.check(&link)?;
    let stop = super::stop_on_signals()?;
    let (input, octets) = input(args)?;
    let runtime = Threads::new();
    let shows = !args.quiet && (args.send_file.is_some() || !std::io::stdin().is_terminal());
    let progress = Arc::new(if shows { Progress::new(octets) } else { Progress::hidden() });
    let (quiet, lines) = (args.quiet, progress.clone());
    let say: Say = Arc::new(move |what| {
        if !quiet {
            lines.say(&format!("condis: {what}"));
        }
    });
    let trace = args.trace.as_deref().map(trace_to).transpose()?;
    let Some(line) = open_line(&link, &runtime, args.pcap.as_deref(), &say, &stop)? else {
        progress.finish();
        crate::say(format_args!("condis: interrupted before a line came"));
        return Ok(ExitCode::FAILURE);
    };
    progress.start();
    let outcome = netcat.run(World {
        runtime: runtime.clone(),
        line,
        trace: trace.clone().map(|trace| trace as Arc<dyn Sink>),
        input,
        output: Box::new(std::io::stdout()),
        say,
        progress: &mut |passed: Passed| progress.tell(passed),
        stop: &stop,
    });
    runtime.shutdown();
    progress.finish();
    if let Some(trace) = trace {
        trace.flush().map_err(|error| LabError::new(format!("the trace could not be written: {error}")))?;
    }
    Ok(tell(&outcome?, args.quiet))
}

/// A locally administered end system, so that two ends on a switch are two.
fn drawn_esi() -> Esi {
    let [a, b, c, d, e, ..] = Threads::new().entropy().to_be_bytes();
    Esi([0x02, a, b, c, d, e])
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
        crate::say(format_args!(
            "condis: {ended}; {} octets sent, {} received",
            passed.sent_octets, passed.received_octets
        ));
    }
    if !outcome.left.is_nothing() {
        crate::say(format_args!("condis: NDIS has left {}", outcome.left));
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

fn uni(text: &str) -> Result<Version, String> {
    let found = VERSIONS.iter().find(|(name, _)| *name == text);
    found.map(|(_, version)| *version).ok_or_else(|| "expected 3.0, 3.1 or 4.0".to_owned())
}

fn address(text: &str) -> Result<AtmAddress, String> {
    text.parse().map_err(|error: AtmAddressError| error.to_string())
}

fn end_system(text: &str) -> Result<Esi, String> {
    crate::lab::esi(text).ok_or_else(|| "expected six octets in hex, such as 00:20:48:0b:00:02".to_owned())
}

fn layers(text: &str) -> Result<Layers, String> {
    Layers::parse(text).ok_or_else(|| EXPECTED_BLLI.to_owned())
}

fn high_layer(text: &str) -> Result<Bhli, String> {
    crate::lab::bhli(text).ok_or_else(|| EXPECTED_BHLI.to_owned())
}

/// The exit status of a call that did not come up.
const REFUSED: u8 = 3;

/// What `condis help call` and `condis help listen` say of the data.
pub(super) const DATA: &str = "\
The line:
  ethernet:INTERFACE           an Ethernet for PPPoE; needs root or CAP_NET_RAW, given up once the socket is open
  atmtcp:HOST:PORT             ATM over TCP, as Linux's atmtcp speaks it: connects, again if need be
  atmtcp:listen:HOST:PORT      the same, waiting for the other end, whoever calls whom then
  udp:HOST:PORT,HOST:PORT      AAL5 over UDP: this end and the other

The data:
  Standard input is sent, and what comes in goes to standard output. The end of the input ends the sending; the other \
direction goes on.

  Who has called closes the call when its input has ended, all of it has arrived, and the other end has nothing more to \
send, or is silent for a second (--idle). With --keep it leaves that to the other end. Who has taken a call leaves the \
closing to the caller, unless --idle is given. Ctrl-C closes the call at once.

  Over ATM each piece of the input is an SDU of AAL5 as it is, which any peer understands. It has no end of data but the \
end of the call, and what a slow output does not take is lost, counted and told.

  Over PPPoE an SDU is a PPP frame. The data goes in frames of protocol 0x6c6b, which is not assigned: numbered, with a \
CRC-32, at most 64 of them unheard, and sent again where they are lost; so a slow output slows the sender, and the other \
end hears the end of the data. Both ends must be condis: `condis listen`, or the clients of a lab, which echo. --framed \
does the same over ATM.

Exit status:
  0  all that was asked happened: a normal end, and all data had passed
  1  it failed: the call broke, data was lost, or it was interrupted
  2  the command line is wrong, or the line cannot be opened
  3  the call did not come up: refused by the network or by the other end, or nobody answered";

pub(super) const CALL_EXAMPLES: &str = "\
Examples:
  condis call pppoe:internet --link ethernet:eth1 < file
  echo hello | condis call pppoe: --link ethernet:eth1 --mcm
  condis call 47.0005.80.ffe100.0000.f21a.0001.0020480b0002.01 --link atmtcp:127.0.0.1:2812 < file
  condis call +4989636112 --link atmtcp:127.0.0.1:2812 --pcr 1000 --uni 3.1 --pcap line.pcapng";

pub(super) const LISTEN_EXAMPLES: &str = "\
Examples:
  condis listen pppoe:internet --link ethernet:eth1 --ac-name ac > file
  condis listen pppoe:internet --link ethernet:eth1 --many --mcm
  condis listen .01 --link atmtcp:127.0.0.1:2812 --many
  condis listen any --link atmtcp:127.0.0.1:2812 --blli llc > file";
