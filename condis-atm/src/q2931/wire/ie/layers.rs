//! Broadband high and low layer information: what the ends speak (Q.2931 §4.5.8, §4.5.9; UNI 3.1 §5.4.5.8,
//! §5.4.5.9; RFC 1755 §8.3).

use std::fmt;

use crate::q2931::wire::Octets;
use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink, once};

/// Broadband high layer information.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HighLayerInfo {
    /// Whose numbers they are.
    pub kind: HighLayerType,
    /// The information: of a vendor, three octets of OUI and four of the application.
    pub octets: Octets<8>,
}

code_points! {
    /// Whose high layer information it is (7 bits).
    HighLayerType {
        ISO = 0, "iso";
        USER = 1, "user";
        PROFILE = 2, "profile";
        VENDOR = 3, "vendor";
        TELESERVICE = 4, "teleservice";
    }
}

/// Broadband low layer information: the layers that are said, each in its place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LowLayerInfo {
    /// Layer 1 protocol (5 bits).
    pub layer1: Option<u8>,
    /// Layer 2.
    pub layer2: Option<Layer2>,
    /// Layer 3.
    pub layer3: Option<Layer3>,
}

/// Layer 2 of low layer information.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer2 {
    /// The protocol.
    pub protocol: Layer2Protocol,
    /// What more is said.
    pub detail: Layer2Detail,
}

/// What more is said of layer 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer2Detail {
    /// Nothing.
    None,
    /// Octet 6a of the protocols with windows, and perhaps 6b.
    Mode {
        /// Normal or extended (2 bits).
        mode: SequenceMode,
        /// Use of Q.933 (2 bits).
        q933: u8,
        /// Window size k (7 bits).
        window: Option<u8>,
    },
    /// Octet 6a of the user's own protocol (7 bits); with [`Layer2Protocol::USER`] only.
    User(u8),
}

/// Layer 3 of low layer information.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer3 {
    /// The protocol.
    pub protocol: Layer3Protocol,
    /// What more is said.
    pub detail: Layer3Detail,
}

/// What more is said of layer 3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer3Detail {
    /// Nothing.
    None,
    /// Octets 7a to 7c of X.25 and its kin.
    X25 {
        /// Normal or extended (2 bits).
        mode: SequenceMode,
        /// Logarithm of the default packet size, and perhaps the packet window size (7 bits).
        packet: Option<(u8, Option<u8>)>,
    },
    /// Octet 7a of the user's own protocol (7 bits); with [`Layer3Protocol::USER`] only.
    User(u8),
    /// Octets 7a and 7b of ISO/IEC TR 9577: an initial protocol identifier other than that of SNAP.
    Ipi(u8),
    /// The same with the identifier of SNAP, and octets 8 on.
    Snap {
        /// OUI.
        oui: [u8; 3],
        /// Protocol identifier.
        pid: u16,
    },
    /// Octets 7a and 7b of H.310.
    H310 {
        /// Terminal type (4 bits).
        terminal: u8,
        /// Capabilities (3 bits).
        capability: u8,
        /// Forward and backward multiplexing (3 bits each).
        multiplexing: Option<(u8, u8)>,
    },
}

code_points! {
    /// Layer 2 protocols (5 bits).
    Layer2Protocol {
        BASIC_MODE = 0x01, "ISO 1745";
        Q921 = 0x02, "Q.921";
        X25_LINK = 0x06, "X.25 link";
        X25_MULTILINK = 0x07, "X.25 multilink";
        LAPB_EXTENDED = 0x08, "extended LAPB";
        HDLC_ARM = 0x09, "HDLC ARM";
        HDLC_NRM = 0x0a, "HDLC NRM";
        HDLC_ABM = 0x0b, "HDLC ABM";
        LLC = 0x0c, "LLC";
        X75 = 0x0d, "X.75";
        Q922 = 0x0e, "Q.922";
        USER = 0x10, "user";
        ISO_7776 = 0x11, "ISO 7776";
    }
}

code_points! {
    /// Layer 3 protocols (5 bits).
    Layer3Protocol {
        X25 = 0x06, "X.25";
        ISO_8208 = 0x07, "ISO 8208";
        X223 = 0x08, "X.223";
        ISO_8473 = 0x09, "ISO 8473";
        T70 = 0x0a, "T.70";
        TR_9577 = 0x0b, "TR 9577";
        H310 = 0x0c, "H.310";
        H321 = 0x0d, "H.321";
        USER = 0x10, "user";
    }
}

code_points! {
    /// Sequence numbering (2 bits).
    SequenceMode {
        NORMAL = 1, "normal";
        EXTENDED = 2, "extended";
    }
}

/// Initial protocol identifiers (ISO/IEC TR 9577).
const IPI_SNAP: u8 = 0x80;

/// Bits 7 and 6 of the first octet of a layer.
const LAYER1: u8 = 1;
const LAYER2: u8 = 2;
const LAYER3: u8 = 3;

impl LowLayerInfo {
    /// LLC encapsulation, as Classical IP has it (RFC 1755 §8.3).
    pub const LLC: LowLayerInfo = LowLayerInfo {
        layer1: None,
        layer2: Some(Layer2 { protocol: Layer2Protocol::LLC, detail: Layer2Detail::None }),
        layer3: None,
    };

    /// One layer 3 protocol alone on the connection, by its SNAP identifier: IPv4 is `00-00-00`, 0x0800.
    pub const fn snap(oui: [u8; 3], pid: u16) -> LowLayerInfo {
        LowLayerInfo {
            layer1: None,
            layer2: None,
            layer3: Some(Layer3 {
                protocol: Layer3Protocol::TR_9577,
                detail: Layer3Detail::Snap { oui, pid },
            }),
        }
    }
}

impl Body for HighLayerInfo {
    fn decode(from: &mut Reader<'_>) -> Result<HighLayerInfo, ContentError> {
        Ok(HighLayerInfo {
            kind: HighLayerType(from.last("high layer information type")?),
            octets: from.octets()?,
        })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.kind.0]);
        to.put(&self.octets);
    }
}

impl Body for LowLayerInfo {
    fn decode(from: &mut Reader<'_>) -> Result<LowLayerInfo, ContentError> {
        let mut info = LowLayerInfo::default();
        while !from.is_empty() {
            let octet = from.u8()?;
            let (more, value) = (octet & EXT == 0, octet & 0x1f);
            match octet >> 5 & 3 {
                LAYER1 if more => return Err(ContentError::Extension("layer 1")),
                LAYER1 => once(&mut info.layer1, LAYER1, value)?,
                LAYER2 => once(&mut info.layer2, LAYER2, Layer2::read(Layer2Protocol(value), more, from)?)?,
                LAYER3 => once(&mut info.layer3, LAYER3, Layer3::read(Layer3Protocol(value), more, from)?)?,
                layer => return Err(ContentError::Value { field: "layer", value: layer.into() }),
            }
        }
        Ok(info)
    }

    fn encode(&self, to: &mut impl Sink) {
        if let Some(protocol) = self.layer1 {
            to.put(&[EXT | LAYER1 << 5 | protocol & 0x1f]);
        }
        if let Some(layer) = self.layer2 {
            layer.write(to);
        }
        if let Some(layer) = self.layer3 {
            layer.write(to);
        }
    }
}

impl Layer2 {
    fn read(protocol: Layer2Protocol, more: bool, from: &mut Reader<'_>) -> Result<Layer2, ContentError> {
        if !more {
            return Ok(Layer2 { protocol, detail: Layer2Detail::None });
        }
        if protocol == Layer2Protocol::USER {
            return Ok(Layer2 { protocol, detail: Layer2Detail::User(from.last("layer 2")?) });
        }
        let octet = from.u8()?;
        let window = if octet & EXT == 0 { Some(from.last("layer 2 window")?) } else { None };
        let detail = Layer2Detail::Mode { mode: SequenceMode(octet >> 5 & 3), q933: octet & 3, window };
        Ok(Layer2 { protocol, detail })
    }

    fn write(self, to: &mut impl Sink) {
        let first = LAYER2 << 5 | self.protocol.0 & 0x1f;
        match self.detail {
            Layer2Detail::None => to.put(&[EXT | first]),
            Layer2Detail::User(value) => to.put(&[first, EXT | value]),
            Layer2Detail::Mode { mode, q933, window } => {
                let octet = (mode.0 & 3) << 5 | q933 & 3;
                match window {
                    None => to.put(&[first, EXT | octet]),
                    Some(window) => to.put(&[first, octet, EXT | window]),
                }
            }
        }
    }
}

impl Layer3 {
    fn read(protocol: Layer3Protocol, more: bool, from: &mut Reader<'_>) -> Result<Layer3, ContentError> {
        let detail = match protocol {
            _ if !more => Layer3Detail::None,
            Layer3Protocol::X25 | Layer3Protocol::ISO_8208 | Layer3Protocol::X223 => {
                let octet = from.u8()?;
                let packet = if octet & EXT == 0 {
                    let size = from.u8()?;
                    let window = if size & EXT == 0 { Some(from.last("packet window")?) } else { None };
                    Some((size & 0x0f, window))
                } else {
                    None
                };
                Layer3Detail::X25 { mode: SequenceMode(octet >> 5 & 3), packet }
            }
            Layer3Protocol::USER => Layer3Detail::User(from.last("layer 3")?),
            Layer3Protocol::TR_9577 => Layer3Detail::read_ipi(from)?,
            Layer3Protocol::H310 => {
                let octet = from.u8()?;
                let multiplexing = if octet & EXT == 0 {
                    let octet = from.last("multiplexing")?;
                    Some((octet >> 3 & 7, octet & 7))
                } else {
                    None
                };
                Layer3Detail::H310 { terminal: octet & 0x0f, capability: octet >> 4 & 7, multiplexing }
            }
            _ => return Err(ContentError::Extension("layer 3")),
        };
        Ok(Layer3 { protocol, detail })
    }

    fn write(self, to: &mut impl Sink) {
        let first = LAYER3 << 5 | self.protocol.0 & 0x1f;
        match self.detail {
            Layer3Detail::None => to.put(&[EXT | first]),
            Layer3Detail::User(value) => to.put(&[first, EXT | value]),
            Layer3Detail::X25 { mode, packet } => {
                let octet = (mode.0 & 3) << 5;
                match packet {
                    None => to.put(&[first, EXT | octet]),
                    Some((size, None)) => to.put(&[first, octet, EXT | size & 0x0f]),
                    Some((size, Some(window))) => to.put(&[first, octet, size & 0x0f, EXT | window]),
                }
            }
            Layer3Detail::Ipi(ipi) => to.put(&[first, ipi >> 1, EXT | (ipi & 1) << 6]),
            Layer3Detail::Snap { oui, pid } => {
                to.put(&[first, IPI_SNAP >> 1, EXT, EXT]);
                to.put(&oui);
                to.put(&pid.to_be_bytes());
            }
            Layer3Detail::H310 { terminal, capability, multiplexing } => {
                let octet = (capability & 7) << 4 | terminal & 0x0f;
                match multiplexing {
                    None => to.put(&[first, EXT | octet]),
                    Some((forward, backward)) => {
                        to.put(&[first, octet, EXT | (forward & 7) << 3 | backward & 7]);
                    }
                }
            }
        }
    }
}

impl Layer3Detail {
    /// Octets 7a and 7b hold the eight bits of the identifier, seven and one.
    fn read_ipi(from: &mut Reader<'_>) -> Result<Layer3Detail, ContentError> {
        let high = from.u8()?;
        if high & EXT != 0 {
            return Err(ContentError::Extension("initial protocol identifier"));
        }
        let ipi = high << 1 | from.last("initial protocol identifier")? >> 6;
        if ipi != IPI_SNAP {
            return Ok(Layer3Detail::Ipi(ipi));
        }
        from.last("SNAP identifier")?;
        Ok(Layer3Detail::Snap { oui: from.array()?, pid: from.u16()? })
    }
}

/// `bhli vendor 0060d701000003`.
impl fmt::Display for HighLayerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bhli {} {}", self.kind, self.octets)
    }
}

/// `blli l2 LLC`, `blli l3 TR 9577 snap 000000:0800`.
impl fmt::Display for LowLayerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("blli")?;
        if let Some(protocol) = self.layer1 {
            write!(f, " l1 {protocol:#04x}")?;
        }
        if let Some(layer) = self.layer2 {
            write!(f, " l2 {}", layer.protocol)?;
            match layer.detail {
                Layer2Detail::None => {}
                Layer2Detail::User(value) => write!(f, " {value:#04x}")?,
                Layer2Detail::Mode { mode, q933, window } => {
                    write!(f, " {mode}")?;
                    if q933 != 0 {
                        write!(f, " q933 {q933}")?;
                    }
                    if let Some(window) = window {
                        write!(f, " window {window}")?;
                    }
                }
            }
        }
        if let Some(layer) = self.layer3 {
            write!(f, " l3 {}{}", layer.protocol, layer.detail)?;
        }
        Ok(())
    }
}

impl fmt::Display for Layer3Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Layer3Detail::None => Ok(()),
            Layer3Detail::User(value) => write!(f, " {value:#04x}"),
            Layer3Detail::Ipi(ipi) => write!(f, " ipi {ipi:#04x}"),
            Layer3Detail::Snap { oui: [a, b, c], pid } => write!(f, " snap {a:02x}{b:02x}{c:02x}:{pid:04x}"),
            Layer3Detail::X25 { mode, packet } => {
                write!(f, " {mode}")?;
                let Some((size, window)) = packet else { return Ok(()) };
                write!(f, " packet {}", 1u32 << size.min(15))?;
                window.map_or(Ok(()), |window| write!(f, " window {window}"))
            }
            Layer3Detail::H310 { terminal, capability, multiplexing } => {
                write!(f, " terminal {terminal} capability {capability}")?;
                multiplexing.map_or(Ok(()), |(forward, backward)| write!(f, " mux {forward}/{backward}"))
            }
        }
    }
}
