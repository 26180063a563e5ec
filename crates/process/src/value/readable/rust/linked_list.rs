//! `LinkedList`: nodes that point at one another.

use super::object::{self, RustObject};
use crate::value::Object;
use crate::value::readable::{Readable, extent, form};
use obit_corefile::addr::Avma;

/// `LinkedList`.
pub(super) fn list<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let scene = view.scene;
    let len = view.number("len").filter(|len| i64::try_from(*len).is_ok())?;
    let next = |option: &Object<'d>| object::part(option, "pointer", scene);
    let mut node = next(&view.part("head")?);
    let mut before = Avma(0);
    let mut elements = Vec::new();
    for index in extent::wanted(len, view.limit) {
        let at = node?.pointee(scene).ok()?;
        let prev = next(&at.member(scene, "prev")?).map_or(Some(0), |p| p.unsigned(scene).ok())?;
        // A node that does not point back is not part of this list.
        if prev != before.0 {
            return None;
        }
        before = at.address()?;
        elements.push((extent::element_name(index), at.member(scene, "element")?));
        node = next(&at.member(scene, "next")?);
    }
    let summary = Some(form::counted("LinkedList", len));
    Some(Readable { summary, elements, total: Some(len), ..Readable::default() })
}
