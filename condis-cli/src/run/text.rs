//! The report as a text for a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use condis::vc::VcUse;

use super::chart::{self, Chart};
use super::report::{IpReport, NodeReport, PingReport, Report, VcSeen};
use super::table::{beside, fit, table};
use crate::client::ledger::{CallRecord, ClosedBy};

/// Prints the report for lines of `width` columns. Whoever writes to something else than a terminal strips the colours.
///
/// # Errors
/// Those of the writer.
pub fn print(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let how = match report.seed {
        Some(seed) => format!("in simulation from seed {seed}"),
        None => "on threads".to_owned(),
    };
    writeln!(out, "{BOLD}{}{BOLD:#} {how}", report.lab)?;
    vcs(report, width, out)?;
    if let Some(chart) = &report.chart {
        crossings(chart, width, out)?;
    }
    calls(report, width, out)?;
    ips(report, out)?;
    counters(report, width, out)?;
    left(report, out)?;
    verdict(report, out)
}

fn vcs(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    heading(out, "The VCs of each node, as its NDIS saw them while calls were up")?;
    // Nodes beside each other say more than octets and room, if there is no space for all.
    let layouts = [(true, 2), (false, 2), (false, 1)].map(|(octets, gap)| {
        let blocks: Vec<_> = report.nodes.iter().map(|node| vcs_of(node, octets, gap)).collect();
        (blocks, gap * 2)
    });
    let fits = |(blocks, gap): &&(Vec<Vec<String>>, usize)| {
        beside(&blocks[..blocks.len().min(2)], width, *gap).len() == tallest(blocks)
    };
    let (blocks, gap) = layouts.iter().find(fits).unwrap_or(&layouts[0]);
    for line in beside(blocks, width, *gap) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The height of the first two blocks beside each other.
fn tallest(blocks: &[Vec<String>]) -> usize {
    blocks.iter().take(2).map(Vec::len).max().unwrap_or(0)
}

fn vcs_of(node: &NodeReport, octets: bool, gap: usize) -> Vec<String> {
    let kind = match node.manager {
        Some(manager) => manager.name(),
        None if node.adapters.is_empty() => "no adapter",
        None => "both ways",
    };
    // Octets to the right, and where a driver knows it, which virtual connection each is.
    let numbers = node.vcs.iter().any(|vc| vc.vpvc.is_some());
    let row = |seen: &VcSeen| {
        let vc = &seen.info;
        let mut row = vec![vc.id.to_string()];
        if numbers {
            row.push(seen.vpvc.map_or_else(|| "-".to_owned(), |vpvc| vpvc.to_string()));
        }
        row.extend([
            vc.use_.name().to_owned(),
            vc.creator.name().to_owned(),
            vc.activation.name().to_owned(),
            vc.call.name().to_owned(),
        ]);
        if octets {
            row.extend([vc.statistics.sent_octets.to_string(), vc.statistics.received_octets.to_string()]);
        }
        row
    };
    let rows: Vec<_> = node.vcs.iter().map(row).collect();
    let mut head = vec!["vc"];
    head.extend(numbers.then_some("vpi.vci"));
    head.extend(["use", "creator", "state", "call"]);
    if octets {
        head.extend(["sent", "received"]);
    }
    let right = [head.len() - 2, head.len() - 1];
    let mut lines = vec![format!("{} ({kind})", node.name)];
    lines.extend(table(&head, &rows, if octets { &right } else { &[] }, gap));
    if rows.is_empty() {
        lines.push("none".to_owned());
    }
    let signaling = node.vcs.iter().filter(|vc| vc.info.use_ == VcUse::Signaling).count();
    lines.push(match signaling {
        0 => "no signaling VC".to_owned(),
        1 => "1 signaling VC".to_owned(),
        more => format!("{more} signaling VCs"),
    });
    lines
}

fn crossings(chart: &Chart, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let many = chart.columns.len() > 1;
    let title =
        if many { "The crossings of one call in the two worlds" } else { "The crossings of one call" };
    heading(out, title)?;
    writeln!(out, "  > calls NDIS   < called by NDIS   * on the signaling VC   N x: so often")?;
    let column = if many { (width.saturating_sub(SEPARATOR.len()) / 2).min(COLUMN_MAX) } else { COLUMN_MAX };
    let heads = chart.columns.iter().map(|c| {
        format!(
            "{}: {} over a{} {}",
            c.node,
            c.vc,
            if c.manager.name() == "mcm" { "n" } else { "" },
            c.manager.name()
        )
    });
    let heads: Vec<_> = heads.map(|head| fit(&head, column)).collect();
    writeln!(out, "{BOLD}{}{BOLD:#}", heads.join(SEPARATOR).trim_end())?;
    for row in &chart.rows {
        let cells = row.iter().map(|entry| match entry {
            Some(entry) => fit(&chart::show(entry), column),
            None => " ".repeat(column),
        });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join(SEPARATOR).trim_end())?;
    }
    Ok(())
}

fn calls(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let made: Vec<_> = report.calls.iter().filter(|call| call.made).map(call).collect();
    if !made.is_empty() {
        heading(out, "The calls that were made")?;
        let head = ["client", "call to", "sent", "back", "crc-32", "heard", "closed by", "ending"];
        for line in table(&head, &made, &[2, 3], 2) {
            writeln!(out, "{line}")?;
        }
    }
    let notes: Vec<_> = report.calls.iter().filter(|call| call.made).filter_map(note).collect();
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for note in notes {
        for (at, line) in textwrap(&note, width).into_iter().enumerate() {
            writeln!(out, "{}{line}", if at == 0 { "" } else { "    " })?;
        }
    }
    Ok(())
}

fn ips(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.ips.is_empty() {
        return Ok(());
    }
    heading(out, "IP over ATM")?;
    let head = ["host", "ip", "on", "asks", "octets", "asked", "answered", "min, median, max"];
    let rows: Vec<_> = report.ips.iter().flat_map(ip_rows).collect();
    for line in table(&head, &rows, &[4, 5, 6], 2) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A line for each kind of request, and one for a host that asks nothing.
fn ip_rows(ip: &IpReport) -> Vec<Vec<String>> {
    let on = ip.tun.as_deref().unwrap_or("memory");
    let row = |[asks, octets, asked, answered, took]: [String; 5]| {
        vec![
            format!("{}/{}", ip.node, ip.name),
            ip.ip.clone(),
            on.to_owned(),
            asks,
            octets,
            asked,
            answered,
            took,
        ]
    };
    if ip.pings.is_empty() {
        return vec![row(["-"; 5].map(str::to_owned))];
    }
    let of = |ping: &PingReport| {
        let took = ping.round_trip().map_or_else(
            || "-".to_owned(),
            |took| took.map(|took| format!("{:.3}", took.as_secs_f64() * 1e3)).join(", ") + " ms",
        );
        let counts = [ping.octets, ping.asked, ping.round_trips.len()].map(|count| count.to_string());
        let [octets, asked, answered] = counts;
        row([ping.to.to_string(), octets, asked, answered, took])
    };
    ip.pings.iter().map(of).collect()
}

/// What there is to say of a call beside its line: who came and went, another rate, and a cause in words.
fn note(call: &CallRecord) -> Option<String> {
    let mut said = call.party_log.clone();
    said.extend(call.changed_pcr.map(|pcr| format!("its rate was changed to {pcr} cells/s")));
    if let Some(ending) = call.ending.filter(|ending| ending.cause().is_some()) {
        said.push(ending.to_string());
    }
    let what = format!("{}/{} call {}", call.node, call.client, call.number);
    (!said.is_empty()).then(|| format!("{what}: {}", said.join(", ")))
}

/// `text` in lines of at most `width`, those after the first 4 shorter.
fn textwrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let room = width - if lines.len() > 1 { 4 } else { 0 };
        let line = lines.last_mut().expect("there is one from the beginning");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The end of a long name says more than its beginning.
fn shortened(name: &str) -> String {
    match name.chars().count() {
        0..=NAME_MAX => name.to_owned(),
        len => format!("…{}", name.chars().skip(len + 1 - NAME_MAX).collect::<String>()),
    }
}

fn call(call: &CallRecord) -> Vec<String> {
    let heard = match call.other {
        None => "-".to_owned(),
        Some(other) if other == call.data => "the same".to_owned(),
        Some(other) => format!("{:08x}", other.checksum),
    };
    let closed_by = match call.closed_by {
        Some(ClosedBy::Here) => "caller",
        Some(ClosedBy::There) => "called",
        None => "-",
    };
    let ending = match call.ending {
        None => "not over".to_owned(),
        // The rest of it is said below.
        Some(ending) => match ending.cause() {
            Some(cause) if ending.is_as_asked() => format!("refused, cause {cause}"),
            Some(cause) => format!("failed, cause {cause}"),
            None => ending.to_string(),
        },
    };
    vec![
        format!("{}/{}", call.node, call.client),
        shortened(&call.service),
        call.data.octets.to_string(),
        call.echo.octets.to_string(),
        format!("{:08x}", call.echo.checksum),
        heard,
        closed_by.to_owned(),
        ending,
    ]
}

fn counters(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    heading(out, "Totals")?;
    let totals = &report.totals;
    let crossings: u64 = report.nodes.iter().flat_map(|node| node.crossings.values()).sum();
    let (made, done, taken, echoed) = (totals.made, totals.done, totals.answered, totals.echoed_frames);
    if made + taken > 0 || report.ips.is_empty() {
        writeln!(out, "{made} calls made, {done} of them as asked; {taken} taken; {echoed} frames echoed")?;
    }
    writeln!(out, "{crossings} crossings of the NDIS boundary in {:?}", report.took)?;
    for node in &report.nodes {
        for adapter in &node.adapters {
            let title = format!("{}/{} ({})", node.name, adapter.name, adapter.manager.name());
            named(&title, adapter.counters.iter().map(|(name, n)| (name.as_str(), *n)), width, out)?;
        }
    }
    for ip in &report.ips {
        let counts = ip.counters.iter().map(|(name, n)| (name.as_str(), *n));
        named(&format!("{}/{} ({})", ip.node, ip.name, ip.ip), counts, width, out)?;
    }
    for switch in &report.switches {
        let counts = switch.counters.iter().map(|(name, n)| (*name, *n));
        named(&format!("switch {}", switch.name), counts, width, out)?;
    }
    for link in &report.links {
        named(&format!("link {}", link.name), link.frames.iter().map(|(name, n)| (*name, *n)), width, out)?;
    }
    Ok(())
}

/// `title: name 1, name 2, …`, in lines of `width`.
fn named<'a>(
    title: &str,
    counts: impl Iterator<Item = (&'a str, u64)>,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut line = format!("{title}:");
    for (name, count) in counts {
        let more = format!(" {name} {count},");
        if line.len() + more.len() > width {
            writeln!(out, "{line}")?;
            line = "   ".to_owned();
        }
        line += &more;
    }
    writeln!(out, "{}", line.trim_end_matches(','))
}

fn left(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    heading(out, "What was left")?;
    for node in &report.nodes {
        let left = if node.left.is_nothing() { "nothing".to_owned() } else { node.left.to_string() };
        writeln!(out, "{}: {left}", node.name)?;
        for broken in &node.reports {
            writeln!(out, "  broken rule: {broken}")?;
        }
    }
    for switch in &report.switches {
        match switch.calls_left {
            0 => writeln!(out, "switch {}: nothing", switch.name)?,
            calls => writeln!(out, "switch {}: {calls} calls", switch.name)?,
        }
    }
    Ok(())
}

fn verdict(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    if report.is_ok() {
        return writeln!(out, "{GREEN}ok: all that was asked happened{GREEN:#}");
    }
    writeln!(out, "{RED}not ok:{RED:#}")?;
    for problem in &report.problems {
        writeln!(out, "  {problem}")?;
    }
    Ok(())
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{text}{BOLD:#}")
}

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// Between the two worlds.
const SEPARATOR: &str = " | ";

/// Columns for the name of who is called.
const NAME_MAX: usize = 18;

/// The longest name and what stands before it.
const COLUMN_MAX: usize = 56;
