//! The documents that answer one question: what a value is (`obit print`), what a report
//! hides (`obit redact --explain`), what memory holds besides (`obit memory`), which tasks there
//! are (`obit tasks`), what was executed last (`obit rewind`).

mod contents;
mod hidden;
mod printed;
mod rewound;
mod tasks;

pub use contents::{
    Contents, InFlight, InFlightId, TimelineEntry, UnwrittenLine, UnwrittenOutput, UnwrittenWriter,
};
pub use hidden::{Hidden, HiddenText};
pub use printed::{Answer, MemoryDump, MemoryRow, Printed, TypeText};
pub use rewound::{RewindBlock, RewindBranch, RewindLine, RewindReport, RewindVariable};
pub use tasks::{
    RuntimeReport, TaskCreated, TaskFrameReport, TaskLocal, TaskReport, TaskStack, TaskWait,
    TasksReport, VerdictReport,
};

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_false(flag: &bool) -> bool {
    !*flag
}
