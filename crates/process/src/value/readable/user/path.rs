//! The way from an object to something in it.

use crate::value::{Object, Scene};
use obit_dwarf::TypeKind;

/// Member names, one within the other: `a.b.c`. A pointer on the way is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<String>,
}

impl Path {
    /// Reads `a.b.c`; `None` if a name is missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let steps: Vec<String> = text.split('.').map(|step| step.trim().to_owned()).collect();
        let is_name = |step: &String| {
            !step.is_empty() && !step.contains(|c: char| c.is_whitespace() || "{}*[]->".contains(c))
        };
        steps.iter().all(is_name).then_some(Self { steps })
    }

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

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.steps.join("."))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_names_with_dots_between() {
        assert_eq!(Path::parse("a.b_1.0").unwrap().to_string(), "a.b_1.0");
        for wrong in ["", ".", "a.", "a..b", "a->b", "a[0]", "*a", "a b"] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}
