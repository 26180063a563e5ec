//! Names beside what has a form of its own: before an address, in parentheses behind it, in the
//! cell of a table before it.

use std::ops::Range;

use crate::field_name::Sureness;
use crate::find::field::value::{Separator, Value, begins_small};
use crate::find::plausible::person_name;
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_letter};
use crate::kind::Kind;

impl Scan<'_> {
    /// The name before the address that starts at `address`: `Ann Lee <ann@…>`,
    /// `"Lee, Ann" <sip:…>`.
    pub(in crate::find) fn display_name(&mut self, address: usize) {
        let text = self.text;
        let scheme = text.run_back(address, 8, |byte| byte.is_ascii_alphabetic() || byte == b':');
        let bracket = if text.before(address) == b'<' { address } else { scheme };
        if text.before(bracket) != b'<' {
            // `Ann Lee (ann@…)`
            if text.before(address) != b'(' {
                return self.cell_before(address);
            }
        }
        let bracket = if text.before(bracket) == b'<' { bracket } else { address };
        let end = text.run_back(bracket - 1, 2, is_blank);
        // `=?UTF-8?B?…?= <ann@…>` (RFC 2047).
        if text.slice(end.saturating_sub(2)..end) == b"?=" {
            let from = text.run_back(end - 2, 120, |byte| byte > b' ' && byte != b'?');
            if text.before(from) == b'?' {
                self.hide(from..end - 2, Kind::Name);
            }
            return;
        }
        if text.before(end) == b'"' {
            let close = if text.before(end - 1) == b'\\' { end - 2 } else { end - 1 };
            let start = text.run_back(close, 80, |byte| byte != b'"' && byte != b'\n');
            let is_named = text.slice(start..close).iter().any(|byte| is_letter(*byte));
            if text.before(start) == b'"' && is_named {
                self.hide(start..close, Kind::Name);
            }
            return;
        }
        // The last words that begin with capitals.
        let is_part = |byte: u8| is_letter(byte) || matches!(byte, b' ' | b'\'' | b'-' | b'.');
        let from = text.run_back(end, 64, is_part);
        let mut start = end;
        let mut words = 0;
        let mut place = end;
        while place > from && words < 4 {
            let word = text.run_back(place, 40, |byte| byte != b' ').max(from);
            let first = text.at(word);
            let is_particle = matches!(
                text.slice(word..place),
                b"de" | b"van" | b"der" | b"von" | b"la" | b"del" | b"da" | b"di"
            );
            let is_capital = first.is_ascii_uppercase() || first >= 0x80;
            if !(is_capital || is_particle && words > 0)
                || person_name::is_no_name(text.slice(word..place))
            {
                break;
            }
            start = word;
            words += 1;
            place = text.run_back(word, 1, is_blank);
            if place == word {
                break;
            }
        }
        if words >= 2
            || (words == 1
                && end - start >= 3
                && text.slice(start..end).iter().any(|byte| !byte.is_ascii_uppercase())
                && matches!(text.before(start), b' ' | b',' | b';' | b'\n' | 0))
        {
            self.hide(start..end, Kind::Name);
        }
    }

    /// `ann@example.org (Ann Lee)`, `Ann Lee (+43 …)`: the names before and behind what `range`
    /// has, of which one is in parentheses.
    pub(in crate::find) fn names_beside(&self, range: &Range<usize>) -> [Option<Range<usize>>; 2] {
        let text = self.text;
        let is_full = |name: &Range<usize>| {
            let bytes = text.slice(name.clone());
            let value =
                Value { range: name.clone(), is_delimited: true, separator: Separator::Blank };
            person_name::is_name(&value, bytes, Sureness::Maybe)
        };
        let close = range.end + usize::from(text.at(range.end) == b'>');
        let behind = text.has(close, b" (").then(|| {
            let from = close + 2;
            from..text.run(from, 60, |byte| byte != b')' && byte != b'\n' && byte != 0)
        });
        let behind = behind.filter(|name| text.at(name.end) == b')' && is_full(name));
        let open = range.start;
        let before = (text.slice(open.saturating_sub(2)..open) == b" (").then(|| {
            let end = open - 2;
            let mut start = end;
            for _ in 0..4 {
                let word =
                    text.run_back(start, 32, |byte| is_letter(byte) || b"-'.".contains(&byte));
                let first = text.at(word);
                let is_capital =
                    first.is_ascii_uppercase() || first >= 0xc3 && !begins_small(text, word);
                if word == start || !is_capital {
                    break;
                }
                start = word;
                if text.before(word) != b' ' {
                    break;
                }
                start -= 1;
            }
            text.run(start, 1, is_blank)..end
        });
        [before.filter(is_full), behind]
    }

    /// `Ann Lee;ann@…`: the name in the cell before the address that starts at `address`.
    fn cell_before(&mut self, address: usize) {
        let text = self.text;
        let gap = text.run_back(address, 3, |byte| is_blank(byte) || matches!(byte, b'"' | b'\''));
        let separator = text.before(gap);
        if !matches!(separator, b',' | b';' | b'|' | b'\t') {
            return;
        }
        let close =
            text.run_back(gap - 1, 3, |byte| is_blank(byte) || matches!(byte, b'"' | b'\''));
        let start = text.run_back(close, 60, |byte| {
            is_letter(byte) || matches!(byte, b' ' | b'\'' | b'-' | b'.')
        });
        let mut start = text.run(start, 4, |byte| is_blank(byte) || byte == b'\'');
        // Words before the name begin with small letters, or are signs.
        while start < close && !text.at(start).is_ascii_uppercase() && text.at(start) < 0x80 {
            let word = text.run(start, 60, |byte| byte != b' ');
            start = text.run(word, 4, is_blank).min(close);
        }
        let begins = matches!(
            text.before(start),
            b',' | b';' | b'|' | b'\t' | b'\n' | b'"' | b'\'' | b' ' | b'(' | b'[' | 0
        );
        if !begins || start >= close {
            return;
        }
        let value = Value { range: start..close, is_delimited: true, separator: Separator::Blank };
        if person_name::is_name(&value, text.slice(start..close), Sureness::Maybe) {
            self.hide(start..close, Kind::Name);
        }
    }
}
