//! What the states on both sides of an instruction say of each other.

use super::World;
use super::bits::{Bits, flags, flags_of_result, low, mask, result, shift_count, signed};
use super::chain::{ALL, Chain, Checked, Contradiction, FLAGS, general};
use obit_disassembly::{Condition, MemoryOperand, Operation, Operator, Part, Target, Term};

/// DWARF numbers of the stack pointer and the frame pointer.
const SP_NUMBER: usize = 7;
const BP_NUMBER: usize = 6;
/// Bytes of a store whose place is kept; none of x86 is longer.
const LONGEST_STORE: u64 = 1024;

impl Chain {
    pub(super) fn relate(&mut self, at: usize, world: &dyn World) -> Checked {
        let Some(link) = self.links.get(at) else { return Ok(()) };
        let code = std::rc::Rc::clone(&link.code);
        let (requires, taken, frame) = (link.requires, link.taken, link.frame);
        let (after, before) = (at, at.saturating_add(1));
        for (number, written) in code.written.iter().enumerate().take(ALL) {
            let kept =
                |bits: Bits| Bits { value: bits.value & !written, known: bits.known & !written };
            self.set(before, number, kept(self.bits(after, number)))?;
            self.set(after, number, kept(self.bits(before, number)))?;
        }
        if let Some(distance) = frame.map(i64::cast_unsigned) {
            let (sp, bp) = (self.register(before, SP_NUMBER), self.register(before, BP_NUMBER));
            if let Some(sp) = sp {
                self.set(before, BP_NUMBER, Bits::all(sp.wrapping_add(distance)))?;
            }
            if let Some(bp) = bp {
                self.set(before, SP_NUMBER, Bits::all(bp.wrapping_sub(distance)))?;
            }
        }
        if let Some((term, value)) = requires {
            self.term_is(term, before, value, world)?;
        }
        if let (Some(condition), Some(taken)) = (code.arithmetic.condition, taken) {
            self.condition_is(before, condition, taken)?;
        }
        for (nth, write) in code.writes.iter().enumerate() {
            if let Target::Memory(operand) = write.to
                && let Some(place) = self.extent(&operand, before, world, LONGEST_STORE)
            {
                self.place_is(at, nth, place);
            }
        }
        let operation = code.arithmetic.operation;
        if let Some(operation) = operation {
            self.operation(&operation, code.arithmetic.flags, (after, before), world)?;
        }
        for write in code.writes.iter() {
            if operation.is_some_and(|it| it.to.is_some_and(|to| is_same(to, write.to))) {
                continue;
            }
            if let Some(size) = width(write.from)
                && let Some(value) = self.term(write.from, before, world)
            {
                self.target_is(write.to, after, value, size, world)?;
            } else if let Some(size) = width(write.from) {
                self.is_cleared_above(write.to, after, size)?;
            }
            if width(write.from).is_some()
                && let Some(now) = self.target(write.to, after, world)
            {
                self.term_is(write.from, before, now, world)?;
            }
        }
        Ok(())
    }

    fn operation(
        &mut self,
        operation: &Operation,
        changed: u64,
        (after, before): (usize, usize),
        world: &dyn World,
    ) -> Checked {
        let Operation { operator, size, left, right, to } = *operation;
        let number = |chain: &Self, term| chain.term(term, before, world).map(|it| low(it, size));
        let (left_is, right_is) = (number(self, left), number(self, right));
        if matches!(operator, Operator::Set | Operator::Select) {
            return self.conditional(operation, (after, before), (left_is, right_is), world);
        }
        let computed =
            left_is.zip(right_is).and_then(|(left, right)| result(operator, left, right, size));
        match (to, computed) {
            (Some(to), Some(value)) => self.target_is(to, after, value, size, world)?,
            (Some(to), None) => self.is_cleared_above(to, after, size)?,
            (None, _) => {}
        }
        let found = to.and_then(|to| self.target(to, after, world)).map(|it| low(it, size));
        let value = computed.or(found);
        let of_flags = match (left_is, right_is) {
            (Some(left), Some(right)) => flags(operator, left, right, size),
            _ if is_plain(operator) => value.map(|value| flags_of_result(value, size)),
            _ => None,
        };
        if let Some(bits) = of_flags {
            let known = bits.known & changed;
            self.set(after, FLAGS, Bits { value: bits.value & known, known })?;
        }
        if changed & Condition::ZF != 0 && is_plain(operator) {
            self.zero(operation, (after, before), (left_is, right_is), world)?;
        }
        let Some(value) = found else { return Ok(()) };
        match operator {
            Operator::Add => {
                if let Some(right) = right_is {
                    self.term_is(left, before, low(value.wrapping_sub(right), size), world)?;
                }
                if let Some(left) = left_is {
                    self.term_is(right, before, low(value.wrapping_sub(left), size), world)?;
                }
            }
            Operator::Subtract => {
                if let Some(right) = right_is {
                    self.term_is(left, before, low(value.wrapping_add(right), size), world)?;
                }
                if let Some(left) = left_is {
                    self.term_is(right, before, low(left.wrapping_sub(value), size), world)?;
                }
            }
            Operator::Xor => {
                if let Some(right) = right_is {
                    self.term_is(left, before, value ^ right, world)?;
                }
                if let Some(left) = left_is {
                    self.term_is(right, before, value ^ left, world)?;
                }
            }
            Operator::And => {
                if let Some(right) = right_is {
                    self.bits_are(left, before, Bits { value: value & right, known: right })?;
                    if value & !right != 0 {
                        return Err(Contradiction);
                    }
                }
            }
            Operator::Or => {
                if let Some(right) = right_is {
                    let known = low(!right, size);
                    self.bits_are(left, before, Bits { value: value & known, known })?;
                    if right & !value != 0 {
                        return Err(Contradiction);
                    }
                }
            }
            Operator::ShiftLeft => {
                if let Some(right) = right_is {
                    let count = u32::try_from(shift_count(right, size)).unwrap_or(0);
                    let known = low(low(u64::MAX, size).checked_shl(count).unwrap_or(0), size);
                    if value & !known != 0 {
                        return Err(Contradiction);
                    }
                    let known = known.checked_shr(count).unwrap_or(0);
                    let value = value.checked_shr(count).unwrap_or(0);
                    self.bits_are(left, before, Bits { value, known })?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the zero flag says of the operands.
    fn zero(
        &mut self,
        operation: &Operation,
        (after, before): (usize, usize),
        (left_is, right_is): (Option<u64>, Option<u64>),
        world: &dyn World,
    ) -> Checked {
        let flags = self.bits(after, FLAGS);
        if flags.known & flags.value & Condition::ZF == 0 {
            return Ok(());
        }
        let Operation { operator, left, right, to, size } = *operation;
        if let Some(to) = to {
            self.target_is(to, after, 0, size, world)?;
        }
        match operator {
            Operator::Subtract | Operator::Xor => {
                if let Some(value) = left_is {
                    self.term_is(right, before, value, world)?;
                }
                if let Some(value) = right_is {
                    self.term_is(left, before, value, world)?;
                }
            }
            Operator::And if left == right => self.term_is(left, before, 0, world)?,
            Operator::Or => {
                self.term_is(left, before, 0, world)?;
                self.term_is(right, before, 0, world)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// `set…` and `cmov…`.
    fn conditional(
        &mut self,
        operation: &Operation,
        (after, before): (usize, usize),
        (left, right): (Option<u64>, Option<u64>),
        world: &dyn World,
    ) -> Checked {
        let Some(condition) = self.links.get(after).and_then(|link| link.code.arithmetic.condition)
        else {
            return Ok(());
        };
        let Some(to) = operation.to else { return Ok(()) };
        let is_set = operation.operator == Operator::Set;
        let (if_not, if_so) = if is_set { (Some(0), Some(1)) } else { (left, right) };
        let bits = self.bits(before, FLAGS);
        let holds = (bits.known & condition.reads() == condition.reads())
            .then(|| condition.holds(bits.value));
        self.is_cleared_above(to, after, operation.size)?;
        let size = operation.size;
        let now = self.target(to, after, world).map(|now| low(now, size));
        let chosen = match holds {
            Some(true) => if_so,
            Some(false) => if_not,
            None => if_so.filter(|_| if_so == if_not),
        };
        if let Some(value) = chosen {
            self.target_is(to, after, value, size, world)?;
        }
        let Some(now) = now else { return Ok(()) };
        match holds {
            Some(so) if !is_set => {
                let term = if so { operation.right } else { operation.left };
                self.term_is(term, before, now, world)?;
            }
            Some(_) => {}
            None => {
                let can = |value: Option<u64>| value.is_none_or(|value| value == now);
                match (can(if_so), can(if_not)) {
                    (false, false) => return Err(Contradiction),
                    (true, false) => self.condition_is(before, condition, true)?,
                    (false, true) => self.condition_is(before, condition, false)?,
                    (true, true) => {}
                }
            }
        }
        Ok(())
    }

    /// What flags must have been so that a condition holds or does not.
    fn condition_is(&mut self, at: usize, condition: Condition, is_so: bool) -> Checked {
        let (bits, reads) = (self.bits(at, FLAGS), condition.reads());
        let (mut all, mut any, mut is_possible) = (reads, 0, false);
        let mut flags = 0_u64;
        loop {
            let is_as_known = (flags ^ bits.value) & bits.known & reads == 0;
            if is_as_known && condition.holds(flags) == is_so {
                (all, any, is_possible) = (all & flags, any | flags, true);
            }
            // The next set of these flags.
            flags = flags.wrapping_sub(reads) & reads;
            if flags == 0 {
                break;
            }
        }
        if !is_possible {
            return Err(Contradiction);
        }
        self.set(at, FLAGS, Bits { value: all, known: reads & !(all ^ any) })
    }

    /// A target holds a number of so many bytes; a register has zeros above them, or what it
    /// had where only a part is written.
    fn target_is(
        &mut self,
        to: Target,
        after: usize,
        value: u64,
        size: u64,
        world: &dyn World,
    ) -> Checked {
        match to {
            Target::Register(part) => {
                let Some(number) = general(part.register) else { return Ok(()) };
                let Some(known) = mask(part) else { return Ok(()) };
                let value = low(value, size.min(part.size)).checked_shl(part.shift).unwrap_or(0);
                self.set(after, number, Bits { value: value & known, known })
            }
            Target::Memory(operand) => {
                let before = after.saturating_add(1);
                let Some((place, length)) = self.place(&operand, before, world) else {
                    return Ok(());
                };
                if length != size.min(length) {
                    return Ok(());
                }
                self.memory_is((place, length), after, low(value, length), world)
            }
        }
    }

    /// A register that is written whole has zeros above so many bytes.
    fn is_cleared_above(&mut self, to: Target, after: usize, size: u64) -> Checked {
        match to {
            Target::Register(part) if part.size == 8 && part.shift == 0 && size < 8 => {
                let Some(number) = general(part.register) else { return Ok(()) };
                self.set(after, number, Bits { value: 0, known: !low(u64::MAX, size) })
            }
            _ => Ok(()),
        }
    }

    /// What a target holds.
    fn target(&self, to: Target, after: usize, world: &dyn World) -> Option<u64> {
        match to {
            Target::Register(part) => self.bits(after, general(part.register)?).part(part),
            Target::Memory(operand) => {
                let (place, size) = self.place(&operand, after.saturating_add(1), world)?;
                self.read(place, size, after, world)
            }
        }
    }

    /// Takes down what follows from a term's number.
    fn term_is(&mut self, term: Term, at: usize, value: u64, world: &dyn World) -> Checked {
        let is_wider = |size: u64| low(value, size) != value;
        match term {
            Term::Constant(number) if number == value => Ok(()),
            Term::Constant(_) => Err(Contradiction),
            Term::Register(part) if is_wider(part.size) => Err(Contradiction),
            Term::Register(part) => {
                self.bits_are(term, at, Bits { value, known: low(u64::MAX, part.size) })
            }
            Term::SignExtended(part, to) => {
                let number = low(value, part.size);
                if low(signed(number, part.size), to) != value {
                    return Err(Contradiction);
                }
                self.term_is(Term::Register(part), at, number, world)
            }
            Term::Memory(operand) => {
                let Some((place, size)) = self.place(&operand, at, world) else { return Ok(()) };
                if size < 8 && is_wider(size) {
                    return Err(Contradiction);
                }
                self.memory_is((place, size), at, low(value, size), world)
            }
            Term::SignExtendedMemory(operand, to) => {
                let Some((place, size)) = self.place(&operand, at, world) else { return Ok(()) };
                let number = low(value, size);
                if low(signed(number, size), to) != value {
                    return Err(Contradiction);
                }
                self.memory_is((place, size), at, number, world)
            }
            Term::Address(operand) if operand.segment.is_none() => {
                if is_wider(operand.address_size) {
                    return Err(Contradiction);
                }
                self.address_is(&operand, at, value)
            }
            Term::Address(_) | Term::Unknown => Ok(()),
        }
    }

    /// Some bits of a register that a term names.
    fn bits_are(&mut self, term: Term, at: usize, bits: Bits) -> Checked {
        let Term::Register(part) = term else { return Ok(()) };
        let (Some(number), Some(whole)) = (general(part.register), mask(part)) else {
            return Ok(());
        };
        let known = bits.known.checked_shl(part.shift).unwrap_or(0) & whole;
        let value = bits.value.checked_shl(part.shift).unwrap_or(0) & known;
        self.set(at, number, Bits { value, known })
    }

    fn address_is(&mut self, operand: &MemoryOperand, at: usize, value: u64) -> Checked {
        let size = operand.address_size;
        let is_wide = |part: Part| part.size >= size && part.shift == 0;
        let rest = value.wrapping_sub(operand.displacement.cast_unsigned());
        let low_is = |rest: u64| Bits { value: low(rest, size), known: low(u64::MAX, size) };
        match (operand.base, operand.index) {
            (Some(base), None) if is_wide(base) => {
                self.bits_are(Term::Register(base), at, low_is(rest))
            }
            (Some(base), Some((index, scale)))
                if is_wide(base) && is_wide(index) && base.register != index.register =>
            {
                let of = |part: Part| general(part.register).map(|it| self.bits(at, it).part(part));
                match (of(base).flatten(), of(index).flatten()) {
                    (_, Some(index)) => {
                        let rest = rest.wrapping_sub(index.wrapping_mul(scale));
                        self.bits_are(Term::Register(base), at, low_is(rest))
                    }
                    (Some(base), None) if scale == 1 => {
                        self.bits_are(Term::Register(index), at, low_is(rest.wrapping_sub(base)))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn address_of(&self, operand: &MemoryOperand, at: usize, world: &dyn World) -> Option<u64> {
        let part = |part: Part| self.bits(at, general(part.register)?).part(part);
        let mut sum = operand.displacement.cast_unsigned();
        if let Some(base) = operand.base {
            sum = sum.wrapping_add(part(base)?);
        }
        if let Some((index, scale)) = operand.index {
            let value = operand.index_value(index, part(index)?);
            sum = sum.wrapping_add(value.wrapping_mul(scale));
        }
        let start = operand.segment.map_or(Some(0), |segment| world.segment(segment))?;
        Some(start.wrapping_add(low(sum, operand.address_size)))
    }

    fn extent(
        &self,
        operand: &MemoryOperand,
        at: usize,
        world: &dyn World,
        longest: u64,
    ) -> Option<(u64, u64)> {
        let size = operand.size.filter(|size| (1..=longest).contains(size))?;
        if operand.rounds.is_some() {
            return None;
        }
        Some((self.address_of(operand, at, world)?, size))
    }

    /// The memory of an operand that is a number.
    fn place(&self, operand: &MemoryOperand, at: usize, world: &dyn World) -> Option<(u64, u64)> {
        self.extent(operand, at, world, 8)
    }

    pub(super) fn term(&self, term: Term, at: usize, world: &dyn World) -> Option<u64> {
        match term {
            Term::Constant(value) => Some(value),
            Term::Register(part) => self.bits(at, general(part.register)?).part(part),
            Term::SignExtended(part, to) => {
                let number = self.bits(at, general(part.register)?).part(part)?;
                Some(low(signed(number, part.size), to))
            }
            Term::Memory(operand) => {
                let (place, size) = self.place(&operand, at, world)?;
                self.read(place, size, at, world)
            }
            Term::SignExtendedMemory(operand, to) => {
                let (place, size) = self.place(&operand, at, world)?;
                Some(low(signed(self.read(place, size, at, world)?, size), to))
            }
            Term::Address(operand) => self.address_of(&operand, at, world),
            Term::Unknown => None,
        }
    }
}

/// Whether two targets are the same: what an instruction computes goes to one place.
fn is_same(one: Target, other: Target) -> bool {
    match (one, other) {
        (Target::Register(one), Target::Register(other)) => one.register == other.register,
        (Target::Memory(_), Target::Memory(_)) => true,
        _ => false,
    }
}

/// Bytes that a term has at most; `None` for what it does not say.
fn width(term: Term) -> Option<u64> {
    match term {
        Term::Constant(_) => Some(8),
        Term::Register(part) if general(part.register).is_some() => Some(part.size),
        Term::SignExtended(part, to) if general(part.register).is_some() => Some(to),
        Term::SignExtendedMemory(_, to) => Some(to),
        Term::Memory(operand) => operand.size.filter(|size| *size <= 8),
        Term::Address(operand) => Some(operand.address_size),
        Term::Register(_) | Term::SignExtended(..) | Term::Unknown => None,
    }
}

/// Operations whose result alone says the zero, sign and parity flag.
fn is_plain(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Add | Operator::Subtract | Operator::And | Operator::Or | Operator::Xor
    )
}
