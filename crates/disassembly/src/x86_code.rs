//! x86 instructions without what depends on their place.

use iced_x86::{
    Code, ConstantOffsets, Decoder, DecoderError, DecoderOptions, Instruction, Mnemonic, OpKind,
    Register,
};

use super::code_word::{CodePlace, Word};
use obit_corefile::addr::Svma;

pub(super) fn words(bits: u32, start: Svma, code: &[u8], place: &CodePlace<'_>) -> Vec<Word> {
    let mut decoder = Decoder::with_ip(bits, code, start.0, DecoderOptions::NONE);
    let mut words = Vec::new();
    let mut table = TableRegisters::default();
    while decoder.can_decode() {
        let from = decoder.position();
        let decoded = decoder.decode();
        let at = from as u64;
        if decoded.is_invalid() || decoder.last_error() == DecoderError::NoMoreBytes {
            // Data; what follows is not looked into.
            let rest = code.get(from..).unwrap_or(&[]);
            // A word's length is one byte.
            words.extend(rest.chunks(255).enumerate().map(|(nth, bytes)| Word {
                at: at.saturating_add((nth as u64).saturating_mul(255)),
                bytes: bytes.to_vec(),
                target: None,
            }));
            break;
        }
        if is_padding(&decoded) {
            words.push(Word { at, bytes: Vec::new(), target: None });
            continue;
        }
        let bytes = code.get(from..decoder.position()).unwrap_or(&[]).to_vec();
        let offsets = decoder.get_constant_offsets(&decoded);
        words.push(word(at, bytes, &decoded, &offsets, place, &mut table));
    }
    words
}

/// `nop` in all its lengths, and `lea 0(%esi),%esi`, which 32-bit code is padded with.
fn is_padding(decoded: &Instruction) -> bool {
    let is_same = || {
        decoded.code() == Code::Lea_r32_m
            && decoded.op0_register() == decoded.memory_base()
            && decoded.memory_displacement64() == 0
            && matches!(decoded.memory_index(), Register::None)
    };
    decoded.mnemonic() == Mnemonic::Nop || is_same()
}

fn word(
    at: u64,
    mut bytes: Vec<u8>,
    decoded: &Instruction,
    offsets: &ConstantOffsets,
    place: &CodePlace<'_>,
    table: &mut TableRegisters,
) -> Word {
    let is_branch = matches!(
        decoded.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    );
    if is_branch {
        bytes.truncate(offsets.immediate_offset());
        shorten(&mut bytes);
        return Word { at, bytes, target: Some(decoded.near_branch_target()) };
    }
    let mut target = None;
    let displacement = decoded.memory_displacement64();
    let base = decoded.memory_base();
    if matches!(base, Register::RIP | Register::EIP) {
        target = Some(decoded.ip_rel_memory_address());
        clear(&mut bytes, offsets.displacement_offset(), offsets.displacement_size());
    } else if offsets.has_displacement() && offsets.displacement_size() >= 4 {
        // Where thread-local variables lie depends on all of them.
        let is_thread_local = matches!(decoded.memory_segment(), Register::FS | Register::GS)
            && base == Register::None;
        let is_fixed = place.fixed.as_ref().is_some_and(|image| image.contains(&displacement));
        let is_counted = place.counted_from.as_ref().is_some_and(|(table_at, image)| {
            let address = table_at.wrapping_add(displacement) & u64::from(u32::MAX);
            table.holds(base) && image.contains(&address)
        });
        if is_thread_local || is_fixed || is_counted {
            target = is_fixed.then_some(displacement);
            clear(&mut bytes, offsets.displacement_offset(), offsets.displacement_size());
        }
    }
    if offsets.has_immediate() && offsets.immediate_size() >= 4 {
        let value = match offsets.immediate_size() {
            8 => decoded.immediate64(),
            _ => u64::from(decoded.immediate32()),
        };
        let is_fixed = place.fixed.as_ref().is_some_and(|image| image.contains(&value));
        let is_table = place.counted_from.as_ref().is_some_and(|(table_at, _)| {
            let from = decoded.ip() & u64::from(u32::MAX);
            decoded.mnemonic() == Mnemonic::Add
                && from.wrapping_add(value) & u64::from(u32::MAX) == *table_at
        });
        if is_table {
            table.add(decoded.op0_register());
        }
        if is_fixed || is_table {
            target = is_fixed.then_some(value).or(target);
            clear(&mut bytes, offsets.immediate_offset(), offsets.immediate_size());
        }
    }
    Word { at, bytes, target }
}

/// Registers of the function that hold, at some time, the address that data is counted from.
#[derive(Default)]
struct TableRegisters {
    list: Vec<Register>,
}

impl TableRegisters {
    fn add(&mut self, register: Register) {
        if !self.holds(register) {
            self.list.push(register);
        }
    }

    fn holds(&self, register: Register) -> bool {
        self.list.contains(&register)
    }
}

/// The opcode of a jump with a distance of one byte for that with one of four: which is
/// taken depends on the padding between.
fn shorten(bytes: &mut Vec<u8>) {
    match bytes.as_slice() {
        [.., 0x0f, condition @ 0x80..=0x8f] => {
            let short = condition.wrapping_sub(0x10);
            bytes.truncate(bytes.len().saturating_sub(2));
            bytes.push(short);
        }
        [.., 0xe9] => {
            bytes.pop();
            bytes.push(0xeb);
        }
        _ => {}
    }
}

fn clear(bytes: &mut [u8], from: usize, len: usize) {
    for byte in bytes.iter_mut().skip(from).take(len) {
        *byte = 0;
    }
}
