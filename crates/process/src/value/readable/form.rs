//! The result of a formatter.

use std::sync::Arc;

use crate::value::{Object, Text};

/// A value in a form for people.
#[derive(Clone, Debug, Default)]
pub struct Readable<'d> {
    /// What it is, in obit's words, type names and counts: `std::vector of 3`, `Some`.
    /// Never data.
    pub summary: Option<String>,
    /// Its content as text, if it is one.
    pub text: Option<Text>,
    /// Its content, the first ones up to the limit asked for. Of a map that keeps keys
    /// and values apart, the values.
    pub elements: Vec<(Arc<str>, Object<'d>)>,
    /// The key of each element, where `elements` are the values of a map; else empty.
    pub keys: Vec<Object<'d>>,
    /// How many elements there are in all, where that is known.
    pub total: Option<u64>,
}

impl Readable<'_> {
    /// Of a container of `count` elements, none of them looked up yet.
    pub(super) fn counted(what: &str, count: u64) -> Self {
        let summary = Some(counted(what, count));
        Self { summary, total: Some(count), ..Self::default() }
    }
}

/// `Vec of 3`, `Vec, empty`.
pub(super) fn counted(what: &str, count: u64) -> String {
    if count == 0 { format!("{what}, empty") } else { format!("{what} of {count}") }
}
