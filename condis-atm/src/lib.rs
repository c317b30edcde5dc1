//! ATM over condis.
//!
//! What connection-oriented NDIS was made for: a call manager that talks to a switch over signaling connections which NDIS
//! sees, the same signaling hidden inside a miniport call manager, and the switch between them. Protocol cores do no I/O;
//! drivers carry them.
//!
//! # Layers, from the line up
//! 1. [`cell`] and [`aal5`]: cells, raw and as SDUs. [`traffic`]: contracts, policing, shaping.
//! 2. [`sscop`] and [`sscf`]: the signaling AAL. [`q2931`]: messages ([`q2931::wire`]) and calls ([`q2931::call`]) of both
//!    sides. [`ilmi`]: addresses.
//! 3. [`uni`]: these four as one interface, user or network side.
//! 4. [`driver`]: [`AtmMiniport`](driver::AtmMiniport) with [`UniCallManager`](driver::UniCallManager) on it, whose signaling VCs
//!    0/5 and 0/16 NDIS sees; and [`AtmMcm`](driver::AtmMcm), the same inside. [`switch`]: the network side, a
//!    [`Uni`](uni::Uni) at each port.
//! 5. [`ip`]: a client of either manager that carries IP.
//!
//! # What is covered
//! | standard | where | how far |
//! |---|---|---|
//! | I.361, I.432.1, I.610 | [`cell`] | headers of UNI and NNI, HEC with correction, raw cells, F5 loopback |
//! | I.363.5 | [`aal5`] | message mode, whole |
//! | I.371, TM 4.0 | [`traffic`], [`switch::cac`] | CBR, rt-VBR, nrt-VBR, UBR |
//! | Q.2110, Q.2130 | [`sscop`], [`sscf`] | whole; see `docs/conformance.md` |
//! | Q.2931, Q.2971, Q.2963.1, UNI 3.0, 3.1 and 4.0 | [`q2931`] | calls, parties, modification, restart, both sides; see `docs/conformance.md` |
//! | ILMI | [`ilmi`] | address registration, both sides |
//! | RFC 2684, RFC 2225 | [`ip`] | routed IPv4; ATMARP client and server |
//!
//! # What is left out
//! NNI signaling and PNNI, ABR, virtual path connections, leaf initiated join, LAN emulation, bridged encapsulation. Each
//! module says what else. Texts of the ITU and the ATM Forum were not at hand: each module names the public sources that its
//! clause numbers are from.
//!
//! # Example
//! Two interfaces and the line between them, which is a loop of this program: the user side makes a call.
//! ```
//! use condis::runtime::Time;
//! use condis_atm::addr::AtmAddress;
//! use condis_atm::q2931::call::{CallParams, Contracts};
//! use condis_atm::traffic::Contract;
//! use condis_atm::uni::{Side, Uni, UniConfig, UniOutput, Version};
//!
//! let mut sides = [Side::User, Side::Network].map(|side| Uni::new(UniConfig::new(side, Version::Uni31), 7));
//! let now = Time::ZERO;
//! sides.iter_mut().for_each(|side| side.handle_link(now, true));
//! let called: AtmAddress = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00".parse()?;
//! let contracts = Contracts::both(Contract::UBR);
//!
//! let mut heard = Vec::new();
//! let mut dialled = false;
//! loop {
//!     let Some((from, output)) = (0..2).find_map(|side| Some((side, sides[side].poll_output()?))) else {
//!         // Quiet: the SAAL stands, so a call can be made.
//!         if std::mem::replace(&mut dialled, true) {
//!             break;
//!         }
//!         sides[0].setup(now, &CallParams::new(Version::Uni31, called.clone(), &contracts, 9188))?;
//!         continue;
//!     };
//!     match output {
//!         UniOutput::TransmitSignaling(sdu) => sides[1 - from].handle_signaling_sdu(now, &sdu),
//!         other => heard.push((from, format!("{other:?}"))),
//!     }
//! }
//! assert!(heard.iter().any(|(side, what)| *side == 1 && what.contains("Setup")), "{heard:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod aal5;
pub mod addr;
pub mod cell;
pub mod driver;
pub mod ilmi;
pub mod ip;
pub mod q2931;
pub mod sscf;
pub mod sscop;
pub mod switch;
pub mod traffic;
pub mod uni;

pub use condis_link::atm::{Vci, VpVc, Vpi};
