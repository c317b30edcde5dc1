//! The declared table: what each state does with each event.

use std::fmt;

use super::wire::PduKind;
use super::{MaaError, Timer};

/// A state of SSCOP (Q.2110 §6, Figure 2; the numbers are the standard's).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// 1: no connection. From the start; when one is refused, released or given up.
    Idle,
    /// 2: BGN is sent. From Idle or Outgoing disconnection pending, by AA-ESTABLISH.request.
    OutgoingConnectionPending,
    /// 3: a BGN came, and the user has to answer. From any state but 2, by a new BGN.
    IncomingConnectionPending,
    /// 4: END is sent. From any state with a connection or an attempt, by AA-RELEASE.request.
    OutgoingDisconnectionPending,
    /// 5: RS is sent. From 7, 8, 9 or 10, by AA-RESYNC.request.
    OutgoingResyncPending,
    /// 6: an RS came, and the user has to answer. From 7, 8, 9 or 10, by a new RS.
    IncomingResyncPending,
    /// 7: ER is sent. From 10, by an error in numbers.
    OutgoingRecoveryPending,
    /// 8: our ER is answered, and the user has to go along. From 7, by ERAK or by the peer's own ER.
    RecoveryResponsePending,
    /// 9: an ER came, and the user has to go along. From 10, by a new ER.
    IncomingRecoveryPending,
    /// 10: data flows.
    DataTransferReady,
}

impl State {
    /// All of them, in the standard's order.
    pub const ALL: [State; 10] = [
        State::Idle,
        State::OutgoingConnectionPending,
        State::IncomingConnectionPending,
        State::OutgoingDisconnectionPending,
        State::OutgoingResyncPending,
        State::IncomingResyncPending,
        State::OutgoingRecoveryPending,
        State::RecoveryResponsePending,
        State::IncomingRecoveryPending,
        State::DataTransferReady,
    ];

    /// Timer_CC runs in this state.
    pub(super) fn awaits_answer(self) -> bool {
        matches!(
            self,
            State::OutgoingConnectionPending
                | State::OutgoingDisconnectionPending
                | State::OutgoingResyncPending
                | State::OutgoingRecoveryPending
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Idle => "Idle",
            State::OutgoingConnectionPending => "Outgoing connection pending",
            State::IncomingConnectionPending => "Incoming connection pending",
            State::OutgoingDisconnectionPending => "Outgoing disconnection pending",
            State::OutgoingResyncPending => "Outgoing resync pending",
            State::IncomingResyncPending => "Incoming resync pending",
            State::OutgoingRecoveryPending => "Outgoing recovery pending",
            State::RecoveryResponsePending => "Recovery response pending",
            State::IncomingRecoveryPending => "Incoming recovery pending",
            State::DataTransferReady => "Data transfer ready",
        })
    }
}

/// What can happen: a PDU, a timer, a request or response of the user or of layer management.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Event {
    /// This PDU came.
    Pdu(PduKind),
    /// This timer expired.
    Expiry(Timer),
    /// AA-ESTABLISH.request.
    EstablishRequest,
    /// AA-ESTABLISH.response.
    EstablishResponse,
    /// AA-RELEASE.request.
    ReleaseRequest,
    /// AA-DATA.request.
    DataRequest,
    /// AA-RESYNC.request.
    ResyncRequest,
    /// AA-RESYNC.response.
    ResyncResponse,
    /// AA-RECOVER.response.
    RecoverResponse,
    /// AA-RETRIEVE.request.
    RetrieveRequest,
    /// AA-UNITDATA.request.
    UnitDataRequest,
    /// MAA-UNITDATA.request.
    ManagementUnitDataRequest,
}

/// What a state does with an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cell {
    /// It has a function of its own, named by both.
    Own,
    /// The PDU is consumed without effect: it may be on its way still, from before.
    Ignore,
    /// The error is reported, and that is all.
    Report(MaaError),
    /// The error is reported, and an END with S=1 tells the peer that there is no connection. The state stays Idle.
    End(MaaError),
    /// The error is reported, the user told AA-RELEASE.indication, and Idle entered: the peer has no connection.
    Drop(MaaError),
    /// As `Drop`, after an END with S=1: the peer has one.
    Abort(MaaError),
    /// The request is not lawful here: it comes back as an error.
    Refuse,
    /// The timer does not run here.
    Stopped,
}

const OWN: Cell = Cell::Own;
const IGN: Cell = Cell::Ignore;
const REF: Cell = Cell::Refuse;
const OFF: Cell = Cell::Stopped;

const fn rep(letter: char) -> Cell {
    Cell::Report(unexpected(letter))
}
const fn end(letter: char) -> Cell {
    Cell::End(unexpected(letter))
}
const fn drp(letter: char) -> Cell {
    Cell::Drop(unexpected(letter))
}
const fn abt(letter: char) -> Cell {
    Cell::Abort(unexpected(letter))
}

const fn unexpected(letter: char) -> MaaError {
    let mut at = 0;
    while at < MaaError::ALL.len() {
        if MaaError::ALL[at].letter() as u32 == letter as u32 {
            return MaaError::ALL[at];
        }
        at += 1;
    }
    panic!("no error has this letter")
}

/// Q.2110 Figure 20 in one view. Its sheets, by the columns: 5 to 7, 8 to 10, 11 to 13, 14 to 16, 17 to 19, 20 to 22, 23 to 26,
/// 27 to 29, 30 to 33, 34 to 46; UD, MD and the two UNITDATA requests of all states: 47 and 48.
#[rustfmt::skip]
pub(super) const TABLE: [(Event, [Cell; 10]); 30] = [
    //                                    1 Idle    2 OutConn 3 InConn  4 OutDisc 5 OutSync 6 InSync  7 OutRec  8 RecResp 9 InRec   10 Ready
    (Event::Pdu(PduKind::Bgn),           [OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::Pdu(PduKind::Bgak),          [end('C'), OWN,      rep('C'), IGN,      IGN,      rep('C'), rep('C'), rep('C'), rep('C'), IGN]),
    (Event::Pdu(PduKind::End),           [OWN,      IGN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::Pdu(PduKind::Endak),         [IGN,      IGN,      drp('F'), OWN,      drp('F'), drp('F'), drp('F'), drp('F'), drp('F'), drp('F')]),
    (Event::Pdu(PduKind::Rs),            [end('J'), IGN,      rep('J'), IGN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::Pdu(PduKind::Rsak),          [end('K'), IGN,      rep('K'), IGN,      OWN,      rep('K'), rep('K'), rep('K'), rep('K'), IGN]),
    (Event::Pdu(PduKind::Bgrej),         [rep('D'), OWN,      drp('D'), OWN,      drp('D'), drp('D'), drp('D'), drp('D'), drp('D'), drp('D')]),
    (Event::Pdu(PduKind::Sd),            [end('A'), IGN,      abt('A'), IGN,      IGN,      abt('A'), IGN,      IGN,      abt('A'), OWN]),
    (Event::Pdu(PduKind::Er),            [end('L'), IGN,      rep('L'), IGN,      IGN,      rep('L'), OWN,      OWN,      OWN,      OWN]),
    (Event::Pdu(PduKind::Poll),          [end('G'), IGN,      abt('G'), IGN,      IGN,      abt('G'), IGN,      IGN,      abt('G'), OWN]),
    (Event::Pdu(PduKind::Stat),          [end('H'), IGN,      abt('H'), IGN,      IGN,      abt('H'), IGN,      abt('H'), abt('H'), OWN]),
    (Event::Pdu(PduKind::Ustat),         [end('I'), IGN,      abt('I'), IGN,      IGN,      abt('I'), IGN,      abt('I'), abt('I'), OWN]),
    (Event::Pdu(PduKind::Ud),            [OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::Pdu(PduKind::Md),            [OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::Pdu(PduKind::Erak),          [end('M'), IGN,      rep('M'), IGN,      IGN,      rep('M'), OWN,      IGN,      rep('M'), IGN]),
    (Event::Expiry(Timer::Cc),           [OFF,      OWN,      OFF,      OWN,      OWN,      OFF,      OWN,      OFF,      OFF,      OFF]),
    (Event::Expiry(Timer::Poll),         [OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OWN]),
    (Event::Expiry(Timer::KeepAlive),    [OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OWN]),
    (Event::Expiry(Timer::NoResponse),   [OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OWN]),
    (Event::Expiry(Timer::Idle),         [OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OFF,      OWN]),
    (Event::EstablishRequest,            [OWN,      REF,      REF,      OWN,      REF,      REF,      REF,      REF,      REF,      REF]),
    (Event::EstablishResponse,           [REF,      REF,      OWN,      REF,      REF,      REF,      REF,      REF,      REF,      REF]),
    (Event::ReleaseRequest,              [REF,      OWN,      OWN,      REF,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::DataRequest,                 [REF,      REF,      REF,      REF,      REF,      REF,      OWN,      REF,      REF,      OWN]),
    (Event::ResyncRequest,               [REF,      REF,      REF,      REF,      REF,      REF,      OWN,      OWN,      OWN,      OWN]),
    (Event::ResyncResponse,              [REF,      REF,      REF,      REF,      REF,      OWN,      REF,      REF,      REF,      REF]),
    (Event::RecoverResponse,             [REF,      REF,      REF,      REF,      REF,      REF,      REF,      OWN,      OWN,      REF]),
    (Event::RetrieveRequest,             [OWN,      REF,      OWN,      OWN,      REF,      OWN,      REF,      OWN,      OWN,      REF]),
    (Event::UnitDataRequest,             [OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
    (Event::ManagementUnitDataRequest,   [OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN,      OWN]),
];

/// The row of an event in [`TABLE`].
const fn row(event: Event) -> usize {
    match event {
        Event::Pdu(kind) => kind.get() as usize - 1,
        Event::Expiry(timer) => 15 + timer as usize,
        Event::EstablishRequest => 20,
        Event::EstablishResponse => 21,
        Event::ReleaseRequest => 22,
        Event::DataRequest => 23,
        Event::ResyncRequest => 24,
        Event::ResyncResponse => 25,
        Event::RecoverResponse => 26,
        Event::RetrieveRequest => 27,
        Event::UnitDataRequest => 28,
        Event::ManagementUnitDataRequest => 29,
    }
}

/// What `state` does with `event`.
pub(super) const fn cell(state: State, event: Event) -> Cell {
    TABLE[row(event)].1[state as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_row() {
        for (at, (event, _)) in TABLE.iter().enumerate() {
            assert_eq!(row(*event), at, "{event:?}");
        }
        for (at, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, at);
        }
    }

    /// Each timer has a function exactly where it can run.
    #[test]
    fn timers_expire_where_they_run() {
        for state in State::ALL {
            assert_eq!(cell(state, Event::Expiry(Timer::Cc)) == Cell::Own, state.awaits_answer());
            for timer in [Timer::Poll, Timer::KeepAlive, Timer::NoResponse, Timer::Idle] {
                let own = cell(state, Event::Expiry(timer)) == Cell::Own;
                assert_eq!(own, state == State::DataTransferReady);
            }
        }
    }

    /// Requests are refused or served, PDUs never refused.
    #[test]
    fn only_requests_are_refused() {
        for (event, cells) in &TABLE {
            let request = !matches!(event, Event::Pdu(_) | Event::Expiry(_));
            assert!(
                cells.iter().all(|cell| request == matches!(cell, Cell::Refuse) || *cell != Cell::Refuse)
            );
            assert!(!request || cells.iter().all(|cell| matches!(cell, Cell::Refuse | Cell::Own)));
        }
    }
}
