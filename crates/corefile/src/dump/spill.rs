//! Where an unpacked core is kept: in memory while it is small, then in a file without
//! a name. Pages of zeros take no room in either.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};

use crate::memory::CoreBytes;

/// Bytes that are not zero and still kept in memory.
const IN_MEMORY: u64 = 256 << 20;
/// Runs of zeros are looked for in pieces of this size.
const PAGE: usize = 4096;
/// Bytes moved at a time from memory to the file.
const MOVED: u64 = 1 << 20;
/// `TMPFS_MAGIC` (linux/magic.h).
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;
/// Names tried where the file system has no unnamed files.
const NAMES: u32 = 100;

/// A file that grows, holes and all.
pub(crate) struct Spill {
    file: File,
    len: u64,
    /// Bytes written, holes not counted.
    written: u64,
    /// What `written` may reach.
    budget: u64,
    in_memory: bool,
    /// The file for what does not fit in memory, if one was handed over.
    disk: Option<File>,
    /// Bytes that may be kept on disk.
    most: u64,
}

/// Why nothing more could be written.
#[derive(Debug)]
pub(crate) enum Full {
    /// So many bytes are used: the limit, or the part of the free space that is not for others.
    Budget(u64),
    /// What the system said.
    Io(io::Error),
}

impl From<io::Error> for Full {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Spill {
    /// `disk` is an empty file for what does not fit in memory; without one, an unnamed file is
    /// made in the directory for temporary files. At most `most` bytes are kept there.
    pub(super) fn new(disk: Option<File>, most: u64) -> io::Result<Self> {
        match Self::in_memory(IN_MEMORY) {
            Ok(memory) => Ok(Self { disk, most, ..memory }),
            // Old kernels and some sandboxes have none.
            Err(_) => Self::on_disk(disk, most),
        }
    }

    /// In memory as long as no more than `budget` bytes are written.
    pub(crate) fn in_memory(budget: u64) -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = File::from(rustix::fs::memfd_create("obit-core", flags)?);
        Ok(Self { file, len: 0, written: 0, budget, in_memory: true, disk: None, most: 0 })
    }

    /// These bytes, in memory.
    pub(crate) fn of_bytes(bytes: &[u8]) -> io::Result<CoreBytes> {
        let mut spill = Self::in_memory(u64::MAX)?;
        match spill.append(bytes) {
            Ok(()) => spill.finish(),
            Err(Full::Io(error)) => Err(error),
            Err(Full::Budget(_)) => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    /// In `disk`, which is empty; without one, in an unnamed file in the directory for temporary
    /// files.
    pub(crate) fn on_disk(disk: Option<File>, most: u64) -> io::Result<Self> {
        let file = match disk {
            Some(disk) => disk,
            None => unnamed_file(&std::env::temp_dir())?,
        };
        let stat = rustix::fs::fstatvfs(&file)?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        // What is kept in a file system in memory is not there for anybody else either.
        let is_memory = rustix::fs::fstatfs(&file)?.f_type == TMPFS_MAGIC;
        let part = if is_memory { free / 4 } else { free / 2 };
        let budget = part.min(most);
        Ok(Self { file, len: 0, written: 0, budget, in_memory: false, disk: None, most })
    }

    /// One with room for so many bytes that are not zero.
    #[cfg(test)]
    pub(super) fn with_budget(budget: u64) -> io::Result<Self> {
        Ok(Self { budget, ..Self::on_disk(None, u64::MAX)? })
    }

    /// Bytes so far, holes counted.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes written, holes not counted.
    pub(crate) fn used(&self) -> u64 {
        self.written
    }

    /// Bytes that may be written, holes not counted.
    pub(crate) fn budget(&self) -> u64 {
        self.budget
    }

    /// Whether it is not on disk.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Appends `bytes`.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let most = self.written.saturating_add(bytes.len() as u64);
        if self.in_memory && most > self.budget {
            self.move_to_disk()?;
        }
        self.append(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Full> {
        // Neighbouring pages are written in one call.
        let mut rest = bytes;
        while !rest.is_empty() {
            let data = run(rest, false);
            let (written, zeros_on) = rest.split_at_checked(data).unwrap_or((rest, &[]));
            let zeros = run(zeros_on, true);
            rest = zeros_on.get(zeros..).unwrap_or(&[]);
            self.written = self.written.saturating_add(written.len() as u64);
            if self.written > self.budget {
                return Err(Full::Budget(self.budget));
            }
            self.file.write_all_at(written, self.len)?;
            let taken = (data as u64).saturating_add(zeros as u64);
            self.len = self.len.saturating_add(taken);
        }
        Ok(())
    }

    fn move_to_disk(&mut self) -> Result<(), Full> {
        let mut disk = Self::on_disk(self.disk.take(), self.most)?;
        let memory = CoreBytes::new(self.file.try_clone()?, self.len);
        self.file.set_len(self.len)?;
        while disk.len < self.len {
            let bytes = memory.read_vec(disk.len, MOVED);
            if bytes.is_empty() {
                return Err(io::Error::other("memory could not be read back").into());
            }
            disk.append(&bytes)?;
        }
        *self = disk;
        Ok(())
    }

    /// Ends the file; nothing can change it from here on.
    pub(super) fn finish(self) -> io::Result<CoreBytes> {
        let len = self.len;
        Ok(CoreBytes::new(self.finish_file()?, len))
    }

    /// The same, as a file.
    pub(crate) fn finish_file(self) -> io::Result<File> {
        // A hole at the end is not there until the length says so.
        self.file.set_len(self.len)?;
        if self.in_memory {
            let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
            rustix::fs::fcntl_add_seals(&self.file, seals)?;
        }
        Ok(self.file)
    }
}

/// Length of the run of pages at the start of `bytes` that are all zero, or are not.
fn run(bytes: &[u8], zero: bool) -> usize {
    let pages = bytes.chunks(PAGE).take_while(|page| is_zero(page) == zero);
    pages.map(<[u8]>::len).sum()
}

fn is_zero(page: &[u8]) -> bool {
    let (words, tail) = page.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && tail.iter().all(|byte| *byte == 0)
}

/// A file that vanishes with its last descriptor, for its owner only: a core holds
/// secrets.
pub(super) fn unnamed_file(directory: &Path) -> io::Result<File> {
    let access = OFlags::RDWR | OFlags::CLOEXEC;
    let owner = Mode::RUSR | Mode::WUSR;
    if let Ok(file) = rustix::fs::open(directory, access | OFlags::TMPFILE, owner) {
        return Ok(File::from(file));
    }
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let create = access | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    for _ in 0..NAMES {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("obit-core-{}-{number}", std::process::id()));
        match rustix::fs::open(&path, create, owner) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(File::from(file));
            }
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name for a temporary file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Vec<u8> {
        let mut bytes = vec![0; 5 * PAGE + 100];
        bytes[PAGE] = 1;
        bytes[4 * PAGE - 1] = 2;
        bytes
    }

    #[test]
    fn zeros_are_holes_and_come_back_as_zeros() {
        for mut spill in
            [Spill::new(None, u64::MAX).unwrap(), Spill::on_disk(None, u64::MAX).unwrap()]
        {
            spill.write(&bytes()).unwrap();
            assert_eq!(spill.written, 2 * PAGE as u64);
            assert_eq!(spill.finish().unwrap().read_vec(0, u64::MAX), bytes());
        }
    }

    #[test]
    fn what_outgrows_memory_moves_to_disk() {
        let mut spill = Spill::new(None, u64::MAX).unwrap();
        spill.budget = 3 * PAGE as u64;
        spill.write(&bytes()[..3 * PAGE]).unwrap();
        assert!(spill.in_memory);
        spill.write(&bytes()[3 * PAGE..]).unwrap();
        assert!(!spill.in_memory);
        assert_eq!(spill.finish().unwrap().read_vec(0, u64::MAX), bytes());
    }

    #[test]
    fn the_disk_is_not_filled_to_the_brim() {
        let mut spill = Spill::with_budget(PAGE as u64).unwrap();
        assert!(matches!(spill.write(&bytes()), Err(Full::Budget(_))));
    }

    #[test]
    fn a_file_system_in_memory_gives_a_quarter_of_what_is_free_and_a_disk_a_half() {
        for directory in ["/dev/shm", env!("CARGO_MANIFEST_DIR")] {
            let file = unnamed_file(Path::new(directory)).unwrap();
            let in_memory = rustix::fs::fstatfs(&file).unwrap().f_type == TMPFS_MAGIC;
            assert!(in_memory || directory != "/dev/shm");
            let stat = rustix::fs::fstatvfs(&file).unwrap();
            let free = stat.f_bavail * stat.f_frsize;
            let spill = Spill::on_disk(Some(file), u64::MAX).unwrap();
            // Others use it meanwhile.
            let part = if in_memory { 4 } else { 2 };
            let about = free / part / 10 * 9..free / part / 9 * 10;
            assert!(about.contains(&spill.budget), "{directory}: {} of {free}", spill.budget);
        }
        let spill = Spill::on_disk(None, 5 * PAGE as u64).unwrap();
        assert_eq!(spill.budget, 5 * PAGE as u64);
    }
}
