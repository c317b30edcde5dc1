//! A tap on a line of ATM.

use std::fmt;
use std::io::{IoSlice, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use condis::runtime::Runtime;

use super::pcapng::{Direction, InterfaceDescription, LinkType};
use super::reassembly::{Brought, Reassembly};
use super::recording::{self, Failed, Recorder, Recording, lock, report};
use super::{TapError, TapOptions};
use crate::atm::{AtmLink, AtmLinkUser, Cell, Form, Sdu, SduIn, VpVc};
use crate::counters::{Count, Counters};

/// A line that is the line it wraps, and records the AAL5 SDUs that its user sends and receives in a pcapng file.
///
/// Wireshark and tshark read it and show what is signaling as SSCOP and Q.2931, and what is ILMI as SNMP. Each SDU stands behind
/// four octets (link type SUNATM, 123): direction and kind, VPI (its low eight bits), and VCI. The kind follows from the VCI
/// (5 is signaling, 16 is ILMI, on every VPI) or from an LLC header at the beginning of the SDU.
///
/// From a line of cells the tap puts the SDUs together, each with the moment of its last cell, and its CRC unchecked; cells of
/// something that is no AAL5 PDU are [not recorded](Count::NotRecorded), and neither are those of OAM. No format that
/// Wireshark reads has the single cells of both directions, so those are not in the file. Counts are of SDUs, and of broken
/// PDUs.
///
/// What else [`Tap`](super::Tap) says of files and errors holds here.
pub struct AtmTap {
    link: Arc<dyn AtmLink>,
    relay: Arc<Relay>,
}

impl AtmTap {
    /// Wraps `link`, whose user it becomes once it has one itself, and records in a new file at `path`; one that is there is
    /// replaced.
    ///
    /// # Errors
    /// [`TapError::Create`].
    pub fn create(
        link: Arc<dyn AtmLink>,
        runtime: Arc<dyn Runtime>,
        path: &Path,
        options: TapOptions,
    ) -> Result<Arc<AtmTap>, TapError> {
        Ok(AtmTap::new(link, runtime, Box::new(recording::create(path)?), options))
    }

    /// Wraps `link`, whose user it becomes once it has one itself, and records to `to`, which need not be buffered.
    pub fn new(
        link: Arc<dyn AtmLink>,
        runtime: Arc<dyn Runtime>,
        to: Box<dyn Write + Send>,
        options: TapOptions,
    ) -> Arc<AtmTap> {
        let description = InterfaceDescription {
            link_type: LinkType::SunAtm,
            name: link.name(),
            address: None,
            speed_bps: link.cells_per_s().map(|cells| cells.saturating_mul(CELL_BITS)),
        };
        let relay = Arc::new(Relay {
            recorder: Recorder::new(runtime, to, options, &description),
            reassembly: Default::default(),
            user: Mutex::new(None),
        });
        Arc::new(AtmTap { link, relay })
    }

    /// How many SDUs were recorded, and how many not; and cells and SDUs that found no user behind the tap.
    pub fn recording_counters(&self) -> &Counters {
        self.relay.recorder.counters()
    }
}

impl AtmLink for AtmTap {
    fn name(&self) -> &str {
        self.link.name()
    }

    fn form(&self) -> Form {
        self.link.form()
    }

    fn cells_per_s(&self) -> Option<u64> {
        self.link.cells_per_s()
    }

    fn sdu_octets_max(&self) -> usize {
        self.link.sdu_octets_max()
    }

    fn is_up(&self) -> bool {
        self.link.is_up()
    }

    fn attach(&self, user: Weak<dyn AtmLinkUser>) {
        *lock(&self.relay.user) = Some(user);
        // Not before: a line that reads nothing until it has a user would read for nobody.
        let relay: Weak<Relay> = Arc::downgrade(&self.relay);
        self.link.attach(relay);
    }

    fn transmit_cells(&self, cells: &[Cell]) -> usize {
        // The lock is held until all is recorded, so that an answer cannot be recorded before its question. A line does not
        // call its user from inside a transmit, so nobody waits for us who we wait for.
        let recording = self.relay.recorder.lock();
        let taken = self.link.transmit_cells(cells);
        if self.form() == Form::Cells {
            report(self.relay.record_cells(recording, Direction::Outbound, &cells[..taken]));
        }
        taken
    }

    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize {
        let mut recording = self.relay.recorder.lock();
        let taken = self.link.transmit_sdus(sdus);
        let mut failed = None;
        if self.form() == Form::Sdus {
            for sdu in &sdus[..taken] {
                let outcome = self.relay.record_sdu(&mut recording, Direction::Outbound, sdu.vpvc, sdu.parts);
                failed = failed.or(outcome);
            }
        }
        drop(recording);
        report(failed);
        taken
    }

    fn vc_state(&self, vpvc: VpVc, open: bool) {
        self.link.vc_state(vpvc, open);
    }

    fn close(&self) {
        self.link.close();
        self.relay.recorder.finish();
    }

    fn counters(&self) -> &Counters {
        self.link.counters()
    }
}

impl Drop for AtmTap {
    fn drop(&mut self) {
        self.relay.recorder.finish();
    }
}

impl fmt::Debug for AtmTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tap on {}: {}", self.link.name(), self.recording_counters())
    }
}

/// The user of the wrapped line, who passes everything on.
struct Relay {
    recorder: Recorder,
    /// What has come in, and what has gone out. Locked while recording only.
    reassembly: Mutex<[Reassembly; 2]>,
    user: Mutex<Option<Weak<dyn AtmLinkUser>>>,
}

impl Relay {
    #[must_use]
    fn record_cells(
        &self,
        mut recording: MutexGuard<'_, Recording>,
        direction: Direction,
        cells: &[Cell],
    ) -> Failed {
        let mut failed = None;
        let reassembly = &mut lock(&self.reassembly)[usize::from(direction == Direction::Outbound)];
        for cell in cells {
            match reassembly.cell(cell) {
                Brought::Nothing => {}
                Brought::Broken => self.recorder.counters().add(Count::NotRecorded, 1),
                Brought::Sdu(vpvc, octets) => {
                    let outcome = self.record_sdu(&mut recording, direction, vpvc, &[IoSlice::new(&octets)]);
                    failed = failed.or(outcome);
                }
            }
        }
        failed
    }

    #[must_use]
    fn record_sdu(
        &self,
        recording: &mut Recording,
        direction: Direction,
        vpvc: VpVc,
        parts: &[IoSlice<'_>],
    ) -> Failed {
        let header = sunatm_header(direction, vpvc, parts);
        let parts = std::iter::once(&header[..]).chain(parts.iter().map(|part| &**part));
        self.recorder.record(recording, direction, std::iter::once(parts))
    }

    fn user(&self) -> Option<Arc<dyn AtmLinkUser>> {
        lock(&self.user).as_ref()?.upgrade()
    }
}

impl AtmLinkUser for Relay {
    fn receive_cells(&self, cells: &[Cell]) {
        report(self.record_cells(self.recorder.lock(), Direction::Inbound, cells));
        match self.user() {
            Some(user) => user.receive_cells(cells),
            None => self.recorder.counters().add(Count::NoUser, cells.len() as u64),
        }
    }

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        let mut failed = None;
        let mut recording = self.recorder.lock();
        for sdu in sdus {
            let parts = [IoSlice::new(sdu.octets)];
            failed = failed.or(self.record_sdu(&mut recording, Direction::Inbound, sdu.vpvc, &parts));
        }
        drop(recording);
        report(failed);
        match self.user() {
            Some(user) => user.receive_sdus(sdus),
            None => self.recorder.counters().add(Count::NoUser, sdus.len() as u64),
        }
    }

    fn link_state(&self, up: bool) {
        if !up {
            lock(&self.reassembly).iter_mut().for_each(Reassembly::clear);
        }
        if let Some(user) = self.user() {
            user.link_state(up);
        }
    }

    fn writable(&self) {
        if let Some(user) = self.user() {
            user.writable();
        }
    }
}

/// Source: the description of LINKTYPE_SUNATM on tcpdump.org, pcap/sunatmpos.h.
fn sunatm_header(direction: Direction, vpvc: VpVc, parts: &[IoSlice<'_>]) -> [u8; 4] {
    let flag = if direction == Direction::Outbound { SUNATM_TRANSMITTED } else { 0 };
    let kind = match vpvc.vci {
        vci if vci == VpVc::SIGNALING.vci => SUNATM_SIGNALING,
        vci if vci == VpVc::ILMI.vci => SUNATM_ILMI,
        _ if begins_with_llc(parts) => SUNATM_LLC,
        _ => SUNATM_RAW,
    };
    let [high, low] = vpvc.vci.0.to_be_bytes();
    [flag | kind, vpvc.vpi.0 as u8, high, low]
}

/// Whether the SDU begins as RFC 2684 §5.1 has it: SNAP, or a routed ISO protocol.
fn begins_with_llc(parts: &[IoSlice<'_>]) -> bool {
    let mut octets = parts.iter().flat_map(|part| part.iter().copied());
    let first = [(); 3].map(|()| octets.next());
    [[0xaa, 0xaa, 0x03], [0xfe, 0xfe, 0x03]].map(|llc| llc.map(Some)).contains(&first)
}

const SUNATM_TRANSMITTED: u8 = 0x80;
const SUNATM_RAW: u8 = 0;
const SUNATM_LLC: u8 = 2;
const SUNATM_ILMI: u8 = 5;
const SUNATM_SIGNALING: u8 = 6;

const CELL_BITS: u64 = 53 * 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_kind_and_connection() {
        let header = |vpvc, sdu: &[u8]| {
            let (head, tail) = sdu.split_at(1);
            sunatm_header(Direction::Inbound, vpvc, &[IoSlice::new(head), IoSlice::new(tail)])
        };
        assert_eq!(header(VpVc::SIGNALING, b"sscop"), [6, 0, 0, 5]);
        assert_eq!(header(VpVc::new(1, 16), b"snmp"), [5, 1, 0, 16]);
        assert_eq!(header(VpVc::new(0x123, 0x4567), b"raw"), [0, 0x23, 0x45, 0x67]);
        assert_eq!(header(VpVc::new(0, 32), &[0xaa, 0xaa, 3, 0]), [2, 0, 0, 32]);
        assert_eq!(header(VpVc::new(0, 32), &[0xfe, 0xfe, 3]), [2, 0, 0, 32]);
        assert_eq!(header(VpVc::new(0, 32), &[0xaa, 0xaa]), [0, 0, 0, 32]);
        assert_eq!(sunatm_header(Direction::Outbound, VpVc::SIGNALING, &[]), [0x86, 0, 0, 5]);
    }
}
