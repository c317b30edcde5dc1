//! AAL5: SDUs to cells and back, to what cannot be avoided (`floors/aal5.rs`). One operation is one SDU.

use std::hint::black_box;

use condis_link::atm::Cell;

use crate::harness::{Harness, Target};

#[path = "floors/aal5.rs"]
mod floor;
#[path = "../../condis/benches/harness/mod.rs"]
mod harness;

/// Octets of the SDUs.
const SIZES: [usize; 4] = [40, 1500, 9180, 65_535];

const HEADER: [u8; 5] = [0x00, 0x00, 0x02, 0x00, 0x6a];
const LAST: [u8; 5] = [0x00, 0x00, 0x02, 0x02, 0x64];

fn main() {
    let mut harness = Harness::from_env("AAL5, per SDU");
    for octets in SIZES {
        let mut cells = vec![[0; 53]; (octets + 8).div_ceil(48)];
        let mut pdu = pdu(octets);
        let mut buffer = vec![0; pdu.len()];
        let count = floor::segment(&mut pdu, HEADER, LAST, &mut cells);
        assert_eq!((count, floor::reassemble(&cells, &mut buffer)), (cells.len(), Some(octets)));
        let made: Vec<Cell> = cells.clone();
        harness.compare_rates(
            &format!("the floors: segment / reassemble {octets}"),
            Target::None,
            |sdus| {
                for _ in 0..sdus {
                    black_box(floor::segment(black_box(&mut pdu), HEADER, LAST, black_box(&mut cells)));
                }
            },
            |sdus| {
                for _ in 0..sdus {
                    black_box(floor::reassemble(black_box(&made), black_box(&mut buffer)));
                }
            },
        );
    }
    harness.finish();
}

/// A PDU without its CRC.
fn pdu(octets: usize) -> Vec<u8> {
    let mut pdu: Vec<u8> = (0..octets).map(|at| (at * 7 + at / 251) as u8).collect();
    pdu.resize((octets + 8).div_ceil(48) * 48 - 8, 0);
    pdu.extend([0, 0]);
    pdu.extend((octets as u16).to_be_bytes());
    pdu.extend([0; 4]);
    pdu
}
