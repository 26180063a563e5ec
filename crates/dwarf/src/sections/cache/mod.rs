//! What is made of files once and kept on disk between runs: unpacked debug sections and
//! indexes of names. Unpacking is most of the work of naming an address, and the same libc is
//! asked about again and again.

mod directory;
mod entry;
mod inventory;

use std::fmt::Debug;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use entry::Header;
use obit_corefile::mapped_file::{FileIdentity, MappedFile};

pub use directory::SectionDirectory;
pub(crate) use entry::NewSection;
pub use inventory::{CacheEntry, CacheProblem, Cleared, Depth, EntryState};

/// Unpacked sections. Whatever goes wrong with them means only that there is no cache.
///
/// A section is found by the *identity* of the file it came from (device, inode, length,
/// times of change), not by a build ID, which any file may claim for itself.
#[derive(Clone, Debug)]
pub struct SectionCache(Arc<dyn SectionStore>);

/// Where unpacked sections are kept.
pub trait SectionStore: Debug + Send + Sync {
    /// What was kept under `key`.
    fn get(&self, key: &[u8; 32]) -> Option<File>;

    /// A new file without a name that `length` bytes may be written to.
    fn create(&self, length: u64) -> Option<File>;

    /// Keeps `file`, which [`SectionStore::create`] made, under `key`.
    fn keep(&self, key: &[u8; 32], file: &File);
}

/// What a cached section is found by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SectionKey([u8; 32]);

/// A section read back: the file and where in it the content starts.
#[derive(Debug)]
pub(crate) struct CachedSection(MappedFile);

/// Sections smaller than this are unpacked faster than a file is opened. Bytes.
pub(crate) const WORTH_KEEPING: u64 = 64 << 10;

impl SectionKey {
    /// The key of the section called `name` in the file with `identity`; `offset`,
    /// `stored` and `unpacked` are its place and sizes in bytes by its headers.
    pub(crate) fn new(
        identity: &FileIdentity,
        name: &str,
        offset: u64,
        stored: u64,
        unpacked: u64,
    ) -> Self {
        let mut hash = Sha256::new();
        for number in [identity.inode.0, identity.inode.1, identity.len, offset, stored, unpacked] {
            hash.update(number.to_le_bytes());
        }
        hash.update(identity.modified_ns.to_le_bytes());
        hash.update(identity.changed_ns.to_le_bytes());
        hash.update(name.as_bytes());
        Self(hash.finalize().into())
    }

    /// The key of something called `name` that was made from all these files.
    pub(crate) fn of_files(files: &[&FileIdentity], name: &str) -> Self {
        let mut hash = Sha256::new();
        for identity in files {
            hash.update(Self::new(identity, name, 0, 0, 0).0);
        }
        Self(hash.finalize().into())
    }
}

impl SectionCache {
    /// A cache in `dir`, which is made when first written to, of at most `capacity` bytes.
    pub fn new(dir: std::path::PathBuf, capacity: u64) -> Self {
        Self::of(Arc::new(SectionDirectory::new(dir, capacity)))
    }

    /// What `store` keeps.
    pub fn of(store: Arc<dyn SectionStore>) -> Self {
        Self(store)
    }

    /// The section stored under `key`, if it is there and has `length` bytes.
    pub(crate) fn get(&self, key: &SectionKey, length: u64) -> Option<CachedSection> {
        self.get_any(key).filter(|cached| cached.bytes().len() as u64 == length)
    }

    /// What is stored under `key`, however long it is.
    pub(crate) fn get_any(&self, key: &SectionKey) -> Option<CachedSection> {
        CachedSection::of_file(self.0.get(&key.0)?, key)
    }

    /// Begins to store `length` bytes under `key`.
    pub(crate) fn create(&self, key: &SectionKey, length: u64) -> Option<NewSection> {
        NewSection::new(&self.0, key, length)
    }

    /// Stores `content` under `key`.
    pub(crate) fn put(&self, key: &SectionKey, content: &[u8]) -> Option<CachedSection> {
        let mut new = self.create(key, content.len() as u64)?;
        new.write(content).then(|| new.finish())?
    }
}

impl CachedSection {
    fn of_file(file: File, key: &SectionKey) -> Option<Self> {
        let file = MappedFile::of_file(file, Path::new("")).ok()?;
        let length = (file.len() as u64).checked_sub(entry::HEADER as u64)?;
        let header = Header::read(&file)?;
        (header.key == key.0 && header.length == length).then_some(Self(file))
    }

    /// The section's content.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.get(entry::HEADER..).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, SeekFrom, Write};
    use std::time::SystemTime;

    use super::*;

    fn identity(inode: u64) -> FileIdentity {
        FileIdentity { inode: (1, inode), len: 10, modified_ns: 7, changed_ns: 7 }
    }

    fn key(inode: u64, name: &str) -> SectionKey {
        SectionKey::new(&identity(inode), name, 64, 5, 3)
    }

    #[test]
    fn what_was_put_is_got_back_under_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        assert_eq!(cache.put(&key(1, ".debug_info"), b"abc").unwrap().bytes(), b"abc");
        assert_eq!(cache.get(&key(1, ".debug_info"), 3).unwrap().bytes(), b"abc");
        assert!(cache.get(&key(2, ".debug_info"), 3).is_none());
        assert!(cache.get(&key(1, ".debug_line"), 3).is_none());
        assert!(cache.get(&key(1, ".debug_info"), 4).is_none());
    }

    #[test]
    fn what_is_written_in_parts_is_kept_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        let mut new = cache.create(&key(1, "a"), 6).unwrap();
        assert!(new.write(b"abc"));
        assert!(cache.get(&key(1, "a"), 6).is_none());
        assert!(new.write(b"def"));
        assert_eq!(new.finish().unwrap().bytes(), b"abcdef");
        assert_eq!(cache.get(&key(1, "a"), 6).unwrap().bytes(), b"abcdef");
        let mut short = cache.create(&key(2, "a"), 6).unwrap();
        assert!(short.write(b"abc"));
        assert!(short.finish().is_none());
        let mut long = cache.create(&key(3, "a"), 2).unwrap();
        assert!(!long.write(b"abc"));
        assert_eq!(fs::read_dir(dir.path().join("sections")).unwrap().count(), 1);
    }

    #[test]
    fn a_section_that_several_write_at_once_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        let content = vec![7; 100_000];
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert!(cache.put(&key(1, "a"), &content).is_some()));
            }
        });
        assert_eq!(cache.get(&key(1, "a"), 100_000).unwrap().bytes(), content);
        assert_eq!(fs::read_dir(dir.path().join("sections")).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_no_section() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        cache.put(&key(1, "a"), b"abc");
        let path = dir.path().join("sections").join(directory::file_name(&key(1, "a").0));
        let mut bytes = fs::read(&path).unwrap();
        bytes.pop();
        fs::write(&path, &bytes).unwrap();
        assert!(cache.get(&key(1, "a"), 3).is_none());
        let other = dir.path().join("sections").join(directory::file_name(&key(1, "b").0));
        fs::rename(&path, other).unwrap();
        assert!(cache.get(&key(1, "b"), 2).is_none());
    }

    #[test]
    fn content_of_an_earlier_boot_is_checked_once() {
        let dir = tempfile::tempdir().unwrap();
        let sections = dir.path().join("sections");
        let cache = SectionCache::new(sections.clone(), 1 << 20);
        let path = |name: &str| sections.join(directory::file_name(&key(1, name).0));
        for name in ["a", "b"] {
            cache.put(&key(1, name), b"abc");
            let mut file = fs::OpenOptions::new().write(true).open(path(name)).unwrap();
            file.seek(SeekFrom::Start(entry::BOOT_AT)).unwrap();
            file.write_all(&[7; 8]).unwrap();
        }
        let mut file = fs::OpenOptions::new().write(true).open(path("b")).unwrap();
        file.seek(SeekFrom::End(-1)).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(cache.get(&key(1, "a"), 3).unwrap().bytes(), b"abc");
        assert_ne!(fs::read(path("a")).unwrap()[usize::try_from(entry::BOOT_AT).unwrap()], 7);
        assert!(cache.get(&key(1, "b"), 3).is_none());
        assert!(!path("b").exists());
    }

    #[test]
    fn the_section_used_longest_ago_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 200);
        cache.put(&key(1, "old"), b"abc");
        cache.put(&key(1, "new"), b"def");
        let old = dir.path().join("sections").join(directory::file_name(&key(1, "old").0));
        let file = fs::OpenOptions::new().append(true).open(old).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        cache.put(&key(1, "third"), b"ghi");
        assert!(cache.get(&key(1, "old"), 3).is_none());
        assert!(cache.get(&key(1, "new"), 3).is_some());
        assert!(cache.get(&key(1, "third"), 3).is_some());
    }

    #[test]
    fn files_of_others_are_not_what_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let sections = dir.path().join("sections");
        let cache = SectionCache::new(sections.clone(), 100);
        cache.put(&key(1, "a"), b"abc");
        for name in ["notes.tmp", "book.section"] {
            fs::write(sections.join(name), [0; 100]).unwrap();
            let file = fs::OpenOptions::new().append(true).open(sections.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        cache.put(&key(1, "b"), b"def");
        assert!(cache.get(&key(1, "a"), 3).is_none());
        assert!(sections.join("notes.tmp").exists() && sections.join("book.section").exists());
    }

    #[test]
    fn room_is_made_for_what_is_kept_and_not_for_what_is_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        cache.put(&key(1, "a"), b"abc");
        drop(cache.create(&key(2, "a"), (1 << 20) - 64));
        assert!(cache.get(&key(1, "a"), 3).is_some());
    }

    #[test]
    fn a_directory_others_may_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let cache = SectionCache::new(dir.path().to_owned(), 1 << 20);
        cache.put(&key(1, "a"), b"abc");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
