//! The variables of the functions at an address: parameters and locals, those of nested
//! blocks and inlined calls too (DWARF 5 § 3.3, 3.5, 4.1).

use std::sync::Arc;

use crate::model::location::{Location, VariableId};
use crate::model::types::TypeId;
use obit_corefile::addr::Svma;

/// The variables in scope at one address.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    /// One for each of [`DebugInfo::frames_at`](crate::DebugInfo::frames_at), in the same
    /// order: the innermost inlined call first, the physical function last.
    pub frames: Vec<Arc<Scope>>,
    /// `DW_AT_frame_base` of the physical function.
    pub frame_base: Option<Location>,
    /// Where the physical function is entered.
    pub entry: Option<Svma>,
}

/// The variables of one function, as far as they are in scope.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Innermost block first, within a block in the order of their entries.
    pub variables: Vec<Variable>,
}

/// A parameter or a variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its entry.
    pub id: VariableId,
    /// Its name; `None` for those the compiler made.
    pub name: Option<Arc<str>>,
    /// Its type.
    pub ty: Option<TypeId>,
    /// Where it is.
    pub location: Location,
    /// A `DW_TAG_formal_parameter`.
    pub is_argument: bool,
    /// `DW_AT_artificial`: `this` and its like.
    pub is_artificial: bool,
    /// `DW_AT_decl_line`.
    pub line: Option<u32>,
}
