//! What instructions move where, by their bytes.

use super::*;

const START: Avma = Avma(0x1000);

fn step(word: u32) -> Step {
    let steps = steps(START, &word.to_le_bytes());
    steps.into_iter().next().unwrap()
}

fn writes(word: u32) -> Vec<Write> {
    step(word).writes
}

fn x(number: u32) -> Part {
    general(number, 8)
}

fn w(number: u32) -> Part {
    general(number, 4)
}

fn set(part: Part, from: Term) -> Vec<Write> {
    vec![Write { to: Target::Register(part), from }]
}

#[test]
fn a_move_sets_the_whole_register() {
    // mov x0, x1; mov w0, w1; mov x29, sp; mov x0, xzr
    assert_eq!(writes(0xaa01_03e0), set(x(0), Term::Register(x(1))));
    assert_eq!(writes(0x2a01_03e0), set(x(0), Term::Register(w(1))));
    assert_eq!(writes(0x9100_03fd), set(x(29), Term::Register(x(31))));
    assert_eq!(writes(0xaa1f_03e0), set(x(0), Term::Constant(0)));
}

#[test]
fn constants_are_put_together_from_their_parts() {
    // mov x0, #0x10000; mov w0, #-1; movk x0, #0x1234, lsl #32; mov x0, #0xff00ff00ff00ff00
    assert_eq!(writes(0xd2a0_0020), set(x(0), Term::Constant(0x1_0000)));
    assert_eq!(writes(0x1280_0000), set(x(0), Term::Constant(0xffff_ffff)));
    let put = Part { shift: 32, size: 2, ..x(0) };
    assert_eq!(writes(0xf2c2_4680), set(put, Term::Constant(0x1234)));
    assert_eq!(writes(0xb208_9fe0), set(x(0), Term::Constant(0xff00_ff00_ff00_ff00)));
}

#[test]
fn sums_shifts_and_near_addresses_are_addresses() {
    let address = |memory| Term::Address(memory);
    // sub sp, sp, #0x20; add x0, x1, #1, lsl #12; add w0, w1, w2, lsl #2
    let lower = address(sum(Some(x(31)), None, -0x20, 8));
    assert_eq!(writes(0xd100_83ff), set(x(31), lower));
    let page = address(sum(Some(x(1)), None, 0x1000, 8));
    assert_eq!(writes(0x9140_0420), set(x(0), page));
    let both = address(sum(Some(w(1)), Some((w(2), 4)), 0, 4));
    assert_eq!(writes(0x0b02_0820), set(x(0), both));
    // add x0, x1, w2, uxtw #3; lsl x0, x1, #4; adrp x0, .+0x2000; adr x0, .+8
    let extended = address(sum(Some(x(1)), Some((w(2), 8)), 0, 8));
    assert_eq!(writes(0x8b22_4c20), set(x(0), extended));
    let shifted = address(sum(None, Some((x(1), 16)), 0, 8));
    assert_eq!(writes(0xd37c_ec20), set(x(0), shifted));
    assert_eq!(writes(0xd000_0000), set(x(0), address(sum(None, None, 0x3000, 8))));
    assert_eq!(writes(0x1000_0040), set(x(0), address(sum(None, None, 0x1008, 8))));
}

#[test]
fn an_extension_gives_how_far_the_sign_goes() {
    // uxtb w0, w1; sxtw x0, w1; sxtb w0, w1; lsr x0, x1, #32
    assert_eq!(writes(0x5300_1c20), set(x(0), Term::Register(general(1, 1))));
    assert_eq!(writes(0x9340_7c20), set(x(0), Term::SignExtended(w(1), 8)));
    assert_eq!(writes(0x1300_1c20), set(x(0), Term::SignExtended(general(1, 1), 4)));
    let upper = Part { shift: 32, ..w(1) };
    assert_eq!(writes(0xd360_fc20), set(x(0), Term::Register(upper)));
}

#[test]
fn where_it_goes_on_is_given_with_the_target_if_the_instruction_has_it() {
    let next = |word| step(word).next;
    // b .+8; bl .-4; b.eq .+8; cbz x0, .+8; tbnz w0, #3, .+8
    assert_eq!(next(0x1400_0002), Next::Jumps(Some(Avma(0x1008))));
    assert_eq!(next(0x97ff_ffff), Next::Calls(Some(Avma(0xffc))));
    for branch in [0x5400_0040, 0xb400_0040, 0x3718_0040] {
        assert_eq!(next(branch), Next::Branches(Avma(0x1008)), "{branch:x}");
    }
    // br x0; blr x0; ret; brk #1; udf #0; svc #0; nop
    assert_eq!(next(0xd61f_0000), Next::Jumps(None));
    assert_eq!(next(0xd63f_0000), Next::Calls(None));
    for end in [0xd65f_03c0, 0xd420_0020, 0] {
        assert_eq!(next(end), Next::Ends, "{end:x}");
    }
    for word in [0xd400_0001, 0xd503_201f] {
        assert_eq!(next(word), Next::Falls);
    }
    assert_eq!(writes(0x97ff_ffff), []);
}

#[test]
fn pointers_are_followed_through_vector_registers() {
    // fmov d0, x1; mov v0.d[1], x1; mov v0.16b, v1.16b; movi v0.4s, #0; fmov x0, d1
    assert_eq!(writes(0x9e67_0020), set(vector(0), Term::Register(x(1))));
    let high = Part { shift: 64, size: 8, ..vector(0) };
    assert_eq!(writes(0x4e18_1c20), set(high, Term::Register(x(1))));
    assert_eq!(writes(0x4ea1_1c20), set(vector(0), Term::Register(vector(1))));
    assert_eq!(writes(0x4f00_0400), set(vector(0), Term::Constant(0)));
    let low = Part { size: 8, ..vector(1) };
    assert_eq!(writes(0x9e66_0020), set(x(0), Term::Register(low)));
    // add v0.4s, v1.4s, v2.4s; fcvtzs w0, s1
    assert_eq!(writes(0x4ea2_8420), set(vector(0), Term::Unknown));
    assert!(writes(0x1e38_0020).contains(&unknown(Target::Register(x(0)))));
}

#[test]
fn what_is_not_understood_makes_its_register_unknown() {
    // csel x0, x1, x2, eq; mul x0, x1, x2; mrs x0, tpidr_el0; and x0, x1, #1
    for word in [0x9a82_0020, 0x9b02_7c20, 0xd53b_d040, 0x9240_0020] {
        assert_eq!(writes(word), set(x(0), Term::Unknown), "{word:x}");
    }
    // cmp x0, x1; ccmp x0, x1, #3, eq; tst x0, #1; fcmp d0, d1; prfm; nop; b
    for word in [0xeb01_001f, 0xfa41_0003, 0xf240_001f, 0x1e61_2000, 0xf980_0000, 0xd503_201f] {
        assert_eq!(writes(word), [], "{word:x}");
    }
}

#[test]
fn steps_end_at_a_word_that_is_no_instruction() {
    let code = [0xd503_201f_u32, 0x0200_0000, 0xd503_201f];
    let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(steps(START, &bytes).len(), 1);
}
