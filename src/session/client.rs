//! The side that asks: an open core, and a worker that has read it.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::worker::Said;
use crate::batch::{NoAnswer, WorkerCommand, WorkerProcess};
use crate::sandbox::{Broker, NoArchive};
use obit_corefile::archive::may_be_archive;
use obit_corefile::dump::CoreFile;
use obit_corefile::mapped_file::read_at;
use obit_redact::Shown;
use obit_session::{Answer, Problem, Question};
use rustix::process::{Pid, PidfdFlags, Signal};

/// Bytes of a file that say whether it may be an archive.
const HEAD: u64 = 512;
/// Cores of an archive that are named.
const LISTED: usize = 8;

/// How a session's workers are started, and how long they may take.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program and its arguments.
    pub worker: WorkerCommand,
    /// What opens files for them.
    pub broker: Arc<Broker>,
    /// For one question.
    pub patience: Duration,
}

/// Ends the worker of a session from another thread: what it was asked has no answer then, and the
/// next question starts another.
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<Mutex<Option<OwnedFd>>>);

impl Stopper {
    /// Ends it, if there is one.
    pub fn stop(&self) {
        let worker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = &*worker {
            // One that ended by itself needs no end.
            let _ = rustix::process::pidfd_send_signal(worker, Signal::KILL);
        }
    }

    /// `worker` is the one to end from now on.
    fn hold(&self, worker: &WorkerProcess) {
        let id = i32::try_from(worker.id()).ok().and_then(Pid::from_raw);
        let open = |id| rustix::process::pidfd_open(id, PidfdFlags::empty()).ok();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id.and_then(open);
    }
}

/// A crash that is open.
#[derive(Debug)]
pub struct Session {
    core: CoreFile,
    setup: Setup,
    worker: Option<WorkerProcess>,
    stopper: Stopper,
    /// The worker has read the core.
    has_read: bool,
    /// Files are copied instead of mapped: one was cut short.
    copies: bool,
    has_said_gone: bool,
}

impl Session {
    /// Opens the core `file`, which is called `path`. `begun` gets what ends that.
    ///
    /// # Errors
    /// It cannot be read as a core; why.
    pub fn open(
        path: PathBuf,
        file: File,
        setup: Setup,
        begun: &mut dyn FnMut(&Stopper),
    ) -> Result<(Self, Answer), Problem> {
        let failed = |error: std::io::Error| problem(&format!("it cannot be read: {error}"));
        let head = read_at(&file, 0, HEAD).unwrap_or_default();
        let mut worker = None;
        let core = match may_be_archive(&path, &head) {
            false => CoreFile::of_file(&path, file).map_err(failed)?,
            true => {
                let mut started = WorkerProcess::start(&setup.worker).map_err(failed)?;
                let found = started.unpack(&path, &file, setup.patience);
                worker = Some(started);
                match found.map_err(|(_, why)| problem(&why))? {
                    Ok(archive) => only_core(archive.cores)?,
                    Err(NoArchive::Unusable(why)) => return Err(problem(&why)),
                    Err(NoArchive::Other) => CoreFile::of_file(&path, file).map_err(failed)?,
                }
            }
        };
        let mut session = Self {
            core,
            setup,
            worker,
            stopper: Stopper::default(),
            has_read: false,
            copies: false,
            has_said_gone: false,
        };
        begun(&session.stopper);
        let overview = session.ask(&Question::Overview)?;
        Ok((session, overview))
    }

    /// Answers a question. A worker that ends or hangs is replaced for the next one.
    ///
    /// # Errors
    /// There is no answer; why.
    pub fn ask(&mut self, question: &Question) -> Result<Answer, Problem> {
        let question = serde_json::to_vec(question).map_err(|error| problem(&error.to_string()))?;
        loop {
            match self.attempt(&question) {
                Ok(said) => return said,
                Err(NoAnswer::FileCut) if !self.copies => self.copies = true,
                Err(error) => return Err(problem(&why(&error, self.setup.patience))),
            }
        }
    }

    fn attempt(&mut self, question: &[u8]) -> Result<Said, NoAnswer> {
        let (broker, patience) = (Arc::clone(&self.setup.broker), self.setup.patience);
        let lost = |error: &dyn std::fmt::Display| NoAnswer::Lost(error.to_string());
        // Without an answer it is gone; until there is one, it is not kept.
        let has_read = std::mem::take(&mut self.has_read);
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => WorkerProcess::start(&self.setup.worker).map_err(|error| lost(&error))?,
        };
        if !has_read {
            self.stopper.hold(&worker);
            let (core, copies) = (&self.core, self.copies);
            let send = |channel: &_| Broker::hand_over(channel, core, copies);
            let said = worker.answer_to(send, core, &broker, patience)?;
            if let Err(problem) = read(&said).map_err(|error| lost(&error))? {
                worker.dismiss();
                return Ok(Err(problem));
            }
        }
        let core = &self.core;
        let send = |channel: &_| Broker::ask(channel, question);
        let said = worker.answer_to(send, core, &broker, patience)?;
        let said = read(&said).map_err(|error| lost(&error))?;
        (self.worker, self.has_read) = (Some(worker), true);
        Ok(said)
    }

    /// What ends its worker.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Whether the path still leads to the file that was opened.
    pub fn is_current(&self) -> bool {
        let opened = rustix::fs::fstat(self.core.file.as_fd());
        let file = std::fs::metadata(&self.core.path);
        let (Ok(opened), Ok(file)) = (opened, file) else { return false };
        (file.dev(), file.ino()) == (opened.st_dev, opened.st_ino)
    }

    /// Says once that the file of the core is gone, or another one now.
    pub fn news(&mut self) -> Option<&'static str> {
        if self.has_said_gone || self.core.companions.archive.is_some() || self.is_current() {
            return None;
        }
        self.has_said_gone = true;
        Some(
            "the file of this core was removed or replaced; answers are of the one that was opened",
        )
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.dismiss();
        }
    }
}

fn read(said: &[u8]) -> Result<Said, String> {
    obit_report::json::read_nested(said)
        .map_err(|error| format!("the answer of the worker is invalid: {error}"))
}

/// The core of an archive that has one.
fn only_core(mut cores: Vec<CoreFile>) -> Result<CoreFile, Problem> {
    match (cores.pop(), cores.is_empty()) {
        (Some(core), true) => Ok(core),
        (None, _) => Err(problem("the archive has no core")),
        (Some(last), false) => {
            cores.push(last);
            let names: Vec<_> =
                cores.iter().take(LISTED).map(|core| core.path.display().to_string()).collect();
            let names = names.join(", ");
            Err(problem(&format!(
                "the archive has {} cores, unpack the one to look at: {names}",
                cores.len()
            )))
        }
    }
}

fn why(error: &NoAnswer, patience: Duration) -> String {
    match error {
        NoAnswer::TimedOut => format!(
            "no answer within {} s; the worker was ended, and the next question starts another",
            patience.as_secs_f64()
        ),
        NoAnswer::FileCut => "files that it needs were cut short while they were read".to_owned(),
        NoAnswer::Lost(why) => format!("{why}; the next question starts another worker"),
    }
}

/// In obit's own words.
fn problem(text: &str) -> Problem {
    Problem { text: Shown::from_report(text.to_owned()), instead: None }
}
