//! The cache on disk.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, MemfdFlags, Mode, OFlags};

use super::SectionStore;
use super::entry::{BOOT_AT, HEADER, Header};
use super::inventory::is_name;
use obit_corefile::mapped_file::open_regular;

/// A directory of unpacked sections of at most so many bytes. It drops what was used longest ago.
#[derive(Clone, Debug)]
pub struct SectionDirectory {
    dir: PathBuf,
    capacity: u64,
    /// What names this boot of the machine.
    boot: Option<[u8; 8]>,
}

/// A file that was used is marked so again only after this long, to spare the disk.
const TOUCH_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A temporary file older than this was left behind by a process that was killed.
const ORPHANED_AFTER: Duration = Duration::from_secs(3600);

impl SectionDirectory {
    /// A cache in `dir`, which is made when first written to, of at most `capacity` bytes.
    pub fn new(dir: PathBuf, capacity: u64) -> Self {
        Self { dir, capacity, boot: this_boot() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Bytes that it may take.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    fn path_of(&self, key: &[u8; 32]) -> PathBuf {
        self.dir.join(file_name(key))
    }

    /// Whether a file with this header was written or checked since the machine started.
    fn is_of_this_boot(&self, header: &Header) -> bool {
        self.boot == Some(header.boot)
    }

    /// Whether `file` at `path` is whole. What was written before the machine last started may
    /// have been lost in part: it is checked, and marked as checked.
    fn is_whole(&self, file: &File, path: &Path) -> bool {
        let mut bytes = [0; HEADER];
        let header = file.read_exact_at(&mut bytes, 0).ok().and_then(|()| Header::read(&bytes));
        let Some(header) = header else { return false };
        if self.is_of_this_boot(&header) {
            return true;
        }
        let is_whole = header.describes(file).unwrap_or(false);
        if is_whole
            && let Some(boot) = self.boot
            && let Ok(file) = fs::OpenOptions::new().write(true).open(path)
        {
            // Without the mark it is checked again.
            file.write_all_at(&boot, BOOT_AT).ok();
        }
        is_whole
    }

    /// Gives `file` the name `path`, by way of `temporary`: at once if it has none yet and is on
    /// the same file system, else by a copy.
    fn name(&self, file: &File, temporary: &Path, path: &Path) -> io::Result<()> {
        let linked = || -> io::Result<()> {
            let metadata = file.metadata()?;
            if metadata.nlink() != 0 || metadata.uid() != rustix::process::geteuid().as_raw() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            if let Some(boot) = self.boot {
                file.write_all_at(&boot, BOOT_AT)?;
            }
            let open = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(CWD, open, CWD, temporary, AtFlags::SYMLINK_FOLLOW)?;
            Ok(())
        };
        if linked().is_err() {
            self.copy(file, temporary)?;
        }
        fs::rename(temporary, path)
    }

    fn copy(&self, mut file: &File, temporary: &Path) -> io::Result<()> {
        let length = file.metadata()?.len();
        let mut options = fs::OpenOptions::new();
        let mut copy = options.write(true).create_new(true).mode(0o600).open(temporary)?;
        file.rewind()?;
        let written = io::copy(&mut file.take(length), &mut copy)?;
        if written != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self.boot {
            Some(boot) => copy.write_all_at(&boot, BOOT_AT),
            None => Ok(()),
        }
    }

    /// Makes the directory if it is not there; `false` if it cannot be used.
    fn prepare(&self) -> bool {
        self.make().is_ok() && is_private(&self.dir)
    }

    /// Makes the directory if nothing is in its place.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.dir.exists() {
            return Ok(());
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)
    }

    /// Removes the files used longest ago until `wanted` bytes fit.
    fn make_room(&self, wanted: u64) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in entries.filter_map(Result::ok) {
            // The directory may be one that has other files, too.
            if !entry.file_name().to_str().is_some_and(is_name) {
                continue;
            }
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("section") => files.push((used, metadata.len(), path)),
                Some("tmp") if used.elapsed().is_ok_and(|age| age > ORPHANED_AFTER) => {
                    fs::remove_file(path).ok();
                }
                _ => {}
            }
        }
        let mut total = files.iter().fold(wanted, |sum, file| sum.saturating_add(file.1));
        files.sort();
        for (_, length, path) in files {
            if total <= self.capacity {
                return;
            }
            fs::remove_file(path).ok();
            total = total.saturating_sub(length);
        }
    }
}

impl SectionStore for SectionDirectory {
    fn get(&self, key: &[u8; 32]) -> Option<File> {
        if !is_private(&self.dir) {
            return None;
        }
        let path = self.path_of(key);
        let file = open_regular(&path).ok()?;
        if !self.is_whole(&file, &path) {
            fs::remove_file(&path).ok();
            return None;
        }
        let used = file.metadata().and_then(|metadata| metadata.modified());
        if used.ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > TOUCH_AFTER) {
            touch(&path);
        }
        Some(file)
    }

    fn create(&self, length: u64) -> Option<File> {
        if length > self.capacity || !self.prepare() {
            return None;
        }
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let unnamed = rustix::fs::open(&self.dir, flags, Mode::RUSR | Mode::WUSR);
        // Not every file system has such files.
        let made = unnamed.or_else(|_| rustix::fs::memfd_create("section", MemfdFlags::CLOEXEC));
        made.ok().map(File::from)
    }

    fn keep(&self, key: &[u8; 32], file: &File) {
        let Ok(metadata) = file.metadata() else { return };
        if metadata.len() > self.capacity || !self.prepare() {
            return;
        }
        // What a file is to hold is only claimed before: room is made for what it holds.
        self.make_room(metadata.len());
        let path = self.path_of(key);
        // Two workers of one process may keep the same section at once.
        let own = format!("{}.{}.tmp", std::process::id(), metadata.ino());
        let temporary = path.with_extension(own);
        if self.name(file, &temporary, &path).is_err() {
            // Failing again changes nothing: `make_room` removes orphans later.
            fs::remove_file(&temporary).ok();
        }
    }
}

pub(super) fn file_name(key: &[u8; 32]) -> String {
    let mut name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    name.push_str(".section");
    name
}

/// Half of the kernel's random name of this boot.
fn this_boot() -> Option<[u8; 8]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).ok().map(u64::to_le_bytes)
}

/// Whether `dir` is ours and no one else can put files into it.
fn is_private(dir: &Path) -> bool {
    fs::symlink_metadata(dir).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o022 == 0
    })
}

/// Marks a file as used now. The time of its last change serves, for the time of its last
/// reading is not kept on most systems.
fn touch(path: &Path) {
    if let Ok(file) = fs::OpenOptions::new().append(true).open(path) {
        file.set_modified(SystemTime::now()).ok();
    }
}
