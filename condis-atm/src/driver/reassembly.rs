//! What arrives on one VC, put together again.

use condis::nbl::Nbl;
use condis::runtime::Time;
use condis_link::atm::Cell;

use super::counters::{AtmCount, AtmCounters};
use super::vc_params::{Aal, AtmVcParams};
use crate::aal5::{Aal5Counters, Reassembler, ReassemblyConfig};
use crate::cell::loopback::{Loopback, LoopbackConfig, LoopbackOutput};
use crate::cell::runs::Run;
use crate::cell::{HeaderWord, Interface, PAYLOAD_OCTETS, Pti, aal0};

/// An SDU that arrived.
pub(super) enum Received {
    /// For a VC of NDIS.
    Nbl(Nbl),
    /// For an MCM itself.
    Own(Vec<u8>),
}

/// Puts together what arrives on one VC.
pub(super) struct Receiving {
    params: AtmVcParams,
    layer: Layer,
    /// What has been told of the reassembler's counters.
    told: Aal5Counters,
    loopback: Option<Loopback>,
}

enum Layer {
    Aal5(Reassembler<Nbl>),
    Own(Reassembler<Vec<u8>>),
    Aal0,
}

impl Receiving {
    pub(super) fn new(params: &AtmVcParams, own: bool) -> Receiving {
        let sdu_octets_max = params.receive.sdu_octets_max as usize;
        let config = ReassemblyConfig { sdu_octets_max, ..ReassemblyConfig::default() };
        let layer = match params.aal {
            Aal::Aal5 if own => Layer::Own(Reassembler::new(config)),
            Aal::Aal5 => Layer::Aal5(Reassembler::new(config)),
            Aal::Aal0 => Layer::Aal0,
        };
        Receiving { params: *params, layer, told: Aal5Counters::default(), loopback: None }
    }

    /// Goes on with other parameters. A PDU that has begun is lost only if SDUs may be longer or shorter now.
    pub(super) fn change(&mut self, params: &AtmVcParams, counters: &AtmCounters) {
        if self.params.receive.sdu_octets_max != params.receive.sdu_octets_max {
            self.cut_off(counters);
            *self = Receiving::new(params, matches!(self.layer, Layer::Own(_)));
        }
        self.params = *params;
    }

    /// Whether OAM cells are no business of the VC's user.
    pub(super) fn keeps_oam(&self) -> bool {
        self.params.aal == Aal::Aal5
    }

    pub(super) fn sdu_octets_max(&self) -> usize {
        self.params.receive.sdu_octets_max as usize
    }

    /// Takes cells of user data; with AAL0, any. `supply` gives buffers for so many octets.
    pub(super) fn receive(
        &mut self,
        now: Time,
        mut run: Run<'_>,
        counters: &AtmCounters,
        mut supply: impl FnMut(usize) -> Option<Nbl>,
        received: &mut Vec<Received>,
    ) {
        match &mut self.layer {
            Layer::Aal5(reassembler) => {
                while let Some(pdu) = reassembler.next_pdu(now, &mut run, &mut supply) {
                    received.push(Received::Nbl(pdu.buffer));
                }
            }
            Layer::Own(reassembler) => {
                while let Some(pdu) = reassembler.next_pdu(now, &mut run, |octets| Some(vec![0; octets])) {
                    received.push(Received::Own(pdu.buffer));
                }
            }
            Layer::Aal0 => {
                for (header, payload) in run.iter() {
                    let sdu = aal0::to_sdu(header, &header.cell(payload));
                    // 48: its user wants no headers.
                    let sdu = if self.params.receive.sdu_octets_max == 48 { &sdu[4..] } else { &sdu[..] };
                    match filled(supply(sdu.len()), sdu) {
                        Some(nbl) => {
                            counters.add(AtmCount::SdusReceived, 1);
                            received.push(Received::Nbl(nbl));
                        }
                        None => counters.add(AtmCount::DroppedNoBuffer, 1),
                    }
                }
            }
        }
        self.tell(counters);
    }

    /// Takes an OAM cell. Gives those that answer it.
    pub(super) fn oam(&mut self, now: Time, pti: Pti, payload: &[u8; PAYLOAD_OCTETS]) -> Vec<Cell> {
        let header = HeaderWord::new(Interface::Uni, self.params.vpvc).unwrap_or_default();
        let loopback = self.loopback.get_or_insert_with(|| Loopback::new(LoopbackConfig::default(), 0));
        loopback.handle_cell(now, pti, payload);
        let mut cells = Vec::new();
        while let Some(output) = loopback.poll_output() {
            if let LoopbackOutput::Transmit { pti, payload } = output {
                cells.push(header.with_pti(pti).cell(&payload));
            }
        }
        cells
    }

    /// Forgets a PDU that is not whole.
    pub(super) fn cut_off(&mut self, counters: &AtmCounters) {
        match &mut self.layer {
            Layer::Aal5(reassembler) => reassembler.abandon(),
            Layer::Own(reassembler) => reassembler.abandon(),
            Layer::Aal0 => {}
        }
        self.tell(counters);
    }

    /// Forgets a PDU whose end did not come in time.
    pub(super) fn handle_timeout(&mut self, now: Time, counters: &AtmCounters) {
        match &mut self.layer {
            Layer::Aal5(reassembler) => reassembler.handle_timeout(now),
            Layer::Own(reassembler) => reassembler.handle_timeout(now),
            Layer::Aal0 => {}
        }
        self.tell(counters);
    }

    pub(super) fn next_timeout(&self) -> Option<Time> {
        match &self.layer {
            Layer::Aal5(reassembler) => reassembler.next_timeout(),
            Layer::Own(reassembler) => reassembler.next_timeout(),
            Layer::Aal0 => None,
        }
    }

    /// PDUs that were lost on this VC for an error.
    pub(super) fn errors(&self) -> u64 {
        let lost = self.told;
        lost.crc_errors()
            + lost.dropped_length
            + lost.dropped_cpi
            + lost.dropped_oversize
            + lost.dropped_timeout
    }

    pub(super) fn no_buffer(&self) -> u64 {
        self.told.dropped_no_buffer
    }

    /// Adds to the adapter's counters what the reassembler has counted since.
    fn tell(&mut self, counters: &AtmCounters) {
        let now = match &self.layer {
            Layer::Aal5(reassembler) => *reassembler.counters(),
            Layer::Own(reassembler) => *reassembler.counters(),
            Layer::Aal0 => return,
        };
        let before = std::mem::replace(&mut self.told, now);
        let whole =
            if matches!(self.layer, Layer::Own(_)) { AtmCount::OwnReceived } else { AtmCount::SdusReceived };
        counters.add(whole, now.sdus - before.sdus);
        for (count, now, before) in [
            (AtmCount::ErrorAborted, now.dropped_aborted, before.dropped_aborted),
            (AtmCount::ErrorOversize, now.dropped_oversize, before.dropped_oversize),
            (AtmCount::ErrorCrc, now.dropped_crc, before.dropped_crc),
            (AtmCount::ErrorLostEnd, now.dropped_lost_end, before.dropped_lost_end),
            (AtmCount::ErrorLostCells, now.dropped_lost_cells, before.dropped_lost_cells),
            (AtmCount::ErrorLength, now.dropped_length, before.dropped_length),
            (AtmCount::ErrorCpi, now.dropped_cpi, before.dropped_cpi),
            (AtmCount::ErrorTimeout, now.dropped_timeout, before.dropped_timeout),
            (AtmCount::ErrorCutOff, now.dropped_abandoned, before.dropped_abandoned),
            (AtmCount::DroppedNoBuffer, now.dropped_no_buffer, before.dropped_no_buffer),
        ] {
            counters.add(count, now - before);
        }
    }
}

/// A buffer with these octets in it.
pub(super) fn filled(nbl: Option<Nbl>, octets: &[u8]) -> Option<Nbl> {
    let mut nbl = nbl?;
    nbl.first_mut().append(octets).ok()?;
    Some(nbl)
}
