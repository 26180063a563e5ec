//! Types as they are written in casts, in C's way and in Rust's.

use super::ast::{BaseName, RecordWord, TypeExpr};
use super::lexer::TokenKind;
use super::literal::Literal;
use super::parser::Parser;
use super::syntax_error::{Problem, SyntaxError};
use super::template_args::Within;

/// Declarators of one type: no real one has so many.
const MAX_DECLARATORS: usize = 32;

impl Parser<'_> {
    /// A type in C's way, stars and brackets behind it; or one of Rust's raw pointers.
    pub(super) fn c_type(&mut self) -> Result<TypeExpr, SyntaxError> {
        self.nested(|parser| {
            if parser.is_mark("*") && parser.is_word_ahead(1, &["const", "mut"]) {
                return parser.rust_type();
            }
            let named = parser.specified_type()?;
            parser.declarators(named)
        })
    }

    /// A type in Rust's way. What follows is not looked at: `x as u64 * 2` multiplies.
    pub(super) fn rust_type(&mut self) -> Result<TypeExpr, SyntaxError> {
        self.nested(|parser| {
            if parser.take_mark("*") {
                if !parser.take_word("const") && !parser.take_word("mut") {
                    return Err(parser.no_type());
                }
                return Ok(TypeExpr::Pointer(Box::new(parser.rust_type()?)));
            }
            if parser.take_mark("&") {
                parser.take_word("mut");
                return Ok(TypeExpr::Reference(Box::new(parser.rust_type()?)));
            }
            if parser.take_mark("[") {
                let element = parser.rust_type()?;
                if !parser.take_mark(";") {
                    return Err(parser.unmatched("[", "; length]"));
                }
                let count = parser.count()?;
                parser.close("[", "]")?;
                return Ok(TypeExpr::Array(Box::new(element), count));
            }
            parser.specified_type()
        })
    }

    /// Whether `ty` can only be a type: it is more than a name.
    pub(super) fn is_surely(ty: &TypeExpr) -> bool {
        match ty {
            TypeExpr::Named { word, .. } => word.is_some(),
            TypeExpr::Array(element, _) => Self::is_surely(element),
            _ => true,
        }
    }

    /// Specifiers and qualifiers in any order: `unsigned const long`, `struct node`.
    fn specified_type(&mut self) -> Result<TypeExpr, SyntaxError> {
        let start = self.position();
        let (mut is_const, mut is_volatile) = (false, false);
        let mut words: Vec<String> = Vec::new();
        let mut named = None;
        while let Some(TokenKind::Word(word)) = self.peek() {
            match word.as_str() {
                "const" => is_const = true,
                "volatile" => is_volatile = true,
                "restrict" | "__restrict" | "typename" => {}
                "struct" | "class" | "union" | "enum" if named.is_none() && words.is_empty() => {
                    let word = match word.as_str() {
                        "union" => RecordWord::Union,
                        "enum" => RecordWord::Enum,
                        _ => RecordWord::Struct,
                    };
                    self.advance();
                    let path = self.path("struct")?;
                    named = Some(TypeExpr::Named { word: Some(word), path });
                    continue;
                }
                word if BaseName::is_word(word) && named.is_none() => words.push(word.to_owned()),
                "as" => break,
                _ if named.is_none() && words.is_empty() => {
                    named = Some(TypeExpr::Named { word: None, path: self.path("type")? });
                    continue;
                }
                _ => break,
            }
            self.advance();
        }
        if named.is_none() && words.is_empty() {
            let names_more =
                self.is_mark("::") || matches!(self.peek(), Some(TokenKind::Quoted(_)));
            if !names_more {
                return Err(self.no_type());
            }
            named = Some(TypeExpr::Named { word: None, path: self.path("type")? });
        }
        let mut ty = match named {
            Some(named) => named,
            None => match BaseName::of_words(words.iter().map(String::as_str)) {
                Some(base) => TypeExpr::Base(base),
                None => {
                    let problem = Problem::UnknownBaseType(words.join(" "));
                    return Err(SyntaxError::new(self.span_since(start), problem));
                }
            },
        };
        if is_volatile {
            ty = TypeExpr::Volatile(Box::new(ty));
        }
        if is_const {
            ty = TypeExpr::Const(Box::new(ty));
        }
        Ok(ty)
    }

    /// What C writes behind a type, without a name in it: `*`, `&`, `[3]`, `(*)(int)`.
    fn declarators(&mut self, named: TypeExpr) -> Result<TypeExpr, SyntaxError> {
        let mut ty = self.pointers(named)?;
        let is_group = self.is_mark("(")
            && ["*", "&", "&&"].into_iter().any(|mark| self.is_mark_ahead(1, mark));
        if !is_group {
            return self.arrays(ty);
        }
        // `int (*)(long)`: what follows the group belongs to the type it points to.
        self.advance();
        let group = self.position();
        self.pointers(TypeExpr::Base(BaseName::Void))?;
        self.close("(", ")")?;
        if self.take_mark("(") {
            let parameters = self.parameters()?;
            ty = TypeExpr::Function { result: Box::new(ty), parameters };
        } else {
            ty = self.arrays(ty)?;
        }
        let end = self.position();
        self.go_to(group);
        let pointer = self.pointers(ty)?;
        self.go_to(end);
        Ok(pointer)
    }

    fn pointers(&mut self, mut ty: TypeExpr) -> Result<TypeExpr, SyntaxError> {
        for _ in 0..MAX_DECLARATORS {
            ty = if self.take_mark("*") {
                TypeExpr::Pointer(Box::new(ty))
            } else if self.take_mark("&&") {
                TypeExpr::RvalueReference(Box::new(ty))
            } else if self.take_mark("&") {
                TypeExpr::Reference(Box::new(ty))
            } else if self.take_word("const") {
                TypeExpr::Const(Box::new(ty))
            } else if self.take_word("volatile") {
                TypeExpr::Volatile(Box::new(ty))
            } else if self.take_word("restrict") || self.take_word("__restrict") {
                ty
            } else {
                return Ok(ty);
            };
        }
        Err(self.no_type())
    }

    /// `[2][3]`: the innermost dimension is the last.
    fn arrays(&mut self, element: TypeExpr) -> Result<TypeExpr, SyntaxError> {
        let mut counts = Vec::new();
        while self.is_mark("[") {
            if counts.len() >= MAX_DECLARATORS {
                return Err(self.no_type());
            }
            self.advance();
            counts.push(self.count()?);
            self.close("[", "]")?;
        }
        let nest = |ty, count| TypeExpr::Array(Box::new(ty), count);
        Ok(counts.into_iter().rev().fold(element, nest))
    }

    fn count(&mut self) -> Result<u64, SyntaxError> {
        let count = match self.peek() {
            Some(TokenKind::Literal(Literal::Integer { value, .. })) => u64::try_from(*value).ok(),
            _ => None,
        };
        let Some(count) = count else {
            let problem = Problem::Literal("the length of an array type is a number");
            return Err(SyntaxError::new(self.here(), problem));
        };
        self.advance();
        Ok(count)
    }

    /// The opening parenthesis has been read.
    fn parameters(&mut self) -> Result<Vec<TypeExpr>, SyntaxError> {
        let mut parameters = Vec::new();
        while !self.is_mark(")") {
            if !self.take_mark("...") {
                parameters.push(self.c_type()?);
            }
            if !self.take_mark(",") {
                break;
            }
        }
        self.close("(", ")")?;
        if parameters == [TypeExpr::Base(BaseName::Void)] {
            parameters.clear();
        }
        Ok(parameters)
    }

    /// The type between the brackets of `static_cast<type>`.
    pub(super) fn bracketed_type(&mut self) -> Result<TypeExpr, SyntaxError> {
        if !self.take_mark("<") {
            return Err(self.unmatched("static_cast", "<"));
        }
        let around = std::mem::replace(&mut self.within, Within::Brackets);
        let ty = self.c_type();
        self.within = around;
        let ty = ty?;
        self.close("<", ">")?;
        Ok(ty)
    }

    fn no_type(&self) -> SyntaxError {
        SyntaxError::new(self.here(), Problem::NoType { found: self.found() })
    }
}
