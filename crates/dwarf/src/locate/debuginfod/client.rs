//! The client: which server is asked, how long, and what it may send.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::artifact::Artifact;
use super::cache::{Cache, Cached, Download};
use super::http::{Answer, Http, HttpError};
use super::network::Request;
use super::settings::Debuginfod;
use crate::locate::content::shown_id;
use crate::locate::source_text;
use obit_corefile::elf::{BuildId, ElfError, ElfImage, ImageBytes};
use obit_corefile::limits::Limits;
use obit_corefile::mapped_file::MappedFile;
use obit_corefile::notice::Notice;

/// Bytes read from a server at a time.
const PART: usize = 64 << 10;
/// Bytes that a server has to send within its timeout.
const LEAST: u64 = 100 << 10;
/// The largest file unless the user says otherwise: debug files of browsers are smaller.
const LARGEST: u64 = 2 << 30;

/// The outcome of one question.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The file in the cache.
    pub path: Option<PathBuf>,
    /// What servers were asked in vain, and why. Each is said once in a run.
    pub notices: Vec<Notice>,
    /// A server failed in this run, for this question or before: it may have the file.
    pub is_cut_short: bool,
}

/// Asks servers, within a budget for the whole run. A server that fails once is not asked
/// again, by no client of the run: one that does not answer costs its timeout once, not once
/// for each module, directory or process.
#[derive(Debug)]
pub(in crate::locate) struct Client {
    settings: Debuginfod,
    limits: Limits,
    cache: Cache,
    http: Http,
    servers: Vec<Server>,
    /// Set when no server is to be asked any more.
    closed: OnceLock<()>,
}

#[derive(Debug)]
struct Server {
    url: String,
    /// Its number in the run.
    number: usize,
    /// Set when it was said that it failed.
    reported: AtomicBool,
    /// Held for the first question, so that several threads do not all wait for a
    /// server that is dead.
    first: Mutex<()>,
}

/// Why one question to one server gave no file.
#[derive(Debug, Error)]
enum Failure {
    /// The server does not have it.
    #[error("it does not have it")]
    NotFound,
    /// The server is not to be asked again.
    #[error("{0}")]
    Server(ServerError),
    /// The server answered; what it sent will not do.
    #[error("{0}")]
    Content(ContentError),
    /// This machine cannot store anything.
    #[error("downloads cannot be kept: {0}")]
    Cache(io::Error),
}

/// Why a server is not to be asked again.
#[derive(Debug, Error)]
enum ServerError {
    #[error("the time for downloads is spent")]
    NoTimeLeft,
    #[error("it failed earlier in this run")]
    Earlier,
    #[error("it sent less than 100 KiB within {0} s")]
    TooSlow(u64),
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
        let server = |(number, url): (usize, &String)| Server {
            url: url.trim_end_matches('/').to_owned(),
            number,
            reported: AtomicBool::new(false),
            first: Mutex::new(()),
        };
        Self {
            cache: Cache::new(settings.cache.clone()),
            http: Http::new(&settings),
            servers: settings.urls.iter().enumerate().map(server).collect(),
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
                fetched.is_cut_short = true;
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
        fetched.is_cut_short = self.settings.network.is_cut_short();
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
        let network = &self.settings.network;
        let mut turn = (!network.has_answered(server.number))
            .then(|| server.first.lock().unwrap_or_else(PoisonError::into_inner));
        if network.has_failed(server.number) {
            let is_said = server.reported.swap(true, Ordering::AcqRel);
            return (!is_said).then_some(Err(Failure::Server(ServerError::Earlier)));
        }
        let Some(left) = self.time_left() else {
            network.note_end();
            let failure = Failure::Server(ServerError::NoTimeLeft);
            return self.close().then_some(Err(failure));
        };
        let download = match self.cache.begin(id, artifact) {
            Ok(download) => download,
            Err(error) => return self.close().then_some(Err(Failure::Cache(error))),
        };
        let url = format!("{}/buildid/{id}/{}", server.url, artifact.address());
        network.log(&format!("asking {url}"));
        let mut request = network.request();
        let answer = self.http.get(&url, &self.settings, self.most_bytes(artifact), left);
        if answer.is_ok() {
            network.note_answer(server.number);
            turn = None;
        }
        let outcome =
            answer.map_err(|error| Failure::Server(error.into())).and_then(|answer| match answer {
                Answer::NotFound => Err(Failure::NotFound),
                Answer::Body { reader, length } => {
                    self.receive(reader, length, download, (id, artifact), &mut request)
                }
            });
        network.log(&match &outcome {
            Ok(path) => format!("{url} is in {}", path.display()),
            Err(failure) => format!("{url}: {failure}"),
        });
        let is_first = match &outcome {
            Err(Failure::Server(_)) => {
                network.note_failure(server.number);
                !server.reported.swap(true, Ordering::AcqRel)
            }
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
        request: &mut Request<'_>,
    ) -> Result<PathBuf, Failure> {
        let most = self.most_bytes(artifact);
        let too_large = || Failure::Content(ContentError::TooLarge(most));
        if length.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let mut part = vec![0; PART];
        let mut received = 0_u64;
        // As elfutils: a server that sends almost nothing is as good as silent.
        let (mut since, mut before) = (Instant::now(), 0);
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
            request.count();
            if since.elapsed() >= self.settings.timeout {
                if received.saturating_sub(before) < LEAST && length != Some(received) {
                    let seconds = self.settings.timeout.as_secs();
                    return Err(Failure::Server(ServerError::TooSlow(seconds)));
                }
                (since, before) = (Instant::now(), received);
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
        self.settings.max_bytes.unwrap_or(LARGEST).min(most)
    }

    fn time_left(&self) -> Option<Duration> {
        let spent = self.settings.network.spent();
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
