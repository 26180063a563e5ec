//! Elements of XML and HTML, whose names or attributes say what they hold.

use std::ops::Range;

use crate::field_name::{self, Field, Sureness};
use crate::find::field::value::{Separator, value};
use crate::find::notation::elements;
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank, is_word};
use crate::kind::Kind;

impl Scan<'_> {
    /// `<name>value</name>` whose `<` is at `place`; gives where to go on.
    pub(in crate::find) fn tag(&mut self, place: usize) -> usize {
        let text = self.text;
        if let Some(next) = self.speaker(place) {
            return next;
        }
        let mut start = place + 1;
        let mut end = text.run(start, 64, |byte| is_word(byte) || b":.-".contains(&byte));
        if let Some(colon) = text.slice(start..end).iter().rposition(|byte| *byte == b':') {
            start += colon + 1;
        }
        let name = text.slice(start..end);
        if end == start {
            return place + 1;
        }
        if is_blank(text.at(end)) {
            end = text.run(end, 300, |byte| byte != b'>' && byte != b'<' && byte != b'\n');
        }
        if text.at(end) == b'>'
            && text.before(end) == b'/'
            && memchr::memmem::find(text.slice(start..end), b" value=").is_some()
            && let Some(field) = field_name::field(name)
        {
            // `<birthTime value="19471221"/>`
            self.announced = Some((field, place));
        }
        if text.at(end) != b'>' || text.before(end) == b'/' {
            return place + 1;
        }
        let own = elements::element(text, place, name, end)
            .or_else(|| field_name::field(name))
            .or_else(|| named_by_attribute(text, start..end));
        let Some(field) = own.or_else(|| self.announced_for(name, place)) else {
            return place + 1;
        };
        let Some(value) = value(text, end + 1, Separator::Tag, field.kind) else {
            // `<Password><Value>hunter2</Value>`
            if text.at(text.run(end + 1, 64, |byte| byte.is_ascii_whitespace())) == b'<'
                && field.sureness == Sureness::Sure
            {
                self.announced = Some((field, end));
            }
            return place + 1;
        };
        let closing = text.run(value.range.end, 64, |byte| byte != b'<' && byte != 0);
        // Elements of SGML need no end: `<USERID>ann<USERPASS>…`.
        let is_open = name.len() >= 4
            && name.iter().all(u8::is_ascii_uppercase)
            && text.at(closing) == b'<'
            && text.at(closing + 1).is_ascii_uppercase();
        if !is_open
            && text.at(closing + 1) != b'/'
            && !text.slice(end..value.range.start).ends_with(b"[")
        {
            return place + 1;
        }
        match plausible::sensitive(text, &value, field) {
            Some(range) => {
                self.hide(range, field.kind);
            }
            None => self.announce(name, &value),
        }
        // Attributes are fields of their own.
        place + 1
    }
}

impl Scan<'_> {
    /// `<ann_77> hello`, of a chat, whose `<` is at `place`.
    fn speaker(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let is_part = |byte: u8| is_word(byte) || b".-[]^`|".contains(&byte);
        let end = text.run(place + 1, 32, is_part);
        let name = text.slice(place + 1..end);
        let begins = matches!(text.before(place), 0 | b'\n')
            || text.before(place) == b' ' && matches!(text.before(place - 1), b']' | b'0'..=b'9');
        let is_marked = name.contains(&b'_')
            || name.iter().any(u8::is_ascii_digit) && name.iter().any(u8::is_ascii_alphabetic);
        let speaks = text.at(end) == b'>' && text.at(end + 1) == b' ' && text.at(end + 2) > b' ';
        let is_nick = begins && is_marked && speaks && name.len() >= 4 && !name.starts_with(b"0x");
        is_nick.then(|| self.hide(place + 1..end, Kind::User))
    }
}

/// What the attribute `Name` of the element whose text is `range` says of its content.
fn named_by_attribute(text: Text<'_>, range: Range<usize>) -> Option<Field> {
    let inside = text.slice(range.clone());
    let mark = [&b" Name="[..], b" name=", b" key="]
        .into_iter()
        .find_map(|mark| Some(memchr::memmem::find(inside, mark)? + mark.len()))?;
    let start = range.start + mark;
    if !matches!(text.at(start), b'"' | b'\'') {
        return None;
    }
    let end = text.run(start + 1, 64, |byte| !matches!(byte, b'"' | b'\'' | b'>'));
    let name = text.slice(start + 1..end);
    let field = elements::attribute(name).or_else(|| field_name::field(name))?;
    (field.sureness != Sureness::Maybe).then_some(field)
}
