//! Why parameters cannot be read.

/// Why parameters, a SAP or a PVC cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// There are none.
    #[error("no parameters")]
    Missing,
    /// They are of another type.
    #[error("parameters of type {found:#x}, expected {expected:#x}")]
    Type {
        /// Their type.
        found: u32,
        /// The type that is read here.
        expected: u32,
    },
    /// They end too early.
    #[error("parameters of {len} octets are cut off")]
    Truncated {
        /// Their octets.
        len: usize,
    },
    /// There is more of them than they say.
    #[error("parameters of {len} octets are too long")]
    TooLong {
        /// Their octets.
        len: usize,
    },
    /// Not an address.
    #[error("not an ATM address")]
    Address,
    /// An adaptation layer that is not offered.
    #[error("AAL type {0:#x}, expected AAL0 (1) or AAL5 (8)")]
    Aal(u32),
    /// A service category that is not offered.
    #[error("service category {0:#x}, expected CBR (1), VBR (2) or UBR (4)")]
    Category(u32),
    /// Numbers that no virtual connection has.
    #[error("there is no virtual connection {vpi}.{vci}")]
    VpVc {
        /// The VPI.
        vpi: u32,
        /// The VCI.
        vci: u32,
    },
    /// A contract that lacks a rate, or has one too many.
    #[error("the rates do not suit the service category")]
    Contract,
    /// SDUs that are longer than the adaptation layer can carry.
    #[error("SDUs of {0} octets are not possible")]
    SduOctets(u32),
    /// An information element that is not whole, or more of them than there may be.
    #[error("the information elements are not what they should be")]
    InformationElement,
    /// A lower or higher layer information that is not possible.
    #[error("not a layer information")]
    LayerInfo,
}
