//! Each request and each of SSCOP's signals in each state (Q.2130 Table 4).

use condis::runtime::Time;

use crate::sscf::{DataError, Saal, SaalConfig, SaalOutput, SaalState, UnitDataError};
use crate::sscop::wire::{Pdu, Source};
use crate::sscop::{Params, Sn, State};

const NOW: Time = Time::ZERO;
const N_MR: Sn = Sn::new(50);

fn line(output: SaalOutput) -> String {
    match output {
        SaalOutput::Transmit(pdu) => Pdu::parse(&pdu).expect("what is sent is a PDU").kind().to_string(),
        other => format!("{other:?}"),
    }
}

fn drain(saal: &mut Saal) -> Vec<String> {
    std::iter::from_fn(|| saal.poll_output()).map(line).collect()
}

fn pdu(saal: &mut Saal, pdu: Pdu<'_>) {
    saal.handle_pdu(NOW, &pdu.encode());
}

fn bgn(n_sq: u8) -> Pdu<'static> {
    Pdu::Bgn { n_sq, n_mr: N_MR, uu: &[] }
}

fn in_state(state: SaalState) -> Saal {
    let mut saal = Saal::new(SaalConfig::default());
    if matches!(state, SaalState::Established | SaalState::AwaitingRelease | SaalState::AwaitingResync) {
        pdu(&mut saal, bgn(1));
    }
    match state {
        SaalState::Released | SaalState::Established => {}
        SaalState::AwaitingEstablish | SaalState::AwaitingResync => saal.establish(NOW),
        SaalState::AwaitingRelease => saal.release(NOW),
    }
    drain(&mut saal);
    assert_eq!(saal.state(), state);
    saal
}

const STATES: [SaalState; 5] = [
    SaalState::Released,
    SaalState::AwaitingEstablish,
    SaalState::AwaitingRelease,
    SaalState::Established,
    SaalState::AwaitingResync,
];

/// The upper half of the table. The states of SSCOP are those that the table pairs them with.
#[test]
fn requests_in_each_state() {
    type Row = (SaalState, &'static [&'static str], SaalState);
    let establish: [Row; 5] = [
        (SaalState::Released, &["BGN"], SaalState::AwaitingEstablish),
        (SaalState::AwaitingEstablish, &[], SaalState::AwaitingEstablish),
        (SaalState::AwaitingRelease, &["BGN"], SaalState::AwaitingEstablish),
        (SaalState::Established, &["RS"], SaalState::AwaitingResync),
        (SaalState::AwaitingResync, &[], SaalState::AwaitingResync),
    ];
    let release: [Row; 5] = [
        (SaalState::Released, &["Released(Confirmed)"], SaalState::Released),
        (SaalState::AwaitingEstablish, &["END"], SaalState::AwaitingRelease),
        (SaalState::AwaitingRelease, &[], SaalState::AwaitingRelease),
        (SaalState::Established, &["END"], SaalState::AwaitingRelease),
        (SaalState::AwaitingResync, &["END"], SaalState::AwaitingRelease),
    ];
    for ((from, out, to), request) in
        establish.into_iter().map(|row| (row, true)).chain(release.into_iter().map(|row| (row, false)))
    {
        let mut saal = in_state(from);
        if request {
            saal.establish(NOW)
        } else {
            saal.release(NOW)
        }
        assert_eq!((drain(&mut saal), saal.state()), (out.iter().map(|line| line.to_string()).collect(), to));
        assert_eq!(saal.sscop().state(), below(to));
    }
    for state in STATES {
        let mut saal = in_state(state);
        let taken = saal.data(NOW, vec![1]);
        if state == SaalState::Established {
            assert_eq!((taken, drain(&mut saal)), (Ok(()), vec!["SD".to_owned()]));
        } else {
            assert_eq!(taken, Err(DataError::NotEstablished { state, sdu: vec![1] }));
        }
        saal.unit_data(NOW, &[1]).unwrap();
        assert_eq!(drain(&mut saal), ["UD"]);
        assert_eq!(saal.unit_data(NOW, &[0; 4097]), Err(UnitDataError { len: 4097, max: 4096 }));
    }
}

/// The state of SSCOP below each of the service.
fn below(state: SaalState) -> State {
    match state {
        SaalState::Released => State::Idle,
        SaalState::AwaitingEstablish => State::OutgoingConnectionPending,
        SaalState::AwaitingRelease => State::OutgoingDisconnectionPending,
        SaalState::Established => State::DataTransferReady,
        SaalState::AwaitingResync => State::OutgoingResyncPending,
    }
}

/// The lower half of the table, by the PDUs that make SSCOP give each signal.
#[test]
fn signals_in_each_state() {
    use SaalState::{AwaitingEstablish, AwaitingRelease, AwaitingResync, Established, Released};
    let end = |source| Pdu::End { source, uu: &[] };
    let sd = Pdu::Sd { n_s: Sn::ZERO, sdu: &[7] };
    for (from, input, out, to) in [
        (Released, bgn(1), &["BGAK", "Established(PeerAsked)"][..], Established),
        (AwaitingEstablish, Pdu::Bgak { n_mr: N_MR, uu: &[] }, &["Established(Confirmed)"], Established),
        (AwaitingEstablish, bgn(1), &["BGAK", "Established(Confirmed)"], Established),
        (AwaitingEstablish, Pdu::Bgrej { uu: &[] }, &["Released(PeerAsked)"], Released),
        (AwaitingRelease, Pdu::Endak, &["Released(Confirmed)"], Released),
        (AwaitingRelease, bgn(2), &["Released(Confirmed)", "BGAK", "Established(PeerAsked)"], Established),
        (Established, sd, &["Data([7])"], Established),
        (Established, end(Source::User), &["ENDAK", "Released(PeerAsked)"], Released),
        (Established, end(Source::Sscop), &["ENDAK", "Released(ProtocolError)"], Released),
        (Established, Pdu::Bgrej { uu: &[] }, &["Released(ProtocolError)"], Released),
        (Established, bgn(2), &["Released(PeerAsked)", "BGAK", "Established(PeerAsked)"], Established),
        (
            Established,
            Pdu::Rs { n_sq: 2, n_mr: N_MR, uu: &[] },
            &["RSAK", "Established(Resynchronised)"],
            Established,
        ),
        (Established, Pdu::Er { n_sq: 2, n_mr: N_MR }, &["ERAK", "Established(Recovered)"], Established),
        (AwaitingResync, Pdu::Rsak { n_mr: N_MR }, &["Established(Confirmed)"], Established),
        (AwaitingResync, end(Source::User), &["ENDAK", "Released(PeerAsked)"], Released),
        (AwaitingResync, bgn(2), &["Released(PeerAsked)", "BGAK", "Established(PeerAsked)"], Established),
    ] {
        let mut saal = in_state(from);
        let what = format!("{input} in {from:?}");
        pdu(&mut saal, input);
        assert_eq!(drain(&mut saal), out, "{what}");
        assert_eq!((saal.state(), saal.sscop().state()), (to, below(to)), "{what}");
        assert_eq!(saal.counters().unexpected_signals, 0, "{what}");
    }
    for state in STATES {
        let mut saal = in_state(state);
        pdu(&mut saal, Pdu::Ud { sdu: &[7] });
        assert_eq!(drain(&mut saal), ["UnitData([7])"]);
        pdu(&mut saal, Pdu::Md { sdu: &[7] });
        assert_eq!((drain(&mut saal).len(), saal.counters().dropped_management), (0, 1));
    }
}

/// Our own recovery: the user is not asked, only told.
#[test]
fn a_recovery_is_gone_along_with() {
    let mut saal = in_state(SaalState::Established);
    pdu(&mut saal, Pdu::Stat { n_ps: Sn::new(9), n_mr: N_MR, n_r: Sn::ZERO, list: (&[][..]).into() });
    assert_eq!((drain(&mut saal), saal.state()), (vec!["ER".to_owned()], SaalState::Established));
    assert_eq!(saal.sscop().counters().errors.stat_poll_number, 1);
    pdu(&mut saal, Pdu::Erak { n_mr: N_MR });
    assert_eq!(drain(&mut saal), ["Established(Recovered)"]);
    assert_eq!((saal.counters().recovered, saal.sscop().state()), (1, State::DataTransferReady));
}

/// SSCOP-UU goes along, and comes just before what it belongs to.
#[test]
fn users_may_inform_each_other() {
    let mut saal = in_state(SaalState::Released);
    saal.establish_with(NOW, &[1, 2]);
    let sent = std::iter::from_fn(|| saal.poll_output()).next();
    let Some(SaalOutput::Transmit(sent)) = sent else { panic!("{sent:?}") };
    assert_eq!(Pdu::parse(&sent).unwrap().sdu(), [1, 2]);
    pdu(&mut saal, Pdu::Bgak { n_mr: N_MR, uu: &[3] });
    assert_eq!(drain(&mut saal), ["UserToUser([3])", "Established(Confirmed)"]);
    saal.release_with(NOW, &[0; 5000]);
    let Some(SaalOutput::Transmit(sent)) = saal.poll_output() else { panic!("an END goes out") };
    assert_eq!(Pdu::parse(&sent).unwrap().sdu().len(), 4096, "no more than j");
}

/// "The network is gone" is an input of every core.
#[test]
fn the_line_goes_and_comes() {
    for state in STATES {
        let mut saal = in_state(state);
        let _ = saal.data(NOW, vec![1]);
        saal.set_line(NOW, false);
        let told = if state == SaalState::Released { vec![] } else { vec!["Released(LineDown)".to_owned()] };
        assert_eq!(drain(&mut saal), told, "{state:?}: and nothing is transmitted");
        assert_eq!((saal.next_timeout(), saal.sscop().state()), (None, State::Idle));
        pdu(&mut saal, bgn(2));
        saal.unit_data(NOW, &[1]).unwrap();
        saal.set_line(NOW, false);
        assert_eq!((drain(&mut saal).len(), saal.counters().dropped_line_down), (0, 2));
        saal.establish(NOW);
        assert_eq!(drain(&mut saal), ["Released(LineDown)"]);
        saal.set_line(NOW, true);
        assert_eq!(drain(&mut saal).len(), 0);
        saal.establish(NOW);
        assert_eq!(drain(&mut saal), ["BGN"]);
    }
}

/// The queue's bound comes through, and so does the room.
#[test]
fn a_full_queue_pushes_back() {
    let mut saal = Saal::new(SaalConfig { sscop: Params { transmit_len_max: 1, ..Params::default() } });
    pdu(&mut saal, bgn(1));
    saal.data(NOW, vec![1]).unwrap();
    assert_eq!(saal.data(NOW, vec![2]), Err(DataError::QueueFull { max: 1, sdu: vec![2] }));
    assert_eq!(saal.data(NOW, vec![2; 5000]), Err(DataError::TooLong { max: 4096, sdu: vec![2; 5000] }));
    let due = saal.next_timeout().unwrap();
    saal.handle_timeout(due);
    drain(&mut saal);
    pdu(&mut saal, Pdu::Stat { n_ps: Sn::new(1), n_mr: N_MR, n_r: Sn::new(1), list: (&[][..]).into() });
    assert_eq!(drain(&mut saal), ["Writable"]);
}

/// Room that comes of a resynchronisation is told once data flows again, not before.
#[test]
fn room_is_told_where_it_can_be_used() {
    let mut saal = Saal::new(SaalConfig { sscop: Params { transmit_len_max: 1, ..Params::default() } });
    pdu(&mut saal, bgn(1));
    saal.data(NOW, vec![1]).unwrap();
    assert!(saal.data(NOW, vec![2]).is_err());
    drain(&mut saal);
    saal.establish(NOW);
    assert_eq!(drain(&mut saal), ["RS"]);
    pdu(&mut saal, Pdu::Rsak { n_mr: N_MR });
    assert_eq!(drain(&mut saal), ["Established(Confirmed)", "Writable"]);
    assert_eq!(saal.counters().unexpected_signals, 0);
}
