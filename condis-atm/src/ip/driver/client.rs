use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, ClientAf, ClientBinding, ClientSap, ClientVc, Protocol};
use condis::nbl::{Pool, PoolConfig};
use condis::oid::{About, OidAnswer, OidRequest, code};
use condis::params::AddressFamily;
use condis::role::Client;
use condis::runtime::{Lane, OnTimer, Runtime, Time, TimerId};
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, NotifyCloseAf, Oid, Outcome, Pended, RestartBinding, Token, Unbind};
use condis::trace::VcId;
use condis_link::ip::{IpPort, IpPortUser};

use super::call::{CallObject, IpCall};
use crate::VpVc;
use crate::addr::AtmAddress;
use crate::driver::{
    Aal, AtmFlow, AtmPvc, AtmSap, Field, Layer2, SapAddress, addresses_of, get_addresses_request,
};
use crate::ip::classical::{LisConfig, LisCounters, LisMember, LisOutput, LisVc, Server, same_station};
use crate::ip::encap::Encapsulation;
use crate::traffic::Contract;

/// What an IP client is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IpClientConfig {
    /// The adapter that it uses, and no other.
    pub adapter: String,
    /// Its place in the subnet.
    pub lis: LisConfig,
    /// Its permanent connections.
    pub pvcs: Vec<IpPvc>,
}

/// A permanent connection of an IP client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IpPvc {
    /// Its numbers.
    pub vpvc: VpVc,
    /// How packets lie in its SDUs.
    pub encapsulation: Encapsulation,
    /// Who is at the far end; `None`: it is asked (LLC/SNAP alone).
    pub ip: Option<Ipv4Addr>,
}

impl IpClientConfig {
    pub(super) fn sdu_octets_max(&self) -> u32 {
        let octets = Encapsulation::LlcSnap.sdu_octets_max(self.lis.mtu_octets);
        u32::try_from(octets.min(SDU_OCTETS_MAX)).expect("AAL5 allows 65,535")
    }
}

impl IpPvc {
    pub(super) fn to_atm(&self, config: &IpClientConfig) -> AtmPvc {
        let flow = AtmFlow { contract: Contract::UBR, sdu_octets_max: config.sdu_octets_max() };
        AtmPvc { called: None, calling: None, vpvc: self.vpvc, aal: Aal::Aal5, forward: flow, backward: flow }
    }
}

/// An IP client. A clone is the same client.
#[derive(Clone)]
pub struct IpClient(Arc<Shared>);

pub(super) struct Shared {
    me: Weak<Shared>,
    pub(super) config: IpClientConfig,
    port: Arc<dyn IpPort>,
    pub(super) pool: Pool,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    /// No driver, no NDIS and no host is called under this lock.
    mine: Mutex<Mine>,
    on_change: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

struct Mine {
    member: LisMember,
    /// An output of the member is being carried out; inputs make more, and they wait for it.
    busy: bool,
    armed: Option<(Time, TimerId)>,
    af: AfStage,
    sap: SapStage,
    /// The calls that are not over.
    calls: BTreeMap<u64, Arc<IpCall>>,
    by_lis: BTreeMap<LisVc, Arc<IpCall>>,
    last_number: u64,
    running: bool,
    /// The network knows our address: others can call us.
    addressed: bool,
    stopping: bool,
    /// As it was last told to who watches.
    was_ready: (bool, bool),
    /// Whoever has the client wants no more of it.
    for_good: bool,
    problems: VecDeque<String>,
    unbinds: Vec<Pended<Unbind>>,
    notices: Vec<Pended<NotifyCloseAf>>,
}

enum AfStage {
    None,
    Opening,
    Open(HeldAf<Client>),
    Closing,
    Closed,
}

enum SapStage {
    None,
    Registering,
    Registered(HeldSap<Client>),
    Deregistering,
}

/// What is to be done next in order to stop.
enum Step {
    Close(Vec<Arc<IpCall>>),
    Deregister(HeldSap<Client>),
    CloseAf(HeldAf<Client>),
    Answer(Vec<Pended<Unbind>>, Vec<Pended<NotifyCloseAf>>),
    Wait,
}

impl IpClient {
    /// A client with a host above it. Register it with a node as a protocol.
    pub fn new(
        config: IpClientConfig,
        port: Arc<dyn IpPort>,
        runtime: Arc<dyn Runtime>,
        lane: Lane,
    ) -> IpClient {
        let pool = Pool::new(PoolConfig {
            data_size: config.sdu_octets_max() as usize,
            headroom: 16,
            tailroom: 64,
            capacity: NBLS_MAX,
            ..PoolConfig::default()
        });
        let mine = Mutex::new(Mine {
            member: LisMember::new(config.lis.clone()),
            busy: false,
            armed: None,
            af: AfStage::None,
            sap: SapStage::None,
            calls: BTreeMap::new(),
            by_lis: BTreeMap::new(),
            last_number: 0,
            running: false,
            addressed: false,
            stopping: false,
            was_ready: (false, false),
            for_good: false,
            problems: VecDeque::new(),
            unbinds: Vec::new(),
            notices: Vec::new(),
        });
        let shared = Arc::new_cyclic(|me: &Weak<Shared>| Shared {
            me: me.clone(),
            config,
            port,
            pool,
            runtime,
            lane,
            mine,
            on_change: OnceLock::new(),
        });
        let user: Weak<Shared> = shared.me.clone();
        shared.port.attach(user);
        IpClient(shared)
    }

    /// True once calls can be made and taken, permanent connections are up and, of a client with a server, once that has taken
    /// it in.
    pub fn is_ready(&self) -> bool {
        self.0.lock().readiness(&self.0.config).0
    }

    /// True while of each permanent connection it is known who is at its far end.
    pub fn is_introduced(&self) -> bool {
        self.0.lock().readiness(&self.0.config).1
    }

    /// Calls this when [`IpClient::is_ready`] or [`IpClient::is_introduced`] has changed, there is a problem, or it has stopped;
    /// under no lock, from any thread. The first one that is set stays.
    pub fn on_change(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.on_change.set(Box::new(tell));
    }

    /// What it is not ready for yet.
    pub fn waits_for(&self) -> &'static str {
        let mine = self.0.lock();
        match (&mine.af, &mine.sap) {
            (AfStage::None | AfStage::Opening, _) => "its address family is not open",
            (AfStage::Closing | AfStage::Closed, _) => "its address family is closed",
            (AfStage::Open(_), SapStage::Registered(_)) if !mine.running => "its binding does not run",
            (AfStage::Open(_), SapStage::Registered(_)) if !mine.may_call(&self.0.config) => {
                "its address is not registered"
            }
            (AfStage::Open(_), SapStage::Registered(_))
                if mine.member.permanent().0 < self.0.config.pvcs.len() =>
            {
                "a permanent connection is not up"
            }
            (AfStage::Open(_), SapStage::Registered(_)) => "the ATMARP server has not taken it in",
            (AfStage::Open(_), _) => "it takes no calls",
        }
    }

    /// What went wrong, the oldest first: 32 lines at most. They are told once.
    pub fn take_problems(&self) -> Vec<String> {
        self.0.lock().problems.drain(..).collect()
    }

    /// What was counted.
    pub fn counters(&self) -> LisCounters {
        *self.0.lock().member.counters()
    }

    /// The ATM address that an IP address is known to be at.
    pub fn resolved(&self, ip: Ipv4Addr) -> Option<AtmAddress> {
        self.0.lock().member.resolved(ip).cloned()
    }

    /// Closes everything: calls, SAP, address family. For good: an adapter or a manager that goes closes them too, but the client goes on with the
    /// next one.
    pub fn stop(&self) {
        self.0.lock().for_good = true;
        let client = self.0.clone();
        self.0.runtime.defer(self.0.lane, Box::new(move || client.stop()));
    }

    /// True once all of it is closed, or was never open.
    pub fn is_stopped(&self) -> bool {
        matches!(self.0.lock().af, AfStage::None | AfStage::Closed)
    }
}

impl fmt::Debug for IpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IP client {} on {}", self.0.config.lis.ip, self.0.config.adapter)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Mine> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strong(&self) -> Option<Arc<Shared>> {
        self.me.upgrade()
    }

    // The member: one input at a time

    /// Gives the member an input, and carries out what follows, unless somebody is at it already.
    fn input<T>(&self, input: impl FnOnce(&mut LisMember, Time) -> T) -> T {
        let now = self.runtime.now();
        let (result, was_busy) = {
            let mut mine = self.lock();
            let result = input(&mut mine.member, now);
            (result, std::mem::replace(&mut mine.busy, true))
        };
        if !was_busy {
            while let Some(output) = self.next_output() {
                self.carry_out(output);
            }
            self.tell_if_ready();
        }
        result
    }

    fn tell_if_ready(&self) {
        let changed = {
            let mut mine = self.lock();
            let ready = mine.readiness(&self.config);
            std::mem::replace(&mut mine.was_ready, ready) != ready
        };
        if changed {
            self.tell();
        }
    }

    fn tell(&self) {
        if let Some(tell) = self.on_change.get() {
            tell();
        }
    }

    fn next_output(&self) -> Option<LisOutput> {
        let mut mine = self.lock();
        let output = mine.member.poll_output();
        if output.is_none() {
            mine.busy = false;
            self.arm(&mut mine);
        }
        output
    }

    fn arm(&self, mine: &mut Mine) {
        let is_over = mine.stopping || matches!(mine.af, AfStage::Closed);
        let wanted = mine.member.next_timeout().filter(|_| !is_over);
        if mine.armed.map(|(at, _)| at) == wanted {
            return;
        }
        if let Some((_, timer)) = mine.armed.take() {
            self.runtime.cancel(self.lane, timer);
        }
        if let Some(at) = wanted {
            let me: Weak<dyn OnTimer> = self.me.clone();
            let after = at.since(self.runtime.now());
            mine.armed = Some((at, self.runtime.arm(self.lane, after, me, at.as_nanos())));
        }
    }

    fn carry_out(&self, output: LisOutput) {
        match output {
            LisOutput::Call { vc, to } => self.dial(vc, to),
            LisOutput::Close { vc } => {
                let call = self.lock().by_lis.remove(&vc);
                if let Some(call) = call {
                    call.close();
                }
            }
            LisOutput::Transmit { vc, header, packet } => {
                let call = self.lock().by_lis.get(&vc).cloned();
                if !call.is_some_and(|call| call.send(header, &packet)) {
                    self.lock().member.handle_not_sent();
                }
            }
            LisOutput::Deliver(packet) => self.port.deliver(&packet),
        }
    }

    // Calls

    fn dial(&self, lis: LisVc, to: AtmAddress) {
        let Some(client) = self.strong() else { return };
        let started = {
            let mut mine = self.lock();
            match &mine.af {
                AfStage::Open(af) if !mine.stopping => {
                    let af = af.clone();
                    let call = mine.add_call(&client, None);
                    mine.by_lis.insert(lis, call.clone());
                    Some((af, call))
                }
                _ => None,
            }
        };
        match started {
            Some((af, call)) => call.dial(af.at(), lis, to),
            None => self.input(|member, now| member.handle_closed(now, lis)),
        }
    }

    pub(super) fn connected(&self, lis: LisVc) {
        self.input(|member, now| member.handle_connected(now, lis));
    }

    /// A call that came in is up.
    pub(super) fn incoming(&self, call: &Arc<IpCall>, from: Option<AtmAddress>) {
        self.named(call, |member, now| member.handle_incoming(now, from));
    }

    /// A permanent connection is up.
    pub(super) fn permanent(&self, call: &Arc<IpCall>, pvc: &IpPvc) {
        self.named(call, |member, now| member.handle_permanent(now, pvc.encapsulation, pvc.ip));
    }

    /// The member names a connection, under which its call must be found before the first output is carried out.
    fn named(&self, call: &Arc<IpCall>, input: impl FnOnce(&mut LisMember, Time) -> LisVc) {
        {
            let mut mine = self.lock();
            let lis = input(&mut mine.member, self.runtime.now());
            call.is_named(lis);
            mine.by_lis.insert(lis, call.clone());
        }
        self.input(|_, _| ());
    }

    pub(super) fn sdu(&self, lis: LisVc, octets: &[u8]) {
        self.input(|member, now| member.handle_sdu(now, lis, octets));
    }

    pub(super) fn refused(&self, status: NdisStatus, pvc: Option<&IpPvc>) {
        match pvc {
            Some(pvc) => {
                self.problem(format!("the permanent connection {} is not to be had: {status}", pvc.vpvc))
            }
            None => self.problem(format!("a call failed: {status}")),
        }
    }

    fn problem(&self, what: String) {
        {
            let mut mine = self.lock();
            if mine.problems.len() == PROBLEMS_MAX {
                mine.problems.pop_front();
            }
            mine.problems.push_back(what);
        }
        self.tell();
    }

    /// A call is over, and its VC inactive.
    pub(super) fn over(&self, number: u64, lis: Option<LisVc>) {
        {
            let mut mine = self.lock();
            mine.calls.remove(&number);
            if let Some(lis) = lis {
                mine.by_lis.remove(&lis);
            }
        }
        if let Some(lis) = lis {
            self.input(|member, now| member.handle_closed(now, lis));
        }
        self.wind_up();
    }

    pub(super) fn takes_calls(&self) -> bool {
        !self.lock().stopping
    }

    // The address family and the SAP

    fn opened(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        if let Err(status) = result {
            self.lock().af = AfStage::Closed;
            self.problem(format!("the address family could not be opened: {status}"));
            return self.wind_up();
        }
        let stopping = {
            let mut mine = self.lock();
            mine.af = AfStage::Open(af.keep());
            if !mine.stopping {
                mine.sap = SapStage::Registering;
            }
            mine.stopping
        };
        if !stopping && let Some(client) = self.strong() {
            let sap = AtmSap {
                address: SapAddress::Is(self.config.lis.atm.clone()),
                layer2: Field::Is(Layer2::LLC),
                layer3: Field::Any,
                bhli: Field::Any,
            };
            if let Outcome::Done(result) = af.register_sap(sap.to_sap(), Box::new(TheSap(client))) {
                self.registered(result);
            }
            self.ask_addresses(af);
            self.make_permanent(af);
        }
        self.begin();
        self.wind_up();
    }

    fn registered(&self, result: Result<HeldSap<Client>, NdisStatus>) {
        match result {
            Ok(sap) => self.lock().sap = SapStage::Registered(sap),
            Err(status) => {
                self.lock().sap = SapStage::None;
                let address = &self.config.lis.atm;
                self.problem(format!("no calls to {address} can be taken: {status}"));
            }
        }
        self.begin();
        self.wind_up();
    }

    /// Adds the permanent connections to the manager, and makes a call on each.
    fn make_permanent(&self, af: Af<'_, Client>) {
        let Some(client) = self.strong() else { return };
        for pvc in &self.config.pvcs {
            let request = pvc.to_atm(&self.config).add_request();
            // An operator may have added it already: the call finds out.
            let _ = af.oid_request(About::Af, request);
            let call = self.lock().add_call(&client, Some(pvc.clone()));
            call.dial_permanent(af);
        }
    }

    /// Asks which addresses there are now, from outside of the upcall that tells of them.
    fn ask_addresses(&self, af: Af<'_, Client>) {
        let Some(client) = self.strong() else { return };
        let af = af.keep();
        let ask = move || {
            let asked = af.at().oid_request(About::Af, get_addresses_request(ADDRESSES_MAX));
            if let Outcome::Done(answer) = asked {
                client.answered(&answer);
            }
        };
        self.runtime.defer(self.lane, Box::new(ask));
    }

    fn answered(&self, answer: &OidAnswer) {
        let request = answer.request.as_ref().filter(|request| request.oid == code::CO_GET_ADDRESSES);
        let Some(addresses) = request.and_then(|request| addresses_of(request).ok()) else { return };
        let own = &self.config.lis.atm;
        self.lock().addressed = addresses.iter().any(|address| same_station(address, own));
        self.begin();
    }

    /// Calls can be made once the binding runs, calls can be taken, and the network knows where.
    fn begin(&self) {
        let ready = {
            let mine = self.lock();
            mine.running
                && !mine.stopping
                && matches!(mine.sap, SapStage::Registered(_))
                && mine.may_call(&self.config)
        };
        if ready {
            self.input(LisMember::handle_ready);
        }
        self.tell_if_ready();
    }

    // The end

    fn stop(&self) {
        {
            let mut mine = self.lock();
            mine.stopping = true;
            mine.member.handle_network_gone();
            self.arm(&mut mine);
        }
        self.wind_up();
    }

    /// Takes the next step towards the end, once it was asked for: calls, then the SAP, then the address family.
    fn wind_up(&self) {
        let step = {
            let mut mine = self.lock();
            if !mine.stopping {
                return;
            }
            mine.next_step()
        };
        match step {
            Step::Close(calls) => calls.iter().for_each(IpCall::close),
            Step::Deregister(sap) => {
                // A refusal means that it is on its way out already, and its end is told all the same.
                let _ = sap.at().deregister();
            }
            Step::CloseAf(af) => {
                if let Outcome::Done(_) = af.at().close() {
                    self.af_closed();
                }
            }
            Step::Answer(unbinds, notices) => {
                notices.into_iter().for_each(|notice| notice.complete(Ok(())));
                unbinds.into_iter().for_each(|unbind| unbind.complete(()));
            }
            Step::Wait => {}
        }
    }

    fn deregistered(&self) {
        self.lock().sap = SapStage::None;
        self.wind_up();
    }

    fn af_closed(&self) {
        {
            let mut mine = self.lock();
            (mine.af, mine.addressed) = (AfStage::Closed, false);
        }
        self.wind_up();
        self.tell();
    }
}

impl Mine {
    /// Who has a server, or is one, calls once it can be called itself: who is told its address would else call in vain.
    fn may_call(&self, config: &IpClientConfig) -> bool {
        self.addressed || config.lis.server == Server::None
    }

    /// Whether the client is ready, and whether it knows who is at its permanent connections.
    fn readiness(&self, config: &IpClientConfig) -> (bool, bool) {
        let (up, known) = self.member.permanent();
        let ready = self.running
            && matches!(self.sap, SapStage::Registered(_))
            && self.may_call(config)
            && up == config.pvcs.len()
            && self.member.is_registered();
        (ready, known == config.pvcs.len())
    }

    fn add_call(&mut self, client: &Arc<Shared>, pvc: Option<IpPvc>) -> Arc<IpCall> {
        self.last_number += 1;
        let call = IpCall::new(client, self.last_number, pvc);
        self.calls.insert(self.last_number, call.clone());
        call
    }

    fn next_step(&mut self) -> Step {
        if !self.calls.is_empty() {
            return Step::Close(self.calls.values().cloned().collect());
        }
        match std::mem::replace(&mut self.sap, SapStage::None) {
            SapStage::Registered(sap) => {
                self.sap = SapStage::Deregistering;
                return Step::Deregister(sap);
            }
            stage @ (SapStage::Registering | SapStage::Deregistering) => {
                self.sap = stage;
                return Step::Wait;
            }
            SapStage::None => {}
        }
        match std::mem::replace(&mut self.af, AfStage::Closing) {
            AfStage::Open(af) => Step::CloseAf(af),
            stage @ (AfStage::None | AfStage::Closed) => {
                self.af = stage;
                let (unbinds, notices) =
                    (std::mem::take(&mut self.unbinds), std::mem::take(&mut self.notices));
                // Who is not asked by NDIS has stopped for good, or will be asked yet.
                self.stopping &= self.for_good || unbinds.is_empty() && notices.is_empty();
                self.running &= unbinds.is_empty();
                Step::Answer(unbinds, notices)
            }
            stage @ (AfStage::Opening | AfStage::Closing) => {
                self.af = stage;
                Step::Wait
            }
        }
    }
}

impl OnTimer for Shared {
    fn on_timer(&self, token: u64) {
        {
            let mut mine = self.lock();
            if mine.armed.is_none_or(|(at, _)| at.as_nanos() != token) {
                return;
            }
            mine.armed = None;
        }
        self.input(LisMember::handle_timeout);
    }
}

impl IpPortUser for Shared {
    fn packet(&self, packet: &[u8]) {
        self.input(|member, now| member.send(now, packet.to_vec()));
    }
}

impl Protocol for IpClient {
    fn bind(&self, adapter: &AdapterInfo) -> Result<Bound, NdisStatus> {
        if adapter.name != self.0.config.adapter {
            return Err(NdisStatus::NOT_SUPPORTED);
        }
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<Client> for IpClient {
    fn restart<'a>(
        &self,
        _: Binding<'_, Client>,
        token: Token<'a, RestartBinding>,
    ) -> Answer<'a, RestartBinding> {
        self.0.lock().running = true;
        self.0.begin();
        token.done(())
    }

    fn removing(&self, _: Binding<'_, Client>) {
        self.0.stop();
    }

    fn unbind<'a>(&self, _: Binding<'_, Client>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let (unbind, answer) = token.pend();
        self.0.lock().unbinds.push(unbind);
        self.0.stop();
        answer
    }
}

impl ClientBinding for IpClient {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        {
            let mut mine = self.0.lock();
            let may_open = matches!(mine.af, AfStage::None | AfStage::Closed) && !mine.stopping;
            if family != AddressFamily::Q2931 || !may_open {
                return;
            }
            mine.af = AfStage::Opening;
        }
        match binding.open_address_family(family, Box::new(self.clone())) {
            Outcome::Done(Ok(af)) => self.0.opened(af.at(), Ok(())),
            Outcome::Done(Err(status)) => {
                self.0.lock().af = AfStage::Closed;
                self.0.problem(format!("the address family could not be opened: {status}"));
                self.0.wind_up();
            }
            Outcome::Pending => {}
        }
    }
}

impl ClientAf for IpClient {
    fn open_complete(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        self.0.opened(af, result);
    }

    fn close_complete(&self, _: Result<(), NdisStatus>) {
        self.0.af_closed();
    }

    fn notify_close<'a>(
        &self,
        _: Af<'_, Client>,
        token: Token<'a, NotifyCloseAf>,
    ) -> Answer<'a, NotifyCloseAf> {
        let (notice, answer) = token.pend();
        self.0.lock().notices.push(notice);
        self.0.stop();
        answer
    }

    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        let call = self.0.lock().add_call(&self.0, None);
        Ok(Box::new(CallObject(call)))
    }

    /// There are other addresses: they are asked for (CO-196).
    fn oid_request<'a>(
        &self,
        af: Af<'_, Client>,
        _: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let known = request.oid == code::CO_ADDRESS_CHANGE;
        if known {
            self.0.ask_addresses(af);
        }
        let status = if known { NdisStatus::SUCCESS } else { NdisStatus::NOT_SUPPORTED };
        token.done(OidAnswer::new(status, request))
    }

    fn oid_request_complete(&self, _: Af<'_, Client>, _: About, answer: OidAnswer) {
        // A permanent connection that was not added is found out by the call on it.
        self.0.answered(&answer);
    }
}

/// The SAP of the client.
struct TheSap(Arc<Shared>);

impl ClientSap for TheSap {
    fn register_complete(&self, sap: SapRef<'_, Client>, result: Result<(), NdisStatus>) {
        self.0.registered(result.map(|()| sap.keep()));
    }

    fn deregister_complete(&self, _: Result<(), NdisStatus>) {
        self.0.deregistered();
    }
}

/// Addresses of an adapter that are looked at.
const ADDRESSES_MAX: usize = 64;

/// AAL5's longest SDU.
const SDU_OCTETS_MAX: usize = 65_535;

/// SDUs that are on their way at most. 512 of 9 KiB are 4.6 MiB.
const NBLS_MAX: usize = 512;

/// Problems that are kept to be told.
const PROBLEMS_MAX: usize = 32;
