//! Whom a packet is for: what is known of the IP addresses of the subnet (RFC 2225 §8.5).

use super::*;

impl LisMember {
    pub(super) fn wait(&mut self, to: Ipv4Addr, packet: Vec<u8>) {
        let Some(neighbour) = self.neighbours.get_mut(&to) else { return };
        if neighbour.waiting.len() >= WAITING_MAX {
            self.counters.dropped_queue_full += 1;
            return;
        }
        neighbour.waiting.push_back(packet);
    }

    /// Asks for `ip`, or gives up.
    pub(super) fn ask(&mut self, now: Time, ip: Ipv4Addr) {
        if self.config.server == Server::Here {
            match self.registry.get(ip).map(|there| there.atm.clone()) {
                Some(atm) => self.known(now, ip, atm),
                None => self.unresolved(ip),
            }
            return;
        }
        let Some(Neighbour { state: Resolution::Asking { tries }, .. }) = self.neighbours.get_mut(&ip) else {
            return;
        };
        *tries += 1;
        // Without a server it may still be the one at a permanent connection that has not said who is there.
        let tries = *tries;
        let (permanent, known) = self.permanent();
        if tries > ASK_TRIES || self.config.server == Server::None && known == permanent {
            return self.unresolved(ip);
        }
        self.timers.arm(Timer::Ask(ip), now.after(ASK_AGAIN));
        match self.server.vc().filter(|vc| self.is_up(*vc)) {
            Some(vc) => {
                let target = Station { ip: Some(ip), ..Station::default() };
                self.transmit_arp(vc, Operation::ArpRequest, self.me(), target);
            }
            None => self.call_server(now),
        }
    }

    pub(super) fn unresolved(&mut self, ip: Ipv4Addr) {
        self.timers.disarm(Timer::Ask(ip));
        if let Some(neighbour) = self.neighbours.remove(&ip) {
            self.counters.dropped_unresolved += neighbour.waiting.len() as u64;
        }
    }

    /// `ip` is at `atm`; its packets go there.
    pub(super) fn known(&mut self, now: Time, ip: Ipv4Addr, atm: AtmAddress) {
        self.timers.disarm(Timer::Ask(ip));
        self.timers.arm(Timer::Age(ip), now.after(CLIENT_AGE));
        let Some(neighbour) = self.neighbours.get_mut(&ip) else {
            if self.neighbours.len() < NEIGHBOURS_MAX {
                let state = Resolution::Known { atm };
                self.neighbours.insert(ip, Neighbour { state, waiting: VecDeque::new() });
            } else {
                self.timers.disarm(Timer::Age(ip));
                self.counters.dropped_table_full += 1;
            }
            return;
        };
        neighbour.state = Resolution::Known { atm: atm.clone() };
        if !neighbour.waiting.is_empty()
            && let Some(vc) = self.call(now, &atm)
            && self.is_up(vc)
        {
            self.flush(now, vc);
        }
    }

    /// `ip` is behind a permanent connection.
    pub(super) fn goes_through(&mut self, now: Time, ip: Ipv4Addr, vc: LisVc) {
        self.timers.disarm(Timer::Ask(ip));
        let neighbour = self
            .neighbours
            .entry(ip)
            .or_insert_with(|| Neighbour { state: Resolution::Through(vc), waiting: VecDeque::new() });
        neighbour.state = Resolution::Through(vc);
        for packet in std::mem::take(&mut neighbour.waiting) {
            self.transmit_ip(now, vc, packet);
        }
    }

    /// What waits for this connection goes out.
    pub(super) fn flush(&mut self, now: Time, vc: LisVc) {
        let Some(remote) = self.vcs.get(&vc).and_then(|connection| connection.remote.clone()) else { return };
        let mut packets = Vec::new();
        for neighbour in self.neighbours.values_mut() {
            if matches!(&neighbour.state, Resolution::Known { atm } if *atm == remote) {
                packets.extend(neighbour.waiting.drain(..));
            }
        }
        for packet in packets {
            self.transmit_ip(now, vc, packet);
        }
    }

    /// The packets that wait for these neighbours are lost, and they will be asked for again.
    pub(super) fn give_up(&mut self, of: impl Fn(&Neighbour) -> bool) {
        let lost: Vec<Ipv4Addr> =
            self.neighbours.iter().filter(|(_, neighbour)| of(neighbour)).map(|(ip, _)| *ip).collect();
        for ip in lost {
            self.timers.disarm(Timer::Age(ip));
            if let Some(neighbour) = self.neighbours.remove(&ip) {
                self.counters.dropped_call_failed += neighbour.waiting.len() as u64;
            }
        }
    }

    /// An entry is old: it is asked for again while its connection stands, and forgotten without one (RFC 2225 §8.5).
    pub(super) fn age(&mut self, now: Time, ip: Ipv4Addr) {
        let Some(Neighbour { state: Resolution::Known { atm }, .. }) = self.neighbours.get_mut(&ip) else {
            return;
        };
        let atm = atm.clone();
        if self.by_remote.contains_key(&atm)
            && let Some(neighbour) = self.neighbours.get_mut(&ip)
        {
            neighbour.state = Resolution::Asking { tries: 0 };
            self.ask(now, ip);
        } else {
            self.give_up(|neighbour| matches!(&neighbour.state, Resolution::Known { atm: of } if *of == atm));
        }
    }
}

/// Packets that wait for one address. 8: the beginning of a connection of TCP, not a queue.
const WAITING_MAX: usize = 8;
