//! From the command line to a process or its report.

use std::path::PathBuf;
use std::sync::Arc;

use obit::debuginfo::SectionCache;
use obit::debuginfo::locate::{Debuginfod, SearchRules};
use obit::limits::Limits;
use obit::notice::Notice;
use obit::process::{self, Observer, Phase, Process};
use obit::render::Format;
use obit::report::{BuildOptions, Context, Report};
use obit::value::readable::UserFormatters;

use super::args::content::ReadLimits;
use super::args::core_files::Inputs;
use super::args::general::General;
use super::args::redaction::Redaction;
use super::args::search::Search;
use super::core_source;
use super::directories;
use super::failure::Failure;
use super::formatters::formatters;
use super::message::say;
use super::progress::Progress;
use super::rules;

/// What the cache of unpacked debug sections may take on disk.
const CACHE_BYTES: u64 = 4 << 30;

/// Frames of one thread in a report, unless the user says how many.
const DEFAULT_FRAMES: usize = 300;

/// Lines around the crash on a page for a browser, which has room.
const PAGE_CONTEXT: u32 = 8;

/// Which core is read, with which files, and what is in a report on it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) inputs: Inputs,
    search: Search,
    /// Servers to ask; empty unless the user asked for it.
    debuginfod_urls: Vec<String>,
    formatters: UserFormatters,
    /// Frames of one thread that the report holds; `None` is all.
    frames: Option<usize>,
    pub(crate) build: BuildOptions,
    /// Remember what is read of the dead memory.
    pub(crate) log_reads: bool,
    /// Modules alone: no stacks.
    pub(crate) modules_only: bool,
    /// Where files may lie beside the core, if not where it lies itself.
    pub(crate) core_directory: Option<PathBuf>,
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
            debuginfod_urls: debuginfod_urls(
                search.debuginfod.as_deref(),
                std::env::var("DEBUGINFOD_URLS").ok().as_deref(),
                search.offline,
            ),
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
            core_directory: None,
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

    /// Opens the core and finds the files that belong to it; a person who waits sees how far
    /// it is.
    pub(crate) fn open(&self, general: &General) -> Result<Process, Failure> {
        // Gone before anything is written.
        self.open_watched(&Progress::new(general.quiet))
    }

    /// The same, watched by `observer`.
    pub(crate) fn open_watched(&self, observer: &dyn Observer) -> Result<Process, Failure> {
        observer.begin(Phase::Core);
        let options = self.process_options();
        let dump = core_source::open(&self.inputs.core, &options.limits)?;
        let process = Process::of_dump(dump, options, observer);
        process.notices.iter().for_each(name_wrong_program);
        Ok(process)
    }

    /// The whole report.
    pub(crate) fn report(&self, general: &General) -> Result<Report, Failure> {
        self.report_watched(&Progress::new(general.quiet))
    }

    /// The same, watched by `observer`.
    pub(crate) fn report_watched(&self, observer: &dyn Observer) -> Result<Report, Failure> {
        let process = self.open_watched(observer)?;
        Ok(obit::report::build(&process, self.build.clone()))
    }

    pub(crate) fn process_options(&self) -> process::Options {
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
            jit_map: self.search.jit_map.clone(),
            debuginfod: debuginfod(&self.debuginfod_urls),
        };
        let mut limits = Limits::default();
        limits.frames_shown = self.frames.unwrap_or(limits.frames);
        process::Options {
            formatters: self.formatters.clone(),
            log_reads: self.log_reads,
            rules,
            cache: if self.search.no_cache { None } else { cache() },
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

/// Budgets and cache as the environment says, servers as the user asked.
fn debuginfod(urls: &[String]) -> Option<Debuginfod> {
    if urls.is_empty() {
        return None;
    }
    let settings = Debuginfod::from_environment();
    let settings = settings.or_else(|| {
        Some(Debuginfod::new(Vec::new(), directories::cache()?.join("debuginfod_client")))
    });
    settings.map(|settings| Debuginfod { urls: urls.to_vec(), ..settings })
}

/// No server is asked unless the option or the variable names one, and none with
/// `--offline`.
fn debuginfod_urls(option: Option<&str>, variable: Option<&str>, offline: bool) -> Vec<String> {
    let named = option.filter(|urls| !urls.is_empty()).or(variable).unwrap_or_default();
    let urls = named.split_whitespace().map(str::to_owned);
    if offline { Vec::new() } else { urls.collect() }
}

fn cache() -> Option<SectionCache> {
    Some(SectionCache::new(directories::cache()?.join("obit"), CACHE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_asked_only_on_request() {
        let none: [&str; 0] = [];
        assert_eq!(debuginfod_urls(None, None, false), none);
        assert_eq!(
            debuginfod_urls(None, Some("http://a http://b"), false),
            ["http://a", "http://b"]
        );
        assert_eq!(debuginfod_urls(Some(""), Some("http://a"), false), ["http://a"]);
        assert_eq!(debuginfod_urls(Some("http://c"), Some("http://a"), false), ["http://c"]);
        assert_eq!(debuginfod_urls(Some("http://c"), Some("http://a"), true), none);
    }
}
