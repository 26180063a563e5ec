//! Findings in words.

pub(super) mod asleep;
pub(super) mod facts;
mod inventory;
pub(crate) mod locks;
pub(super) mod memory;
pub(super) mod python;

use super::Finding;
use obit_analysis as analysis;
use obit_process::process::Process;
use obit_redact::{Origin, Redactor};
use obit_runtime::TaskFrame;

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

/// `main.recv at main.go:2`
fn place_of_task(frame: &TaskFrame, redactor: &mut Redactor) -> String {
    let name = frame.function.as_deref().unwrap_or("?");
    let name = redactor.show(Origin::SymbolName, name);
    let line = frame.place.as_ref().and_then(|place| {
        let file = redactor.show(Origin::SourcePath, &place.file);
        let file = file.as_str().rsplit('/').next()?.to_owned();
        Some(format!(" at {file}:{}", place.line?))
    });
    format!("{}{}", name.as_str(), line.unwrap_or_default())
}
