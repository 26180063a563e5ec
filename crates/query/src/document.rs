//! The document of a query, as its schema describes it: [`Findings`](crate::Findings) writes
//! it, and no one reads it here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::findings::Failed;

/// What a query came to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "Findings")]
#[derive(Default)]
pub struct FindingsDocument {
    /// `obit.query/1`.
    pub schema: String,
    /// The query, as it was written.
    pub query: String,
    /// Cores that were asked, those that could not be read among them.
    pub cores: u64,
    /// Cores with a frame at the place.
    pub cores_with_place: u64,
    /// Frames at the place, before any filter.
    pub frames: u64,
    /// Whether a row stands for several frames.
    pub grouped: bool,
    /// The names of the columns, in their order.
    pub columns: Vec<String>,
    /// Rows before the list was cut.
    pub total_rows: u64,
    /// Rows: a value for each column.
    pub rows: Vec<BTreeMap<String, CellDocument>>,
    /// Cores that could not be read.
    pub failures: Vec<Failed>,
    /// What else a reader has to know, in sentences.
    pub notes: Vec<String>,
}

/// A value. Integers beyond 2^53, infinities and NaN, pointers and values in a format that was
/// asked for are texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Cell")]
pub enum CellDocument {
    /// An integer, or the code of a character.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Boolean(bool),
    /// A text, a pointer, the name of an enumerator, a structure or an array in words.
    Text(String),
    /// A value that is hidden.
    Hidden {
        /// What is shown in its place.
        hidden: String,
    },
    /// There is no value.
    Unavailable {
        /// Why.
        unavailable: String,
    },
    /// The expression makes no sense in this frame.
    Error {
        /// Why.
        error: String,
    },
}
