//! The documents that answer one question: what a value is (`obit print`), what a report
//! hides (`obit redact --explain`), what memory holds besides (`obit memory`).

mod contents;
mod hidden;
mod printed;

pub use contents::{
    Contents, InFlight, InFlightId, TimelineEntry, UnwrittenLine, UnwrittenOutput, UnwrittenWriter,
};
pub use hidden::{Hidden, HiddenText};
pub use printed::{Answer, MemoryDump, MemoryRow, Printed, TypeText};
