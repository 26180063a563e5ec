//! `obit cache warm`: everything that reports would unpack and index, done ahead.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use obit::debuginfo::locate::{Locator, Role};
use obit::debuginfo::{CacheEntry, DebugInfo, Depth, SectionCache, SectionStore, SplitLoader};
use obit::dump::CoreFile;
use obit::mapped_file::open_regular;
use obit::notice::Notice;
use obit::process::{Observer, Phase, Process};
use obit::render::visible;
use serde::{Deserialize, Serialize};

use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::confined::{self, Outside};
use crate::cli::core_source;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::file_kind::Kind;
use crate::cli::message::{discreet, say};
use crate::cli::request::Request;
use crate::cli::verbs::capture::size;

/// Of which files.
#[derive(Clone, Debug, Args)]
pub(crate) struct WarmArgs {
    /// Programs, libraries, debug files, or cores: of a core, all modules
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    search: Search,
}

/// What was done for one image.
#[derive(Debug, Deserialize, Serialize)]
struct Warmed {
    path: String,
    /// Whether it has DWARF; nothing is stored of one without.
    has_dwarf: bool,
    stored: Counts,
    /// What was in the cache before.
    known: Counts,
    /// What could not be stored.
    refused: u64,
}

/// Entries of the cache.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Counts {
    sections: u64,
    name_indexes: u64,
    bytes: u64,
}

pub(super) fn run(args: &WarmArgs, general: &General) -> Result<Exit, Failure> {
    if args.search.no_cache {
        return Err(Failure::usage(&"--no-cache: there is nothing to fill"));
    }
    let directory = super::directory(&args.search.cache)?;
    directory.make_ready().map_err(|problem| super::unusable(&problem))?;
    let destination = Destination::lines();
    let mut exit = Exit::Success;
    for path in &args.files {
        match warm(path, args, general) {
            Ok(images) => destination.write(|out| write(out, path, &images))?,
            Err(failure) => {
                failure.say();
                if failure.exit.code() > exit.code() {
                    exit = failure.exit;
                }
            }
        }
    }
    Ok(exit)
}

/// Fills the cache with what the file at `path` needs.
fn warm(path: &Path, args: &WarmArgs, general: &General) -> Result<Vec<Warmed>, Failure> {
    let kind = Kind::of(path);
    match kind {
        Kind::Missing => {
            let problem = format!("no such file: {}", path.display());
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        Kind::Directory => {
            let problem = format!("{} is a directory", path.display());
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        Kind::Archive => {
            // Its files are in memory when they are read: nothing names them for the next time.
            let path = path.display();
            let problem = format!("{path} is an archive: unpack it, and give its programs");
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        Kind::Other => {
            core_source::open(path)?;
            let path = path.display();
            let problem = format!("{path} is neither a program, library or debug file nor a core");
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        Kind::Core | Kind::Packed | Kind::Program => {}
    }
    let is_program = kind == Kind::Program;
    let exe = is_program.then(|| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let inputs = Inputs { core: path.to_owned(), exe: exe.clone(), ..Inputs::default() };
    let mut request = Request::new(inputs, &args.search, &Redaction::default())?;
    request.modules_only = true;
    let file = match &exe {
        Some(program) => {
            let opened = open_regular(program).and_then(|file| CoreFile::of_file(program, file));
            opened.map_err(|error| {
                let problem = format!("cannot read {}: {error}", path.display());
                Failure::new(Exit::Unusable, &problem)
            })?
        }
        None => core_source::open(path)?,
    };
    let done = confined::run(&request, &file, &[], general.quiet, &|file, outside, observer| {
        let tally = Arc::new(Tally::new(&request, outside)?);
        match &exe {
            Some(program) => of_program(&request, program, outside, observer, &tally),
            None => of_core(&request, file, outside, observer, &tally),
        }
    });
    done?.map_err(|lost| {
        let problem = format!("{}: {}", path.display(), lost.why);
        Failure::new(Exit::Bug, &problem)
    })
}

/// A program, library or debug file.
fn of_program(
    request: &Request,
    path: &Path,
    outside: Option<&Outside>,
    observer: &dyn Observer,
    tally: &Arc<Tally>,
) -> Result<Vec<Warmed>, Failure> {
    observer.begin(Phase::Files);
    let options = request.process_options(outside);
    let (rules, limits) = (options.rules, options.limits);
    let locator = Arc::new(match options.access {
        Some(access) => Locator::with_access(rules, limits.clone(), access),
        None => Locator::new(rules, limits.clone()),
    });
    let found = locator.image(path, None, Role::Executable);
    let Some(image) = found.image.or(found.debug_only) else {
        let refused = |notice: &Notice| match notice {
            Notice::ExecutableRefused { problem, .. } => Some(problem.clone()),
            _ => None,
        };
        let why = found.notices.iter().find_map(refused);
        let why = why.unwrap_or_else(|| "it cannot be read".to_owned());
        let problem = format!("{}: {why}", path.display());
        return Err(Failure::new(Exit::Unusable, &problem));
    };
    let (files, _) = locator.debug_files(&image, path);
    let split: SplitLoader =
        Arc::new(move |files, directory, name| locator.split_unit(files, directory, name));
    let cache = SectionCache::of(tally.clone());
    let info = DebugInfo::new(files, split, &limits, Some(cache));
    Ok(vec![prepare(&info, path, tally)])
}

/// All modules of a core.
fn of_core(
    request: &Request,
    core: CoreFile,
    outside: Option<&Outside>,
    observer: &dyn Observer,
    tally: &Arc<Tally>,
) -> Result<Vec<Warmed>, Failure> {
    observer.begin(Phase::Core);
    let mut options = request.process_options(outside);
    options.cache = Some(SectionCache::of(tally.clone()));
    let dump = core_source::read(core, &options.limits)?;
    let process = Process::of_dump(dump, options, observer);
    let modules = process.modules.list().iter().enumerate();
    let prepared = modules.map(|(index, module)| match process.modules.debug(index) {
        Some(info) => prepare(info, &module.path, tally),
        None => Warmed::nothing(&module.path),
    });
    Ok(prepared.collect())
}

fn prepare(info: &DebugInfo, path: &Path, tally: &Tally) -> Warmed {
    tally.take();
    let has_dwarf = info.prepare();
    let (stored, known, refused) = tally.take();
    Warmed { has_dwarf, stored, known, refused, ..Warmed::nothing(path) }
}

impl Warmed {
    fn nothing(path: &Path) -> Self {
        Self {
            path: path.display().to_string(),
            has_dwarf: false,
            stored: Counts::default(),
            known: Counts::default(),
            refused: 0,
        }
    }
}

impl Counts {
    fn add(&mut self, entry: &CacheEntry) {
        let kind = match entry.is_name_index() {
            true => &mut self.name_indexes,
            false => &mut self.sections,
        };
        *kind = kind.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.bytes);
    }

    fn is_empty(self) -> bool {
        self.sections == 0 && self.name_indexes == 0
    }

    /// `3 sections and the name index, 4.2 MiB`.
    fn text(self) -> String {
        let sections = match self.sections {
            1 => "1 section".to_owned(),
            count => format!("{count} sections"),
        };
        let what = match (self.sections, self.name_indexes) {
            (_, 0) => sections,
            (0, _) => "the name index".to_owned(),
            (_, _) => format!("{sections} and the name index"),
        };
        format!("{what}, {}", size(self.bytes))
    }
}

/// Counts what passes on the way to a store.
#[derive(Debug)]
struct Tally {
    store: Arc<dyn SectionStore>,
    /// What was stored, and what was there.
    counts: Mutex<(Counts, Counts)>,
    refused: AtomicU64,
}

impl Tally {
    /// Before the store that `outside` reaches, or that this process opens itself.
    fn new(request: &Request, outside: Option<&Outside>) -> Result<Self, Failure> {
        let store = match outside.and_then(|outside| outside.listener.clone()) {
            Some(remote) => Some(remote as Arc<dyn SectionStore>),
            None => request.section_store(),
        };
        let none = || Failure::new(Exit::Unusable, &"the cache cannot be used");
        let store = store.ok_or_else(none)?;
        Ok(Self { store, counts: Mutex::default(), refused: AtomicU64::new(0) })
    }

    /// What was stored, what was there and what could not be stored since the last time.
    fn take(&self) -> (Counts, Counts, u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (stored, known) = std::mem::take(&mut *counts);
        (stored, known, self.refused.swap(0, Ordering::Relaxed))
    }

    fn count(&self, file: &File, is_new: bool) {
        let Ok(entry) = CacheEntry::of_file(file, Depth::Header) else { return };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if is_new { counts.0.add(&entry) } else { counts.1.add(&entry) }
    }
}

impl SectionStore for Tally {
    fn get(&self, key: &[u8; 32]) -> Option<File> {
        let file = self.store.get(key)?;
        self.count(&file, false);
        Some(file)
    }

    fn create(&self, length: u64) -> Option<File> {
        let file = self.store.create(length);
        if file.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        file
    }

    fn keep(&self, key: &[u8; 32], file: &File) {
        self.store.keep(key, file);
        // It is kept only if it is found.
        match self.store.get(key) {
            Some(kept) => self.count(&kept, true),
            None => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A line for each image with debug information, and one for the others.
fn write(out: &mut dyn Write, file: &Path, images: &[Warmed]) -> std::io::Result<()> {
    let described = || images.iter().filter(|image| image.has_dwarf);
    for image in described() {
        let path = discreet(&image.path);
        let path = visible(&path);
        match (image.stored.is_empty(), image.known.is_empty()) {
            (false, _) => writeln!(out, "{path}: stored {}", image.stored.text())?,
            (true, false) => writeln!(out, "{path}: already stored {}", image.known.text())?,
            (true, true) if image.refused > 0 => {}
            (true, true) => {
                writeln!(out, "{path}: nothing to store: no large compressed section, few names")?;
            }
        }
        if image.refused > 0 {
            let entries = image.refused;
            let problem = "do not fit into the cache, or could not be written";
            say(&format!("{}: {entries} sections or indexes {problem}", image.path));
        }
    }
    let path = discreet(&file.display().to_string());
    let path = visible(&path);
    match (images.len(), images.len().saturating_sub(described().count())) {
        (_, 0) => Ok(()),
        (1, _) => writeln!(out, "{path}: no debug information found"),
        (all, missing) => {
            writeln!(out, "{path}: no debug information found for {missing} of {all} modules")
        }
    }
}
