//! Opening and closing an address family: the operations that may pend.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Af, AfCore, AfState};
use crate::driver::{ManagerAf, ManagerRole};
use crate::names::Function;
use crate::status::NdisStatus;
use crate::token::How;
use crate::token::sealed::Op;
use crate::trace::Way;
use crate::vc::control::Creator;

/// `ProtocolCmOpenAf`, answered with the (M)CM's object for the client.
#[derive(Debug)]
pub struct OpenAf<R>(PhantomData<R>);

/// `ProtocolCmCloseAf`.
#[derive(Debug)]
pub enum CloseAf {}

/// `ProtocolClNotifyCloseAf`.
#[derive(Debug)]
pub enum NotifyCloseAf {}

impl<R: ManagerRole> Op for OpenAf<R> {
    type Obj = AfCore;
    type Key = ();
    type Answer = Result<Box<dyn ManagerAf<R>>, NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: Function = Function::ProtocolCmOpenAf;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE)
    }

    fn settle(af: &Arc<AfCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            let function = af
                .named(Function::NdisCmOpenAddressFamilyComplete, Function::NdisMCmOpenAddressFamilyComplete);
            af.cross_manager(Way::Down, function);
        }
        let result = match answer {
            Ok(object) => {
                af.adapter.live.objects_made(1);
                let fresh = af.manager.set(R::erase_af(object)).is_ok();
                debug_assert!(fresh, "an open is answered once");
                af.set_state(AfState::Open);
                af.close_if_abandoned();
                Ok(())
            }
            Err(status) => {
                // The client learns of it when nothing is left (CO-025).
                af.set_state(AfState::Closed);
                af.adapter.unlink_af(af);
                Err(status)
            }
        };
        if how == How::Returned {
            return Some(result);
        }
        // PASSIVE only, wherever the (M)CM completed it.
        let af = af.clone();
        af.clone().node().defer(move || {
            af.call_client(Function::ProtocolClOpenAfCompleteEx, |client| {
                client.open_complete(Af::new(&af), result);
            });
        });
        None
    }

    fn holder(af: &AfCore, (): ()) -> String {
        af.manager_driver().to_string()
    }
}

impl Op for CloseAf {
    type Obj = AfCore;
    type Key = ();
    type Answer = Result<(), NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: Function = Function::ProtocolCmCloseAf;

    fn lost() -> Self::Answer {
        Ok(())
    }

    fn settle(af: &Arc<AfCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            let function = af.named(
                Function::NdisCmCloseAddressFamilyComplete,
                Function::NdisMCmCloseAddressFamilyComplete,
            );
            af.cross_manager(Way::Down, function);
        }
        let result = match (answer, how) {
            (Err(status), How::Returned) => Err(status),
            // Can only succeed: handled as SUCCESS.
            (Err(status), How::Late | How::Deferred) => {
                af.node().report(
                    af.object_id(),
                    "CO-033",
                    format!("a close of an AF was completed with {status}"),
                );
                Ok(())
            }
            (Ok(()), _) => Ok(()),
        };
        if result.is_ok() {
            let left: Vec<_> = af.adapter.vcs_of(af);
            let mut of_manager = 0;
            for vc in left {
                let owned = {
                    let mut ctl = vc.lock();
                    let owned = ctl.control.creator == Creator::Manager;
                    // One that the (M)CM has given up already goes once its client has come out of its last callback.
                    owned && !std::mem::replace(&mut ctl.retired, true)
                };
                of_manager += usize::from(owned);
                vc.transition(|_| ());
            }
            if of_manager > 0 {
                af.node().report(
                    af.object_id(),
                    "CO-032",
                    format!("the AF was closed with {of_manager} VCs of the (M)CM left; NDIS deletes them"),
                );
            }
            af.set_state(AfState::Closed);
            af.adapter.unlink_af(af);
        } else {
            af.set_state(AfState::Open);
        }
        if how == How::Returned {
            return Some(result);
        }
        af.call_client(Function::ProtocolClCloseAfComplete, |client| client.close_complete(result));
        None
    }

    fn holder(af: &AfCore, (): ()) -> String {
        af.manager_driver().to_string()
    }
}

impl Op for NotifyCloseAf {
    type Obj = AfCore;
    type Key = ();
    type Answer = Result<(), NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: Function = Function::ProtocolClNotifyCloseAf;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE)
    }

    fn settle(af: &Arc<AfCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            af.cross_client(Way::Down, Function::NdisClNotifyCloseAddressFamilyComplete);
        }
        af.lock().notified = false;
        if how == How::Returned {
            return Some(answer);
        }
        af.call_manager(
            Function::ProtocolCmNotifyCloseAfComplete,
            |object, _| object.notify_close_complete(answer),
            |object, _| object.notify_close_complete(answer),
        );
        None
    }

    fn holder(af: &AfCore, (): ()) -> String {
        af.client_driver().to_string()
    }
}
