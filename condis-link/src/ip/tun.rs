//! A TUN device of Linux.

use std::fmt;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use condis::runtime::{IoThread, Stop, Threads};
use rustix::event::{EventfdFlags, PollFd, PollFlags};
use rustix::fd::OwnedFd;
use tun_rs::{DeviceBuilder, SyncDevice};

use super::{IpPort, IpPortUser};

/// How a device is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TunOptions {
    /// The interface's name, 15 octets at most.
    pub name: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Bits of the prefix that is reached through it.
    pub prefix_len: u8,
    /// Octets of the longest packet.
    pub mtu_octets: u16,
}

/// A TUN device that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the TUN device {name:?} (it takes root or CAP_NET_ADMIN, and /dev/net/tun)")]
pub struct TunError {
    /// Its name.
    pub name: String,
    /// What the system said.
    pub source: std::io::Error,
}

/// A TUN device that nobody reads yet. It takes rights to make one, and none to start it.
pub struct TunDevice {
    name: String,
    device: SyncDevice,
    mtu_octets: u16,
}

impl TunDevice {
    /// Makes the interface, with its address, and brings it up.
    ///
    /// # Errors
    /// [`TunError`].
    pub fn open(options: &TunOptions) -> Result<TunDevice, TunError> {
        let failed = |source| TunError { name: options.name.clone(), source };
        let device = DeviceBuilder::new()
            .name(options.name.as_str())
            .ipv4(options.ip, options.prefix_len, None)
            .mtu(options.mtu_octets)
            .build_sync()
            .map_err(failed)?;
        device.set_nonblocking(true).map_err(failed)?;
        Ok(TunDevice { name: options.name.clone(), device, mtu_octets: options.mtu_octets })
    }
}

impl fmt::Debug for TunDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tun {}", self.name)
    }
}

/// A network interface of this machine whose far end is an IP client. It goes when this is dropped.
///
/// One thread reads it. Dropping it stops the thread and waits for it to end, except on that thread itself.
pub struct Tun {
    shared: Arc<Shared>,
    _thread: IoThread,
}

struct Shared {
    name: String,
    device: SyncDevice,
    mtu_octets: u16,
    /// Written to in order to bring the thread out of its wait.
    wake: OwnedFd,
    user: Mutex<Option<Weak<dyn IpPortUser>>>,
    /// Packets that the device would not take: it is down, or its queue is full.
    not_delivered: AtomicU64,
    no_user: AtomicU64,
    too_long: AtomicU64,
}

/// Packets that were lost at a TUN device.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct TunLosses {
    /// The device would not take them: it is down, or its queue is full.
    pub not_delivered: u64,
    /// Packets of the host that nobody was there for.
    pub no_user: u64,
    /// Packets of the host beyond the MTU, which somebody raised.
    pub too_long: u64,
}

impl Tun {
    /// Makes the interface, with its address, brings it up, and reads it. What the host sends is dropped until a user is
    /// attached.
    ///
    /// # Errors
    /// [`TunError`].
    pub fn open(options: &TunOptions, threads: &Threads) -> Result<Arc<Tun>, TunError> {
        Tun::start(TunDevice::open(options)?, threads)
    }

    /// Reads a device that was made before.
    ///
    /// # Errors
    /// [`TunError`]: there is no way to wake its thread.
    pub fn start(made: TunDevice, threads: &Threads) -> Result<Arc<Tun>, TunError> {
        let TunDevice { name, device, mtu_octets } = made;
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)
            .map_err(|error| TunError { name: name.clone(), source: error.into() })?;
        let shared = Arc::new(Shared {
            name,
            device,
            mtu_octets,
            wake,
            user: Mutex::new(None),
            not_delivered: AtomicU64::new(0),
            no_user: AtomicU64::new(0),
            too_long: AtomicU64::new(0),
        });
        let reading = shared.clone();
        let thread = threads.spawn_io(&shared.name, move |stop| reading.run(&stop));
        Ok(Arc::new(Tun { shared, _thread: thread }))
    }

    /// The packets that were lost here.
    pub fn lost(&self) -> TunLosses {
        let Shared { not_delivered, no_user, too_long, .. } = &*self.shared;
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        TunLosses { not_delivered: count(not_delivered), no_user: count(no_user), too_long: count(too_long) }
    }
}

impl IpPort for Tun {
    fn attach(&self, user: Weak<dyn IpPortUser>) {
        *self.shared.user.lock().unwrap_or_else(PoisonError::into_inner) = Some(user);
    }

    fn deliver(&self, packet: &[u8]) {
        if self.shared.device.send(packet).is_err() {
            self.shared.not_delivered.fetch_add(1, Relaxed);
        }
    }
}

impl fmt::Debug for Tun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tun {}: {:?}", self.shared.name, self.lost())
    }
}

impl Shared {
    fn run(self: &Arc<Self>, stop: &Stop) {
        let waking = self.clone();
        stop.on_stop(move || {
            // It fails only if the counter is at its limit, and then the thread has been woken often enough.
            let _ = rustix::io::write(&waking.wake, &1u64.to_ne_bytes());
        });
        // One more than may be: a longer packet shows itself.
        let mut packet = vec![0; usize::from(self.mtu_octets) + 1];
        while !stop.is_set() {
            let mut waits =
                [PollFd::new(&self.wake, PollFlags::IN), PollFd::new(&self.device, PollFlags::IN)];
            // A signal is no reason to do anything; nor is an error, since both are open and there is memory for two.
            if rustix::event::poll(&mut waits, None).is_err() {
                continue;
            }
            for _ in 0..PACKETS_A_TURN {
                let octets = match self.device.recv(&mut packet) {
                    Ok(octets) => octets,
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                        break;
                    }
                    // Somebody deleted the interface: it does not come back.
                    Err(_) => return,
                };
                if octets > usize::from(self.mtu_octets) {
                    self.too_long.fetch_add(1, Relaxed);
                    continue;
                }
                let user =
                    self.user.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Weak::upgrade);
                match user {
                    Some(user) => user.packet(&packet[..octets]),
                    None => _ = self.no_user.fetch_add(1, Relaxed),
                }
            }
        }
    }
}

/// Packets that are read before the thread looks whether it shall stop.
const PACKETS_A_TURN: usize = 64;
