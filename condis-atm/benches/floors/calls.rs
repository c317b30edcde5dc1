//! The work of a call through a switch that cannot be avoided.
//!
//! Eleven messages, from SETUP to the second RELEASE COMPLETE, each written into octets of its own and read again, with every
//! length checked, into fields; four records of a call, two at the switch and one at each host, found by a number; three timers
//! that are armed and disarmed. SETUP is of the size that UNI 3.1 needs, 119 octets or so.
//!
//! Left out on purpose: what the states are, who is called and by which way, what is set aside, the VPI and VCI, the fabric;
//! IEs that nobody expects; any transport.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

/// A message as fields: what its IEs say.
#[derive(Clone, Default)]
struct Message {
    kind: u8,
    reference: u32,
    /// Up to so many IEs, by identifier, of so many octets.
    ies: [(u8, u8); 8],
    ies_len: usize,
    values: [[u8; 24]; 8],
}

/// Of a call, at one place.
struct Record {
    state: u8,
    _parameters: [u64; 15],
}

/// Hosts and switch.
pub(crate) struct Calls {
    templates: Vec<Message>,
    records: [BTreeMap<u32, Box<Record>>; 4],
    timers: BTreeSet<(u64, u32)>,
    next: u32,
}

/// IEs of the eleven messages: identifier and octets of contents.
const IES: [(u8, &[(u8, u8)]); 11] = [
    (0x05, SETUP),
    (0x02, &[(0x5a, 5)]),
    (0x05, SETUP_WITH_CONNECTION),
    (0x07, &[]),
    (0x0f, &[]),
    (0x07, &[]),
    (0x0f, &[]),
    (0x4d, &[(0x08, 2)]),
    (0x4d, &[(0x08, 2)]),
    (0x5a, &[]),
    (0x5a, &[]),
];
const SETUP: &[(u8, u8)] = &[(0x58, 9), (0x59, 20), (0x5e, 3), (0x70, 21), (0x6c, 22), (0x5c, 2), (0x5f, 1)];
const SETUP_WITH_CONNECTION: &[(u8, u8)] =
    &[(0x58, 9), (0x59, 20), (0x5e, 3), (0x70, 21), (0x6c, 22), (0x5a, 5), (0x5c, 2), (0x5f, 1)];

impl Calls {
    pub(crate) fn new() -> Calls {
        let template = |(kind, ies): (u8, &[(u8, u8)])| {
            let mut message = Message { kind, ies_len: ies.len(), ..Message::default() };
            message.ies[..ies.len()].copy_from_slice(ies);
            message
        };
        let templates = black_box(IES.map(template).to_vec());
        Calls { templates, records: Default::default(), timers: BTreeSet::new(), next: 0 }
    }

    /// One call, from its beginning to its end.
    #[inline(never)]
    pub(crate) fn call(&mut self) {
        self.next += 1;
        let reference = self.next;
        for records in &mut self.records {
            records.insert(reference, Box::new(Record { state: 0, _parameters: [0; 15] }));
        }
        for step in 0..self.templates.len() {
            if let 0 | 2 | 7 = step {
                self.timers.insert((u64::from(reference) << 4 | step as u64, reference));
            }
            let template = &mut self.templates[step];
            template.reference = reference;
            let octets = black_box(encode(template));
            let message = black_box(decode(&octets).expect("it was written just now"));
            let record = self.records[step % 4].get_mut(&message.reference).expect("the call is there");
            record.state = message.kind;
            if let 1 | 3 | 9 = step {
                let armed = [0, 2, 7][step / 3 - usize::from(step == 9)];
                self.timers.remove(&(u64::from(reference) << 4 | armed, reference));
            }
        }
        for records in &mut self.records {
            black_box(records.remove(&reference));
        }
    }
}

fn encode(message: &Message) -> Vec<u8> {
    let ies = &message.ies[..message.ies_len];
    let len: usize = ies.iter().map(|(_, len)| 4 + usize::from(*len)).sum();
    let mut octets = Vec::with_capacity(9 + len);
    octets.extend_from_slice(&[0x09, 3]);
    octets.extend_from_slice(&message.reference.to_be_bytes()[1..]);
    octets.extend_from_slice(&[message.kind, 0x80]);
    octets.extend_from_slice(&(len as u16).to_be_bytes());
    for (at, (id, len)) in ies.iter().enumerate() {
        octets.extend_from_slice(&[*id, 0x80, 0, *len]);
        octets.extend_from_slice(&message.values[at][..usize::from(*len)]);
    }
    octets
}

fn decode(octets: &[u8]) -> Option<Message> {
    let (header, mut rest) = octets.split_first_chunk::<9>()?;
    let [protocol, 3, r0, r1, r2, kind, _, l0, l1] = *header else { return None };
    if protocol != 0x09 || usize::from(u16::from_be_bytes([l0, l1])) != rest.len() {
        return None;
    }
    let mut message = Message { kind, reference: u32::from_be_bytes([0, r0, r1, r2]), ..Message::default() };
    while let Some((ie, behind)) = rest.split_first_chunk::<4>() {
        let [id, _, l0, l1] = *ie;
        let (contents, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        let at = message.ies_len;
        *message.ies.get_mut(at)? = (id, contents.len() as u8);
        message.values.get_mut(at)?.get_mut(..contents.len())?.copy_from_slice(contents);
        message.ies_len += 1;
        rest = behind;
    }
    rest.is_empty().then_some(message)
}
