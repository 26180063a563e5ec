//! Exit codes: documented in `obit --help`, and a promise.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The report was written. Its notices list what is missing.
    Success,
    /// The report was written, is incomplete, and `--strict` was given. Or the report on a
    /// scrubbed core differs from that on its original, or it has masked text. Or files of a
    /// batch could not be read. Or something of a damaged store is lost. Or a query found nothing.
    Incomplete,
    /// Nothing usable: not a core, or no thread in it; no store.
    Unusable,
    /// A `--fail-on` condition matched.
    Gate,
    /// The command line cannot be followed (sysexits.h `EX_USAGE`).
    Usage,
    /// A bug in obit (`EX_SOFTWARE`).
    Bug,
    /// The output or the store could not be written (`EX_IOERR`).
    Output,
    /// As the command of `obit run` ended.
    OfCommand(u8),
    /// The user ended it (128 + SIGINT, as the shell reports it).
    Interrupted,
    /// The reader of our output went away: 128 + SIGPIPE, as if it had killed us.
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
            Self::OfCommand(code) => code,
            Self::Interrupted => 130,
            Self::BrokenPipe => 141,
        }
    }

    /// The inverse.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        const ALL: [Exit; 9] = [
            Exit::Success,
            Exit::Incomplete,
            Exit::Unusable,
            Exit::Gate,
            Exit::Usage,
            Exit::Bug,
            Exit::Output,
            Exit::Interrupted,
            Exit::BrokenPipe,
        ];
        ALL.into_iter().find(|exit| exit.code() == code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// For the end of `obit --help`. 130 is what the shell reports after Ctrl-C.
pub(crate) const HELP: &str = "\
Exit codes:
  0    the report was written; its notices list what is missing
  1    the report was written but is incomplete (only with --strict); the report on a
       scrubbed core differs, or the core has masked text; files of a batch could not
       be read; something of a damaged store is lost; `obit query` found nothing
  2    nothing usable: not a core, or no thread in it; a store that is damaged or missing
  3    a --fail-on condition matched; the reasons are on the standard error
  64   bad usage; an expression that cannot be evaluated
  70   a bug in obit
  74   the output or the store could not be written
  130  interrupted
  With several cores, the highest code is returned. `obit run` ends as its command does.

Examples:
  obit core                         the program is found by its path and build ID in the core
  obit core ./server                or given, as for gdb
  obit core.1 core.2 core.3         a report on each; with --json one document per line
  zcat core.gz | obit -             a core from the standard input, plain or compressed
  obit -a core                      every thread's stack, in your pager
  obit --sysroot ./root core        with files copied from the machine of the crash
  obit print core 'list->next[2]'   a variable, member or element; --frame N, --thread TID
  obit query 'walk { n->next }' DIR the same in every frame of a function, in many cores
  obit modules core                 what was loaded, and what was not found
  obit scrub core -o small.zst      a core to share
  obit run -- make check            with a core and a report of each crash in it
  obit --json core | jq .signal     for programs; `obit schema` describes it

obit VERB --help and obit help VERB list the options of a verb.";
