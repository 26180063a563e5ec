//! `obit query`: expressions at a place of the code in many dumps.

mod refusal;
mod targets;
mod wanted;

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use obit::batch::{look_up, walk};
use obit::debuginfo::SectionDirectory;
use obit::query::{
    self, AnswerCache, BUILT_IN, CacheKey, CoreAnswer, Failed, Findings, Query, Question, RunError,
    Settings, Summary, evaluate, table,
};
use obit::redact::{Level, Origin};
use obit::render::Format;
use obit::render::formats::Audience;

use self::refusal::{refuse, refuse_expression, unmatched, useless_columns};
use self::targets::Targets;
use self::wanted::Wanted;
use crate::cli::args::Output;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::cache_directory::ANSWERS;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::args::store::StoreArgs;
use crate::cli::batch::{settings, stop_on_interrupt};
use crate::cli::batch_progress::BatchProgress;
use crate::cli::batch_worker::Work;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::{say, shown};
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// What is asked, of which dumps, and what is written of the answers.
#[derive(Clone, Debug, Args)]
pub(crate) struct QueryArgs {
    /// Where, and what is evaluated there: `list.c:12 { n->next, depth = level }`,
    /// `list.c:10-20`, `list.c:`, `ns::walk { *n }`, `Foo::* { this->id }`, `* { $rip }`;
    /// expressions as `obit print` takes them, with formats: `{ /x flags }`
    #[arg(value_name = "QUERY")]
    query: String,
    /// Directories, core files and patterns; groups of the store by id or name [default: all
    /// dumps of the store]
    #[arg(value_name = "DIR|CORE|GROUP")]
    targets: Vec<std::path::PathBuf>,
    /// Only in the crashed thread
    #[arg(long)]
    crashed: bool,
    #[command(flatten)]
    wanted: Wanted,
    /// Cores read at the same time [default: one for each processor]
    #[arg(short, long, value_name = "N", hide_short_help = true)]
    jobs: Option<NonZeroUsize>,
    /// Seconds that one core may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds,
        hide_short_help = true)]
    timeout: Duration,
    /// Memory that one core may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = bytes,
        hide_short_help = true)]
    pub(crate) max_memory: u64,
    /// Read every core again, even if the answer was kept
    #[arg(long)]
    rescan: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

impl QueryArgs {
    /// How a core is read.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let inputs = Inputs { exe: self.batch.exe.clone(), ..Inputs::default() };
        let request = Request::new(inputs, &self.batch.search, &self.batch.redaction)?;
        Ok(request.limited(&self.batch.limits))
    }

    /// What a worker does with a core.
    pub(crate) fn work(&self) -> Result<Box<Work<'_>>, query::QueryError> {
        let question = self.question()?;
        Ok(Box::new(move |core, options, build| {
            evaluate(core, options, &build, &question)?.to_message()
        }))
    }

    fn question(&self) -> Result<Question, query::QueryError> {
        let query = Query::parse(&self.query)?;
        let wants_class = self.wanted.names("class");
        Ok(Question { query, crashed_only: self.crashed, wants_class })
    }

    /// Where the answers are kept, if anywhere.
    fn cache(&self, request: &Request, question: &Question) -> Option<AnswerCache> {
        // What is kept stays: values as they are do not.
        if !request.has_cache() || request.build.redaction == Level::Off {
            return None;
        }
        let sections = self.batch.search.cache.directory()?;
        let directory = SectionDirectory::new(sections.path().join(ANSWERS), 0);
        directory.make_ready().ok()?;
        let journal = self.batch.journal.as_deref().map(|path| {
            let modified = path.metadata().and_then(|metadata| metadata.modified()).ok();
            format!("{path:?} {modified:?}")
        });
        let key = CacheKey::default()
            .with("question", format!("{question:?}").as_bytes())
            .with("journal", journal.unwrap_or_default().as_bytes())
            .with("reading", request.identity().as_bytes());
        Some(AnswerCache::open(directory.path(), &key))
    }
}

pub(crate) fn run(args: &QueryArgs, general: &General) -> Result<Exit, Failure> {
    let question = match args.question() {
        Ok(question) => question,
        Err(error) => return Ok(refuse("", &error, &args.query, &[])),
    };
    let columns = &question.query.columns;
    for column in columns {
        if let Some(exit) = refuse_expression(column, &args.query) {
            return Ok(exit);
        }
    }
    let names: Vec<String> = BUILT_IN.iter().map(|name| (*name).to_owned()).collect();
    let names = [names, columns.iter().map(|column| column.name.clone()).collect()].concat();
    if let Some(exit) = args.wanted.refused(&names) {
        return Ok(exit);
    }
    let format = args.output.format();
    let write = formats::writer(format, "rows of a query", Format::findings)?;
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let request = args.request()?;
    let targets = Targets::find(&args.targets, &args.store, args.wanted.names("group"))?;
    let mut progress = BatchProgress::new(general.quiet, general.verbose);
    let summary = ask(args, &request, &question, &targets, &mut progress);
    drop(progress);
    let summary = summary?;
    targets.notes.iter().for_each(|note| say(note));
    if summary.answers.is_empty() && summary.missing > 0 {
        return Err(Failure::new(Exit::Unusable, &"none of the dumps is there"));
    }
    let mut findings = findings(args, &summary);
    findings.table = table(&summary.answers, columns, &|at| targets.group_of(&summary, at));
    findings.frames = findings.table.rows.len() as u64;
    if findings.frames == 0 {
        unmatched(&question.query.place, &args.query, &summary);
    }
    let is_useless = useless_columns(&findings.table, columns);
    let has_key = args.batch.redaction.key.is_some();
    let applied = args.wanted.apply(&mut findings, format, (targets.has_store(), has_key));
    if let Err(error) = applied {
        return Ok(refuse("", &error, &args.query, &[]));
    }
    let page = page_options(general, &args.width, &destination);
    let is_empty = findings.table.rows.is_empty();
    if !is_empty || !matches!(format.audience, Audience::Terminal) {
        destination.write(|out| write(out, &findings, &page))?;
    } else {
        findings.notes.iter().for_each(|note| say(note));
        if findings.frames > 0 {
            say(&format!("none of {} frames is as --where has it", findings.frames));
        }
    }
    Ok(match (is_useless, is_empty) {
        (true, _) => Exit::Usage,
        (_, true) => Exit::Incomplete,
        _ => Exit::Success,
    })
}

fn ask(
    args: &QueryArgs,
    request: &Request,
    question: &Question,
    targets: &Targets,
    progress: &mut BatchProgress,
) -> Result<Summary, Failure> {
    let usual = settings(request);
    let mut batch = obit::batch::Settings {
        jobs: args.jobs.unwrap_or(usual.jobs),
        timeout: args.timeout,
        follow: args.batch.follow,
        rescan: args.rescan,
        journal: args.batch.journal()?,
        ..usual
    };
    // Where that fails, Ctrl-C ends the run as it ends any other program.
    if let Ok(stop) = stop_on_interrupt() {
        batch.stop = stop;
    }
    let cache = args.cache(request, question);
    let follow = batch.follow;
    let search = |take: &mut dyn FnMut(obit::batch::FoundFile)| {
        walk(targets.paths.clone(), follow, take);
        // Files of the store were found before, wherever they are.
        let files = targets.files.clone();
        look_up(&targets.files, files, true, take, &mut |_| {}, &|| false);
    };
    query::run(search, Settings { batch, cache }, progress).map_err(|error| match error {
        error @ RunError::Interrupted { .. } => Failure::new(Exit::Interrupted, &error),
        error @ RunError::Worker(_) => Failure::new(Exit::Output, &error),
    })
}

/// All but the table.
fn findings(args: &QueryArgs, summary: &Summary) -> Findings {
    let answers = &summary.answers;
    let sum = |of: fn(&CoreAnswer) -> u64| answers.iter().map(of).fold(0, u64::saturating_add);
    let failed = |answer: &CoreAnswer| {
        let reason = answer.failure.as_ref()?;
        Some(Failed {
            core: answer.core.path.as_str().to_owned(),
            code: reason.code.clone(),
            reason: reason.text.as_str().to_owned(),
        })
    };
    let failures: Vec<Failed> = answers.iter().filter_map(failed).collect();
    let mut notes = Vec::new();
    let mut note = |count: u64, what: &str| {
        if count > 0 {
            notes.push(format!("{what}: {count}"));
        }
    };
    note(failures.len() as u64, "cores that could not be read");
    note(summary.missing, "files that are not there any more");
    note(
        sum(|answer| answer.unseen),
        "frames of deep stacks not looked at (--frames 0 looks at all)",
    );
    note(sum(|answer| answer.left_out), "frames at the place left out, as a core has too many");
    note(summary.not_held, "frames at the place left out, as all cores together have too many");
    note(summary.kept, "cores answered from the cache (--rescan reads them again)");
    Findings {
        query: shown_query(&args.query),
        cores: answers.len() as u64,
        with_place: answers.iter().filter(|answer| !answer.frames.is_empty()).count() as u64,
        failures,
        notes,
        ..Findings::default()
    }
}

/// What of the query may be written.
fn shown_query(query: &str) -> String {
    shown(Origin::OwnWords, query)
}
