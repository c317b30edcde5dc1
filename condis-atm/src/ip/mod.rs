//! IP over ATM: how packets lie in SDUs (RFC 2684), and how they find their way (Classical IP, RFC 2225).
//!
//! | module | what |
//! |---|---|
//! | [`encap`] | LLC/SNAP and VC multiplexing |
//! | [`atmarp`] | ATMARP and InATMARP packets |
//! | [`classical`] | a member of a logical IP subnet, client or ATMARP server, without I/O |
//! | [`driver`] | the CoNDIS client around it |
//! | [`host`] | a host in memory, where there is no TUN device |
//!
//! *Left out*: bridged encapsulations, IPv6, NHRP, MARS. Packets of the public texts and of Linux are what they were compared with.

pub mod atmarp;
pub mod classical;
pub mod driver;
pub mod encap;
pub mod host;

#[cfg(test)]
mod tests {
    /// The SDUs that Linux's Classical IP exchanged on 0.32, of both directions, one direction behind the other.
    pub(super) fn captured_sdus() -> Vec<Vec<u8>> {
        let streams: [&[u8]; 2] = [
            include_bytes!("../../../tests/peers/captures/atm-clip-svc.a2b"),
            include_bytes!("../../../tests/peers/captures/atm-clip-svc.b2a"),
        ];
        let mut sdus = Vec::new();
        for mut stream in streams {
            while let Some((&[_, vpi, vci_high, vci, a, b, c, d], rest)) = stream.split_first_chunk::<8>() {
                let (sdu, behind) = rest.split_at(u32::from_be_bytes([a, b, c, d]) as usize);
                if [vpi, vci_high, vci] == [0, 0, 32] {
                    sdus.push(sdu.to_vec());
                }
                stream = behind;
            }
        }
        sdus
    }
}
