//! Functions whose changes say nothing of one bug.

use std::collections::{BTreeMap, BTreeSet};

use super::code_hashes::StackFunction;

/// Groups whose stacks show which functions most have.
const GROUPS: usize = 4;

/// Functions that most groups of a program have on their stacks: a change in them, as of a
/// version in `main`, would otherwise explain every crash that did not occur for a while.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommonFunctions {
    known: BTreeSet<(String, String)>,
}

impl CommonFunctions {
    /// Of `stacks`, each with the group that it is of.
    pub(crate) fn of<'s>(stacks: impl Iterator<Item = (usize, &'s [StackFunction])>) -> Self {
        let mut groups = BTreeSet::new();
        let mut having: BTreeMap<(&str, &str), BTreeSet<usize>> = BTreeMap::new();
        for (group, stack) in stacks {
            groups.insert(group);
            for function in stack {
                let key = (function.module.as_str(), function.symbol.as_str());
                having.entry(key).or_default().insert(group);
            }
        }
        if groups.len() < GROUPS {
            return Self::default();
        }
        let most = having.into_iter().filter(|(_, having)| having.len() * 2 > groups.len());
        let known = most.map(|((module, symbol), _)| (module.to_owned(), symbol.to_owned()));
        Self { known: known.collect() }
    }

    /// Whether a program begins with `function`, in which it often has its version.
    pub(super) fn is_entry(function: &StackFunction) -> bool {
        matches!(function.symbol.as_str(), "main" | "main.main" | "_start")
            || function.name == "main"
            || function.name.ends_with("::main")
    }

    /// Whether changes in `function` say nothing of a group.
    pub(super) fn has(&self, function: &StackFunction) -> bool {
        Self::is_entry(function)
            || self.known.contains(&(function.module.clone(), function.symbol.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> StackFunction {
        StackFunction { module: "app".to_owned(), symbol: name.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn what_most_groups_have_on_their_stacks_is_common_and_so_is_main() {
        let stacks: Vec<Vec<StackFunction>> = (0..GROUPS)
            .map(|at| vec![function(&format!("f{at}")), function("run"), function("main")])
            .collect();
        let found = |groups: usize| {
            let stacks = stacks.iter().take(groups).enumerate();
            CommonFunctions::of(stacks.map(|(at, stack)| (at, stack.as_slice())))
        };
        let of = |common: &CommonFunctions| {
            ["f0", "run", "main"].map(|name| common.has(&function(name)))
        };
        assert_eq!(of(&found(GROUPS)), [false, true, true]);
        assert_eq!(of(&found(GROUPS - 1)), [false, false, true]);
    }
}
