//! The literal or the word behind a word that announces a password.

use crate::field_name::{Field, Sureness};
use crate::find::field::value::{Separator, value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::is_blank;
use crate::kind::Kind;

impl Scan<'_> {
    /// `ConvertTo-SecureString 'hunter2'`, `PASSWORD('hunter2')`: the literal from `from` on.
    pub(in crate::find) fn literal(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let from = text.run(from, 4, is_blank);
        let from = if text.has(from, b"-String ") { from + 8 } else { from };
        if !matches!(text.at(from), b'\'' | b'"') {
            return None;
        }
        let value = value(text, from, Separator::Tight, Kind::Password)?;
        let field = Field { kind: Kind::Password, sureness: Sureness::Sure };
        let range = plausible::sensitive(text, &value, field)?;
        Some(self.hide(range, Kind::Password))
    }

    /// The word behind `end`, for routers' and agents' settings.
    pub(in crate::find) fn next_word(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, 128, |byte| byte > b' ');
        let fits = text.at(end) == b' ' && stop > end + 3 && text.at(end + 1) != b'<';
        fits.then(|| self.hide(end + 1..stop, Kind::Password))
    }

    /// The same where it ends the line.
    pub(in crate::find) fn last_word(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let stop = text.run(end + 1, 128, |byte| byte > b' ');
        let fits =
            text.at(end) == b' ' && stop > end + 4 && matches!(text.at(stop), b'\r' | b'\n' | 0);
        fits.then(|| self.hide(end + 1..stop, Kind::Password))
    }
}
