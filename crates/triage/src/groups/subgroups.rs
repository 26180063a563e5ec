//! Crashes that are taken for one bug's from the start: those of a signature, or a part of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::damage::{Marks, damage};
use super::key::{Called, CrashKey};
use super::parts::{Member, PASSED_ON, Part, parts};
use super::profile::{Profile, rarity};

/// Stacks of one subgroup that are compared.
const STACKS: usize = 64;

/// Crashes that are taken for one bug's from the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Subgroup<'t> {
    /// The signature's id, and its mark behind `@` if it has one.
    pub(super) name: String,
    /// What distinguishes it from others of the signature: the caller's name, if its function
    /// only hands on; empty where there are none.
    pub(super) mark: String,
    pub(super) signature: &'t str,
    pub(super) image: &'t str,
    pub(super) called: Option<&'t Called>,
    /// What distinguishes the others of the signature is not known of it.
    pub(super) is_open: bool,
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
    /// Which value of the function to blame was bad.
    pub(super) origins: Origins<'t>,
    /// The number of the bug that damaged the heap, where it left a mark.
    pub(super) damaged: Option<u32>,
    /// All sizes of chunks that the allocator found damage behind.
    pub(super) damages: BTreeSet<&'t str>,
    /// What the damaged heap was overwritten with, and whether a place is known that the
    /// pointer to the block is kept at.
    pub(super) written: BTreeSet<&'t str>,
    pub(super) is_placed: bool,
    /// Addresses of accesses through NULL, and whether one is in the instruction itself.
    pub(super) null_addresses: BTreeSet<&'t str>,
    pub(super) is_fixed: bool,
    /// Places of panics, with the build.
    pub(super) panicked_at: BTreeSet<(&'t str, &'t str)>,
    /// Builds of the image in which it was seen.
    pub(super) builds: BTreeSet<&'t str>,
    /// Classes of its causes.
    pub(super) classes: BTreeSet<&'t str>,
    /// Indices of its keys.
    pub(super) keys: Vec<usize>,
}

/// Where bad values of one function came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Origins<'t> {
    /// Functions that returned them.
    pub(super) returned_by: BTreeSet<&'t str>,
    /// What the function to blame calls them.
    pub(super) expressions: BTreeSet<&'t str>,
    /// Where it got them: build and line.
    pub(super) made_at: BTreeSet<(&'t str, &'t str)>,
}

impl<'t> Origins<'t> {
    fn of(members: &[Member<'t>]) -> Self {
        let known = |text: &'t String| Some(text.as_str()).filter(|text| !text.is_empty());
        let keys = || members.iter().map(|member| member.key);
        Self {
            returned_by: keys().filter_map(|key| known(&key.returned_by)).collect(),
            expressions: keys().filter_map(|key| known(&key.expression)).collect(),
            made_at: keys()
                .filter_map(|key| Some((key.build.as_str(), known(&key.made_at)?)))
                .collect(),
        }
    }
}

/// Names of functions of one image, as numbers. The same name in stacks that end in two
/// images are two.
#[derive(Debug, Default)]
struct Names<'t> {
    numbers: HashMap<(&'t str, &'t str), u32>,
}

impl<'t> Names<'t> {
    /// A number that no function has.
    fn of_damage(bug: u32) -> u32 {
        u32::MAX.wrapping_sub(bug)
    }

    fn number(&mut self, image: &'t str, name: &'t str) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry((image, name)).or_insert(next)
    }
}

/// The subgroups of `keys`, in the order of their names.
pub(super) fn subgroups<'t>(keys: &'t [CrashKey], counts: &[u64]) -> Vec<Subgroup<'t>> {
    let mut by_signature: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        by_signature.entry(&key.signature).or_default().push(index);
    }
    let mut names = Names::default();
    let marks = Marks::of_all(keys, counts);
    let mut all: Vec<(&str, Part<'t>)> = Vec::new();
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
        all.extend(parts(members, &marks).into_iter().map(|part| (signature, part)));
    }
    let mut subgroups: Vec<Subgroup<'t>> = Vec::new();
    for (signature, part) in all {
        let image = part.members.first().map_or("", |member| member.key.image.as_str());
        let all = of_image.get(image).copied().unwrap_or(1);
        let weigh = |function: u32| rarity(having.get(&function).copied().unwrap_or(1), all);
        subgroups.push(subgroup(signature, part, &marks, &mut names, &weigh));
    }
    subgroups.sort_by(|a, b| a.name.cmp(&b.name));
    subgroups
}

/// Whether keys of one signature are divided in the same way by both counts: then nothing
/// in the groups depends on which of the two it is.
pub(crate) fn is_same_division(keys: &[CrashKey], before: &[u64], after: &[u64]) -> bool {
    // What marks the damage of a bug is decided over the whole image.
    keys.iter().all(|key| damage(key).is_none())
        && subgroups(keys, before) == subgroups(keys, after)
}

/// The one bug whose mark most of these crashes have.
fn damaged<'t>(members: &[Member<'t>], marks: &Marks<'t>) -> Option<u32> {
    let mut crashes: BTreeMap<Option<u32>, u64> = BTreeMap::new();
    for member in members {
        let bug = marks.of(member.key).map(|mark| mark.number);
        *crashes.entry(bug).or_default() += member.count;
    }
    let unknown = crashes.remove(&None).unwrap_or(0);
    let mut bugs = crashes.into_iter();
    let (bug, count) = bugs.next()?;
    bug.filter(|_| bugs.next().is_none() && count >= unknown)
}

fn subgroup<'t>(
    signature: &str,
    part: Part<'t>,
    marks: &Marks<'t>,
    names: &mut Names<'t>,
    rarity: &dyn Fn(u32) -> f64,
) -> Subgroup<'t> {
    let Part { mark, members, is_helper, is_open } = part;
    let name = match mark.is_empty() {
        true => signature.to_owned(),
        false => format!("{signature}@{mark}"),
    };
    let Some(Member { key, at, .. }) = members.first() else { return Subgroup::default() };
    let image = key.image.as_str();
    let mut stacks: BTreeSet<Vec<u32>> = BTreeSet::new();
    let mut blamed: BTreeMap<u32, u64> = BTreeMap::new();
    let mut known = 0;
    for member in &members {
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
    let origins = Origins::of(&members);
    let damaged = damaged(&members, marks);
    // Crashes after the same damage have no function in common.
    let by_damage = damaged.map(Names::of_damage);
    let all = |of: &dyn Fn(&'t CrashKey) -> &'t str, is_asked: &dyn Fn(&'t CrashKey) -> bool| {
        let keys = members.iter().map(|member| member.key).filter(|key| is_asked(key));
        keys.map(of).filter(|text| !text.is_empty()).collect::<BTreeSet<&str>>()
    };
    let known = |of: &dyn Fn(&'t CrashKey) -> &'t str| all(of, &|_| true);
    let of_damage = |of: &dyn Fn(&'t CrashKey) -> &'t str| all(of, &|key| damage(key).is_some());
    let written: Vec<u32> = of_damage(&|key| &key.overwritten_with)
        .into_iter()
        .map(|kind| names.number(image, kind))
        .collect();
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
        mark,
        is_open,
        origins,
        damaged,
        damages: members.iter().filter_map(|member| damage(member.key)).collect(),
        written: of_damage(&|key| &key.overwritten_with),
        is_placed: !of_damage(&|key| &key.pointed_from).is_empty(),
        null_addresses: known(&|key| &key.null_address),
        panicked_at: members
            .iter()
            .filter(|member| !member.key.panicked_at.is_empty())
            .map(|member| (member.key.build.as_str(), member.key.panicked_at.as_str()))
            .collect(),
        is_fixed: members.iter().any(|member| !member.key.fixed_address.is_empty()),
        signature: &key.signature,
        image,
        called: Some(&key.called),
        functions,
        first: stacks.iter().find_map(|stack| stack.first().copied()),
        blamed,
        near: stacks
            .iter()
            .flat_map(|stack| stack.iter().take(4).copied())
            .chain(blamed)
            .chain(by_damage)
            .chain(written)
            .collect(),
        profile: Profile::of(stacks.iter().map(Vec::as_slice), rarity),
        from_blamed: Profile::of(from_blamed.into_iter(), rarity),
        from_caller: Profile::of(outer.iter().map(Vec::as_slice), rarity),
        caller: if callers.len() == 1 { callers.into_iter().next().flatten() } else { None },
        builds: members.iter().map(|member| member.key.build.as_str()).collect(),
        classes: members.iter().map(|member| member.key.class.as_str()).collect(),
        keys: members.iter().map(|member| member.index).collect(),
    }
}
