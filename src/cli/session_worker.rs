//! The process that keeps a core open, and answers what is asked of it.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use obit::debuginfo::SectionCache;
use obit::dump::CoreFile;
use obit::process::Process;
use obit::redact::Origin;
use obit::sandbox::{Limits, Remote, confine};
use obit::session::{self, Opened};

use super::confined::{self, Outside};
use super::core_source;
use super::exit::Exit;
use super::failure::Failure;
use super::message::shown;
use super::request::Request;

/// The verb of a worker, whose command line is that of its server.
pub(crate) const WORKER: &str = "session-worker";
/// Bytes of the key of a session's tokens.
const KEY: usize = 32;

/// Answers questions on the core that comes through the standard input, which is read as
/// `request` says, with at most `max_memory` bytes.
pub(crate) fn serve(request: &Request, max_memory: u64) -> Result<Exit, Failure> {
    let bug = |error: io::Error| Failure::new(Exit::Bug, &error);
    let channel = io::stdin().as_fd().try_clone_to_owned().map_err(bug)?;
    let remote = Arc::new(Remote::new(channel.into()));
    let mut request = request.clone();
    // One for all answers, so that equal values have equal tokens in them.
    if request.build.key.is_none() {
        request.build.key = random_key().map(Arc::from);
    }
    let limits = Limits { memory: Some(max_memory) };
    confined::check(request.sandbox(), &confine(&limits, request.sandbox()))?;
    let outside = Outside {
        access: remote.clone(),
        cache: request.has_cache().then(|| SectionCache::of(remote.clone())),
        listener: None,
    };
    let limits = request.process_options(None).limits;
    let mut open = |core: CoreFile| {
        let mut one = request.clone();
        one.inputs.core.clone_from(&core.path);
        let mut options = one.process_options(Some(&outside));
        options.rules.companions = core.companions.paths().map(Path::to_owned).collect();
        let dump = core_source::read(core, &options.limits)
            .map_err(|failure| shown(Origin::OwnWords, &failure.message.unwrap_or_default()))?;
        #[cfg(debug_assertions)]
        super::evil::act();
        Ok(Opened::new(Process::of_dump(dump, options, &()), one.build))
    };
    session::serve(&remote, &limits, &mut open).map_err(bug)?;
    Ok(Exit::Success)
}

/// Bytes that no one knows; taken before no file can be opened.
fn random_key() -> Option<Vec<u8>> {
    let mut key = vec![0; KEY];
    let mut source = std::fs::File::open("/dev/urandom").ok()?;
    io::Read::read_exact(&mut source, &mut key).ok()?;
    Some(key)
}
