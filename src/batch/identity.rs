//! What a core is called by its content, and what says whether a file has changed.

use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use obit_corefile::addr::Avma;
use obit_corefile::dump::AuxKind;
use obit_corefile::mapped_file::read_at;
use obit_process::process::Process;
use obit_triage::store::FileStamp;

/// Bytes at each end of a file that cannot be read as a core, by which it is known.
const ENDS: u64 = 1 << 20;

/// The name of the crashed process, whose report is called `id`.
///
/// Two processes may have the same id: the first of a container has the process id 1, and
/// without address randomisation all else is equal, too. The 16 random bytes that the
/// kernel gives each program (AT_RANDOM) then differ; where the core holds them, a digest
/// of theirs follows the id.
pub(super) fn dump_id(process: &Process, id: &str) -> String {
    let mut random = [0; 16];
    let at = process.dump.auxv.get(AuxKind::Random);
    let is_read = at.is_some_and(|at| process.memory.read(Avma(at), &mut random).is_ok());
    // A core without people's data has zeros there.
    if !is_read || random == [0; 16] {
        return id.to_owned();
    }
    let digest = Sha256::new().chain_update(b"obit.dump/1\n").chain_update(random).finalize();
    format!("{id}-{}", HEXLOWER.encode(digest.get(..4).unwrap_or_default()))
}

/// The name of a file that could not be read as a core: by size and both ends, so that
/// copies are one; one that cannot be read, or has no bytes, by its path.
pub(super) fn file_id(path: &Path, file: Option<&File>) -> String {
    let mut hasher = Sha256::new();
    let mut content = |file: &File| -> std::io::Result<u64> {
        let size = u64::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(0);
        hasher.update(size.to_le_bytes());
        let head = read_at(file, 0, ENDS.min(size))?;
        hasher.update(&head);
        let tail = read_at(file, size.saturating_sub(ENDS).max(head.len() as u64), ENDS)?;
        hasher.update(tail);
        Ok(size)
    };
    if !file.is_some_and(|file| content(file).is_ok_and(|size| size > 0)) {
        hasher.update(absolute(path).as_os_str().as_bytes());
    }
    format!("file-{}", HEXLOWER.encode(hasher.finalize().get(..8).unwrap_or_default()))
}

/// The state of the file at `path`, of which `metadata` was read just now.
pub fn stamp_of(path: &Path, metadata: &Metadata) -> FileStamp {
    let mtime = metadata.mtime().saturating_mul(1_000_000_000);
    FileStamp {
        key: path_key(path),
        size: metadata.size(),
        mtime: mtime.saturating_add(metadata.mtime_nsec()),
        inode: metadata.ino(),
        device: metadata.dev(),
    }
}

/// What a file is known by in the store: its absolute path.
pub fn path_key(path: &Path) -> [u8; 32] {
    Sha256::digest(absolute(path).as_os_str().as_bytes()).into()
}

/// A file that does not exist or may not be read.
pub(super) fn stamp_without_file(path: &Path) -> FileStamp {
    FileStamp { key: path_key(path), size: 0, mtime: 0, inode: 0, device: 0 }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What says whether the core of this number, from 0, in an archive with this `stamp` has changed.
/// The first is known by the archive itself.
pub(super) fn stamp_of_nth(stamp: &FileStamp, number: usize) -> FileStamp {
    if number == 0 {
        return stamp.clone();
    }
    let hasher = Sha256::new().chain_update(b"obit.member/1\n").chain_update(stamp.key);
    let key = hasher.chain_update((number as u64).to_le_bytes()).finalize();
    FileStamp { key: key.into(), ..stamp.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;

    #[test]
    fn processes_that_differ_in_nothing_but_their_random_bytes_are_two() {
        const RANDOM: u64 = 25;
        let id = |bytes: &[u8]| {
            let core = CoreBuilder::x86_64().signal(11).thread(1, &[("rip", 0x1000)]);
            let core = core.process(1, "init", "init").auxv(&[(RANDOM, 0x7000_0010)]);
            let core = core.segment(0x7000_0000, bytes, 0x1000).write();
            let process = Process::open(core.path(), Default::default(), &()).unwrap();
            let report = crate::report::build(&process, Default::default());
            (report.id.clone(), dump_id(&process, &report.id))
        };
        let (one, other) = (id(&[1; 64]), id(&[2; 64]));
        assert_eq!(one.0, other.0);
        assert_ne!(one.1, other.1);
        // Where the core lacks them or a scrubbed one has zeros, only the id is left; it is
        // what the other begins with.
        let (short, zero) = (id(&[1; 20]), id(&[0; 64]));
        assert_eq!((&short.1, &zero.1), (&one.0, &one.0));
        assert!(one.1.starts_with(&one.0));
    }

    #[test]
    fn copies_of_an_unreadable_core_are_one_and_empty_files_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            let file = File::open(&path).ok();
            file_id(&path, file.as_ref())
        };
        assert_eq!(file("a", b"spoilt"), file("b", b"spoilt"));
        assert_ne!(file("c", b"spoilt"), file("d", b"Spoilt"));
        assert_ne!(file("e", b""), file("f", b""));
        let mut long = vec![0; 3 << 20];
        let one = file("g", &long);
        *long.last_mut().unwrap() = 1;
        assert_ne!(one, file("h", &long));
    }
}
