//! The rules of `docs/reference/condis-datapath.md` that NDIS must obey, one small test each, over a call manager and over
//! an MCM where both know the case. Rules that cannot be broken here stand with their reason in `docs/conformance.md`;
//! DP-159 to DP-164 are tested beside the NBLs.

#[path = "rig/mod.rs"]
mod rig;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use condis::adapter::{AdapterInfo, AdapterState};
use condis::binding::BindingState;
use condis::driver::{Bound, Medium, Protocol};
use condis::nbl::{CancelId, Chain};
use condis::node::Node;
use condis::oid::{About, OidAnswer, OidRequest, code};
use condis::params::{AddressFamily, CallParams};
use condis::role::{CallManager, Client, Mcm};
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{Outcome, Refused};
use condis::vc::{Activation, HeldVc, VcUse};

use rig::{Cb, Clock, How, Plan, Rig, Seat, State, TestCallManager, TestClient, World, new_bench, plain};

/// A test that both worlds must pass.
macro_rules! both {
    ($($(#[doc = $doc:literal])* fn $name:ident<$r:ident>() $body:block)*) => {$(
        $(#[doc = $doc])*
        #[test]
        fn $name() {
            fn over<$r: World>() $body
            over::<CallManager>();
            over::<Mcm>();
        }
    )*};
}

fn rig<R: World>() -> Rig<R> {
    Rig::new(Clock::sim(), true)
}

fn word<T>(outcome: Outcome<Result<T, Refused>>) -> NdisStatus {
    match outcome {
        Outcome::Done(Ok(_)) => NdisStatus::SUCCESS,
        Outcome::Done(Err(refused)) => refused.status,
        Outcome::Pending => NdisStatus::PENDING,
    }
}

impl<R: World> Rig<R> {
    fn plan(&self, slot: usize, cb: Cb, how: How) {
        self.bench.plan(slot, cb, Plan::answer(how));
    }

    /// Where in the log a line first stands.
    fn at(log: &[String], line: &str) -> usize {
        log.iter().position(|other| other == line).unwrap_or_else(|| panic!("no {line:?} in {log:#?}"))
    }

    fn send(&self, slot: usize, nbls: usize) {
        self.client(slot).at().send(self.bench.chain(nbls));
    }

    fn pause(&self) {
        self.adapter.pause(|result| result.expect("it runs"));
        self.clock.settle();
    }

    fn restart(&self) {
        self.adapter.restart(|result| result.expect("it is paused"));
        self.clock.settle();
    }

    /// The status of what a send came back with.
    fn sent(&self, slot: usize) -> String {
        self.bench.take_log();
        self.send(slot, 1);
        let log = self.bench.take_log();
        assert_eq!(log.len(), 1, "{log:?}");
        log[0].clone()
    }

    fn tidy(self, slot: usize) {
        self.close_and_delete(slot);
        let left = self.end();
        assert!(left.is_nothing(), "{left}");
    }
}

fn refusal(slot: usize, status: &str) -> String {
    format!("Client {slot}: sent {status}")
}

mod registration {
    use super::*;

    struct Both(Arc<rig::Bench<CallManager>>);

    impl Protocol for Both {
        fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
            Ok(Bound::both(TestClient(self.0.clone()), TestCallManager(self.0.clone())))
        }
    }

    /// DP-021.
    #[test]
    fn one_driver_may_be_client_and_call_manager() {
        let (bench, clock) = (new_bench::<CallManager>(), Clock::sim());
        let Clock::Sim(sim) = &clock else { unreachable!("made so") };
        let node = Node::new("rig", sim.clone());
        node.register_protocol("both", Both(bench.clone()));
        let adapter = node.add_miniport("adapter", rig::TestMiniport(bench.clone())).expect("initializes");
        clock.settle();
        let rules = Arc::default();
        let rig = Rig { node, clock, bench, adapter, rules };
        let slot = rig.connected();
        rig.send(slot, 1);
        assert_eq!(rig.bench.take_log(), ["Lower 0: send 1", "Client 0: sent SUCCESS"]);
        rig.tidy(slot);
    }

    /// DP-023.
    #[test]
    fn deregistering_a_protocol_unbinds_it_everywhere_first() {
        let rig = rig::<Mcm>();
        rig.bench.lock().pend.push("client: unbind");
        let done = Arc::new(AtomicBool::new(false));
        let told = done.clone();
        rig.node.deregister_protocol("client", move || told.store(true, SeqCst));
        rig.clock.settle();
        assert!(!done.load(SeqCst), "the unbind pends");
        let unbind = rig.bench.lock().pended.unbind.take().expect("asked");
        unbind.complete(());
        rig.clock.settle();
        assert!(done.load(SeqCst));
        assert!(rig.end().is_nothing());
    }
}

mod binding {
    use super::*;

    struct OnlyEthernet(Arc<AtomicU32>);

    impl Protocol for OnlyEthernet {
        fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
            self.0.fetch_add(1, SeqCst);
            Err(NdisStatus::FAILURE)
        }

        fn media(&self) -> Option<&[Medium]> {
            Some(&[Medium::Ethernet])
        }
    }

    /// DP-028: an adapter of another medium is not even shown to it.
    #[test]
    fn a_protocol_is_bound_to_its_media_only() {
        let rig = rig::<Mcm>();
        let bound = Arc::new(AtomicU32::new(0));
        rig.node.register_protocol("ethernet", OnlyEthernet(bound.clone()));
        rig.clock.settle();
        assert_eq!(bound.load(SeqCst), 0);
        assert!(rig.end().is_nothing());
    }

    both! {
        /// DP-030.
        fn a_fresh_binding_is_paused<R>() {
            let rig = Rig::<R>::with(Clock::sim(), true, |state| state.pend.push("restart"));
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            assert_eq!(binding.at().state(), BindingState::Paused);
            let slot = rig.connected();
            assert_eq!(rig.sent(slot), refusal(slot, "PAUSED"));
            let restart = rig.bench.lock().pended.restart.take().expect("asked");
            restart.complete(Ok(()));
            rig.clock.settle();
            rig.bench.take_log();
            rig.send(slot, 1);
            assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: send 1"), refusal(slot, "SUCCESS")]);
            drop(binding);
            rig.tidy(slot);
        }

        /// DP-041, DP-073, DP-069: paused, then unbound, then halted.
        fn an_adapter_is_halted_last_and_paused<R>() {
            let rig = rig::<R>();
            let bench = rig.bench.clone();
            assert!(rig.end().is_nothing());
            let log = bench.take_log();
            let order = ["client: pause", "pause", "client: unbind", "halt DeviceDisabled"];
            let at: Vec<_> = order.iter().map(|line| Rig::<R>::at(&log, line)).collect();
            assert!(at.is_sorted(), "{log:?}");
            assert_eq!(log.last().map(String::as_str), Some("halt DeviceDisabled"));
        }

        /// DP-049, DP-070: after the close and the halt no callback comes.
        fn nobody_is_called_after_the_halt<R>() {
            let rig = rig::<R>();
            let (adapter, client) = {
                let state = rig.bench.lock();
                (state.adapter.clone().expect("initialized"), state.client_binding.clone().expect("bound"))
            };
            rig.node.shutdown(|| ());
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Halted);
            rig.bench.take_log();
            adapter.at().indicate_status(StatusIndication::new(NdisStatus::LINK_STATE, []));
            client.at().cancel_sends(CancelId(NonZeroU64::MIN));
            client.at().cancel_oid_request(1);
            let asked = client.at().oid_request::<Client>(None, OidRequest::query(code::GEN_CO_LINK_SPEED, 8));
            assert!(matches!(asked, Outcome::Done(OidAnswer { status: NdisStatus::CLOSING, .. })), "{asked:?}");
            assert_eq!(rig.bench.take_log(), [""; 0]);
            drop((adapter, client));
            assert!(rig.end().is_nothing());
        }

        /// DP-050: the close is reported, and pends until the AF is closed and the NBLs are back.
        fn a_binding_is_not_closed_over_open_afs<R>() {
            let rig = Rig::<R>::with(Clock::sim(), true, |state| state.careless = true);
            rig.reported();
            rig.node.shutdown(|| ());
            rig.clock.settle();
            assert_eq!(rig.reported(), ["DP-050"]);
            assert_ne!(rig.adapter.state(), AdapterState::Halted);
            rig::close_af(&*rig.bench);
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Halted);
            assert!(rig.end().is_nothing());
        }

        /// DP-051.
        fn an_unbind_that_is_asked_for_comes_later<R>() {
            let rig = rig::<R>();
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            binding.at().request_unbind();
            assert_eq!(rig.bench.take_log(), [""; 0], "not inside the call");
            rig.clock.settle();
            Rig::<R>::at(&rig.bench.take_log(), "client: unbind");
            assert_eq!(binding.at().state(), BindingState::Unbound);
            drop(binding);
            assert!(rig.end().is_nothing());
        }

        /// DP-053.
        fn an_adapter_that_is_not_connection_oriented_is_not_offered<R>() {
            let (bench, clock) = (new_bench::<R>(), Clock::sim());
            bench.lock().connection_oriented = false;
            let Clock::Sim(sim) = &clock else { unreachable!("made so") };
            let node = Node::new("rig", sim.clone());
            let started = R::start(&node, &bench);
            node.register_protocol("client", TestClient(bench.clone()));
            clock.settle();
            // DP-034: an MCM cannot register an AF on it, so its initialize fails.
            assert_eq!(started.is_err(), R::MCM);
            assert!(!bench.take_log().iter().any(|line| line.contains("bind")));
        }

        /// DP-034.
        fn a_family_is_registered_once_an_adapter<R>() {
            let rig = rig::<R>();
            assert_eq!(R::register_again(&rig.bench), Err(NdisStatus::FAILURE));
            assert!(rig.end().is_nothing());
        }

        /// DP-035, DP-056: nobody hears of an adapter that did not initialize.
        fn a_failed_initialize_leaves_nothing<R>() {
            let (bench, clock) = (new_bench::<R>(), Clock::sim());
            bench.lock().refuse.push(("initialized", NdisStatus::HARD_ERRORS));
            let Clock::Sim(sim) = &clock else { unreachable!("made so") };
            let node = Node::new("rig", sim.clone());
            node.register_protocol("client", TestClient(bench.clone()));
            assert_eq!(R::start(&node, &bench).err(), Some(NdisStatus::HARD_ERRORS));
            clock.settle();
            assert_eq!(bench.take_log(), ["initialize", "initialized"]);
            assert!(node.adapters().is_empty());
        }

        /// DP-036, DP-035, DP-055: one notification, whoever came first, and none before the initialize is over.
        fn a_client_hears_of_a_family_once<R>() {
            let first = |client_first: bool| {
                let (bench, clock) = (new_bench::<R>(), Clock::sim());
                let Clock::Sim(sim) = &clock else { unreachable!("made so") };
                let node = Node::new("rig", sim.clone());
                if client_first {
                    node.register_protocol("client", TestClient(bench.clone()));
                }
                let _adapter = R::start(&node, &bench).expect("initializes");
                clock.settle();
                if !client_first {
                    node.register_protocol("client", TestClient(bench.clone()));
                }
                clock.settle();
                let log = bench.take_log();
                let notified = |line: &&String| line.starts_with("client: notified");
                assert_eq!(log.iter().filter(notified).count(), 1, "{log:?}");
                let heard = log.iter().position(|line| notified(&line)).expect("counted");
                assert!(Rig::<R>::at(&log, "initialized") < heard);
                node.shutdown(|| ());
                clock.settle();
            };
            first(true);
            first(false);
        }

        /// DP-037.
        fn a_new_initialize_notifies_again<R>() {
            let rig = rig::<R>();
            rig.adapter.remove(|| ());
            rig.clock.settle();
            rig.bench.take_log();
            let _adapter = R::add_adapter(&rig.node, &rig.bench).expect("initializes");
            rig.clock.settle();
            let log = rig.bench.take_log();
            assert_eq!(log.iter().filter(|line| line.starts_with("client: notified")).count(), 1, "{log:?}");
            assert!(rig.end().is_nothing());
        }
    }

    /// DP-039: the notification of a late registration runs on the node's lane, not inside the call.
    #[test]
    fn a_late_family_is_told_of_at_passive() {
        let rig = rig::<CallManager>();
        let binding = rig.bench.lock().manager_binding.clone().expect("bound");
        binding.at().register_address_family(AddressFamily::PPP).expect("a new family");
        assert_eq!(rig.bench.take_log(), [""; 0]);
        rig.clock.settle();
        assert!(rig.bench.take_log()[0].starts_with("client: notified of PPP"));
        drop(binding);
        rig.node.shutdown(|| ());
        rig.clock.settle();
    }

    /// DP-044: a paused binding does not send, the call manager's signaling neither.
    #[test]
    fn signaling_is_refused_on_a_paused_binding() {
        let rig = rig::<CallManager>();
        let slot = rig.bench.new_slot();
        let vc = CallManager::create_signaling(&rig.bench, slot).expect("there").expect("nobody refuses");
        assert_eq!(word(vc.at().activate(CallParams::default())), NdisStatus::SUCCESS);
        rig.pause();
        rig.bench.take_log();
        vc.at().send(rig.bench.chain(1));
        assert_eq!(rig.bench.take_log(), [refusal(slot, "PAUSED")]);
        rig.restart();
        rig.bench.take_log();
        vc.at().send(rig.bench.chain(1));
        assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: send 1"), refusal(slot, "SUCCESS")]);
        assert_eq!(plain(&vc.at().deactivate()), NdisStatus::SUCCESS);
        vc.delete().expect("inactive");
        assert!(rig.end().is_nothing());
    }
}

mod life {
    use super::*;

    both! {
        /// DP-056: Paused after the initialize, and Running only after the restart.
        fn an_initialized_adapter_is_paused<R>() {
            let rig = Rig::<R>::with(Clock::sim(), true, |state: &mut State<R>| state.pend.push("restart"));
            assert_eq!(rig.adapter.state(), AdapterState::Restarting);
            let log = rig.bench.take_log();
            assert!(Rig::<R>::at(&log, "initialized") < Rig::<R>::at(&log, "restart"));
            let restart = rig.bench.lock().pended.restart.take().expect("asked");
            restart.complete(Ok(()));
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Running);
            assert!(rig.end().is_nothing());
        }

        /// DP-057.
        fn only_a_paused_adapter_is_restarted<R>() {
            let rig = rig::<R>();
            rig.adapter.restart(|result| assert_eq!(result, Err(NdisStatus::NOT_ACCEPTED)));
            rig.clock.settle();
            assert_eq!(rig.bench.take_log(), [""; 0]);
            assert!(rig.end().is_nothing());
        }

        /// DP-059.
        fn a_failed_restart_leaves_it_paused<R>() {
            let rig = rig::<R>();
            rig.pause();
            rig.bench.lock().refuse.push(("restart", NdisStatus::HARD_ERRORS));
            rig.adapter.restart(|result| assert_eq!(result, Err(NdisStatus::HARD_ERRORS)));
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Paused);
            rig.restart();
            assert!(rig.end().is_nothing());
        }

        /// DP-065: what is asked for while a pause is under way waits for it.
        fn operations_do_not_overlap<R>() {
            let rig = rig::<R>();
            rig.bench.lock().pend.push("pause");
            rig.adapter.pause(|result| result.expect("it runs"));
            rig.clock.settle();
            rig.bench.take_log();
            rig.adapter.restart(|result| result.expect("it is paused by then"));
            rig.adapter.remove(|| ());
            rig.clock.settle();
            assert_eq!(rig.bench.take_log(), [""; 0]);
            assert_eq!(rig.adapter.state(), AdapterState::Pausing);
            let pause = rig.bench.lock().pended.pause.take().expect("asked");
            pause.complete(());
            rig.clock.settle();
            let log = rig.bench.take_log();
            assert!(Rig::<R>::at(&log, "restart") < Rig::<R>::at(&log, "halt DeviceDisabled"));
            assert!(rig.end().is_nothing());
        }

        /// DP-066, DP-067.
        fn a_pause_stops_data_and_nothing_else<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.pause();
            let info = rig.client(slot).at().info();
            assert_eq!((info.activation, info.call.name()), (Activation::Active, "connected"));
            assert_eq!(rig.sent(slot), refusal(slot, "PAUSED"));
            rig.restart();
            rig.bench.take_log();
            rig.send(slot, 1);
            assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: send 1"), refusal(slot, "SUCCESS")]);
            rig.tidy(slot);
        }

        /// DP-068.
        fn a_stack_is_paused_from_the_top_and_restarted_from_the_bottom<R>() {
            let rig = rig::<R>();
            rig.pause();
            let log = rig.bench.take_log();
            assert!(Rig::<R>::at(&log, "client: pause") < Rig::<R>::at(&log, "pause"), "{log:?}");
            rig.restart();
            let log = rig.bench.take_log();
            assert!(Rig::<R>::at(&log, "restart") < Rig::<R>::at(&log, "client: restart"), "{log:?}");
            assert!(rig.end().is_nothing());
        }

        /// DP-069: a pause waits for every send and every receive.
        fn a_pause_waits_for_the_nbls<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.plan(slot, Cb::Send, How::Pend);
            rig.send(slot, 1);
            rig.plan(slot, Cb::Receive, How::Pend);
            R::indicate(&rig.lower(slot), rig.bench.chain(1));
            rig.adapter.pause(|result| result.expect("it runs"));
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Pausing);
            let sends = rig.bench.slot(slot, |s| s.sends.remove(0));
            sends.complete(NdisStatus::SUCCESS);
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Pausing);
            let kept = rig.bench.slot(slot, |s| s.kept.remove(0));
            kept.give_back();
            rig.clock.settle();
            assert_eq!(rig.adapter.state(), AdapterState::Paused);
            rig.tidy(slot);
        }

        /// DP-076.
        fn shutdown_is_the_last_callback<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.plan(slot, Cb::Receive, How::Pend);
            R::indicate(&rig.lower(slot), rig.bench.chain(1));
            rig.adapter.shut_down();
            rig.clock.settle();
            let log = rig.bench.take_log();
            let shutdown = Rig::<R>::at(&log, "shutdown");
            assert!(!log[shutdown..].iter().any(|line| line.starts_with("Lower")), "{log:?}");
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            binding.at().cancel_sends(CancelId(NonZeroU64::MIN));
            let asked = binding.at().oid_request::<Client>(None, OidRequest::query(code::GEN_CO_LINK_SPEED, 8));
            assert!(matches!(asked, Outcome::Done(_)), "{asked:?}");
            rig.send(slot, 1);
            let kept = rig.bench.slot(slot, |s| s.kept.remove(0));
            kept.give_back();
            let _ = R::down(&rig.bench, slot);
            let log = rig.bench.take_log();
            assert!(!log.iter().any(|line| line.starts_with("Lower") || line.starts_with("oid")), "{log:?}");
        }

        /// DP-078.
        fn a_reset_is_told_around_it<R>() {
            let rig = rig::<R>();
            rig.bench.lock().pend.push("reset");
            rig.adapter.reset(|result| result.expect("it resets"));
            rig.clock.settle();
            let log = rig.bench.take_log();
            assert!(Rig::<R>::at(&log, "client: status RESET_START") < Rig::<R>::at(&log, "reset"), "{log:?}");
            assert!(!log.contains(&"client: status RESET_END".to_owned()));
            let reset = rig.bench.lock().pended.reset.take().expect("asked");
            reset.complete(Ok(false));
            rig.clock.settle();
            assert_eq!(rig.bench.take_log().last().map(String::as_str), Some("client: status RESET_END"));
            assert!(rig.end().is_nothing());
        }

        /// DP-080, DP-082: during a reset sends and requests are refused, and after it all is as it was.
        fn a_reset_refuses_data_and_keeps_handles<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.bench.lock().pend.push("reset");
            rig.adapter.reset(|result| result.expect("it resets"));
            rig.clock.settle();
            assert_eq!(rig.sent(slot), refusal(slot, "RESET_IN_PROGRESS"));
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            let asked = binding.at().oid_request::<Client>(None, OidRequest::query(code::GEN_CO_LINK_SPEED, 8));
            let in_progress = NdisStatus::RESET_IN_PROGRESS;
            assert!(matches!(asked, Outcome::Done(answer) if answer.status == in_progress));
            assert_eq!(rig.bench.take_log(), [""; 0]);
            let reset = rig.bench.lock().pended.reset.take().expect("asked");
            reset.complete(Ok(false));
            rig.clock.settle();
            rig.bench.take_log();
            rig.send(slot, 1);
            assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: send 1"), refusal(slot, "SUCCESS")]);
            drop(binding);
            rig.tidy(slot);
        }

        /// DP-083.
        fn a_reset_that_lost_its_settings_gets_them_again<R>() {
            let rig = rig::<R>();
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            let set = OidRequest::set(code::GEN_CURRENT_PACKET_FILTER, vec![1, 0, 0, 0]);
            let _ = binding.at().oid_request::<Client>(None, set);
            for replay in [false, true] {
                rig.bench.lock().replay = replay;
                rig.bench.take_log();
                rig.adapter.reset(|result| result.expect("it resets"));
                rig.clock.settle();
                let log = rig.bench.take_log();
                let again = log.contains(&"oid 0x1010e of the adapter".to_owned());
                assert_eq!(again, replay, "{log:?}");
            }
            drop(binding);
            assert!(rig.end().is_nothing());
        }
    }
}

mod vcs {
    use super::*;

    both! {
        /// DP-086, DP-090, DP-091: whoever agreed before a refusal is told to delete, and the status is that of the refusal.
        fn a_creation_is_all_or_nothing<R>() {
            let rig = rig::<R>();
            rig.bench.lock().refuse_create.insert(Seat::Manager, NdisStatus::VC_NOT_AVAILABLE);
            let slot = rig.bench.new_slot();
            assert_eq!(rig.create_by_client(slot), Err(NdisStatus::VC_NOT_AVAILABLE));
            let log = rig.bench.take_log();
            if R::MCM {
                assert_eq!(log, ["Manager 0: create"]);
            } else {
                assert_eq!(log, ["Lower 0: create", "Manager 0: create", "Lower 0: delete"]);
            }
            rig.bench.lock().refuse_create.insert(Seat::Client, NdisStatus::RESOURCES);
            let slot = rig.bench.new_slot();
            assert_eq!(rig.create_by_manager(slot), Err(NdisStatus::RESOURCES));
            let log = rig.bench.take_log();
            if R::MCM {
                assert_eq!(log, ["Client 1: create"]);
            } else {
                assert_eq!(log, ["Lower 1: create", "Client 1: create", "Lower 1: delete"]);
            }
            assert!(rig.node.vcs().is_empty());
            assert!(rig.end().is_nothing());
        }

        /// DP-089.
        fn a_closed_af_makes_no_vc<R>() {
            let rig = rig::<R>();
            let af = rig.bench.lock().client_af.clone();
            rig::close_af(&*rig.bench);
            rig.clock.settle();
            rig.bench.lock().client_af = af;
            rig.bench.take_log();
            let slot = rig.bench.new_slot();
            assert_eq!(rig.create_by_client(slot), Err(NdisStatus::FAILURE));
            assert_eq!(rig.create_by_manager(slot), Err(NdisStatus::FAILURE));
            assert_eq!(rig.bench.take_log(), [""; 0]);
            assert!(rig.end().is_nothing());
        }

        /// DP-104, DP-135: not active, closing, and never a way to the miniport.
        fn sends_are_refused_by_state<R>() {
            let rig = rig::<R>();
            let slot = rig.client_vc();
            assert_eq!(rig.sent(slot), refusal(slot, "VC_NOT_ACTIVATED"));
            let bench = rig.bench.clone();
            let up = Box::new(move || {
                R::up(&bench, slot);
            });
            rig.bench.plan(slot, Cb::Make, Plan { how: How::Ok, then: up });
            assert_eq!(word(rig.client(slot).at().make_call(CallParams::default(), None)), NdisStatus::SUCCESS);
            rig.plan(slot, Cb::Close, How::Pend);
            assert_eq!(plain(&rig.client(slot).at().close_call(Vec::new())), NdisStatus::PENDING);
            assert_eq!(rig.sent(slot), refusal(slot, "CLOSING"));
            assert_eq!(R::down(&rig.bench, slot), NdisStatus::SUCCESS);
            let close = rig.bench.slot(slot, |s| s.close.take()).expect("pended");
            close.complete(Ok(()));
            let vc = rig.bench.slot(slot, |s| s.owned_by_client.take()).expect("made");
            vc.delete().expect("the close is complete");
            assert_eq!(rig.sent(slot), refusal(slot, "FAILURE"));
            assert!(rig.end().is_nothing());
        }

        /// DP-106, DP-107, DP-123: one deactivation undoes all activations, and the VC is used again.
        fn a_vc_is_used_again<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            assert_eq!(R::up(&rig.bench, slot), NdisStatus::SUCCESS);
            assert_eq!(R::up(&rig.bench, slot), NdisStatus::SUCCESS);
            let bench = rig.bench.clone();
            let down = Box::new(move || {
                R::down(&bench, slot);
            });
            rig.bench.plan(slot, Cb::Close, Plan { how: How::Ok, then: down });
            assert_eq!(plain(&rig.client(slot).at().close_call(Vec::new())), NdisStatus::SUCCESS);
            assert_eq!(rig.client(slot).at().activation(), Activation::Inactive);
            let bench = rig.bench.clone();
            let up = Box::new(move || {
                R::up(&bench, slot);
            });
            rig.bench.plan(slot, Cb::Make, Plan { how: How::Ok, then: up });
            assert_eq!(word(rig.client(slot).at().make_call(CallParams::default(), None)), NdisStatus::SUCCESS);
            rig.tidy(slot);
        }

        /// DP-112, DP-115, DP-114, DP-117.
        fn a_delete_asks_the_peer_first<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            let vc = rig.bench.slot(slot, |s| s.owned_by_client.take()).expect("made");
            let (status, vc) = vc.delete().expect_err("it is active");
            assert_eq!(status, NdisStatus::NOT_ACCEPTED);
            assert_eq!(rig.bench.take_log(), [""; 0]);
            rig.bench.slot(slot, |s| s.owned_by_client = Some(vc));
            let bench = rig.bench.clone();
            let down = Box::new(move || {
                R::down(&bench, slot);
            });
            rig.bench.plan(slot, Cb::Close, Plan { how: How::Ok, then: down });
            let _ = rig.client(slot).at().close_call(Vec::new());
            rig.bench.take_log();
            rig.plan(slot, Cb::Delete, How::Err);
            let vc = rig.bench.slot(slot, |s| s.owned_by_client.take()).expect("made");
            let (status, vc) = vc.delete().expect_err("the peer refuses");
            assert_eq!((status, rig.bench.take_log()), (rig::REFUSAL, vec![format!("Manager {slot}: delete")]));
            vc.delete().expect("the peer agrees now");
            let log = rig.bench.take_log();
            let expected: &[&str] = if R::MCM { &["Manager 0: delete"] } else { &["Manager 0: delete", "Lower 0: delete"] };
            assert_eq!(log, expected);
            let slot = rig.manager_vc();
            rig.bench.take_log();
            let vc = rig.bench.slot(slot, |s| s.owned_by_manager.take()).expect("made");
            vc.delete().expect("fresh");
            let log = rig.bench.take_log();
            let expected: &[&str] = if R::MCM { &["Client 1: delete"] } else { &["Client 1: delete", "Lower 1: delete"] };
            assert_eq!(log, expected);
            assert!(rig.end().is_nothing());
        }

        /// DP-116.
        fn a_deleted_vc_is_refused_everywhere<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.close_and_delete(slot);
            rig.bench.take_log();
            let client = rig.client(slot);
            assert_eq!(word(client.at().make_call(CallParams::default(), None)), NdisStatus::FAILURE);
            assert_eq!(plain(&client.at().close_call(Vec::new())), NdisStatus::FAILURE);
            assert_eq!(word(client.at().modify_call_qos(CallParams::default())), NdisStatus::FAILURE);
            assert_eq!(R::up(&rig.bench, slot), NdisStatus::FAILURE);
            assert_eq!(R::down(&rig.bench, slot), NdisStatus::FAILURE);
            assert_eq!(client.at().assign_instance_name("x"), Err(NdisStatus::FAILURE));
            assert_eq!(rig.bench.take_log(), [""; 0]);
            drop(client);
            assert!(rig.end().is_nothing());
        }

        /// DP-122, DP-110: what is still out holds the close up, and can be given back meanwhile.
        fn receives_are_returned_while_the_close_pends<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.plan(slot, Cb::Receive, How::Pend);
            R::indicate(&rig.lower(slot), rig.bench.chain(2));
            let bench = rig.bench.clone();
            let down = Box::new(move || {
                R::down(&bench, slot);
            });
            rig.bench.plan(slot, Cb::Close, Plan { how: How::Ok, then: down });
            assert_eq!(plain(&rig.client(slot).at().close_call(Vec::new())), NdisStatus::PENDING);
            let vc = rig.bench.slot(slot, |s| s.owned_by_client.take()).expect("made");
            let (_, vc) = vc.delete().expect_err("receives are out");
            rig.bench.take_log();
            let kept = rig.bench.slot(slot, |s| s.kept.remove(0));
            kept.give_back();
            let log = rig.bench.take_log();
            assert_eq!(log[0], format!("Lower {slot}: returned 2"));
            assert_eq!(log.last(), Some(&format!("Client {slot}: close complete SUCCESS")));
            vc.delete().expect("drained");
            assert!(rig.end().is_nothing());
        }

        /// DP-216: no wrong call of a driver changes a VC that it does not name.
        fn wrong_calls_stay_where_they_are<R>() {
            let rig = rig::<R>();
            let good = rig.connected();
            let wrong = rig.connected();
            let before = rig.client(good).at().info().to_string();
            let manager = rig.manager(wrong);
            for _ in 0..2 {
                manager.at().dispatch_call_connected();
                manager.at().dispatch_incoming_close_call(NdisStatus::SUCCESS, Vec::new());
                let _ = R::down(&rig.bench, wrong);
                let _ = rig.client(wrong).at().make_call(CallParams::default(), None);
            }
            assert_eq!(rig.client(good).at().info().to_string(), before);
            drop(manager);
            rig.close_and_delete(good);
            rig.tidy(wrong);
        }
    }

    /// DP-092, DP-119: only the miniport is called for a signaling VC, and NDIS lists and counts it.
    #[test]
    fn signaling_vcs_of_a_call_manager_are_objects_of_ndis() {
        let rig = rig::<CallManager>();
        let slot = rig.bench.new_slot();
        let vc = CallManager::create_signaling(&rig.bench, slot).expect("there").expect("nobody refuses");
        assert_eq!(rig.bench.take_log(), ["Lower 0: create"]);
        assert_eq!(rig.node.vcs()[0].use_, VcUse::Signaling);
        assert_eq!(word(vc.at().activate(CallParams::default())), NdisStatus::SUCCESS);
        vc.at().send(rig.bench.chain(3));
        assert_eq!(vc.at().statistics().sent_pdus, 3);
        assert_eq!(rig.adapter.info().statistics.sent_pdus, 3);
        assert_eq!(plain(&vc.at().deactivate()), NdisStatus::SUCCESS);
        vc.delete().expect("inactive");
        assert!(rig.end().is_nothing());
    }

    fn with_miniport(test: impl FnOnce(&Rig<CallManager>, usize)) {
        let rig = rig::<CallManager>();
        let slot = rig.manager_vc();
        rig.bench.take_log();
        test(&rig, slot);
        let vc = rig.bench.slot(slot, |s| s.owned_by_manager.take());
        if let Some(vc) = vc {
            if rig.manager(slot).at().activation() == Activation::Active {
                let _ = CallManager::down(&rig.bench, slot);
            }
            vc.delete().expect("inactive");
        }
        assert!(rig.end().is_nothing());
    }

    /// DP-094, DP-095: each activation reaches the miniport, and what it returns is the answer, without a completion.
    #[test]
    fn an_activation_is_the_miniports() {
        with_miniport(|rig, slot| {
            rig.plan(slot, Cb::Activate, How::Err);
            assert_eq!(CallManager::up(&rig.bench, slot), rig::REFUSAL);
            assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::SUCCESS);
            assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::SUCCESS);
            assert_eq!(rig.bench.take_log(), ["Lower 0: activate"; 3]);
        });
    }

    /// DP-096, DP-100.
    #[test]
    fn a_pended_activation_is_completed_once_and_alone() {
        with_miniport(|rig, slot| {
            rig.plan(slot, Cb::Activate, How::Pend);
            assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::PENDING);
            rig.bench.take_log();
            assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::NOT_ACCEPTED);
            assert_eq!(rig.bench.take_log(), [""; 0]);
            let (activate, params) = rig.bench.slot(slot, |s| s.activate.take()).expect("pended");
            activate.complete(Ok(params));
            assert_eq!(rig.bench.take_log(), ["Manager 0: activate complete SUCCESS"]);
            rig.plan(slot, Cb::Deactivate, How::Pend);
            assert_eq!(CallManager::down(&rig.bench, slot), NdisStatus::PENDING);
            rig.bench.take_log();
            assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::CLOSING);
            assert_eq!(CallManager::down(&rig.bench, slot), NdisStatus::CLOSING);
            assert_eq!(rig.bench.take_log(), [""; 0]);
            // DP-111: whatever the miniport says, the VC is inactive then.
            let deactivate = rig.bench.slot(slot, |s| s.deactivate.take()).expect("pended");
            deactivate.complete(Err(NdisStatus::HARD_ERRORS));
            assert_eq!(rig.bench.take_log(), ["Manager 0: deactivate complete HARD_ERRORS"]);
            assert_eq!(rig.manager(slot).at().activation(), Activation::Inactive);
        });
    }

    /// DP-112: while a deactivation pends, the delete is CLOSING.
    #[test]
    fn a_deactivating_vc_is_not_deleted() {
        with_miniport(|rig, slot| {
            assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::SUCCESS);
            rig.plan(slot, Cb::Deactivate, How::Pend);
            assert_eq!(CallManager::down(&rig.bench, slot), NdisStatus::PENDING);
            rig.bench.take_log();
            let vc = rig.bench.slot(slot, |s| s.owned_by_manager.take()).expect("made");
            let (status, vc) = vc.delete().expect_err("it deactivates");
            assert_eq!((status, rig.bench.take_log()), (NdisStatus::CLOSING, Vec::new()));
            let deactivate = rig.bench.slot(slot, |s| s.deactivate.take()).expect("pended");
            deactivate.complete(Ok(()));
            rig.bench.slot(slot, |s| s.owned_by_manager = Some(vc));
        });
    }

    /// DP-101: a re-activation that pends stops no traffic.
    #[test]
    fn data_flows_while_a_reactivation_pends() {
        let rig = rig::<CallManager>();
        let slot = rig.connected();
        rig.plan(slot, Cb::Activate, How::Pend);
        assert_eq!(CallManager::up(&rig.bench, slot), NdisStatus::PENDING);
        rig.bench.take_log();
        rig.send(slot, 1);
        CallManager::indicate(&rig.lower(slot), rig.bench.chain(1));
        let expected =
            ["Lower 0: send 1", "Client 0: sent SUCCESS", "Client 0: receive 1", "Lower 0: returned 1"];
        assert_eq!(rig.bench.take_log(), expected);
        let (activate, params) = rig.bench.slot(slot, |s| s.activate.take()).expect("pended");
        activate.complete(Err(Refused::with(rig::REFUSAL, params)));
        assert_eq!(rig.client(slot).at().activation(), Activation::Active);
        rig.tidy(slot);
    }

    /// DP-110: a miniport that ends a deactivation with sends out is reported, and the VC stays until they are back.
    #[test]
    fn an_early_end_of_a_deactivation_is_reported() {
        let rig = rig::<CallManager>();
        let slot = rig.connected();
        rig.plan(slot, Cb::Send, How::Pend);
        rig.send(slot, 1);
        rig.manager(slot).at().dispatch_incoming_close_call(NdisStatus::SUCCESS, Vec::new());
        rig.reported();
        assert_eq!(CallManager::down(&rig.bench, slot), NdisStatus::PENDING);
        assert_eq!(rig.client(slot).at().activation(), Activation::Deactivating);
        let sends = rig.bench.slot(slot, |s| s.sends.remove(0));
        sends.complete(NdisStatus::SUCCESS);
        assert_eq!(rig.reported(), ["DP-110"], "reported when it comes after the end that was told");
        assert_eq!(rig.client(slot).at().activation(), Activation::Inactive);
        rig.tidy(slot);
    }

    /// DP-102, DP-108, DP-011, DP-012, DP-017: an MCM's activations call nobody.
    #[test]
    fn activations_of_an_mcm_are_its_own() {
        let rig = rig::<Mcm>();
        let slot = rig.manager_vc();
        rig.bench.take_log();
        assert_eq!(Mcm::down(&rig.bench, slot), NdisStatus::NOT_ACCEPTED);
        assert_eq!(Mcm::up(&rig.bench, slot), NdisStatus::SUCCESS);
        assert_eq!(rig.manager(slot).at().activation(), Activation::Active);
        assert_eq!(Mcm::down(&rig.bench, slot), NdisStatus::SUCCESS);
        assert_eq!(rig.manager(slot).at().activation(), Activation::Inactive);
        rig.clock.settle();
        assert_eq!(rig.bench.take_log(), [""; 0]);
        let vc = rig.bench.slot(slot, |s| s.owned_by_manager.take()).expect("made");
        vc.delete().expect("inactive");
        assert!(rig.end().is_nothing());
    }
}

mod data {
    use super::*;

    both! {
        /// DP-124, DP-133: accepted or refused, every NBL comes back to its sender, once.
        fn every_nbl_comes_back<R>() {
            let rig = rig::<R>();
            rig.bench.lock().keep_completed = true;
            let (one, two) = (rig.connected(), rig.connected());
            rig.plan(one, Cb::Send, How::Pend);
            rig.plan(two, Cb::Send, How::Pend);
            rig.send(one, 2);
            rig.send(two, 3);
            rig.send(one, 1);
            let (first, second) =
                (rig.bench.slot(one, |s| s.sends.remove(0)), rig.bench.slot(two, |s| s.sends.remove(0)));
            rig.bench.take_log();
            second.complete(NdisStatus::SUCCESS);
            first.complete(rig::REFUSAL);
            let expected = ["Client 1: sent SUCCESS SUCCESS SUCCESS", "Client 0: sent RESOURCES RESOURCES"];
            assert_eq!(rig.bench.take_log(), expected);
            let completed: usize = rig.bench.lock().completed.drain(..).map(|chain| chain.len()).sum();
            assert_eq!(completed, 6);
            rig.bench.lock().keep_completed = false;
            rig.close_and_delete(one);
            rig.tidy(two);
        }

        /// DP-124: a batch that a driver drops comes back as failed.
        fn a_dropped_batch_comes_back_too<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.plan(slot, Cb::Send, How::Pend);
            rig.send(slot, 2);
            rig.bench.take_log();
            let sends = rig.bench.slot(slot, |s| s.sends.remove(0));
            drop(sends);
            assert_eq!(rig.bench.take_log(), [""; 0], "no driver is called from a drop");
            rig.clock.settle();
            assert_eq!(rig.bench.take_log(), [refusal(slot, "FAILURE FAILURE")]);
            rig.tidy(slot);
        }

        /// DP-125, DP-127, DP-093: in the order of the calls and of the chain, each marked with its VC.
        fn sends_arrive_in_order<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.plan(slot, Cb::Send, How::Pend);
            rig.plan(slot, Cb::Send, How::Pend);
            let chain = |octets: &[u8]| -> Chain {
                octets.iter().map(|octet| rig.bench.pool.alloc_copy(&[*octet]).expect("room")).collect()
            };
            rig.client(slot).at().send(chain(&[1, 2]));
            rig.client(slot).at().send(chain(&[3]));
            let id = rig.client(slot).id();
            let batches = rig.bench.slot(slot, |s| std::mem::take(&mut s.sends));
            let seen: Vec<_> = batches
                .iter()
                .flat_map(|batch| batch.iter())
                .map(|nbl| (nbl.first().contiguous().expect("one octet")[0], nbl.source()))
                .collect();
            assert_eq!(seen, [(1, id.0), (2, id.0), (3, id.0)]);
            batches.into_iter().for_each(|batch| batch.complete(NdisStatus::SUCCESS));
            rig.tidy(slot);
        }

        /// DP-137, and the lower half of a cancel: once for the adapter, whatever VCs are concerned.
        fn a_cancel_reaches_the_adapter_once<R>() {
            let rig = rig::<R>();
            let (one, two) = (rig.connected(), rig.connected());
            let id = CancelId(NonZeroU64::new(7).expect("not zero"));
            for slot in [one, two] {
                rig.plan(slot, Cb::Send, How::Pend);
                let mut chain = rig.bench.chain(2);
                chain.iter_mut().next().expect("two").set_cancel_id(Some(id));
                rig.client(slot).at().send(chain);
            }
            rig.bench.take_log();
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            binding.at().cancel_sends(id);
            let expected = ["cancel 7", "Client 0: sent SEND_ABORTED", "Client 1: sent SEND_ABORTED"];
            assert_eq!(rig.bench.take_log(), expected);
            for slot in [one, two] {
                rig.bench.slot(slot, |s| s.sends.remove(0)).complete(NdisStatus::SUCCESS);
            }
            drop(binding);
            rig.close_and_delete(one);
            rig.tidy(two);
        }

        /// DP-140: inside the send, and later on another thread.
        fn a_completion_comes_whenever_it_comes<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.send(slot, 1);
            assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: send 1"), refusal(slot, "SUCCESS")]);
            rig.plan(slot, Cb::Send, How::Pend);
            rig.send(slot, 1);
            let sends = rig.bench.slot(slot, |s| s.sends.remove(0));
            std::thread::scope(|scope| drop(scope.spawn(|| sends.complete(NdisStatus::SUCCESS))));
            assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: send 1"), refusal(slot, "SUCCESS")]);
            rig.tidy(slot);
        }

        /// DP-146, DP-147: to the client of the VC, in the order made.
        fn receives_arrive_in_order<R>() {
            let rig = rig::<R>();
            let (one, two) = (rig.connected(), rig.connected());
            R::indicate(&rig.lower(one), rig.bench.chain(1));
            R::indicate(&rig.lower(two), rig.bench.chain(2));
            R::indicate(&rig.lower(one), rig.bench.chain(3));
            let log = rig.bench.take_log();
            let heard: Vec<_> = log.iter().filter(|line| line.contains("receive")).collect();
            assert_eq!(heard, ["Client 0: receive 1", "Client 1: receive 2", "Client 0: receive 3"]);
            rig.close_and_delete(one);
            rig.tidy(two);
        }

        /// DP-148: what is kept comes back once it is returned, what is not at once, and unchanged.
        fn every_receive_is_returned_once<R>() {
            let rig = rig::<R>();
            rig.bench.lock().keep_completed = true;
            let slot = rig.connected();
            rig.plan(slot, Cb::Receive, How::Pend);
            R::indicate(&rig.lower(slot), rig.bench.chain(2));
            R::indicate(&rig.lower(slot), rig.bench.chain(1));
            assert_eq!(R::receives_outstanding(&rig.lower(slot)), 2);
            let kept = rig.bench.slot(slot, |s| s.kept.remove(0));
            kept.give_back();
            let returned: Vec<_> = rig.bench.lock().returned.drain(..).collect();
            let sizes: Vec<_> = returned.iter().map(|chain| (chain.len(), chain.data_len())).collect();
            assert_eq!(sizes, [(1, 1), (2, 2)]);
            assert_eq!(R::receives_outstanding(&rig.lower(slot)), 0);
            drop(returned);
            rig.bench.lock().keep_completed = false;
            rig.tidy(slot);
        }

        /// DP-148: on a VC that does not receive, they come back at once and nobody hears them.
        fn receives_of_an_inactive_vc_go_back<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            let lower = rig.lower(slot);
            rig.close_and_delete(slot);
            rig.bench.take_log();
            R::indicate(&lower, rig.bench.chain(2));
            assert_eq!(rig.bench.take_log(), [format!("Lower {slot}: returned 2")]);
            drop(lower);
            assert!(rig.end().is_nothing());
        }

        /// DP-149.
        fn lent_receives_stay_the_miniports<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            rig.plan(slot, Cb::Receive, How::Pend);
            let mut chain = rig.bench.chain(2);
            R::indicate_lent(&rig.lower(slot), &mut chain);
            assert_eq!(chain.len(), 2);
            assert_eq!(rig.bench.take_log(), [format!("Client {slot}: receive 2 lent")]);
            assert!(rig.bench.slot(slot, |s| s.kept.is_empty()), "nothing can be kept");
            drop(chain);
            rig.tidy(slot);
        }

        /// DP-152: one return may mix VCs; each miniport object gets its own.
        fn a_return_may_mix_vcs<R>() {
            let rig = rig::<R>();
            let (one, two) = (rig.connected(), rig.connected());
            for slot in [one, two, one] {
                rig.plan(slot, Cb::Receive, How::Pend);
                R::indicate(&rig.lower(slot), rig.bench.chain(1));
            }
            let mut kept = rig.bench.slot(one, |s| std::mem::take(&mut s.kept));
            kept.extend(rig.bench.slot(two, |s| std::mem::take(&mut s.kept)));
            rig.bench.take_log();
            let binding = rig.bench.lock().client_binding.clone().expect("bound");
            binding.at().return_net_buffer_lists(kept);
            let log = rig.bench.take_log();
            assert_eq!(log, ["Lower 0: returned 1", "Lower 0: returned 1", "Lower 1: returned 1"]);
            drop(binding);
            rig.close_and_delete(one);
            rig.tidy(two);
        }

        /// DP-158: two threads are in the receive callback of one VC at a time.
        fn receives_run_concurrently<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            let inside = Arc::new(AtomicU32::new(0));
            for _ in 0..2 {
                let inside = inside.clone();
                let then = Box::new(move || {
                    inside.fetch_add(1, SeqCst);
                    for _ in 0..2_000_000 {
                        if inside.load(SeqCst) == 2 {
                            return;
                        }
                        std::thread::yield_now();
                    }
                });
                rig.bench.plan(slot, Cb::Receive, Plan { how: How::Ok, then });
            }
            let lower = rig.lower(slot);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| R::indicate(&lower, rig.bench.chain(1)));
                }
            });
            assert_eq!(inside.load(SeqCst), 2);
            drop(lower);
            rig.tidy(slot);
        }
    }
}

mod oids {
    use super::*;

    fn ask<R: World>(rig: &Rig<R>, vc: Option<&HeldVc<Client>>) -> Outcome<OidAnswer> {
        let binding = rig.bench.lock().client_binding.clone().expect("bound");
        binding.at().oid_request(vc.map(HeldVc::at), OidRequest::query(code::GEN_CO_LINK_SPEED, 8))
    }

    both! {
        /// DP-168, DP-172: to the adapter's driver, about a VC if one is named; an answer at once is the only one.
        fn requests_without_an_af_reach_the_miniport<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            assert!(matches!(ask(&rig, None), Outcome::Done(answer) if answer.status == NdisStatus::SUCCESS));
            let vc = rig.client(slot);
            assert!(matches!(ask(&rig, Some(&vc)), Outcome::Done(_)));
            rig.clock.settle();
            assert_eq!(rig.bench.take_log(), ["oid 0x10107 of the adapter", "oid 0x10107 of a VC"]);
            drop(vc);
            rig.tidy(slot);
        }

        /// DP-169, DP-170: with an AF to the driver at its other end, and to no miniport.
        fn requests_with_an_af_reach_its_other_end<R>() {
            let rig = rig::<R>();
            let (client, manager) = {
                let state = rig.bench.lock();
                (state.client_af.clone().expect("open"), state.manager_af.clone().expect("open"))
            };
            let _ = client.at().oid_request(About::Af, OidRequest::query(code::CO_GET_ADDRESSES, 8));
            let _ = manager.at().oid_request(About::Af, OidRequest::query(code::CO_ADDRESS_CHANGE, 8));
            assert_eq!(
                rig.bench.take_log(),
                ["manager: af oid 0xfe000006 Af", "client: af oid 0xfe000007 Af"]
            );
            drop((client, manager));
            assert!(rig.end().is_nothing());
        }

        /// DP-173: a pended request is completed to who asked, once.
        fn a_pended_request_is_completed_once<R>() {
            let rig = rig::<R>();
            rig.bench.lock().pend.push("oid");
            assert!(ask(&rig, None).is_pending());
            rig.bench.take_log();
            let (oid, request) = {
                let mut state = rig.bench.lock();
                (state.oids.remove(0), state.oid_requests.remove(0))
            };
            oid.complete(OidAnswer::new(NdisStatus::SUCCESS, request));
            rig.clock.settle();
            assert_eq!(rig.bench.take_log(), ["client: oid complete SUCCESS"]);
            assert!(rig.end().is_nothing());
        }

        /// DP-176: a second request reaches the miniport while the first pends.
        fn requests_are_not_serialized<R>() {
            let rig = rig::<R>();
            rig.bench.lock().pend.extend(["oid", "oid"]);
            assert!(ask(&rig, None).is_pending());
            assert!(ask(&rig, None).is_pending());
            let (oids, requests) = {
                let mut state = rig.bench.lock();
                (std::mem::take(&mut state.oids), std::mem::take(&mut state.oid_requests))
            };
            assert_eq!(oids.len(), 2);
            for (oid, request) in oids.into_iter().zip(requests) {
                oid.complete(OidAnswer::new(NdisStatus::SUCCESS, request));
            }
            assert!(rig.end().is_nothing());
        }
    }
}

mod status {
    use super::*;

    fn up() -> StatusIndication {
        StatusIndication::new(NdisStatus::LINK_STATE, [])
    }

    both! {
        /// DP-190.
        fn a_status_of_the_adapter_reaches_every_binding<R>() {
            let rig = rig::<R>();
            let adapter = rig.bench.lock().adapter.clone().expect("initialized");
            adapter.at().indicate_status(up());
            let mut log = rig.bench.take_log();
            log.sort();
            let all: &[&str] =
                if R::MCM { &["client: status LINK_STATE"] } else { &["client: status LINK_STATE", "manager: status LINK_STATE"] };
            assert_eq!(log, all);
            drop(adapter);
            assert!(rig.end().is_nothing());
        }

        /// DP-191.
        fn a_status_of_a_vc_reaches_those_that_share_it<R>() {
            let rig = rig::<R>();
            let (slot, other) = (rig.connected(), rig.connected());
            R::indicate_status(&rig.lower(slot), up());
            let mut log = rig.bench.take_log();
            log.sort();
            let all: &[&str] =
                if R::MCM { &["Client 0: status LINK_STATE"] } else { &["Client 0: status LINK_STATE", "Manager 0: status LINK_STATE"] };
            assert_eq!(log, all);
            rig.close_and_delete(other);
            rig.tidy(slot);
        }

        /// DP-192: one that comes up inside another, of the adapter or of a VC, waits for its end.
        fn statuses_of_a_binding_take_turns<R>() {
            let rig = rig::<R>();
            let slot = rig.connected();
            let (bench, lower) = (rig.bench.clone(), rig.lower(slot));
            let then = Box::new(move || {
                let adapter = bench.lock().adapter.clone().expect("initialized");
                adapter.at().indicate_status(StatusIndication::new(NdisStatus::MEDIA_SPECIFIC_INDICATION, []));
                R::indicate_status(&lower, StatusIndication::new(NdisStatus::WAN_CO_FRAGMENT, []));
                bench.note_life("the first is over");
            });
            rig.bench.plan(slot, Cb::Told(Seat::Client), Plan { how: How::Ok, then });
            R::indicate_status(&rig.lower(slot), up());
            let log = rig.bench.take_log();
            let client: Vec<_> = log.iter().filter(|line| !line.to_lowercase().starts_with("manager")).collect();
            assert_eq!(
                client,
                [
                    "Client 0: status LINK_STATE",
                    "the first is over",
                    "client: status MEDIA_SPECIFIC_INDICATION",
                    "Client 0: status WAN_CO_FRAGMENT",
                ]
            );
            rig.tidy(slot);
        }

        /// DP-194: the status that a request was promised reaches only who asked.
        fn a_status_that_answers_reaches_who_asked<R>() {
            let rig = rig::<R>();
            rig.node.register_protocol("another", TestClient(rig.bench.clone()));
            let first = rig.bench.lock().client_binding.clone().expect("bound");
            rig.clock.settle();
            let adapter = rig.bench.lock().adapter.clone().expect("initialized");
            rig.bench.lock().refuse.push(("oid", NdisStatus::INDICATION_REQUIRED));
            let mut request = OidRequest::query(code::GEN_CO_LINK_SPEED, 8);
            request.request_id = 5;
            let asked = first.at().oid_request::<Client>(None, request.clone());
            assert!(matches!(asked, Outcome::Done(_)));
            rig.bench.take_log();
            let answer = StatusIndication { request_id: 5, ..up() };
            adapter.at().indicate_status(answer.clone());
            assert_eq!(rig.bench.take_log(), ["client: status LINK_STATE"], "one of the two clients");
            // Once; and not at all for a request that is over.
            adapter.at().indicate_status(answer.clone());
            let _ = first.at().oid_request::<Client>(None, request);
            rig.bench.take_log();
            adapter.at().indicate_status(answer);
            assert_eq!(rig.bench.take_log(), [""; 0]);
            drop((first, adapter));
            rig.bench.lock().careless = true;
            rig.node.shutdown(|| ());
            rig.clock.settle();
        }

        /// DP-195, DP-196: the first name stays, names are unique, and one ends with its VC.
        fn instance_names_are_unique<R>() {
            let rig = rig::<R>();
            let (one, two) = (rig.client_vc(), rig.client_vc());
            let name = |slot, base: &str| rig.client(slot).at().assign_instance_name(base).expect("there");
            let first = name(one, "vc");
            assert_eq!(name(one, "other"), first);
            assert_ne!(name(two, "vc"), first);
            for slot in [one, two] {
                let vc = rig.bench.slot(slot, |s| s.owned_by_client.take()).expect("made");
                vc.delete().expect("fresh");
            }
            assert!(rig.client(one).at().assign_instance_name("vc").is_err());
            assert!(rig.node.vcs().iter().all(|vc| vc.name.is_none()));
            assert!(rig.end().is_nothing());
        }
    }
}
