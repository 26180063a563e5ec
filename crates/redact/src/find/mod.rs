//! Sensitive text by content: one pass over the bytes ([`scan`]) that stops at words,
//! numbers and a few signs, and asks the finders of each in a stated order ([`finders`]).
//! Nothing is compiled and nothing backtracks, so a short text costs nothing but its length.
//!
//! | folder | what it finds or answers |
//! |---|---|
//! | [`field`] | a name and its value: settings, headers, tables, command lines |
//! | [`notation`] | words that begin a notation of one program or format |
//! | [`number`] | cards, telephones, national ids, network addresses |
//! | [`people`] | names and users that no field names |
//! | [`secret`] | tokens, hashes, keys, credentials in addresses |
//! | [`plausible`] | whether a value looks like what its field's name announces |
//! | [`text`] | the bytes, and how they are read through encodings |

mod again;
mod field;
mod finders;
mod notation;
mod number;
mod order;
mod people;
mod plausible;
mod scan;
mod secret;
mod span;
mod text;

use crate::field_name::{Field, Judged};
use crate::kind::Kind;
use field::columns::Table;
use field::value::{Separator, Value};
use text::Text;

pub(crate) use span::{Span, Unit, in_order, with_quoted};

/// Everything to hide in `bytes`, in order, not overlapping. `looks_inside` says whether
/// base64 is unwrapped.
pub(crate) fn find(bytes: &[u8], carried: &mut Carried, looks_inside: bool) -> Vec<Span> {
    let mut found = text::encodings::find(bytes, carried, looks_inside);
    let again = again::again(bytes, &found, carried);
    if again.is_empty() {
        return found;
    }
    found.extend(again);
    in_order(found)
}

/// What outlives a block of a longer text: the table whose rows go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    table: Option<Table>,
    /// Whether a private key began that did not end.
    pub(crate) is_in_key: bool,
    /// What names were judged to announce.
    judged: Option<Box<Judged>>,
    /// Values that were hidden in earlier blocks.
    known: Vec<(Vec<u8>, Kind)>,
    /// Whether more blocks may follow.
    is_long: bool,
}

impl Carried {
    /// For a text of many blocks.
    pub(crate) fn through_long_text() -> Self {
        Self { judged: Some(Box::default()), is_long: true, ..Self::default() }
    }
}

/// Whether the whole of `text` is what `field` announces.
pub(super) fn is_sensitive(text: &[u8], field: Field) -> bool {
    let value = Value { range: 0..text.len(), is_delimited: true, separator: Separator::Tight };
    plausible::sensitive(Text(text), &value, field).is_some()
}

/// The parts of `text` that are hidden.
#[cfg(test)]
fn hidden(text: &str) -> Vec<&str> {
    let found = find(text.as_bytes(), &mut Carried::default(), true);
    found.into_iter().map(|span| &text[span.range]).collect()
}
