//! Pend and complete: a callback that may pend takes a [`Token`] and returns an [`Answer`] that only this token makes.
//!
//! - [`Token::done`] is the documented returned status. No completion follows.
//! - [`Token::pend`] is the documented `NDIS_STATUS_PENDING`. It gives a [`Pended`], whose [`complete`](Pended::complete) is
//!   the documented `Ndis…Complete` call: once, from any thread, also before the callback has returned.
//!
//! The lifetime ties an answer to the very call that the token came with: an answer made for another call, or no answer,
//! does not compile, and a token cannot be completed twice.
//!
//! ```compile_fail
//! use condis::token::{CloseCall, Token};
//! fn twice(token: Token<'_, CloseCall>) {
//!     let (pended, _answer) = token.pend();
//!     pended.complete(Ok(()));
//!     pended.complete(Ok(())); // moved away by the first completion
//! }
//! ```
//! ```compile_fail
//! use condis::token::{Answer, CloseCall, Token};
//! fn swapped<'a, 'b>(mine: Token<'a, CloseCall>, other: Token<'b, CloseCall>) -> Answer<'a, CloseCall> {
//!     drop(mine);
//!     other.done(Ok(())) // the answer of another call
//! }
//! ```
//!
//! A token that is lost (the callback panicked, or a `Pended` was dropped) fails its own operation, and no other. It does
//! so from the node's lane, never from the `Drop`.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::adapter::{AdapterCore, PendKey};
use crate::names::Function;
use crate::status::NdisStatus;
use crate::trace::ObjectId;

pub use crate::adapter::pnp::{Pause, PauseBinding, Reset, Restart, RestartBinding, Unbind};
pub use crate::af::ops::{CloseAf, NotifyCloseAf, OpenAf};
pub use crate::oid::Oid;
pub use crate::party::{AddParty, DropParty};
pub use crate::sap::{DeregisterSap, RegisterSap};
pub use crate::vc::ops::{Activate, CloseCall, Deactivate, IncomingCall, MakeCall, ModifyCallQos};

/// How an answer reached NDIS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Returned by the callback, to a requester that still waits for the return.
    Returned,
    /// Returned by a callback that had to wait for its turn, so that the requester has been told to wait.
    Deferred,
    /// By a completion call.
    Late,
}

/// What an operation is about: finds the adapter, whose list of pended operations it stands in.
#[doc(hidden)]
pub trait Object: Send + Sync + 'static {
    fn adapter(&self) -> &Arc<AdapterCore>;
    fn id(&self) -> ObjectId;
}

pub(crate) mod sealed {
    use super::*;

    /// The inside of an operation.
    pub trait Op: Sized + 'static {
        type Obj: Object;
        type Key: Copy + Send + 'static;
        type Answer: Send + 'static;
        /// What the requester is told if the answer came with the return; nothing if it will hear later.
        type Reply;
        /// The callback that the token was given to.
        const CALLBACK: Function;

        /// The answer of a driver that lost its token.
        fn lost() -> Self::Answer;
        /// Moves the object on. `None`: the requester hears it by callback, or has heard.
        fn settle(
            obj: &Arc<Self::Obj>,
            key: Self::Key,
            answer: Self::Answer,
            how: How,
        ) -> Option<Self::Reply>;
        /// The driver that holds the token.
        fn holder(obj: &Self::Obj, key: Self::Key) -> String;
    }
}

/// An operation that may pend: one of the types of this module.
pub trait Op: sealed::Op {}
impl<O: sealed::Op> Op for O {}

/// What `O` is answered with.
pub type AnswerOf<O> = <O as sealed::Op>::Answer;

/// The right, and the duty, to answer one call of a callback.
pub struct Token<'a, O: Op> {
    obj: &'a Arc<O::Obj>,
    key: O::Key,
    armed: bool,
    brand: PhantomData<fn(&'a ()) -> &'a ()>,
}

/// What a callback returns. Only the token of that call makes one.
#[must_use = "an answer is returned from the callback"]
pub struct Answer<'a, O: Op> {
    obj: &'a Arc<O::Obj>,
    key: O::Key,
    done: Option<O::Answer>,
    brand: PhantomData<fn(&'a ()) -> &'a ()>,
}

/// A pended operation: the driver owes one completion.
#[must_use = "a pended operation must be completed; dropping this fails it"]
pub struct Pended<O: Op> {
    obj: Option<Arc<O::Obj>>,
    key: O::Key,
    pend: PendKey,
}

impl<'a, O: Op> Token<'a, O> {
    pub(crate) fn new(obj: &'a Arc<O::Obj>, key: O::Key) -> Token<'a, O> {
        Token { obj, key, armed: true, brand: PhantomData }
    }

    /// The answer is final: the documented returned status. No completion callback follows.
    pub fn done(mut self, answer: O::Answer) -> Answer<'a, O> {
        self.armed = false;
        Answer { obj: self.obj, key: self.key, done: Some(answer), brand: PhantomData }
    }

    /// The answer comes later: the documented `NDIS_STATUS_PENDING`.
    pub fn pend(mut self) -> (Pended<O>, Answer<'a, O>) {
        self.armed = false;
        let pend = self.obj.adapter().pend(self.obj.id(), O::CALLBACK, O::holder(self.obj, self.key));
        let pended = Pended { obj: Some(self.obj.clone()), key: self.key, pend };
        (pended, Answer { obj: self.obj, key: self.key, done: None, brand: PhantomData })
    }
}

impl<O: Op> Drop for Token<'_, O> {
    fn drop(&mut self) {
        if self.armed {
            lose::<O>(self.obj.clone(), self.key);
        }
    }
}

impl<O: Op> fmt::Debug for Token<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token of {} on {}", O::CALLBACK, self.obj.id())
    }
}

impl<O: Op> Answer<'_, O> {
    /// The answer, or nothing if it pends.
    pub(crate) fn take(mut self) -> Option<O::Answer> {
        self.done.take()
    }
}

impl<O: Op> Drop for Answer<'_, O> {
    fn drop(&mut self) {
        if self.done.take().is_some() {
            lose::<O>(self.obj.clone(), self.key);
        }
    }
}

impl<O: Op> fmt::Debug for Answer<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.done.is_some() { "final" } else { "pending" };
        write!(f, "{kind} answer of {} on {}", O::CALLBACK, self.obj.id())
    }
}

impl<O: Op> Pended<O> {
    /// Completes the operation: the documented `Ndis…Complete` call.
    pub fn complete(mut self, answer: O::Answer) {
        if let Some(obj) = self.obj.take() {
            obj.adapter().unpend(self.pend);
            O::settle(&obj, self.key, answer, How::Late);
        }
    }

    /// Turns a pended operation into a returned status after all, before its callback has returned. For drivers that must
    /// register the operation before they know how it ends.
    pub fn take_back<'a>(mut self, mut pending: Answer<'a, O>, answer: O::Answer) -> Answer<'a, O> {
        if let Some(obj) = self.obj.take() {
            obj.adapter().unpend(self.pend);
            if Arc::ptr_eq(&obj, pending.obj) {
                pending.done = Some(answer);
            } else {
                O::settle(&obj, self.key, answer, How::Late);
            }
        }
        pending
    }

    /// Hands the operation to a driver's callback later: `callback` gets a token as the first call would have.
    pub fn run(mut self, callback: impl for<'x> FnOnce(Token<'x, O>) -> Answer<'x, O>) {
        if let Some(obj) = self.obj.take() {
            obj.adapter().unpend(self.pend);
            if let Some(answer) = callback(Token::new(&obj, self.key)).take() {
                O::settle(&obj, self.key, answer, How::Late);
            }
        }
    }
}

impl<O: Op> Drop for Pended<O> {
    fn drop(&mut self) {
        if let Some(obj) = self.obj.take() {
            obj.adapter().unpend(self.pend);
            lose::<O>(obj, self.key);
        }
    }
}

impl<O: Op> fmt::Debug for Pended<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.obj {
            Some(obj) => write!(f, "pended {} on {}", O::CALLBACK, obj.id()),
            None => write!(f, "completed {}", O::CALLBACK),
        }
    }
}

/// Fails an operation whose token is gone, from the node's lane.
#[cold]
fn lose<O: Op>(obj: Arc<O::Obj>, key: O::Key) {
    let node = obj.adapter().node().clone();
    node.clone().defer(move || {
        node.report(
            obj.id(),
            "CO-208",
            format!("{} lost the token of {}", O::holder(&obj, key), O::CALLBACK),
        );
        O::settle(&obj, key, O::lost(), How::Deferred);
    });
}

/// What a request came to.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "`Done` is the only answer there will be"]
pub enum Outcome<T> {
    /// The returned status: final, and no completion callback follows.
    Done(T),
    /// `NDIS_STATUS_PENDING`: the completion callback tells, and may have told already.
    Pending,
}

impl<T> Outcome<T> {
    /// The final result, if it came with the return.
    pub fn done(self) -> Option<T> {
        match self {
            Outcome::Done(result) => Some(result),
            Outcome::Pending => None,
        }
    }

    /// True if a completion callback tells the result.
    pub const fn is_pending(&self) -> bool {
        matches!(self, Outcome::Pending)
    }
}

/// A refusal, with the call parameters that it gives back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Why.
    pub status: NdisStatus,
    /// The parameters, back with who gave them; changed ones tell what would have been possible. Gone only with a driver
    /// that lost its token.
    pub params: Option<crate::params::CallParams>,
}

impl Refused {
    /// Refused with `status`; `params` go back.
    pub fn with(status: NdisStatus, params: crate::params::CallParams) -> Refused {
        Refused { status, params: Some(params) }
    }
}

impl From<NdisStatus> for Refused {
    fn from(status: NdisStatus) -> Refused {
        Refused { status, params: None }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.status)
    }
}

impl std::error::Error for Refused {}
