//! The calls and permanent connections of a member.

use super::*;

impl LisMember {
    pub(super) fn add(&mut self, connection: Connection) -> LisVc {
        let vc = LisVc(self.next_vc);
        self.next_vc += 1;
        self.vcs.insert(vc, connection);
        vc
    }

    pub(super) fn is_up(&self, vc: LisVc) -> bool {
        self.vcs.get(&vc).is_some_and(|connection| connection.state != ConnectionState::Calling)
    }

    /// The connection to `atm`, called if there is none. `None`: calls cannot be made.
    pub(super) fn call(&mut self, now: Time, atm: &AtmAddress) -> Option<LisVc> {
        if let Some(vc) = self.by_remote.get(atm) {
            return Some(*vc);
        }
        if !self.ready {
            self.give_up(|neighbour| matches!(&neighbour.state, Resolution::Known { atm: to } if to == atm));
            return None;
        }
        let (encapsulation, state) = (Encapsulation::LlcSnap, ConnectionState::Calling);
        let vc = self.add(Connection { encapsulation, state, remote: Some(atm.clone()), used: now });
        self.by_remote.insert(atm.clone(), vc);
        self.counters.calls_made += 1;
        self.outputs.push_back(LisOutput::Call { vc, to: atm.clone() });
        Some(vc)
    }

    /// Takes a connection out of the tables, another one to the same station put in its place if there is one.
    pub(super) fn forget(&mut self, vc: LisVc) -> Option<Connection> {
        let connection = self.vcs.remove(&vc)?;
        self.timers.disarm(Timer::Idle(vc));
        self.timers.disarm(Timer::AskPermanent(vc));
        if let Some(remote) = &connection.remote
            && self.by_remote.get(remote) == Some(&vc)
        {
            self.by_remote.remove(remote);
            let other = self.vcs.iter().find(|(_, other)| other.remote.as_ref() == Some(remote));
            if let Some((other, _)) = other {
                self.by_remote.insert(remote.clone(), *other);
            }
        }
        Some(connection)
    }

    pub(super) fn transmit_ip(&mut self, now: Time, vc: LisVc, packet: Vec<u8>) {
        let Some(connection) = self.vcs.get_mut(&vc) else {
            self.counters.dropped_no_vc += 1;
            return;
        };
        connection.used = now;
        self.counters.packets_transmitted += 1;
        let header = connection.encapsulation.ipv4_header();
        self.outputs.push_back(LisOutput::Transmit { vc, header, packet });
    }

    pub(super) fn transmit_arp(&mut self, vc: LisVc, operation: Operation, source: Station, target: Station) {
        self.counters.arp_transmitted += 1;
        let packet = AtmArp { operation, source, target }.encode();
        self.outputs.push_back(LisOutput::Transmit { vc, header: &ATMARP_HEADER, packet });
    }

    pub(super) fn idle_later(&mut self, now: Time, vc: LisVc) {
        // A server's callers keep their connections as long as they want to be known (RFC 2225 §8.4).
        if self.config.server != Server::Here {
            self.timers.arm(Timer::Idle(vc), now.after(self.config.idle));
        }
    }

    pub(super) fn idle(&mut self, now: Time, vc: LisVc) {
        let Some(connection) = self.vcs.get(&vc) else { return };
        let used = if self.server.vc() == Some(vc) { now } else { connection.used };
        let until = used.after(self.config.idle);
        if until > now {
            return self.timers.arm(Timer::Idle(vc), until);
        }
        self.counters.calls_idle += 1;
        self.outputs.push_back(LisOutput::Close { vc });
        self.forget(vc);
        self.neighbours
            .retain(|_, neighbour| !matches!(neighbour.state, Resolution::Through(of) if of == vc));
    }
}
