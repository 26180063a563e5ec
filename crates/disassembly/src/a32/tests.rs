//! Both instruction sets, by what `as` of binutils 2.40 makes of the source in the comments.

use super::operation::{beside, general, nowhere};
use super::{Set, disassemble, effects, steps, words};
use crate::code_word::CodePlace;
use crate::effects::{AccessMode, InstructionKind, MemoryOperand, Part, Source};
use crate::flow::{Next, Step, Target, Term, Write};
use obit_corefile::addr::{Avma, Svma};

const START: Avma = Avma(0x1000);

/// A32 code.
fn long(all: &[u32]) -> Vec<u8> {
    all.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Thumb code.
fn short(all: &[u16]) -> Vec<u8> {
    all.iter().flat_map(|half| half.to_le_bytes()).collect()
}

fn texts(set: Set, code: &[u8]) -> Vec<String> {
    let all = disassemble(set, START, code, usize::MAX);
    all.into_iter().map(|instruction| instruction.text).collect()
}

fn of(set: Set, code: &[u8]) -> Step {
    let mut steps = steps(set, START, code);
    assert_eq!(steps.len(), 1, "{steps:?}");
    steps.remove(0)
}

fn access(code: u32) -> MemoryOperand {
    effects(Set::A32, START, &code.to_le_bytes()).unwrap().accesses[0]
}

#[test]
fn a32_reads_as_the_assembler_has_it() {
    let code = [
        0xe591_0008,
        0xe443_2001,
        0xe7b5_4106,
        0xe118_70f9,
        0xe1c2_00d0,
        0xe92d_4030,
        0x08bd_8010,
        0x03a0_0005,
        0xeb00_000e,
        0xe7f0_00f0,
        0xed91_8b04,
        0xed2d_8b04,
        0xf421_020d,
        0xe182_0f91,
    ];
    let expected = [
        "ldr r0, [r1, #8]",
        "strb r2, [r3], #-1",
        "ldr r4, [r5, r6, lsl #2]!",
        "ldrsh r7, [r8, -r9]",
        "ldrd r0, [r2]",
        "push {r4, r5, lr}",
        "popeq {r4, pc}",
        "moveq r0, #5",
        "bl 0x1060",
        "udf #0",
        "vldr d8, [r1, #16]",
        "vpush {d8-d9}",
        "vld1.8 {d0-d3}, [r1]!",
        "strex r0, r1, [r2]",
    ];
    assert_eq!(texts(Set::A32, &long(&code)), expected);
}

#[test]
fn thumb_reads_as_the_assembler_has_it() {
    // The condition of an IT belongs to what it governs.
    let code = [
        0x6800, 0xf842, 0x1d04, 0xbf08, 0x6863, 0x447b, 0xb518, 0xb108, 0xf000, 0xf81e, 0xe9d2,
        0x0102, 0xf911, 0x0032, 0xf040, 0x807e, 0xe92d, 0x41f0, 0xdeff,
    ];
    let expected = [
        "ldr r0, [r0, #0]",
        "str.w r1, [r2, #-4]!",
        "it eq",
        "ldreq r3, [r4, #4]",
        "add r3, pc",
        "push {r3, r4, lr}",
        "cbz r0, 0x1014",
        "bl 0x1050",
        "ldrd r0, r1, [r2, #8]",
        "ldrsb.w r0, [r1, r2, lsl #3]",
        "bne.w 0x111c",
        "stmdb sp!, {r4, r5, r6, r7, r8, lr}",
        "udf #255",
    ];
    assert_eq!(texts(Set::Thumb, &short(&code)), expected);
}

#[test]
fn literals_and_tables_of_jumps_are_data() {
    // ldr r2, [pc, #4]; bx lr; nop; nop; .word 0x47704770
    let code = [0x4a01, 0x4770, 0xbf00, 0xbf00, 0x4770, 0x4770];
    assert_eq!(texts(Set::Thumb, &short(&code))[4..], [".word 0x47704770"]);
    let load = &steps(Set::Thumb, START, &short(&code))[0];
    let to = Target::Register(general(2, 4));
    assert_eq!(load.writes, [Write { to, from: Term::Constant(0x4770_4770) }]);
    // tbb [pc, r0]; .byte 1, 2; nop, where the first case begins; bx lr
    let code = [0xe8df, 0xf000, 0x0201, 0xbf00, 0x4770];
    assert_eq!(texts(Set::Thumb, &short(&code)), ["tbb [pc, r0]", ".short 0x0201", "nop", "bx lr"]);
}

#[test]
fn a_table_of_jumps_is_as_long_as_its_index_may_be_large() {
    // cmp r0, #1; bhi .+18; tbb [pc, r0]; .byte 8, 8; bx lr; nop; …: no target is near.
    let code = [0x2801, 0xd807, 0xe8df, 0xf000, 0x0808, 0x4770, 0xbf00, 0xbf00];
    let texts = texts(Set::Thumb, &short(&code));
    assert_eq!(texts[3..], [".short 0x0808", "bx lr", "nop", "nop"]);
}

#[test]
fn loads_and_stores_name_their_base_index_and_width() {
    let plain = |mode, size, operand| MemoryOperand { mode, size: Some(size), ..operand };
    // ldr r0, [r1, #8]; strb r2, [r3], #-1; ldrb r0, [r3, r2, lsr #1]; ldrsh r7, [r8, -r9]
    assert_eq!(access(0xe591_0008), plain(AccessMode::Read, 4, beside(1, 8)));
    assert_eq!(access(0xe443_2001), plain(AccessMode::Write, 1, beside(3, 0)));
    let halved = Part { shift: 1, ..general(2, 4) };
    assert_eq!(access(0xe7d3_00a2).index, Some((halved, 1)));
    assert_eq!(access(0xe118_70f9).index, Some((general(9, 4), u64::MAX)));
    // A shift that keeps the sign has no operand: ldr r0, [r1, r2, asr #2]
    assert_eq!(effects(Set::A32, START, &0xe791_0142_u32.to_le_bytes()), None);
    // push {r4, r5, lr}; vld1.8 {d0-d3}, [r1]!; vldr d8, [r1, #16]
    assert_eq!(access(0xe92d_4030), plain(AccessMode::Write, 12, beside(13, -12)));
    assert_eq!(access(0xf421_020d), plain(AccessMode::Read, 32, beside(1, 0)));
    assert_eq!(access(0xed91_8b04), plain(AccessMode::Read, 8, beside(1, 16)));
}

#[test]
fn jumps_by_data_name_it() {
    let kind = |set, code: &[u8]| effects(set, START, code).unwrap().kind;
    let by = |number| InstructionKind::IndirectBranch(Source::Register(general(number, 4)));
    // blx r3 in both; bx lr
    assert_eq!(kind(Set::A32, &long(&[0xe12f_ff33])), by(3));
    assert_eq!(kind(Set::Thumb, &short(&[0x4798])), by(3));
    assert_eq!(kind(Set::A32, &long(&[0xe12f_ff1e])), by(14));
    // pop {r4, pc}: the pc lies above.
    let effects = effects(Set::Thumb, START, &short(&[0xbd10])).unwrap();
    assert_eq!(effects.kind, InstructionKind::IndirectBranch(Source::Memory(0)));
    let places: Vec<_> =
        effects.accesses.iter().map(|access| (access.displacement, access.size)).collect();
    assert_eq!(places, [(4, Some(4)), (0, Some(4))]);
    assert_eq!(kind(Set::Thumb, &short(&[0xdeff])), InstructionKind::Trap);
}

#[test]
fn execution_goes_on_where_the_instruction_says() {
    let a32 = |code: u32| of(Set::A32, &long(&[code])).next;
    // bl .+0x40; beq .+8; bx lr; popeq {r4, pc}; mov pc, lr; ldr pc, [r0]
    assert_eq!(a32(0xeb00_000e), Next::Calls(Some(Avma(0x1040))));
    assert_eq!(a32(0x0a00_0000), Next::Branches(Avma(0x1008)));
    assert_eq!(a32(0xe12f_ff1e), Next::Ends);
    assert_eq!(a32(0x08bd_8010), Next::Falls);
    assert_eq!(a32(0xe1a0_f00e), Next::Ends);
    assert_eq!(a32(0xe590_f000), Next::Jumps(None));
    let thumb = |code: &[u16]| of(Set::Thumb, &short(code)).next;
    // cbz r0, .+6; bl .+0x40; blx r3; b.n .-4
    assert_eq!(thumb(&[0xb108]), Next::Branches(Avma(0x1006)));
    assert_eq!(thumb(&[0xf000, 0xf81e]), Next::Calls(Some(Avma(0x1040))));
    assert_eq!(thumb(&[0x4798]), Next::Calls(None));
    assert_eq!(thumb(&[0xe7fc]), Next::Jumps(Some(Avma(0xffc))));
}

#[test]
fn what_is_pushed_is_popped_from_the_same_place() {
    let word = |mode, at| MemoryOperand { mode, size: Some(4), ..beside(13, at) };
    let stored = |register, at| Write {
        to: Target::Memory(word(AccessMode::Write, at)),
        from: Term::Register(general(register, 4)),
    };
    let sp =
        |by| Write { to: Target::Register(general(13, 4)), from: Term::Address(beside(13, by)) };
    // push {r3, r4, lr}
    let pushed = of(Set::Thumb, &short(&[0xb518])).writes;
    assert_eq!(pushed, [stored(3, -12), stored(4, -8), stored(14, -4), sp(-12)]);
    // pop {r4, pc}: the pc is no register that is followed.
    let popped = of(Set::Thumb, &short(&[0xbd10])).writes;
    let from = Term::Memory(word(AccessMode::Read, 0));
    assert_eq!(popped, [Write { to: Target::Register(general(4, 4)), from }, sp(8)]);
}

#[test]
fn what_may_be_left_out_changes_to_what_is_not_known() {
    // it eq; ldreq r3, [r4, #4]
    let steps = steps(Set::Thumb, START, &short(&[0xbf08, 0x6863]));
    let to = Target::Register(general(3, 4));
    assert_eq!(steps[1].writes, [Write { to, from: Term::Unknown }]);
    // blne .+0x40: a result, or what was there before.
    let call = of(Set::A32, &long(&[0x1b00_000e]));
    assert_eq!(call.next, Next::Calls(Some(Avma(0x1040))));
    let result = Target::Register(general(0, 4));
    assert!(call.writes.contains(&Write { to: result, from: Term::Unknown }));
}

#[test]
fn two_halves_make_a_number_unless_a_jump_leads_between_them() {
    // movw r3, #0x5678; movt r3, #0x1234
    let pair = [0xf245, 0x6378, 0xf2c1, 0x2334];
    let whole = &steps(Set::Thumb, START, &short(&pair))[1];
    let to = Target::Register(general(3, 4));
    assert_eq!(whole.writes, [Write { to, from: Term::Constant(0x1234_5678) }]);
    // The same, and a jump back to the second.
    let code = [&pair[..], &[0xd1fc]].concat();
    let half = &steps(Set::Thumb, START, &short(&code))[1];
    assert_ne!(half.writes[0].to, to);
}

#[test]
fn sums_with_the_pc_count_from_where_it_reads() {
    // add r3, pc (Thumb, four bytes on); add r0, pc, #16 (A32, eight bytes on)
    let displaced = MemoryOperand { displacement: 0x1004, base: Some(general(3, 4)), ..nowhere() };
    let sum = of(Set::Thumb, &short(&[0x447b])).writes[0].from;
    assert_eq!(sum, Term::Address(displaced));
    let near = of(Set::A32, &long(&[0xe28f_0010])).writes[0].from;
    assert_eq!(near, Term::Constant(0x1018));
}

#[test]
fn distances_and_literals_do_not_count_in_a_hash() {
    let kept = |start: u64, code: &[u8]| {
        let place = CodePlace { fixed: None, counted_from: None, name_of: &|_| None };
        let words = words(Set::A32, Svma(start), code, &place);
        words.into_iter().map(|word| word.bytes).collect::<Vec<_>>()
    };
    // ldr r0, [pc, #0]; bl far; .word: one, and another place, literal and distance.
    let one = kept(0x1000, &long(&[0xe59f_0000, 0xeb00_0100, 0x1234]));
    let other = kept(0x2000, &long(&[0xe59f_0000, 0xeb00_0200, 0x5678]));
    assert_eq!(one, other);
    // Another member does.
    let member = |offset: u32| kept(0x1000, &long(&[0xe591_0000 | offset]));
    assert_ne!(member(4), member(8));
}

#[test]
fn no_bytes_are_too_odd() {
    // A generator of numbers (Marsaglia's xorshift).
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    for _ in 0..2_000 {
        let code: Vec<u8> = (0..16).flat_map(|_| next().to_le_bytes()).collect();
        for set in [Set::A32, Set::Thumb] {
            let place =
                CodePlace { fixed: Some(0..u64::MAX), counted_from: None, name_of: &|_| None };
            for start in [0, 0xffff_fff8, u64::MAX - 3] {
                let len: usize =
                    disassemble(set, Avma(start), &code, usize::MAX).iter().map(|it| it.len).sum();
                assert!(len <= code.len());
                steps(set, Avma(start), &code);
                effects(set, Avma(start), &code);
                words(set, Svma(start), &code, &place);
            }
        }
    }
}
