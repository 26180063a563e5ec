//! The identity a linker gives an image: the descriptor of `NT_GNU_BUILD_ID`.

use std::fmt;

/// A build ID: 4 to 64 bytes, 20 with GNU ld's default. Two files with the same one
/// were the same output of a linker, debug sections apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(Box<[u8]>);

impl BuildId {
    /// `None` unless `bytes` has a length that linkers write. Shorter ones would make
    /// path names that collide, longer ones are not build IDs.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (4..=64).contains(&bytes.len()).then(|| Self(bytes.into()))
    }

    /// From lower- or upper-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let pairs = text.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok());
        let bytes: Option<Vec<u8>> = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
        Self::new(&bytes?)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every frame of a report has one: a string is quicker than a number at a time.
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let digits = nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16));
        f.write_str(&digits.collect::<String>())
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let id = BuildId::from_hex("00ff10Ab").map(|id| id.to_string());
        assert_eq!(id.as_deref(), Some("00ff10ab"));
    }

    #[test]
    fn what_no_linker_writes_is_no_build_id() {
        assert_eq!(BuildId::new(b""), None);
        assert_eq!(BuildId::new(&[0; 65]), None);
        assert_eq!(BuildId::from_hex("../../etc"), None);
        assert_eq!(BuildId::from_hex("0é1"), None);
    }
}
