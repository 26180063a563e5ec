//! What was read and what crashed: the core file, the process, the signal.

use serde::{Deserialize, Serialize};

use super::Hex;
use obit_redact::Shown;

/// The core file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CoreReport {
    /// As given by the user.
    pub path: Shown,
    /// Bytes of the file as given, before decompression.
    pub size: u64,
    /// The machine, as `uname -m` has it.
    pub arch: String,
    /// The operating system: `linux`.
    pub os: String,
    /// Whether the file ends before its segments do.
    pub truncated: bool,
    /// Bytes that its headers promise and the file lacks.
    pub missing_bytes: u64,
    /// What it was compressed with.
    pub container: Option<String>,
}

/// When and where the process crashed, as far as the file and the environment say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Circumstances {
    /// In UTC: `2026-03-01T12:34:56Z`.
    pub time: Option<String>,
    /// What `time` was taken from.
    pub time_source: Option<TimeSource>,
    /// Name of the machine or the pod.
    pub host: Option<Shown>,
    /// `podman`, `lxc`, `kubernetes`, …, where the environment names it.
    pub container: Option<Shown>,
    /// The systemd unit: `web.service`.
    pub unit: Option<Shown>,
    /// What the collector of the core recorded beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// What the program that collected the core recorded of the process. `process` and `signal` are
/// what the core says, and right where both differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Recorded {
    /// Which program that was.
    pub by: Collector,
    /// Process id as the collector saw it: that of the machine, where the core may have that of a
    /// container.
    pub pid: Option<i64>,
    /// User id, likewise.
    pub uid: Option<u64>,
    /// Path of the program.
    pub exe: Option<Shown>,
    /// The package of the program, and its version.
    pub package: Option<Shown>,
    /// How often the collector saw the same crash.
    pub count: Option<u64>,
}

/// A program that collects cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Collector {
    /// systemd-coredump: attributes of the file.
    #[default]
    Systemd,
    /// apport: its report.
    Apport,
    /// ABRT: files beside the core.
    Abrt,
}

/// What the time of a crash was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TimeSource {
    /// Attributes or file name by systemd-coredump.
    Systemd,
    /// The date in an apport report.
    Apport,
    /// The file `time` in a directory of ABRT.
    Abrt,
    /// A time in the file's name, as `%t` of core_pattern writes it.
    FileName,
    /// When the core file was last written; a copy may be younger than the crash.
    FileModified,
}

/// The crashed process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ProcessReport {
    /// Process id.
    pub pid: Option<i64>,
    /// Its parent's.
    pub ppid: Option<i64>,
    /// Real user id.
    pub uid: Option<u64>,
    /// The kernel's name of it, at most 15 bytes.
    pub comm: Option<Shown>,
    /// Path of the program.
    pub exe: Option<Shown>,
    /// The command line.
    pub args: Vec<Shown>,
    /// Build ID of the program.
    pub build_id: Option<String>,
    /// The build ID is that of the file at the program's path: the core does not hold it, and
    /// the file may have been replaced since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub build_id_of_file: bool,
    /// The distribution's package it came in.
    pub package: Option<Package>,
}

/// What `.note.package` says (the FDO packaging metadata specification).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Package {
    /// `deb`, `rpm`, …
    #[serde(rename = "type")]
    pub format: Option<Shown>,
    /// The distribution.
    pub os: Option<Shown>,
    /// The package's name.
    pub name: Option<Shown>,
    /// Its version.
    pub version: Option<Shown>,
    /// Its architecture.
    pub architecture: Option<Shown>,
}

/// The signal that killed the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SignalReport {
    /// Its number on the machine of the core.
    pub number: i64,
    /// `SIGSEGV`, …; `SIG42` for one without a name.
    pub name: String,
    /// `si_code`, where the core holds it.
    pub code: Option<i64>,
    /// `SEGV_MAPERR`, …
    pub code_name: Option<String>,
    /// `si_addr`, where the kernel set it.
    pub fault_address: Option<Hex>,
    /// Who sent it, if a process did.
    pub sender_pid: Option<i64>,
    /// As whom.
    pub sender_uid: Option<u64>,
}

impl SignalReport {
    /// What the kernel means by the code, where its name alone does not say.
    pub fn meaning(&self) -> Option<&'static str> {
        Some(match self.code_name.as_deref()? {
            "SEGV_MAPERR" => "nothing is mapped there",
            "SEGV_ACCERR" => "mapped, but access is not allowed",
            // The processor reports no address for these.
            "SI_KERNEL" if self.name == "SIGSEGV" && self.fault_address.is_none() => {
                "address not reported, non-canonical or privileged"
            }
            "BUS_ADRALN" => "misaligned",
            "BUS_ADRERR" => "no page to back it, as beyond the end of a mapped file",
            "FPE_INTDIV" => "integer division by zero",
            "FPE_INTOVF" => "integer overflow",
            "ILL_ILLOPC" => "illegal opcode",
            "ILL_ILLOPN" => "illegal operand",
            "ILL_PRVOPC" | "ILL_PRVREG" => "privileged instruction",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_where_its_name_does_not_do_it() {
        let meaning = |name: &str, code: &str, fault_address| {
            let (name, code_name) = (name.to_owned(), Some(code.to_owned()));
            SignalReport { name, code_name, fault_address, ..SignalReport::default() }.meaning()
        };
        assert_eq!(meaning("SIGSEGV", "SEGV_MAPERR", None), Some("nothing is mapped there"));
        assert!(meaning("SIGSEGV", "SI_KERNEL", None).is_some());
        assert_eq!(meaning("SIGSEGV", "SI_KERNEL", Some(Hex(0))), None);
        assert_eq!(meaning("SIGABRT", "SI_TKILL", None), None);
    }
}
