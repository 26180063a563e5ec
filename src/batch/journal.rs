//! What systemd's journal says of the cores that systemd-coredump stored: the unit, above all,
//! which is in none of the file's attributes. Read from `journalctl -o json` or `-o export`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use obit_corefile::archive::{FACT_OF_FIELD, JournalSender};

/// Bytes of a line; of a longer one, and of a longer binary field, the entry says nothing.
const LONGEST: u64 = 1 << 20;
/// Bytes of a value that is kept.
const LONGEST_VALUE: usize = 4096;
/// Entries that are kept.
const MOST: usize = 1_000_000;

/// The field with the path of the stored core.
const PATH: &str = "COREDUMP_FILENAME";
/// Facts by the path of the core that they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    facts: HashMap<PathBuf, Vec<(String, String)>>,
    /// Entries about cores that somebody else may have sent.
    refused: usize,
    /// A core is in an entry itself (`Storage=journal`): the file is an archive of cores.
    pub has_cores: bool,
}

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file.
    #[error("{}: {source}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no entry of a core in it.
    #[error(
        "{}: no entry of systemd-coredump; `journalctl -o json > FILE` writes them, or -o export",
        path.display()
    )]
    NoCores {
        /// Its path.
        path: PathBuf,
    },
    /// There are entries of cores, none of which is certainly systemd-coredump's.
    #[error(
        "{}: none of the entries about cores ({count}) has a `_SYSTEMD_UNIT` of systemd-coredump@…: anybody \
         can send such entries, so they are not used",
        path.display()
    )]
    OfOthers {
        /// Its path.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },
}

impl Journal {
    /// The journal in the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or says nothing of any core.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Io { path: path.to_owned(), source };
        // As the user named it: it may be a pipe.
        let file = File::open(path).map_err(failed)?;
        let found = Self::read(BufReader::new(file)).map_err(failed)?;
        match (found.facts.is_empty() && !found.has_cores, found.refused) {
            (false, _) => Ok(found),
            (true, 0) => Err(JournalError::NoCores { path: path.to_owned() }),
            (true, count) => Err(JournalError::OfOthers { path: path.to_owned(), count }),
        }
    }

    /// What is known about the core at `path`: facts as a collector writes them beside one.
    pub(super) fn facts(&self, path: &Path) -> &[(String, String)] {
        let absolute = std::path::absolute(path);
        let found = absolute.ok().and_then(|path| self.facts.get(&path));
        found.map_or(&[], Vec::as_slice)
    }

    fn read(mut journal: impl BufRead) -> io::Result<Self> {
        let mut found = Self::default();
        let is_json = journal.fill_buf()?.first() == Some(&b'{');
        let mut entry = Entry::default();
        while let Some(line) = line(&mut journal)? {
            match line {
                Line::TooLong => entry.is_damaged = true,
                Line::Whole(line) if is_json => found.add(Entry::of_json(&line)),
                Line::Whole(line) if line.is_empty() => found.add(std::mem::take(&mut entry)),
                Line::Whole(line) => entry.take(&line, &mut journal)?,
            }
        }
        found.add(entry);
        Ok(found)
    }

    fn add(&mut self, entry: Entry) {
        let is_collectors = entry.sender.may_be_collector();
        self.has_cores |= entry.has_core;
        let Some(path) = entry.path.filter(|_| !entry.is_damaged) else { return };
        if !is_collectors {
            self.refused += 1;
        } else if self.facts.len() < MOST {
            self.facts.insert(path, entry.facts);
        }
    }
}

/// An entry of the journal, as far as it is of interest.
#[derive(Default)]
struct Entry {
    path: Option<PathBuf>,
    facts: Vec<(String, String)>,
    /// It ends early, or a line of it is too long.
    is_damaged: bool,
    /// The core is in it.
    has_core: bool,
    sender: JournalSender,
}

impl Entry {
    /// Of an object with a value for each field. Values that are not text are arrays of numbers,
    /// and long ones null.
    fn of_json(line: &[u8]) -> Self {
        let mut entry = Self::default();
        if let Ok(Value::Object(fields)) = serde_json::from_slice(line) {
            for (name, value) in &fields {
                if let Value::String(text) = value {
                    entry.field(name, text);
                }
            }
        }
        entry
    }

    /// A field of the export format: `NAME=text`, or the name alone and then the length of its
    /// bytes, the bytes and a line break. Source: systemd's JOURNAL_EXPORT_FORMATS.
    fn take(&mut self, line: &[u8], journal: &mut impl BufRead) -> io::Result<()> {
        let text = String::from_utf8_lossy(line);
        if let Some((name, value)) = text.split_once('=') {
            self.field(name, value);
            return Ok(());
        }
        let mut length = [0; 8];
        if journal.read_exact(&mut length).is_err() {
            self.is_damaged = true;
            return Ok(());
        }
        // The whole core may be in a field: it is skipped here.
        self.has_core |= line == b"COREDUMP";
        let length = u64::from_le_bytes(length);
        let mut value = Vec::new();
        let kept = length.min(LONGEST_VALUE as u64);
        journal.by_ref().take(kept).read_to_end(&mut value)?;
        let rest = length.saturating_sub(kept).saturating_add(1);
        io::copy(&mut journal.by_ref().take(rest), &mut io::sink())?;
        if let Ok(value) = String::from_utf8(value) {
            self.field(&text, &value);
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: &str) {
        if value.is_empty() || value.len() > LONGEST_VALUE {
            return;
        }
        self.sender.see(name, value);
        if name == PATH {
            self.path = Some(PathBuf::from(value));
        } else if let Some((_, fact)) = FACT_OF_FIELD.iter().find(|(field, _)| *field == name) {
            self.facts.push(((*fact).to_owned(), value.to_owned()));
        }
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line, without its end.
fn line(journal: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    if journal.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|byte| *byte == b'\n').is_some() || (line.len() as u64) < LONGEST {
        return Ok(Some(Line::Whole(line)));
    }
    loop {
        line.clear();
        let read = journal.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 || line.ends_with(b"\n") {
            return Ok(Some(Line::TooLong));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(journal: &[u8], path: &str) -> Vec<String> {
        let found = Journal::read(journal).unwrap();
        found.facts(Path::new(path)).iter().map(|(name, text)| format!("{name}={text}")).collect()
    }

    #[test]
    fn lines_of_json_and_the_export_format_say_the_same() {
        let json = "{\"MESSAGE\":[1,2],\"COREDUMP_FILENAME\":\"/c/core.1\",\
                    \"COREDUMP_UNIT\":\"web.service\",\"COREDUMP_PID\":\"4711\"}\n\
                    {\"MESSAGE\":\"other\"}\nnonsense\n";
        let wanted = ["pid=4711", "unit=web.service"];
        let mut found = facts(json.as_bytes(), "/c/core.1");
        found.sort();
        assert_eq!(found, wanted);
        let mut export = b"__CURSOR=x\nCOREDUMP_FILENAME=/c/core.1\nCOREDUMP\n".to_vec();
        export.extend(10_000_u64.to_le_bytes());
        export.extend([b'\n'; 10_000]);
        export.extend(b"\nCOREDUMP_PID=4711\nCOREDUMP_UNIT\n");
        export.extend(11_u64.to_le_bytes());
        export.extend(b"web.service\n\nMESSAGE=other\n\n");
        assert_eq!(facts(&export, "/c/core.1"), wanted);
        assert_eq!(facts(&export, "/c/core.2"), [] as [String; 0]);
    }

    #[test]
    fn an_entry_that_is_cut_or_has_a_line_that_is_too_long_says_nothing() {
        let mut cut = b"COREDUMP_FILENAME=/c/core.1\nCOREDUMP_UNIT\n".to_vec();
        cut.extend([1, 2, 3]);
        assert_eq!(facts(&cut, "/c/core.1"), [] as [String; 0]);
        let mut long = b"COREDUMP_FILENAME=/c/core.1\nX=".to_vec();
        long.extend(vec![b'x'; 3 << 20]);
        long.extend(b"\n\nCOREDUMP_FILENAME=/c/core.2\nCOREDUMP_PID=2\n");
        assert_eq!(facts(&long, "/c/core.1"), [] as [String; 0]);
        assert_eq!(facts(&long, "/c/core.2"), ["pid=2"]);
        // A length that no file has is not set aside.
        let mut huge = b"COREDUMP_UNIT\n".to_vec();
        huge.extend(u64::MAX.to_le_bytes());
        assert_eq!(facts(&huge, "/c/core.1"), [] as [String; 0]);
    }

    #[test]
    fn an_entry_that_somebody_else_sent_is_not_believed() {
        let entry = |unit: &str, sender: &str| {
            format!(
                "{sender}COREDUMP_FILENAME=/var/lib/systemd/coredump/core.a\nCOREDUMP_UNIT={unit}\n\n"
            )
        };
        let own = "_UID=1000\n_SYSTEMD_UNIT=systemd-coredump@1-2-0.service\n";
        let forged = "_UID=1000\n_COMM=systemd-coredum\n_SYSTEMD_UNIT=user@1000.service\n";
        let journal = entry("web.service", own) + &entry("sshd.service", forged);
        let found = facts(journal.as_bytes(), "/var/lib/systemd/coredump/core.a");
        assert_eq!(found, ["unit=web.service"]);
        // journald does not know the unit of a process that is gone when it looks.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, entry("web.service", "_UID=999\n_PID=7\n")).unwrap();
        let error = Journal::open(file.path()).unwrap_err().to_string();
        assert!(error.contains("cores (1) has"), "{error}");
    }
}
