//! The crashes of one signature, parted where they are surely not of one bug: those that only
//! went through the same helper, that failed on values of two functions, that ended on
//! purpose at a trap and those that did not, and heap damage of two kinds.

use std::collections::{BTreeMap, BTreeSet};

use super::damage::{Marks, damage, is_sound};
use super::key::{Called, CrashKey};
use super::site::Sites;

/// Share of the crashes of a signature whose blame lies further out that makes its function
/// a helper that hands on what its callers gave it.
pub(super) const PASSED_ON: f64 = 0.75;
/// Functions beyond the blamed one that may stand in for it.
const BEYOND: usize = 1;
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
    "ensure",
    "err",
    "error",
    "exit",
    "fail",
    "failed",
    "failure",
    "fatal",
    "must",
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
/// Functions that raise what ends the process: a function that only does this for others is
/// named so, and nothing more.
const RAISING: &[&str] = &[
    "core::panicking::panic",
    "core::panicking::panic_display",
    "core::panicking::panic_fmt",
    "core::panicking::panic_str",
    "cxa_throw",
    "runtime.fatal",
    "runtime.gopanic",
    "runtime.throw",
    "std::panicking::begin_panic",
];
/// Functions that end the process.
const DEATHS: &[&str] = &["abort", "raise", "std::terminate", "kill"];

/// One key among those of its signature.
pub(super) struct Member<'t> {
    pub(super) key: &'t CrashKey,
    pub(super) index: usize,
    pub(super) count: u64,
    /// Index in the frames of the signature's last function.
    pub(super) at: usize,
}

impl<'t> Member<'t> {
    /// Index in the frames of the function to blame; `None` if nothing is blamed, and
    /// beyond the frames if it is further out.
    pub(super) fn blamed_at(&self) -> Option<usize> {
        let blamed = Some(&self.key.blamed).filter(|name| !name.is_empty())?;
        let found = self.key.frames.iter().position(|name| name == blamed);
        Some(found.unwrap_or(self.key.frames.len()))
    }

    pub(super) fn is_passed_on(&self) -> Option<bool> {
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

/// Crashes of one signature that may be of one bug.
pub(super) struct Part<'t> {
    /// What distinguishes it from the others of the signature; empty where there are none.
    pub(super) mark: String,
    pub(super) members: Vec<Member<'t>>,
    /// The signature's function is skipped in favour of its caller.
    pub(super) is_helper: bool,
    /// What distinguishes the others is not known of it.
    pub(super) is_open: bool,
}

/// The mark of a heap that is damaged behind chunks of any size.
const DAMAGED: &str = "(damaged)";
/// The mark of a sound heap.
const SOUND: &str = "(undamaged)";
/// The mark of those of which it is not known what distinguishes the others.
const UNKNOWN: &str = "(unknown)";

/// The parts of one signature.
pub(super) fn parts<'t>(members: Vec<Member<'t>>, marks: &Marks<'t>) -> Vec<Part<'t>> {
    let mut parts = Vec::new();
    for (trap, members) in by_trap(members) {
        for (size, members) in by_fact(members, marks) {
            let is_helper = is_helper(&members);
            let by_anchor = match is_helper {
                true => by_anchor(members),
                false => vec![(String::new(), members)],
            };
            let is_parted = by_anchor.len() > 1;
            for (anchor, members) in by_anchor {
                for (origin, members) in by_origin(members) {
                    let anchor = Some(&anchor).filter(|_| is_parted && origin.is_empty());
                    let anchor = anchor.cloned().unwrap_or_default();
                    let marks = [trap.to_owned(), size.clone(), anchor, origin];
                    let marks = marks.into_iter().filter(|mark| !mark.is_empty());
                    let mark = marks.collect::<Vec<_>>().join("/");
                    let is_open = mark.contains(UNKNOWN);
                    parts.push(Part { mark, members, is_helper: is_parted, is_open });
                }
            }
        }
    }
    parts
}

/// The class of a trap instruction.
const TRAP: &str = "trap";

/// An instruction that is there to end the process fails for another reason than one that
/// uses a bad value. A compiler may put a trap in place of an access that cannot succeed:
/// only a build that shows both distinguishes them.
fn by_trap(members: Vec<Member<'_>>) -> Vec<(&'static str, Vec<Member<'_>>)> {
    let is_trap = |member: &Member<'_>| member.key.class == TRAP;
    let builds = |of_trap: bool| -> BTreeSet<&str> {
        let members = members.iter().filter(|member| is_trap(member) == of_trap);
        members.map(|member| member.key.build.as_str()).collect()
    };
    let has_both = !builds(true).is_disjoint(&builds(false));
    if !has_both {
        return vec![("", members)];
    }
    let (traps, rest) = members.into_iter().partition(is_trap);
    vec![("", rest), ("(trap)", traps)]
}

/// By the condition of an assertion, by the address of an access that the compiler proved to
/// fail, by the place of a panic, or by the state of the heap.
fn by_fact<'t>(members: Vec<Member<'t>>, marks: &Marks<'t>) -> Vec<(String, Vec<Member<'t>>)> {
    let conditions = texts(&members, |key| &key.asserted);
    let addresses = texts(&members, |key| &key.fixed_address);
    if conditions.values().flatten().collect::<BTreeSet<_>>().len() > 1 {
        by_text(members, |key| &key.asserted)
    } else if addresses.values().any(|of_build| of_build.len() > 1) {
        // The compiler gave such an access a way of its own, which ends there. Another build
        // may lay out the structure differently.
        by_text(members, |key| &key.fixed_address)
    } else if let Some(sites) = Sites::of(&members) {
        by_site(members, &sites)
    } else {
        by_damage(members, marks)
    }
}

/// By the place of a panic.
fn by_site<'t>(members: Vec<Member<'t>>, sites: &Sites<'t>) -> Vec<(String, Vec<Member<'t>>)> {
    let mut parts: BTreeMap<String, Vec<Member<'t>>> = BTreeMap::new();
    for member in members {
        let site = sites.place(&member).map(|site| site.to_string());
        parts.entry(site.unwrap_or_else(|| UNKNOWN.to_owned())).or_default().push(member);
    }
    parts.into_iter().collect()
}

/// What the keys of each build have for a text.
fn texts<'t>(
    members: &[Member<'t>],
    text: impl Fn(&'t CrashKey) -> &'t str,
) -> BTreeMap<&'t str, BTreeSet<&'t str>> {
    let mut of_build: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for key in members.iter().map(|member| member.key).filter(|key| !text(key).is_empty()) {
        of_build.entry(&key.build).or_default().insert(text(key));
    }
    of_build
}

/// By a text that marks a bug.
fn by_text<'t>(
    members: Vec<Member<'t>>,
    text: impl Fn(&'t CrashKey) -> &'t str,
) -> Vec<(String, Vec<Member<'t>>)> {
    let mut parts: BTreeMap<String, Vec<Member<'t>>> = BTreeMap::new();
    for member in members {
        let mark = text(member.key).replace([' ', '/', '@'], "");
        let mark = if mark.is_empty() { UNKNOWN.to_owned() } else { mark };
        parts.entry(mark).or_default().push(member);
    }
    parts.into_iter().collect()
}

/// Heap damage with marks of two bugs.
fn by_damage<'t>(members: Vec<Member<'t>>, marks: &Marks<'t>) -> Vec<(String, Vec<Member<'t>>)> {
    let has_mark = members.iter().any(|member| marks.of(member.key).is_some());
    let mark = |member: &Member<'t>| match marks.of(member.key) {
        Some(mark) => Some(mark.name.clone()),
        None if is_sound(member.key) => Some(SOUND.to_owned()),
        None => damage(member.key).filter(|_| !has_mark).map(|_| DAMAGED.to_owned()),
    };
    let known: BTreeSet<String> = members.iter().filter_map(mark).collect();
    if known.len() < 2 {
        return vec![(String::new(), members)];
    }
    // Other damage, and damage that was not found, may be of the one bug that is known.
    let mut bugs = known.iter().filter(|mark| *mark != SOUND);
    let only = bugs.next().filter(|_| bugs.next().is_none());
    let rest = only.map_or(UNKNOWN, String::as_str);
    let mut parts: BTreeMap<String, Vec<Member<'t>>> = BTreeMap::new();
    for member in members {
        let mark = mark(&member).unwrap_or_else(|| rest.to_owned());
        parts.entry(mark).or_default().push(member);
    }
    parts.into_iter().collect()
}

/// By the function that returned the bad value to the one to blame. One that a build has
/// inlined is not seen there, and its caller may be in its place: only a build that shows
/// two distinguishes them.
fn by_origin(members: Vec<Member<'_>>) -> Vec<(String, Vec<Member<'_>>)> {
    let mut of_build: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for member in &members {
        if member.is_passed_on() == Some(true) && !member.key.returned_by.is_empty() {
            let origin = (member.key.blamed.as_str(), member.key.returned_by.as_str());
            of_build.entry(&member.key.build).or_default().insert(origin);
        }
    }
    if of_build.values().all(|origins| origins.len() < 2) {
        return vec![(String::new(), members)];
    }
    let mut parts: BTreeMap<String, Vec<Member<'_>>> = BTreeMap::new();
    for member in members {
        let is_known = member.is_passed_on() == Some(true) && !member.key.returned_by.is_empty();
        let origin = || format!("{}={}", member.key.blamed, member.key.returned_by);
        let origin = if is_known { origin() } else { UNKNOWN.to_owned() };
        parts.entry(origin).or_default().push(member);
    }
    parts.into_iter().collect()
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
        Called::Function(called) if RAISING.contains(&called.as_str()) => {
            REPORTERS.contains(&last_part(function).to_ascii_lowercase().as_str())
        }
        Called::Function(_) | Called::Unnamed(_) => known == 0.0 && has_word(function, WRAPPERS),
        Called::Nothing | Called::Recursion => false,
    }
}

/// Whether one of `words` is in the last part of `name`, by itself.
fn has_word(name: &str, words: &[&str]) -> bool {
    let last = last_part(name);
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

/// `check` of `main.check` and `app::check`.
fn last_part(name: &str) -> &str {
    let last = name.rsplit("::").next().unwrap_or(name);
    last.rsplit('.').next().unwrap_or(last)
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
