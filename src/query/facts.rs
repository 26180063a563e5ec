//! What is known of a core beside its stacks.

use std::os::unix::ffi::OsStrExt;

use serde::{Deserialize, Serialize};

use crate::circumstances::FileEvidence;
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};
use obit_triage::time::instant_of;

/// What is known of a core beside its stacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoreFacts {
    /// The core file.
    pub path: Shown,
    /// The process id.
    pub pid: Option<i64>,
    /// The program's path.
    pub program: Option<Shown>,
    /// Its build ID.
    pub build: Option<String>,
    /// The signal that killed it.
    pub signal: Option<String>,
    /// When: `2026-03-10T14:00:00Z`.
    pub time: Option<String>,
    /// On which machine.
    pub host: Option<Shown>,
    /// The class of the cause, if it was asked for.
    pub class: Option<String>,
}

impl CoreFacts {
    /// Of a process; with the class of the cause only if it `wants_class`, which takes an
    /// analysis.
    pub(super) fn of(process: &Process, wants_class: bool, redactor: &mut Redactor) -> Self {
        let dump = &process.dump;
        let evidence = FileEvidence::of(&dump.path, dump.file.as_ref(), &dump.beside);
        let environment = process.environment();
        let circumstances = evidence.report(environment.as_deref(), redactor);
        let executable = process.modules.executable();
        let module = executable.and_then(|at| process.modules.list().get(at));
        let mut path =
            |path: &std::path::Path| redactor.show_bytes(Origin::Path, path.as_os_str().as_bytes());
        let cause = if wants_class { obit_analysis::analyze(process).cause } else { None };
        Self {
            path: path(&dump.path),
            pid: dump.process.as_ref().map(|info| info.pid),
            program: process.executable_path().map(|at| path(&at)),
            build: module.and_then(|module| module.build_id.as_ref()).map(ToString::to_string),
            signal: dump.signal.as_ref().map(obit_corefile::dump::Signal::name),
            time: evidence.seconds().map(instant_of),
            host: circumstances.host,
            class: cause.map(|cause| cause.class.word().to_owned()),
        }
    }
}
