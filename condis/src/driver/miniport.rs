use crate::adapter::Adapter;
use crate::af::Af;
use crate::nbl::{CancelId, Chain};
use crate::oid::OidRequest;
use crate::params::{AddressFamily, CallParams};
use crate::role::{Mcm, Miniport, Role};
use crate::status::NdisStatus;
use crate::token::{Activate, Answer, Deactivate, Oid, OpenAf, Pause, Reset, Restart, Token};
use crate::trace::VcId;
use crate::vc::{Sends, Vc};

/// The two kinds of driver that drive an adapter.
pub trait LowerRole: Role + Sized {
    /// The driver's object for an adapter.
    type AdapterObj: ?Sized + Send + Sync;
}

impl LowerRole for Miniport {
    type AdapterObj = dyn MiniportAdapter;
}

impl LowerRole for Mcm {
    type AdapterObj = dyn McmAdapter;
}

/// What an adapter is connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "NDIS_MEDIUM")]
#[expect(missing_docs, reason = "the names of NDIS_MEDIUM")]
pub enum Medium {
    Ethernet = 0,
    Atm = 8,
    CoWan = 12,
    Tunnel = 15,
    Loopback = 17,
}

/// What a miniport tells of an adapter when it initializes it.
#[derive(Clone, Debug)]
#[doc(alias = "NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES")]
pub struct AdapterAttributes {
    /// The medium.
    pub medium: Medium,
    /// The largest SDU, in octets.
    pub mtu_octets: u32,
    /// Speed of sends, in bits per second.
    pub transmit_bits_per_s: u64,
    /// Speed of receives, in bits per second.
    pub receive_bits_per_s: u64,
    /// Headroom that the miniport wants in front of what is sent, in octets.
    #[doc(alias = "DataBackFillSize")]
    pub backfill_octets: u32,
    /// False: this device is connectionless although its driver can do both (DP-053).
    #[doc(alias = "NDIS_MINIPORT_ATTRIBUTES_NOT_CO_NDIS")]
    pub connection_oriented: bool,
}

impl AdapterAttributes {
    /// A connection-oriented adapter of `medium`, with `mtu_octets` and 1 Gbit/s both ways.
    pub fn new(medium: Medium, mtu_octets: u32) -> AdapterAttributes {
        AdapterAttributes {
            medium,
            mtu_octets,
            transmit_bits_per_s: 1_000_000_000,
            receive_bits_per_s: 1_000_000_000,
            backfill_octets: 0,
            connection_oriented: true,
        }
    }
}

/// Why an adapter is halted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "NDIS_HALT_ACTION")]
#[expect(missing_docs, reason = "the names of NDIS_HALT_ACTION")]
pub enum HaltAction {
    DeviceDisabled,
    SurpriseRemoved,
    InitializationFailed,
}

/// What happens to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "NDIS_DEVICE_PNP_EVENT")]
pub enum PnpEvent {
    /// The device is gone: complete every send and every OID at once, with NOT_ACCEPTED, until the halt.
    SurpriseRemoved,
}

/// A miniport driver under call managers.
#[doc(alias = "NDIS_MINIPORT_DRIVER_CHARACTERISTICS")]
pub trait MiniportDriver: Send + Sync + 'static {
    /// An adapter appeared. [`AdapterLife::initialized`] runs as the rest of this callback.
    ///
    /// # Errors
    /// The adapter stays halted.
    #[doc(alias = "MiniportInitializeEx")]
    fn initialize(&self, name: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus>;
}

/// A miniport call manager's driver.
#[doc(alias = "NDIS_MINIPORT_DRIVER_CHARACTERISTICS")]
pub trait McmDriver: Send + Sync + 'static {
    /// As [`MiniportDriver::initialize`].
    ///
    /// # Errors
    /// The adapter stays halted.
    #[doc(alias = "MiniportInitializeEx")]
    fn initialize(&self, name: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus>;
}

/// The life of an adapter, the same for a miniport and an MCM.
pub trait AdapterLife<R: LowerRole>: Send + Sync + 'static {
    /// The rest of `MiniportInitializeEx`, with the adapter's handle. An MCM registers its address families here; clients
    /// hear of them after this returned (CO-016). PASSIVE.
    ///
    /// # Errors
    /// The adapter is halted, and its registrations undone.
    fn initialized(&self, adapter: Adapter<'_, R>) -> Result<(), NdisStatus> {
        let _ = adapter;
        Ok(())
    }

    /// Data may flow: receives may be indicated at once, sends come once this is answered. PASSIVE.
    #[doc(alias = "MiniportRestart")]
    #[doc(alias = "NdisMRestartComplete")]
    fn restart<'a>(&self, adapter: Adapter<'_, R>, token: Token<'a, Restart>) -> Answer<'a, Restart> {
        let _ = adapter;
        token.done(Ok(()))
    }

    /// Data stops: indicate nothing more, complete the sends that are queued, and answer then. VCs stay as they are
    /// (DP-066). PASSIVE.
    #[doc(alias = "MiniportPause")]
    #[doc(alias = "NdisMPauseComplete")]
    fn pause<'a>(&self, adapter: Adapter<'_, R>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        let _ = adapter;
        token.done(())
    }

    /// The adapter ends. Nothing is outstanding and every protocol is unbound. Drop every kept handle. PASSIVE.
    #[doc(alias = "MiniportHaltEx")]
    fn halt(&self, action: HaltAction) {
        let _ = action;
    }

    /// Resets the device: complete all sends and OIDs that are pending, then answer. `Ok(true)`: NDIS replays the settings.
    #[doc(alias = "MiniportResetEx")]
    #[doc(alias = "NdisMResetComplete")]
    fn reset<'a>(&self, adapter: Adapter<'_, R>, token: Token<'a, Reset>) -> Answer<'a, Reset> {
        let _ = adapter;
        token.done(Err(NdisStatus::NOT_RESETTABLE))
    }

    /// The system goes down. The last callback of an adapter (DP-076).
    #[doc(alias = "MiniportShutdownEx")]
    fn shutdown(&self) {}

    /// Something happened to the device.
    #[doc(alias = "MiniportDevicePnPEventNotify")]
    fn pnp_event(&self, adapter: Adapter<'_, R>, event: PnpEvent) {
        let _ = (adapter, event);
    }

    /// Complete the queued NBLs with this id, on every VC of the adapter, with SEND_ABORTED (DP-138).
    #[doc(alias = "MiniportCancelSend")]
    fn cancel_send(&self, adapter: Adapter<'_, R>, id: CancelId) {
        let _ = (adapter, id);
    }

    /// Complete the pended requests with this id with REQUEST_ABORTED (DP-184).
    #[doc(alias = "MiniportCancelOidRequest")]
    fn cancel_oid_request(&self, adapter: Adapter<'_, R>, request_id: u64) {
        let _ = (adapter, request_id);
    }

    /// A protocol, or NDIS itself, asks or sets something: about the adapter, or about one VC. More may come while one
    /// pends, on other threads (DP-175).
    #[doc(alias = "MiniportCoOidRequest")]
    #[doc(alias = "NdisMCoOidRequestComplete")]
    fn oid_request<'a>(
        &self,
        adapter: Adapter<'_, R>,
        vc: Option<Vc<'_, R>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid>;
}

/// An adapter, at a miniport under call managers.
pub trait MiniportAdapter: AdapterLife<Miniport> {
    /// A protocol makes a VC over this adapter. Another driver may still refuse, so use nothing of it yet.
    ///
    /// # Errors
    /// The VC is not made, and its creator is told the status.
    #[doc(alias = "MiniportCoCreateVc")]
    fn create_vc(&self, vc: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus>;
}

/// An adapter, at an MCM. There is no `create_vc` of a miniport to supply: NDIS asks the manager half
/// ([`ManagerAf::create_vc`](super::ManagerAf::create_vc)) for both halves of a VC (CO-005).
///
/// ```compile_fail
/// # use condis::driver::*; use condis::trace::VcId; use condis::status::NdisStatus;
/// # struct My;
/// # impl AdapterLife<condis::role::Mcm> for My {}
/// impl McmAdapter for My {
///     fn create_vc(&self, vc: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> { todo!() }
/// }
/// ```
pub trait McmAdapter: AdapterLife<Mcm> {
    /// A client opens an address family that this MCM registered on this adapter. The answer is the MCM's object for that
    /// client.
    #[doc(alias = "ProtocolCmOpenAf")]
    #[doc(alias = "NdisMCmOpenAddressFamilyComplete")]
    fn open_af<'a>(
        &self,
        af: Af<'_, Mcm>,
        family: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>>;
}

/// A miniport's end of a VC.
pub trait MiniportVc: Send + Sync + 'static {
    /// Get ready to carry data with these parameters. On an active VC: change to them, or refuse and go on with the old
    /// ones (DP-097). Parameters that cannot be met are INVALID_DATA. The answer carries the parameters in use.
    #[doc(alias = "MiniportCoActivateVc")]
    #[doc(alias = "NdisMCoActivateVcComplete")]
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate>;

    /// Stop: complete what is queued, indicate nothing more, then answer. NDIS waits for what is still out (DP-103).
    #[doc(alias = "MiniportCoDeactivateVc")]
    #[doc(alias = "NdisMCoDeactivateVcComplete")]
    fn deactivate<'a>(&self, vc: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate>;

    /// NBLs to send, in order. Take them all: complete them here, or keep the batch and complete it later.
    #[doc(alias = "MiniportCoSendNetBufferLists")]
    #[doc(alias = "NdisMCoSendNetBufferListsComplete")]
    fn send(&self, vc: Vc<'_, Miniport>, sends: Sends<'_>);

    /// Indicated NBLs are back.
    #[doc(alias = "MiniportReturnNetBufferLists")]
    fn returned(&self, vc: Vc<'_, Miniport>, chain: Chain) {
        let _ = (vc, chain);
    }

    /// The VC ends. Drop the handles kept of it.
    #[doc(alias = "MiniportCoDeleteVc")]
    fn delete(&self) {}
}

/// The data half of an MCM's VC.
pub trait McmVcData: Send + Sync + 'static {
    /// NBLs of a client to send. As [`MiniportVc::send`].
    #[doc(alias = "MiniportCoSendNetBufferLists")]
    fn send(&self, vc: Vc<'_, Mcm>, sends: Sends<'_>);

    /// Indicated NBLs are back.
    #[doc(alias = "MiniportReturnNetBufferLists")]
    fn returned(&self, vc: Vc<'_, Mcm>, chain: Chain) {
        let _ = (vc, chain);
    }
}
