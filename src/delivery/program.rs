//! A program of the user that gets something on its standard input.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};

/// Bytes of what a program writes that are shown.
const SHOWN: usize = 16 << 10;
/// Between two looks whether it has ended: at first, and at most.
const TICKS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// How long its last words are waited for when it has ended: what it started may hold its output.
const FAREWELL: Duration = Duration::from_millis(500);

/// A program, and how long it may run.
#[derive(Clone, Debug)]
pub struct ProgramSettings {
    /// It is run as it is, without a shell.
    pub program: PathBuf,
    /// It is killed then, with what it started.
    pub timeout: Duration,
}

/// Why a program did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be run.
    #[error("{} cannot be run: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Its time was up.
    #[error("{} did not end within {} s and was killed", program.display(), timeout.as_secs_f64())]
    Timeout {
        /// The program.
        program: PathBuf,
        /// How long it could run.
        timeout: Duration,
    },
    /// Who started it ends.
    #[error("{} did not end before the watch and was killed", program.display())]
    Closing {
        /// The program.
        program: PathBuf,
    },
    /// It ended in another way than with status 0.
    #[error("{} {how}", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        how: String,
    },
}

impl ProgramSettings {
    /// Runs it with `arguments` and `input`, and hands the lines that it wrote to `say`. It is
    /// killed when `closing` is set, as when its time is up.
    ///
    /// # Errors
    /// When it cannot be run, takes too long, or ends with another status than 0.
    pub fn run(
        &self,
        arguments: &[&str],
        input: &[u8],
        closing: &AtomicBool,
        say: fn(&str),
    ) -> Result<(), ProgramError> {
        let (ending, words) = self
            .run_to_end(arguments, input, closing)
            .map_err(|source| ProgramError::Start { program: self.program.clone(), source })?;
        for line in String::from_utf8_lossy(&words).lines() {
            say(line);
        }
        let program = self.program.clone();
        match ending {
            Ending::TimeIsUp => Err(ProgramError::Timeout { program, timeout: self.timeout }),
            Ending::Closing => Err(ProgramError::Closing { program }),
            Ending::Exited(status) if status.success() => Ok(()),
            Ending::Exited(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("ended with status {code}"),
                    (None, Some(signal)) => format!("was ended by signal {signal}"),
                    (None, None) => "ended in an unknown way".to_owned(),
                };
                Err(ProgramError::Failed { program, how })
            }
        }
    }

    /// How it ended, and what it wrote.
    fn run_to_end(
        &self,
        arguments: &[&str],
        input: &[u8],
        closing: &AtomicBool,
    ) -> io::Result<(Ending, Vec<u8>)> {
        let (output, writer) = io::pipe()?;
        ioctl_fionbio(&output, true)?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            // So that what it starts can be ended with it.
            .process_group(0);
        let mut child = command.spawn()?;
        // It has the ends for writing: its output ends with it and what it started.
        drop(command);
        let mut pipes =
            Pipes { stdin: child.stdin.take(), input, output: Some(output), words: Vec::new() };
        if pipes.stdin.as_ref().is_some_and(|stdin| ioctl_fionbio(stdin, true).is_err()) {
            // Writing could wait for ever; the program finds an empty input.
            pipes.stdin = None;
        }
        let end = Instant::now().checked_add(self.timeout);
        let (mut tick, longest) = TICKS;
        let ending = loop {
            if let Ok(Some(status)) = child.try_wait() {
                break Ending::Exited(status);
            }
            let is_time_up = end.is_some_and(|end| Instant::now() >= end);
            if is_time_up || closing.load(Ordering::SeqCst) {
                kill(&mut child);
                break if is_time_up { Ending::TimeIsUp } else { Ending::Closing };
            }
            if pipes.wait(tick) {
                tick = TICKS.0;
            } else {
                tick = (tick * 2).min(longest);
            }
        };
        pipes.stdin = None;
        let farewell = Instant::now() + FAREWELL;
        while !pipes.are_closed() {
            let left = farewell.saturating_duration_since(Instant::now());
            if left.is_zero() || closing.load(Ordering::SeqCst) {
                break;
            }
            pipes.wait(left.min(longest));
        }
        Ok((ending, pipes.words))
    }
}

/// How a program ended.
enum Ending {
    Exited(ExitStatus),
    /// It was killed.
    TimeIsUp,
    /// It was killed, as the watch ends.
    Closing,
}

/// The pipes of a program; none of them makes us wait for it.
struct Pipes<'i> {
    /// `None` when all was written, or is not read.
    stdin: Option<ChildStdin>,
    /// What is to be written.
    input: &'i [u8],
    /// `None` when all was read.
    output: Option<PipeReader>,
    /// What was read, as far as it is shown.
    words: Vec<u8>,
}

impl Pipes<'_> {
    fn are_closed(&self) -> bool {
        self.stdin.is_none() && self.output.is_none()
    }

    /// Waits at most so long until something can be read or written, and does that. Gives whether
    /// something could.
    fn wait(&mut self, longest: Duration) -> bool {
        let stdin = self.stdin.as_ref();
        let stdin = stdin.map(|it| PollFd::from_borrowed_fd(it.as_fd(), PollFlags::OUT));
        let output = self.output.as_ref();
        let output = output.map(|it| PollFd::from_borrowed_fd(it.as_fd(), PollFlags::IN));
        let mut sources: Vec<PollFd<'_>> = stdin.into_iter().chain(output).collect();
        let timeout = Timespec::try_from(longest).ok();
        if !matches!(poll(&mut sources, timeout.as_ref()), Ok(1..)) {
            return false;
        }
        self.write();
        self.read();
        true
    }

    fn write(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(self.input) {
            Ok(length @ 1..) => self.input = self.input.get(length..).unwrap_or_default(),
            Err(error) if is_later(&error) => {}
            // A program need not read its input.
            Ok(_) | Err(_) => self.input = &[],
        }
        if self.input.is_empty() {
            self.stdin = None;
        }
    }

    /// What is not shown is read, too, so that the program does not wait.
    fn read(&mut self) {
        let Some(output) = &mut self.output else { return };
        let mut some = [0; 4096];
        match output.read(&mut some) {
            Ok(length @ 1..) => {
                let room = SHOWN.saturating_sub(self.words.len()).min(length);
                self.words.extend_from_slice(some.get(..room).unwrap_or_default());
            }
            Err(error) if is_later(&error) => {}
            Ok(_) | Err(_) => self.output = None,
        }
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Ends a program with what it started.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by now.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    static OPEN: AtomicBool = AtomicBool::new(false);

    /// A shell: a file that this process wrote could not be started while a child of another test
    /// still has it open for writing (`ETXTBSY`).
    fn shell() -> ProgramSettings {
        ProgramSettings { program: PathBuf::from("/bin/sh"), timeout: Duration::from_secs(20) }
    }

    #[test]
    fn a_program_gets_its_input_and_its_status_counts() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let copy = format!("cat > {}", out.display());
        let long = vec![b'x'; 1 << 20];
        shell().run(&["-c", &copy], &long, &OPEN, |_| {}).unwrap();
        assert_eq!(fs::read(&out).unwrap(), long);
        let failing = ["-c", "echo why >&2; exit 3"];
        let said = shell()
            .run(&failing, b"", &OPEN, |line| assert_eq!(line, "why"))
            .unwrap_err()
            .to_string();
        assert!(said.ends_with("ended with status 3"), "{said}");
        // One that does not read its input does not hang us.
        shell().run(&["-c", "exit 0"], &long, &OPEN, |_| {}).unwrap();
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed_with_what_it_started() {
        let slow = ProgramSettings { timeout: Duration::from_millis(300), ..shell() };
        let begun = Instant::now();
        let said =
            slow.run(&["-c", "sleep 1000 & wait"], b"", &OPEN, |_| {}).unwrap_err().to_string();
        assert!(said.contains("did not end within 0.3 s"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_command_line_is_not_run_by_a_shell() {
        let line = ProgramSettings { program: PathBuf::from("true; true"), ..shell() };
        let said = line.run(&[], b"", &OPEN, |_| {}).unwrap_err().to_string();
        assert!(said.starts_with("true; true cannot be run"), "{said}");
    }

    #[test]
    fn what_a_program_wrote_is_shown_though_something_it_started_goes_on() {
        use std::sync::Mutex;
        static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let begun = Instant::now();
        let background = ["-c", "sleep 15 & echo notified"];
        shell()
            .run(&background, b"", &OPEN, |line| SAID.lock().unwrap().push(line.to_owned()))
            .unwrap();
        assert_eq!(*SAID.lock().unwrap(), ["notified"]);
        assert!(begun.elapsed() < Duration::from_secs(12));
        // What is not shown is read nevertheless.
        shell().run(&["-c", "head -c 1000000 /dev/zero"], b"", &OPEN, |_| {}).unwrap();
    }

    #[test]
    fn a_program_is_killed_with_what_it_started_when_the_watch_ends() {
        let directory = tempfile::tempdir().unwrap();
        let group = directory.path().join("group");
        let script = format!("sleep 1000 & echo $$ > {}; wait", group.display());
        let closing = AtomicBool::new(false);
        let said = std::thread::scope(|scope| {
            let running = scope.spawn(|| shell().run(&["-c", &script], b"", &closing, |_| {}));
            while !fs::read_to_string(&group).is_ok_and(|text| text.ends_with('\n')) {
                assert!(!running.is_finished());
                std::thread::sleep(Duration::from_millis(5));
            }
            closing.store(true, Ordering::SeqCst);
            running.join().unwrap().unwrap_err().to_string()
        });
        assert!(said.ends_with("did not end before the watch and was killed"), "{said}");
    }
}
