//! Service access points: where a client takes calls.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use crate::adapter::AdapterCore;
use crate::af::{AfCore, AfState};
use crate::driver::{ClientSap, ManagerSap};
use crate::frame;
use crate::names::Function as F;
use crate::params::Sap;
use crate::role::{Client, Role};
use crate::status::NdisStatus;
use crate::token::sealed::Op;
use crate::token::{How, Object, Outcome, Token};
use crate::trace::{ObjectId, Way};

/// The life of a SAP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SapState {
    /// The (M)CM has not answered yet; offers pass already.
    Registering,
    /// Offers pass.
    Registered,
    /// The client gave it up; offers are refused.
    Deregistering,
    /// Gone.
    Gone,
}

/// A SAP.
#[doc(hidden)]
pub struct SapCore {
    id: u32,
    pub(crate) af: Arc<AfCore>,
    pub(crate) address: Sap,
    client: Box<dyn ClientSap>,
    manager: OnceLock<Box<dyn ManagerSap>>,
    /// The client's object panicked, the (M)CM's did: it is not called again.
    lost: [AtomicBool; 2],
    state: Mutex<SapState>,
}

impl SapCore {
    fn is_lost(&self, client: bool) -> bool {
        self.lost[usize::from(client)].load(SeqCst)
    }

    pub(crate) fn state(&self) -> SapState {
        *self.state.lock().expect("no driver runs under a SAP's lock")
    }

    fn set_state(&self, state: SapState) {
        *self.state.lock().expect("no driver runs under a SAP's lock") = state;
    }

    fn object_id(&self) -> ObjectId {
        ObjectId::Sap(self.id)
    }

    fn cross(&self, client: bool, way: Way, function: F) {
        let driver = if client { self.af.client_driver() } else { self.af.manager_driver() };
        self.af.node().cross(driver, way, function, self.object_id());
    }

    fn guard<T>(&self, client: bool, function: F, callback: impl FnOnce() -> T) -> Option<T> {
        if self.is_lost(client) {
            return None;
        }
        self.cross(client, Way::Up, function);
        let result = frame::call(callback).ok();
        if result.is_none() {
            self.lost[usize::from(client)].store(true, SeqCst);
            self.af.node().report(self.object_id(), "DP-216", format!("a driver panicked in {function}"));
        }
        result
    }

    fn unlink(self: &Arc<Self>) {
        self.set_state(SapState::Gone);
        self.af.lock().saps.retain(|sap| !Arc::ptr_eq(sap, self));
        self.af.close_if_abandoned();
    }
}

impl Object for SapCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        self.af.adapter()
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

impl Drop for SapCore {
    fn drop(&mut self) {
        self.af.adapter().live.object_gone();
        if self.manager.get().is_some() {
            self.af.adapter().live.object_gone();
        }
    }
}

/// A SAP, as its client or its (M)CM is given it.
#[doc(alias = "NdisSapHandle")]
pub struct SapRef<'a, R: Role>(&'a Arc<SapCore>, PhantomData<R>);

impl<R: Role> Clone for SapRef<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Role> Copy for SapRef<'_, R> {}

/// A SAP handle that lasts.
pub struct HeldSap<R: Role>(Arc<SapCore>, PhantomData<R>);

impl<R: Role> Clone for HeldSap<R> {
    fn clone(&self) -> Self {
        HeldSap(self.0.clone(), PhantomData)
    }
}

impl<R: Role> HeldSap<R> {
    /// The handle to call with.
    pub fn at(&self) -> SapRef<'_, R> {
        SapRef::new(&self.0)
    }

    pub(crate) fn core(&self) -> &Arc<SapCore> {
        &self.0
    }
}

impl<'a, R: Role> SapRef<'a, R> {
    pub(crate) fn new(core: &'a Arc<SapCore>) -> SapRef<'a, R> {
        SapRef(core, PhantomData)
    }

    /// Its name.
    pub fn id(self) -> ObjectId {
        self.0.object_id()
    }

    /// What the client registered.
    pub fn address(self) -> &'a Sap {
        &self.0.address
    }

    /// Where it is in its life.
    pub fn state(self) -> SapState {
        self.0.state()
    }

    /// A handle that lasts.
    pub fn keep(self) -> HeldSap<R> {
        HeldSap(self.0.clone(), PhantomData)
    }
}

impl SapRef<'_, Client> {
    /// Gives the SAP up. Calls that came in on it go on.
    ///
    /// # Completion
    /// Always through [`deregister_complete`](ClientSap::deregister_complete), also if the (M)CM finished at once.
    /// # Errors
    /// FAILURE: being deregistered already, or gone; no completion follows.
    ///
    /// Source: WDK NdisClDeregisterSap; CO-051 to CO-054.
    #[doc(alias = "NdisClDeregisterSap")]
    pub fn deregister(self) -> Result<(), NdisStatus> {
        let sap = self.0;
        sap.cross(true, Way::Down, F::NdisClDeregisterSap);
        let result = deregister(sap);
        let status = if result.is_ok() { NdisStatus::PENDING } else { NdisStatus::FAILURE };
        sap.cross(true, Way::Returned(status), F::NdisClDeregisterSap);
        result
    }
}

/// For a client that panicked. One that is being deregistered already goes by itself.
pub(crate) fn deregister_abandoned(sap: &Arc<SapCore>) {
    sap.lost[1].store(true, SeqCst);
    let _ = deregister(sap);
}

fn deregister(sap: &Arc<SapCore>) -> Result<(), NdisStatus> {
    {
        let mut state = sap.state.lock().expect("no driver runs under a SAP's lock");
        if *state != SapState::Registered {
            return Err(NdisStatus::FAILURE);
        }
        *state = SapState::Deregistering;
    }
    let answer = match sap.manager.get() {
        Some(_) if sap.is_lost(false) => Some(()),
        Some(manager) => sap
            .guard(false, F::ProtocolCmDeregisterSap, || manager.deregister(Token::new(sap, ())).take())
            .flatten(),
        None => Some(()),
    };
    if let Some(answer) = answer {
        DeregisterSap::settle(sap, (), answer, How::Returned);
    }
    Ok(())
}

pub(crate) fn register(
    af: &Arc<AfCore>,
    address: Sap,
    client: Box<dyn ClientSap>,
) -> Outcome<Result<HeldSap<Client>, NdisStatus>> {
    af.cross_client(Way::Down, F::NdisClRegisterSap);
    let outcome = register_now(af, address, client);
    let status = match &outcome {
        Outcome::Done(Ok(_)) => NdisStatus::SUCCESS,
        Outcome::Done(Err(status)) => *status,
        Outcome::Pending => NdisStatus::PENDING,
    };
    af.cross_client(Way::Returned(status), F::NdisClRegisterSap);
    outcome
}

fn register_now(
    af: &Arc<AfCore>,
    address: Sap,
    client: Box<dyn ClientSap>,
) -> Outcome<Result<HeldSap<Client>, NdisStatus>> {
    af.adapter().live.objects_made(1);
    let sap = Arc::new(SapCore {
        id: af.node().next_sap(),
        af: af.clone(),
        address,
        client,
        manager: OnceLock::new(),
        lost: [AtomicBool::new(false), AtomicBool::new(false)],
        state: Mutex::new(SapState::Registering),
    });
    {
        let mut ctl = af.lock();
        if ctl.state != AfState::Open {
            return Outcome::Done(Err(NdisStatus::FAILURE));
        }
        ctl.saps.push(sap.clone());
    }
    let answer = if af.lost_manager() {
        Some(Some(RegisterSap::lost()))
    } else {
        af.call_manager(
            F::ProtocolCmRegisterSap,
            |object, af| {
                object.register_sap(af, SapRef::new(&sap), &sap.address, Token::new(&sap, ())).take()
            },
            |object, af| {
                object.register_sap(af, SapRef::new(&sap), &sap.address, Token::new(&sap, ())).take()
            },
        )
    };
    match answer.flatten().and_then(|answer| RegisterSap::settle(&sap, (), answer, How::Returned)) {
        Some(Ok(())) => Outcome::Done(Ok(HeldSap(sap, PhantomData))),
        Some(Err(status)) => Outcome::Done(Err(status)),
        None => Outcome::Pending,
    }
}

/// `ProtocolCmRegisterSap`, answered with the (M)CM's object for the SAP.
#[derive(Debug)]
pub enum RegisterSap {}

/// `ProtocolCmDeregisterSap`.
#[derive(Debug)]
pub enum DeregisterSap {}

impl Op for RegisterSap {
    type Obj = SapCore;
    type Key = ();
    type Answer = Result<Box<dyn ManagerSap>, NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: F = F::ProtocolCmRegisterSap;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE)
    }

    fn settle(sap: &Arc<SapCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            sap.cross(
                false,
                Way::Down,
                sap.af.named(F::NdisCmRegisterSapComplete, F::NdisMCmRegisterSapComplete),
            );
        }
        let result = match answer {
            Ok(object) => {
                sap.af.adapter().live.objects_made(1);
                let fresh = sap.manager.set(object).is_ok();
                debug_assert!(fresh, "a registration is answered once");
                sap.set_state(SapState::Registered);
                if sap.af.is_abandoned() {
                    deregister_abandoned(sap);
                }
                Ok(())
            }
            Err(status) => {
                sap.unlink();
                Err(status)
            }
        };
        if how == How::Returned {
            return Some(result);
        }
        sap.guard(true, F::ProtocolClRegisterSapComplete, || {
            sap.client.register_complete(SapRef::new(sap), result)
        });
        None
    }

    fn holder(sap: &SapCore, (): ()) -> String {
        sap.af.manager_driver().to_string()
    }
}

impl Op for DeregisterSap {
    type Obj = SapCore;
    type Key = ();
    type Answer = ();
    type Reply = ();
    const CALLBACK: F = F::ProtocolCmDeregisterSap;

    fn lost() -> Self::Answer {}

    fn settle(sap: &Arc<SapCore>, (): (), (): (), how: How) -> Option<()> {
        if how == How::Late {
            let name = sap.af.named(F::NdisCmDeregisterSapComplete, F::NdisMCmDeregisterSapComplete);
            sap.cross(false, Way::Down, name);
        }
        sap.unlink();
        sap.guard(true, F::ProtocolClDeregisterSapComplete, || sap.client.deregister_complete(Ok(())));
        Some(())
    }

    fn holder(sap: &SapCore, (): ()) -> String {
        sap.af.manager_driver().to_string()
    }
}

impl<R: Role> fmt::Debug for SapRef<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} handle of {}: {:?}", R::KIND, self.id(), self.state())
    }
}

impl<R: Role> fmt::Debug for HeldSap<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.at(), f)
    }
}
