//! The thread of a line: waits for datagrams, and for room to send. It sleeps in poll(2) and nowhere else.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use condis::runtime::Stop;
use rustix::event::PollFlags;
use rustix::fd::AsFd;

use super::HEADER_OCTETS;
use super::line::Shared;
use crate::atm::{ATM_BATCH_MAX, SduIn, VpVc};
use crate::counters::Count;

pub(super) fn run(line: &Arc<Shared>, stop: &Stop) {
    let waking = line.clone();
    stop.on_stop(move || waking.wake.wake());
    let mut arena = vec![0; ARENA_OCTETS];
    let mut datagrams = Vec::with_capacity(ATM_BATCH_MAX);
    while !stop.is_set() && !line.is_closed() {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, line.has_user());
        flags.set(PollFlags::OUT, line.refused.load(Ordering::Acquire));
        let ready = line.wake.wait(Some((line.socket.as_fd(), flags)), None).ready;
        if ready.contains(PollFlags::ERR) {
            // What came back for a datagram that we have sent. To ask for it takes it off the socket.
            let failed = !matches!(line.socket.take_error(), Ok(None));
            line.counters.add(Count::SendFailed, u64::from(failed));
        }
        if ready.contains(PollFlags::IN) {
            read(line, &mut arena, &mut datagrams);
            hand_over(line, &arena, &datagrams);
        }
        if ready.contains(PollFlags::OUT)
            && line.refused.swap(false, Ordering::AcqRel)
            && let Some(user) = line.user()
        {
            user.writable();
        }
    }
}

/// Reads datagrams one behind the other into the arena, until there is none, or no room for the longest.
fn read(line: &Shared, arena: &mut [u8], datagrams: &mut Vec<Range<usize>>) {
    datagrams.clear();
    let mut begin = 0;
    while datagrams.len() < ATM_BATCH_MAX && arena.len() - begin >= DATAGRAM_OCTETS_MAX {
        match line.socket.recv(&mut arena[begin..][..DATAGRAM_OCTETS_MAX]) {
            Ok(octets) => {
                datagrams.push(begin..begin + octets);
                begin += octets;
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                line.counters.add(Count::SendFailed, 1);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn hand_over(line: &Shared, arena: &[u8], datagrams: &[Range<usize>]) {
    let mut room = [SduIn { vpvc: VpVc::default(), octets: &[] }; ATM_BATCH_MAX];
    let (mut len, mut octets) = (0, 0);
    for datagram in datagrams {
        match parse(&arena[datagram.clone()]) {
            Ok(sdu) => {
                octets += sdu.octets.len() as u64;
                room[len] = sdu;
                len += 1;
            }
            Err(why) => line.counters.add(why, 1),
        }
    }
    if len == 0 {
        return;
    }
    match line.user() {
        Some(user) => {
            line.counters.add(Count::Received, len as u64);
            line.counters.add(Count::ReceivedOctets, octets);
            user.receive_sdus(&room[..len]);
        }
        None => line.counters.add(Count::NoUser, len as u64),
    }
}

/// Reads a datagram, or says what is wrong with it.
fn parse(datagram: &[u8]) -> Result<SduIn<'_>, Count> {
    let (header, octets) = datagram.split_first_chunk::<HEADER_OCTETS>().ok_or(Count::Malformed)?;
    let [a, b, c, d] = *header;
    let vpvc = VpVc::new(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    if vpvc == VpVc::new(0, 0) {
        return Err(Count::Malformed);
    }
    if octets.is_empty() { Err(Count::TooShort) } else { Ok(SduIn { vpvc, octets }) }
}

/// A datagram cannot be longer, so none is cut.
const DATAGRAM_OCTETS_MAX: usize = 65_535;

/// Octets read at a time: some of the longest datagrams, or a batch of shorter ones.
const ARENA_OCTETS: usize = 4 * DATAGRAM_OCTETS_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_a_header_and_an_sdu() {
        let sdu = parse(&[0x0f, 0xff, 0x12, 0x34, 7]).unwrap();
        assert_eq!((sdu.vpvc, sdu.octets), (VpVc::new(0xfff, 0x1234), &[7][..]));
        for len in 0..4 {
            assert_eq!(parse(&[0, 0, 0, 5][..len]).unwrap_err(), Count::Malformed);
        }
        assert_eq!(parse(&[0, 0, 0, 5]).unwrap_err(), Count::TooShort);
        assert_eq!(parse(&[0, 0, 0, 0, 1]).unwrap_err(), Count::Malformed);
    }
}
