//! What instructions move where, by their bytes.

use super::*;
use obit_corefile::arch::Register;

const START: Avma = Avma(0x1000);
const RAX: Part = whole(0);
const RCX: Part = whole(2);
const RBX: Part = whole(3);
const RSI: Part = whole(4);
const RDI: Part = whole(5);
const RBP: Part = whole(6);
const RSP: Part = whole(7);

const fn whole(number: u16) -> Part {
    Part { register: Register(number), shift: 0, size: 8 }
}

const fn low(part: Part, size: u64) -> Part {
    Part { size, ..part }
}

fn step(bits: u32, code: &[u8]) -> Step {
    let steps = steps(bits, START, code);
    assert_eq!(steps.len(), 1, "{steps:?}");
    steps.into_iter().next().unwrap()
}

fn writes(code: &[u8]) -> Vec<Write> {
    step(64, code).writes
}

fn next(code: &[u8]) -> Next {
    step(64, code).next
}

fn set(part: Part, from: Term) -> Write {
    Write { to: Target::Register(part), from }
}

fn at(base: Part, displacement: i64, size: u64) -> MemoryOperand {
    MemoryOperand {
        mode: AccessMode::Read,
        size: Some(size),
        segment: None,
        base: Some(base),
        index: None,
        displacement,
        address_size: base.size,
        index_is_signed: false,
        rounds: None,
    }
}

fn stored(memory: MemoryOperand, from: Term) -> Write {
    let to = Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory });
    Write { to, from }
}

/// A register and a number.
fn plus(base: Part, number: i64) -> Term {
    Term::Address(MemoryOperand { size: None, ..at(base, number, 8) })
}

#[test]
fn a_move_sets_the_whole_register_unless_it_keeps_the_rest() {
    // mov %rbx,%rax; mov %ebx,%eax; mov %bh,%al; mov %bx,%ax
    assert_eq!(writes(&[0x48, 0x89, 0xd8]), [set(RAX, Term::Register(RBX))]);
    assert_eq!(writes(&[0x89, 0xd8]), [set(RAX, Term::Register(low(RBX, 4)))]);
    let high = Part { shift: 8, size: 1, ..RBX };
    assert_eq!(writes(&[0x88, 0xf8]), [set(low(RAX, 1), Term::Register(high))]);
    let words = set(low(RAX, 2), Term::Register(low(RBX, 2)));
    assert_eq!(writes(&[0x66, 0x89, 0xd8]), [words]);
    // In 32 bits there is no rest.
    let half = set(low(RAX, 4), Term::Register(Part { size: 4, ..whole(3) }));
    assert_eq!(step(32, &[0x89, 0xd8]).writes, [half]);
}

#[test]
fn constants_are_as_wide_as_what_they_are_put_into() {
    // mov $-1,%eax; mov $-1,%rax; movabs; movl $-1,(%rax); xor %eax,%eax; sub %rax,%rax
    let constant = |code: &[u8]| writes(code)[0];
    let all = [0xff; 4];
    let mov = [&[0xb8][..], &all].concat();
    assert_eq!(constant(&mov), set(RAX, Term::Constant(0xffff_ffff)));
    let wide = [&[0x48, 0xc7, 0xc0][..], &all].concat();
    assert_eq!(constant(&wide), set(RAX, Term::Constant(u64::MAX)));
    let full = [0x48, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0x80];
    assert_eq!(constant(&full), set(RAX, Term::Constant(0x8000_0000_0000_0001)));
    let store = [&[0xc7, 0x00][..], &all].concat();
    assert_eq!(writes(&store), [stored(at(RAX, 0, 4), Term::Constant(0xffff_ffff))]);
    assert_eq!(writes(&[0x31, 0xc0]), [set(RAX, Term::Constant(0))]);
    assert_eq!(writes(&[0x48, 0x29, 0xc0]), [set(RAX, Term::Constant(0))]);
    // xor %ebx,%eax is none.
    assert_eq!(writes(&[0x31, 0xd8]), [set(RAX, Term::Unknown)]);
}

#[test]
fn loads_and_stores_have_their_address_and_size() {
    // mov -0x8(%rbp),%rax; mov %ecx,0x10(%rsp); mov 0x10(%rip),%eax; mov %fs:0x28,%rax
    assert_eq!(writes(&[0x48, 0x8b, 0x45, 0xf8]), [set(RAX, Term::Memory(at(RBP, -8, 8)))]);
    let store = writes(&[0x89, 0x4c, 0x24, 0x10]);
    assert_eq!(store, [stored(at(RSP, 16, 4), Term::Register(low(RCX, 4)))]);
    let relative = MemoryOperand { base: None, ..at(RAX, 0x1016, 4) };
    let relative = [set(RAX, Term::Memory(relative))];
    assert_eq!(writes(&[0x8b, 0x05, 0x10, 0, 0, 0]), relative);
    let guard = [0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0];
    let segment = Some(Register(58));
    let guard_word = MemoryOperand { base: None, segment, ..at(RAX, 0x28, 8) };
    assert_eq!(writes(&guard), [set(RAX, Term::Memory(guard_word))]);
    // mov 0xf0000000,%eax
    let [load] = step(32, &[0xa1, 0, 0, 0, 0xf0]).writes[..] else { panic!() };
    let absolute = MemoryOperand { base: None, ..at(low(RAX, 4), 0xf000_0000, 4) };
    assert_eq!(load, set(low(RAX, 4), Term::Memory(absolute)));
}

#[test]
fn an_extension_gives_how_far_the_sign_goes() {
    // movzbl %bl,%eax; movsbl %bl,%eax; movslq 0x4(%rbx),%rax; cltq; cwtl
    assert_eq!(writes(&[0x0f, 0xb6, 0xc3]), [set(RAX, Term::Register(low(RBX, 1)))]);
    assert_eq!(writes(&[0x0f, 0xbe, 0xc3]), [set(RAX, Term::SignExtended(low(RBX, 1), 4))]);
    let loaded = Term::SignExtendedMemory(at(RBX, 4, 4), 8);
    assert_eq!(writes(&[0x48, 0x63, 0x43, 0x04]), [set(RAX, loaded)]);
    assert_eq!(writes(&[0x48, 0x98]), [set(RAX, Term::SignExtended(low(RAX, 4), 8))]);
    assert_eq!(writes(&[0x98]), [set(RAX, Term::SignExtended(low(RAX, 2), 4))]);
}

#[test]
fn sums_shifts_and_products_are_addresses() {
    // lea 0x8(%rbx,%rcx,4),%rax; lea 0x10(%rip),%rax
    let lea = MemoryOperand { size: None, index: Some((RCX, 4)), ..at(RBX, 8, 8) };
    assert_eq!(writes(&[0x48, 0x8d, 0x44, 0x8b, 0x08]), [set(RAX, Term::Address(lea))]);
    let near = MemoryOperand { size: None, base: None, ..at(RAX, 0x1017, 8) };
    let near = [set(RAX, Term::Address(near))];
    assert_eq!(writes(&[0x48, 0x8d, 0x05, 0x10, 0, 0, 0]), near);
    // sub $0x18,%rsp; add $-8,%rax; inc %eax; dec %rax; add %rcx,%rax
    assert_eq!(writes(&[0x48, 0x83, 0xec, 0x18]), [set(RSP, plus(RSP, -0x18))]);
    assert_eq!(writes(&[0x48, 0x83, 0xc0, 0xf8]), [set(RAX, plus(RAX, -8))]);
    assert_eq!(writes(&[0xff, 0xc0]), [set(RAX, plus(low(RAX, 4), 1))]);
    assert_eq!(writes(&[0x48, 0xff, 0xc8]), [set(RAX, plus(RAX, -1))]);
    let both = MemoryOperand { size: None, index: Some((RCX, 1)), ..at(RAX, 0, 8) };
    assert_eq!(writes(&[0x48, 0x01, 0xc8]), [set(RAX, Term::Address(both))]);
    // shl $3,%rax; imul $0x18,%rbx,%rax
    let scaled = |part, times| MemoryOperand {
        size: None,
        base: None,
        index: Some((part, times)),
        ..at(part, 0, 8)
    };
    assert_eq!(writes(&[0x48, 0xc1, 0xe0, 3]), [set(RAX, Term::Address(scaled(RAX, 8)))]);
    let product = [set(RAX, Term::Address(scaled(RBX, 24)))];
    assert_eq!(writes(&[0x48, 0x6b, 0xc3, 0x18]), product);
    // add $1,%al; addl $1,(%rax): reported as changed.
    assert_eq!(writes(&[0x04, 1]), [set(low(RAX, 1), Term::Unknown)]);
    assert_eq!(writes(&[0x83, 0x00, 1]), [stored(at(RAX, 0, 4), Term::Unknown)]);
}

#[test]
fn the_stack_pointer_follows_pushes_and_pops() {
    // push %rbx; push $-1; push 0x8(%rsp); pop %rbx; pop %rsp; leave
    let below = |from| stored(at(RSP, -8, 8), from);
    let down = set(RSP, plus(RSP, -8));
    let up = set(RSP, plus(RSP, 8));
    assert_eq!(writes(&[0x53]), [below(Term::Register(RBX)), down]);
    assert_eq!(writes(&[0x6a, 0xff]), [below(Term::Constant(u64::MAX)), down]);
    let pushed = [below(Term::Memory(at(RSP, 8, 8))), down];
    assert_eq!(writes(&[0xff, 0x74, 0x24, 0x08]), pushed);
    assert_eq!(writes(&[0x5b]), [set(RBX, Term::Memory(at(RSP, 0, 8))), up]);
    assert_eq!(writes(&[0x5c]), [set(RSP, Term::Memory(at(RSP, 0, 8)))]);
    let left = [set(RSP, plus(RBP, 8)), set(RBP, Term::Memory(at(RBP, 0, 8)))];
    assert_eq!(writes(&[0xc9]), left);
    assert_eq!(writes(&[0xc3]), [up]);
    // and $-16,%rsp
    assert_eq!(writes(&[0x48, 0x83, 0xe4, 0xf0]), [set(RSP, Term::Unknown)]);
    // push $-1 in 32 bits
    let pushed = step(32, &[0x6a, 0xff]).writes[0].from;
    assert_eq!(pushed, Term::Constant(0xffff_ffff));
}

#[test]
fn an_exchange_writes_both_sides() {
    // xchg %rax,%rbx; xchg %eax,(%rbx)
    let both = [set(RAX, Term::Register(RBX)), set(RBX, Term::Register(RAX))];
    let mut seen = writes(&[0x48, 0x93]);
    seen.sort_by_key(|write| write.to != Target::Register(RAX));
    assert_eq!(seen, both);
    let memory = at(RBX, 0, 4);
    let both = [stored(memory, Term::Register(low(RAX, 4))), set(RAX, Term::Memory(memory))];
    assert_eq!(writes(&[0x87, 0x03]), both);
}

#[test]
fn what_is_not_understood_is_named_by_all_it_changes() {
    // cmove %rbx,%rax; mul %rcx; sete %al; movsq; rep stosb; cpuid
    let unknown = |parts: &[Part]| -> Vec<Write> {
        parts.iter().map(|part| set(*part, Term::Unknown)).collect()
    };
    assert_eq!(writes(&[0x48, 0x0f, 0x44, 0xc3]), unknown(&[RAX]));
    assert_eq!(writes(&[0x0f, 0x94, 0xc0]), unknown(&[low(RAX, 1)]));
    for (code, changed) in [
        (&[0x48, 0xf7, 0xe1][..], &[RAX, whole(1)][..]),
        (&[0x48, 0xa5], &[RSI, RDI]),
        (&[0xf3, 0xaa], &[RDI, RCX]),
        (&[0x0f, 0xa2], &[RAX, RBX, RCX, whole(1)]),
        (&[0x0f, 0x05], &[RAX, RCX, whole(11)]),
    ] {
        let writes = writes(code);
        for write in unknown(changed) {
            assert!(writes.contains(&write), "{code:x?}: {writes:?}");
        }
    }
    let filled = MemoryOperand { rounds: Some(RCX), ..at(RDI, 0, 1) };
    assert!(writes(&[0xf3, 0xaa]).contains(&stored(filled, Term::Unknown)));
    // endbr64; nop; test; cmp: nothing.
    for code in [&[0xf3, 0x0f, 0x1e, 0xfa][..], &[0x90], &[0x85, 0xc0], &[0x39, 0xc0]] {
        assert_eq!(writes(code), []);
    }
}

#[test]
fn where_it_goes_on_is_given_with_the_target_if_the_instruction_has_it() {
    // jmp .+2; je; jmp *%rax; call; call *(%rax); ret; ud2; hlt; int3; int $0x80; nop
    let target = Avma(0x1012);
    assert_eq!(next(&[0xeb, 0x10]), Next::Jumps(Some(target)));
    assert_eq!(next(&[0x74, 0x10]), Next::Branches(target));
    assert_eq!(next(&[0xff, 0xe0]), Next::Jumps(None));
    assert_eq!(next(&[0xe8, 0x0d, 0, 0, 0]), Next::Calls(Some(target)));
    assert_eq!(next(&[0xff, 0x10]), Next::Calls(None));
    for code in [&[0xc3][..], &[0x0f, 0x0b], &[0xf4], &[0xcc], &[0xcd, 0x29]] {
        assert_eq!(next(code), Next::Ends, "{code:x?}");
    }
    for code in [&[0xcd, 0x80][..], &[0x0f, 0x05], &[0x90]] {
        assert_eq!(next(code), Next::Falls);
    }
    assert_eq!(writes(&[0xe8, 0x0d, 0, 0, 0]), []);
}

#[test]
fn a_call_of_the_next_instruction_is_a_push_of_its_address() {
    let call = step(32, &[0xe8, 0, 0, 0, 0]);
    assert_eq!(call.next, Next::Falls);
    let stack = Part { size: 4, ..whole(4) };
    let moved = Term::Address(MemoryOperand { size: None, ..at(stack, -4, 4) });
    let pushed = stored(at(stack, -4, 4), Term::Constant(0x1005));
    assert_eq!(call.writes, [pushed, set(stack, moved)]);
}

#[test]
fn steps_end_before_what_is_cut_off_or_no_instruction() {
    // nop; an opcode of 32 bits; nop; half a mov
    let lens = |code: &[u8]| -> Vec<u64> {
        steps(64, START, code).into_iter().map(|step| step.len).collect()
    };
    assert_eq!(lens(&[0x90, 0x06, 0x90]), [1]);
    assert_eq!(lens(&[0x0f, 0x1f, 0x00, 0x48, 0x8b]), [3]);
    let addresses = steps(64, START, &[0x0f, 0x1f, 0x00, 0x90]);
    assert_eq!(addresses[1].address, Avma(0x1003));
}
