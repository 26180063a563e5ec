//! Programs that tests look at while they run.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::Tid;
use crate::proc::Status;

/// A C program that runs and has printed one line of numbers, its addresses.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) numbers: Vec<u64>,
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
}

impl Program {
    /// One with this content, built with these options more.
    pub(crate) fn start(body: &str, flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("program.c");
        let text = format!(
            "#define _GNU_SOURCE\n#include <pthread.h>\n#include <signal.h>\n#include <stdio.h>\n\
             #include <stdlib.h>\n#include <string.h>\n#include <sys/mman.h>\n\
             #include <unistd.h>\nint prctl(int, ...);\n\
             static void ready(void *a, void *b) {{\n\
             printf(\"%lu %lu\\n\", (unsigned long)a, (unsigned long)b); fflush(stdout); }}\n{body}"
        );
        std::fs::write(&source, text).unwrap();
        let path = directory.path().join("program");
        let built = Command::new("cc")
            .args(["-g", "-pthread", "-w", "-o"])
            .arg(&path)
            .arg(&source)
            .args(flags)
            .status()
            .unwrap();
        assert!(built.success());
        Self::run(&path.clone(), directory, path)
    }

    fn run(program: &Path, directory: TempDir, path: PathBuf) -> Self {
        let mut child = Command::new(program).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = Vec::new();
        let mut byte = [0];
        let out = child.stdout.as_mut().unwrap();
        while line.last() != Some(&b'\n') && out.read(&mut byte).unwrap() == 1 {
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).unwrap();
        let numbers = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        Self { child, numbers, directory, path }
    }

    pub(crate) fn process(&self) -> Tid {
        i32::try_from(self.child.id()).unwrap()
    }

    /// The next byte it prints.
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        let out = self.child.stdout.as_mut().unwrap();
        (out.read(&mut byte).unwrap() == 1).then_some(byte[0])
    }

    /// State as in ps(1), and the process that traces it.
    pub(crate) fn state(&self) -> (char, Tid) {
        let status = Status::of(self.process()).unwrap();
        (char::from(status.state), status.tracer)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
