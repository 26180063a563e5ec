//! A fault for which Go's runtime panicked: its handler returned into `sigpanic`, so no frame of
//! the kernel is left. What the handler was given is in the goroutine (`runtime/runtime2.go`,
//! `g`; `runtime/signal_unix.go`, `sigpanic`).

use super::instant::Instant;
use super::{Fault, of_instant, unexplained};
use crate::goroutine;
use crate::signals::{SIGBUS, SIGSEGV};
use obit_corefile::addr::Avma;
use obit_corefile::dump::Signal;
use obit_process::process::{Process, Thread};
use obit_process::unwind::{Activation, Left};

/// The function that the handler makes the instruction seem to call.
const INJECTED: &str = "runtime.sigpanic";
/// Bytes of a `g` in which the signal is looked for; it has some 400.
const GOROUTINE: usize = 512;
/// Bytes of the stack of `sigpanic` and what it called that are searched for the goroutine.
const STACK: u64 = 1 << 14;

/// The last fault of the crashed thread's goroutine that became a panic.
pub(super) fn injected(process: &Process, thread: &Thread) -> Option<Fault> {
    let mut named = thread.frames.iter();
    let at = named.find(|frame| frame.function.as_deref() == Some(INJECTED))?.activation;
    let index = at.checked_add(1)?;
    let frames = &thread.stack.frames;
    let place = frames.get(index).filter(|place| place.left == Left::Interrupted)?;
    let signal = signal(process, frames.get(..index)?, place.pc)?;
    let place = &with_base(process, thread, place, signal.address()?);
    let instant = Instant::new(process, thread, place);
    let fault = of_instant(&signal, &instant).unwrap_or_else(|| unexplained(&signal, &instant));
    Some(Fault { activation: index, is_panic: true, ..fault })
}

/// What the handler was given for the instruction at `pc`, where `inner` are `sigpanic` and the
/// frames that it called.
fn signal(process: &Process, inner: &[Activation], pc: Avma) -> Option<Signal> {
    let memory = &process.memory;
    let end = inner.last()?.cfa?.0;
    let sp = process.dump.machine.facts()?.sp;
    let own_stack = inner.iter().rev().take_while(|frame| !frame.is_signal);
    let start = own_stack.filter_map(|frame| frame.registers.get(sp)).last()?;
    let start = start.max(end.saturating_sub(STACK));
    let mut found = goroutine::on_stack(memory, start, end)
        .into_iter()
        .filter_map(|goroutine| recorded(&memory.read_up_to(Avma(goroutine), GOROUTINE), pc));
    let one = found.next()?;
    found.all(|other| other == one).then_some(one)
}

/// The signal in the bytes of a `g`: `sig`, a slice for messages, then `sigcode0` (`si_code`),
/// `sigcode1` (`si_addr`) and `sigpc`, which is the instruction's address.
fn recorded(goroutine: &[u8], pc: Avma) -> Option<Signal> {
    const SLICE: usize = 3;
    let words: Vec<u64> = goroutine
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
        .collect();
    let at = words.iter().position(|word| *word == pc.0)?;
    let code = i32::try_from(*words.get(at.checked_sub(2)?)?).ok()?;
    let address = Avma(*words.get(at.checked_sub(1)?)?);
    // What comes before a number of 4 bytes may share its word.
    let before = words.get(at.checked_sub(SLICE + 3)?)?;
    let numbers = [*before as u32, (before >> 32) as u32];
    let number = [SIGSEGV, SIGBUS].into_iter().find(|one| numbers.contains(&u32::from(*one)))?;
    Some(Signal::of_fault(number, code, address))
}

/// The interrupted frame, whose registers are lost, with the one that the failed access went by:
/// what it held follows from the address if nothing else was added to it.
fn with_base(process: &Process, thread: &Thread, place: &Activation, address: Avma) -> Activation {
    let mut place = place.clone();
    let base = {
        let instant = Instant::new(process, thread, &place);
        let mut operands = instant.operands();
        match (operands.next(), operands.next()) {
            (Some(only), None) if only.index.is_none() && only.segment.is_none() => only
                .base
                .filter(|base| base.shift == 0 && base.size == 8)
                .map(|base| (base.register, only.displacement)),
            _ => None,
        }
    };
    if let Some((register, displacement)) = base {
        let value = address.0.wrapping_sub(displacement.cast_unsigned());
        place.registers.set(register, Some(value));
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::dump::SignalDetail;

    #[test]
    fn the_signal_of_a_goroutine_is_the_one_of_the_instruction() {
        const PC: u64 = 0x48_13c4;
        let words = [0xc000, 0xd000, 0xb, 7, 8, 9, 1, 0x10, PC, 0, 0];
        let bytes = words.map(u64::to_le_bytes);
        let signal = recorded(bytes.as_flattened(), Avma(PC)).unwrap();
        assert_eq!((signal.number, signal.code), (SIGSEGV, Some(1)));
        assert!(matches!(signal.detail, SignalDetail::Fault { address: Avma(0x10), .. }));
        assert_eq!(recorded(bytes.as_flattened(), Avma(PC + 1)), None);
        // Of a division the number is another.
        let mut division = words;
        division[2] = 8;
        assert_eq!(recorded(division.map(u64::to_le_bytes).as_flattened(), Avma(PC)), None);
        assert_eq!(recorded(&[0; 24], Avma(0)), None);
    }
}
