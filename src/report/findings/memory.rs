//! Findings on memory in words.

use crate::analysis::{MemoryFinding, Verdict};
use crate::redact::Redactor;
use crate::report::{Evidence, Finding};

pub(super) fn finding(finding: &MemoryFinding, _redactor: &mut Redactor) -> Finding {
    match *finding {}
}

/// What is known of the pointer that was used: evidence beside the access.
pub(in super::super) fn verdict(verdict: &Verdict, _redactor: &mut Redactor) -> Option<Evidence> {
    match *verdict {}
}
