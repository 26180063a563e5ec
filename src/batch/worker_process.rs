//! One worker process: started, asked, ended when its time is up.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::code::Code;
use super::image_code::{CodeAnswer, CodeQuestion};
use super::worker::{BUG, GOES, STAYS};
use crate::sandbox::{Archive, Broker, NoArchive, Owner};
use obit_corefile::dump::{Companions, CoreFile};
use obit_corefile::limits::Limits;
use obit_sandbox::{Channel, Ended};

/// Bytes of the end of a dead worker's standard error that are looked at.
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
    /// In a process group of its own, so that Ctrl-C does not end it.
    pub is_apart: bool,
}

/// A worker that waits.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    child: Child,
    channel: Channel,
    /// A file without a name for its standard error.
    errors: Option<File>,
}

/// What came of one core.
pub(super) enum Outcome<A> {
    /// The answer; and whether the worker goes on.
    Answered(Box<A>, bool),
    /// Why there is none. The worker is gone.
    Lost(Code, String),
    /// A file was cut short while it was mapped. The worker is gone; one that copies files reads
    /// the core.
    FileCut,
}

/// Why a worker that is asked one question after the other said nothing. It is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// It took too long.
    TimedOut,
    /// A file was cut short while it was mapped; one that copies files may answer.
    FileCut,
    /// It ended, for this reason.
    Lost(String),
}

impl WorkerProcess {
    /// Starts one.
    pub(crate) fn start(command: &WorkerCommand) -> io::Result<Self> {
        let errors = rustix::fs::memfd_create("obit-worker", rustix::fs::MemfdFlags::CLOEXEC);
        let errors = errors.ok().map(File::from);
        let stderr = errors.as_ref().and_then(|errors| errors.try_clone().ok());
        let (channel, theirs) = Channel::pair()?;
        let mut started = Command::new(&command.program);
        if command.is_apart {
            started.process_group(0);
        }
        let child = started
            .arg0("obit")
            .args(&command.arguments)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(stderr.map_or_else(Stdio::null, Stdio::from))
            .spawn()?;
        Ok(Self { child, channel, errors })
    }

    /// Has it read `core`, in no more time than `patience`, with files that `broker` hands over.
    /// One that `copies` reads files into memory instead of mapping them.
    pub(super) fn ask<A: Answer>(
        &mut self,
        core: &CoreFile,
        copies: bool,
        broker: &Broker,
        patience: Duration,
    ) -> Outcome<A> {
        // A worker that ended meanwhile is noticed by the answer that does not come.
        let sent = Broker::hand_over(&self.channel, core, copies);
        let files = (Owner::of_core(core), &*core.companions);
        let attend = || broker.attend(&self.channel, files, Some(patience), &()).result;
        match sent.and_then(|()| attend()).as_deref() {
            Ok([state @ (STAYS | GOES), answer @ ..]) => match A::of_message(answer) {
                Ok(answer) => Outcome::Answered(Box::new(answer), *state == STAYS),
                Err(error) => {
                    self.end();
                    Outcome::Lost(
                        Code::Bug,
                        format!("the answer of the worker is invalid: {error}"),
                    )
                }
            },
            Ok([BUG, ..]) => {
                self.end();
                let words = self.last_line().unwrap_or_default();
                Outcome::Lost(Code::Bug, words)
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.end();
                let seconds = patience.as_secs_f64();
                Outcome::Lost(
                    Code::Timeout,
                    format!("not read within {seconds} s; --timeout SECS gives it more"),
                )
            }
            _ => {
                let status = self.end();
                self.why_gone(status)
            }
        }
    }

    /// Has it unpack the archive `file`, which is called `path`, in no more time than `patience`.
    /// Without an answer, the worker is gone, and the error says why.
    pub(crate) fn unpack(
        &mut self,
        path: &Path,
        file: &File,
        patience: Duration,
    ) -> Result<Result<Archive, NoArchive>, (Code, String)> {
        // It ends by itself before that, with what it has.
        let until = Instant::now().checked_add(patience);
        let limits = Limits::default();
        let sent = Archive::hand_over(&self.channel, file, patience.mul_f32(0.9));
        let received =
            sent.and_then(|()| Archive::receive(&self.channel, path, file, until, &limits));
        let error = match received {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        if error.kind() == io::ErrorKind::TimedOut {
            self.end();
            let seconds = patience.as_secs_f64();
            let why = format!("not unpacked within {seconds} s; --timeout SECS gives it more");
            return Err((Code::Timeout, why));
        }
        let status = self.end();
        match self.why_gone::<()>(status) {
            Outcome::Lost(code, why) => Err((code, why)),
            _ => Err((Code::Crashed, error.to_string())),
        }
    }

    /// What it says of the code of a program's file. Without an answer the worker is gone.
    pub(super) fn ask_for_code(
        &mut self,
        question: &CodeQuestion,
        broker: &Broker,
        patience: Duration,
    ) -> io::Result<CodeAnswer> {
        let sent = Broker::ask_for_code(&self.channel, &serde_json::to_vec(question)?);
        let none = Companions::default();
        let files = (Owner::unprivileged(), &none);
        let attend = || broker.attend(&self.channel, files, Some(patience), &()).result;
        let answer = sent.and_then(|()| attend());
        let answer = answer.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        if answer.is_err() {
            self.end();
        }
        answer
    }

    /// What it says to what `send` sends, in no more time than `patience`. Without an answer the
    /// worker is gone.
    pub(crate) fn answer_to(
        &mut self,
        send: impl FnOnce(&Channel) -> io::Result<()>,
        core: &CoreFile,
        broker: &Broker,
        patience: Duration,
    ) -> Result<Vec<u8>, NoAnswer> {
        let files = (Owner::of_core(core), &*core.companions);
        let sent = send(&self.channel);
        let attend = || broker.attend(&self.channel, files, Some(patience), &()).result;
        let error = match sent.and_then(|()| attend()) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let status = self.end();
        if error.kind() == io::ErrorKind::TimedOut {
            return Err(NoAnswer::TimedOut);
        }
        match self.why_gone::<()>(status) {
            Outcome::FileCut => Err(NoAnswer::FileCut),
            Outcome::Lost(_, why) => Err(NoAnswer::Lost(why)),
            Outcome::Answered(..) => Err(NoAnswer::Lost(error.to_string())),
        }
    }

    /// What ends it from another thread.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Why a worker is gone.
    fn why_gone<A>(&mut self, status: Option<ExitStatus>) -> Outcome<A> {
        let words = self.last_line().unwrap_or_default();
        if words.contains("memory allocation of") {
            let why = "it takes more memory than --max-memory allows".to_owned();
            return Outcome::Lost(Code::Memory, why);
        }
        let ended = status.map(|status| Ended::by(status.code(), status.signal()));
        let how = match ended.unwrap_or(Ended::Unknown) {
            Ended::FileCut => return Outcome::FileCut,
            // Nothing here sends that before the time is up.
            ended @ Ended::Killed(9) => {
                return Outcome::Lost(Code::Memory, format!("the worker {ended}"));
            }
            ended => ended.to_string(),
        };
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        Outcome::Lost(Code::Crashed, format!("the worker that read it {how}{words}"))
    }

    /// The last line that the worker wrote, but for advice on how to find bugs.
    fn last_line(&mut self) -> Option<String> {
        let file = self.errors.as_mut()?;
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
        // One that ended by itself keeps its own status.
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
    pub(crate) fn dismiss(self) {
        let Self { mut child, channel, .. } = self;
        drop(channel);
        let _ = child.wait();
    }
}
