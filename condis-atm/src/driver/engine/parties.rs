//! Parties of calls that a client made.

use condis::params::CallParams;
use condis::party::HeldParty;
use condis::runtime::Time;
use condis::status::NdisStatus;
use condis::token::{AddParty, DropParty, Pended, Refused};

use super::record::{Carrier, Ndis, Network, Party};
use super::state::{Effects, State};
use super::{Effect, LegKey, Model};
use crate::driver::call_params::AtmCall;
use crate::driver::close_cause::CloseCause;
use crate::driver::status;
use crate::q2931::wire::{AalParameters, Cause};
use crate::uni::{Answer, CallId, PartyId};

impl<M: Model> State<M> {
    pub(super) fn add_party(
        &mut self,
        now: Time,
        leg: LegKey,
        party: HeldParty<M::Role>,
        params: CallParams,
        pended: Pended<AddParty>,
        effects: &mut Effects<M>,
    ) {
        let added = self.begin_party(now, leg, &params);
        match (added, self.records.get_mut(&leg)) {
            (Ok(id), Some(record)) => {
                record.parties.insert(id, Party::Adding(party, pended, params));
            }
            (Err(status), _) => {
                let result = Err(Refused::with(status, params));
                effects.push_back(Effect::PartyAdded { leg, party: PartyId(0), pended, result });
                effects.push_back(Effect::LetGoParty { party });
            }
            (Ok(_), None) => {}
        }
    }

    fn begin_party(&mut self, now: Time, leg: LegKey, params: &CallParams) -> Result<PartyId, NdisStatus> {
        let wanted = AtmCall::from_params(params).map_err(|_| NdisStatus::INVALID_DATA)?;
        let record = self.records.get(&leg).ok_or(NdisStatus::FAILURE)?;
        let (Carrier::Signaling(call), Ndis::Connected, Network::Active) =
            (record.carrier, &record.ndis, &record.network)
        else {
            return Err(NdisStatus::FAILURE);
        };
        let mut party = wanted.to_party();
        if party.calling.is_none() {
            party.calling = record.call.calling_number();
        }
        let sdu = |max: u32| u16::try_from(max).unwrap_or(u16::MAX);
        let (forward, backward) = (record.call.forward.sdu_octets_max, record.call.backward.sdu_octets_max);
        party.aal = Some(AalParameters::aal5(sdu(forward), sdu(backward)));
        self.uni.add_party(now, call, &party).map_err(|why| status::of_request(&why))
    }

    pub(super) fn drop_party(
        &mut self,
        now: Time,
        leg: LegKey,
        party: PartyId,
        cause: Cause,
        pended: Pended<DropParty>,
        effects: &mut Effects<M>,
    ) {
        let record = self.records.get_mut(&leg);
        let there = record.and_then(|record| Some((record.carrier, record.parties.remove(&party)?)));
        // One that the network has dropped is gone already.
        let Some((Carrier::Signaling(call), Party::Connected(held))) = there else {
            if let Some((_, Party::Gone(held, ..))) = there {
                effects.push_back(Effect::LetGoParty { party: held });
            }
            return effects.push_back(Effect::PartyDropped { pended });
        };
        effects.push_back(Effect::LetGoParty { party: held });
        if self.is_without_leaves(leg) {
            // The others have left, and the client is still to answer that. To drop this one is to release the call, and the VC must be inactive
            // before that: the client is told of the end instead, and its close releases the call.
            effects.push_back(Effect::PartyDropped { pended });
            let data = CloseCause { cause }.to_data();
            return self.tell_close(leg, Ndis::RemoteClosed, NdisStatus::SUCCESS, data, effects);
        }
        match (self.uni.drop_party(now, call, party, cause), self.records.get_mut(&leg)) {
            (Ok(()), Some(record)) => {
                record.parties.insert(party, Party::Dropping(pended));
            }
            // Nobody there to be asked: then it is gone.
            (Err(_), _) | (_, None) => effects.push_back(Effect::PartyDropped { pended }),
        }
    }

    /// No party of the call is at the network, or on its way there.
    fn is_without_leaves(&self, leg: LegKey) -> bool {
        let Some(record) = self.records.get(&leg) else { return true };
        !record.parties.values().any(|party| matches!(party, Party::Connected(_) | Party::Adding(..)))
    }

    pub(super) fn party_connected(
        &mut self,
        call: CallId,
        party: PartyId,
        answer: &Answer,
        effects: &mut Effects<M>,
    ) {
        let Some(&leg) = self.by_call.get(&call) else { return };
        let Some(record) = self.records.get_mut(&leg) else { return };
        let Some(Party::Adding(held, pended, params)) = record.parties.remove(&party) else { return };
        // A leaf's SDUs may be shorter than the call's; they are cut short for nobody.
        let _ = answer;
        record.parties.insert(party, Party::Connected(held));
        effects.push_back(Effect::PartyAdded { leg, party, pended, result: Ok(params) });
        // Now that there are two, the client can be told of one that left.
        let gone: Vec<PartyId> = {
            let all = record.parties.iter();
            all.filter(|(_, party)| matches!(party, Party::Gone(..))).map(|(id, _)| *id).collect()
        };
        for id in gone {
            if let Some(Party::Gone(held, status, data)) = record.parties.insert(id, Party::Leaving) {
                effects.push_back(Effect::PartyLeft { party: held, status, data });
            }
        }
    }

    /// A party is refused, dropped by the network, or gone as its client wanted.
    pub(super) fn party_over(
        &mut self,
        call: CallId,
        party: PartyId,
        causes: &[Cause],
        effects: &mut Effects<M>,
    ) {
        let (status, data) = self.heard_of(causes);
        let Some(&leg) = self.by_call.get(&call) else { return };
        let Some(record) = self.records.get_mut(&leg) else { return };
        match record.parties.remove(&party) {
            Some(Party::Adding(held, pended, mut params)) => {
                if let Ok(wanted) = AtmCall::from_params(&params) {
                    params = AtmCall { causes: causes.to_vec(), ..wanted }.to_params();
                }
                let result = Err(Refused::with(status::of_failed(causes), params));
                effects.push_back(Effect::PartyAdded { leg, party, pended, result });
                effects.push_back(Effect::LetGoParty { party: held });
            }
            Some(Party::Connected(held)) => {
                let others = record.parties.values().any(|party| matches!(party, Party::Connected(_)));
                // CO-172: the last one that the client has cannot leave before another is there.
                let then = if others {
                    effects.push_back(Effect::PartyLeft { party: held, status, data });
                    Party::Leaving
                } else {
                    Party::Gone(held, status, data)
                };
                record.parties.insert(party, then);
            }
            Some(Party::Dropping(pended)) => effects.push_back(Effect::PartyDropped { pended }),
            Some(other @ (Party::Gone(..) | Party::Leaving)) => {
                record.parties.insert(party, other);
            }
            None => {}
        }
    }

    /// The call is over, and so are its parties.
    pub(super) fn end_parties(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        for (id, party) in std::mem::take(&mut record.parties) {
            match party {
                Party::Adding(held, pended, params) => {
                    let result = Err(Refused::with(NdisStatus::REQUEST_ABORTED, params));
                    effects.push_back(Effect::PartyAdded { leg, party: id, pended, result });
                    effects.push_back(Effect::LetGoParty { party: held });
                }
                Party::Connected(held) | Party::Gone(held, ..) => {
                    effects.push_back(Effect::LetGoParty { party: held });
                }
                Party::Dropping(pended) => effects.push_back(Effect::PartyDropped { pended }),
                Party::Leaving => {}
            }
        }
    }
}
