//! What names, types and texts were judged to say. A stack asks the same of its variables in each
//! round of a recursion, and of each element of a list; many stacks have the same functions.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::key_material::{self, Material};
use crate::kind::Kind;

/// Names or types that are remembered; then all are forgotten.
const MOST: usize = 1 << 13;
/// Bytes of the longest that is remembered.
const LONGEST: usize = 256;

/// Answers by name, by type and by text, each made once.
#[derive(Debug, Default)]
pub(super) struct Answers {
    names: Memo<Material>,
    types: Memo<Kind>,
    /// Texts in which nothing is found.
    plain: Memo<()>,
}

impl Answers {
    /// As [`key_material::of_name`].
    pub(super) fn of_name(&self, name: &str) -> Option<Material> {
        self.names.get(name, key_material::of_name)
    }

    /// As [`key_material::of_type`].
    pub(super) fn of_type(&self, type_name: &str) -> Option<Kind> {
        self.types.get(type_name, key_material::of_type)
    }

    /// Whether nothing is found in `text`, which `find` says.
    pub(super) fn is_plain(&self, text: &str, find: impl FnOnce(&str) -> bool) -> bool {
        self.plain.get(text, |text| find(text).then_some(())).is_some()
    }
}

/// Answers by text.
#[derive(Debug)]
struct Memo<T> {
    known: RefCell<HashMap<Box<str>, Option<T>>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { known: RefCell::default() }
    }
}

impl<T: Copy> Memo<T> {
    fn get(&self, text: &str, judge: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut known = self.known.borrow_mut();
        if let Some(answer) = known.get(text) {
            return *answer;
        }
        let answer = judge(text);
        if text.len() <= LONGEST {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(text.into(), answer);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_was_judged() {
        let answers = Answers::default();
        let long = format!("{}.master_key", "a".repeat(LONGEST));
        for name in ["aes_key", "count", "", &long, "key", "aes_key"] {
            for _ in 0..2 {
                assert_eq!(answers.of_name(name), key_material::of_name(name), "{name}");
                assert_eq!(answers.of_type(name), key_material::of_type(name), "{name}");
            }
        }
        assert_eq!(answers.of_type("struct aes_key_st *"), Some(Kind::Secret));
        assert!(answers.is_plain("main", |_| true) && answers.is_plain("main", |_| false));
        assert!(!answers.is_plain("a@b.example", |_| false));
    }

    #[test]
    fn hostile_names_take_bounded_memory() {
        let answers = Answers::default();
        for at in 0..MOST + 10 {
            answers.of_name(&format!("n{at}"));
        }
        answers.of_name(&"n".repeat(LONGEST + 1));
        assert_eq!(answers.names.known.borrow().len(), 10);
    }
}
