//! Channels (`runtime.hchan`): a ring of elements that were sent and not received.

use super::object::{GoObject, target};
use crate::value::readable::{Readable, extent};
use crate::value::{Object, TypeRef};
use obit_corefile::addr::Avma;

/// A channel, of which this is the `hchan`.
pub(super) fn readable<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let (held, room) = (view.number("qcount")?, view.number("dataqsiz")?);
    let closed = match view.number("closed")? {
        0 => "",
        1 => ", closed",
        _ => return None,
    };
    let element = element_type(view)?;
    let size = extent::size_of(element, view.scene)?;
    let (start, first) = (view.number("buf")?, view.number("recvx")?);
    let bytes = room.checked_mul(size)?;
    let is_sound = held <= room
        && (first < room || first == 0)
        && view.number("elemsize")? == size
        && i64::try_from(room).is_ok()
        && extent::is_mapped(view.scene, Avma(start), bytes);
    if !is_sound {
        return None;
    }
    let mut elements = Vec::new();
    for index in extent::wanted(held, view.limit) {
        let into = first.checked_add(index)?.checked_rem(room)?;
        let at = Avma(start.checked_add(into.checked_mul(size)?)?);
        elements.push((extent::element_name(index), Object::at(element, at)));
    }
    let said = if room == 0 {
        format!("channel, unbuffered{closed}")
    } else {
        format!("channel, {held} of {room} in its buffer{closed}")
    };
    Some(Readable { summary: Some(said), elements, total: Some(held), ..Readable::default() })
}

/// The type of the elements, as those who wait for one point at it.
fn element_type<'d>(view: &GoObject<'d>) -> Option<TypeRef<'d>> {
    let scene = view.scene;
    let waiting = target(view.member("recvq")?.member(scene, "first")?.ty)?;
    target(Object::at(waiting, Avma(0)).member(scene, "elem")?.ty)
}
