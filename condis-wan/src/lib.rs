//! WAN protocols over condis.
//!
//! What a wide area network speaks towards its subscribers, as protocol cores without input or output, and as drivers
//! that carry them: the same core inside a call manager and inside a miniport call manager.
//!
//! # Layers, from the wire up
//! 1. [`pppoe::wire`]: octets to packets and back.
//! 2. [`pppoe::discovery`]: the two machines of the discovery stage. [`Host`](pppoe::discovery::Host) makes calls,
//!    [`Concentrator`](pppoe::discovery::Concentrator) takes them. They own no socket, clock, thread or random source.
//! 3. [`pppoe::driver`]: the drivers. [`EthernetMiniport`](pppoe::driver::EthernetMiniport) with
//!    [`PppoeCallManager`](pppoe::driver::PppoeCallManager) on it, and [`PppoeMcm`](pppoe::driver::PppoeMcm): one engine
//!    around the machines, one data path, two driver models.
//!
//! # What is covered
//! | standard | clauses | where |
//! |---|---|---|
//! | RFC 2516, PPPoE | §4 header, §5.1 to §5.5 PADI to PADT, §6 session header, Appendix A tags | [`pppoe::wire`] |
//! | RFC 2516 | §5 unknown tags, §5.1 PADI to §5.5 PADT, §8 retries and back-off, §9 AC-Cookie | [`pppoe::discovery`] |
//! | RFC 4638 | PPP-Max-Payload, both sides | [`pppoe::wire`], [`pppoe::discovery`] |
//! | RFC 2516 | §6 session stage: Ethernet and PPPoE headers around a PPP frame; VLAN tags (IEEE 802.1Q) | [`pppoe::driver`] |
//! | TR-101, RFC 4679 | the access line in Vendor-Specific tags, carried through | [`pppoe::wire::LineTags`] |
//!
//! # What is left out
//! - PPP itself: LCP, authentication, IPCP, and with them the MRU that RFC 2516 §7 wants. A session carries PPP frames
//!   that nobody here reads. L2TP. Both come later.
//! - PADM and PADN (never standardised), the credit flow of RFC 5578; their codes and tags are counted and skipped.
//! - The relay of RFC 2516: its Relay-Session-Id is given back to it, but none is added.
//! - Padding of short frames and the frame check sequence: the link's business. Sessions in two VLAN tags (QinQ).
//! - The text of a close: RFC 2516 gives a PADT no tag for it.
//!
//! # Example
//! A host and a concentrator on a wire that is a loop of this program.
//! ```
//! use condis::runtime::Time;
//! use condis_wan::pppoe::discovery::{
//!     CallKey, Concentrator, ConcentratorConfig, ConcentratorOutput, Host, HostConfig, HostOutput, ServiceKey,
//!     ServiceRequest,
//! };
//! use condis_wan::pppoe::wire::MacAddr;
//!
//! let (host_mac, ac_mac) = (MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2]));
//! let mut host = Host::new(HostConfig::default(), [1; 16]);
//! let mut ac = Concentrator::new(ConcentratorConfig::named("ac"), [2; 16]);
//! ac.offer(ServiceKey(1), b"internet").unwrap();
//! host.make_call(Time::ZERO, CallKey(7), ServiceRequest::named("internet")).unwrap();
//!
//! let session = 'connected: loop {
//!     while let Some(output) = host.poll_output() {
//!         match output {
//!             HostOutput::Transmit { to, packet } => ac.handle_packet(Time::ZERO, host_mac, to, &packet),
//!             HostOutput::Connected { call: CallKey(7), session } => break 'connected session,
//!             other => panic!("{other:?}"),
//!         }
//!     }
//!     while let Some(output) = ac.poll_output() {
//!         match output {
//!             ConcentratorOutput::Transmit { to, packet } => host.handle_packet(Time::ZERO, ac_mac, to, &packet),
//!             ConcentratorOutput::Offered { session, .. } => ac.accept(Time::ZERO, session).unwrap(),
//!             ConcentratorOutput::Connected { .. } => {}
//!             other => panic!("{other:?}"),
//!         }
//!     }
//! };
//! assert_eq!((session.peer, &session.service_name[..]), (ac_mac, &b"internet"[..]));
//! ```
#![forbid(unsafe_code)]

pub mod pppoe;
