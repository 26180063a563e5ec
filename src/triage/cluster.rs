//! Which crashes are one bug's.

use std::collections::BTreeMap;

use super::Trace;

/// Traces brought together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grouping {
    /// Each the indices of its traces, in their order.
    pub groups: Vec<Vec<usize>>,
    /// Groups that may be one, by index in `groups`, and how alike they are, from 0 to 1.
    pub suspected: Vec<(usize, usize, f64)>,
}

/// What the user said of traces, by their signatures.
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
    let _ = (counts, wishes);
    let mut by_signature: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, trace) in traces.iter().enumerate() {
        by_signature.entry(&trace.signature).or_default().push(at);
    }
    Grouping { groups: by_signature.into_values().collect(), suspected: Vec::new() }
}
