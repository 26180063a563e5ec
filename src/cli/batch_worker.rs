//! One of the processes that read the cores of a batch.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use obit::batch::{self, MemoryUse};
use obit::debuginfo::SectionCache;
use obit::debuginfo::locate::Locator;
use obit::dump::CoreFile;
use obit::module::Library;
use obit::process;
use obit::report::BuildOptions;
use obit::sandbox::{Limits, Remote, confine};
use obit::triage::{PackedRecord, Rules};

use super::confined::{self, Outside};
use super::exit::Exit;
use super::failure::Failure;
use super::request::Request;

/// Directories with cores whose files a worker keeps open.
const LIBRARIES: usize = 4;

/// Which cores share files: those of one directory and one owner. Root may read the files of
/// all, and must not show one user those of another.
type Shared = (Option<PathBuf>, Option<u32>);

/// What is to become of a core, read with such options: the message to the batch.
pub(crate) type Work<'w> =
    dyn Fn(CoreFile, process::Options, BuildOptions) -> io::Result<Vec<u8>> + 'w;

/// The record of a core.
pub(crate) fn record(rules: &Rules) -> Box<Work<'_>> {
    Box::new(|core, options, build| {
        PackedRecord::of(&batch::analyze(core, options, build, rules))?.to_message()
    })
}

/// Does `work` on the cores that the batch hands over through the standard input, as `request`
/// says, with at most `max_memory` bytes.
pub(crate) fn serve(request: &Request, max_memory: u64, work: &Work<'_>) -> Result<Exit, Failure> {
    let channel = io::stdin().as_fd().try_clone_to_owned();
    let channel = channel.map_err(|error| Failure::new(Exit::Bug, &error))?;
    let memory_use = MemoryUse::open();
    let remote = Arc::new(Remote::new(channel.into()));
    let limits = Limits { memory: Some(max_memory) };
    confined::check(request.sandbox(), &confine(&limits, request.sandbox()))?;
    let outside = Outside {
        access: remote.clone(),
        cache: request.has_cache().then(|| SectionCache::of(remote.clone())),
        listener: None,
    };
    // What was found and read for one core serves the next; a directory's own files are for
    // its cores alone.
    let mut libraries: Vec<(Shared, Arc<Library>)> = Vec::new();
    let mut one_core = |core: CoreFile| {
        let mut one = request.clone();
        one.inputs.core.clone_from(&core.path);
        let mut options = one.process_options(Some(&outside));
        options.rules.companions = core.companions.paths().map(Path::to_owned).collect();
        let owner = rustix::fs::fstat(&core.file).ok().map(|stat| stat.st_uid);
        let shared = (options.rules.core_directory.clone(), owner);
        let library = match libraries.iter().position(|(known, _)| *known == shared) {
            Some(at) => libraries.remove(at).1,
            None => options.library(),
        };
        options.library = Some(Arc::clone(&library));
        libraries.truncate(LIBRARIES - 1);
        libraries.insert(0, (shared, library));
        #[cfg(debug_assertions)]
        super::evil::act();
        work(core, options, one.build)
    };
    let process::Options { rules: places, limits: spill_limits, .. } =
        request.process_options(None);
    let locator = Locator::with_access(places, obit::limits::Limits::default(), remote.clone());
    batch::serve(&remote, memory_use.as_ref(), (&locator, &spill_limits), &mut one_core)
        .map_err(|error| Failure::new(Exit::Output, &error))?;
    Ok(Exit::Success)
}
