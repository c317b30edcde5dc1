//! The N-primitives: what [`CallControl`](crate::q2931::call::CallControl) offers, of the whole interface.

use condis::runtime::Time;

use super::Uni;
use crate::q2931::call::{
    Answer, CallId, CallParams, ModifyParams, PartyId, PartyParams, RequestError, RestartClass,
};
use crate::q2931::wire::{Cause, Ie};

/// Each does to the calls of this interface what the method of the same name of [`CallControl`](crate::q2931::call::CallControl)
/// says there: when it is lawful, what it ends in, and its errors.
impl Uni {
    /// Makes a call.
    ///
    /// # Errors
    /// See [`CallControl::setup`](crate::q2931::call::CallControl::setup).
    #[doc(alias = "N-SETUP.request")]
    pub fn setup(&mut self, now: Time, params: &CallParams) -> Result<CallId, RequestError> {
        self.request(now, |calls| calls.setup(now, params))
    }

    /// Tells the peer that its call is on its way.
    ///
    /// # Errors
    /// See [`CallControl::proceeding`](crate::q2931::call::CallControl::proceeding).
    pub fn proceeding(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError> {
        self.request(now, |calls| calls.proceeding(now, call, answer))
    }

    /// Tells the peer that the called user is alerted (UNI 4.0).
    ///
    /// # Errors
    /// See [`CallControl::alerting`](crate::q2931::call::CallControl::alerting).
    pub fn alerting(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError> {
        self.request(now, |calls| calls.alerting(now, call, answer))
    }

    /// Takes the peer's call.
    ///
    /// # Errors
    /// See [`CallControl::connect`](crate::q2931::call::CallControl::connect).
    #[doc(alias = "N-SETUP.response")]
    pub fn connect(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError> {
        self.request(now, |calls| calls.connect(now, call, answer))
    }

    /// Ends a call, or refuses one.
    ///
    /// # Errors
    /// See [`CallControl::release`](crate::q2931::call::CallControl::release).
    #[doc(alias = "N-RELEASE.request")]
    pub fn release(
        &mut self,
        now: Time,
        call: CallId,
        cause: Cause,
        other: &[Ie],
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.release(now, call, cause, other))
    }

    /// Answers `Released`, once the VC is deactivated.
    ///
    /// # Errors
    /// See [`CallControl::release_response`](crate::q2931::call::CallControl::release_response).
    #[doc(alias = "N-RELEASE.response")]
    pub fn release_response(&mut self, now: Time, call: CallId) -> Result<(), RequestError> {
        self.request(now, |calls| calls.release_response(now, call))
    }

    /// Adds a party to a call that this end made.
    ///
    /// # Errors
    /// See [`CallControl::add_party`](crate::q2931::call::CallControl::add_party).
    pub fn add_party(
        &mut self,
        now: Time,
        call: CallId,
        params: &PartyParams,
    ) -> Result<PartyId, RequestError> {
        self.request(now, |calls| calls.add_party(now, call, params))
    }

    /// Tells the peer that an offered party is alerted (UNI 4.0).
    ///
    /// # Errors
    /// See [`CallControl::party_alerting`](crate::q2931::call::CallControl::party_alerting).
    pub fn party_alerting(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        other: &[Ie],
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.party_alerting(call, party, other))
    }

    /// Takes an offered party.
    ///
    /// # Errors
    /// See [`CallControl::party_connect`](crate::q2931::call::CallControl::party_connect).
    pub fn party_connect(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        answer: &Answer,
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.party_connect(call, party, answer))
    }

    /// Refuses an offered party.
    ///
    /// # Errors
    /// See [`CallControl::party_reject`](crate::q2931::call::CallControl::party_reject).
    pub fn party_reject(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        cause: Cause,
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.party_reject(call, party, cause))
    }

    /// Drops a party.
    ///
    /// # Errors
    /// See [`CallControl::drop_party`](crate::q2931::call::CallControl::drop_party).
    pub fn drop_party(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        cause: Cause,
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.drop_party(now, call, party, cause))
    }

    /// Asks for another contract (UNI 4.0).
    ///
    /// # Errors
    /// See [`CallControl::modify`](crate::q2931::call::CallControl::modify).
    pub fn modify(&mut self, now: Time, call: CallId, params: &ModifyParams) -> Result<(), RequestError> {
        self.request(now, |calls| calls.modify(now, call, params))
    }

    /// Takes the contract that the peer asks for.
    ///
    /// # Errors
    /// See [`CallControl::modify_accept`](crate::q2931::call::CallControl::modify_accept).
    pub fn modify_accept(
        &mut self,
        now: Time,
        call: CallId,
        confirm: bool,
        other: &[Ie],
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.modify_accept(now, call, confirm, other))
    }

    /// Refuses the contract that the peer asks for.
    ///
    /// # Errors
    /// See [`CallControl::modify_reject`](crate::q2931::call::CallControl::modify_reject).
    pub fn modify_reject(&mut self, now: Time, call: CallId, cause: Cause) -> Result<(), RequestError> {
        self.request(now, |calls| calls.modify_reject(call, cause))
    }

    /// Asks the peer where it thinks a call stands.
    ///
    /// # Errors
    /// See [`CallControl::status_enquiry`](crate::q2931::call::CallControl::status_enquiry).
    pub fn status_enquiry(&mut self, now: Time, call: CallId) -> Result<(), RequestError> {
        self.request(now, |calls| calls.status_enquiry(now, call))
    }

    /// Sends NOTIFY (UNI 4.0).
    ///
    /// # Errors
    /// See [`CallControl::notify`](crate::q2931::call::CallControl::notify).
    pub fn notify(
        &mut self,
        now: Time,
        call: CallId,
        party: Option<PartyId>,
        ies: &[Ie],
    ) -> Result<(), RequestError> {
        self.request(now, |calls| calls.notify(call, party, ies))
    }

    /// Returns one VC, one path or all to idle.
    ///
    /// # Errors
    /// See [`CallControl::restart`](crate::q2931::call::CallControl::restart).
    #[doc(alias = "N-RESET.request")]
    pub fn restart(&mut self, now: Time, what: RestartClass) -> Result<(), RequestError> {
        self.request(now, |calls| calls.restart(now, what))
    }
}
