//! What could not be known, as a reader of the document sees it.

use serde::{Deserialize, Serialize};

use obit_redact::Shown;

/// One thing that is missing or doubtful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoticeReport {
    /// Which of the catalogue.
    pub code: NoticeCode,
    /// What it is about: a module's base name, a thread, a path.
    #[serde(default)]
    pub subject: Option<Shown>,
    /// One sentence.
    pub text: Shown,
    /// What fixes it.
    pub hint: Shown,
}

/// What is missing or damaged, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NoticeCode {
    /// The file ends before its segments do.
    CoreTruncated,
    /// A thread's stack memory is not in the core.
    StackMissing,
    /// A thread's stack pointer points to memory that was not mapped.
    StackPointerUnmapped,
    /// A note could not be read.
    NoteMalformed,
    /// The crashed thread was chosen by a rule.
    CrashThreadInferred,
    /// Stacks of this machine cannot be unwound.
    MachineUnsupported,
    /// The given executable is of another build and was used, as the user asked.
    ExecutableForced,
    /// The given executable is not the one that crashed.
    ExecutableRefused,
    /// A module's file is another build.
    ModuleMismatch,
    /// No file for a module.
    ModuleMissing,
    /// A module's file was taken by name alone.
    ModuleUnverified,
    /// No debug information for a module.
    DebugInfoMissing,
    /// A debug file belongs to another build.
    DebugFileMismatch,
    /// A part of split debug information is missing.
    DebugPartMissing,
    /// A path named by the core was not opened.
    FileRefused,
    /// What was recorded beside the core is not what the core says.
    MetadataContradicts,
    /// A source file is not the one that was compiled.
    SourceDiffers,
    /// A source file was changed after the build.
    SourceNewer,
    /// A debuginfod server failed.
    DebuginfodFailed,
    /// A debug section could not be read.
    DwarfMalformed,
    /// The core was made from a minidump, which has little but stacks.
    CoreFromMinidump,
    /// The dynamic linker's list is broken.
    LinkMapBroken,
    /// Unwinding ended early.
    UnwindStopped,
    /// A limit was reached.
    LimitReached,
    /// The process that read the core ended before the report was complete.
    AnalysisEnded,
}

impl NoticeCode {
    /// Whether a report with it lacks something that a full one would have. The rest are
    /// doubts about what is there.
    pub fn is_incompleteness(self) -> bool {
        !matches!(
            self,
            Self::CrashThreadInferred
                | Self::ExecutableForced
                | Self::ModuleUnverified
                | Self::MetadataContradicts
                | Self::SourceDiffers
                | Self::SourceNewer
        )
    }

    /// The sentence for `count` notices of this kind at once, to be followed by their
    /// subjects.
    pub fn many(self, count: usize) -> String {
        let rest = match self {
            Self::CoreTruncated => "core files are cut short",
            Self::StackMissing => "threads have no stack in the core",
            Self::StackPointerUnmapped => "stack pointers point to unmapped memory",
            Self::NoteMalformed => "notes of the core could not be read",
            Self::CrashThreadInferred => "crashed threads are guesses",
            Self::MachineUnsupported => "machines cannot be unwound",
            Self::ExecutableForced => "executables of another build were forced",
            Self::ExecutableRefused => "executables were ignored",
            Self::ModuleMismatch => "files on disk do not match the core (different build ID)",
            Self::ModuleMissing => "modules have no file",
            Self::ModuleUnverified => "modules were matched by name only",
            Self::DebugInfoMissing => "modules have no debug information",
            Self::DebugFileMismatch => "debug files belong to another build",
            Self::DebugPartMissing => "parts of split debug information are missing",
            Self::FileRefused => "files were not opened",
            Self::MetadataContradicts => "facts recorded beside the core are not what it says",
            Self::SourceDiffers => "source files are not those that were compiled",
            Self::SourceNewer => "source files were changed after the build",
            Self::DebuginfodFailed => "debuginfod servers failed",
            Self::DwarfMalformed => "debug sections could not be read in full",
            Self::CoreFromMinidump => "cores were made from minidumps",
            Self::LinkMapBroken => "lists of loaded objects are broken",
            Self::UnwindStopped => "stacks end early",
            Self::LimitReached => "limits were reached",
            Self::AnalysisEnded => "analyses ended early",
        };
        format!("{count} {rest}")
    }

    /// What to do about several of this kind at once.
    pub fn hint(self) -> &'static str {
        match self {
            Self::CoreTruncated => {
                "raise `ulimit -c`, or systemd-coredump's ProcessSizeMax= and \
                 ExternalSizeMax=, and check that the disk was not full"
            }
            Self::StackMissing => {
                "let the kernel dump anonymous memory: bits 0 and 1 of \
                 /proc/PID/coredump_filter; a truncated stack needs a complete core"
            }
            Self::StackPointerUnmapped => {
                "the stack ran out or the stack pointer was overwritten; another core of the \
                 same crash will not have more"
            }
            Self::NoteMalformed => "copy the core again, or take one with gcore",
            Self::CrashThreadInferred => "look at the other threads too: --all-threads",
            Self::MachineUnsupported => {
                "threads and modules are shown; for stacks, use a gdb for that machine"
            }
            Self::ExecutableForced => "give the program that ran, or leave out --force-exe",
            Self::ExecutableRefused => {
                "pass the program that crashed as --exe, or omit it: obit looks for it"
            }
            Self::ModuleMismatch | Self::ModuleMissing => {
                "copy the files from the machine of the crash and pass --sysroot DIR or \
                 --solib-search-path DIR, or fetch them with --debuginfod"
            }
            Self::ModuleUnverified => {
                "the core has no build ID for it: make sure it is the file that ran"
            }
            Self::DebugInfoMissing => {
                "install the -dbgsym or -debuginfo packages, or pass \
                 --debug-file-directory DIR or --debuginfod"
            }
            Self::DebugFileMismatch => {
                "install the debug packages of exactly the versions that ran, or pass \
                 --debuginfod"
            }
            Self::DebugPartMissing => {
                "keep .dwo, .dwp and dwz files beside the program, or pass \
                 --debug-file-directory DIR"
            }
            Self::FileRefused => {
                "only regular, readable files are opened; give a copy with --exe, --sysroot \
                 or --solib-search-path"
            }
            Self::MetadataContradicts => {
                "the file may be another core than the one that was collected under this name"
            }
            Self::SourceDiffers | Self::SourceNewer => {
                "check out the version that was built, or point to it with \
                 --substitute-path FROM=TO or --source-path DIR"
            }
            Self::DebuginfodFailed => {
                "check the address and the network, or pass --offline to go without"
            }
            Self::DwarfMalformed => "rebuild, or install the debug package again",
            Self::CoreFromMinidump => {
                "globals and the heap are not in a minidump; give the files of the very builds \
                 with --exe and --solib-search-path, since it has no build IDs"
            }
            Self::LinkMapBroken => "modules come from the core's list of mapped files instead",
            Self::UnwindStopped => {
                "give the file of the last frame's module (`obit modules` shows which are \
                 missing); an overwritten stack cannot be followed further"
            }
            Self::AnalysisEnded => {
                "please report it, with the program that wrote the core; \
                 `obit scrub` may still make a core that can be shared"
            }
            Self::LimitReached => {
                "pass --frames 0 for whole stacks; other limits guard obit itself"
            }
        }
    }
}

/// Begins the part of a text that a page leaves out where it is short of room.
pub const LOOKED_FOR: &str = "; looked for ";
