//! The results of parts of an expression, and why there is none.

use std::sync::Arc;

use thiserror::Error;

use super::number::{IntegerType, Number, NumberError};
use super::span::Span;
use crate::value::{Absence, Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_corefile::memory::ReadError;
use obit_dwarf::NoPlace;

/// A type: the program's own, or one that an operator made.
#[derive(Clone, Debug)]
pub(super) enum Ty<'d> {
    Known(TypeRef<'d>),
    Void,
    Boolean,
    Integer(IntegerType),
    Float { is_single: bool },
    Pointer(Box<Ty<'d>>),
    Array(Box<Ty<'d>>, u64),
    Function,
}

impl<'d> Ty<'d> {
    pub(super) fn pointer_to(self) -> Self {
        Self::Pointer(Box::new(self))
    }

    /// Its size in bytes; `None` for one without.
    pub(super) fn size(&self, scene: Scene<'d>) -> Option<u64> {
        Some(match self {
            Self::Known(ty) => return Object::at(*ty, Avma(0)).size(scene),
            Self::Void | Self::Function => return None,
            Self::Boolean => 1,
            Self::Integer(ty) => u64::from(ty.bits.div_ceil(8)),
            Self::Float { is_single } => {
                if *is_single {
                    4
                } else {
                    8
                }
            }
            Self::Pointer(_) => scene.memory.word() as u64,
            Self::Array(element, count) => return element.size(scene)?.checked_mul(*count),
        })
    }

    /// As C writes it.
    pub(super) fn name(&self, scene: Scene<'d>) -> Arc<str> {
        let long_bits = if scene.memory.word() == 8 { 64 } else { 32 };
        match self {
            Self::Known(ty) => ty.name(),
            Self::Void => "void".into(),
            Self::Boolean => "bool".into(),
            Self::Integer(ty) => ty.spell(long_bits),
            Self::Float { is_single: true } => "float".into(),
            Self::Float { is_single: false } => "double".into(),
            Self::Function => "void ()".into(),
            Self::Pointer(target) => pointer_name(&target.name(scene)).into(),
            Self::Array(element, count) => format!("{} [{count}]", element.name(scene)).into(),
        }
    }
}

/// The name of a pointer to the type called `target`: `int *`, `int (*)[3]`.
fn pointer_name(target: &str) -> String {
    let mut depth = 0_usize;
    let declarator = target.char_indices().find(|(_, c)| {
        match c {
            '<' | '{' => depth = depth.saturating_add(1),
            '>' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(c, '(' | '[')
    });
    // `(anonymous namespace)::x` and Rust's `[T; 3]` and tuples start with a bracket.
    let split = declarator.filter(|(at, _)| *at > 0 && !target.contains(")::"));
    match split.and_then(|(at, _)| target.split_at_checked(at)) {
        Some((before, after)) if after.starts_with("(*") => {
            format!("{before}(**{}", after.get(2..).unwrap_or_default())
        }
        Some((before, after)) => format!("{} (*){after}", before.trim_end()),
        None if target.ends_with('*') => format!("{target}*"),
        None => format!("{target} *"),
    }
}

/// The result of a part of an expression.
#[derive(Clone, Debug)]
pub(super) enum Operand<'d> {
    /// A place in the process, or what is left of a variable, of a type of the program.
    Object(Object<'d>),
    /// A place in memory of a type that debug information does not have.
    Place(Ty<'d>, Avma),
    Number(Number),
    Pointer(Avma, Ty<'d>),
    /// A string literal.
    Text(Arc<[u8]>),
    /// A register too wide for a number, in memory order.
    Bytes(Vec<u8>),
    Function {
        name: Arc<str>,
        at: Avma,
    },
    List(List<'d>),
}

/// Several values: a slice.
#[derive(Clone, Debug)]
pub(super) struct List<'d> {
    pub(super) type_name: Arc<str>,
    /// Each with its name, the first ones up to the limit.
    pub(super) items: Vec<(Arc<str>, Operand<'d>)>,
    /// How many there are in all.
    pub(super) total: u64,
}

/// Why an expression has no value.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// It makes sense, but what it needs is not there: the answer is this reason.
    Absent(Absence),
    /// It makes no sense here.
    Wrong { span: Option<Span>, why: Wrong },
}

impl Stop {
    /// With the place in the expression, if none is named yet.
    pub(super) fn at(self, place: &Span) -> Self {
        match self {
            Self::Wrong { span: None, why } => Self::Wrong { span: Some(place.clone()), why },
            other => other,
        }
    }
}

impl From<Absence> for Stop {
    fn from(why: Absence) -> Self {
        Self::Absent(why)
    }
}

impl From<NoPlace> for Stop {
    fn from(why: NoPlace) -> Self {
        Self::Absent(why.into())
    }
}

impl From<ReadError> for Stop {
    fn from(why: ReadError) -> Self {
        Self::Absent(why.into())
    }
}

impl From<Wrong> for Stop {
    fn from(why: Wrong) -> Self {
        Self::Wrong { span: None, why }
    }
}

impl From<NumberError> for Stop {
    fn from(why: NumberError) -> Self {
        Wrong::Number(why.to_string()).into()
    }
}

/// Why an expression makes no sense here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Wrong {
    /// Neither the frame nor the program has a variable of this name.
    #[error("no variable `{name}` in this frame{}", Wrong::suggestion(.near))]
    NotFound {
        /// What was asked for.
        name: String,
        /// Names that differ little.
        near: Vec<String>,
    },
    /// No type is called so.
    #[error("no type `{0}`")]
    NoType(String),
    /// A record has no such member.
    #[error("`{ty}` has no member `{name}`{}", Wrong::suggestion(.near))]
    NoMember {
        /// The record.
        ty: String,
        /// What was asked for.
        name: String,
        /// Members it has.
        near: Vec<String>,
    },
    /// The machine has no such register.
    #[error("no register `${0}` on this machine")]
    NoRegister(String),
    /// A wrapper with nothing in it.
    #[error("this `{0}` is empty")]
    Empty(String),
    /// An element past the end.
    #[error("index {index} is out of range: the length is {length}")]
    NoElement {
        /// Which was asked for.
        index: i128,
        /// How many there are.
        length: u64,
    },
    /// An operator is asked for what it does not do.
    #[error("{operator} cannot be applied to `{ty}`")]
    Operand {
        /// The operator, in words.
        operator: &'static str,
        /// The operand's type.
        ty: String,
    },
    /// Two operands that do not go together.
    #[error("this operator cannot combine `{left}` and `{right}`")]
    Operands {
        /// Type of the first.
        left: String,
        /// Type of the second.
        right: String,
    },
    /// A type without a size.
    #[error("the size of `{0}` is not known")]
    NoSize(String),
    /// `&` of what lies in no memory.
    #[error("{0} has no address")]
    NoAddress(&'static str),
    /// A cast that has no meaning.
    #[error("cannot cast `{from}` to `{to}`")]
    Cast {
        /// The operand's type.
        from: String,
        /// The type asked for.
        to: String,
    },
    /// The end of a slice is not known.
    #[error("the length is not known: give an end, as in `p[0..10]`")]
    NoEnd,
    /// The type of what cannot be read.
    #[error("its type is not known: {0}")]
    Unavailable(String),
    /// A function's type, which obit does not read.
    #[error("obit does not read the types of functions")]
    FunctionType,
    /// Arithmetic that has no result.
    #[error("{0}")]
    Number(String),
}

impl Wrong {
    /// `; did you mean …?`, if names are near.
    pub fn suggestion(near: &[String]) -> String {
        match near {
            [] => String::new(),
            [one] => format!("; did you mean `{one}`?"),
            [first @ .., last] => {
                format!("; did you mean `{}` or `{last}`?", first.join("`, `"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_named_as_c_writes_them() {
        for (target, pointer) in [
            ("int", "int *"),
            ("char *", "char **"),
            ("int [3]", "int (*)[3]"),
            ("void ()", "void (*)()"),
            ("int (*)(long)", "int (**)(long)"),
            ("ns::T<int [3]>", "ns::T<int [3]> *"),
            ("(anonymous namespace)::T", "(anonymous namespace)::T *"),
            ("[u8; 4]", "[u8; 4] *"),
        ] {
            assert_eq!(pointer_name(target), pointer);
        }
    }
}
