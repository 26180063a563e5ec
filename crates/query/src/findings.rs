//! What a query came to, as a document.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::cell::{Cell, Datum, Unavailable};
use crate::table::Table;

/// The version of the document.
const SCHEMA: &str = "obit.query/1";
/// Integers that every reader of JSON keeps, in either sign; others are texts.
const EXACT: u128 = 1 << 53;

/// What a query came to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The query, as it was written.
    pub query: String,
    /// What was found.
    pub table: Table,
    /// Whether a row stands for several frames.
    pub is_grouped: bool,
    /// Cores that were asked, those that could not be read among them.
    pub cores: u64,
    /// Cores with a frame at the place.
    pub with_place: u64,
    /// Frames at the place, before any filter.
    pub frames: u64,
    /// Rows before the list was cut.
    pub rows: u64,
    /// Cores that could not be read.
    pub failures: Vec<Failed>,
    /// What else a reader has to know, in sentences.
    pub notes: Vec<String>,
}

/// A core that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(serde::Deserialize, schemars::JsonSchema))]
pub struct Failed {
    /// The file.
    pub core: String,
    /// A word for the reason.
    pub code: String,
    /// The reason in a sentence.
    pub reason: String,
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("query", &self.query)?;
        map.serialize_entry("cores", &self.cores)?;
        map.serialize_entry("cores_with_place", &self.with_place)?;
        map.serialize_entry("frames", &self.frames)?;
        map.serialize_entry("grouped", &self.is_grouped)?;
        map.serialize_entry("columns", &self.table.columns)?;
        map.serialize_entry("total_rows", &self.rows)?;
        map.serialize_entry("rows", &Rows(&self.table))?;
        map.serialize_entry("failures", &self.failures)?;
        map.serialize_entry("notes", &self.notes)?;
        map.end()
    }
}

/// The rows of a table as objects.
struct Rows<'t>(&'t Table);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.rows.len()))?;
        for row in self.0.objects() {
            rows.serialize_element(&row)?;
        }
        rows.end()
    }
}

/// A row as an object: the names of the columns, and their cells.
#[derive(Clone, Copy, Debug)]
pub struct RowObject<'t> {
    columns: &'t [String],
    row: &'t [Cell],
}

impl Table {
    /// The rows, each as an object that can be written.
    pub fn objects(&self) -> impl Iterator<Item = RowObject<'_>> {
        self.rows.iter().map(|row| RowObject { columns: &self.columns, row })
    }
}

impl Serialize for RowObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (name, cell) in self.columns.iter().zip(self.row) {
            map.serialize_entry(name, &Value(cell))?;
        }
        map.end()
    }
}

/// A cell for programs: by its type; what has no value as an object that says why.
struct Value<'c>(&'c Cell);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = |serializer: S, key: &str, text: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(key, text)?;
            map.end()
        };
        if self.0.formatted.is_some() {
            return serializer.serialize_str(&self.0.words());
        }
        match &self.0.datum {
            Datum::Integer(value) if value.unsigned_abs() <= EXACT => {
                serializer.serialize_i128(*value)
            }
            Datum::Integer(value) => serializer.serialize_str(&value.to_string()),
            Datum::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            // JSON has no infinity.
            Datum::Float(value) => serializer.serialize_str(&value.to_string()),
            Datum::Boolean(value) => serializer.serialize_bool(*value),
            Datum::Character(code, _) => serializer.serialize_i64(*code),
            Datum::Text(_) | Datum::Aggregate(_) => serializer.serialize_str(&self.0.words()),
            Datum::Pointer(at, _) => serializer.serialize_str(&format!("{at:#x}")),
            Datum::Enumerator(name, _) => serializer.serialize_str(name),
            Datum::Hidden(token) => object(serializer, "hidden", token),
            Datum::Unavailable(Unavailable::OptimizedOut) => {
                object(serializer, "unavailable", "optimized out")
            }
            Datum::Unavailable(Unavailable::Reason(why)) => object(serializer, "unavailable", why),
            Datum::Unavailable(Unavailable::NoMeaning(why)) => object(serializer, "error", why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_by_their_types_and_what_has_no_value_says_why() {
        let of = |datum: Datum| serde_json::to_string(&Value(&datum.into())).unwrap();
        assert_eq!(of(Datum::Integer(-7)), "-7");
        assert_eq!(of(Datum::Integer(u64::MAX.into())), "\"18446744073709551615\"");
        assert_eq!(of(Datum::Integer(i128::MIN)), format!("\"{}\"", i128::MIN));
        assert_eq!(of(Datum::Float(0.5)), "0.5");
        assert_eq!(of(Datum::Float(f64::NEG_INFINITY)), "\"-inf\"");
        assert_eq!(of(Datum::Float(f64::NAN)), "\"NaN\"");
        assert_eq!(of(Datum::Boolean(true)), "true");
        assert_eq!(of(Datum::Pointer(16, Some("list".into()))), "\"0x10\"");
        assert_eq!(of(Datum::Enumerator("RED".into(), 2)), "\"RED\"");
        assert_eq!(of(Datum::Hidden("<email:a91f>".into())), "{\"hidden\":\"<email:a91f>\"}");
        let absent = Datum::Unavailable(Unavailable::OptimizedOut);
        assert_eq!(of(absent), "{\"unavailable\":\"optimized out\"}");
    }

    #[test]
    fn a_cell_is_read_as_it_was_written() {
        for datum in [
            Datum::Integer(i128::MIN),
            Datum::Integer(u128::MAX as i128),
            Datum::Float(f64::NEG_INFINITY),
            Datum::Float(-0.1),
            Datum::Character(-1, None),
            Datum::Pointer(u64::MAX, None),
            Datum::Unavailable(Unavailable::Reason("\u{0}".into())),
        ] {
            let cell = Cell::from(datum);
            let json = serde_json::to_vec(&cell).unwrap();
            assert_eq!(serde_json::from_slice::<Cell>(&json).unwrap(), cell);
        }
    }
}
