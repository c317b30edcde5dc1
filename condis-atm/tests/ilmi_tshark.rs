//! Aim: what our entities say is SNMP to others, and says to them what it says to us. Method: the whole conversation of two
//! entities in a capture file with link type SUNATM, read by tshark; skipped where there is none.

use std::process::Command;
use std::time::Duration;

use condis::runtime::Time;
use condis_atm::addr::Esi;
use condis_atm::ilmi::{IlmiConfig, IlmiOutput, Ime};

/// A pcap file, most significant octet first, of SDUs on VC 0/16 (draft-ietf-opsawg-pcap).
fn pcap(sdus: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 123] {
        file.extend(word.to_be_bytes());
    }
    for (second, sdu) in sdus.iter().enumerate() {
        let octets = sdu.len() as u32 + 4;
        for word in [second as u32, 0, octets, octets] {
            file.extend(word.to_be_bytes());
        }
        file.extend([5, 0, 0, 16]);
        file.extend(sdu);
    }
    file
}

/// All that two entities say until both have said everything.
fn conversation() -> Vec<Vec<u8>> {
    let user = IlmiConfig::user([Esi([0, 0x20, 0x48, 0x0b, 0, 2])]);
    let network = IlmiConfig::network([[0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1]]);
    let mut sides = [user, network].map(Ime::new);
    let now = Time::ZERO.after(Duration::from_secs(1));
    sides.iter_mut().for_each(|side| side.handle_link(now, true));
    let mut said = Vec::new();
    while let Some((from, output)) =
        (0..2).find_map(|side| sides[side].poll_output().map(|output| (side, output)))
    {
        if let IlmiOutput::Transmit(octets) = output {
            sides[1 - from].handle_sdu(now, &octets);
            said.push(octets);
        }
    }
    assert_eq!(sides.each_ref().map(|side| side.addresses().len()), [1, 1]);
    said
}

#[test]
fn tshark_reads_the_conversation() {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("SKIPPED tshark_reads_the_conversation: needs tshark");
        return;
    }
    let said = conversation();
    let path = std::env::temp_dir().join(format!("condis-ilmi-{}.pcap", std::process::id()));
    std::fs::write(&path, pcap(&said)).unwrap();
    let fields =
        ["snmp.version", "snmp.community", "snmp.data", "snmp.error_status", "snmp.name", "_ws.malformed"];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-r"]).arg(&path);
    let output = tshark.args(fields.iter().flat_map(|field| ["-e", field])).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), said.len());
    for line in &lines {
        assert_eq!((line[0], line[1], line[5]), ("0", "ILMI", ""), "{line:?}");
    }
    let kinds = |kind: &str| lines.iter().filter(|line| line[2] == kind).count();
    // get-request, get-response, set-request, trap.
    assert_eq!((kinds("0"), kinds("2"), kinds("3")), (kinds("2") - 2, kinds("0") + 2, 2), "{text}");
    assert!(kinds("4") >= 1, "{text}");
    let set = |name: &str| lines.iter().any(|line| line[2] == "3" && line[4] == name);
    assert!(set("1.3.6.1.4.1.353.2.7.1.1.3.0.13.71.0.5.128.255.225.0.0.0.242.26.0.1"), "{text}");
    let address = "1.3.6.1.4.1.353.2.6.1.1.3.0.20.71.0.5.128.255.225.0.0.0.242.26.0.1.0.32.72.11.0.2.0";
    assert!(set(address), "{text}");
}
