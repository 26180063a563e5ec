//! Lines of logs that a user gives: when each was written, and by which process. A log is hostile:
//! its lines may be of any length and hold any bytes.

mod journal;
mod mentions;
mod moment;

pub(crate) use mentions::{mentions, mentions_process};
pub(crate) use moment::Moment;

/// Bytes of a log that are read: the last.
pub const MOST_BYTES: u64 = 64 << 20;
/// Bytes of a line that are looked at; the rest of it is left out.
const LONGEST: usize = 64 << 10;
/// Lines that are looked at.
const MOST_LINES: usize = 4_000_000;

/// A log.
#[derive(Clone, Debug, Default)]
pub struct LogFile {
    /// What it is called.
    pub name: String,
    /// Its last bytes.
    pub bytes: Vec<u8>,
    /// Bytes before these.
    pub omitted: u64,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine<'l> {
    /// Its number; of a log of which the beginning was not read, counted from there.
    pub(crate) number: u64,
    /// What it says; of an entry of the journal, its message.
    pub(crate) text: std::borrow::Cow<'l, [u8]>,
    /// When, where it says so.
    pub(crate) moment: Option<Moment>,
    /// The process, where a field says so.
    pub(crate) pid: Option<i64>,
    /// It is longer.
    pub(crate) is_cut: bool,
}

/// The lines of a log, in its order. `year` is that of the crash, for times without one.
pub(crate) fn lines(log: &LogFile, year: Option<i32>) -> Vec<LogLine<'_>> {
    if journal::is_export(&log.bytes) {
        return journal::entries(&log.bytes);
    }
    let mut bytes = log.bytes.as_slice();
    if log.omitted > 0 {
        // The first is the end of one.
        let end = bytes.iter().position(|byte| *byte == b'\n');
        bytes = end.and_then(|end| bytes.get(end.checked_add(1)?..)).unwrap_or_default();
    }
    let mut all: Vec<LogLine<'_>> = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').take(MOST_LINES).enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let number = number as u64 + 1;
        let is_cut = line.len() > LONGEST;
        let text = line.get(..LONGEST).unwrap_or(line);
        if let Some(entry) = journal::of_json(text, number) {
            all.push(entry);
            continue;
        }
        let moment = moment::of_line(text, year);
        all.push(LogLine { number, text: text.into(), moment, pid: None, is_cut });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &[u8]) -> LogFile {
        LogFile { name: "log".to_owned(), bytes: text.to_vec(), omitted: 0 }
    }

    #[test]
    fn lines_have_their_numbers_and_times() {
        let log = log(b"2026-11-30T12:00:01Z one\n\nno time\r\n");
        let found = lines(&log, None);
        let seen: Vec<_> = found.iter().map(|line| (line.number, line.moment.is_some())).collect();
        assert_eq!(seen, [(1, true), (3, false)]);
        assert_eq!(&*found[1].text, b"no time");
    }

    #[test]
    fn a_line_is_cut_and_the_end_of_one_is_none() {
        let long = log(&vec![b'x'; LONGEST + 5]);
        let found = lines(&long, None);
        assert!(found[0].is_cut && found[0].text.len() == LONGEST);
        let mut part = log(b"of a line\nwhole");
        part.omitted = 7;
        let found = lines(&part, None);
        assert_eq!(&*found[0].text, b"whole");
    }

    #[test]
    fn any_bytes_are_survived() {
        for byte in 0..=255_u8 {
            for pattern in [&[byte][..], &[byte, b'['], b"[99/Nov/99999:99:99:99", b"\xff\xfe=\n"] {
                let _ = lines(&log(&pattern.repeat(50)), Some(2026));
            }
        }
    }
}
