//! How functions are left and entered.

use super::World;
use super::function::{Function, is_return};
use obit_disassembly::Next;
use std::rc::Rc;

/// Functions that one may go on in by jumps.
const MOST_TAILS: usize = 16;

/// A place in a function.
pub(super) type Site = (Rc<Function>, usize);

/// How a function was entered that is left by a return later on the way.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) call: Site,
    pub(super) target: u64,
    pub(super) jumps: Rc<[Site]>,
    pub(super) outer: Option<Rc<Entered>>,
    pub(super) depth: usize,
}

/// How a function that was called is left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) returns: Vec<Site>,
    pub(super) jumps: Rc<[Site]>,
    /// Whether all of them return where they were called, and once.
    pub(super) is_once: bool,
}

/// The returns of a function and of those it jumps to; `None` where one is not known.
pub(super) fn left_by(world: &dyn World, target: u64) -> Option<Left> {
    let mut returns = Vec::new();
    let mut jumps = Vec::new();
    let mut open = vec![target];
    let mut seen = Vec::new();
    while let Some(next) = open.pop() {
        let function = world.function(next)?;
        // Into its middle: what it does from there is part of what it does.
        if seen.contains(&function.start()) {
            continue;
        }
        if seen.len() >= MOST_TAILS || (next == target && function.start() != next) {
            return None;
        }
        seen.push(function.start());
        if !function.indirect().is_empty() {
            return None;
        }
        for (index, step) in function.steps().iter().enumerate() {
            if !function.leaves(index) {
                continue;
            }
            let site = (Rc::clone(&function), index);
            match step.next {
                Next::Jumps(Some(to)) | Next::Branches(to) => {
                    jumps.push(site);
                    open.push(to.0);
                }
                Next::Ends if is_return(step) => returns.push(site),
                _ => return None,
            }
        }
    }
    let is_once = seen.iter().all(|start| world.returns_once(*start));
    Some(Left { returns, jumps: jumps.into(), is_once })
}
