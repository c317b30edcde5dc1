//! NDIS status values.

/// An NDIS status, with the documented number.
///
/// Success is equality with [`NdisStatus::SUCCESS`]; the severity bits do not tell it (condis-datapath.md section 2.1).
#[doc(alias = "NDIS_STATUS")]
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct NdisStatus(pub u32);

impl NdisStatus {
    /// NDIS_STATUS_SUCCESS.
    pub const SUCCESS: NdisStatus = NdisStatus(0);
    /// NDIS_STATUS_PENDING.
    pub const PENDING: NdisStatus = NdisStatus(0x0000_0103);
    /// NDIS_STATUS_FAILURE.
    pub const FAILURE: NdisStatus = NdisStatus(0xC000_0001);
    /// NDIS_STATUS_RESOURCES.
    pub const RESOURCES: NdisStatus = NdisStatus(0xC000_009A);
    /// NDIS_STATUS_INVALID_LENGTH.
    pub const INVALID_LENGTH: NdisStatus = NdisStatus(0xC001_0014);
}
