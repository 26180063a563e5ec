//! Whether the functions on a group's stack are the same in two builds, by the hashes of
//! their code that the store has (`disassembly::code_hash`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::history::Build;
use super::release::Releases;

/// Functions of one stack that are compared, innermost first.
pub const COMPARED: usize = 8;
/// Functions that two builds have in common, from which on they tell whether both were made
/// in the same way.
const TELLING: usize = 16;

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
pub struct Code {
    of_build: HashMap<String, BTreeMap<(String, String), Option<String>>>,
    /// By the dump's row.
    pub stacks: HashMap<i64, Vec<StackFunction>>,
}

/// What became of a function between two releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
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

/// What became of a function on the group's stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChangedFunction {
    /// The function.
    pub function: String,
    /// The earlier release.
    pub from: String,
    /// The later one.
    pub to: String,
    /// What became of it between these.
    pub what: Change,
}

/// What the code says of a release that did not show a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing.
    #[default]
    Unknown,
    /// The functions on the stack are those of a release that showed it.
    Same,
    /// These, by name, are others than before and after.
    Changed(Vec<String>),
}

/// The code of one group in one program.
#[derive(Clone, Debug)]
pub struct GroupCode<'c> {
    /// All that is known.
    pub code: &'c Code,
    /// Builds of the newest release that has the group and of the one before, and the
    /// functions on a stack of the group there.
    pub stacks: Vec<(usize, &'c [StackFunction])>,
}

/// What is wanted to be known for one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Rows of dumps whose stacks tell which functions are compared.
    pub dumps: Vec<i64>,
    /// Builds they are compared in.
    pub builds: BTreeSet<usize>,
    /// Dumps of the group.
    pub count: u64,
}

impl Code {
    /// Adds a row of the store.
    pub fn insert(&mut self, row: CodeRow) {
        self.of_build.entry(row.build).or_default().insert((row.module, row.symbol), row.hash);
    }

    /// Whether the store has a row for the function.
    pub fn knows(&self, build: &str, function: &StackFunction) -> bool {
        self.hash(build, function).is_some()
    }

    fn hash(&self, build: &str, function: &StackFunction) -> Option<&Option<String>> {
        let key = (function.module.clone(), function.symbol.clone());
        self.of_build.get(build)?.get(&key)
    }

    fn change(&self, from: &str, to: &str, function: &StackFunction) -> Option<Change> {
        match (self.hash(from, function)?, self.hash(to, function)?) {
            (Some(from), Some(to)) if from.is_empty() || to.is_empty() => None,
            (Some(from), Some(to)) if from == to => Some(Change::Same),
            (Some(_), Some(_)) => Some(Change::Changed),
            (Some(_), None) => Some(Change::Removed),
            (None, Some(_)) => Some(Change::Added),
            (None, None) => None,
        }
    }

    /// Whether all images on the stack are the same to the byte: then what made the crash
    /// come and go lies elsewhere, and code says nothing of it.
    fn are_the_same(&self, one: &str, other: &str, stack: &[StackFunction]) -> bool {
        let image = |function: &StackFunction| StackFunction {
            module: function.module.clone(),
            symbol: WHOLE_IMAGE.to_owned(),
            name: String::new(),
        };
        one != other
            && !stack.is_empty()
            && stack.iter().map(image).all(|image| {
                self.change(one, other, &image).is_some_and(|what| what == Change::Same)
            })
    }

    /// Whether functions that are the same would look so: of two builds made by different
    /// compilers or options hardly any is.
    fn are_alike(&self, one: &str, other: &str) -> bool {
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
        common < TELLING || same * 8 >= common
    }
}

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
    pub fn changes(
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
                    Some(known) if known.what == Change::Same => known.what = what,
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
    ) -> Vec<Option<Change>> {
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
                    // Builds of one release and variant differ in what is not told: what
                    // is the same in any two is the same.
                    match self.code.change(&one.id, &other.id, function) {
                        Some(Change::Same) => *change = Some(Change::Same),
                        other => *change = change.or(other),
                    }
                }
            }
        }
        changes
    }

    /// What the code of the releases in `gap` says, which did not show the group, between
    /// `last`, which did, and `newest`, which does. All are places.
    pub fn of_gap(
        &self,
        releases: &Releases,
        builds: &[Build],
        last: usize,
        gap: &[usize],
        newest: usize,
    ) -> Evidence {
        let is_whole = |changes: &[Option<Change>]| {
            !changes.is_empty() && changes.iter().all(|change| *change == Some(Change::Same))
        };
        let differs = |change: &Option<Change>| change.is_some_and(|what| what != Change::Same);
        let mut is_same = false;
        let mut twice: Vec<String> = Vec::new();
        for place in gap {
            let (mut same_here, mut twice_here) = (false, Vec::new());
            for (build, stack) in &self.stacks {
                let of = |span| self.of_stack(releases, builds, span, *build, stack);
                let (before, after) = (of((last, *place)), of((*place, newest)));
                same_here |= is_whole(&before) || is_whole(&after);
                for (function, changes) in stack.iter().zip(before.iter().zip(&after)) {
                    let is_told = twice_here.contains(&function.name);
                    if differs(changes.0) && differs(changes.1) && !is_told {
                        twice_here.push(function.name.clone());
                    }
                }
            }
            // What one variant has in line, another may show to have changed.
            is_same |= same_here && twice_here.is_empty();
            twice.extend(
                twice_here.into_iter().filter(|name| !twice.contains(name)).collect::<Vec<_>>(),
            );
        }
        match (is_same, twice.is_empty()) {
            // One release with the same code had the bug; then it was never gone.
            (true, _) => Evidence::Same,
            (false, false) => Evidence::Changed(twice),
            (false, true) => Evidence::Unknown,
        }
    }
}

/// Suffixes of the symbols of functions that a compiler split or copied.
const PARTS: &[&str] = &[".cold", ".isra", ".part", ".constprop", ".lto_priv", ".llvm."];
/// Before the hash of a Rust symbol of the older kind, which each build has anew.
const RUST_HASH: &str = "17h";

/// The name that a function has in all builds, of its symbol's.
pub fn symbol_of_function(symbol: &str) -> &str {
    let mut name = symbol;
    for part in PARTS {
        if let Some(at) = name.find(part).filter(|at| *at > 0) {
            name = &name[..at];
        }
    }
    // A static function of C++: debug information calls it by its plain name.
    if let Some(local) = name.strip_prefix("_ZL") {
        let digits = local.len() - local.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (length, rest) = local.split_at(digits);
        let plain = length.parse().ok().and_then(|length: usize| rest.get(..length));
        return plain.filter(|plain| !plain.is_empty()).unwrap_or(name);
    }
    let is_hash = |hash: &str| {
        hash.len() == RUST_HASH.len() + 17
            && hash.starts_with(RUST_HASH)
            && hash.ends_with('E')
            && hash[3..19].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match name.rfind(RUST_HASH) {
        Some(at) if name.starts_with("_ZN") && name.get(at..).is_some_and(is_hash) => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
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
        let mut code = Code::default();
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
        GroupCode { code: &code, stacks: vec![(2, &stack)] }.of_gap(&releases, &builds, 0, &[1], 2)
    }

    #[test]
    fn code_like_that_of_a_release_that_crashed_is_the_same() {
        let (one, two, three) = (Some("1"), Some("2"), Some("3"));
        assert_eq!(evidence([[one, one], [one, one], [one, one]]), Evidence::Same);
        assert_eq!(evidence([[one, one], [two, one], [two, one]]), Evidence::Same);
        assert_eq!(evidence([[one, one], [one, one], [two, three]]), Evidence::Same);
    }

    #[test]
    fn what_changed_and_changed_again_speaks_for_a_mended_bug() {
        let (one, two, three) = (Some("1"), Some("2"), Some("3"));
        let changed = |name: &str| Evidence::Changed(vec![name.to_owned()]);
        assert_eq!(evidence([[one, one], [two, one], [one, one]]), changed("a"));
        assert_eq!(evidence([[one, one], [one, two], [one, three]]), changed("b"));
        assert_eq!(evidence([[one, one], [one, None], [one, one]]), changed("b"));
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

    #[test]
    fn images_that_are_the_same_to_the_byte_do_not_tell_why_a_crash_came_and_went() {
        let mut code = Code::default();
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
        assert!(!code.are_the_same("a", "a", &stack), "of one build everything is told");
    }

    #[test]
    fn builds_of_another_compiler_say_nothing_of_the_source() {
        let mut code = Code::default();
        for (build, other) in [("a", 'x'), ("b", 'y'), ("c", 'x')] {
            for at in 0..TELLING {
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

    #[test]
    fn parts_and_copies_are_the_function_they_come_from() {
        for (symbol, function) in [
            ("parse", "parse"),
            ("parse.cold", "parse"),
            ("parse.part.0.isra.1", "parse"),
            (".cold", ".cold"),
            ("main.parse", "main.parse"),
            ("_ZL5parsePKc", "parse"),
            ("_ZL5parsePKc.part.0", "parse"),
            ("_ZL", "_ZL"),
            ("_ZL99parse", "_ZL99parse"),
            ("_ZN3app5parse17h0123456789abcdefE", "_ZN3app5parse"),
            ("_ZN3app5parse17h0123456789abcdefE.llvm.77", "_ZN3app5parse"),
            ("_ZN3app5parse17hnodigits89abcdefE", "_ZN3app5parse17hnodigits89abcdefE"),
        ] {
            assert_eq!(symbol_of_function(symbol), function);
        }
    }
}
