//! The rig's drivers outside of VCs: adapters, bindings and address families.

use std::sync::Arc;

use condis::adapter::{Adapter, AdapterInfo};
use condis::af::Af;
use condis::binding::Binding;
use condis::driver::{
    AdapterAttributes, AdapterLife, BindingLife, Bound, CallManagerBinding, ClientAf, ClientBinding,
    ClientVc, HaltAction, ManagerAf, McmAdapter, McmDriver, Medium, MiniportAdapter, MiniportDriver,
    MiniportVc, PnpEvent, Protocol,
};
use condis::nbl::CancelId;
use condis::oid::{About, OidAnswer, OidRequest};
use condis::params::{AddressFamily, Sap};
use condis::role::{CallManager, Client, Mcm, Miniport};
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{
    Answer, CloseAf, Oid, OpenAf, Outcome, Pause, PauseBinding, RegisterSap, Reset, Restart, RestartBinding,
    Token, Unbind,
};
use condis::trace::VcId;
use condis::vc::Vc;

use super::{Bench, ClientEnd, LowerEnd, Seat, World};

pub struct TestMiniport(pub Arc<Bench<CallManager>>);
pub struct TestMcm(pub Arc<Bench<Mcm>>);
pub struct TestCallManager(pub Arc<Bench<CallManager>>);
pub struct TestClient<R: World>(pub Arc<Bench<R>>);

impl<R: World> Bench<R> {
    /// Whether a callback of an adapter or binding is to pend.
    fn pends(&self, callback: &'static str) -> bool {
        self.note_life(callback);
        let mut state = self.lock();
        let at = state.pend.iter().position(|name| *name == callback);
        at.map(|at| state.pend.remove(at)).is_some()
    }

    fn verdict(&self, callback: &'static str) -> Result<(), NdisStatus> {
        let mut state = self.lock();
        let at = state.refuse.iter().position(|(name, _)| *name == callback);
        at.map_or(Ok(()), |at| Err(state.refuse.remove(at).1))
    }
}

// The driver of the adapter

macro_rules! adapter_life {
    ($ty:ty, $role:ty) => {
        impl AdapterLife<$role> for $ty {
            fn initialized(&self, adapter: Adapter<'_, $role>) -> Result<(), NdisStatus> {
                self.0.note_life("initialized");
                self.0.lock().adapter = Some(adapter.keep());
                self.register(adapter)?;
                self.0.verdict("initialized")
            }

            fn restart<'a>(&self, _: Adapter<'_, $role>, token: Token<'a, Restart>) -> Answer<'a, Restart> {
                if self.0.pends("restart") {
                    let (pended, answer) = token.pend();
                    self.0.lock().pended.restart = Some(pended);
                    return answer;
                }
                token.done(self.0.verdict("restart"))
            }

            fn pause<'a>(&self, _: Adapter<'_, $role>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
                if self.0.pends("pause") {
                    let (pended, answer) = token.pend();
                    self.0.lock().pended.pause = Some(pended);
                    return answer;
                }
                token.done(())
            }

            fn halt(&self, action: HaltAction) {
                self.0.note_life(format_args!("halt {action:?}"));
            }

            fn reset<'a>(&self, _: Adapter<'_, $role>, token: Token<'a, Reset>) -> Answer<'a, Reset> {
                if self.0.pends("reset") {
                    let (pended, answer) = token.pend();
                    self.0.lock().pended.reset = Some(pended);
                    return answer;
                }
                token.done(self.0.verdict("reset").map(|()| false))
            }

            fn shutdown(&self) {
                self.0.note_life("shutdown");
            }

            fn pnp_event(&self, _: Adapter<'_, $role>, event: PnpEvent) {
                self.0.note_life(format_args!("{event:?}"));
            }

            fn cancel_send(&self, _: Adapter<'_, $role>, id: CancelId) {
                self.0.note_life(format_args!("cancel {}", id.0));
                let ours = |nbl: &condis::nbl::NetBufferList| nbl.cancel_id() == Some(id);
                let mut state = self.0.lock();
                let mut cancelled = Vec::new();
                for slot in &mut state.slots {
                    for sends in &mut slot.sends {
                        cancelled.push(sends.take_matching(ours));
                    }
                    slot.sends.retain(|sends| !sends.is_empty());
                }
                drop(state);
                cancelled.into_iter().for_each(|sends| sends.complete(NdisStatus::SEND_ABORTED));
            }

            fn cancel_oid_request(&self, _: Adapter<'_, $role>, request_id: u64) {
                self.0.note_life(format_args!("cancel oid {request_id}"));
            }

            fn oid_request<'a>(
                &self,
                _: Adapter<'_, $role>,
                vc: Option<Vc<'_, $role>>,
                request: OidRequest,
                token: Token<'a, Oid>,
            ) -> Answer<'a, Oid> {
                let about = if vc.is_some() { "of a VC" } else { "of the adapter" };
                self.0.note_life(format_args!("oid {:#x} {about}", request.oid));
                if self.0.pends("oid") {
                    let (pended, answer) = token.pend();
                    let mut state = self.0.lock();
                    state.oids.push(pended);
                    state.oid_requests.push(request);
                    return answer;
                }
                match self.0.verdict("oid") {
                    Ok(()) => token.done(OidAnswer::new(NdisStatus::SUCCESS, request)),
                    Err(status) => token.done(OidAnswer::new(status, request)),
                }
            }
        }
    };
}

adapter_life!(TestMiniport, Miniport);
adapter_life!(TestMcm, Mcm);

impl TestMiniport {
    fn register(&self, _: Adapter<'_, Miniport>) -> Result<(), NdisStatus> {
        Ok(())
    }
}

impl TestMcm {
    fn register(&self, adapter: Adapter<'_, Mcm>) -> Result<(), NdisStatus> {
        adapter.register_address_family(AddressFamily::Q2931)
    }
}

impl MiniportDriver for TestMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        self.0.note_life("initialize");
        Ok((AdapterAttributes::new(Medium::Atm, 256), Box::new(TestMiniport(self.0.clone()))))
    }
}

impl McmDriver for TestMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        self.0.note_life("initialize");
        Ok((AdapterAttributes::new(Medium::Atm, 256), Box::new(TestMcm(self.0.clone()))))
    }
}

impl MiniportAdapter for TestMiniport {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        let slot = created(&self.0, Seat::Lower)?;
        Ok(Box::new(LowerEnd(self.0.clone(), slot)))
    }
}

/// A create callback of one side.
fn created<R: World>(bench: &Bench<R>, side: Seat) -> Result<usize, NdisStatus> {
    let slot = bench.lock().creating;
    bench.note(side, slot, "create");
    match bench.lock().refuse_create.remove(&side) {
        Some(status) => Err(status),
        None => Ok(slot),
    }
}

impl McmAdapter for TestMcm {
    fn open_af<'a>(
        &self,
        af: Af<'_, Mcm>,
        _: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>> {
        self.0.note_life("manager: open af");
        self.0.lock().manager_af = Some(af.keep());
        token.done(Ok(Box::new(ManagerAfEnd(self.0.clone()))))
    }
}

// The call manager

impl Protocol for TestCallManager {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        self.0.note_life("manager: bind");
        Ok(Bound::call_manager(TestCallManager(self.0.clone())))
    }
}

macro_rules! binding_life {
    ($who:literal, $role:ty, $held:ident) => {
        fn pause<'a>(
            &self,
            _: Binding<'_, $role>,
            token: Token<'a, PauseBinding>,
        ) -> Answer<'a, PauseBinding> {
            if self.0.pends(concat!($who, ": pause")) {
                let (pended, answer) = token.pend();
                self.0.lock().pended.pause_binding = Some(pended);
                return answer;
            }
            token.done(())
        }

        fn restart<'a>(
            &self,
            _: Binding<'_, $role>,
            token: Token<'a, RestartBinding>,
        ) -> Answer<'a, RestartBinding> {
            if self.0.pends(concat!($who, ": restart")) {
                let (pended, answer) = token.pend();
                self.0.lock().pended.restart_binding = Some(pended);
                return answer;
            }
            token.done(())
        }

        fn removing(&self, _: Binding<'_, $role>) {
            self.0.note_life(concat!($who, ": removing"));
        }

        fn status(&self, _: Binding<'_, $role>, status: &StatusIndication) {
            self.0.note_life(format_args!(concat!($who, ": status {}"), status.code));
        }

        fn oid_request_complete(&self, _: Binding<'_, $role>, answer: OidAnswer) {
            self.0.note_life(format_args!(concat!($who, ": oid complete {}"), answer.status));
        }
    };
}

impl BindingLife<CallManager> for TestCallManager {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        self.0.note_life("manager: opened");
        self.0.lock().manager_binding = Some(binding.keep());
        binding.register_address_family(AddressFamily::Q2931)
    }

    fn unbind<'a>(&self, _: Binding<'_, CallManager>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        self.0.note_life("manager: unbind");
        token.done(())
    }

    binding_life!("manager", CallManager, manager_binding);
}

impl CallManagerBinding for TestCallManager {
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        self.0.note_life("manager: open af");
        self.0.lock().manager_af = Some(af.keep());
        token.done(Ok(Box::new(ManagerAfEnd(self.0.clone()))))
    }
}

/// The (M)CM's object for the client's AF.
pub struct ManagerAfEnd<R: World>(Arc<Bench<R>>);

impl<R: World> ManagerAf<R> for ManagerAfEnd<R> {
    fn close<'a>(&self, _: Af<'_, R>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        self.0.note_life("manager: close af");
        token.done(Ok(()))
    }

    fn register_sap<'a>(
        &self,
        _: Af<'_, R>,
        sap: SapRef<'_, R>,
        _: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        self.0.lock().manager_sap = Some(sap.keep());
        token.done(Ok(Box::new(())))
    }

    fn create_vc(&self, _: Af<'_, R>, _: VcId) -> Result<R::NewVc, NdisStatus> {
        let slot = created(&self.0, Seat::Manager)?;
        Ok(R::new_vc(&self.0, slot))
    }

    fn oid_request<'a>(
        &self,
        _: Af<'_, R>,
        about: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        self.0.note_life(format_args!("manager: af oid {:#x} {about:?}", request.oid));
        token.done(OidAnswer::new(NdisStatus::SUCCESS, request))
    }
}

// The client

impl<R: World> Protocol for TestClient<R> {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        self.0.note_life("client: bind");
        Ok(Bound::client(TestClient(self.0.clone())))
    }
}

impl<R: World> BindingLife<Client> for TestClient<R> {
    fn opened(&self, binding: Binding<'_, Client>) -> Result<(), NdisStatus> {
        self.0.note_life("client: opened");
        self.0.lock().client_binding = Some(binding.keep());
        self.0.verdict("client: opened")
    }

    fn unbind<'a>(&self, _: Binding<'_, Client>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let pends = self.0.pends("client: unbind");
        if !self.0.lock().careless {
            close_af(&self.0);
        }
        if pends {
            let (pended, answer) = token.pend();
            self.0.lock().pended.unbind = Some(pended);
            return answer;
        }
        token.done(())
    }

    binding_life!("client", Client, client_binding);
}

/// Gives up the SAP and the AF of the client.
pub fn close_af<R: World>(bench: &Bench<R>) {
    let (sap, af) = {
        let mut state = bench.lock();
        (state.client_sap.take(), state.client_af.take())
    };
    if let Some(sap) = sap {
        let _ = sap.at().deregister();
    }
    if let Some(af) = af {
        let _ = af.at().close();
    }
}

impl<R: World> ClientBinding for TestClient<R> {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        self.0.note_life(format_args!("client: notified of {family}"));
        let opened = binding.open_address_family(family, Box::new(ClientAfEnd(self.0.clone())));
        if let Outcome::Done(Ok(af)) = opened {
            if let Outcome::Done(Ok(sap)) = af.at().register_sap(Sap::new(0, b"here"), Box::new(())) {
                self.0.lock().client_sap = Some(sap);
            }
            self.0.lock().client_af = Some(af);
        }
    }
}

pub struct ClientAfEnd<R: World>(pub Arc<Bench<R>>);

impl<R: World> ClientAf for ClientAfEnd<R> {
    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        let slot = created(&self.0, Seat::Client)?;
        Ok(Box::new(ClientEnd(self.0.clone(), slot)))
    }

    fn oid_request<'a>(
        &self,
        _: Af<'_, Client>,
        about: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        self.0.note_life(format_args!("client: af oid {:#x} {about:?}", request.oid));
        token.done(OidAnswer::new(NdisStatus::SUCCESS, request))
    }

    fn oid_request_complete(&self, _: Af<'_, Client>, _: About, answer: OidAnswer) {
        self.0.note_life(format_args!("client: af oid complete {}", answer.status));
    }
}
