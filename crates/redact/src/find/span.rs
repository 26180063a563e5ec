//! Stretches of text to hide, and how several become one list.

use std::ops::Range;

use crate::kind::Kind;

/// A stretch of text to hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Bytes of the text.
    pub(crate) range: Range<usize>,
    /// As what.
    pub(crate) kind: Kind,
    /// Whether two bytes make a character there: UTF-16, lower byte first.
    pub(crate) is_wide: bool,
}

/// Sorts, and joins what overlaps: the earlier kind counts, then the longer.
pub(crate) fn in_order(mut found: Vec<Span>) -> Vec<Span> {
    found.sort_by_key(|span| (span.range.start, std::cmp::Reverse(span.range.end)));
    let mut apart: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        match apart.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
            }
            _ => apart.push(span),
        }
    }
    apart
}

/// `found`, and every quoted text of `bytes` besides.
pub(crate) fn with_quoted(bytes: &[u8], mut found: Vec<Span>) -> Vec<Span> {
    let mut place = 0;
    let next_quote =
        |from: usize| bytes.get(from..)?.iter().position(|byte| *byte == b'"').map(|at| from + at);
    // `\"` is in the text, not its end.
    let end_from = |from: usize| {
        let mut at = from;
        loop {
            match bytes.get(at)? {
                b'"' | b'\n' | 0 => return Some(at),
                b'\\' if !matches!(bytes.get(at + 1), Some(b'\n' | 0)) => at += 2,
                _ => at += 1,
            }
        }
    };
    while let Some(open) = next_quote(place) {
        let Some(end) = end_from(open + 1) else { break };
        place = end + 1;
        // A name of a field is no value.
        let is_name = bytes.get(end + 1) == Some(&b':');
        if bytes.get(end) == Some(&b'"') && end > open + 1 && !is_name {
            found.push(Span { range: open + 1..end, kind: Kind::Text, is_wide: false });
        }
    }
    in_order(found)
}
