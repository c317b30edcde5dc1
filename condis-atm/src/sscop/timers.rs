//! The five timers.

use std::time::Duration;

use condis::runtime::Time;

use super::Params;

/// A timer of SSCOP (Q.2110 §7.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// Timer_CC: runs in the four outgoing pending states.
    Cc,
    /// Timer_POLL: runs in the active phase.
    Poll,
    /// Timer_KEEP-ALIVE: runs in the transient phase.
    KeepAlive,
    /// Timer_NO-RESPONSE: runs in the active and the transient phase.
    NoResponse,
    /// Timer_IDLE: runs in the idle phase.
    Idle,
}

impl Timer {
    /// All of them.
    pub const ALL: [Timer; 5] = [Timer::Cc, Timer::Poll, Timer::KeepAlive, Timer::NoResponse, Timer::Idle];

    fn duration(self, params: &Params) -> Duration {
        match self {
            Timer::Cc => params.timer_cc,
            Timer::Poll => params.timer_poll,
            Timer::KeepAlive => params.timer_keep_alive,
            Timer::NoResponse => params.timer_no_response,
            Timer::Idle => params.timer_idle,
        }
    }
}

/// Which timers run, and until when.
#[derive(Default, Debug)]
pub(super) struct Timers([Option<Time>; Timer::ALL.len()]);

impl Timers {
    pub(super) fn start(&mut self, timer: Timer, now: Time, params: &Params) {
        self.0[timer as usize] = Some(now.after(timer.duration(params)));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// "Reset data transfer timers" (Q.2110 Figure 20, sheet 51).
    pub(super) fn stop_data_transfer(&mut self) {
        for timer in [Timer::Poll, Timer::KeepAlive, Timer::NoResponse, Timer::Idle] {
            self.stop(timer);
        }
    }

    pub(super) fn runs(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops the timer that was due first and gives it.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Timer> {
        let (_, timer) = Timer::ALL
            .into_iter()
            .filter_map(|timer| Some((self.0[timer as usize]?, timer)))
            .filter(|&(deadline, _)| deadline <= now)
            .min()?;
        self.stop(timer);
        Some(timer)
    }
}
