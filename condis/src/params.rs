//! What drivers tell each other about a call: address families, SAPs, flows and call parameters.
//!
//! The shapes follow the documented structures; what there is a pointer into a driver's memory is an owned value here, so
//! that nobody has to keep a buffer alive for anybody else.

use std::fmt;

/// The signaling protocol of a call manager or an MCM, with its version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "CO_ADDRESS_FAMILY")]
pub struct AddressFamily {
    /// The protocol (`NDIS_AF`).
    pub family: u32,
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
}

impl AddressFamily {
    /// ATM signaling after Q.2931.
    #[doc(alias = "CO_ADDRESS_FAMILY_Q2931")]
    pub const Q2931: AddressFamily = AddressFamily::new(0x1);
    /// The packet scheduler.
    #[doc(alias = "CO_ADDRESS_FAMILY_PSCHED")]
    pub const PSCHED: AddressFamily = AddressFamily::new(0x2);
    /// L2TP.
    #[doc(alias = "CO_ADDRESS_FAMILY_L2TP")]
    pub const L2TP: AddressFamily = AddressFamily::new(0x3);
    /// PPP; the family of PPPoE.
    #[doc(alias = "CO_ADDRESS_FAMILY_PPP")]
    pub const PPP: AddressFamily = AddressFamily::new(0x6);
    /// TAPI as a proxy offers it to its clients.
    #[doc(alias = "CO_ADDRESS_FAMILY_TAPI")]
    pub const TAPI: AddressFamily = AddressFamily::new(0x800);
    /// TAPI as a WAN (M)CM offers it to a proxy.
    #[doc(alias = "CO_ADDRESS_FAMILY_TAPI_PROXY")]
    pub const TAPI_PROXY: AddressFamily = AddressFamily::new(0x801);

    /// Version 1.0 of the family with this number.
    pub const fn new(family: u32) -> AddressFamily {
        AddressFamily { family, major: 1, minor: 0 }
    }
}

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.family {
            0x1 => "Q2931",
            0x2 => "PSCHED",
            0x3 => "L2TP",
            0x4 => "IRDA",
            0x5 => "1394",
            0x6 => "PPP",
            0x7 => "INFINIBAND",
            0x800 => "TAPI",
            0x801 => "TAPI_PROXY",
            other => return write!(f, "AF {other:#x} {}.{}", self.major, self.minor),
        };
        write!(f, "{name} {}.{}", self.major, self.minor)
    }
}

impl fmt::Debug for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a client takes incoming calls. What the octets mean is up to the address family.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[doc(alias = "CO_SAP")]
pub struct Sap {
    /// [`Sap::NSAP`], [`Sap::E164`], [`Sap::TAPI`], or what the family defines.
    pub sap_type: u32,
    /// The address itself.
    pub address: Vec<u8>,
}

impl Sap {
    /// `SAP_TYPE_NSAP`: 20 octets.
    pub const NSAP: u32 = 1;
    /// `SAP_TYPE_E164`: up to 15 digits.
    pub const E164: u32 = 2;
    /// `AF_TAPI_SAP_TYPE`: a device class.
    pub const TAPI: u32 = 0x8000;

    /// A SAP of `sap_type` at `address`.
    pub fn new(sap_type: u32, address: impl Into<Vec<u8>>) -> Sap {
        Sap { sap_type, address: address.into() }
    }
}

/// What one direction of a call asks of the network. Rates are in octets per second, sizes in octets, times in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[doc(alias = "FLOWSPEC")]
#[expect(missing_docs, reason = "the names are those of FLOWSPEC (qos.h) and say it all")]
pub struct FlowSpec {
    pub token_rate: u32,
    pub token_bucket_size: u32,
    pub peak_bandwidth: u32,
    pub latency: u32,
    pub delay_variation: u32,
    pub service_type: u32,
    pub max_sdu_size: u32,
    pub minimum_policed_size: u32,
}

impl FlowSpec {
    /// `QOS_NOT_SPECIFIED`.
    pub const NOT_SPECIFIED: u32 = 0xFFFF_FFFF;
    /// `POSITIVE_INFINITY_RATE`.
    pub const INFINITE_RATE: u32 = 0xFFFF_FFFE;

    /// Best effort: nothing is specified.
    pub const BEST_EFFORT: FlowSpec = FlowSpec {
        token_rate: Self::NOT_SPECIFIED,
        token_bucket_size: Self::NOT_SPECIFIED,
        peak_bandwidth: Self::NOT_SPECIFIED,
        latency: Self::NOT_SPECIFIED,
        delay_variation: Self::NOT_SPECIFIED,
        service_type: Self::NOT_SPECIFIED,
        max_sdu_size: Self::NOT_SPECIFIED,
        minimum_policed_size: Self::NOT_SPECIFIED,
    };
}

impl Default for FlowSpec {
    fn default() -> Self {
        FlowSpec::BEST_EFFORT
    }
}

/// A counted blob whose meaning belongs to a signaling protocol or to a medium.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[doc(alias = "CO_SPECIFIC_PARAMETERS")]
pub struct Specific {
    /// Says how to read `parameters`. The call manager's types and the medium's are two name spaces.
    pub param_type: u32,
    /// The blob.
    pub parameters: Vec<u8>,
}

/// What an (M)CM sets a call up from, and what a client judges an incoming call by.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[doc(alias = "CO_CALL_MANAGER_PARAMETERS")]
pub struct CallManagerParams {
    /// From the caller's view: what it sends.
    pub transmit: FlowSpec,
    /// What it receives.
    pub receive: FlowSpec,
    /// The signaling protocol's own part, such as the address to call.
    pub specific: Specific,
}

bitflags::bitflags! {
    /// How a medium is to treat a VC (`CO_MEDIA_PARAMETERS.Flags`).
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct MediaFlags: u32 {
        /// Stamp receives with the time.
        const RECEIVE_TIME_INDICATION = 0x001;
        /// Stamp sends with the time; ignored where unsupported.
        const USE_TIME_STAMPS = 0x002;
        /// The VC will be sent on.
        const TRANSMIT_VC = 0x004;
        /// The VC will be received on.
        const RECEIVE_VC = 0x008;
        /// Indicate damaged receives too.
        const INDICATE_ERRED_PACKETS = 0x010;
        /// Indicate the end of each transmission.
        const INDICATE_END_OF_TX = 0x020;
        /// Reserve the resources rather than activate.
        const RESERVE_RESOURCES_VC = 0x040;
        /// The miniport may round flow values down, and returns those in use.
        const ROUND_DOWN_FLOW = 0x080;
        /// The miniport may round flow values up, and returns those in use.
        const ROUND_UP_FLOW = 0x100;
    }

    /// `CO_CALL_PARAMETERS.Flags`.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct CallFlags: u32 {
        /// The client wants the call on a permanent VC.
        const PERMANENT_VC = 0x01;
        /// The parameters differ from those that were handed in.
        const CALL_PARAMETERS_CHANGED = 0x02;
        /// Value only; no page tells its meaning.
        const QUERY_CALL_PARAMETERS = 0x04;
        /// Value only; no page tells its meaning.
        const BROADCAST_VC = 0x08;
        /// The call is a multipoint call.
        const MULTIPOINT_VC = 0x10;
    }
}

/// What the miniport activates a VC with.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[doc(alias = "CO_MEDIA_PARAMETERS")]
pub struct MediaParams {
    /// How to treat the VC.
    pub flags: MediaFlags,
    /// Priority of receives.
    pub receive_priority: u32,
    /// The size of receives to expect, in octets.
    pub receive_size_hint: u32,
    /// The medium's own part, such as VPI and VCI.
    pub specific: Specific,
}

/// The parameters of a call, of a party or of an activation. They move: who holds them may write them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[doc(alias = "CO_CALL_PARAMETERS")]
pub struct CallParams {
    /// Flags.
    pub flags: CallFlags,
    /// For the (M)CM and the client.
    pub manager: Option<Box<CallManagerParams>>,
    /// For the miniport.
    pub media: Option<Box<MediaParams>>,
}

impl CallParams {
    /// Best effort, with `specific` for the call manager.
    pub fn to(specific: Specific) -> CallParams {
        CallParams {
            manager: Some(Box::new(CallManagerParams { specific, ..Default::default() })),
            ..Default::default()
        }
    }

    /// Parameters for a miniport alone.
    pub fn media(media: MediaParams) -> CallParams {
        CallParams { media: Some(Box::new(media)), ..Default::default() }
    }

    /// True if these differ from what was asked (`CALL_PARAMETERS_CHANGED`).
    pub fn changed(&self) -> bool {
        self.flags.contains(CallFlags::CALL_PARAMETERS_CHANGED)
    }
}

/// Data for the remote that goes along with a close or a drop. Empty means none (CO-163).
pub type CloseData = Vec<u8>;
