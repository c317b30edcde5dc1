//! The filter that keeps frames which are not ours from waking us.

use condis_sys::packet::Instruction;

use crate::header::EtherType;

/// EtherTypes that one link can be opened for. The filter compares one after the other, for each frame that the interface
/// sends or receives; and a BPF jump reaches 255 instructions.
pub const ETHERTYPES_LEN_MAX: usize = 32;

/// A classic BPF program that passes frames of these EtherTypes which came for this host or for all.
///
/// The kernel has taken off the outer VLAN tag before the filter runs, so what stands in the place of the EtherType is that
/// of the frame, or the inner tag of two; then the EtherType is four octets further.
///
/// # Panics
/// If there are more than [`ETHERTYPES_LEN_MAX`].
pub(super) fn program(ethertypes: &[EtherType]) -> Vec<Instruction> {
    assert!(ethertypes.len() <= ETHERTYPES_LEN_MAX, "the caller has checked how many there are");
    let len = ethertypes.len();
    let mut program = vec![
        instruction(LOAD_WORD, PACKET_TYPE),
        skip_if_equal(TO_THIS_HOST, 2, 0),
        skip_if_equal(TO_ALL, 1, 0),
        instruction(RETURN, DROP),
        instruction(LOAD_HALF, ETHERTYPE_AT),
        skip_if_equal(EtherType::C_TAG.0.into(), 0, 1),
        instruction(LOAD_HALF, ETHERTYPE_AT + TAG_OCTETS),
    ];
    // Past the comparisons that are left, and the drop behind them.
    let to_the_end = |nth: usize| (len - nth) as u8;
    program.extend(ethertypes.iter().enumerate().map(|(n, t)| skip_if_equal(t.0.into(), to_the_end(n), 0)));
    program.extend([instruction(RETURN, DROP), instruction(RETURN, PASS_WHOLE)]);
    program
}

const fn instruction(code: u16, constant: u32) -> Instruction {
    Instruction { code, skip_if_true: 0, skip_if_false: 0, constant }
}

const fn skip_if_equal(constant: u32, skip_if_true: u8, skip_if_false: u8) -> Instruction {
    Instruction { code: JUMP_EQUAL, skip_if_true, skip_if_false, constant }
}

// Source: Linux include/uapi/linux/{bpf_common,filter,if_packet}.h.
/// BPF_LD | BPF_W | BPF_ABS
const LOAD_WORD: u16 = 0x20;
/// BPF_LD | BPF_H | BPF_ABS
const LOAD_HALF: u16 = 0x28;
/// BPF_JMP | BPF_JEQ | BPF_K
const JUMP_EQUAL: u16 = 0x15;
/// BPF_RET | BPF_K
const RETURN: u16 = 0x06;
/// SKF_AD_OFF + SKF_AD_PKTTYPE: not in the frame, but how it came.
const PACKET_TYPE: u32 = (-0x1000_i32 + 4) as u32;
/// PACKET_HOST
const TO_THIS_HOST: u32 = 0;
/// PACKET_BROADCAST
const TO_ALL: u32 = 1;
const DROP: u32 = 0;
const PASS_WHOLE: u32 = 0x4_0000;

const ETHERTYPE_AT: u32 = 12;
const TAG_OCTETS: u32 = crate::header::TAG_OCTETS as u32;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as the kernel does; only with what [`program`] uses.
    fn passes(program: &[Instruction], packet_type: u32, frame: &[u8]) -> bool {
        let (mut accumulator, mut at) = (0, 0);
        loop {
            let Instruction { code, skip_if_true, skip_if_false, constant } = program[at];
            at += 1;
            match code {
                LOAD_WORD if constant == PACKET_TYPE => accumulator = packet_type,
                LOAD_HALF => match frame.get(constant as usize..).and_then(|rest| rest.first_chunk()) {
                    Some(half) => accumulator = u16::from_be_bytes(*half).into(),
                    None => return false,
                },
                JUMP_EQUAL if accumulator == constant => at += usize::from(skip_if_true),
                JUMP_EQUAL => at += usize::from(skip_if_false),
                RETURN => return constant != DROP,
                _ => panic!("instruction {code:#x} {constant:#x}"),
            }
        }
    }

    fn frame(behind_addresses: &[u8]) -> Vec<u8> {
        [&[2; 12], behind_addresses].concat()
    }

    #[test]
    fn the_ethertypes_asked_for_pass_and_no_others() {
        let all: Vec<_> = (0..ETHERTYPES_LEN_MAX as u16).map(|n| EtherType(0x8863 + n)).collect();
        for len in 0..=all.len() {
            let program = program(&all[..len]);
            for ethertype in 0x8850..0x88a0u16 {
                let asked = (0x8863..0x8863 + len as u16).contains(&ethertype);
                for tag in [&[][..], &[0x81, 0, 0, 7]] {
                    let frame = frame(&[tag, &ethertype.to_be_bytes()].concat());
                    assert_eq!(passes(&program, TO_THIS_HOST, &frame), asked, "{ethertype:#x} of {len}");
                }
            }
        }
    }

    #[test]
    fn only_frames_to_this_host_and_to_all_pass() {
        let program = program(&[EtherType::PPPOE_DISCOVERY]);
        let frame = frame(&[0x88, 0x63]);
        // PACKET_HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING, LOOPBACK of if_packet.h.
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|kind| passes(&program, kind, &frame)),
            [true, true, false, false, false, false]
        );
    }

    #[test]
    fn frames_that_end_early_do_not_pass() {
        let program = program(&[EtherType::PPPOE_DISCOVERY]);
        let whole = frame(&[0x81, 0, 0, 7, 0x88, 0x63]);
        assert!(passes(&program, TO_ALL, &whole));
        assert!((0..whole.len()).all(|octets| !passes(&program, TO_ALL, &whole[..octets])));
    }
}
