//! The two machines: each alone, line by line with a clock; and one against the other over a bad wire.

mod concentrator;
mod host;
mod pair;

use std::time::Duration;

use condis::runtime::Time;

use super::{Concentrator, ConcentratorOutput, Host, HostOutput};
use crate::pppoe::wire::{Code, Discovery, DiscoveryView, MacAddr, SessionId, Tag};

const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 0x01]);
const OTHER_HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 0x02]);
const AC: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xa1]);
const OTHER_AC: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xa2]);

fn at(seconds: u64) -> Time {
    Time::ZERO.after(Duration::from_secs(seconds))
}

fn id(number: u16) -> SessionId {
    SessionId::new(number).expect("a lawful session id")
}

fn view(packet: &[u8]) -> DiscoveryView<'_> {
    DiscoveryView::parse(packet).expect("what the machines send is well-formed")
}

/// A packet with these tags.
fn packet<'a>(code: Code, session: Option<SessionId>, tags: impl IntoIterator<Item = Tag<'a>>) -> Vec<u8> {
    Discovery::new(code, session).with_all(tags).encode().expect("test packets are short")
}

fn host_outputs(host: &mut Host) -> Vec<HostOutput> {
    std::iter::from_fn(|| host.poll_output()).collect()
}

fn concentrator_outputs(concentrator: &mut Concentrator) -> Vec<ConcentratorOutput> {
    std::iter::from_fn(|| concentrator.poll_output()).collect()
}

/// The one packet that was sent, and whereto.
fn only_transmit(outputs: &[HostOutput]) -> (MacAddr, Vec<u8>) {
    match outputs {
        [HostOutput::Transmit { to, packet }] => (*to, packet.clone()),
        other => panic!("expected one packet, got {other:?}"),
    }
}
