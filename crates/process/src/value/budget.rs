//! How much of a value is read and shown.

use std::cell::Cell;

/// How much of each value is shown, and what is left for all values that share it.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Levels of members within members.
    pub max_depth: usize,
    /// Elements of one array or container.
    pub max_elements: usize,
    /// Characters of one string.
    pub max_text: usize,
    /// Members and elements of one variable on all levels; and as many again of what is
    /// read beside the plain structure: contents of containers, what pointers point at.
    pub max_nodes: usize,
    /// Pointers to pointers that are followed.
    pub max_pointers: usize,
    /// Nodes left for all values that share this budget.
    left: Cell<usize>,
}

/// Levels that are followed at most, even if more are asked for: each takes stack space.
const DEEPEST: usize = 100;
/// Nodes of one report: enough for some thousand frames; some 100 MB as JSON.
const NODES: usize = 500_000;

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_depth: 6,
            max_elements: 64,
            max_text: 200,
            max_nodes: 1000,
            max_pointers: 1,
            left: Cell::new(NODES),
        }
    }
}

impl Budget {
    /// With other limits for one value; the number of its nodes follows from them.
    #[must_use]
    pub fn with(self, max_depth: Option<usize>, max_elements: Option<usize>) -> Self {
        let elements = max_elements.unwrap_or(self.max_elements);
        Self {
            max_depth: max_depth.unwrap_or(self.max_depth).min(DEEPEST),
            max_elements: elements,
            max_nodes: self.max_nodes.max(elements.saturating_mul(16)),
            ..self
        }
    }

    /// With `nodes` nodes for all values that share it.
    #[must_use]
    pub fn with_nodes(self, nodes: usize) -> Self {
        self.left.set(nodes);
        self
    }

    /// Takes one node from what all values share.
    pub(super) fn take(&self) -> bool {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// The levels of members, limited by the size of the stack.
    pub(super) fn depth(&self) -> usize {
        self.max_depth.min(DEEPEST)
    }
}
