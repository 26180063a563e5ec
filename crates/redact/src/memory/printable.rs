//! Bytes that are text.

/// A character of ASCII that is seen, or white space.
pub(crate) fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e | b'\t' | b'\n' | b'\r')
}

/// Whether all of `bytes` is printable, and long enough to mean something.
pub fn is_text_of_all(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.iter().all(|byte| is_printable(*byte))
}

/// The runs of printable characters in `bytes` that are `shortest` long or longer, in order.
pub(super) fn printable_runs(
    bytes: &[u8],
    shortest: usize,
) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let start = at + rest.iter().position(|byte| is_printable(*byte))?;
            let run = bytes.get(start..)?;
            let length = run.iter().position(|byte| !is_printable(*byte)).unwrap_or(run.len());
            at = start + length;
            if length >= shortest {
                return run.get(..length).map(|run| (start, run));
            }
        }
    })
}
