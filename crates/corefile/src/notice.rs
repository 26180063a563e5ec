//! What could not be known, as data. A notice never ends an analysis: it travels with
//! the partial answer and is put into words by the report.

use std::path::PathBuf;

use crate::addr::Avma;

/// One thing a reader of the report must know to judge it. A closed catalogue: each
/// variant has one code, one text and one hint in `report`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notice {
    /// The file ends before its segments do.
    CoreTruncated {
        /// Bytes that the program headers promise and the file lacks.
        missing_bytes: u64,
        /// Bytes of the file as it is.
        size: u64,
    },
    /// A thread's stack memory is not in the core.
    StackMissing {
        /// The thread.
        tid: i64,
        /// Why.
        reason: StackAbsence,
    },
    /// A note or its segment could not be read.
    NoteMalformed {
        /// What is wrong and where.
        problem: String,
    },
    /// The core names no crashed thread; one was chosen by a rule.
    CrashThreadInferred {
        /// The chosen one.
        tid: i64,
        /// The rule, in words.
        rule: &'static str,
    },
    /// Stacks of this machine cannot be unwound.
    MachineUnsupported {
        /// `e_machine`.
        e_machine: u16,
        /// Its name, as far as known.
        name: &'static str,
    },
    /// No file was found for a module.
    ModuleMissing {
        /// As the crashed process knew it.
        path: String,
        /// What to look for.
        build_id: Option<String>,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A file was found under a module's name but is another build.
    ModuleMismatch {
        /// As the crashed process knew it.
        path: String,
        /// The build ID in the core.
        wanted: String,
        /// The build ID of the file (`none` if it has none).
        found: String,
        /// The file.
        at: PathBuf,
    },
    /// A file was found under a module's name, but its segments are not those of the process.
    ModuleLaidOutOtherwise {
        /// As the crashed process knew it.
        path: String,
        /// The file.
        at: PathBuf,
    },
    /// A module has no build ID in the core, so its file was matched by name only.
    ModuleUnverified {
        /// As the crashed process knew it.
        path: String,
        /// The file that was taken.
        at: PathBuf,
    },
    /// A module has no debug information anywhere.
    DebugInfoMissing {
        /// The module's path.
        path: String,
        /// What to look for.
        build_id: Option<String>,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A debug file was found but does not belong to the module.
    DebugFileMismatch {
        /// The module's path.
        path: String,
        /// The file.
        at: PathBuf,
        /// In what they differ: build IDs or CRC-32s, both named.
        problem: String,
    },
    /// A file that debug information refers to (dwz, `.dwo`, `.dwp`) is missing.
    DebugPartMissing {
        /// The module's path.
        path: String,
        /// The missing file's name.
        name: String,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A path named by the core was not opened.
    FileRefused {
        /// The path.
        path: PathBuf,
        /// Why: a device, a FIFO, too large, unreadable.
        reason: String,
    },
    /// A debuginfod server failed and was not asked again in this run.
    DebuginfodFailed {
        /// The server.
        url: String,
        /// What happened.
        error: String,
    },
    /// What the collector of the core recorded is not what the core says, which is right.
    MetadataContradicts {
        /// The collector.
        by: &'static str,
        /// What it is about: `signal`, `program`.
        what: &'static str,
        /// What was recorded.
        recorded: String,
        /// What the core says.
        core: String,
    },
    /// A source file is not the one that was compiled.
    SourceDiffers {
        /// The file that is shown.
        at: PathBuf,
        /// The program or library that was compiled from it.
        module: String,
    },
    /// A source file was changed after its program was built.
    SourceNewer {
        /// The file that is shown.
        at: PathBuf,
        /// The program or library that was compiled from it.
        module: String,
    },
    /// Something in a debug section could not be read.
    DwarfMalformed {
        /// The module's path.
        path: String,
        /// What is wrong and where.
        problem: String,
    },
    /// The core was made from a minidump (`minidump-2-core`): the stacks, and the names of objects.
    CoreFromMinidump {
        /// Objects that its list has.
        modules: usize,
    },
    /// The dynamic linker's list of objects could not be walked to its end.
    LinkMapBroken {
        /// What is wrong.
        problem: String,
    },
    /// Unwinding ended before the outermost frame.
    UnwindStopped {
        /// The thread.
        tid: i64,
        /// Index of the last physical frame.
        frame: usize,
        /// Why.
        reason: UnwindStop,
    },
    /// A limit on hostile input was reached; the rest was left out.
    LimitReached {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The given executable is another build than the program that crashed, and is used all
    /// the same, as the user asked.
    ExecutableForced {
        /// The file.
        at: PathBuf,
        /// The build ID of the core.
        wanted: String,
        /// The build ID of the file.
        found: String,
    },
    /// The given executable is another build than the program that crashed, and is not used.
    ExecutableMismatch {
        /// The file.
        at: PathBuf,
        /// The build ID of the core.
        wanted: String,
        /// The build ID of the file.
        found: String,
    },
    /// The given executable cannot be used.
    ExecutableRefused {
        /// The file.
        at: PathBuf,
        /// Why.
        problem: String,
    },
}

/// Why a thread's stack memory is not in the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackAbsence {
    /// The core ends before it.
    Truncated,
    /// It was mapped and left out.
    NotDumped,
    /// Nothing was mapped where the stack pointer points.
    Unmapped,
}

/// Why unwinding ended before the outermost frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnwindStop {
    /// Nothing is known of the machine's stacks.
    UnknownMachine,
    /// The core does not hold the thread's pc.
    NoPc,
    /// So many frames are unwound and no more.
    FrameLimit(usize),
    /// The next frame is the same as this one.
    SameFrame,
    /// The stack goes down again and again.
    GoesDown,
    /// The registers that the kernel saved for a signal handler are not in the core.
    ContextMissing,
    /// The call frame information of the process takes too much work.
    TablesTooCostly,
    /// No call frame information covers the pc, and nothing else leads on.
    NoTable,
    /// The row of the table cannot be applied, and nothing else leads on.
    Row(RowProblem),
}

/// Why a row of call frame information does not give the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowProblem {
    /// The CFA is computed from a register that is unknown.
    CfaRegister {
        /// Its name, if it has one here.
        name: Option<&'static str>,
    },
    /// The expression that gives the CFA cannot be evaluated.
    CfaExpression,
    /// The return address cannot be read where the row says.
    ReturnUnreadable {
        /// The CFA.
        cfa: Avma,
    },
    /// The return address is in a register that is unknown.
    ReturnRegister,
    /// The table has no rule for the return address.
    ReturnRule,
}
