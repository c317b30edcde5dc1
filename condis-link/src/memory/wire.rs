//! What happens on the wire: a state without clock, lock or callback.
//!
//! [`Ether::transmit`] puts frames under way; as a [`Wire`] it gives out again who has to be told what, and when.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use condis::runtime::{Random, Time};

use super::delivery::Round;
use super::flight::{Flight, Flights, PortId};
use super::{Conditions, PortOptions};
use crate::counters::{Count, Counters};
use crate::header::Header;
use crate::pump::{Next, Wire};
use crate::{BATCH_FRAMES_MAX, Frame, LinkUser, MacAddr};

/// The wire and the stations on it.
pub(super) struct Ether {
    pub(super) conditions: Conditions,
    random: Random,
    cut: bool,
    stations: BTreeMap<MacAddr, Station>,
    promiscuous: Vec<MacAddr>,
    serial_next: u64,
    flights: Flights,
    /// A user may have to be told that its link went up or down.
    links_changed: bool,
    /// A user that was refused may have room again.
    room_made: bool,
    /// Counts of all ports together.
    total: Arc<Counters>,
}

impl Ether {
    pub(super) fn new(conditions: Conditions, seed: u64, total: Arc<Counters>) -> Ether {
        Ether {
            conditions,
            random: Random::new(seed),
            cut: false,
            stations: BTreeMap::new(),
            promiscuous: Vec::new(),
            serial_next: 0,
            flights: Flights::default(),
            links_changed: false,
            room_made: false,
            total,
        }
    }

    /// Attaches a station, unless its address is taken.
    pub(super) fn attach(&mut self, options: &PortOptions) -> Option<(PortId, Tally)> {
        if self.stations.contains_key(&options.address) {
            return None;
        }
        let port = PortId { address: options.address, serial: self.serial_next };
        self.serial_next += 1;
        let tally = Tally { own: Arc::default(), total: self.total.clone() };
        self.stations
            .insert(options.address, Station::new(port, options.mtu_octets, !self.cut, tally.clone()));
        if options.promiscuous {
            self.promiscuous.push(options.address);
        }
        Some((port, tally))
    }

    /// Makes `user` the one of `port`.
    pub(super) fn set_user(&mut self, port: PortId, user: Weak<dyn LinkUser>) {
        let wire_cut = self.cut;
        let Some(station) = self.station(port) else { return };
        station.told_up = station.is_up(wire_cut);
        station.user = Some(user);
    }

    /// Takes a station off. Its frames under way still arrive.
    pub(super) fn detach(&mut self, port: PortId) {
        if self.station(port).is_some() {
            self.promiscuous.retain(|&address| address != port.address);
            self.stations.remove(&port.address);
        }
    }

    pub(super) fn is_up(&self, port: PortId) -> bool {
        let station = self.stations.get(&port.address).filter(|station| station.port == port);
        station.is_some_and(|station| station.is_up(self.cut))
    }

    /// Cuts or mends the wire.
    pub(super) fn set_cut(&mut self, now: Time, cut: bool) {
        self.cut = cut;
        self.links_changed = true;
        if cut {
            self.lose(now, |_| true);
        }
    }

    /// Cuts or mends the attachment of one station.
    pub(super) fn set_port_cut(&mut self, now: Time, port: PortId, cut: bool) {
        let Some(station) = self.station(port) else { return };
        station.cut = cut;
        self.links_changed = true;
        if cut {
            self.lose(now, |flight| flight.from == port);
        }
    }

    /// Takes frames from a port, in order, and gives how many; `None` if the port is closed.
    pub(super) fn transmit(&mut self, now: Time, port: PortId, frames: &[Frame<'_>]) -> Option<usize> {
        let Ether { conditions, random, cut, stations, flights, .. } = self;
        let station = find(stations, port)?;
        if !station.is_up(*cut) {
            station.tally.count(Count::Cut, frames.len());
            return Some(frames.len());
        }
        let (mut taken, mut sent, mut sent_octets) = (0, 0, 0);
        for frame in frames {
            let octets = frame.octets();
            if let Some(why) = station.malformed(octets) {
                station.tally.count(why, 1);
            } else if station.has_room(octets, conditions) {
                station.send(now, frame, octets, conditions, random, flights);
                sent += 1;
                sent_octets += octets;
            } else {
                station.refused = true;
                break;
            }
            taken += 1;
        }
        station.tally.count(Count::Sent, sent);
        station.tally.count(Count::SentOctets, sent_octets);
        station.tally.count(Count::Refused, frames.len() - taken);
        Some(taken)
    }

    /// Notes in `round` whom a frame reaches.
    fn route(&mut self, flight: &Flight, round: &mut Round) {
        // A lost frame has no octets, and so no destination.
        let Some(destination) = MacAddr::from_bytes(&flight.frame) else { return };
        let wire_cut = self.cut;
        let mut heard = false;
        let mut hand_to = |station: &mut Station| {
            if station.port.address == flight.from.address {
                return;
            }
            heard = true;
            match station.deaf(flight.octets, wire_cut) {
                Some(why) => station.tally.count(why, 1),
                None => round.note(station.port.address, flight.copies),
            }
        };
        if destination.is_multicast() {
            self.stations.values_mut().for_each(&mut hand_to);
        } else {
            self.stations.get_mut(&destination).into_iter().for_each(&mut hand_to);
            for address in self.promiscuous.iter().filter(|&&address| address != destination) {
                self.stations.get_mut(address).into_iter().for_each(&mut hand_to);
            }
        }
        if !heard {
            match self.station(flight.from) {
                Some(sender) => sender.tally.count(Count::NoSuchDestination, 1),
                None => self.total.add(Count::NoSuchDestination, 1),
            }
        }
    }

    /// Takes off the wire what `is_lost` says.
    fn lose(&mut self, now: Time, is_lost: impl Fn(&Flight) -> bool) {
        let mut flights = std::mem::take(&mut self.flights);
        flights.cut(|flight| {
            let lost = is_lost(flight);
            if lost {
                self.room_made |= self.release(flight);
                let copies = usize::from(flight.copies != 0);
                match self.station(flight.from) {
                    Some(sender) => {
                        sender.line_free = now;
                        sender.last_arrival = now;
                        sender.tally.count(Count::Cut, copies);
                    }
                    None => self.total.add(Count::Cut, copies as u64),
                }
            }
            lost
        });
        self.flights = flights;
    }

    /// Gives the octets of a frame back to its sender's queue. True if the sender waits for room and now has it.
    fn release(&mut self, flight: &Flight) -> bool {
        let Some(sender) = find(&mut self.stations, flight.from) else { return false };
        sender.octets_under_way -= flight.octets;
        sender.refused && sender.is_half_empty(&self.conditions)
    }

    fn station(&mut self, port: PortId) -> Option<&mut Station> {
        find(&mut self.stations, port)
    }
}

impl Wire for Ether {
    type Round = Round;

    fn next(&self, now: Time) -> Next {
        if self.links_changed || self.room_made {
            return Next::Now;
        }
        match self.flights.next_arrival() {
            Some(at) if at <= now => Next::Now,
            Some(at) => Next::At(at),
            None => Next::Never,
        }
    }

    /// Links that went up or down, at most [`BATCH_FRAMES_MAX`] frames that have arrived, and who may send again.
    fn arrive(&mut self, now: Time, round: &mut Round) {
        if std::mem::take(&mut self.links_changed) {
            for station in self.stations.values_mut() {
                let up = station.is_up(self.cut);
                if station.told_up != up {
                    station.told_up = up;
                    round.links.extend(station.user.clone().map(|user| (user, up)));
                }
            }
        }
        while round.flights.len() < BATCH_FRAMES_MAX {
            let Some(flight) = self.flights.arrive(now) else { break };
            self.room_made |= self.release(&flight);
            self.route(&flight, round);
            round.flights.push(flight);
        }
        round.sort(|address| self.stations.get(&address).map(|to| (to.user.clone(), to.tally.clone())));
        if std::mem::take(&mut self.room_made) {
            for station in self.stations.values_mut() {
                if station.refused && station.is_half_empty(&self.conditions) {
                    station.refused = false;
                    round.writable.extend(station.user.clone());
                }
            }
        }
    }

    /// Takes back the buffers of a round that is over.
    fn recycle(&mut self, round: &mut Round) {
        for flight in round.clear() {
            self.flights.recycle(flight.frame);
        }
    }

    fn tell(round: &Round) {
        round.tell();
    }
}

/// One port, as the wire sees it.
struct Station {
    port: PortId,
    user: Option<Weak<dyn LinkUser>>,
    tally: Tally,
    frame_octets_max: usize,
    cut: bool,
    /// What the user was last told of the link, or found when it attached.
    told_up: bool,
    /// When the last bit of the last frame has left.
    line_free: Time,
    /// When the last frame arrives that was not held back; the next does not arrive before it.
    last_arrival: Time,
    octets_under_way: usize,
    /// Frames were refused, and the user waits to hear of room.
    refused: bool,
}

impl Station {
    fn new(port: PortId, mtu_octets: usize, up: bool, tally: Tally) -> Station {
        Station {
            port,
            user: None,
            tally,
            frame_octets_max: mtu_octets.saturating_add(Header::OCTETS_MAX),
            cut: false,
            told_up: up,
            line_free: Time::ZERO,
            last_arrival: Time::ZERO,
            octets_under_way: 0,
            refused: false,
        }
    }

    /// Puts a frame under way.
    fn send(
        &mut self,
        now: Time,
        frame: &Frame<'_>,
        octets: usize,
        conditions: &Conditions,
        random: &mut Random,
        flights: &mut Flights,
    ) {
        let fate = conditions.faults().draw(random, octets);
        self.line_free = self.line_free.max(now).after(conditions.line_time(octets));
        let mut arrives = self.line_free.after(conditions.delay).after(fate.extra_delay);
        if !fate.held_back {
            arrives = arrives.max(self.last_arrival);
            self.last_arrival = arrives;
        }
        let mut buffer = Vec::new();
        if fate.copies != 0 {
            buffer = flights.buffer();
            frame.append_to(&mut buffer);
        }
        fate.damage(&mut buffer);
        self.octets_under_way += octets;
        self.tally.count(Count::Lost, usize::from(fate.copies == 0));
        self.tally.count(Count::Duplicated, usize::from(fate.copies == 2));
        self.tally.count(Count::Reordered, usize::from(fate.held_back));
        self.tally.count(Count::Corrupted, usize::from(fate.turned_bit.is_some()));
        flights.depart(arrives, self.port, octets, buffer, fate.copies);
    }

    fn is_up(&self, wire_cut: bool) -> bool {
        !wire_cut && !self.cut
    }

    /// Why a frame of this length cannot be sent, if so.
    fn malformed(&self, octets: usize) -> Option<Count> {
        if octets < Header::OCTETS {
            Some(Count::TooShort)
        } else {
            (octets > self.frame_octets_max).then_some(Count::TooLong)
        }
    }

    /// Why a frame of this length is not received, if so.
    fn deaf(&self, octets: usize, wire_cut: bool) -> Option<Count> {
        if !self.is_up(wire_cut) {
            Some(Count::Cut)
        } else {
            (octets > self.frame_octets_max).then_some(Count::TooLong)
        }
    }

    fn has_room(&self, octets: usize, conditions: &Conditions) -> bool {
        // A frame larger than the whole queue could never be sent if an empty queue did not take it.
        self.octets_under_way == 0
            || self.octets_under_way.saturating_add(octets) <= conditions.queue_octets_max
    }

    /// A sender that was refused is called back at half the bound, so that it comes with a batch and not with a frame.
    fn is_half_empty(&self, conditions: &Conditions) -> bool {
        self.octets_under_way <= conditions.queue_octets_max / 2
    }
}

/// Counts for one port and for all of them.
#[derive(Clone)]
pub(super) struct Tally {
    pub(super) own: Arc<Counters>,
    total: Arc<Counters>,
}

impl Tally {
    pub(super) fn count(&self, count: Count, how_many: usize) {
        self.own.add(count, how_many as u64);
        self.total.add(count, how_many as u64);
    }
}

fn find(stations: &mut BTreeMap<MacAddr, Station>, port: PortId) -> Option<&mut Station> {
    stations.get_mut(&port.address).filter(|station| station.port == port)
}
