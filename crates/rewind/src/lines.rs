//! The source lines that were executed, the last one first.

use super::chain::Chain;
use super::of_process::OfProcess;
use super::variables::{Held, held};
use super::walk::Walk;
use obit_corefile::addr::Avma;
use obit_dwarf::{SourceFrame, SourceLocation};
use std::collections::HashMap;
use std::rc::Rc;

/// Instructions of one line, executed one after the other.
#[derive(Clone, Debug)]
pub struct Line {
    /// The last of them, in steps before the end, from 1.
    pub newest: usize,
    /// The first of them.
    pub oldest: usize,
    /// Where the first one lies.
    pub address: u64,
    /// The function.
    pub function: Option<String>,
    /// The place in source; `None` without debug information.
    pub location: Option<SourceLocation>,
    /// Number of the module it is of.
    pub module: Option<usize>,
    /// Conditional jumps, the last one first.
    pub branches: Vec<Branch>,
    /// Variables whose value is known after them.
    pub variables: Vec<Held>,
    /// Whether these are certainly the instructions that were executed.
    pub is_proved: bool,
}

/// A conditional jump that was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Where it lies.
    pub address: u64,
    /// The condition, as mnemonics end: `ne`.
    pub condition: &'static str,
    /// Whether it jumped.
    pub taken: bool,
}

impl Line {
    /// Whether the other is the same line of the same function.
    pub fn is_of(&self, other: &Self) -> bool {
        let line = |of: &Self| of.location.as_ref().map(|place| (place.file.clone(), place.line));
        self.function == other.function
            && line(self) == line(other)
            && (self.location.is_some() || self.address == other.address)
    }
}

/// The lines of a walk.
pub fn lines(world: &OfProcess<'_>, walk: &Walk<'_>) -> Vec<Line> {
    let (chain, proved) = (walk.chain(), walk.proved());
    let mut frames: HashMap<u64, Rc<Named>> = HashMap::new();
    let mut found: Vec<Line> = Vec::new();
    for step in 1..=chain.len() {
        let Some(link) = chain.link(step) else { break };
        let at = link.address;
        let known = frames.entry(at).or_insert_with(|| Rc::new(frame(world, at)));
        let (module, frame) = (known.0, known.1.as_ref());
        let mut line = Line {
            newest: step,
            oldest: step,
            address: at,
            function: frame.and_then(|frame| frame.function.clone()),
            location: frame.and_then(|frame| frame.location.clone()),
            module,
            branches: Vec::new(),
            variables: Vec::new(),
            is_proved: step <= proved.len(),
        };
        let branch = link.branch().map(|(condition, taken)| Branch {
            address: at,
            condition: condition.name(),
            taken,
        });
        let same = |last: &&mut Line| {
            let is_same_line =
                last.is_of(&line) || line.location.is_none() && last.location.is_none();
            is_same_line && last.function == line.function && last.is_proved == line.is_proved
        };
        // A function that calls itself is another one each time.
        let frames = (entry(chain, step), entry(chain, step.saturating_sub(1)));
        let is_another = matches!(frames, (Some(one), Some(other)) if one != other);
        if let Some(last) = found.last_mut().filter(|_| !is_another).filter(same) {
            last.oldest = step;
            last.address = at;
            last.branches.extend(branch);
        } else {
            line.branches.extend(branch);
            found.push(line);
        }
    }
    for line in &mut found {
        line.variables = known(world, (chain, proved), line);
    }
    found
}

/// The stack pointer when the function of an instruction was entered.
fn entry(chain: &Chain, step: usize) -> Option<u64> {
    let moved = chain.link(step)?.moved?;
    Some(chain.register(step, 7)?.wrapping_sub(moved.cast_unsigned()))
}

/// The module and the function of an address.
type Named = (Option<usize>, Option<SourceFrame>);

fn frame(world: &OfProcess<'_>, at: u64) -> Named {
    let modules = &world.process.modules;
    let Some(index) = modules.index_at(Avma(at)) else { return (None, None) };
    let found = modules.get(index).zip(modules.debug(index));
    let frames = found.map(|(module, debug)| debug.frames_at(module.to_svma(Avma(at))));
    (Some(index), frames.and_then(|frames| frames.into_iter().next()))
}

/// Variables after a line, and whether it changed them.
fn known(world: &OfProcess<'_>, (chain, proved): (&Chain, &Chain), line: &Line) -> Vec<Held> {
    let mut after = held(world, chain, line.newest, true);
    // At the entry nothing is in the places of the function's variables yet.
    let is_entered = chain.link(line.oldest).is_some_and(|link| link.moved == Some(0));
    let before = if is_entered { Vec::new() } else { held(world, chain, line.oldest, false) };
    let certain = if line.newest <= proved.len() {
        held(world, proved, line.newest, true)
    } else {
        Vec::new()
    };
    for variable in &mut after {
        let same = |other: &&Held| other.name == variable.name && other.nth == variable.nth;
        variable.before = before.iter().find(same).map(|other| other.value.clone());
        variable.is_proved = certain.iter().find(same).is_some_and(|it| it.value == variable.value);
    }
    after
}
