//! Loaded images.

use serde::{Deserialize, Serialize};

use super::{Hex, Package};
use obit_redact::Shown;

/// One image in the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModuleReport {
    /// As the process knew it; `[vdso]` for the vDSO.
    pub path: Shown,
    /// What it was loaded as.
    pub role: ModuleRole,
    /// Its build ID.
    pub build_id: Option<String>,
    /// Address of its first byte.
    pub base: Hex,
    /// Bytes from there to its end.
    pub size: u64,
    /// Whether its file was found.
    pub file: ModuleFile,
    /// Where, if it was.
    pub file_path: Option<Shown>,
    /// How much is known of its code.
    pub debug: DebugReport,
    /// The separate debug file, if there is one.
    pub debug_path: Option<Shown>,
    /// The distribution's package it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

/// What an image was loaded as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ModuleRole {
    /// The program itself.
    Executable,
    /// A shared object.
    #[default]
    Shared,
    /// The kernel's.
    Vdso,
    /// Code of a just-in-time compiler, registered by GDB's interface.
    Jit,
}

/// Whether an image's file was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ModuleFile {
    /// It was: the same build, or taken by name where the core holds no build ID.
    Found,
    /// Files of that name are other builds.
    Mismatch,
    /// No file.
    #[default]
    Missing,
    /// The image was read from the core itself.
    InCore,
}

/// How much is known of an image's code.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DebugReport {
    /// Not even a symbol.
    #[default]
    None,
    /// Names of functions.
    Symbols,
    /// Functions, inlined calls and lines, but no variables.
    LineTables,
    /// Everything.
    Full,
}
