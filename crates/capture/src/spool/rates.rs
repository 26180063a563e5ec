//! How often a program may crash and still be captured.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use rustix::fs::{Mode, OFlags, openat};
use serde::{Deserialize, Serialize};

/// The file with the counts.
const FILE: &str = ".rates.json";
/// Bytes of it that are read.
const MOST: u64 = 1 << 20;
/// Programs that are counted, and users; the oldest of each are dropped.
const MOST_KEYS: usize = 1024;

/// How many crashes are captured in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Crashes of one program, of one user.
    pub per_program: u32,
    /// Crashes of all programs of one user.
    pub per_user: u32,
    /// In so many seconds.
    pub seconds: u32,
}

/// What a crash is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateKeys {
    /// The user.
    pub user: String,
    /// The program file, and the user who ran it.
    pub program: String,
}

/// Whether a crash is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// It is.
    Admitted,
    /// It is one too many, of the user or else of the program.
    TooMany {
        /// Crashes that are captured in the while.
        most: u32,
        /// Crashes that were not, up to this one.
        refused: u64,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    users: Windows,
    programs: Windows,
    /// Lines for the journal.
    #[serde(default)]
    lines: Windows,
    /// All crashes that were not captured.
    refused: u64,
}

/// Counts of a kind, each by its key.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Windows(BTreeMap<String, Window>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Window {
    /// Seconds since 1970 of the first crash in it.
    start: i64,
    count: u32,
    refused: u64,
}

/// Counts a crash; the caller holds the lock of the spool.
pub(super) fn admit(
    directory: &File,
    rates: &Rates,
    keys: &RateKeys,
    now: i64,
) -> io::Result<Admission> {
    change(directory, |counts| counts.admit(rates, keys, now))
}

/// Counts a line for the journal; how many there were of its kind in the last `seconds`. The
/// caller holds the lock of the spool.
pub(super) fn count_line(directory: &File, kind: &str, seconds: u32, now: i64) -> io::Result<u32> {
    change(directory, |counts| counts.lines.open(kind, seconds, now).count_one())
}

fn change<T>(directory: &File, change: impl FnOnce(&mut Counts) -> T) -> io::Result<T> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, FILE, flags, Mode::from_raw_mode(0o600))?);
    let mut counts = read(&mut file);
    let result = change(&mut counts);
    let text = serde_json::to_vec(&counts)?;
    file.rewind()?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    Ok(result)
}

pub(super) fn refused(directory: &File) -> u64 {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(directory, FILE, flags, Mode::empty());
    file.map_or(0, |file| read(&mut File::from(file)).refused)
}

/// A file that was cut by a full disk counts from zero.
fn read(file: &mut File) -> Counts {
    let mut text = Vec::new();
    match file.take(MOST).read_to_end(&mut text) {
        Ok(_) => serde_json::from_slice(&text).unwrap_or_default(),
        Err(_) => Counts::default(),
    }
}

impl Counts {
    fn admit(&mut self, rates: &Rates, keys: &RateKeys, now: i64) -> Admission {
        // The user first: one who has too many adds no programs.
        let user = self.users.open(&keys.user, rates.seconds, now);
        if let Some(refusal) = user.refusal(rates.per_user) {
            self.refused = self.refused.saturating_add(1);
            return refusal;
        }
        let program = self.programs.open(&keys.program, rates.seconds, now);
        if let Some(refusal) = program.refusal(rates.per_program) {
            self.refused = self.refused.saturating_add(1);
            return refusal;
        }
        program.count_one();
        user.count_one();
        Admission::Admitted
    }
}

impl Windows {
    /// The window of `key` that is open now. Those that are over are dropped, and the oldest if
    /// there are too many.
    fn open(&mut self, key: &str, seconds: u32, now: i64) -> &mut Window {
        // A clock that was set back ends a window, too.
        let is_open =
            |window: &Window| (0..i64::from(seconds)).contains(&now.saturating_sub(window.start));
        self.0.retain(|_, window| is_open(window));
        while self.0.len() >= MOST_KEYS && !self.0.contains_key(key) {
            let oldest = self.0.iter().min_by_key(|(_, window)| window.start);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.0.remove(&oldest);
        }
        self.0.entry(key.to_owned()).or_insert_with(|| Window { start: now, ..Window::default() })
    }
}

impl Window {
    fn count_one(&mut self) -> u32 {
        self.count = self.count.saturating_add(1);
        self.count
    }

    /// Refuses one more than `most`, and counts that.
    fn refusal(&mut self, most: u32) -> Option<Admission> {
        if self.count < most {
            return None;
        }
        self.refused = self.refused.saturating_add(1);
        Some(Admission::TooMany { most, refused: self.refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates { per_program: 2, per_user: 3, seconds: 60 };

    fn keys(program: &str) -> RateKeys {
        RateKeys { user: "user".to_owned(), program: program.to_owned() }
    }

    #[test]
    fn a_program_that_crashes_again_and_again_is_captured_a_few_times_and_then_counted() {
        let mut counts = Counts::default();
        let mut crash = |program: &str, now| counts.admit(&RATES, &keys(program), now);
        assert_eq!(crash("a", 100), Admission::Admitted);
        assert_eq!(crash("a", 101), Admission::Admitted);
        assert_eq!(crash("a", 102), Admission::TooMany { most: 2, refused: 1 });
        assert_eq!(crash("a", 103), Admission::TooMany { most: 2, refused: 2 });
        assert_eq!(crash("b", 104), Admission::Admitted, "another program");
        assert_eq!(crash("c", 105), Admission::TooMany { most: 3, refused: 1 }, "of one user");
        assert_eq!(crash("a", 170), Admission::Admitted, "a minute later");
        assert_eq!(counts.refused, 3);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_block_a_program() {
        let mut counts = Counts::default();
        for _ in 0..3 {
            counts.admit(&RATES, &keys("a"), 1000);
        }
        assert_eq!(counts.admit(&RATES, &keys("a"), 10), Admission::Admitted);
    }

    #[test]
    fn programs_without_number_do_not_fill_the_file_nor_forget_a_user() {
        let mut counts = Counts::default();
        let many = Rates { per_user: 5000, ..RATES };
        let mut crash = |rates, user: &str, program: String| {
            counts.admit(rates, &RateKeys { user: user.to_owned(), program }, 100)
        };
        for _ in 0..3 {
            crash(&RATES, "other", "a".to_owned());
        }
        for number in 0..3000 {
            assert_eq!(crash(&many, "user", number.to_string()), Admission::Admitted);
        }
        crash(&Rates { per_user: 2, ..RATES }, "other", "b".to_owned());
        assert!(counts.programs.0.len() <= MOST_KEYS);
        assert_eq!(counts.users.0["other"].refused, 1);
        assert!(!counts.programs.0.contains_key("b"), "the user had too many");
    }

    #[test]
    fn lines_are_counted_by_their_kind() {
        let mut counts = Counts::default();
        let mut line = |kind: &str, now| counts.lines.open(kind, 60, now).count_one();
        assert_eq!([line("a", 1), line("a", 2), line("b", 3), line("a", 70)], [1, 2, 1, 1]);
    }
}
