//! Where a call to an address goes: the routes with the longest prefix, in order of preference.
//!
//! Three kinds of route differ in where they come from, and in whether a call may leave by the port it came in on
//! ([`RouteSource`]). Of the routes that fit an address only those of the longest prefix count, whether or not their ports are
//! up: a shorter prefix is another region, and not a detour.
//!
//! One prefix has its routes side by side, by preference and then by port, so the choice replays. A look-up costs one search
//! for each prefix length in use.
//!
//! Left out: the AESA form of an E.164 number (AFI 45) and the number itself are two addresses here, with routes of their own.

use std::collections::BTreeMap;

use super::port::PortId;
use super::prefix::AddressPrefix;
use crate::addr::AtmAddress;

/// Where a route comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RouteSource {
    /// An end system registered the address by ILMI (ILMI 4.0 §9). A call may leave by the port it came in on: two addresses
    /// of one host, say.
    Registered,
    /// The configuration names the end system. As for `Registered`.
    StaticAddress,
    /// The configuration names a prefix: the way to other switches. No call leaves by the port it came in on, as it
    /// would come back for ever.
    StaticPrefix,
}

/// One route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Route {
    /// Smaller is tried first.
    pub preference: u8,
    /// The way out.
    pub port: PortId,
    /// Where it comes from.
    pub source: RouteSource,
}

impl Route {
    /// True if a call that came in on `incoming` may take it.
    pub fn allows(&self, incoming: PortId) -> bool {
        self.source != RouteSource::StaticPrefix || self.port != incoming
    }
}

/// Why a route was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddRouteError {
    /// The table is full.
    #[error("the table has {max} routes already")]
    TooMany {
        /// Its bound.
        max: usize,
    },
    /// No such port.
    #[error("there is no {0}")]
    NoSuchPort(PortId),
    /// This port has this prefix from this source.
    #[error("{prefix} is routed to {port} already")]
    Exists {
        /// The prefix.
        prefix: AddressPrefix,
        /// The port.
        port: PortId,
    },
}

/// The table of routes.
pub struct Routes {
    by_prefix: BTreeMap<AddressPrefix, Vec<Route>>,
    /// How many prefixes of each length there are.
    nsap_lens: [u32; AddressPrefix::NSAP_BITS_MAX as usize + 1],
    e164_lens: [u32; 16],
    routes_len: usize,
    routes_max: usize,
}

impl Routes {
    /// A table without routes, of `routes_max` at most.
    pub fn new(routes_max: usize) -> Routes {
        Routes {
            by_prefix: BTreeMap::new(),
            nsap_lens: [0; 161],
            e164_lens: [0; 16],
            routes_len: 0,
            routes_max,
        }
    }

    /// Adds a route.
    ///
    /// # Errors
    /// [`AddRouteError`]; the table is as before then.
    pub fn add(&mut self, prefix: AddressPrefix, route: Route) -> Result<(), AddRouteError> {
        let same = |known: &Route| known.port == route.port && known.source == route.source;
        if self.by_prefix.get(&prefix).is_some_and(|routes| routes.iter().any(same)) {
            return Err(AddRouteError::Exists { prefix, port: route.port });
        }
        if self.routes_len == self.routes_max {
            return Err(AddRouteError::TooMany { max: self.routes_max });
        }
        let routes = self.by_prefix.entry(prefix).or_default();
        if routes.is_empty() {
            *len_count(&mut self.nsap_lens, &mut self.e164_lens, prefix) += 1;
        }
        routes.insert(routes.partition_point(|known| *known < route), route);
        self.routes_len += 1;
        Ok(())
    }

    /// Takes the route of this prefix to this port from this source away. False if there was none.
    pub fn remove(&mut self, prefix: AddressPrefix, port: PortId, source: RouteSource) -> bool {
        let removed = self.retain(prefix, |route| route.port != port || route.source != source);
        removed != 0
    }

    /// Takes all routes to a port away, or those from one source. Gives how many there were.
    pub fn remove_port(&mut self, port: PortId, source: Option<RouteSource>) -> usize {
        let leads = |route: &Route| route.port == port && source.is_none_or(|source| route.source == source);
        let has = |routes: &Vec<Route>| routes.iter().any(leads);
        let prefixes: Vec<AddressPrefix> =
            self.by_prefix.iter().filter(|(_, routes)| has(routes)).map(|(prefix, _)| *prefix).collect();
        prefixes.into_iter().map(|prefix| self.retain(prefix, |route| !leads(route))).sum()
    }

    /// The routes of the longest prefix that `address` begins with, the preferred one first; none if it has none.
    pub fn find(&self, address: &AtmAddress) -> &[Route] {
        let (lens, longest) = match address {
            AtmAddress::Nsap(_) => (&self.nsap_lens[..], usize::from(AddressPrefix::NSAP_BITS_MAX)),
            AtmAddress::E164(number) => (&self.e164_lens[..], number.digits().len()),
        };
        let lens = lens[..=longest].iter().enumerate().rev().filter(|(_, count)| **count != 0);
        lens.filter_map(|(len, _)| self.by_prefix.get(&AddressPrefix::of(address, len as u8)?))
            .next()
            .map_or(&[], Vec::as_slice)
    }

    /// All routes, by prefix.
    pub fn iter(&self) -> impl Iterator<Item = (AddressPrefix, Route)> + '_ {
        self.by_prefix.iter().flat_map(|(prefix, routes)| routes.iter().map(|route| (*prefix, *route)))
    }

    /// How many routes there are.
    pub fn routes_len(&self) -> usize {
        self.routes_len
    }

    fn retain(&mut self, prefix: AddressPrefix, keep: impl Fn(&Route) -> bool) -> usize {
        let Some(routes) = self.by_prefix.get_mut(&prefix) else { return 0 };
        let before = routes.len();
        routes.retain(keep);
        let removed = before - routes.len();
        self.routes_len -= removed;
        if routes.is_empty() {
            self.by_prefix.remove(&prefix);
            *len_count(&mut self.nsap_lens, &mut self.e164_lens, prefix) -= 1;
        }
        removed
    }
}

fn len_count<'a>(nsap: &'a mut [u32; 161], e164: &'a mut [u32; 16], prefix: AddressPrefix) -> &'a mut u32 {
    let len = usize::from(prefix.len());
    if prefix.is_nsap() { &mut nsap[len] } else { &mut e164[len] }
}

#[cfg(test)]
mod tests {
    use condis::runtime::Random;

    use super::*;

    fn prefix(text: &str) -> AddressPrefix {
        text.parse().unwrap()
    }

    fn to(port: u32, preference: u8, source: RouteSource) -> Route {
        Route { preference, port: PortId(port), source }
    }

    fn ports(routes: &Routes, address: &str) -> Vec<u32> {
        routes.find(&address.parse().unwrap()).iter().map(|route| route.port.0).collect()
    }

    const HOST: &str = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00";
    const OTHER_SELECTOR: &str = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.07";
    const NEIGHBOUR: &str = "47.0005.80.ffe100.0000.f21a.0001.0020480b0003.00";
    const ELSEWHERE: &str = "39.0005.80.ffe100.0000.f21a.0001.0020480b0002.00";

    #[test]
    fn the_longest_prefix_wins_and_then_the_preference_and_then_the_port() {
        let mut routes = Routes::new(10);
        let end_system = AddressPrefix::end_system(&HOST.parse().unwrap());
        routes.add(prefix("47.0005"), to(1, 0, RouteSource::StaticPrefix)).unwrap();
        routes.add(prefix("/0"), to(2, 0, RouteSource::StaticPrefix)).unwrap();
        routes.add(end_system, to(4, 1, RouteSource::Registered)).unwrap();
        routes.add(end_system, to(9, 0, RouteSource::StaticAddress)).unwrap();
        routes.add(end_system, to(3, 1, RouteSource::Registered)).unwrap();
        assert_eq!(ports(&routes, HOST), [9, 3, 4]);
        assert_eq!(ports(&routes, OTHER_SELECTOR), [9, 3, 4]);
        assert_eq!(ports(&routes, NEIGHBOUR), [1]);
        assert_eq!(ports(&routes, ELSEWHERE), [2]);
        assert_eq!(ports(&routes, "+4989"), [0; 0]);
        assert_eq!(routes.remove_port(PortId(9), None), 1);
        assert_eq!(routes.remove_port(PortId(3), Some(RouteSource::StaticPrefix)), 0);
        assert_eq!(routes.remove_port(PortId(3), Some(RouteSource::Registered)), 1);
        assert!(routes.remove(end_system, PortId(4), RouteSource::Registered));
        assert!(!routes.remove(end_system, PortId(4), RouteSource::Registered));
        assert_eq!(ports(&routes, HOST), [1]);
        assert_eq!(routes.routes_len(), 2);
    }

    #[test]
    fn numbers_are_routed_by_digits() {
        let mut routes = Routes::new(10);
        for (text, port) in [("+49", 1), ("+4989", 2), ("+4989636112", 3)] {
            routes.add(prefix(text), to(port, 0, RouteSource::StaticPrefix)).unwrap();
        }
        for (number, port) in
            [("+4930", 1), ("+49896361", 2), ("+4989636112", 3), ("+49896361120", 3), ("+4", 0)]
        {
            assert_eq!(ports(&routes, number).first().copied().unwrap_or(0), port, "{number}");
        }
    }

    #[test]
    fn the_table_is_bounded_and_has_no_route_twice() {
        let mut routes = Routes::new(2);
        let (a, b) = (prefix("47"), prefix("48"));
        let route = to(1, 0, RouteSource::StaticPrefix);
        routes.add(a, route).unwrap();
        let again = Route { preference: 7, ..route };
        assert_eq!(routes.add(a, again), Err(AddRouteError::Exists { prefix: a, port: PortId(1) }));
        routes.add(b, route).unwrap();
        let third = to(2, 0, RouteSource::StaticPrefix);
        assert_eq!(routes.add(b, third), Err(AddRouteError::TooMany { max: 2 }));
        routes.remove(a, PortId(1), RouteSource::StaticPrefix);
        routes.add(b, third).unwrap();
    }

    #[test]
    fn only_an_end_system_is_reached_through_the_port_that_the_call_came_in_on() {
        assert!(to(1, 0, RouteSource::Registered).allows(PortId(1)));
        assert!(to(1, 0, RouteSource::StaticAddress).allows(PortId(1)));
        assert!(!to(1, 0, RouteSource::StaticPrefix).allows(PortId(1)));
        assert!(to(1, 0, RouteSource::StaticPrefix).allows(PortId(2)));
    }

    /// Against a plain list that is searched from end to end.
    #[test]
    fn it_finds_what_a_plain_list_finds() {
        for seed in 0..50 {
            let mut random = Random::new(seed);
            let mut routes = Routes::new(40);
            let mut list: Vec<(AddressPrefix, Route)> = Vec::new();
            for _ in 0..200 {
                // Few different bits, so that prefixes nest.
                let mut octets = [0; 20];
                octets[0] = random.below(4) as u8 * 0x55;
                octets[19] = random.below(2) as u8;
                let bits = [0, 1, 3, 8, 9, 152, 160][random.below(7) as usize];
                let prefix = AddressPrefix::nsap(&octets, bits).unwrap();
                let route = to(random.below(4) as u32, random.below(3) as u8, RouteSource::StaticPrefix);
                if random.chance(600_000) {
                    if routes.add(prefix, route).is_ok() {
                        list.push((prefix, route));
                    }
                } else {
                    let before = list.len();
                    list.retain(|(known, r)| *known != prefix || r.port != route.port);
                    assert_eq!(routes.remove(prefix, route.port, route.source), before != list.len());
                }
                let address = AtmAddress::Nsap(octets);
                let longest =
                    list.iter().filter(|(prefix, _)| prefix.matches(&address)).map(|(p, _)| p.len()).max();
                let mut expected: Vec<Route> = list
                    .iter()
                    .filter(|(prefix, _)| prefix.matches(&address) && Some(prefix.len()) == longest)
                    .map(|(_, route)| *route)
                    .collect();
                expected.sort();
                assert_eq!(routes.find(&address), expected);
                assert_eq!(routes.routes_len(), list.len());
            }
        }
    }
}
