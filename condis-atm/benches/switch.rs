//! Cells through the fabric of a switch (`floors/switch.rs`). One operation is one cell, in at one port and out at another.
//!
//! - *1, 100, 10,000 VCs*: batches of 256 cells in frames of 32 cells, the VC of each frame taken in turn; AAL5 with frame discard.
//! - *each cell of another VC*: the worst for caches and for runs.
//! - *policed*: each VC is held to a contract.
//! - *three legs*: each cell is copied to three ports; one operation is still one cell in.

use std::hint::black_box;
use std::time::Duration;

use condis::runtime::Time;
use condis_atm::VpVc;
use condis_atm::cell::{HeaderWord, Interface, Pti};
use condis_atm::switch::PortId;
use condis_atm::switch::fabric::{Class, Fabric, FabricPort, FlowConfig, QueueLimits};
use condis_atm::traffic::Contract;
use condis_link::atm::{ATM_BATCH_MAX, Cell, Form};

use crate::counting::Counting;
use crate::floor::Floor;
use crate::harness::{Harness, Target};

#[path = "../../condis/benches/harness/counting.rs"]
mod counting;
#[path = "floors/switch.rs"]
mod floor;
#[path = "../../condis/benches/harness/mod.rs"]
mod harness;

#[global_allocator]
static COUNTING: Counting = Counting;

const IN: PortId = PortId(1);
const OUT: [PortId; 3] = [PortId(2), PortId(3), PortId(4)];
const FRAME_CELLS: usize = 32;

fn main() {
    let mut harness = Harness::from_env("cells through a switch");
    for vcs in [1, 100, 10_000] {
        case(
            &mut harness,
            &format!("{vcs} VCs, a frame each"),
            vcs,
            Case { frame_cells: FRAME_CELLS, ..Case::PLAIN },
        );
    }
    for vcs in [100, 10_000] {
        case(&mut harness, &format!("{vcs} VCs, a cell each"), vcs, Case::PLAIN);
    }
    case(
        &mut harness,
        "100 VCs, policed",
        100,
        Case { frame_cells: FRAME_CELLS, policed: true, ..Case::PLAIN },
    );
    case(&mut harness, "100 VCs, three legs", 100, Case { frame_cells: FRAME_CELLS, legs: 3, ..Case::PLAIN });
    harness.figure("allocations in 1,000 batches", "allocations", Target::AtMost(0.0), || {
        let mut lines = Lines::new(100, &Case { frame_cells: FRAME_CELLS, ..Case::PLAIN });
        lines.pass(100 * ATM_BATCH_MAX as u64);
        let before = counting::allocations();
        lines.pass(1_000 * ATM_BATCH_MAX as u64);
        (counting::allocations() - before) as f64
    });
    harness.finish();
}

struct Case {
    /// Cells of one VC that come one behind the other.
    frame_cells: usize,
    policed: bool,
    legs: usize,
}

impl Case {
    const PLAIN: Case = Case { frame_cells: 1, policed: false, legs: 1 };
}

fn case(harness: &mut Harness, title: &str, vcs: u16, case: Case) {
    let mut lines = Lines::new(vcs, &case);
    let mut floor = Floor::new(vcs.into(), 8_192);
    let batches = lines.batches.clone();
    let mut at = 0;
    let outcome = harness.compare(
        title,
        Target::None,
        |n| {
            for _ in 0..n.div_ceil(ATM_BATCH_MAX as u64) {
                floor.pass(&batches[at], |cells| {
                    black_box(cells.len());
                });
                at = (at + 1) % batches.len();
            }
        },
        |n| lines.pass(n),
    );
    if let Some(outcome) = outcome {
        println!("{:<44} {:>9.1} million cells/s", "", 1e3 / outcome.ours_ns);
    }
}

/// A fabric with its ports, and batches of cells for it.
struct Lines {
    fabric: Fabric,
    batches: Vec<Vec<Cell>>,
    at: usize,
    now: Time,
}

impl Lines {
    fn new(vcs: u16, case: &Case) -> Lines {
        let mut fabric = Fabric::new();
        let config = FabricPort {
            form: Form::Cells,
            sdu_octets_max: 65_535,
            cells_per_s: None,
            queues: QueueLimits::default(),
            flows_max: 65_536,
        };
        for port in OUT.into_iter().chain([IN]) {
            fabric.add_port(port, &config);
            fabric.set_up(port, true);
        }
        let policed =
            case.policed.then_some(Contract { pcr_cells_per_s: Some(100_000_000), ..Contract::UBR });
        for vci in 32..32 + vcs {
            let flow = FlowConfig { policed, ..FlowConfig::aal5(Class::Ubr) };
            fabric.open(IN, VpVc::new(0, vci), flow).expect("it is free");
            for port in &OUT[..case.legs] {
                fabric.add_leg(IN, VpVc::new(0, vci), *port, VpVc::new(0, vci + 1_000)).expect("it is free");
            }
        }
        // Every VC has its turn; 40 batches of one are as good as one.
        let frames = (usize::from(vcs)).max(40 * ATM_BATCH_MAX / case.frame_cells);
        let mut cells = Vec::with_capacity(frames * case.frame_cells);
        for frame in 0..frames {
            let vci = 32 + (frame % usize::from(vcs)) as u16;
            let header = HeaderWord::new(Interface::Uni, VpVc::new(0, vci)).expect("a UNI has it");
            for at in 1..=case.frame_cells {
                let pti = if at == case.frame_cells { Pti::USER_LAST } else { Pti::USER };
                cells.push(header.with_pti(pti).cell(&[frame as u8; 48]));
            }
        }
        let batches = cells.chunks_exact(ATM_BATCH_MAX).map(<[Cell]>::to_vec).collect();
        Lines { fabric, batches, at: 0, now: Time::ZERO }
    }

    fn pass(&mut self, cells: u64) {
        for _ in 0..cells.div_ceil(ATM_BATCH_MAX as u64) {
            self.now = self.now.after(Duration::from_micros(10));
            self.fabric.handle_cells(self.now, IN, &self.batches[self.at]);
            self.at = (self.at + 1) % self.batches.len();
            while let Some((port, _)) = self.fabric.poll_ready(self.now) {
                let mut sent = 0;
                self.fabric.transmit_cells(self.now, port, |cells| {
                    sent += black_box(cells).len();
                    cells.len()
                });
                assert_eq!(sent, ATM_BATCH_MAX, "nothing is lost");
            }
        }
    }
}
