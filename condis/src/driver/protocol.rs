use super::{CallManagerBinding, ClientBinding, Medium};
use crate::adapter::AdapterInfo;
use crate::binding::Binding;
use crate::oid::OidAnswer;
use crate::role::Role;
use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;
use crate::token::{Answer, PauseBinding, RestartBinding, Token, Unbind};

/// A protocol driver: a client, a call manager, or both at once (DP-021).
///
/// Source: WDK NdisRegisterProtocolDriver, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS.
#[doc(alias = "NDIS_PROTOCOL_DRIVER_CHARACTERISTICS")]
pub trait Protocol: Send + Sync + 'static {
    /// An adapter is there to bind to. The objects made here become the binding's; a refusal leaves the adapter unbound.
    /// The binding is opened next (`NdisOpenAdapterEx`), and [`BindingLife::opened`] runs as the rest of this callback.
    #[doc(alias = "ProtocolBindAdapterEx")]
    fn bind(&self, adapter: &AdapterInfo) -> Result<Bound, NdisStatus>;

    /// The media that this protocol can use; an adapter of another medium is not offered to it (DP-028). `None`: all.
    fn media(&self) -> Option<&[Medium]> {
        None
    }
}

/// The objects of a new binding, one for each role that the driver plays on it.
#[derive(Default)]
pub struct Bound {
    pub(crate) client: Option<Box<dyn ClientBinding>>,
    pub(crate) manager: Option<Box<dyn CallManagerBinding>>,
}

impl Bound {
    /// A client's binding.
    pub fn client(client: impl ClientBinding) -> Bound {
        Bound { client: Some(Box::new(client)), manager: None }
    }

    /// A call manager's binding.
    pub fn call_manager(manager: impl CallManagerBinding) -> Bound {
        Bound { client: None, manager: Some(Box::new(manager)) }
    }

    /// Both at once.
    pub fn both(client: impl ClientBinding, manager: impl CallManagerBinding) -> Bound {
        Bound { client: Some(Box::new(client)), manager: Some(Box::new(manager)) }
    }
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = |there, name| if there { name } else { "-" };
        write!(
            f,
            "bound as {} {}",
            role(self.client.is_some(), "client"),
            role(self.manager.is_some(), "call-manager")
        )
    }
}

/// The life of a binding, the same for both roles. Every method has a default that suits a driver without needs.
pub trait BindingLife<R: Role>: Send + Sync + 'static {
    /// The binding is open. A call manager registers its address families and makes its signaling VCs here; they are
    /// announced to clients after this returned (CO-016). Part of `ProtocolBindAdapterEx`; PASSIVE.
    ///
    /// # Errors
    /// The binding is closed again.
    fn opened(&self, binding: Binding<'_, R>) -> Result<(), NdisStatus> {
        let _ = binding;
        Ok(())
    }

    /// The binding pauses: send nothing more, and answer once every send is complete. NDIS refuses later sends with PAUSED.
    /// May not fail (DP-052).
    #[doc(alias = "ProtocolNetPnPEvent")]
    #[doc(alias = "NetEventPause")]
    fn pause<'a>(&self, binding: Binding<'_, R>, token: Token<'a, PauseBinding>) -> Answer<'a, PauseBinding> {
        let _ = binding;
        token.done(())
    }

    /// The binding runs: sends pass from now on, also from in here. May not fail.
    #[doc(alias = "NetEventRestart")]
    fn restart<'a>(
        &self,
        binding: Binding<'_, R>,
        token: Token<'a, RestartBinding>,
    ) -> Answer<'a, RestartBinding> {
        let _ = binding;
        token.done(())
    }

    /// The adapter is going away; the moment to release calls gracefully, before the binding is paused.
    #[doc(alias = "NetEventQueryRemoveDevice")]
    fn removing(&self, binding: Binding<'_, R>) {
        let _ = binding;
    }

    /// The binding ends. A client closes every call, SAP and AF of it; a call manager notifies every open AF, deactivates
    /// and deletes its signaling VCs. Answer once all is gone; NDIS then closes the binding. PASSIVE.
    #[doc(alias = "ProtocolUnbindAdapterEx")]
    #[doc(alias = "NdisCloseAdapterEx")]
    fn unbind<'a>(&self, binding: Binding<'_, R>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let _ = binding;
        token.done(())
    }

    /// The miniport has something to say about the adapter. One at a time per binding.
    #[doc(alias = "ProtocolCoStatusEx")]
    fn status(&self, binding: Binding<'_, R>, status: &StatusIndication) {
        let _ = (binding, status);
    }

    /// A request to the miniport is answered; it may have been before the request returned.
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn oid_request_complete(&self, binding: Binding<'_, R>, answer: OidAnswer) {
        let _ = (binding, answer);
    }
}
