//! The whole command line, as clap knows it.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use obit::redact::Level;

use super::args::general::General;
use super::exit;
use super::list::ListArgs;
#[cfg(feature = "serve")]
use super::verbs::audit::AuditArgs;
use super::verbs::builds::BuildsArgs;
use super::verbs::cache::CacheArgs;
use super::verbs::capture::CaptureArgs;
use super::verbs::completions::CompletionsArgs;
use super::verbs::dap::DapArgs;
use super::verbs::db::DbArgs;
use super::verbs::diff::DiffArgs;
use super::verbs::differ::DifferArgs;
use super::verbs::digest::DigestArgs;
use super::verbs::doctor::DoctorArgs;
use super::verbs::explain::ExplainArgs;
use super::verbs::export::ExportArgs;
use super::verbs::find_memory::FindArgs;
use super::verbs::forget::ForgetArgs;
use super::verbs::group::GroupArgs;
use super::verbs::heap::HeapArgs;
use super::verbs::help::HelpArgs;
use super::verbs::incident::IncidentArgs;
use super::verbs::man::ManArgs;
use super::verbs::mcp::McpArgs;
use super::verbs::memory::MemoryArgs;
use super::verbs::merge::MergeArgs;
use super::verbs::modules::ModulesArgs;
use super::verbs::objects::ObjectsArgs;
use super::verbs::pack::PackArgs;
use super::verbs::print::PrintArgs;
use super::verbs::query::QueryArgs;
use super::verbs::redact::{RedactArgs, require_explain};
use super::verbs::report::ReportArgs;
use super::verbs::rewind::RewindArgs;
use super::verbs::run::RunArgs;
use super::verbs::schema::SchemaArgs;
use super::verbs::scrub::ScrubArgs;
#[cfg(feature = "serve")]
use super::verbs::serve::ServeArgs;
use super::verbs::shell::ShellArgs;
use super::verbs::show::ShowArgs;
use super::verbs::signature::SignatureArgs;
use super::verbs::snapshot::SnapshotArgs;
use super::verbs::state::StateArgs;
use super::verbs::tasks::TasksArgs;
use super::verbs::top::TopArgs;
use super::verbs::triage::TriageArgs;
use super::verbs::unpack::UnpackArgs;
use super::verbs::watch::WatchArgs;
use super::verbs::who_points_to::WhoPointsToArgs;

/// What is to be done, and the options that every verb has.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) general: General,
    pub(crate) verb: Verb,
}

/// At the end of the short help.
const SEE_ALSO: &str =
    "obit VERB -h lists the options of a verb; obit --help has exit codes and examples.";
/// Verbs that `obit -h` names in one line, so that it fits a screen.
const RARE: &[&str] = &[
    "rewind",
    "who-points-to",
    "find",
    "builds",
    "cache",
    "group",
    "diff",
    "differ",
    "digest",
    "signature",
    "merge",
    "unpack",
    "objects",
    "export",
    "audit",
    "forget",
    "schema",
    "completions",
    "man",
];

#[derive(Debug, Parser)]
#[command(
    name = "obit",
    version,
    about = "Explains why a process crashed, from its core dump",
    override_usage = "obit [OPTIONS] CORE… [EXE]\n       obit VERB [OPTIONS] …",
    after_help = SEE_ALSO,
    after_long_help = exit::HELP,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs",
    max_term_width = 100,
    disable_help_subcommand = true,
    // Ours is not in the short help, which fits a screen.
    disable_version_flag = true
)]
struct Cli {
    #[command(flatten)]
    general: General,
    #[command(flatten)]
    report: ReportArgs,
    /// Print the version
    #[arg(short = 'V', long = "version", action = ArgAction::Version, hide_short_help = true)]
    _version: Option<bool>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// The same without a verb: `obit CORE`.
#[derive(Debug, Parser)]
#[command(name = "obit")]
struct CoreLine {
    #[command(flatten)]
    general: General,
    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Explain why the process crashed (the same as `obit CORE`)
    #[command(hide = true)]
    Analyze(Box<ReportArgs>),
    /// Run a command; record and explain each of its processes that crashes or hangs
    Run(Box<RunArgs>),
    /// Report on a process that runs, and let it go on (the same as `obit PID`)
    Snapshot(Box<SnapshotArgs>),
    /// List the loaded modules: build IDs, files found or missing, debug information
    Modules(ModulesArgs),
    /// Print expressions: variables, members, elements, globals, registers
    Print(PrintArgs),
    /// Show output that was never written, and the request that was being served
    Memory(Box<MemoryArgs>),
    /// List goroutines, tasks of tokio and Python threads, and what each waits for
    Tasks(Box<TasksArgs>),
    /// Show the source lines that the crashed thread executed last, with values
    Rewind(Box<RewindArgs>),
    /// Count the heap by arena, size, type and owner; leaks; `at EXPR`: one block
    Heap(Box<HeapArgs>),
    /// Find the words that point to an object, and whose they are
    WhoPointsTo(Box<WhoPointsToArgs>),
    /// Find a text, bytes, a number, pointers or objects of a class in memory
    Find(Box<FindArgs>),
    /// Look at a core at a prompt, with gdb's commands
    Shell(Box<ShellArgs>),
    /// Evaluate expressions at a place of the code in many dumps
    Query(Box<QueryArgs>),
    /// Find which dumps belong together, and which process failed first
    Incident(Box<IncidentArgs>),
    /// Print the signature that crashes of the same bug share
    Signature(SignatureArgs),
    /// Write a small core for debuggers, without personal data
    Scrub(ScrubArgs),
    /// Write a crash with all files it needs into one file, encrypted if asked
    Pack(Box<PackArgs>),
    /// Write the files of a packed crash into a directory
    Unpack(Box<UnpackArgs>),
    /// Keep scrubbed cores and reports in a directory or an S3 bucket, by what is in them
    Objects(Box<ObjectsArgs>),
    /// Copy a text, such as a log, without secrets and personal data
    Redact(Box<RedactArgs>),
    /// Read many cores into the store and group them by bug
    Triage(Box<TriageArgs>),
    /// Bring the records of several `obit triage --emit` together
    Merge(Box<MergeArgs>),
    /// Read each new core of a directory into the store, and notify
    Watch(Box<WatchArgs>),
    /// List crash groups, the most urgent first
    Top(TopArgs),
    /// Show a crash group or a stored crash in full
    Show(ShowArgs),
    /// List the crashes in the store
    List(ListArgs),
    /// List the builds of each program, and which are releases, oldest first
    Builds(BuildsArgs),
    /// Compare the crashes of two directories or stores
    Diff(DiffArgs),
    /// Show what the dumps of a group share and others lack
    Differ(Box<DifferArgs>),
    /// Summarize recent crashes in Markdown
    Digest(DigestArgs),
    /// Mark a group as resolved, ignored or open, assign it, or add a note
    State(StateArgs),
    /// Serve the store as pages and an HTTP API
    #[cfg(feature = "serve")]
    Serve(Box<ServeArgs>),
    /// Show or check the audit log of `obit serve`
    #[cfg(feature = "serve")]
    Audit(AuditArgs),
    /// Write crashes for OpenTelemetry, Sentry, CloudEvents or a tracker, and send them
    Export(Box<ExportArgs>),
    /// Serve crashes to agents by the Model Context Protocol
    Mcp(Box<McpArgs>),
    /// Show crashes in an editor by the Debug Adapter Protocol
    Dap(Box<DapArgs>),
    /// Correct groups: split, merge, name
    Group(GroupArgs),
    /// Delete dumps from the store
    Forget(ForgetArgs),
    /// Check, export, import or prune the store
    Db(DbArgs),
    /// Capture the crashes of this machine: install, status, test
    Capture(CaptureArgs),
    /// Show, clear or fill the cache of debug sections
    Cache(CacheArgs),
    /// Explain a cause class and what to look at
    Explain(ExplainArgs),
    /// Check this machine: dumps, sandbox, debug files, directories
    Doctor(DoctorArgs),
    /// Print the JSON Schema of the report or of another document
    Schema(SchemaArgs),
    /// Show the help of obit or of a verb
    #[command(hide = true)]
    Help(HelpArgs),
    /// Print the version
    #[command(hide = true)]
    Version,
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page of obit or of a verb
    Man(ManArgs),
}

impl Verb {
    /// How much messages hide.
    pub(crate) fn redaction(&self) -> Level {
        match self {
            Self::Analyze(args) => args.options.redaction.level,
            Self::Snapshot(args) => args.options.redaction.level,
            Self::Run(args) => args.redaction.level,
            Self::Modules(args) => args.redaction.level,
            Self::Print(args) => args.redaction.level,
            Self::Memory(args) => args.redaction.level,
            Self::Heap(args) => args.redaction.level,
            Self::Tasks(args) => args.redaction.level,
            Self::Rewind(args) => args.redaction.level,
            Self::WhoPointsTo(args) => args.redaction.level,
            Self::Find(args) => args.redaction.level,
            Self::Shell(args) => args.redaction.level,
            Self::Query(args) => args.batch.redaction.level,
            Self::Differ(args) => args.batch.redaction.level,
            Self::Incident(args) => args.batch.redaction.level,
            Self::Export(args) => args.redaction.level,
            Self::Signature(args) => args.redaction.level,
            Self::Scrub(args) => args.redaction.level,
            Self::Pack(args) => args.redaction.level,
            Self::Unpack(args) => args.redaction.level,
            Self::Objects(args) => args.redaction(),
            Self::Redact(args) => args.level,
            Self::Triage(args) => args.batch.redaction.level,
            Self::Merge(args) => args.redaction.level,
            Self::Watch(args) => args.batch.redaction.level,
            Self::Diff(args) => args.batch.redaction.level,
            Self::Mcp(args) => args.batch.redaction.level,
            Self::Dap(args) => args.redaction.level,
            Self::Top(_)
            | Self::Builds(_)
            | Self::Show(_)
            | Self::List(_)
            | Self::Digest(_)
            | Self::State(_)
            | Self::Group(_)
            | Self::Forget(_)
            | Self::Db(_)
            | Self::Cache(_)
            | Self::Capture(_)
            | Self::Explain(_)
            | Self::Doctor(_)
            | Self::Schema(_)
            | Self::Help(_)
            | Self::Version
            | Self::Completions(_)
            | Self::Man(_) => Level::Default,
            #[cfg(feature = "serve")]
            Self::Serve(_) | Self::Audit(_) => Level::Default,
        }
    }
}

impl Verb {
    /// Whether it reads the store alone, which is redacted, and no core: what its messages
    /// quote is the user's.
    pub(crate) fn is_of_store(&self) -> bool {
        #[cfg(feature = "serve")]
        if matches!(self, Self::Serve(_) | Self::Audit(_)) {
            return true;
        }
        matches!(
            self,
            Self::Top(_)
                | Self::Show(_)
                | Self::List(_)
                | Self::Digest(_)
                | Self::State(_)
                | Self::Group(_)
                | Self::Forget(_)
                | Self::Db(_)
        )
    }
}

/// The command line, for parsing and for whatever is made from it: help, completions, man
/// pages.
pub(crate) fn command() -> Command {
    let of_verbs =
        |verb: Command| verb.subcommand_value_name("VERB").subcommand_help_heading("Verbs");
    let command = Cli::command();
    #[cfg(feature = "serve")]
    let command = command.mut_subcommand("audit", of_verbs);
    command
        .mut_subcommand("redact", require_explain)
        .mut_subcommand("cache", of_verbs)
        .mut_subcommand("capture", of_verbs)
        .mut_subcommand("db", of_verbs)
        .mut_subcommand("group", of_verbs)
        .mut_subcommand("objects", of_verbs)
}

/// Reads the words after the program's name. A verb's options may come before it, too.
pub(crate) fn parse(words: Vec<OsString>) -> Result<CommandLine, clap::Error> {
    match without_verb(&words) {
        Some(line) => Ok(line),
        None => with_verbs(words),
    }
}

/// The line of `obit CORE`, of which no word may be a verb. To build the options of all verbs
/// takes longer than to read a small core. What clap refuses here is refused, in better words, by
/// [`with_verbs`].
fn without_verb(words: &[OsString]) -> Option<CommandLine> {
    if words.iter().any(|word| word.to_str().is_some_and(Verb::has_subcommand)) {
        return None;
    }
    let line = std::iter::once(OsString::from("obit")).chain(words.iter().cloned());
    let CoreLine { general, report } = CoreLine::try_parse_from(line).ok()?;
    Some(CommandLine { general, verb: Verb::Analyze(Box::new(report)) })
}

/// Any line.
fn with_verbs(words: Vec<OsString>) -> Result<CommandLine, clap::Error> {
    let mut command = if words == ["-h"] { without_rare(command()) } else { command() };
    let words = verb_first(&mut command, words);
    let line = std::iter::once(OsString::from("obit")).chain(words);
    let matches = command.try_get_matches_from_mut(line)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let verb = cli.verb.unwrap_or_else(|| Verb::Analyze(Box::new(cli.report)));
    Ok(CommandLine { general: cli.general, verb })
}

fn without_rare(command: Command) -> Command {
    let hide = |command: Command, verb: &&'static str| {
        command.mut_subcommand(*verb, |verb| verb.hide(true))
    };
    let more = format!("More verbs: {}.\n{SEE_ALSO}", RARE.join(", "));
    RARE.iter().fold(command, hide).after_help(more)
}

/// The words with the verb, if there is one, in the first place.
pub(crate) fn verb_first(command: &mut Command, mut words: Vec<OsString>) -> Vec<OsString> {
    // Only then it knows how many values each option takes.
    command.build();
    if let Some(at) = verb_at(command, &words)
        && let Some(before) = words.get_mut(..=at)
    {
        before.rotate_right(1);
    }
    words
}

/// The place of the first word that is a verb, and not the value of an option.
fn verb_at(command: &Command, words: &[OsString]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at).map(OsString::as_os_str) {
        if word == "--" {
            return None;
        }
        if command.find_subcommand(word).is_some() {
            return Some(at);
        }
        at += 1 + usize::from(takes_next(command, word));
    }
    None
}

/// Whether the word is an option whose value is the next word.
fn takes_next(command: &Command, word: &OsStr) -> bool {
    let Some(word) = word.to_str() else { return false };
    if let Some(long) = word.strip_prefix("--") {
        let is_named = |arg: &&Arg| {
            arg.get_long() == Some(long)
                || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
        };
        return all_options(command).find(is_named).is_some_and(takes_word);
    }
    let Some(shorts) = word.strip_prefix('-') else { return false };
    // The first of them that takes a value takes the rest of the word, if there is any.
    let mut taking = shorts.char_indices().filter(|(_, short)| {
        all_options(command).find(|arg| arg.get_short() == Some(*short)).is_some_and(takes_word)
    });
    taking.next().is_some_and(|(at, short)| at + short.len_utf8() == shorts.len())
}

/// Those of `obit CORE`, then those of the verbs.
fn all_options(command: &Command) -> impl Iterator<Item = &Arg> {
    let verbs = command.get_subcommands();
    command.get_arguments().chain(verbs.flat_map(Command::get_arguments))
}

fn takes_word(arg: &Arg) -> bool {
    let takes_values = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    takes_values && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests;
