//! Random operations on the library: every call that a client, a (M)CM, a miniport and who runs the node may make, on a
//! node in simulated time. What a callback answers, and what it does before, is drawn from the same octets: at once,
//! pended, completed early, lost, panicked.

mod bench;
mod drivers;
mod ends;
mod operations;
mod world;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Once};
use std::time::Duration;

use condis::node::Node;
use condis::role::{CallManager, Mcm};
use condis::runtime::{Runtime, Sim};
use condis::status::NdisStatus;
use condis::trace::{Crossing, Report, Sink};

pub use bench::Reached;
use bench::{Bench, End};
use drivers::ClientProtocol;
use world::World;

/// Operations in one run. More would only make a failure harder to read.
const OPERATIONS_MAX: usize = 400;

/// Rounds in which everything is closed, before the adapter is removed and after. Each is a minute of simulated time.
const ROUNDS: usize = 8;
const ROUNDS_MAX: usize = 60;

/// Any octets: a run over a call manager or over an MCM, at the end of which nothing may be left. Gives what was counted.
pub fn run(data: &[u8]) -> Reached {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    match first & 1 {
        0 => run_over::<CallManager>(rest, first & 2 != 0),
        _ => run_over::<Mcm>(rest, first & 2 != 0),
    }
}

fn run_over<R: World>(data: &[u8], listen: bool) -> Reached {
    let panics_before = panics_here();
    let sim = Sim::new(1);
    let node = Node::new("node", sim.clone() as Arc<dyn Runtime>);
    if listen || shown() {
        node.listen(Arc::new(Listener));
    }
    let bench = Bench::<R>::new(data, sim.clone());
    node.register_protocol("client", ClientProtocol(bench.clone()));
    let control = R::start(&node, &bench).expect("the driver of the adapter takes it");
    bench.lock().control = Some(control.clone());
    settle(&sim);
    for _ in 0..OPERATIONS_MAX {
        if bench.is_empty() {
            break;
        }
        operations::outside(&bench);
        if shown() {
            println!("--");
        }
        let listed = node.vcs().iter().map(|vc| vc.to_string().len()).sum::<usize>()
            + node.pended().iter().map(|pended| pended.to_string().len()).sum::<usize>();
        assert_eq!(listed == 0, node.vcs().is_empty() && node.pended().is_empty());
    }
    bench.lock().calm = true;
    if shown() {
        println!("-- closing down after {:?}", bench.lock().reached);
    }
    let removed = Arc::new(AtomicBool::new(false));
    for round in 0..ROUNDS_MAX {
        complete_all(&bench);
        settle(&sim);
        operations::give_up(&bench);
        if round == ROUNDS {
            let removed = removed.clone();
            control.remove(move || removed.store(true, SeqCst));
        }
        settle(&sim);
        if removed.load(SeqCst) && bench.lock().owed.is_empty() {
            break;
        }
    }
    assert!(
        removed.load(SeqCst),
        "the removal hangs: {}, {:?} and {:?}",
        node.left(),
        node.vcs(),
        node.pended()
    );
    let reached = bench.lock().reached;
    let outstanding = forget(&bench, &sim);
    assert_eq!(panics_here(), panics_before, "the library panicked in a callback");
    if reached.panics == 0 {
        assert!(node.left().is_nothing(), "left at the end: {}", node.left());
        assert_eq!(reached.nbls_completed, reached.nbls_sent, "sends and completions");
    }
    if reached.panics == 0 && reached.shutdowns == 0 {
        assert_eq!(reached.nbls_returned, reached.nbls_indicated, "receives and returns");
    }
    assert_eq!(outstanding, 0, "NBLs that did not come back to their pool");
    reached
}

fn settle(sim: &Sim) {
    let _ = sim.run_until_idle(Duration::from_secs(60));
}

/// Completes what the drivers have pended or hold.
fn complete_all<R: World>(bench: &Arc<Bench<R>>) {
    let (owed, sends, kept) = {
        let mut state = bench.lock();
        (std::mem::take(&mut state.owed), std::mem::take(&mut state.sends), std::mem::take(&mut state.kept))
    };
    owed.into_iter().for_each(|owed| owed(End::Complete(true)));
    sends.into_iter().for_each(|sends| sends.complete(NdisStatus::SUCCESS));
    kept.into_iter().for_each(|kept| kept.give_back());
}

/// Drops every handle, outside of the lock, and says how many NBLs are out then.
fn forget<R: World>(bench: &Arc<Bench<R>>, sim: &Sim) -> usize {
    let handles = {
        let mut state = bench.lock();
        (
            std::mem::take(&mut state.slots),
            (std::mem::take(&mut state.client_saps), std::mem::take(&mut state.manager_saps)),
            (std::mem::take(&mut state.client_afs), std::mem::take(&mut state.manager_afs)),
            (state.client_binding.take(), state.manager_binding.take()),
            (state.adapter.take(), state.control.take()),
        )
    };
    drop(handles);
    complete_all(bench);
    settle(sim);
    bench.pool.outstanding()
}

/// Keeps nothing: with a listener every crossing takes the watched way. Shows all of it if asked.
struct Listener;

impl Sink for Listener {
    fn crossing(&self, crossing: &Crossing<'_>) {
        if shown() {
            let Crossing { driver, way, function, object, .. } = crossing;
            println!("{driver} {way:?} {} {object}", function.name());
        }
    }

    fn report(&self, report: &Report) {
        if shown() {
            println!("{report}");
        }
    }
}

/// `CONDIS_FUZZ_SHOW`: for whoever looks at a failure.
fn shown() -> bool {
    std::env::var_os("CONDIS_FUZZ_SHOW").is_some()
}

thread_local! {
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

/// Panics of this thread that a panic hook heard of. Those that the drivers planned go past the hooks, so what is counted is
/// the library's, also where a guard around a driver caught it.
fn panics_here() -> u64 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
    PANICS.get()
}
