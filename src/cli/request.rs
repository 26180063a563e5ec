//! From the command line to a process or its report.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use obit::debuginfo::locate::{Debuginfod, LocalFiles, Network, SearchRules};
use obit::debuginfo::{SectionCache, SectionStore};
use obit::dump::CoreFile;
use obit::limits::Limits;
use obit::notice::Notice;
use obit::process::{self, Observer, Phase, Process};
use obit::render::{Format, PageOptions};
use obit::report::json::write_line;
use obit::report::{
    BuildOptions, Context, Portions, Report, Rest, ThreadReport, build_in_portions, ended_early,
};
use obit::sandbox::{Broker, Mode, WithCompanions};
use obit::value::readable::UserFormatters;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::archive;
use super::args::content::ReadLimits;
use super::args::core_files::Inputs;
use super::args::general::General;
use super::args::redaction::Redaction;
use super::args::search::Search;
use super::confined::{self, Lost, Outside};
use super::core_source;
use super::exit::Exit;
use super::failure::Failure;
use super::formatters::formatters;
use super::hand_over::HandOver;
use super::message::say;
use super::rules;

/// Frames of one thread in a report, unless the user says how many.
const DEFAULT_FRAMES: usize = 300;

/// Lines around the crash on a page for a browser, which has room.
const PAGE_CONTEXT: u32 = 8;

/// Which core is read, with which files, and what is in a report on it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) inputs: Inputs,
    search: Search,
    /// Servers to ask; `None` unless the user asked for it.
    debuginfod: Option<Debuginfod>,
    formatters: UserFormatters,
    /// Frames of one thread that the report holds; `None` is all.
    frames: Option<usize>,
    pub(crate) build: BuildOptions,
    /// Remember what is read of the dead memory.
    pub(crate) log_reads: bool,
    /// Modules alone: no stacks.
    pub(crate) modules_only: bool,
    /// How the report is written, if it is only written: it lacks what is not.
    pub(crate) written: Option<(&'static Format, PageOptions)>,
    /// Where files may lie beside the core, if not where it lies itself.
    pub(crate) core_directory: Option<PathBuf>,
    sandbox: Mode,
    /// What opens files for workers; made once for all cores, since it remembers which servers
    /// answered.
    broker: Arc<OnceLock<Arc<Broker>>>,
}

impl Request {
    /// The options of every verb that opens a core.
    pub(crate) fn new(
        inputs: Inputs,
        search: &Search,
        redaction: &Redaction,
    ) -> Result<Self, Failure> {
        if let Some(root) = search.sysroot.as_ref().filter(|root| !root.is_dir()) {
            let problem = format!("--sysroot: no such directory: {}", root.display());
            return Err(Failure::usage(&problem));
        }
        Ok(Self {
            inputs,
            debuginfod: debuginfod(search),
            formatters: formatters(&search.formatters).map_err(|error| Failure::usage(&error))?,
            search: search.clone(),
            frames: Some(DEFAULT_FRAMES),
            build: BuildOptions {
                redaction: redaction.level,
                rules: rules::rules(&redaction.rules, redaction.trust_project_rules)?,
                key: redaction.key.as_deref().map(rules::key).transpose()?.map(Arc::from),
                ..BuildOptions::default()
            },
            log_reads: false,
            modules_only: false,
            written: None,
            core_directory: None,
            sandbox: search.sandbox.into(),
            broker: Arc::default(),
        })
    }

    /// Reads as much as `limits` allow.
    pub(crate) fn limited(mut self, limits: &ReadLimits) -> Self {
        self.frames = Some(limits.frames.unwrap_or(DEFAULT_FRAMES)).filter(|frames| *frames > 0);
        self.build.max_depth = limits.max_depth;
        self.build.max_elements = limits.max_elements;
        self
    }

    /// Adds what only some formats show.
    pub(crate) fn written_as(mut self, format: &Format) -> Self {
        if format.has_more_code {
            self.build.context = Context::Lines(PAGE_CONTEXT);
        }
        self.build.always_code = format.has_more_code;
        self.build.memory = format.has_memory_map;
        self
    }

    /// Whether, and how far, the analysis is confined.
    pub(crate) fn sandbox(&self) -> Mode {
        self.sandbox
    }

    /// All that changes what is read of a core, in words.
    pub(crate) fn identity(&self) -> String {
        let build = &self.build;
        let searched = (&self.inputs, &self.search, &self.formatters, self.frames);
        let hidden = (build.redaction, build.rules.sha256(), &build.key);
        let shown = (build.max_depth, build.max_elements);
        // Relative paths mean other files elsewhere.
        format!("{:?}", (searched, hidden, shown, std::env::current_dir().ok()))
    }

    /// Whether unpacked sections are kept.
    pub(crate) fn has_cache(&self) -> bool {
        !self.search.no_cache
    }

    /// Where this process keeps unpacked sections, if it does.
    pub(crate) fn section_store(&self) -> Option<Arc<dyn SectionStore>> {
        if !self.has_cache() {
            return None;
        }
        Some(Arc::new(self.search.cache.usable()?))
    }

    /// What opens files for a worker.
    pub(crate) fn broker(&self) -> Arc<Broker> {
        let broker = self.broker.get_or_init(|| {
            let options = self.process_options(None);
            let files = LocalFiles::new(&options.rules, &options.limits);
            Arc::new(Broker::new(files, self.section_store()))
        });
        Arc::clone(broker)
    }

    /// Opens the core, which may be in an archive.
    pub(crate) fn open(&self, quiet: bool) -> Result<CoreFile, Failure> {
        let limits = self.process_options(None).limits;
        archive::open(&self.inputs.core, self.sandbox, &self.search.unlocking, &limits, quiet)
    }

    /// Runs `work` on the process of the core, in a process that is confined; a person who waits
    /// sees how far it is.
    pub(crate) fn on_process<T: Serialize + DeserializeOwned>(
        &self,
        general: &General,
        work: impl Fn(&Process) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with_process(general, |process| work(&process))
    }

    /// The same of work that keeps the process.
    pub(crate) fn with_process<T: Serialize + DeserializeOwned>(
        &self,
        general: &General,
        work: impl Fn(Process) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let core = self.open(general.quiet)?;
        let done = confined::run(self, &core, &[], general.quiet, &|core, outside, observer| {
            work(self.read(core, outside, observer)?)
        });
        Ok(done??)
    }

    /// The process of an open core; what of the machine it reaches is `outside`.
    pub(crate) fn read(
        &self,
        core: CoreFile,
        outside: Option<&Outside>,
        observer: &dyn Observer,
    ) -> Result<Process, Failure> {
        observer.begin(Phase::Core);
        let mut options = self.process_options(outside);
        options.rules.companions = core.companions.paths().map(Path::to_owned).collect();
        if outside.is_none() && !core.companions.is_empty() {
            let others = LocalFiles::new(&options.rules, &options.limits);
            let files = WithCompanions::new(Arc::clone(&core.companions), others);
            options.access = Some(Arc::new(files));
        }
        let dump = core_source::read(core, &options.limits)?;
        if let Some(listener) = outside.and_then(|outside| outside.listener.as_ref()) {
            let mut known = Vec::new();
            // Without it, a report on an analysis that ended says less.
            if write_line(&obit::report::known(&dump, &self.build), &mut known).is_ok() {
                listener.known(&known);
            }
        }
        #[cfg(debug_assertions)]
        if outside.is_some() {
            super::evil::act();
        }
        let process = Process::of_dump(dump, options, observer);
        process.notices.iter().for_each(name_wrong_program);
        Ok(process)
    }

    /// The whole report. If the analysis does not survive the core, it is a report on what was
    /// known by then.
    pub(crate) fn report(&self, general: &General) -> Result<Report, Failure> {
        self.report_quietly(general.quiet)
    }

    /// The same, with progress unless it is `quiet`.
    pub(crate) fn report_quietly(&self, quiet: bool) -> Result<Report, Failure> {
        self.report_of(&self.open(quiet)?, quiet)
    }

    /// The same of a core that is open.
    pub(crate) fn report_of(&self, core: &CoreFile, quiet: bool) -> Result<Report, Failure> {
        let done = confined::run(self, core, &[], quiet, &|core, outside, observer| {
            let process = self.read(core, outside, observer)?;
            let written = self.written.as_ref();
            let mut less = |mut thread: ThreadReport| {
                if let Some((format, page)) = written {
                    format.drop_unshown_of(&mut thread, page);
                }
                Some(thread)
            };
            let rest = build_in_portions(&process, self.build.clone(), &mut less);
            let mut report = rest.report;
            if let Some((format, page)) = written {
                format.drop_unshown(&mut report, page);
            }
            Ok(report)
        });
        match done? {
            Ok(report) => Ok(report),
            Err(lost) => self.what_was_known(lost),
        }
    }

    /// The same; where the format that it is written in needs no more of it, most threads come as
    /// they are written.
    pub(crate) fn report_in_portions(&self, quiet: bool) -> Result<(Rest, Portions), Failure> {
        let core = &self.open(quiet)?;
        let is_in_portions = self.written.as_ref().is_some_and(|(format, _)| format.has_portions());
        if !is_in_portions {
            let report = self.report_of(core, quiet)?;
            return Ok((Rest { report, ..Rest::default() }, Portions::default()));
        }
        let portions = RefCell::default();
        let work: &dyn Fn(_, Option<&Outside>, &dyn Observer) -> _ = &|core, outside, observer| {
            let process = self.read(core, outside, observer)?;
            let remote = outside.and_then(|outside| outside.listener.as_deref());
            let mut hand_over = HandOver::new(remote, &portions);
            let build = self.build.clone();
            let rest = build_in_portions(&process, build, &mut |thread| {
                hand_over.take(&thread);
                None
            });
            hand_over.finish().map_err(|error| Failure::new(Exit::Bug, &error))?;
            Ok(rest)
        };
        match confined::run_in_portions(self, core, &[], quiet, Some(&portions), work)? {
            Ok(rest) => Ok((rest, portions.into_inner())),
            Err(lost) => {
                let report = self.what_was_known(lost)?;
                Ok((Rest { report, ..Rest::default() }, Portions::default()))
            }
        }
    }

    /// The report on an analysis that did not survive the core.
    fn what_was_known(&self, lost: Lost) -> Result<Report, Failure> {
        let Lost { why, known: Some(known) } = lost else { return Err(lost.into()) };
        say(&why);
        Ok(ended_early(known, &why, self.build.redaction))
    }

    /// How the core is read. Without `outside`, by this process alone.
    pub(crate) fn process_options(&self, outside: Option<&Outside>) -> process::Options {
        let defaults = SearchRules::default();
        let beside = self.core_directory.as_deref().or(self.inputs.core.parent());
        let core_directory = beside.map(|parent| match parent.as_os_str() {
            empty if empty.is_empty() => PathBuf::from("."),
            _ => parent.to_owned(),
        });
        let debug_directories = if self.search.debug_file_directory.is_empty() {
            defaults.debug_directories
        } else {
            self.search.debug_file_directory.clone()
        };
        let rules = SearchRules {
            executable: self.inputs.exe.clone(),
            force_executable: self.inputs.force_exe,
            sysroot: self.search.sysroot.clone(),
            solib_search_path: self.search.solib_search_path.clone(),
            debug_directories,
            substitute_path: self.search.substitute_path.clone(),
            source_path: self.search.source_path.clone(),
            core_directory,
            companions: Vec::new(),
            jit_map: self.search.jit_map.clone(),
            debuginfod: self.debuginfod.clone(),
        };
        let mut limits = Limits::default();
        limits.spill_bytes = self.search.max_spill.unwrap_or(limits.spill_bytes);
        limits.frames_shown = self.frames.unwrap_or(limits.frames);
        process::Options {
            formatters: self.formatters.clone(),
            log_reads: self.log_reads,
            rules,
            access: outside.map(|outside| Arc::clone(&outside.access)),
            cache: match outside {
                Some(outside) => outside.cache.clone(),
                None => self.section_store().map(SectionCache::of),
            },
            limits,
            library: None,
            modules_only: self.modules_only,
        }
    }
}

/// A line about a program that is not the one that crashed, before anything else is written.
fn name_wrong_program(notice: &Notice) {
    match notice {
        Notice::ExecutableMismatch { at, wanted, found } => say(&format!(
            "{} is not used: its build ID is {found}, that of the crashed program is {wanted} \
             (--force-exe uses it anyway)",
            at.display()
        )),
        Notice::ExecutableForced { at, wanted, found } => say(&format!(
            "{} is used because of --force-exe: its build ID is {found}, that of the \
             crashed program is {wanted}; names, lines and values may be wrong",
            at.display()
        )),
        Notice::ExecutableRefused { at, problem } => {
            say(&format!("{} is not used: {problem}", at.display()));
        }
        _ => {}
    }
}

/// What all clients of this process share: several cores and directories have one budget.
static NETWORK: OnceLock<Network> = OnceLock::new();

fn network() -> Network {
    match std::env::var("DEBUGINFOD_VERBOSE").is_ok_and(|value| !value.is_empty()) {
        true => Network::with_log(|line| say(&format!("debuginfod: {line}"))),
        false => Network::default(),
    }
}

/// Servers as the user asked, limits and cache as elfutils' variables say.
fn debuginfod(search: &Search) -> Option<Debuginfod> {
    let variable = std::env::var("DEBUGINFOD_URLS").ok();
    let urls = servers(search.debuginfod.as_deref(), variable.as_deref(), search.offline);
    let mut settings = Debuginfod::with_servers(urls)?;
    settings.network = NETWORK.get_or_init(network).clone();
    Some(settings)
}

/// No server is asked unless the option or the variable names one, and none with
/// `--offline`.
fn servers<'u>(option: Option<&'u str>, variable: Option<&'u str>, offline: bool) -> &'u str {
    let named = option.filter(|urls| !urls.is_empty()).or(variable).unwrap_or_default();
    if offline { "" } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_asked_only_on_request() {
        assert_eq!(servers(None, None, false), "");
        assert_eq!(servers(None, Some("http://a http://b"), false), "http://a http://b");
        assert_eq!(servers(Some(""), Some("http://a"), false), "http://a");
        assert_eq!(servers(Some("http://c"), Some("http://a"), false), "http://c");
        assert_eq!(servers(Some("http://c"), Some("http://a"), true), "");
    }
}
