//! From the table's `Own` to the function of that name.

use condis::runtime::Time;

use super::Sscop;
use crate::sscop::wire::Pdu;
use crate::sscop::{Event, Output, RetrieveFrom, State, Timer};

// Short names, for the one long match below.
use State::{
    DataTransferReady as Ready, Idle, IncomingConnectionPending as InConn, IncomingRecoveryPending as InRec,
    IncomingResyncPending as InSync, OutgoingConnectionPending as OutConn,
    OutgoingDisconnectionPending as OutDisc, OutgoingRecoveryPending as OutRec,
    OutgoingResyncPending as OutSync, RecoveryResponsePending as RecResp,
};

/// An event with what it brings.
pub(super) enum Input<'a> {
    Pdu(Pdu<'a>),
    Expiry(Timer),
    EstablishRequest { uu: &'a [u8], clear_buffers: bool },
    EstablishResponse { uu: &'a [u8], clear_buffers: bool },
    ReleaseRequest { uu: &'a [u8] },
    DataRequest { sdu: Vec<u8> },
    ResyncRequest { uu: &'a [u8] },
    ResyncResponse,
    RecoverResponse,
    RetrieveRequest(RetrieveFrom),
    UnitDataRequest { sdu: &'a [u8] },
    ManagementUnitDataRequest { sdu: &'a [u8] },
}

impl Input<'_> {
    pub(super) fn event(&self) -> Event {
        match self {
            Input::Pdu(pdu) => Event::Pdu(pdu.kind()),
            Input::Expiry(timer) => Event::Expiry(*timer),
            Input::EstablishRequest { .. } => Event::EstablishRequest,
            Input::EstablishResponse { .. } => Event::EstablishResponse,
            Input::ReleaseRequest { .. } => Event::ReleaseRequest,
            Input::DataRequest { .. } => Event::DataRequest,
            Input::ResyncRequest { .. } => Event::ResyncRequest,
            Input::ResyncResponse => Event::ResyncResponse,
            Input::RecoverResponse => Event::RecoverResponse,
            Input::RetrieveRequest(_) => Event::RetrieveRequest,
            Input::UnitDataRequest { .. } => Event::UnitDataRequest,
            Input::ManagementUnitDataRequest { .. } => Event::ManagementUnitDataRequest,
        }
    }
}

impl Sscop {
    /// Calls the function of this state for this input. That each `Own` of the table has one is tested pair by pair.
    pub(super) fn own(&mut self, now: Time, input: Input<'_>) {
        match (self.state, input) {
            (Idle, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => self.idle_bgn(n_sq, n_mr, uu),
            (OutConn, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => {
                self.outgoing_connection_bgn(now, n_sq, n_mr, uu);
            }
            (InConn, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => {
                self.incoming_connection_bgn(n_sq, n_mr, uu);
            }
            (OutDisc, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => {
                self.outgoing_disconnection_bgn(n_sq, n_mr, uu);
            }
            (OutSync, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => self.outgoing_resync_bgn(n_sq, n_mr, uu),
            (InSync | OutRec | RecResp | InRec, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => {
                self.resync_or_recovery_bgn(n_sq, n_mr, uu);
            }
            (Ready, Input::Pdu(Pdu::Bgn { n_sq, n_mr, uu })) => self.ready_bgn(now, n_sq, n_mr, uu),

            (OutConn, Input::Pdu(Pdu::Bgak { n_mr, uu })) => self.outgoing_connection_bgak(now, n_mr, uu),
            (OutConn, Input::Pdu(Pdu::Bgrej { uu })) => self.outgoing_connection_bgrej(uu),
            (OutDisc, Input::Pdu(Pdu::Bgrej { uu })) => self.outgoing_disconnection_over(uu),

            (Idle, Input::Pdu(Pdu::End { .. })) => self.idle_end(),
            (OutDisc, Input::Pdu(Pdu::End { uu, .. })) => self.outgoing_disconnection_end(uu),
            (
                InConn | OutSync | InSync | OutRec | RecResp | InRec | Ready,
                Input::Pdu(Pdu::End { source, uu }),
            ) => self.ended_by_peer(source, uu),
            (OutDisc, Input::Pdu(Pdu::Endak)) => self.outgoing_disconnection_over(&[]),

            (OutSync, Input::Pdu(Pdu::Rs { n_sq, n_mr, uu })) => {
                self.outgoing_resync_rs(now, n_sq, n_mr, uu);
            }
            (InSync, Input::Pdu(Pdu::Rs { n_sq, .. })) => self.incoming_resync_rs(n_sq),
            (OutRec | RecResp | InRec, Input::Pdu(Pdu::Rs { n_sq, n_mr, uu })) => {
                self.recovery_rs(n_sq, n_mr, uu);
            }
            (Ready, Input::Pdu(Pdu::Rs { n_sq, n_mr, uu })) => self.ready_rs(now, n_sq, n_mr, uu),
            (OutSync, Input::Pdu(Pdu::Rsak { n_mr })) => self.outgoing_resync_rsak(now, n_mr),

            (OutRec, Input::Pdu(Pdu::Er { n_sq, n_mr })) => self.outgoing_recovery_er(n_sq, n_mr),
            (RecResp, Input::Pdu(Pdu::Er { n_sq, .. })) => self.recovery_response_er(n_sq),
            (InRec, Input::Pdu(Pdu::Er { n_sq, .. })) => self.incoming_recovery_er(n_sq),
            (Ready, Input::Pdu(Pdu::Er { n_sq, n_mr })) => self.ready_er(now, n_sq, n_mr),
            (OutRec, Input::Pdu(Pdu::Erak { n_mr })) => self.outgoing_recovery_erak(n_mr),

            (Ready, Input::Pdu(Pdu::Sd { n_s, sdu })) => self.ready_sd(now, n_s, sdu),
            (Ready, Input::Pdu(Pdu::Poll { n_ps, n_s })) => self.ready_poll(now, n_ps, n_s),
            (Ready, Input::Pdu(Pdu::Stat { n_ps, n_mr, n_r, list })) => {
                self.ready_stat(now, n_ps, n_mr, n_r, &list);
            }
            (Ready, Input::Pdu(Pdu::Ustat { n_mr, n_r, from, to })) => {
                self.ready_ustat(now, n_mr, n_r, from, to);
            }

            (_, Input::Pdu(Pdu::Ud { sdu })) => self.output(Output::UnitDataIndication { sdu: sdu.to_vec() }),
            (_, Input::Pdu(Pdu::Md { sdu })) => {
                self.output(Output::ManagementUnitDataIndication { sdu: sdu.to_vec() });
            }
            (_, Input::UnitDataRequest { sdu }) => self.transmit(&Pdu::Ud { sdu }),
            (_, Input::ManagementUnitDataRequest { sdu }) => self.transmit(&Pdu::Md { sdu }),

            (OutConn, Input::Expiry(Timer::Cc)) => self.outgoing_connection_cc(now),
            (OutDisc, Input::Expiry(Timer::Cc)) => self.outgoing_disconnection_cc(now),
            (OutSync, Input::Expiry(Timer::Cc)) => self.outgoing_resync_cc(now),
            (OutRec, Input::Expiry(Timer::Cc)) => self.outgoing_recovery_cc(now),
            (Ready, Input::Expiry(Timer::Poll | Timer::KeepAlive)) => self.ready_poll_or_keep_alive(now),
            (Ready, Input::Expiry(Timer::Idle)) => self.ready_idle(now),
            (Ready, Input::Expiry(Timer::NoResponse)) => self.ready_no_response(),

            (Idle, Input::EstablishRequest { uu, clear_buffers }) => {
                self.establishing(now, uu, clear_buffers)
            }
            // Whatever is asked for, buffers are cleared here (sheet 14).
            (OutDisc, Input::EstablishRequest { uu, .. }) => self.establishing(now, uu, true),
            (InConn, Input::EstablishResponse { uu, clear_buffers }) => {
                self.incoming_connection_response(now, uu, clear_buffers);
            }
            (InConn, Input::ReleaseRequest { uu }) => self.incoming_connection_release(uu),
            (OutConn | OutSync | InSync | OutRec | RecResp | InRec | Ready, Input::ReleaseRequest { uu }) => {
                self.end(now, uu)
            }
            (OutRec, Input::DataRequest { sdu }) => self.outgoing_recovery_data(sdu),
            (Ready, Input::DataRequest { sdu }) => self.transmitter.push(sdu),
            (OutRec | RecResp | InRec, Input::ResyncRequest { uu }) => self.recovery_resync(now, uu),
            (Ready, Input::ResyncRequest { uu }) => self.ready_resync(now, uu),
            (InSync, Input::ResyncResponse) => self.incoming_resync_response(now),
            (RecResp, Input::RecoverResponse) => self.recovery_response_recover(now),
            (InRec, Input::RecoverResponse) => self.incoming_recovery_recover(now),
            (Idle | InConn | OutDisc | InSync | RecResp | InRec, Input::RetrieveRequest(from)) => {
                self.retrieve_data(from);
            }
            (state, input) => unreachable!("{:?} in {state} has no function of its own", input.event()),
        }
    }

    /// "Data retrieval" (sheet 50).
    fn retrieve_data(&mut self, from: RetrieveFrom) {
        for sdu in self.transmitter.retrieve(from) {
            self.output(Output::RetrieveIndication { sdu });
        }
        self.output(Output::RetrieveCompleteIndication);
    }
}
