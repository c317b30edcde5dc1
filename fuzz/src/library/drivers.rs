//! The drivers outside of VCs: adapters, bindings, address families and SAPs.

use std::sync::Arc;

use condis::adapter::{Adapter, AdapterInfo};
use condis::af::Af;
use condis::binding::Binding;
use condis::driver::{
    AdapterAttributes, AdapterLife, BindingLife, Bound, CallManagerBinding, ClientAf, ClientBinding,
    ClientSap, ClientVc, HaltAction, ManagerAf, ManagerSap, McmAdapter, McmDriver, Medium, MiniportAdapter,
    MiniportDriver, MiniportVc, PnpEvent, Protocol,
};
use condis::nbl::CancelId;
use condis::oid::{About, OidAnswer, OidRequest};
use condis::params::{AddressFamily, Sap};
use condis::role::{CallManager, Client, Mcm};
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{
    Answer, CloseAf, DeregisterSap, NotifyCloseAf, Oid, OpenAf, Outcome, Pause, PauseBinding, RegisterSap,
    Reset, Restart, RestartBinding, Token, Unbind,
};
use condis::trace::VcId;
use condis::vc::Vc;

use super::bench::{Bench, REFUSAL, plain};
use super::ends::{ClientEnd, LowerEnd};
use super::operations;
use super::world::World;

pub(super) struct TheMiniport(pub(super) Arc<Bench<CallManager>>);
pub(super) struct TheMcm(pub(super) Arc<Bench<Mcm>>);
struct LowerAdapter<R: World>(Arc<Bench<R>>);
pub(super) struct ManagerProtocol(pub(super) Arc<Bench<CallManager>>);
struct ManagerAfEnd<R: World>(Arc<Bench<R>>);
struct ManagerSapEnd<R: World>(Arc<Bench<R>>);
pub(super) struct ClientProtocol<R: World>(pub(super) Arc<Bench<R>>);
pub(super) struct ClientAfEnd<R: World>(pub(super) Arc<Bench<R>>);
pub(super) struct ClientSapEnd<R: World>(pub(super) Arc<Bench<R>>);

/// Answers an OID request.
fn answer_oid<'a, R: World>(
    bench: &Arc<Bench<R>>,
    mut request: OidRequest,
    token: Token<'a, Oid>,
) -> Answer<'a, Oid> {
    bench.answer(token, move |ok| {
        let status = if ok { request.write_counter(7) } else { REFUSAL };
        OidAnswer::new(status, request)
    })
}

fn told_oid<R: World>(bench: &Arc<Bench<R>>) {
    bench.reached(|reached| reached.oids_answered += 1);
    bench.told();
}

// The driver of the adapter

impl MiniportDriver for TheMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Atm, 256), Box::new(LowerAdapter(self.0.clone()))))
    }
}

impl McmDriver for TheMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Atm, 256), Box::new(LowerAdapter(self.0.clone()))))
    }
}

impl<R: World> AdapterLife<R::Lower> for LowerAdapter<R> {
    fn initialized(&self, adapter: Adapter<'_, R::Lower>) -> Result<(), NdisStatus> {
        self.0.lock().adapter = Some(adapter.keep());
        // A call manager has no binding yet, and registers when it has.
        R::register_family(&self.0, AddressFamily::Q2931);
        Ok(())
    }

    fn restart<'a>(&self, _: Adapter<'_, R::Lower>, token: Token<'a, Restart>) -> Answer<'a, Restart> {
        self.0.answer(token, plain)
    }

    fn pause<'a>(&self, _: Adapter<'_, R::Lower>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        self.0.answer(token, |_| ())
    }

    fn halt(&self, _: HaltAction) {
        self.0.told();
    }

    fn reset<'a>(&self, _: Adapter<'_, R::Lower>, token: Token<'a, Reset>) -> Answer<'a, Reset> {
        let lost = self.0.octet() < 0x80;
        self.0.answer(token, move |ok| plain(ok).map(|()| lost))
    }

    fn shutdown(&self) {
        self.0.told();
    }

    fn pnp_event(&self, _: Adapter<'_, R::Lower>, _: PnpEvent) {
        self.0.told();
    }

    fn cancel_send(&self, _: Adapter<'_, R::Lower>, id: CancelId) {
        let mut sends = std::mem::take(&mut self.0.lock().sends);
        let cancelled: Vec<_> =
            sends.iter_mut().map(|sends| sends.take_matching(|nbl| nbl.cancel_id() == Some(id))).collect();
        sends.retain(|sends| !sends.is_empty());
        self.0.lock().sends.extend(sends);
        cancelled.into_iter().for_each(|sends| sends.complete(NdisStatus::SEND_ABORTED));
        self.0.told();
    }

    fn cancel_oid_request(&self, _: Adapter<'_, R::Lower>, _: u64) {
        self.0.told();
    }

    fn oid_request<'a>(
        &self,
        _: Adapter<'_, R::Lower>,
        _: Option<Vc<'_, R::Lower>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        answer_oid(&self.0, request, token)
    }
}

impl MiniportAdapter for LowerAdapter<CallManager> {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        let slot = self.0.lock().creating;
        self.0.verdict()?;
        Ok(Box::new(LowerEnd(self.0.clone(), slot)))
    }
}

impl McmAdapter for LowerAdapter<Mcm> {
    fn open_af<'a>(
        &self,
        af: Af<'_, Mcm>,
        _: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>> {
        open_af(&self.0, af, token)
    }
}

fn open_af<'a, R: World>(
    bench: &Arc<Bench<R>>,
    af: Af<'_, R>,
    token: Token<'a, OpenAf<R>>,
) -> Answer<'a, OpenAf<R>> {
    bench.lock().manager_afs.push(af.keep());
    let object = ManagerAfEnd(bench.clone());
    bench.answer(token, move |ok| match ok {
        true => Ok(Box::new(object) as Box<dyn ManagerAf<R>>),
        false => Err(REFUSAL),
    })
}

// The call manager

impl Protocol for ManagerProtocol {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::call_manager(ManagerProtocol(self.0.clone())))
    }
}

macro_rules! binding_life {
    ($role:ty) => {
        fn pause<'a>(
            &self,
            _: Binding<'_, $role>,
            token: Token<'a, PauseBinding>,
        ) -> Answer<'a, PauseBinding> {
            self.0.answer(token, |_| ())
        }

        fn restart<'a>(
            &self,
            _: Binding<'_, $role>,
            token: Token<'a, RestartBinding>,
        ) -> Answer<'a, RestartBinding> {
            self.0.answer(token, |_| ())
        }

        fn removing(&self, _: Binding<'_, $role>) {
            self.0.told();
        }

        fn unbind<'a>(&self, _: Binding<'_, $role>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
            operations::give_up(&self.0);
            self.0.answer(token, |_| ())
        }

        fn status(&self, _: Binding<'_, $role>, _: &StatusIndication) {
            self.0.told();
        }

        fn oid_request_complete(&self, _: Binding<'_, $role>, _: OidAnswer) {
            told_oid(&self.0);
        }
    };
}

impl BindingLife<CallManager> for ManagerProtocol {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        self.0.lock().manager_binding = Some(binding.keep());
        binding.register_address_family(AddressFamily::Q2931)?;
        self.0.verdict()
    }

    binding_life!(CallManager);
}

impl CallManagerBinding for ManagerProtocol {
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        open_af(&self.0, af, token)
    }
}

impl<R: World> ManagerAf<R> for ManagerAfEnd<R> {
    fn close<'a>(&self, _: Af<'_, R>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        self.0.answer(token, plain)
    }

    fn register_sap<'a>(
        &self,
        _: Af<'_, R>,
        sap: SapRef<'_, R>,
        _: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        self.0.lock().manager_saps.push(sap.keep());
        let object = ManagerSapEnd(self.0.clone());
        self.0.answer(token, move |ok| match ok {
            true => Ok(Box::new(object) as Box<dyn ManagerSap>),
            false => Err(REFUSAL),
        })
    }

    fn create_vc(&self, _: Af<'_, R>, _: VcId) -> Result<R::NewVc, NdisStatus> {
        let slot = self.0.lock().creating;
        self.0.verdict()?;
        Ok(R::new_vc(&self.0, slot))
    }

    fn notify_close_complete(&self, _: Result<(), NdisStatus>) {
        self.0.told();
    }

    fn oid_request<'a>(
        &self,
        _: Af<'_, R>,
        _: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        answer_oid(&self.0, request, token)
    }

    fn oid_request_complete(&self, _: Af<'_, R>, _: About, _: OidAnswer) {
        told_oid(&self.0);
    }
}

impl<R: World> ManagerSap for ManagerSapEnd<R> {
    fn deregister<'a>(&self, token: Token<'a, DeregisterSap>) -> Answer<'a, DeregisterSap> {
        self.0.answer(token, |_| ())
    }
}

// The client

impl<R: World> Protocol for ClientProtocol<R> {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::client(ClientProtocol(self.0.clone())))
    }
}

impl<R: World> BindingLife<Client> for ClientProtocol<R> {
    fn opened(&self, binding: Binding<'_, Client>) -> Result<(), NdisStatus> {
        self.0.lock().client_binding = Some(binding.keep());
        self.0.verdict()
    }

    binding_life!(Client);
}

impl<R: World> ClientBinding for ClientProtocol<R> {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        let opened = binding.open_address_family(family, Box::new(ClientAfEnd(self.0.clone())));
        if let Outcome::Done(Ok(af)) = opened {
            operations::register_sap(&self.0, af.at());
            self.0.lock().client_afs.push(af);
        }
        self.0.told();
    }
}

impl<R: World> ClientAf for ClientAfEnd<R> {
    fn open_complete(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        if result.is_ok() {
            self.0.lock().client_afs.push(af.keep());
            operations::register_sap(&self.0, af);
        }
        self.0.told();
    }

    fn close_complete(&self, _: Result<(), NdisStatus>) {
        self.0.told();
    }

    fn notify_close<'a>(
        &self,
        _: Af<'_, Client>,
        token: Token<'a, NotifyCloseAf>,
    ) -> Answer<'a, NotifyCloseAf> {
        if self.0.octet() < 0x80 {
            operations::give_up(&self.0);
        }
        self.0.answer(token, plain)
    }

    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        let slot = self.0.lock().creating;
        self.0.verdict()?;
        Ok(Box::new(ClientEnd(self.0.clone(), slot)))
    }

    fn oid_request<'a>(
        &self,
        _: Af<'_, Client>,
        _: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        answer_oid(&self.0, request, token)
    }

    fn oid_request_complete(&self, _: Af<'_, Client>, _: About, _: OidAnswer) {
        told_oid(&self.0);
    }
}

impl<R: World> ClientSap for ClientSapEnd<R> {
    fn register_complete(&self, sap: SapRef<'_, Client>, result: Result<(), NdisStatus>) {
        if result.is_ok() {
            self.0.lock().client_saps.push(sap.keep());
        }
        self.0.told();
    }

    fn deregister_complete(&self, _: Result<(), NdisStatus>) {
        self.0.told();
    }
}
