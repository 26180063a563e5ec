//! Which part of an address is to blame for it: the pointer, or the index that was added.

use super::names::Names;
use super::trace::Trace;
use crate::memory;
use obit_corefile::addr::Avma;
use obit_disassembly::{MemoryOperand, Part};

/// An index that leads further is none.
const FAR: u64 = 64 << 10;

/// The part of an address that made it what it was.
pub(super) struct Culprit {
    pub(super) part: Part,
    /// What it is multiplied by.
    pub(super) scale: u64,
    pub(super) is_index: bool,
    /// Nothing else fits.
    pub(super) is_certain: bool,
}

impl Culprit {
    fn pointer(part: Part) -> Self {
        Self { part, scale: 1, is_index: false, is_certain: true }
    }

    fn index(part: Part, scale: u64) -> Self {
        Self { part, scale, is_index: true, is_certain: true }
    }
}

impl<'t> Trace<'t> {
    /// The register to blame for an address, and what it is multiplied by: the pointer among
    /// them, or the index where the pointer is sound and the index leads far away.
    /// `sum` is the address, where it is known.
    pub(super) fn culprit(
        &self,
        names: &Names<'t>,
        at: usize,
        operand: &MemoryOperand,
        sum: Option<u64>,
    ) -> Option<Culprit> {
        let value = |part: Part| part_of_sum(names, at, operand, part, sum);
        let is_mapped = |at: u64| self.process.memory.region_at(Avma(at)).is_some();
        let is_sound = |part: Part| value(part).is_some_and(is_mapped);
        let facts = names.moment.facts;
        // Without frame pointers that register is one like the others.
        let is_frame = |part: Part| {
            part.register == facts.sp || part.register == names.moment.fp && is_sound(part)
        };
        let (base, index) = match (operand.base, operand.index) {
            (Some(base), None) => {
                // One that went on by itself was sound to begin with.
                let is_certain = operand.rounds.is_none();
                let pointer = Culprit { is_certain, ..Culprit::pointer(base) };
                return (!is_frame(base)).then_some(pointer);
            }
            (None, Some((part, scale))) => return Some(Culprit::index(part, scale)),
            (None, None) => return None,
            (Some(base), Some(index)) => (base, index),
        };
        let (pointer, index) = match index {
            // A sum of two registers does not say which of them is the pointer.
            (other, 1) if is_sound(other) && !is_sound(base) => (other, (base, 1)),
            (other, 1) if !is_sound(base) && names.is_pointer(at, other.register) => {
                (other, (base, 1))
            }
            index => (base, index),
        };
        if !is_sound(pointer) {
            // Of what is not known it is not known either whether the index is to blame.
            let is_certain = value(pointer).is_some();
            return Some(Culprit { is_certain, ..Culprit::pointer(pointer) });
        }
        let is_array = is_frame(pointer) || !names.is_loaded(at, pointer.register);
        let distance = value(index.0).map(|value| {
            // Of two that changed places the other has no sign.
            let is_its_own = operand.index == Some(index);
            let value = if is_its_own { operand.index_value(index.0, value) } else { value };
            value.wrapping_mul(index.1).cast_signed()
        });
        let is_far = distance.is_none_or(|bytes| bytes.unsigned_abs() > FAR);
        let region = |at: u64| self.process.memory.range_at(Avma(at)).map(|range| range.start);
        let is_within = || Some(region(value(pointer)?)? == region(sum?)?);
        // What lies in the same mapping is not reached by a wrong index: the mapping fails.
        if !is_array && !is_far && is_within() == Some(true) {
            return Some(Culprit::pointer(pointer));
        }
        let begins_there =
            || value(pointer).is_some_and(|at| memory::is_start(self.process, Avma(at)));
        // The index may have been right for another object that was there before.
        let is_beyond = || {
            let (bytes, at) = distance.zip(value(pointer))?;
            Some(bytes.unsigned_abs() > memory::largest_object(self.process, Avma(at)))
        };
        let is_fixed = is_frame(pointer) || names.is_fixed(at, pointer.register);
        let is_certain = is_fixed || is_beyond().unwrap_or(false);
        // Of an access near a sound pointer either may be at fault.
        let culprit = match is_array || is_far || begins_there() {
            true => Culprit::index(index.0, index.1),
            false => Culprit::pointer(pointer),
        };
        Some(Culprit { is_certain, ..culprit })
    }

    /// The part of an index that made it as large as it is; `None` where none of two did
    /// alone.
    pub(super) fn largest(
        &self,
        names: &Names<'t>,
        at: usize,
        operand: &MemoryOperand,
        sum: Option<u64>,
    ) -> Option<Culprit> {
        let index = Culprit::index;
        let (first, second) = match (operand.base, operand.index) {
            (Some(part), None) => return Some(index(part, 1)),
            (None, Some((part, scale))) => return Some(index(part, scale)),
            (None, None) => return None,
            // `lea (%rax,%rax,2)`: three times the same.
            (Some(base), Some((other, scale))) if base == other => {
                return Some(index(base, scale.checked_add(1)?));
            }
            (Some(base), Some(other)) => ((base, 1), other),
        };
        let size = |(part, scale): (Part, u64)| {
            let value = part_of_sum(names, at, operand, part, sum)?;
            let value = match part.size.min(operand.address_size) {
                4 => i64::from(i32::from_ne_bytes(u32::try_from(value).ok()?.to_ne_bytes())),
                _ => value.cast_signed(),
            };
            Some(value.unsigned_abs().saturating_mul(scale))
        };
        let (part, scale) = match (size(first)? > FAR, size(second)? > FAR) {
            (true, false) => first,
            (false, true) => second,
            _ => return None,
        };
        Some(index(part, scale))
    }

    /// Of a sum that was `value` what `part` of it was.
    pub(super) fn share(
        &self,
        names: &Names<'t>,
        at: usize,
        operand: &MemoryOperand,
        part: Part,
        scale: u64,
        value: Option<u64>,
    ) -> Option<u64> {
        if let Some(known) = part_of_sum(names, at, operand, part, value) {
            return Some(known);
        }
        let both = operand.base.is_some() && operand.index.is_some();
        let sum = value.filter(|_| !both && operand.segment.is_none())?;
        let product = sum.wrapping_sub(operand.displacement.cast_unsigned());
        (product.checked_rem(scale)? == 0).then(|| product / scale)
    }
}

/// What one of the two registers of an address held before step `at`: as it is known, else
/// what the other leaves of the sum.
fn part_of_sum(
    names: &Names<'_>,
    at: usize,
    operand: &MemoryOperand,
    part: Part,
    sum: Option<u64>,
) -> Option<u64> {
    let known = |part: Part| names.moment.part(part, at).map(|known| known.value);
    if let Some(value) = known(part) {
        return Some(value);
    }
    let (base, (index, scale)) = operand.base.zip(operand.index)?;
    let sum = sum.filter(|_| operand.segment.is_none())?;
    let rest = sum.wrapping_sub(operand.displacement.cast_unsigned());
    if part == base {
        let product = operand.index_value(index, known(index)?).wrapping_mul(scale);
        return Some(rest.wrapping_sub(product));
    }
    let product = rest.wrapping_sub(known(base)?);
    (part == index && product.checked_rem(scale)? == 0).then(|| product / scale)
}
