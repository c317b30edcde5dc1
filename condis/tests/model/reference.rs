//! The life of a VC as a second, simple program: what each call returns and whom it calls.
//!
//! Transcribed from the state table of `docs/reference/condis-calls.md` section 6.2, whose row numbers stand in the arms,
//! and from sections 3.5, 8.1 and 8.5 of the two references for refusals and data. It shares no code with the library.
//!
//! What the table leaves open is read as follows.
//! - Upcalls of one VC to one driver never nest; one that comes up inside another waits for its return (CO-204). What tells
//!   a driver the end of a call also waits until the other drivers have come out of their upcalls.
//! - A close that is answered SUCCESS at once is PENDING nevertheless while either driver has something to hear first.
//! - A refused close falls back on what the call is by then, if its make-call or offer was answered in between.

#![allow(unreachable_pub, reason = "a part of one test")]

use std::collections::{BTreeMap, VecDeque};

use crate::rig::{Cb, How, Seat};
use Seat::{Client, Lower, Manager};

/// One call of a driver. Numbers name VCs by the order of their creation, and parties by the order they were asked for.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    NewByClient { refuse: Option<Seat> },
    NewByManager { refuse: Option<Seat> },
    NewSignaling { refuse: Option<Seat> },
    Delete(usize),
    Retire(usize),
    Make { vc: usize, multipoint: bool },
    EndMake { vc: usize, ok: bool },
    Close(usize),
    EndClose { vc: usize, ok: bool },
    Offer(usize),
    EndOffer { vc: usize, ok: bool },
    Connected(usize),
    RemoteClose(usize),
    Activate(usize),
    EndActivate { vc: usize, ok: bool },
    Deactivate(usize),
    EndDeactivate { vc: usize, ok: bool },
    Qos(usize),
    EndQos { vc: usize, ok: bool },
    RemoteQos(usize),
    Add(usize),
    EndAdd { vc: usize, ok: bool },
    Drop { vc: usize, party: usize },
    EndDrop { vc: usize, ok: bool },
    RemoteDrop { vc: usize, party: usize },
    Send { vc: usize, nbls: u64 },
    CompleteSend { vc: usize, ok: bool },
    Indicate { vc: usize, nbls: u64, lent: bool },
    Return(usize),
}

/// What a callback will do when it comes.
#[derive(Clone, PartialEq, Debug)]
pub struct Planned {
    pub vc: usize,
    pub cb: Cb,
    pub then: Vec<Op>,
    pub how: How,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    A,
    B,
    C,
    D,
    E,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum A {
    I,
    Ac,
    V,
    R,
    D,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::enum_variant_names, reason = "the names of the table")]
pub enum C {
    None,
    OP,
    IO { gone: bool },
    IA,
    CN,
    RC,
    CL,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Its creation was refused.
    Never,
    Live,
    Deleting,
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartyIs {
    Adding,
    Connected,
    Dropping,
    Gone,
}

/// A request that its callee answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Req {
    Make,
    Close,
    Offer,
    Qos,
    Activate,
    Deactivate,
    Add(usize),
    Drop(usize),
}

impl Req {
    fn seat(self) -> Seat {
        match self {
            Req::Offer => Client,
            Req::Activate | Req::Deactivate => Lower,
            Req::Make | Req::Close | Req::Qos | Req::Add(_) | Req::Drop(_) => Manager,
        }
    }

    fn cb(self) -> (Cb, &'static str) {
        match self {
            Req::Make => (Cb::Make, "make"),
            Req::Close => (Cb::Close, "close"),
            Req::Offer => (Cb::Offer, "incoming call"),
            Req::Qos => (Cb::Qos, "qos"),
            Req::Activate => (Cb::Activate, "activate"),
            Req::Deactivate => (Cb::Deactivate, "deactivate"),
            Req::Add(_) => (Cb::AddParty, "add party"),
            Req::Drop(_) => (Cb::DropParty, "drop party"),
        }
    }
}

#[derive(Clone, Debug)]
enum Up {
    Ask(Req),
    /// A completion or an indication, the sides that must be out of their upcalls, and the party that it connects.
    Told(Seat, String, &'static [Seat], Option<usize>),
}

impl Up {
    fn seat(&self) -> Seat {
        match self {
            Up::Ask(req) => req.seat(),
            Up::Told(seat, ..) => *seat,
        }
    }
}

/// One VC.
#[derive(Clone, Debug)]
pub struct Vc {
    pub variant: Variant,
    pub life: Life,
    pub retired: bool,
    pub owned: bool,
    pub a: A,
    pub c: C,
    /// In CL: where a refused close falls back to, what is owed, and whether the (M)CM is done.
    before: C,
    make_owed: bool,
    answer_owed: bool,
    done: bool,
    pub q: bool,
    pub multipoint: bool,
    pub connected_parties: u16,
    party_ops: u16,
    pub parties: Vec<PartyIs>,
    /// How many of them the (M)CM has been asked for.
    asked: usize,
    /// The parties whose handles the client has, in the order it got them.
    pub client_parties: Vec<usize>,
    lower_done: bool,
    pub tx: u64,
    pub rx: u64,
    pub sends: VecDeque<u64>,
    pub kept: VecDeque<u64>,
    pub pended: Vec<&'static str>,
    adds: VecDeque<usize>,
    drops: VecDeque<usize>,
    pub client_knows: bool,
    pub manager_knows: bool,
    pub lower_knows: bool,
    busy: [bool; 3],
    queues: [VecDeque<Up>; 3],
    plans: BTreeMap<Cb, VecDeque<(Vec<Op>, How)>>,
}

/// The model of all VCs of a node, and what has become visible since the last look.
#[derive(Clone, Default)]
pub struct Model {
    pub mcm: bool,
    pub vcs: Vec<Vc>,
    pub logs: [Vec<String>; 3],
    pub results: Vec<String>,
    pub reports: Vec<&'static str>,
}

const SUCCESS: &str = "SUCCESS";
const PENDING: &str = "PENDING";
const FAILURE: &str = "FAILURE";
const NOT_ACCEPTED: &str = "NOT_ACCEPTED";
const CLOSING: &str = "CLOSING";
const REFUSAL: &str = "RESOURCES";
/// The call could not be made, for the lack of a handle or of anything to complete.
pub const NOTHING: &str = "-";

fn verdict(ok: bool) -> &'static str {
    if ok { SUCCESS } else { REFUSAL }
}

impl Vc {
    fn carries(&self) -> bool {
        matches!(self.a, A::V | A::R)
    }

    fn drained(&self) -> bool {
        self.tx == 0 && self.rx == 0
    }

    fn by_client(&self) -> bool {
        matches!(self.variant, Variant::A | Variant::B)
    }

    fn has_miniport(&self) -> bool {
        matches!(self.variant, Variant::A | Variant::C | Variant::E)
    }

    fn idle(&self, seat: Seat) -> bool {
        !self.busy[seat as usize] && self.queues[seat as usize].is_empty()
    }

    /// Who hears completions of activations: the call manager, in its seat of this VC.
    fn activator(&self) -> Seat {
        if self.variant == Variant::E { Client } else { Manager }
    }
}

impl Model {
    pub fn new(mcm: bool) -> Model {
        Model { mcm, ..Model::default() }
    }

    /// Carries out one call of a driver, with what was planned for the callbacks that it causes.
    pub fn step(&mut self, op: &Op, plans: &[Planned]) {
        for plan in plans {
            if let Some(vc) = self.vcs.get_mut(plan.vc) {
                vc.plans.entry(plan.cb).or_default().push_back((plan.then.clone(), plan.how));
            }
        }
        self.run(op);
        self.vcs.iter_mut().for_each(|vc| vc.plans.clear());
    }

    fn run(&mut self, op: &Op) {
        let result = self.apply(op);
        self.results.push(result.to_owned());
    }

    fn log(&mut self, seat: Seat, vc: usize, what: &str) {
        self.logs[seat as usize].push(format!("{vc}: {what}"));
    }

    fn live(&self, vc: usize) -> bool {
        self.vcs[vc].life == Life::Live
    }

    fn apply(&mut self, op: &Op) -> &'static str {
        match *op {
            Op::NewByClient { refuse } => self.create(if self.mcm { Variant::B } else { Variant::A }, refuse),
            Op::NewByManager { refuse } => {
                self.create(if self.mcm { Variant::D } else { Variant::C }, refuse)
            }
            Op::NewSignaling { .. } if self.mcm => NOTHING,
            Op::NewSignaling { refuse } => self.create(Variant::E, refuse),
            Op::Delete(vc) if self.vcs[vc].owned => self.delete_by_owner(vc),
            Op::Retire(vc) if self.vcs[vc].owned => {
                self.vcs[vc].owned = false;
                self.vcs[vc].retired = true;
                self.after(vc);
                NOTHING
            }
            Op::Delete(_) | Op::Retire(_) => NOTHING,
            Op::Make { vc, .. } | Op::Close(vc) | Op::Qos(vc) | Op::Add(vc)
                if !self.vcs[vc].client_knows || self.vcs[vc].variant == Variant::E =>
            {
                NOTHING
            }
            Op::Offer(vc) | Op::Connected(vc) | Op::RemoteClose(vc) | Op::RemoteQos(vc)
                if !self.vcs[vc].manager_knows || self.vcs[vc].variant == Variant::E =>
            {
                NOTHING
            }
            Op::Make { vc, multipoint } => self.make(vc, multipoint),
            Op::Close(vc) => self.close(vc),
            Op::Qos(vc) => self.qos(vc),
            Op::Add(vc) => self.add(vc),
            Op::Drop { vc, party } => self.drop_party(vc, party),
            Op::Offer(vc) => self.offer(vc),
            // What is queued gets its turn with these too, refused or not.
            Op::Connected(vc) => self.then_after(vc, Self::dispatch_connected),
            Op::RemoteClose(vc) => self.then_after(vc, Self::remote_close),
            Op::RemoteQos(vc) => self.then_after(vc, Self::remote_qos),
            Op::RemoteDrop { vc, party } => self.then_after(vc, |model, vc| model.remote_drop(vc, party)),
            Op::Activate(vc) if self.mcm => self.then_after(vc, Self::activate),
            Op::Deactivate(vc) if self.mcm => self.then_after(vc, Self::deactivate),
            Op::Activate(vc) => self.activate(vc),
            Op::Deactivate(vc) => self.deactivate(vc),
            Op::EndMake { vc, ok } => self.complete(vc, "make", Req::Make, ok),
            Op::EndClose { vc, ok } => self.complete(vc, "close", Req::Close, ok),
            Op::EndOffer { vc, ok } => self.complete(vc, "offer", Req::Offer, ok),
            Op::EndQos { vc, ok } => self.complete(vc, "qos", Req::Qos, ok),
            Op::EndActivate { vc, ok } => self.complete(vc, "activate", Req::Activate, ok),
            Op::EndDeactivate { vc, ok } => self.complete(vc, "deactivate", Req::Deactivate, ok),
            Op::EndAdd { vc, ok } => match self.vcs[vc].adds.pop_front() {
                Some(party) => self.answer_late(vc, Req::Add(party), ok),
                None => NOTHING,
            },
            Op::EndDrop { vc, ok } => match self.vcs[vc].drops.pop_front() {
                Some(party) => self.answer_late(vc, Req::Drop(party), ok),
                None => NOTHING,
            },
            Op::Send { vc, nbls } => self.send(vc, nbls),
            Op::CompleteSend { vc, ok } => match self.vcs[vc].sends.pop_front() {
                Some(nbls) => {
                    self.sent(vc, nbls, verdict(ok));
                    NOTHING
                }
                None => NOTHING,
            },
            Op::Indicate { vc, nbls, lent } => self.indicate(vc, nbls, lent),
            Op::Return(vc) => match self.vcs[vc].kept.pop_front() {
                Some(nbls) => {
                    self.returned(vc, nbls);
                    NOTHING
                }
                None => NOTHING,
            },
        }
    }

    fn then_after(&mut self, vc: usize, call: impl FnOnce(&mut Self, usize) -> &'static str) -> &'static str {
        let status = call(self, vc);
        self.after(vc);
        status
    }

    // Existence

    /// E1 to E5, E7: whoever agreed before a refusal is told to delete.
    fn create(&mut self, variant: Variant, refuse: Option<Seat>) -> &'static str {
        let vc = self.vcs.len();
        self.vcs.push(Vc {
            variant,
            life: Life::Live,
            retired: false,
            owned: true,
            a: A::I,
            c: C::None,
            before: C::None,
            make_owed: false,
            answer_owed: false,
            done: false,
            q: false,
            multipoint: false,
            connected_parties: 0,
            party_ops: 0,
            parties: Vec::new(),
            asked: 0,
            client_parties: Vec::new(),
            lower_done: false,
            tx: 0,
            rx: 0,
            sends: VecDeque::new(),
            kept: VecDeque::new(),
            pended: Vec::new(),
            adds: VecDeque::new(),
            drops: VecDeque::new(),
            client_knows: matches!(variant, Variant::A | Variant::B | Variant::E),
            manager_knows: matches!(variant, Variant::C | Variant::D),
            lower_knows: variant == Variant::D,
            busy: [false; 3],
            queues: Default::default(),
            plans: BTreeMap::new(),
        });
        // The miniport first, then the peer.
        let asked: &[Seat] = match variant {
            Variant::A => &[Lower, Manager],
            Variant::B => &[Manager],
            Variant::C => &[Lower, Client],
            Variant::D => &[Client],
            Variant::E => &[Lower],
        };
        let mut agreed = Vec::new();
        for &seat in asked {
            self.log(seat, vc, "create");
            if refuse == Some(seat) {
                for seat in agreed {
                    self.log(seat, vc, "delete");
                }
                let vc = &mut self.vcs[vc];
                (vc.life, vc.owned) = (Life::Never, false);
                (vc.client_knows, vc.manager_knows, vc.lower_knows) = (false, false, false);
                return REFUSAL;
            }
            agreed.push(seat);
        }
        SUCCESS
    }

    fn delete_by_owner(&mut self, vc: usize) -> &'static str {
        // The owner's handle is in the hands of the call meanwhile.
        self.vcs[vc].owned = false;
        let status = self.delete(vc);
        self.vcs[vc].owned = status != SUCCESS;
        status
    }

    /// E9 to E16.
    fn delete(&mut self, vc: usize) -> &'static str {
        let v = &self.vcs[vc];
        if v.life != Life::Live {
            return FAILURE;
        }
        if v.a == A::D {
            return CLOSING;
        }
        if v.c != C::None || v.a != A::I {
            return NOT_ACCEPTED;
        }
        let (own, others): (Seat, &[Seat]) = match v.variant {
            Variant::A | Variant::B => (Client, &[Manager, Lower]),
            Variant::C | Variant::D => (Manager, &[Client, Lower]),
            Variant::E => (Client, &[Lower]),
        };
        if !v.drained()
            || v.q
            || v.party_ops > 0
            || !v.queues[own as usize].is_empty()
            || others.iter().any(|seat| !v.idle(*seat))
        {
            return CLOSING;
        }
        let (variant, has_miniport) = (v.variant, v.has_miniport());
        self.vcs[vc].life = Life::Deleting;
        let peer = match variant {
            Variant::A | Variant::B => Some(Manager),
            Variant::C | Variant::D => Some(Client),
            Variant::E => None,
        };
        if let Some(peer) = peer {
            self.log(peer, vc, "delete");
            if self.act(vc, Cb::Delete) == How::Err {
                let v = &mut self.vcs[vc];
                (v.life, v.retired) = (Life::Live, false);
                return REFUSAL;
            }
        }
        if has_miniport {
            self.log(Lower, vc, "delete");
        }
        self.vcs[vc].life = Life::Gone;
        SUCCESS
    }

    // Upcalls

    /// What a callback does before it answers.
    fn act(&mut self, vc: usize, cb: Cb) -> How {
        match self.vcs[vc].plans.get_mut(&cb).and_then(VecDeque::pop_front) {
            Some((then, how)) => {
                then.iter().for_each(|op| self.run(op));
                how
            }
            None => How::Ok,
        }
    }

    fn request(&mut self, vc: usize, req: Req) -> &'static str {
        let seat = req.seat();
        if !self.vcs[vc].idle(seat) {
            self.vcs[vc].queues[seat as usize].push_back(Up::Ask(req));
            self.after(vc);
            return PENDING;
        }
        self.vcs[vc].busy[seat as usize] = true;
        let reply = self.ask(vc, req).and_then(|ok| self.answer(vc, req, ok, true));
        self.vcs[vc].busy[seat as usize] = false;
        self.after(vc);
        reply.unwrap_or(PENDING)
    }

    /// The callback of a request. Nothing: it pends.
    fn ask(&mut self, vc: usize, req: Req) -> Option<bool> {
        let (cb, name) = req.cb();
        self.log(req.seat(), vc, name);
        let v = &mut self.vcs[vc];
        v.asked += usize::from(matches!(req, Req::Add(_)) || (req == Req::Make && v.multipoint));
        match req.seat() {
            Client => self.vcs[vc].client_knows = true,
            Manager => {
                self.vcs[vc].manager_knows = true;
                if self.mcm {
                    self.vcs[vc].lower_knows = true;
                }
            }
            Lower => self.vcs[vc].lower_knows = true,
        }
        match self.act(vc, cb) {
            How::Ok => Some(true),
            How::Err => Some(false),
            How::Pend => {
                let v = &mut self.vcs[vc];
                match req {
                    Req::Make => v.pended.push("make"),
                    Req::Close => v.pended.push("close"),
                    Req::Offer => v.pended.push("offer"),
                    Req::Qos => v.pended.push("qos"),
                    Req::Activate => v.pended.push("activate"),
                    Req::Deactivate => v.pended.push("deactivate"),
                    Req::Add(party) => v.adds.push_back(party),
                    Req::Drop(party) => v.drops.push_back(party),
                }
                None
            }
            early => {
                self.answer(vc, req, early == How::EarlyOk, false);
                None
            }
        }
    }

    fn complete(&mut self, vc: usize, name: &str, req: Req, ok: bool) -> &'static str {
        match self.vcs[vc].pended.iter().position(|other| *other == name) {
            Some(at) => {
                self.vcs[vc].pended.remove(at);
                self.answer_late(vc, req, ok)
            }
            None => NOTHING,
        }
    }

    fn answer_late(&mut self, vc: usize, req: Req, ok: bool) -> &'static str {
        self.answer(vc, req, ok, false);
        NOTHING
    }

    /// An answer came: with the return of the callback, to be returned to the requester in its turn, or later.
    fn answer(&mut self, vc: usize, req: Req, ok: bool, returned: bool) -> Option<&'static str> {
        let reply = match req {
            Req::Make => self.made(vc, ok, returned),
            Req::Close => self.closed(vc, ok, returned),
            Req::Offer => self.answered(vc, ok, returned),
            Req::Qos => self.qos_changed(vc, ok, returned),
            Req::Activate => self.activated(vc, ok, returned),
            Req::Deactivate => self.deactivated(vc, ok, returned),
            Req::Add(party) => self.added(vc, party, ok, returned),
            Req::Drop(party) => self.dropped(vc, party, ok, returned),
        };
        self.after(vc);
        reply
    }

    fn tell(&mut self, vc: usize, seat: Seat, what: String, waits: &'static [Seat]) {
        self.vcs[vc].queues[seat as usize].push_back(Up::Told(seat, what, waits, None));
    }

    /// After every change: a close that has nothing left to wait for is over, what is queued gets its turn, and a VC that
    /// its owner gave up goes.
    fn after(&mut self, vc: usize) {
        if self.close_is_over(vc) {
            self.end_call(vc);
            self.tell(vc, Client, format!("close complete {SUCCESS}"), &[Manager, Lower]);
        }
        while let Some(up) = self.next(vc) {
            let seat = up.seat();
            self.vcs[vc].busy[seat as usize] = true;
            match up {
                Up::Ask(req) => {
                    if let Some(ok) = self.ask(vc, req) {
                        self.answer(vc, req, ok, false);
                    }
                }
                Up::Told(seat, what, _, party) => {
                    self.vcs[vc].client_parties.extend(party);
                    self.log(seat, vc, &what);
                    self.act(vc, Cb::Told(seat));
                }
            }
            self.vcs[vc].busy[seat as usize] = false;
            self.go_if_retired(vc);
        }
        self.go_if_retired(vc);
    }

    fn go_if_retired(&mut self, vc: usize) {
        if self.vcs[vc].retired {
            self.delete(vc);
        }
    }

    fn next(&mut self, vc: usize) -> Option<Up> {
        let v = &mut self.vcs[vc];
        for seat in [Manager, Lower, Client] {
            let Some(head) = v.queues[seat as usize].front() else { continue };
            let waits: &[Seat] = if let Up::Told(_, _, waits, _) = head { waits } else { &[] };
            if !v.busy[seat as usize] && waits.iter().all(|other| !v.busy[*other as usize]) {
                return v.queues[seat as usize].pop_front();
            }
        }
        None
    }

    // Activation

    fn activate(&mut self, vc: usize) -> &'static str {
        let v = &mut self.vcs[vc];
        let knows = if v.variant == Variant::E { v.client_knows } else { v.manager_knows };
        if !knows {
            return NOTHING;
        }
        if v.life != Life::Live {
            return FAILURE;
        }
        if self.mcm {
            // A8
            v.a = A::V;
            self.after(vc);
            return SUCCESS;
        }
        v.a = match v.a {
            A::I => A::Ac,                       // A1
            A::V => A::R,                        // A4
            A::Ac | A::R => return NOT_ACCEPTED, // A6
            A::D => return CLOSING,              // A7
        };
        self.request(vc, Req::Activate)
    }

    fn activated(&mut self, vc: usize, ok: bool, returned: bool) -> Option<&'static str> {
        let v = &mut self.vcs[vc];
        v.a = match (v.a, ok) {
            (A::Ac, false) => A::I, // A1, A3
            _ => A::V,              // A1, A2, A4, A5
        };
        if returned {
            return Some(verdict(ok));
        }
        let seat = v.activator();
        self.tell(vc, seat, format!("activate complete {}", verdict(ok)), &[]);
        None
    }

    fn deactivate(&mut self, vc: usize) -> &'static str {
        let v = &mut self.vcs[vc];
        let knows = if v.variant == Variant::E { v.client_knows } else { v.manager_knows };
        if !knows {
            return NOTHING;
        }
        if v.life != Life::Live {
            return FAILURE;
        }
        match (self.mcm, v.a) {
            (_, A::I) => return NOT_ACCEPTED,             // A13, A15
            (false, A::Ac | A::R) => return NOT_ACCEPTED, // A11
            (false, A::D) => return CLOSING,              // A12
            (true, _) => v.a = A::I,                      // A14
            (false, A::V) => v.a = A::D,                  // A9
        }
        let unasked = v.c == C::CN;
        let status = if self.mcm {
            if !v.drained() && v.c != C::CL {
                self.reports.push("X-33");
            }
            self.after(vc);
            SUCCESS
        } else {
            v.lower_done = false;
            self.request(vc, Req::Deactivate)
        };
        if unasked {
            self.reports.push("A17");
        }
        status
    }

    /// A10. Whatever the status, the VC ends inactive (DP-111), once it is drained.
    fn deactivated(&mut self, vc: usize, ok: bool, returned: bool) -> Option<&'static str> {
        let v = &mut self.vcs[vc];
        if !v.drained() {
            v.lower_done = true;
            return None;
        }
        v.a = A::I;
        if returned {
            return Some(verdict(ok));
        }
        let seat = v.activator();
        self.tell(vc, seat, format!("deactivate complete {}", verdict(ok)), &[]);
        None
    }

    // Outgoing calls

    fn make(&mut self, vc: usize, multipoint: bool) -> &'static str {
        let v = &mut self.vcs[vc];
        if v.life != Life::Live || !v.by_client() {
            return FAILURE;
        }
        // O1
        match v.c {
            C::None if v.a == A::D || (v.a == A::I && !v.drained()) => return CLOSING,
            // A change of the last call is still owed.
            C::None if v.q || v.party_ops > 0 => return CLOSING,
            C::None if v.a == A::I => {}
            C::CL => return CLOSING,
            _ => return NOT_ACCEPTED,
        }
        (v.c, v.multipoint, v.connected_parties) = (C::OP, multipoint, 0);
        if multipoint {
            v.parties.push(PartyIs::Adding);
        }
        self.request(vc, Req::Make)
    }

    fn made(&mut self, vc: usize, ok: bool, returned: bool) -> Option<&'static str> {
        let carries = self.vcs[vc].carries();
        let up = ok && carries;
        if ok && !carries {
            self.reports.push("X-45");
        }
        let status = if ok && !carries { FAILURE } else { verdict(ok) };
        let v = &mut self.vcs[vc];
        let closing = v.c == C::CL;
        let now = if up { C::CN } else { C::None };
        if closing {
            (v.make_owed, v.before) = (false, now); // O9
        } else {
            v.c = now; // O2, O4, O5, O6
        }
        let mut party = None;
        if v.multipoint {
            let newest = v.parties.len() - 1;
            v.parties[newest] = if up { PartyIs::Connected } else { PartyIs::Gone };
            v.connected_parties = u16::from(up);
            party = up.then_some(newest);
        }
        if returned && !closing {
            v.client_parties.extend(party);
            return Some(status);
        }
        let waits: &[Seat] = if status == SUCCESS { &[] } else { &[Manager, Lower] };
        v.queues[Client as usize].push_back(Up::Told(
            Client,
            format!("make complete {status}"),
            waits,
            party,
        ));
        None
    }

    // Incoming calls

    fn offer(&mut self, vc: usize) -> &'static str {
        let v = &mut self.vcs[vc];
        if v.life != Life::Live || v.by_client() {
            return FAILURE;
        }
        // N1
        match v.c {
            C::None if v.a == A::D || (v.a == A::I && !v.drained()) => return CLOSING,
            // A change of the last call is still owed.
            C::None if v.q || v.party_ops > 0 => return CLOSING,
            C::None => {}
            C::CL => return CLOSING,
            _ => return NOT_ACCEPTED,
        }
        (v.c, v.multipoint) = (C::IO { gone: false }, false);
        self.request(vc, Req::Offer)
    }

    fn answered(&mut self, vc: usize, ok: bool, returned: bool) -> Option<&'static str> {
        let v = &mut self.vcs[vc];
        let mut status = verdict(ok);
        match v.c {
            C::IO { gone: false } => v.c = if ok { C::IA } else { C::None }, // N2, N4, N5, N6
            C::IO { gone: true } => v.c = if ok { C::RC } else { C::None },  // L2a
            C::CL => {
                // L2b: a rejection by now.
                (v.answer_owed, v.before) = (false, C::None);
                if ok {
                    status = FAILURE;
                }
            }
            _ => {}
        }
        if returned {
            return Some(status);
        }
        let waits: &[Seat] = if status == SUCCESS { &[] } else { &[Client] };
        self.tell(vc, Manager, format!("incoming complete {status}"), waits);
        None
    }

    /// N7.
    fn dispatch_connected(&mut self, vc: usize) -> &'static str {
        let (live, carries, c) = (self.live(vc), self.vcs[vc].carries(), self.vcs[vc].c);
        match c {
            C::IA if live && carries => {
                self.vcs[vc].c = C::CN;
                self.tell(vc, Client, "connected".into(), &[]);
                self.after(vc);
            }
            C::IA if live => self.reports.push("X-45"),
            C::CL | C::RC => {}
            _ => self.reports.push("CO-140"),
        }
        NOTHING
    }

    // Closing

    fn remote_close(&mut self, vc: usize) -> &'static str {
        let live = self.live(vc);
        let v = &mut self.vcs[vc];
        match v.c {
            C::CN | C::IA if live => v.c = C::RC,                           // L1
            C::IO { gone: false } if live => v.c = C::IO { gone: true },    // L2
            C::RC | C::CL | C::IO { gone: true } if live => return NOTHING, // L3, L4
            _ => {
                self.reports.push("CO-158"); // L5, L6
                return NOTHING;
            }
        }
        self.tell(vc, Client, "remote close".into(), &[]);
        self.after(vc);
        NOTHING
    }

    fn close(&mut self, vc: usize) -> &'static str {
        let live = self.live(vc);
        // X-48 is the verifier's to report: a send counts until its completion has returned, and a client may close in there.
        let v = &mut self.vcs[vc];
        if !live {
            return FAILURE;
        }
        match v.c {
            C::CN | C::IA | C::RC | C::OP | C::IO { gone: true } => {} // L7, O8, L2b
            C::IO { gone: false } | C::None => return NOT_ACCEPTED,
            C::CL => return CLOSING,
        }
        if v.connected_parties > 1 {
            return NOT_ACCEPTED; // P6
        }
        v.before = v.c;
        v.make_owed = v.c == C::OP;
        v.answer_owed = v.c == C::IO { gone: true };
        v.done = false;
        v.c = C::CL;
        self.request(vc, Req::Close)
    }

    fn closed(&mut self, vc: usize, ok: bool, returned: bool) -> Option<&'static str> {
        if !ok {
            // L10, L12
            let v = &mut self.vcs[vc];
            v.c = v.before;
            if returned {
                return Some(REFUSAL);
            }
            self.tell(vc, Client, format!("close complete {REFUSAL}"), &[]);
            return None;
        }
        self.vcs[vc].done = true;
        // L8, L11
        let v = &self.vcs[vc];
        let nothing_to_hear = v.queues[Client as usize].is_empty() && v.queues[Manager as usize].is_empty();
        if returned && nothing_to_hear && self.close_is_over(vc) {
            self.end_call(vc);
            return Some(SUCCESS);
        }
        None
    }

    /// L13.
    fn close_is_over(&self, vc: usize) -> bool {
        let v = &self.vcs[vc];
        v.c == C::CL
            && v.done
            && !v.make_owed
            && !v.answer_owed
            && v.a == A::I
            && v.drained()
            && !v.q
            && v.party_ops == 0
    }

    /// The last party goes with the call.
    fn end_call(&mut self, vc: usize) {
        let v = &mut self.vcs[vc];
        (v.c, v.multipoint, v.connected_parties) = (C::None, false, 0);
        v.parties.iter_mut().for_each(|party| *party = PartyIs::Gone);
    }

    // Quality of service

    fn qos(&mut self, vc: usize) -> &'static str {
        if !self.live(vc) {
            return FAILURE;
        }
        let v = &mut self.vcs[vc];
        // Q1, N8
        if v.q || !matches!(v.c, C::CN | C::IO { gone: false }) {
            return NOT_ACCEPTED;
        }
        v.q = true;
        self.request(vc, Req::Qos)
    }

    /// Q2.
    fn qos_changed(&mut self, vc: usize, ok: bool, returned: bool) -> Option<&'static str> {
        self.vcs[vc].q = false;
        if returned {
            return Some(verdict(ok));
        }
        self.tell(vc, Client, format!("qos complete {}", verdict(ok)), &[]);
        None
    }

    /// Q3.
    fn remote_qos(&mut self, vc: usize) -> &'static str {
        if self.live(vc) && self.vcs[vc].c == C::CN && self.vcs[vc].carries() {
            self.tell(vc, Client, "remote qos".into(), &[]);
            self.after(vc);
        } else {
            self.reports.push("CO-181");
        }
        NOTHING
    }

    // Parties

    /// P1.
    fn add(&mut self, vc: usize) -> &'static str {
        if !self.live(vc) {
            return FAILURE;
        }
        let v = &mut self.vcs[vc];
        if v.c != C::CN {
            return NOT_ACCEPTED;
        }
        if !v.multipoint {
            return FAILURE;
        }
        v.party_ops += 1;
        v.parties.push(PartyIs::Adding);
        let party = v.parties.len() - 1;
        self.request(vc, Req::Add(party))
    }

    /// P2.
    fn added(&mut self, vc: usize, party: usize, ok: bool, returned: bool) -> Option<&'static str> {
        let v = &mut self.vcs[vc];
        v.party_ops -= 1;
        v.connected_parties += u16::from(ok);
        v.parties[party] = if ok { PartyIs::Connected } else { PartyIs::Gone };
        let connected = ok.then_some(party);
        if returned {
            v.client_parties.extend(connected);
            return Some(verdict(ok));
        }
        let told = format!("add complete {}", verdict(ok));
        v.queues[Client as usize].push_back(Up::Told(Client, told, &[], connected));
        None
    }

    /// P3. `party` is an index into the handles that the client has.
    fn drop_party(&mut self, vc: usize, party: usize) -> &'static str {
        let Some(&party) = self.vcs[vc].client_parties.get(party) else { return NOTHING };
        let live = self.live(vc);
        let v = &mut self.vcs[vc];
        if v.parties[party] != PartyIs::Connected || !live {
            return FAILURE;
        }
        if !matches!(v.c, C::CN | C::RC) {
            return NOT_ACCEPTED;
        }
        if v.connected_parties < 2 {
            return FAILURE;
        }
        v.connected_parties -= 1;
        v.party_ops += 1;
        v.parties[party] = PartyIs::Dropping;
        self.request(vc, Req::Drop(party))
    }

    /// P4.
    fn dropped(&mut self, vc: usize, party: usize, ok: bool, returned: bool) -> Option<&'static str> {
        let v = &mut self.vcs[vc];
        v.party_ops -= 1;
        v.connected_parties += u16::from(!ok);
        v.parties[party] = if ok { PartyIs::Gone } else { PartyIs::Connected };
        if returned {
            return Some(verdict(ok));
        }
        self.tell(vc, Client, format!("drop complete {}", verdict(ok)), &[]);
        None
    }

    /// P5. `party` is an index into those that the (M)CM was asked for.
    fn remote_drop(&mut self, vc: usize, party: usize) -> &'static str {
        let v = &self.vcs[vc];
        let Some(&state) = v.parties.get(party).filter(|_| party < v.asked) else { return NOTHING };
        if v.c == C::CN && v.connected_parties >= 2 && state == PartyIs::Connected {
            self.tell(vc, Client, "remote drop".into(), &[]);
            self.after(vc);
        } else {
            self.reports.push("CO-172");
        }
        NOTHING
    }

    // Data

    fn send(&mut self, vc: usize, nbls: u64) -> &'static str {
        let v = &mut self.vcs[vc];
        if !v.client_knows {
            return NOTHING;
        }
        if !Self::sends(v) {
            // Like any call, it lets what waits have its turn; the status is that of the state after it.
            self.came_back(vc);
            let v = &self.vcs[vc];
            let status = match (v.life, v.c) {
                (Life::Live, C::CL | C::RC) => CLOSING,
                (Life::Live, _) => "VC_NOT_ACTIVATED",
                _ => FAILURE,
            };
            self.tell_sent(vc, nbls, status);
            return NOTHING;
        }
        v.tx += nbls;
        self.log(Lower, vc, &format!("send {nbls}"));
        match self.act(vc, Cb::Send) {
            How::Pend => self.vcs[vc].sends.push_back(nbls),
            How::Ok | How::EarlyOk => self.sent(vc, nbls, SUCCESS),
            How::Err | How::EarlyErr => self.sent(vc, nbls, REFUSAL),
        }
        NOTHING
    }

    fn sends(v: &Vc) -> bool {
        v.life == Life::Live && v.carries() && (v.variant == Variant::E || v.c == C::CN)
    }

    fn tell_sent(&mut self, vc: usize, nbls: u64, status: &str) {
        let statuses = vec![status; nbls as usize].join(" ");
        self.log(Client, vc, &format!("sent {statuses}"));
        self.act(vc, Cb::Told(Client));
    }

    fn sent(&mut self, vc: usize, nbls: u64, status: &str) {
        // The miniport said before that it was done.
        if !self.mcm && self.vcs[vc].a == A::D && self.vcs[vc].lower_done {
            self.reports.push("DP-110");
        }
        self.tell_sent(vc, nbls, status);
        self.vcs[vc].tx -= nbls;
        self.came_back(vc);
    }

    fn indicate(&mut self, vc: usize, nbls: u64, lent: bool) -> &'static str {
        let v = &mut self.vcs[vc];
        if !v.lower_knows {
            return NOTHING;
        }
        let call = matches!(v.c, C::OP | C::IO { gone: false } | C::IA | C::CN) || v.variant == Variant::E;
        if v.life != Life::Live || !v.carries() || !call {
            self.came_back(vc);
            if !lent {
                self.log(Lower, vc, &format!("returned {nbls}"));
                self.act(vc, Cb::Told(Lower));
            }
            return NOTHING;
        }
        v.rx += nbls;
        self.log(Client, vc, &format!("receive {nbls}{}", if lent { " lent" } else { "" }));
        let keeps = self.act(vc, Cb::Receive) == How::Pend;
        match (lent, keeps) {
            (true, _) => {
                self.vcs[vc].rx -= nbls;
                self.came_back(vc);
            }
            (false, true) => self.vcs[vc].kept.push_back(nbls),
            (false, false) => self.returned(vc, nbls),
        }
        NOTHING
    }

    fn returned(&mut self, vc: usize, nbls: u64) {
        self.log(Lower, vc, &format!("returned {nbls}"));
        self.act(vc, Cb::Told(Lower));
        self.vcs[vc].rx -= nbls;
        self.came_back(vc);
    }

    /// The last NBL that comes back completes what waited for it.
    fn came_back(&mut self, vc: usize) {
        let v = &mut self.vcs[vc];
        if !v.drained() {
            return;
        }
        if v.a == A::D && v.lower_done {
            (v.a, v.lower_done) = (A::I, false);
            let seat = v.activator();
            self.tell(vc, seat, format!("deactivate complete {SUCCESS}"), &[]);
        }
        self.after(vc);
    }
}
