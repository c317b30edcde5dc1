//! A line of SDUs in memory, in a simulation, that looks at where the octets it is given lie.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};

use condis::runtime::{Lane, Runtime};
use condis_link::atm::{AtmLink, AtmLinkUser, Cell, Form, Sdu, SduIn, VpVc};
use condis_link::counters::Counters;

/// One end of it.
pub struct Pipe {
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    me: Weak<Pipe>,
    state: Mutex<State>,
    counters: Counters,
}

#[derive(Default)]
struct State {
    other: Weak<Pipe>,
    user: Option<Weak<dyn AtmLinkUser>>,
    /// SDUs that are taken before it is full.
    room: usize,
    queue: VecDeque<(VpVc, Vec<u8>)>,
    /// Pieces of each SDU that was taken.
    pieces: Vec<usize>,
    opened: Vec<(VpVc, bool)>,
    refused: bool,
}

impl Pipe {
    pub fn pair(runtime: &Arc<dyn Runtime>, room: usize) -> [Arc<Pipe>; 2] {
        let lane = runtime.open_lane("pipe");
        let ends = [(), ()].map(|()| {
            Arc::new_cyclic(|me| Pipe {
                runtime: runtime.clone(),
                lane,
                me: me.clone(),
                state: Mutex::new(State { room, ..State::default() }),
                counters: Counters::default(),
            })
        });
        ends[0].state.lock().unwrap().other = Arc::downgrade(&ends[1]);
        ends[1].state.lock().unwrap().other = Arc::downgrade(&ends[0]);
        ends
    }

    pub fn pieces(&self) -> Vec<usize> {
        self.state.lock().unwrap().pieces.clone()
    }

    pub fn opened(&self) -> Vec<(VpVc, bool)> {
        self.state.lock().unwrap().opened.clone()
    }

    /// Hands one SDU over, and tells that there is room.
    fn deliver(&self) {
        let (other, sdu, refused, user) = {
            let mut state = self.state.lock().unwrap();
            let sdu = state.queue.pop_front();
            (state.other.upgrade(), sdu, std::mem::take(&mut state.refused), state.user.clone())
        };
        if let (Some(other), Some((vpvc, octets))) = (other, sdu) {
            let user = other.state.lock().unwrap().user.clone().and_then(|user| user.upgrade());
            if let Some(user) = user {
                user.receive_sdus(&[SduIn { vpvc, octets: &octets }]);
            }
        }
        if refused && let Some(user) = user.and_then(|user| user.upgrade()) {
            user.writable();
        }
    }
}

impl AtmLink for Pipe {
    fn name(&self) -> &str {
        "pipe"
    }

    fn form(&self) -> Form {
        Form::Sdus
    }

    fn cells_per_s(&self) -> Option<u64> {
        None
    }

    fn is_up(&self) -> bool {
        true
    }

    fn attach(&self, user: Weak<dyn AtmLinkUser>) {
        self.state.lock().unwrap().user = Some(user);
    }

    fn transmit_cells(&self, _: &[Cell]) -> usize {
        panic!("a line of SDUs")
    }

    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize {
        let mut state = self.state.lock().unwrap();
        let taken = sdus.len().min(state.room - state.queue.len());
        state.refused |= taken < sdus.len();
        for sdu in &sdus[..taken] {
            state.pieces.push(sdu.parts.len());
            let octets = sdu.parts.iter().flat_map(|part| part.iter().copied()).collect();
            state.queue.push_back((sdu.vpvc, octets));
            let me = self.me.clone();
            let job = move || {
                if let Some(me) = me.upgrade() {
                    me.deliver();
                }
            };
            self.runtime.defer(self.lane, Box::new(job));
        }
        taken
    }

    fn vc_state(&self, vpvc: VpVc, open: bool) {
        self.state.lock().unwrap().opened.push((vpvc, open));
    }

    fn close(&self) {}

    fn counters(&self) -> &Counters {
        &self.counters
    }
}
