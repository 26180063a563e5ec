//! Worker processes, each with a thread of ours that talks to it and ends it when its time
//! is up.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::worker::{BUG, GOES, STAYS};
use super::{Code, facts_of, failed, wire};
use crate::report::BuildOptions;
use obit_triage::Incoming;
use obit_triage::store::FileStamp;

/// Bytes of what a dead worker said last that are looked at.
const LAST_WORDS: u64 = 2000;
/// How long a worker that was killed may take to be gone.
const FAREWELL: Duration = Duration::from_secs(5);

/// How a worker is started.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program: this one.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

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
    pub record: io::Result<Incoming>,
}

/// The workers.
#[derive(Debug)]
pub struct Crew {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
    under_way: Cell<usize>,
}

impl Crew {
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
            let mut seat = Seat { command: command.clone(), patience, build: build.clone() };
            std::thread::spawn(move || seat.work(&waiting, &finished))
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

impl Drop for Crew {
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

/// The place of one worker, and of the next when that is gone.
struct Seat {
    command: WorkerCommand,
    patience: Duration,
    build: BuildOptions,
}

/// A worker that waits.
struct Worker {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    /// A file without a name for what it says of itself.
    words: Option<File>,
}

/// What came of one core.
enum Answer {
    /// The record; and whether the worker goes on.
    Record(Box<Incoming>, bool),
    /// Why there is none. The worker is gone.
    Lost(Code, String),
}

impl Seat {
    fn work(&mut self, waiting: &Mutex<Receiver<Job>>, finished: &Sender<Done>) {
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

    fn record(&self, seat: &mut Option<Worker>, job: &Job) -> io::Result<Incoming> {
        let mut worker = match seat.take() {
            Some(worker) => worker,
            None => Worker::start(&self.command)?,
        };
        match worker.ask(job, self.patience) {
            Answer::Record(record, true) => {
                *seat = Some(worker);
                Ok(*record)
            }
            Answer::Record(record, false) => {
                worker.dismiss();
                Ok(*record)
            }
            Answer::Lost(code, why) => {
                let why = format!("{}: {why}", job.path.display());
                Incoming::of(failed(&job.path, &facts_of(&job.path), &self.build, code, &why))
            }
        }
    }
}

impl Worker {
    fn start(command: &WorkerCommand) -> io::Result<Self> {
        let words = rustix::fs::memfd_create("obit-worker", rustix::fs::MemfdFlags::CLOEXEC);
        let words = words.ok().map(File::from);
        let stderr = words.as_ref().and_then(|words| words.try_clone().ok());
        let mut child = Command::new(&command.program)
            .arg0("obit")
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.map_or_else(Stdio::null, Stdio::from))
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(to), Some(from)) => Ok(Self { child, to, from, words }),
            _ => Err(io::Error::other("a worker has no pipes")),
        }
    }

    fn ask(&mut self, job: &Job, patience: Duration) -> Answer {
        let end = Instant::now() + patience;
        // A worker that ended meanwhile is told by the answer that does not come.
        let sent = wire::send(&mut self.to, &[job.path.as_os_str().as_bytes()]);
        let mut timed = Timed { pipe: &mut self.from, end };
        let answer = sent.and_then(|()| wire::receive(&mut timed));
        match answer.as_ref().map(|message| message.as_deref()) {
            Ok(Some([state @ (STAYS | GOES), record @ ..])) => match Incoming::of_message(record) {
                Ok(record) => Answer::Record(Box::new(record), *state == STAYS),
                Err(error) => {
                    self.end();
                    Answer::Lost(Code::Bug, format!("what the worker said makes no sense: {error}"))
                }
            },
            Ok(Some([BUG, ..])) => {
                self.end();
                let words = self.last_words().unwrap_or_default();
                Answer::Lost(Code::Bug, words)
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.end();
                let seconds = patience.as_secs_f64();
                Answer::Lost(
                    Code::Timeout,
                    format!("not read within {seconds} s; --timeout SECS gives it more"),
                )
            }
            _ => {
                let status = self.end();
                self.obituary(status)
            }
        }
    }

    /// Why a worker is gone.
    fn obituary(&mut self, status: Option<ExitStatus>) -> Answer {
        let words = self.last_words().unwrap_or_default();
        if words.contains("memory allocation of") {
            let why = "it takes more memory than --max-memory allows".to_owned();
            return Answer::Lost(Code::Memory, why);
        }
        let how = match status.map(|status| (status.signal(), status.code())) {
            // Nobody here sends that before the time is up.
            Some((Some(9), _)) => {
                let why = "the worker was killed: the system may be out of memory".to_owned();
                return Answer::Lost(Code::Memory, why);
            }
            Some((Some(signal), _)) => format!("died of signal {signal}"),
            Some((_, Some(code))) => format!("ended with {code}"),
            _ => "is gone".to_owned(),
        };
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        Answer::Lost(Code::Crashed, format!("the worker that read it {how}{words}"))
    }

    /// The last line that the worker wrote, but for advice on how to find bugs.
    fn last_words(&mut self) -> Option<String> {
        let file = self.words.as_mut()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS))).ok()?;
        let mut words = Vec::new();
        file.take(LAST_WORDS).read_to_end(&mut words).ok()?;
        let words = String::from_utf8_lossy(&words);
        let said = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        let line = words.lines().rfind(said)?;
        Some(line.trim_start_matches("obit: ").to_owned())
    }

    /// Kills it. One that hangs in the kernel is left to itself.
    fn end(&mut self) -> Option<ExitStatus> {
        // One that died by itself keeps its own status.
        if let Ok(Some(status)) = self.child.try_wait() {
            return Some(status);
        }
        // It closed its end of the pipe, or is about to be gone.
        let soon = Instant::now() + Duration::from_millis(20);
        let end = Instant::now() + FAREWELL;
        let mut is_killed = false;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                _ if Instant::now() > end => return None,
                _ => {}
            }
            if !is_killed && Instant::now() > soon {
                let _ = self.child.kill();
                is_killed = true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets it end in good order.
    fn dismiss(self) {
        let Self { mut child, to, from, .. } = self;
        drop((to, from));
        let _ = child.wait();
    }
}

/// A pipe that is read until a point in time.
struct Timed<'p> {
    pipe: &'p mut ChildStdout,
    end: Instant,
}

impl Read for Timed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            let left = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            let mut ready = [PollFd::new(&*self.pipe, PollFlags::IN)];
            match rustix::event::poll(&mut ready, Some(&left)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return self.pipe.read(buf),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
