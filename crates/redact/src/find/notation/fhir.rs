//! Resources of FHIR in JSON, where names and lines of addresses are lists.

use std::ops::Range;

use super::judge::is_filled;
use crate::find::scan::Scan;
use crate::find::text::Text;
use crate::kind::Kind;

/// Bytes of a value or a list of values.
const LONGEST: usize = 512;

/// What names, addresses and numbers are used as.
const USES: &[&[u8]] =
    &[b"\"official\"", b"\"usual\"", b"\"home\"", b"\"work\"", b"\"maiden\"", b"\"nickname\""];

impl Scan<'_> {
    /// `"given": ["Ann", "Mo"]`, with the name of the field at `start..end`.
    pub(super) fn fhir(&mut self, start: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let is_gap = |byte: u8| byte.is_ascii_whitespace();
        let colon = text.run(end + 1, 4, is_gap);
        let value = text.run(colon + 1, 8, is_gap);
        if text.at(end) != b'"' || text.at(colon) != b':' {
            return None;
        }
        // Fonts and sockets have families, programs have lines.
        let around = text.slice(start.saturating_sub(LONGEST)..text.len().min(value + LONGEST));
        let has = |word: &[u8]| memchr::memmem::find(around, word).is_some();
        let is_record = has(b"\"resourceType\"")
            || has(b"\"birthDate\"")
            || has(b"\"use\"") && USES.iter().any(|used| has(used));
        match text.slice(start..end) {
            b"family" if is_record || has(b"\"given\"") => self.strings(value, Kind::Name),
            b"given" if is_record || has(b"\"family\"") => self.strings(value, Kind::Name),
            b"line" if is_record || has(b"\"postalCode\"") => self.strings(value, Kind::Address),
            b"identifier" if is_record => self.values_of_objects(value, Kind::NationalId),
            b"telecom" if is_record || has(b"\"system\"") => {
                self.values_of_objects(value, Kind::Phone)
            }
            _ => None,
        }
    }

    /// Hides the string at `place`, or those of the list there.
    pub(super) fn strings(&mut self, place: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        let is_list = text.at(place) == b'[';
        let mut from = if is_list { place + 1 } else { place };
        loop {
            from = text.run(from, 64, |byte| byte.is_ascii_whitespace() || byte == b',');
            let string = string(text, from)?;
            if is_filled(text.slice(string.clone()), kind) {
                self.hide(string.clone(), kind);
            }
            from = string.end + 1;
            if !is_list || from - place > LONGEST {
                return Some(from);
            }
        }
    }

    /// Hides each `"value": "…"` of the list of objects at `place`.
    fn values_of_objects(&mut self, place: usize, kind: Kind) -> Option<usize> {
        let text = self.text;
        if text.at(place) != b'[' {
            return None;
        }
        let mut end = place + 1;
        let mut depth = 1;
        while depth > 0 && end < text.len() && end - place < 4 * LONGEST {
            depth += match text.at(end) {
                b'[' => 1,
                b']' => -1,
                _ => 0,
            };
            end += 1;
        }
        if self.is_read(place, end) {
            return None;
        }
        for at in memchr::memmem::find_iter(text.slice(place..end), b"\"value\"") {
            let colon = text.run(place + at + 7, 4, |byte| byte.is_ascii_whitespace());
            let value = text.run(colon + 1, 4, |byte| byte.is_ascii_whitespace());
            if let Some(string) = string(text, value)
                && is_filled(text.slice(string.clone()), kind)
            {
                self.hide(string, kind);
            }
        }
        None
    }
}

/// What is between the quotes of which the first is at `place`.
fn string(text: Text<'_>, place: usize) -> Option<Range<usize>> {
    let end = text.run(place + 1, LONGEST, |byte| !matches!(byte, b'"' | b'\n' | 0));
    (text.at(place) == b'"' && text.at(end) == b'"').then_some(place + 1..end)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn lists_of_names_lines_and_identifiers_are_read() {
        let text = r#"{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"MR-48813"}],
 "name":[{"family":"Lee","given":["Ann","Mo"]}],
 "address":[{"line":["9 High Street"],"city":"Ely","postalCode":"CB7 4AA"}]}"#;
        let wanted = ["MR-48813", "Lee", "Ann", "Mo", "9 High Street", "Ely", "CB7 4AA"];
        assert_eq!(hidden(text), wanted);
    }

    #[test]
    fn families_and_lines_of_other_things_stay() {
        for text in [
            r#"{"socket":{"family":"AF_INET6","type":"stream"}}"#,
            r#"{"given": ["a cart", "an item"], "when": "checkout"}"#,
            r#"{"line": ["let x = 1;"], "file": "main.rs"}"#,
            r#"{"identifier": "com.example.app"}"#,
        ] {
            assert_eq!(hidden(text), [""; 0], "{text}");
        }
    }
}
