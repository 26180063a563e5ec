//! `std::deque`: blocks of elements, and an array of pointers to them.

use super::form_result::{FormResult, Trouble};
use super::layout::{self, Shape};
use super::object::{CppObject, element_name};
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;

/// The elements of a deque by their blocks.
struct Blocks<'d> {
    element: TypeRef<'d>,
    /// Where the pointer to the block of the first element lies.
    first_block: u64,
    /// Elements of that block before the first.
    skipped: u64,
    /// Elements of a block.
    per_block: u64,
    count: u64,
}

pub(super) fn deque<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let blocks = match libstdcxx(view) {
        Err(Trouble::Unfamiliar) => libcxx(view),
        other => other,
    }?;
    let size = view.size_of(blocks.element)?;
    let pointer = pointer_size(view);
    let position = |index: u64| {
        let at = blocks.skipped.checked_add(index)?;
        let block = at.checked_div(blocks.per_block)?.checked_mul(pointer)?;
        let within = at.checked_rem(blocks.per_block)?.checked_mul(size)?;
        Some((blocks.first_block.checked_add(block)?, within))
    };
    let mut elements = Vec::new();
    for index in view.wanted(blocks.count) {
        let (block, within) =
            position(index).ok_or(Trouble::Damaged("it is larger than memory"))?;
        let at = view.word(block)?.wrapping_add(within);
        view.check_mapped(at, size)?;
        elements.push((element_name(index), Object::at(blocks.element, Avma(at))));
    }
    Ok(view.container(blocks.count, elements))
}

/// Bytes of an address, by the only ones that a deque is sure to hold.
fn pointer_size(view: &CppObject<'_>) -> u64 {
    let pointer = view.words().find(|field| field.shape != Shape::Integer);
    pointer.and_then(|field| view.part(field).size(view.scene)).unwrap_or(8)
}

/// The array of blocks, how many, and two positions: each an element, the begin and end
/// of its block and the pointer to that.
fn libstdcxx<'d>(view: &CppObject<'d>) -> Result<Blocks<'d>, Trouble> {
    let words: Vec<_> = view.words().collect();
    let target = |field: &layout::Field<'d>| field.target(view.scene);
    let is_position = |run: &[&layout::Field<'d>]| {
        let [cur, first, last, node] = run else { return false };
        let block = target(node).and_then(|block| layout::target(block, view.scene));
        let all = [target(cur), target(first), target(last), block];
        let all: Option<Vec<TypeRef<'d>>> = all.into_iter().collect();
        all.is_some_and(|all| layout::are_same(&all))
    };
    let run = words.windows(10).find(|run| {
        run.first().is_some_and(|map| map.shape == Shape::PointerToPointer)
            && run.get(1).is_some_and(|size| size.shape == Shape::Integer)
            && run.get(2..6).is_some_and(is_position)
            && run.get(6..).is_some_and(is_position)
    });
    let run = run.ok_or(Trouble::Unfamiliar)?;
    let element = run.get(2).and_then(|cur| target(cur)).ok_or(Trouble::Unfamiliar)?;
    let mut numbers = [0; 10];
    for (number, field) in numbers.iter_mut().zip(run) {
        *number = view.number(field)?;
    }
    let [map, map_size, cur, first, last, node, end_cur, end_first, end_last, end_node] = numbers;
    if numbers.iter().all(|number| *number == 0) {
        // Moved from, as old libraries do it.
        return Ok(Blocks { element, first_block: 0, skipped: 0, per_block: 1, count: 0 });
    }
    let size = view.size_of(element)?;
    let pointer = pointer_size(view);
    let elements = |from: u64, to: u64| {
        let bytes = to.checked_sub(from)?;
        (bytes.checked_rem(size)? == 0).then(|| bytes.checked_div(size))?
    };
    let broken = || Trouble::Damaged("its ends do not lie in their blocks");
    let per_block = elements(first, last).filter(|count| *count > 0).ok_or_else(broken)?;
    let skipped = elements(first, cur).filter(|skipped| *skipped < per_block).ok_or_else(broken)?;
    let used = elements(end_first, end_cur).filter(|used| *used < per_block).ok_or_else(broken)?;
    if elements(end_first, end_last) != Some(per_block) {
        return Err(broken());
    }
    let broken = || Trouble::Damaged("its blocks do not lie in its array of them");
    let array_end = map_size.checked_mul(pointer).and_then(|len| map.checked_add(len));
    let is_inside = |at: u64| at >= map && array_end.is_some_and(|end| at < end);
    if !is_inside(node) || !is_inside(end_node) {
        return Err(broken());
    }
    let blocks = end_node.checked_sub(node).and_then(|bytes| bytes.checked_div(pointer));
    let end = blocks.and_then(|blocks| blocks.checked_mul(per_block)?.checked_add(used));
    let count = end.and_then(|end| end.checked_sub(skipped)).ok_or_else(broken)?;
    view.check_mapped(map, map_size.saturating_mul(pointer))?;
    if view.word(node)? != first || view.word(end_node)? != end_first {
        return Err(Trouble::Damaged("its ends do not lie in their blocks"));
    }
    Ok(Blocks { element, first_block: node, skipped, per_block, count })
}

/// Elements of a block in libc++: 4096 bytes' worth, but at least sixteen.
const BLOCK_BYTES: u64 = 4096;
const BLOCK_ELEMENTS: u64 = 16;
/// From this size on a block holds the least number of elements.
const LARGE_ELEMENT: u64 = 256;

/// An array of blocks that may have room at both ends, the number of elements skipped in
/// the first block, and that of all elements.
fn libcxx<'d>(view: &CppObject<'d>) -> Result<Blocks<'d>, Trouble> {
    use Shape::{Integer, PointerToPointer};
    let shapes =
        [PointerToPointer, PointerToPointer, PointerToPointer, PointerToPointer, Integer, Integer];
    let run = view.run(shapes).ok_or(Trouble::Unfamiliar)?;
    let [array, begin, end, array_end, skipped, count] = view.run_numbers(shapes)?;
    let block = run.first().and_then(|field| field.target(view.scene));
    let element = block.and_then(|block| layout::target(block, view.scene));
    let element = element.ok_or(Trouble::Unfamiliar)?;
    let per_block = match view.size_of(element)? {
        size if size < LARGE_ELEMENT => BLOCK_BYTES.checked_div(size).unwrap_or(1),
        _ => BLOCK_ELEMENTS,
    };
    if !(array <= begin && begin <= end && end <= array_end) {
        return Err(Trouble::Damaged("its blocks do not lie in its array of them"));
    }
    let blocks = end.saturating_sub(begin).checked_div(pointer_size(view)).unwrap_or(0);
    let room = blocks.checked_mul(per_block);
    let used = skipped.checked_add(count);
    if room.is_none() || used.is_none() || used > room {
        return Err(Trouble::Damaged("it has more elements than its blocks hold"));
    }
    view.check_mapped(begin, end.saturating_sub(begin))?;
    Ok(Blocks { element, first_block: begin, skipped, per_block, count })
}
