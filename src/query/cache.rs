//! Answers that are kept: a question that is asked again reads only what changed.
//!
//! A file for each question, in a directory of the user's own. What it is made from names it:
//! the version of obit, the question, and every option that changes an answer. An answer counts
//! as long as its core is the same file (path, size, times of change, inode, device), and so are
//! the files of the program, of its libraries and their debug files.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::answer::CoreAnswer;
use super::used_files::Now;
use obit_corefile::mapped_file::open_regular;
use obit_triage::store::FileStamp;

/// The version of the layout, and of what answers hold.
const FORMAT: &str = "obit.answers/2";
/// End of the name of a file.
const EXTENSION: &str = "answers";
/// Bytes of one file, unpacked.
const MOST_BYTES: usize = 256 << 20;
/// Bytes of one core's answers.
const LONGEST_LINE: u64 = 64 << 20;
/// Questions that are kept.
const MOST_FILES: usize = 64;
/// Bytes of all files.
const MOST_OF_ALL: u64 = 1 << 30;
/// A file in the making that is older was left behind by a process that was killed.
const STALE_SECONDS: u64 = 3_600;

/// What names the answers to one question.
#[derive(Clone, Debug)]
pub struct CacheKey(Sha256);

impl Default for CacheKey {
    fn default() -> Self {
        let key = Self(Sha256::new());
        key.with("format", FORMAT.as_bytes()).with("version", env!("CARGO_PKG_VERSION").as_bytes())
    }
}

impl CacheKey {
    /// Something that changes answers.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        for part in [name.as_bytes(), value] {
            // Length first: else `ab`, `c` and `a`, `bc` were the same.
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    fn name(&self) -> String {
        HEXLOWER.encode(&self.0.clone().finalize())
    }
}

/// Which state of a core an answer is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreStamp {
    file: FileStamp,
    /// When the file, or what is known of it, was changed last, in nanoseconds since 1970: the
    /// time of the content can be set back.
    changed: i64,
}

impl CoreStamp {
    /// Of the file at `path`, as the user named it: answers quote it.
    pub(super) fn of(path: &Path, stamp: &FileStamp, metadata: &fs::Metadata) -> Self {
        let hasher = Sha256::new().chain_update(stamp.key);
        let key = hasher.chain_update(path.as_os_str().as_bytes()).finalize();
        let changed = metadata.ctime().saturating_mul(1_000_000_000);
        Self {
            file: FileStamp { key: key.into(), ..stamp.clone() },
            changed: changed.saturating_add(metadata.ctime_nsec()),
        }
    }
}

/// The answers to one question.
#[derive(Debug)]
pub struct AnswerCache {
    path: PathBuf,
    name: String,
    entries: HashMap<[u8; 32], Entry>,
    has_new: bool,
    now: Now,
}

#[derive(Debug)]
struct Entry {
    stamp: CoreStamp,
    answers: Box<RawValue>,
    /// Whether this run asked for it.
    is_used: bool,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    size: u64,
    mtime: i64,
    inode: u64,
    device: u64,
    ctime: i64,
    answers: Box<RawValue>,
}

impl AnswerCache {
    /// Those in `directory`, which must be private. What cannot be read is not there.
    pub fn open(directory: &Path, key: &CacheKey) -> Self {
        let name = key.name();
        let path = directory.join(&name).with_extension(EXTENSION);
        let entries = read(&path, &name).unwrap_or_default();
        Self { path, name, entries, has_new: false, now: Now::default() }
    }

    /// The answers of the cores in a file, if neither it nor a file that they were made with
    /// has changed.
    pub fn get(&mut self, stamp: &CoreStamp) -> Option<Vec<CoreAnswer>> {
        let entry = self.entries.get_mut(&stamp.file.key).filter(|entry| entry.stamp == *stamp)?;
        let answers: Vec<CoreAnswer> = serde_json::from_str(entry.answers.get()).ok()?;
        let now = &mut self.now;
        let is_same = answers.iter().all(|answer| now.has(&answer.files));
        entry.is_used = is_same;
        is_same.then_some(answers)
    }

    /// Keeps the answers of the cores in a file.
    pub fn put(&mut self, stamp: &CoreStamp, answers: &[CoreAnswer]) {
        if let Ok(answers) = serde_json::value::to_raw_value(answers) {
            let entry = Entry { stamp: stamp.clone(), answers, is_used: true };
            self.entries.insert(stamp.file.key, entry);
            self.has_new = true;
        }
    }

    /// Writes what is new, and removes the questions that were asked longest ago if there are
    /// too many.
    ///
    /// # Errors
    /// Those of the file system: nothing is half written.
    pub fn store(self) -> io::Result<()> {
        if !self.has_new {
            // It was used now.
            let file = fs::OpenOptions::new().append(true).open(&self.path);
            return file.and_then(|file| file.set_modified(SystemTime::now())).or(Ok(()));
        }
        let draft = self.path.with_extension(format!("{}.draft", std::process::id()));
        let written = self.write(&draft).and_then(|()| fs::rename(&draft, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        if let Some(directory) = self.path.parent() {
            prune(directory);
        }
        written
    }

    fn write(&self, draft: &Path) -> io::Result<()> {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
        let mut out = zstd::Encoder::new(file, 1)?;
        let header = Header { format: FORMAT.to_owned(), key: self.name.clone() };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        // What this run did not ask for is left out first.
        let mut entries: Vec<_> = self.entries.values().collect();
        entries.sort_by_key(|entry| (!entry.is_used, entry.stamp.file.key));
        let mut left = MOST_BYTES;
        for Entry { stamp: CoreStamp { file: stamp, changed }, answers, .. } in entries {
            let length = answers.get().len();
            let Some(rest) = left.checked_sub(length).filter(|_| (length as u64) < LONGEST_LINE)
            else {
                continue;
            };
            left = rest;
            let line = Line {
                key: HEXLOWER.encode(&stamp.key),
                size: stamp.size,
                mtime: stamp.mtime,
                inode: stamp.inode,
                device: stamp.device,
                ctime: *changed,
                answers: answers.clone(),
            };
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
        out.finish()?.flush()
    }
}

/// What a file holds; `None` if it is another's, or damaged.
fn read(path: &Path, name: &str) -> Option<HashMap<[u8; 32], Entry>> {
    let file = open_regular(path).ok()?;
    let unpacked = zstd::Decoder::new(file).ok()?.take((MOST_BYTES as u64).saturating_mul(2));
    let mut lines = BufReader::new(unpacked);
    let header: Header = serde_json::from_slice(&line(&mut lines)?).ok()?;
    if header.format != FORMAT || header.key != name {
        return None;
    }
    let mut entries = HashMap::new();
    while let Some(bytes) = line(&mut lines) {
        let line: Line = serde_json::from_slice(&bytes).ok()?;
        let key: [u8; 32] = HEXLOWER.decode(line.key.as_bytes()).ok()?.try_into().ok()?;
        let Line { size, mtime, inode, device, ctime, answers, .. } = line;
        let file = FileStamp { key, size, mtime, inode, device };
        let stamp = CoreStamp { file, changed: ctime };
        entries.insert(key, Entry { stamp, answers, is_used: false });
    }
    Some(entries)
}

fn line(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut bytes).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// Removes all kept answers in `directory`, and no other file: how many questions, and bytes.
///
/// # Errors
/// One cannot be removed.
pub fn clear_answers(directory: &Path) -> io::Result<(u64, u64)> {
    let (mut count, mut bytes) = (0, 0);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let is_ours = path.extension().is_some_and(|end| end == EXTENSION || end == "draft");
        if is_ours && entry.file_type()?.is_file() {
            bytes += entry.metadata()?.len();
            fs::remove_file(&path)?;
            count += 1;
        }
    }
    Ok((count, bytes))
}

/// Removes the files that were used longest ago while there are too many.
fn prune(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(metadata) = entry.metadata() else { continue };
        let Ok(used) = metadata.modified() else { continue };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let age = used.elapsed().map_or(0, |age| age.as_secs());
        if name.ends_with(".draft") && age > STALE_SECONDS {
            let _ = fs::remove_file(&path);
        } else if name.ends_with(EXTENSION) {
            files.push((used, metadata.len(), path));
        }
    }
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
    let mut count = files.len();
    for (_, length, path) in files {
        if count <= MOST_FILES && bytes <= MOST_OF_ALL {
            break;
        }
        let _ = fs::remove_file(path);
        count -= 1;
        bytes = bytes.saturating_sub(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(number: u8) -> CoreStamp {
        let file = FileStamp { key: [number; 32], size: 7, mtime: 1, inode: 2, device: 3 };
        CoreStamp { file, changed: 4 }
    }

    fn answer(pid: i64) -> Vec<CoreAnswer> {
        let mut answer = CoreAnswer::default();
        answer.core.pid = Some(pid);
        vec![answer]
    }

    #[test]
    fn answers_are_kept_for_the_same_question_and_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let key = CacheKey::default().with("query", b"walk");
        let mut cache = AnswerCache::open(directory.path(), &key);
        cache.put(&stamp(1), &answer(10));
        cache.store().unwrap();
        let mut again = AnswerCache::open(directory.path(), &key);
        assert_eq!(again.get(&stamp(1)), Some(answer(10)));
        let file = FileStamp { mtime: 2, ..stamp(1).file };
        assert_eq!(again.get(&CoreStamp { file, ..stamp(1) }), None);
        // Its time was set back after it was written.
        assert_eq!(again.get(&CoreStamp { changed: 5, ..stamp(1) }), None);
        assert_eq!(again.get(&stamp(2)), None);
        // What another run adds, too.
        again.put(&stamp(2), &answer(11));
        again.store().unwrap();
        let mut both = AnswerCache::open(directory.path(), &key);
        assert!(both.get(&stamp(1)).is_some() && both.get(&stamp(2)).is_some());
        let other = CacheKey::default().with("query", b"wal");
        assert_eq!(AnswerCache::open(directory.path(), &other).get(&stamp(1)), None);
    }

    #[test]
    fn a_damaged_file_is_none_and_is_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let key = CacheKey::default();
        let mut cache = AnswerCache::open(directory.path(), &key);
        cache.put(&stamp(1), &answer(10));
        let path = cache.path.clone();
        cache.store().unwrap();
        let whole = fs::read(&path).unwrap();
        for bytes in [&whole[..whole.len() / 2], b"", b"nonsense", &[0x28, 0xb5, 0x2f, 0xfd]] {
            fs::write(&path, bytes).unwrap();
            let mut cache = AnswerCache::open(directory.path(), &key);
            assert_eq!(cache.get(&stamp(1)), None);
            cache.put(&stamp(1), &answer(12));
            cache.store().unwrap();
            let mut cache = AnswerCache::open(directory.path(), &key);
            assert_eq!(cache.get(&stamp(1)), Some(answer(12)));
        }
    }

    #[test]
    fn the_questions_that_were_asked_longest_ago_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..MOST_FILES + 5 {
            let key = CacheKey::default().with("query", &number.to_le_bytes());
            let mut cache = AnswerCache::open(directory.path(), &key);
            cache.put(&stamp(1), &answer(1));
            cache.store().unwrap();
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), MOST_FILES);
        fs::write(directory.path().join("mine"), "").unwrap();
        assert_eq!(clear_answers(directory.path()).unwrap().0, MOST_FILES as u64);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(clear_answers(&directory.path().join("none")).unwrap(), (0, 0));
    }
}
