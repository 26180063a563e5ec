//! The documents that answer one question: what a value is (`obit print`), what a report
//! hides (`obit redact --explain`).

mod hidden;
mod printed;

pub use hidden::{Hidden, HiddenText};
pub use printed::{Answer, MemoryDump, MemoryRow, Printed, TypeText};
