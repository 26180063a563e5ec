//! The command line: a user of the library like any other, and the only one that prints.
//!
//! `command` is the whole command line, `verbs` has a file for each verb, `args` the groups
//! of options that verbs share. The other files serve the verbs.

mod archive;
mod args;
mod batch;
mod batch_progress;
mod batch_worker;
mod command;
mod comparison;
mod confined;
#[cfg(feature = "serve")]
mod core_query;
mod core_source;
mod destination;
mod directories;
#[cfg(debug_assertions)]
mod evil;
mod exit;
mod failure;
mod file_kind;
mod formats;
mod formatters;
mod groups;
mod habits;
mod hand_over;
mod html_pages;
mod list;
mod message;
mod nearest;
mod no_core;
mod page_layout;
mod pager;
mod panic;
mod passphrase;
mod private_file;
mod program;
mod progress;
mod request;
mod rules;
mod scrub_draft;
mod sealed;
mod session_worker;
mod store_advice;
mod trusted_file;
mod usage;
mod verbs;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use command::{CommandLine, Verb};
use exit::Exit;
use failure::Failure;
use obit::triage::Rules;

/// Runs obit as the process' arguments say.
pub(crate) fn main() -> ExitCode {
    let words = usage::without_habits(std::env::args_os().skip(1).collect());
    if let [first, _, of_batch @ ..] = words.as_slice()
        && first == batch::WORKER
    {
        return panic::caught(|| ended(worker(of_batch.to_vec()))).unwrap_or(Exit::Bug).into();
    }
    if let [first, _, of_server @ ..] = words.as_slice()
        && first == session_worker::WORKER
    {
        let answer = || ended(of_session(of_server.to_vec()));
        return panic::caught(answer).unwrap_or(Exit::Bug).into();
    }
    // Nothing else is asked so often, by scripts, and answered without reading anything.
    if let [only] = words.as_slice()
        && ["--version", "-V"].iter().any(|version| only == version)
    {
        return panic::caught(|| ended(verbs::version::run())).unwrap_or(Exit::Bug).into();
    }
    if let Some(answer) = usage::of_gdb(&words) {
        message::say(answer);
        return Exit::Usage.into();
    }
    if let Some(answer) = usage::of_list(&words) {
        message::say(&answer);
        return Exit::Usage.into();
    }
    let exit = match command::parse(words.clone()) {
        Ok(line) => panic::caught(|| run(&line)).unwrap_or(Exit::Bug),
        Err(error) => refused(&error, words),
    };
    exit.into()
}

fn run(line: &CommandLine) -> Exit {
    let CommandLine { general, verb } = line;
    message::hide(verb.redaction(), verb.is_of_store());
    let outcome = match verb {
        Verb::Analyze(args) => verbs::report::run(args, general),
        Verb::Snapshot(args) => verbs::snapshot::run(args, general),
        Verb::Run(args) => verbs::run::run(args, general),
        Verb::Heap(args) => verbs::heap::run(args, general),
        Verb::WhoPointsTo(args) => verbs::who_points_to::run(args, general),
        Verb::Find(args) => verbs::find_memory::run(args, general),
        Verb::Modules(args) => verbs::modules::run(args, general),
        Verb::Print(args) => verbs::print::run(args, general),
        Verb::Memory(args) => verbs::memory::run(args, general),
        Verb::Tasks(args) => verbs::tasks::run(args, general),
        Verb::Rewind(args) => verbs::rewind::run(args, general),
        Verb::Shell(args) => verbs::shell::run(args, general),
        Verb::Query(args) => verbs::query::run(args, general),
        Verb::Differ(args) => verbs::differ::run(args, general),
        Verb::Incident(args) => verbs::incident::run(args, general),
        Verb::Export(args) => verbs::export::run(args, general),
        Verb::Signature(args) => verbs::signature::run(args, general),
        Verb::Scrub(args) => verbs::scrub::run(args, general),
        Verb::Pack(args) => verbs::pack::run(args, general),
        Verb::Unpack(args) => verbs::unpack::run(args, general),
        Verb::Redact(args) => verbs::redact::run(args, general),
        Verb::Triage(args) => verbs::triage::run(args, general),
        Verb::Merge(args) => verbs::merge::run(args, general),
        Verb::Watch(args) => verbs::watch::run(args, general),
        #[cfg(feature = "serve")]
        Verb::Serve(args) => verbs::serve::run(args),
        #[cfg(feature = "serve")]
        Verb::Audit(args) => verbs::audit::run(args),
        Verb::Mcp(args) => verbs::mcp::run(args),
        Verb::Dap(args) => verbs::dap::run(args),
        Verb::Builds(args) => verbs::builds::run(args, general),
        Verb::Top(args) => verbs::top::run(args, general),
        Verb::Show(args) => verbs::show::run(args, general),
        Verb::List(args) => list::run(args, general),
        Verb::Diff(args) => verbs::diff::run(args, general),
        Verb::Digest(args) => verbs::digest::run(args, general),
        Verb::State(args) => verbs::state::run(args),
        Verb::Forget(args) => verbs::forget::run(args),
        Verb::Group(args) => verbs::group::run(args, general),
        Verb::Objects(args) => verbs::objects::run(args, general),
        Verb::Db(args) => verbs::db::run(args),
        Verb::Cache(args) => verbs::cache::run(args, general),
        Verb::Capture(args) => verbs::capture::run(args, general),
        Verb::Doctor(args) => verbs::doctor::run(args, general),
        Verb::Explain(args) => verbs::explain::run(args, general),
        Verb::Schema(args) => verbs::schema::run(args, general),
        Verb::Help(args) => verbs::help::run(args, general),
        Verb::Version => verbs::version::run(),
        Verb::Completions(args) => verbs::completions::run(args),
        Verb::Man(args) => verbs::man::run(args),
    };
    ended(outcome)
}

fn ended(outcome: Result<Exit, Failure>) -> Exit {
    outcome.unwrap_or_else(|failure| {
        failure.say();
        failure.exit
    })
}

/// Reads cores as the batch's own command line says.
fn worker(words: Vec<OsString>) -> Result<Exit, Failure> {
    let line = command::parse(words).map_err(|error| Failure::usage(&error))?;
    let rules = Rules::built_in();
    let (batch, format, max_memory) = match &line.verb {
        Verb::Differ(args) => {
            let work = verbs::differ::work();
            return batch_worker::serve(&args.request()?, args.max_memory, &*work);
        }
        Verb::Incident(args) => {
            let work = verbs::incident::work();
            return batch_worker::serve(&args.request()?, args.max_memory, &*work);
        }
        Verb::Query(args) => {
            let work = args.work().map_err(|error| Failure::usage(&error))?;
            return batch_worker::serve(&args.request()?, args.max_memory, &*work);
        }
        Verb::Triage(args) => (&args.batch, args.format(), args.max_memory),
        Verb::Watch(args) => (&args.batch, formats::TERMINAL, args.max_memory),
        Verb::Diff(args) => (&args.batch, args.output.format(), batch::MAX_MEMORY),
        Verb::Merge(args) => {
            let request = args.request()?;
            return batch_worker::serve(
                &request,
                batch::MAX_MEMORY,
                &*batch_worker::record(&rules),
            );
        }
        Verb::Mcp(args) => (&args.batch, formats::TERMINAL, batch::MAX_MEMORY),
        _ => {
            let problem = "this verb of obit starts no workers";
            return Err(Failure::usage(&problem));
        }
    };
    batch_worker::serve(&batch::request(batch, format)?, max_memory, &*batch_worker::record(&rules))
}

/// Keeps a core open as the server's own command line says.
fn of_session(words: Vec<OsString>) -> Result<Exit, Failure> {
    let line = command::parse(words).map_err(|error| Failure::usage(&error))?;
    message::hide(line.verb.redaction(), line.verb.is_of_store());
    match &line.verb {
        Verb::Mcp(args) => {
            session_worker::serve(&args.request("core".as_ref(), None)?, args.max_memory)
        }
        Verb::Shell(args) => session_worker::serve(&args.request()?, args.max_memory),
        Verb::Dap(args) => session_worker::serve(&args.request()?, args.max_memory),
        _ => Err(Failure::usage(&"this verb of obit keeps no core open")),
    }
}

/// Help and versions in clap's words; errors in one line, like all of ours.
fn refused(error: &clap::Error, words: Vec<OsString>) -> Exit {
    if error.use_stderr() {
        let mut command = command::command();
        let typed = words.clone();
        let words = command::verb_first(&mut command, words);
        let verb = words.first().and_then(|word| word.to_str());
        message::say(&usage::problem(error, &command, verb, &typed));
        return Exit::Usage;
    }
    match error.print() {
        Ok(()) => Exit::Success,
        Err(failure) if failure.kind() == io::ErrorKind::BrokenPipe => Exit::BrokenPipe,
        Err(_) => Exit::Output,
    }
}
