//! A reference model of the life of a VC against random calls, in both worlds and on both runtimes.
//!
//! [`reference`] is the state table as a second program. Sequences of calls are drawn with its help, so that most of them
//! are lawful and some are not, and are carried out on the library with the drivers of the rig. After each call this is
//! compared: what every call returned, what each driver was told, in order and with which status, which rules were
//! reported, and the state of every VC as NDIS lists it. At the end everything is closed, and nothing may be left.
//!
//! A failure prints the shortest sequence found that shows it and the command that replays it. `CONDIS_MODEL_RUNS` is the
//! number of sequences for each world and runtime.

mod reference;
mod regressions;
#[path = "../rig/mod.rs"]
mod rig;

use std::sync::{Arc, Mutex};

use condis::driver::ManagerParty;
use condis::params::CallParams;
use condis::role::{CallManager, Mcm};
use condis::runtime::Random;
use condis::status::NdisStatus;
use condis::token::{Outcome, Refused};
use condis::trace::VcId;

use reference::{A, C, Life, Model, NOTHING, Op, PartyIs, Planned, Variant};
use rig::{Bench, Cb, ClientPartyEnd, Clock, How, ManagerPartyEnd, Plan, REFUSAL, Rig, Seat, World, plain};

#[test]
fn the_library_follows_the_state_table_over_a_call_manager() {
    campaign::<CallManager>(Clock::sim, "sim", runs(3000));
}

#[test]
fn the_library_follows_the_state_table_over_an_mcm() {
    campaign::<Mcm>(Clock::sim, "sim", runs(3000));
}

#[test]
fn the_library_follows_the_state_table_on_threads() {
    campaign::<CallManager>(Clock::threads, "threads", runs(3000) / 10);
    campaign::<Mcm>(Clock::threads, "threads", runs(3000) / 10);
}

fn runs(default: u64) -> u64 {
    std::env::var("CONDIS_MODEL_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(default)
}

/// Replays one sequence if `CONDIS_MODEL_SEED` names one, else runs many.
fn campaign<R: World>(clock: fn() -> Clock, runtime: &str, runs: u64) {
    let chosen = std::env::var("CONDIS_MODEL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = chosen.map_or(1..runs + 1, |seed: u64| seed..seed + 1);
    for seed in seeds {
        let steps = draw(seed, R::MCM);
        if let Err(what) = check::<R>(&steps, clock(), seed) {
            let steps = shorten::<R>(steps, clock, seed);
            let last = check::<R>(&steps, clock(), seed).err().unwrap_or(what);
            let listed: Vec<_> = steps.iter().map(|step| format!("  {step}")).collect();
            let test = match (R::MCM, runtime) {
                (_, "threads") => "on_threads",
                (true, _) => "over_an_mcm",
                (false, _) => "over_a_call_manager",
            };
            panic!(
                "{last}\nafter\n{}\nreplay: CONDIS_MODEL_SEED={seed} cargo test -p condis --test model -- {test}",
                listed.join("\n")
            );
        }
    }
}

/// Leaves out whatever is not needed to fail.
fn shorten<R: World>(mut steps: Vec<Step>, clock: fn() -> Clock, seed: u64) -> Vec<Step> {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        let creates = matches!(
            steps[at].op,
            Op::NewByClient { .. } | Op::NewByManager { .. } | Op::NewSignaling { .. }
        );
        if !creates && check::<R>(&fewer, clock(), seed).is_err() {
            steps = fewer;
        } else {
            at += 1;
        }
    }
    steps
}

/// A call, with what the callbacks will do that it causes.
#[derive(Clone, Debug)]
struct Step {
    op: Op,
    plans: Vec<Planned>,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.op)?;
        for plan in &self.plans {
            write!(f, ", {:?} {:?}", plan.cb, plan.how)?;
            if !plan.then.is_empty() {
                write!(f, " after {:?}", plan.then)?;
            }
        }
        Ok(())
    }
}

// Drawing

/// A sequence of calls.
fn draw(seed: u64, mcm: bool) -> Vec<Step> {
    let mut random = Random::new(seed);
    let mut model = Model::new(mcm);
    let mut steps = Vec::new();
    for _ in 0..8 + random.below(40) {
        let mut step = draw_step(&mut random, &model);
        // Most calls are lawful: else no walk would ever get far.
        for _ in 0..6 {
            if lawful(&model, &step) || random.chance(80_000) {
                break;
            }
            step = draw_step(&mut random, &model);
        }
        model.step(&step.op, &step.plans);
        steps.push(step);
    }
    steps
}

/// True if the first call neither comes to nothing nor is refused by NDIS.
fn lawful(model: &Model, step: &Step) -> bool {
    let mut tried = model.clone();
    let (results, reports) = (tried.results.len(), tried.reports.len());
    let lines: usize = tried.logs.iter().map(Vec::len).sum();
    tried.step(&step.op, &step.plans);
    let refused = matches!(
        tried.results[results..].last().map(String::as_str),
        Some("FAILURE" | "NOT_ACCEPTED" | "CLOSING")
    );
    let happened =
        tried.logs.iter().map(Vec::len).sum::<usize>() > lines || tried.results[results] == "SUCCESS";
    happened && !refused && tried.reports.len() == reports
}

fn draw_step(random: &mut Random, model: &Model) -> Step {
    let there = model.vcs.len() as u64;
    if there == 0 || (there < 4 && random.chance(60_000)) {
        return Step { op: draw_new(random, model.mcm), plans: Vec::new() };
    }
    let vc = random.below(there) as usize;
    let op = draw_op(random, model, vc);
    let plans = (0..random.below(4)).map(|_| draw_plan(random, model, vc, &op)).collect();
    Step { op, plans }
}

fn draw_new(random: &mut Random, mcm: bool) -> Op {
    let refuse = random.chance(100_000).then(|| pick(random, &[Seat::Client, Seat::Manager, Seat::Lower]));
    match random.below(if mcm { 4 } else { 5 }) {
        0 | 1 => Op::NewByClient { refuse },
        2 | 3 => Op::NewByManager { refuse },
        _ => Op::NewSignaling { refuse },
    }
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

fn draw_op(random: &mut Random, model: &Model, vc: usize) -> Op {
    let ok = !random.chance(200_000);
    let nbls = 1 + random.below(3);
    let some_party = |random: &mut Random| random.below(1 + model.vcs[vc].parties.len() as u64) as usize;
    match random.below(30) {
        0 | 1 => Op::Make { vc, multipoint: random.chance(400_000) },
        2 => Op::EndMake { vc, ok },
        3 | 4 => Op::Close(vc),
        5 => Op::EndClose { vc, ok },
        6 | 7 => Op::Offer(vc),
        8 => Op::EndOffer { vc, ok },
        9 => Op::Connected(vc),
        10 => Op::RemoteClose(vc),
        11 | 12 => Op::Activate(vc),
        13 => Op::EndActivate { vc, ok },
        14 => Op::Deactivate(vc),
        15 => Op::EndDeactivate { vc, ok },
        16 => Op::Qos(vc),
        17 => Op::EndQos { vc, ok },
        18 => Op::RemoteQos(vc),
        19 => Op::Add(vc),
        20 => Op::EndAdd { vc, ok },
        21 => Op::Drop { vc, party: some_party(random) },
        22 => Op::EndDrop { vc, ok },
        23 => Op::RemoteDrop { vc, party: some_party(random) },
        24 | 25 => Op::Send { vc, nbls },
        26 => Op::CompleteSend { vc, ok },
        27 => Op::Indicate { vc, nbls, lent: random.chance(300_000) },
        28 => Op::Return(vc),
        _ if random.chance(300_000) => Op::Retire(vc),
        _ => Op::Delete(vc),
    }
}

fn draw_plan(random: &mut Random, model: &Model, vc: usize, op: &Op) -> Planned {
    // Mostly the callback that the call makes, and then what drivers do from inside callbacks.
    let likely = match op {
        Op::Make { .. } => Cb::Make,
        Op::Close(_) => Cb::Close,
        Op::Offer(_) => Cb::Offer,
        Op::Qos(_) => Cb::Qos,
        Op::Activate(_) => Cb::Activate,
        Op::Deactivate(_) => Cb::Deactivate,
        Op::Add(_) => Cb::AddParty,
        Op::Drop { .. } => Cb::DropParty,
        Op::Send { .. } => Cb::Send,
        Op::Indicate { .. } => Cb::Receive,
        Op::Delete(_) => Cb::Delete,
        _ => Cb::Told(pick(random, &[Seat::Client, Seat::Manager])),
    };
    let any = [
        Cb::Make,
        Cb::Close,
        Cb::Activate,
        Cb::Deactivate,
        Cb::Told(Seat::Client),
        Cb::Told(Seat::Client),
        Cb::Told(Seat::Manager),
        Cb::Told(Seat::Lower),
    ];
    let cb = if random.chance(600_000) { likely } else { pick(random, &any) };
    let how = match random.below(10) {
        0..4 => How::Ok,
        4 => How::Err,
        5..8 => How::Pend,
        8 => How::EarlyOk,
        _ => How::EarlyErr,
    };
    // A VC that its owner gave up and that its peer will not let go has nobody to delete it.
    let how = if cb == Cb::Delete && !matches!(op, Op::Delete(_)) { How::Ok } else { how };
    let then = (0..random.below(3)).map(|_| draw_op(random, model, vc)).collect();
    Planned { vc, cb, then, how }
}

/// The steps, and after them those that end whatever is under way, VC by VC, until every VC is gone.
fn wound_down(steps: &[Step], mcm: bool) -> Vec<Step> {
    let mut model = Model::new(mcm);
    let mut steps = steps.to_vec();
    steps.iter().for_each(|step| model.step(&step.op, &step.plans));
    for vc in 0..model.vcs.len() {
        for _ in 0..100 {
            let Some(op) = next_of_the_end(&model.vcs[vc], vc) else { break };
            model.step(&op, &[]);
            steps.push(Step { op, plans: Vec::new() });
        }
    }
    steps
}

fn next_of_the_end(v: &reference::Vc, vc: usize) -> Option<Op> {
    if let Some(pended) = v.pended.first() {
        return Some(match *pended {
            "make" => Op::EndMake { vc, ok: false },
            "close" => Op::EndClose { vc, ok: true },
            "offer" => Op::EndOffer { vc, ok: false },
            "qos" => Op::EndQos { vc, ok: true },
            "activate" => Op::EndActivate { vc, ok: true },
            _ => Op::EndDeactivate { vc, ok: true },
        });
    }
    if !v.sends.is_empty() {
        return Some(Op::CompleteSend { vc, ok: true });
    }
    if !v.kept.is_empty() {
        return Some(Op::Return(vc));
    }
    if v.life != Life::Live {
        return None;
    }
    if v.parties.contains(&PartyIs::Adding) {
        return Some(Op::EndAdd { vc, ok: false });
    }
    if v.parties.contains(&PartyIs::Dropping) {
        return Some(Op::EndDrop { vc, ok: true });
    }
    if v.connected_parties > 1 && matches!(v.c, C::CN | C::RC) {
        let party = v.client_parties.iter().position(|party| v.parties[*party] == PartyIs::Connected)?;
        return Some(Op::Drop { vc, party });
    }
    match v.c {
        C::CN | C::IA | C::RC | C::OP => return Some(Op::Close(vc)),
        C::None | C::IO { .. } | C::CL => {}
    }
    match v.a {
        A::V => Some(Op::Deactivate(vc)),
        _ => v.owned.then_some(Op::Delete(vc)),
    }
}

// Carrying out

/// Carries the steps out on both, and compares.
fn check<R: World>(steps: &[Step], clock: Clock, seed: u64) -> Result<(), String> {
    // With a listener every batch takes the watched way, so half of the runs have one.
    let rig = Rig::<R>::new(clock, seed.is_multiple_of(2));
    let runner =
        Arc::new(Runner { bench: rig.bench.clone(), ids: Mutex::default(), results: Mutex::default() });
    let mut model = Model::new(R::MCM);
    let mut reports = 0;
    for (number, step) in wound_down(steps, R::MCM).iter().enumerate() {
        model.step(&step.op, &step.plans);
        for plan in &step.plans {
            if plan.vc < rig.bench.lock().slots.len() {
                let (runner, then) = (runner.clone(), plan.then.clone());
                let then = Box::new(move || then.iter().for_each(|op| runner.run(op)));
                rig.bench.plan(plan.vc, plan.cb, Plan { how: plan.how, then });
            }
        }
        Runner::run(&runner, &step.op);
        rig.bench.clear_plans();
        let failed = |what: String| Err(format!("seed {seed}, step {number} `{step}`: {what}"));
        let results = std::mem::take(&mut *runner.results.lock().expect("not poisoned"));
        let expected = std::mem::take(&mut model.results);
        if results != expected {
            return failed(format!("returned {results:?}, not {expected:?}"));
        }
        let logs = std::mem::take(&mut rig.bench.lock().logs);
        let expected = std::mem::take(&mut model.logs);
        if logs != expected {
            return failed(format!("client, manager and miniport heard\n  {logs:?}, not\n  {expected:?}"));
        }
        reports += std::mem::take(&mut model.reports).len() as u64;
        if rig.node.reports() != reports {
            return failed(format!("{} reports, not {reports}: {:?}", rig.node.reports(), rig.reported()));
        }
        let (listed, expected) = (states_of(&rig, &runner), states(&model));
        if listed != expected {
            return failed(format!("NDIS lists\n  {listed:?}, not\n  {expected:?}"));
        }
    }
    let pool = rig.bench.pool.clone();
    drop(runner);
    let left = rig.end();
    if !left.is_nothing() {
        return Err(format!("seed {seed}: left at the end: {left}"));
    }
    match pool.outstanding() {
        0 => Ok(()),
        lost => Err(format!("seed {seed}: {lost} NBLs did not come back to their pool")),
    }
}

/// What both sides say of a VC.
type Stated = (usize, &'static str, &'static str, u16, u64, u64, &'static str);

fn states_of<R: World>(rig: &Rig<R>, runner: &Runner<R>) -> Vec<Stated> {
    let ids = runner.ids.lock().expect("not poisoned");
    let mut states: Vec<_> = rig
        .node
        .vcs()
        .iter()
        .map(|info| {
            let slot = ids.iter().position(|id| *id == Some(info.id)).expect("a VC of this test");
            let creator = info.creator.name();
            let (act, call) = (info.activation.name(), info.call.name());
            (slot, act, call, info.parties, info.sends_in_flight, info.receives_in_flight, creator)
        })
        .collect();
    states.sort_unstable();
    states
}

fn states(model: &Model) -> Vec<Stated> {
    let there = model.vcs.iter().enumerate().filter(|(_, v)| matches!(v.life, Life::Live));
    there
        .map(|(slot, v)| {
            let act = match v.a {
                A::I => "inactive",
                A::Ac => "activating",
                A::V => "active",
                A::R => "reactivating",
                A::D => "deactivating",
            };
            let call = match v.c {
                C::None => "none",
                C::OP => "outgoing-pending",
                C::IO { .. } => "incoming-offered",
                C::IA => "incoming-accepted",
                C::CN => "connected",
                C::RC => "remote-closed",
                C::CL => "closing",
            };
            let creator = match v.variant {
                Variant::A | Variant::B => "client",
                Variant::C | Variant::E => "call-manager",
                Variant::D => "mcm",
            };
            (slot, act, call, v.connected_parties, v.tx, v.rx, creator)
        })
        .collect()
}

/// Carries calls out on the library.
struct Runner<R: World> {
    bench: Arc<Bench<R>>,
    ids: Mutex<Vec<Option<VcId>>>,
    results: Mutex<Vec<String>>,
}

fn word<T>(outcome: &Outcome<Result<T, Refused>>) -> String {
    match outcome {
        Outcome::Done(Ok(_)) => NdisStatus::SUCCESS.to_string(),
        Outcome::Done(Err(refused)) => refused.status.to_string(),
        Outcome::Pending => NdisStatus::PENDING.to_string(),
    }
}

impl<R: World> Runner<R> {
    fn run(self: &Arc<Self>, op: &Op) {
        let result = self.apply(op).unwrap_or_else(|| NOTHING.to_owned());
        self.results.lock().expect("not poisoned").push(result);
    }

    fn apply(&self, op: &Op) -> Option<String> {
        let bench = &self.bench;
        let client = |vc: usize| bench.slot(vc, |s| s.client.clone());
        let manager = |vc: usize| bench.slot(vc, |s| s.manager.clone());
        let params = CallParams::default;
        match *op {
            Op::NewByClient { refuse } => {
                let slot = self.new_slot(refuse);
                let af = bench.lock().client_af.clone()?;
                let made = af.at().create_vc(Box::new(rig::ClientEnd(bench.clone(), slot)));
                return Some(self.created(made.map(|vc| {
                    let id = vc.id();
                    bench.slot(slot, |s| (s.client, s.owned_by_client) = (Some(vc.keep()), Some(vc)));
                    id
                })));
            }
            Op::NewByManager { refuse } => {
                let slot = self.new_slot(refuse);
                let af = bench.lock().manager_af.clone()?;
                return Some(self.created(R::create(af.at(), bench, slot).map(|vc| {
                    let id = vc.id();
                    bench.slot(slot, |s| (s.manager, s.owned_by_manager) = (Some(vc.keep()), Some(vc)));
                    id
                })));
            }
            Op::NewSignaling { .. } if R::MCM => return None,
            Op::NewSignaling { refuse } => {
                let slot = self.new_slot(refuse);
                return Some(self.created(R::create_signaling(bench, slot)?.map(|vc| {
                    let id = vc.id();
                    bench.slot(slot, |s| (s.signaling, s.owned_signaling) = (Some(vc.keep()), Some(vc)));
                    id
                })));
            }
            Op::Delete(vc) => return self.delete(vc),
            Op::Retire(vc) => {
                if let Some(owned) = bench.slot(vc, |s| s.owned_by_client.take()) {
                    owned.retire();
                }
                if let Some(owned) = bench.slot(vc, |s| s.owned_by_manager.take()) {
                    owned.retire();
                }
                if let Some(owned) = bench.slot(vc, |s| s.owned_signaling.take()) {
                    owned.retire();
                }
            }
            Op::Make { vc, multipoint } => {
                let party = multipoint.then(|| Box::new(ClientPartyEnd(bench.clone(), vc)) as Box<_>);
                let outcome = client(vc)?.at().make_call(params(), party);
                let told = word(&outcome);
                if let Outcome::Done(Ok(connected)) = outcome {
                    bench.slot(vc, |s| s.client_parties.extend(connected.party));
                }
                return Some(told);
            }
            Op::Close(vc) => return Some(plain(&client(vc)?.at().close_call(Vec::new())).to_string()),
            Op::Qos(vc) => return Some(word(&client(vc)?.at().modify_call_qos(params()))),
            Op::Add(vc) => {
                let object = Box::new(ClientPartyEnd(bench.clone(), vc));
                let outcome = client(vc)?.at().add_party(params(), object);
                let told = word(&outcome);
                if let Outcome::Done(Ok((party, _))) = outcome {
                    bench.slot(vc, |s| s.client_parties.push(party));
                }
                return Some(told);
            }
            Op::Drop { vc, party } => {
                let party = bench.slot(vc, |s| s.client_parties.get(party).cloned())?;
                return Some(plain(&party.at().drop_party(Vec::new())).to_string());
            }
            Op::Offer(vc) => {
                let sap = bench.lock().manager_sap.clone()?;
                return Some(word(&manager(vc)?.at().dispatch_incoming_call(&sap, params())));
            }
            Op::Connected(vc) => manager(vc)?.at().dispatch_call_connected(),
            Op::RemoteClose(vc) => {
                manager(vc)?.at().dispatch_incoming_close_call(NdisStatus::SUCCESS, Vec::new());
            }
            Op::RemoteQos(vc) => manager(vc)?.at().dispatch_incoming_call_qos_change(params()),
            Op::RemoteDrop { vc, party } => {
                let party = bench.slot(vc, |s| s.manager_parties.get(party).cloned())?;
                party.at().dispatch_incoming_drop(NdisStatus::SUCCESS, Vec::new());
            }
            Op::Activate(vc) => {
                if let Some(own) = bench.slot(vc, |s| s.signaling.clone()) {
                    return Some(word(&own.at().activate(params())));
                }
                return Some(R::activate_vc(&manager(vc)?, params()).to_string());
            }
            Op::Deactivate(vc) => {
                if let Some(own) = bench.slot(vc, |s| s.signaling.clone()) {
                    return Some(plain(&own.at().deactivate()).to_string());
                }
                return Some(plain(&R::deactivate(manager(vc)?.at())).to_string());
            }
            Op::EndMake { vc, ok } => {
                let (pended, params, multipoint) = bench.slot(vc, |s| s.make.take())?;
                let object = || Box::new(ManagerPartyEnd(bench.clone(), vc)) as Box<dyn ManagerParty>;
                let party = multipoint.then(object);
                pended.complete(if ok {
                    Ok(condis::driver::Made { params, party })
                } else {
                    Err(Refused::with(REFUSAL, params))
                });
            }
            Op::EndClose { vc, ok } => bench.slot(vc, |s| s.close.take())?.complete(verdict(ok)),
            Op::EndOffer { vc, ok } => {
                let (pended, params) = bench.slot(vc, |s| s.offer.take())?;
                pended.complete(with(ok, params));
            }
            Op::EndQos { vc, ok } => {
                let (pended, params) = bench.slot(vc, |s| s.qos.take())?;
                pended.complete(with(ok, params));
            }
            Op::EndActivate { vc, ok } => {
                let (pended, params) = bench.slot(vc, |s| s.activate.take())?;
                pended.complete(with(ok, params));
            }
            Op::EndDeactivate { vc, ok } => bench.slot(vc, |s| s.deactivate.take())?.complete(verdict(ok)),
            Op::EndAdd { vc, ok } => {
                let (pended, params) = bench.slot(vc, |s| (!s.adds.is_empty()).then(|| s.adds.remove(0)))?;
                let object = Box::new(ManagerPartyEnd(bench.clone(), vc));
                pended.complete(if ok { Ok((object, params)) } else { Err(Refused::with(REFUSAL, params)) });
            }
            Op::EndDrop { vc, ok } => {
                bench.slot(vc, |s| (!s.drops.is_empty()).then(|| s.drops.remove(0)))?.complete(verdict(ok));
            }
            Op::Send { vc, nbls } => {
                let chain = bench.chain(nbls as usize);
                match bench.slot(vc, |s| s.signaling.clone()) {
                    Some(own) => own.at().send(chain),
                    None => client(vc)?.at().send(chain),
                }
            }
            Op::CompleteSend { vc, ok } => {
                let sends = bench.slot(vc, |s| (!s.sends.is_empty()).then(|| s.sends.remove(0)))?;
                sends.complete(if ok { NdisStatus::SUCCESS } else { REFUSAL });
            }
            Op::Indicate { vc, nbls, lent } => {
                let lower = bench.slot(vc, |s| R::lower_of(s))?;
                let mut chain = bench.chain(nbls as usize);
                if lent {
                    R::indicate_lent(&lower, &mut chain);
                    assert_eq!(chain.len() as u64, nbls, "lent NBLs are the miniport's again (DP-149)");
                } else {
                    R::indicate(&lower, chain);
                }
            }
            Op::Return(vc) => {
                let kept = bench.slot(vc, |s| (!s.kept.is_empty()).then(|| s.kept.remove(0)))?;
                kept.give_back();
            }
        }
        None
    }

    fn new_slot(&self, refuse: Option<Seat>) -> usize {
        self.ids.lock().expect("not poisoned").push(None);
        let slot = self.bench.new_slot();
        let mut state = self.bench.lock();
        state.refuse_create.clear();
        state.refuse_create.extend(refuse.map(|seat| (seat, REFUSAL)));
        slot
    }

    fn created(&self, result: Result<VcId, NdisStatus>) -> String {
        match result {
            Ok(id) => {
                *self.ids.lock().expect("not poisoned").last_mut().expect("just pushed") = Some(id);
                NdisStatus::SUCCESS.to_string()
            }
            Err(status) => status.to_string(),
        }
    }

    fn delete(&self, vc: usize) -> Option<String> {
        macro_rules! owner {
            ($field:ident) => {
                if let Some(owned) = self.bench.slot(vc, |s| s.$field.take()) {
                    return Some(match owned.delete() {
                        Ok(()) => NdisStatus::SUCCESS.to_string(),
                        Err((status, owned)) => {
                            self.bench.slot(vc, |s| s.$field = Some(owned));
                            status.to_string()
                        }
                    });
                }
            };
        }
        owner!(owned_by_client);
        owner!(owned_by_manager);
        owner!(owned_signaling);
        None
    }
}

fn verdict(ok: bool) -> Result<(), NdisStatus> {
    if ok { Ok(()) } else { Err(REFUSAL) }
}

fn with(ok: bool, params: CallParams) -> Result<CallParams, Refused> {
    if ok { Ok(params) } else { Err(Refused::with(REFUSAL, params)) }
}
