//! What the threads of the stress test do, a step at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use condis::params::CallParams;
use condis::role::Client;
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{Outcome, Refused};
use condis::vc::Vc;

use super::drivers::{ClientEnd, DROPPING, World, answered, made, made_with};
use super::line::{Act, Line, Seat, Yard, lock};

/// A client that makes VCs, dials, sends, gives back, closes and deletes.
pub fn client_step<R: World>(line: &Arc<Line<R>>, what: u64) {
    let vc = lock(&line.client).clone();
    let Some(vc) = vc else { return };
    match what % 10 {
        0 if line.by_client && line.may_dial.swap(false, SeqCst) => {
            line.heard_close.store(false, SeqCst);
            match vc.at().make_call(CallParams::default(), None) {
                Outcome::Done(result) => made(line, result.is_ok()),
                Outcome::Pending => {}
            }
        }
        1..=3 => send(line, vc.at()),
        4 | 5 => give_back(line),
        6 => {
            let offer = lock(&line.offer).take();
            if let Some((offer, params)) = offer {
                offer.complete(if line.chance(4) {
                    Err(Refused::with(NdisStatus::RESOURCES, params))
                } else {
                    Ok(params)
                });
            }
        }
        7 => client_close(line, vc.at()),
        8 if line.chance(3) => delete_by_client(line),
        _ => {}
    }
}

fn send<R: World>(line: &Line<R>, vc: Vc<'_, Client>) {
    let chain = line.yard.chain(1 + line.below(4));
    line.yard.sent.fetch_add(chain.len() as u64, SeqCst);
    vc.send(chain);
}

pub fn give_back<R: World>(line: &Line<R>) {
    let kept = lock(&line.kept).pop();
    if let Some(kept) = kept {
        line.kept_above.fetch_sub(kept.len() as i64, SeqCst);
        kept.give_back();
    }
}

pub fn client_close<R: World>(line: &Line<R>, vc: Vc<'_, Client>) {
    if line.by_client && !line.gives_up() && !line.up.load(SeqCst) {
        return;
    }
    // What is refused here is closed already, or tried again.
    if let Outcome::Done(Ok(())) = vc.close_call(Vec::new()) {
        if line.by_client {
            line.closed();
        }
        line.heard_close.store(false, SeqCst);
        line.up.store(false, SeqCst);
        line.may_dial.store(!line.gives_up(), SeqCst);
    }
}

pub fn delete_by_client<R: World>(line: &Line<R>) {
    let owned = lock(&line.owned_by_client).take();
    if let Some(owned) = owned {
        match owned.delete() {
            Ok(()) => {
                line.gone(Seat::Client);
                *lock(&line.client) = None;
                line.yard.deleted.fetch_add(1, SeqCst);
            }
            Err((_, owned)) => *lock(&line.owned_by_client) = Some(owned),
        }
    }
}

pub fn delete_by_manager<R: World>(line: &Line<R>) {
    let owned = lock(&line.owned_by_manager).take();
    if let Some(owned) = owned {
        match owned.delete() {
            Ok(()) => {
                line.gone(Seat::Manager);
                *lock(&line.manager) = None;
                if R::MCM {
                    *lock(&line.lower) = None;
                }
                line.yard.deleted.fetch_add(1, SeqCst);
            }
            Err((_, owned)) => *lock(&line.owned_by_manager) = Some(owned),
        }
    }
}

/// What the manager does next.
enum Next<R: World> {
    FailMake(condis::token::Pended<condis::token::MakeCall>, CallParams),
    EndMake(condis::token::Pended<condis::token::MakeCall>, CallParams),
    EndClose(condis::token::Pended<condis::token::CloseCall>),
    Activate,
    Deactivate,
    Connected,
    RemoteClose,
    /// With the closes that there were before.
    Offer(condis::sap::HeldSap<R>, u32),
    Delete,
    Nothing,
}

/// The (M)CM moves one VC on. Threads that find another at it leave it alone.
pub fn manager_step<R: World>(line: &Line<R>) {
    let vc = lock(&line.manager).clone();
    let Some(vc) = vc else { return };
    if line.manager_busy.swap(true, SeqCst) {
        return;
    }
    let next = decide(line);
    // Whoever comes meanwhile, an upcall inside this call too, may go on: the state says what is under way.
    line.manager_busy.store(false, SeqCst);
    match next {
        Next::FailMake(make, params) => {
            make.complete(Err(Refused::with(NdisStatus::DEST_OUT_OF_ORDER, params)));
        }
        Next::EndMake(make, params) => make.complete(Ok(made_with(params))),
        Next::EndClose(close) => close.complete(Ok(())),
        Next::Activate => {
            if R::MCM {
                line.active.store(true, SeqCst);
            }
            match R::activate(vc.at(), CallParams::default()) {
                Outcome::Done(result) => {
                    let act = if result.is_ok() { Act::Yes } else { Act::No };
                    lock(&line.state).act = act;
                    if R::MCM && act == Act::No {
                        line.active.store(false, SeqCst);
                    }
                }
                Outcome::Pending => {}
            }
        }
        Next::Deactivate => {
            if R::MCM {
                line.active.store(false, SeqCst);
            }
            if let Outcome::Done(_) = R::deactivate(vc.at()) {
                lock(&line.state).act = Act::No;
            }
        }
        Next::Connected => vc.at().dispatch_call_connected(),
        Next::RemoteClose => vc.at().dispatch_incoming_close_call(NdisStatus::SUCCESS, Vec::new()),
        Next::Offer(sap, closes) => match vc.at().dispatch_incoming_call(&sap, CallParams::default()) {
            // The call may be over already, and the next one offered, when this returns.
            Outcome::Done(Ok(_)) if lock(&line.state).closes != closes => {}
            Outcome::Done(Ok(_)) => answered(line, true),
            Outcome::Done(Err(_)) => answered(line, false),
            Outcome::Pending => {}
        },
        Next::Delete => delete_by_manager(line),
        Next::Nothing => {}
    }
}

fn decide<R: World>(line: &Line<R>) -> Next<R> {
    let stopping = line.yard.stop.load(SeqCst);
    let sap = lock(&line.yard.handles).manager_sap.clone();
    let mut state = lock(&line.state);
    let over = line.calls.load(SeqCst) == 0;
    if state.winding {
        if let Some((make, params)) = state.make.take() {
            return Next::FailMake(make, params);
        }
        // Both orders of the close's end and the deactivation are lawful.
        let close_first = state.close.is_some() && state.act != Act::Asked && line.chance(3);
        if state.act == Act::Yes && !close_first {
            state.act = Act::Ending;
            return Next::Deactivate;
        }
        if (state.act == Act::No || close_first)
            && let Some(close) = state.close.take()
        {
            line.call_ends();
            state.winding = state.act != Act::No;
            return Next::EndClose(close);
        }
        if state.act == Act::No && state.close.is_none() {
            state.winding = false;
        }
        return Next::Nothing;
    }
    if state.make.is_some() {
        match state.act {
            Act::No if stopping || line.chance(4) => {
                line.call_ends();
                let (make, params) = state.make.take().expect("just seen");
                return Next::FailMake(make, params);
            }
            Act::No => {
                state.act = Act::Asked;
                return Next::Activate;
            }
            Act::Yes => {
                let (make, params) = state.make.take().expect("just seen");
                state.up = true;
                return Next::EndMake(make, params);
            }
            Act::Asked | Act::Ending => return Next::Nothing,
        }
    }
    if state.accepted {
        match state.act {
            Act::No => {
                state.act = Act::Asked;
                return Next::Activate;
            }
            Act::Yes => {
                (state.accepted, state.up) = (false, true);
                return Next::Connected;
            }
            Act::Asked | Act::Ending => return Next::Nothing,
        }
    }
    if over && state.act == Act::Yes {
        state.act = Act::Ending;
        return Next::Deactivate;
    }
    if over && !line.by_client && state.act == Act::No {
        if stopping || line.chance(6) {
            return Next::Delete;
        }
        if let Some(sap) = sap {
            line.call_begins();
            return Next::Offer(sap, state.closes);
        }
    }
    if !over && (stopping || line.chance(4)) {
        return Next::RemoteClose;
    }
    Next::Nothing
}

/// What drives the adapter completes, and indicates.
pub fn lower_step<R: World>(line: &Line<R>, what: u64) {
    match what % 6 {
        0 | 1 => complete_sends(line),
        2 | 3 => {
            let vc = lock(&line.lower).clone();
            if let Some(vc) = vc {
                let chain = line.yard.chain(1 + line.below(3));
                line.yard.indicated.fetch_add(chain.len() as u64, SeqCst);
                R::indicate(&vc, chain);
            }
        }
        _ => end_activations(line),
    }
}

pub fn complete_sends<R: World>(line: &Line<R>) {
    let sends = lock(&line.sends).pop();
    if let Some(sends) = sends {
        line.sends_below.fetch_sub(sends.len() as i64, SeqCst);
        if line.chance(8) {
            // Let go of, not completed: it comes back as failed, and not from inside the drop.
            DROPPING.set(true);
            drop(sends);
            DROPPING.set(false);
        } else {
            sends.complete(NdisStatus::SUCCESS);
        }
    }
}

pub fn end_activations<R: World>(line: &Line<R>) {
    let activation = lock(&line.activation).take();
    if let Some((activation, params)) = activation {
        if line.chance(6) {
            activation.complete(Err(Refused::with(NdisStatus::RESOURCES, params)));
        } else {
            line.active.store(true, SeqCst);
            activation.complete(Ok(params));
        }
    }
    let deactivation = lock(&line.deactivation).take();
    if let Some(deactivation) = deactivation {
        // The miniport's part of the drain (DP-103).
        while !lock(&line.sends).is_empty() {
            complete_sends(line);
        }
        line.active.store(false, SeqCst);
        deactivation.complete(Ok(()));
    }
}

/// What drives the adapter tells the protocols something.
pub fn indicate_status<R: World>(yard: &Yard<R>) {
    let adapter = lock(&yard.handles).adapter.clone();
    if let Some(adapter) = adapter {
        yard.told.fetch_add(1, SeqCst);
        adapter.at().indicate_status(StatusIndication::new(NdisStatus::LINK_STATE, []));
    }
}

/// A new VC of the client, or of the manager for the client.
pub fn create<R: World>(yard: &Arc<Yard<R>>, by_client: bool) {
    let (client_af, manager_af) = {
        let handles = lock(&yard.handles);
        (handles.client_af.clone(), handles.manager_af.clone())
    };
    let line = yard.line(by_client);
    // The create callbacks of the peers find their line here; nothing else is done under this lock.
    let turn = super::CREATING.lock().expect("no creation panics");
    *lock(&yard.creating) = Some(line.clone());
    let created = if by_client {
        client_af.and_then(|af| af.at().create_vc(Box::new(ClientEnd(line.clone()))).ok()).map(|vc| {
            *lock(&line.client) = Some(vc.keep());
            *lock(&line.owned_by_client) = Some(vc);
        })
    } else {
        manager_af.and_then(|af| R::create(af.at(), &line).ok()).map(|vc| {
            *lock(&line.manager) = Some(vc.keep());
            R::share(&line, vc.at());
            *lock(&line.owned_by_manager) = Some(vc);
        })
    };
    *lock(&yard.creating) = None;
    drop(turn);
    if created.is_some() {
        lock(&yard.lines).push(line);
    }
}

/// Brings everything to its end, from one thread. True once nothing is left of any VC.
pub fn wind_down<R: World>(yard: &Arc<Yard<R>>) -> bool {
    let lines = lock(&yard.lines).clone();
    let mut over = true;
    for line in &lines {
        let offer = lock(&line.offer).take();
        if let Some((offer, params)) = offer {
            offer.complete(Err(Refused::with(NdisStatus::RESOURCES, params)));
        }
        while !lock(&line.kept).is_empty() {
            give_back(line);
        }
        while !lock(&line.sends).is_empty() {
            complete_sends(line);
        }
        end_activations(line);
        let client = lock(&line.client).clone();
        if let Some(vc) = client {
            client_close(line, vc.at());
        }
        manager_step(line);
        delete_by_client(line);
        over &= lock(&line.owned_by_client).is_none() && lock(&line.owned_by_manager).is_none();
    }
    over
}
