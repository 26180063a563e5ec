//! From a path to a report in two calls.

use std::path::{Path, PathBuf};

use crate::report::{BuildOptions, Report, build};
pub use obit_corefile::dump::OpenError;
pub use obit_process::process::Options;
use obit_process::process::Process;

/// A crashed process, read from its core dump.
#[derive(Debug)]
pub struct Crash {
    process: Process,
}

/// Reads the core dump at `core`, plain or compressed, and the files that belong to it. They
/// are looked for where gdb looks, and in the core's own directory. Nothing is fetched from
/// the network.
pub fn open(core: impl AsRef<Path>) -> Result<Crash, OpenError> {
    let core = core.as_ref();
    let mut options = Options::default();
    options.rules.core_directory = core.parent().map(|parent| match parent.as_os_str() {
        empty if empty.is_empty() => PathBuf::from("."),
        _ => parent.to_owned(),
    });
    open_with(core, options)
}

/// The same with other places to look for files, limits or formatters.
pub fn open_with(core: impl AsRef<Path>, options: Options) -> Result<Crash, OpenError> {
    Ok(Crash { process: Process::open(core.as_ref(), options, &())? })
}

impl Crash {
    /// The whole report: cause, signature, threads, modules, findings. Personal data is
    /// redacted by the default policy.
    pub fn report(&self) -> Report {
        self.report_with(BuildOptions::default())
    }

    /// A report that holds what `options` say.
    pub fn report_with(&self, options: BuildOptions) -> Report {
        build(&self.process, options)
    }

    /// Threads, frames, variables, memory and modules, not redacted.
    pub fn process(&self) -> &Process {
        &self.process
    }
}
