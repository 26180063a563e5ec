//! Names of just-in-time compiled code from a map as `perf` reads it: `/tmp/perf-PID.map` of
//! the machine where the process ran, kept beside the core or named by the user. It is never
//! looked for elsewhere: on another machine that number is another process'.

use std::path::PathBuf;

use super::locator::Locator;
use obit_corefile::addr::Avma;
use obit_corefile::mapped_file::MappedFile;

/// Bytes of a map that are read.
const LARGEST: usize = 256 << 20;
/// Entries that are kept, and bytes of a name.
const MOST: usize = 1 << 20;
const NAME_BYTES: usize = 4096;

/// What a map says: functions by address.
#[derive(Debug, Default)]
pub struct JitNames {
    /// By start, then by their order in the map.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    start: u64,
    end: u64,
    name: String,
}

impl Locator {
    /// The names of the map that the user gave, else of `perf-PID.map` beside the core;
    /// `pid` is that of the crashed process.
    pub fn jit_names(&self, pid: Option<i64>) -> Option<JitNames> {
        let beside = || -> Option<PathBuf> {
            let pid = pid.filter(|pid| *pid > 0)?;
            Some(self.rules.core_directory.as_ref()?.join(format!("perf-{pid}.map")))
        };
        let path = self.rules.jit_map.clone().or_else(beside)?;
        let file = MappedFile::open(&path).ok()?;
        let bytes: &[u8] = &file;
        Some(JitNames::parse(bytes.get(..LARGEST).unwrap_or(bytes)))
    }
}

impl JitNames {
    /// Reads lines of `START SIZE NAME`, both numbers hexadecimal; others are skipped.
    pub fn parse(map: &[u8]) -> Self {
        let lines = map.split(|byte| *byte == b'\n');
        let mut entries: Vec<Entry> = lines.filter_map(entry).take(MOST).collect();
        // Stable: of two at one place the later is the code that ran last.
        entries.sort_by_key(|entry| entry.start);
        Self { entries }
    }

    /// The name of the code at `at`.
    pub fn at(&self, at: Avma) -> Option<&str> {
        let after = self.entries.partition_point(|entry| entry.start <= at.0);
        let entry = self.entries.get(after.checked_sub(1)?)?;
        (at.0 < entry.end).then_some(entry.name.as_str())
    }
}

fn entry(line: &[u8]) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let mut parts = line.splitn(3, ' ');
    let mut number = || {
        let text = parts.next()?;
        u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
    };
    let (start, size) = (number()?, number()?);
    let name = parts.next()?.trim();
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES && !name.contains(char::is_control);
    let end = start.checked_add(size).filter(|_| is_name && size > 0)?;
    Some(Entry { start, end, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(map: &str, at: u64) -> Option<String> {
        JitNames::parse(map.as_bytes()).at(Avma(at)).map(str::to_owned)
    }

    #[test]
    fn a_name_holds_for_its_bytes_and_may_have_spaces() {
        let map = "7f00 20 LazyCompile:*sum /srv/app.js:3\n0x8000 0x10 int Parcel::weigh()\n";
        assert_eq!(name(map, 0x7eff), None);
        assert_eq!(name(map, 0x7f00).as_deref(), Some("LazyCompile:*sum /srv/app.js:3"));
        assert_eq!(name(map, 0x7f1f).as_deref(), Some("LazyCompile:*sum /srv/app.js:3"));
        assert_eq!(name(map, 0x7f20), None);
        assert_eq!(name(map, 0x800f).as_deref(), Some("int Parcel::weigh()"));
    }

    #[test]
    fn of_two_at_one_place_the_later_counts() {
        assert_eq!(name("100 10 old\n100 8 new\n", 0x104).as_deref(), Some("new"));
    }

    #[test]
    fn a_line_that_is_not_of_a_map_is_skipped() {
        let map = "\nx 10 a\n100 0 b\n100 10\n100 10 \x1b[2J\nffffffffffffffff 2 c\n100 10 d";
        assert_eq!(name(map, 0x100).as_deref(), Some("d"));
        assert_eq!(name(map, u64::MAX), None);
    }
}
