//! Bytes of a core that are put together field by field.

use obit_corefile::elf::Encoding;

/// The descriptor of a note, or a header: zero where no field was put.
#[derive(Debug)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    encoding: Encoding,
}

impl Fields {
    pub(super) fn new(length: usize, encoding: Encoding) -> Self {
        Self { bytes: vec![0; length], encoding }
    }

    /// The lowest `size` bytes of `value` at `at`, in the order of the machine.
    pub(super) fn put(&mut self, at: usize, size: usize, value: u64) {
        let bytes = value.to_le_bytes();
        let low = bytes.iter().copied().take(size);
        match self.encoding.little_endian {
            true => self.put_bytes(at, &low.collect::<Vec<_>>()),
            false => self.put_bytes(at, &low.rev().collect::<Vec<_>>()),
        }
    }

    /// A number of 32 bits.
    pub(super) fn int(&mut self, at: usize, value: i32) {
        self.put(at, 4, u64::from(value.cast_unsigned()));
    }

    /// A number as long as an address.
    pub(super) fn word(&mut self, at: usize, value: u64) {
        self.put(at, self.encoding.word(), value);
    }

    /// Bytes as they are; what reaches beyond the end is left out.
    pub(super) fn put_bytes(&mut self, at: usize, bytes: &[u8]) {
        let room = self.bytes.get_mut(at..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Appends a number as long as an address.
pub(super) fn push_word(bytes: &mut Vec<u8>, encoding: Encoding, value: u64) {
    let mut word = Fields::new(encoding.word(), encoding);
    word.word(0, value);
    bytes.extend(word.into_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_the_machine() {
        let put = |little_endian: bool| {
            let mut fields = Fields::new(6, Encoding { is_64: false, little_endian });
            fields.put(0, 2, 0x1_0203);
            fields.word(2, 0x0405_0607);
            fields.put_bytes(5, &[8, 9, 10]);
            fields.into_bytes()
        };
        assert_eq!(put(true), [3, 2, 7, 6, 5, 8]);
        assert_eq!(put(false), [2, 3, 4, 5, 6, 8]);
    }
}
