//! Where something is in memory. A search says what it finds, so it must not find what is
//! hidden: an agent could ask for one letter more each time.

use std::time::{Duration, Instant};

use super::opened::Opened;
use crate::report::Judge;
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
/// What a part of two bytes of a number has to be, at least, where something may be hidden:
/// digits, short codes and pieces of them are smaller, and a few searches would spell them.
const LEAST_PART: u16 = 256;
/// Bytes of a number that may be hidden as a whole: a part of it is neither found.
const WHOLE_NUMBER: u64 = 8;
/// Places that are looked at in one answer, whether or not they may be shown.
const MOST_PLACES: usize = 1 << 16;
/// Bytes that a pointer may lead into.
const MOST_TARGET: u64 = 1 << 24;

/// What bytes are compared with.
enum Pattern {
    Bytes(Vec<u8>),
    /// The bytes of a number.
    Number(Vec<u8>),
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
                "only files that are mapped and cannot be written are searched for text: elsewhere \
                 a hit would say what is hidden; --redact off searches all",
            ));
        }
        let begun = Instant::now();
        let width = self.width(&pattern);
        let mut left_to_judge = MOST_PLACES;
        for region in self.process.memory.regions() {
            // What was protected later may have been written before.
            let is_constant = !region.permissions.write && region.name.is_some();
            if region.range.end.0 <= from || (only_constant && !is_constant) {
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
                    // What the core has of a region is at its start; a file may have the rest.
                    let behind = region.range.start.0.saturating_add(region.backing.core_len);
                    at = if at < behind { behind } else { region.range.end.0 };
                    continue;
                }
                let end = at.saturating_add(bytes.len() as u64);
                // Where the next part begins does not depend on what is found in this one: it
                // would say where something hidden is. So would the count of bytes.
                let is_end = bytes.len() < left.min(CHUNK) || bytes.len() == left;
                let next = match is_end {
                    true => end,
                    false => end.saturating_sub(width.saturating_sub(1)).max(at + 1),
                };
                for hit in self.hits(&pattern, at, &bytes) {
                    let Some(left) = left_to_judge.checked_sub(1) else {
                        answer.searched = answer.searched.saturating_add(hit.saturating_sub(at));
                        answer.next_cursor = Some(format!("{hit:#x}"));
                        return Ok(answer);
                    };
                    left_to_judge = left;
                    let Some(shown) = self.hit(&pattern, hit, only_constant) else { continue };
                    answer.hits.push(shown);
                    if answer.hits.len() as u64 >= most {
                        // Behind one that is shown.
                        let behind = hit.saturating_add(self.step(&pattern));
                        answer.searched = answer.searched.saturating_add(behind.saturating_sub(at));
                        answer.next_cursor = Some(format!("{behind:#x}"));
                        return Ok(answer);
                    }
                }
                answer.searched = answer.searched.saturating_add(next.saturating_sub(at));
                at = next;
            }
        }
        Ok(answer)
    }

    /// Bytes of a hit.
    fn width(&self, pattern: &Pattern) -> u64 {
        match pattern {
            Pattern::Bytes(bytes) | Pattern::Number(bytes) => bytes.len() as u64,
            Pattern::Words(..) => self.process.memory.word() as u64,
        }
    }

    /// Bytes from a hit to where the next one may begin.
    fn step(&self, pattern: &Pattern) -> u64 {
        match pattern {
            Pattern::Bytes(_) => 1,
            Pattern::Number(bytes) => self.alignment(bytes),
            Pattern::Words(..) => self.process.memory.word() as u64,
        }
    }

    /// Where something may be hidden, a number is found only at multiples of its size: else its
    /// last bytes could be the first ones of something hidden, which would be spelled so.
    fn alignment(&self, bytes: &[u8]) -> u64 {
        match self.build.redaction {
            Level::Off => 1,
            _ => bytes.len() as u64,
        }
    }

    /// A place, unless it may not be said what is there.
    fn hit(&self, pattern: &Pattern, at: u64, is_constant: bool) -> Option<Hit> {
        let end = at.saturating_add(self.width(pattern));
        let range = AvmaRange { start: Avma(at), end: Avma(end) };
        self.judged(&[], |judge| {
            let is_part =
                matches!(pattern, Pattern::Number(_)) && self.is_part_of_hidden(at, judge);
            if is_part || (!is_constant && judge.hides(range, true)) {
                return None;
            }
            let what = judge.address(Avma(at));
            Some(Hit { address: Hex(judge.redactor().show_word(at)), what })
        })
    }

    /// Whether a place is in a number that may not be shown.
    fn is_part_of_hidden(&self, at: u64, judge: &mut Judge<'_>) -> bool {
        if self.build.redaction == Level::Off {
            return false;
        }
        let start = at & !(WHOLE_NUMBER - 1);
        let whole = AvmaRange { start: Avma(start), end: Avma(start.saturating_add(WHOLE_NUMBER)) };
        let bytes = self.process.memory.peek_up_to(Avma(start), 8);
        let number = self.process.memory.unsigned(&bytes);
        judge.hides(whole, true) || hides_number(judge, number, bytes.len() == 8)
    }

    /// Hits in `bytes`, which are at `at`.
    fn hits<'b>(
        &'b self,
        pattern: &'b Pattern,
        at: u64,
        bytes: &'b [u8],
    ) -> Box<dyn Iterator<Item = u64> + 'b> {
        let place = move |offset: usize| at.saturating_add(offset as u64);
        match pattern {
            Pattern::Bytes(wanted) | Pattern::Number(wanted) => {
                let step = self.step(pattern).max(1);
                let finder = memchr::memmem::Finder::new(wanted);
                let mut from = 0_usize;
                // Places may overlap, so the search goes on a byte behind each.
                let next = move || {
                    let found = bytes.get(from..).and_then(|rest| finder.find(rest))?;
                    let offset = from.saturating_add(found);
                    from = offset.saturating_add(1);
                    Some(place(offset))
                };
                Box::new(std::iter::from_fn(next).filter(move |hit| hit % step == 0))
            }
            Pattern::Words(first, last) => {
                let word = self.process.memory.word();
                let skip = usize::try_from(at.wrapping_neg() % word as u64).unwrap_or(0);
                let words = bytes.get(skip..).unwrap_or_default().chunks_exact(word);
                Box::new(words.enumerate().filter_map(move |(number, bytes)| {
                    let value = self.process.memory.unsigned(bytes);
                    let offset = skip.saturating_add(number.saturating_mul(word));
                    (*first..=*last).contains(&value).then(|| place(offset))
                }))
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
                if !is_open && !self.is_distinct(*value, *size) {
                    let text = "at this level of redaction an address or a number of 8 bytes, \
                                each two of which are 256 or more, can be searched for: a \
                                shorter or smaller one may be a part of something hidden";
                    return Err(self.problem(text, "find with pointer_to"));
                }
                let is_hidden = self.judged(&[], |judge| hides_number(judge, *value, *size == 8));
                if is_hidden {
                    let text = "this value looks like something that is hidden";
                    return Err(self.problem(text, "find with pointer_to"));
                }
                let little = value.to_le_bytes();
                let mut bytes = little.get(..usize::from(*size)).unwrap_or(&little).to_vec();
                if !self.process.memory.is_little_endian() {
                    bytes.reverse();
                }
                Ok(Pattern::Number(bytes))
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

    /// Whether a number is a whole word that no few searches would find in something hidden.
    fn is_distinct(&self, value: u64, size: u8) -> bool {
        let is_word = usize::from(size) == self.process.memory.word();
        let is_address = self.process.memory.region_at(Avma(value)).is_some();
        let parts = value.to_le_bytes();
        let mut parts = parts.chunks_exact(2).map(|part| match part {
            [low, high] => u16::from_le_bytes([*low, *high]),
            _ => 0,
        });
        is_word && (is_address || (size == 8 && parts.all(|part| part >= LEAST_PART)))
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

/// Whether a number looks like something that is hidden.
fn hides_number(judge: &mut Judge<'_>, value: u64, is_word: bool) -> bool {
    let redactor = judge.redactor();
    let mut hides =
        |value: u64| redactor.hide_number(&Named::default(), &value.to_string()).is_some();
    // A card is a card as a floating-point number, too.
    let float = f64::from_bits(value);
    let is_whole = is_word && (1.0..9.0e15).contains(&float) && float.fract() == 0.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range, and whole
    let is_hidden = hides(value) || (is_whole && hides(float as u64));
    is_hidden || (is_word && redactor.show_word(value) != value)
}
