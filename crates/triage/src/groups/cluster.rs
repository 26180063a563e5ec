//! Which crashes are one bug's.
//!
//! Crashes of one signature are, unless it ends with a helper that only hands on what its
//! callers gave it (`subgroups`). Signatures are brought together where `likeness` finds
//! that compilers, missing symbols or an argument that went wrong further out distinguish them
//! apart and nothing else: average linkage, candidates by the functions near the fault. All
//! is sorted first, so that neither the order of the keys nor when they came counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::key::{Called, CrashKey};
use super::likeness::{
    DOUBTED, SAME, SUSPECTED, is_same_member, is_worth_a_look, likeness, lost_function, named,
};
use super::merge::{Merge, merges};
use super::rule::{Likeness, MergeRule};
use super::subgroups::{Subgroup, subgroups};

/// Subgroups that one function leads to. More have it in common because everything has.
const CANDIDATES: usize = 64;
/// Groups that one may be suspected to be the same as.
const SUSPECTS: usize = 8;
/// How much better the best name for a library function must fit than the next.
const CLEARLY: f64 = 0.15;

/// Traces brought together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grouping {
    /// Each the indices of its keys, in their order.
    pub groups: Vec<Vec<usize>>,
    /// Of each key, the smallest part of a group it is in: its signature's id, with `@`
    /// and a caller behind it if the signature ends with a helper of several callers.
    pub subgroups: Vec<String>,
    /// Of each key, why its subgroup is in its group with others; `None` of the subgroup that
    /// most crashes of the group are of.
    pub merges: Vec<Option<Merge>>,
    /// Groups that may be one, by index in `groups`, and how alike they are, from 0 to 1.
    pub suspected: Vec<(usize, usize, f64)>,
}

/// What the user recorded about keys, by their signatures or subgroups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Signatures that belong together.
    pub together: Vec<(String, String)>,
    /// Signatures that do not.
    pub apart: Vec<(String, String)>,
}

/// Groups `keys`, of each of which `counts` says how many crashes had it. The groups do
/// not depend on the order of the keys.
pub fn group(keys: &[CrashKey], counts: &[u64], constraints: &Constraints) -> Grouping {
    let subgroups = subgroups(keys, counts);
    let mut parts = Clusters::new(&subgroups, constraints);
    let links = links(&subgroups);
    parts.link(&links);
    parts.join_required();
    let open = parts.name_libraries();
    let mut grouping = Grouping {
        subgroups: vec![String::new(); keys.len()],
        merges: vec![None; keys.len()],
        ..Grouping::default()
    };
    let crashes: Vec<u64> = subgroups
        .iter()
        .map(|subgroup| subgroup.keys.iter().filter_map(|key| counts.get(*key)).sum())
        .collect();
    for subgroup in &subgroups {
        for index in &subgroup.keys {
            if let Some(name) = grouping.subgroups.get_mut(*index) {
                name.clone_from(&subgroup.name);
            }
        }
    }
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for (part, members) in parts.members.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
        for (member, merge) in merges(&subgroups, members, &crashes, &[&links, &open]) {
            for key in subgroups.get(member).map_or(&[][..], |subgroup| &subgroup.keys) {
                if let Some(slot) = grouping.merges.get_mut(*key) {
                    *slot = Some(merge.clone());
                }
            }
        }
        let members = members.iter().filter_map(|subgroup| subgroups.get(*subgroup));
        let mut indices: Vec<usize> = members.flat_map(|c| c.keys.iter().copied()).collect();
        indices.sort_unstable();
        group_of.insert(part, grouping.groups.len());
        grouping.groups.push(indices);
    }
    let mut suspected: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let worth = links.iter().chain(&open).filter(|((one, other), likeness)| {
        let pair = subgroups.get(*one).zip(subgroups.get(*other));
        pair.is_some_and(|(one, other)| is_worth_a_look(one, other, **likeness))
    });
    let mut of_blame: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    let part = |subgroup: &usize| parts.part_of.get(*subgroup).copied();
    for ((one, other), likeness) in &links {
        if likeness.rule == MergeRule::SameBlame
            && let (Some(a), Some(b)) = (part(one), part(other))
            && a != b
        {
            of_blame.entry(a).or_default().insert(b);
            of_blame.entry(b).or_default().insert(a);
        }
    }
    // A value that may be that of several groups is evidence for none.
    let is_one_of_several = |one: &usize, other: &usize, likeness: &Likeness| {
        let several = |subgroup| {
            part(subgroup).and_then(|part| of_blame.get(&part)).is_some_and(|all| all.len() > 1)
        };
        likeness.rule == MergeRule::SameBlame && (several(one) || several(other))
    };
    for ((one, other), likeness) in worth.filter(|((a, b), l)| !is_one_of_several(a, b, l)) {
        let group = |subgroup: &usize| group_of.get(parts.part_of.get(*subgroup)?).copied();
        let (Some(one_group), Some(other_group)) = (group(one), group(other)) else { continue };
        if one_group != other_group && !parts.is_apart(*one, *other) {
            let pair = (one_group.min(other_group), one_group.max(other_group));
            let most = suspected.entry(pair).or_default();
            *most = most.max(likeness.value);
        }
    }
    let mut suspected: Vec<_> = suspected.into_iter().map(|((a, b), l)| (a, b, l)).collect();
    suspected.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    let mut shown: HashMap<usize, usize> = HashMap::new();
    suspected.retain(|(one, other, _)| {
        let is_new = [one, other].iter().all(|g| shown.get(g).copied().unwrap_or(0) < SUSPECTS);
        for group in [one, other].into_iter().filter(|_| is_new) {
            *shown.entry(*group).or_default() += 1;
        }
        is_new
    });
    grouping.suspected = suspected;
    grouping
}

/// Pairs of subgroups and how alike they are.
pub(super) type Links = BTreeMap<(usize, usize), Likeness>;

/// All pairs that are alike enough to be suspected.
fn links(subgroups: &[Subgroup<'_>]) -> Links {
    let mut links = Links::new();
    // By the subgroup that may have lost a function.
    let mut lost: BTreeMap<usize, Vec<(usize, Likeness, Option<bool>)>> = BTreeMap::new();
    let mut placed: BTreeSet<usize> = BTreeSet::new();
    for (one, other) in candidates(subgroups) {
        let (Some(a), Some(b)) = (subgroups.get(one), subgroups.get(other)) else { continue };
        let is_same_damage = a.damaged.is_some() && a.damaged == b.damaged;
        if (is_unnamed(a) || is_unnamed(b)) && !is_same_damage {
            continue;
        }
        if let Some(likeness) = likeness(a, b).filter(|likeness| likeness.value >= SUSPECTED) {
            links.insert((one, other), likeness);
        }
        for (more, less) in [(one, other), (other, one)] {
            if let (Some(a), Some(b)) = (subgroups.get(more), subgroups.get(less))
                && let Some(likeness) = lost_function(a, b).filter(|l| l.value >= SUSPECTED)
            {
                let is_same = is_same_member(a, b);
                if is_same == Some(true) {
                    placed.extend([more, less]);
                }
                lost.entry(less).or_default().push((more, likeness, is_same));
            }
        }
    }
    for (less, mut found) in lost {
        // Another access is known to be the one that was lost.
        found.retain(|(more, _, is_same)| {
            *is_same == Some(true) || !placed.contains(more) && !placed.contains(&less)
        });
        for (more, likeness, is_same) in &found {
            // One function is lost, not one of several. Compilers differ in which member is
            // accessed first.
            let is_sure = found.len() == 1 && *is_same != Some(false);
            let likeness = if is_sure { *likeness } else { likeness.at_most(DOUBTED) };
            let most = links.entry((less.min(*more), less.max(*more))).or_default();
            *most = most.max(likeness);
        }
    }
    links
}

/// Pairs of subgroups with a function near the fault in common that is no common one.
fn candidates(subgroups: &[Subgroup<'_>]) -> BTreeSet<(usize, usize)> {
    let mut having: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, subgroup) in subgroups.iter().enumerate() {
        for function in subgroup.near.iter().chain(&subgroup.functions).collect::<BTreeSet<_>>() {
            having.entry(*function).or_default().push(index);
        }
    }
    let mut pairs = BTreeSet::new();
    for subgroups in having.values().filter(|subgroups| subgroups.len() <= CANDIDATES) {
        for (at, one) in subgroups.iter().enumerate() {
            pairs.extend(subgroups.iter().skip(at + 1).map(|other| (*one, *other)));
        }
    }
    pairs
}

fn is_unnamed(subgroup: &Subgroup<'_>) -> bool {
    matches!(subgroup.called, Some(Called::Unnamed(_)))
}

/// Subgroups on their way to be groups.
struct Clusters<'c, 't> {
    subgroups: &'c [Subgroup<'t>],
    /// Of each subgroup, the part it is in.
    part_of: Vec<usize>,
    /// Of each part its subgroups; empty where it was joined to another.
    members: Vec<Vec<usize>>,
    /// Pairs of subgroups that the user wants apart.
    apart: BTreeSet<(usize, usize)>,
    /// And together.
    together: BTreeSet<(usize, usize)>,
}

impl<'c, 't> Clusters<'c, 't> {
    /// One for each subgroup.
    fn new(subgroups: &'c [Subgroup<'t>], constraints: &Constraints) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, subgroup) in subgroups.iter().enumerate() {
            by_name.entry(&subgroup.name).or_default().push(index);
            if subgroup.name != subgroup.signature {
                by_name.entry(subgroup.signature).or_default().push(index);
            }
        }
        let pairs = |list: &[(String, String)]| -> BTreeSet<(usize, usize)> {
            // What was once a helper's caller may be all of its signature now.
            let signature = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
            let subgroups = |name: &str| {
                let found = by_name.get(name).or_else(|| by_name.get(signature(name).as_str()));
                found.cloned().unwrap_or_default()
            };
            let mut pairs = BTreeSet::new();
            for (one, other) in list {
                for a in subgroups(one) {
                    pairs.extend(subgroups(other).into_iter().map(|b| (a.min(b), a.max(b))));
                }
            }
            pairs.retain(|(a, b)| a != b);
            pairs
        };
        Self {
            subgroups,
            part_of: (0..subgroups.len()).collect(),
            members: (0..subgroups.len()).map(|subgroup| vec![subgroup]).collect(),
            apart: pairs(&constraints.apart),
            together: pairs(&constraints.together),
        }
    }

    /// What the user wants together, with all that is alike to it.
    fn join_required(&mut self) {
        for (one, other) in std::mem::take(&mut self.together) {
            let (one, other) = (self.part(one), self.part(other));
            self.join(one, other);
        }
    }

    fn part(&self, subgroup: usize) -> usize {
        self.part_of.get(subgroup).copied().unwrap_or(subgroup)
    }

    fn of(&self, part: usize) -> &[usize] {
        self.members.get(part).map_or(&[], Vec::as_slice)
    }

    fn is_apart(&self, one: usize, other: usize) -> bool {
        self.apart.contains(&(one.min(other), one.max(other)))
    }

    /// Makes two parts one, if the user does not want any of their subgroups apart.
    fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (one.min(other), one.max(other));
        let are_apart = !self.apart.is_empty()
            && self.of(one).iter().any(|a| self.of(other).iter().any(|b| self.is_apart(*a, *b)));
        if one == other || are_apart {
            return false;
        }
        let moved = self.members.get_mut(other).map(std::mem::take).unwrap_or_default();
        for subgroup in &moved {
            if let Some(part) = self.part_of.get_mut(*subgroup) {
                *part = one;
            }
        }
        if let Some(members) = self.members.get_mut(one) {
            members.extend(moved);
            members.sort_unstable();
        }
        true
    }

    /// How alike two parts are on average over their pairs of subgroups. What is less than
    /// suspicious counts as nothing.
    fn average(&self, links: &Links, one: usize, other: usize) -> f64 {
        let (ours, theirs) = (self.of(one), self.of(other));
        let mut sum = 0.0;
        for a in ours {
            for b in theirs {
                sum += links.get(&(*a.min(b), *a.max(b))).map_or(0.0, |likeness| likeness.value);
            }
        }
        sum / (ours.len() * theirs.len()).max(1) as f64
    }

    /// Average linkage: the same heap damage and then the most alike parts first.
    fn link(&mut self, links: &Links) {
        let mut pairs: Vec<(Likeness, usize, usize)> = links
            .iter()
            .filter(|(_, likeness)| likeness.value >= SAME)
            .map(|((one, other), likeness)| (*likeness, *one, *other))
            .collect();
        pairs.sort_by(|(a, ..), (b, ..)| b.value.total_cmp(&a.value));
        pairs.sort_by_key(|(likeness, ..)| likeness.rule != MergeRule::SameHeapDamage);
        for (likeness, one, other) in pairs {
            let (one, other) = (self.part(one), self.part(other));
            // The same damage is found on any stack.
            let is_sure = likeness.rule == MergeRule::SameHeapDamage && likeness.value >= 1.0;
            if one != other && (is_sure || self.average(links, one, other) >= SAME) {
                self.join(one, other);
            }
        }
    }

    /// A crash in a library without symbols joins the one group that it fits but for the
    /// name. What fits several is left open.
    fn name_libraries(&mut self) -> Links {
        let mut open = Links::new();
        let mut by_first: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
        for (index, subgroup) in self.subgroups.iter().enumerate() {
            if let Some(first) = subgroup.first {
                by_first.entry((subgroup.image, first)).or_default().push(index);
            }
        }
        for (index, subgroup) in
            self.subgroups.iter().enumerate().filter(|(_, subgroup)| is_unnamed(subgroup))
        {
            // It is in the group of its damage.
            if subgroup.damaged.is_some() {
                continue;
            }
            let Some(first) = subgroup.first else { continue };
            let alike = by_first.get(&(subgroup.image, first)).map_or(&[][..], Vec::as_slice);
            let mut fits: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
            for other in alike.iter().take(CANDIDATES).filter(|other| **other != index) {
                // Who found damage is chance.
                let other_bug = self.subgroups.get(*other).filter(|other| other.damaged.is_none());
                let found = other_bug.and_then(|other| named(subgroup, other));
                // Two libraries without symbols: one of them called the other.
                let Some(likeness) = found.filter(|likeness| *likeness >= SUSPECTED) else {
                    continue;
                };
                let found = Likeness::of(MergeRule::UnnamedLibrary, likeness);
                open.insert((index.min(*other), index.max(*other)), found);
                // To fail in a library is not to fail beside it.
                if self
                    .subgroups
                    .get(*other)
                    .is_some_and(|subgroup| subgroup.called == Some(&Called::Nothing))
                {
                    continue;
                }
                let best = fits.entry(self.part(*other)).or_insert((likeness, *other));
                if likeness > best.0 {
                    *best = (likeness, *other);
                }
            }
            let mut fits: Vec<(f64, usize)> = fits.into_values().collect();
            fits.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let next = fits.get(1).map_or(0.0, |next| next.0);
            if let Some((best, other)) = fits.first().copied()
                && best >= SUSPECTED
                && best - next >= CLEARLY
            {
                let (one, other) = (self.part(index), self.part(other));
                self.join(one, other);
            }
        }
        open
    }
}

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
