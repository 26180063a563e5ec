//! Which crashes are one bug's.
//!
//! Crashes of one signature are, unless it ends with a helper that only hands on what its
//! callers gave it (`cells`). Signatures are brought together where `link` finds
//! that compilers, missing symbols or an argument that went wrong further out tell them
//! apart and nothing else: average linkage, candidates by the functions near the fault. All
//! is sorted first, so that neither the order of the traces nor when they came counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Trace;
use super::cells::{Cell, cells};
use super::link::{DOUBTED, SAME, SUSPECTED, likeness, lost_function, named};
use super::trace::Called;

/// Cells that one function leads to. More have it in common because everything has.
const CANDIDATES: usize = 64;
/// Groups that one may be suspected to be the same as.
const SUSPECTS: usize = 8;
/// How much better the best name for a library function must fit than the next.
const CLEARLY: f64 = 0.15;

/// Traces brought together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grouping {
    /// Each the indices of its traces, in their order.
    pub groups: Vec<Vec<usize>>,
    /// Of each trace, the smallest part of a group it is in: its signature's id, with `@`
    /// and a caller behind it if the signature ends with a helper of several callers.
    pub cells: Vec<String>,
    /// Groups that may be one, by index in `groups`, and how alike they are, from 0 to 1.
    pub suspected: Vec<(usize, usize, f64)>,
}

/// What the user said of traces, by their signatures or cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Signatures that belong together.
    pub together: Vec<(String, String)>,
    /// Signatures that do not.
    pub apart: Vec<(String, String)>,
}

/// Groups `traces`, of each of which `counts` says how many crashes had it. The groups do
/// not depend on the order of the traces.
pub fn group(traces: &[Trace], counts: &[u64], wishes: &Wishes) -> Grouping {
    let cells = cells(traces, counts);
    let mut parts = Parts::new(&cells, wishes);
    let links = links(&cells);
    parts.link(&links);
    parts.join_wished();
    let open = parts.name_libraries();
    let mut grouping = Grouping { cells: vec![String::new(); traces.len()], ..Grouping::default() };
    for cell in &cells {
        for index in &cell.traces {
            if let Some(name) = grouping.cells.get_mut(*index) {
                name.clone_from(&cell.name);
            }
        }
    }
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for (part, members) in parts.members.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
        let members = members.iter().filter_map(|cell| cells.get(*cell));
        let mut indices: Vec<usize> = members.flat_map(|c| c.traces.iter().copied()).collect();
        indices.sort_unstable();
        group_of.insert(part, grouping.groups.len());
        grouping.groups.push(indices);
    }
    let mut suspected: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for ((one, other), likeness) in links.iter().chain(&open) {
        let group = |cell: &usize| group_of.get(parts.part_of.get(*cell)?).copied();
        let (Some(one_group), Some(other_group)) = (group(one), group(other)) else { continue };
        if one_group != other_group && !parts.is_apart(*one, *other) {
            let pair = (one_group.min(other_group), one_group.max(other_group));
            let most = suspected.entry(pair).or_default();
            *most = most.max(*likeness);
        }
    }
    let mut suspected: Vec<_> = suspected.into_iter().map(|((a, b), l)| (a, b, l)).collect();
    suspected.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    let mut told: HashMap<usize, usize> = HashMap::new();
    suspected.retain(|(one, other, _)| {
        let is_new = [one, other].iter().all(|g| told.get(g).copied().unwrap_or(0) < SUSPECTS);
        for group in [one, other].into_iter().filter(|_| is_new) {
            *told.entry(*group).or_default() += 1;
        }
        is_new
    });
    grouping.suspected = suspected;
    grouping
}

/// Pairs of cells and how alike they are.
type Links = BTreeMap<(usize, usize), f64>;

/// All pairs that are alike enough to be suspected.
fn links(cells: &[Cell<'_>]) -> Links {
    let mut links = Links::new();
    // By the cell that may have lost a function.
    let mut lost: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    for (one, other) in candidates(cells) {
        let (Some(a), Some(b)) = (cells.get(one), cells.get(other)) else { continue };
        if is_unnamed(a) || is_unnamed(b) {
            continue;
        }
        if let Some(likeness) = likeness(a, b).filter(|likeness| *likeness >= SUSPECTED) {
            links.insert((one, other), likeness);
        }
        for (more, less) in [(one, other), (other, one)] {
            if let (Some(a), Some(b)) = (cells.get(more), cells.get(less))
                && let Some(likeness) = lost_function(a, b).filter(|l| *l >= SUSPECTED)
            {
                lost.entry(less).or_default().push((more, likeness));
            }
        }
    }
    for (less, found) in lost {
        for (more, likeness) in &found {
            // One function is lost, not one of several.
            let likeness = if found.len() == 1 { *likeness } else { likeness.min(DOUBTED) };
            let most = links.entry((less.min(*more), less.max(*more))).or_default();
            *most = most.max(likeness);
        }
    }
    links
}

/// Pairs of cells with a function near the fault in common that is no common one.
fn candidates(cells: &[Cell<'_>]) -> BTreeSet<(usize, usize)> {
    let mut having: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, cell) in cells.iter().enumerate() {
        for function in cell.near.iter().chain(&cell.functions).collect::<BTreeSet<_>>() {
            having.entry(*function).or_default().push(index);
        }
    }
    let mut pairs = BTreeSet::new();
    for cells in having.values().filter(|cells| cells.len() <= CANDIDATES) {
        for (at, one) in cells.iter().enumerate() {
            pairs.extend(cells.iter().skip(at + 1).map(|other| (*one, *other)));
        }
    }
    pairs
}

fn is_unnamed(cell: &Cell<'_>) -> bool {
    matches!(cell.called, Some(Called::Unnamed(_)))
}

/// Cells on their way to be groups.
struct Parts<'c, 't> {
    cells: &'c [Cell<'t>],
    /// Of each cell, the part it is in.
    part_of: Vec<usize>,
    /// Of each part its cells; empty where it was joined to another.
    members: Vec<Vec<usize>>,
    /// Pairs of cells that the user wants apart.
    apart: BTreeSet<(usize, usize)>,
    /// And together.
    together: BTreeSet<(usize, usize)>,
}

impl<'c, 't> Parts<'c, 't> {
    /// One for each cell.
    fn new(cells: &'c [Cell<'t>], wishes: &Wishes) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, cell) in cells.iter().enumerate() {
            by_name.entry(&cell.name).or_default().push(index);
            if cell.name != cell.signature {
                by_name.entry(cell.signature).or_default().push(index);
            }
        }
        let pairs = |list: &[(String, String)]| -> BTreeSet<(usize, usize)> {
            // What was once a helper's caller may be all of its signature now.
            let signature = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
            let cells = |name: &str| {
                let found = by_name.get(name).or_else(|| by_name.get(signature(name).as_str()));
                found.cloned().unwrap_or_default()
            };
            let mut pairs = BTreeSet::new();
            for (one, other) in list {
                for a in cells(one) {
                    pairs.extend(cells(other).into_iter().map(|b| (a.min(b), a.max(b))));
                }
            }
            pairs.retain(|(a, b)| a != b);
            pairs
        };
        Self {
            cells,
            part_of: (0..cells.len()).collect(),
            members: (0..cells.len()).map(|cell| vec![cell]).collect(),
            apart: pairs(&wishes.apart),
            together: pairs(&wishes.together),
        }
    }

    /// What the user wants together, with all that is alike to it.
    fn join_wished(&mut self) {
        for (one, other) in std::mem::take(&mut self.together) {
            let (one, other) = (self.part(one), self.part(other));
            self.join(one, other);
        }
    }

    fn part(&self, cell: usize) -> usize {
        self.part_of.get(cell).copied().unwrap_or(cell)
    }

    fn of(&self, part: usize) -> &[usize] {
        self.members.get(part).map_or(&[], Vec::as_slice)
    }

    fn is_apart(&self, one: usize, other: usize) -> bool {
        self.apart.contains(&(one.min(other), one.max(other)))
    }

    /// Makes two parts one, if the user does not want any of their cells apart.
    fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (one.min(other), one.max(other));
        let are_apart = !self.apart.is_empty()
            && self.of(one).iter().any(|a| self.of(other).iter().any(|b| self.is_apart(*a, *b)));
        if one == other || are_apart {
            return false;
        }
        let moved = self.members.get_mut(other).map(std::mem::take).unwrap_or_default();
        for cell in &moved {
            if let Some(part) = self.part_of.get_mut(*cell) {
                *part = one;
            }
        }
        if let Some(members) = self.members.get_mut(one) {
            members.extend(moved);
            members.sort_unstable();
        }
        true
    }

    /// How alike two parts are on average over their pairs of cells. What is less than
    /// suspicious counts as nothing.
    fn average(&self, links: &Links, one: usize, other: usize) -> f64 {
        let (ours, theirs) = (self.of(one), self.of(other));
        let mut sum = 0.0;
        for a in ours {
            for b in theirs {
                sum += links.get(&(*a.min(b), *a.max(b))).copied().unwrap_or(0.0);
            }
        }
        sum / (ours.len() * theirs.len()).max(1) as f64
    }

    /// Average linkage: the most alike parts first.
    fn link(&mut self, links: &Links) {
        let mut pairs: Vec<(f64, usize, usize)> =
            links.iter().filter(|(_, l)| **l >= SAME).map(|((a, b), l)| (*l, *a, *b)).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (_, one, other) in pairs {
            let (one, other) = (self.part(one), self.part(other));
            if one != other && self.average(links, one, other) >= SAME {
                self.join(one, other);
            }
        }
    }

    /// A crash in a library without symbols joins the one group that it fits but for the
    /// name. What fits several is left open.
    fn name_libraries(&mut self) -> Links {
        let mut open = Links::new();
        let mut by_first: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
        for (index, cell) in self.cells.iter().enumerate() {
            if let Some(first) = cell.first {
                by_first.entry((cell.image, first)).or_default().push(index);
            }
        }
        for (index, cell) in self.cells.iter().enumerate().filter(|(_, cell)| is_unnamed(cell)) {
            let Some(first) = cell.first else { continue };
            let alike = by_first.get(&(cell.image, first)).map_or(&[][..], Vec::as_slice);
            let mut fits: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
            for other in alike.iter().take(CANDIDATES).filter(|other| **other != index) {
                let found = self.cells.get(*other).and_then(|other| named(cell, other));
                // Two libraries without symbols: one of them called the other.
                let Some(likeness) = found.filter(|likeness| *likeness >= SUSPECTED) else {
                    continue;
                };
                open.insert((index.min(*other), index.max(*other)), likeness);
                // To fail in a library is not to fail beside it.
                if self.cells.get(*other).is_some_and(|cell| cell.called == Some(&Called::Nothing))
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
