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
/// Programs and users that are counted; the oldest are dropped.
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

/// Whether a crash is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// It is.
    Admitted,
    /// It is one too many: the first key that says so, of those that were counted.
    TooMany {
        /// Crashes that are captured in the while.
        most: u32,
        /// Crashes that were not, up to this one.
        refused: u64,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    windows: BTreeMap<String, Window>,
    /// All crashes that were not captured.
    refused: u64,
}

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
    keys: &[(String, u32)],
    now: i64,
) -> io::Result<Admission> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, FILE, flags, Mode::from_raw_mode(0o600))?);
    let mut counts = read(&mut file);
    let admission = counts.admit(rates, keys, now);
    let text = serde_json::to_vec(&counts)?;
    file.rewind()?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    Ok(admission)
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
    fn admit(&mut self, rates: &Rates, keys: &[(String, u32)], now: i64) -> Admission {
        // A clock that was set back ends a window, too.
        let is_open = |window: &Window| {
            (0..i64::from(rates.seconds)).contains(&now.saturating_sub(window.start))
        };
        self.windows.retain(|_, window| is_open(window));
        while self.windows.len() > MOST_KEYS {
            let oldest = self.windows.iter().min_by_key(|(_, window)| window.start);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.windows.remove(&oldest);
        }
        let mut over = None;
        for (key, most) in keys {
            let start = Window { start: now, ..Window::default() };
            let window = self.windows.entry(key.clone()).or_insert(start);
            if window.count >= *most {
                window.refused = window.refused.saturating_add(1);
                over = over.or(Some((*most, window.refused)));
            }
        }
        if let Some((most, refused)) = over {
            self.refused = self.refused.saturating_add(1);
            return Admission::TooMany { most, refused };
        }
        for (key, _) in keys {
            if let Some(window) = self.windows.get_mut(key) {
                window.count = window.count.saturating_add(1);
            }
        }
        Admission::Admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates { per_program: 2, per_user: 3, seconds: 60 };

    fn keys(program: &str) -> Vec<(String, u32)> {
        vec![(program.to_owned(), RATES.per_program), ("user".to_owned(), RATES.per_user)]
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
    fn programs_without_number_do_not_fill_the_file() {
        let mut counts = Counts::default();
        for number in 0..3000 {
            counts.admit(&RATES, &[(format!("program {number}"), 2)], 100);
        }
        assert!(counts.windows.len() <= MOST_KEYS + 1);
    }
}
