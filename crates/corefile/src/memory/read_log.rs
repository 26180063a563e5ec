//! Which bytes of the crashed process were asked for: what an analysis needs is what it reads.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::addr::{Avma, AvmaRange};

/// Reads that are kept. More than any analysis makes of a core that is not hostile.
const MOST: usize = 1 << 22;

/// Collects reads, each once.
#[derive(Debug, Default)]
pub(super) struct ReadLog {
    reads: Mutex<HashSet<(u64, u64)>>,
}

impl ReadLog {
    /// Remembers `len` bytes from `at`.
    pub(super) fn note(&self, at: Avma, len: usize) {
        let Ok(mut reads) = self.reads.lock() else { return };
        if reads.len() < MOST {
            reads.insert((at.0, len as u64));
        }
    }

    /// What was read since the last time, sorted by start, then by length.
    pub(super) fn take(&self) -> Vec<AvmaRange> {
        let taken = self.reads.lock().map(|mut reads| std::mem::take(&mut *reads));
        let mut reads: Vec<_> = taken.unwrap_or_default().into_iter().collect();
        reads.sort_unstable();
        reads.into_iter().map(|(at, len)| AvmaRange::from_len(Avma(at), len)).collect()
    }
}
