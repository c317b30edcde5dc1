//! SSCOP: the parser, random operations on one machine, and two services that talk to each other over a bad channel.

use std::time::Duration;

use condis::runtime::Time;
use condis_atm::sscf::{Saal, SaalConfig, SaalOutput, SaalState};
use condis_atm::sscop::wire::{Pdu, PduKind, Source};
use condis_atm::sscop::{Counters, Dialect, Output, Params, RequestError, RetrieveFrom, Sn, Sscop, State};

use crate::input::Input;

/// Any octets: refused, or a value that is written and read again as itself, and printed in one line.
pub fn pdu(data: &[u8]) {
    let Ok(pdu) = Pdu::parse(data) else { return };
    let written = pdu.encode();
    assert_eq!(written.len(), pdu.encoded_len());
    assert_eq!(Pdu::parse(&written), Ok(pdu.clone()));
    assert!(
        written.len() <= data.len() && data.len() < written.len() + 4,
        "only padding may differ in length"
    );
    let line = pdu.to_string();
    assert!(!line.contains(char::is_control) && line.len() < 1000, "{line:?}");
}

/// Small bounds, so that they are met.
fn params(input: &mut Input<'_>) -> Params {
    let flags = input.octet();
    Params {
        dialect: if flags & 1 == 0 { Dialect::Q2110 } else { Dialect::QSaal1 },
        receive_window: u16::from(input.octet() % 9),
        transmit_len_max: usize::from(input.octet() % 9),
        max_pd: u32::from(input.octet() % 4),
        max_stat: usize::from(input.octet() % 9),
        k: 40,
        j: 4,
        poll_after_retransmission: flags & 2 != 0,
        idle_accepts_repeated_bgn: flags & 4 != 0,
        ..Params::default()
    }
}

/// A number near those that are in use.
fn number(input: &mut Input<'_>) -> Sn {
    match input.octet() {
        near @ 0..=250 => Sn::new(u32::from(near % 12)),
        far => Sn::new(u32::from(far)).plus(Sn::MODULUS - 253),
    }
}

fn any_pdu(input: &mut Input<'_>) -> Vec<u8> {
    let kind = PduKind::new(input.octet() % 16);
    let n_sq = input.octet() % 4;
    let (a, b, c, d) = (number(input), number(input), number(input), number(input));
    let few = usize::from(input.octet() % 8);
    let sdu = input.take(few);
    let source = if n_sq == 0 { Source::User } else { Source::Sscop };
    let pdu = match kind {
        None => return input.take(usize::from(n_sq) * 4).to_vec(),
        Some(PduKind::Bgn) => Pdu::Bgn { n_sq, n_mr: a, uu: sdu },
        Some(PduKind::Bgak) => Pdu::Bgak { n_mr: a, uu: sdu },
        Some(PduKind::End) => Pdu::End { source, uu: sdu },
        Some(PduKind::Endak) => Pdu::Endak,
        Some(PduKind::Rs) => Pdu::Rs { n_sq, n_mr: a, uu: sdu },
        Some(PduKind::Rsak) => Pdu::Rsak { n_mr: a },
        Some(PduKind::Bgrej) => Pdu::Bgrej { uu: sdu },
        Some(PduKind::Sd) => Pdu::Sd { n_s: a, sdu },
        Some(PduKind::Er) => Pdu::Er { n_sq, n_mr: a },
        Some(PduKind::Poll) => Pdu::Poll { n_ps: a, n_s: b },
        Some(PduKind::Stat) => {
            let list = sdu.iter().map(|&octet| Sn::new(u32::from(octet % 12))).collect();
            Pdu::Stat { n_ps: a, n_mr: b, n_r: c, list }
        }
        Some(PduKind::Ustat) => Pdu::Ustat { n_mr: a, n_r: b, from: c, to: d },
        Some(PduKind::Ud) => Pdu::Ud { sdu },
        Some(PduKind::Md) => Pdu::Md { sdu },
        Some(PduKind::Erak) => Pdu::Erak { n_mr: a },
    };
    pdu.encode()
}

/// A request was taken or refused; its error prints in any case.
fn answered(request: Result<(), RequestError>) {
    assert!(request.is_ok() || request.is_err_and(|error| !error.to_string().is_empty()));
}

/// The PDU that a peer could answer with, and what else it needs to know of the machine.
#[derive(Default)]
struct Peer {
    answer: Option<Vec<u8>>,
    /// The number of the next SD that the machine will send.
    next_sd: Sn,
    /// The number of the next SD that the machine will take.
    lacks: Sn,
}

impl Peer {
    fn see(&mut self, pdu: &Pdu<'_>, input: &mut Input<'_>) {
        let n_mr = self.next_sd.plus(u32::from(input.octet() % 4));
        let answer = match *pdu {
            Pdu::Bgn { .. } => Pdu::Bgak { n_mr: Sn::new(3), uu: &[] },
            Pdu::Rs { .. } => Pdu::Rsak { n_mr: Sn::new(3) },
            Pdu::Er { .. } => Pdu::Erak { n_mr: Sn::new(3) },
            Pdu::End { .. } => Pdu::Endak,
            Pdu::Sd { n_s, .. } => {
                self.next_sd = n_s.next();
                return;
            }
            Pdu::Poll { n_ps, n_s } => {
                let lacks = u32::from(input.octet()) % 4 % (n_s.get() + 1);
                let n_r = n_s.plus(Sn::MODULUS - lacks);
                let list = if lacks == 0 { vec![] } else { vec![n_r, n_r.next()] };
                Pdu::Stat { n_ps, n_mr, n_r, list: list.into() }
            }
            _ => return,
        };
        self.answer = Some(answer.encode());
    }
}

/// Random requests, PDUs and time for one machine. Gives what was counted and the states that were met, so that a test sees how
/// far it came.
pub fn machine(data: &[u8]) -> (Counters, [bool; 10]) {
    let mut input = Input(data);
    let mut sscop = Sscop::new(params(&mut input));
    let (window, transmit_len_max) =
        (usize::from(sscop.params().receive_window), sscop.params().transmit_len_max);
    let mut now = Time::ZERO;
    let mut met = [false; 10];
    // The number of the last SD that was delivered since data began to flow anew.
    let mut last: Option<Sn> = None;
    let mut peer = Peer::default();
    while !input.is_empty() {
        let octet = input.octet();
        let uu_len = usize::from(octet >> 5);
        let clear_buffers = octet & 0x80 == 0;
        match octet % 16 {
            0 => answered(sscop.establish(now, input.take(uu_len), clear_buffers)),
            1 => answered(sscop.establish_response(now, input.take(uu_len), clear_buffers)),
            2 => answered(sscop.release(now, input.take(uu_len))),
            3 | 4 => drop(sscop.data(now, vec![octet; uu_len])),
            5 => answered(sscop.resync(now, input.take(uu_len))),
            6 => {
                answered(sscop.resync_response(now));
                answered(sscop.recover_response(now));
            }
            7 => {
                let from =
                    [RetrieveFrom::Unknown, RetrieveFrom::Total, RetrieveFrom::After(number(&mut input))];
                answered(sscop.retrieve(now, from[uu_len % 3]));
            }
            8 if uu_len > 3 => {
                sscop.handle_pdu(now, &Pdu::Sd { n_s: peer.lacks, sdu: &[octet] }.encode());
            }
            8 => {
                answered(sscop.unit_data(now, &[octet]));
                answered(sscop.management_unit_data(now, &[octet]));
                sscop.set_grants_credit(clear_buffers);
            }
            9 if octet > 250 => sscop.reset(),
            9 | 10 => {
                now = now.after(Duration::from_millis(u64::from(input.octet()) * 40));
                sscop.handle_timeout(now);
                assert!(sscop.next_timeout().is_none_or(|due| due > now), "what was due is done");
            }
            11..=14 if octet < 0xe0 => {
                if let Some(answer) = peer.answer.take() {
                    sscop.handle_pdu(now, &answer);
                } else {
                    now = now.after(Duration::from_millis(400));
                    sscop.handle_timeout(now);
                }
            }
            _ => {
                let octets = any_pdu(&mut input);
                sscop.handle_pdu(now, &octets);
            }
        }
        while let Some(output) = sscop.poll_output() {
            match output {
                Output::Transmit(octets) => {
                    let pdu = Pdu::parse(&octets).expect("what is sent is a PDU");
                    assert!(pdu.sdu().len() <= 40);
                    peer.see(&pdu, &mut input);
                }
                Output::DataIndication { sn, .. } => {
                    assert!(last.is_none_or(|last| sn.is_after(last)), "{sn} after {last:?}");
                    last = Some(sn);
                    peer.lacks = sn.next();
                }
                _ => {}
            }
        }
        let state = sscop.state();
        if state != State::DataTransferReady {
            last = None;
            (peer.lacks, peer.next_sd) = (Sn::ZERO, Sn::ZERO);
        }
        met[state as usize] = true;
        assert!(sscop.transmit_len() <= transmit_len_max && sscop.receive_len() <= window);
        let has_timer = sscop.next_timeout().is_some();
        let waits_for_the_peer = matches!(
            state,
            State::OutgoingConnectionPending
                | State::OutgoingDisconnectionPending
                | State::OutgoingResyncPending
                | State::OutgoingRecoveryPending
                | State::DataTransferReady
        );
        assert_eq!(has_timer, waits_for_the_peer, "{state}: no machine waits for ever");
    }
    (*sscop.counters(), met)
}

/// Two services. The octets say what their users do, and which PDUs are lost, doubled or forged. Gives how many SDUs came.
pub fn services(data: &[u8]) -> usize {
    let mut input = Input(data);
    let mut ends = [params(&mut input), params(&mut input)].map(|sscop| {
        let mut config = SaalConfig::default();
        config.sscop = sscop;
        Saal::new(config)
    });
    let mut wires: [Vec<Vec<u8>>; 2] = Default::default();
    let mut now = Time::ZERO;
    let mut came = 0;
    let mut stands = [false; 2];
    while !input.is_empty() {
        let octet = input.octet();
        let at = usize::from(octet & 1);
        let saal = &mut ends[at];
        match octet >> 1 & 15 {
            0 | 1 => saal.establish(now),
            2 if octet & 0xc0 == 0 => saal.release(now),
            2..=5 => drop(saal.data(now, vec![octet; 5])),
            6 if octet & 0xc0 == 0 => saal.set_line(now, octet & 0x20 == 0),
            7 => {
                now = now.after(Duration::from_millis(u64::from(input.octet()) * 40));
                ends.iter_mut().for_each(|saal| saal.handle_timeout(now));
            }
            8 if octet & 0xc0 == 0 => {
                let forged = any_pdu(&mut input);
                saal.handle_pdu(now, &forged);
            }
            9 => drop(wires[at].pop()),
            _ => {
                for pdu in std::mem::take(&mut wires[at]) {
                    saal.handle_pdu(now, &pdu);
                }
            }
        }
        for at in 0..2 {
            while let Some(output) = ends[at].poll_output() {
                match output {
                    // A wire holds a few PDUs; then it loses.
                    SaalOutput::Transmit(pdu) if wires[1 - at].len() < 64 => wires[1 - at].push(pdu),
                    SaalOutput::Data(_) => {
                        assert!(stands[at], "data comes only while the user knows of a connection");
                        came += 1;
                    }
                    SaalOutput::Established(_) => stands[at] = true,
                    SaalOutput::Released(_) => stands[at] = false,
                    _ => {}
                }
            }
            assert_eq!(ends[at].counters().unexpected_signals, 0);
            assert!(stands[at] || ends[at].state() != SaalState::Established);
        }
    }
    came
}
