//! The documented names: the 65 functions and 42 callbacks of CoNDIS, and those of the ordinary life cycle that cross the
//! same boundary.
//!
//! Every crossing of the NDIS boundary is traced and counted under one of these names; [`TABLE`] says what plays each of them
//! here, and which rules it obeys.

mod table;

use std::fmt;

pub use table::{Entry, TABLE};

macro_rules! functions {
    ($($name:ident)*) => {
        /// A documented function of NDIS, or a callback of a driver.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is the documented name")]
        #[repr(u8)]
        pub enum Function { $($name),* }

        impl Function {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Function] = &[$(Function::$name),*];

            /// The documented name.
            pub const fn name(self) -> &'static str {
                match self { $(Function::$name => stringify!($name)),* }
            }
        }
    };
}

functions! {
    // The 65 functions of CoNDIS.
    NdisClAddParty
    NdisClCloseAddressFamily
    NdisClCloseCall
    NdisClDeregisterSap
    NdisClDropParty
    NdisClGetProtocolVcContextFromTapiCallId
    NdisClIncomingCallComplete
    NdisClMakeCall
    NdisClModifyCallQoS
    NdisClNotifyCloseAddressFamilyComplete
    NdisClOpenAddressFamilyEx
    NdisClRegisterSap
    NdisCmActivateVc
    NdisCmAddPartyComplete
    NdisCmCloseAddressFamilyComplete
    NdisCmCloseCallComplete
    NdisCmDeactivateVc
    NdisCmDeregisterSapComplete
    NdisCmDispatchCallConnected
    NdisCmDispatchIncomingCall
    NdisCmDispatchIncomingCallQoSChange
    NdisCmDispatchIncomingCloseCall
    NdisCmDispatchIncomingDropParty
    NdisCmDropPartyComplete
    NdisCmMakeCallComplete
    NdisCmModifyCallQoSComplete
    NdisCmNotifyCloseAddressFamily
    NdisCmOpenAddressFamilyComplete
    NdisCmRegisterAddressFamilyEx
    NdisCmRegisterSapComplete
    NdisMCmActivateVc
    NdisMCmAddPartyComplete
    NdisMCmCloseAddressFamilyComplete
    NdisMCmCloseCallComplete
    NdisMCmDeactivateVc
    NdisMCmDeregisterSapComplete
    NdisMCmDispatchCallConnected
    NdisMCmDispatchIncomingCall
    NdisMCmDispatchIncomingCallQoSChange
    NdisMCmDispatchIncomingCloseCall
    NdisMCmDispatchIncomingDropParty
    NdisMCmDropPartyComplete
    NdisMCmMakeCallComplete
    NdisMCmModifyCallQoSComplete
    NdisMCmNotifyCloseAddressFamily
    NdisMCmOpenAddressFamilyComplete
    NdisMCmRegisterAddressFamilyEx
    NdisMCmRegisterSapComplete
    NdisMCmCreateVc
    NdisMCmDeleteVc
    NdisMCmOidRequest
    NdisMCmOidRequestComplete
    NdisCoAssignInstanceName
    NdisCoCreateVc
    NdisCoDeleteVc
    NdisCoGetTapiCallId
    NdisCoOidRequest
    NdisCoOidRequestComplete
    NdisCoSendNetBufferLists
    NdisMCoActivateVcComplete
    NdisMCoDeactivateVcComplete
    NdisMCoIndicateReceiveNetBufferLists
    NdisMCoIndicateStatusEx
    NdisMCoOidRequestComplete
    NdisMCoSendNetBufferListsComplete
    // The 42 callbacks of CoNDIS.
    ProtocolClAddPartyComplete
    ProtocolClCallConnected
    ProtocolClCloseAfComplete
    ProtocolClCloseCallComplete
    ProtocolClDeregisterSapComplete
    ProtocolClDropPartyComplete
    ProtocolClIncomingCall
    ProtocolClIncomingCallQoSChange
    ProtocolClIncomingCloseCall
    ProtocolClIncomingDropParty
    ProtocolClMakeCallComplete
    ProtocolClModifyCallQoSComplete
    ProtocolClNotifyCloseAf
    ProtocolClOpenAfCompleteEx
    ProtocolClRegisterSapComplete
    ProtocolCmActivateVcComplete
    ProtocolCmAddParty
    ProtocolCmCloseAf
    ProtocolCmCloseCall
    ProtocolCmDeactivateVcComplete
    ProtocolCmDeregisterSap
    ProtocolCmDropParty
    ProtocolCmIncomingCallComplete
    ProtocolCmMakeCall
    ProtocolCmModifyCallQoS
    ProtocolCmNotifyCloseAfComplete
    ProtocolCmOpenAf
    ProtocolCmRegisterSap
    ProtocolCoAfRegisterNotify
    ProtocolCoCreateVc
    ProtocolCoDeleteVc
    ProtocolCoOidRequest
    ProtocolCoOidRequestComplete
    ProtocolCoReceiveNetBufferLists
    ProtocolCoSendNetBufferListsComplete
    ProtocolCoStatusEx
    MiniportCoActivateVc
    MiniportCoCreateVc
    MiniportCoDeactivateVc
    MiniportCoDeleteVc
    MiniportCoOidRequest
    MiniportCoSendNetBufferLists
    // Functions of the ordinary life cycle.
    NdisReturnNetBufferLists
    NdisCancelSendNetBufferLists
    NdisCancelOidRequest
    // Callbacks of the ordinary life cycle.
    MiniportInitializeEx
    MiniportRestart
    MiniportPause
    MiniportHaltEx
    MiniportResetEx
    MiniportShutdownEx
    MiniportDevicePnPEventNotify
    MiniportReturnNetBufferLists
    MiniportCancelSend
    MiniportCancelOidRequest
    ProtocolBindAdapterEx
    ProtocolUnbindAdapterEx
    ProtocolNetPnPEvent
}

impl Function {
    /// True for what NDIS calls in a driver, false for what a driver calls in NDIS.
    pub fn is_callback(self) -> bool {
        let name = self.name();
        name.starts_with("Protocol") || name.starts_with("Miniport")
    }

    /// True for the 65 functions and 42 callbacks of CoNDIS, false for those of the ordinary life cycle.
    pub const fn is_condis(self) -> bool {
        (self as u8) < Function::NdisReturnNetBufferLists as u8
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn condis_has_65_functions_and_42_callbacks() {
        let (callbacks, functions): (Vec<Function>, Vec<Function>) =
            Function::ALL.iter().copied().filter(|f| f.is_condis()).partition(|f| f.is_callback());
        assert_eq!((functions.len(), callbacks.len()), (65, 42));
    }
}
