//! Where something is in memory. A search says what it finds, so it must not find what is
//! hidden: an agent could ask for one letter more each time.

use std::time::{Duration, Instant};

use super::opened::Opened;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_redact::{Level, Named, Shown};
use obit_report::Hex;
use obit_session::{FindAnswer, Hit, Problem, SearchFor};

/// Bytes, and time, of one answer.
const MOST_BYTES: u64 = 1 << 30;
const MOST_TIME: Duration = Duration::from_secs(5);
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Bytes of a text that is searched for.
const LONGEST_TEXT: usize = 256;
/// Bytes of a number that is searched for, at least, where something may be hidden: shorter ones
/// spell texts letter by letter.
const SHORTEST_NUMBER: u8 = 4;
/// Bytes that a pointer may lead into.
const MOST_TARGET: u64 = 1 << 24;

/// What bytes are compared with.
enum Pattern {
    Bytes(Vec<u8>),
    /// Words from the first to the last.
    Words(u64, u64),
}

impl Opened {
    pub(super) fn find(
        &self,
        what: &SearchFor,
        from: u64,
        most: u64,
    ) -> Result<FindAnswer, Problem> {
        let pattern = self.pattern(what)?;
        // A text that may be read may not be hidden where the program cannot write.
        let is_text = matches!(what, SearchFor::Text(_) | SearchFor::Bytes(_));
        let only_constant = is_text && self.build.redaction != Level::Off;
        let mut answer = FindAnswer { searched_for: self.described(what), ..FindAnswer::default() };
        if only_constant {
            answer.incomplete = Some(Shown::own(
                "only memory that the program cannot write is searched for text: elsewhere a hit \
                 would say what is hidden; --redact off searches all",
            ));
        }
        let begun = Instant::now();
        let width = self.width(&pattern);
        for region in self.process.memory.regions() {
            if region.range.end.0 <= from || (only_constant && region.permissions.write) {
                continue;
            }
            let mut at = region.range.start.0.max(from);
            while at < region.range.end.0 {
                let is_over = answer.searched >= MOST_BYTES || begun.elapsed() > MOST_TIME;
                if is_over || answer.hits.len() as u64 >= most {
                    answer.next_cursor = Some(format!("{at:#x}"));
                    return Ok(answer);
                }
                let left = usize::try_from(region.range.end.0 - at).unwrap_or(usize::MAX);
                let bytes = self.process.memory.peek_up_to(Avma(at), left.min(CHUNK));
                if bytes.is_empty() {
                    // A page that is not in the core: what follows may be.
                    at = (at | 0xfff).saturating_add(1);
                    continue;
                }
                let (hits, next) = self.hits(&pattern, at, &bytes, most - answer.hits.len() as u64);
                for hit in hits {
                    let range =
                        AvmaRange { start: Avma(hit), end: Avma(hit.saturating_add(width)) };
                    let shown = self.judged(&[], |judge| {
                        let is_hidden = !only_constant && judge.hides(range, true);
                        (!is_hidden).then(|| {
                            let what = judge.address(Avma(hit));
                            Hit { address: Hex(judge.redactor().show_word(hit)), what }
                        })
                    });
                    answer.hits.extend(shown);
                }
                answer.searched = answer.searched.saturating_add(next - at);
                // What begins in this part may end in the next one.
                let is_end = bytes.len() < left.min(CHUNK) || bytes.len() == left;
                at = match is_end || next < at.saturating_add(bytes.len() as u64) {
                    true => next,
                    false => next.saturating_sub(width.saturating_sub(1)).max(at + 1),
                };
            }
        }
        Ok(answer)
    }

    /// Bytes of a hit.
    fn width(&self, pattern: &Pattern) -> u64 {
        match pattern {
            Pattern::Bytes(bytes) => bytes.len() as u64,
            Pattern::Words(..) => self.process.memory.word() as u64,
        }
    }

    /// Hits in `bytes`, which are at `at`, and where the search goes on.
    fn hits(&self, pattern: &Pattern, at: u64, bytes: &[u8], most: u64) -> (Vec<u64>, u64) {
        let mut found = Vec::new();
        let width = self.width(pattern);
        let end = at.saturating_add(bytes.len() as u64);
        let mut take = |hit: u64| {
            found.push(hit);
            found.len() as u64 >= most
        };
        match pattern {
            Pattern::Bytes(wanted) => {
                let mut stopped = None;
                // Places may overlap, so the search goes on a byte behind each.
                let mut from = 0_usize;
                while let Some(next) =
                    bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, wanted))
                {
                    from = from.saturating_add(next).saturating_add(1);
                    let hit = at.saturating_add(from as u64).saturating_sub(1);
                    if take(hit) {
                        stopped = Some(hit.saturating_add(1));
                        break;
                    }
                }
                (found, stopped.unwrap_or(end))
            }
            Pattern::Words(first, last) => {
                let word = self.process.memory.word();
                let skip = usize::try_from(at.wrapping_neg() % width).unwrap_or(0);
                let words = bytes.get(skip..).unwrap_or_default().chunks_exact(word);
                for (number, bytes) in words.enumerate() {
                    let value = self.process.memory.unsigned(bytes);
                    if (*first..=*last).contains(&value) {
                        let place = skip.saturating_add(number.saturating_mul(word));
                        let hit = at.saturating_add(place as u64);
                        if take(hit) {
                            return (found, hit.saturating_add(width));
                        }
                    }
                }
                (found, end)
            }
        }
    }

    fn pattern(&self, what: &SearchFor) -> Result<Pattern, Problem> {
        let is_open = self.build.redaction == Level::Off;
        match what {
            SearchFor::Text(text) if text.is_empty() || text.len() > LONGEST_TEXT => {
                let text = format!("a text of 1 to {LONGEST_TEXT} bytes can be searched for");
                Err(self.problem(&text, "find"))
            }
            SearchFor::Text(text) => Ok(Pattern::Bytes(text.as_bytes().to_vec())),
            SearchFor::Bytes(bytes) if bytes.is_empty() || bytes.len() > LONGEST_TEXT => {
                let text = format!("1 to {LONGEST_TEXT} bytes can be searched for");
                Err(self.problem(&text, "find"))
            }
            SearchFor::Bytes(bytes) => Ok(Pattern::Bytes(bytes.clone())),
            SearchFor::Value(value, size) => {
                if !is_open && *size < SHORTEST_NUMBER {
                    let text =
                        "at this level of redaction a value of 4 or 8 bytes can be searched for";
                    return Err(self.problem(text, "find with size=4 or size=8"));
                }
                let is_hidden = self.judged(&[], |judge| {
                    let redactor = judge.redactor();
                    redactor.hide_number(&Named::default(), &value.to_string()).is_some()
                        || (*size == 8 && redactor.show_word(*value) != *value)
                });
                if is_hidden {
                    let text = "this value looks like something that is hidden";
                    return Err(self.problem(text, "find with pointer_to"));
                }
                let little = value.to_le_bytes();
                let mut bytes = little.get(..usize::from(*size)).unwrap_or(&little).to_vec();
                if !self.process.memory.is_little_endian() {
                    bytes.reverse();
                }
                Ok(Pattern::Bytes(bytes))
            }
            SearchFor::PointerTo(start, length) => {
                let last = start.saturating_add((*length).clamp(1, MOST_TARGET) - 1);
                let is_mapped = self.process.memory.region_at(Avma(*start)).is_some();
                if !is_open && !is_mapped {
                    let text = "nothing is mapped at this address; search for its value";
                    return Err(self.problem(text, "find with value"));
                }
                Ok(Pattern::Words(*start, last))
            }
        }
    }

    fn described(&self, what: &SearchFor) -> Shown {
        let text = match what {
            SearchFor::Text(text) => format!("the text {text:?}"),
            SearchFor::Bytes(bytes) => {
                let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("the bytes {}", digits.join(" "))
            }
            SearchFor::Value(value, size) => format!("{value:#x} in {size} bytes"),
            SearchFor::PointerTo(start, length) => {
                format!(
                    "pointers to {start:#x} and the {} bytes behind it",
                    length.saturating_sub(1)
                )
            }
        };
        self.shown(&text)
    }
}
