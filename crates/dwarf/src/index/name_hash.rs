//! Names as they are compared and hashed.

use std::borrow::Cow;

use crate::model::language::Language;
use crate::types::type_names::canonical;

/// The hash of a name without its spaces: a polynomial over its bytes, so that the hash of two
/// texts one after the other follows from theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameHash {
    sum: u64,
    /// The factor to the power of the length.
    power: u64,
}

const FACTOR: u64 = 0x100_0000_01b3;

impl NameHash {
    /// Of the empty name.
    pub(crate) const EMPTY: Self = Self { sum: 0, power: 1 };

    /// Of `name`.
    pub(crate) fn of(name: &[u8]) -> Self {
        let step = |hash: Self, byte: &u8| Self {
            // No byte is a zero, or zeros in front would not count.
            sum: hash.sum.wrapping_mul(FACTOR).wrapping_add(u64::from(*byte)).wrapping_add(1),
            power: hash.power.wrapping_mul(FACTOR),
        };
        name.iter().filter(|byte| **byte != b' ').fold(Self::EMPTY, step)
    }

    /// Of this text with `next` behind it.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            sum: self.sum.wrapping_mul(next.power).wrapping_add(next.sum),
            power: self.power.wrapping_mul(next.power),
        }
    }

    /// Of `name` in this scope.
    pub(crate) fn inside(self, name: Self) -> Self {
        match self == Self::EMPTY {
            true => name,
            false => self.then(Self::of(b"::")).then(name),
        }
    }

    /// 32 bits of it.
    pub(crate) fn short(self) -> u32 {
        // Multiplying brings low bits up only; the upper half depends on all of them.
        let mixed = (self.sum ^ (self.sum >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [_, _, _, _, bytes @ ..] = mixed.to_le_bytes();
        u32::from_le_bytes(bytes)
    }
}

/// A name as it is hashed and compared.
pub(crate) fn comparable(name: &[u8], language: Language) -> Cow<'_, [u8]> {
    if is_spelled_freely(language) && memchr::memmem::find(name, b" int").is_some() {
        return Cow::Owned(canonical(&String::from_utf8_lossy(name)).into_bytes());
    }
    Cow::Borrowed(name)
}

/// Whether one type has several names there, as `unsigned long int` and `unsigned long`.
pub(crate) fn is_spelled_freely(language: Language) -> bool {
    matches!(language, Language::C | Language::Cpp | Language::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_name_with_scopes_follows_from_those_of_its_parts() {
        let of = |text: &str| NameHash::of(text.as_bytes());
        assert_eq!(of("a").inside(of("b c")).inside(of("d")), of("a::bc::d"));
        assert_eq!(NameHash::EMPTY.inside(of("b")), of("b"));
        assert_ne!(of("ab"), of("ba"));
        assert_ne!(of("ab").short(), of("ba").short());
    }
}
