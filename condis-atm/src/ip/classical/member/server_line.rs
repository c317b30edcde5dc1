//! A client and its ATMARP server (RFC 2225 §8.4.1).

use super::*;

impl LisMember {
    pub(super) fn call_server(&mut self, now: Time) {
        let (Server::At(server), &ServerLine::Down { pause }) = (&self.config.server, &self.server) else {
            return;
        };
        let server = server.clone();
        if !self.ready {
            return;
        }
        self.timers.disarm(Timer::CallServer);
        let Some(vc) = self.call(now, &server) else { return };
        if self.is_up(vc) {
            self.server = ServerLine::Registering { vc, tries: 0 };
            self.register(now);
        } else {
            self.server = ServerLine::Calling { vc, pause };
        }
    }

    pub(super) fn server_closed(&mut self, now: Time, vc: LisVc) {
        if self.server.vc() != Some(vc) {
            return;
        }
        let pause = match self.server {
            ServerLine::Calling { pause, .. } => pause,
            _ => SERVER_PAUSE_MIN,
        };
        self.timers.disarm(Timer::Register);
        self.server = ServerLine::Down { pause: pause.saturating_mul(2).min(SERVER_PAUSE_MAX) };
        self.timers.arm(Timer::CallServer, now.after(pause));
    }

    /// Asks the server for our own address, which registers it (RFC 2225 §8.4.1).
    pub(super) fn register(&mut self, now: Time) {
        let vc = match self.server {
            ServerLine::Down { .. } | ServerLine::Calling { .. } => return,
            ServerLine::Registering { vc, .. } | ServerLine::Registered(vc) => vc,
        };
        let tries = match self.server {
            ServerLine::Registering { tries, .. } => tries + 1,
            _ => 1,
        };
        self.server = ServerLine::Registering { vc, tries };
        let target = Station { ip: Some(self.config.ip), ..Station::default() };
        self.transmit_arp(vc, Operation::ArpRequest, self.me(), target);
        let again = if tries < ASK_TRIES { ASK_AGAIN } else { REGISTER_SLOWLY };
        self.timers.arm(Timer::Register, now.after(again));
    }

    /// The server knows us.
    pub(super) fn registered(&mut self, now: Time, vc: LisVc) {
        self.server = ServerLine::Registered(vc);
        self.timers.arm(Timer::Register, now.after(REGISTER_AGAIN));
        let asking: Vec<Ipv4Addr> = self
            .neighbours
            .iter()
            .filter(|(_, neighbour)| matches!(neighbour.state, Resolution::Asking { .. }))
            .map(|(ip, _)| *ip)
            .collect();
        for ip in asking {
            self.ask(now, ip);
        }
    }
}

/// A client that is taken in registers anew after this, before its entry at the server is old (RFC 2225 §8.4.5).
const REGISTER_AGAIN: Duration = Duration::from_secs(15 * 60);

/// A server that does not take us in is asked less often after the first [`ASK_TRIES`].
const REGISTER_SLOWLY: Duration = Duration::from_secs(30);
