//! The same text as it is read through its encodings: characters of two and four bytes,
//! colours, blanks and digits of other scripts, escapes. What is found in a view is
//! reported by its place in the bytes themselves.

use std::ops::Range;

use super::escapes::unescaped;
use super::view::View;
use super::{characters, wide};
use crate::find::scan::scan;
use crate::find::{Carried, Span, in_order};

/// How often base64 within base64 is unwrapped.
pub(in crate::find) const MOST_WRAPPED: u8 = 2;
/// How often escapes within escapes are read.
const MOST_ESCAPED: usize = 3;

/// Everything to hide in `bytes`, in order, not overlapping. `looks_inside` says whether
/// base64 is unwrapped.
pub(crate) fn find(bytes: &[u8], carried: &mut Carried, looks_inside: bool) -> Vec<Span> {
    find_wrapped(bytes, carried, if looks_inside { MOST_WRAPPED } else { 0 })
}

/// The same, with base64 unwrapped at most `wraps` times.
pub(in crate::find) fn find_wrapped(bytes: &[u8], carried: &mut Carried, wraps: u8) -> Vec<Span> {
    let mut found = Vec::new();
    let mut done = 0;
    for region in wide::regions(bytes) {
        narrow(bytes, done..region.range.start, carried, wraps, &mut found);
        done = region.range.end;
        let (text, places) = region.decode(bytes);
        let mut inner = Vec::new();
        narrow(&text, 0..text.len(), carried, wraps, &mut inner);
        for span in inner {
            found.extend(placed(span.range, &places).map(|range| Span {
                range,
                unit: region.unit,
                ..span
            }));
        }
    }
    narrow(bytes, done..bytes.len(), carried, wraps, &mut found);
    in_order(found)
}

/// The bytes that made the decoded bytes `range`.
fn placed(range: Range<usize>, places: &[usize]) -> Option<Range<usize>> {
    Some(*places.get(range.start)?..*places.get(range.end)?)
}

/// Finds in text of single bytes, as it is and as its escapes say.
fn narrow(
    bytes: &[u8],
    part: Range<usize>,
    carried: &mut Carried,
    wraps: u8,
    found: &mut Vec<Span>,
) {
    let base = part.start;
    let Some(text) = bytes.get(part).filter(|text| !text.is_empty()) else { return };
    let mut push = |layers: &Layers<'_>, span: Span, at: usize| {
        let range = layers.source(span.range.start + at..span.range.end + at);
        found.push(Span { range: range.start + base..range.end + base, ..span });
    };
    let mut layers = Layers { source: text, views: Vec::new() };
    layers.read_characters();
    let Some(read) = unescaped(layers.text()) else {
        for span in scan(layers.text(), wraps, carried) {
            push(&layers, span, 0);
        }
        return;
    };
    // Escaped characters may be part of a value: `?password=a%26b&x=1`.
    for line in &read.mixed {
        let Some(raw) = layers.text().get(line.clone()) else { continue };
        for span in scan(raw, wraps, &mut Carried::default()) {
            push(&layers, span, line.start);
        }
    }
    layers.views.push(read.view);
    layers.read_characters();
    for span in scan(layers.text(), wraps, carried) {
        push(&layers, span, 0);
    }
    for _ in 1..MOST_ESCAPED {
        let Some(deeper) = unescaped(layers.text()) else { return };
        layers.views.push(deeper.view);
        for line in deeper.changed {
            let Some(text) = layers.text().get(line.clone()) else { continue };
            for span in scan(text, wraps, &mut Carried::default()) {
                push(&layers, span, line.start);
            }
        }
    }
}

/// A text, and how it reads after one encoding after the other.
struct Layers<'t> {
    source: &'t [u8],
    views: Vec<View>,
}

impl Layers<'_> {
    fn text(&self) -> &[u8] {
        self.views.last().map_or(self.source, |view| &view.text)
    }

    /// The bytes of the source that `range` of the text came from.
    fn source(&self, range: Range<usize>) -> Range<usize> {
        self.views.iter().rev().fold(range, |range, view| view.source(range))
    }

    fn read_characters(&mut self) {
        for reading in [characters::without_colours, characters::plain] {
            if let Some(view) = reading(self.text()) {
                self.views.push(view);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> Vec<String> {
        let found = find(text.as_bytes(), &mut Carried::default(), true);
        found.into_iter().map(|span| text[span.range].to_owned()).collect()
    }

    #[test]
    fn what_is_escaped_is_found_at_its_place() {
        assert_eq!(hidden("mail=ann%40example.com&x=1"), ["ann%40example.com"]);
        assert_eq!(hidden(r#"{"a":"to ann\u0040example.com\n"}"#), [r"ann\u0040example.com"]);
        assert_eq!(hidden(r#""{\"password\":\"hunter2\",\"x\":1}""#), ["hunter2"]);
        assert_eq!(hidden("password%3Dhunter2%0Ax%3D1"), ["hunter2"]);
        assert_eq!(hidden("x?password=a%26b%20c&y=1"), ["a%26b%20c"]);
        assert_eq!(hidden("C:\\Users\\ann\\x"), ["ann"]);
        assert_eq!(hidden("C:\\\\Users\\\\ann\\\\x"), ["ann"]);
    }

    #[test]
    fn escapes_within_escapes_are_read() {
        assert_eq!(hidden("to=ann%2540example.com"), ["ann%2540example.com"]);
        let twice = r#"{"a":"{\"b\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}"}"#;
        assert_eq!(hidden(twice), ["hunter2"]);
        assert_eq!(hidden(r#"{"url":"/x?to=ann%40example.com\u0026y=1"}"#), ["ann%40example.com"]);
    }

    #[test]
    fn mail_and_html_are_read() {
        assert_eq!(hidden("password=3Dhun=\nter2\n"), ["hun=\nter2"]);
        assert_eq!(hidden("to ann&#64;example.com."), ["ann&#64;example.com"]);
        assert_eq!(hidden("?x=1&amp;password=hunter2&amp;y=2"), ["hunter2"]);
        assert_eq!(hidden("&lt;password&gt;hunter2&lt;/password&gt;"), ["hunter2"]);
    }

    #[test]
    fn colours_and_characters_that_are_not_seen_separate_nothing() {
        assert_eq!(hidden("\x1b[31mpassword\x1b[0m=\x1b[33mhunter2\x1b[0m x"), ["hunter2"]);
        assert_eq!(hidden("^[[1mpassword^[[0m: ^[[33mhunter2^[[0m x"), ["hunter2"]);
        assert_eq!(hidden(r#"{"m":"\u001b[31mpassword\u001b[0m=hunter2"}"#), ["hunter2"]);
        assert_eq!(hidden("an\u{200b}n@exam\u{ad}ple.com"), ["an\u{200b}n@exam\u{ad}ple.com"]);
        assert_eq!(
            hidden("card ４１１１１１１１１１１１１１１１"),
            ["４１１１１１１１１１１１１１１１"]
        );
        assert_eq!(hidden("password\u{a0}=\u{a0}hunter2"), ["hunter2"]);
    }

    #[test]
    fn overlapping_findings_are_one() {
        let text = "user=ann@example.com;password=ann@example.com";
        assert_eq!(hidden(text), ["ann@example.com", "ann@example.com"]);
    }
}
