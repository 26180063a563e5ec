//! Makes the report of a crashed process: the analysis in words, redacted, as the document
//! that every renderer and store reads.

mod around;
mod build;
mod cause_text;
mod code;
mod contents;
mod findings;
mod heap_report;
mod hidden;
mod id;
pub(crate) mod judged;
pub(crate) mod key_objects;
mod known;
mod mappings;
mod memory_dump;
mod next;
mod notice_text;
mod options;
mod printed;
mod registers;
mod rewound;
mod source_lines;
mod source_place;
mod source_values;
mod tasks;
pub(crate) mod values;
mod variables;

pub(crate) use around::{lines_around, source_file};
pub(crate) use build::build_with;
pub(crate) use build::trust_of;
pub use build::{TakeThread, build, build_in_portions};
pub(crate) use code::Code;
pub use contents::{ContentsLimits, contents};
pub(crate) use findings::locks::want as what_a_thread_wants;
pub use heap_report::{growth, heap, place};
pub(crate) use tasks::tasks_of;
pub use tasks::{TasksWanted, tasks};
/// The heap as it was read, for questions that stay open.
pub(crate) mod heap_read {
    pub(crate) use super::heap_report::{NO_HEAP, Read, census_of, hit, place_of};
}
pub use hidden::hidden;
pub use id::{CrashId, public_command};
pub use known::{ended_early, known};
pub(crate) use memory_dump::operand;
pub use obit_report::*;
pub use options::{
    BuildOptions, Context, Flavor, TailCalls, WhichRegisters, WhichStacks, WhoseLocals,
};
pub(crate) use printed::Judge;
pub use printed::{Asked, printed};
pub use rewound::{RewindWanted, rewound};
