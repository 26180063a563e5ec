//! Hashes of the code of functions, by build (`disassembly::code_hash`).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

/// Functions of one stack that are compared, innermost first.
pub(crate) const COMPARED: usize = 8;
/// Functions that two builds have in common, from which on they show whether both were made
/// in the same way.
const ENOUGH: usize = 16;

/// Stands for all code of an image, to the byte, in place of a symbol.
pub const WHOLE_IMAGE: &str = "";

/// A function of the program on a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StackFunction {
    /// The name of its image.
    pub module: String,
    /// The symbol's name without what a compiler adds to parts and copies.
    pub symbol: String,
    /// Its name for people.
    pub name: String,
}

/// The hash of a function in a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeRow {
    /// The build ID of the program.
    pub build: String,
    /// The name of the image.
    pub module: String,
    /// As [`StackFunction::symbol`].
    pub symbol: String,
    /// `None` where the image has no such function, and empty where it has no hash.
    pub hash: Option<String>,
}

/// Hashes of functions by build, and functions on the stacks of dumps.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeHashes {
    of_build: HashMap<String, BTreeMap<(String, String), Option<String>>>,
    /// By the dump's row.
    pub stacks: HashMap<i64, Vec<StackFunction>>,
}

/// What became of a function between two releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", schemars(rename = "Change"))]
pub enum CodeChange {
    /// Its code is another.
    #[default]
    Changed,
    /// Only the later release has it.
    Added,
    /// Only the earlier release has it.
    Removed,
    /// Its code is the same.
    Same,
}

impl CodeHashes {
    /// Adds a row of the store.
    pub(crate) fn insert(&mut self, row: CodeRow) {
        self.of_build.entry(row.build).or_default().insert((row.module, row.symbol), row.hash);
    }

    /// Whether the store has a row for the function.
    pub(crate) fn knows(&self, build: &str, function: &StackFunction) -> bool {
        self.hash(build, function).is_some()
    }

    fn hash(&self, build: &str, function: &StackFunction) -> Option<&Option<String>> {
        let key = (function.module.clone(), function.symbol.clone());
        self.of_build.get(build)?.get(&key)
    }

    pub(super) fn change(
        &self,
        from: &str,
        to: &str,
        function: &StackFunction,
    ) -> Option<CodeChange> {
        match (self.hash(from, function)?, self.hash(to, function)?) {
            (Some(from), Some(to)) if from.is_empty() || to.is_empty() => None,
            (Some(from), Some(to)) if from == to => Some(CodeChange::Same),
            (Some(_), Some(_)) => Some(CodeChange::Changed),
            (Some(_), None) => Some(CodeChange::Removed),
            (None, Some(_)) => Some(CodeChange::Added),
            (None, None) => None,
        }
    }

    /// Whether all images on the stack are the same to the byte: then what made the crash
    /// come and go lies elsewhere, and code says nothing of it.
    pub(super) fn are_the_same(&self, one: &str, other: &str, stack: &[StackFunction]) -> bool {
        let image = |function: &StackFunction| StackFunction {
            module: function.module.clone(),
            symbol: WHOLE_IMAGE.to_owned(),
            name: String::new(),
        };
        one != other
            && !stack.is_empty()
            && stack.iter().map(image).all(|image| {
                self.change(one, other, &image).is_some_and(|what| what == CodeChange::Same)
            })
    }

    /// Whether functions that are the same would look so: of two builds made by different
    /// compilers or options hardly any is.
    pub(super) fn are_alike(&self, one: &str, other: &str) -> bool {
        let Some((one, other)) = self.of_build.get(one).zip(self.of_build.get(other)) else {
            return false;
        };
        let is_hash = |hash: &&Option<String>| hash.as_ref().is_some_and(|hash| !hash.is_empty());
        let (mut common, mut same) = (0_usize, 0_usize);
        let functions = one.iter().filter(|((_, symbol), _)| symbol != WHOLE_IMAGE);
        for (function, hash) in functions.filter(|(_, hash)| is_hash(hash)) {
            let Some(there) = other.get(function).filter(is_hash) else { continue };
            common += 1;
            same += usize::from(hash == there);
        }
        common < ENOUGH || same * 8 >= common
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_the_same_to_the_byte_do_not_show_why_a_crash_came_and_went() {
        let mut code = CodeHashes::default();
        let row = |build: &str, hash: &str| CodeRow {
            build: build.to_owned(),
            module: "app".to_owned(),
            symbol: WHOLE_IMAGE.to_owned(),
            hash: Some(hash.to_owned()),
        };
        for (build, hash) in [("a", "1"), ("b", "1"), ("c", "2")] {
            code.insert(row(build, hash));
        }
        let function = StackFunction { module: "app".to_owned(), ..StackFunction::default() };
        let stack = [function];
        assert!(code.are_the_same("a", "b", &stack));
        assert!(!code.are_the_same("a", "c", &stack));
        assert!(!code.are_the_same("a", "d", &stack));
        assert!(!code.are_the_same("a", "a", &stack), "of one build everything is known");
    }

    #[test]
    fn builds_of_another_compiler_say_nothing_of_the_source() {
        let mut code = CodeHashes::default();
        for (build, other) in [("a", 'x'), ("b", 'y'), ("c", 'x')] {
            for at in 0..ENOUGH {
                code.insert(CodeRow {
                    build: build.to_owned(),
                    module: "app".to_owned(),
                    symbol: format!("f{at}"),
                    hash: Some(format!("{other}{at}")),
                });
            }
        }
        assert!(!code.are_alike("a", "b"));
        assert!(code.are_alike("a", "c"));
        assert!(!code.are_alike("a", "d"));
    }
}
