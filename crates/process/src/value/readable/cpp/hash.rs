//! `std::unordered_map` and its like: buckets, and one chain through all nodes.

use super::form_result::{FormResult, Trouble};
use super::layout::Shape;
use super::list::{walk, walked};
use super::node::Payload;
use super::object::CppObject;

/// The array of buckets, how many, the chain's first node, and how many nodes: so do both
/// libraries lay it out.
pub(super) fn hash_table<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    use Shape::{Integer, Pointer, PointerToPointer};
    let shapes = [PointerToPointer, Integer, Pointer, Integer];
    let run = view.run(shapes).ok_or(Trouble::Unfamiliar)?;
    let [buckets, bucket_count, first, count] = view.run_numbers(shapes)?;
    let pointer = run.first().and_then(|field| view.part(field).size(view.scene)).unwrap_or(8);
    match (first, count) {
        (0, 0) => return Ok(view.container(0, Vec::new())),
        (0, _) => return Err(Trouble::Damaged("it has no nodes but a count above zero")),
        (_, 0) => return Err(Trouble::Damaged("it has nodes but a count of zero")),
        _ => {}
    }
    let size = bucket_count.checked_mul(pointer).filter(|size| *size > 0);
    view.check_mapped(buckets, size.ok_or(Trouble::Damaged("it has no buckets"))?)?;
    let payload = Payload::of(view, pointer)?;
    let step = |node: u64, _| {
        view.check_mapped(node, payload.end(view)?)?;
        view.word(node)
    };
    let walk = walk(view, payload, first, 0, 0, Some(count), step);
    Ok(walked(view, walk, Some(count)))
}
