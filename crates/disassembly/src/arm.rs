//! AArch64.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Opcode, Operand};

use super::{BAD, Instruction};
use obit_corefile::addr::Avma;

pub(super) fn disassemble(start: Avma, code: &[u8]) -> Vec<Instruction> {
    let decoder = InstDecoder::default();
    let words = code.chunks_exact(4).enumerate();
    let instructions = words.map(|(at, word)| {
        let offset = u64::try_from(at).unwrap_or(u64::MAX).wrapping_mul(4);
        let address = Avma(start.0.wrapping_add(offset));
        let decoded = decoder.decode(&mut U8Reader::new(word));
        let Ok(decoded) = decoded else {
            return Instruction { address, len: 4, text: BAD.to_owned(), target: None };
        };
        let distance = decoded.operands.iter().find_map(|operand| match operand {
            Operand::PCOffset(distance) => Some(*distance),
            _ => None,
        });
        // ADRP counts pages from its own.
        let base = match decoded.opcode {
            Opcode::ADRP => address.0 & !0xfff,
            _ => address.0,
        };
        let target = distance.map(|distance| Avma(base.wrapping_add_signed(distance)));
        Instruction { address, len: 4, text: decoded.to_string(), target }
    });
    instructions.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_calls_and_what_is_none_are_distinguished() {
        // ldr x0, [x0, #8]; bl .+0x40; all ones.
        let code = [[0x00, 0x04, 0x40, 0xf9], [0x10, 0, 0, 0x94], [0xff; 4]].concat();
        let decoded = disassemble(Avma(0x1000), &code);
        assert_eq!(decoded[0].text, "ldr x0, [x0, #0x8]");
        assert_eq!(decoded[1].target, Some(Avma(0x1044)));
        assert_eq!(decoded[2].text, "(bad)");
    }
}
