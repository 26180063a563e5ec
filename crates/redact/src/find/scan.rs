//! One pass over a text, from one place where something may begin to the next.

use std::ops::Range;

use crate::field_name::{Field, Judged};
use crate::find::field::columns::Table;
use crate::find::field::separator::WIDE_COLON;
use crate::find::notation::sql::Statement;
use crate::find::text::{Text, is_word};
use crate::find::{Carried, Span, Unit, finders};
use crate::kind::Kind;

/// A pass over one text.
pub(in crate::find) struct Scan<'t> {
    pub(in crate::find) text: Text<'t>,
    found: Vec<Span>,
    pub(in crate::find) table: Option<Table>,
    /// A field that named another one: `{"name": "password", "value": …}`.
    pub(in crate::find) announced: Option<(Field, usize)>,
    /// Where the line behind the last one of a form begins.
    pub(in crate::find) form_end: Option<usize>,
    /// How often text that wraps text may be unwrapped.
    pub(in crate::find) wraps: u8,
    pub(in crate::find) is_in_key: bool,
    pub(in crate::find) judged: Option<Box<Judged>>,
    /// Up to where a command line was read for its options.
    pub(in crate::find) commanded: usize,
    /// The last statement of a database.
    pub(in crate::find) statement: Statement,
    /// Up to where a notation was read ahead.
    pub(in crate::find) ahead: usize,
    /// The letters of base64 that were looked at last, to their end.
    pub(in crate::find) coded: Range<usize>,
    /// Letters of it that were decoded and held no text.
    pub(in crate::find) decoded_in_vain: usize,
    /// Up to where lines of it were joined, and held none.
    pub(in crate::find) joined_in_vain: usize,
    /// The same of lines that were no picture or certificate.
    pub(in crate::find) joined_as_blob: usize,
    /// Up to where digits were read as a dump of memory, and were none that matters.
    pub(in crate::find) dumped_in_vain: usize,
    /// The line that was asked last whether it speaks of calls, and the answer.
    pub(in crate::find) called: Option<(Range<usize>, bool)>,
}

/// Everything to hide in `bytes`, read as they are.
pub(in crate::find) fn scan(bytes: &[u8], wraps: u8, carried: &mut Carried) -> Vec<Span> {
    let mut scan = Scan {
        text: Text(bytes),
        found: Vec::new(),
        table: carried.table.take(),
        announced: None,
        form_end: None,
        wraps,
        is_in_key: false,
        judged: carried.judged.take(),
        commanded: 0,
        statement: Statement::default(),
        ahead: 0,
        coded: 0..0,
        decoded_in_vain: 0,
        joined_in_vain: 0,
        joined_as_blob: 0,
        dumped_in_vain: 0,
        called: None,
    };
    scan.run();
    carried.table = scan.table.take();
    carried.is_in_key = scan.is_in_key;
    carried.judged = scan.judged;
    scan.found
}

impl Scan<'_> {
    fn run(&mut self) {
        let text = self.text;
        let mut place = self.line(0);
        while place < text.len() {
            let next = match class(text.at(place)) {
                Class::Letter => self.word(place),
                Class::Digit => self.number(place),
                Class::Sign => finders::OF_SIGNS.ask(self, place, place + 1).unwrap_or(place + 1),
                Class::LineEnd => self.line(place + 1),
                Class::Nothing => {
                    text.run(place + 1, usize::MAX, |byte| class(byte) == Class::Nothing)
                }
            };
            place = next.max(place + 1);
        }
    }

    /// A line that starts at `start`; gives where to go on.
    #[inline]
    fn line(&mut self, start: usize) -> usize {
        let first = self.text.at(start);
        if first.is_ascii_digit() || first == b'[' {
            self.chat_line(start);
        }
        // The end of a dump is the start of a line.
        let start = match first.is_ascii_hexdigit() || first == b' ' || first == b'\t' {
            true => self.dump(start).unwrap_or(start),
            false => start,
        };
        self.line_start(start)
    }

    /// A word that begins with a letter; gives where to go on.
    fn word(&mut self, start: usize) -> usize {
        let text = self.text;
        let mut end = text.run(start, usize::MAX, is_word);
        if text.at(start) >= 0x80
            && let Some(colon) = memchr::memmem::find(text.slice(start..end), WIDE_COLON)
            && colon > 0
        {
            end = start + colon;
        }
        finders::OF_WORDS.ask(self, start, end).unwrap_or(end)
    }

    /// A word that begins with a digit; gives where to go on.
    fn number(&mut self, start: usize) -> usize {
        let text = self.text;
        let end = text.run(start, usize::MAX, is_word);
        let digits = text.run(start, end - start, |byte| byte.is_ascii_digit());
        let finders = if digits == end { &finders::OF_NUMBERS } else { &finders::OF_MIXED_WORDS };
        finders.ask(self, start, end).unwrap_or(end)
    }

    /// Hides `range`; gives its end.
    pub(in crate::find) fn hide(&mut self, range: Range<usize>, kind: Kind) -> usize {
        let end = range.end;
        if range.start < end {
            let neighbours = matches!(kind, Kind::Phone | Kind::Email | Kind::Account)
                .then(|| self.names_beside(&range));
            self.found.push(Span { range, kind, unit: Unit::Byte });
            let beside = neighbours.into_iter().flatten().flatten();
            self.found.extend(beside.map(|range| Span {
                range,
                kind: Kind::Name,
                unit: Unit::Byte,
            }));
        }
        end
    }
}

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Nothing,
    Letter,
    Digit,
    /// One that begins something, or is in its middle.
    Sign,
    LineEnd,
}

#[inline]
fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Nothing)
}

static CLASSES: [Class; 256] = classes();

#[allow(clippy::indexing_slicing)]
const fn classes() -> [Class; 256] {
    let mut classes = [Class::Nothing; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'\n' | 0 => Class::LineEnd,
            byte if finders::OF_SIGNS.begins_with(byte) => Class::Sign,
            _ => Class::Nothing,
        };
        byte += 1;
    }
    classes
}
