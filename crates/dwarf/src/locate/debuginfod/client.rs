//! The client: which server is asked, how long, and what it may send.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::artifact::Artifact;
use super::cache::{Cache, Cached, Download};
use super::http::{Answer, Http, HttpError};
use super::settings::Debuginfod;
use crate::locate::content::shown_id;
use crate::locate::source_text;
use obit_corefile::elf::{BuildId, ElfError, ElfImage, ImageBytes};
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::MappedFile;
use obit_corefile::notice::Notice;

/// Bytes read from a server at a time.
const PART: usize = 64 << 10;

/// The outcome of one question.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The file in the cache.
    pub path: Option<PathBuf>,
    /// What servers were asked in vain, and why.
    pub notices: Vec<Notice>,
}

/// Asks servers, within a budget for the whole run. A server that fails once is not
/// asked again: one that does not answer costs its timeout once, not once per module.
#[derive(Debug)]
pub(in crate::locate) struct Client {
    settings: Debuginfod,
    limits: Limits,
    cache: Cache,
    http: Http,
    servers: Vec<Server>,
    /// Milliseconds spent waiting for servers, summed over threads.
    spent: AtomicU64,
    /// Set when no server is to be asked any more.
    closed: OnceLock<()>,
}

#[derive(Debug)]
struct Server {
    url: String,
    failed: AtomicBool,
    answered: AtomicBool,
    /// Held for the first question, so that several threads do not all wait for a
    /// server that is dead.
    first: Mutex<()>,
}

/// Why one question to one server gave no file.
enum Failure {
    /// The server does not have it.
    NotFound,
    /// The server is not to be asked again.
    Server(ServerError),
    /// The server answered; what it sent will not do.
    Content(ContentError),
    /// This machine cannot store anything.
    Cache(io::Error),
}

/// Why a server is not to be asked again.
#[derive(Debug, Error)]
enum ServerError {
    #[error("the time for downloads is spent")]
    NoTimeLeft,
    #[error("{0}")]
    NoAnswer(#[from] HttpError),
    #[error("{0}")]
    BrokenOff(#[from] io::Error),
}

/// Why what a server sent will not do.
#[derive(Debug, Error)]
enum ContentError {
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    #[error("{0}")]
    Open(#[from] io::Error),
    #[error("{0}")]
    Elf(#[from] ElfError),
    #[error("its build ID is {found}, not {wanted}")]
    OtherBuild { found: String, wanted: BuildId },
}

impl Client {
    pub(in crate::locate) fn new(settings: Debuginfod, limits: Limits) -> Self {
        let server = |url: &String| Server {
            url: url.trim_end_matches('/').to_owned(),
            failed: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            first: Mutex::new(()),
        };
        Self {
            cache: Cache::new(settings.cache.clone()),
            http: Http::new(&settings),
            servers: settings.urls.iter().map(server).collect(),
            spent: AtomicU64::new(0),
            closed: OnceLock::new(),
            settings,
            limits,
        }
    }

    /// The file in the cache, or else from the first server that has it.
    pub(in crate::locate) fn fetch(&self, id: &BuildId, artifact: Artifact<'_>) -> Fetched {
        let mut fetched = Fetched::default();
        match self.cache.look(id, artifact) {
            Cached::Here(path) => fetched.path = Some(path),
            Cached::AskedInVain => {}
            Cached::Unknown => self.ask_all(id, artifact, &mut fetched),
        }
        fetched
    }

    fn ask_all(&self, id: &BuildId, artifact: Artifact<'_>, fetched: &mut Fetched) {
        let mut all_said_no = true;
        for server in &self.servers {
            if self.closed.get().is_some() {
                return;
            }
            match self.ask(server, id, artifact) {
                None => all_said_no = false,
                Some(Ok(path)) => {
                    fetched.path = Some(path);
                    return;
                }
                Some(Err(Failure::NotFound)) => {}
                Some(Err(failure)) => {
                    all_said_no = false;
                    fetched.notices.extend(self.notice(server.url.clone(), failure));
                }
            }
        }
        if all_said_no {
            self.cache.note_miss(id, artifact);
        }
    }

    /// Asks one server; `None` if it is not asked any more, and that was said before.
    fn ask(
        &self,
        server: &Server,
        id: &BuildId,
        artifact: Artifact<'_>,
    ) -> Option<Result<PathBuf, Failure>> {
        let mut turn = (!server.answered.load(Ordering::Acquire))
            .then(|| server.first.lock().unwrap_or_else(PoisonError::into_inner));
        if server.failed.load(Ordering::Acquire) {
            return None;
        }
        let Some(left) = self.time_left() else {
            let failure = Failure::Server(ServerError::NoTimeLeft);
            return self.close().then_some(Err(failure));
        };
        let started = Instant::now();
        let download = match self.cache.begin(id, artifact) {
            Ok(download) => download,
            Err(error) => return self.close().then_some(Err(Failure::Cache(error))),
        };
        let url = format!("{}/buildid/{id}/{}", server.url, artifact.address());
        let answer = self.http.get(&url, &self.settings, self.most_bytes(artifact), left);
        if answer.is_ok() {
            server.answered.store(true, Ordering::Release);
            turn = None;
        }
        let outcome =
            answer.map_err(|error| Failure::Server(error.into())).and_then(|answer| match answer {
                Answer::NotFound => Err(Failure::NotFound),
                Answer::Body { reader, length } => {
                    self.receive(reader, length, download, (id, artifact))
                }
            });
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.spent.fetch_add(took, Ordering::Relaxed);
        let is_first = match &outcome {
            Err(Failure::Server(_)) => !server.failed.swap(true, Ordering::AcqRel),
            Err(Failure::Cache(_)) => self.close(),
            _ => true,
        };
        // Those who wait for their turn must find the server marked.
        drop(turn);
        is_first.then_some(outcome)
    }

    fn receive(
        &self,
        mut body: impl Read,
        length: Option<u64>,
        mut download: Download,
        (id, artifact): (&BuildId, Artifact<'_>),
    ) -> Result<PathBuf, Failure> {
        let most = self.most_bytes(artifact);
        let too_large = || Failure::Content(ContentError::TooLarge(most));
        if length.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let mut part = vec![0; PART];
        let mut received = 0_u64;
        loop {
            let count = match body.read(&mut part) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Server(error.into())),
            };
            received = received.saturating_add(count as u64);
            if received > most {
                return Err(too_large());
            }
            download.write_all(part.get(..count).unwrap_or(&part)).map_err(Failure::Cache)?;
        }
        if matches!(artifact, Artifact::Source(_)) {
            // Nothing in it says what it belongs to; the line table's MD5 may.
            return download.keep().map_err(Failure::Cache);
        }
        let found = build_id_of(&download, &self.limits).map_err(Failure::Content)?;
        if found.as_ref() != Some(id) {
            let found = shown_id(found.as_ref());
            let wanted = id.clone();
            return Err(Failure::Content(ContentError::OtherBuild { found, wanted }));
        }
        download.keep().map_err(Failure::Cache)
    }

    /// What to say of a failure.
    fn notice(&self, url: String, failure: Failure) -> Option<Notice> {
        match failure {
            Failure::NotFound => None,
            Failure::Server(error) => {
                Some(Notice::DebuginfodFailed { url, error: error.to_string() })
            }
            Failure::Content(error) => {
                let reason = error.to_string();
                Some(Notice::FileRefused { path: PathBuf::from(url), reason })
            }
            Failure::Cache(error) => {
                let reason = format!("downloads cannot be kept there: {error}");
                Some(Notice::FileRefused { path: self.settings.cache.clone(), reason })
            }
        }
    }

    /// Ends all asking; whether this call did it.
    fn close(&self) -> bool {
        self.closed.set(()).is_ok()
    }

    fn most_bytes(&self, artifact: Artifact<'_>) -> u64 {
        let most = match artifact {
            Artifact::Source(_) => source_text::LARGEST,
            Artifact::DebugInfo | Artifact::Executable => self.limits.section_bytes,
        };
        self.settings.max_bytes.unwrap_or(u64::MAX).min(most)
    }

    fn time_left(&self) -> Option<Duration> {
        let spent = Duration::from_millis(self.spent.load(Ordering::Relaxed));
        self.settings.max_time.checked_sub(spent).filter(|left| !left.is_zero())
    }
}

/// The build ID of what was downloaded.
fn build_id_of(download: &Download, limits: &Limits) -> Result<Option<BuildId>, ContentError> {
    let file = MappedFile::open(download.path())?;
    let image = ElfImage::parse(ImageBytes::File(file), limits)?;
    Ok(image.build_id().cloned())
}

#[cfg(all(test, feature = "debuginfod"))]
#[path = "client_tests.rs"]
mod tests;
