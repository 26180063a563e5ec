//! x86, 32 and 64 bits.

use std::collections::VecDeque;

use iced_x86::{
    Decoder, DecoderOptions, Formatter, GasFormatter, IntelFormatter, OpKind, Register,
};

use super::{BAD, Flavor, Instruction, x86_text};
use obit_corefile::addr::Avma;

/// At most `most` instructions.
pub(super) fn disassemble(
    bits: u32,
    flavor: Flavor,
    start: Avma,
    code: &[u8],
    most: usize,
) -> Vec<Instruction> {
    let mut writer = Writer { flavor, formatter: None };
    decode(bits, start, code).take(most).map(|decoded| writer.write(&decoded)).collect()
}

/// The instructions around the one at `pc`: `before` it, and at most `after` behind it that
/// `is_wanted`. Those that are not wanted are not written.
pub(super) fn around(
    bits: u32,
    flavor: Flavor,
    (start, code): (Avma, &[u8]),
    pc: Avma,
    (before, after): (usize, usize),
    is_wanted: impl Fn(Avma) -> bool,
) -> Vec<Instruction> {
    let mut ahead: VecDeque<Decoded> = VecDeque::new();
    let mut all = decode(bits, start, code);
    loop {
        let Some(decoded) = all.next() else { return Vec::new() };
        if decoded.address == pc {
            ahead.push_back(decoded);
            break;
        }
        ahead.push_back(decoded);
        if ahead.len() > before {
            ahead.pop_front();
        }
    }
    let mut writer = Writer { flavor, formatter: None };
    let shown = ahead.into_iter().chain(all.take(after));
    let shown = shown.take_while(|decoded| is_wanted(decoded.address));
    shown.map(|decoded| writer.write(&decoded)).collect()
}

/// What lies at an address.
struct Decoded {
    address: Avma,
    /// `None` where no instruction begins.
    instruction: Option<iced_x86::Instruction>,
}

/// The instructions of `code` up to the last one that is whole.
fn decode(bits: u32, start: Avma, code: &[u8]) -> impl Iterator<Item = Decoded> {
    let mut decoder = Decoder::with_ip(bits, code, start.0, DecoderOptions::NONE);
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over || !decoder.can_decode() {
            return None;
        }
        let decoded = decoder.decode();
        if decoder.last_error() == iced_x86::DecoderError::NoMoreBytes {
            return None;
        }
        let address = Avma(decoded.ip());
        if !decoded.is_invalid() {
            return Some(Decoded { address, instruction: Some(decoded) });
        }
        // As objdump does: the next byte may begin one.
        let next = usize::try_from(address.0.wrapping_sub(start.0)).ok();
        let next = next.and_then(|at| at.checked_add(1));
        is_over = next.is_none_or(|next| decoder.set_position(next).is_err());
        decoder.set_ip(address.0.wrapping_add(1));
        Some(Decoded { address, instruction: None })
    })
}

/// Writes instructions.
struct Writer {
    flavor: Flavor,
    /// Its tables take longer to build than a small core to read.
    formatter: Option<Box<dyn Formatter>>,
}

impl Writer {
    fn write(&mut self, decoded: &Decoded) -> Instruction {
        let address = decoded.address;
        let Some(instruction) = &decoded.instruction else {
            return Instruction { address, len: 1, text: BAD.to_owned(), target: None };
        };
        let plain = (self.flavor == Flavor::Att).then(|| x86_text::att(instruction)).flatten();
        let text = plain.unwrap_or_else(|| {
            let mut text = String::new();
            let formatter = self.formatter.get_or_insert_with(|| formatter(self.flavor));
            formatter.format(instruction, &mut text);
            text
        });
        Instruction { address, len: instruction.len(), text, target: target(instruction) }
    }
}

fn formatter(flavor: Flavor) -> Box<dyn Formatter> {
    let mut formatter: Box<dyn Formatter> = match flavor {
        Flavor::Att => Box::new(GasFormatter::new()),
        Flavor::Intel => Box::new(IntelFormatter::new()),
    };
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_branch_leading_zeros(false);
    options.set_space_after_operand_separator(false);
    options.set_show_branch_size(false);
    options.set_rip_relative_addresses(true);
    options.set_first_operand_char_index(x86_text::OPERANDS);
    formatter
}

fn target(decoded: &iced_x86::Instruction) -> Option<Avma> {
    let is_branch = matches!(
        decoded.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    );
    if is_branch {
        return Some(Avma(decoded.near_branch_target()));
    }
    let is_relative = matches!(decoded.memory_base(), Register::RIP | Register::EIP);
    is_relative.then(|| Avma(decoded.ip_rel_memory_address()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// How many instructions of `code` the short way writes; what it writes in another way
    /// than the formatter goes to `wrong`, by the instruction's form.
    fn plain(bits: u32, code: &[u8], wrong: &mut BTreeMap<String, (String, String)>) -> usize {
        let mut formatter = formatter(Flavor::Att);
        let decoder = Decoder::with_ip(bits, code, 0x40_1000, DecoderOptions::NONE);
        let mut plain = 0;
        for decoded in decoder.into_iter().filter(|decoded| !decoded.is_invalid()) {
            let Some(text) = x86_text::att(&decoded) else { continue };
            let mut expected = String::new();
            formatter.format(&decoded, &mut expected);
            plain += 1;
            if text != expected {
                wrong.insert(format!("{:?}", decoded.code()), (text, expected));
            }
        }
        plain
    }

    #[test]
    fn the_short_way_writes_what_the_formatter_does() {
        // All opcodes of one and two bytes, with and without prefixes, with all sorts of
        // operands behind them.
        let prefixes: [&[u8]; 7] =
            [&[], &[0x66], &[0xf3], &[0xf2], &[0x48], &[0x66, 0x4d], &[0x67]];
        let operands = [
            [0x00, 0x80],
            [0x08, 0x02],
            [0x45, 0xf8],
            [0x4c, 0x24],
            [0x05, 0x10],
            [0x84, 0xcb],
            [0x04, 0x8d],
            [0xc0, 0x7f],
            [0x04, 0x25],
            [0xc8, 0x7f],
            [0xf7, 0xff],
            [0x18, 0x41],
            [0x10, 0x64],
            [0x20, 0x01],
            [0x30, 0x01],
            [0x38, 0x01],
            [0x93, 0x00],
            [0xe0, 0x00],
            [0xd0, 0x90],
        ];
        let (mut all, mut wrong) = (0, BTreeMap::new());
        for bits in [32, 64] {
            for (prefix, operand) in
                prefixes.iter().flat_map(|prefix| operands.map(|operand| (prefix, operand)))
            {
                for opcode in 0..512_usize {
                    let mut code = prefix.to_vec();
                    code.extend((opcode >= 256).then_some(0x0f));
                    code.push(u8::try_from(opcode & 0xff).unwrap());
                    code.extend(operand);
                    code.extend([0x28, 0, 0, 0xff, 1, 2, 3, 4]);
                    all += plain(bits, &code, &mut wrong);
                }
            }
        }
        // Those of vectors with a VEX prefix, which says what would be a prefix and 0x0f.
        for (opcode, operand) in (0..=255_u8).flat_map(|it| operands.map(|other| (it, other))) {
            for prefix in [[0xc5, 0xf8], [0xc5, 0xf9], [0xc5, 0xea], [0xc5, 0xfb], [0xc5, 0x6d]] {
                let code = [&prefix[..], &[opcode], &operand, &[0x28, 0, 0, 0xff, 1, 2]].concat();
                all += plain(64, &code, &mut wrong);
            }
        }
        assert_eq!(wrong, BTreeMap::new());
        assert!(all > 20_000, "{all}");
    }

    fn lines(bits: u32, flavor: Flavor, code: &[u8]) -> Vec<String> {
        let decoded = disassemble(bits, flavor, Avma(0x1000), code, usize::MAX);
        decoded.into_iter().map(|instruction| instruction.text).collect()
    }

    const LOAD: [u8; 4] = [0x48, 0x8b, 0x58, 0x08];

    #[test]
    fn both_ways_of_writing_are_known() {
        assert_eq!(lines(64, Flavor::Att, &LOAD), ["mov    0x8(%rax),%rbx"]);
        assert_eq!(lines(64, Flavor::Intel, &LOAD), ["mov    rbx,[rax+0x8]"]);
        // `dec %eax` before it.
        assert_eq!(lines(32, Flavor::Att, &LOAD), ["dec    %eax", "mov    0x8(%eax),%ebx"]);
    }

    #[test]
    fn calls_and_relative_addresses_have_a_target() {
        let call = disassemble(64, Flavor::Att, Avma(0x1000), &[0xe8, 0xfb, 0, 0, 0], usize::MAX);
        assert_eq!((call[0].text.as_str(), call[0].target), ("call   0x1100", Some(Avma(0x1100))));
        let load = [0x8b, 0x05, 0x10, 0, 0, 0];
        let load = disassemble(64, Flavor::Att, Avma(0x1000), &load, usize::MAX);
        assert_eq!(load[0].text, "mov    0x10(%rip),%eax");
        assert_eq!(load[0].target, Some(Avma(0x1016)));
    }

    #[test]
    fn what_is_no_instruction_is_said_and_what_is_cut_off_is_left_out() {
        assert_eq!(lines(64, Flavor::Att, &[0x06, 0x90]), ["(bad)", "nop"]);
        assert_eq!(lines(64, Flavor::Att, &[0x90, 0x48, 0x8b]), ["nop"]);
    }
}
