//! What the crashes of a group have in common and others lack: traits that are collected of
//! both sides, each tested, and ranked by how little chance explains them.

mod features;
mod ranking;
mod statistics;

pub use features::{Feature, FeatureKind, Features};
pub use ranking::{DIFFER_SCHEMA, Difference, Distinction, Like, differ, write_difference};

pub(crate) use features::of_facts;
