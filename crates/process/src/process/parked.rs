//! Stacks that no thread of the kernel runs on: those of goroutines, fibers and coroutines that
//! wait. The one that knows the runtime knows with which registers they go on.

use super::naming::Naming;
use super::{Frame, Process, Recursion};
use crate::unwind::{Left, Stack, Unwinder};
use obit_corefile::arch::Registers;

/// A stack that no thread runs on.
#[derive(Clone, Debug)]
pub struct ParkedStack {
    /// Physical frames, innermost first.
    pub stack: Stack,
    /// Frames as people count them, innermost first.
    pub frames: Vec<Frame>,
    /// Physical frames left out of `frames`, and the index of the entry they follow.
    pub omitted: Option<(usize, usize)>,
    /// How a deep stack repeats.
    pub recursion: Option<Recursion>,
}

/// Reads such stacks; what is known of one serves the next.
pub struct ParkedStacks<'p> {
    unwinder: Unwinder<'p>,
    naming: Naming<'p>,
    /// Bits of code addresses that hold an authentication code.
    code_mask: Option<u64>,
}

impl Process {
    /// A reader of stacks that no thread runs on.
    pub fn parked_stacks(&self) -> ParkedStacks<'_> {
        let machine = self.dump.machine;
        let crashed = self.dump.threads.get(self.dump.crashed);
        ParkedStacks {
            code_mask: crashed.and_then(|thread| thread.code_pointer_mask),
            unwinder: Unwinder::new(machine, &self.memory, &self.modules, &self.limits),
            naming: Naming::new(machine, &self.modules, &self.limits),
        }
    }
}

impl ParkedStacks<'_> {
    /// The stack of what goes on with `registers`, of which those that are not set are unknown.
    /// It is [`Left::Called`] where the pc is a return address.
    pub fn read(&mut self, registers: &Registers, left: Left) -> ParkedStack {
        let stack = self.unwinder.unwind_left(registers, left, self.code_mask);
        let named = self.naming.name(&stack);
        ParkedStack {
            stack,
            frames: named.frames,
            omitted: named.omitted,
            recursion: named.recursion,
        }
    }
}
