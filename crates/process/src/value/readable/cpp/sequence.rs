//! Containers whose elements lie one after the other: vectors, arrays, spans, bits.

use std::sync::Arc;

use super::form_result::{FormResult, Trouble};
use super::layout::{self, Shape};
use super::object::{CppObject, counted, element_name};
use crate::value::readable::Readable;
use crate::value::{Object, Text, TextOrigin, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::Encoding;

/// Bits of a bitset that are spelled out.
const BITS_SHOWN: u64 = 4096;

/// Three pointers to the elements: where they begin, where they end, where the storage
/// ends. Of truth values, each is a bit.
pub(super) fn vector<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    if let Some(element) = view.argument(0).filter(|element| is_boolean(*element)) {
        return bits(view, element);
    }
    let words: Vec<_> = view.words().collect();
    let same_target = |run: &&[&layout::Field<'d>]| {
        let targets = run.iter().map(|field| field.target(view.scene));
        let targets: Option<Vec<TypeRef<'d>>> = targets.collect();
        targets.is_some_and(|all| layout::are_same(&all))
    };
    let run = words.windows(3).find(same_target).ok_or(Trouble::Unfamiliar)?;
    let [begin, end, storage_end] = run else { return Err(Trouble::Unfamiliar) };
    let element = begin.target(view.scene).ok_or(Trouble::Unfamiliar)?;
    let (begin, end) = (view.number(begin)?, view.number(end)?);
    let storage_end = view.number(storage_end)?;
    let len = end.checked_sub(begin).ok_or(Trouble::Damaged("it ends before it begins"))?;
    if storage_end < end {
        return Err(Trouble::Damaged("it ends beyond its storage"));
    }
    let size = view.size_of(element)?;
    if len.checked_rem(size) != Some(0) {
        return Err(Trouble::Damaged("its length is not a multiple of its elements' size"));
    }
    view.check_mapped(begin, storage_end.saturating_sub(begin))?;
    view.contiguous(element, begin, len.checked_div(size).unwrap_or(0))
}

fn is_boolean(ty: TypeRef<'_>) -> bool {
    matches!(ty.get().kind, TypeKind::Base(base) if base.encoding == Encoding::Boolean)
}

/// `std::vector<bool>`: libstdc++ keeps two positions, each a pointer to a word and a bit
/// in it, and the end of its storage; libc++ a pointer, the number of bits and that of
/// words.
fn bits<'d>(view: &CppObject<'d>, boolean: TypeRef<'d>) -> FormResult<'d> {
    use Shape::{Integer, Pointer};
    let (start, first, count) = match view.run([Pointer, Integer, Pointer, Integer, Pointer]) {
        Some(run) => {
            let word_bits = word_bits(view, run.first().copied())?;
            let numbers = view.run_numbers([Pointer, Integer, Pointer, Integer, Pointer])?;
            let [start, first, finish, last, storage_end] = numbers;
            let words = finish.checked_sub(start);
            let bytes = words.ok_or(Trouble::Damaged("it ends before it begins"))?;
            if first >= word_bits || last >= word_bits {
                return Err(Trouble::Damaged("a bit's number is beyond its word"));
            }
            let count = bytes.checked_mul(8).and_then(|bits| bits.checked_add(last));
            let count = count.and_then(|end| end.checked_sub(first));
            let count = count.ok_or(Trouble::Damaged("it ends before it begins"))?;
            if storage_end < finish {
                return Err(Trouble::Damaged("it ends beyond its storage"));
            }
            (start, first, count)
        }
        None => {
            let shapes = [Pointer, Integer, Integer];
            let word_bits = word_bits(view, view.run(shapes).and_then(|run| run.first().copied()))?;
            let [start, count, words] = view.run_numbers(shapes)?;
            if words.checked_mul(word_bits).is_none_or(|storage| count > storage) {
                return Err(Trouble::Damaged("it ends beyond its storage"));
            }
            (start, 0, count)
        }
    };
    let end = first.checked_add(count).ok_or(Trouble::Damaged("it is larger than memory"))?;
    view.check_mapped(start, end.div_ceil(8))?;
    let words = Object::at(boolean, Avma(start));
    let elements = view.wanted(count).map(|index| {
        let bit = bit_in_memory(view, first.saturating_add(index));
        (element_name(index), words.part_at(boolean, i128::from(bit), Some(1)))
    });
    Ok(view.container(count, elements.collect()))
}

/// Bits of the words that a pointer points at.
fn word_bits<'d>(
    view: &CppObject<'d>,
    pointer: Option<&layout::Field<'d>>,
) -> Result<u64, Trouble> {
    let word = pointer.and_then(|pointer| pointer.target(view.scene));
    let size = view.size_of(word.ok_or(Trouble::Unfamiliar)?)?;
    size.checked_mul(8).ok_or(Trouble::Unfamiliar)
}

/// Where bit number `bit` of an array of `unsigned long`s lies, in memory order: on a
/// big-endian machine the bits of a word count from its other end.
fn bit_in_memory(view: &CppObject<'_>, bit: u64) -> u64 {
    let memory = view.scene.memory;
    match (memory.is_little_endian(), memory.word()) {
        (true, _) => bit,
        (false, 4) => bit ^ 31,
        (false, _) => bit ^ 63,
    }
}

/// `std::array`: an array, which is another thing where it has no elements.
pub(super) fn array<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    if layout::value_arguments(view.object.ty).first() == Some(&0) {
        return Ok(view.container(0, Vec::new()));
    }
    let is_array = |field: &&layout::Field<'d>| matches!(field.ty.get().kind, TypeKind::Array(_));
    let array = view.part(view.fields.iter().find(is_array).ok_or(Trouble::Unfamiliar)?);
    let count = array.length(view.scene).ok_or(Trouble::Unfamiliar)?;
    let elements = view.wanted(count).filter_map(|index| {
        let object = array.index(view.scene, i64::try_from(index).ok()?)?;
        Some((element_name(index), object))
    });
    Ok(view.container(count, elements.collect()))
}

/// `std::span` and `std::initializer_list`: a pointer, and a length that may be part of
/// the type.
pub(super) fn slice<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointer = view.words().find(|field| field.shape != Shape::Integer);
    let pointer = pointer.ok_or(Trouble::Unfamiliar)?;
    let element = pointer.target(view.scene).ok_or(Trouble::Unfamiliar)?;
    let count = match view.words().find(|field| field.shape == Shape::Integer) {
        Some(length) => view.number(length)?,
        None => {
            let fixed = layout::value_arguments(view.object.ty).first().copied();
            fixed.and_then(|count| u64::try_from(count).ok()).ok_or(Trouble::Unfamiliar)?
        }
    };
    view.contiguous(element, view.number(pointer)?, count)
}

/// `std::stack` and its like: what they adapt.
pub(super) fn adaptor<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let inner = view.part(view.named(&["c"]).ok_or(Trouble::Unfamiliar)?);
    let inner = view.inner(&inner).ok_or(Trouble::Absent)?;
    let Some(total) = inner.total else {
        let summary = inner.summary.as_deref().unwrap_or_default();
        let damage = summary.split_once(", damaged: ").map(|(_, how)| view.damaged(how));
        return damage.ok_or(Trouble::Absent);
    };
    Ok(Readable { summary: view.summarized(&counted(total)).summary, ..inner })
}

/// `std::bitset`: one word or an array of them. Spelled as its `to_string` does, the
/// highest bit first.
pub(super) fn bitset<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let count = layout::value_arguments(view.object.ty).first().copied();
    let count = count.and_then(|count| u64::try_from(count).ok()).ok_or(Trouble::Unfamiliar)?;
    let size = view.object.size(view.scene).unwrap_or(0);
    let bytes = view.object.bytes(view.scene)?;
    if size.checked_mul(8).is_none_or(|bits| count > bits) {
        return Err(Trouble::Unfamiliar);
    }
    let bit = |index: u64| {
        let at = bit_in_memory(view, index);
        let byte = bytes.get(usize::try_from(at / 8).ok()?)?;
        let mask = match view.scene.memory.is_little_endian() {
            true => 1_u8.checked_shl(u32::try_from(at % 8).ok()?)?,
            false => 0x80_u8.checked_shr(u32::try_from(at % 8).ok()?)?,
        };
        Some(if byte & mask == 0 { '0' } else { '1' })
    };
    let shown = count.min(BITS_SHOWN);
    let text: Option<String> =
        (0..count).rev().take(usize::try_from(shown).unwrap_or(0)).map(bit).collect();
    let text = text.ok_or(Trouble::Unfamiliar)?;
    let left_out = Some(count.saturating_sub(shown));
    let text = (count > 0).then_some(Text { text, origin: TextOrigin::Number, left_out });
    let summary: Arc<str> = format!(" of {count} bits").into();
    Ok(Readable { text, ..view.summarized(&summary) })
}
