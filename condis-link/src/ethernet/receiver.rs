//! The thread of a link: waits for frames, for room to send and for changes of the interface.

use std::sync::atomic::Ordering;

use condis::runtime::Stop;
use condis_sys::packet::Slot;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use rustix::io::Errno;

use super::link::Shared;
use crate::BATCH_FRAMES_MAX;
use crate::counters::Count;
use crate::header::{Header, TAG_OCTETS};

/// Runs until the link is closed or the thread is told to stop. It sleeps in poll(2) and nowhere else.
pub(super) fn run(link: &std::sync::Arc<Shared>, stop: &Stop) {
    let waking = link.clone();
    stop.on_stop(move || waking.wake());
    // The MTU may be raised while we run; longer frames are then counted, and the link has to be opened again.
    let frame_octets_max = Header::OCTETS_MAX + link.socket.interface.mtu_octets as usize + TAG_OCTETS;
    let mut slots: Vec<_> = (0..BATCH_FRAMES_MAX).map(|_| Slot::new(frame_octets_max)).collect();
    tell_state(link);
    while !stop.is_set() && !link.is_closed() {
        let Ready { frames, room, change } = wait(link);
        if frames {
            receive(link, &mut slots);
        }
        if room {
            link.refused.store(false, Ordering::Release);
            if let Some(user) = link.user() {
                user.writable();
            }
        }
        if change {
            drain(&link.socket.changes);
            tell_state(link);
        }
    }
}

/// What there is to do.
struct Ready {
    frames: bool,
    room: bool,
    change: bool,
}

fn wait(link: &Shared) -> Ready {
    let refused = link.refused.load(Ordering::Acquire);
    let room = if refused { PollFlags::OUT } else { PollFlags::empty() };
    let mut waits = [
        PollFd::new(&link.wake, PollFlags::IN),
        PollFd::new(&link.socket.packets, PollFlags::IN | room),
        PollFd::new(&link.socket.changes, PollFlags::IN),
    ];
    // A signal is no reason to do anything; nor is an error, since all three are open and there is memory for three.
    if rustix::event::poll(&mut waits, None).is_err() {
        return Ready { frames: false, room: false, change: false };
    }
    let [woken, packets, changes] = waits.map(|wait| wait.revents());
    if !woken.is_empty() {
        drain(&link.wake);
    }
    Ready {
        // An error on the socket is heard, and taken off it, by reading.
        frames: packets.intersects(PollFlags::IN | PollFlags::ERR),
        room: packets.contains(PollFlags::OUT),
        change: !changes.is_empty(),
    }
}

/// Reads one batch and hands it over. What is left makes the next poll return at once, so that neither changes nor a stop wait
/// behind a flood. A batch of one costs hardly more than a plain read, so there is no second way for quiet times.
fn receive(link: &Shared, slots: &mut [Slot]) {
    let received = match link.socket.packets.receive(slots) {
        Ok(received) => received,
        Err(error) => {
            // Down or gone. The message on the other socket tells as well, but may not have come yet.
            if Errno::from_io_error(&error) == Some(Errno::NETDOWN) {
                tell_state(link);
            }
            return;
        }
    };
    let mut room: [&[u8]; BATCH_FRAMES_MAX] = [&[]; BATCH_FRAMES_MAX];
    let (mut len, mut octets, mut too_short, mut too_long) = (0, 0, 0, 0);
    for slot in &slots[..received] {
        let frame = slot.frame();
        if slot.is_truncated() {
            too_long += 1;
        } else if frame.len() < Header::OCTETS {
            too_short += 1;
        } else {
            room[len] = frame;
            len += 1;
            octets += frame.len() as u64;
        }
    }
    link.counters.add(Count::TooShort, too_short);
    link.counters.add(Count::TooLong, too_long);
    let frames = &room[..len];
    if frames.is_empty() {
        return;
    }
    let Some(user) = link.user() else {
        link.counters.add(Count::NoUser, len as u64);
        return;
    };
    link.counters.add(Count::Received, len as u64);
    link.counters.add(Count::ReceivedOctets, octets);
    user.receive(frames);
}

/// Asks for the state of the interface, and tells the user if it is another than before.
fn tell_state(link: &Shared) {
    let up = link.socket.is_running();
    if link.up.swap(up, Ordering::AcqRel) != up
        && let Some(user) = link.user()
    {
        user.link_state(up);
    }
}

/// Reads all that there is. What the messages say does not matter: the state is asked for after any of them, and so also
/// after some were lost (which the kernel reports as an error, and which ends the reading for now).
fn drain(socket: impl AsFd) {
    let mut scratch = [0; 4096];
    while matches!(rustix::io::read(&socket, &mut scratch), Ok(1..) | Err(Errno::INTR | Errno::NOBUFS)) {}
}
