//! Objects of the interpreter: their types, texts, bytes and dictionaries.

use super::layout::Layout;
use super::space::Space;

/// Offsets that all versions from 3.8 to 3.14 share (Include/object.h, Include/cpython).
const TYPE: u64 = 8;
const SIZE: u64 = 16;
const TYPE_NAME: u64 = 24;
const FLAGS: u64 = 168;
const KEYS: u64 = 32;
const VALUES: u64 = 40;
const LONGEST_NAME: usize = 512;
/// Bytes of a text that names something: a file, a function.
const LONGEST_TEXT: usize = 4096;
/// Entries of a dictionary that are looked through for one key.
const MOST_ENTRIES: u64 = 1 << 16;

/// `Py_TPFLAGS_…`.
const IS_BYTES: u64 = 1 << 27;
const IS_STR: u64 = 1 << 28;
const IS_DICT: u64 = 1 << 29;

/// What reads objects.
pub(super) struct Objects<'p> {
    pub(super) space: Space<'p>,
    pub(super) layout: Layout,
}

impl Objects<'_> {
    /// The type of the object there.
    pub(super) fn type_of(&self, object: u64) -> Option<u64> {
        self.space.pointer(object, TYPE)
    }

    /// `tp_name` of a type, without its module.
    pub(super) fn name_of_type(&self, of: u64) -> Option<String> {
        let name = self.space.c_string(self.space.pointer(of, TYPE_NAME)?, LONGEST_NAME)?;
        let short = name.rsplit('.').next().filter(|short| !short.is_empty())?;
        Some(short.to_owned())
    }

    pub(super) fn type_name(&self, object: u64) -> Option<String> {
        self.name_of_type(self.type_of(object)?)
    }

    pub(super) fn flags(&self, object: u64) -> Option<u64> {
        self.space.word(self.type_of(object)?, FLAGS)
    }

    /// The first `most` characters of a `str`.
    pub(super) fn text(&self, object: u64, most: usize) -> Option<String> {
        /// Bits of the state.
        const COMPACT: u32 = 1 << 5;
        const ASCII: u32 = 1 << 6;
        if self.flags(object)? & IS_STR == 0 {
            return None;
        }
        let space = &self.space;
        let length = space.word(object, 16)?;
        let state = space.int(object, 32)?.cast_unsigned();
        if state & COMPACT == 0 {
            return None;
        }
        let width = (state >> 2) & 7;
        let has_wide = self.layout.minor < 12;
        let start = match (state & ASCII != 0, has_wide) {
            (true, true) => 48,
            (true, false) => 40,
            (false, true) => 72,
            (false, false) => 56,
        };
        let count = usize::try_from(length).ok()?.min(most);
        let width = usize::try_from(width).ok().filter(|width| matches!(width, 1 | 2 | 4))?;
        let bytes = match count {
            0 => Vec::new(),
            _ => space.bytes(object.checked_add(start)?, count.checked_mul(width)?)?,
        };
        let mut text = String::with_capacity(count);
        for character in bytes.chunks_exact(width) {
            let mut number = [0; 4];
            number.get_mut(..width)?.copy_from_slice(character);
            text.push(char::from_u32(u32::from_le_bytes(number)).unwrap_or('\u{fffd}'));
        }
        Some(text)
    }

    /// A whole `str` that names something.
    pub(super) fn name(&self, object: u64) -> Option<String> {
        self.text(object, LONGEST_TEXT)
    }

    /// All of a `bytes` object, if it has no more than `most`.
    pub(super) fn bytes(&self, object: u64, most: usize) -> Option<Vec<u8>> {
        if self.flags(object)? & IS_BYTES == 0 {
            return None;
        }
        let size = usize::try_from(self.space.word(object, SIZE)?).ok()?;
        match size {
            0 => Some(Vec::new()),
            _ if size > most => None,
            _ => self.space.bytes(object.checked_add(32)?, size),
        }
    }

    /// What a dictionary that owns its values has by this name.
    pub(super) fn item(&self, dict: u64, name: &str) -> Option<u64> {
        if self.flags(dict)? & IS_DICT == 0 || self.space.word(dict, VALUES)? != 0 {
            return None;
        }
        let space = &self.space;
        let keys = space.pointer(dict, KEYS)?;
        let (start, count, has_hash) = if self.layout.minor <= 10 {
            let slots = space.word(keys, 8)?;
            let width = match slots {
                ..=0xff => 1,
                0x100..=0xffff => 2,
                0x1_0000..=0xffff_ffff => 4,
                _ => 8,
            };
            let indices = slots.checked_mul(width)?;
            (keys.checked_add(40)?.checked_add(indices)?, space.word(keys, 32)?, true)
        } else {
            let size = 1_u64.checked_shl(u32::from(space.byte(keys, 9)?))?;
            let is_general = space.byte(keys, 10)? == 0;
            (keys.checked_add(32)?.checked_add(size)?, space.word(keys, 24)?, is_general)
        };
        let size = if has_hash { 24 } else { 16 };
        let count = usize::try_from(count.min(MOST_ENTRIES)).ok()?;
        let bytes = space.bytes(start, count.checked_mul(size)?)?;
        // One more than the name has: a longer one is another.
        let most = name.len().saturating_add(1);
        bytes.chunks_exact(size).find_map(|entry| {
            let mut fields = words(entry).skip(usize::from(has_hash));
            let (key, value) = (fields.next()?, fields.next()?);
            (key != 0 && value != 0 && self.text(key, most)? == name).then_some(value)
        })
    }
}

/// The words of some bytes.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(word.try_into().ok()?)))
}
