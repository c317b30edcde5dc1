//! The command line.

mod call;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use miette::Report as Diagnostic;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::lab::{BUILTINS, Lab, LabError};
use crate::run::{self, Options};

/// Connection-oriented NDIS in user space: runs labs of nodes, drivers and clients, and is netcat on virtual connections.
#[derive(Debug, Parser)]
#[command(name = "condis", version, about, long_about = LONG_ABOUT, after_long_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a lab, and reports what happened.
    ///
    /// A lab in which clients make calls, or IP hosts ask others, ends when all of that is over. One in which nobody does serves
    /// until Ctrl-C (or SIGTERM), or for the time given with --for; then every call is closed.
    ///
    /// The exit status is 0 if all that was asked happened, 1 if not, and 2 if the lab could not be run at all.
    Run(RunArgs),
    /// Makes a call, and passes standard input and output over it.
    #[command(after_long_help = [call::CALL_EXAMPLES, call::DATA].join("\n\n"))]
    Call(Box<call::CallArgs>),
    /// Takes a call, and passes standard input and output over it.
    #[command(after_long_help = [call::LISTEN_EXAMPLES, call::DATA].join("\n\n"))]
    Listen(Box<call::ListenArgs>),
    /// Lists the built-in labs, or shows one to start from.
    Labs {
        #[command(subcommand)]
        command: Option<LabsCommand>,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The name of a built-in lab (see `condis labs`), or the path of a lab file.
    #[arg(default_value = BUILTINS[0].name)]
    lab: String,
    /// Prints the report as one JSON object.
    #[arg(long)]
    json: bool,
    /// Writes every crossing of the NDIS boundary of every node to FILE, as lines of JSON.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Writes one capture (pcapng) for each segment and each real link into DIR.
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
    /// Runs in simulation: virtual time, one thread, and the same run, bit for bit, for the same seed.
    #[arg(long)]
    sim: bool,
    /// What all that is random in a simulation follows from.
    #[arg(long, value_name = "N", requires = "sim", default_value_t = 1)]
    seed: u64,
    /// Stops after DURATION, such as 90s or 10min.
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    limit: Option<Duration>,
    /// Changes the lab before it is run: KEY is a path of names, VALUE is TOML or plain text.
    ///
    /// Such as `--set node.ac.adapter.eth0.link=ethernet:veth0`, or `--set segment.wire.loss=0.05`. May be given often.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum LabsCommand {
    /// Prints a built-in lab, to start from: `condis labs show two-ways > my.toml`.
    Show {
        /// Its name.
        name: String,
    },
}

/// Runs the command, and gives its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Run(args) => lab(args),
        Command::Call(args) => call::call(args),
        Command::Listen(args) => call::listen(args),
        Command::Labs { command: None } => labs(),
        Command::Labs { command: Some(LabsCommand::Show { name }) } => show(name),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            crate::say(format_args!("{:?}", Diagnostic::new(error)));
            ExitCode::from(2)
        }
    }
}

fn lab(args: &RunArgs) -> Result<ExitCode, LabError> {
    let lab = Lab::load(&args.lab, &args.set)?;
    let options = Options {
        seed: args.sim.then_some(args.seed),
        trace: args.trace.clone(),
        pcap: args.pcap.clone(),
        limit: args.limit,
        talkative: lab.serves() || lab.real_link().is_some(),
        stop: stop_on_signals()?,
    };
    let report = run::run(&lab, &options)?;
    let mut text = Vec::new();
    let printed = if args.json {
        writeln!(text, "{:#}", run::to_json(&report))
    } else {
        run::print(&report, width(), &mut text)
    };
    printed.map_err(|error| LabError::new(format!("cannot print the report: {error}")))?;
    out(&text);
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn labs() -> Result<ExitCode, LabError> {
    let longest = BUILTINS.iter().map(|builtin| builtin.name.len()).max().unwrap_or(0);
    let mut text = Vec::new();
    for builtin in BUILTINS {
        let line = format!("{:<longest$}  {}\n", builtin.name, builtin.description());
        text.extend(line.as_bytes());
    }
    out(&text);
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str) -> Result<ExitCode, LabError> {
    let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == name) else {
        let names = BUILTINS.iter().map(|builtin| builtin.name);
        return Err(LabError::new(format!("there is no built-in lab \"{name}\""))
            .help(crate::lab::did_you_mean(name, "built-in lab", names)));
    };
    out(builtin.text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Prints with colours if standard output takes them. Nobody reads what a closed pipe does not take.
fn out(text: &[u8]) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(text).and_then(|()| stdout.flush());
}

/// The first signal asks the lab to stop; a second one ends the process.
fn stop_on_signals() -> Result<Arc<AtomicBool>, LabError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.clone())
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(|error| LabError::new(format!("cannot listen for signals: {error}")))?;
    }
    Ok(stop)
}

fn width() -> usize {
    terminal_size::terminal_size().map_or(WIDTH_DEFAULT, |(width, _)| usize::from(width.0).clamp(80, 140))
}

/// For files and pipes.
const WIDTH_DEFAULT: usize = 100;

const LONG_ABOUT: &str = "\
Connection-oriented NDIS in user space: runs labs of nodes, drivers and clients, and is netcat on virtual connections.

A lab is a TOML file. It names nodes, each of them one NDIS instance; their adapters, on lines in memory or on real ones, \
with the drivers that make them work; and clients, with the calls that they make and the services on which they take \
calls, or IP clients, whose hosts are in memory or this machine itself. `condis labs show two-ways` prints one with comments, \
`condis labs show ip-over-atm` one with IP.

`condis call` and `condis listen` need no lab: they pass standard input and output over one virtual connection.";

const EXAMPLES: &str = "\
Examples:
  condis run                                  both ways side by side, on threads
  condis run --sim --seed 7                   simulated: the same run for the same seed
  condis run lossy --sim --trace out.jsonl --pcap .
                                              over a bad wire, with every crossing and every frame
  condis run --sim --json | jq '.nodes[].vcs'
  condis labs show pppoe-ac > my.toml         a lab to start from
  sudo condis run pppoe-ac --set node.ac.adapter.eth0.link=ethernet:veth0
                                              an access concentrator, until Ctrl-C
  sudo condis run ip-host                     this machine on IP over ATM, until Ctrl-C
  sudo condis call pppoe:internet --link ethernet:veth1 < file
                                              a file over a call";
