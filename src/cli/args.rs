//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use obit::redact::Level;

use super::db::DbArgs;
use super::diff::DiffArgs;
use super::digest::DigestArgs;
use super::exit;
use super::gate::Gate;
use super::group::GroupArgs;
use super::list::ListArgs;
use super::print::PrintArgs;
use super::redact::Redact;
use super::scrub::ScrubArgs;
use super::show::ShowArgs;
use super::state::StateArgs;
use super::top::TopArgs;
use super::triage::{TriageArgs, WorkerArgs};

/// Tells you what a dead process died of.
#[derive(Debug, Parser)]
#[command(
    name = "obit",
    version,
    about = "Tells you what a dead process died of",
    override_usage = "obit [OPTIONS] CORE [EXE]\n       obit modules [OPTIONS] CORE [EXE]\n       obit print [OPTIONS] CORE EXPR...\n       obit signature [OPTIONS] CORE [EXE]\n       obit redact [FILE]\n       obit redact --explain CORE [EXE]\n       obit scrub CORE -o OUT\n       obit triage DIR\n       obit explain CLASS\n       obit schema",
    after_help = "obit --help lists all options, exit codes and examples.",
    after_long_help = exit::HELP,
    subcommand_help_heading = "Other views",
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say what the process died of (what obit does without a word, too)
    Analyze(Files),
    /// List what was loaded: builds, files found and missing, debug information
    Modules(Files),
    /// Print expressions: variables, members, elements, globals, registers
    Print(PrintArgs),
    /// Copy a text without secrets and personal data: a log beside a core
    Redact(Redact),
    /// Say what crashes of the same bug have in common
    Signature(SignatureArgs),
    /// Write a small core without people's data, which debuggers still read
    Scrub(ScrubArgs),
    /// Read many cores, and say which bugs they died of
    Triage(TriageArgs),
    /// List the crashes in the store
    List(ListArgs),
    /// Correct groups: split, merge, name
    Group(GroupArgs),
    /// Look after the store
    Db(DbArgs),
    /// List the groups of crashes, what to look at first
    Top(TopArgs),
    /// Show a group in full, or a crash of the store
    Show(ShowArgs),
    /// Compare two directories of cores, or two stores
    Diff(DiffArgs),
    /// Say in Markdown what died since some time: --since 24h
    Digest(DigestArgs),
    /// Say of a group that it is resolved or ignored, or add a note
    State(StateArgs),
    /// Read cores for `obit triage`
    #[command(hide = true)]
    TriageWorker(WorkerArgs),
    /// Say what a class of causes means, and what to look at
    Explain(Explain),
    /// Print the JSON Schema of the report, or of what is said of many crashes
    Schema(SchemaArgs),
}

/// Which core, and how much to say.
#[derive(Clone, Debug, Args)]
pub(crate) struct SignatureArgs {
    #[command(flatten)]
    pub(crate) files: Files,
    /// List each frame that was looked at and the rule that kept it or left it out
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Of what.
#[derive(Clone, Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(long, value_enum, default_value_t, value_name = "DOCUMENT")]
    pub(crate) of: SchemaOf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The report of one crash
    #[default]
    Report,
    /// A line of `obit list`
    Record,
    /// `obit top --json`
    Top,
    /// A line of `obit top --format ndjson`
    Group,
    /// `obit show GROUP --json`
    Show,
    /// `obit diff --json`
    Diff,
}

/// A word of the catalogue of causes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Explain {
    /// The class, as `cause.class` has it: null-read, stack-overflow, …
    #[arg(value_name = "CLASS")]
    pub(crate) class: String,
}

/// A core file named like a verb is given as `./modules`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Files {
    /// The core file
    #[arg(value_name = "CORE")]
    first: Option<PathBuf>,
    /// The program that died, if obit does not find it itself; EXE CORE is understood, too
    #[arg(value_name = "EXE")]
    second: Option<PathBuf>,
}

impl Files {
    /// Only the core.
    pub(crate) fn of(first: Option<PathBuf>) -> Self {
        Self { first, second: None }
    }

    /// The core and the program.
    pub(crate) fn both(first: Option<PathBuf>, second: Option<PathBuf>) -> Self {
        Self { first, second }
    }

    /// As they stand on the command line.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.first.iter().chain(&self.second)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The core file
    #[arg(short, long, value_name = "FILE", global = true)]
    pub(crate) core: Option<PathBuf>,
    /// The program that died
    #[arg(short, long, value_name = "FILE", global = true)]
    pub(crate) exe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) search: Search,
    #[command(flatten)]
    pub(crate) content: Content,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) gate: Gate,
}

/// Where files are looked for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to find files")]
pub(crate) struct Search {
    /// Look for the process' files below this directory
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) sysroot: Option<PathBuf>,
    /// Look for shared objects in these directories, too
    #[arg(long, value_name = "A:B", value_delimiter = ':', global = true, hide_short_help = true)]
    pub(crate) solib_search_path: Vec<PathBuf>,
    /// Look for debug files in these directories instead of /usr/lib/debug
    #[arg(
        long,
        alias = "debuginfo-path",
        value_name = "A:B",
        value_delimiter = ':',
        global = true,
        hide_short_help = true
    )]
    pub(crate) debug_file_directory: Vec<PathBuf>,
    /// Read paths that start with FROM as if they started with TO (repeatable)
    #[arg(long, value_name = "FROM=TO", value_parser = substitution, global = true,
        hide_short_help = true)]
    pub(crate) substitute_path: Vec<(PathBuf, PathBuf)>,
    /// Read how to show your own types from this file (repeatable; see docs/formatters.md)
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    pub(crate) formatters: Vec<PathBuf>,
    /// Look for source files in these directories, too: by their path, or by its end
    #[arg(long, value_name = "A:B", value_delimiter = ':', global = true, hide_short_help = true)]
    pub(crate) source_path: Vec<PathBuf>,
    /// Ask debuginfod servers for what is missing: those of DEBUGINFOD_URLS, or these
    #[arg(
        long,
        value_name = "URLS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        global = true
    )]
    pub(crate) debuginfod: Option<String>,
    /// Ask no server, even if DEBUGINFOD_URLS is set
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) offline: bool,
    /// Neither use nor write the cache of debug sections (below XDG_CACHE_HOME)
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_cache: bool,
}

/// What the report holds.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to show")]
pub(crate) struct Content {
    /// Innermost frames of a deep stack, besides its outermost 20; 0 is all [default: 300,
    /// of which a page shows what fits a screen]
    #[arg(short = 'n', long, value_name = "N", global = true)]
    pub(crate) frames: Option<usize>,
    /// Every thread's stack in full, once for those that have the same
    #[arg(short, long, global = true)]
    pub(crate) all_threads: bool,
    /// A few lines: what died, why, the frame to look at, the crash's id
    #[arg(long, global = true, conflicts_with = "verbose")]
    pub(crate) summary: bool,
    /// This thread's stack instead of the crashed one's
    #[arg(long, value_name = "TID", global = true)]
    pub(crate) thread: Option<i64>,
    /// Registers of each thread that is shown in full; in JSON, of every thread
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) registers: bool,
    /// Whose local variables are read: none, the crashed thread's, or all threads'
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHOSE",
        global = true,
        hide_default_value = true,
        hide_short_help = true
    )]
    pub(crate) locals: Locals,
    /// Levels of members, elements and pointees that are read of one variable [default: 6]
    #[arg(long, value_name = "N", global = true, hide_short_help = true)]
    pub(crate) max_depth: Option<usize>,
    /// Elements that are read of one array or container [default: 64]
    #[arg(long, value_name = "N", global = true, hide_short_help = true)]
    pub(crate) max_elements: Option<usize>,
    /// Lines of source, or instructions, around the place of the crash [default: 2;
    /// 8 on an HTML page]
    #[arg(short = 'C', long, value_name = "N", global = true, hide_short_help = true)]
    pub(crate) context: Option<u32>,
    /// Show neither source lines nor instructions
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_source: bool,
    /// How x86 instructions are written where there is no source: as gcc and gdb do, or
    /// as Intel's manuals do
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        global = true,
        hide_default_value = true,
        hide_short_help = true
    )]
    pub(crate) disassembly_flavor: Flavor,
    /// Where inferred tail calls stand in JSON: under a frame, or (if given without a
    /// value) among the frames
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_value_t,
        default_missing_value = "frames",
        value_name = "WHERE",
        global = true,
        hide_short_help = true
    )]
    pub(crate) tail_calls: TailCallPlace,
    /// The linker's names of functions, as `nm` prints them
    #[arg(short, long, global = true)]
    pub(crate) raw: bool,
    /// How much to hide of what the process held
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "POLICY",
        global = true,
        hide_short_help = true
    )]
    pub(crate) redact: RedactPolicy,
    /// Take the key of the tokens that stand for what is hidden from this file, so that equal
    /// values have equal tokens in all reports made with it
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    pub(crate) redact_key: Option<PathBuf>,
    /// Read what to hide and what to show from this file, too (repeatable; see
    /// docs/redaction.md)
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    pub(crate) redact_rules: Vec<PathBuf>,
    /// Take rules that show what would be hidden from the project's .obit/redact.toml, too
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) trust_project_rules: bool,
    /// End with 1 if anything is missing from the report
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) strict: bool,
}

/// How and where it is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// How to write the report
    #[arg(long, value_enum, default_value_t, global = true, hide_short_help = true)]
    pub(crate) format: Format,
    /// JSON for programs, the same as --format json
    #[arg(long, conflicts_with = "format", global = true)]
    pub(crate) json: bool,
    /// Write to FILE instead of the standard output (-)
    #[arg(short, long, value_name = "FILE", global = true)]
    pub(crate) output: Option<PathBuf>,
    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        global = true,
        hide_short_help = true
    )]
    pub(crate) color: ColorChoice,
    /// Columns of the page [default: the terminal's, or 100]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..),
        global = true, hide_short_help = true)]
    pub(crate) width: Option<u16>,
    /// No pager, however long the page is [default: OBIT_PAGER, PAGER or less, on a
    /// terminal]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_pager: bool,
    /// Whole names, paths and lists; addresses; registers of the crashed thread
    #[arg(short, long, conflicts_with = "quiet", global = true)]
    pub(crate) verbose: bool,
    /// The crash alone, and no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

impl Output {
    /// The format, however it was asked for.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    pub(crate) fn is_json(&self) -> bool {
        matches!(self.format(), Format::Json | Format::Ndjson)
    }

    pub(crate) fn is_page(&self) -> bool {
        self.format() == Format::Html
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A page for a person
    #[default]
    Human,
    /// One line of JSON (see `obit schema`); of many records, an array
    Json,
    /// The same: JSON with one document a line
    Ndjson,
    /// One self-contained page for a browser (see docs/html.md)
    Html,
    /// One line of text, for a chat or a log
    Brief,
    /// Markdown, for a ticket
    #[value(alias = "md")]
    Markdown,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// A JUnit report with a failed test
    Junit,
    /// An event for Sentry
    Sentry,
    /// `::error` commands for GitHub Actions
    Github,
    /// A code quality report for GitLab
    Gitlab,
    /// A table for spreadsheets: of groups alone
    Csv,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Locals {
    /// Nobody's
    None,
    /// The crashed thread's
    #[default]
    Crashed,
    /// Every thread's
    All,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flavor {
    /// `mov 0x8(%rax),%rbx`
    #[default]
    Att,
    /// `mov rbx,[rax+8]`
    Intel,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TailCallPlace {
    /// In `tail_calls` of the frame they lie beyond
    #[default]
    Nested,
    /// In `frames`, counted as gdb does
    Frames,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedactPolicy {
    /// Hide values of options and of the environment, secrets and addresses of people
    #[default]
    Default,
    /// Hide names of users and threads and all messages, too
    Strict,
    /// Hide nothing
    Off,
}

impl RedactPolicy {
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Default => Level::Default,
            Self::Strict => Level::Strict,
            Self::Off => Level::Off,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal
    #[default]
    Auto,
    /// Into files and pipes, too
    Always,
    /// Plain text
    Never,
}

fn substitution(text: &str) -> Result<(PathBuf, PathBuf), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() => Ok((from.into(), to.into())),
        _ => Err("write FROM=TO, as in --substitute-path /build=/home/me/src".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_and_after_files_and_verbs() {
        for line in [
            "obit --redact=off --locals all --json core exe",
            "obit core --exe exe --json",
            "obit analyze core exe --json",
            "obit --json analyze core exe",
            "obit -c core -e exe --format json",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string());
            let output = cli.unwrap().options.output;
            assert!(output.json || output.format == Format::Json, "{line}");
        }
    }

    #[test]
    fn debuginfod_takes_no_file_for_its_servers() {
        let cli = Cli::try_parse_from(["obit", "--debuginfod", "core"]).unwrap();
        assert_eq!(cli.options.search.debuginfod.as_deref(), Some(""));
        assert!(cli.files.paths().eq([&PathBuf::from("core")]));
    }

    #[test]
    fn lists_are_split_at_colons() {
        let line = ["obit", "--debuginfo-path", "/a:/b", "--substitute-path", "/x=/y=z", "core"];
        let search = Cli::try_parse_from(line).unwrap().options.search;
        assert_eq!(search.debug_file_directory, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(search.substitute_path, [(PathBuf::from("/x"), PathBuf::from("/y=z"))]);
    }
}
