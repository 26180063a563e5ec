//! What a call passed, as call site entries have it (DWARF 5 § 3.4).

use crate::model::location::{EntryValue, Expression, VariableId};
use obit_corefile::addr::Svma;

/// A call, by the address it returns to.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is known of where it goes.
    pub target: CallTarget,
    /// What was passed, as far as the caller shows it.
    pub parameters: Vec<Passed>,
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub enum CallTarget {
    /// To the function entered here.
    Function(Svma),
    /// To a function of this linkage name, defined elsewhere.
    Named(String),
    /// To the address this gives in the caller's frame.
    Computed(Expression),
    /// Not recorded.
    Unknown,
}

/// What a call passed in one place.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Where: a register or stack slot, as the callee names it.
    pub place: Option<EntryValue>,
    /// The callee's parameter, where it is said.
    pub parameter: Option<VariableId>,
    /// What, in terms of the caller's frame.
    pub value: Option<Expression>,
    /// What lay where the value points.
    pub pointee: Option<Expression>,
}
