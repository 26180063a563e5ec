//! Code as bytes, and what it must have done.

use super::*;
use crate::{Bits, State};
use obit_corefile::arch::Register;
use std::collections::BTreeMap;

const CODE: u64 = 0x1000;
const STACK: u64 = 0x7000;
const RAX: usize = 0;
const RCX: usize = 2;
const RBX: usize = 3;
const RSI: usize = 4;

/// Functions by where they begin, and words of memory.
#[derive(Default)]
struct Made {
    functions: BTreeMap<u64, Rc<Function>>,
    words: BTreeMap<u64, u64>,
}

impl Made {
    fn with(mut self, at: u64, code: &[u8]) -> Self {
        self.functions
            .insert(at, Rc::new(Function::new(at, code, |_| Vec::new(), |_| None).unwrap()));
        self
    }

    /// The same where a jump that ends at `from` leads to `to`.
    fn with_jump(mut self, at: u64, code: &[u8], (from, to): (u64, u64)) -> Self {
        let jumps = |target: u64| if target == to { vec![from] } else { Vec::new() };
        self.functions.insert(at, Rc::new(Function::new(at, code, jumps, |_| None).unwrap()));
        self
    }

    fn word(mut self, at: u64, value: u64) -> Self {
        self.words.insert(at, value);
        self
    }

    /// Back from the instruction at `at`.
    fn back(&self, at: u64, registers: &[(usize, u64)]) -> (Chain, End) {
        let mut state = State::default();
        state[7] = Bits::all(STACK);
        for (number, value) in registers {
            state[*number] = Bits::all(*value);
        }
        let function = self.function(at).unwrap();
        let index = function.index_of(at).unwrap();
        let mut walk = Walk::new(self, function, index, state, Work::default());
        let end = walk.back(200);
        (walk.chain, end)
    }
}

impl World for Made {
    fn function(&self, at: u64) -> Option<Rc<Function>> {
        let (_, function) = self.functions.range(..=at).next_back()?;
        let last = function.steps().last()?;
        (at < last.address.0 + last.len).then(|| Rc::clone(function))
    }

    fn memory(&self, at: u64, size: u64) -> Option<u64> {
        (size == 8).then(|| self.words.get(&at).copied()).flatten()
    }

    fn is_constant(&self, _: u64, _: u64) -> bool {
        false
    }

    fn returns_once(&self, _: u64) -> bool {
        true
    }

    fn may_unwind(&self) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn segment(&self, _: Register) -> Option<u64> {
        None
    }
}

#[test]
fn what_loses_nothing_is_undone() {
    // lea 8(%rbx),%rcx; add $5,%rbx; mov %rbx,%rax; hlt
    let code = [0x48, 0x8d, 0x4b, 8, 0x48, 0x83, 0xc3, 5, 0x48, 0x89, 0xd8, 0xf4];
    let made = Made::default().with(CODE, &code);
    let (chain, end) = made.back(CODE + 11, &[(RAX, 15), (RBX, 15), (RCX, 18)]);
    assert_eq!((chain.len(), end), (3, End::CallerUnknown));
    assert_eq!(chain.register(3, RBX), Some(10));
    assert_eq!((chain.register(2, RAX), chain.register(3, RCX)), (None, None));
}

#[test]
fn a_store_of_unknown_address_ends_what_is_known_of_memory() {
    // mov (%rsi),%rax; mov %rbx,(%rcx); mov $0,%ecx; hlt
    let code = [0x48, 0x8b, 0x06, 0x48, 0x89, 0x19, 0xb9, 0, 0, 0, 0, 0xf4];
    let made = Made::default().with(CODE, &code).word(0x5000, 77);
    let (chain, _) = made.back(CODE + 11, &[(RSI, 0x5000), (RBX, 1), (RCX, 0)]);
    assert_eq!(chain.len(), 3);
    assert_eq!(chain.read(0x5000, 8, 1, &made), Some(77));
    assert_eq!(chain.read(0x5000, 8, 2, &made), None);
    assert_eq!(chain.register(1, RAX), None);
}

#[test]
fn of_two_ways_the_one_that_contradicts_a_constant_is_left_out() {
    // je 1f; mov $1,%eax; jmp 2f; 1: mov $2,%eax; 2: hlt
    let code = [0x74, 7, 0xb8, 1, 0, 0, 0, 0xeb, 5, 0xb8, 2, 0, 0, 0, 0xf4];
    let made = Made::default().with(CODE, &code);
    let (chain, _) = made.back(CODE + 14, &[(RAX, 2)]);
    assert_eq!(chain.address(1), Some(CODE + 9));
    let (chain, end) = made.back(CODE + 14, &[]);
    assert_eq!((chain.len(), end), (0, End::SeveralWays));
    let (chain, end) = made.back(CODE + 14, &[(RAX, 3)]);
    assert_eq!((chain.len(), end), (0, End::NoWay));
}

#[test]
fn a_function_that_returned_is_walked_through() {
    // push %rbx; call f; hlt    f: mov $7,%eax; ret
    let made = Made::default()
        .with(CODE, &[0x53, 0xe8, 0xfa, 0, 0, 0, 0xf4])
        .with(CODE + 0x100, &[0xb8, 7, 0, 0, 0, 0xc3])
        .word(STACK - 8, CODE + 6);
    let (chain, _) = made.back(CODE + 6, &[(RAX, 7), (RBX, 4)]);
    let way: Vec<u64> = (1..=chain.len()).filter_map(|steps| chain.address(steps)).collect();
    assert_eq!(way, [CODE + 0x105, CODE + 0x100, CODE + 1, CODE]);
    assert_eq!(chain.register(4, 7), Some(STACK + 8));
    // With another word below the stack pointer, the call did not return there.
    let other = Made { words: BTreeMap::new(), ..made }.word(STACK - 8, 1);
    assert_eq!(other.back(CODE + 6, &[(RAX, 7)]).1, End::NoWay);
}

#[test]
fn code_that_jumps_to_itself_ends() {
    let made = Made::default().with(CODE, &[0xeb, 0xfe]);
    let (chain, end) = made.back(CODE, &[]);
    assert!(chain.len() <= 200 && end != End::NoWay, "{end:?}");
}

#[test]
fn a_jump_into_an_instruction_is_no_function_that_is_followed() {
    assert!(Function::new(CODE, &[0xeb, 1, 0xb8, 1, 0, 0, 0], |_| Vec::new(), |_| None).is_none());
}

#[test]
fn of_two_ways_the_one_whose_condition_did_not_hold_is_left_out() {
    // test %ecx,%ecx; je 1f; nop; 1: hlt
    let made = Made::default().with(CODE, &[0x85, 0xc9, 0x74, 1, 0x90, 0xf4]);
    let (chain, _) = made.back(CODE + 5, &[(RCX, 0)]);
    assert_eq!(chain.address(1), Some(CODE + 2));
    assert_eq!(chain.link(1).unwrap().branch().map(|it| (it.0.name(), it.1)), Some(("e", true)));
    let (chain, _) = made.back(CODE + 5, &[(RCX, 3)]);
    assert_eq!((chain.address(1), chain.address(2)), (Some(CODE + 4), Some(CODE + 2)));
    let (chain, end) = made.back(CODE + 5, &[]);
    assert_eq!((chain.len(), end), (0, End::SeveralWays));
}

#[test]
fn rounds_of_a_loop_are_counted_back_until_one_more_is_possible() {
    // mov $0,%eax; 1: add $1,%eax; cmp $3,%eax; jne 1b; hlt
    let code = [0xb8, 0, 0, 0, 0, 0x83, 0xc0, 1, 0x83, 0xf8, 3, 0x75, 0xf8, 0xf4];
    let made = Made::default().with(CODE, &code);
    let (chain, end) = made.back(CODE + 13, &[(RAX, 3)]);
    // A round that began with -1 contradicts nothing.
    assert_eq!((chain.len(), end), (9, End::SeveralWays));
    assert_eq!(chain.state(9).unwrap()[RAX], Bits { value: 0, known: 0xffff_ffff });
    // The loop is left with 3 only.
    assert_eq!(made.back(CODE + 13, &[(RAX, 4)]).1, End::NoWay);
}

#[test]
fn a_jump_of_another_function_is_one_of_the_ways() {
    // nop; hlt    xor %eax,%eax; jmp to the hlt
    let other = [0x31, 0xc0, 0xe9, 0xfa, 0xfe, 0xff, 0xff];
    let made = Made::default()
        .with_jump(CODE, &[0x90, 0xf4], (CODE + 0x107, CODE + 1))
        .with(CODE + 0x100, &other);
    let (chain, _) = made.back(CODE + 1, &[(RAX, 5)]);
    assert_eq!(chain.address(1), Some(CODE));
    assert_eq!(made.back(CODE + 1, &[(RAX, 0)]).1, End::SeveralWays);
}

#[test]
fn the_frame_pointer_that_was_popped_is_known_by_the_code() {
    // push %rbp; mov %rsp,%rbp; mov %eax,-4(%rbp); pop %rbp; hlt
    let code = [0x55, 0x48, 0x89, 0xe5, 0x89, 0x45, 0xfc, 0x5d, 0xf4];
    let made = Made::default().with(CODE, &code);
    let (chain, _) = made.back(CODE + 8, &[]);
    assert_eq!(chain.register(2, 6), Some(STACK - 8));
    assert_eq!(chain.len(), 4);
}

#[test]
fn work_that_is_used_up_ends_the_way() {
    let nops = vec![0x90; 100];
    let function = Rc::new(Function::new(CODE, &nops, |_| Vec::new(), |_| None).unwrap());
    let made = Made::default();
    let work = Work { relations: 10, tried: 10 };
    let mut walk = Walk::new(&made, function, 99, State::default(), work);
    assert_eq!(walk.back(200), End::WorkDone);
    assert!(walk.chain().len() < 20);
}
