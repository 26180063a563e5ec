//! Worker processes, each with a thread of ours that talks to it.

use std::cell::Cell;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::analyze::failed;
use super::code::Code;
use super::journal::Journal;
use super::worker_process::{Answer, WorkerCommand, WorkerProcess};
use crate::report::BuildOptions;
use crate::sandbox::Broker;
use obit_corefile::dump::CoreFile;
use obit_triage::PackedRecord;
use obit_triage::store::FileStamp;

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

/// A core that was read, or not.
#[derive(Debug)]
pub struct Done {
    /// What was to be done.
    pub job: Job,
    /// What there is to say; an error if no worker could be started to say it.
    pub record: io::Result<PackedRecord>,
}

/// The workers.
#[derive(Debug)]
pub struct WorkerPool {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
    under_way: Cell<usize>,
}

impl WorkerPool {
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
    pub fn take(&self, patience: Duration) -> Option<Done> {
        match self.done.recv_timeout(patience) {
            Ok(done) => {
                self.under_way.set(self.under_way.get().saturating_sub(1));
                Some(done)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if self.under_way() > 0 {
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
    fn work(&self, waiting: &Mutex<Receiver<Job>>, finished: &Sender<Done>) {
        let mut worker = None;
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { break };
            let record = self.record(&mut worker, &job);
            if finished.send(Done { job, record }).is_err() {
                break;
            }
        }
        if let Some(worker) = worker {
            worker.dismiss();
        }
    }

    fn record(&self, idle: &mut Option<WorkerProcess>, job: &Job) -> io::Result<PackedRecord> {
        let mut core = match CoreFile::open(&job.path) {
            Ok(core) => core,
            Err(error) => {
                let code = Code::of_open_error(&error);
                let why = error.to_string();
                return PackedRecord::of(&failed(&job.path, None, &self.build, code, &why));
            }
        };
        // Attributes of the core, which lack the unit, and what the journal has.
        core.beside.extend_from_slice(self.journal.facts(&job.path));
        let (mut code, mut why) = (Code::Crashed, FILES_CHANGE.to_owned());
        for copies in [false, true] {
            let mut worker = match idle.take() {
                Some(worker) => worker,
                None => WorkerProcess::start(&self.command)?,
            };
            match worker.ask(&core, copies, &self.broker, self.patience) {
                Answer::Record(record, stays) => {
                    if stays && !copies {
                        *idle = Some(worker);
                    } else {
                        worker.dismiss();
                    }
                    return Ok(*record);
                }
                Answer::FileCut => {}
                Answer::Lost(lost, reason) => {
                    (code, why) = (lost, reason);
                    break;
                }
            }
        }
        let why = format!("{}: {why}", job.path.display());
        PackedRecord::of(&failed(&job.path, Some(&core.file), &self.build, code, &why))
    }
}
