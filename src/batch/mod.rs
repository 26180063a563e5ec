//! Many cores: found, each made a [`Record`](obit_triage::Record), whatever they are.
//!
//! The cores are read by worker processes ([`Crew`]), so that one that hangs, swells or
//! finds a bug in obit costs its own record and nothing else.

mod code;
mod compare;
mod crew;
mod facts;
mod glob;
mod identity;
mod image_code;
mod one;
mod plan;
mod run;
mod walk;
mod wire;
mod worker;

pub use code::Code;
pub use crew::{Crew, Done, Job, WorkerCommand};
pub use facts::{NameFacts, facts_of};
pub use identity::stamp_of;
pub use one::{analyze, failed};
pub use plan::{Sight, sight};
pub use run::{BatchError, Order, Settings, Summary, Watcher, run};
pub use walk::{Found, walk};
pub use worker::{serve, with_limits};
