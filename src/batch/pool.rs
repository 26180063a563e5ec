//! Worker processes, each with a thread of ours that talks to it.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::answer::Answer;
use super::code::Code;
use super::journal::Journal;
use super::worker_process::{Outcome, WorkerCommand, WorkerProcess};
use crate::report::BuildOptions;
use crate::sandbox::{Archive, Broker, NoArchive};
use obit_corefile::archive::may_be_archive;
use obit_corefile::dump::CoreFile;
use obit_corefile::mapped_file::read_at;
use obit_triage::store::FileStamp;

/// Bytes of a file that say whether it may be an archive.
const HEAD: u64 = 512;
/// Why a core was given up whose files were cut short twice.
const FILES_CHANGE: &str = "files that it needs were cut short while they were read";

/// A core to be read.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its place in the order of the input.
    pub at: usize,
    /// The file.
    pub path: PathBuf,
    /// The file's state before it is read: if it changes meanwhile, the next run sees that.
    pub stamp: FileStamp,
    /// The user named it.
    pub named: bool,
}

/// A file that was read, or not.
#[derive(Debug)]
pub struct Done<A> {
    /// What was to be done.
    pub job: Job,
    /// What there is to say; an error if no worker could be started to say it.
    pub found: io::Result<FileAnswers<A>>,
}

/// What was found in a file.
#[derive(Debug)]
pub struct FileAnswers<A> {
    /// One, or one for each core of an archive.
    pub answers: Vec<A>,
    /// What of an archive was not read, in sentences.
    pub notes: Vec<String>,
    /// Another time, or with other limits, there may be more in the archive.
    pub is_partial: bool,
}

impl<A> FileAnswers<A> {
    fn only(answer: A) -> Self {
        Self { answers: vec![answer], notes: Vec::new(), is_partial: false }
    }
}

/// The workers.
#[derive(Debug)]
pub struct WorkerPool<A> {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done<A>>,
    threads: Vec<JoinHandle<()>>,
    under_way: Cell<usize>,
}

impl<A: Answer> WorkerPool<A> {
    /// `size` workers that have `patience` for one core. Each is started when there is
    /// something to do for it.
    pub fn new(
        command: WorkerCommand,
        size: NonZeroUsize,
        patience: Duration,
        build: BuildOptions,
        (broker, journal): (&Arc<Broker>, &Arc<Journal>),
    ) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let (finished, done) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let threads = (0..size.get()).map(|_| {
            let (waiting, finished) = (Arc::clone(&waiting), finished.clone());
            let (command, build, broker) = (command.clone(), build.clone(), Arc::clone(broker));
            let journal = Arc::clone(journal);
            let thread = PoolThread { command, patience, build, broker, journal };
            std::thread::spawn(move || thread.work(&waiting, &finished))
        });
        Self { jobs: Some(jobs), threads: threads.collect(), done, under_way: Cell::new(0) }
    }

    /// Hands out one core.
    pub fn give(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Its receivers live as long as this.
            let _ = jobs.send(job);
            self.under_way.set(self.under_way.get() + 1);
        }
    }

    /// Cores that were given and not taken yet.
    pub fn under_way(&self) -> usize {
        self.under_way.get()
    }

    /// The next one that is done; `None` if none is within `patience`.
    pub fn take(&self, patience: Duration) -> Option<Done<A>> {
        match self.done.recv_timeout(patience) {
            Ok(done) => {
                self.under_way.set(self.under_way.get().saturating_sub(1));
                Some(done)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl<A> Drop for WorkerPool<A> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if self.under_way.get() > 0 {
            // The batch ends early, and its workers end with it.
            return;
        }
        for thread in self.threads.drain(..) {
            // It does not panic; and if it did, its worker ends with us.
            let _ = thread.join();
        }
    }
}

/// A thread that talks to one worker, and to the next when that is gone.
struct PoolThread {
    command: WorkerCommand,
    patience: Duration,
    build: BuildOptions,
    broker: Arc<Broker>,
    journal: Arc<Journal>,
}

impl PoolThread {
    fn work<A: Answer>(&self, waiting: &Mutex<Receiver<Job>>, finished: &Sender<Done<A>>) {
        let mut worker = None;
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { break };
            let found = self.read(&mut worker, &job);
            if finished.send(Done { job, found }).is_err() {
                break;
            }
        }
        if let Some(worker) = worker {
            worker.dismiss();
        }
    }

    /// An answer for each core of a file: one, unless it is an archive.
    fn read<A: Answer>(
        &self,
        idle: &mut Option<WorkerProcess>,
        job: &Job,
    ) -> io::Result<FileAnswers<A>> {
        let failed_at = |code: Code, why: &str, file: Option<&File>| {
            Ok(FileAnswers::only(A::failed(&job.path, file, &self.build, code, why)?))
        };
        let mut core = match CoreFile::open(&job.path) {
            Ok(core) => core,
            Err(error) => {
                return failed_at(Code::of_open_error(&error), &error.to_string(), None);
            }
        };
        let head = read_at(&core.file, 0, HEAD).unwrap_or_default();
        if may_be_archive(&job.path, &head) {
            let mut worker = match idle.take() {
                Some(worker) => worker,
                None => WorkerProcess::start(&self.command)?,
            };
            match worker.unpack(&job.path, &core.file, self.patience) {
                Ok(found) => {
                    *idle = Some(worker);
                    match found {
                        Ok(archive) => return self.cores(idle, job, archive),
                        Err(NoArchive::Unusable(why)) => {
                            let why = format!("{}: {why}", job.path.display());
                            return failed_at(Code::Packing, &why, Some(&core.file));
                        }
                        Err(NoArchive::Other) => {}
                    }
                }
                Err((code, why)) => {
                    // A large archive that was found need not have a core.
                    let code = if job.named { code } else { Code::Packing };
                    let why = format!("{}: {why}", job.path.display());
                    return failed_at(code, &why, Some(&core.file));
                }
            }
        }
        // Attributes of the core, which lack the unit, and what the journal has.
        core.beside.extend_from_slice(self.journal.facts(&job.path));
        Ok(FileAnswers::only(self.answer(idle, &core)?))
    }

    /// An answer for each core of an archive.
    fn cores<A: Answer>(
        &self,
        idle: &mut Option<WorkerProcess>,
        job: &Job,
        archive: Archive,
    ) -> io::Result<FileAnswers<A>> {
        let Archive { kind, cores, notes, ended, is_partial, .. } = archive;
        let at = job.path.display();
        let notes = notes.iter().map(|note| format!("{at}: {note}")).collect();
        if cores.is_empty() {
            let (code, why) = match ended {
                Some(why) => (Code::Packing, format!("{at}: {why}")),
                None => (Code::NotACore, format!("{at} is {kind} without a core")),
            };
            let file = CoreFile::open(&job.path).ok().map(|core| core.file);
            let answer = A::failed(&job.path, file.as_ref(), &self.build, code, &why)?;
            return Ok(FileAnswers { answers: vec![answer], notes, is_partial });
        }
        let answers = cores.iter().map(|core| self.answer(idle, core));
        let answers = answers.collect::<io::Result<Vec<_>>>()?;
        Ok(FileAnswers { answers, notes, is_partial })
    }

    fn answer<A: Answer>(
        &self,
        idle: &mut Option<WorkerProcess>,
        core: &CoreFile,
    ) -> io::Result<A> {
        let (mut code, mut why) = (Code::Crashed, FILES_CHANGE.to_owned());
        for copies in [false, true] {
            let mut worker = match idle.take() {
                Some(worker) => worker,
                None => WorkerProcess::start(&self.command)?,
            };
            match worker.ask(core, copies, &self.broker, self.patience) {
                Outcome::Answered(answer, stays) => {
                    if stays && !copies {
                        *idle = Some(worker);
                    } else {
                        worker.dismiss();
                    }
                    return Ok(*answer);
                }
                Outcome::FileCut => {}
                Outcome::Lost(lost, reason) => {
                    (code, why) = (lost, reason);
                    break;
                }
            }
        }
        let why = format!("{}: {why}", core.path.display());
        A::failed(&core.path, Some(&core.file), &self.build, code, &why)
    }
}
