//! The elements of a map, as they are found.

use std::sync::Arc;

use super::object::GoObject;
use crate::value::Object;
use crate::value::readable::{Readable, extent, form};

/// The first elements of a map.
pub(super) struct Entries<'d> {
    wanted: u64,
    keys: Vec<Object<'d>>,
    elements: Vec<(Arc<str>, Object<'d>)>,
}

impl<'d> Entries<'d> {
    /// Of a map of `count` elements.
    pub(super) fn new(count: u64, view: &GoObject<'d>) -> Self {
        let wanted = extent::wanted(count, view.limit).end;
        Self { wanted, keys: Vec::new(), elements: Vec::new() }
    }

    /// Whether no more are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.elements.len() as u64 >= self.wanted
    }

    /// Adds what lies in the place for a key and that for its value in the map `view`.
    ///
    /// Keys and values larger than 128 bytes are stored elsewhere, with a pointer to them in
    /// the slot: only the name of the map's type, `prefix`, K, comma, V, `>`, shows that K
    /// is not a pointer.
    pub(super) fn push(
        &mut self,
        view: &GoObject<'d>,
        prefix: &str,
        key: Object<'d>,
        value: Object<'d>,
    ) -> Option<()> {
        let map = view.object.ty.name();
        let arguments = map.strip_prefix(prefix).unwrap_or_default();
        let followed = |object: Object<'d>, is_wanted: &dyn Fn(&str) -> bool| {
            let name = object.ty.name();
            match name.strip_prefix('*') {
                Some(target) if is_wanted(target) => object.pointee(view.scene).ok(),
                _ => Some(object),
            }
        };
        let key = followed(key, &|name| arguments.starts_with(&format!("{name},")))?;
        let value = followed(value, &|name| arguments.ends_with(&format!(",{name}>")))?;
        let name = extent::element_name(self.elements.len() as u64);
        self.keys.push(key);
        self.elements.push((name, value));
        Some(())
    }

    /// The readable form of a map of `count` elements; `None` if all of it was looked at and
    /// it has fewer elements than it counts.
    pub(super) fn into_readable(self, count: u64, looked_at: LookedAt) -> Option<Readable<'d>> {
        if looked_at == LookedAt::All && !self.is_full() {
            return None;
        }
        let Self { keys, elements, .. } = self;
        let summary = Some(form::counted("map", count));
        Some(Readable { summary, elements, keys, total: Some(count), text: None })
    }
}

/// How much of a map was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookedAt {
    All,
    Part,
}
