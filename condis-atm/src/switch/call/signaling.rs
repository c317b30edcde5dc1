//! What the call engine asks of a port's signaling.

use condis::runtime::Time;

use crate::q2931::call::CallControl;
use crate::uni::{
    Answer, CallId, CallParams, Cause, Ie, ModifyParams, PartyId, PartyParams, RequestError, Uni, Version,
};

/// The network side of an interface, as far as calls go: a whole [`Uni`], or its call control by itself.
pub(crate) trait Signaling {
    fn version(&self) -> Version;
    fn is_up(&self) -> bool;
    fn setup(&mut self, now: Time, params: &CallParams) -> Result<CallId, RequestError>;
    fn proceeding(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError>;
    fn alerting(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError>;
    fn connect(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError>;
    fn release(&mut self, now: Time, call: CallId, cause: Cause, other: &[Ie]) -> Result<(), RequestError>;
    fn release_response(&mut self, now: Time, call: CallId) -> Result<(), RequestError>;
    fn add_party(&mut self, now: Time, call: CallId, params: &PartyParams) -> Result<PartyId, RequestError>;
    fn party_alerting(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        other: &[Ie],
    ) -> Result<(), RequestError>;
    fn party_connect(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        answer: &Answer,
    ) -> Result<(), RequestError>;
    fn party_reject(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        cause: Cause,
    ) -> Result<(), RequestError>;
    fn drop_party(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        cause: Cause,
    ) -> Result<(), RequestError>;
    fn modify(&mut self, now: Time, call: CallId, params: &ModifyParams) -> Result<(), RequestError>;
    fn modify_accept(&mut self, now: Time, call: CallId, other: &[Ie]) -> Result<(), RequestError>;
    fn modify_reject(&mut self, now: Time, call: CallId, cause: Cause) -> Result<(), RequestError>;
    fn notify(
        &mut self,
        now: Time,
        call: CallId,
        party: Option<PartyId>,
        ies: &[Ie],
    ) -> Result<(), RequestError>;
}

/// Every request by the method of the same name.
macro_rules! requests {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(fn $name(&mut self, now: Time, $($argument: $kind),*) -> Result<$result, RequestError> {
            self.$name(now, $($argument),*)
        })*
    };
}

impl Signaling for Uni {
    fn version(&self) -> Version {
        self.config().signaling.version
    }

    fn is_up(&self) -> bool {
        self.signaling_is_up()
    }

    requests! {
        setup(params: &CallParams) -> CallId;
        proceeding(call: CallId, answer: &Answer) -> ();
        alerting(call: CallId, answer: &Answer) -> ();
        connect(call: CallId, answer: &Answer) -> ();
        release(call: CallId, cause: Cause, other: &[Ie]) -> ();
        release_response(call: CallId) -> ();
        add_party(call: CallId, params: &PartyParams) -> PartyId;
        party_alerting(call: CallId, party: PartyId, other: &[Ie]) -> ();
        party_connect(call: CallId, party: PartyId, answer: &Answer) -> ();
        party_reject(call: CallId, party: PartyId, cause: Cause) -> ();
        drop_party(call: CallId, party: PartyId, cause: Cause) -> ();
        modify(call: CallId, params: &ModifyParams) -> ();
        modify_reject(call: CallId, cause: Cause) -> ();
        notify(call: CallId, party: Option<PartyId>, ies: &[Ie]) -> ();
    }

    fn modify_accept(&mut self, now: Time, call: CallId, other: &[Ie]) -> Result<(), RequestError> {
        self.modify_accept(now, call, false, other)
    }
}

impl Signaling for CallControl {
    fn version(&self) -> Version {
        self.config().version
    }

    fn is_up(&self) -> bool {
        self.saal_is_up()
    }

    requests! {
        setup(params: &CallParams) -> CallId;
        proceeding(call: CallId, answer: &Answer) -> ();
        alerting(call: CallId, answer: &Answer) -> ();
        connect(call: CallId, answer: &Answer) -> ();
        release(call: CallId, cause: Cause, other: &[Ie]) -> ();
        release_response(call: CallId) -> ();
        add_party(call: CallId, params: &PartyParams) -> PartyId;
        drop_party(call: CallId, party: PartyId, cause: Cause) -> ();
        modify(call: CallId, params: &ModifyParams) -> ();
    }

    fn party_alerting(
        &mut self,
        _now: Time,
        call: CallId,
        party: PartyId,
        other: &[Ie],
    ) -> Result<(), RequestError> {
        self.party_alerting(call, party, other)
    }

    fn party_connect(
        &mut self,
        _now: Time,
        call: CallId,
        party: PartyId,
        answer: &Answer,
    ) -> Result<(), RequestError> {
        self.party_connect(call, party, answer)
    }

    fn party_reject(
        &mut self,
        _now: Time,
        call: CallId,
        party: PartyId,
        cause: Cause,
    ) -> Result<(), RequestError> {
        self.party_reject(call, party, cause)
    }

    fn modify_accept(&mut self, now: Time, call: CallId, other: &[Ie]) -> Result<(), RequestError> {
        self.modify_accept(now, call, false, other)
    }

    fn modify_reject(&mut self, _now: Time, call: CallId, cause: Cause) -> Result<(), RequestError> {
        self.modify_reject(call, cause)
    }

    fn notify(
        &mut self,
        _now: Time,
        call: CallId,
        party: Option<PartyId>,
        ies: &[Ie],
    ) -> Result<(), RequestError> {
        self.notify(call, party, ies)
    }
}
