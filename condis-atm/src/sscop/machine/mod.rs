//! The machine: inputs, outputs, and what all states share.

mod connection;
mod dispatch;
mod ready;
mod recovery;
mod resync;
mod transfer;

use std::collections::VecDeque;

use condis::runtime::Time;

use self::dispatch::Input;
use super::receiver::Receiver;
use super::table::{Cell, cell};
use super::timers::Timers;
use super::transmitter::Transmitter;
use super::wire::{Pdu, Source};
use super::{
    Counters, Dialect, Event, MaaError, Output, Params, RequestError, RetrieveFrom, SendError, Sn, State,
    Timer,
};

/// One end of a connection. The contract is that of [the module](super).
pub struct Sscop {
    params: Params,
    state: State,
    transmitter: Transmitter,
    receiver: Receiver,
    timers: Timers,
    saved: SavedUu,
    counters: Counters,
    outputs: VecDeque<Output>,
    /// An SDU was refused because the queue was full, and the user has not been told of room since.
    owes_writable: bool,
    /// What is being handled, or was last; `None` for [`Sscop::reset`].
    because: Option<Event>,
    last_transition: Option<Transition>,
}

/// User-to-user information that is sent again with a repetition. Each at most j octets.
#[derive(Default)]
struct SavedUu {
    bgn: Vec<u8>,
    bgak: Vec<u8>,
    bgrej: Vec<u8>,
    end: Vec<u8>,
    rs: Vec<u8>,
}

/// A change of state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The state left.
    pub from: State,
    /// The state entered; perhaps the same.
    pub to: State,
    /// What it came of; `None` for [`Sscop::reset`].
    pub because: Option<Event>,
}

/// The phase of [`State::DataTransferReady`] (Q.2110 §7.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Data is on its way: Timer_POLL runs.
    Active,
    /// There was data a moment ago: Timer_KEEP-ALIVE runs.
    Transient,
    /// Nothing happens: Timer_IDLE runs.
    Idle,
}

impl Sscop {
    /// In Idle. What is out of its range in `params` is brought back into it.
    pub fn new(params: Params) -> Sscop {
        let params = params.in_range();
        Sscop {
            state: State::Idle,
            transmitter: Transmitter::new(params.first_sq),
            receiver: Receiver::new(params.receive_window),
            timers: Timers::default(),
            saved: SavedUu::default(),
            counters: Counters::default(),
            outputs: VecDeque::new(),
            owes_writable: false,
            because: None,
            last_transition: None,
            params,
        }
    }

    /// AA-ESTABLISH.request. Ends in `EstablishConfirm` or `ReleaseIndication`. `clear_buffers`: what is not delivered when
    /// the connection ends or recovers is forgotten; otherwise it can be retrieved.
    ///
    /// # Errors
    /// [`RequestError`]: lawful in Idle and in Outgoing disconnection pending.
    pub fn establish(&mut self, now: Time, uu: &[u8], clear_buffers: bool) -> Result<(), RequestError> {
        self.request(now, uu.len(), Input::EstablishRequest { uu, clear_buffers })
    }

    /// AA-ESTABLISH.response. Data flows from then on.
    ///
    /// # Errors
    /// [`RequestError`]: lawful after `EstablishIndication`.
    pub fn establish_response(
        &mut self,
        now: Time,
        uu: &[u8],
        clear_buffers: bool,
    ) -> Result<(), RequestError> {
        self.request(now, uu.len(), Input::EstablishResponse { uu, clear_buffers })
    }

    /// AA-RELEASE.request. Ends in `ReleaseConfirm`; but a connection that was only asked for by the peer is refused, and is
    /// over at once, without a word.
    ///
    /// # Errors
    /// [`RequestError`]: lawful wherever there is something to release.
    pub fn release(&mut self, now: Time, uu: &[u8]) -> Result<(), RequestError> {
        self.request(now, uu.len(), Input::ReleaseRequest { uu })
    }

    /// AA-DATA.request: an SDU for the peer's user.
    ///
    /// # Errors
    /// [`SendError`], with the SDU: lawful while data flows, and while an error recovery waits for the peer.
    pub fn data(&mut self, now: Time, sdu: Vec<u8>) -> Result<(), SendError> {
        if cell(self.state, Event::DataRequest) == Cell::Refuse {
            return Err(SendError::Refused { state: self.state, sdu });
        }
        if sdu.len() > self.params.k {
            return Err(SendError::TooLong { max: self.params.k, sdu });
        }
        if self.transmitter.len() >= self.params.transmit_len_max {
            self.owes_writable = true;
            return Err(SendError::QueueFull { max: self.params.transmit_len_max, sdu });
        }
        self.step(now, Input::DataRequest { sdu });
        Ok(())
    }

    /// AA-RESYNC.request: drops what is on its way and begins anew. Ends in `ResyncConfirm` or `ReleaseIndication`.
    ///
    /// # Errors
    /// [`RequestError`]: lawful while data flows or an error is recovered from.
    pub fn resync(&mut self, now: Time, uu: &[u8]) -> Result<(), RequestError> {
        self.request(now, uu.len(), Input::ResyncRequest { uu })
    }

    /// AA-RESYNC.response. Data flows from then on.
    ///
    /// # Errors
    /// [`RequestError`]: lawful after `ResyncIndication`.
    pub fn resync_response(&mut self, now: Time) -> Result<(), RequestError> {
        self.request(now, 0, Input::ResyncResponse)
    }

    /// AA-RECOVER.response. Data flows from then on.
    ///
    /// # Errors
    /// [`RequestError`]: lawful after `RecoverIndication`.
    pub fn recover_response(&mut self, now: Time) -> Result<(), RequestError> {
        self.request(now, 0, Input::RecoverResponse)
    }

    /// AA-RETRIEVE.request: gives back, as `RetrieveIndication`s and one `RetrieveCompleteIndication`, what was not delivered.
    /// There is nothing if buffers were cleared.
    ///
    /// # Errors
    /// [`RequestError`]: lawful where no data flows and no answer is awaited.
    pub fn retrieve(&mut self, now: Time, from: RetrieveFrom) -> Result<(), RequestError> {
        self.request(now, 0, Input::RetrieveRequest(from))
    }

    /// AA-UNITDATA.request: an SDU sent once, in any state, without any assurance.
    ///
    /// # Errors
    /// [`RequestError::TooLong`].
    pub fn unit_data(&mut self, now: Time, sdu: &[u8]) -> Result<(), RequestError> {
        self.check_len(sdu.len(), self.params.k)?;
        self.step(now, Input::UnitDataRequest { sdu });
        Ok(())
    }

    /// MAA-UNITDATA.request: the same for layer management.
    ///
    /// # Errors
    /// [`RequestError::TooLong`].
    pub fn management_unit_data(&mut self, now: Time, sdu: &[u8]) -> Result<(), RequestError> {
        self.check_len(sdu.len(), self.params.k)?;
        self.step(now, Input::ManagementUnitDataRequest { sdu });
        Ok(())
    }

    /// Grants the peer credit as SDUs are delivered, which is so from the start, or holds it back while the user cannot take
    /// more. What was granted may still come.
    pub fn set_grants_credit(&mut self, grants: bool) {
        self.receiver.set_grants(grants);
    }

    /// Takes an AAL5 SDU that came in.
    pub fn handle_pdu(&mut self, now: Time, octets: &[u8]) {
        let pdu = Pdu::parse(octets).ok().filter(|pdu| self.lengths_are_lawful(pdu));
        let Some(pdu) = pdu else {
            return self.report(MaaError::PduLength, 0);
        };
        self.counters.pdus_received += 1;
        self.step(now, Input::Pdu(pdu));
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(timer) = self.timers.take_due(now) {
            self.step(now, Input::Expiry(timer));
        }
    }

    /// Everything ends here and now: to Idle, without a word to the user or to the peer. For a line that is gone.
    pub fn reset(&mut self) {
        self.transmitter.release_buffers();
        self.receiver.clear();
        self.outputs.clear();
        self.owes_writable = false;
        self.because = None;
        self.enter(State::Idle);
    }

    /// When [`handle_timeout`](Sscop::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The phase, where data flows.
    pub fn phase(&self) -> Option<Phase> {
        (self.state == State::DataTransferReady).then(|| {
            if self.timers.runs(Timer::Poll) {
                Phase::Active
            } else if self.timers.runs(Timer::Idle) {
                Phase::Idle
            } else {
                Phase::Transient
            }
        })
    }

    /// The last change of state.
    pub fn last_transition(&self) -> Option<Transition> {
        self.last_transition
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The parameters, in range.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// SDUs that wait to be sent or acknowledged: at most [`Params::transmit_len_max`].
    pub fn transmit_len(&self) -> usize {
        self.transmitter.len()
    }

    /// Places of SDs that came before their turn, and of those that are lacking before them: at most
    /// [`Params::receive_window`].
    pub fn receive_len(&self) -> usize {
        self.receiver.len()
    }

    fn request(&mut self, now: Time, uu_len: usize, input: Input<'_>) -> Result<(), RequestError> {
        let request = input.event();
        if cell(self.state, request) == Cell::Refuse {
            return Err(RequestError::Refused { request, state: self.state });
        }
        self.check_len(uu_len, self.params.j)?;
        self.step(now, input);
        Ok(())
    }

    fn check_len(&self, len: usize, max: usize) -> Result<(), RequestError> {
        if len > max { Err(RequestError::TooLong { len, max }) } else { Ok(()) }
    }

    /// k, j and MaxSTAT hold for the peer too (Q.2110 §7.3).
    fn lengths_are_lawful(&self, pdu: &Pdu<'_>) -> bool {
        match pdu {
            Pdu::Sd { sdu, .. } | Pdu::Ud { sdu } | Pdu::Md { sdu } => sdu.len() <= self.params.k,
            Pdu::Stat { list, .. } => list.len() <= self.params.max_stat,
            Pdu::Bgn { .. }
            | Pdu::Bgak { .. }
            | Pdu::Bgrej { .. }
            | Pdu::End { .. }
            | Pdu::Endak
            | Pdu::Rs { .. }
            | Pdu::Rsak { .. }
            | Pdu::Er { .. }
            | Pdu::Erak { .. }
            | Pdu::Poll { .. }
            | Pdu::Ustat { .. } => pdu.sdu().len() <= self.params.j,
        }
    }

    /// Does what the table says, then sends what may be sent.
    fn step(&mut self, now: Time, input: Input<'_>) {
        let event = input.event();
        self.because = Some(event);
        match cell(self.state, event) {
            Cell::Own => self.own(now, input),
            Cell::Ignore => self.counters.pdus_ignored += 1,
            Cell::Report(error) => self.report(error, 0),
            Cell::End(error) => {
                self.report(error, 0);
                self.transmit_end(Source::Sscop);
            }
            Cell::Drop(error) => {
                self.report(error, 0);
                self.give_up();
            }
            Cell::Abort(error) => {
                self.report(error, 0);
                self.transmit_end(Source::Sscop);
                self.give_up();
            }
            Cell::Refuse => unreachable!("{event:?} was refused in {} before", self.state),
            Cell::Stopped => unreachable!("{event:?} cannot run in {}", self.state),
        }
        self.send_what_may_be_sent(now);
        self.tell_writable();
    }

    /// The one place where the state is assigned. Timers that run in the state left and not in the one entered stop.
    fn enter(&mut self, to: State) {
        if to != State::DataTransferReady {
            self.timers.stop_data_transfer();
        }
        if !to.awaits_answer() {
            self.timers.stop(Timer::Cc);
        }
        self.last_transition = Some(Transition { from: self.state, to, because: self.because });
        self.state = to;
    }

    /// Enters a state in which the peer has to answer what was just sent.
    fn await_answer(&mut self, now: Time, state: State) {
        self.enter(state);
        self.transmitter.cc = 1;
        self.start(now, Timer::Cc);
    }

    /// Timer_CC expired: true if there may be another attempt, which is counted then.
    fn may_try_again(&mut self, now: Time) -> bool {
        if self.transmitter.cc >= self.params.max_cc {
            self.report(MaaError::NoAnswer, 0);
            return false;
        }
        self.transmitter.cc += 1;
        self.start(now, Timer::Cc);
        true
    }

    /// Enters Data transfer ready with all variables at their start (sheets 49 and 51).
    fn become_ready(&mut self, now: Time) {
        self.transmitter.initialize();
        self.receiver.initialize();
        self.enter(State::DataTransferReady);
        self.start(now, Timer::Poll);
        self.start(now, Timer::NoResponse);
    }

    /// No connection any more, by SSCOP's own decision: AA-RELEASE.indication, and Idle.
    fn give_up(&mut self) {
        self.forget();
        self.enter(State::Idle);
        self.output(Output::ReleaseIndication { source: Source::Sscop, uu: Vec::new() });
    }

    /// END by the peer, in each state with a connection or an attempt of the peer's.
    fn ended_by_peer(&mut self, source: Source, uu: &[u8]) {
        self.transmit(&Pdu::Endak);
        self.forget();
        self.enter(State::Idle);
        self.output(Output::ReleaseIndication { source, uu: uu.to_vec() });
    }

    /// A new BGN where there was a connection or an attempt: that one is over, and the user is asked anew.
    fn begun_anew(&mut self, n_mr: Sn, uu: &[u8]) {
        self.forget();
        self.transmitter.ms = n_mr;
        self.enter(State::IncomingConnectionPending);
        self.output(Output::ReleaseIndication { source: Source::User, uu: Vec::new() });
        self.output(Output::EstablishIndication { uu: uu.to_vec() });
    }

    /// AA-RELEASE.request, in each state in which the peer knows of the connection.
    fn end(&mut self, now: Time, uu: &[u8]) {
        self.saved.end = uu.to_vec();
        self.transmit_end(Source::User);
        self.forget();
        self.await_answer(now, State::OutgoingDisconnectionPending);
    }

    /// "Prepare retrieval" (sheet 49), on leaving any state with data.
    fn forget(&mut self) {
        self.transmitter.prepare_retrieval();
        self.receiver.clear();
        self.owes_writable = false;
    }

    /// "Detect retransmission" (sheet 50): true if a BGN, RS or ER is the one that came last.
    fn is_repetition(&mut self, n_sq: u8) -> bool {
        match self.params.dialect {
            Dialect::QSaal1 => false,
            Dialect::Q2110 if n_sq == self.receiver.sq => {
                self.counters.repetitions += 1;
                true
            }
            Dialect::Q2110 => {
                self.receiver.sq = n_sq;
                false
            }
        }
    }

    /// Counts VT(SQ) up, for a new BGN, RS or ER.
    fn new_attempt(&mut self) {
        self.transmitter.sq = self.transmitter.sq.wrapping_add(1);
        self.receiver.initialize_mr();
    }

    /// VT(SQ) as it goes out.
    fn n_sq(&self) -> u8 {
        match self.params.dialect {
            Dialect::Q2110 => self.transmitter.sq,
            Dialect::QSaal1 => 0,
        }
    }

    fn transmit_bgn(&mut self) {
        let octets = Pdu::Bgn { n_sq: self.n_sq(), n_mr: self.receiver.mr, uu: &self.saved.bgn }.encode();
        self.transmit_octets(octets);
    }

    fn transmit_bgak(&mut self) {
        let octets = Pdu::Bgak { n_mr: self.receiver.mr, uu: &self.saved.bgak }.encode();
        self.transmit_octets(octets);
    }

    fn transmit_bgrej(&mut self) {
        let octets = Pdu::Bgrej { uu: &self.saved.bgrej }.encode();
        self.transmit_octets(octets);
    }

    /// By the user with its information, by SSCOP without any.
    fn transmit_end(&mut self, source: Source) {
        if source == Source::Sscop {
            self.saved.end.clear();
        }
        let octets = Pdu::End { source, uu: &self.saved.end }.encode();
        self.transmit_octets(octets);
    }

    fn transmit_rs(&mut self) {
        let octets = Pdu::Rs { n_sq: self.n_sq(), n_mr: self.receiver.mr, uu: &self.saved.rs }.encode();
        self.transmit_octets(octets);
    }

    fn transmit_rsak(&mut self) {
        self.transmit(&Pdu::Rsak { n_mr: self.receiver.mr });
    }

    fn transmit_er(&mut self) {
        self.transmit(&Pdu::Er { n_sq: self.n_sq(), n_mr: self.receiver.mr });
    }

    fn transmit_erak(&mut self) {
        self.transmit(&Pdu::Erak { n_mr: self.receiver.mr });
    }

    fn transmit(&mut self, pdu: &Pdu<'_>) {
        self.transmit_octets(pdu.encode());
    }

    fn transmit_octets(&mut self, octets: Vec<u8>) {
        self.counters.pdus_sent += 1;
        self.output(Output::Transmit(octets));
    }

    fn start(&mut self, now: Time, timer: Timer) {
        self.timers.start(timer, now, &self.params);
    }

    fn report(&mut self, error: MaaError, count: u32) {
        self.counters.errors.count(error);
        self.output(Output::ErrorIndication { error, count });
    }

    fn tell_writable(&mut self) {
        let has_room = self.transmitter.len() < self.params.transmit_len_max;
        if self.owes_writable && has_room && self.state == State::DataTransferReady {
            self.owes_writable = false;
            self.output(Output::Writable);
        }
    }

    fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}

#[cfg(test)]
mod tests;
