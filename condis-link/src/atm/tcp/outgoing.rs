//! Messages on their way into a stream.

use std::io::{self, Write};

use super::wire::{self, CONTROL, HEADER_OCTETS, Message};
use crate::atm::{Sdu, VpVc};

/// Messages that the stream has not taken yet, one behind the other.
#[derive(Default)]
pub(super) struct Outgoing {
    buffer: Vec<u8>,
    /// Octets of the buffer that the stream has taken.
    written: usize,
    /// Where the first message begins that it has not taken whole; at most `written`.
    message: usize,
}

impl Outgoing {
    /// Octets that wait.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.written
    }

    /// Puts an SDU behind the others.
    pub(super) fn push(&mut self, sdu: &Sdu<'_>, octets: usize) {
        self.buffer.extend_from_slice(&wire::header(sdu.vpvc, octets));
        sdu.parts.iter().for_each(|part| self.buffer.extend_from_slice(part));
    }

    /// Puts a control message behind the others.
    pub(super) fn push_control(&mut self, text: &str) {
        self.buffer.extend_from_slice(&wire::header(CONTROL, text.len()));
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Hands as much to `stream` as it takes without waiting.
    ///
    /// # Errors
    /// What the stream says, but that it would have to wait.
    pub(super) fn flush(&mut self, mut stream: impl Write) -> io::Result<()> {
        let mut result = Ok(());
        while self.len() != 0 {
            match stream.write(&self.buffer[self.written..]) {
                Ok(0) => result = Err(io::ErrorKind::WriteZero.into()),
                Ok(octets) => {
                    self.written += octets;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => result = Err(error),
            }
            break;
        }
        self.forget_written();
        result
    }

    /// Drops what waits, and gives how many SDUs that were, a half-written one too.
    pub(super) fn clear(&mut self) -> u64 {
        let mut sdus = 0;
        let mut rest = &self.buffer[self.message..];
        while let Ok(Some((Message { vpvc, .. }, behind))) = Message::split_first(rest) {
            sdus += u64::from(vpvc != CONTROL);
            rest = behind;
        }
        *self = Outgoing::default();
        sdus
    }

    /// Gives the room of whole messages back that have been written.
    fn forget_written(&mut self) {
        while let Ok(Some((message, _))) = Message::split_first(&self.buffer[self.message..self.written]) {
            self.message += HEADER_OCTETS + message.payload.len();
        }
        if self.message == self.buffer.len() {
            self.buffer.clear();
            if self.buffer.capacity() > IDLE_OCTETS_MAX {
                self.buffer.shrink_to(IDLE_OCTETS_MAX);
            }
            (self.written, self.message) = (0, 0);
        } else if self.message > self.buffer.len() / 2 {
            // Half at least goes, so an octet is moved once on average.
            self.buffer.drain(..self.message);
            self.written -= self.message;
            self.message = 0;
        }
    }
}

/// Room that is kept while nothing waits: a batch of Ethernet-sized SDUs.
const IDLE_OCTETS_MAX: usize = 1 << 18;

/// A message on 0.0 is control, so no SDU goes there.
pub(super) fn is_connection(vpvc: VpVc) -> bool {
    vpvc != CONTROL
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::IoSlice;

    /// Takes so many octets in all, at most so many at once.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
        step: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let len = octets.len().min(self.step).min(self.room);
            if len == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= len;
            self.taken.extend_from_slice(&octets[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn push(outgoing: &mut Outgoing, payload: &[u8]) {
        let parts = [IoSlice::new(&payload[..1]), IoSlice::new(&payload[1..])];
        outgoing.push(&Sdu { vpvc: VpVc::SIGNALING, parts: &parts }, payload.len());
    }

    #[test]
    fn all_comes_out_in_order_however_little_is_taken() {
        for step in [1, 3, 9, 1000] {
            let mut outgoing = Outgoing::default();
            let mut narrow = Narrow { taken: Vec::new(), room: 0, step };
            let mut whole = Vec::new();
            for n in 0..40_u8 {
                push(&mut outgoing, &[n; 10]);
                whole.extend_from_slice(&[0, 0, 0, 5, 0, 0, 0, 10]);
                whole.extend_from_slice(&[n; 10]);
                narrow.room = 13;
                outgoing.flush(&mut narrow).unwrap();
                assert_eq!(narrow.taken.len() + outgoing.len(), whole.len());
                assert!(outgoing.buffer.len() <= 2 * (outgoing.len() + 18), "written octets are given back");
            }
            outgoing.push_control("C 0.5");
            whole.extend_from_slice(b"\0\0\0\0\0\0\0\x05C 0.5");
            narrow.room = 1000;
            outgoing.flush(&mut narrow).unwrap();
            assert_eq!((narrow.taken, outgoing.len(), outgoing.clear()), (whole, 0, 0));
        }
    }

    #[test]
    fn what_is_dropped_is_counted_by_sdus() {
        let mut outgoing = Outgoing::default();
        outgoing.push_control("O 0.5");
        (0..3).for_each(|_| push(&mut outgoing, b"payload"));
        // The control message, the first SDU, and some of the second.
        let mut narrow = Narrow { taken: Vec::new(), room: 13 + 15 + 4, step: 5 };
        outgoing.flush(&mut narrow).unwrap();
        assert_eq!((outgoing.clear(), outgoing.len()), (2, 0));
    }
}
