//! Which crashes are one bug's.

mod cluster;
mod key;
mod likeness;
mod profile;
mod subgroups;

pub use cluster::{Constraints, Grouping, group};
pub use key::{Called, CrashKey};
