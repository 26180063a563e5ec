//! Bytes that are text.

/// A character of ASCII that is seen, or white space.
pub(super) fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e | b'\t' | b'\n' | b'\r')
}

/// Whether all of `bytes` is printable, and long enough to mean something.
pub(super) fn is_text_of_all(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.iter().all(|byte| is_printable(*byte))
}
