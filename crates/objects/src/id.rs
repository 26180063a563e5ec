//! The names of objects.

use std::fmt;
use std::io::{self, Read};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::ObjectError;

/// The name of an object: the SHA-256 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 32]);

impl Id {
    /// The name that is written so: 64 digits, in small letters.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, ObjectError> {
        let mut id = [0; 32];
        let is_id = text.len() == 64
            && HEXLOWER.decode_mut(text.as_bytes(), &mut id).is_ok_and(|length| length == 32);
        if is_id { Ok(Self(id)) } else { Err(ObjectError::NotAnId(text.to_owned())) }
    }

    /// The directory of its object, and the rest of its name.
    pub(crate) fn parts(self) -> (String, String) {
        let mut start = self.to_string();
        let rest = start.split_off(2);
        (start, rest)
    }

    /// Whether a directory that is called so may hold objects.
    pub(crate) fn is_start(name: &str) -> bool {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        name.len() == 2 && name.bytes().all(is_digit)
    }

    /// The name of an object in this directory.
    pub(crate) fn of_parts(start: &str, rest: &str) -> Option<Self> {
        let is_pair = start.len() == 2 && rest.len() == 62;
        is_pair.then(|| Self::parse(&format!("{start}{rest}")).ok())?
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name and the length of what can be read, of which each piece goes through `take`. Ends
/// behind `most` bytes.
pub(crate) fn digest(
    from: &mut dyn Read,
    most: u64,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Id, u64)> {
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    let mut piece = vec![0; 128 << 10];
    while size <= most {
        let length = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = piece.get(..length).unwrap_or_default();
        size = size.saturating_add(bytes.len() as u64);
        hash.update(bytes);
        take(bytes)?;
    }
    Ok((Id(hash.finalize().into()), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_64_digits_in_small_letters() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let (id, size) = digest(&mut io::empty(), 9, |_| Ok(())).unwrap();
        assert_eq!((id.to_string().as_str(), size), (empty, 0));
        assert_eq!(Id::parse(empty).unwrap(), id);
        let (start, rest) = id.parts();
        assert_eq!(Id::of_parts(&start, &rest), Some(id));
        for wrong in ["", "e3", &empty.to_uppercase(), &empty[1..], &format!("{empty}0"), "../../x"]
        {
            assert!(Id::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Id::of_parts("e", &empty[1..]).is_none());
    }
}
