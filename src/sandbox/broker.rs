//! The process outside: it opens what the policy allows, and hands it over.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use obit_corefile::dump::{Companions, CoreFile};
use obit_dwarf::SectionStore;
use obit_dwarf::locate::{ChosenBy, FileAccess, LocalFiles, Purpose};
use obit_process::process::Observer;
use obit_sandbox::{Channel, Frame, as_user};

use super::remote::download_answer;
use super::wire::{self, ask, say};

/// Questions on one core, at most: far more than the modules of any.
const MOST_QUESTIONS: u32 = 4 << 20;

/// `/proc/sys/kernel/overflowuid`.
const OVERFLOW_ID: u32 = 65_534;

/// Whose files a core may lead to, if root reads the core of someone else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

impl Owner {
    /// The owner of a core, if this process is root and the core belongs to someone else.
    pub fn of_core(core: &CoreFile) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        // Of an archive, the files that are made of it are ours.
        let file = core.companions.archive.as_ref().unwrap_or(&core.file);
        let stat = rustix::fs::fstat(file).ok()?;
        (stat.st_uid != 0).then_some(Self { user: stat.st_uid, group: stat.st_gid })
    }

    /// For root, the user who owns nothing: what everybody may read, where names come from cores
    /// whose owners are not known any more.
    pub fn unprivileged() -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        is_root.then_some(Self { user: OVERFLOW_ID, group: OVERFLOW_ID })
    }
}

/// Takes a part of a result that comes ahead of it.
pub type TakePortion<'t> = dyn FnMut(&[u8]) -> io::Result<()> + 't;

/// Answers the questions of a worker.
#[derive(Debug)]
pub struct Broker {
    files: LocalFiles,
    sections: Option<Arc<dyn SectionStore>>,
}

/// What became of one core.
#[derive(Debug)]
pub struct Attended {
    /// The result.
    pub result: io::Result<Vec<u8>>,
    /// What the worker knew before, if it said so.
    pub known: Option<Vec<u8>>,
}

impl Broker {
    /// One that opens files by the policy of `files`, and keeps sections in `sections`.
    pub fn new(files: LocalFiles, sections: Option<Arc<dyn SectionStore>>) -> Self {
        Self { files, sections }
    }

    /// Hands a core to a worker, which is to copy files if `copies`.
    ///
    /// # Errors
    /// If the worker is gone.
    pub fn hand_over(channel: &Channel, core: &CoreFile, copies: bool) -> io::Result<()> {
        if copies {
            channel.send(say::COPY, &[], None)?;
        }
        if let Some(disk) = &core.disk {
            channel.send(say::DISK, &[], Some(disk.as_fd()))?;
        }
        if !core.companions.is_empty() {
            let paths = wire::paths_bytes(core.companions.paths());
            channel.send(say::COMPANIONS, &[&paths], None)?;
        }
        if !core.beside.is_empty() {
            channel.send(say::BESIDE, &[&wire::beside_bytes(&core.beside)], None)?;
        }
        let path = core.path.as_os_str().as_bytes();
        channel.send(say::CORE, &[path], Some(core.file.as_fd()))
    }

    /// Asks a worker about the code of a program's file.
    ///
    /// # Errors
    /// If the worker is gone.
    pub fn ask_for_code(channel: &Channel, question: &[u8]) -> io::Result<()> {
        channel.send(say::CODE, &[question], None)
    }

    /// Asks a worker about the core that it read last.
    ///
    /// # Errors
    /// If the worker is gone.
    pub fn ask(channel: &Channel, question: &[u8]) -> io::Result<()> {
        channel.send(say::QUESTION, &[question], None)
    }

    /// Answers questions until the result is here, or `patience` is over. Time that servers take
    /// does not count. `owner` is whose files the core may lead to, `companions` are the files that
    /// came with it.
    pub fn attend(
        &self,
        channel: &Channel,
        (owner, companions): (Option<Owner>, &Companions),
        patience: Option<Duration>,
        observer: &dyn Observer,
    ) -> Attended {
        let mut refuse = |_: &[u8]| Err(wire::invalid("a part of a result that has none"));
        self.attend_portions(channel, (owner, companions), patience, observer, &mut refuse)
    }

    /// The same of a worker that may send parts of its result ahead: `take` gets them in their
    /// order. An error of it is that of the result.
    pub fn attend_portions(
        &self,
        channel: &Channel,
        files: (Option<Owner>, &Companions),
        patience: Option<Duration>,
        observer: &dyn Observer,
        take: &mut TakePortion<'_>,
    ) -> Attended {
        let mut known = None;
        let result = self.answers(channel, files, patience, observer, (&mut known, take));
        Attended { result, known }
    }

    fn answers(
        &self,
        channel: &Channel,
        (owner, companions): (Option<Owner>, &Companions),
        patience: Option<Duration>,
        observer: &dyn Observer,
        (known, take): (&mut Option<Vec<u8>>, &mut TakePortion<'_>),
    ) -> io::Result<Vec<u8>> {
        let mut until = patience.and_then(|patience| Instant::now().checked_add(patience));
        for _ in 0..MOST_QUESTIONS {
            let frame = channel.receive(until)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let Frame { kind, payload, file } = frame;
            match kind {
                ask::DONE => return Ok(payload),
                ask::KNOWN => *known = Some(payload),
                ask::PORTION => take(&payload)?,
                ask::PHASE => {
                    if let Some(phase) = wire::phase_of(&payload) {
                        observer.begin(phase);
                    }
                }
                ask::OPEN => answer_file(channel, self.open(&payload, owner, companions))?,
                ask::SECTION => answer_file(channel, self.section(&payload))?,
                ask::CREATE => answer_file(channel, self.create(&payload))?,
                ask::KEEP => self.keep(&payload, file),
                ask::RESOLVE => {
                    let resolved = self.resolve(&payload, owner);
                    let bytes = resolved.map(|path| path.as_os_str().as_bytes().to_vec());
                    answer_bytes(channel, bytes)?;
                }
                ask::DOWNLOAD => {
                    let begun = Instant::now();
                    let (id, artifact) = wire::download_request(&payload)?;
                    let answer = download_answer(&self.files.download(&id, artifact));
                    until = until.and_then(|until| until.checked_add(begun.elapsed()));
                    answer_bytes(channel, Ok(answer))?;
                }
                _ => return Err(wire::invalid("a frame of no kind")),
            }
        }
        Err(wire::invalid("too many questions"))
    }

    fn open(
        &self,
        payload: &[u8],
        owner: Option<Owner>,
        companions: &Companions,
    ) -> io::Result<File> {
        let (by, purpose, path) = wire::open_request(payload)?;
        if let Some(opened) = companions.open(&path) {
            return opened;
        }
        self.guarded(&path, by, purpose, owner, || self.files.open(&path, by, purpose))
    }

    fn resolve(&self, payload: &[u8], owner: Option<Owner>) -> io::Result<PathBuf> {
        let path = wire::path_of(payload)?;
        self.guarded(&path, ChosenBy::Input, Purpose::Image, owner, || self.files.resolve(&path))
    }

    /// Runs `open` with the rights of the core's owner, unless the user led to `path`.
    fn guarded<T>(
        &self,
        path: &Path,
        by: ChosenBy,
        purpose: Purpose,
        owner: Option<Owner>,
        open: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        match owner {
            Some(owner) if !self.files.is_below_root(path, by, purpose) => {
                as_user(owner.user, owner.group, open)
            }
            _ => open(),
        }
    }

    fn section(&self, payload: &[u8]) -> io::Result<File> {
        let key = payload.try_into().map_err(|_| wire::invalid("a key that is none"))?;
        let found = self.sections.as_ref().and_then(|sections| sections.get(key));
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, payload: &[u8]) -> io::Result<File> {
        let length = payload.try_into().map_err(|_| wire::invalid("a length that is none"))?;
        let length = u64::from_le_bytes(length);
        let made = self.sections.as_ref().and_then(|sections| sections.create(length));
        made.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn keep(&self, payload: &[u8], content: Option<File>) {
        let (Ok(key), Some(content)) = (payload.try_into(), content) else { return };
        // A pipe or a socket could keep us waiting.
        if let Some(sections) = &self.sections
            && content.metadata().is_ok_and(|metadata| metadata.is_file())
        {
            sections.keep(key, &content);
        }
    }
}

fn answer_file(channel: &Channel, opened: io::Result<File>) -> io::Result<()> {
    match opened {
        Ok(file) => channel.send(say::ANSWER, &[], Some(file.as_fd())),
        Err(error) => refuse(channel, &error),
    }
}

fn answer_bytes(channel: &Channel, found: io::Result<Vec<u8>>) -> io::Result<()> {
    match found {
        Ok(bytes) => channel.send(say::ANSWER, &[&bytes], None),
        Err(error) => refuse(channel, &error),
    }
}

fn refuse(channel: &Channel, error: &io::Error) -> io::Result<()> {
    match error.raw_os_error() {
        Some(number) => channel.send(say::ERROR_NUMBER, &[&number.to_le_bytes()], None),
        None => channel.send(say::REFUSED, &[error.to_string().as_bytes()], None),
    }
}
