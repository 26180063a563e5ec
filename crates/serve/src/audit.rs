//! Who changed, revealed or opened what: a file of JSON lines that is only ever appended to.
//! Each line has the hash of the one before, so a line that is changed, removed, added or moved
//! breaks the chain. What a chain cannot show is that its last lines are gone, or that all of it
//! was written anew: for that, the number and hash of its last line are to be kept elsewhere
//! ([`Anchor`]).

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use data_encoding::HEXLOWER;
use obit_report::json::write_line;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a line, with its end.
const LONGEST: u64 = 16 << 10;
/// Characters of each text in it.
const TEXT: usize = 1_000;

/// One line, without its own hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub n: u64,
    /// When: seconds since 1970.
    pub time: i64,
    /// Who.
    pub user: String,
    /// With which role.
    pub role: String,
    /// What was done: `login`, `state`, `reveal` and others.
    pub action: String,
    /// With what: the id of a group or a dump.
    pub target: String,
    /// How, or why.
    pub detail: String,
    /// The hash of the line before; of the first one, zeros.
    pub previous: String,
}

/// A line as it is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
    /// SHA-256 of the entry's JSON.
    pub hash: String,
}

/// How many lines a log had, and the hash of the last one: kept elsewhere, it shows that none
/// of these were removed or written anew. As text `N:HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Lines.
    pub n: u64,
    /// The hash of line `n`.
    pub hash: String,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.n, self.hash)
    }
}

impl FromStr for Anchor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected N:HASH, as `obit audit verify` prints it";
        let (n, hash) = text.split_once(':').ok_or(WANTED)?;
        let n = n.parse().map_err(|_| WANTED)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(WANTED);
        }
        Ok(Self { n, hash: hash.to_ascii_lowercase() })
    }
}

/// Why a log cannot be used or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The file cannot be read or written.
    #[error("the audit log {} cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not as it was written.
    #[error("the audit log {} was changed: line {line} {problem}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It does not hold what the anchor says.
    #[error("the audit log {} was cut or written anew: {problem}", path.display())]
    Anchor {
        /// The file.
        path: PathBuf,
        /// What is missing.
        problem: String,
    },
}

/// The log of a store.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
}

impl AuditLog {
    /// The log that lies beside the store at `store`.
    pub fn beside(store: &Path) -> Self {
        let mut path: OsString = store.as_os_str().to_owned();
        path.push("-audit.jsonl");
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one more line to the disk. `entry` needs no number and no hash.
    ///
    /// # Errors
    /// When it cannot be written, or the last line is not one that was written here.
    pub fn append(&self, entry: Entry) -> Result<Anchor, AuditError> {
        let io = |source| self.io(source);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(io)?;
        // Another server, or another thread of this one.
        flock(&file, FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
        let last = self.last(&mut file)?;
        let short = |text: &str| text.chars().take(TEXT).collect::<String>();
        let entry = Entry {
            n: last.as_ref().map_or(0, |last| last.entry.n).saturating_add(1),
            previous: last.map_or_else(|| "0".repeat(64), |last| last.hash),
            user: short(&entry.user),
            role: short(&entry.role),
            action: short(&entry.action),
            target: short(&entry.target),
            detail: short(&entry.detail),
            time: entry.time,
        };
        let anchor = Anchor { n: entry.n, hash: hash_of(&entry) };
        let line = text_of(&Line { entry, hash: anchor.hash.clone() });
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(io)?;
        Ok(anchor)
    }

    /// The last line.
    fn last(&self, file: &mut File) -> Result<Option<Line>, AuditError> {
        let io = |source| self.io(source);
        let end = file.seek(SeekFrom::End(0)).map_err(io)?;
        let from = end.saturating_sub(LONGEST);
        file.seek(SeekFrom::Start(from)).map_err(io)?;
        let mut tail = Vec::new();
        file.take(LONGEST).read_to_end(&mut tail).map_err(io)?;
        if tail.is_empty() {
            return Ok(None);
        }
        let broken = || AuditError::Broken {
            path: self.path.clone(),
            line: 0,
            problem: "(the last one) is not as it was written; `obit audit verify` says more",
        };
        let whole = tail.strip_suffix(b"\n").ok_or_else(broken)?;
        let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let last = tail.get(start..).and_then(|text| line_of(text).ok());
        last.map(Some).ok_or_else(broken)
    }

    /// Reads the whole log and checks each line; hands those that are as they were written to
    /// `take`. Gives the anchor of the last one, or `None` of an empty log.
    ///
    /// # Errors
    /// At the first line that is not as it was written; when the log does not hold what
    /// `anchor` says.
    pub fn verify(
        &self,
        anchor: Option<&Anchor>,
        take: &mut dyn FnMut(&Line),
    ) -> Result<Option<Anchor>, AuditError> {
        let io = |source| self.io(source);
        let file = File::open(&self.path).map_err(io)?;
        flock(&file, FlockOperation::LockShared).map_err(|error| io(error.into()))?;
        let mut reader = BufReader::new(file);
        let mut last: Option<Anchor> = None;
        let mut is_anchored = anchor.is_none();
        loop {
            let mut text = Vec::new();
            let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut text).map_err(io)?;
            if read == 0 {
                break;
            }
            let number = last.as_ref().map_or(0, |last| last.n).saturating_add(1);
            let broken = |problem| {
                let path = self.path.clone();
                Err(AuditError::Broken { path, line: number, problem })
            };
            let line = match line_of(&text) {
                Ok(line) => line,
                Err(problem) => return broken(problem),
            };
            let before = last.map_or_else(|| "0".repeat(64), |last| last.hash);
            if line.entry.n != number {
                return broken("has another number: lines before it were removed or moved");
            }
            if line.entry.previous != before {
                return broken("does not follow from the line before it");
            }
            let here = Anchor { n: number, hash: line.hash.clone() };
            if let Some(anchor) = anchor.filter(|anchor| anchor.n == number) {
                if *anchor != here {
                    let problem = format!("line {number} is not the one of the anchor");
                    return Err(AuditError::Anchor { path: self.path.clone(), problem });
                }
                is_anchored = true;
            }
            take(&line);
            last = Some(here);
        }
        match anchor.filter(|anchor| !is_anchored && anchor.n > 0) {
            Some(anchor) => {
                let there = last.as_ref().map_or(0, |last| last.n);
                let problem = format!("the anchor is of line {}, and it has {there}", anchor.n);
                Err(AuditError::Anchor { path: self.path.clone(), problem })
            }
            None => Ok(last),
        }
    }

    fn io(&self, source: io::Error) -> AuditError {
        AuditError::Io { path: self.path.clone(), source }
    }
}

fn text_of(line: &Line) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = write_line(line, &mut text);
    text
}

fn hash_of(entry: &Entry) -> String {
    let mut text = Vec::new();
    let _ = write_line(entry, &mut text);
    HEXLOWER.encode(&Sha256::digest(&text))
}

/// The line that `text` is, if it is so to the letter.
fn line_of(text: &[u8]) -> Result<Line, &'static str> {
    if !text.ends_with(b"\n") {
        return Err("is incomplete");
    }
    let line: Line = serde_json::from_slice(text).map_err(|_| "is not an entry")?;
    if text_of(&line) != text {
        return Err("is not written as it was");
    }
    if hash_of(&line.entry) != line.hash {
        return Err("does not have the hash of what it says");
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn log(directory: &Path, lines: u64) -> AuditLog {
        let log = AuditLog::beside(&directory.join("t.db"));
        for n in 0..lines {
            let entry = Entry {
                time: 1_000 + i64::try_from(n).unwrap(),
                user: "ada".to_owned(),
                action: "state".to_owned(),
                target: format!("g{n}"),
                detail: "\u{1b}[31m\n\"".to_owned(),
                ..Entry::default()
            };
            log.append(entry).unwrap();
        }
        log
    }

    #[test]
    fn a_log_that_no_one_touched_is_whole_and_its_lines_are_plain_text() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 5);
        let mut seen = Vec::new();
        let end = log.verify(None, &mut |line| seen.push(line.entry.target.clone())).unwrap();
        assert_eq!(seen, ["g0", "g1", "g2", "g3", "g4"]);
        let end = end.unwrap();
        assert_eq!(end.n, 5);
        assert_eq!(end.to_string().parse::<Anchor>(), Ok(end.clone()));
        log.verify(Some(&end), &mut |_| {}).unwrap();
        let text = fs::read_to_string(log.path()).unwrap();
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
    }

    #[test]
    fn every_change_of_a_single_byte_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 3);
        let whole = fs::read(log.path()).unwrap();
        for at in 0..whole.len() {
            for byte in [b' ', b'0', b'z', b'\n', b'"'] {
                if whole[at] == byte {
                    continue;
                }
                let mut changed = whole.clone();
                changed[at] = byte;
                fs::write(log.path(), &changed).unwrap();
                assert!(log.verify(None, &mut |_| {}).is_err(), "byte {at} became {byte}");
            }
        }
    }

    #[test]
    fn lines_that_are_removed_added_or_moved_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 4);
        let text = fs::read_to_string(log.path()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for order in [
            &[1, 2, 3][..],
            &[0, 2, 3],
            &[0, 1, 3],
            &[1, 0, 2, 3],
            &[0, 1, 1, 2, 3],
            &[3, 2, 1, 0],
            &[0, 1, 3, 2],
        ] {
            let changed: String = order.iter().map(|at| format!("{}\n", lines[*at])).collect();
            fs::write(log.path(), changed).unwrap();
            assert!(log.verify(None, &mut |_| {}).is_err(), "{order:?}");
        }
        fs::write(log.path(), &text[..text.len() - 1]).unwrap();
        assert!(log.verify(None, &mut |_| {}).unwrap_err().to_string().contains("incomplete"));
    }

    #[test]
    fn an_anchor_shows_what_was_cut_off_and_what_was_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 4);
        let anchor = log.verify(None, &mut |_| {}).unwrap().unwrap();
        let text = fs::read_to_string(log.path()).unwrap();
        let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
        fs::write(log.path(), cut).unwrap();
        // The chain alone cannot know.
        assert_eq!(log.verify(None, &mut |_| {}).unwrap().unwrap().n, 2);
        let error = log.verify(Some(&anchor), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("the anchor is of line 4, and it has 2"), "{error}");
        fs::remove_file(log.path()).unwrap();
        for n in 0..6 {
            let entry = Entry { user: "eve".to_owned(), time: n, ..Entry::default() };
            log.append(entry).unwrap();
        }
        assert_eq!(log.verify(None, &mut |_| {}).unwrap().unwrap().n, 6);
        let error = log.verify(Some(&anchor), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("not the one of the anchor"), "{error}");
    }

    #[test]
    fn nothing_is_appended_to_a_log_whose_end_was_changed() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 2);
        let text = fs::read_to_string(log.path()).unwrap();
        for end in [&text[..text.len() - 3], "nonsense\n", "\n"] {
            fs::write(log.path(), end).unwrap();
            assert!(log.append(Entry::default()).is_err(), "{end:?}");
        }
    }

    #[test]
    fn writers_at_once_make_one_chain() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let log = log.clone();
                scope.spawn(move || {
                    for _ in 0..10 {
                        log.append(Entry::default()).unwrap();
                    }
                });
            }
        });
        assert_eq!(log.verify(None, &mut |_| {}).unwrap().unwrap().n, 41);
    }
}
