//! The seam between a link and its user.

use std::io::IoSlice;
use std::sync::Weak;

use crate::MacAddr;
use crate::counters::Counters;

/// One attachment point to an Ethernet: what a driver would call its NIC.
///
/// Frames are whole Ethernet frames, from the destination address to the end of the payload, without the frame check
/// sequence; those that the user sends carry whatever source address the user wrote.
///
/// Several users of one wire are several attachment points. One link has one user at a time.
///
/// Any method may be called from any thread and from inside any callback. No method calls the user from inside itself.
pub trait Link: Send + Sync {
    /// What the link is called, for messages: `wire/02:00:00:00:00:01`, `eth0`.
    fn name(&self) -> &str;

    /// The link's own address: frames to it, and to all, are received.
    fn address(&self) -> MacAddr;

    /// Octets of the longest payload of a frame, after its header and tags.
    fn mtu_octets(&self) -> usize;

    /// Bits per second in one direction, if the link has a rate and it is known.
    fn speed_bps(&self) -> Option<u64>;

    /// True while frames can pass. A change is told through [`LinkUser::link_state`].
    fn is_up(&self) -> bool;

    /// Makes `user` the one who is called from now on; it replaces the user before.
    ///
    /// The link does not keep its user alive: a user may own its link. The state is not told; ask [`Link::is_up`] after
    /// this call, and no change is missed.
    fn attach(&self, user: Weak<dyn LinkUser>);

    /// Sends frames, in order, and gives how many of them were taken, from the first on.
    ///
    /// The link is done with all of the memory on return. What it took is on its own from then on, and may be lost as on
    /// any Ethernet; each loss is counted. Frames behind the ones taken were refused because the queue is full, the
    /// caller still has them, and [`LinkUser::writable`] will tell once when there is room. A link that is down or
    /// closed takes everything and loses it.
    fn transmit(&self, frames: &[Frame<'_>]) -> usize;

    /// Takes the link off the wire for good.
    ///
    /// Neither waits nor calls; a call to the user that is on its way may still arrive. Twice is once.
    fn close(&self);

    /// What happened to the frames of this attachment point.
    fn counters(&self) -> &Counters;
}

/// Who is attached to a link.
///
/// Calls of one link come one at a time and in order. They may come while the user is inside a call of its own to the
/// link, on another thread.
pub trait LinkUser: Send + Sync {
    /// Frames arrived: 1 to [`BATCH_FRAMES_MAX`] of them, in the order of arrival, each at least as long as an Ethernet
    /// header, and lent until this returns.
    fn receive(&self, frames: &[&[u8]]);

    /// The link went up or down. A state that lasted shorter than it takes to tell may be left out.
    fn link_state(&self, up: bool);

    /// After a [`Link::transmit`] that refused frames: there is room again.
    fn writable(&self) {}
}

/// A frame to be sent, which may lie in memory in several pieces, such as header and payload.
///
/// A batch of them costs no allocation and no copy to make:
///
/// ```
/// use std::io::IoSlice;
///
/// use condis_link::{Frame, Link};
///
/// /// Sends each payload behind the same header.
/// fn send_all(link: &dyn Link, header: &[u8; 14], payloads: &[[u8; 100]; 8]) -> usize {
///     let parts = payloads.each_ref().map(|payload| [IoSlice::new(header), IoSlice::new(payload)]);
///     let frames = parts.each_ref().map(|parts| Frame::new(parts));
///     link.transmit(&frames)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    parts: &'a [IoSlice<'a>],
}

impl<'a> Frame<'a> {
    /// The frame that the parts make up, one behind the other.
    pub const fn new(parts: &'a [IoSlice<'a>]) -> Frame<'a> {
        Frame { parts }
    }

    /// The parts, in order.
    pub const fn parts(&self) -> &'a [IoSlice<'a>] {
        self.parts
    }

    /// Octets of the whole frame.
    pub fn octets(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Appends the whole frame to `to`.
    pub fn append_to(&self, to: &mut Vec<u8>) {
        for part in self.parts {
            to.extend_from_slice(part);
        }
    }
}

/// Frames that one call of [`LinkUser::receive`] brings at most. The gain of a batch is had by 32 (twice, and twice again,
/// hardly changes it), and 64 slices are a kibibyte of stack.
pub const BATCH_FRAMES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_in_pieces_is_one_frame() {
        let parts = [IoSlice::new(b"head"), IoSlice::new(b""), IoSlice::new(b"payload")];
        let frame = Frame::new(&parts);
        let mut whole = b"before ".to_vec();
        frame.append_to(&mut whole);
        assert_eq!((frame.octets(), whole.as_slice()), (11, &b"before headpayload"[..]));
        assert_eq!(Frame::new(&[]).octets(), 0);
    }
}
