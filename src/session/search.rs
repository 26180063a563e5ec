//! A search through all memory: the places, whose they are, and the way there.

use super::opened::Opened;
use crate::report::heap_read::{NO_HEAP, Read, hit};
use obit_corefile::addr::Avma;
use obit_redact::{Origin, Shown};
use obit_report::heap::{FoundReport, HitReport};
use obit_session::{MOST_HITS, Problem, SearchFor};

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A text, byte by byte.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number of so many bytes.
    Value(u64, u8),
    /// Words that point to the object at this address: to any byte of its block.
    PointerTo(Avma),
    /// Blocks with an object of this type.
    Type(String),
}

/// Places that are counted.
const MOST_COUNTED: usize = 1 << 20;

impl Opened {
    /// Where `wanted` is in memory, at most `most` places.
    ///
    /// # Errors
    /// It may not be searched for at this level of redaction, or cannot be.
    pub fn found(&self, wanted: &Wanted, most: usize) -> Result<FoundReport, Problem> {
        let read = self.heap_read().as_ref().ok();
        let what = match wanted {
            Wanted::Type(name) => return Ok(self.of_type(name, read, most)),
            Wanted::Text(text) => SearchFor::Text(text.clone()),
            Wanted::Bytes(bytes) => SearchFor::Bytes(bytes.clone()),
            Wanted::Value(value, size) => SearchFor::Value(*value, *size),
            Wanted::PointerTo(at) => {
                let block = read.and_then(|read| read.block_at(*at));
                let (start, length) = block.unwrap_or((at.0, 1));
                SearchFor::PointerTo(start, length)
            }
        };
        let mut report = FoundReport::default();
        let mut from = 0_u64;
        let mut places: Vec<u64> = Vec::new();
        loop {
            let answer = self.find(&what, from, MOST_HITS)?;
            report.searched_for = answer.searched_for;
            report.searched_bytes = report.searched_bytes.saturating_add(answer.searched);
            if report.notices.is_empty() {
                report.notices.extend(answer.incomplete);
            }
            places.extend(answer.hits.iter().map(|hit| hit.address.0));
            // Where a search goes on is written as it is read.
            let next = answer.next_cursor.as_deref().and_then(|text| text.strip_prefix("0x"));
            let next = next.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            match next.filter(|next| *next > from) {
                Some(next) if places.len() < MOST_COUNTED => from = next,
                Some(_) => {
                    let text = "the search ended early: there are too many places";
                    report.notices.push(Shown::own(text));
                    break;
                }
                None => break,
            }
        }
        report.omitted = places.len().saturating_sub(most) as u64;
        places.truncate(most);
        report.hits = self.judged(&[], |judge| {
            let described = |at: &u64| hit(&self.process, read, Avma(*at), judge.redactor());
            places.iter().map(described).collect::<Vec<HitReport>>()
        });
        Ok(report)
    }

    /// The blocks that hold an object of the type, or of one whose name ends so.
    fn of_type(&self, name: &str, read: Option<&Read>, most: usize) -> FoundReport {
        let text = format!("objects of the type {name}");
        let mut report = FoundReport { searched_for: self.shown(&text), ..FoundReport::default() };
        let Some(read) = read else {
            report.notices.push(Shown::own(NO_HEAP));
            return report;
        };
        let (starts, bytes) = read.blocks_of_type(name);
        report.searched_bytes = bytes;
        report.omitted = starts.len().saturating_sub(most) as u64;
        self.judged(&[], |judge| {
            let redactor = judge.redactor();
            for start in starts.iter().take(most) {
                report.hits.push(hit(&self.process, Some(read), *start, redactor));
            }
            if starts.is_empty() {
                let text = "types of blocks are known where they begin with a vtable, or where \
                            typed variables lead to them";
                report.notices.push(redactor.show(Origin::OwnWords, text));
            }
        });
        report
    }
}
