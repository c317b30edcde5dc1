//! What the model found, each as the shortest walk that shows it, in both worlds.

use condis::role::{CallManager, Mcm};

use super::reference::{Op, Planned};
use super::rig::{Cb, Clock, How, Seat};
use super::{Step, check};

fn step(op: Op) -> Step {
    Step { op, plans: Vec::new() }
}

impl Step {
    fn plan(mut self, cb: Cb, how: How, then: impl IntoIterator<Item = Op>) -> Step {
        self.plans.push(Planned { vc: 0, cb, then: then.into_iter().collect(), how });
        self
    }
}

fn walk(steps: &[Step]) {
    for seed in 0..2 {
        check::<CallManager>(steps, Clock::sim(), seed).unwrap_or_else(|what| panic!("{what}"));
        check::<Mcm>(steps, Clock::sim(), seed).unwrap_or_else(|what| panic!("{what}"));
    }
}

fn multipoint_call() -> Step {
    step(Op::Make { vc: 0, multipoint: true }).plan(Cb::Make, How::Ok, [Op::Activate(0)])
}

fn close() -> Step {
    step(Op::Close(0)).plan(Cb::Close, How::Ok, [Op::Deactivate(0)])
}

#[test]
fn a_closed_multipoint_call_leaves_no_party() {
    walk(&[step(Op::NewByClient { refuse: None }), multipoint_call(), close()]);
}

#[test]
fn the_next_call_on_a_vc_does_not_get_the_party_of_the_last_one() {
    let plain = step(Op::Make { vc: 0, multipoint: false }).plan(Cb::Make, How::Ok, [Op::Activate(0)]);
    walk(&[step(Op::NewByClient { refuse: None }), multipoint_call(), close(), plain, step(Op::Add(0))]);
}

#[test]
fn a_close_does_not_overtake_the_end_of_the_make_call() {
    // The make-call ends inside the close: the client hears of it first, so the close cannot be SUCCESS at once.
    walk(&[
        step(Op::NewByClient { refuse: None }),
        step(Op::Make { vc: 0, multipoint: false }).plan(Cb::Make, How::Pend, []),
        step(Op::Close(0)).plan(Cb::Close, How::Ok, [Op::EndMake { vc: 0, ok: false }]),
    ]);
}

#[test]
fn a_client_hears_nothing_of_a_vc_that_it_deleted_inside_an_upcall() {
    // The second make-call ends while the client still is in the completion of the first, and so does the close.
    walk(&[
        step(Op::NewByClient { refuse: None }),
        step(Op::Make { vc: 0, multipoint: false }).plan(Cb::Make, How::Pend, []),
        step(Op::EndMake { vc: 0, ok: false })
            .plan(
                Cb::Told(Seat::Client),
                How::Ok,
                [Op::Make { vc: 0, multipoint: false }, Op::Close(0), Op::Delete(0)],
            )
            .plan(Cb::Make, How::Pend, [])
            .plan(Cb::Close, How::Ok, [Op::EndMake { vc: 0, ok: false }]),
    ]);
}

#[test]
fn a_manager_hears_nothing_of_a_vc_that_it_deleted_inside_an_upcall() {
    // A rejected offer on an active VC: the manager deactivates and deletes inside the completion, and the miniport's
    // answer comes through its own completion call.
    walk(&[
        step(Op::NewByManager { refuse: None }),
        step(Op::Activate(0)),
        step(Op::Offer(0)).plan(Cb::Offer, How::Pend, []),
        step(Op::EndOffer { vc: 0, ok: false })
            .plan(Cb::Told(Seat::Manager), How::Ok, [Op::Deactivate(0), Op::Delete(0)])
            .plan(Cb::Deactivate, How::EarlyOk, []),
    ]);
}
