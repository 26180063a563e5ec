//! What becomes of the bytes that are kept: pointers, small numbers and what is known to be
//! a number stay, text becomes `x` of the same length, all else becomes zero.

use super::cards::{card_digits, is_card};
use super::phrases;
use super::places::{Hidden, Places};
use super::printable::is_printable;
use super::ranges::Ranges;

/// What masked text is made of. No digit, no letter of the original, one byte each: lengths
/// and terminators stay true, so that printers of strings work.
pub const MASK: u8 = b'x';
/// Printable bytes in a row that are called text.
const SHORTEST_TEXT: usize = 4;
/// The same for 4-byte characters: four small numbers in a row are common.
const SHORTEST_WIDE_TEXT: usize = 6;
/// Text of this length is text even where a number was read.
const CERTAIN_TEXT: u8 = 6;
/// Letters in front of zeros that no number of eight bytes is likely to be.
const LETTERS: usize = 5;
/// Words below are numbers wherever they are, in either sign. No text of three letters
/// fits.
const SMALL: u64 = 1 << 16;
/// The same where not three of the bytes are printable: thread ids, sizes, line numbers.
const MODEST: u64 = 1 << 24;
/// Where the analysis read, sizes of heaps and mangled pointers count as numbers, too.
const READ_BY_ANALYSIS: u64 = 1 << 48;

/// What is known of the bytes of one span.
pub struct Judge<'j> {
    /// Bytes of an address: 4 or 8.
    pub word: usize,
    /// Byte order.
    pub little_endian: bool,
    /// Whether an address lies in a mapping.
    pub is_mapped: &'j dyn Fn(u64) -> bool,
    /// What is wanted of the span; the rest becomes zero.
    pub wanted: &'j Ranges,
    /// What stays as it is: code and headers of files.
    pub plain: &'j Ranges,
    /// What the analysis of the crash read.
    pub facts: &'j Ranges,
    /// Where single numbers were read: start and length, sorted.
    pub numbers: &'j [(u64, u64)],
    /// Where several bytes were read at once that are no single number.
    pub groups: &'j Ranges,
    /// What types and names say.
    pub typed: &'j Places,
}

/// What is at a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Unknown,
    Pointer,
    /// Of a text of so many characters, 255 and more alike.
    Text(u8),
    /// The same of characters of two or four bytes.
    Wide(u8),
    /// Stays.
    Number,
}

/// Whether `value` is what glibc keeps before a small block that is behind one in use: a
/// multiple of 16 and `PREV_INUSE`. As text it has one letter or two.
fn is_chunk_size(value: u64) -> bool {
    value < SMALL && value & 0xf == 1 && value > 0x20
}

impl Judge<'_> {
    /// The masked form of `original`, which lay at `start`. The same length. Text that
    /// crosses the ends is seen only as far as `original` goes.
    pub fn mask(&self, start: u64, original: &[u8]) -> Vec<u8> {
        let mut bytes = vec![Byte::Unknown; original.len()];
        self.find_pointers(start, original, &mut bytes);
        find_text(original, &mut bytes);
        self.find_typed_text(start, original, &mut bytes);
        self.find_numbers(start, original, &mut bytes);
        self.find_typed_numbers(start, original, &mut bytes);
        self.find_phrases(start, original, &mut bytes);
        self.judge_words(start, original, &mut bytes);
        let end = start.saturating_add(original.len() as u64);
        let mut masked = vec![0; original.len()];
        for (from, to) in self.wanted.within(start, end) {
            let part = span(start, from, to);
            let (Some(to), Some(from), Some(kinds)) =
                (masked.get_mut(part.clone()), original.get(part.clone()), bytes.get(part))
            else {
                continue;
            };
            for ((to, from), kind) in to.iter_mut().zip(from).zip(kinds) {
                *to = match kind {
                    Byte::Pointer | Byte::Number => *from,
                    // Where lines end says nothing.
                    Byte::Text(_) | Byte::Wide(_) if *from == b'\n' => *from,
                    // The zeros of UTF-16.
                    Byte::Text(_) | Byte::Wide(_) if *from != 0 => MASK,
                    Byte::Text(_) | Byte::Wide(_) | Byte::Unknown => 0,
                };
            }
        }
        self.keep_free_slots(start, original, &mut masked);
        self.hide(start, original, &bytes, &mut masked);
        for (from, to) in self.plain.within(start, end) {
            let part = span(start, from, to);
            if let (Some(to), Some(from)) = (masked.get_mut(part.clone()), original.get(part)) {
                to.copy_from_slice(from);
            }
        }
        masked
    }

    /// What marks the free slots of a hash table stays: 0xff and 0x80 of Rust's and Abseil's,
    /// 0x80 and 0xfe of Go's. They were read as groups.
    fn keep_free_slots(&self, start: u64, original: &[u8], masked: &mut [u8]) {
        let end = start.saturating_add(original.len() as u64);
        for (from, to) in self.groups.within(start, end) {
            let part = span(start, from, to);
            let was = original.get(part.clone()).unwrap_or(&[]);
            for (to, from) in masked.get_mut(part).unwrap_or(&mut []).iter_mut().zip(was) {
                if matches!(from, 0x80 | 0xfe | 0xff) {
                    *to = *from;
                }
            }
        }
    }

    /// Takes away what a report hides: where its variable is, and its copies.
    fn hide(&self, start: u64, original: &[u8], kinds: &[Byte], masked: &mut [u8]) {
        let end = start.saturating_add(original.len() as u64);
        for range in self.typed.keys.find(original) {
            masked.get_mut(range).unwrap_or(&mut []).fill(0);
        }
        self.hide_cards(start, original, kinds, masked);
        if !self.typed.values.is_empty() {
            for size in [4, 8] {
                let skip = to_alignment(start, size);
                let words = original.get(skip..).unwrap_or(&[]).chunks_exact(size).enumerate();
                for (nth, word) in words {
                    let at = skip + nth * size;
                    let value = self.number(word);
                    // A smaller one may be another number that is known to be one.
                    let is_copy = value >= SMALL && self.typed.is_hidden_value(value);
                    let is_pointer = size == self.word && kinds.get(at) == Some(&Byte::Pointer);
                    if is_copy && !is_pointer {
                        self.put(Hidden::Integer, word, masked.get_mut(at..at + size));
                    }
                }
            }
        }
        for (from, len, what) in &self.typed.hidden {
            let to = from.saturating_add(*len);
            if *from < end && to > start {
                let part = span(start, (*from).max(start), to.min(end));
                let was = original.get(part.clone()).unwrap_or(&[]);
                let is_whole = *from >= start && to <= end;
                let what = if is_whole || *what == Hidden::Text { *what } else { Hidden::Other };
                self.put(what, was, masked.get_mut(part));
            }
        }
    }

    /// Numbers that are a card's wherever they are.
    fn hide_cards(&self, start: u64, original: &[u8], kinds: &[Byte], masked: &mut [u8]) {
        let skip = to_alignment(start, 8);
        for (nth, word) in original.get(skip..).unwrap_or(&[]).chunks_exact(8).enumerate() {
            let at = skip + 8 * nth;
            let is_pointer = kinds.get(at) == Some(&Byte::Pointer);
            if !is_pointer && is_card(self.number(word)) {
                self.put(Hidden::Integer, word, masked.get_mut(at..at + 8));
            }
        }
        for size in [2, 4, 8] {
            let skip = to_alignment(start, size);
            let aligned = original.get(skip..).unwrap_or(&[]);
            for range in card_digits(aligned, size, |word| self.number(word)) {
                let range = skip + range.start..skip + range.end;
                masked.get_mut(range).unwrap_or(&mut []).fill(0);
            }
        }
    }

    /// Writes what stands for a hidden value.
    fn put(&self, what: Hidden, was: &[u8], to: Option<&mut [u8]>) {
        let Some(to) = to else { return };
        if what == Hidden::Text {
            let bytes = to.iter_mut().zip(was);
            bytes.for_each(|(to, was)| *to = if *was == 0 { 0 } else { MASK });
            return;
        }
        let sign = if self.little_endian { was.last() } else { was.first() };
        let is_negative = sign.is_some_and(|byte| *byte >= 0x80);
        to.fill(if is_negative && what == Hidden::Integer { 0xff } else { 0 });
        let lowest = if self.little_endian { to.first_mut() } else { to.last_mut() };
        if let (Some(lowest), Hidden::Integer, true, false) =
            (lowest, what, was.iter().any(|byte| *byte != 0), is_negative)
        {
            *lowest = 1;
        }
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        if self.little_endian {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        }
    }

    fn find_pointers(&self, start: u64, original: &[u8], bytes: &mut [Byte]) {
        let skip = to_alignment(start, self.word);
        let words = original.get(skip..).unwrap_or(&[]).chunks_exact(self.word);
        let kinds = bytes.get_mut(skip..).unwrap_or(&mut []).chunks_exact_mut(self.word);
        let mut before = skip.checked_sub(1).and_then(|at| original.get(at)).copied().unwrap_or(0);
        for (word, kinds) in words.zip(kinds) {
            let value = self.number(word);
            // Programs at low addresses: the last letters of a text look like one.
            let is_low = value >> 32 == 0;
            let is_tail = is_printable(before)
                && word
                    .iter()
                    .all(|byte| *byte == 0 || (is_low && *byte >= 0x80) || is_printable(*byte));
            if value >= SMALL && !is_tail && (self.is_mapped)(value) {
                kinds.fill(Byte::Pointer);
            }
            before = word.last().copied().unwrap_or(0);
        }
    }

    /// Numbers that were read as such stay, unless they are text: a variable that was never
    /// set holds what lay there before.
    fn find_numbers(&self, start: u64, original: &[u8], bytes: &mut [Byte]) {
        let end = start.saturating_add(original.len() as u64);
        let first = self.numbers.partition_point(|(at, _)| at.saturating_add(16) <= start);
        for (at, len) in self.numbers.iter().skip(first).take_while(|(at, _)| *at < end) {
            // Text that crosses the ends of what is seen here would not be known as such.
            let to = at.saturating_add(*len);
            if *at < start || to > end {
                continue;
            }
            let part = span(start, *at, to);
            let (Some(number), Some(kinds)) = (original.get(part.clone()), bytes.get_mut(part))
            else {
                continue;
            };
            let is_text = match number {
                [byte] => *byte >= 0x20,
                [_, _] => kinds.iter().any(|kind| matches!(kind, Byte::Text(_) | Byte::Wide(_))),
                _ => number.iter().all(|byte| is_printable(*byte))
                    || kinds.iter().any(
                        |kind| matches!(kind, Byte::Text(n) | Byte::Wide(n) if *n >= CERTAIN_TEXT),
                    ),
            };
            if !is_text {
                kinds.iter_mut().for_each(|kind| *kind = (*kind).max_number());
            }
        }
    }

    /// Arrays of characters are text, whatever their bytes look like; what else lies in one
    /// was read by its own type.
    fn find_typed_text(&self, start: u64, original: &[u8], bytes: &mut [Byte]) {
        for (from, to) in self.places(&self.typed.texts, start, original) {
            for kind in bytes.get_mut(span(start, from, to)).unwrap_or(&mut []) {
                if *kind == Byte::Unknown {
                    *kind = Byte::Text(1);
                }
            }
        }
    }

    /// The parts of `sorted` that lie in `original`, cut to it.
    fn places(
        &self,
        sorted: &[(u64, u64)],
        start: u64,
        original: &[u8],
    ) -> impl Iterator<Item = (u64, u64)> {
        let end = start.saturating_add(original.len() as u64);
        let before = sorted.partition_point(|(at, _)| *at < end);
        let places = sorted.iter().take(before).map(|(at, len)| (*at, at.saturating_add(*len)));
        let inside = places.filter(move |(_, to)| *to > start);
        inside.map(move |(from, to)| (from.max(start), to.min(end)))
    }

    /// Numbers and pointers of variables stay, unless they spell text.
    fn find_typed_numbers(&self, start: u64, original: &[u8], bytes: &mut [Byte]) {
        let end = start.saturating_add(original.len() as u64);
        let first = self.typed.numbers.partition_point(|(at, _)| at.saturating_add(16) <= start);
        let numbers = self.typed.numbers.iter().skip(first);
        for (at, len) in numbers.take_while(|(at, _)| *at < end) {
            let to = at.saturating_add(*len);
            if *at < start || to > end {
                continue;
            }
            let part = span(start, *at, to);
            let is_text = self.spells_text(original, &part, bytes);
            let kinds = bytes.get_mut(part).unwrap_or(&mut []).iter_mut();
            if !is_text {
                kinds.for_each(|kind| *kind = (*kind).max_number());
            }
        }
    }

    /// Whether a number says more as text.
    fn spells_text(&self, original: &[u8], part: &std::ops::Range<usize>, kinds: &[Byte]) -> bool {
        let number = original.get(part.clone()).unwrap_or(&[]);
        let kinds = kinds.get(part.clone()).unwrap_or(&[]);
        let is_marked = |least: u8| kinds.iter().any(|k| matches!(k, Byte::Text(n) if *n >= least));
        if number.len() == 1 {
            // One of a row of letters. Alone, it is as large as an octet may be.
            return is_marked(SHORTEST_TEXT as u8);
        }
        if is_uniform(number) {
            return false;
        }
        let letters = if self.little_endian {
            number.iter().take_while(|byte| is_printable(**byte)).count()
        } else {
            number.iter().rev().take_while(|byte| is_printable(**byte)).count()
        };
        let rest = number.iter().filter(|byte| **byte != 0).count();
        if letters == number.len() || (letters == rest && letters >= LETTERS) {
            return true;
        }
        if kinds.iter().any(|kind| matches!(kind, Byte::Wide(n) if *n >= CERTAIN_TEXT)) {
            return true;
        }
        is_marked(CERTAIN_TEXT) && lies_in_text(original, part)
    }

    /// What runtimes say by themselves stays in what the analysis read.
    fn find_phrases(&self, start: u64, original: &[u8], bytes: &mut [Byte]) {
        let end = start.saturating_add(original.len() as u64);
        for (from, to) in self.facts.within(start, end) {
            let part = span(start, from, to);
            let (Some(text), Some(kinds)) = (original.get(part.clone()), bytes.get_mut(part))
            else {
                continue;
            };
            if !kinds.iter().any(|kind| matches!(kind, Byte::Text(_) | Byte::Wide(_))) {
                continue;
            }
            for (at, length) in phrases::find(text) {
                kinds.iter_mut().skip(at).take(length).for_each(|kind| *kind = Byte::Number);
            }
        }
    }

    fn judge_words(&self, start: u64, original: &[u8], bytes: &mut [Byte]) {
        let skip = to_alignment(start, self.word);
        let words = original.get(skip..).unwrap_or(&[]).chunks_exact(self.word);
        let kinds = bytes.get_mut(skip..).unwrap_or(&mut []).chunks_exact_mut(self.word);
        let mut at = start.saturating_add(skip as u64);
        for (word, kinds) in words.zip(kinds) {
            let here = at;
            at = at.saturating_add(self.word as u64);
            if kinds.iter().all(|kind| *kind == Byte::Unknown) {
                let value = self.number(word);
                let fact = value < READ_BY_ANALYSIS && self.word == 8 && self.facts.contains(here);
                if fact || (self.is_small(value, word) && !self.typed.values.contains(&value)) {
                    kinds.fill(Byte::Number);
                    continue;
                }
            }
            // Heap metadata is where a freed text was, and is not letters.
            let is_book = word.iter().any(|byte| *byte != 0 && !is_printable(*byte))
                && kinds.iter().all(|kind| matches!(kind, Byte::Unknown | Byte::Text(1)));
            if is_book && self.facts.contains(here) && self.number(word) < READ_BY_ANALYSIS {
                kinds.fill(Byte::Number);
                continue;
            }
            // The size of a block may go on where a text fills the one before to its end.
            let is_size = self.word == 8 && is_chunk_size(self.number(word));
            if is_size && self.facts.contains(here) {
                kinds.fill(Byte::Number);
                continue;
            }
            let is_filling = is_uniform(word) && word.first().is_some_and(u8::is_ascii_graphic);
            if is_filling
                && self.facts.contains(here)
                && kinds.iter().all(|k| matches!(k, Byte::Text(_)))
            {
                kinds.fill(Byte::Number);
                continue;
            }
            for (half, kinds) in word.chunks_exact(4).zip(kinds.chunks_exact_mut(4)) {
                let free = kinds.iter().all(|kind| *kind == Byte::Unknown);
                let value = self.number(half);
                if free && self.is_small(value, half) && !self.typed.values.contains(&value) {
                    kinds.fill(Byte::Number);
                }
            }
        }
    }

    /// Whether a number of the size of `bytes` says nothing by itself.
    fn is_small(&self, value: u64, bytes: &[u8]) -> bool {
        let all = if bytes.len() == 4 { u64::from(u32::MAX) } else { u64::MAX };
        let printable = bytes.iter().filter(|byte| is_printable(**byte)).count();
        value < SMALL || value > all - SMALL || (value < MODEST && printable < 3)
    }

    /// A register that holds a number which a report hides.
    pub fn hide_register(&self, bytes: &mut [u8]) -> bool {
        let was = bytes.to_vec();
        self.put(Hidden::Integer, &was, Some(bytes));
        true
    }

    /// What of a general register stays: all but text, and that as a mask of the same
    /// length. A number that is neither small nor an address stays, because the access that
    /// failed may have used it.
    pub fn mask_register(&self, bytes: &mut [u8]) -> bool {
        let value = self.number(bytes);
        if (self.is_mapped)(value) || is_uniform(bytes) {
            return false;
        }
        let is_secret = self.typed.keys.has(value) || is_card(value);
        if is_secret || value >= u64::from(u8::MAX) && self.typed.is_hidden_value(value) {
            let was = bytes.to_vec();
            self.put(Hidden::Integer, &was, Some(bytes));
            return true;
        }
        if value < SMALL {
            return false;
        }
        let mut kinds = vec![Byte::Unknown; bytes.len()];
        find_text(bytes, &mut kinds);
        let is_marked = |kind: &&Byte| matches!(kind, Byte::Text(_) | Byte::Wide(_));
        let length = kinds.iter().filter(is_marked).count();
        let rest =
            bytes.iter().zip(&kinds).any(|(byte, kind)| *kind == Byte::Unknown && *byte != 0);
        let is_text = length >= 5 || (length >= SHORTEST_TEXT && !rest);
        if is_text {
            for byte in bytes.iter_mut().filter(|byte| **byte != 0) {
                *byte = MASK;
            }
        }
        is_text
    }
}

impl Byte {
    fn max_number(self) -> Self {
        if self == Self::Pointer { self } else { Self::Number }
    }
}

/// The part of a span from `start` that is `[from, to)`.
fn span(start: u64, from: u64, to: u64) -> std::ops::Range<usize> {
    let at = |address: u64| usize::try_from(address.saturating_sub(start)).unwrap_or(usize::MAX);
    at(from)..at(to)
}

/// Bytes from `start` to the next address that `word` divides.
fn to_alignment(start: u64, word: usize) -> usize {
    let word = word.max(1) as u64;
    usize::try_from((word - start % word) % word).unwrap_or(0)
}

/// Marks text in bytes that are not pointers: ASCII with UTF-8 or Latin-1 among it, UTF-16
/// and UTF-32 of ASCII, in either byte order, at any address.
fn find_text(original: &[u8], bytes: &mut [Byte]) {
    let mut at = 0;
    while at < original.len() {
        let is_text = |at: &usize| {
            let byte = original.get(*at).copied().unwrap_or(0);
            bytes.get(*at) == Some(&Byte::Unknown) && (is_printable(byte) || byte >= 0x80)
        };
        let length = (at..original.len()).take_while(is_text).count();
        let run = original.get(at..at + length).unwrap_or(&[]);
        let printable = run.iter().filter(|byte| is_printable(**byte)).count();
        if longest_printable(run) >= SHORTEST_TEXT
            || printable * 4 >= length * 3 && printable >= SHORTEST_TEXT
        {
            mark(bytes, at, length, Byte::Text(u8::try_from(printable).unwrap_or(u8::MAX)));
        }
        at += length.max(1);
    }
    for (size, shortest) in [(2, SHORTEST_TEXT), (4, SHORTEST_WIDE_TEXT)] {
        let mut at = 0;
        while at + size <= original.len() {
            let length = (at..original.len())
                .step_by(size)
                .take_while(|at| {
                    let unit = original.get(*at..*at + size).unwrap_or(&[]);
                    let free = bytes.get(*at..*at + size).unwrap_or(&[]);
                    let rest = unit.get(1..).unwrap_or(&[]);
                    // Latin-1 is the start of Unicode.
                    unit.first().is_some_and(|byte| is_printable(*byte) || *byte >= 0xa0)
                        && rest.iter().all(|byte| *byte == 0)
                        && !free.contains(&Byte::Pointer)
                })
                .count();
            if length >= shortest {
                let kind = Byte::Wide(u8::try_from(length).unwrap_or(u8::MAX));
                mark(bytes, at, length * size, kind);
                at += length * size;
            } else {
                at += 1;
            }
        }
    }
}

/// Whether a row of letters that is certainly text goes on in `part`, or lies in it: four of
/// its letters, or the last two of it.
fn lies_in_text(original: &[u8], part: &std::ops::Range<usize>) -> bool {
    let certain = usize::from(CERTAIN_TEXT);
    let is_letter = |at: &usize| original.get(*at).is_some_and(|byte| is_printable(*byte));
    let mut at = part.start;
    while at < part.end {
        let row = (at..original.len().min(part.end + certain)).take_while(is_letter).count();
        let inside = row.min(part.end - at);
        let before = match at == part.start {
            true => (0..at).rev().take(certain).take_while(is_letter).count(),
            false => 0,
        };
        let is_rest = before >= SHORTEST_TEXT && inside >= 2;
        if row + before >= certain && (is_rest || inside >= SHORTEST_TEXT) {
            return true;
        }
        at += row + 1;
    }
    false
}

/// A whole word of one character reveals no more than that it is one.
fn is_uniform(word: &[u8]) -> bool {
    word.len() >= 8 && word.iter().all(|byte| Some(byte) == word.first())
}

fn longest_printable(run: &[u8]) -> usize {
    run.split(|byte| !is_printable(*byte)).map(<[u8]>::len).max().unwrap_or(0)
}

fn mark(bytes: &mut [Byte], at: usize, length: usize, kind: Byte) {
    for byte in bytes.iter_mut().skip(at).take(length) {
        *byte = kind;
    }
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
