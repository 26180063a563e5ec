//! Columns and their values.

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What it is called.
    pub name: String,
    /// A value for each row.
    pub values: Values,
}

/// The values of a column, `None` where a row has none.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// UTF-8.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Floating-point numbers.
    Float(Vec<Option<f64>>),
    /// Truth values.
    Boolean(Vec<Option<bool>>),
    /// Moments: microseconds since 1970, UTC.
    Time(Vec<Option<i64>>),
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Floating-point numbers of 64 bits.
    Float,
    /// Truth values.
    Boolean,
    /// Moments, to the microsecond.
    Time,
}

impl Values {
    /// None yet.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Float => Self::Float(Vec::new()),
            Kind::Boolean => Self::Boolean(Vec::new()),
            Kind::Time => Self::Time(Vec::new()),
        }
    }

    /// Their type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Integer(_) => Kind::Integer,
            Self::Float(_) => Kind::Float,
            Self::Boolean(_) => Kind::Boolean,
            Self::Time(_) => Kind::Time,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integer(values) | Self::Time(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Boolean(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether each row has a value.
    pub(crate) fn present(&self) -> Vec<bool> {
        match self {
            Self::Text(values) => values.iter().map(Option::is_some).collect(),
            Self::Integer(values) | Self::Time(values) => {
                values.iter().map(Option::is_some).collect()
            }
            Self::Float(values) => values.iter().map(Option::is_some).collect(),
            Self::Boolean(values) => values.iter().map(Option::is_some).collect(),
        }
    }
}
