//! The worker's side: files are asked for.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obit_corefile::dump::{Companions, CoreFile};
use obit_corefile::elf::BuildId;
use obit_corefile::notice::Notice;
use obit_dwarf::SectionStore;
use obit_dwarf::locate::{Artifact, ChosenBy, Fetched, FileAccess, Purpose};
use obit_process::process::{Observer, Phase};
use obit_sandbox::{Channel, Frame};

use super::wire::{self, ask, say};

/// What a worker is to do next.
#[derive(Debug)]
pub enum Task {
    /// Read this core.
    Core(CoreFile),
    /// Answer a question on the code of a program's file.
    Code(Vec<u8>),
    /// Answer a question on the core that was read last.
    Question(Vec<u8>),
    /// Unpack this archive, in no more time than that.
    Archive(File, Duration),
}

/// What of the machine a worker reaches: what it is handed on request.
#[derive(Debug)]
pub struct Remote {
    /// Held from a question to its answer.
    channel: Mutex<Channel>,
    copies: AtomicBool,
    /// A server failed while this core was read, or before.
    servers_failed: AtomicBool,
}

impl Remote {
    /// By `channel`, whose other end a [`super::Broker`] attends.
    pub fn new(channel: Channel) -> Self {
        Self {
            channel: Mutex::new(channel),
            copies: AtomicBool::new(false),
            servers_failed: AtomicBool::new(false),
        }
    }

    /// The same; files are copied instead of mapped.
    #[must_use]
    pub fn copying(self, copies: bool) -> Self {
        self.copies.store(copies, Ordering::Relaxed);
        self
    }

    /// What to do next; `None` if there is nothing.
    ///
    /// # Errors
    /// If the other side cannot be understood.
    pub fn next_task(&self) -> io::Result<Option<Task>> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut disk, mut beside) = (None, Vec::new());
        let mut companions = Arc::default();
        self.servers_failed.store(false, Ordering::Relaxed);
        loop {
            match channel.receive(None)? {
                None => return Ok(None),
                Some(Frame { kind: say::DISK, file, .. }) => disk = file,
                Some(Frame { kind: say::COPY, .. }) => self.copies.store(true, Ordering::Relaxed),
                Some(Frame { kind: say::BESIDE, payload, .. }) => {
                    beside = wire::beside_of(&payload);
                }
                Some(Frame { kind: say::CORE, payload, file: Some(file) }) => {
                    let path = wire::path_of(&payload)?;
                    let is_stream = false;
                    let core = CoreFile { path, file, disk, is_stream, beside, companions };
                    return Ok(Some(Task::Core(core)));
                }
                Some(Frame { kind: say::COMPANIONS, payload, .. }) => {
                    companions = Arc::new(Companions::named(wire::paths_of(&payload)));
                }
                Some(Frame { kind: say::ARCHIVE, payload, file: Some(file) }) => {
                    let time = payload.try_into().map(u64::from_le_bytes).unwrap_or(0);
                    return Ok(Some(Task::Archive(file, Duration::from_millis(time))));
                }
                Some(Frame { kind: say::CODE, payload, .. }) => {
                    return Ok(Some(Task::Code(payload)));
                }
                Some(Frame { kind: say::QUESTION, payload, .. }) => {
                    return Ok(Some(Task::Question(payload)));
                }
                Some(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Says what is known so far, in case that no result follows.
    pub fn known(&self, what: &[u8]) {
        self.send(ask::KNOWN, what);
    }

    /// Sends a part of the result, ahead of it.
    ///
    /// # Errors
    /// If the other side is gone.
    pub fn portion(&self, bytes: &[u8]) -> io::Result<()> {
        self.announce(ask::PORTION, &[bytes], None)
    }

    /// Sends the result, `parts` one after the other.
    ///
    /// # Errors
    /// If the other side is gone.
    pub fn done(&self, parts: &[&[u8]]) -> io::Result<()> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        channel.send(ask::DONE, parts, None)
    }

    /// Sends a frame that has no answer.
    pub(super) fn announce(
        &self,
        kind: u8,
        parts: &[&[u8]],
        file: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        channel.send(kind, parts, file)
    }

    fn send(&self, kind: u8, what: &[u8]) {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        // If no one listens, the result cannot be sent either, and that is an error.
        let _ = channel.send(kind, &[what], None);
    }

    pub(super) fn question(&self, kind: u8, parts: &[&[u8]]) -> io::Result<Frame> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        channel.send(kind, parts, None)?;
        let answer = channel.receive(None)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        match answer.kind {
            say::ANSWER => Ok(answer),
            say::ERROR_NUMBER => {
                let number = answer.payload.try_into().map(i32::from_le_bytes).unwrap_or(0);
                Err(io::Error::from_raw_os_error(number))
            }
            _ => {
                let words = String::from_utf8_lossy(&answer.payload).into_owned();
                Err(io::Error::new(io::ErrorKind::InvalidInput, words))
            }
        }
    }
}

impl FileAccess for Remote {
    fn open(&self, path: &Path, by: ChosenBy, purpose: Purpose) -> io::Result<File> {
        let purpose = wire::purpose_bytes(by, purpose);
        let answer = self.question(ask::OPEN, &[&purpose, path.as_os_str().as_bytes()])?;
        answer.file.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let answer = self.question(ask::RESOLVE, &[path.as_os_str().as_bytes()])?;
        wire::path_of(&answer.payload)
    }

    fn download(&self, id: &BuildId, artifact: Artifact<'_>) -> Fetched {
        let request = wire::download_bytes(id, artifact);
        let answer = self.question(ask::DOWNLOAD, &[&request]);
        let fetched = answer.ok().and_then(|answer| downloaded(&answer.payload));
        let fetched = fetched.unwrap_or_default();
        self.servers_failed.fetch_or(fetched.is_cut_short, Ordering::Relaxed);
        fetched
    }

    fn servers_failed(&self) -> bool {
        self.servers_failed.load(Ordering::Relaxed)
    }

    fn wants_copies(&self) -> bool {
        self.copies.load(Ordering::Relaxed)
    }
}

/// Answers in parts between NUL bytes: the path or nothing, whether servers failed, then for each
/// notice its kind, its
/// place and its reason.
pub(super) fn download_answer(fetched: &Fetched) -> Vec<u8> {
    let path = fetched.path.as_ref().map(|path| path.as_os_str().as_bytes());
    let is_cut_short = if fetched.is_cut_short { &b"cut"[..] } else { b"" };
    let mut parts = vec![path.unwrap_or_default().to_vec(), is_cut_short.to_vec()];
    for notice in &fetched.notices {
        match notice {
            Notice::DebuginfodFailed { url, error } => {
                parts.extend([b"s".to_vec(), url.clone().into(), error.clone().into()]);
            }
            Notice::FileRefused { path, reason } => {
                let path = path.as_os_str().as_bytes().to_vec();
                parts.extend([b"f".to_vec(), path, reason.clone().into()]);
            }
            // Servers give no others.
            _ => {}
        }
    }
    let clean = |part: &Vec<u8>| part.iter().copied().filter(|byte| *byte != 0).collect();
    parts.iter().map(clean).collect::<Vec<Vec<u8>>>().join(&0)
}

fn downloaded(answer: &[u8]) -> Option<Fetched> {
    let mut parts = answer.split(|byte| *byte == 0);
    let path = parts.next().filter(|path| !path.is_empty());
    let is_cut_short = parts.next().is_some_and(|word| !word.is_empty());
    let mut fetched = Fetched {
        path: path.map(wire::path_of).transpose().ok()?,
        is_cut_short,
        ..Fetched::default()
    };
    let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    while let (Some(kind), Some(place), Some(why)) = (parts.next(), parts.next(), parts.next()) {
        fetched.notices.push(match kind {
            b"s" => Notice::DebuginfodFailed { url: text(place), error: text(why) },
            _ => Notice::FileRefused { path: text(place).into(), reason: text(why) },
        });
    }
    Some(fetched)
}

impl SectionStore for Remote {
    fn get(&self, key: &[u8; 32]) -> Option<File> {
        self.question(ask::SECTION, &[key]).ok()?.file
    }

    fn create(&self, length: u64) -> Option<File> {
        let answer = self.question(ask::CREATE, &[&length.to_le_bytes()]);
        answer.ok().and_then(|answer| answer.file)
    }

    fn keep(&self, key: &[u8; 32], file: &File) {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a cache it is unpacked again.
        let _ = channel.send(ask::KEEP, &[key], Some(file.as_fd()));
    }
}

impl Observer for Remote {
    fn begin(&self, what: Phase) {
        self.send(ask::PHASE, &[wire::phase_byte(what)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_said_is_read_as_it_was_written() {
        let fetched = Fetched {
            path: Some("/cache/x".into()),
            is_cut_short: true,
            notices: vec![
                Notice::DebuginfodFailed { url: "http://a".into(), error: "no".into() },
                Notice::FileRefused { path: "/cache".into(), reason: "full".into() },
            ],
        };
        let read = downloaded(&download_answer(&fetched)).unwrap();
        assert_eq!((read.path, read.notices), (fetched.path, fetched.notices));
        assert!(read.is_cut_short);
        let none = downloaded(&download_answer(&Fetched::default())).unwrap();
        assert_eq!((none.path, none.notices), (None, Vec::new()));
    }
}
