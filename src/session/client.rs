//! The side that asks: an open core, and a worker that has read it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
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
///
/// A thread of its own starts the workers and talks to them: a worker ends with the thread that
/// started it (prctl(2), `PR_SET_PDEATHSIG`).
#[derive(Debug)]
pub struct Session {
    questions: Option<Sender<Asked>>,
    thread: Option<JoinHandle<()>>,
    stopper: Stopper,
    /// The file that was opened, and where.
    file: File,
    path: PathBuf,
    has_said_gone: bool,
}

/// A question, and where its answer goes.
type Asked = (Question, Sender<Said>);

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
        let copied = file.try_clone().map_err(unreadable)?;
        let core_path = path.clone();
        let open = move |setup, stopper| Line::open(&core_path, copied, setup, stopper);
        Self::start((path, file), setup, begun, open)
    }

    /// The same of a core that is open, and unpacked where it was in an archive.
    ///
    /// # Errors
    /// It cannot be read as a core; why.
    pub fn of_core(
        core: CoreFile,
        setup: Setup,
        begun: &mut dyn FnMut(&Stopper),
    ) -> Result<(Self, Answer), Problem> {
        let file = core.file.try_clone().map_err(unreadable)?;
        let path = core.path.clone();
        let open = |setup, stopper| Line::of_core(core, setup, None, stopper);
        Self::start((path, file), setup, begun, open)
    }

    fn start(
        (path, file): (PathBuf, File),
        setup: Setup,
        begun: &mut dyn FnMut(&Stopper),
        open: impl FnOnce(Setup, Stopper) -> Result<(Line, Answer), Problem> + Send + 'static,
    ) -> Result<(Self, Answer), Problem> {
        let stopper = Stopper::default();
        begun(&stopper);
        let (questions, asked) = mpsc::channel::<Asked>();
        let (opened, has_opened) = mpsc::channel();
        let of_line = stopper.clone();
        let thread = std::thread::Builder::new().spawn(move || {
            let mut line = match open(setup, of_line) {
                Ok((line, overview)) => {
                    // Who opens it waits for this.
                    let _ = opened.send(Ok(overview));
                    line
                }
                Err(problem) => {
                    let _ = opened.send(Err(problem));
                    return;
                }
            };
            for (question, answer) in asked {
                // The one who asked may have given up.
                let _ = answer.send(line.ask(&question));
            }
        });
        let thread = thread.map_err(unreadable)?;
        let lost = |_| problem("the thread that reads it ended");
        let overview = has_opened.recv().map_err(lost)??;
        let (questions, thread) = (Some(questions), Some(thread));
        let session = Self { questions, thread, stopper, file, path, has_said_gone: false };
        Ok((session, overview))
    }

    /// Answers a question. A worker that ends or hangs is replaced for the next one.
    ///
    /// # Errors
    /// There is no answer; why.
    pub fn ask(&mut self, question: &Question) -> Result<Answer, Problem> {
        let lost = || problem("the thread that reads the core ended; open it again");
        let questions = self.questions.as_ref().ok_or_else(lost)?;
        let (answer, answered) = mpsc::channel();
        questions.send((question.clone(), answer)).map_err(|_| lost())?;
        answered.recv().map_err(|_| lost())?
    }

    /// What ends its worker.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Whether the path still leads to the file that was opened.
    pub fn is_current(&self) -> bool {
        let (Ok(opened), Ok(file)) = (self.file.metadata(), std::fs::metadata(&self.path)) else {
            return false;
        };
        (file.dev(), file.ino()) == (opened.dev(), opened.ino())
    }

    /// Says once that the file of the core is gone, or another one now.
    pub fn news(&mut self) -> Option<&'static str> {
        if self.has_said_gone || self.is_current() {
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
        drop(self.questions.take());
        if let Some(thread) = self.thread.take() {
            // It does not panic; and if it did, its worker ends with it.
            let _ = thread.join();
        }
    }
}

/// The thread's side: an open core, and a worker that has read it.
#[derive(Debug)]
struct Line {
    core: CoreFile,
    setup: Setup,
    worker: Option<WorkerProcess>,
    stopper: Stopper,
    /// The worker has read the core.
    has_read: bool,
    /// Files are copied instead of mapped: one was cut short.
    copies: bool,
}

impl Line {
    fn open(
        path: &Path,
        file: File,
        setup: Setup,
        stopper: Stopper,
    ) -> Result<(Self, Answer), Problem> {
        let head = read_at(&file, 0, HEAD).unwrap_or_default();
        let mut worker = None;
        let core = match may_be_archive(path, &head) {
            false => CoreFile::of_file(path, file).map_err(unreadable)?,
            true => {
                let mut started = WorkerProcess::start(&setup.worker).map_err(unreadable)?;
                stopper.hold(&started);
                let found = started.unpack(path, &file, setup.patience);
                worker = Some(started);
                match found.map_err(|(_, why)| problem(&why))? {
                    Ok(archive) => only_core(archive.cores)?,
                    Err(NoArchive::Unusable(why)) => return Err(problem(&why)),
                    Err(NoArchive::Other) => CoreFile::of_file(path, file).map_err(unreadable)?,
                }
            }
        };
        Self::of_core(core, setup, worker, stopper)
    }

    fn of_core(
        core: CoreFile,
        setup: Setup,
        worker: Option<WorkerProcess>,
        stopper: Stopper,
    ) -> Result<(Self, Answer), Problem> {
        let mut line = Self { core, setup, worker, stopper, has_read: false, copies: false };
        let overview = line.ask(&Question::Overview)?;
        Ok((line, overview))
    }

    fn ask(&mut self, question: &Question) -> Said {
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
        let said = match read(&said) {
            Ok(said) => said,
            Err(error) => {
                worker.dismiss();
                return Err(lost(&error));
            }
        };
        (self.worker, self.has_read) = (Some(worker), true);
        Ok(said)
    }
}

impl Drop for Line {
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

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn unreadable(error: std::io::Error) -> Problem {
    problem(&format!("it cannot be read: {error}"))
}

/// In obit's own words.
fn problem(text: &str) -> Problem {
    Problem { text: Shown::from_report(text.to_owned()), instead: None }
}
