//! Following a path through an object.

use super::path::Path;
use crate::value::{Object, Scene};
use obit_dwarf::TypeKind;

impl Path {
    /// What it leads to in `object`; `None` if a member is missing or a pointer absent.
    pub(super) fn of<'d>(&self, object: &Object<'d>, scene: Scene<'d>) -> Option<Object<'d>> {
        let mut at = object.clone();
        for step in &self.steps {
            // Fields of tuples have numbers for names, in DWARF with `__` before them.
            let is_number = step.chars().all(|c| c.is_ascii_digit());
            let name = if is_number { format!("__{step}") } else { step.clone() };
            at = followed(at, scene)?.member(scene, &name)?;
        }
        Some(at)
    }

    /// The number it leads to.
    pub(super) fn number<'d>(&self, object: &Object<'d>, scene: Scene<'d>) -> Option<i128> {
        self.of(object, scene)?.integer(scene).ok()
    }

    /// The count it leads to.
    pub(super) fn count<'d>(&self, object: &Object<'d>, scene: Scene<'d>) -> Option<u64> {
        u64::try_from(self.number(object, scene)?).ok()
    }
}

/// Pointers to pointers that are followed for one step.
const POINTERS: usize = 4;

/// The record that a pointer leads to.
fn followed<'d>(object: Object<'d>, scene: Scene<'d>) -> Option<Object<'d>> {
    let mut object = object;
    for _ in 0..POINTERS {
        if !matches!(object.resolved(scene).get().kind, TypeKind::Pointer { .. }) {
            break;
        }
        object = object.pointee(scene).ok()?;
    }
    Some(object)
}
