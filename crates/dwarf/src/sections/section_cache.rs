//! Unpacked debug sections, kept on disk between runs: unpacking is most of the work of
//! naming an address, and the same libc is asked about again and again.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use obit_corefile::mapped_file::{FileIdentity, MappedFile, identity_of, open_regular};

/// Unpacked sections. Whatever goes wrong with them means only that there is no cache.
///
/// A section is found by the *identity* of the file it came from (device, inode, length,
/// time of change), not by a build ID, which any file may claim for itself.
#[derive(Clone, Debug)]
pub struct SectionCache(Arc<dyn SectionStore>);

/// Where unpacked sections are kept.
pub trait SectionStore: Debug + Send + Sync {
    /// What was kept under `key`.
    fn get(&self, key: &[u8; 32]) -> Option<File>;

    /// Keeps the `length` bytes of `content` under `key`.
    fn put(&self, key: &[u8; 32], length: u64, content: &mut dyn Read);
}

/// A directory of unpacked sections of at most so many bytes. It drops what was used longest ago.
#[derive(Clone, Debug)]
pub struct SectionDirectory {
    dir: PathBuf,
    capacity: u64,
}

/// What a cached section is found by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SectionKey([u8; 32]);

/// A section read back: the file and where in it the content starts.
#[derive(Debug)]
pub(crate) struct CachedSection(MappedFile);

/// Sections smaller than this are unpacked faster than a file is opened. Bytes.
pub(crate) const WORTH_KEEPING: u64 = 64 << 10;

/// First bytes of a cache file; the digits are the version of this layout.
const MAGIC: &[u8; 8] = b"OBITSC01";

/// Magic, length, key, and zeros up to a multiple of 16. Bytes.
const HEADER: usize = 64;

/// A file that was used is marked so again only after this long, to spare the disk.
const TOUCH_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A temporary file older than this was left behind by a process that was killed.
const ORPHANED_AFTER: Duration = Duration::from_secs(3600);

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
        hash.update(name.as_bytes());
        Self(hash.finalize().into())
    }
}

impl SectionKey {
    /// The key of something called `name` that was made from all these files.
    pub(crate) fn of_files(files: &[&FileIdentity], name: &str) -> Self {
        let mut hash = Sha256::new();
        for identity in files {
            hash.update(Self::new(identity, name, 0, 0, 0).0);
        }
        Self(hash.finalize().into())
    }
}

fn file_name(key: &[u8; 32]) -> String {
    let mut name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    name.push_str(".section");
    name
}

impl SectionCache {
    /// A cache in `dir`, which is made when first written to, of at most `capacity` bytes.
    pub fn new(dir: PathBuf, capacity: u64) -> Self {
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
        let file = MappedFile::of_file(self.0.get(&key.0)?, Path::new("")).ok()?;
        let length = (file.len() as u64).checked_sub(HEADER as u64)?;
        let is_whole = file.get(..HEADER)? == header_of(key, length);
        is_whole.then_some(CachedSection(file))
    }

    /// Stores `content` under `key`.
    pub(crate) fn put(&self, key: &SectionKey, content: &[u8]) {
        let header = header_of(key, content.len() as u64);
        let whole = (content.len() as u64).saturating_add(HEADER as u64);
        self.0.put(&key.0, whole, &mut header.chain(content));
    }
}

impl SectionDirectory {
    /// A cache in `dir`, which is made when first written to, of at most `capacity` bytes.
    pub fn new(dir: PathBuf, capacity: u64) -> Self {
        Self { dir, capacity }
    }
}

impl SectionStore for SectionDirectory {
    fn get(&self, key: &[u8; 32]) -> Option<File> {
        if !is_private(&self.dir) {
            return None;
        }
        let path = self.dir.join(file_name(key));
        let file = open_regular(&path).ok()?;
        let modified = u64::try_from(identity_of(&file).ok()?.modified_ns).ok();
        let modified = modified.map(Duration::from_nanos);
        let modified = modified.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        if modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > TOUCH_AFTER) {
            touch(&path);
        }
        Some(file)
    }

    fn put(&self, key: &[u8; 32], length: u64, content: &mut dyn Read) {
        if length > self.capacity {
            return;
        }
        if !self.dir.exists() {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
            if made.is_err() {
                return;
            }
        }
        if !is_private(&self.dir) {
            return;
        }
        self.make_room(length);
        let name = file_name(key);
        let temporary = self.dir.join(format!("{name}.{}.tmp", std::process::id()));
        if write_new(&temporary, length, content).is_err()
            || fs::rename(&temporary, self.dir.join(name)).is_err()
        {
            // Failing again changes nothing: `make_room` removes orphans later.
            fs::remove_file(&temporary).ok();
        }
    }
}

impl SectionDirectory {
    /// Removes the files used longest ago until `wanted` bytes fit.
    fn make_room(&self, wanted: u64) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in entries.filter_map(Result::ok) {
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

impl CachedSection {
    /// The section's content.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.get(HEADER..).unwrap_or(&[])
    }
}

fn header_of(key: &SectionKey, length: u64) -> [u8; HEADER] {
    let fields = MAGIC.iter().copied().chain(length.to_le_bytes()).chain(key.0);
    let mut header = [0; HEADER];
    for (to, from) in header.iter_mut().zip(fields) {
        *to = from;
    }
    header
}

/// Whether `dir` is ours and no one else can put files into it.
fn is_private(dir: &Path) -> bool {
    fs::symlink_metadata(dir).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o022 == 0
    })
}

fn write_new(path: &Path, length: u64, content: &mut dyn Read) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = std::io::copy(&mut content.take(length), &mut file)?;
    if written != length {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Marks a file as used now. The time of its last change serves, for the time of its last
/// reading is not kept on most systems.
fn touch(path: &Path) {
    if let Ok(file) = fs::OpenOptions::new().append(true).open(path) {
        file.set_modified(SystemTime::now()).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(inode: u64) -> FileIdentity {
        FileIdentity { inode: (1, inode), len: 10, modified_ns: 7 }
    }

    fn key(inode: u64, name: &str) -> SectionKey {
        SectionKey::new(&identity(inode), name, 64, 5, 3)
    }

    #[test]
    fn what_was_put_is_got_back_under_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        cache.put(&key(1, ".debug_info"), b"abc");
        assert_eq!(cache.get(&key(1, ".debug_info"), 3).unwrap().bytes(), b"abc");
        assert!(cache.get(&key(2, ".debug_info"), 3).is_none());
        assert!(cache.get(&key(1, ".debug_line"), 3).is_none());
        assert!(cache.get(&key(1, ".debug_info"), 4).is_none());
    }

    #[test]
    fn a_damaged_file_is_no_section() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        cache.put(&key(1, "a"), b"abc");
        let path = dir.path().join("sections").join(file_name(&key(1, "a").0));
        let mut bytes = fs::read(&path).unwrap();
        bytes.pop();
        fs::write(&path, &bytes).unwrap();
        assert!(cache.get(&key(1, "a"), 3).is_none());
        fs::rename(&path, dir.path().join("sections").join(file_name(&key(1, "b").0))).unwrap();
        assert!(cache.get(&key(1, "b"), 2).is_none());
    }

    #[test]
    fn the_section_used_longest_ago_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 200);
        cache.put(&key(1, "old"), b"abc");
        cache.put(&key(1, "new"), b"def");
        let old = dir.path().join("sections").join(file_name(&key(1, "old").0));
        let file = fs::OpenOptions::new().append(true).open(old).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        cache.put(&key(1, "third"), b"ghi");
        assert!(cache.get(&key(1, "old"), 3).is_none());
        assert!(cache.get(&key(1, "new"), 3).is_some());
        assert!(cache.get(&key(1, "third"), 3).is_some());
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
