//! A report whose threads were written one by one, before what comes ahead of them in the document
//! was known: they are kept as they are written, not as objects, which take several times the room.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::json::{self, MembersAhead, MembersBehind};
use super::{Report, ThreadReport};

/// Bytes of a block of threads. Blocks are not copied as their number grows.
const BLOCK: usize = 1 << 20;

/// Threads as JSON, in the report's order.
#[derive(Debug, Default)]
pub struct Portions {
    /// Whole threads, one after the other.
    blocks: Vec<Vec<u8>>,
    threads: Vec<Written>,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    tid: i64,
    length: usize,
}

/// A report without the threads that were handed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    /// The report. Its `threads` are those that other parts of it speak of.
    pub report: Report,
    /// For each of them how many of those that were handed over come before it: all of them where
    /// that is not said.
    pub after: Vec<usize>,
}

impl Portions {
    /// Adds the thread that comes next.
    ///
    /// # Errors
    /// Those of serialisation: none are known.
    pub fn push(&mut self, thread: &ThreadReport) -> io::Result<()> {
        let has_room = |block: &&mut Vec<u8>| block.len() < BLOCK;
        let mut block = match self.blocks.last_mut().filter(has_room) {
            Some(_) => self.blocks.pop().unwrap_or_default(),
            None => Vec::with_capacity(BLOCK + BLOCK / 4),
        };
        let start = block.len();
        let written = json::add_value(thread, &mut block);
        let length = block.len().saturating_sub(start);
        if written.is_ok() {
            self.threads.push(Written { tid: thread.tid, length });
            self.bytes = self.bytes.saturating_add(length as u64);
        } else {
            block.truncate(start);
        }
        self.blocks.push(block);
        written
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The identifiers of the threads of the whole report, in its order.
    pub fn tids(&self, rest: &Rest) -> Vec<i64> {
        let kept = rest.report.threads.iter().enumerate();
        let after = |at: usize| rest.after.get(at).copied().unwrap_or(usize::MAX);
        let kept = kept.map(|(at, thread)| (after(at), false, thread.tid));
        let written = self.threads.iter().enumerate().map(|(at, thread)| (at, true, thread.tid));
        let mut all: Vec<_> = kept.chain(written).collect();
        all.sort_by_key(|(at, is_written, _)| (*at, *is_written));
        all.into_iter().map(|(.., tid)| tid).collect()
    }

    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let mut blocks = self.blocks.iter().map(Vec::as_slice);
        let mut left: &[u8] = &[];
        self.threads.iter().map(move |thread| {
            if left.is_empty() {
                left = blocks.next().unwrap_or_default();
            }
            let (text, rest) = left.split_at_checked(thread.length).unwrap_or_default();
            left = rest;
            text
        })
    }
}

/// Writes the whole report as [`json::write_report`] does.
///
/// # Errors
/// Those of `out`.
pub fn write_with(rest: &Rest, portions: &Portions, mut out: impl Write) -> io::Result<()> {
    write(rest, portions, &mut out)
}

/// Not generic, so that it is compiled once, with this crate's optimisation.
fn write(rest: &Rest, portions: &Portions, out: &mut dyn Write) -> io::Result<()> {
    let report = &rest.report;
    let mut ahead = Vec::new();
    json::add_value(&MembersAhead::of(report), &mut ahead)?;
    out.write_all(ahead.strip_suffix(b"}").unwrap_or(&ahead))?;
    out.write_all(b",\"threads\":[")?;
    let after = rest.after.iter().copied().chain(std::iter::repeat(usize::MAX));
    let mut kept = report.threads.iter().zip(after).peekable();
    let (mut texts, mut handed_over) = (portions.texts(), 0);
    let (mut own, mut separator): (Vec<u8>, &[u8]) = (Vec::new(), b"");
    loop {
        let thread = kept.next_if(|(_, after)| *after <= handed_over);
        let text = if thread.is_none() { texts.next() } else { None };
        let text = match (text, thread.or_else(|| kept.next_if(|_| text.is_none()))) {
            (Some(text), _) => {
                handed_over += 1;
                text
            }
            (None, Some((thread, _))) => {
                own.clear();
                json::add_value(thread, &mut own)?;
                own.as_slice()
            }
            (None, None) => break,
        };
        out.write_all(separator)?;
        out.write_all(text)?;
        separator = b",";
    }
    out.write_all(b"],")?;
    let mut behind = Vec::new();
    json::add_value(&MembersBehind::of(report), &mut behind)?;
    out.write_all(behind.strip_prefix(b"{").unwrap_or(&behind))?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryReport;
    use crate::{Cause, Finding, FrameReport, Signature, json::write_report};
    use obit_redact::Shown;

    fn thread(tid: i64) -> ThreadReport {
        let function = Some(Shown::from_report(format!("f{tid}\u{202e}")));
        let frames = vec![FrameReport { function, ..FrameReport::default() }];
        ThreadReport { tid, frames, ..ThreadReport::default() }
    }

    fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Of threads 0 to 9 those that are `kept` are not handed over.
    fn is_written_as_a_whole(kept: &[i64], whole: Report) {
        let whole = Report { threads: (0..10).map(thread).collect(), ..whole };
        let (mut portions, mut after) = (Portions::default(), Vec::new());
        for thread in &whole.threads {
            if kept.contains(&thread.tid) {
                after.push(portions.threads.len());
            } else {
                portions.push(thread).unwrap();
            }
        }
        let mut report = whole.clone();
        report.threads.retain(|thread| kept.contains(&thread.tid));
        let rest = Rest { report, after };
        assert!(portions.tids(&rest).into_iter().eq(0..10));
        let expected = written(|out| write_report(&whole, out));
        assert_eq!(written(|out| write_with(&rest, &portions, out)), expected);
    }

    #[test]
    fn a_report_in_portions_is_written_as_the_whole_one_is() {
        let every = Report {
            cause: Some(Cause::default()),
            signature: Some(Signature::default()),
            memory: Some(MemoryReport::default()),
            findings: vec![Finding::default()],
            ..Report::default()
        };
        for kept in [&[][..], &[0], &[9], &[4], &[0, 1, 5, 9], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            is_written_as_a_whole(kept, Report::default());
            is_written_as_a_whole(kept, every.clone());
        }
        let none = Rest::default();
        let expected = written(|out| write_report(&Report::default(), out));
        assert_eq!(written(|out| write_with(&none, &Portions::default(), out)), expected);
    }

    #[test]
    fn a_thread_whose_place_is_not_known_comes_last() {
        let mut portions = Portions::default();
        (0..3).for_each(|tid| portions.push(&thread(tid)).unwrap());
        let report = Report { threads: (3..5).map(thread).collect(), ..Report::default() };
        let rest = Rest { report, after: vec![7] };
        let document = written(|out| write_with(&rest, &portions, out));
        let read = json::read_report(document.as_bytes()).unwrap();
        assert!(read.threads.iter().map(|thread| thread.tid).eq(0..5));
        assert!(portions.tids(&rest).into_iter().eq(0..5));
    }

    #[test]
    fn threads_of_many_blocks_come_out_in_their_order() {
        let mut portions = Portions::default();
        let mut large = thread(0);
        large.name = Some(Shown::from_report("x".repeat(BLOCK / 3)));
        for tid in 0..10 {
            large.tid = tid;
            portions.push(&large).unwrap();
        }
        assert!(portions.blocks.len() > 2);
        let read = |text| serde_json::from_slice::<ThreadReport>(text).unwrap().tid;
        assert!(portions.texts().map(read).eq(0..10));
        let sum: usize = portions.texts().map(<[u8]>::len).sum();
        assert_eq!(portions.bytes(), sum as u64);
        assert!(portions.tids(&Rest::default()).into_iter().eq(0..10));
        portions.clear();
        assert_eq!((portions.bytes(), portions.texts().count()), (0, 0));
    }
}
