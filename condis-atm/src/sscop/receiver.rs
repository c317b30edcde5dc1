//! The receiving half: its state variables and its buffer.

use std::collections::VecDeque;

use super::Sn;

/// VR(...) of Q.2110 §7.4, and what came before its turn.
#[derive(Debug)]
pub(super) struct Receiver {
    /// VR(R): the first SD that is lacking.
    pub(super) r: Sn,
    /// VR(H): the highest SD that is known of, and one.
    pub(super) h: Sn,
    /// VR(MR): the first SD that will not be taken.
    pub(super) mr: Sn,
    /// VR(SQ): the number of the peer's last attempt.
    pub(super) sq: u8,
    /// SDs beyond VR(R) that are taken.
    window: u32,
    /// Credit is granted as SDs are delivered.
    grants: bool,
    /// The receive buffer, VR(R) first; so at most `window` long.
    buffer: VecDeque<Option<Vec<u8>>>,
}

impl Receiver {
    pub(super) fn new(window: u16) -> Receiver {
        Receiver {
            r: Sn::ZERO,
            h: Sn::ZERO,
            mr: Sn::ZERO,
            sq: 0,
            window: u32::from(window),
            grants: true,
            buffer: VecDeque::new(),
        }
    }

    /// "Initialize VR(MR)" (sheet 51): the credit that a connection begins with.
    pub(super) fn initialize_mr(&mut self) {
        self.mr = if self.grants { Sn::new(self.window) } else { Sn::ZERO };
    }

    /// "Initialize state variables" (sheet 49), this half. Whatever led here has emptied the buffer.
    pub(super) fn initialize(&mut self) {
        debug_assert!(self.buffer.is_empty(), "an SD of the last connection is still there");
        (self.r, self.h) = (Sn::ZERO, Sn::ZERO);
    }

    /// Grants credit from now on, or holds it back. What was granted stays granted.
    pub(super) fn set_grants(&mut self, grants: bool) {
        self.grants = grants;
    }

    /// Grants what there is room for. Never takes anything back.
    pub(super) fn grant(&mut self) {
        if self.grants {
            self.mr = self.r.plus(self.window);
        }
    }

    /// How far ahead of VR(R) a number is.
    pub(super) fn ahead(&self, sn: Sn) -> u32 {
        sn.from_base(self.r)
    }

    pub(super) fn has(&self, sn: Sn) -> bool {
        self.buffer.get(self.ahead(sn) as usize).is_some_and(Option::is_some)
    }

    /// Puts an SD, which is in the window, in its place.
    pub(super) fn store(&mut self, sn: Sn, sdu: Vec<u8>) {
        let at = self.ahead(sn) as usize;
        debug_assert!(self.ahead(sn) < self.ahead(self.mr), "{sn} is in the window");
        if self.buffer.len() <= at {
            self.buffer.resize_with(at + 1, || None);
        }
        self.buffer[at] = Some(sdu);
    }

    /// The next SD in order, if it is there; VR(R) moves on.
    pub(super) fn take_next(&mut self) -> Option<(Sn, Vec<u8>)> {
        let sdu = self.buffer.front_mut()?.take()?;
        self.buffer.pop_front();
        let sn = self.r;
        if self.h == self.r {
            self.h = self.h.next();
        }
        self.r = self.r.next();
        Some((sn, sdu))
    }

    /// Takes out all that is there, gaps or not ("deliver data", sheet 49).
    pub(super) fn take_all(&mut self) -> Vec<(Sn, Vec<u8>)> {
        let (r, buffer) = (self.r, std::mem::take(&mut self.buffer));
        buffer.into_iter().zip(0..).filter_map(|(sdu, at)| Some((r.plus(at), sdu?))).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
    }

    /// The list of a STAT (sheet 42): where each gap between VR(R) and VR(H) begins and ends by turns; at last VR(H), where
    /// what is there ends.
    pub(super) fn list(&self) -> Vec<Sn> {
        let mut list = Vec::new();
        let mut lacking = true;
        let mut sn = self.r;
        while sn != self.h {
            // VR(R) is always lacking, so that the list begins with a gap.
            if lacking != self.has(sn) {
                list.push(sn);
                lacking = !lacking;
            }
            sn = sn.next();
        }
        if !list.is_empty() {
            list.push(self.h);
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(h: u32, have: &[u32]) -> Receiver {
        let start = 0xff_fffe;
        let mut receiver = Receiver::new(40);
        receiver.r = Sn::new(start);
        receiver.grant();
        receiver.h = Sn::new(start + h);
        have.iter().for_each(|&at| receiver.store(Sn::new(start + at), vec![0]));
        receiver
    }

    /// Q.2110 Figure 20, sheet 42, also where the numbers wrap.
    #[test]
    fn the_list_tells_where_gaps_begin_and_end() {
        for (h, have, list) in [
            (0, &[][..], &[][..]),
            (1, &[], &[0, 1]),
            (4, &[], &[0, 4]),
            (4, &[1, 2, 3], &[0, 1, 4]),
            (4, &[2, 3], &[0, 2, 4]),
            (5, &[2, 3], &[0, 2, 4, 5]),
            (9, &[1, 4, 5, 8], &[0, 1, 2, 4, 6, 8, 9]),
        ] {
            let expected: Vec<Sn> = list.iter().map(|&at| Sn::new(0xff_fffe + at)).collect();
            assert_eq!(receiver(h, have).list(), expected, "{h} {have:?}");
        }
    }

    #[test]
    fn what_comes_before_its_turn_waits() {
        let mut receiver = receiver(3, &[1, 2]);
        assert!(receiver.take_next().is_none() && receiver.has(Sn::new(0)));
        receiver.store(receiver.r, vec![7]);
        let taken: Vec<u32> = std::iter::from_fn(|| receiver.take_next()).map(|(sn, _)| sn.get()).collect();
        assert_eq!(taken, [0xff_fffe, 0xff_ffff, 0]);
        assert_eq!((receiver.r, receiver.h), (Sn::new(1), Sn::new(1)));
    }
}
