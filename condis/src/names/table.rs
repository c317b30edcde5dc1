//! The table: documented name, what plays it here, the rules it obeys.

use super::Function;

/// One documented name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The documented name.
    pub function: Function,
    /// The items of this crate that play it. A completion is the `complete` of the token that the callback was given.
    pub items: &'static [&'static str],
    /// The rules of `docs/reference` that it obeys or lets a driver obey.
    pub rules: &'static [&'static str],
}

const fn entry(function: Function, items: &'static [&'static str], rules: &'static [&'static str]) -> Entry {
    Entry { function, items, rules }
}

/// The 65 functions and 42 callbacks of CoNDIS. All of them make sense in Rust; the `Complete` functions of drivers are one
/// method, [`Pended::complete`](crate::token::Pended::complete), whose type says which it is.
pub const TABLE: &[Entry] = &[
    entry(Function::NdisClAddParty, &["vc::Vc::<Client>::add_party"], &["CO-164", "CO-165", "CO-167"]),
    entry(Function::NdisClCloseAddressFamily, &["af::Af::<Client>::close"], &["CO-029", "CO-030", "CO-034"]),
    entry(
        Function::NdisClCloseCall,
        &["vc::Vc::<Client>::close_call"],
        &[
            "CO-128", "CO-147", "CO-148", "CO-149", "CO-150", "CO-153", "CO-157", "CO-169", "CO-170",
            "CO-173", "DP-120",
        ],
    ),
    entry(
        Function::NdisClDeregisterSap,
        &["sap::SapRef::<Client>::deregister"],
        &["CO-051", "CO-052", "CO-053", "CO-207"],
    ),
    entry(Function::NdisClDropParty, &["party::Party::<Client>::drop_party"], &["CO-168", "CO-173"]),
    entry(
        Function::NdisClGetProtocolVcContextFromTapiCallId,
        &["af::Af::<Client>::vc_from_tapi_call_id"],
        &["CO-202"],
    ),
    entry(
        Function::NdisClIncomingCallComplete,
        &["token::Pended::<IncomingCall>::complete, of driver::ClientVc::incoming_call"],
        &["CO-136"],
    ),
    entry(Function::NdisClMakeCall, &["vc::Vc::<Client>::make_call"], &["CO-114", "CO-116", "CO-117"]),
    entry(
        Function::NdisClModifyCallQoS,
        &["vc::Vc::<Client>::modify_call_qos"],
        &["CO-139", "CO-177", "CO-184"],
    ),
    entry(
        Function::NdisClNotifyCloseAddressFamilyComplete,
        &["token::Pended::<NotifyCloseAf>::complete, of driver::ClientAf::notify_close"],
        &["CO-040"],
    ),
    entry(
        Function::NdisClOpenAddressFamilyEx,
        &["binding::Binding::<Client>::open_address_family"],
        &["CO-020", "CO-021", "CO-023"],
    ),
    entry(
        Function::NdisClRegisterSap,
        &["af::Af::<Client>::register_sap"],
        &["CO-045", "CO-046", "CO-047", "CO-049"],
    ),
    entry(
        Function::NdisCmActivateVc,
        &["vc::Vc::<CallManager>::activate", "vc::Vc::<Signaling>::activate"],
        &["CO-090", "CO-093", "CO-094", "CO-095", "CO-096", "CO-178", "DP-094", "DP-095", "DP-100"],
    ),
    entry(
        Function::NdisCmAddPartyComplete,
        &["token::Pended::<AddParty>::complete, of driver::ManagerVc::add_party"],
        &["CO-166", "CO-208"],
    ),
    entry(
        Function::NdisCmCloseAddressFamilyComplete,
        &["token::Pended::<CloseAf>::complete, of driver::ManagerAf::close"],
        &["CO-032", "CO-033", "CO-035"],
    ),
    entry(
        Function::NdisCmCloseCallComplete,
        &["token::Pended::<CloseCall>::complete, of driver::ManagerVc::close_call"],
        &["CO-155", "CO-156", "CO-208", "CO-212"],
    ),
    entry(
        Function::NdisCmDeactivateVc,
        &[
            "vc::Vc::<CallManager>::deactivate",
            "vc::Vc::<Signaling>::deactivate",
            "vc::Vc::<Mcm>::deactivate",
        ],
        &["CO-102", "CO-103", "CO-104", "CO-105", "CO-107", "DP-104"],
    ),
    entry(
        Function::NdisCmDeregisterSapComplete,
        &["token::Pended::<DeregisterSap>::complete, of driver::ManagerSap::deregister"],
        &["CO-056"],
    ),
    entry(
        Function::NdisCmDispatchCallConnected,
        &["vc::Vc::dispatch_call_connected"],
        &["CO-140", "CO-141", "CO-143"],
    ),
    entry(
        Function::NdisCmDispatchIncomingCall,
        &["vc::Vc::dispatch_incoming_call"],
        &["CO-055", "CO-131", "CO-132", "CO-133", "CO-134"],
    ),
    entry(
        Function::NdisCmDispatchIncomingCallQoSChange,
        &["vc::Vc::dispatch_incoming_call_qos_change"],
        &["CO-181"],
    ),
    entry(
        Function::NdisCmDispatchIncomingCloseCall,
        &["vc::Vc::dispatch_incoming_close_call"],
        &["CO-143", "CO-158", "CO-161"],
    ),
    entry(Function::NdisCmDispatchIncomingDropParty, &["party::Party::dispatch_incoming_drop"], &["CO-172"]),
    entry(
        Function::NdisCmDropPartyComplete,
        &["token::Pended::<DropParty>::complete, of driver::ManagerParty::drop_party"],
        &["CO-174", "CO-208"],
    ),
    entry(
        Function::NdisCmMakeCallComplete,
        &["token::Pended::<MakeCall>::complete, of driver::ManagerVc::make_call"],
        &["CO-118", "CO-119", "CO-122", "CO-208", "CO-212"],
    ),
    entry(
        Function::NdisCmModifyCallQoSComplete,
        &["token::Pended::<ModifyCallQos>::complete, of driver::ManagerVc::modify_call_qos"],
        &["CO-178", "CO-179", "CO-208"],
    ),
    entry(Function::NdisCmNotifyCloseAddressFamily, &["af::Af::notify_close"], &["CO-038", "DP-045"]),
    entry(
        Function::NdisCmOpenAddressFamilyComplete,
        &["token::Pended::<OpenAf<CallManager>>::complete, of driver::CallManagerBinding::open_af"],
        &["CO-027", "CO-028"],
    ),
    entry(
        Function::NdisCmRegisterAddressFamilyEx,
        &["binding::Binding::<CallManager>::register_address_family"],
        &["CO-009", "CO-010", "CO-011"],
    ),
    entry(
        Function::NdisCmRegisterSapComplete,
        &["token::Pended::<RegisterSap>::complete, of driver::ManagerAf::register_sap"],
        &["CO-048", "CO-057"],
    ),
    entry(
        Function::NdisMCmActivateVc,
        &["vc::Vc::<Mcm>::activate"],
        &["CO-091", "CO-092", "CO-096", "CO-113", "CO-178", "DP-102"],
    ),
    entry(
        Function::NdisMCmAddPartyComplete,
        &["token::Pended::<AddParty>::complete, of driver::ManagerVc::add_party"],
        &["CO-166", "CO-208"],
    ),
    entry(
        Function::NdisMCmCloseAddressFamilyComplete,
        &["token::Pended::<CloseAf>::complete, of driver::ManagerAf::close"],
        &["CO-032", "CO-033", "CO-035"],
    ),
    entry(
        Function::NdisMCmCloseCallComplete,
        &["token::Pended::<CloseCall>::complete, of driver::ManagerVc::close_call"],
        &["CO-155", "CO-156", "CO-208", "CO-212"],
    ),
    entry(
        Function::NdisMCmDeactivateVc,
        &["vc::Vc::<Mcm>::deactivate"],
        &["CO-092", "CO-106", "DP-108", "DP-109"],
    ),
    entry(
        Function::NdisMCmDeregisterSapComplete,
        &["token::Pended::<DeregisterSap>::complete, of driver::ManagerSap::deregister"],
        &["CO-056"],
    ),
    entry(
        Function::NdisMCmDispatchCallConnected,
        &["vc::Vc::dispatch_call_connected"],
        &["CO-140", "CO-141", "CO-143"],
    ),
    entry(
        Function::NdisMCmDispatchIncomingCall,
        &["vc::Vc::dispatch_incoming_call"],
        &["CO-055", "CO-131", "CO-132", "CO-133", "CO-134"],
    ),
    entry(
        Function::NdisMCmDispatchIncomingCallQoSChange,
        &["vc::Vc::dispatch_incoming_call_qos_change"],
        &["CO-181"],
    ),
    entry(
        Function::NdisMCmDispatchIncomingCloseCall,
        &["vc::Vc::dispatch_incoming_close_call"],
        &["CO-143", "CO-158", "CO-161"],
    ),
    entry(Function::NdisMCmDispatchIncomingDropParty, &["party::Party::dispatch_incoming_drop"], &["CO-172"]),
    entry(
        Function::NdisMCmDropPartyComplete,
        &["token::Pended::<DropParty>::complete, of driver::ManagerParty::drop_party"],
        &["CO-174", "CO-208"],
    ),
    entry(
        Function::NdisMCmMakeCallComplete,
        &["token::Pended::<MakeCall>::complete, of driver::ManagerVc::make_call"],
        &["CO-118", "CO-119", "CO-122", "CO-208", "CO-212"],
    ),
    entry(
        Function::NdisMCmModifyCallQoSComplete,
        &["token::Pended::<ModifyCallQos>::complete, of driver::ManagerVc::modify_call_qos"],
        &["CO-178", "CO-179", "CO-208"],
    ),
    entry(Function::NdisMCmNotifyCloseAddressFamily, &["af::Af::notify_close"], &["CO-038", "DP-045"]),
    entry(
        Function::NdisMCmOpenAddressFamilyComplete,
        &["token::Pended::<OpenAf<Mcm>>::complete, of driver::McmAdapter::open_af"],
        &["CO-027", "CO-028"],
    ),
    entry(
        Function::NdisMCmRegisterAddressFamilyEx,
        &["adapter::Adapter::<Mcm>::register_address_family"],
        &["CO-012", "DP-033"],
    ),
    entry(
        Function::NdisMCmRegisterSapComplete,
        &["token::Pended::<RegisterSap>::complete, of driver::ManagerAf::register_sap"],
        &["CO-048", "CO-057"],
    ),
    entry(
        Function::NdisMCmCreateVc,
        &["af::Af::<Mcm>::create_vc"],
        &["CO-061", "CO-064", "CO-068", "DP-091", "DP-093"],
    ),
    entry(
        Function::NdisMCmDeleteVc,
        &["vc::OwnedVc::<Mcm>::delete", "vc::OwnedVc::<Mcm>::retire"],
        &["CO-074", "CO-076", "CO-081", "DP-117"],
    ),
    entry(Function::NdisMCmOidRequest, &["af::Af::oid_request"], &["CO-189", "DP-171"]),
    entry(
        Function::NdisMCmOidRequestComplete,
        &["token::Pended::<Oid>::complete, of driver::ManagerAf::oid_request"],
        &["CO-191", "DP-171"],
    ),
    entry(
        Function::NdisCoAssignInstanceName,
        &[
            "vc::Vc::<Client>::assign_instance_name",
            "vc::Vc::<CallManager>::assign_instance_name",
            "vc::Vc::<Signaling>::assign_instance_name",
        ],
        &["CO-088", "DP-195"],
    ),
    entry(
        Function::NdisCoCreateVc,
        &[
            "af::Af::<Client>::create_vc",
            "af::Af::<CallManager>::create_vc",
            "binding::Binding::<CallManager>::create_signaling_vc",
        ],
        &["CO-058", "CO-059", "CO-060", "CO-062", "CO-063", "CO-064", "CO-088", "DP-086", "DP-092"],
    ),
    entry(
        Function::NdisCoDeleteVc,
        &["vc::OwnedVc::delete", "vc::OwnedVc::retire"],
        &[
            "CO-074", "CO-075", "CO-076", "CO-077", "CO-078", "CO-079", "CO-080", "CO-082", "CO-088",
            "DP-112", "DP-114",
        ],
    ),
    entry(
        Function::NdisCoGetTapiCallId,
        &[
            "vc::Vc::<Client>::tapi_call_id",
            "vc::Vc::<CallManager>::tapi_call_id",
            "vc::Vc::<Signaling>::tapi_call_id",
        ],
        &["CO-200", "CO-201", "CO-202"],
    ),
    entry(
        Function::NdisCoOidRequest,
        &["af::Af::<Client>::oid_request", "af::Af::oid_request", "binding::Binding::oid_request"],
        &["CO-088", "CO-185", "CO-186", "DP-168", "DP-169"],
    ),
    entry(
        Function::NdisCoOidRequestComplete,
        &[
            "token::Pended::<Oid>::complete, of driver::ClientAf::oid_request and driver::ManagerAf::oid_request",
        ],
        &["CO-088", "CO-190", "CO-207"],
    ),
    entry(
        Function::NdisCoSendNetBufferLists,
        &["vc::Vc::<Client>::send", "vc::Vc::<Signaling>::send"],
        &["CO-088", "DP-124", "DP-125", "DP-127", "DP-135", "DP-136"],
    ),
    entry(
        Function::NdisMCoActivateVcComplete,
        &["token::Pended::<Activate>::complete, of driver::MiniportVc::activate"],
        &["DP-096"],
    ),
    entry(
        Function::NdisMCoDeactivateVcComplete,
        &["token::Pended::<Deactivate>::complete, of driver::MiniportVc::deactivate"],
        &["DP-103"],
    ),
    entry(
        Function::NdisMCoIndicateReceiveNetBufferLists,
        &["vc::Vc::<Miniport>::indicate_receive", "vc::Vc::<Mcm>::indicate_receive"],
        &["DP-144", "DP-146", "DP-148", "DP-149"],
    ),
    entry(
        Function::NdisMCoIndicateStatusEx,
        &[
            "adapter::Adapter::indicate_status",
            "vc::Vc::<Miniport>::indicate_status",
            "vc::Vc::<Mcm>::indicate_status",
        ],
        &["CO-206", "DP-190", "DP-191", "DP-193"],
    ),
    entry(
        Function::NdisMCoOidRequestComplete,
        &["token::Pended::<Oid>::complete, of driver::AdapterLife::oid_request"],
        &["CO-191", "DP-184"],
    ),
    entry(
        Function::NdisMCoSendNetBufferListsComplete,
        &[
            "vc::Sends::complete",
            "vc::Sends::complete_each",
            "vc::KeptSends::complete",
            "vc::KeptSends::complete_each",
        ],
        &["DP-130", "DP-132", "DP-134", "DP-140"],
    ),
    entry(Function::ProtocolClAddPartyComplete, &["driver::ClientParty::add_complete"], &["CO-167"]),
    entry(Function::ProtocolClCallConnected, &["driver::ClientVc::call_connected"], &["CO-141", "CO-142"]),
    entry(Function::ProtocolClCloseAfComplete, &["driver::ClientAf::close_complete"], &["CO-037"]),
    entry(
        Function::ProtocolClCloseCallComplete,
        &["driver::ClientVc::close_call_complete"],
        &["CO-126", "CO-146", "CO-153", "CO-156"],
    ),
    entry(
        Function::ProtocolClDeregisterSapComplete,
        &["driver::ClientSap::deregister_complete"],
        &["CO-051", "CO-054"],
    ),
    entry(
        Function::ProtocolClDropPartyComplete,
        &["driver::ClientParty::drop_complete"],
        &["CO-168", "CO-174"],
    ),
    entry(
        Function::ProtocolClIncomingCall,
        &["driver::ClientVc::incoming_call"],
        &["CO-050", "CO-132", "CO-136"],
    ),
    entry(
        Function::ProtocolClIncomingCallQoSChange,
        &["driver::ClientVc::incoming_call_qos_change"],
        &["CO-182"],
    ),
    entry(Function::ProtocolClIncomingCloseCall, &["driver::ClientVc::incoming_close_call"], &["CO-157"]),
    entry(Function::ProtocolClIncomingDropParty, &["driver::ClientParty::incoming_drop"], &["CO-173"]),
    entry(
        Function::ProtocolClMakeCallComplete,
        &["driver::ClientVc::make_call_complete"],
        &["CO-117", "CO-120", "CO-125", "CO-126"],
    ),
    entry(
        Function::ProtocolClModifyCallQoSComplete,
        &["driver::ClientVc::modify_call_qos_complete"],
        &["CO-184"],
    ),
    entry(
        Function::ProtocolClNotifyCloseAf,
        &["driver::ClientAf::notify_close"],
        &["CO-037", "CO-038", "CO-039"],
    ),
    entry(
        Function::ProtocolClOpenAfCompleteEx,
        &["driver::ClientAf::open_complete"],
        &["CO-019", "CO-023", "CO-024", "DP-039"],
    ),
    entry(Function::ProtocolClRegisterSapComplete, &["driver::ClientSap::register_complete"], &["CO-048"]),
    entry(
        Function::ProtocolCmActivateVcComplete,
        &["driver::ManagerVc::activate_complete", "driver::SignalingVc::activate_complete"],
        &["CO-093", "DP-096"],
    ),
    entry(Function::ProtocolCmAddParty, &["driver::ManagerVc::add_party"], &["CO-165"]),
    entry(Function::ProtocolCmCloseAf, &["driver::ManagerAf::close"], &["CO-032", "DP-072"]),
    entry(Function::ProtocolCmCloseCall, &["driver::ManagerVc::close_call"], &["CO-150", "CO-151", "CO-154"]),
    entry(
        Function::ProtocolCmDeactivateVcComplete,
        &["driver::ManagerVc::deactivate_complete", "driver::SignalingVc::deactivate_complete"],
        &["CO-103"],
    ),
    entry(Function::ProtocolCmDeregisterSap, &["driver::ManagerSap::deregister"], &["CO-051", "CO-054"]),
    entry(Function::ProtocolCmDropParty, &["driver::ManagerParty::drop_party"], &["CO-171", "CO-175"]),
    entry(
        Function::ProtocolCmIncomingCallComplete,
        &["driver::ManagerVc::incoming_call_complete"],
        &["CO-134", "CO-135"],
    ),
    entry(Function::ProtocolCmMakeCall, &["driver::ManagerVc::make_call"], &["CO-116", "CO-119", "CO-217"]),
    entry(Function::ProtocolCmModifyCallQoS, &["driver::ManagerVc::modify_call_qos"], &["CO-179", "CO-180"]),
    entry(
        Function::ProtocolCmNotifyCloseAfComplete,
        &["driver::ManagerAf::notify_close_complete"],
        &["CO-039", "CO-040"],
    ),
    entry(
        Function::ProtocolCmOpenAf,
        &["driver::CallManagerBinding::open_af", "driver::McmAdapter::open_af"],
        &["CO-022", "CO-023", "DP-040"],
    ),
    entry(Function::ProtocolCmRegisterSap, &["driver::ManagerAf::register_sap"], &["CO-045"]),
    entry(
        Function::ProtocolCoAfRegisterNotify,
        &["driver::ClientBinding::af_register_notify"],
        &["CO-015", "CO-016", "CO-019", "DP-036", "DP-038", "DP-039"],
    ),
    entry(
        Function::ProtocolCoCreateVc,
        &["driver::ClientAf::create_vc", "driver::ManagerAf::create_vc"],
        &["CO-058", "CO-059", "CO-060", "CO-061", "CO-070", "CO-072", "DP-088", "DP-090", "DP-091", "DP-093"],
    ),
    entry(
        Function::ProtocolCoDeleteVc,
        &["driver::ClientVc::delete", "driver::ManagerVc::delete"],
        &["CO-079", "CO-080", "CO-081", "CO-083", "DP-114", "DP-117"],
    ),
    entry(
        Function::ProtocolCoOidRequest,
        &["driver::ClientAf::oid_request", "driver::ManagerAf::oid_request"],
        &["CO-006", "CO-186", "CO-191", "DP-169"],
    ),
    entry(
        Function::ProtocolCoOidRequestComplete,
        &[
            "driver::ClientAf::oid_request_complete",
            "driver::ManagerAf::oid_request_complete",
            "driver::BindingLife::oid_request_complete",
        ],
        &["CO-193"],
    ),
    entry(
        Function::ProtocolCoReceiveNetBufferLists,
        &["driver::ClientVc::receive", "driver::SignalingVc::receive"],
        &["DP-147", "DP-158"],
    ),
    entry(
        Function::ProtocolCoSendNetBufferListsComplete,
        &["driver::ClientVc::send_complete", "driver::SignalingVc::send_complete"],
        &["DP-124"],
    ),
    entry(
        Function::ProtocolCoStatusEx,
        &[
            "driver::ClientVc::status",
            "driver::ManagerVc::status",
            "driver::SignalingVc::status",
            "driver::BindingLife::status",
        ],
        &["CO-205", "CO-206", "DP-190", "DP-191", "DP-192"],
    ),
    entry(Function::MiniportCoActivateVc, &["driver::MiniportVc::activate"], &["CO-090", "DP-094", "DP-095"]),
    entry(
        Function::MiniportCoCreateVc,
        &["driver::MiniportAdapter::create_vc"],
        &["CO-005", "CO-058", "CO-059", "CO-060", "CO-062", "CO-071", "DP-087", "DP-090", "DP-092"],
    ),
    entry(
        Function::MiniportCoDeactivateVc,
        &["driver::MiniportVc::deactivate"],
        &["CO-108", "DP-103", "DP-111"],
    ),
    entry(
        Function::MiniportCoDeleteVc,
        &["driver::MiniportVc::delete"],
        &["CO-005", "CO-071", "CO-079", "CO-082", "DP-087", "DP-114"],
    ),
    entry(
        Function::MiniportCoOidRequest,
        &["driver::AdapterLife::oid_request"],
        &["CO-006", "CO-007", "CO-185", "CO-191", "DP-083", "DP-093", "DP-168", "DP-175", "DP-176"],
    ),
    entry(
        Function::MiniportCoSendNetBufferLists,
        &["driver::MiniportVc::send", "driver::McmVcData::send"],
        &["CO-007", "DP-093", "DP-125"],
    ),
];
