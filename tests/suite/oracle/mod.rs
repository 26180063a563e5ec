//! obit against two other readers of the same tables: addr2line for functions, inlined
//! calls and lines, framehop for stacks. Where they differ on purpose a rule says so.

mod frames;
mod rows;
mod stacks;

use std::collections::BTreeMap;

use crate::fixture::Case;
use obit::debuginfo::locate::SearchRules;
use obit::process::{Options, Process};

/// The case as the library sees it: with the files beside the core alone, or with those
/// this machine has at the paths of the core, too.
fn open(case: &Case, with_this_machines: bool) -> Process {
    let nowhere = case.directory.join("nowhere");
    let rules = SearchRules {
        core_directory: Some(case.directory.clone()),
        sysroot: (!with_this_machines).then_some(nowhere),
        ..Default::default()
    };
    let options = Options { rules, ..Default::default() };
    Process::open(&case.core(), options, &()).unwrap()
}

/// What was compared, and what came of it.
#[derive(Default)]
struct Tally {
    agreed: usize,
    /// Rules that explained a difference, and how often.
    explained: BTreeMap<&'static str, usize>,
    unexplained: Vec<String>,
}

impl Tally {
    fn add(&mut self, difference: Option<(Option<&'static str>, String)>) {
        match difference {
            None => self.agreed += 1,
            Some((Some(rule), _)) => *self.explained.entry(rule).or_default() += 1,
            Some((None, what)) => self.unexplained.push(what),
        }
    }

    fn merge(&mut self, other: Self) {
        self.agreed += other.agreed;
        for (rule, times) in other.explained {
            *self.explained.entry(rule).or_default() += times;
        }
        self.unexplained.extend(other.unexplained);
    }

    fn print(&self, name: &str) {
        let Self { agreed, explained, unexplained } = self;
        println!(
            "{name}: {agreed} agree, explained {explained:?}, unexplained {}",
            unexplained.len()
        );
    }
}
