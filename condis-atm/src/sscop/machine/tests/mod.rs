//! What the tests of the machine share: a machine in each state, and its outputs in words.

mod collisions;
mod matrix;
mod timers;
mod transfer;

use condis::runtime::Time;

use super::super::wire::{Pdu, Source};
use super::super::{Output, Params, Sn, State};
use super::Sscop;

/// N(MR) of the peer in these tests.
const PEER_MR: u32 = 100;

fn sn(number: u32) -> Sn {
    Sn::new(number)
}

fn ms(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// A machine with a short way of giving it inputs and of reading its outputs.
struct Bench {
    sscop: Sscop,
    now: Time,
}

impl Bench {
    fn new(params: Params) -> Bench {
        Bench { sscop: Sscop::new(params), now: Time::ZERO }
    }

    /// Data flows: the peer's BGN had N(SQ)=5.
    fn ready() -> Bench {
        Bench::ready_with(Params::default(), true)
    }

    fn ready_with(params: Params, clear_buffers: bool) -> Bench {
        let mut bench = Bench::new(params);
        bench.pdu(Pdu::Bgn { n_sq: 5, n_mr: sn(PEER_MR), uu: &[] });
        bench.sscop.establish_response(bench.now, &[], clear_buffers).unwrap();
        bench.drain();
        bench
    }

    fn in_state(state: State) -> Bench {
        let mut bench = match state {
            State::Idle | State::OutgoingConnectionPending | State::IncomingConnectionPending => {
                Bench::new(Params { idle_accepts_repeated_bgn: false, ..Params::default() })
            }
            _ => Bench::ready(),
        };
        match state {
            State::Idle | State::DataTransferReady => {}
            State::OutgoingConnectionPending => bench.sscop.establish(bench.now, &[], true).unwrap(),
            State::IncomingConnectionPending => bench.pdu(Pdu::Bgn { n_sq: 5, n_mr: sn(PEER_MR), uu: &[] }),
            State::OutgoingDisconnectionPending => bench.sscop.release(bench.now, &[]).unwrap(),
            State::OutgoingResyncPending => bench.sscop.resync(bench.now, &[]).unwrap(),
            State::IncomingResyncPending => bench.pdu(Pdu::Rs { n_sq: 6, n_mr: sn(PEER_MR), uu: &[] }),
            State::OutgoingRecoveryPending => bench.provoke_recovery(),
            State::RecoveryResponsePending => {
                bench.provoke_recovery();
                bench.pdu(Pdu::Erak { n_mr: sn(PEER_MR) });
            }
            State::IncomingRecoveryPending => bench.pdu(Pdu::Er { n_sq: 6, n_mr: sn(PEER_MR) }),
        }
        bench.drain();
        assert_eq!(bench.sscop.state(), state);
        bench
    }

    /// Gives a STAT for a poll that was never sent.
    fn provoke_recovery(&mut self) {
        self.pdu(Pdu::Stat { n_ps: sn(9), n_mr: sn(PEER_MR), n_r: sn(0), list: (&[][..]).into() });
    }

    fn pdu(&mut self, pdu: Pdu<'_>) {
        self.sscop.handle_pdu(self.now, &pdu.encode());
    }

    fn data(&mut self, sdu: &[u8]) {
        self.sscop.data(self.now, sdu.to_vec()).expect("the SDU is taken");
    }

    /// Lets time pass up to `until_ms`, and gives what came out, each with its time.
    fn pass_until(&mut self, until_ms: u64) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(due) = self.sscop.next_timeout().filter(|&due| due <= ms(until_ms)) {
            self.now = due;
            self.sscop.handle_timeout(due);
            let at = due.as_nanos() / 1_000_000;
            lines.extend(self.drain().into_iter().map(|line| format!("{at} {line}")));
        }
        self.now = ms(until_ms);
        lines
    }

    /// The outputs, each in one line.
    fn drain(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.sscop.poll_output()).map(|output| line(&output)).collect()
    }
}

fn line(output: &Output) -> String {
    let with = |name: &str, octets: &[u8]| match octets.len() {
        0 => name.to_owned(),
        len => format!("{name} [{len}]"),
    };
    match output {
        Output::Transmit(octets) => Pdu::parse(octets).expect("what is sent is a PDU").to_string(),
        Output::EstablishIndication { uu } => with("AA-ESTABLISH.indication", uu),
        Output::EstablishConfirm { uu } => with("AA-ESTABLISH.confirm", uu),
        Output::ReleaseIndication { source: Source::User, uu } => with("AA-RELEASE.indication by user", uu),
        Output::ReleaseIndication { source: Source::Sscop, uu } => with("AA-RELEASE.indication by SSCOP", uu),
        Output::ReleaseConfirm { uu } => with("AA-RELEASE.confirm", uu),
        Output::DataIndication { sn, sdu } => with(&format!("AA-DATA.indication {sn}"), sdu),
        Output::ResyncIndication { uu } => with("AA-RESYNC.indication", uu),
        Output::ResyncConfirm { uu } => with("AA-RESYNC.confirm", uu),
        Output::RecoverIndication => "AA-RECOVER.indication".to_owned(),
        Output::UnitDataIndication { sdu } => with("AA-UNITDATA.indication", sdu),
        Output::RetrieveIndication { sdu } => with("AA-RETRIEVE.indication", sdu),
        Output::RetrieveCompleteIndication => "AA-RETRIEVE-COMPLETE.indication".to_owned(),
        Output::Writable => "writable".to_owned(),
        Output::ErrorIndication { error, count: 0 } => error.to_string(),
        Output::ErrorIndication { error, count } => format!("{error} {count}"),
        Output::ManagementUnitDataIndication { sdu } => with("MAA-UNITDATA.indication", sdu),
    }
}
