//! What a value is: a tree of plain structure, with a more readable form beside it.

use std::sync::Arc;

use super::object::Absence;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_dwarf::NoPlace;

/// One variable, member or element, with what is known about it.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// Its name; `[3]` for an element; `None` for an anonymous member.
    pub name: Option<Arc<str>>,
    /// Its type's name as a programmer would write it.
    pub type_name: Option<Arc<str>>,
    /// What it holds.
    pub state: State,
    /// Why a part of it is not known though the rest is: the variable is in several pieces,
    /// and the compiler did not keep one of them. Set for whole variables only.
    pub partly: Option<Absence>,
    /// A scalar as a person would write it: an enumerator, a character, the text a
    /// pointer points at, the function it points to.
    pub text: Option<Text>,
    /// The scalar in the format that was asked for. It also replaces `text`, which has the
    /// same content in another form.
    pub formatted: Option<String>,
    /// The prefix of a literal with `text`: `L`, `u`, `U`, `u8` or nothing.
    pub text_prefix: &'static str,
    /// The plain structure debug information states: data members and bases, elements,
    /// the active variant.
    pub members: Vec<Value>,
    /// What it is, in obit's words and type names: `std::vector of 3`. Never data.
    pub summary: Option<String>,
    /// A container's content.
    pub elements: Vec<Value>,
    /// What a pointer points at.
    pub pointee: Option<Box<Value>>,
    /// Members or elements left out.
    pub omitted: u64,
    /// Where it lies, if in memory.
    pub address: Option<Avma>,
    /// The bytes of a scalar or a string in memory; those that hold a part of it, of a
    /// bit-field.
    pub span: Option<AvmaRange>,
}

impl Value {
    /// How many variables, members and elements it is made of, with itself.
    pub fn count(&self) -> usize {
        let parts = self.members.iter().chain(&self.elements).chain(self.pointee.as_deref());
        parts.map(Self::count).sum::<usize>().saturating_add(1)
    }

    /// A variable without a type: a label whose code is gone.
    pub fn without_type(name: Option<Arc<str>>) -> Self {
        let state = State::Absent(Absence::NoPlace(NoPlace::OptimizedOut));
        Self { name, state, ..Self::default() }
    }
}

/// What a value holds.
#[derive(Clone, Debug, Default)]
pub enum State {
    /// Members, or nothing at all.
    #[default]
    Aggregate,
    /// One datum.
    Scalar(Scalar),
    /// It is not known; why.
    Absent(Absence),
}

/// A value of a base type, pointer or enumeration; never text. Rendering decides bases,
/// quotes and widths.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A signed integer; a signed enumeration's number.
    Signed(i128),
    /// An unsigned integer.
    Unsigned(u128),
    /// A truth value that is 0 or 1.
    Boolean(bool),
    /// A floating-point number.
    Float(Float),
    /// A character: its code, which need not be a Unicode code point.
    Character {
        /// The code, sign-extended where the type is signed.
        code: i64,
        /// The character it stands for.
        character: Option<char>,
    },
    /// A pointer or reference.
    Address(u64),
    /// Bytes that mean nothing in the type: shown as they are.
    Raw(Vec<u8>),
}

/// A floating-point number, by its bits: formats beyond `f64` would lose some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    /// Its format.
    pub format: FloatFormat,
    /// Its bits, in the low end.
    pub bits: u128,
}

/// Floating-point formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FloatFormat {
    Binary16,
    BFloat16,
    Binary32,
    Binary64,
    /// x87: 80 bits.
    Extended80,
    Binary128,
    Decimal32,
    Decimal64,
    Decimal128,
}

/// A text that goes with a value, and where it comes from: redaction judges by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The bytes as text; those that are not UTF-8 are written as `\xff`.
    pub text: String,
    /// Where it comes from.
    pub origin: TextOrigin,
    /// Characters or bytes that were left out at its end; `None` if it is not known how
    /// many.
    pub left_out: Option<u64>,
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextOrigin {
    /// The memory of the process: strings and characters.
    Data,
    /// A name in the program: enumerators, functions, variables.
    Symbol,
    /// Spelled from a number: a float, a time.
    Number,
}
