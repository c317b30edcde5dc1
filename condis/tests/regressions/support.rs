//! The rig as these tests use it.

use std::panic::PanicHookInfo;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Once};
use std::time::Duration;

use condis::adapter::AdapterControl;
use condis::runtime::Ran;
use condis::status_ind::StatusIndication;
use condis::token::Outcome;
use condis::vc::OwnedVc;

use crate::kit::Status;
use crate::rig::{Bench, Cb, ClientPartyEnd, Clock, How, Plan, Rig, Seat, World};

/// A world that runs on virtual time, with the client's AF open.
pub fn world<R: World>() -> Rig<R> {
    quiet();
    Rig::new(Clock::sim(), true)
}

/// Panics that a test plants are not printed.
pub fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let what = info.payload();
            let what =
                what.downcast_ref::<&str>().copied().or(what.downcast_ref::<String>().map(String::as_str));
            let planted = what.is_some_and(|what| what.starts_with("planted"));
            if !planted {
                print(info);
            }
        }));
    });
}

/// The driver panics in this callback.
pub fn panics() -> Plan {
    then(|| panic!("planted"))
}

/// Does this inside the callback, and agrees.
pub fn then(job: impl FnOnce() + Send + 'static) -> Plan {
    Plan { how: How::Ok, then: Box::new(job) }
}

pub fn a_status() -> StatusIndication {
    StatusIndication::new(Status::LINK_STATE, [])
}

/// Set once `operation` has called what it was given.
pub fn done<T: 'static>(operation: impl FnOnce(Box<dyn FnOnce(T) + Send>)) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let set = done.clone();
    operation(Box::new(move |_| set.store(true, SeqCst)));
    done
}

pub fn paused(adapter: &AdapterControl) -> Arc<AtomicBool> {
    done(|then| adapter.pause(then))
}

pub fn removed(adapter: &AdapterControl) -> Arc<AtomicBool> {
    done(|then| adapter.remove(move || then(())))
}

impl<R: World> Rig<R> {
    /// A multipoint call of the client with its first party, and its slot.
    pub fn multipoint(&self) -> usize {
        let slot = self.client_vc();
        let bench = self.bench.clone();
        let activate = then(move || {
            R::up(&bench, slot);
        });
        self.bench.plan(slot, Cb::Make, activate);
        let party = Box::new(ClientPartyEnd(self.bench.clone(), slot));
        match self.client(slot).at().make_call(Default::default(), Some(party)) {
            Outcome::Done(Ok(made)) => {
                let party = made.party.expect("a multipoint call has its first party");
                self.bench.slot(slot, |s| s.client_parties.push(party));
            }
            refused => panic!("{refused:?}"),
        }
        self.bench.take_log();
        slot
    }

    /// Adds a party that nobody refuses.
    pub fn add(&self, slot: usize) {
        let object = Box::new(ClientPartyEnd(self.bench.clone(), slot));
        match self.client(slot).at().add_party(Default::default(), object) {
            Outcome::Done(Ok((party, _))) => self.bench.slot(slot, |s| s.client_parties.push(party)),
            refused => panic!("{refused:?}"),
        }
    }

    /// From its next close on the (M)CM deactivates and agrees.
    pub fn will_close(&self, slot: usize) {
        let bench = self.bench.clone();
        let deactivate = then(move || {
            R::down(&bench, slot);
        });
        self.bench.plan(slot, Cb::Close, deactivate);
    }

    pub fn close(&self, slot: usize) -> Outcome<Result<(), Status>> {
        self.client(slot).at().close_call(Vec::new())
    }

    pub fn delete(&self, slot: usize) -> Result<(), Status> {
        delete(&self.bench, slot)
    }

    pub fn owner(&self, slot: usize) -> OwnedVc<condis::role::Client> {
        self.bench.slot(slot, |s| s.owned_by_client.take()).expect("the client made the VC")
    }

    pub fn indicate(&self, slot: usize, nbls: usize) {
        R::indicate(&self.lower(slot), self.bench.chain(nbls));
    }

    pub fn send(&self, slot: usize, nbls: usize) {
        self.client(slot).at().send(self.bench.chain(nbls));
    }

    /// Lets happen what is due now, and no time pass.
    pub fn settle_now(&self) {
        self.pass(Duration::ZERO);
    }

    pub fn pass(&self, time: Duration) {
        let Clock::Sim(sim) = &self.clock else { unreachable!("these tests run on virtual time") };
        assert_ne!(sim.run_for(time), Ran::Spinning, "the work ends");
    }

    /// How often a side was told, or asked, this about a VC.
    pub fn heard(&self, side: Seat, slot: usize, what: &str) -> usize {
        let line = format!("{slot}: {what}");
        self.bench.lock().logs[side as usize].iter().filter(|other| **other == line).count()
    }

    /// What the client heard of a VC, in order.
    pub fn client_heard(&self, slot: usize) -> Vec<String> {
        let of = format!("{slot}: ");
        let state = self.bench.lock();
        state.logs[Seat::Client as usize]
            .iter()
            .filter_map(|l| l.strip_prefix(&of))
            .map(str::to_owned)
            .collect()
    }

    pub fn was_called(&self, what: &str) -> usize {
        self.bench.lock().log.iter().filter(|line| *line == what).count()
    }

    /// How often a rule was reported since this was asked last.
    pub fn reports_of(&self, rule: &str) -> usize {
        self.reported().iter().filter(|other| **other == rule).count()
    }
}

/// The client deletes its VC.
pub fn delete<R: World>(bench: &Bench<R>, slot: usize) -> Result<(), Status> {
    let owner = bench.slot(slot, |s| s.owned_by_client.take()).expect("the client made the VC");
    owner.delete().map_err(|(status, owner)| {
        bench.slot(slot, |s| s.owned_by_client = Some(owner));
        status
    })
}
