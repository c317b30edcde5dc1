//! The switch on fibres and a simulated runtime.

use std::sync::{Arc, Mutex, Weak};

use condis::runtime::{Ran, Runtime, Sim};
use condis_link::atm::{AtmLink, AtmLinkUser, Fibre, FibreConditions, FibreEnd};

use super::*;

/// A host on a fibre: the least that speaks signaling.
struct Station {
    link: Arc<FibreEnd>,
    sim: Arc<Sim>,
    state: Mutex<StationState>,
}

struct StationState {
    uni: Uni,
    reassembly: BTreeMap<VpVc, Reassembler<Vec<u8>>>,
    told: Vec<Indication>,
    received: Vec<Vec<u8>>,
}

impl Station {
    fn new(sim: &Arc<Sim>, link: Arc<FibreEnd>, seed: u64) -> Arc<Station> {
        let uni = Uni::new(UniConfig::new(Side::User, Version::Uni31), seed);
        let state = StationState { uni, reassembly: BTreeMap::new(), told: Vec::new(), received: Vec::new() };
        let station = Arc::new(Station { link, sim: sim.clone(), state: Mutex::new(state) });
        let user: Weak<Station> = Arc::downgrade(&station);
        station.link.attach(user);
        station.link_state(station.link.is_up());
        station
    }

    fn act<T>(&self, act: impl FnOnce(&mut Uni, Time) -> T) -> T {
        let now = self.sim.now();
        let mut state = self.state.lock().unwrap();
        let result = act(&mut state.uni, now);
        while let Some(output) = state.uni.poll_output() {
            match output {
                UniOutput::TransmitSignaling(sdu) => self.send(VpVc::SIGNALING, &sdu),
                UniOutput::Indication(indication) => {
                    match &indication {
                        Indication::Setup { call, .. } => {
                            state.uni.connect(now, *call, &Answer::default()).unwrap();
                        }
                        Indication::Released { call, .. } => state.uni.release_response(now, *call).unwrap(),
                        _ => {}
                    }
                    state.told.push(indication);
                }
                _ => {}
            }
        }
        result
    }

    fn send(&self, vpvc: VpVc, sdu: &[u8]) {
        let mut cells = vec![[0; 53]; cells_of(sdu.len())];
        let header = HeaderWord::new(Interface::Uni, vpvc).unwrap();
        Segmenter::new(header).segment(&[IoSlice::new(sdu)], 0, &mut cells).unwrap();
        assert_eq!(self.link.transmit_cells(&cells), cells.len());
    }

    fn told(&self) -> Vec<Indication> {
        std::mem::take(&mut self.state.lock().unwrap().told)
    }
}

impl AtmLinkUser for Station {
    fn receive_cells(&self, cells: &[Cell]) {
        let now = self.sim.now();
        let mut signaling = Vec::new();
        {
            let mut state = self.state.lock().unwrap();
            let StationState { reassembly, received, .. } = &mut *state;
            for mut run in runs(&mut HecReceiver::new(), Interface::Uni, cells) {
                let vpvc = run.vpvc();
                let reassembler =
                    reassembly.entry(vpvc).or_insert_with(|| Reassembler::new(ReassemblyConfig::default()));
                while let Some(pdu) = reassembler.next_pdu(now, &mut run, |octets| Some(vec![0; octets])) {
                    if vpvc == VpVc::SIGNALING { &mut signaling } else { &mut *received }.push(pdu.buffer);
                }
            }
        }
        for sdu in signaling {
            self.act(|uni, now| uni.handle_signaling_sdu(now, &sdu));
        }
    }

    fn receive_sdus(&self, _sdus: &[SduIn<'_>]) {}

    fn link_state(&self, up: bool) {
        self.act(|uni, now| uni.handle_link(now, up));
    }
}

struct Lab {
    sim: Arc<Sim>,
    switch: Switch,
    fibres: Vec<Fibre>,
    stations: Vec<Arc<Station>>,
    ports: Vec<PortId>,
}

impl Lab {
    fn new(stations: usize) -> Lab {
        let sim = Sim::new(5);
        let switch = Switch::new(sim.clone(), "switch", SwitchConfig::default());
        let mut lab = Lab { sim, switch, fibres: Vec::new(), stations: Vec::new(), ports: Vec::new() };
        (0..stations).for_each(|_| lab.add());
        lab
    }

    fn add(&mut self) {
        let host = self.stations.len();
        let conditions =
            FibreConditions { cells_per_s: std::num::NonZero::new(353_207), ..FibreConditions::default() };
        let (fibre, [ours, theirs]) =
            Fibre::new(self.sim.clone(), &format!("f{host}"), conditions, host as u64);
        let config = PortConfig::new(&format!("host {host}"), Version::Uni31).with_address(address(host));
        self.ports.push(self.switch.add_port(ours, config).unwrap());
        self.stations.push(Station::new(&self.sim, theirs, host as u64));
        self.fibres.push(fibre);
        self.run(200 * MS);
    }

    fn run(&self, span: Duration) {
        assert_ne!(self.sim.run_for(span), Ran::Spinning);
    }

    fn call(&self, from: usize, to: usize) -> CallId {
        let params = params(Version::Uni31, to, Contract::cbr(10_000));
        let call = self.stations[from].act(|uni, now| uni.setup(now, &params)).unwrap();
        self.run(100 * MS);
        call
    }
}

#[test]
fn calls_and_data_pass_over_fibres_and_ports_come_and_go() {
    let mut lab = Lab::new(2);
    let call = lab.call(0, 1);
    assert_eq!(names(&lab.stations[0].told()), ["Proceeding", "Connected"]);
    let vpvc = lab.stations[0].act(|uni, _| uni.connection(call)).unwrap();
    for n in 0..100u8 {
        lab.stations[0].send(vpvc, &[n; 500]);
    }
    lab.run(100 * MS);
    let received = std::mem::take(&mut lab.stations[1].state.lock().unwrap().received);
    assert_eq!(received, (0..100u8).map(|n| vec![n; 500]).collect::<Vec<_>>());
    let lines: Vec<String> = lab.switch.vcs().iter().map(ToString::to_string).collect();
    assert!(lines.contains(&"port 1 0.32 -> port 2 0.32: 1100 cells".to_owned()), "{lines:?}");
    let booked = lab.switch.ports()[0].clone();
    assert_eq!(booked.bookable_cells_per_s, Some(353_207), "the rate of the line");
    assert_eq!(booked.incoming_reserved_cells_per_s, 10_000);

    // A third port while the call stands, and a call there.
    lab.add();
    lab.call(0, 2);
    assert_eq!(lab.switch.calls().len(), 2);
    // The port of the first called goes.
    assert!(lab.switch.remove_port(lab.ports[1]));
    assert!(!lab.switch.remove_port(lab.ports[1]));
    lab.run(100 * MS);
    assert!(!lab.stations[1].link.is_up(), "its line is closed");
    assert!(names(&lab.stations[0].told()).contains(&"Released 27".to_owned()));
    assert_eq!(lab.switch.calls().len(), 1);
}

#[test]
fn a_fibre_that_is_cut_for_long_loses_its_calls() {
    let lab = Lab::new(2);
    lab.call(0, 1);
    lab.fibres[1].cut();
    lab.run(2_000 * MS);
    lab.fibres[1].mend();
    lab.run(5_000 * MS);
    assert_eq!(lab.switch.calls().len(), 1);
    lab.fibres[1].cut();
    lab.run(30_000 * MS);
    assert!(names(&lab.stations[0].told()).contains(&"Released 27".to_owned()));
    assert_eq!(lab.switch.ports()[1].to_string().split(',').next(), Some("port 2 host 1 line down"));
}

#[test]
fn a_port_sends_in_time_whatever_else_waits() {
    let mut lab = Lab::new(1);
    // 2,000 cells a second, so that a burst takes its time.
    let (fibre, [ours, theirs]) = Fibre::new(lab.sim.clone(), "slow", FibreConditions::default(), 9);
    let config = PortConfig::new("slow", Version::Uni31).with_address(address(1)).with_rate(2_000);
    lab.ports.push(lab.switch.add_port(ours, config).unwrap());
    lab.stations.push(Station::new(&lab.sim, theirs, 9));
    lab.fibres.push(fibre);
    lab.run(1_000 * MS);
    let params = params(Version::Uni31, 1, Contract::UBR);
    let call = lab.stations[0].act(|uni, now| uni.setup(now, &params)).unwrap();
    lab.run(500 * MS);
    let vpvc = lab.stations[0].act(|uni, _| uni.connection(call)).unwrap();
    (0..100).for_each(|_| lab.stations[0].send(vpvc, &[1; 400]));
    let arrived = |lab: &Lab| lab.stations[1].state.lock().unwrap().received.len();
    // 900 cells: 450 ms.
    lab.run(220 * MS);
    assert!((40..=60).contains(&arrived(&lab)), "{} of 100 after half the time", arrived(&lab));
    lab.run(240 * MS);
    assert_eq!(arrived(&lab), 100);
}

#[test]
fn after_the_end_nothing_happens() {
    let lab = Lab::new(1);
    lab.switch.shut_down();
    lab.switch.shut_down();
    assert!(!lab.stations[0].link.is_up());
    let (_fibre, [ours, _theirs]) = Fibre::new(lab.sim.clone(), "late", FibreConditions::default(), 1);
    let config = PortConfig::new("late", Version::Uni31);
    assert_eq!(lab.switch.add_port(ours.clone(), config), Err(AddPortError::ShutDown));
    assert!(ours.is_up(), "the line is left alone");
    lab.run(100_000 * MS);
    assert_eq!(
        lab.switch.restart(lab.ports[0], crate::uni::RestartClass::All),
        Err(crate::uni::RequestError::SignalingDown)
    );
}

#[test]
fn a_run_replays_from_its_seed() {
    let journal = || {
        let lab = Lab::new(3);
        lab.call(0, 1);
        lab.call(1, 2);
        lab.run(1_000 * MS);
        lab.sim.journal()
    };
    assert_eq!(journal(), journal());
}
