//! Dominators of a graph, after Lengauer and Tarjan (1979), with path compression: of each node the
//! nearest one that all ways from the start lead through. Nothing here is recursive: lists of
//! millions of blocks are as deep.

/// No node.
const NONE: u32 = u32::MAX;

/// The edges of a graph: the targets of each node in sequence.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// For each node where its targets begin, and at the end how many there are.
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Edges {
    /// Those of no node.
    pub(crate) fn new() -> Self {
        Self { starts: vec![0], targets: Vec::new() }
    }

    /// Adds a target of the node that is being made.
    pub(crate) fn add(&mut self, target: u32) {
        self.targets.push(target);
    }

    /// Ends a node; the next one begins.
    pub(crate) fn end_node(&mut self) {
        self.starts.push(u32::try_from(self.targets.len()).unwrap_or(NONE));
    }

    /// How many edges there are.
    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// How many nodes there are.
    fn nodes(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn of(&self, node: u32) -> &[u32] {
        let start = at(&self.starts, node) as usize;
        let end = at(&self.starts, node.saturating_add(1)) as usize;
        self.targets.get(start..end).unwrap_or_default()
    }
}

/// Nodes in the order of a search in depth from node 0, each with its dominator by its place in that
/// order, which is before its own.
#[derive(Debug)]
pub(crate) struct Dominators {
    /// The nodes that are reached.
    pub(crate) order: Vec<u32>,
    /// For each place in `order` that of the dominator; the first is its own.
    pub(crate) idom: Vec<u32>,
}

fn at(table: &[u32], index: u32) -> u32 {
    table.get(index as usize).copied().unwrap_or(NONE)
}

fn set(table: &mut [u32], index: u32, value: u32) {
    if let Some(place) = table.get_mut(index as usize) {
        *place = value;
    }
}

impl Dominators {
    /// Those of the graph with these edges, which it uses up.
    pub(crate) fn of(edges: Edges) -> Self {
        let (order, number, parent) = search(&edges);
        let count = order.len();
        let (starts, sources) = reversed(&edges, &order, &number);
        drop((edges, number));
        let mut forest = Forest {
            ancestor: vec![NONE; count],
            label: (0..count as u32).collect(),
            semi: (0..count as u32).collect(),
            path: Vec::new(),
        };
        let mut idom = vec![NONE; count];
        // Nodes whose semidominator a node is, as lists.
        let mut bucket = vec![NONE; count];
        let mut next = vec![NONE; count];
        for node in (1..count as u32).rev() {
            let range = at(&starts, node) as usize..at(&starts, node.saturating_add(1)) as usize;
            for source in sources.get(range).unwrap_or_default() {
                let least = forest.least(*source);
                let semi = at(&forest.semi, least).min(at(&forest.semi, node));
                set(&mut forest.semi, node, semi);
            }
            let semi = at(&forest.semi, node);
            set(&mut next, node, at(&bucket, semi));
            set(&mut bucket, semi, node);
            let parent = at(&parent, node);
            set(&mut forest.ancestor, node, parent);
            let mut waiting = at(&bucket, parent);
            set(&mut bucket, parent, NONE);
            while waiting != NONE {
                let least = forest.least(waiting);
                let is_less = at(&forest.semi, least) < at(&forest.semi, waiting);
                set(&mut idom, waiting, if is_less { least } else { parent });
                waiting = at(&next, waiting);
            }
        }
        set(&mut idom, 0, 0);
        for node in 1..count as u32 {
            let known = at(&idom, node);
            if known != at(&forest.semi, node) {
                let further = at(&idom, known);
                set(&mut idom, node, further);
            }
        }
        Self { order, idom }
    }
}

/// The nodes in the order in which they are found, the place of each in it, and for each place that
/// of the node from which it was found.
fn search(edges: &Edges) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut order = Vec::new();
    let mut number = vec![NONE; edges.nodes()];
    let mut parent = Vec::new();
    // A place, and how many of its targets were looked at.
    let mut way: Vec<(u32, u32)> = Vec::new();
    if edges.nodes() > 0 {
        set(&mut number, 0, 0);
        order.push(0);
        parent.push(NONE);
        way.push((0, 0));
    }
    while let Some((place, done)) = way.last_mut() {
        let targets = edges.of(at(&order, *place));
        let Some(target) = targets.get(*done as usize).copied() else {
            way.pop();
            continue;
        };
        *done = done.saturating_add(1);
        if (target as usize) < number.len() && at(&number, target) == NONE {
            let found = order.len() as u32;
            parent.push(*place);
            set(&mut number, target, found);
            order.push(target);
            way.push((found, 0));
        }
    }
    (order, number, parent)
}

/// For each place the places of the nodes that lead to it, in sequence.
fn reversed(edges: &Edges, order: &[u32], number: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; order.len().saturating_add(1)];
    for node in order {
        for target in edges.of(*node) {
            let place = at(number, *target).saturating_add(1);
            let count = at(&starts, place).saturating_add(1);
            set(&mut starts, place, count);
        }
    }
    let mut sum = 0_u32;
    for start in &mut starts {
        sum = sum.saturating_add(*start);
        *start = sum;
    }
    let mut sources = vec![NONE; sum as usize];
    let mut fill: Vec<u32> = starts.clone();
    for (place, node) in order.iter().enumerate() {
        for target in edges.of(*node) {
            let target = at(number, *target);
            let index = at(&fill, target);
            set(&mut sources, index, place as u32);
            set(&mut fill, target, index.saturating_add(1));
        }
    }
    (starts, sources)
}

/// The part of the search tree that was linked, with shortened ways to its roots.
struct Forest {
    ancestor: Vec<u32>,
    /// The node with the least semidominator on the way that was shortened.
    label: Vec<u32>,
    semi: Vec<u32>,
    path: Vec<u32>,
}

impl Forest {
    /// The node with the least semidominator on the way from `node` up, without the root.
    fn least(&mut self, node: u32) -> u32 {
        if at(&self.ancestor, node) == NONE {
            return node;
        }
        let mut up = node;
        self.path.clear();
        while at(&self.ancestor, at(&self.ancestor, up)) != NONE {
            self.path.push(up);
            up = at(&self.ancestor, up);
        }
        while let Some(down) = self.path.pop() {
            let above = at(&self.ancestor, down);
            let (best, own) = (at(&self.label, above), at(&self.label, down));
            if at(&self.semi, best) < at(&self.semi, own) {
                set(&mut self.label, down, best);
            }
            let root = at(&self.ancestor, above);
            set(&mut self.ancestor, down, root);
        }
        at(&self.label, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(of: &[&[u32]]) -> Edges {
        let mut edges = Edges::new();
        for targets in of {
            targets.iter().for_each(|target| edges.add(*target));
            edges.end_node();
        }
        edges
    }

    /// The dominator of each node by its number; `None` if it is not reached.
    fn dominators(graph: &[&[u32]]) -> Vec<Option<u32>> {
        let found = Dominators::of(edges(graph));
        let mut all = vec![None; graph.len()];
        for (place, node) in found.order.iter().enumerate() {
            all[*node as usize] = Some(found.order[found.idom[place] as usize]);
        }
        all
    }

    /// By the definition: what cannot be reached without it.
    fn by_definition(graph: &[&[u32]]) -> Vec<Option<u32>> {
        let reached = |without: Option<u32>| {
            let mut seen = vec![false; graph.len()];
            let mut next = vec![0_u32];
            while let Some(node) = next.pop() {
                if Some(node) != without && !std::mem::replace(&mut seen[node as usize], true) {
                    next.extend(graph[node as usize]);
                }
            }
            seen
        };
        let all = reached(None);
        let strict: Vec<Vec<u32>> = (0..graph.len() as u32)
            .map(|node| {
                let is_over = |by: &u32| {
                    *by != node && all[*by as usize] && !reached(Some(*by))[node as usize]
                };
                (0..graph.len() as u32).filter(is_over).collect()
            })
            .collect();
        (0..graph.len())
            .map(|node| match node {
                _ if !all[node] => None,
                0 => Some(0),
                _ => strict[node].iter().copied().max_by_key(|by| strict[*by as usize].len()),
            })
            .collect()
    }

    #[test]
    fn the_dominator_is_the_nearest_node_that_all_ways_lead_through() {
        // The example of the paper: R, A to L.
        let paper: &[&[u32]] = &[
            &[1, 2, 3],
            &[4],
            &[1, 4, 5],
            &[6, 7],
            &[12],
            &[8],
            &[9],
            &[9, 10],
            &[5, 11],
            &[11],
            &[9],
            &[9, 0],
            &[8],
        ];
        assert_eq!(dominators(paper), by_definition(paper));
        let cut: &[&[u32]] = &[&[1], &[], &[1]];
        assert_eq!(dominators(cut), [Some(0), Some(0), None]);
    }

    #[test]
    fn graphs_of_all_shapes_have_the_dominators_of_the_definition() {
        let mut state = 7_u64;
        let mut random = |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        for _ in 0..300 {
            let count = 2 + random(12);
            let graph: Vec<Vec<u32>> = (0..count)
                .map(|_| (0..random(4)).map(|_| random(count) as u32).collect())
                .collect();
            let graph: Vec<&[u32]> = graph.iter().map(Vec::as_slice).collect();
            assert_eq!(dominators(&graph), by_definition(&graph), "{graph:?}");
        }
    }

    #[test]
    fn a_list_that_leads_both_ways_takes_no_longer_for_its_length() {
        let count = 200_000_u32;
        let mut both = Edges::new();
        both.add(1);
        both.add(count);
        both.end_node();
        for node in 1..=count {
            both.add(node - 1);
            both.add(if node == count { 0 } else { node + 1 });
            both.end_node();
        }
        let found = Dominators::of(both);
        assert_eq!(found.order.len(), count as usize + 1);
        assert!(found.idom.iter().all(|idom| *idom == 0), "both ends are held by the start");
    }
}
