//! An archive that is unpacked in a confined process, and the files that come out of it.
//!
//! The worker parses; it has no way to make a file but to write into an empty one without a name
//! that it was given. What it says a file is called is looked at here, and is the name by which the
//! analysis asks for it, never one in the file system.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::remote::Remote;
use super::wire::{self, ask, say};
use obit_corefile::archive::{ArchiveError, Content, LeftOut, Member, Sink, unpack};
use obit_corefile::dump::{ABRT_FACTS, Companion, Companions, CoreFile};
use obit_corefile::limits::Limits;
use obit_sandbox::{Channel, Frame};

/// Bytes of memory of its own that the process that unpacks may take: xz and zstd want up to
/// 256 MiB, and names are short.
pub const UNPACK_MEMORY: u64 = 768 << 20;

/// Bytes of texts that are taken from a worker.
const TEXTS: usize = 128 << 20;
/// Bytes of a text in which a collector wrote facts.
const LONGEST_FACTS: usize = 64 << 10;
/// Bytes of the paths of files that come with the cores.
const PATH_BYTES: usize = 1 << 20;
/// Texts of `coredumpctl info` that are kept.
const MOST_INFOS: usize = 64;
/// Descriptors that this process may have, where the system allows it.
const DESCRIPTORS: u64 = 8192;
/// Of these, for other things than files of an archive.
const DESCRIPTORS_OF_OTHERS: usize = 64;
/// Files of an archive that are kept for cores.
const FOR_CORES: usize = 16;

/// The cores of an archive, with what came with them.
#[derive(Debug)]
pub struct Archive {
    /// What it is: `a tar archive`.
    pub kind: String,
    /// In their order.
    pub cores: Vec<CoreFile>,
    /// Files that were looked at.
    pub files: u64,
    /// What was not taken, in sentences.
    pub notes: Vec<String>,
    /// Why the rest was not read.
    pub ended: Option<String>,
    /// Another time, or with other limits, there may be more in it.
    pub is_partial: bool,
}

/// Why there is no archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoArchive {
    /// The file is something else.
    Other,
    /// It cannot be read: why.
    Unusable(String),
}

/// What a worker says at the end.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Other,
    Done { kind: String, files: u64, notes: Vec<String>, ended: Option<String>, is_partial: bool },
    Failed(String),
}

impl Archive {
    /// Unpacks the archive `file`, which is called `path`, in this process.
    ///
    /// # Errors
    /// If it is none, or nothing of it can be read.
    pub fn open_here(
        path: &Path,
        file: &File,
        time: Duration,
        limits: &Limits,
    ) -> Result<Self, NoArchive> {
        let unusable = |error: io::Error| NoArchive::Unusable(error.to_string());
        let mut taken = Taken::new(path, file, limits).map_err(unusable)?;
        let outcome = unpacked(file.try_clone().map_err(unusable)?, time, limits, &mut taken);
        taken.finish(outcome)
    }

    /// Hands the archive `file` to a worker that waits for tasks.
    ///
    /// # Errors
    /// If the worker is gone.
    pub fn hand_over(channel: &Channel, file: &File, time: Duration) -> io::Result<()> {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).to_le_bytes();
        channel.send(say::ARCHIVE, &[&time], Some(file.as_fd()))
    }

    /// Takes the files of the archive `file`, which is called `path`, from the worker that unpacks
    /// it. The outer error is that of the worker; `TimedOut` if it has not ended by `until`.
    ///
    /// # Errors
    /// If the worker is gone, or does not keep to what was agreed.
    pub fn receive(
        channel: &Channel,
        path: &Path,
        file: &File,
        until: Option<Instant>,
        limits: &Limits,
    ) -> io::Result<Result<Self, NoArchive>> {
        let mut taken = Taken::new(path, file, limits)?;
        loop {
            let frame = channel.receive(until)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let Frame { kind, payload, file } = frame;
            match kind {
                // Without one, what needs it is counted by the worker.
                ask::ROOM => {
                    taken.count_room()?;
                    give(channel, CoreFile::room())?;
                }
                // Without a descriptor left, the system drops the one that came.
                ask::MEMBER if file.is_none() && matches!(payload.first(), Some(0 | 1)) => {
                    taken.dropped = taken.dropped.saturating_add(1);
                }
                ask::MEMBER => match member_of(&payload, file)? {
                    Some(member) => taken.take(member)?,
                    None => taken.misnamed = taken.misnamed.saturating_add(1),
                },
                ask::DONE => return Ok(taken.finish(serde_json::from_slice(&payload)?)),
                _ => return Err(wire::invalid("a frame of no kind")),
            }
        }
    }
}

/// Unpacks an archive for the process outside, and says how that ended.
///
/// # Errors
/// If the other side is gone.
pub fn unpack_for(remote: &Remote, file: File, time: Duration, limits: &Limits) -> io::Result<()> {
    let outcome = unpacked(file, time, limits, &mut RemoteSink(remote));
    remote.done(&[&serde_json::to_vec(&outcome)?])
}

fn unpacked(file: File, time: Duration, limits: &Limits, sink: &mut dyn Sink) -> Outcome {
    match unpack(file, time, limits, sink) {
        Ok(unpacked) => Outcome::Done {
            kind: unpacked.format.name().to_owned(),
            files: unpacked.files,
            notes: notes(&unpacked.left_out),
            is_partial: unpacked.left_out.ended.is_some() || unpacked.left_out.too_large > 0,
            ended: unpacked.left_out.ended,
        },
        Err(ArchiveError::NotAnArchive) => Outcome::Other,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// What was not taken, in sentences.
fn notes(left_out: &LeftOut) -> Vec<String> {
    let LeftOut { links, outside, too_long, repeated, unreadable, .. } = left_out;
    let LeftOut { not_of_collector, too_large, ended, .. } = left_out;
    let counted = [
        (links, "links and devices, which are not followed"),
        (outside, "files whose names lead out of the archive, ignored"),
        (too_long, "files whose names are too long, ignored"),
        (repeated, "files with a name that an earlier one has, ignored"),
        (
            unreadable,
            "files that are encrypted, sparse, or packed in a way that is not known here, ignored",
        ),
        (not_of_collector, "entries with a core that systemd-coredump did not send, ignored"),
        (too_large, "files for which there was no room (--max-spill), cut or ignored"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| **count > 0);
    let counted = counted.map(|(count, what)| format!("{what}: {count}"));
    let ended = ended.as_ref().map(|why| format!("the rest was not read: {why}"));
    counted.chain(ended).collect()
}

/// Sends what comes out of an archive to the process outside.
struct RemoteSink<'r>(&'r Remote);

impl Sink for RemoteSink<'_> {
    fn room(&mut self) -> io::Result<File> {
        let answer = self.0.question(ask::ROOM, &[])?;
        answer.file.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn take(&mut self, member: Member) -> io::Result<()> {
        let Member { path, content, modified, facts } = member;
        let (kind, text, file) = match &content {
            Content::Core(file) => (0_u8, &[][..], Some(file)),
            Content::Image(file) => (1, &[][..], Some(file)),
            Content::Text(text) => (2, text.as_slice(), None),
        };
        let path = path.as_os_str().as_bytes();
        let facts = wire::beside_bytes(&facts);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let parts = [
            &[kind][..],
            &modified.unwrap_or(i64::MIN).to_le_bytes(),
            &length(path),
            path,
            &length(&facts),
            &facts,
            text,
        ];
        self.0.announce(ask::MEMBER, &parts, file.map(AsFd::as_fd))
    }
}

/// Answers a question for an empty file, without one if there is none.
fn give(channel: &Channel, room: io::Result<File>) -> io::Result<()> {
    channel.send(say::ANSWER, &[], room.ok().as_ref().map(AsFd::as_fd))
}

/// A file that a worker sent; its words are checked. `None` if its name is none of a file in an
/// archive.
fn member_of(payload: &[u8], file: Option<File>) -> io::Result<Option<Member>> {
    let short = || wire::invalid("a file that is cut short");
    let (kind, rest) = payload.split_first().ok_or_else(short)?;
    let (modified, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let modified = Some(i64::from_le_bytes(*modified)).filter(|time| *time != i64::MIN);
    let (path, rest) = sized(rest).ok_or_else(short)?;
    let (facts, text) = sized(rest).ok_or_else(short)?;
    let path = wire::path_of(path).ok();
    let leads_down =
        |path: &PathBuf| path.components().all(|part| matches!(part, Component::Normal(_)));
    let path = path.filter(leads_down);
    let content = match (kind, file) {
        (0 | 1, Some(file)) => {
            // A pipe or a socket could keep us waiting.
            if !file.metadata()?.is_file() {
                return Err(wire::invalid("something that is not a file"));
            }
            if *kind == 0 { Content::Core(file) } else { Content::Image(file) }
        }
        (2, None) => Content::Text(text.to_vec()),
        _ => return Err(wire::invalid("a file of no kind")),
    };
    let facts = wire::beside_of(facts);
    Ok(path.map(|path| Member { path, content, modified, facts }))
}

/// Bytes with their length before them, and what follows.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// A core that was taken.
struct TakenCore {
    /// In the archive.
    path: PathBuf,
    file: File,
    /// What the archive says of it.
    facts: Vec<(String, String)>,
}

/// What was taken of an archive so far.
struct Taken<'a> {
    archive: &'a Path,
    changed: Option<SystemTime>,
    companions: Companions,
    cores: Vec<TakenCore>,
    /// Descriptors that may still be taken.
    descriptors_left: usize,
    /// Files for which there was none.
    dropped: u64,
    /// Files whose names were none.
    misnamed: u64,
    /// Files that came when the paths were too many bytes.
    beyond_paths: u64,
    /// Bytes of the paths of files that come with the cores: they are sent again with each core.
    path_bytes_left: usize,
    /// Cores, images and rooms that may still come, texts, and their bytes.
    files_left: usize,
    rooms_left: usize,
    texts_left: usize,
    text_bytes_left: usize,
}

impl Sink for Taken<'_> {
    fn room(&mut self) -> io::Result<File> {
        self.count_room()?;
        CoreFile::room()
    }

    fn take(&mut self, member: Member) -> io::Result<()> {
        let Member { path, content, modified, facts } = member;
        let seconds = modified.and_then(|seconds| u64::try_from(seconds).ok());
        let since = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let changed = seconds.and_then(since).or(self.changed);
        let too_many = || wire::invalid("too many files");
        match content {
            Content::Text(text) => {
                self.texts_left = self.texts_left.checked_sub(1).ok_or_else(too_many)?;
                let left = self.text_bytes_left.checked_sub(text.len());
                self.text_bytes_left = left.ok_or_else(too_many)?;
                let at = self.archive.join(path);
                self.add(at, Companion::Text(text, changed));
            }
            Content::Core(file) => {
                self.files_left = self.files_left.checked_sub(1).ok_or_else(too_many)?;
                if !self.takes_descriptor(0) {
                    return Ok(());
                }
                self.cores.push(TakenCore { path, file: unchangeable(file, changed)?, facts });
            }
            Content::Image(file) => {
                self.files_left = self.files_left.checked_sub(1).ok_or_else(too_many)?;
                if !self.takes_descriptor(FOR_CORES) {
                    return Ok(());
                }
                let file = Companion::File(unchangeable(file, changed)?);
                self.add(self.archive.join(path), file);
            }
        }
        Ok(())
    }
}

/// The same file, only to be read, with the time of its last change.
fn unchangeable(file: File, changed: Option<SystemTime>) -> io::Result<File> {
    if let Some(changed) = changed {
        // Without it, it is as old as this run.
        let _ = file.set_modified(changed);
    }
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    // Without /proc, the one that there is must do.
    Ok(File::open(link).unwrap_or(file))
}

impl<'a> Taken<'a> {
    fn new(path: &'a Path, file: &File, limits: &Limits) -> io::Result<Self> {
        let descriptors_left = allowed_descriptors();
        let companions = Companions::of_archive(file.try_clone()?);
        Ok(Self {
            archive: path,
            changed: file.metadata()?.modified().ok(),
            companions,
            cores: Vec::new(),
            descriptors_left,
            dropped: 0,
            misnamed: 0,
            beyond_paths: 0,
            path_bytes_left: PATH_BYTES,
            files_left: limits.archive_files,
            rooms_left: limits.archive_files,
            texts_left: limits.archive_texts,
            text_bytes_left: TEXTS,
        })
    }

    fn count_room(&mut self) -> io::Result<()> {
        let left = self.rooms_left.checked_sub(1);
        self.rooms_left = left.ok_or_else(|| wire::invalid("too many questions"))?;
        Ok(())
    }

    /// Adds a file that came with the cores, unless its path is one too many.
    fn add(&mut self, path: PathBuf, file: Companion) {
        // With the NUL that ends it.
        let length = path.as_os_str().len().saturating_add(1);
        match self.path_bytes_left.checked_sub(length) {
            Some(left) => {
                self.path_bytes_left = left;
                self.companions.add(path, file);
            }
            None => self.beyond_paths = self.beyond_paths.saturating_add(1),
        }
    }

    /// Whether there is a descriptor for one more file, and so many others.
    fn takes_descriptor(&mut self, others: usize) -> bool {
        let takes = self.descriptors_left > others;
        if takes {
            self.descriptors_left = self.descriptors_left.saturating_sub(1);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
        takes
    }

    fn finish(self, outcome: Outcome) -> Result<Archive, NoArchive> {
        let (kind, files, mut notes, ended, is_partial) = match outcome {
            Outcome::Other => return Err(NoArchive::Other),
            Outcome::Failed(why) => return Err(NoArchive::Unusable(why)),
            Outcome::Done { kind, files, notes, ended, is_partial } => {
                (kind, files, notes, ended, is_partial)
            }
        };
        let Self { archive, companions, cores, dropped, misnamed, beyond_paths, .. } = self;
        let counted = [
            (dropped, "files beyond the limit of open ones (ulimit -n), ignored"),
            (misnamed, "files whose names lead out of the archive or are too long, ignored"),
            (beyond_paths, "files beyond 1 MiB of paths, ignored"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        notes.extend(counted.map(|(count, what)| format!("{what}: {count}")));
        let is_partial = is_partial || dropped > 0 || beyond_paths > 0;
        let companions = Arc::new(companions);
        let is_only = cores.len() == 1;
        let infos = infos(&companions);
        let cores = cores.into_iter().filter_map(|TakenCore { path, file, facts }| {
            let path = archive.join(path);
            let beside = [facts, beside(&path, &companions, &infos, is_only)].concat();
            let core = CoreFile::of_file(&path, file).ok()?;
            Some(CoreFile { beside, companions: Arc::clone(&companions), ..core })
        });
        Ok(Archive { kind, cores: cores.collect(), files, notes, ended, is_partial })
    }
}

/// What collectors wrote of the core at `path` in other files of the archive: ABRT a file for each
/// fact, `obit capture` a record, `coredumpctl info` a text.
fn beside(
    path: &Path,
    companions: &Companions,
    infos: &[Info<'_>],
    is_only: bool,
) -> Vec<(String, String)> {
    let Some(directory) = path.parent() else { return Vec::new() };
    let text = |name: &str| companions.text(&directory.join(name), LONGEST_FACTS).map(str::trim);
    let fact = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("coredump") {
        let facts = ABRT_FACTS.iter().filter_map(|name| {
            Some(fact(name, text(name).filter(|text| text.len() <= 4096 && !text.is_empty())?))
        });
        let facts: Vec<_> = facts.collect();
        if !facts.is_empty() {
            return facts;
        }
    }
    if let Some(id) = name.split_once(".core").map(|(id, _)| id)
        && let Some(record) = text(&format!("{id}.json"))
        && record.contains("\"obit-capture/")
    {
        return vec![fact("obit-capture", record)];
    }
    let mut infos = infos.iter();
    let info = infos.find(|info| is_only || info.stored.is_some_and(|stored| stored == name));
    info.map(|info| vec![fact("coredumpctl-info", info.text)]).unwrap_or_default()
}

/// A text of `coredumpctl info`.
struct Info<'t> {
    text: &'t str,
    /// Name of the file that the core was stored in.
    stored: Option<&'t str>,
}

/// The texts of `coredumpctl info` that came with the cores. Each text is searched once, however
/// many cores there are: this process has no deadline.
fn infos(companions: &Companions) -> Vec<Info<'_>> {
    let texts = companions.paths().filter_map(|path| companions.text(path, LONGEST_FACTS));
    let infos = texts.filter(|text| is_info(text)).take(MOST_INFOS).map(|text| {
        let storage = text.lines().find_map(|line| line.trim_start().strip_prefix("Storage:"));
        let stored = storage.and_then(|path| path.split_whitespace().next());
        Info { text, stored: stored.and_then(|path| path.rsplit('/').next()) }
    });
    infos.collect()
}

/// Whether a text is one of `coredumpctl info`.
fn is_info(text: &str) -> bool {
    let has = |name: &str| text.lines().take(64).any(|line| line.trim_start().starts_with(name));
    has("PID: ") && has("Signal: ") && has("Executable: ")
}

/// Each file of an archive takes a descriptor; the usual limit is 1,024. How many may be taken now.
fn allowed_descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if current.is_some_and(|current| current < wanted) {
        // Where it is refused, an archive with many files is not read to its end.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(DESCRIPTORS);
    usize::try_from(current).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_OF_OTHERS)
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
