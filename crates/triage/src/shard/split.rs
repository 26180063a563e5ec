//! Which files are of which part.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Parts that there may be.
const MOST: u32 = 65_536;

/// A part of all files: the `number`th, from 1, of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    number: u32,
    of: u32,
}

/// Why a text names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardNumberError {
    /// It is something else.
    #[error("`{0}` is not of the form I/N, as 1/4")]
    Form(String),
    /// There is no such part.
    #[error(
        "there is no shard {number} of {of}: they are counted from 1 to N, and N is at most {MOST}"
    )]
    Range {
        /// As it was written.
        number: u32,
        /// As it was written.
        of: u32,
    },
}

impl Shard {
    /// All files.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// The part of this number.
    ///
    /// # Errors
    /// When there is no such part.
    pub fn new(number: u32, of: u32) -> Result<Self, ShardNumberError> {
        let is_one = (1..=of).contains(&number) && of <= MOST;
        if is_one { Ok(Self { number, of }) } else { Err(ShardNumberError::Range { number, of }) }
    }

    /// From 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether the file at this path, below the directory that was given, is of this part: the
    /// first 64 bits of the SHA-256 of the path, as a number with the highest byte first,
    /// modulo the number of parts.
    pub fn takes(self, path: &[u8]) -> bool {
        let digest = Sha256::digest(path);
        let first =
            digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        first % u64::from(self.of) + 1 == u64::from(self.number)
    }
}

impl FromStr for Shard {
    type Err = ShardNumberError;

    fn from_str(text: &str) -> Result<Self, ShardNumberError> {
        let form = || ShardNumberError::Form(text.to_owned());
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        // `parse` takes a sign, too.
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let parse = |text: &str| text.parse().ok().filter(|_| is_number(text)).ok_or_else(form);
        Self::new(parse(number)?, parse(of)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// All files that were found, of all parts: two runs that found the same have the same digest.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    hasher: Sha256,
    files: u64,
}

impl Listing {
    /// Notes a path, below the directory that was given.
    pub fn add(&mut self, path: &[u8]) {
        self.hasher.update((path.len() as u64).to_le_bytes());
        self.hasher.update(path);
        self.files += 1;
    }

    /// How many there are.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_of_one_part_and_always_of_the_same() {
        let mut counts = [0; 7];
        for n in 0..7_000 {
            let path = format!("host-{}/core.{n}", n % 13);
            let of = (1..=7).filter(|at| Shard::new(*at, 7).unwrap().takes(path.as_bytes()));
            let of: Vec<u32> = of.collect();
            assert_eq!(of.len(), 1);
            counts[of[0] as usize - 1] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        // What other programs compute: sha256("a/core.1") begins with this number.
        let first = 0x83e3_e9b3_8719_1a0b_u64;
        assert!(Shard::new((first % 4) as u32 + 1, 4).unwrap().takes(b"a/core.1"));
        assert!(Shard::ALL.takes(b""));
    }

    #[test]
    fn a_part_is_written_as_test_runners_write_it() {
        assert_eq!("2/4".parse(), Shard::new(2, 4));
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for wrong in ["", "1", "0/4", "5/4", "1/0", "1/65537", "-1/4", "1/4/2", " 1/4", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_listing_knows_where_one_path_ends() {
        let digest = |paths: &[&str]| {
            let mut listing = Listing::default();
            paths.iter().for_each(|path| listing.add(path.as_bytes()));
            listing.digest()
        };
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_ne!(digest(&["a", "b"]), digest(&["ab"]));
        assert_ne!(digest(&["a", "b"]), digest(&["a"]));
    }
}
