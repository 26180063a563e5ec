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
use super::worker_process::{Answer, WorkerCommand, WorkerProcess};
use crate::report::BuildOptions;
use obit_triage::PackedRecord;
use obit_triage::store::FileStamp;

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
    ) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let (finished, done) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let threads = (0..size.get()).map(|_| {
            let (waiting, finished) = (Arc::clone(&waiting), finished.clone());
            let thread = PoolThread { command: command.clone(), patience, build: build.clone() };
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
        let mut worker = match idle.take() {
            Some(worker) => worker,
            None => WorkerProcess::start(&self.command)?,
        };
        match worker.ask(&job.path, self.patience) {
            Answer::Record(record, true) => {
                *idle = Some(worker);
                Ok(*record)
            }
            Answer::Record(record, false) => {
                worker.dismiss();
                Ok(*record)
            }
            Answer::Lost(code, why) => {
                let why = format!("{}: {why}", job.path.display());
                PackedRecord::of(&failed(&job.path, &self.build, code, &why))
            }
        }
    }
}
