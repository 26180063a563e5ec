//! `obit export`: crashes as documents for other services, written, handed to a program, or sent.

mod send;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use obit::delivery::ProgramSettings;
use obit::render::formats::Item;
use obit::render::{Export, Exported, Wanted};
use obit::report::Report;
use obit::triage::store::{Found, Store};
use obit::triage::views::{GroupSummary, ViewOptions};

use super::find::{find, not_found};
use crate::cli::args::OutputFile;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::quantities::seconds;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::args::store::{StoreArgs, clock};
use crate::cli::batch::stop_on_interrupt;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;
use crate::cli::program::runnable;
use crate::cli::request::Request;
use send::SendArgs;

/// What is exported, and where to.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExportArgs {
    /// otlp: logs of OpenTelemetry; sentry: an envelope; cloudevents: CloudEvents 1.0; github,
    /// gitlab, jira: a request that creates an issue, which is not sent
    #[arg(value_name = "FORMAT", value_parser = exports())]
    export: Export,
    /// Core files; or groups and crashes of the store, by id or name
    #[arg(value_name = "CORE|ID", required = true)]
    targets: Vec<PathBuf>,
    /// The program of the cores
    #[arg(short, long, value_name = "FILE")]
    exe: Option<PathBuf>,
    /// Run this program for each document, without a shell, with it on its standard input
    #[arg(long, value_name = "PROGRAM", conflicts_with = "output")]
    exec: Option<PathBuf>,
    /// Seconds that the program may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds,
        hide_short_help = true)]
    exec_timeout: Duration,
    /// OWNER/REPOSITORY, the path or number of a project, or its key
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// The start of the tracker's addresses, as https://gitlab.example.org/api/v4
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A label of the issue, beside `obit` (repeatable)
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    file: OutputFile,
}

fn exports() -> impl TypedValueParser<Value = Export> {
    let values = Export::ALL.iter().map(|(name, _)| PossibleValue::new(name));
    PossibleValuesParser::new(values).try_map(|name| {
        let found = Export::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, export)| *export).ok_or_else(|| format!("there is no export {name}"))
    })
}

pub(crate) fn run(args: &ExportArgs, general: &General) -> Result<Exit, Failure> {
    if matches!(args.export, Export::Issue(_)) && args.project.is_none() {
        let problem = "--project is needed for an issue: OWNER/REPOSITORY, the path of a project, \
                       or its key";
        return Err(Failure::usage(&problem));
    }
    let server = args.send.server(args.export)?;
    let program = args.exec.as_deref().map(runnable).transpose()?;
    let program = program.map(|program| ProgramSettings { program, timeout: args.exec_timeout });
    let destination = Destination::new(args.file.output.as_deref(), None)?;
    let is_written = args.file.output.is_some() || (server.is_none() && program.is_none());
    let documents = documents(args, general)?;
    if is_written {
        destination
            .write(|out| documents.iter().try_for_each(|one| out.write_all(&one.content)))?;
    }
    let mut failed = 0;
    // A program is ended with obit, and what waits for a server gives up.
    let closing = match server.is_some() || program.is_some() {
        true => stop_on_interrupt().unwrap_or_default(),
        false => Arc::default(),
    };
    for document in &documents {
        if closing.load(Ordering::SeqCst) {
            say("interrupted: what came after was not sent");
            return Ok(Exit::Output);
        }
        if let Some(server) = &server
            && let Err(problem) = server.send(document, &closing)
        {
            say(&format!("{} was not sent: {problem}", document.name));
            failed += 1;
        }
        if let Some(program) = &program
            && let Err(error) = program.run(&[], &document.content, &closing, say)
        {
            say(&format!("{}: {error}", document.name));
            failed += 1;
        }
    }
    Ok(if failed > 0 { Exit::Output } else { Exit::Success })
}

/// A document for each target, in their order.
fn documents(args: &ExportArgs, general: &General) -> Result<Vec<Exported>, Failure> {
    let wanted = Wanted {
        project: args.project.clone(),
        base: args.base_url.clone(),
        labels: args.label.clone(),
    };
    let now = clock();
    let mut store: Option<Store> = None;
    let mut all = Vec::new();
    for target in &args.targets {
        if target.symlink_metadata().is_ok() || target == Path::new("-") {
            let inputs =
                Inputs { core: target.clone(), exe: args.exe.clone(), ..Inputs::default() };
            let report = Request::new(inputs, &args.search, &args.redaction)?.report(general)?;
            all.push(args.export.document(&Item::of(&report), &wanted, now));
            continue;
        }
        let store = match &mut store {
            Some(store) => store,
            none => none.insert(open(args, target)?),
        };
        let (group, report) = stored(store, &target.to_string_lossy())?;
        let item = match &group {
            Some(group) => Item::of_group(group, &report),
            None => Item::of(&report),
        };
        all.push(args.export.document(&item, &wanted, now));
    }
    Ok(all)
}

fn open(args: &ExportArgs, target: &Path) -> Result<Store, Failure> {
    let at = args.store.path()?;
    if args.store.db.is_none() && !at.exists() {
        let problem = format!(
            "no such file: {} (nor a group: there is no store at {})",
            target.display(),
            at.display()
        );
        return Err(Failure::new(Exit::Unusable, &problem));
    }
    let mut store = Store::open(&at)?;
    store.view_at(args.redaction.level);
    Ok(store)
}

/// The group with the crash that represents it, or a crash.
fn stored(store: &Store, id: &str) -> Result<(Option<GroupSummary>, Report), Failure> {
    match find(store, id)? {
        Found::Group(group) => {
            let detail = store.detail(&group, &ViewOptions::default(), 1)?;
            let detail =
                detail.ok_or_else(|| Failure::usage(&format!("group {group} has no dumps")))?;
            let report = store.example_of(&detail.group)?;
            Ok((Some(detail.group), report))
        }
        Found::Dump(dump) => {
            let report = store.report_of(&dump)?;
            let gone = || Failure::usage(&"its record was removed by `obit db gc`");
            Ok((None, report.ok_or_else(gone)?))
        }
        found => Err(not_found(id, &found)),
    }
}
