//! What an address is: a block of the heap and whether it is in use, a place on a stack, a
//! variable, a pattern that tells where a pointer came from.

use super::Fault;
use crate::addr::Avma;
use crate::process::Process;

/// What is at an address, or what the address itself looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {}

/// Something wrong with memory that did not itself end the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoryFinding {}

/// What is known of the pointer `at`; `None` where nothing tells.
pub(super) fn verdict(_process: &Process, _at: Avma) -> Option<Verdict> {
    None
}

/// Damage near the fault, and pointers of the crashed thread's frames that dangle.
pub(super) fn findings(_process: &Process, _fault: Option<&Fault>) -> Vec<MemoryFinding> {
    Vec::new()
}
