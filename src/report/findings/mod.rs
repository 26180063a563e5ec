//! Findings in words.

pub(super) mod asleep;
pub(super) mod facts;
mod inventory;
pub(crate) mod locks;
pub(super) mod memory;

use super::Finding;
use obit_analysis as analysis;
use obit_process::process::Process;
use obit_redact::Redactor;

/// `finding` as the report gives it.
pub(super) fn finding(
    finding: &analysis::Finding,
    process: &Process,
    redactor: &mut Redactor,
) -> Finding {
    match finding {
        analysis::Finding::Lock(finding) => locks::finding(finding, redactor),
        analysis::Finding::Memory(finding) => memory::finding(finding, process, redactor),
    }
}
