//! Aim: peers that do what ours never would. Method: a station on the wire that speaks discovery by hand.

use std::io::IoSlice;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

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

/// A station that keeps what it hears.
struct Asker {
    port: Arc<Port>,
    heard: Mutex<Vec<(wire::MacAddr, Vec<u8>)>>,
}

impl LinkUser for Asker {
    fn receive(&self, frames: &[&[u8]]) {
        for frame in frames {
            let (header, packet) = Header::parse(frame).unwrap();
            self.heard.lock().unwrap().push((wire::MacAddr(header.source.octets()), packet.to_vec()));
        }
    }

    fn link_state(&self, _: bool) {}
}

impl Asker {
    /// Sends a packet and gives the answer with this code, if there is one.
    fn ask(&self, lab: &Lab, to: wire::MacAddr, packet: Discovery<'_>, code: Code) -> Option<Vec<u8>> {
        self.heard.lock().unwrap().clear();
        let mut room = [0; Header::OCTETS_MAX];
        let header = Header::new(to.0.into(), HERE.0.into(), EtherType::PPPOE_DISCOVERY);
        let packet = packet.encode().unwrap();
        let parts = [IoSlice::new(header.encode(&mut room)), IoSlice::new(&packet)];
        assert_eq!(self.port.transmit(&[Frame::new(&parts)]), 1);
        lab.soon();
        let heard = self.heard.lock().unwrap();
        let is_wanted = |packet: &[u8]| DiscoveryView::parse(packet).is_ok_and(|view| view.code() == code);
        heard.iter().map(|(_, packet)| packet).find(|packet| is_wanted(packet)).cloned()
    }

    /// The cookie that a PADI is answered with.
    fn cookie(&self, lab: &Lab) -> Vec<u8> {
        let padi = Discovery::new(Code::Padi, None).with(Tag::ServiceName(b"internet"));
        let pado = self.ask(lab, wire::MacAddr::BROADCAST, padi, Code::Pado).expect("it is offered");
        DiscoveryView::parse(&pado).unwrap().tags().ac_cookie().expect("a cookie").to_vec()
    }

    /// Whether a PADR with this cookie gets a session.
    fn is_good(&self, lab: &Lab, cookie: &[u8]) -> bool {
        let ac = self.heard.lock().unwrap().iter().map(|(from, _)| *from).next().expect("it was asked");
        let padr =
            Discovery::new(Code::Padr, None).with(Tag::ServiceName(b"internet")).with(Tag::AcCookie(cookie));
        self.ask(lab, ac, padr, Code::Pads).is_some()
    }
}

/// RFC 2516 §9: the key of the cookies is another each hour. A cookie of before that is good for its life, and the key of two hours ago
/// makes no cookie that anybody believes.
#[test]
fn the_key_of_the_cookies_changes() {
    for kind in [Kind::CallManager, Kind::Mcm] {
        let lab = Lab::new(3, (Kind::Mcm, kind), Conditions::default());
        let port = lab.segment.attach(MacAddr::new(HERE.0)).unwrap();
        let asker = Arc::new(Asker { port, heard: Mutex::default() });
        asker.port.attach(Arc::downgrade(&asker) as Weak<dyn LinkUser>);
        lab.run_for(Duration::from_secs(3_590));
        let (first, unused) = (asker.cookie(&lab), asker.cookie(&lab));
        lab.run_for(Duration::from_secs(20));
        let (second, late) = (asker.cookie(&lab), asker.cookie(&lab));
        assert!(asker.is_good(&lab, &first), "{kind:?}: of the key before, and young");
        asker.cookie(&lab);
        assert!(asker.is_good(&lab, &second), "{kind:?}");
        let dropped = |why: &str| lab.ac.count(&format!("concentrator.dropped_cookie_{why}"));
        assert_eq!((dropped("forged"), dropped("expired")), (0, 0));
        lab.run_for(Duration::from_secs(3_600));
        asker.cookie(&lab);
        assert!(!asker.is_good(&lab, &unused), "{kind:?}: of two keys before");
        // With the key that it was made with it would be no more than old.
        assert_eq!((dropped("forged"), dropped("expired")), (1, 0));
        asker.cookie(&lab);
        assert!(!asker.is_good(&lab, &late), "{kind:?}: of the key before, and old");
        assert_eq!((dropped("forged"), dropped("expired")), (1, 1));
        lab.finish();
    }
}
