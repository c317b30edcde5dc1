//! State 10, Data transfer ready: SD, POLL, STAT, USTAT (sheets 38 to 46).
//!
//! Numbers are compared from VT(A), VR(R) and VT(PA), as Q.2110 §7.4 wants it. A number that is behind its base is then very far
//! ahead, and so outside of any window.

use condis::runtime::Time;

use super::Sscop;
use crate::sscop::transmitter::NotInBuffer;
use crate::sscop::wire::Pdu;
use crate::sscop::{MaaError, Output, Sn, State, Timer};

impl Sscop {
    /// Sends while there is something to be sent again, or something new and credit for it (sheets 38 and 39). In the idle
    /// phase a poll goes out even without credit, to ask for some.
    pub(super) fn send_what_may_be_sent(&mut self, now: Time) {
        while self.state == State::DataTransferReady {
            if self.transmitter.has_retransmissions() {
                self.send_again(now);
            } else if self.transmitter.queue_is_empty() {
                return;
            } else if self.transmitter.window_is_open() {
                self.send_new(now);
            } else if self.timers.runs(Timer::Idle) {
                self.timers.stop(Timer::Idle);
                self.start(now, Timer::NoResponse);
                self.poll_now(now);
            } else {
                return;
            }
        }
    }

    fn send_again(&mut self, now: Time) {
        let Some((n_s, sdu)) = self.transmitter.send_again() else { return };
        let octets = Pdu::Sd { n_s, sdu }.encode();
        self.counters.sd_retransmitted += 1;
        self.transmit_octets(octets);
        if self.params.poll_after_retransmission && !self.transmitter.has_retransmissions() {
            self.transmitter.pd += 1;
            self.timers.stop(Timer::KeepAlive);
            self.leave_idle_phase(now);
            self.poll_now(now);
        } else {
            self.count_towards_poll(now);
        }
    }

    fn send_new(&mut self, now: Time) {
        let Some((n_s, sdu)) = self.transmitter.send_new() else { return };
        let octets = Pdu::Sd { n_s, sdu }.encode();
        self.counters.sd_sent += 1;
        self.transmit_octets(octets);
        self.count_towards_poll(now);
    }

    /// Connector B (sheet 39): the active phase begins if it was another, and each MaxPD SDs a poll goes out.
    fn count_towards_poll(&mut self, now: Time) {
        self.transmitter.pd += 1;
        let was_active = self.timers.runs(Timer::Poll);
        if !was_active {
            self.leave_idle_phase(now);
            self.timers.stop(Timer::KeepAlive);
        }
        if self.transmitter.pd >= self.params.max_pd {
            self.poll_now(now);
        } else if !was_active {
            self.start(now, Timer::Poll);
        }
    }

    fn leave_idle_phase(&mut self, now: Time) {
        if self.timers.runs(Timer::Idle) {
            self.timers.stop(Timer::Idle);
            self.start(now, Timer::NoResponse);
        }
    }

    /// Connector A (sheet 39).
    fn poll_now(&mut self, now: Time) {
        self.transmit_poll();
        self.start(now, Timer::Poll);
    }

    /// SD (sheets 38 and 40). A gap is told of at once, by USTAT.
    pub(super) fn ready_sd(&mut self, now: Time, n_s: Sn, sdu: &[u8]) {
        let receiver = &mut self.receiver;
        let (ahead, h, mr) = (receiver.ahead(n_s), receiver.ahead(receiver.h), receiver.ahead(receiver.mr));
        if ahead >= mr {
            self.counters.sd_dropped_outside_window += 1;
            if h < mr {
                self.transmit_ustat(self.receiver.h, self.receiver.mr);
                self.receiver.h = self.receiver.mr;
            }
            return;
        }
        if receiver.has(n_s) {
            return self.begin_recovery(now, MaaError::SdOrPollNumber);
        }
        receiver.store(n_s, sdu.to_vec());
        if ahead == 0 {
            self.deliver();
        } else if ahead == h {
            receiver.h = n_s.next();
        } else if ahead > h {
            let from = receiver.h;
            receiver.h = n_s.next();
            self.transmit_ustat(from, n_s);
        }
    }

    /// Delivers what is there in order, and grants credit for it.
    fn deliver(&mut self) {
        while let Some((sn, sdu)) = self.receiver.take_next() {
            self.counters.sd_delivered += 1;
            self.output(Output::DataIndication { sn, sdu });
        }
        self.receiver.grant();
    }

    fn transmit_ustat(&mut self, from: Sn, to: Sn) {
        self.transmit(&Pdu::Ustat { n_mr: self.receiver.mr, n_r: self.receiver.r, from, to });
    }

    /// POLL (sheets 41 and 42): answered with all that is lacking, in as many STATs as MaxSTAT makes of it.
    pub(super) fn ready_poll(&mut self, now: Time, n_ps: Sn, n_s: Sn) {
        let receiver = &mut self.receiver;
        // A number behind VR(R) counts fewer SDs than came, too.
        if receiver.ahead(n_s) < receiver.ahead(receiver.h) || receiver.r.is_after(n_s) {
            return self.begin_recovery(now, MaaError::SdOrPollNumber);
        }
        receiver.grant();
        receiver.h = if receiver.ahead(n_s) > receiver.ahead(receiver.mr) { receiver.mr } else { n_s };
        let (n_mr, n_r) = (receiver.mr, receiver.r);
        let list = receiver.list();
        let mut rest = &list[..];
        // A segment ends with where a gap begins, and the next begins with that again.
        let segment_len = self.params.max_stat;
        while rest.len() > segment_len {
            self.transmit(&Pdu::Stat { n_ps, n_mr, n_r, list: rest[..segment_len].into() });
            rest = &rest[segment_len - 1..];
        }
        self.transmit(&Pdu::Stat { n_ps, n_mr, n_r, list: rest.into() });
    }

    /// STAT (sheets 44 to 46).
    pub(super) fn ready_stat(&mut self, now: Time, n_ps: Sn, n_mr: Sn, n_r: Sn, list: &[Sn]) {
        let transmitter = &mut self.transmitter;
        // VT(PA) <= N(PS) <= VT(PS). Before the first poll VT(PA) is VT(PS) + 1, hence the detour.
        let before = transmitter.pa.previous();
        if n_ps == before || n_ps.from_base(before) > transmitter.ps.from_base(before) {
            return self.begin_recovery(now, MaaError::StatPollNumber);
        }
        if n_r.from_base(transmitter.a) > transmitter.s().from_base(transmitter.a) {
            return self.begin_recovery(now, MaaError::StatNumbers);
        }
        transmitter.acknowledge_before(n_r);
        transmitter.pa = n_ps;
        transmitter.ms = n_mr;
        match self.go_through(n_ps, list) {
            Err(NotInBuffer) => return self.begin_recovery(now, MaaError::StatNumbers),
            Ok(0) => {}
            Ok(count) => self.report(MaaError::Retransmission, count),
        }
        self.watch_credit();
        self.answered(now);
    }

    /// Acknowledges and queues again by a STAT's list (sheets 44 and 45): how many SDs were queued.
    fn go_through(&mut self, n_ps: Sn, list: &[Sn]) -> Result<u32, NotInBuffer> {
        let transmitter = &mut self.transmitter;
        let end = transmitter.s().from_base(transmitter.a);
        let mut count = 0;
        for (pair, lacking) in list.windows(2).zip([true, false].into_iter().cycle()) {
            let (from, to) = (pair[0].from_base(transmitter.a), pair[1].from_base(transmitter.a));
            if from >= to || to > end {
                return Err(NotInBuffer);
            }
            for ahead in from..to {
                let sn = transmitter.a.plus(ahead);
                if lacking {
                    count += u32::from(transmitter.queue_again(sn, Some(n_ps))?);
                } else if transmitter.clear_buffers {
                    transmitter.acknowledge(sn);
                }
            }
        }
        Ok(count)
    }

    /// Connector L (sheet 46): lack of credit is reported once, and so is its end.
    fn watch_credit(&mut self) {
        let open = self.transmitter.window_is_open();
        if open != self.transmitter.credit {
            self.transmitter.credit = open;
            self.report(if open { MaaError::CreditObtained } else { MaaError::LackOfCredit }, 0);
        }
    }

    /// The peer is there (sheet 46): from the transient phase on to the idle one.
    fn answered(&mut self, now: Time) {
        if self.timers.runs(Timer::Poll) {
            self.start(now, Timer::NoResponse);
        } else if !self.timers.runs(Timer::Idle) {
            self.timers.stop(Timer::KeepAlive);
            self.timers.stop(Timer::NoResponse);
            self.start(now, Timer::Idle);
        }
    }

    /// USTAT (sheet 43): a gap is queued again at once.
    pub(super) fn ready_ustat(&mut self, now: Time, n_mr: Sn, n_r: Sn, from: Sn, to: Sn) {
        let transmitter = &mut self.transmitter;
        if n_r.from_base(transmitter.a) >= transmitter.s().from_base(transmitter.a) {
            return self.begin_recovery(now, MaaError::UstatNumbers);
        }
        transmitter.acknowledge_before(n_r);
        transmitter.ms = n_mr;
        match self.queue_gap(from, to) {
            Ok(count) => self.report(MaaError::Retransmission, count),
            Err(NotInBuffer) => self.begin_recovery(now, MaaError::UstatNumbers),
        }
    }

    /// Queues what is in `from..to` again: how many SDs the gap has.
    fn queue_gap(&mut self, from: Sn, to: Sn) -> Result<u32, NotInBuffer> {
        let transmitter = &mut self.transmitter;
        let end = transmitter.s().from_base(transmitter.a);
        let (from, to) = (from.from_base(transmitter.a), to.from_base(transmitter.a));
        if from >= to || to >= end {
            return Err(NotInBuffer);
        }
        for ahead in from..to {
            transmitter.queue_again(transmitter.a.plus(ahead), None)?;
        }
        Ok(to - from)
    }
}
