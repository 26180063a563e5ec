//! The text of a source file, by lines.

/// The largest source file that is read. Generated ones have a few megabytes.
pub(super) const LARGEST: u64 = 16 << 20;

/// Bytes of one line that are shown: of minified or generated code, its start.
pub(super) const LINE_BYTES: usize = 1000;

/// Bytes of a block, whose lines are counted together.
const BLOCK: usize = 4 << 10;

/// The text of a source file.
#[derive(Debug)]
pub struct SourceText {
    bytes: Vec<u8>,
    /// How many lines end before each block. Where each line starts would take as much memory
    /// as a large file of short lines, for the few that are asked for.
    ended_before: Vec<u32>,
}

impl SourceText {
    /// Takes `bytes` as lines. What lies beyond 16 MiB is left out.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.truncate(usize::try_from(LARGEST).unwrap_or(usize::MAX));
        let mut ended = 0_u32;
        let ended_before = bytes.chunks(BLOCK).map(|block| {
            let here = memchr::memchr_iter(b'\n', block).count();
            let before = ended;
            ended = ended.saturating_add(u32::try_from(here).unwrap_or(u32::MAX));
            before
        });
        let ended_before = ended_before.collect();
        Self { bytes, ended_before }
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Line number `number`, counted from 1, without its end; cut where it is very long.
    /// `None` past the end of the file.
    pub fn line(&self, number: u32) -> Option<&[u8]> {
        let rest = self.bytes.get(self.start(number)?..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(line.get(..LINE_BYTES).unwrap_or(line))
    }

    /// Where line `number` starts: behind the end of the one before.
    fn start(&self, number: u32) -> Option<usize> {
        let ended = number.checked_sub(1)?;
        let Some(last) = ended.checked_sub(1) else { return Some(0) };
        let after = self.ended_before.partition_point(|before| *before <= last);
        let block = after.checked_sub(1)?;
        let within = last.checked_sub(*self.ended_before.get(block)?)?;
        let from = block.checked_mul(BLOCK)?;
        let mut ends = memchr::memchr_iter(b'\n', self.bytes.get(from..)?);
        let end = ends.nth(usize::try_from(within).ok()?)?;
        from.checked_add(end)?.checked_add(1)
    }
}
