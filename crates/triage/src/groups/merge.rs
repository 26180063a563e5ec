//! Why the subgroups of a group are one group.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::cluster::Links;
use super::rule::{Likeness, MergeRule};
use super::subgroups::Subgroup;

/// Why a subgroup is in a group with others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Merge {
    /// By which rule.
    pub rule: MergeRule,
    /// How alike it is to that subgroup, from 0 to 1.
    pub likeness: f64,
    /// The subgroup of the group that it is like.
    pub with: String,
}

/// Subgroups of a group that are compared with each other; of more only with the main one.
const COMPARED: usize = 512;

/// Why each of the `members` of a group is in it, but the one that most crashes are of: from
/// there on always the one that is most like one of those before.
pub(super) fn merges(
    subgroups: &[Subgroup<'_>],
    members: &[usize],
    crashes: &[u64],
    links: &[&Links],
) -> Vec<(usize, Merge)> {
    let of = |member: usize| (crashes.get(member).copied().unwrap_or(0), Reverse(member));
    let Some(main) = members.iter().copied().max_by_key(|member| of(*member)) else {
        return Vec::new();
    };
    let link = |one: usize, other: usize| {
        let pair = (one.min(other), one.max(other));
        links.iter().find_map(|links| links.get(&pair)).copied()
    };
    let by_hand = Likeness::of(MergeRule::ByHand, 0.0);
    let mut open: BTreeSet<usize> = members.iter().copied().filter(|one| *one != main).collect();
    let mut best: Vec<(usize, usize, Likeness)> =
        open.iter().map(|member| (*member, main, link(*member, main).unwrap_or(by_hand))).collect();
    let mut merges = Vec::new();
    loop {
        let left = best.iter().filter(|(member, ..)| open.contains(member));
        let next = left.max_by(|(a, _, x), (b, _, y)| {
            x.value.total_cmp(&y.value).then_with(|| of(*a).cmp(&of(*b)))
        });
        let Some((member, with, Likeness { rule, value })) = next.copied() else { break };
        open.remove(&member);
        let is_compared = members.len() <= COMPARED;
        for (other, with, likeness) in best.iter_mut().filter(|_| is_compared) {
            let found = link(*other, member).filter(|found| found.value > likeness.value);
            if let Some(found) = found.filter(|_| open.contains(other)) {
                (*with, *likeness) = (member, found);
            }
        }
        let with = subgroups.get(with).map(|with| with.name.clone()).unwrap_or_default();
        merges.push((member, Merge { rule, likeness: value, with }));
    }
    merges
}
