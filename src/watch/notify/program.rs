//! A program of the user that gets something on its standard input.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Bytes of what a program writes that are shown.
const SHOWN: usize = 16 << 10;
/// Between two looks whether it has ended: at first, and at most.
const TICKS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// How long its last words are waited for when it has ended; what it started may hold its output.
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
pub(super) enum ProgramError {
    #[error("{} cannot be run: {source}", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("{} did not end within {} s and was killed", program.display(), timeout.as_secs_f64())]
    Timeout { program: PathBuf, timeout: Duration },
    #[error("{} {how}", program.display())]
    Failed { program: PathBuf, how: String },
}

impl ProgramSettings {
    /// Runs it with `arguments` and `input`, and hands the lines that it wrote to `say`.
    ///
    /// # Errors
    /// When it cannot be run, takes too long, or ends with another status than 0.
    pub(super) fn run(
        &self,
        arguments: &[&str],
        input: &[u8],
        say: fn(&str),
    ) -> Result<(), ProgramError> {
        let start = |source| ProgramError::Start { program: self.program.clone(), source };
        let (reader, writer) = io::pipe().map_err(start)?;
        let child = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().map_err(start)?)
            .stderr(writer)
            // So that what it starts can be ended with it.
            .process_group(0)
            .spawn();
        let mut child = child.map_err(start)?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // A program need not read its input: the pipe is closed then, or when it is killed.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let (finished, words) = channel();
        thread::spawn(move || finished.send(output(reader)));
        let status = ended(&mut child, self.timeout);
        let words = words.recv_timeout(FAREWELL).unwrap_or_default();
        for line in String::from_utf8_lossy(&words).lines() {
            say(line);
        }
        let program = self.program.clone();
        match status {
            None => Err(ProgramError::Timeout { program, timeout: self.timeout }),
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("ended with status {code}"),
                    (None, Some(signal)) => format!("was ended by signal {signal}"),
                    (None, None) => "ended in an unknown way".to_owned(),
                };
                Err(ProgramError::Failed { program, how })
            }
        }
    }
}

/// What it wrote, as far as it is shown. The rest is read, too, so that it does not wait.
fn output(mut reader: impl Read) -> Vec<u8> {
    let mut words = Vec::new();
    let mut some = [0; 4096];
    while let Ok(length @ 1..) = reader.read(&mut some) {
        let room = SHOWN.saturating_sub(words.len()).min(length);
        words.extend_from_slice(some.get(..room).unwrap_or_default());
    }
    words
}

/// How it ended; `None` if it was killed as its time was up.
fn ended(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let end = Instant::now().checked_add(timeout);
    let (mut tick, longest) = TICKS;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
        thread::sleep(tick);
        tick = (tick * 2).min(longest);
    }
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by now.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn program(directory: &Path, script: &str) -> ProgramSettings {
        let program = directory.join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        ProgramSettings { program, timeout: Duration::from_secs(20) }
    }

    #[test]
    fn a_program_gets_its_input_and_its_status_counts() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let copy = program(directory.path(), &format!("cat > {}", out.display()));
        let long = vec![b'x'; 1 << 20];
        copy.run(&[], &long, |_| {}).unwrap();
        assert_eq!(fs::read(&out).unwrap(), long);
        let failing = program(directory.path(), "echo why >&2; exit 3");
        let said = failing.run(&[], b"", |line| assert_eq!(line, "why")).unwrap_err().to_string();
        assert!(said.ends_with("ended with status 3"), "{said}");
        // One that does not read its input does not hang us.
        program(directory.path(), "exit 0").run(&[], &long, |_| {}).unwrap();
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed_with_what_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let mut slow = program(directory.path(), "sleep 1000 & wait");
        slow.timeout = Duration::from_millis(300);
        let begun = Instant::now();
        let said = slow.run(&[], b"", |_| {}).unwrap_err().to_string();
        assert!(said.contains("did not end within 0.3 s"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_command_line_is_not_run_by_a_shell() {
        let shell = ProgramSettings {
            program: PathBuf::from("true; true"),
            timeout: Duration::from_secs(1),
        };
        let said = shell.run(&[], b"", |_| {}).unwrap_err().to_string();
        assert!(said.starts_with("true; true cannot be run"), "{said}");
    }
}
