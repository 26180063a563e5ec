//! Exit codes. Documented in `obit --help`; a promise.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The report was written. What is incomplete stands in its notices.
    Success,
    /// The report was written, is incomplete, and `--strict` was given. Or a scrubbed core
    /// does not say the same as its original, or holds what was masked. Or files of a batch
    /// could not be read.
    Incomplete,
    /// Nothing usable: not a core, or no thread in it; no store.
    Unusable,
    /// `--fail-on` found what it was to find.
    Gate,
    /// The command line makes no sense (sysexits.h `EX_USAGE`).
    Usage,
    /// A bug in obit (`EX_SOFTWARE`).
    Bug,
    /// The output or the store could not be written (`EX_IOERR`).
    Output,
    /// Whoever read our output went away: 128 + SIGPIPE, as if it had killed us.
    BrokenPipe,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Incomplete => 1,
            Self::Unusable => 2,
            Self::Gate => 3,
            Self::Usage => 64,
            Self::Bug => 70,
            Self::Output => 74,
            Self::BrokenPipe => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// For the end of `obit --help`. 130 is the shell's word for Ctrl-C.
pub(crate) const HELP: &str = "\
Exit codes:
  0    the report was written; what is incomplete stands in its notices
  1    the report was written but is incomplete (only with --strict); a scrubbed core
       that does not say the same, or holds masked text; a batch in which files could
       not be read
  2    nothing usable: not a core, or no thread in it; a store that is damaged or none
  3    --fail-on found what it was to find; the reasons stand on the standard error
  64   bad usage; an expression that makes no sense
  70   a bug in obit
  74   the output or the store could not be written
  130  interrupted

Examples:
  obit core                         the program is found by what the core says of it
  obit core ./server                or given, as one would to gdb
  obit -a core                      every thread's stack, through your pager
  obit --sysroot ./root core        with files copied from the machine of the crash
  obit print core 'list->next[2]'   a variable, member or element; --frame N, --thread TID
  obit modules core                 what was loaded, and what was not found
  obit scrub core -o small.zst      a core that can be handed on
  obit --json core | jq .signal     for programs; `obit schema` describes it";
