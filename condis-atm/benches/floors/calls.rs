//! The work of a call through a switch that cannot be avoided.
//!
//! Eleven messages, from SETUP to the second RELEASE COMPLETE, each written from fields into octets of its own, as UNI 3.1 has
//! them, and read again into fields, with every length checked and what must be there asked for; four records of a call, two at the
//! switch and one at each host, found by a number; three timers that are armed and disarmed. SETUP has 114 octets, or 123
//! with its connection: one less than ours, whose bearer capability has one octet more.
//!
//! Left out on purpose: what the states are, who is called and by which way, what is set aside, the VPI and VCI, the fabric;
//! IEs that nobody expects, instructions and other codings; any transport.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

/// A message as fields.
#[derive(Clone)]
struct Message {
    reference: u32,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Setup(Setup),
    CallProceeding { connection: (u16, u16) },
    Connect { aal: Option<Aal5> },
    ConnectAcknowledge,
    Release { location: u8, cause: u8 },
    ReleaseComplete { cause: Option<(u8, u8)> },
}

#[derive(Clone)]
struct Setup {
    aal: Aal5,
    forward_peak: u32,
    backward_peak: u32,
    best_effort: bool,
    bearer: (u8, u8),
    called: [u8; 20],
    calling: Option<[u8; 20]>,
    blli: Option<u8>,
    bhli: Option<[u8; 8]>,
    connection: Option<(u16, u16)>,
    qos: (u8, u8),
}

#[derive(Clone, Copy)]
struct Aal5 {
    forward_max: u16,
    backward_max: u16,
    sscs: u8,
}

/// Of a call, at one place.
struct Record {
    state: u8,
    _parameters: [u64; 15],
}

/// Hosts and switch.
pub(crate) struct Calls {
    templates: Vec<Body>,
    records: [BTreeMap<u32, Box<Record>>; 4],
    timers: BTreeSet<(u64, u32)>,
    next: u32,
}

/// Before which message which timer is armed, and before which it is disarmed.
const ARMED: [(usize, usize); 3] = [(0, 1), (2, 3), (7, 10)];

impl Calls {
    pub(crate) fn new() -> Calls {
        let aal = Aal5 { forward_max: 1_500, backward_max: 1_500, sscs: 0 };
        let setup = Setup {
            aal,
            forward_peak: 1_000,
            backward_peak: 1_000,
            best_effort: false,
            bearer: (0x90, 0x80),
            called: [0x47; 20],
            calling: Some([0x47; 20]),
            blli: Some(0x4c),
            bhli: Some([1; 8]),
            connection: None,
            qos: (0, 0),
        };
        let onward = Setup { connection: Some((0, 40)), ..setup.clone() };
        let release = Body::Release { location: 0, cause: 16 };
        let templates = vec![
            Body::Setup(setup),
            Body::CallProceeding { connection: (0, 40) },
            Body::Setup(onward),
            Body::Connect { aal: Some(aal) },
            Body::ConnectAcknowledge,
            Body::Connect { aal: Some(aal) },
            Body::ConnectAcknowledge,
            release.clone(),
            release,
            Body::ReleaseComplete { cause: None },
            Body::ReleaseComplete { cause: None },
        ];
        Calls {
            templates: black_box(templates),
            records: Default::default(),
            timers: BTreeSet::new(),
            next: 0,
        }
    }

    /// Octets of the first SETUP.
    pub(crate) fn setup_octets(&self) -> usize {
        encode(1, &self.templates[0]).len()
    }

    /// One call, from its beginning to its end.
    #[inline(never)]
    pub(crate) fn call(&mut self) {
        self.next = (self.next + 1) & 0x7f_ffff;
        let reference = self.next;
        for records in &mut self.records {
            records.insert(reference, Box::new(Record { state: 0, _parameters: [0; 15] }));
        }
        for step in 0..self.templates.len() {
            for (at, (arm, disarm)) in ARMED.into_iter().enumerate() {
                let timer = (u64::from(reference) << 2 | at as u64, reference);
                if arm == step {
                    self.timers.insert(timer);
                } else if disarm == step {
                    self.timers.remove(&timer);
                }
            }
            let octets = black_box(encode(reference, &self.templates[step]));
            let message = black_box(decode(&octets).expect("it was written just now"));
            let record = self.records[step % 4].get_mut(&message.reference).expect("the call is there");
            record.state = black_box(&message.body).kind();
        }
        for records in &mut self.records {
            black_box(records.remove(&reference));
        }
    }
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Body::Setup(_) => 0x05,
            Body::CallProceeding { .. } => 0x02,
            Body::Connect { .. } => 0x07,
            Body::ConnectAcknowledge => 0x0f,
            Body::Release { .. } => 0x4d,
            Body::ReleaseComplete { .. } => 0x5a,
        }
    }
}

fn encode(reference: u32, body: &Body) -> Vec<u8> {
    let mut octets = Vec::with_capacity(160);
    octets.extend_from_slice(&[0x09, 3]);
    octets.extend_from_slice(&reference.to_be_bytes()[1..]);
    octets.extend_from_slice(&[body.kind(), 0x80, 0, 0]);
    match body {
        Body::Setup(setup) => setup.put(&mut octets),
        Body::CallProceeding { connection } => put_connection(&mut octets, *connection),
        Body::Connect { aal } => aal.iter().for_each(|aal| aal.put(&mut octets)),
        Body::ConnectAcknowledge => {}
        Body::Release { location, cause } => put(&mut octets, 0x08, &[0x80 | location, 0x80 | cause]),
        Body::ReleaseComplete { cause } => {
            cause
                .iter()
                .for_each(|(location, cause)| put(&mut octets, 0x08, &[0x80 | location, 0x80 | cause]));
        }
    }
    let len = (octets.len() - 9) as u16;
    octets[7..9].copy_from_slice(&len.to_be_bytes());
    octets
}

fn put(octets: &mut Vec<u8>, id: u8, contents: &[u8]) {
    octets.extend_from_slice(&[id, 0x80, 0, contents.len() as u8]);
    octets.extend_from_slice(contents);
}

fn put_connection(octets: &mut Vec<u8>, (vpci, vci): (u16, u16)) {
    let ([a, b], [c, d]) = (vpci.to_be_bytes(), vci.to_be_bytes());
    put(octets, 0x5a, &[0x88, a, b, c, d]);
}

impl Aal5 {
    fn put(&self, octets: &mut Vec<u8>) {
        let ([a, b], [c, d]) = (self.forward_max.to_be_bytes(), self.backward_max.to_be_bytes());
        put(octets, 0x58, &[5, 0x8c, a, b, 0x81, c, d, 0x84, self.sscs]);
    }

    fn get(contents: &[u8]) -> Option<Aal5> {
        let (5, mut rest) = contents.split_first().map(|(kind, rest)| (*kind, rest))? else { return None };
        let (mut forward, mut backward, mut sscs) = (None, None, None);
        while let Some((id, behind)) = rest.split_first() {
            let at = match id {
                0x8c => &mut forward,
                0x81 => &mut backward,
                0x84 => {
                    sscs = Some(*behind.first()?);
                    rest = &behind[1..];
                    continue;
                }
                _ => return None,
            };
            let (value, behind) = behind.split_first_chunk::<2>()?;
            *at = Some(u16::from_be_bytes(*value));
            rest = behind;
        }
        Some(Aal5 { forward_max: forward?, backward_max: backward?, sscs: sscs? })
    }
}

impl Setup {
    fn put(&self, octets: &mut Vec<u8>) {
        self.aal.put(octets);
        let peak = |id: u8, rate: u32| {
            let [_, a, b, c] = rate.to_be_bytes();
            [id, a, b, c]
        };
        let mut traffic = [0; 9];
        traffic[..4].copy_from_slice(&peak(0x84, self.forward_peak));
        traffic[4..8].copy_from_slice(&peak(0x85, self.backward_peak));
        traffic[8] = 0xbe;
        put(octets, 0x59, &traffic[..8 + usize::from(self.best_effort)]);
        put(octets, 0x5e, &[self.bearer.0, self.bearer.1]);
        let number = |first: u8, number: &[u8; 20]| {
            let mut contents = [first; 21];
            contents[1..].copy_from_slice(number);
            contents
        };
        self.bhli.iter().for_each(|bhli| {
            let mut contents = [0x81; 9];
            contents[1..].copy_from_slice(bhli);
            put(octets, 0x5d, &contents);
        });
        self.blli.iter().for_each(|blli| put(octets, 0x5f, &[*blli | 0x80]));
        put(octets, 0x70, &number(0x82, &self.called));
        self.calling.iter().for_each(|calling| put(octets, 0x6c, &number(0x82, calling)));
        self.connection.iter().for_each(|connection| put_connection(octets, *connection));
        put(octets, 0x5c, &[self.qos.0, self.qos.1]);
    }
}

/// What a message has said so far.
#[derive(Default)]
struct Ies {
    aal: Option<Aal5>,
    peaks: (Option<u32>, Option<u32>, bool),
    bearer: Option<(u8, u8)>,
    called: Option<[u8; 20]>,
    calling: Option<[u8; 20]>,
    blli: Option<u8>,
    bhli: Option<[u8; 8]>,
    connection: Option<(u16, u16)>,
    qos: Option<(u8, u8)>,
    cause: Option<(u8, u8)>,
}

fn decode(octets: &[u8]) -> Option<Message> {
    let (header, mut rest) = octets.split_first_chunk::<9>()?;
    let [0x09, 3, r0, r1, r2, kind, _, l0, l1] = *header else { return None };
    if usize::from(u16::from_be_bytes([l0, l1])) != rest.len() {
        return None;
    }
    let mut ies = Ies::default();
    while let Some((ie, behind)) = rest.split_first_chunk::<4>() {
        let [id, _, l0, l1] = *ie;
        let (contents, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        ies.take(id, contents)?;
        rest = behind;
    }
    if !rest.is_empty() {
        return None;
    }
    Some(Message { reference: u32::from_be_bytes([0, r0, r1, r2]), body: ies.body(kind)? })
}

impl Ies {
    fn take(&mut self, id: u8, contents: &[u8]) -> Option<()> {
        let pair = || contents.first_chunk::<2>().map(|[a, b]| (*a, *b));
        let number = || contents.split_first().and_then(|(_, number)| number.try_into().ok());
        match id {
            0x58 => self.aal = Some(Aal5::get(contents)?),
            0x59 => self.take_traffic(contents)?,
            0x5e => self.bearer = Some(pair()?),
            0x5d => self.bhli = Some(contents.split_first()?.1.try_into().ok()?),
            0x5f => self.blli = Some(contents.first()? & 0x7f),
            0x70 => self.called = Some(number()?),
            0x6c => self.calling = Some(number()?),
            0x5a => {
                let [0x88, a, b, c, d] = *contents.first_chunk::<5>()? else { return None };
                self.connection = Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])));
            }
            0x5c => self.qos = Some(pair()?),
            0x08 => self.cause = pair().map(|(location, cause)| (location & 0xf, cause & 0x7f)),
            _ => return None,
        }
        Some(())
    }

    fn take_traffic(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((id, behind)) = rest.split_first() {
            if *id == 0xbe {
                self.peaks.2 = true;
                rest = behind;
                continue;
            }
            let ([a, b, c], behind) = behind.split_first_chunk::<3>()?;
            let rate = Some(u32::from_be_bytes([0, *a, *b, *c]));
            match id {
                0x84 => self.peaks.0 = rate,
                0x85 => self.peaks.1 = rate,
                _ => return None,
            }
            rest = behind;
        }
        Some(())
    }

    fn body(self, kind: u8) -> Option<Body> {
        Some(match kind {
            0x05 => Body::Setup(Setup {
                aal: self.aal?,
                forward_peak: self.peaks.0?,
                backward_peak: self.peaks.1?,
                best_effort: self.peaks.2,
                bearer: self.bearer?,
                called: self.called?,
                calling: self.calling,
                blli: self.blli,
                bhli: self.bhli,
                connection: self.connection,
                qos: self.qos?,
            }),
            0x02 => Body::CallProceeding { connection: self.connection? },
            0x07 => Body::Connect { aal: self.aal },
            0x0f => Body::ConnectAcknowledge,
            0x4d => {
                let (location, cause) = self.cause?;
                Body::Release { location, cause }
            }
            0x5a => Body::ReleaseComplete { cause: self.cause },
            _ => return None,
        })
    }
}
