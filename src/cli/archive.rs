//! A core in an archive: `obit ARCHIVE`, and `obit ARCHIVE/MEMBER` where it holds several.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use obit::archive::may_be_archive;
use obit::dump::CoreFile;
use obit::limits::Limits;
use obit::mapped_file::open_regular;
use obit::sandbox::{self, Archive, Mode, NoArchive, Remote, UNPACK_MEMORY, Worker, unpack_for};

use super::args::unlocking::Unlocking;
use super::confined::check;
use super::core_source::{self, is_standard_input};
use super::exit::Exit;
use super::failure::Failure;
use super::message::{discreet, say, say_line};
use super::no_core::quoted;
use super::sealed;

/// Bytes of a file that say what it may be.
const HEAD: u64 = 512;
/// How long an archive may take.
const TIME: Duration = Duration::from_secs(600);
/// Cores that are listed.
const LISTED: usize = 20;

/// Opens the core at `path`: a file, or in an archive.
pub(super) fn open(
    path: &Path,
    mode: Mode,
    unlocking: &Unlocking,
    limits: &Limits,
    quiet: bool,
) -> Result<CoreFile, Failure> {
    let (archive, member) = match within_file(path) {
        Some((archive, member)) => (archive, Some(member)),
        None => (path.to_owned(), None),
    };
    if is_standard_input(path) {
        return core_source::open(path);
    }
    let Some(Source { file, is_decrypted, may_be_archive }) = source(&archive, unlocking)? else {
        return core_source::open(path);
    };
    let failed =
        |error: io::Error| Failure::new(Exit::Unusable, &format!("{}: {error}", archive.display()));
    // What was decrypted has no other name to be opened by.
    let other = |file: File| match is_decrypted {
        true => CoreFile::of_file(path, file).map_err(failed),
        false => core_source::open(path),
    };
    if !may_be_archive {
        return other(file);
    }
    let found = match unpack(&archive, &file, mode, limits).map_err(failed)?? {
        Ok(found) => found,
        Err(NoArchive::Other) => return other(file),
        Err(NoArchive::Unusable(why)) => {
            return Err(Failure::new(Exit::Unusable, &format!("{}: {why}", archive.display())));
        }
    };
    if !quiet {
        found.notes.iter().for_each(|note| say(&format!("{}: {note}", archive.display())));
    }
    chosen(&archive, member.as_deref(), found, quiet)
}

/// The core that is meant.
fn chosen(
    archive: &Path,
    member: Option<&Path>,
    found: Archive,
    quiet: bool,
) -> Result<CoreFile, Failure> {
    let Archive { kind, mut cores, files, .. } = found;
    let unusable = |what: String| Failure::new(Exit::Unusable, &what);
    if cores.is_empty() {
        let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let what = format!("{} is {kind} without a core ({files})", archive.display());
        return Err(unusable(what));
    }
    if let Some(member) = member {
        let wanted = archive.join(member);
        if let Some(at) = cores.iter().position(|core| core.path == wanted) {
            return Ok(cores.swap_remove(at));
        }
    } else if cores.len() == 1
        && let Some(core) = cores.pop()
    {
        return Ok(core);
    }
    let what = match member {
        Some(member) => format!("{} has no core {}", archive.display(), member.display()),
        None => format!("{} holds {} cores", archive.display(), cores.len()),
    };
    let advice = cores.first().map(|core| quoted(&core.path)).unwrap_or_default();
    if !quiet {
        for core in cores.iter().take(LISTED) {
            say_line("  ", &discreet(&core.path.display().to_string()));
        }
        if let Some(more) = cores.len().checked_sub(LISTED).filter(|more| *more > 0) {
            say_line("  ", &format!("and {more} more"));
        }
    }
    let all = quoted(archive);
    Err(Failure::usage(&format!("{what}: give one, `obit {advice}`, or `obit triage {all}`")))
}

/// Unpacks in a process of its own, unless the user wants none.
fn unpack(
    path: &Path,
    file: &File,
    mode: Mode,
    limits: &Limits,
) -> io::Result<Result<Result<Archive, NoArchive>, Failure>> {
    if mode == Mode::Off {
        return Ok(Ok(Archive::open_here(path, file, TIME, limits)));
    }
    let bounds = sandbox::Limits { memory: Some(UNPACK_MEMORY) };
    let mine = file.try_clone()?;
    let kept = [mine.as_fd()];
    let worker = Worker::start(&bounds, &kept, |channel, confined| {
        let remote = Arc::new(Remote::new(channel));
        if check(mode, confined).is_err() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // It ends by itself before we end it, with what it has.
        unpack_for(&remote, mine.try_clone()?, TIME.mul_f32(0.9), limits)
    })?;
    let until = Instant::now().checked_add(TIME);
    let received = Archive::receive(worker.channel(), path, file, until, limits);
    if let Ok(found) = received {
        return Ok(Ok(found));
    }
    let (ended, _) = worker.wait_with_words();
    let support = check_support(mode);
    let why = format!("the process that unpacks it {ended}");
    Ok(support.map(|()| Err(NoArchive::Unusable(why))))
}

/// Refuses to go on where the user wants the whole sandbox and the kernel lacks a part.
fn check_support(mode: Mode) -> Result<(), Failure> {
    match (mode, sandbox::support()) {
        (Mode::Require, (None, _) | (_, false)) => {
            Err(Failure::usage(&"--sandbox=require: a layer is missing; see `obit doctor`"))
        }
        _ => Ok(()),
    }
}

/// A file that may be an archive, open.
struct Source {
    file: File,
    is_decrypted: bool,
    may_be_archive: bool,
}

/// The file at `path`, decrypted if it is encrypted; `None` if it cannot be read.
fn source(path: &Path, unlocking: &Unlocking) -> Result<Option<Source>, Failure> {
    let Ok(mut file) = open_regular(path) else { return Ok(None) };
    let is_encrypted = sealed::is_encrypted(&mut file).unwrap_or(false);
    if is_encrypted {
        file = sealed::opened(path, file, unlocking)?;
    }
    let mut head = Vec::new();
    let is_read = (&file).take(HEAD).read_to_end(&mut head).and_then(|_| file.rewind()).is_ok();
    let may_be_archive = is_read && may_be_archive(path, &head);
    Ok(Some(Source { file, is_decrypted: is_encrypted, may_be_archive }))
}

/// The file above `path` that is taken for a directory in it, and the rest of `path`.
pub(super) fn within_file(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let error = fs::metadata(path).err()?;
    if error.kind() != io::ErrorKind::NotADirectory {
        return None;
    }
    let file = path.ancestors().skip(1).find(|above| above.is_file())?;
    let member = path.strip_prefix(file).ok()?;
    Some((file.to_owned(), member.to_owned()))
}
