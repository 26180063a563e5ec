//! Who changed, revealed or shared what, who logged in, and who opened a shared link: a file of JSON lines that is only ever appended to.
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
use obit_triage::store::files_beside;
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
    /// It ends within a line: a write was interrupted.
    #[error(
        "the audit log {} has an incomplete last line, {bytes} bytes of line {line}: a write was \
         interrupted; the next entry of `obit serve`, or its next start, removes it and says so",
        path.display()
    )]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// What there is of it.
        bytes: u64,
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
    /// The log that lies beside the store at `store`; of a store on a server, in the user's
    /// directory of state.
    pub fn beside(store: &Path) -> Self {
        let mut path: OsString = files_beside(store).into_os_string();
        path.push("-audit.jsonl");
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one more line to the disk. `entry` needs no number and no hash. What was written
    /// last as far as the caller knows must still be there. An incomplete last line is removed
    /// first, which is an entry itself.
    ///
    /// # Errors
    /// When it cannot be written (the log is then as before), or the end of the log is not one
    /// that was written here.
    pub fn append(&self, entry: Entry, known: Option<&Anchor>) -> Result<Anchor, AuditError> {
        self.append_by(entry, known, &mut |file, line| file.write_all(line))
    }

    fn append_by(
        &self,
        entry: Entry,
        known: Option<&Anchor>,
        write: WriteAll<'_>,
    ) -> Result<Anchor, AuditError> {
        let mut file = self.open_to_append()?;
        let mut last = self.last(&mut file)?;
        if last.is_none() {
            last = self.repair_open(&mut file, known, entry.time, write)?;
        }
        let last = last.filter(|last| last.n > 0);
        if let Some(known) = known {
            let there = last.as_ref().map_or(0, |last| last.n);
            if there < known.n || (there == known.n && last.as_ref() != Some(known)) {
                let problem = format!("line {} is not the one that this server wrote", known.n);
                return Err(AuditError::Anchor { path: self.path.clone(), problem });
            }
        }
        self.write(&mut file, entry, last, write)
    }

    /// Removes an incomplete last line, and says so in the log; gives the anchor of the last
    /// line. For a log that is there.
    ///
    /// # Errors
    /// When it was changed, or cannot be read or written.
    pub fn repair(&self, time: i64) -> Result<Option<Anchor>, AuditError> {
        match self.verify(None, &mut |_| {}) {
            Err(AuditError::Incomplete { .. }) => {
                let mut file = self.open_to_append()?;
                self.repair_open(&mut file, None, time, &mut |file, line| file.write_all(line))
            }
            verified => verified,
        }
    }

    /// The file, locked against other servers and other threads of this one.
    fn open_to_append(&self) -> Result<File, AuditError> {
        let io = |source| self.io(source);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let file = options.open(&self.path).map_err(io)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
        Ok(file)
    }

    /// Checks all lines, and removes what is behind the last whole one.
    fn repair_open(
        &self,
        file: &mut File,
        known: Option<&Anchor>,
        time: i64,
        write: WriteAll<'_>,
    ) -> Result<Option<Anchor>, AuditError> {
        let io = |source| self.io(source);
        let Checked { last, whole, tail } = self.check(file, known, &mut |_| {})?;
        if tail.is_empty() {
            return Ok(last);
        }
        let mut ended = tail.clone();
        ended.push(b'\n');
        if let Ok(line) = line_of(&ended)
            && follows(&line, last.as_ref()).is_ok()
        {
            // Only its end is missing: it is what was to be written.
            write(file, b"\n").and_then(|()| file.sync_data()).map_err(io)?;
            return Ok(Some(anchor_of(&line)));
        }
        let entry = Entry {
            time,
            user: "obit".to_owned(),
            action: "line-removed".to_owned(),
            detail: format!(
                "incomplete line of {} bytes removed; its SHA-256 was {}",
                tail.len(),
                HEXLOWER.encode(&Sha256::digest(&tail))
            ),
            ..Entry::default()
        };
        file.set_len(whole).map_err(io)?;
        let written = self.write(file, entry, last, write);
        if written.is_err() {
            // Nothing is removed without an entry. There was room for it before.
            let _ = file.write_all(&tail).and_then(|()| file.sync_data());
        }
        written.map(Some)
    }

    /// Writes one line behind `last`, or nothing.
    fn write(
        &self,
        file: &mut File,
        entry: Entry,
        last: Option<Anchor>,
        write: WriteAll<'_>,
    ) -> Result<Anchor, AuditError> {
        let io = |source| self.io(source);
        let short = |text: &str| text.chars().take(TEXT).collect::<String>();
        let entry = Entry {
            n: last.as_ref().map_or(0, |last| last.n).saturating_add(1),
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
        let before = file.metadata().map_err(io)?.len();
        if let Err(error) = write(file, &line).and_then(|()| file.sync_data()) {
            // What cannot be taken back is an incomplete line, which the next one repairs.
            let _ = file.set_len(before).and_then(|()| file.sync_data());
            return Err(io(error));
        }
        Ok(anchor)
    }

    /// The last line, number 0 of an empty log; `None` if it is incomplete.
    fn last(&self, file: &mut File) -> Result<Option<Anchor>, AuditError> {
        let io = |source| self.io(source);
        let end = file.seek(SeekFrom::End(0)).map_err(io)?;
        let from = end.saturating_sub(LONGEST);
        file.seek(SeekFrom::Start(from)).map_err(io)?;
        let mut tail = Vec::new();
        file.take(LONGEST).read_to_end(&mut tail).map_err(io)?;
        if tail.is_empty() {
            return Ok(Some(Anchor { n: 0, hash: String::new() }));
        }
        let Some(whole) = tail.strip_suffix(b"\n") else { return Ok(None) };
        let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let last = tail.get(start..).and_then(|text| line_of(text).ok());
        let last = last.ok_or_else(|| AuditError::Broken {
            path: self.path.clone(),
            line: 0,
            problem: "(the last one) is not as it was written; `obit audit verify` says more",
        })?;
        Ok(Some(anchor_of(&last)))
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
        let mut file = File::open(&self.path).map_err(io)?;
        flock(&file, FlockOperation::LockShared).map_err(|error| io(error.into()))?;
        let Checked { last, tail, .. } = self.check(&mut file, anchor, take)?;
        match tail.len() {
            0 => Ok(last),
            bytes => Err(AuditError::Incomplete {
                path: self.path.clone(),
                line: last.map_or(0, |last| last.n).saturating_add(1),
                bytes: bytes as u64,
            }),
        }
    }

    fn check(
        &self,
        file: &mut File,
        anchor: Option<&Anchor>,
        take: &mut dyn FnMut(&Line),
    ) -> Result<Checked, AuditError> {
        let io = |source| self.io(source);
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut reader = BufReader::new(file);
        let mut checked = Checked::default();
        let mut is_anchored = anchor.is_none();
        loop {
            let mut text = Vec::new();
            let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut text).map_err(io)?;
            if read == 0 {
                break;
            }
            if !text.ends_with(b"\n") && (read as u64) < LONGEST {
                checked.tail = text;
                break;
            }
            let number = checked.last.as_ref().map_or(0, |last| last.n).saturating_add(1);
            let broken = |problem| {
                let path = self.path.clone();
                AuditError::Broken { path, line: number, problem }
            };
            let line = line_of(&text).map_err(broken)?;
            follows(&line, checked.last.as_ref()).map_err(broken)?;
            let here = anchor_of(&line);
            if let Some(anchor) = anchor.filter(|anchor| anchor.n == number) {
                if *anchor != here {
                    let problem = format!("line {number} is not the one of the anchor");
                    return Err(AuditError::Anchor { path: self.path.clone(), problem });
                }
                is_anchored = true;
            }
            take(&line);
            checked.last = Some(here);
            checked.whole = checked.whole.saturating_add(read as u64);
        }
        match anchor.filter(|anchor| !is_anchored && anchor.n > 0) {
            Some(anchor) => {
                let there = checked.last.as_ref().map_or(0, |last| last.n);
                let problem = format!("the anchor is of line {}, and it has {there}", anchor.n);
                Err(AuditError::Anchor { path: self.path.clone(), problem })
            }
            None => Ok(checked),
        }
    }

    fn io(&self, source: io::Error) -> AuditError {
        AuditError::Io { path: self.path.clone(), source }
    }
}

/// Writes all of a line: a full disk is made of it in tests.
type WriteAll<'w> = &'w mut dyn FnMut(&mut File, &[u8]) -> io::Result<()>;

/// A log whose whole lines are as they were written.
#[derive(Default)]
struct Checked {
    last: Option<Anchor>,
    /// Bytes of the whole lines.
    whole: u64,
    /// What is behind them.
    tail: Vec<u8>,
}

fn anchor_of(line: &Line) -> Anchor {
    Anchor { n: line.entry.n, hash: line.hash.clone() }
}

/// Whether the line is the one behind `last`.
fn follows(line: &Line, last: Option<&Anchor>) -> Result<(), &'static str> {
    if line.entry.n != last.map_or(0, |last| last.n).saturating_add(1) {
        return Err("has another number: lines before it were removed or moved");
    }
    let is_next = match last {
        Some(last) => line.entry.previous == last.hash,
        None => line.entry.previous == "0".repeat(64),
    };
    if is_next { Ok(()) } else { Err("does not follow from the line before it") }
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
mod tests;
