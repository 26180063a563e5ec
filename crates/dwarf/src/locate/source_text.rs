//! The text of a source file, by lines.

/// The largest source file that is read. Generated ones have a few megabytes.
pub(super) const LARGEST: u64 = 16 << 20;

/// Bytes of one line that are shown: of minified or generated code, its start.
pub(super) const LINE_BYTES: usize = 1000;

/// The text of a source file.
#[derive(Debug)]
pub struct SourceText {
    bytes: Vec<u8>,
    /// Where each line starts. A file of [`LARGEST`] bytes has as many at most.
    starts: Vec<u32>,
}

impl SourceText {
    /// Splits `bytes` into lines. What lies beyond 16 MiB is left out.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.truncate(usize::try_from(LARGEST).unwrap_or(usize::MAX));
        let ends = memchr::memchr_iter(b'\n', &bytes);
        let starts = ends.filter_map(|at| u32::try_from(at).ok()?.checked_add(1));
        let mut starts: Vec<u32> = [0].into_iter().chain(starts).collect();
        if bytes.is_empty() || bytes.ends_with(b"\n") {
            starts.pop();
        }
        Self { bytes, starts }
    }

    /// Line number `number`, counted from 1, without its end; cut where it is very long.
    /// `None` past the end of the file.
    pub fn line(&self, number: u32) -> Option<&[u8]> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let start = usize::try_from(*self.starts.get(index)?).ok()?;
        let next = index.checked_add(1).and_then(|next| self.starts.get(next));
        let end = next.and_then(|next| usize::try_from(*next).ok()).unwrap_or(self.bytes.len());
        let line = self.bytes.get(start..end)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(line.get(..LINE_BYTES).unwrap_or(line))
    }
}
