//! The metadata of a file: what its types and codes are called in Thrift
//! (<https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>).

use crate::column::Kind;
use crate::compact::{Fields, Struct};

/// First and last bytes of a file.
pub(crate) const MAGIC: &[u8; 4] = b"PAR1";
/// `Encoding`.
pub(crate) const PLAIN: i32 = 0;
/// `Encoding`: of levels.
pub(crate) const RLE: i32 = 3;
/// `CompressionCodec`.
pub(crate) const ZSTD: i32 = 6;
/// `PageType`.
pub(crate) const DATA_PAGE: i32 = 0;
/// `FieldRepetitionType`.
const OPTIONAL: i32 = 1;
/// Types of values.
const BOOLEAN: i32 = 0;
const INT64: i32 = 2;
const DOUBLE: i32 = 5;
const BYTE_ARRAY: i32 = 6;
/// `ConvertedType`.
const UTF8: i32 = 0;
const TIMESTAMP_MICROS: i32 = 10;

impl Kind {
    /// `Type`.
    pub(crate) fn physical(self) -> i32 {
        match self {
            Self::Text => BYTE_ARRAY,
            Self::Integer | Self::Time => INT64,
            Self::Float => DOUBLE,
            Self::Boolean => BOOLEAN,
        }
    }

    /// `SchemaElement` of a column.
    pub(crate) fn element(self, name: &str) -> Struct {
        let mut element = Struct::default();
        element.i32(1, self.physical());
        element.i32(3, OPTIONAL);
        element.text(4, name);
        match self {
            Self::Text => {
                element.i32(6, UTF8);
                let mut logical = Struct::default();
                logical.structure(1, Struct::default());
                element.structure(10, logical);
            }
            Self::Time => {
                element.i32(6, TIMESTAMP_MICROS);
                let mut unit = Struct::default();
                unit.structure(2, Struct::default());
                let mut timestamp = Struct::default();
                timestamp.boolean(1, true);
                timestamp.structure(2, unit);
                let mut logical = Struct::default();
                logical.structure(8, timestamp);
                element.structure(10, logical);
            }
            Self::Integer | Self::Float | Self::Boolean => {}
        }
        element
    }

    /// The type of a column, if it is one that is read.
    pub(crate) fn of_element(element: &Fields<'_>) -> Option<Self> {
        if element.number(3)? != i64::from(OPTIONAL) || element.number(5).is_some() {
            return None;
        }
        let converted = element.number(6);
        match (i32::try_from(element.number(1)?).ok()?, converted) {
            (BYTE_ARRAY, Some(code)) if code == i64::from(UTF8) => Some(Self::Text),
            (INT64, Some(code)) if code == i64::from(TIMESTAMP_MICROS) => Some(Self::Time),
            (INT64, None) => Some(Self::Integer),
            (DOUBLE, None) => Some(Self::Float),
            (BOOLEAN, None) => Some(Self::Boolean),
            _ => None,
        }
    }
}
