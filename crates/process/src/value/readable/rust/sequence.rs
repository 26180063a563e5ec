//! `Vec`, `BinaryHeap`, `VecDeque`: a buffer (`RawVec`), of which a part is in use.

use super::object::RustObject;
use crate::value::readable::{Readable, extent, form};
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;

/// A buffer for elements of one type.
struct Buffer<'d> {
    element: TypeRef<'d>,
    size: u64,
    start: u64,
    /// Elements it has room for; those without a size need none.
    capacity: u64,
}

impl<'d> Buffer<'d> {
    fn of(view: &RustObject<'d>) -> Option<Self> {
        let element = view.argument()?;
        let size = extent::size_of(element, view.scene)?;
        let start = view.pointer("ptr")?.unsigned(view.scene).ok().filter(|start| *start != 0)?;
        let capacity = if size == 0 { u64::MAX } else { view.number("cap")? };
        Some(Self { element, size, start, capacity })
    }
}

/// `Vec`.
pub(super) fn vec<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let buffer = Buffer::of(view)?;
    let len = view.number("len").filter(|len| *len <= buffer.capacity)?;
    view.contiguous(buffer.element, buffer.start, len)
}

/// `BinaryHeap`: a `Vec` in the order of the heap.
pub(super) fn heap<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    vec(view)
}

/// `VecDeque`: since 1.67 a first index and a length, before that the index of the first
/// element (`tail`) and of the one behind the last (`head`), in a buffer whose capacity is
/// a power of two.
pub(super) fn deque<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let buffer = Buffer::of(view)?;
    let head = view.number("head")?;
    let (first, len) = match view.number("tail") {
        Some(tail) => {
            let capacity = Some(buffer.capacity).filter(|cap| cap.is_power_of_two())?;
            (tail, head.wrapping_sub(tail) & capacity.wrapping_sub(1))
        }
        None => (head, view.number("len")?),
    };
    let is_sound = len <= buffer.capacity && (first < buffer.capacity || first == 0);
    let bytes = buffer.capacity.checked_mul(buffer.size);
    let held = bytes.is_none_or(|bytes| extent::is_mapped(view.scene, Avma(buffer.start), bytes));
    if !is_sound || !held || i64::try_from(len).is_err() {
        return None;
    }
    let mut elements = Vec::new();
    for index in extent::wanted(len, view.limit) {
        let into = first.checked_add(index)?.checked_rem(buffer.capacity)?;
        let at = buffer.start.checked_add(into.checked_mul(buffer.size)?)?;
        elements.push((extent::element_name(index), Object::at(buffer.element, Avma(at))));
    }
    let summary = Some(form::counted("VecDeque", len));
    Some(Readable { summary, elements, total: Some(len), ..Readable::default() })
}
