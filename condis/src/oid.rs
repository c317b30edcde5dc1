//! OID requests: to a miniport, or to the other driver of an address family.

use std::fmt;
use std::sync::Arc;

use crate::adapter::{AdapterCore, AdapterObj};
use crate::af::{Af, AfCore};
use crate::binding::{Binding, BindingCore};
use crate::names::Function as F;
use crate::role::RoleKind;
use crate::status::NdisStatus;
use crate::token::sealed::Op;
use crate::token::{How, Object, Outcome, Token};
use crate::trace::{ObjectId, VcId, Way};
use crate::vc::{Vc, VcCore};

/// What a request wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "NDIS_REQUEST_TYPE")]
pub enum OidKind {
    /// Tell a value.
    Query,
    /// Take a value.
    Set,
    /// Tell a statistic.
    Statistics,
    /// Both ways.
    Method,
}

/// A request. It moves to its target and comes back with the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "NDIS_OID_REQUEST")]
pub struct OidRequest {
    /// Query or set.
    pub kind: OidKind,
    /// Which object; see [`code`].
    pub oid: u32,
    /// The information buffer. Its length is what the requester has room for; a target writes in place.
    pub buffer: Vec<u8>,
    /// Octets that the target wrote.
    pub bytes_written: usize,
    /// Octets that the target read.
    pub bytes_read: usize,
    /// Octets that the buffer should have had.
    pub bytes_needed: usize,
    /// For a cancel; 0 for none.
    pub request_id: u64,
}

impl OidRequest {
    /// A query with room for `room` octets.
    pub fn query(oid: u32, room: usize) -> OidRequest {
        OidRequest::new(OidKind::Query, oid, vec![0; room])
    }

    /// A set.
    pub fn set(oid: u32, value: Vec<u8>) -> OidRequest {
        OidRequest::new(OidKind::Set, oid, value)
    }

    fn new(kind: OidKind, oid: u32, buffer: Vec<u8>) -> OidRequest {
        OidRequest { kind, oid, buffer, bytes_written: 0, bytes_read: 0, bytes_needed: 0, request_id: 0 }
    }

    /// Answers a query with `value`: BUFFER_TOO_SHORT, and how much is needed, if it does not fit (DP-177).
    pub fn write(&mut self, value: &[u8]) -> NdisStatus {
        match self.buffer.get_mut(..value.len()) {
            Some(room) => {
                room.copy_from_slice(value);
                self.bytes_written = value.len();
                NdisStatus::SUCCESS
            }
            None => {
                (self.bytes_written, self.bytes_needed) = (0, value.len());
                NdisStatus::BUFFER_TOO_SHORT
            }
        }
    }

    /// Answers a query for a counter held as 64 bits: eight octets, or the low four if there is no more room (DP-179).
    pub fn write_counter(&mut self, value: u64) -> NdisStatus {
        match self.buffer.len() {
            8.. => self.write(&value.to_le_bytes()),
            4..8 => {
                let status = self.write(&(value as u32).to_le_bytes());
                self.bytes_needed = 8;
                status
            }
            _ => {
                (self.bytes_written, self.bytes_needed) = (0, 8);
                NdisStatus::INVALID_LENGTH
            }
        }
    }

    /// What the target wrote.
    pub fn written(&self) -> &[u8] {
        &self.buffer[..self.bytes_written.min(self.buffer.len())]
    }
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OidAnswer {
    /// Final, and never PENDING.
    pub status: NdisStatus,
    /// The request, back. Gone only with a driver that lost its token.
    pub request: Option<OidRequest>,
}

impl OidAnswer {
    /// `request` is answered with `status`.
    pub fn new(status: NdisStatus, request: OidRequest) -> OidAnswer {
        OidAnswer { status, request: Some(request) }
    }
}

/// What a request between the drivers of an address family is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum About {
    /// The address family as a whole.
    #[default]
    Af,
    /// One VC of it.
    Vc(VcId),
}

/// The numbers of the OIDs (`ntddndis.h`); the list with their contents is in `docs/reference/condis-datapath.md` section 10.
#[expect(missing_docs, reason = "the names of the header, without their prefix")]
pub mod code {
    /// Settings that NDIS repeats after a reset that lost them (DP-083).
    pub(crate) const REPLAYED: [u32; 3] =
        [GEN_CURRENT_PACKET_FILTER, GEN_CURRENT_LOOKAHEAD, GEN_CO_PROTOCOL_OPTIONS];

    pub const GEN_CURRENT_PACKET_FILTER: u32 = 0x0001_010E;
    pub const GEN_CURRENT_LOOKAHEAD: u32 = 0x0001_010F;
    pub const GEN_CO_SUPPORTED_LIST: u32 = 0x0001_0101;
    pub const GEN_CO_HARDWARE_STATUS: u32 = 0x0001_0102;
    pub const GEN_CO_MEDIA_SUPPORTED: u32 = 0x0001_0103;
    pub const GEN_CO_MEDIA_IN_USE: u32 = 0x0001_0104;
    pub const GEN_CO_LINK_SPEED: u32 = 0x0001_0107;
    pub const GEN_CO_VENDOR_ID: u32 = 0x0001_010C;
    pub const GEN_CO_VENDOR_DESCRIPTION: u32 = 0x0001_010D;
    pub const GEN_CO_DRIVER_VERSION: u32 = 0x0001_0110;
    pub const GEN_CO_PROTOCOL_OPTIONS: u32 = 0x0001_0112;
    pub const GEN_CO_MAC_OPTIONS: u32 = 0x0001_0113;
    pub const GEN_CO_MEDIA_CONNECT_STATUS: u32 = 0x0001_0114;
    pub const GEN_CO_VENDOR_DRIVER_VERSION: u32 = 0x0001_0116;
    pub const GEN_CO_MINIMUM_LINK_SPEED: u32 = 0x0002_0120;
    pub const GEN_CO_GET_TIME_CAPS: u32 = 0x0002_020F;
    pub const GEN_CO_GET_NETCARD_TIME: u32 = 0x0002_0210;
    pub const GEN_CO_XMIT_PDUS_OK: u32 = 0x0002_0101;
    pub const GEN_CO_RCV_PDUS_OK: u32 = 0x0002_0102;
    pub const GEN_CO_XMIT_PDUS_ERROR: u32 = 0x0002_0103;
    pub const GEN_CO_RCV_PDUS_ERROR: u32 = 0x0002_0104;
    pub const GEN_CO_RCV_PDUS_NO_BUFFER: u32 = 0x0002_0105;
    pub const GEN_CO_BYTES_XMIT: u32 = 0x0002_0201;
    pub const GEN_CO_BYTES_RCV: u32 = 0x0002_0207;
    pub const GEN_CO_BYTES_XMIT_OUTSTANDING: u32 = 0x0002_0221;
    pub const CO_ADD_PVC: u32 = 0xFE00_0001;
    pub const CO_DELETE_PVC: u32 = 0xFE00_0002;
    pub const CO_GET_CALL_INFORMATION: u32 = 0xFE00_0003;
    pub const CO_ADD_ADDRESS: u32 = 0xFE00_0004;
    pub const CO_DELETE_ADDRESS: u32 = 0xFE00_0005;
    pub const CO_GET_ADDRESSES: u32 = 0xFE00_0006;
    pub const CO_ADDRESS_CHANGE: u32 = 0xFE00_0007;
    pub const CO_SIGNALING_ENABLED: u32 = 0xFE00_0008;
    pub const CO_SIGNALING_DISABLED: u32 = 0xFE00_0009;
    pub const CO_AF_CLOSE: u32 = 0xFE00_000A;
}

/// Who asked.
pub(crate) enum Requester {
    /// NDIS itself; what it does with the answer.
    Ndis,
    /// A protocol, of the miniport.
    Binding(Arc<BindingCore>, RoleKind),
    /// The client, of the (M)CM.
    ClientAf(Arc<AfCore>),
    /// The (M)CM, of the client.
    ManagerAf(Arc<AfCore>),
}

/// A request under way.
#[doc(hidden)]
pub struct OidCore {
    id: u32,
    adapter: Arc<AdapterCore>,
    requester: Requester,
    about: About,
}

/// A request that a driver answers.
#[derive(Debug)]
pub enum Oid {}

impl OidCore {
    fn new(adapter: &Arc<AdapterCore>, requester: Requester, about: About) -> Arc<OidCore> {
        Arc::new(OidCore { id: adapter.node().next_oid(), adapter: adapter.clone(), requester, about })
    }

    /// A protocol asks the miniport, about the adapter or one of its VCs.
    pub(crate) fn to_miniport(
        binding: &Arc<BindingCore>,
        role: RoleKind,
        vc: Option<&Arc<VcCore>>,
        request: OidRequest,
    ) -> Outcome<OidAnswer> {
        let adapter = binding.adapter();
        let driver = binding.driver_as(role);
        let object = vc.map_or_else(|| binding.object_id(), |vc| vc.object_id());
        adapter.node().cross(driver, Way::Down, F::NdisCoOidRequest, object);
        let foreign = vc.is_some_and(|vc| !Arc::ptr_eq(vc.adapter(), adapter) || !vc.is_live());
        let outcome = if foreign {
            Outcome::Done(OidAnswer::new(NdisStatus::FAILURE, request))
        } else if binding.may_request_oids() {
            Self::ask_miniport(adapter, Requester::Binding(binding.clone(), role), vc, request)
        } else {
            Outcome::Done(OidAnswer::new(NdisStatus::CLOSING, request))
        };
        adapter.node().cross(driver, Way::Returned(status_of(&outcome)), F::NdisCoOidRequest, object);
        outcome
    }

    /// Asks the miniport, or the miniport half of an MCM.
    pub(crate) fn ask_miniport(
        adapter: &Arc<AdapterCore>,
        requester: Requester,
        vc: Option<&Arc<VcCore>>,
        request: OidRequest,
    ) -> Outcome<OidAnswer> {
        if adapter.is_lost() {
            return Outcome::Done(OidAnswer::new(NdisStatus::FAILURE, request));
        }
        if let Err(status) = adapter.takes_oids() {
            return Outcome::Done(OidAnswer::new(status, request));
        }
        let about = vc.map_or(About::Af, |vc| About::Vc(vc.id));
        if request.kind == OidKind::Set && vc.is_none() && code::REPLAYED.contains(&request.oid) {
            adapter.lock().settings.insert(request.oid, request.buffer.clone());
        }
        let oid = OidCore::new(adapter, requester, about);
        let node = adapter.node();
        node.cross(adapter.driver(), Way::Up, F::MiniportCoOidRequest, oid.object_id());
        let token = || Token::new(&oid, ());
        let answer = adapter.guard(F::MiniportCoOidRequest, || match adapter.object()? {
            AdapterObj::Miniport(object) => {
                object.oid_request(adapter.handle(), vc.map(Vc::new), request, token()).take()
            }
            AdapterObj::Mcm(object) => {
                object.oid_request(adapter.handle(), vc.map(Vc::new), request, token()).take()
            }
        });
        answer.flatten().map_or(Outcome::Pending, Outcome::Done)
    }

    /// The client asks the (M)CM.
    pub(crate) fn to_manager(af: &Arc<AfCore>, about: About, request: OidRequest) -> Outcome<OidAnswer> {
        af.cross_client(Way::Down, F::NdisCoOidRequest);
        let outcome = Self::ask_af(af, about, request, true);
        af.cross_client(Way::Returned(status_of(&outcome)), F::NdisCoOidRequest);
        outcome
    }

    /// The (M)CM asks the client.
    pub(crate) fn to_client(af: &Arc<AfCore>, about: About, request: OidRequest) -> Outcome<OidAnswer> {
        let function = af.named(F::NdisCoOidRequest, F::NdisMCmOidRequest);
        af.cross_manager(Way::Down, function);
        let outcome = Self::ask_af(af, about, request, false);
        af.cross_manager(Way::Returned(status_of(&outcome)), function);
        outcome
    }

    fn ask_af(af: &Arc<AfCore>, about: About, request: OidRequest, manager: bool) -> Outcome<OidAnswer> {
        if !af.is_open() {
            return Outcome::Done(OidAnswer::new(NdisStatus::CLOSING, request));
        }
        let requester =
            if manager { Requester::ClientAf(af.clone()) } else { Requester::ManagerAf(af.clone()) };
        let oid = OidCore::new(af.adapter(), requester, about);
        let mut request = Some(request);
        let mut take = || request.take().expect("one of the two callbacks runs");
        let answer = if manager {
            let request = take();
            match af.manager.get() {
                Some(crate::af::ManagerAfObj::CallManager(_)) => af.call_manager(
                    F::ProtocolCoOidRequest,
                    |object, af| object.oid_request(af, about, request, Token::new(&oid, ())).take(),
                    |_, _| None,
                ),
                _ => af.call_manager(
                    F::ProtocolCoOidRequest,
                    |_, _| None,
                    |object, af| object.oid_request(af, about, request, Token::new(&oid, ())).take(),
                ),
            }
        } else {
            let request = take();
            af.call_client(F::ProtocolCoOidRequest, |client| {
                client.oid_request(Af::new(af), about, request, Token::new(&oid, ())).take()
            })
        };
        answer.flatten().map_or(Outcome::Pending, Outcome::Done)
    }

    fn object_id(&self) -> ObjectId {
        ObjectId::Oid(self.id)
    }
}

fn status_of(outcome: &Outcome<OidAnswer>) -> NdisStatus {
    match outcome {
        Outcome::Done(answer) => answer.status,
        Outcome::Pending => NdisStatus::PENDING,
    }
}

impl Object for OidCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        &self.adapter
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

impl Op for Oid {
    type Obj = OidCore;
    type Key = ();
    type Answer = OidAnswer;
    type Reply = OidAnswer;
    const CALLBACK: F = F::ProtocolCoOidRequest;

    fn lost() -> OidAnswer {
        OidAnswer { status: NdisStatus::FAILURE, request: None }
    }

    fn settle(oid: &Arc<OidCore>, (): (), answer: OidAnswer, how: How) -> Option<OidAnswer> {
        if how == How::Returned {
            return Some(answer);
        }
        let node = oid.adapter.node();
        let (target, function) = match &oid.requester {
            Requester::Ndis | Requester::Binding(..) => (oid.adapter.driver(), F::NdisMCoOidRequestComplete),
            Requester::ClientAf(af) => {
                (af.manager_driver(), af.named(F::NdisCoOidRequestComplete, F::NdisMCmOidRequestComplete))
            }
            Requester::ManagerAf(af) => (af.client_driver(), F::NdisCoOidRequestComplete),
        };
        if how == How::Late {
            node.cross(target, Way::Down, function, oid.object_id());
        }
        let up = F::ProtocolCoOidRequestComplete;
        match &oid.requester {
            Requester::Ndis => {}
            Requester::Binding(binding, role) => binding.tell_oid_complete(*role, answer),
            Requester::ClientAf(af) => {
                af.call_client(up, |client| client.oid_request_complete(Af::new(af), oid.about, answer));
            }
            Requester::ManagerAf(af) => {
                let both = std::cell::Cell::new(Some(answer));
                let take = || both.take().expect("one of the two callbacks runs");
                af.call_manager(
                    up,
                    |object, af| object.oid_request_complete(af, oid.about, take()),
                    |object, af| object.oid_request_complete(af, oid.about, take()),
                );
            }
        }
        None
    }

    fn holder(oid: &OidCore, (): ()) -> String {
        match &oid.requester {
            Requester::Ndis | Requester::Binding(..) => oid.adapter.driver().to_string(),
            Requester::ClientAf(af) => af.manager_driver().to_string(),
            Requester::ManagerAf(af) => af.client_driver().to_string(),
        }
    }
}

impl<R: crate::role::Role> Binding<'_, R> {
    /// Asks the miniport something, or tells it: about the adapter, or about one VC.
    ///
    /// # Completion
    /// [`oid_request_complete`](crate::driver::BindingLife::oid_request_complete) if this returns pending.
    ///
    /// Source: WDK NdisCoOidRequest with no AF handle; CO-185.
    #[doc(alias = "NdisCoOidRequest")]
    #[doc(alias = "NdisOidRequest")]
    pub fn oid_request<V: crate::role::Role>(
        self,
        vc: Option<Vc<'_, V>>,
        request: OidRequest,
    ) -> Outcome<OidAnswer> {
        OidCore::to_miniport(self.core(), R::KIND, vc.map(|vc| vc.0), request)
    }
}

impl fmt::Display for OidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of OID {:#010x}, {} octets", self.kind, self.oid, self.buffer.len())
    }
}
