//! A hash of a function's code that is the same when the source is the same and only the
//! rest of the image differs.
//!
//! What depends on where things lie is left out: distances to data and to other functions,
//! addresses inside the image, padding. Instructions, their immediates and the offsets of
//! members stay; jumps within the function are hashed by the instruction they lead to, calls
//! by the name of what is called, where there is one.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::code_word::CodePlace;
use super::{a32, arm_code, riscv_code, x86_code};
use obit_corefile::addr::Svma;
use obit_corefile::arch::Decoder;

/// Bytes of one function that are hashed; larger ones have no hash. SQLite's interpreter
/// has 60 KiB.
pub const MOST_CODE: usize = 1 << 20;
/// Changes when the hash does.
const VERSION: &[u8] = b"obit code 1";

/// The first 64 bits of a SHA-256, written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeHash(u64);

impl CodeHash {
    /// Of a function that lies in several pieces: hot and cold, clones. Their order is not
    /// looked at.
    pub fn of_pieces(mut pieces: Vec<Self>) -> Option<Self> {
        if pieces.len() < 2 {
            return pieces.pop();
        }
        pieces.sort_unstable();
        let mut hasher = Sha256::new_with_prefix(VERSION);
        for piece in pieces {
            hasher.update(piece.0.to_be_bytes());
        }
        Some(Self::of(hasher))
    }

    fn of(hasher: Sha256) -> Self {
        let digest = hasher.finalize();
        Self(digest.iter().take(8).fold(0, |all, byte| (all << 8) | u64::from(*byte)))
    }
}

impl fmt::Display for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The hash of the function that begins at `start` and has these bytes. `None` for no bytes,
/// and for too many.
pub fn code_hash(
    decoder: Decoder,
    start: Svma,
    code: &[u8],
    place: &CodePlace<'_>,
) -> Option<CodeHash> {
    if code.is_empty() || code.len() > MOST_CODE {
        return None;
    }
    let words = match decoder {
        Decoder::X86 { bits } => x86_code::words(bits, start, code, place),
        Decoder::Aarch64 => arm_code::words(start, code),
        Decoder::Riscv => riscv_code::words(start, code),
        Decoder::A32 => a32::words(a32::Set::A32, start, code, place),
        Decoder::Thumb => a32::words(a32::Set::Thumb, start, code, place),
    };
    let kept = || words.iter().filter(|word| !word.bytes.is_empty());
    // Where padding is jumped to, what follows is meant.
    let mut ordinals: BTreeMap<u64, u64> = BTreeMap::new();
    let mut count: u64 = 0;
    for word in &words {
        ordinals.insert(word.at, count);
        count = count.saturating_add(u64::from(!word.bytes.is_empty()));
    }
    let mut hasher = Sha256::new_with_prefix(VERSION);
    for word in kept() {
        hasher.update([u8::try_from(word.bytes.len()).unwrap_or(u8::MAX)]);
        hasher.update(&word.bytes);
        let Some(target) = word.target else { continue };
        let into = target.wrapping_sub(start.0);
        if into < code.len() as u64 {
            match ordinals.get(&into) {
                Some(ordinal) => hasher.update(
                    [b'='].iter().chain(&ordinal.to_be_bytes()).copied().collect::<Vec<u8>>(),
                ),
                None => hasher
                    .update([b'+'].iter().chain(&into.to_be_bytes()).copied().collect::<Vec<u8>>()),
            }
        } else if let Some(name) = (place.name_of)(Svma(target)) {
            hasher.update([b'@']);
            hasher.update((name.len() as u64).to_be_bytes());
            hasher.update(name.as_bytes());
        } else {
            hasher.update([b'?']);
        }
    }
    Some(CodeHash::of(hasher))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unnamed(_: Svma) -> Option<String> {
        None
    }

    /// The function at `start`, in an image where `other` begins at `callee`.
    fn hash_calling(
        decoder: Decoder,
        start: u64,
        code: &[u8],
        callee: u64,
        other: &str,
    ) -> CodeHash {
        let name_of = |at: Svma| (at.0 == callee).then(|| other.to_owned());
        let place = CodePlace { fixed: None, counted_from: None, name_of: &name_of };
        code_hash(decoder, Svma(start), code, &place).unwrap()
    }

    fn hash(decoder: Decoder, start: u64, code: &[u8]) -> CodeHash {
        hash_calling(decoder, start, code, u64::MAX, "")
    }

    fn x86(start: u64, code: &[u8]) -> CodeHash {
        hash(Decoder::X86 { bits: 64 }, start, code)
    }

    fn arm(start: u64, words: &[u32]) -> CodeHash {
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        hash(Decoder::Aarch64, start, &code)
    }

    #[test]
    fn distances_to_data_and_to_unnamed_functions_do_not_count() {
        // lea 0x10(%rip),%rdi; call .+5+0x100; ret
        let one = [0x48, 0x8d, 0x3d, 0x10, 0, 0, 0, 0xe8, 0, 1, 0, 0, 0xc3];
        let mut other = one;
        (other[3], other[9]) = (0x90, 7);
        assert_eq!(x86(0x1000, &one), x86(0x5230, &other));
        // adrp x0, far; add x0, x0, #0x123; ldr x1, [x0, #8]; bl far; ret
        let one = [0xb000_0000, 0x9104_8c00, 0xf940_0401, 0x9400_0400, 0xd65f_03c0];
        let other = [0xf000_0020, 0x9100_4000, 0xf940_0401, 0x9400_0800, 0xd65f_03c0];
        assert_eq!(arm(0x1000, &one), arm(0x5230, &other));
        // Behind the add, x0 is a pointer like any other: the member counts.
        let member = [0xb000_0000, 0x9104_8c00, 0xf940_0801, 0x9400_0400, 0xd65f_03c0];
        assert_ne!(arm(0x1000, &one), arm(0x1000, &member));
    }

    #[test]
    fn immediates_members_and_instructions_count() {
        // mov 0x8(%rax),%rbx; cmp $5,%ebx; ret
        let code = [0x48, 0x8b, 0x58, 0x08, 0x83, 0xfb, 0x05, 0xc3];
        for (at, byte) in [(3, 0x10), (6, 6), (5, 0xfa), (1, 0x89)] {
            let mut changed = code;
            changed[at] = byte;
            assert_ne!(x86(0x1000, &code), x86(0x1000, &changed), "{at}");
        }
        // ldr x0, [x1, #8]; cmp w0, #5; ret
        let code = [0xf940_0420, 0x7100_141f, 0xd65f_03c0];
        for (at, word) in [(0, 0xf940_0820), (1, 0x7100_181f), (0, 0xf900_0420)] {
            let mut changed = code;
            changed[at] = word;
            assert_ne!(arm(0x1000, &code), arm(0x1000, &changed), "{at}");
        }
    }

    #[test]
    fn a_call_of_another_function_counts_where_both_have_names() {
        let call = [0xe8, 0xfb, 0, 0, 0, 0xc3];
        let of = |name| hash_calling(Decoder::X86 { bits: 64 }, 0x1000, &call, 0x1100, name);
        let moved = hash_calling(Decoder::X86 { bits: 64 }, 0x1020, &call, 0x1120, "parse");
        assert_eq!(of("parse"), moved);
        assert_ne!(of("parse"), of("parse_safely"));
    }

    #[test]
    fn a_function_of_two_links_of_one_program_has_one_hash() {
        // gcc 12 -O2 -no-pie: int r = fixed(n); sink = r; return r + 1; once as it is, and
        // once with another function and 700 bytes of data in front.
        let one = [
            0x48, 0x83, 0xec, 0x08, 0xe8, 0xe7, 0xff, 0xff, 0xff, 0x89, 0x05, 0x5d, 0x2e, 0, 0,
            0x83, 0xc0, 0x01, 0x48, 0x83, 0xc4, 0x08, 0xc3,
        ];
        let mut other = one;
        (other[5], other[11]) = (0xd7, 0x0d);
        let of = |start: u64, code: &[u8], callee: u64, name: &str| {
            let name_of = |at: Svma| (at.0 == callee).then(|| name.to_owned());
            let fixed = Some(0x40_0000..0x40_5000);
            let place = CodePlace { fixed, counted_from: None, name_of: &name_of };
            code_hash(Decoder::X86 { bits: 64 }, Svma(start), code, &place)
        };
        let before = of(0x40_11c0, &one, 0x40_11b0, "fixed");
        assert_eq!(before, of(0x40_1210, &other, 0x40_11f0, "fixed"));
        assert_ne!(before, of(0x40_1210, &other, 0x40_11f0, "repaired"));
    }

    #[test]
    fn jumps_lead_to_instructions_wherever_padding_lies() {
        // test %edi,%edi; je end; inc %eax; nop; end: ret
        let short = [0x85, 0xff, 0x74, 0x03, 0xff, 0xc0, 0x90, 0xc3];
        // The same with a longer jump and another padding.
        let long = [0x85, 0xff, 0x0f, 0x84, 4, 0, 0, 0, 0xff, 0xc0, 0x66, 0x90, 0xc3];
        assert_eq!(x86(0x1000, &short), x86(0x1000, &long));
        // je leads to the padding, behind which the ret is: the same.
        let to_padding = [0x85, 0xff, 0x74, 0x02, 0xff, 0xc0, 0x90, 0xc3];
        assert_eq!(x86(0x1000, &short), x86(0x1000, &to_padding));
        let to_inc = [0x85, 0xff, 0x74, 0x00, 0xff, 0xc0, 0x90, 0xc3];
        assert_ne!(x86(0x1000, &short), x86(0x1000, &to_inc));
        let jne = [0x85, 0xff, 0x75, 0x03, 0xff, 0xc0, 0x90, 0xc3];
        assert_ne!(x86(0x1000, &short), x86(0x1000, &jne));
        // cbz x0, +8 and +12
        let near = [0xb400_0040, 0xd503_201f, 0xd65f_03c0, 0xd65f_03c0];
        let far = [0xb400_0060, 0xd503_201f, 0xd65f_03c0, 0xd65f_03c0];
        assert_ne!(arm(0x1000, &near), arm(0x1000, &far));
    }

    #[test]
    fn addresses_in_a_program_with_a_fixed_place_do_not_count() {
        let of = |code: &[u8], fixed| {
            let place = CodePlace { fixed, counted_from: None, name_of: &unnamed };
            code_hash(Decoder::X86 { bits: 64 }, Svma(0x40_1000), code, &place)
        };
        // mov $0x404010,%edi; mov 0x404020,%eax (absolute)
        let one = [0xbf, 0x10, 0x40, 0x40, 0, 0x8b, 0x04, 0x25, 0x20, 0x40, 0x40, 0];
        let other = [0xbf, 0x30, 0x41, 0x40, 0, 0x8b, 0x04, 0x25, 0x80, 0x41, 0x40, 0];
        let fixed = || Some(0x40_0000..0x40_8000);
        assert_eq!(of(&one, fixed()), of(&other, fixed()));
        assert_ne!(of(&one, None), of(&other, None));
        // A number that is none of its addresses stays.
        let number = [0xbf, 0x10, 0, 0, 0, 0x8b, 0x04, 0x25, 0x20, 0x40, 0x40, 0];
        assert_ne!(of(&one, fixed()), of(&number, fixed()));
    }

    #[test]
    fn thirty_two_bit_code_counts_from_the_global_offset_table() {
        // call thunk; add $GOT-.,%ebx; lea -0x1ff0(%ebx),%eax; mov 0x8(%ebx),%ecx; ret
        let code = |add: u32, lea: u32, start: u64, got: u64| {
            let mut code = vec![0xe8, 0, 1, 0, 0, 0x81, 0xc3];
            code.extend(add.to_le_bytes());
            code.extend([0x8d, 0x83]);
            code.extend(lea.to_le_bytes());
            code.extend([0x8b, 0x4b, 8, 0xc3]);
            let place =
                CodePlace { fixed: None, counted_from: Some((got, 0..0x8000)), name_of: &unnamed };
            code_hash(Decoder::X86 { bits: 32 }, Svma(start), &code, &place)
        };
        let far = |distance: u32| 0_u32.wrapping_sub(distance);
        let one = code(0x2ffb, far(0x1ff0), 0x1000, 0x4000);
        assert_eq!(one, code(0x2fdb, far(0x1f80), 0x1020, 0x4000));
        assert_ne!(one, code(0x2ffc, far(0x1ff0), 0x1000, 0x4000), "not the table");
    }

    #[test]
    fn what_is_no_instruction_and_what_is_too_long_is_no_trouble() {
        assert_ne!(x86(0, &[0x06, 0x90, 0xc3]), x86(0, &[0x06, 0x91, 0xc3]));
        assert_ne!(x86(0, &[0xc3, 0x48, 0x8b]), x86(0, &[0xc3, 0x48, 0x89]));
        assert_ne!(arm(0, &[0xffff_ffff]), arm(0, &[0xffff_fffe]));
        let place = CodePlace { fixed: None, counted_from: None, name_of: &unnamed };
        let of = |code: &[u8]| code_hash(Decoder::X86 { bits: 64 }, Svma(0), code, &place);
        assert_eq!((of(&[]), of(&vec![0xc3; MOST_CODE + 1])), (None, None));
    }

    #[test]
    fn pieces_have_one_hash_in_whatever_order_they_lie() {
        let (hot, cold) = (x86(0, &[0xc3]), x86(0, &[0x0f, 0x0b]));
        let both = CodeHash::of_pieces(vec![hot, cold]);
        assert_eq!(both, CodeHash::of_pieces(vec![cold, hot]));
        assert_ne!(both, Some(hot));
        assert_eq!(CodeHash::of_pieces(vec![hot]), Some(hot));
        assert_eq!(hot.to_string().len(), 16);
    }
}
