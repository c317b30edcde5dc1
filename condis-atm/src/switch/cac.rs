//! Connection admission control (CAC): what a port can carry in one direction, and what is set aside of it.
//!
//! A connection is admitted if what it needs, added to what is reserved, does not exceed what may be booked. What it needs is
//!
//! - CBR: its peak cell rate. The cells of a constant stream have no other rate.
//! - UBR: nothing, it is best effort (TM 4.0 §2.1.4).
//! - VBR: what [`VbrRule`] says. The network is free in this (TM 4.0 §5, I.371 §6.2.2: CAC is not standardised).
//!
//! A contract of a VBR category without a sustained rate needs its peak. One that has no peak rate where it must have one needs
//! all, so it is refused: nothing is known of it.
//!
//! The clause numbers of I.371 are from public summaries; its text was not read.

use crate::traffic::{Contract, ServiceCategory, Sustained};

/// What is set aside for a connection of variable bit rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VbrRule {
    /// The peak cell rate: nothing is ever lost, and nothing is gained by the variable rate.
    Peak,
    /// The sustained cell rate: bursts that coincide are lost where the queue does not hold them.
    Sustained,
    /// The equivalent capacity of the source, an on-off fluid source that keeps to its contract: the rate at which its bursts
    /// overflow a queue of this many cells with a probability of 10^-`loss_exponent`.
    ///
    /// Source: R. Guérin, H. Ahmadi, M. Naghshineh, "Equivalent Capacity and Its Application to Bandwidth Allocation in
    /// High-Speed Networks", IEEE JSAC 9(7), September 1991, equation (2).
    EquivalentCapacity {
        /// Cells of the queue that bursts may fill.
        queue_cells: u32,
        /// The exponent of the loss, 1 to 15.
        loss_exponent: u8,
    },
}

impl Default for VbrRule {
    /// The equivalent capacity for a queue of 256 cells and a loss of one in a million.
    fn default() -> VbrRule {
        VbrRule::EquivalentCapacity { queue_cells: 256, loss_exponent: 6 }
    }
}

impl VbrRule {
    /// Cells a second that a connection with this contract needs; `None` if that cannot be told, see [the module](self).
    pub fn needed_cells_per_s(self, contract: &Contract) -> Option<u32> {
        match (contract.category, contract.sustained) {
            (ServiceCategory::Ubr, _) => Some(0),
            (ServiceCategory::Cbr, _) | (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, None) => {
                contract.pcr_cells_per_s
            }
            (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, Some(sustained)) => {
                contract.pcr_cells_per_s.map(|pcr| self.of_vbr(pcr, sustained))
            }
        }
    }

    fn of_vbr(self, pcr: u32, sustained: Sustained) -> u32 {
        let scr = sustained.scr_cells_per_s.min(pcr);
        match self {
            VbrRule::Peak => pcr,
            VbrRule::Sustained => scr,
            VbrRule::EquivalentCapacity { queue_cells, loss_exponent } => equivalent_capacity(
                pcr,
                Sustained { scr_cells_per_s: scr, ..sustained },
                queue_cells,
                loss_exponent,
            ),
        }
    }
}

/// Equation (2) with y = alpha b (1 - rho) R, where R is the peak, rho the part of the time that the source is on, b the
/// mean length of a burst and alpha = ln(1 / loss). Between the sustained rate and the peak, rounded up.
fn equivalent_capacity(pcr: u32, sustained: Sustained, queue_cells: u32, loss_exponent: u8) -> u32 {
    let (peak, scr) = (f64::from(pcr), f64::from(sustained.scr_cells_per_s));
    let burst_cells = f64::from(sustained.mbs_cells);
    if pcr == 0 || sustained.scr_cells_per_s >= pcr || sustained.mbs_cells == 0 {
        return sustained.scr_cells_per_s;
    }
    let alpha = f64::from(loss_exponent.clamp(1, 15)) * std::f64::consts::LN_10;
    let rho = scr / peak;
    let queue = f64::from(queue_cells);
    // b R is the burst in cells.
    let y = alpha * burst_cells * (1.0 - rho);
    let capacity = peak * (y - queue + ((y - queue).powi(2) + 4.0 * queue * rho * y).sqrt()) / (2.0 * y);
    // At most the peak, which is 32 bits.
    (capacity.ceil() as u32).clamp(sustained.scr_cells_per_s, pcr)
}

/// Why a connection is not admitted. Cause 37 (user cell rate not available), UNI 3.1 §5.4.5.15.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacError {
    /// It needs more than is left.
    #[error("{needed} cells/s needed, {left} left")]
    NotAvailable {
        /// What it needs, in cells a second.
        needed: u32,
        /// What may still be booked, in cells a second.
        left: u64,
    },
    /// Its contract has no peak rate, and its category reserves.
    #[error("a contract that reserves names its peak cell rate")]
    NoPeak,
}

/// What is set aside for one connection in one direction. It goes back by [`Cac::release`], whole and once: it is neither
/// copied nor made up.
#[must_use = "what is reserved and not released is lost to the port"]
#[derive(PartialEq, Eq, Debug)]
pub struct Reservation(u32);

impl Reservation {
    /// How much it is, in cells a second.
    pub fn cells_per_s(&self) -> u32 {
        self.0
    }
}

/// One direction of one port.
pub struct Cac {
    rule: VbrRule,
    bookable: u64,
    reserved: u64,
    refused: u64,
}

impl Cac {
    /// A direction of which `bookable_cells_per_s` may be set aside; `None` where the line has no rate: everything is
    /// admitted then.
    pub fn new(rule: VbrRule, bookable_cells_per_s: Option<u64>) -> Cac {
        Cac { rule, bookable: bookable_cells_per_s.unwrap_or(u64::MAX), reserved: 0, refused: 0 }
    }

    /// Admits a connection.
    ///
    /// # Errors
    /// [`CacError`]; nothing is reserved then, and it is counted.
    pub fn reserve(&mut self, contract: &Contract) -> Result<Reservation, CacError> {
        let reservation = self.needed(contract).and_then(|needed| self.take(needed));
        self.refused += u64::from(reservation.is_err());
        reservation
    }

    /// Changes what a connection has, to what it needs by a new contract (Q.2963.1). Less is always admitted.
    ///
    /// # Errors
    /// [`CacError`]; the reservation is what it was then.
    pub fn change(&mut self, reservation: &mut Reservation, contract: &Contract) -> Result<(), CacError> {
        let changed = self.needed(contract).and_then(|needed| {
            self.reserved -= u64::from(reservation.0);
            let taken = self.take(needed);
            self.reserved += if taken.is_err() { u64::from(reservation.0) } else { 0 };
            taken
        });
        self.refused += u64::from(changed.is_err());
        *reservation = changed?;
        Ok(())
    }

    /// Takes back what a connection had.
    #[expect(clippy::needless_pass_by_value, reason = "it is used up, so that it cannot go back twice")]
    pub fn release(&mut self, reservation: Reservation) {
        debug_assert!(self.reserved >= u64::from(reservation.0), "a reservation of another port");
        self.reserved -= u64::from(reservation.0);
    }

    /// What is reserved, in cells a second.
    pub fn reserved_cells_per_s(&self) -> u64 {
        self.reserved
    }

    /// What may be reserved in all, in cells a second; `None` where there is no limit.
    pub fn bookable_cells_per_s(&self) -> Option<u64> {
        (self.bookable != u64::MAX).then_some(self.bookable)
    }

    /// How often it refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn needed(&self, contract: &Contract) -> Result<u32, CacError> {
        self.rule.needed_cells_per_s(contract).ok_or(CacError::NoPeak)
    }

    fn take(&mut self, needed: u32) -> Result<Reservation, CacError> {
        let left = self.bookable - self.reserved;
        if u64::from(needed) > left {
            return Err(CacError::NotAvailable { needed, left });
        }
        self.reserved += u64::from(needed);
        Ok(Reservation(needed))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vbr(pcr: u32, scr: u32, mbs: u32) -> Contract {
        Contract {
            category: ServiceCategory::NrtVbr,
            pcr_cells_per_s: Some(pcr),
            sustained: Some(Sustained { scr_cells_per_s: scr, mbs_cells: mbs }),
            ..Contract::UBR
        }
    }

    #[test]
    fn each_category_needs_what_its_rule_says() {
        let rule = VbrRule::default();
        assert_eq!(rule.needed_cells_per_s(&Contract::UBR), Some(0));
        assert_eq!(rule.needed_cells_per_s(&Contract::cbr(1000)), Some(1000));
        let no_peak = Contract { pcr_cells_per_s: None, ..Contract::cbr(1) };
        assert_eq!(rule.needed_cells_per_s(&no_peak), None);
        let no_sustained = Contract { sustained: None, ..vbr(1000, 0, 0) };
        assert_eq!(rule.needed_cells_per_s(&no_sustained), Some(1000));
        assert_eq!(VbrRule::Peak.needed_cells_per_s(&vbr(1000, 100, 50)), Some(1000));
        assert_eq!(VbrRule::Sustained.needed_cells_per_s(&vbr(1000, 100, 50)), Some(100));
    }

    /// By hand: alpha = 6 ln 10 = 13.8155, rho = 0.1, y = 13.8155 * 200 * 0.9 = 2486.8; X = 256;
    /// c = 10000 (2230.8 + sqrt(2230.8^2 + 4 * 256 * 0.1 * 2486.8)) / 4973.6 = 9083.6.
    #[test]
    fn the_equivalent_capacity_is_that_of_the_paper() {
        assert_eq!(VbrRule::default().needed_cells_per_s(&vbr(10_000, 1_000, 200)), Some(9084));
    }

    #[test]
    fn short_bursts_need_little_more_than_the_mean_and_long_ones_the_peak() {
        let needed = |mbs| VbrRule::default().needed_cells_per_s(&vbr(10_000, 1_000, mbs)).unwrap();
        assert_eq!(needed(0), 1_000);
        assert!(needed(1) < 1_100, "{}", needed(1));
        assert!(needed(100_000) > 9_990);
        assert!((1..200).all(|mbs| needed(mbs) <= needed(mbs + 1)));
    }

    #[test]
    fn full_is_full_and_what_returns_is_there_again() {
        let mut cac = Cac::new(VbrRule::default(), Some(1_000));
        let first = cac.reserve(&Contract::cbr(600)).unwrap();
        assert_eq!(cac.reserve(&Contract::cbr(401)), Err(CacError::NotAvailable { needed: 401, left: 400 }));
        let second = cac.reserve(&Contract::cbr(400)).unwrap();
        let best_effort = cac.reserve(&Contract::UBR).unwrap();
        cac.release(first);
        assert_eq!(cac.reserved_cells_per_s(), 400);
        cac.release(second);
        cac.release(best_effort);
        assert_eq!((cac.reserved_cells_per_s(), cac.refused()), (0, 1));
    }

    #[test]
    fn a_change_counts_only_the_difference() {
        let mut cac = Cac::new(VbrRule::default(), Some(1_000));
        let mut it = cac.reserve(&Contract::cbr(600)).unwrap();
        cac.change(&mut it, &Contract::cbr(1_000)).unwrap();
        let error = cac.change(&mut it, &Contract::cbr(1_001));
        assert_eq!(error, Err(CacError::NotAvailable { needed: 1_001, left: 1_000 }));
        assert_eq!((it.cells_per_s(), cac.reserved_cells_per_s()), (1_000, 1_000));
        cac.change(&mut it, &Contract::UBR).unwrap();
        assert_eq!(cac.reserved_cells_per_s(), 0);
        cac.release(it);
    }

    #[test]
    fn a_line_without_a_rate_admits_all() {
        let mut cac = Cac::new(VbrRule::default(), None);
        let all: Vec<Reservation> = (0..10).map(|_| cac.reserve(&Contract::cbr(u32::MAX)).unwrap()).collect();
        all.into_iter().for_each(|it| cac.release(it));
        assert_eq!((cac.reserved_cells_per_s(), cac.bookable_cells_per_s()), (0, None));
        assert_eq!(
            cac.reserve(&Contract { pcr_cells_per_s: None, ..Contract::cbr(1) }),
            Err(CacError::NoPeak)
        );
    }

    fn contract() -> impl Strategy<Value = Contract> {
        (0..4u8, any::<u32>(), any::<u32>(), any::<u32>(), 0..30u32, any::<bool>()).prop_map(
            |(category, pcr, scr, mbs, shift, has_peak)| Contract {
                category: [
                    ServiceCategory::Cbr,
                    ServiceCategory::RtVbr,
                    ServiceCategory::NrtVbr,
                    ServiceCategory::Ubr,
                ][usize::from(category)],
                pcr_cells_per_s: has_peak.then_some(pcr >> shift),
                ..vbr(0, scr >> shift, mbs >> shift)
            },
        )
    }

    proptest! {
        /// Whatever comes, goes and changes: what is reserved is the sum of what is held, and never above the limit.
        #[test]
        fn the_sum_never_leaks(
            steps in proptest::collection::vec((0..3u8, any::<usize>(), contract()), 0..200),
            bookable in 0..100_000u64,
        ) {
            let mut cac = Cac::new(VbrRule::default(), Some(bookable));
            let mut held: Vec<Reservation> = Vec::new();
            for (what, which, contract) in steps {
                let which = which % held.len().max(1);
                match what {
                    0 => held.extend(cac.reserve(&contract).ok()),
                    1 if !held.is_empty() => cac.release(held.swap_remove(which)),
                    2 if !held.is_empty() => {
                        let before = held[which].cells_per_s();
                        if cac.change(&mut held[which], &contract).is_err() {
                            prop_assert_eq!(held[which].cells_per_s(), before);
                        }
                    }
                    _ => {}
                }
                let sum: u64 = held.iter().map(|it| u64::from(it.cells_per_s())).sum();
                prop_assert_eq!(cac.reserved_cells_per_s(), sum);
                prop_assert!(sum <= bookable);
            }
            held.into_iter().for_each(|it| cac.release(it));
            prop_assert_eq!(cac.reserved_cells_per_s(), 0);
        }

        /// The effective bandwidth lies between the sustained rate and the peak.
        #[test]
        fn the_equivalent_capacity_is_between_mean_and_peak(
            pcr in any::<u32>(), scr in any::<u32>(), mbs in any::<u32>(), queue_cells in any::<u32>(), loss in any::<u8>(),
        ) {
            let rule = VbrRule::EquivalentCapacity { queue_cells, loss_exponent: loss };
            let needed = rule.needed_cells_per_s(&vbr(pcr, scr, mbs)).unwrap();
            prop_assert!(needed <= pcr && needed >= scr.min(pcr));
        }
    }
}
