//! From the command line to a report.

use std::path::PathBuf;
use std::sync::Arc;

use obit::debuginfo::SectionCache;
use obit::debuginfo::locate::{Debuginfod, SearchRules};
use obit::limits::Limits;
use obit::process::{self, Observer, Process};
use obit::report::{
    BuildOptions, Context, Flavor, Report, TailCalls, WhichRegisters, WhichStacks, WhoseLocals,
};
use obit::value::readable::UserFormatters;

use super::View;
use super::args::{self, Locals, Options, TailCallPlace};
use super::exit::Exit;
use super::formatters::formatters;
use super::inputs::Inputs;
use super::{Failure, redact};

/// What the cache of unpacked debug sections may take on disk.
const CACHE_BYTES: u64 = 4 << 30;

/// Frames of one thread in a report, unless the user says how many.
const DEFAULT_FRAMES: usize = 300;

/// Lines around the place of the crash on a page for a browser, which has room.
const PAGE_CONTEXT: u32 = 8;

/// All that decides what is in a report.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) inputs: Inputs,
    pub(crate) sysroot: Option<PathBuf>,
    pub(crate) solib_search_path: Vec<PathBuf>,
    /// Empty: the default ones.
    pub(crate) debug_directories: Vec<PathBuf>,
    pub(crate) substitute_path: Vec<(PathBuf, PathBuf)>,
    pub(crate) source_path: Vec<PathBuf>,
    /// Servers to ask; empty unless the user asked for it.
    pub(crate) debuginfod_urls: Vec<String>,
    /// Where decompressed debug sections are kept.
    pub(crate) cache: Option<PathBuf>,
    /// Frames of one thread that the report holds; `None` is all.
    pub(crate) frames: Option<usize>,
    pub(crate) formatters: UserFormatters,
    pub(crate) build: BuildOptions,
    /// Remember what is read of the dead memory.
    pub(crate) log_reads: bool,
    /// Where files may lie beside the core, if not where it lies itself.
    pub(crate) core_directory: Option<PathBuf>,
}

impl Request {
    pub(crate) fn new(inputs: Inputs, options: &Options) -> Result<Self, Failure> {
        let (search, content) = (&options.search, &options.content);
        let format = options.output.format();
        Ok(Self {
            inputs,
            formatters: formatters(&search.formatters)
                .map_err(|error| Failure::new(Exit::Usage, &error))?,
            sysroot: search.sysroot.clone(),
            solib_search_path: search.solib_search_path.clone(),
            debug_directories: search.debug_file_directory.clone(),
            substitute_path: search.substitute_path.clone(),
            source_path: search.source_path.clone(),
            debuginfod_urls: debuginfod_urls(
                search.debuginfod.as_deref(),
                std::env::var("DEBUGINFOD_URLS").ok().as_deref(),
                search.offline,
            ),
            cache: if search.no_cache { None } else { cache_directory() },
            frames: Some(content.frames.unwrap_or(DEFAULT_FRAMES)).filter(|frames| *frames > 0),
            build: BuildOptions {
                redaction: content.redact.level(),
                rules: redact::rules(&content.redact_rules, content.trust_project_rules)?,
                key: content.redact_key.as_deref().map(redact::key).transpose()?.map(Arc::from),
                tail_calls: match content.tail_calls {
                    TailCallPlace::Nested => TailCalls::Nested,
                    TailCallPlace::Frames => TailCalls::Frames,
                },
                registers: if content.registers {
                    WhichRegisters::All
                } else {
                    WhichRegisters::Crashed
                },
                context: match content.context {
                    _ if content.no_source => Context::Nothing,
                    Some(lines) => Context::Lines(lines),
                    None if format.has_more_code => Context::Lines(PAGE_CONTEXT),
                    None => Context::default(),
                },
                always_code: format.has_more_code,
                memory: format.has_memory_map,
                flavor: match content.disassembly_flavor {
                    args::Flavor::Att => Flavor::Att,
                    args::Flavor::Intel => Flavor::Intel,
                },
                locals: match content.locals {
                    Locals::None => WhoseLocals::None,
                    Locals::Crashed => WhoseLocals::Crashed,
                    Locals::All => WhoseLocals::All,
                },
                variable_frames: None,
                stacks: WhichStacks::All,
                max_depth: content.max_depth,
                max_elements: content.max_elements,
            },
            log_reads: false,
            core_directory: None,
        })
    }
}

impl Request {
    pub(crate) fn process_options(&self, view: View) -> process::Options {
        let defaults = SearchRules::default();
        let beside = self.core_directory.as_deref().or(self.inputs.core.parent());
        let core_directory = beside.map(|parent| match parent.as_os_str() {
            empty if empty.is_empty() => PathBuf::from("."),
            _ => parent.to_owned(),
        });
        let debug_directories = if self.debug_directories.is_empty() {
            defaults.debug_directories
        } else {
            self.debug_directories.clone()
        };
        let rules = SearchRules {
            executable: self.inputs.exe.clone(),
            sysroot: self.sysroot.clone(),
            solib_search_path: self.solib_search_path.clone(),
            debug_directories,
            substitute_path: self.substitute_path.clone(),
            source_path: self.source_path.clone(),
            core_directory,
            debuginfod: debuginfod(&self.debuginfod_urls),
        };
        let mut limits = Limits::default();
        limits.frames_shown = self.frames.unwrap_or(limits.frames);
        process::Options {
            formatters: self.formatters.clone(),
            log_reads: self.log_reads,
            rules,
            cache: self.cache.clone().map(|dir| SectionCache::new(dir, CACHE_BYTES)),
            limits,
            library: None,
            modules_only: matches!(view, View::Modules),
        }
    }
}

/// Budgets and cache as the environment says, servers as the user asked.
fn debuginfod(urls: &[String]) -> Option<Debuginfod> {
    if urls.is_empty() {
        return None;
    }
    let settings = Debuginfod::from_environment();
    let settings = settings.or_else(|| Some(Debuginfod::new(Vec::new(), debuginfod_cache()?)));
    settings.map(|settings| Debuginfod { urls: urls.to_vec(), ..settings })
}

fn debuginfod_cache() -> Option<PathBuf> {
    Some(cache_base()?.join("debuginfod_client"))
}

/// No server is asked unless the option or the variable names one, and none with
/// `--offline`.
fn debuginfod_urls(option: Option<&str>, variable: Option<&str>, offline: bool) -> Vec<String> {
    let named = option.filter(|urls| !urls.is_empty()).or(variable).unwrap_or_default();
    let urls = named.split_whitespace().map(str::to_owned);
    if offline { Vec::new() } else { urls.collect() }
}

/// `$XDG_CACHE_HOME/obit`, else `~/.cache/obit`; none without a home.
fn cache_directory() -> Option<PathBuf> {
    Some(cache_base()?.join("obit"))
}

fn cache_base() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}

/// Why there is no report; printed after `obit: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnalyzeError {
    #[error("{0}")]
    Open(String),
}

/// Opens the core, finds what belongs to it, and reports. The list of modules needs no
/// stacks.
pub(crate) fn analyze(
    request: &Request,
    view: View,
    observer: &dyn Observer,
) -> Result<Report, AnalyzeError> {
    let process = open(request, view, observer)?;
    let mut report = obit::report::build(&process, request.build.clone());
    report.signature = obit::triage::signature(&report);
    Ok(report)
}

/// Opens the core and finds what belongs to it.
pub(crate) fn open(
    request: &Request,
    view: View,
    observer: &dyn Observer,
) -> Result<Process, AnalyzeError> {
    let options = request.process_options(view);
    Process::open(&request.inputs.core, options, observer)
        .map_err(|error| AnalyzeError::Open(error.to_string()))
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
