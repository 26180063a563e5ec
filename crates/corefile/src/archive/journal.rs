//! An export of systemd's journal: entries of fields, each `NAME=text` or, for any bytes, the
//! name alone, their count in 64 bits (the lowest first), the bytes and a line break. An empty
//! line ends an entry. Source: systemd's JOURNAL_EXPORT_FORMATS.
//!
//! With `Storage=journal`, systemd-coredump puts the core into the field `COREDUMP`.

use std::io::{self, BufRead, BufReader, Read};

use super::ArchiveError;
use super::extract::{Extractor, Kept, Source};

/// Bytes of a line; of a longer one, and of a longer binary field, the entry says nothing.
const LONGEST: u64 = 1 << 20;
/// Bytes of a value that is kept.
const LONGEST_VALUE: usize = 4096;
/// Bytes of the name of a file (`NAME_MAX` of Linux).
const LONGEST_NAME: usize = 255;

/// Fields of an entry, and the names that facts beside a core have. Source: systemd's
/// systemd.journal-fields(7), and `submit_process_info` in coredump-submit.c.
pub const FACT_OF_FIELD: [(&str, &str); 9] = [
    ("COREDUMP_UNIT", "unit"),
    ("COREDUMP_USER_UNIT", "user_unit"),
    ("COREDUMP_HOSTNAME", "hostname"),
    ("COREDUMP_PID", "pid"),
    ("COREDUMP_UID", "uid"),
    ("COREDUMP_SIGNAL", "signal"),
    ("COREDUMP_EXE", "executable"),
    ("COREDUMP_TIMESTAMP", "timestamp"),
    ("COREDUMP_PACKAGE_NAME", "package"),
];
/// The field with the core.
const CORE: &[u8] = b"COREDUMP";

/// Who sent an entry. Anybody can send one with the fields of a core, and systemd-coredump sends
/// its own as the user of the process: only the unit, which journald writes, distinguishes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalSender {
    is_known: bool,
    is_collector: bool,
}

impl JournalSender {
    /// Looks at a field.
    pub fn see(&mut self, name: &str, value: &str) {
        self.is_known |= ["_PID", "_UID", "_COMM", "_SYSTEMD_UNIT"].contains(&name);
        self.is_collector |= name == "_SYSTEMD_UNIT" && value.starts_with("systemd-coredump@");
    }

    /// Whether the entry may be one of systemd-coredump: journald says so, or says nothing.
    pub fn may_be_collector(self) -> bool {
        self.is_collector || !self.is_known
    }
}

/// Hands the cores of an export to `extractor`.
pub(super) fn read(input: impl Read, extractor: &mut Extractor<'_>) -> Result<(), ArchiveError> {
    let mut journal = BufReader::new(input);
    let mut entry = Entry::default();
    let mut number = 0_u64;
    loop {
        let mut line = Vec::new();
        let read = match journal.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(read) => read,
            Err(error) => {
                extractor.end(&error);
                0
            }
        };
        if line.pop_if(|byte| *byte == b'\n').is_none() && read as u64 == LONGEST {
            // The rest of it is not a field of its own.
            match skip_line(&mut journal) {
                Ok(()) => continue,
                Err(error) => extractor.end(&error),
            }
        }
        if line.is_empty() {
            entry.pass_on(extractor)?;
            if read == 0 {
                return Ok(());
            }
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        if let Some((name, value)) = text.split_once('=') {
            entry.field(name, value);
            continue;
        }
        let mut length = [0; 8];
        if let Err(error) = journal.read_exact(&mut length) {
            extractor.end(&error);
            return Ok(());
        }
        let length = u64::from_le_bytes(length);
        if line == CORE && entry.core.is_none() {
            if !extractor.goes_on() {
                return Ok(());
            }
            number = number.saturating_add(1);
            let name = format!("core.{number}");
            let source =
                Source { name: name.as_bytes(), size: length, modified: None, facts: Vec::new() };
            let mut content = journal.by_ref().take(length);
            entry.core = extractor.keep(&source, &mut content)?;
            let rest = content.limit();
            skip(&mut journal, rest.saturating_add(1), extractor);
            continue;
        }
        let mut value = Vec::new();
        let kept = length.min(LONGEST_VALUE as u64);
        if let Err(error) = journal.by_ref().take(kept).read_to_end(&mut value) {
            extractor.end(&error);
        }
        skip(&mut journal, length.saturating_sub(kept).saturating_add(1), extractor);
        if let Ok(value) = String::from_utf8(value) {
            entry.field(&text, &value);
        }
    }
}

fn skip(journal: &mut impl Read, count: u64, extractor: &mut Extractor<'_>) {
    if let Err(error) = io::copy(&mut journal.by_ref().take(count), &mut io::sink()) {
        extractor.end(&error);
    }
}

fn skip_line(journal: &mut impl BufRead) -> io::Result<()> {
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let read = journal.by_ref().take(LONGEST).read_until(b'\n', &mut piece)?;
        if read == 0 || piece.ends_with(b"\n") {
            return Ok(());
        }
    }
}

/// An entry, as far as it is of interest.
#[derive(Default)]
struct Entry {
    core: Option<Kept>,
    facts: Vec<(String, String)>,
    sender: JournalSender,
}

impl Entry {
    fn field(&mut self, name: &str, value: &str) {
        if value.is_empty() || value.len() > LONGEST_VALUE {
            return;
        }
        self.sender.see(name, value);
        if let Some((_, fact)) = FACT_OF_FIELD.iter().find(|(field, _)| *field == name) {
            self.facts.push(((*fact).to_owned(), value.to_owned()));
        }
    }

    /// Ends the entry: what follows is another.
    fn pass_on(&mut self, extractor: &mut Extractor<'_>) -> Result<(), ArchiveError> {
        let Self { core, facts, sender } = std::mem::take(self);
        let Some(mut core) = core else { return Ok(()) };
        if !sender.may_be_collector() {
            let count = &mut extractor.left_out.not_of_collector;
            *count = count.saturating_add(1);
            return Ok(());
        }
        // The name that systemd-coredump's files begin with.
        let fact = |wanted: &str| facts.iter().find(|(name, _)| name == wanted);
        let program = fact("executable").and_then(|(_, exe)| exe.rsplit('/').next());
        let pid = fact("pid").map(|(_, pid)| pid.as_str());
        if let (Some(program), Some(pid)) = (program, pid) {
            let is_plain =
                |text: &str| text.chars().all(|c| c.is_alphanumeric() || "._-+".contains(c));
            let number = core.path.extension().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("core.{program}.{pid}.{number}");
            if is_plain(program) && is_plain(pid) && name.len() <= LONGEST_NAME {
                core.path = name.into();
            }
        }
        extractor.pass_on(core, facts)
    }
}
