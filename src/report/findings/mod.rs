//! Findings in words.

pub(super) mod asleep;
pub(super) mod facts;
pub(crate) mod locks;
pub(super) mod memory;

use super::Finding;
use obit_analysis as analysis;
use obit_redact::Redactor;

/// `finding` as the report gives it.
pub(super) fn finding(finding: &analysis::Finding, redactor: &mut Redactor) -> Finding {
    match finding {
        analysis::Finding::Lock(finding) => locks::finding(finding, redactor),
        analysis::Finding::Memory(finding) => memory::finding(finding, redactor),
    }
}
