//! Blocks of lines: parts of forms, secrets of Kubernetes.

use std::ops::Range;

use super::judge::is_filled;
use crate::field_name;
use crate::find::field::value::{Separator, Value};
use crate::find::plausible;
use crate::find::scan::Scan;
use crate::find::text::{Text, is_blank};
use crate::kind::Kind;

/// Bytes of a line, of the headers of a part, and to either side of the kind of a document.
const LONGEST_LINE: usize = 512;
const LONGEST_HEAD: usize = 1024;
const FAR: usize = 8192;

pub(super) fn line_end(text: Text<'_>, place: usize) -> usize {
    text.run(place, LONGEST_LINE, |byte| !matches!(byte, b'\n' | b'\r' | 0))
}

/// Behind the end of the line at `place`.
pub(super) fn line_behind(text: Text<'_>, place: usize) -> usize {
    let end = text.run(place, 1, |byte| byte == b'\r');
    text.run(end, 1, |byte| byte == b'\n')
}

impl Scan<'_> {
    /// `form-data; name="password"`, further headers, an empty line and the value (RFC 7578);
    /// the word ends at `end`.
    pub(super) fn part_of_form(&mut self, end: usize) -> Option<usize> {
        let text = self.text;
        let head = text.slice(end..line_end(text, end));
        let name = end + memchr::memmem::find(head, b"; name=\"")? + 8;
        let name_end = text.run(name, 128, |byte| byte != b'"' && byte != b'\n');
        let field = field_name::field(text.slice(name..name_end))?;
        if memchr::memmem::find(head, b"filename").is_some() {
            return None;
        }
        let mut line = line_behind(text, line_end(text, end));
        while line - end < LONGEST_HEAD && text.at(line).is_ascii_alphabetic() {
            line = line_behind(text, line_end(text, line));
        }
        let start = line_behind(text, line);
        let stop = line_end(text, start);
        let is_value = start > line && !text.has(start, b"--");
        let value = Value { range: start..stop, is_delimited: true, separator: Separator::Cell };
        if is_value && let Some(range) = plausible::sensitive(text, &value, field) {
            self.hide(range, field.kind);
        }
        None
    }

    /// `kind: Secret`, whose word is at `start`: the values of `data` and `stringData` of its
    /// document, before and behind.
    pub(super) fn cluster_secret(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let until = text.len().min(end + FAR);
        if self.is_read(start, until) {
            return None;
        }
        let parts = |range: Range<usize>| {
            memchr::memmem::rfind(text.slice(range.clone()), b"\n---").map(|at| range.start + at)
        };
        let from = parts(start.saturating_sub(FAR)..start).unwrap_or(start.saturating_sub(FAR));
        let until =
            memchr::memmem::find(text.slice(end..until), b"\n---").map_or(until, |at| end + at);
        let mut read = from;
        for at in memchr::memmem::find_iter(text.slice(from..until), b"ata") {
            let place = from + at + 3;
            // An object may have more of them.
            if place < read {
                continue;
            }
            if text.at(place) == b':' {
                self.mapping(place + 1, until);
            } else if text.has(place, b"\":") && text.at(text.run(place + 2, 2, is_blank)) == b'{' {
                read = self.object(text.run(place + 2, 2, is_blank) + 1, until);
            }
        }
        None
    }

    /// Hides the values of the indented lines below the one that ends at `from`.
    fn mapping(&mut self, from: usize, until: usize) {
        let text = self.text;
        let head = text.run_back(from, 16, |byte| byte != b'\n');
        let name = text.run(head, 16, |byte| byte == b' ');
        let is_data = text.has(name, b"data:") || text.has(name, b"stringData:");
        let mut line = line_behind(text, from);
        while is_data && line > from && line < until {
            let key = text.run(line, 64, |byte| byte == b' ');
            let end = line_end(text, line);
            if key - line <= name - head || key == end {
                return;
            }
            let colon = text.run(key, 128, |byte| byte != b':' && byte != b'\n');
            let start = match text.has(colon, b": ") {
                true => colon + 2,
                // A line of a text that goes on.
                false => key,
            };
            let is_opened = matches!(text.at(start), b'|' | b'>' | b'{' | b'#');
            let start = text.run(start, 1, |byte| byte == b'"' || byte == b'\'');
            let stop = text.run_back(end, 2, |byte| byte == b'"' || byte == b'\'');
            if colon != end - 1 && !is_opened && is_filled(text.slice(start..stop), Kind::Secret) {
                self.hide(start..stop, Kind::Secret);
            }
            line = line_behind(text, end);
            if line == end {
                return;
            }
        }
    }

    /// Hides the strings of the object whose first name is behind `from`; gives up to where it
    /// was read.
    fn object(&mut self, from: usize, until: usize) -> usize {
        let text = self.text;
        let mut place = from;
        while place < until {
            let quote = text.run(place, until - place, |byte| byte != b'"' && byte != b'}');
            let end = text.run(quote + 1, until.saturating_sub(quote), |byte| byte != b'"');
            if text.at(quote) != b'"' || end >= until {
                return quote;
            }
            let is_name = text.at(text.run(end + 1, 2, is_blank)) == b':';
            if !is_name && is_filled(text.slice(quote + 1..end), Kind::Secret) {
                self.hide(quote + 1..end, Kind::Secret);
            }
            place = end + 1;
        }
        place
    }

    /// `(p2, c1, k60, u'ann')`, as Mosquitto logs who connects, whose quote is at `from`.
    pub(super) fn connected_user(&mut self, start: usize, from: usize) -> Option<usize> {
        let text = self.text;
        let end = text.run(from + 1, 64, |byte| byte != b'\'' && byte > b' ');
        let is_listed = text.slice(start.saturating_sub(2)..start) == b", " && text.has(end, b"')");
        if is_listed && self.hide_filled(from + 1..end, Kind::User) { Some(end) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn parts_and_secrets_are_read() {
        for (text, wanted) in [
            (
                "Content-Disposition: form-data; name=\"password\"\r\nContent-Type: text/plain\r\n\r\ntulip99\r\n--x",
                &["tulip99"][..],
            ),
            (
                "apiVersion: v1\ndata:\n  blob: dHVsaXA5OQ==\n  other: cm9zZQ==\nkind: Secret\nmetadata:\n  name: db\n",
                &["dHVsaXA5OQ==", "cm9zZQ=="],
            ),
            (
                "kind: Secret\nmetadata:\n  name: db\nstringData:\n  blob: \"tulips\"\ntype: Opaque\n",
                &["tulips"],
            ),
            ("{\"kind\": \"Secret\", \"data\": {\"blob\": \"dHVsaXA5OQ==\"}}", &["dHVsaXA5OQ=="]),
            ("as dev-7 (p2, c1, k60, u'ann77').", &["ann77"]),
        ] {
            assert_eq!(hidden(text), wanted, "{text}");
        }
    }

    #[test]
    fn other_documents_and_lists_stay() {
        for text in [
            "kind: ConfigMap\ndata:\n  blob: dHVsaXA5OQ==\n",
            "kind: Secret\nmetadata:\n  name: db\n  namespace: prod\ntype: Opaque\n",
            "---\ndata:\n  mode: fast\n---\nkind: Secret\n",
            "form-data; name=\"count\"\r\n\r\n3\r\n",
            "cmd (u'x', u'y')",
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
