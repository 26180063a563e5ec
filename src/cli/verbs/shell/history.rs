//! The commands of before: a file for the user alone.
//!
//! A command may quote what a dump holds. So a line is kept only if the redactor leaves it as it
//! is, and none at `--redact off`, where the user sees everything.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use crate::cli::directories;
use crate::cli::message::discreet;
use crate::cli::private_file::{Draft, create_directory};

/// Lines that are kept.
const MOST: usize = 1000;
/// Bytes of the file that are read.
const LONGEST: u64 = 1 << 20;

/// Where they are kept; nowhere if the user wants none.
#[derive(Clone, Debug)]
pub(super) struct History {
    path: Option<PathBuf>,
}

impl History {
    pub(super) fn new(is_wanted: bool) -> Self {
        let directory = if is_wanted { directories::state() } else { None };
        Self { path: directory.map(|directory| directory.join("obit/shell-history")) }
    }

    /// The lines, the oldest first. A file that cannot be read has none.
    pub(super) fn lines(&self) -> Vec<String> {
        let file = self.path.as_ref().and_then(|path| File::open(path).ok());
        let mut text = Vec::new();
        let read = file.map(|file| file.take(LONGEST).read_to_end(&mut text));
        match read {
            Some(Ok(_)) => {
                let text = String::from_utf8_lossy(&text);
                let lines = text.lines().filter(|line| !line.chars().any(char::is_control));
                lines.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a line may be kept. One that begins with a space is not, as shells have it.
    pub(super) fn keeps(line: &str) -> bool {
        let is_plain = !line.trim().is_empty() && !line.starts_with(' ');
        is_plain && !line.chars().any(char::is_control) && discreet(line) == line
    }

    /// Keeps the newest of `lines`, with those that other shells kept since `begun` lines were
    /// read.
    pub(super) fn write(&self, added: &[String]) -> io::Result<()> {
        let (Some(path), false) = (&self.path, added.is_empty()) else { return Ok(()) };
        if let Some(directory) = path.parent() {
            create_directory(directory)?;
        }
        let mut lines = self.lines();
        lines.extend(added.iter().cloned());
        lines.dedup();
        let surplus = lines.len().saturating_sub(MOST);
        let mut file = Draft::of(path)?;
        for line in lines.iter().skip(surplus) {
            writeln!(file, "{line}")?;
        }
        file.publish()
    }
}
