//! Which dumps belong to one incident, and which process failed first.
//!
//! Input are [`Facts`] of each dump, which those who read cores collect; output is a document of
//! [`Incidents`]. Two dumps are joined by evidence that both hold and unrelated processes do not:
//! the two ends of one connection, memory that both map, parent and child, an id of a request.
//! That they crashed at the same time, on the same host or in the same unit joins nothing.
//!
//! Texts in facts may be shown: they have left the redactor. What is compared are keys, digests
//! of what the core holds, which are never written.
//!
//! Not for: reading cores, laying out pages.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod document;
mod facts;
mod find;
mod join;
mod order;
mod peers;
#[cfg(test)]
mod tests;

pub use document::{
    Alone, Evidence, EvidenceKind, First, Incident, Incidents, Link, Member, SCHEMA, Strength,
};
pub use facts::{
    Address, Facts, Failure, Id, Moment, Network, Parent, PipeEnd, Roles, SharedMemory, Socket,
};
pub use find::{Settings, find};
