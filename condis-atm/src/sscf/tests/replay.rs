//! A service in the place of each of two Linux peers: it hears what the other said, and has to say what that one said.

use std::time::Duration;

use condis::runtime::Time;

use crate::sscf::{Saal, SaalConfig, SaalOutput, SaalState};
use crate::sscop::captures::{CAPTURES, Capture, signaling_sdus};
use crate::sscop::wire::{Pdu, PduKind};

/// A PDU of a capture: when, whether the peer in whose place we are sent it, and its octets.
struct Captured {
    at: Time,
    ours: bool,
    octets: &'static [u8],
}

/// The PDUs of both directions in the order of the text, from the first on that our peer sent: before it had opened its VC, it
/// heard nothing.
fn timeline(capture: &Capture, our_arrow: &str) -> Vec<Captured> {
    let (a_to_b, b_to_a) = (signaling_sdus(capture.a_to_b), signaling_sdus(capture.b_to_a));
    let (mut a_to_b, mut b_to_a) = (a_to_b.into_iter(), b_to_a.into_iter());
    let lines = capture.text.lines().filter(|line| line.contains(" bytes SSCOP "));
    let all = lines.map(|line| {
        let mut words = line.split_whitespace();
        let seconds: f64 = words.next().unwrap().parse().expect("a line begins with seconds");
        let arrow = words.next().unwrap();
        let octets = if arrow == "A>B" { a_to_b.next() } else { b_to_a.next() };
        Captured {
            at: Time::ZERO.after(Duration::from_secs_f64(seconds)),
            ours: arrow == our_arrow,
            octets: octets.expect("the stream has a PDU for each line"),
        }
    });
    all.skip_while(|captured| !captured.ours).collect()
}

/// Their timers are some milliseconds early at times; so that no STAT comes before our poll, what the other said comes later.
const LATER: Duration = Duration::from_millis(100);

#[test]
fn in_the_place_of_each_linux_peer() {
    for capture in CAPTURES {
        for arrow in ["A>B", "B>A"] {
            let what = format!("{} {arrow}", capture.name);
            let uni30 = capture.name.ends_with("uni30");
            let mut saal = Saal::new(if uni30 { SaalConfig::uni30() } else { SaalConfig::default() });
            let mut inputs = timeline(capture, arrow);
            inputs.iter_mut().filter(|input| !input.ours).for_each(|input| input.at = input.at.after(LATER));
            inputs.sort_by_key(|input| input.at);
            let (mut said, mut should_have_said) = (Vec::new(), Vec::new());
            let (mut heard, mut should_have_heard) = (Vec::new(), Vec::new());
            for input in inputs {
                while let Some(due) = saal.next_timeout().filter(|&due| due < input.at) {
                    saal.handle_timeout(due);
                }
                let pdu = Pdu::parse(input.octets).expect("captures are well-formed");
                match (input.ours, &pdu) {
                    (true, Pdu::Bgn { .. }) => saal.establish(input.at),
                    (true, Pdu::Sd { sdu, .. }) => {
                        should_have_said.push(input.octets.to_vec());
                        saal.data(input.at, sdu.to_vec()).unwrap_or_else(|error| panic!("{what}: {error}"));
                    }
                    // POLL, STAT and BGAK are SSCOP's own affair.
                    (true, _) => {}
                    (false, _) => {
                        if let Pdu::Sd { sdu, .. } = pdu {
                            should_have_heard.push(sdu.to_vec());
                        }
                        saal.handle_pdu(input.at, input.octets);
                    }
                }
                while let Some(output) = saal.poll_output() {
                    match output {
                        SaalOutput::Transmit(octets) => said.push(octets),
                        SaalOutput::Data(sdu) => heard.push(sdu),
                        SaalOutput::Established(_) => {}
                        other => panic!("{what}: {other:?}"),
                    }
                }
            }
            said.retain(|octets| Pdu::parse(octets).is_ok_and(|pdu| pdu.kind() == PduKind::Sd));
            assert!(said.len() > 1 && said == should_have_said, "{what}: the same SDs, octet by octet");
            assert!(heard.len() > 1 && heard == should_have_heard, "{what}: the same SDUs");
            assert_eq!(saal.state(), SaalState::Established);
            let counters = saal.sscop().counters();
            let errors: Vec<_> = counters.errors.iter().filter(|&(.., times)| times > 0).collect();
            assert!(errors.is_empty() && counters.sd_retransmitted == 0, "{what}: {errors:?}");
        }
    }
}
