//! What an expression is, once parsed.

use super::literal::Literal;
use super::path::Path;
use super::span::Span;
use super::syntax_error::{Problem, SyntaxError};

/// Levels of nesting. A deeper expression is refused, so that code that walks a tree may
/// recurse.
pub(super) const MAX_DEPTH: u16 = 200;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place in the text.
    pub span: Span,
    /// Expressions from here to the deepest operand; at most [`MAX_DEPTH`].
    depth: u16,
}

impl Expr {
    /// Puts an expression together.
    ///
    /// # Errors
    /// It is nested too deeply.
    pub(super) fn new(kind: ExprKind, span: Span) -> Result<Self, SyntaxError> {
        let below = kind.operands().map(|operand| operand.depth).max().unwrap_or(0);
        let depth = below.saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(SyntaxError::new(span, Problem::TooDeep { limit: MAX_DEPTH }));
        }
        Ok(Self { kind, span, depth })
    }
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number, a character or a string.
    Literal(Literal),
    /// `true`, `false`.
    Boolean(bool),
    /// `NULL`, `nullptr`.
    Null,
    /// A variable, a function, an enumerator.
    Name(Path),
    /// `$rip`: the name without the dollar sign.
    Register(String),
    /// `.name`, `->name`, `.0`. On a pointer both reach through it.
    Member {
        /// The record, or a pointer to it.
        of: Box<Expr>,
        /// The member's name; of a tuple's, its number.
        name: String,
    },
    /// `of[index]`.
    Index {
        /// An array, a pointer, a container.
        of: Box<Expr>,
        /// Which element.
        index: Box<Expr>,
    },
    /// `of[start..end]`: Rust's slices.
    Slice {
        /// An array, a pointer, a container.
        of: Box<Expr>,
        /// The first element; 0 if left out.
        start: Option<Box<Expr>>,
        /// Where it ends; at the end of the array if left out.
        end: Option<Box<Expr>>,
        /// `..=`: the element at `end` belongs to it.
        is_inclusive: bool,
    },
    /// `first @ count`: gdb's array of what lies at and after `first`.
    Repeat {
        /// The first element.
        first: Box<Expr>,
        /// How many.
        count: Box<Expr>,
    },
    /// One operand.
    Unary(UnaryOp, Box<Expr>),
    /// Two operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `condition ? then : otherwise`.
    Conditional {
        /// What decides.
        condition: Box<Expr>,
        /// The value if it is not 0.
        then: Box<Expr>,
        /// The value if it is.
        otherwise: Box<Expr>,
    },
    /// `(type)operand`, `operand as type`, `static_cast<type>(operand)`.
    Cast(TypeExpr, Box<Expr>),
    /// `{type} address`: gdb's object of a type at an address.
    ObjectAt(TypeExpr, Box<Expr>),
    /// `sizeof operand`. A name may turn out to be a type's.
    SizeOf(Box<Expr>),
    /// `sizeof(type)`.
    SizeOfType(TypeExpr),
}

impl ExprKind {
    pub(super) fn operands(&self) -> impl Iterator<Item = &Expr> {
        let operands: [Option<&Expr>; 3] = match self {
            Self::Literal(_)
            | Self::Boolean(_)
            | Self::Null
            | Self::Name(_)
            | Self::Register(_)
            | Self::SizeOfType(_) => [None; 3],
            Self::Member { of, .. } => [Some(of), None, None],
            Self::Unary(_, operand)
            | Self::Cast(_, operand)
            | Self::ObjectAt(_, operand)
            | Self::SizeOf(operand) => [Some(operand), None, None],
            Self::Index { of, index } => [Some(of), Some(index), None],
            Self::Slice { of, start, end, .. } => [Some(of), start.as_deref(), end.as_deref()],
            Self::Repeat { first, count } => [Some(first), Some(count), None],
            Self::Binary(_, left, right) => [Some(left), Some(right), None],
            Self::Conditional { condition, then, otherwise } => {
                [Some(condition), Some(then), Some(otherwise)]
            }
        };
        operands.into_iter().flatten()
    }
}

/// Operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names of the operators
pub enum UnaryOp {
    Dereference,
    AddressOf,
    Plus,
    Minus,
    Complement,
    Not,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names of the operators
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    ShiftLeft,
    ShiftRight,
    BitAnd,
    BitOr,
    BitXor,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// A type as it is written in a cast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeExpr {
    /// A type of C's own, in any order of its words.
    Base(BaseName),
    /// A type the program or a language names.
    Named {
        /// The word before the name, if there is one.
        word: Option<RecordWord>,
        /// Its name.
        path: Path,
    },
    /// `const T`, `T const`.
    Const(Box<TypeExpr>),
    /// `volatile T`, `T volatile`.
    Volatile(Box<TypeExpr>),
    /// `T *`, `*const T`, `*mut T`.
    Pointer(Box<TypeExpr>),
    /// `T &`, `&T`, `&mut T`.
    Reference(Box<TypeExpr>),
    /// `T &&`.
    RvalueReference(Box<TypeExpr>),
    /// `T[count]`, `[T; count]`.
    Array(Box<TypeExpr>, u64),
    /// `R (parameters)`: only pointers to it have values.
    Function {
        /// What it returns.
        result: Box<TypeExpr>,
        /// What it takes.
        parameters: Vec<TypeExpr>,
    },
}

/// The word before the name of a C type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the words themselves
pub enum RecordWord {
    /// `struct` and `class`: C++ takes the one for the other.
    Struct,
    Union,
    Enum,
}

/// Types that C and C++ name by words of their own. What they look like is the ABI's
/// affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the types' names
pub enum BaseName {
    Void,
    Bool,
    Char,
    SignedChar,
    UnsignedChar,
    Short,
    UnsignedShort,
    Int,
    UnsignedInt,
    Long,
    UnsignedLong,
    LongLong,
    UnsignedLongLong,
    Int128,
    UnsignedInt128,
    Float,
    Double,
    LongDouble,
    Char8,
    Char16,
    Char32,
    WideChar,
}

impl BaseName {
    /// The type that C's words mean together, whatever their order.
    pub(super) fn of_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Self> {
        let (mut signed, mut unsigned, mut short, mut long) = (0_u8, 0_u8, 0_u8, 0_u8);
        let (mut int, mut others) = (0_u8, Vec::new());
        for word in words {
            let count = match word {
                "signed" => &mut signed,
                "unsigned" => &mut unsigned,
                "short" => &mut short,
                "long" => &mut long,
                "int" => &mut int,
                other => {
                    others.push(other);
                    continue;
                }
            };
            *count = count.checked_add(1)?;
        }
        if signed > 1 || unsigned > 1 || short > 1 || int > 1 || (signed > 0 && unsigned > 0) {
            return None;
        }
        let has_sign = signed > 0 || unsigned > 0;
        let is_plain = !has_sign && short == 0 && long == 0 && int == 0;
        let pick = |if_signed, if_unsigned| if unsigned > 0 { if_unsigned } else { if_signed };
        Some(match (others.as_slice(), short, long) {
            ([], 0, 0) if has_sign || int > 0 => pick(Self::Int, Self::UnsignedInt),
            ([], 1, 0) => pick(Self::Short, Self::UnsignedShort),
            ([], 0, 1) => pick(Self::Long, Self::UnsignedLong),
            ([], 0, 2) => pick(Self::LongLong, Self::UnsignedLongLong),
            (["char"], 0, 0) if int == 0 => match has_sign {
                false => Self::Char,
                true => pick(Self::SignedChar, Self::UnsignedChar),
            },
            (["__int128"], 0, 0) if int == 0 => pick(Self::Int128, Self::UnsignedInt128),
            (["double"], 0, 1) if !has_sign && int == 0 => Self::LongDouble,
            ([only], 0, 0) if is_plain => match *only {
                "void" => Self::Void,
                "bool" | "_Bool" => Self::Bool,
                "float" => Self::Float,
                "double" => Self::Double,
                "char8_t" => Self::Char8,
                "char16_t" => Self::Char16,
                "char32_t" => Self::Char32,
                "wchar_t" => Self::WideChar,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether a word may be one of those that name such a type.
    pub(super) fn is_word(word: &str) -> bool {
        const WORDS: [&str; 17] = [
            "void", "bool", "_Bool", "char", "short", "int", "long", "signed", "unsigned", "float",
            "double", "char8_t", "char16_t", "char32_t", "wchar_t", "__int128", "_Complex",
        ];
        WORDS.contains(&word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_c_type_may_be_in_any_order() {
        let named = |words: &str| BaseName::of_words(words.split(' '));
        for (words, name) in [
            ("unsigned", BaseName::UnsignedInt),
            ("long", BaseName::Long),
            ("long unsigned int", BaseName::UnsignedLong),
            ("int long unsigned", BaseName::UnsignedLong),
            ("long long", BaseName::LongLong),
            ("short signed int", BaseName::Short),
            ("char unsigned", BaseName::UnsignedChar),
            ("char", BaseName::Char),
            ("signed char", BaseName::SignedChar),
            ("long double", BaseName::LongDouble),
            ("unsigned __int128", BaseName::UnsignedInt128),
            ("void", BaseName::Void),
        ] {
            assert_eq!(named(words), Some(name), "{words}");
        }
    }

    #[test]
    fn words_that_name_no_c_type_together_are_refused() {
        for words in [
            "signed unsigned",
            "long long long",
            "short long",
            "unsigned float",
            "char int",
            "int int",
            "_Complex",
            "bool char",
        ] {
            assert_eq!(BaseName::of_words(words.split(' ')), None, "{words}");
        }
    }
}
