//! Findings on locks in words.

use crate::analysis::LockFinding;
use crate::redact::Redactor;
use crate::report::Finding;

pub(super) fn finding(finding: &LockFinding, _redactor: &mut Redactor) -> Finding {
    match *finding {}
}
