//! ATMARP and InATMARP, asked and answered (RFC 2225 §8.2 to §8.4).

use super::*;

impl LisMember {
    pub(super) fn me(&self) -> Station {
        Station::new(self.config.atm.clone(), self.config.ip)
    }

    pub(super) fn arp(&mut self, now: Time, vc: LisVc, packet: AtmArp) {
        if self.is_impostor(vc, &packet) {
            self.counters.dropped_arp_impostor += 1;
            return;
        }
        match packet.operation {
            Operation::ArpRequest if self.config.server == Server::Here => self.arp_request(now, vc, packet),
            Operation::ArpRequest => self.counters.dropped_arp_no_server += 1,
            Operation::ArpReply | Operation::ArpNak if self.server.vc() != Some(vc) => {
                self.counters.dropped_arp_unasked += 1;
            }
            Operation::ArpReply => self.arp_reply(now, vc, packet),
            Operation::ArpNak => self.arp_nak(packet),
            Operation::InArpRequest => {
                self.transmit_arp(vc, Operation::InArpReply, self.me(), packet.source.clone());
                self.introduced(now, vc, packet.source);
            }
            Operation::InArpReply => self.introduced(now, vc, packet.source),
        }
    }

    /// A station speaks for itself alone; a reply or a NAK of the server speaks of others.
    pub(super) fn is_impostor(&self, vc: LisVc, packet: &AtmArp) -> bool {
        let speaks_for_itself = !matches!(packet.operation, Operation::ArpReply | Operation::ArpNak);
        if !speaks_for_itself {
            return false;
        }
        if packet.source.ip == Some(self.config.ip) {
            return true;
        }
        let remote = self.vcs.get(&vc).and_then(|connection| connection.remote.as_ref());
        match (remote, &packet.source.atm) {
            (Some(remote), Some(said)) => !same_station(remote, said),
            _ => false,
        }
    }

    /// The server is asked, and told who asks (RFC 2225 §8.4.2 to §8.4.4).
    pub(super) fn arp_request(&mut self, now: Time, vc: LisVc, packet: AtmArp) {
        if let (Some(ip), Some(atm)) = (packet.source.ip, &packet.source.atm) {
            self.take_in(now, vc, ip, atm.clone());
        }
        let Some(ip) = packet.target.ip else {
            self.counters.dropped_arp_malformed += 1;
            return;
        };
        let found = if ip == self.config.ip {
            Some(self.me())
        } else {
            self.registry.get(ip).map(|there| Station::new(there.atm.clone(), ip))
        };
        match found {
            Some(station) => self.transmit_arp(vc, Operation::ArpReply, station, packet.source),
            None => self.transmit_arp(vc, Operation::ArpNak, packet.source, packet.target),
        }
    }

    pub(super) fn arp_reply(&mut self, now: Time, vc: LisVc, packet: AtmArp) {
        let (Some(ip), Some(atm)) = (packet.source.ip, packet.source.atm) else {
            self.counters.dropped_arp_malformed += 1;
            return;
        };
        if ip == self.config.ip {
            if atm == self.config.atm {
                self.registered(now, vc);
            } else {
                // Somebody else has our address at the server. It may leave; until then we ask to be taken in.
                self.counters.dropped_arp_impostor += 1;
            }
            return;
        }
        let asked = self
            .neighbours
            .get(&ip)
            .is_some_and(|neighbour| matches!(neighbour.state, Resolution::Asking { .. }));
        if asked {
            self.known(now, ip, atm);
        } else {
            self.counters.dropped_arp_unasked += 1;
        }
    }

    pub(super) fn arp_nak(&mut self, packet: AtmArp) {
        let asked = packet.target.ip.filter(|ip| {
            let neighbour = self.neighbours.get(ip);
            neighbour.is_some_and(|neighbour| matches!(neighbour.state, Resolution::Asking { .. }))
        });
        match asked {
            Some(ip) => self.unresolved(ip),
            None => self.counters.dropped_arp_unasked += 1,
        }
    }

    /// The station at the far end said who it is.
    pub(super) fn introduced(&mut self, now: Time, vc: LisVc, station: Station) {
        let (Some(ip), Some(connection)) = (station.ip, self.vcs.get_mut(&vc)) else { return };
        if connection.state == ConnectionState::Permanent {
            self.timers.disarm(Timer::AskPermanent(vc));
            return match self.neighbours.get(&ip).map(|neighbour| &neighbour.state) {
                Some(Resolution::Through(other)) if *other != vc => self.counters.dropped_arp_impostor += 1,
                None if self.neighbours.len() >= NEIGHBOURS_MAX => self.counters.dropped_table_full += 1,
                Some(_) | None => self.goes_through(now, ip, vc),
            };
        }
        let Some(atm) = station.atm else { return };
        if connection.remote.is_none() {
            connection.remote = Some(atm.clone());
            self.by_remote.entry(atm.clone()).or_insert(vc);
        }
        match self.config.server {
            Server::Here => self.take_in(now, vc, ip, atm),
            Server::At(_) | Server::None => self.believe(now, ip, atm),
        }
    }

    /// A caller says that it has this address: believed, unless it is known to be elsewhere. One that moved is found by asking, once the call to
    /// where it was fails or the entry is old.
    pub(super) fn believe(&mut self, now: Time, ip: Ipv4Addr, atm: AtmAddress) {
        let is_elsewhere = match self.neighbours.get(&ip).map(|neighbour| &neighbour.state) {
            Some(Resolution::Known { atm: known }) => !same_station(known, &atm),
            Some(Resolution::Through(_)) => true,
            Some(Resolution::Asking { .. }) | None => false,
        };
        if !self.config.contains(ip) {
            self.counters.dropped_not_in_lis += 1;
        } else if is_elsewhere {
            self.counters.dropped_arp_impostor += 1;
        } else {
            self.known(now, ip, atm);
        }
    }

    /// Takes a station into the server's table.
    pub(super) fn take_in(&mut self, now: Time, vc: LisVc, ip: Ipv4Addr, atm: AtmAddress) {
        if !self.config.contains(ip) {
            self.counters.dropped_not_in_lis += 1;
            return;
        }
        let vcs = &self.vcs;
        match self.registry.register(ip, &atm, vc, |vc| vcs.contains_key(&vc)) {
            Registration::Done => {
                self.timers.arm(Timer::AgeRegistered(ip), now.after(SERVER_AGE));
                self.known(now, ip, atm);
            }
            Registration::Duplicate => self.counters.duplicates_refused += 1,
            Registration::Full => self.counters.dropped_table_full += 1,
        }
    }

    /// A station has not been heard of: it is asked while its connection stands, and once.
    pub(super) fn age_registered(&mut self, now: Time, ip: Ipv4Addr) {
        let Some(vc) = self.registry.get(ip).map(|there| there.vc) else { return };
        if self.vcs.contains_key(&vc) {
            self.ask_far_end(vc);
            // What it answers registers it anew; the timer is then moved.
            self.timers.arm(Timer::AgeRegistered(ip), now.after(SERVER_AGE));
        } else {
            self.registry.remove(ip);
        }
    }

    /// InATMARP: who are you? (RFC 2225 §8.2)
    pub(super) fn ask_far_end(&mut self, vc: LisVc) {
        let Some(connection) = self.vcs.get(&vc) else { return };
        let target = Station { atm: connection.remote.clone(), ..Station::default() };
        self.transmit_arp(vc, Operation::InArpRequest, self.me(), target);
    }

    pub(super) fn ask_permanent(&mut self, now: Time, vc: LisVc) {
        if self.vcs.get(&vc).is_some_and(|connection| connection.encapsulation == Encapsulation::LlcSnap) {
            self.ask_far_end(vc);
            self.timers.arm(Timer::AskPermanent(vc), now.after(ASK_AGAIN));
        }
    }
}

/// The same, whatever its selector: that names a user within a station.
pub(in crate::ip) fn same_station(one: &AtmAddress, other: &AtmAddress) -> bool {
    match (one, other) {
        (AtmAddress::Nsap(one), AtmAddress::Nsap(other)) => one[..19] == other[..19],
        _ => one == other,
    }
}
