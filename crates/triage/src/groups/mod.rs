//! Which crashes are one bug's.

mod cluster;
mod damage;
mod key;
mod likeness;
mod merge;
mod parts;
mod profile;
mod rule;
mod subgroups;

pub use cluster::{Constraints, Grouping, group};
pub use key::{Called, CrashKey};
pub use merge::Merge;
pub use rule::MergeRule;
