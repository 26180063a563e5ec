//! Who did something, in lines that system programs write.

use crate::field_name::{Field, Sureness};
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{is_blank, is_word};
use crate::kind::Kind;

impl Scan<'_> {
    /// `(to root) bob on pts/1`, as `su` writes to the log.
    pub(in crate::find) fn switched(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let close = text.run(end, 40, |byte| byte != b')' && byte != b'\n');
        let start = close + 2;
        let stop = text.run(start, 64, |byte| is_word(byte) || byte == b'-' || byte == b'.');
        if !text.has(close, b") ") || !text.has(stop, b" on ") {
            return None;
        }
        let value = Value { range: start..stop, is_delimited: true, separator: Separator::Tight };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, Kind::User))
    }

    /// Who sits at the terminal that is at `start`, in lists of `who`, `w` and `last`.
    pub(in crate::find) fn terminal(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run_back(start, 32, is_blank);
        let from = text.run_back(stop, 40, |byte| is_word(byte) || b".-".contains(&byte));
        let begins = from == 0 || matches!(text.before(from), b'\n' | 0);
        if !begins || stop == start {
            return None;
        }
        let value = Value { range: from..stop, is_delimited: true, separator: Separator::Tight };
        let field = Field { kind: Kind::User, sureness: Sureness::Likely };
        let range = plausible::sensitive(text, &value, field)?;
        self.hide(range, Kind::User);
        None
    }
}
