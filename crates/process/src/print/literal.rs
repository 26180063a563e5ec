//! Literals, as they are read and as they appear in an expression.

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// An integer.
    Integer {
        /// Its value.
        value: u128,
        /// The suffix that gives its type.
        suffix: IntegerSuffix,
        /// Written in decimal: by C's rules it then takes no unsigned type by itself.
        is_decimal: bool,
    },
    /// A floating-point number.
    Float {
        /// Its value.
        value: f64,
        /// The suffix that gives its type.
        suffix: FloatSuffix,
    },
    /// A character, by its code.
    Character(u32),
    /// A string, without the NUL that C puts at its end.
    Text(Vec<u8>),
}

/// The suffix of an integer literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IntegerSuffix {
    /// None: `int`, or what holds the value.
    #[default]
    None,
    /// `u`.
    Unsigned,
    /// `l`, `ll`.
    Long,
    /// `ul`, `ull`.
    UnsignedLong,
    /// Rust's `i8` to `u128`.
    Fixed {
        /// An `i`.
        is_signed: bool,
        /// How many.
        bits: u16,
    },
    /// Rust's `isize` and `usize`, C's `z`.
    Size {
        /// `isize`.
        is_signed: bool,
    },
}

/// The suffix of a floating-point literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FloatSuffix {
    /// None: `double`.
    #[default]
    None,
    /// `f`, `f32`.
    Single,
}
