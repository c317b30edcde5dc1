//! Aim: over a line of SDUs the miniport hands on what it is given, where it lies, in order and by its contract. Method: two
//! miniports on a pipe that notes in how many pieces each SDU came.

use std::sync::Arc;
use std::time::Duration;

use condis::runtime::{Ran, Runtime, Sim};
use condis::status::NdisStatus;
use condis_atm::VpVc;
use condis_atm::driver::{Aal, AtmFlow, AtmVcParams};
use condis_atm::traffic::Contract;

use crate::bare::{LONG, Side, sdu};
use crate::pipe::Pipe;

const VC: VpVc = VpVc::new(0, 100);

fn world(room: usize) -> (Arc<Sim>, [Arc<Pipe>; 2], [Side; 2]) {
    let sim = Sim::new(1);
    let runtime: Arc<dyn Runtime> = sim.clone();
    let pipes = Pipe::pair(&runtime, room);
    let sides = [("a", pipes[0].clone()), ("b", pipes[1].clone())];
    let sides = sides.map(|(name, pipe)| Side::new(&sim, name, pipe));
    assert_eq!(sim.run_until_idle(LONG), Ran::Idle);
    (sim, pipes, sides)
}

fn finish(sim: &Sim, sides: &[Side; 2]) {
    for side in sides {
        side.adapter.remove(|| ());
    }
    assert_eq!(sim.run_until_idle(LONG), Ran::Idle);
    sides.iter().for_each(Side::check_the_end);
}

#[test]
fn sdus_are_handed_on_where_they_lie() {
    let (sim, pipes, sides) = world(5);
    for side in &sides {
        side.bare.open(&AtmVcParams::ubr(VC, 9188)).expect("there is room");
    }
    let sdus: Vec<_> = (0..100).map(|number| sdu(number, 30 * number as usize + 1)).collect();
    for batch in sdus.chunks(40) {
        sides[0].bare.send(VC, batch.to_vec());
    }
    sides[0].bare.send(VC, [vec![0; 9189]]);
    assert_eq!(sim.run_until_idle(LONG), Ran::Idle);
    assert_eq!(sides[1].bare.received(VC), sdus);
    // Those of more than 1400 octets were sent in two pieces, and not put together on the way.
    let pieces: Vec<_> = sdus.iter().map(|sdu| if sdu.len() > 1400 { 2 } else { 1 }).collect();
    assert_eq!(pipes[0].pieces(), pieces);
    assert!(sides[0].count("queued") > 0, "the pipe holds five");
    assert_eq!(sides[0].count("refused_length"), 1);
    sides[0].bare.close(VC);
    assert_eq!(pipes[0].opened(), [(VC, true), (VC, false)]);
    // AAL0 needs cells.
    let raw = AtmVcParams { aal: Aal::Aal0, ..AtmVcParams::ubr(VC, 48) };
    assert_eq!(sides[0].bare.open(&raw), Err(NdisStatus::INVALID_DATA));
    finish(&sim, &sides);
}

/// An SDU counts as the cells it would be.
#[test]
fn contracts_shape_sdus() {
    let (sim, _, sides) = world(100);
    let flow = AtmFlow { contract: Contract::cbr(1_000), sdu_octets_max: 9188 };
    let params = AtmVcParams { transmit: flow, receive: flow, ..AtmVcParams::ubr(VC, 9188) };
    for side in &sides {
        side.bare.open(&params).expect("there is room");
    }
    let begin = sim.now();
    sides[0].bare.send(VC, (0..11).map(|number| sdu(number, 472)));
    assert_eq!(sim.run_until_idle(LONG), Ran::Idle);
    // Ten cells each: the last may go after ten times ten milliseconds.
    assert_eq!(sim.now().since(begin), Duration::from_millis(100));
    assert_eq!(sides[1].bare.received(VC).len(), 11);
    finish(&sim, &sides);
}
