//! Whether the functions on a group's stack are the same in two releases.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::build::Build;
use super::code_hashes::{CodeChange, CodeHashes, StackFunction};
use super::common_functions::CommonFunctions;
use super::release::Releases;

/// What became of a function on the group's stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ChangedFunction {
    /// The function.
    pub function: String,
    /// The earlier release.
    pub from: String,
    /// The later one.
    pub to: String,
    /// What became of it between these.
    pub what: CodeChange,
}

/// What the code says of a release that did not show a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Nothing.
    #[default]
    Unknown,
    /// The functions on the stack are those of a release that showed it.
    Same,
    /// These, by name, are others than before and after.
    Changed(Vec<String>),
    /// These are, and what came after is what was before.
    Restored(Vec<String>),
}

impl ChangedFunction {
    /// Whether both releases have the same code of it.
    pub(crate) fn is_same(&self) -> bool {
        self.what == CodeChange::Same
    }
}

/// The code of one group in one program.
#[derive(Clone, Debug)]
pub(crate) struct GroupCode<'c> {
    /// All that is known.
    pub code: &'c CodeHashes,
    /// Builds of the newest release that has the group and of the one before, and the
    /// functions on a stack of the group there.
    pub stacks: Vec<(usize, &'c [StackFunction])>,
    /// Functions whose changes say nothing of this group.
    pub common: &'c CommonFunctions,
}

/// Releases in a row from which on a function that changed in each of them always changes.
const ALWAYS: usize = 4;
/// The newest releases of which that is asked.
const LOOKED_AT: usize = 8;

/// Builds of the release that were made as `like`.
fn builds_like<'b>(
    releases: &'b Releases,
    builds: &'b [Build],
    place: usize,
    like: &'b Build,
) -> impl Iterator<Item = (usize, &'b Build)> {
    let members = releases.list.get(place).map_or(&[][..], |release| release.builds.as_slice());
    members
        .iter()
        .filter_map(|at| Some((*at, builds.get(*at)?)))
        .filter(|(_, build)| build.variant == like.variant && !build.id.is_empty())
}

/// The place of an earlier release and that of a later one.
type Span = (usize, usize);

impl GroupCode<'_> {
    /// What became of each function between two releases, both by their place.
    pub(crate) fn changes(
        &self,
        releases: &Releases,
        builds: &[Build],
        span: Span,
    ) -> Vec<ChangedFunction> {
        let name = |place: usize| {
            releases.list.get(place).map(|release| release.name.clone()).unwrap_or_default()
        };
        let mut found: Vec<ChangedFunction> = Vec::new();
        for (build, stack) in &self.stacks {
            let whats = self.of_stack(releases, builds, span, *build, stack);
            for (function, what) in stack.iter().zip(whats) {
                let Some(what) = what else { continue };
                match found.iter_mut().find(|known| known.function == function.name) {
                    // What is the same in one variant and not in another has changed.
                    Some(known) if known.what == CodeChange::Same => known.what = what,
                    Some(_) => {}
                    None => found.push(ChangedFunction {
                        function: function.name.clone(),
                        from: name(span.0),
                        to: name(span.1),
                        what,
                    }),
                }
            }
        }
        found
    }

    /// What became of each function of a stack in builds made as `build`.
    fn of_stack(
        &self,
        releases: &Releases,
        builds: &[Build],
        (from, to): Span,
        build: usize,
        stack: &[StackFunction],
    ) -> Vec<Option<CodeChange>> {
        let mut changes = vec![None; stack.len()];
        let Some(like) = builds.get(build) else { return changes };
        for (_, one) in builds_like(releases, builds, from, like) {
            for (_, other) in builds_like(releases, builds, to, like) {
                if !self.code.are_alike(&one.id, &other.id)
                    || self.code.are_the_same(&one.id, &other.id, stack)
                {
                    continue;
                }
                for (change, function) in changes.iter_mut().zip(stack) {
                    // Builds of one release and variant differ in what is not counted: what
                    // is the same in any two is the same.
                    match self.code.change(&one.id, &other.id, function) {
                        Some(CodeChange::Same) => *change = Some(CodeChange::Same),
                        other => *change = change.or(other),
                    }
                }
            }
        }
        changes
    }

    /// What the code of the releases in `gap` says, which did not show the group, between
    /// `last`, which did, and `newest`, which does. All are places.
    pub(crate) fn of_gap(
        &self,
        releases: &Releases,
        builds: &[Build],
        last: usize,
        gap: &[usize],
        newest: usize,
    ) -> Evidence {
        // A change in any function may be the fix, unless it is the entry, where the version is.
        let is_whole = |changes: &[Option<CodeChange>], stack: &[StackFunction]| {
            let mut known =
                changes.iter().zip(stack).filter(|(_, f)| !CommonFunctions::is_entry(f)).peekable();
            known.peek().is_some() && known.all(|(change, _)| *change == Some(CodeChange::Same))
        };
        let mut is_same = false;
        let mut twice: Vec<String> = Vec::new();
        let mut restored: Vec<String> = Vec::new();
        for place in gap {
            let (mut same_here, mut twice_here) = (false, Vec::new());
            for (build, stack) in &self.stacks {
                let of = |span| self.of_stack(releases, builds, span, *build, stack);
                let (before, after, across) =
                    (of((last, *place)), of((*place, newest)), of((last, newest)));
                same_here |= is_whole(&before, stack) || is_whole(&after, stack);
                if !before.iter().zip(&after).any(|(one, other)| differs(one) && differs(other)) {
                    continue;
                }
                let says = self.says(releases, builds, *build, stack);
                let changes = before.iter().zip(&after).zip(&across);
                for ((function, ((before, after), across)), says) in
                    stack.iter().zip(changes).zip(&says)
                {
                    if *says && differs(before) && differs(after) {
                        twice_here.push(function.name.clone());
                        if *across == Some(CodeChange::Same) {
                            restored.push(function.name.clone());
                        }
                    }
                }
            }
            // What one variant has in line, another may show to have changed.
            is_same |= same_here && twice_here.is_empty();
            twice.extend(twice_here);
        }
        let named = |names: Vec<String>| {
            let mut seen = BTreeSet::new();
            names.into_iter().filter(|name| seen.insert(name.clone())).collect::<Vec<_>>()
        };
        if is_same {
            // One release with the same code had the bug; then it was never gone.
            Evidence::Same
        } else if !restored.is_empty() {
            Evidence::Restored(named(restored))
        } else if !twice.is_empty() {
            Evidence::Changed(named(twice))
        } else {
            Evidence::Unknown
        }
    }

    /// Whether a change in each function of a stack says anything of this group.
    fn says(
        &self,
        releases: &Releases,
        builds: &[Build],
        build: usize,
        stack: &[StackFunction],
    ) -> Vec<bool> {
        let mut known = vec![0_usize; stack.len()];
        let mut same = vec![0_usize; stack.len()];
        for place in (1..releases.list.len()).rev().take(LOOKED_AT) {
            let changes = self.of_stack(releases, builds, (place - 1, place), build, stack);
            for ((known, same), change) in known.iter_mut().zip(&mut same).zip(changes) {
                *known += usize::from(change.is_some());
                *same += usize::from(change == Some(CodeChange::Same));
            }
        }
        let always =
            known.into_iter().zip(same).map(|(known, same)| same == 0 && known + 1 >= ALWAYS);
        stack.iter().zip(always).map(|(f, always)| !always && !self.common.has(f)).collect()
    }
}

fn differs(change: &Option<CodeChange>) -> bool {
    change.is_some_and(|what| what != CodeChange::Same)
}

#[cfg(test)]
mod tests {
    use super::super::code_hashes::CodeRow;
    use super::*;

    /// Three releases of one build each, and the hashes of functions `a`, `b` in them.
    fn evidence(hashes: [[Option<&str>; 2]; 3]) -> Evidence {
        let builds: Vec<Build> = (0..3)
            .map(|at| Build {
                id: format!("{at:040x}"),
                program: "app".to_owned(),
                version: Some(format!("{}.0", at + 1)),
                dumps: 9,
                ..Build::default()
            })
            .collect();
        let releases = Releases::of("app", &builds, None, None);
        let function = |name: &str| StackFunction {
            module: "app".to_owned(),
            symbol: name.to_owned(),
            name: name.to_owned(),
        };
        let mut code = CodeHashes::default();
        for (build, hashes) in builds.iter().zip(hashes) {
            for (name, hash) in ["a", "b"].into_iter().zip(hashes) {
                // `?` stands for what is not in the store.
                if hash != Some("?") {
                    code.insert(CodeRow {
                        build: build.id.clone(),
                        module: "app".to_owned(),
                        symbol: name.to_owned(),
                        hash: hash.map(str::to_owned),
                    });
                }
            }
        }
        let stack = [function("a"), function("b")];
        let common = CommonFunctions::default();
        GroupCode { code: &code, stacks: vec![(2, &stack)], common: &common }.of_gap(
            &releases,
            &builds,
            0,
            &[1],
            2,
        )
    }

    #[test]
    fn code_like_that_of_a_release_that_crashed_is_the_same() {
        let (one, two, three) = (Some("1"), Some("2"), Some("3"));
        assert_eq!(evidence([[one, one], [one, one], [one, one]]), Evidence::Same);
        assert_eq!(evidence([[one, one], [two, one], [two, one]]), Evidence::Same);
        assert_eq!(evidence([[one, one], [one, one], [two, three]]), Evidence::Same);
    }

    #[test]
    fn what_changed_and_changed_again_supports_that_the_bug_was_fixed() {
        let (one, two, three) = (Some("1"), Some("2"), Some("3"));
        let names = |name: &str| vec![name.to_owned()];
        let restored = |name: &str| Evidence::Restored(names(name));
        assert_eq!(evidence([[one, one], [two, one], [one, one]]), restored("a"));
        assert_eq!(evidence([[one, one], [one, two], [one, three]]), Evidence::Changed(names("b")));
        assert_eq!(evidence([[one, one], [one, None], [one, one]]), restored("b"));
    }

    #[test]
    fn what_changed_once_here_and_once_there_says_nothing_nor_does_what_is_not_known() {
        let (one, two) = (Some("1"), Some("2"));
        assert_eq!(evidence([[one, one], [two, one], [two, two]]), Evidence::Unknown);
        for unknown in ["?", ""] {
            let unknown = Some(unknown);
            assert_eq!(evidence([[one, one], [unknown, one], [one, one]]), Evidence::Unknown);
        }
        assert_eq!(evidence([[one, None], [one, None], [one, None]]), Evidence::Unknown);
    }
}
