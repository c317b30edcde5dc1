//! Aim: peers that do what ours never would. Method: a station on the wire that speaks discovery by hand.

use std::io::IoSlice;
use std::sync::{Arc, Mutex, Weak};

use condis_link::header::{EtherType, Header};
use condis_link::memory::{Conditions, Port};
use condis_link::{Frame, Link, LinkUser, MacAddr};
use condis_wan::pppoe::discovery::{CallKey, Host, HostConfig, HostOutput, ServiceRequest};
use condis_wan::pppoe::driver::CallTarget;
use condis_wan::pppoe::wire::{self, Code, Discovery, DiscoveryView, SessionId, Tag};

use crate::lab::{Kind, Lab};

/// A station that is a host to our concentrator, and a concentrator to our host, and gives both sessions the same id.
struct TwoFaced {
    port: Arc<Port>,
    state: Mutex<(Host, Option<SessionId>, Vec<Code>)>,
}

const HERE: wire::MacAddr = wire::MacAddr([2, 0, 0, 0, 0, 9]);

impl TwoFaced {
    fn send(&self, to: wire::MacAddr, packet: &[u8]) {
        let mut room = [0; Header::OCTETS_MAX];
        let header = Header::new(to.0.into(), HERE.0.into(), EtherType::PPPOE_DISCOVERY);
        let parts = [IoSlice::new(header.encode(&mut room)), IoSlice::new(packet)];
        assert_eq!(self.port.transmit(&[Frame::new(&parts)]), 1);
    }

    fn poll(&self) {
        while let Some(output) = { self.state.lock().unwrap().0.poll_output() } {
            match output {
                HostOutput::Transmit { to, packet } => self.send(to, &packet),
                HostOutput::Connected { session, .. } => self.state.lock().unwrap().1 = Some(session.id),
                HostOutput::Failed { .. } | HostOutput::Closed { .. } => {}
            }
        }
    }
}

impl LinkUser for TwoFaced {
    fn receive(&self, frames: &[&[u8]]) {
        for frame in frames {
            let (header, packet) = Header::parse(frame).unwrap();
            let (from, to) =
                (wire::MacAddr(header.source.octets()), wire::MacAddr(header.destination.octets()));
            let Ok(view) = DiscoveryView::parse(packet) else { continue };
            let host_uniq = view.tags().host_uniq().unwrap_or_default();
            let id = {
                let mut state = self.state.lock().unwrap();
                state.2.push(view.code());
                state.0.handle_packet(condis::runtime::Time::ZERO, from, to, packet);
                state.1
            };
            self.poll();
            let answer = match view.code() {
                Code::Padi => Discovery::new(Code::Pado, None).with(Tag::AcName(b"two-faced")),
                Code::Padr => Discovery::new(Code::Pads, id),
                Code::Pado | Code::Pads | Code::Padt => continue,
            };
            let answer = answer.with(Tag::ServiceName(b"")).with(Tag::HostUniq(host_uniq));
            self.send(from, &answer.encode().unwrap());
        }
    }

    fn link_state(&self, _: bool) {}
}

/// RFC 2516 §4: a session is its id and the two addresses, so one id for two sessions of the same two stations is one flow.
/// The second activation is refused, and that call ends; the first one's VC is not touched.
#[test]
fn a_flow_that_is_taken_twice_ends_the_second_call() {
    for kind in [Kind::CallManager, Kind::Mcm, Kind::OverSlowMiniport] {
        let lab = Lab::new(3, (Kind::Mcm, kind), Conditions::default());
        let port = lab.segment.attach(MacAddr::new(HERE.0)).unwrap();
        let host = Host::new(HostConfig::default(), [9; 16]);
        let station = Arc::new(TwoFaced { port, state: Mutex::new((host, None, Vec::new())) });
        station.port.attach(Arc::downgrade(&station) as Weak<dyn LinkUser>);
        let request = ServiceRequest::named("internet");
        station.state.lock().unwrap().0.make_call(condis::runtime::Time::ZERO, CallKey(1), request).unwrap();
        station.poll();
        lab.soon();
        assert_eq!(lab.ac.client.up().len(), 1, "{:?}", lab.ac.client.heard());
        let vc = lab.ac.client.create();
        lab.ac.client.dial(vc, &CallTarget::default());
        lab.soon();
        let heard = lab.ac.client.heard();
        assert_eq!(heard.last().map(String::as_str), Some("make failed FAILURE"), "{kind:?}");
        assert_eq!(lab.ac.count("engine.activations_refused"), 1);
        assert_eq!(lab.ac.client.up().len(), 1, "the first call is up");
        assert!(station.state.lock().unwrap().2.contains(&Code::Padt), "the peer is told");
        lab.finish();
    }
}
