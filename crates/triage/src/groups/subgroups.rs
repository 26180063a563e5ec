//! Crashes of one signature, and those among them that only went through the same helper.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::key::{Called, CrashKey};
use super::profile::{Profile, rarity};

/// Share of the crashes of a signature whose blame lies further out that makes its function
/// a helper that hands on what its callers gave it.
const PASSED_ON: f64 = 0.75;
/// Functions beyond the blamed one that may stand in for it.
const BEYOND: usize = 1;
/// Stacks of one subgroup that are compared.
const STACKS: usize = 64;

/// What the functions of a program are named that report a death for others.
const REPORTERS: &[&str] = &[
    "abort",
    "assert",
    "bail",
    "bug",
    "check",
    "crash",
    "croak",
    "die",
    "err",
    "error",
    "exit",
    "fail",
    "failed",
    "failure",
    "fatal",
    "oops",
    "panic",
    "raise",
    "terminate",
    "throw",
    "unreachable",
    "verify",
    "violation",
];
/// And those that the C library is called through.
const WRAPPERS: &[&str] = &[
    "alloc", "calloc", "cpy", "dup", "malloc", "memcpy", "memdup", "realloc", "strdup", "strlen",
    "zalloc",
];
/// Functions that end the process.
pub(super) const DEATHS: &[&str] = &["abort", "raise", "std::terminate", "kill"];

/// Crashes that are taken for one bug's from the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Subgroup<'t> {
    /// The signature's id, and the caller's name if its function only hands on.
    pub(super) name: String,
    pub(super) signature: &'t str,
    pub(super) image: &'t str,
    pub(super) called: Option<&'t Called>,
    /// Functions of the program in the signature.
    pub(super) functions: Vec<u32>,
    /// The function that counts: the signature's last, or the caller of a helper.
    pub(super) first: Option<u32>,
    /// The function to blame if it is further out than `first`.
    pub(super) blamed: Option<u32>,
    /// Functions near the fault, for finding subgroups that may be alike.
    pub(super) near: BTreeSet<u32>,
    /// From `first` on.
    pub(super) profile: Profile,
    /// From the function to blame on.
    pub(super) from_blamed: Profile,
    /// From the caller of `first` on, and that caller where all have the same.
    pub(super) from_caller: Profile,
    pub(super) caller: Option<u32>,
    /// Builds of the image in which it was seen.
    pub(super) builds: BTreeSet<&'t str>,
    /// Classes of its causes.
    pub(super) classes: BTreeSet<&'t str>,
    /// Indices of its keys.
    pub(super) keys: Vec<usize>,
}

/// Names of functions of one image, as numbers. The same name in stacks that end in two
/// images are two.
#[derive(Debug, Default)]
struct Names<'t> {
    numbers: HashMap<(&'t str, &'t str), u32>,
}

impl<'t> Names<'t> {
    fn number(&mut self, image: &'t str, name: &'t str) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry((image, name)).or_insert(next)
    }
}

/// One key among those of its signature.
struct Member<'t> {
    key: &'t CrashKey,
    index: usize,
    count: u64,
    /// Index in the frames of the signature's last function.
    at: usize,
}

impl<'t> Member<'t> {
    /// Index in the frames of the function to blame; `None` if nothing is blamed, and
    /// beyond the frames if it is further out.
    fn blamed_at(&self) -> Option<usize> {
        let blamed = Some(&self.key.blamed).filter(|name| !name.is_empty())?;
        let found = self.key.frames.iter().position(|name| name == blamed);
        Some(found.unwrap_or(self.key.frames.len()))
    }

    fn is_passed_on(&self) -> Option<bool> {
        self.blamed_at().map(|at| at > self.at)
    }

    /// Who answers for what the helper was given.
    fn anchor(&self) -> Option<&'t str> {
        match self.is_passed_on() {
            Some(true) => Some(&self.key.blamed),
            _ => self.caller(),
        }
    }

    fn caller(&self) -> Option<&'t str> {
        self.key.frames.get(self.at + 1).map(String::as_str)
    }
}

/// The subgroups of `keys`, in the order of their names.
pub(super) fn subgroups<'t>(keys: &'t [CrashKey], counts: &[u64]) -> Vec<Subgroup<'t>> {
    let mut by_signature: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        by_signature.entry(&key.signature).or_default().push(index);
    }
    let mut names = Names::default();
    let mut parts: Vec<(String, Vec<Member<'t>>, bool)> = Vec::new();
    let mut having: HashMap<u32, usize> = HashMap::new();
    let mut of_image: HashMap<&str, usize> = HashMap::new();
    for (signature, mut indices) in by_signature {
        indices.sort_by(|a, b| (keys.get(*a), a).cmp(&(keys.get(*b), b)));
        let members: Vec<Member<'t>> = indices
            .into_iter()
            .filter_map(|index| {
                let key = keys.get(index)?;
                let count = counts.get(index).copied().unwrap_or(1).max(1);
                Some(Member { key, index, count, at: key.functions.len().saturating_sub(1) })
            })
            .collect();
        if let Some(image) = members.first().map(|member| member.key.image.as_str()) {
            *of_image.entry(image).or_default() += 1;
            let functions: BTreeSet<u32> = members
                .iter()
                .flat_map(|member| &member.key.frames)
                .map(|name| names.number(image, name))
                .collect();
            for function in functions {
                *having.entry(function).or_default() += 1;
            }
        }
        if is_helper(&members) {
            let by_anchor = by_anchor(members);
            let is_one = by_anchor.len() == 1;
            for (anchor, members) in by_anchor {
                let name =
                    if is_one { signature.to_owned() } else { format!("{signature}@{anchor}") };
                parts.push((name, members, !is_one));
            }
        } else {
            parts.push((signature.to_owned(), members, false));
        }
    }
    let mut subgroups: Vec<Subgroup<'t>> = Vec::new();
    for (name, members, is_helper) in parts {
        let image = members.first().map_or("", |member| member.key.image.as_str());
        let all = of_image.get(image).copied().unwrap_or(1);
        let weigh = |function: u32| rarity(having.get(&function).copied().unwrap_or(1), all);
        subgroups.push(subgroup(name, &members, is_helper, &mut names, &weigh));
    }
    subgroups.sort_by(|a, b| a.name.cmp(&b.name));
    subgroups
}

/// Whether the function that the signature ends with hands on what its callers gave it,
/// and there are several of them.
fn is_helper(members: &[Member<'_>]) -> bool {
    let Some(Member { key, at, .. }) = members.first() else { return false };
    let Some(function) = key.functions.last() else { return false };
    if key.called == Called::Recursion {
        return false;
    }
    let anchors: BTreeSet<&str> = members.iter().filter_map(Member::anchor).collect();
    if anchors.len() < 2 || key.frames.get(*at) != Some(function) {
        return false;
    }
    let sum = |wanted: &dyn Fn(Option<bool>) -> bool| -> f64 {
        members.iter().filter(|m| wanted(m.is_passed_on())).map(|m| m.count as f64).sum()
    };
    let (known, passed) = (sum(&|passed| passed.is_some()), sum(&|passed| passed == Some(true)));
    if known > 0.0 && passed / known >= PASSED_ON {
        return true;
    }
    match &key.called {
        // The process was ended on purpose, and the name says that others asked for it.
        Called::Function(called) if DEATHS.contains(&called.as_str()) => {
            has_word(function, REPORTERS)
        }
        Called::Function(_) | Called::Unnamed(_) => known == 0.0 && has_word(function, WRAPPERS),
        Called::Nothing | Called::Recursion => false,
    }
}

/// Whether one of `words` is in the last part of `name`, by itself.
fn has_word(name: &str, words: &[&str]) -> bool {
    let last = name.rsplit("::").next().unwrap_or(name);
    let mut spaced = String::new();
    let mut was_lower = false;
    for c in last.chars() {
        if c.is_uppercase() && was_lower {
            spaced.push(' ');
        }
        was_lower = c.is_lowercase();
        spaced.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    }
    spaced.split(' ').any(|word| words.contains(&word))
}

/// By who answers for them. Where one anchor is on the other's stacks between the
/// helper and just beyond the other, the fault went the same way.
fn by_anchor(members: Vec<Member<'_>>) -> Vec<(String, Vec<Member<'_>>)> {
    let anchors: BTreeSet<&str> = members.iter().filter_map(Member::anchor).collect();
    let anchors: Vec<&str> = anchors.into_iter().collect();
    let mut leader: Vec<usize> = (0..anchors.len()).collect();
    for member in &members {
        let Some(own) = member.anchor().and_then(|own| anchors.binary_search(&own).ok()) else {
            continue;
        };
        let end = member.blamed_at().filter(|at| *at > member.at).unwrap_or(member.at + 1);
        for name in member.key.frames.iter().take(end + BEYOND + 1).skip(member.at + 1) {
            if let Ok(other) = anchors.binary_search(&name.as_str()) {
                let (one, other) = (root(&leader, own), root(&leader, other));
                if let Some(slot) = leader.get_mut(one.max(other)) {
                    *slot = one.min(other);
                }
            }
        }
    }
    let mut parts: BTreeMap<String, Vec<Member<'_>>> = BTreeMap::new();
    let mut cut_short = Vec::new();
    for member in members {
        let own = member.anchor().and_then(|own| anchors.binary_search(&own).ok());
        match own.and_then(|own| anchors.get(root(&leader, own))) {
            Some(anchor) => parts.entry((*anchor).to_owned()).or_default().push(member),
            None => cut_short.push(member),
        }
    }
    // A stack that ends with the helper goes with the most.
    let crashes = |part: &[Member<'_>]| part.iter().map(|member| member.count).sum::<u64>();
    let most = parts.iter().max_by_key(|(name, part)| (crashes(part), std::cmp::Reverse(*name)));
    let most = most.map(|(name, _)| name.clone()).unwrap_or_default();
    parts.entry(most).or_default().extend(cut_short);
    parts.into_iter().collect()
}

fn root(leader: &[usize], of: usize) -> usize {
    let mut at = of;
    while let Some(next) = leader.get(at).copied().filter(|next| *next < at) {
        at = next;
    }
    at
}

fn subgroup<'t>(
    name: String,
    members: &[Member<'t>],
    is_helper: bool,
    names: &mut Names<'t>,
    rarity: &dyn Fn(u32) -> f64,
) -> Subgroup<'t> {
    let Some(Member { key, at, .. }) = members.first() else { return Subgroup::default() };
    let image = key.image.as_str();
    let mut stacks: BTreeSet<Vec<u32>> = BTreeSet::new();
    let mut blamed: BTreeMap<u32, u64> = BTreeMap::new();
    let mut known = 0;
    for member in members {
        let from = if is_helper { *at + 1 } else { *at };
        let frames = member.key.frames.iter().skip(from);
        stacks.insert(frames.map(|name| names.number(image, name)).collect());
        known += if member.blamed_at().is_some() { member.count } else { 0 };
        if member.is_passed_on() == Some(true) {
            *blamed.entry(names.number(image, &member.key.blamed)).or_default() += member.count;
        }
    }
    let stacks: Vec<Vec<u32>> = stacks.into_iter().take(STACKS).collect();
    let most = blamed.into_iter().max_by_key(|(function, count)| (*count, *function));
    let blamed = most.filter(|(_, count)| *count as f64 >= PASSED_ON * known as f64);
    let blamed = blamed.map(|(function, _)| function);
    let mut from_blamed = Vec::new();
    for stack in &stacks {
        let at = blamed.and_then(|blamed| stack.iter().position(|function| *function == blamed));
        from_blamed.extend(at.and_then(|at| stack.get(at..)));
    }
    let callers: BTreeSet<Option<u32>> = stacks.iter().map(|s| s.get(1).copied()).collect();
    let functions = key.functions.iter().map(|name| names.number(image, name)).collect();
    let beyond = |stack: &'_ Vec<u32>| stack.get(1..).unwrap_or_default().to_vec();
    let outer: Vec<Vec<u32>> = stacks.iter().map(beyond).collect();
    Subgroup {
        name,
        signature: &key.signature,
        image,
        called: Some(&key.called),
        functions,
        first: stacks.iter().find_map(|stack| stack.first().copied()),
        blamed,
        near: stacks.iter().flat_map(|stack| stack.iter().take(4).copied()).chain(blamed).collect(),
        profile: Profile::of(stacks.iter().map(Vec::as_slice), rarity),
        from_blamed: Profile::of(from_blamed.into_iter(), rarity),
        from_caller: Profile::of(outer.iter().map(Vec::as_slice), rarity),
        caller: if callers.len() == 1 { callers.into_iter().next().flatten() } else { None },
        builds: members.iter().map(|member| member.key.build.as_str()).collect(),
        classes: members.iter().map(|member| member.key.class.as_str()).collect(),
        keys: members.iter().map(|member| member.index).collect(),
    }
}
