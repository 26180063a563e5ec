//! Debug sections, unpacked when they are first asked for.

pub(crate) mod context;
pub(crate) mod section_cache;
pub(crate) mod sources;
