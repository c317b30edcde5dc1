//! What drivers do of their own accord: any call that their roles allow, on any object, lawful or not.

use std::sync::Arc;

use condis::af::Af;
use condis::driver::ClientParty;
use condis::nbl::CancelId;
use condis::oid::{About, OidRequest};
use condis::params::{AddressFamily, CallParams, Sap};
use condis::role::{CallManager, Client};
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::Outcome;
use condis::vc::{Call, Vc};

use super::bench::{Bench, End, REFUSAL, Slot};
use super::drivers::{ClientAfEnd, ClientSapEnd};
use super::ends::{ClientEnd, ClientPartyEnd, connected_call};
use super::world::World;

/// VCs that there are at most.
const SLOTS_MAX: usize = 6;
/// Address families, and SAPs, that a client opens of its own accord at most.
const OPENS_MAX: usize = 4;

/// Operations that lead on: a VC, a call on it, parties, data, answers that are owed. By their numbers below.
const LIKELY: [u8; 12] = [0, 3, 7, 7, 15, 17, 24, 27, 33, 38, 38, 59];

/// The next operation, from outside of all callbacks.
pub(super) fn outside<R: World>(bench: &Arc<Bench<R>>) {
    next(bench);
    if bench.octet() < 0x80 {
        step(bench);
    }
}

/// Runs some of what was deferred, and lets time pass.
fn step<R: World>(bench: &Arc<Bench<R>>) {
    for _ in 0..bench.octet() % 16 {
        bench.sim.step();
    }
}

/// The next operation, from inside a callback.
pub(super) fn inside<R: World>(bench: &Arc<Bench<R>>) {
    bench.lock().depth += 1;
    next(bench);
    bench.lock().depth -= 1;
}

fn next<R: World>(bench: &Arc<Bench<R>>) {
    let (what, which) = (bench.octet(), bench.octet());
    let there = bench.lock().slots.len();
    let slot = usize::from(which).checked_rem(there).unwrap_or(0);
    // Nothing to do, if there is no such object.
    let _ = operation(bench, what, slot);
}

fn operation<R: World>(bench: &Arc<Bench<R>>, what: u8, slot: usize) -> Option<()> {
    let client = || bench.slot(slot, |s| s.client.clone()).flatten();
    let manager = || bench.slot(slot, |s| s.manager.clone()).flatten();
    let lower = || bench.slot(slot, |s| R::lower_of(s)).flatten();
    let signaling = || bench.slot(slot, |s| s.signaling.clone()).flatten();
    let params = CallParams::default;
    let what = match what {
        0..160 => what % 64,
        160.. => LIKELY[usize::from(what) % LIKELY.len()],
    };
    match what {
        0..=2 => create(bench, create_by_client),
        3..=5 => create(bench, create_by_manager),
        6 => create(bench, |bench, slot| {
            let owned = R::create_signaling(bench, slot)?.ok()?;
            bench.slot(slot, |s| (s.signaling, s.owned_signaling) = (Some(owned.keep()), Some(owned)))
        }),
        7..=10 => {
            let party = (bench.octet() >= 0x80)
                .then(|| Box::new(ClientPartyEnd(bench.clone(), slot)) as Box<dyn ClientParty>);
            if let Outcome::Done(Ok(connected)) = client()?.at().make_call(params(), party) {
                connected_call(bench, slot, connected);
            }
        }
        11..=13 => {
            let closed = matches!(client()?.at().close_call(Vec::new()), Outcome::Done(Ok(())));
            bench.reached(|reached| reached.calls_closed += u64::from(closed));
        }
        14 => drop(client()?.at().modify_call_qos(params())),
        15 => {
            let object = Box::new(ClientPartyEnd(bench.clone(), slot));
            if let Outcome::Done(Ok((party, _))) = client()?.at().add_party(params(), object) {
                bench.reached(|reached| reached.parties_added += 1);
                bench.slot(slot, |s| s.client_parties.push(party));
            }
        }
        16 => {
            let which = bench.octet();
            let party = bench.slot(slot, |s| one_of(&s.client_parties, which).cloned()).flatten()?;
            let _ = party.at().drop_party(Vec::new());
        }
        17..=19 => {
            let which = bench.octet();
            let sap = one_of(&bench.lock().manager_saps, which).cloned()?;
            if let Outcome::Done(Ok(_)) = manager()?.at().dispatch_incoming_call(&sap, params())
                && which < 0xc0
            {
                let _ = R::activate(manager()?.at(), params());
                manager()?.at().dispatch_call_connected();
            }
        }
        20 => manager()?.at().dispatch_call_connected(),
        21 => manager()?.at().dispatch_incoming_close_call(NdisStatus::SUCCESS, Vec::new()),
        22 => manager()?.at().dispatch_incoming_call_qos_change(params()),
        23 => {
            let which = bench.octet();
            let party = bench.slot(slot, |s| one_of(&s.manager_parties, which).cloned()).flatten()?;
            party.at().dispatch_incoming_drop(NdisStatus::SUCCESS, Vec::new());
        }
        24 | 25 => match signaling() {
            Some(own) => drop(own.at().activate(params())),
            None => drop(R::activate(manager()?.at(), params())),
        },
        26 => match signaling() {
            Some(own) => drop(own.at().deactivate()),
            None => drop(R::deactivate(manager()?.at())),
        },
        27..=30 => {
            let (client, signaling) = (client(), signaling());
            if client.is_none() && signaling.is_none() {
                return None;
            }
            let chain = bench.chain();
            bench.reached(|reached| reached.nbls_sent += chain.len() as u64);
            match (client, signaling) {
                (Some(client), _) => client.at().send(chain),
                (None, Some(own)) => own.at().send(chain),
                (None, None) => {}
            }
        }
        31 | 32 => {
            let how = bench.octet();
            let mut sends = taken(&mut bench.lock().sends, how)?;
            match how / 64 {
                0 => sends.complete(NdisStatus::SUCCESS),
                1 => sends.complete(REFUSAL),
                2 => {
                    let front = sends.split_front(1);
                    bench.lock().sends.push(sends);
                    front.complete(NdisStatus::SUCCESS);
                }
                _ => drop(sends),
            }
        }
        33..=35 => {
            let lower = lower()?;
            let mut chain = bench.chain();
            if bench.octet() < 0x40 {
                let lent = chain.len();
                R::indicate_lent(&lower, &mut chain);
                assert_eq!(chain.len(), lent, "lent NBLs are the miniport's again (DP-149)");
            } else {
                bench.reached(|reached| reached.nbls_indicated += chain.len() as u64);
                R::indicate(&lower, chain);
            }
        }
        36 | 37 => {
            let how = bench.octet();
            let mut kept = taken(&mut bench.lock().kept, how)?;
            match how / 64 {
                0 | 1 => kept.give_back(),
                2 => {
                    let front = kept.split_front(1);
                    bench.lock().kept.push(kept);
                    front.give_back();
                }
                _ => drop(kept),
            }
        }
        38..=43 => {
            let how = bench.octet();
            let owed = taken(&mut bench.lock().owed, how)?;
            owed(match how / 32 {
                0..=5 => End::Complete(true),
                6 => End::Complete(false),
                _ => End::Lose,
            });
        }
        44 | 45 => delete(bench, slot),
        46 => retire(bench, slot),
        47 => {
            let owners = bench.slot(slot, |s| {
                (s.owned_by_client.take(), s.owned_by_manager.take(), s.owned_signaling.take())
            });
            drop(owners);
        }
        48 => {
            let status = StatusIndication::new(NdisStatus::LINK_STATE, [1]);
            match lower() {
                Some(lower) if bench.octet() < 0x80 => R::indicate_status(&lower, status),
                Some(_) | None => {
                    let adapter = bench.lock().adapter.clone()?;
                    adapter.at().indicate_status(status);
                }
            }
        }
        49 => {
            let binding = bench.lock().client_binding.clone()?;
            let (request, client) = (request(bench), client());
            let outcome = binding.at().oid_request(client.as_ref().map(|vc| vc.at()), request);
            bench.reached(|reached| reached.oids_answered += u64::from(!outcome.is_pending()));
        }
        50 => {
            let which = bench.octet();
            let about = client().map_or(About::Af, |vc| About::Vc(vc.id()));
            if which < 0x80 {
                let af = one_of(&bench.lock().client_afs, which).cloned()?;
                let _ = af.at().oid_request(about, request(bench));
            } else {
                let af = one_of(&bench.lock().manager_afs, which).cloned()?;
                let _ = af.at().oid_request(about, request(bench));
            }
        }
        51 => {
            let binding = bench.lock().manager_binding.clone()?;
            let none: Option<Vc<'_, CallManager>> = None;
            let _ = binding.at().oid_request(none, request(bench));
        }
        52 => {
            let binding = bench.lock().client_binding.clone()?;
            if bench.lock().client_afs.len() < OPENS_MAX {
                let object = Box::new(ClientAfEnd(bench.clone()));
                let opened = binding.at().open_address_family(AddressFamily::Q2931, object);
                if let Outcome::Done(Ok(af)) = opened {
                    bench.lock().client_afs.push(af);
                }
            }
        }
        53 => {
            let which = bench.octet();
            let af = one_of(&bench.lock().client_afs, which).cloned()?;
            let _ = af.at().close();
        }
        54 => {
            let which = bench.octet();
            let af = one_of(&bench.lock().client_afs, which).cloned()?;
            if bench.lock().client_saps.len() < OPENS_MAX {
                register_sap(bench, af.at());
            }
        }
        55 => {
            let which = bench.octet();
            let sap = one_of(&bench.lock().client_saps, which).cloned()?;
            let _ = sap.at().deregister();
        }
        56 => {
            let which = bench.octet();
            let af = one_of(&bench.lock().manager_afs, which).cloned()?;
            let _ = af.at().notify_close();
        }
        57 => {
            let binding = bench.lock().client_binding.clone()?;
            let which = bench.octet();
            let id = CancelId(std::num::NonZeroU64::new(u64::from(1 + which % 3))?);
            if which < 0x80 {
                binding.at().cancel_sends(id);
            } else {
                binding.at().cancel_oid_request(u64::from(which % 4));
            }
        }
        58 => R::register_family(bench, AddressFamily::Q2931),
        59 | 60 => control(bench)?,
        61 => {
            let mut id = [0; 16];
            let vc = client()?;
            let len = vc.at().tapi_call_id(&mut id[..usize::from(bench.octet() % 17)]).ok()?;
            let af = one_of(&bench.lock().client_afs, 0).cloned()?;
            let _ = af.at().vc_from_tapi_call_id(&id[..len]);
        }
        _ => {
            let (vcs, binding) = (client(), bench.lock().client_binding.clone());
            let _ = vcs.map(|vc| (vc.at().offered_on(), vc.at().statistics()));
            let _ = binding.map(|binding| binding.at().state());
        }
    }
    Some(())
}

/// What who runs the node does with the adapter.
fn control<R: World>(bench: &Arc<Bench<R>>) -> Option<()> {
    let control = bench.lock().control.clone()?;
    match bench.octet() {
        0..64 => control.pause(drop),
        64..160 => control.restart(drop),
        160..216 => control.reset(drop),
        216..232 => {
            let binding = bench.lock().client_binding.clone()?;
            binding.at().request_unbind();
        }
        232..240 => {
            let binding = bench.lock().manager_binding.clone()?;
            binding.at().request_unbind();
        }
        240..246 => control.surprise_remove(|| ()),
        246..252 => control.remove(|| ()),
        252.. => {
            bench.reached(|reached| reached.shutdowns += 1);
            control.shut_down();
        }
    }
    Some(())
}

/// Makes a slot, and the VC in it. What is made inside has its own.
fn create<R: World>(bench: &Arc<Bench<R>>, how: impl FnOnce(&Arc<Bench<R>>, usize) -> Option<()>) {
    let (slot, before) = {
        let mut state = bench.lock();
        if state.slots.len() == SLOTS_MAX {
            return;
        }
        state.slots.push(Slot::default());
        let slot = state.slots.len() - 1;
        (slot, std::mem::replace(&mut state.creating, slot))
    };
    let _ = how(bench, slot);
    bench.lock().creating = before;
}

fn create_by_client<R: World>(bench: &Arc<Bench<R>>, slot: usize) -> Option<()> {
    let which = bench.octet();
    let af = one_of(&bench.lock().client_afs, which).cloned()?;
    let owned = af.at().create_vc(Box::new(ClientEnd(bench.clone(), slot))).ok()?;
    bench.slot(slot, |s| (s.client, s.owned_by_client) = (Some(owned.keep()), Some(owned)))
}

fn create_by_manager<R: World>(bench: &Arc<Bench<R>>, slot: usize) -> Option<()> {
    let which = bench.octet();
    let af = one_of(&bench.lock().manager_afs, which).cloned()?;
    let owned = R::create(af.at(), bench, slot).ok()?;
    bench.slot(slot, |s| (s.manager, s.owned_by_manager) = (Some(owned.keep()), Some(owned)))
}

pub(super) fn register_sap<R: World>(bench: &Arc<Bench<R>>, af: Af<'_, Client>) {
    let registered = af.register_sap(Sap::new(0, b"here"), Box::new(ClientSapEnd(bench.clone())));
    if let Outcome::Done(Ok(sap)) = registered {
        bench.lock().client_saps.push(sap);
    }
}

/// Deletes a VC by its owner, who has it back if that is refused.
fn delete<R: World>(bench: &Arc<Bench<R>>, slot: usize) {
    macro_rules! by {
        ($owner:ident) => {
            let owned = bench.slot(slot, |s| s.$owner.take()).flatten();
            if let Some(Err((_, owned))) = owned.map(|owned| owned.delete()) {
                bench.slot(slot, |s| s.$owner = Some(owned));
            }
        };
    }
    by!(owned_by_client);
    by!(owned_by_manager);
    by!(owned_signaling);
}

fn retire<R: World>(bench: &Arc<Bench<R>>, slot: usize) {
    macro_rules! by {
        ($owner:ident) => {
            let owned = bench.slot(slot, |s| s.$owner.take()).flatten();
            if let Some(owned) = owned {
                owned.retire();
            }
        };
    }
    by!(owned_by_client);
    by!(owned_by_manager);
    by!(owned_signaling);
}

/// A client and its (M)CM let go of whatever they have, as far as it can be had in one go.
pub(super) fn give_up<R: World>(bench: &Arc<Bench<R>>) {
    let slots = bench.lock().slots.len();
    for slot in 0..slots {
        let parties = bench.slot(slot, |s| s.client_parties.clone()).unwrap_or_default();
        for party in parties {
            let _ = party.at().drop_party(Vec::new());
        }
        if let Some(client) = bench.slot(slot, |s| s.client.clone()).flatten() {
            let _ = client.at().close_call(Vec::new());
        }
        if let Some(own) = bench.slot(slot, |s| s.signaling.clone()).flatten() {
            let _ = own.at().deactivate();
        }
        // A VC without a call, or one that its client has closed, is the manager's to deactivate.
        if let Some(manager) = bench.slot(slot, |s| s.manager.clone()).flatten()
            && matches!(manager.at().call(), Call::None | Call::Closing(_))
        {
            let _ = R::deactivate(manager.at());
        }
        retire(bench, slot);
    }
    let saps = std::mem::take(&mut bench.lock().client_saps);
    let afs = bench.lock().client_afs.clone();
    for sap in saps {
        let _ = sap.at().deregister();
    }
    for af in afs {
        let _ = af.at().close();
    }
}

fn request<R: World>(bench: &Bench<R>) -> OidRequest {
    let what = bench.octet();
    let oid = condis::oid::code::GEN_CURRENT_PACKET_FILTER + u32::from(what % 4);
    let mut request = match what {
        0..128 => OidRequest::query(oid, usize::from(what % 12)),
        128.. => OidRequest::set(oid, vec![what; usize::from(what % 12)]),
    };
    request.request_id = u64::from(what % 4);
    request
}

fn one_of<T>(from: &[T], which: u8) -> Option<&T> {
    from.get(usize::from(which).checked_rem(from.len())?)
}

fn taken<T>(from: &mut Vec<T>, which: u8) -> Option<T> {
    let at = usize::from(which).checked_rem(from.len())?;
    Some(from.swap_remove(at))
}
