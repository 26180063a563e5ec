//! What entries are called.

pub(crate) mod ada;
pub(crate) mod demangle;
pub(crate) mod function_name;
pub(crate) mod naming;
pub(crate) mod scopes;
