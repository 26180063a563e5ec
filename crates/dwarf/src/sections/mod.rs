//! Debug sections, unpacked when they are first asked for.

pub(crate) mod cache;
pub(crate) mod context;
pub(crate) mod sources;
