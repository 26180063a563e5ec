//! One value of a table, with its type.

use serde::{Deserialize, Serialize};

/// A value, and how the user asked for it to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What it is.
    pub datum: Datum,
    /// How it is written, if a format was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Whether a part of it is hidden. It is shown, and compared with nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_partly_hidden: bool,
    /// Whether it goes on after what is shown. It is compared as far as that decides.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_cut: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A value with its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Datum {
    /// A whole number.
    Integer(i128),
    /// A floating-point number.
    Float(#[serde(with = "bits")] f64),
    /// A truth value.
    Boolean(bool),
    /// A character: its code, and the character if it is one.
    Character(i64, Option<char>),
    /// A text, or the text that a pointer points at.
    Text(String),
    /// A pointer, and the name of what it points at.
    Pointer(u64, Option<String>),
    /// An enumerator: its name and number.
    Enumerator(String, i128),
    /// A structure, an array or a container in words.
    Aggregate(String),
    /// A value that is hidden: what is shown in its place. It is compared with nothing.
    Hidden(String),
    /// There is no value. It is compared with nothing.
    Unavailable(Unavailable),
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unavailable {
    /// The compiler kept it nowhere at this place.
    OptimizedOut,
    /// It is where the core holds nothing; or it is not known of this row.
    Reason(String),
    /// The expression makes no sense in this frame.
    NoMeaning(String),
}

/// A float by its bits: JSON has no infinity.
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

impl From<Datum> for Cell {
    fn from(datum: Datum) -> Self {
        Self { datum, formatted: None, is_partly_hidden: false, is_cut: false }
    }
}

impl Cell {
    /// One of which nothing is known; why.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Datum::Unavailable(Unavailable::Reason(reason.into())).into()
    }

    /// Whether there is a value that may be shown.
    pub fn is_known(&self) -> bool {
        !matches!(self.datum, Datum::Hidden(_) | Datum::Unavailable(_))
    }

    /// Whether columns of such cells are aligned as numbers are.
    pub fn is_number(&self) -> bool {
        matches!(self.datum, Datum::Integer(_) | Datum::Float(_))
    }

    /// The value in words. A text has no quotes; one that goes on ends with an ellipsis.
    pub fn words(&self) -> String {
        if let Some(formatted) = &self.formatted {
            return formatted.clone();
        }
        match &self.datum {
            Datum::Integer(value) => value.to_string(),
            Datum::Float(value) => value.to_string(),
            Datum::Boolean(value) => value.to_string(),
            Datum::Character(code, Some(character)) => format!("{code} '{character}'"),
            Datum::Character(code, None) => code.to_string(),
            Datum::Text(text) if self.is_cut => format!("{text}\u{2026}"),
            Datum::Text(text) | Datum::Aggregate(text) | Datum::Hidden(text) => text.clone(),
            Datum::Pointer(at, Some(name)) => format!("{at:#x} <{name}>"),
            Datum::Pointer(at, None) => format!("{at:#x}"),
            Datum::Enumerator(name, _) => name.clone(),
            Datum::Unavailable(Unavailable::OptimizedOut) => "<optimized out>".to_owned(),
            Datum::Unavailable(Unavailable::Reason(why)) => format!("<unavailable: {why}>"),
            Datum::Unavailable(Unavailable::NoMeaning(why)) => format!("<error: {why}>"),
        }
    }
}
