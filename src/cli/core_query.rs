//! Questions that `obit serve` asks of cores: each by a process of its own, which is ended with
//! all that it started when it takes too long or no one waits for it.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use obit::redact::Level;
use obit::serve::{AskCores, CoreQuestion, NotAsked};

use super::exit::Exit;

/// How long a question may take, and between two looks whether someone waits.
const PATIENCE: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(50);
/// Bytes of an answer, and of the messages beside it.
const LONGEST: u64 = 16 << 20;
const LONGEST_MESSAGE: u64 = 16 << 10;

/// The cores below a directory.
pub(crate) struct CoresBelow {
    program: PathBuf,
    directory: PathBuf,
}

impl CoresBelow {
    /// Fails where the path is no directory.
    pub(crate) fn at(directory: PathBuf) -> io::Result<Self> {
        if !directory.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        let directory = std::path::absolute(directory)?;
        Ok(Self { program: std::env::current_exe()?, directory })
    }

    fn command(&self, question: &CoreQuestion, level: Level) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["query", "--format", "json", "--color", "never"]);
        command.args(["--redact", level.word(), "--timeout", "20"]);
        command.args(["--limit", &question.rows.to_string()]);
        if question.crashed {
            command.arg("--crashed");
        }
        if !question.condition.is_empty() {
            command.arg(format!("--where={}", question.condition));
        }
        command.arg("--").arg(&question.query).arg(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl AskCores for CoresBelow {
    fn ask(
        &self,
        question: &CoreQuestion,
        level: Level,
        stop: &AtomicBool,
    ) -> Result<Vec<u8>, NotAsked> {
        let failed = |error: io::Error| NotAsked::Failed(format!("obit query: {error}"));
        let mut child = Running(self.command(question, level).spawn().map_err(failed)?);
        let answer = child.0.stdout.take().map(|pipe| read(pipe, LONGEST));
        let message = child.0.stderr.take().map(|pipe| read(pipe, LONGEST_MESSAGE));
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.0.try_wait().map_err(failed)? {
                break status;
            }
            if stop.load(Ordering::SeqCst) {
                return Err(NotAsked::Stopped);
            }
            if Instant::now() >= end {
                return Err(NotAsked::Late);
            }
            thread::sleep(TICK);
        };
        let read = |thread: Option<thread::JoinHandle<Vec<u8>>>| {
            thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
        };
        let (answer, message) = (read(answer), read(message));
        let message = String::from_utf8_lossy(&message).trim().to_owned();
        let message = message.strip_prefix("obit: ").unwrap_or(&message).to_owned();
        let is = |exit: Exit| status.code() == Some(i32::from(exit.code()));
        match () {
            () if answer.len() as u64 > LONGEST => {
                Err(NotAsked::Refused("the answer is too long: ask for fewer rows".to_owned()))
            }
            () if (is(Exit::Success) || is(Exit::Incomplete)) && answer.starts_with(b"{") => {
                Ok(answer)
            }
            () if is(Exit::Usage) => Err(NotAsked::Refused(message)),
            () => Err(NotAsked::Failed(format!("obit query ended with {status}: {message}"))),
        }
    }
}

/// A process that is ended when no one waits for it any more; its workers end with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is not there any more.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads what comes, but no more than a byte above `most`; the rest is thrown away, so that the
/// process does not wait.
fn read(mut pipe: impl Read + Send + 'static, most: u64) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.by_ref().take(most + 1).read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        bytes
    })
}
