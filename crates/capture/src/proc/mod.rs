//! What the kernel says about a process in `/proc` (Linux `Documentation/filesystems/proc.rst`).
//!
//! Names of files and of threads are bytes that the process chose, so nothing here needs UTF-8.

mod mapping;
mod stat;
mod status;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

pub(crate) use mapping::{Mapping, mappings};
pub(crate) use stat::Stat;
pub(crate) use status::Status;

use crate::Tid;

/// What most files of a process fit in. They have no length beforehand, and a process is
/// stopped while they are read.
const USUAL_LENGTH: usize = 4096;

/// The path of a file of a process.
pub(crate) fn path(process: Tid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{process}/{name}"))
}

/// The content of a file of a process.
pub(crate) fn read(process: Tid, name: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(USUAL_LENGTH);
    File::open(path(process, name))?.read_to_end(&mut content)?;
    Ok(content)
}

/// The content of a file of one thread.
pub(crate) fn read_of_thread(process: Tid, thread: Tid, name: &str) -> io::Result<Vec<u8>> {
    read(process, &format!("task/{thread}/{name}"))
}

/// The threads of a process, in the kernel's order.
pub(crate) fn threads(process: Tid) -> io::Result<Vec<Tid>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(path(process, "task"))? {
        if let Some(thread) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            threads.push(thread);
        }
    }
    Ok(threads)
}

/// A file of `/proc` that does not look as it should.
pub(crate) fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// A number in decimal digits.
fn decimal<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// A number in hexadecimal digits.
fn hexadecimal(word: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()
}

/// The words of a line.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}
