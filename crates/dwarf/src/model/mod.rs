//! What the answers are made of: plain data, readers of which lie in the folders above.

pub(crate) mod call;
pub(crate) mod code;
pub(crate) mod keys;
pub(crate) mod language;
pub(crate) mod location;
pub(crate) mod scope;
pub(crate) mod types;
