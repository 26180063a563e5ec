//! One of the processes that read the cores of a batch.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use obit::batch;
use obit::module::Library;
use obit::triage::Rules;

use super::exit::Exit;
use super::failure::Failure;
use super::request::Request;

/// Directories with cores whose files a worker keeps open.
const LIBRARIES: usize = 4;

/// Reads the cores that the batch names on the standard input, as `request` says, with at
/// most `max_memory` bytes.
pub(crate) fn serve(request: &Request, max_memory: u64) -> Result<Exit, Failure> {
    batch::with_limits(max_memory);
    let rules = Rules::built_in();
    // What was found and read for one core serves the next; a directory's own files are for
    // its cores alone.
    let mut libraries: Vec<(Option<PathBuf>, Arc<Library>)> = Vec::new();
    let mut work = |path: &Path| {
        let mut one = request.clone();
        one.inputs.core = path.to_owned();
        let mut options = one.process_options();
        let directory = options.rules.core_directory.clone();
        let library = match libraries.iter().position(|(known, _)| *known == directory) {
            Some(at) => libraries.remove(at).1,
            None => options.library(),
        };
        options.library = Some(Arc::clone(&library));
        libraries.truncate(LIBRARIES - 1);
        libraries.insert(0, (directory, library));
        batch::analyze(path, options, one.build, &rules)
    };
    let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
    batch::serve(&mut from, &mut to, &mut work)
        .map_err(|error| Failure::new(Exit::Output, &error))?;
    Ok(Exit::Success)
}
