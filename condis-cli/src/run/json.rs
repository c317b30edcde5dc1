//! The report as one JSON object.

use std::time::Duration;

use serde_json::{Value, json};

use super::report::{IpReport, NodeReport, PingReport, Report, VcSeen};
use crate::client::Tally;
use crate::client::ledger::{CallRecord, ClosedBy, Ending};

/// The object that `condis run --json` prints.
///
/// `manager` of a node is `null` if its adapters are managed in different ways; each adapter says its own.
pub fn to_json(report: &Report) -> Value {
    json!({
        "lab": report.lab,
        "ok": report.is_ok(),
        "problems": report.problems,
        "seed": report.seed,
        "nodes": report.nodes.iter().map(node).collect::<Vec<_>>(),
        "calls": report.calls.iter().map(call).collect::<Vec<_>>(),
        "links": report.links.iter().map(|link| json!({"name": link.name, "frames": link.frames})).collect::<Vec<_>>(),
        "switches": report.switches.iter().map(|switch| json!({
            "name": switch.name,
            "counters": switch.counters,
            "left": {"calls": switch.calls_left},
        })).collect::<Vec<_>>(),
        "ip": report.ips.iter().map(ip).collect::<Vec<_>>(),
        "totals": totals(report),
    })
}

fn node(node: &NodeReport) -> Value {
    let adapters: Vec<_> = node
        .adapters
        .iter()
        .map(|adapter| {
            json!({
                "name": adapter.name,
                "manager": adapter.manager.name(),
                "link": adapter.link,
                "counters": adapter.counters,
            })
        })
        .collect();
    json!({
        "name": node.name,
        "manager": node.manager.map(|manager| manager.name()),
        "adapters": adapters,
        "vcs": node.vcs.iter().map(vc).collect::<Vec<_>>(),
        "crossings": node.crossings,
        "left": {
            "vcs": node.left.vcs,
            "saps": node.left.saps,
            "afs": node.left.afs,
            "parties": node.left.parties,
            "nbls": node.left.nbls,
            "objects": node.left.objects,
        },
        "reports": node.reports,
    })
}

fn vc(seen: &VcSeen) -> Value {
    let vc = &seen.info;
    let mut value = json!({
        "id": vc.id.to_string(),
        "use": vc.use_.name(),
        "creator": vc.creator.name(),
        "activation": vc.activation.name(),
        "call": vc.call.name(),
        "sent_bytes": vc.statistics.sent_octets,
        "received_bytes": vc.statistics.received_octets,
    });
    if let (Some(vpvc), Some(fields)) = (seen.vpvc, value.as_object_mut()) {
        fields.insert("vpi".to_owned(), vpvc.vpi.0.into());
        fields.insert("vci".to_owned(), vpvc.vci.0.into());
    }
    value
}

fn call(call: &CallRecord) -> Value {
    json!({
        "node": call.node,
        "client": call.client,
        "number": call.number,
        "made": call.made,
        "service": call.service,
        "vc": call.vc.map(|vc| vc.to_string()),
        "sent": call.made.then(|| tally(call.data)),
        "echo": call.made.then(|| tally(call.echo)),
        "other_end_heard": call.other.map(tally),
        "heard": (!call.made).then(|| tally(call.data)),
        "closed_by": call.closed_by.map(|by| match by {
            ClosedBy::Here => "this end",
            ClosedBy::There => "the other end",
        }),
        "ending": call.ending.map(|ending| ending.to_string()),
        "cause": call.ending.and_then(Ending::cause),
        "multipoint": call.multipoint,
        "parties": call.party_log,
        "changed_pcr": call.changed_pcr,
    })
}

fn ip(ip: &IpReport) -> Value {
    let ping = |ping: &PingReport| {
        json!({
            "to": ping.to.to_string(),
            "octets": ping.octets,
            "asked": ping.asked,
            "answered": ping.round_trips.len(),
            "round_trip_us": ping.round_trip().map(|[min, median, max]| json!({
                "min": micros(min),
                "median": micros(median),
                "max": micros(max),
            })),
        })
    };
    json!({
        "node": ip.node,
        "name": ip.name,
        "ip": ip.ip,
        "adapter": ip.adapter,
        "address": ip.address,
        "server": ip.server,
        "tun": ip.tun,
        "asked": ip.pings.iter().map(|ping| ping.asked).sum::<usize>(),
        "answered": ip.pings.iter().map(|ping| ping.round_trips.len()).sum::<usize>(),
        "pings": ip.pings.iter().map(ping).collect::<Vec<_>>(),
        "counters": ip.counters,
    })
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1_000.0
}

fn tally(tally: Tally) -> Value {
    json!({
        "frames": tally.frames,
        "bytes": tally.octets,
        "crc32": format!("{:08x}", tally.checksum),
    })
}

fn totals(report: &Report) -> Value {
    let crossings: u64 = report.nodes.iter().flat_map(|node| node.crossings.values()).sum();
    let bytes =
        |of: fn(&CallRecord) -> u64| report.calls.iter().filter(|call| call.made).map(of).sum::<u64>();
    json!({
        "calls": report.totals.made,
        "done": report.totals.done,
        "answered": report.totals.answered,
        "over": report.totals.over,
        "sent_bytes": bytes(|call| call.data.octets),
        "echoed_bytes": bytes(|call| call.echo.octets),
        "echoed_frames": report.totals.echoed_frames,
        "crossings": crossings,
        "broken_rules": report.nodes.iter().map(|node| node.reports.len()).sum::<usize>(),
        "seconds": report.took.as_secs_f64(),
    })
}
