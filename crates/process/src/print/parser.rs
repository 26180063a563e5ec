//! From tokens to an expression, with the precedence of C.

use super::ast::{BaseName, BinaryOp, Expr, ExprKind, MAX_DEPTH, TypeExpr, UnaryOp};
use super::lexer::{Token, TokenKind, tokens};
use super::path::{Path, squeeze};
use super::span::Span;
use super::syntax_error::{Problem, SyntaxError};
use super::template_args::{self, Within};

/// Reads an expression. `is_type` decides what a name in parentheses is where the syntax of
/// C is ambiguous: `(name)-1` is a cast if `name` is a type.
///
/// # Errors
/// The first error in the text.
pub fn parse(text: &str, is_type: &dyn Fn(&Path) -> bool) -> Result<Expr, SyntaxError> {
    let mut parser = Parser::new(text, is_type)?;
    let found = parser.expression()?;
    parser.end()?;
    Ok(found)
}

/// Reads the name of a type, in C's way.
pub(super) fn parse_type(
    text: &str,
    is_type: &dyn Fn(&Path) -> bool,
) -> Result<TypeExpr, SyntaxError> {
    let mut parser = Parser::new(text, is_type)?;
    let found = parser.c_type()?;
    parser.end()?;
    Ok(found)
}

pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// The next token.
    at: usize,
    is_type: &'t dyn Fn(&Path) -> bool,
    pub(super) within: Within,
    nesting: u16,
}

/// How tightly operators bind, loosest first. gdb's `@` binds tighter than shifts
/// and looser than sums.
const REPEAT: u8 = 10;
const CAST: u8 = 13;

/// Binary operators and how tightly they bind.
const BINARY: [(&str, u8, BinaryOp); 17] = [
    ("||", 2, BinaryOp::Or),
    ("&&", 3, BinaryOp::And),
    ("|", 4, BinaryOp::BitOr),
    ("^", 5, BinaryOp::BitXor),
    ("&", 6, BinaryOp::BitAnd),
    ("==", 7, BinaryOp::Equal),
    ("!=", 7, BinaryOp::NotEqual),
    ("<", 8, BinaryOp::Less),
    ("<=", 8, BinaryOp::LessOrEqual),
    (">", 8, BinaryOp::Greater),
    (">=", 8, BinaryOp::GreaterOrEqual),
    ("<<", 9, BinaryOp::ShiftLeft),
    ("+", 11, BinaryOp::Add),
    ("-", 11, BinaryOp::Subtract),
    ("*", 12, BinaryOp::Multiply),
    ("/", 12, BinaryOp::Divide),
    ("%", 12, BinaryOp::Remainder),
];
/// Two tokens: the lexer leaves `>>` apart.
const SHIFT_RIGHT: (u8, BinaryOp) = (9, BinaryOp::ShiftRight);

const ASSIGNMENTS: [&str; 13] =
    ["=", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", "++", "--"];

impl<'t> Parser<'t> {
    /// Of a text that is not empty.
    fn new(text: &'t str, is_type: &'t dyn Fn(&Path) -> bool) -> Result<Self, SyntaxError> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Err(SyntaxError::new(text.len()..text.len(), Problem::Empty));
        }
        Ok(Self { text, tokens, at: 0, is_type, within: Within::Expression, nesting: 0 })
    }

    /// Nothing may follow.
    fn end(&self) -> Result<(), SyntaxError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.left_over()),
        }
    }
}

impl Parser<'_> {
    fn expression(&mut self) -> Result<Expr, SyntaxError> {
        self.nested(|parser| {
            let start = parser.position();
            let condition = parser.binary(0)?;
            if !parser.take_mark("?") {
                return Ok(condition);
            }
            let then = parser.expression()?;
            if !parser.take_mark(":") {
                return Err(SyntaxError::new(parser.here(), Problem::NoColon));
            }
            let otherwise = parser.expression()?;
            let (condition, then) = (Box::new(condition), Box::new(then));
            let otherwise = Box::new(otherwise);
            parser.node(start, ExprKind::Conditional { condition, then, otherwise })
        })
    }

    /// Operators that bind at least as tightly as `loosest`, all of them to the left.
    fn binary(&mut self, loosest: u8) -> Result<Expr, SyntaxError> {
        let start = self.position();
        let mut left = self.unary()?;
        loop {
            if CAST >= loosest && self.take_word("as") {
                let ty = self.rust_type()?;
                left = self.node(start, ExprKind::Cast(ty, Box::new(left)))?;
                continue;
            }
            if REPEAT >= loosest && self.take_mark("@") {
                let (first, count) = (Box::new(left), Box::new(self.binary(REPEAT + 1)?));
                left = self.node(start, ExprKind::Repeat { first, count })?;
                continue;
            }
            let Some((tokens, tightness, op)) = self.binary_operator() else { return Ok(left) };
            if tightness < loosest {
                return Ok(left);
            }
            self.at = self.at.saturating_add(tokens);
            let right = self.binary(tightness.saturating_add(1))?;
            left = self.node(start, ExprKind::Binary(op, Box::new(left), Box::new(right)))?;
        }
    }

    /// The operator ahead: of how many tokens, how tight, which.
    fn binary_operator(&self) -> Option<(usize, u8, BinaryOp)> {
        if self.is_mark(">") && self.is_adjacent_ahead(">") {
            return Some((2, SHIFT_RIGHT.0, SHIFT_RIGHT.1));
        }
        if self.is_mark(">") && self.is_adjacent_ahead(">=") {
            return None;
        }
        let Some(TokenKind::Punctuation(mark)) = self.peek() else { return None };
        let (_, tightness, op) = BINARY.iter().find(|(text, ..)| text == mark)?;
        Some((1, *tightness, *op))
    }

    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        self.nested(|parser| {
            let start = parser.position();
            let op = match parser.peek() {
                Some(TokenKind::Punctuation("*")) => UnaryOp::Dereference,
                Some(TokenKind::Punctuation("&")) => UnaryOp::AddressOf,
                Some(TokenKind::Punctuation("+")) => UnaryOp::Plus,
                Some(TokenKind::Punctuation("-")) => UnaryOp::Minus,
                Some(TokenKind::Punctuation("~")) => UnaryOp::Complement,
                Some(TokenKind::Punctuation("!")) => UnaryOp::Not,
                Some(TokenKind::Punctuation("{")) => return parser.object_at(),
                Some(TokenKind::Punctuation("(")) => return parser.cast_or_postfix(),
                Some(TokenKind::Word(word)) if word == "sizeof" => return parser.size_of(),
                _ => return parser.postfix(),
            };
            parser.advance();
            if op == UnaryOp::AddressOf && parser.is_mut_of_rust() {
                parser.advance();
            }
            let operand = Box::new(parser.unary()?);
            parser.node(start, ExprKind::Unary(op, operand))
        })
    }

    /// Whether the word ahead is the one of `&mut place`, and not a variable's name.
    fn is_mut_of_rust(&self) -> bool {
        let place = self.tokens.get(self.at.saturating_add(1)).map(|token| &token.kind);
        let is_place = match place {
            Some(TokenKind::Word(word)) => word != "as",
            Some(TokenKind::Punctuation(mark)) => *mark == "*",
            _ => false,
        };
        is_place && self.is_word_ahead(0, &["mut"])
    }

    /// `{type} address`.
    fn object_at(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.position();
        self.advance();
        let ty = self.c_type()?;
        self.close("{", "}")?;
        let operand = Box::new(self.unary()?);
        self.node(start, ExprKind::ObjectAt(ty, operand))
    }

    /// `(type)operand`, or else parentheses around an expression.
    fn cast_or_postfix(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.position();
        let Some(ty) = self.type_in_parentheses(Self::follows_as_operand) else {
            self.go_to(start);
            return self.postfix();
        };
        let operand = Box::new(self.unary()?);
        self.node(start, ExprKind::Cast(ty, operand))
    }

    /// The type in the parentheses ahead, if it is one: by its syntax, or because
    /// `is_operand` finds that the tokens after them can only follow a type.
    fn type_in_parentheses(
        &mut self,
        is_operand: impl Fn(&Self, &Path) -> bool,
    ) -> Option<TypeExpr> {
        self.advance();
        let ty = self.c_type().ok()?;
        if !self.take_mark(")") {
            return None;
        }
        let mut innermost = &ty;
        while let TypeExpr::Array(element, _) = innermost {
            innermost = element;
        }
        let is_type = match innermost {
            _ if Self::is_surely(&ty) => true,
            TypeExpr::Named { path, .. } => is_operand(self, path),
            _ => true,
        };
        is_type.then_some(ty)
    }

    /// Whether the token ahead makes `(path)` a cast.
    fn follows_as_operand(&self, path: &Path) -> bool {
        match self.peek() {
            None => false,
            Some(TokenKind::Word(word)) => word != "as",
            Some(TokenKind::Punctuation(mark)) => match *mark {
                "(" | "~" | "!" | "::" => true,
                "*" | "&" | "+" | "-" | "{" => (self.is_type)(path),
                _ => false,
            },
            Some(_) => true,
        }
    }

    fn size_of(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.position();
        self.advance();
        let operand = self.position();
        if self.is_mark("(") {
            if let Some(ty) = self.type_in_parentheses(|parser, path| (parser.is_type)(path)) {
                return self.node(start, ExprKind::SizeOfType(ty));
            }
            self.go_to(operand);
        }
        let operand = Box::new(self.unary()?);
        self.node(start, ExprKind::SizeOf(operand))
    }

    fn postfix(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.position();
        let mut of = self.primary()?;
        // Each turn takes a token or ends.
        loop {
            let Some(TokenKind::Punctuation(mark)) = self.peek() else { return Ok(of) };
            let kind = match *mark {
                "." | "->" => {
                    let after = *mark;
                    self.advance();
                    let name = self.path(after)?.to_string();
                    ExprKind::Member { of: Box::new(of), name }
                }
                "[" => self.index(of)?,
                "(" => return Err(SyntaxError::new(self.here(), Problem::Call)),
                ".*" | "->*" => {
                    let problem = Problem::Unsupported("a pointer to member cannot be followed");
                    return Err(SyntaxError::new(self.here(), problem));
                }
                _ => return Ok(of),
            };
            of = self.node(start, kind)?;
        }
    }

    /// `[i]`, `[a..b]`, `[..]`.
    fn index(&mut self, of: Expr) -> Result<ExprKind, SyntaxError> {
        self.advance();
        let of = Box::new(of);
        let is_range = |parser: &Self| parser.is_mark("..") || parser.is_mark("..=");
        let start = if is_range(self) { None } else { Some(Box::new(self.expression()?)) };
        let is_inclusive = self.is_mark("..=");
        if !is_range(self) {
            let Some(index) = start else { return Err(self.no_operand()) };
            self.close("[", "]")?;
            return Ok(ExprKind::Index { of, index });
        }
        self.advance();
        let has_end = !self.is_mark("]") || is_inclusive;
        let end = if has_end { Some(Box::new(self.expression()?)) } else { None };
        self.close("[", "]")?;
        Ok(ExprKind::Slice { of, start, end, is_inclusive })
    }

    fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.position();
        let kind = match self.peek() {
            Some(TokenKind::Literal(literal)) => ExprKind::Literal(literal.clone()),
            Some(TokenKind::Register(name)) if name.is_empty() => {
                let problem = Problem::NoName { after: "$", found: String::new() };
                return Err(SyntaxError::new(self.here(), problem));
            }
            Some(TokenKind::Register(name)) => ExprKind::Register(name.clone()),
            Some(TokenKind::Punctuation("(")) => {
                self.advance();
                let inside = self.expression()?;
                self.close("(", ")")?;
                return Ok(inside);
            }
            Some(TokenKind::Punctuation("::") | TokenKind::Quoted(_)) => {
                let path = self.path("::")?;
                return self.node(start, ExprKind::Name(path));
            }
            Some(TokenKind::Word(word)) => match word.as_str() {
                "true" => ExprKind::Boolean(true),
                "false" => ExprKind::Boolean(false),
                "NULL" | "nullptr" => ExprKind::Null,
                "static_cast" | "reinterpret_cast" | "const_cast" | "dynamic_cast"
                    if self.is_mark_ahead(1, "<") =>
                {
                    self.advance();
                    let ty = self.bracketed_type()?;
                    return self.functional_cast(start, ty);
                }
                "struct" | "class" | "union" | "enum" | "const" | "volatile" => {
                    return Err(self.bare_type(start));
                }
                word if BaseName::is_word(word) => {
                    let ty = self.rust_type()?;
                    if self.is_mark("(") {
                        return self.functional_cast(start, ty);
                    }
                    return Err(self.bare_type(start));
                }
                "alignof" | "_Alignof" | "typeof" | "decltype" | "new" | "delete" | "throw" => {
                    let problem = Problem::Unsupported("this operator is not supported");
                    return Err(SyntaxError::new(self.here(), problem));
                }
                _ => {
                    let path = self.path("::")?;
                    return self.node(start, ExprKind::Name(path));
                }
            },
            Some(TokenKind::Punctuation(mark)) if ASSIGNMENTS.contains(mark) => {
                return Err(SyntaxError::new(self.here(), Problem::Assignment(mark)));
            }
            _ => return Err(self.no_operand()),
        };
        self.advance();
        self.node(start, kind)
    }

    /// `int(x)`, `static_cast<int>(x)`: the type has been read.
    fn functional_cast(&mut self, start: usize, ty: TypeExpr) -> Result<Expr, SyntaxError> {
        if !self.take_mark("(") {
            return Err(self.unmatched("static_cast", "("));
        }
        let operand = Box::new(self.expression()?);
        self.close("(", ")")?;
        self.node(start, ExprKind::Cast(ty, operand))
    }

    /// Why a type without an operand is not an expression.
    fn bare_type(&mut self, start: usize) -> SyntaxError {
        self.go_to(start);
        match self.c_type() {
            Ok(_) => {
                let problem = Problem::Unsupported("a type without a value cannot be printed");
                SyntaxError::new(self.span_since(start), problem)
            }
            Err(error) => error,
        }
    }

    /// A name with its scopes. `after` is what it follows.
    pub(super) fn path(&mut self, after: &'static str) -> Result<Path, SyntaxError> {
        let mut path = Path { is_global: self.take_mark("::"), ..Path::default() };
        if let Some(TokenKind::Quoted(name)) = self.peek() {
            let name = name.clone();
            self.advance();
            if !self.take_mark("::") {
                return Ok(Path { is_global: path.is_global, ..Path::quoted(&name) });
            }
            path.within = Some(name);
        }
        loop {
            let start = self.position();
            let Some(TokenKind::Word(_)) = self.peek() else {
                let after = if path.segments.is_empty() { after } else { "::" };
                let problem = Problem::NoName { after, found: self.found() };
                return Err(SyntaxError::new(self.here(), problem));
            };
            self.advance();
            let name_end = self.position();
            // Rust's `Vec::<T>`.
            if self.is_mark("::") && self.is_mark_ahead(1, "<") {
                self.advance();
            }
            let arguments = self.position();
            let is_adjacent = arguments > name_end || self.starts_where_last_ended();
            let ahead = self.tokens.get(arguments..).unwrap_or_default();
            let length = match ahead.first().map(|token| &token.kind) {
                Some(TokenKind::Punctuation("<")) if is_adjacent => {
                    template_args::length(ahead, self.within)
                }
                _ => None,
            };
            if let Some(length) = length {
                self.at = self.at.saturating_add(length);
            }
            let name = self.slice(start, name_end);
            let arguments = self.slice(arguments, self.at);
            path.segments.push(squeeze(&format!("{name}{arguments}")));
            if !self.take_mark("::") {
                return Ok(path);
            }
        }
    }

    /// Why the rest of the text after an expression is an error.
    fn left_over(&self) -> SyntaxError {
        let found = self.found();
        if self.is_mark(">") && self.is_adjacent_ahead(">=") {
            return SyntaxError::new(self.here(), Problem::Assignment(">>="));
        }
        let problem = match self.peek() {
            Some(TokenKind::Punctuation(mark)) if ASSIGNMENTS.contains(mark) => {
                Problem::Assignment(mark)
            }
            Some(TokenKind::Punctuation(",")) => {
                Problem::Unsupported("a list of values cannot be printed")
            }
            Some(TokenKind::Punctuation("..")) => Problem::Unsupported("a range cannot be printed"),
            _ => Problem::NoOperator { found },
        };
        SyntaxError::new(self.here(), problem)
    }

    fn no_operand(&self) -> SyntaxError {
        SyntaxError::new(self.here(), Problem::NoOperand { found: self.found() })
    }

    pub(super) fn unmatched(&self, open: &'static str, close: &'static str) -> SyntaxError {
        let problem = Problem::Unmatched { open, close, found: self.found() };
        SyntaxError::new(self.here(), problem)
    }

    pub(super) fn close(
        &mut self,
        open: &'static str,
        close: &'static str,
    ) -> Result<(), SyntaxError> {
        if self.take_mark(close) { Ok(()) } else { Err(self.unmatched(open, close)) }
    }

    /// Goes one level down, as far as is allowed.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.nesting >= MAX_DEPTH {
            let problem = Problem::TooDeep { limit: MAX_DEPTH };
            return Err(SyntaxError::new(self.here(), problem));
        }
        self.nesting = self.nesting.saturating_add(1);
        let read = read(self);
        self.nesting = self.nesting.saturating_sub(1);
        read
    }

    fn node(&self, start: usize, kind: ExprKind) -> Result<Expr, SyntaxError> {
        Expr::new(kind, self.span_since(start))
    }

    pub(super) fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub(super) fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// The number of the next token.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.is_mark_ahead(0, mark)
    }

    pub(super) fn is_mark_ahead(&self, ahead: usize, mark: &str) -> bool {
        let token = self.tokens.get(self.at.saturating_add(ahead));
        token.is_some_and(
            |token| matches!(token.kind, TokenKind::Punctuation(found) if found == mark),
        )
    }

    /// Whether the token after the next is `mark`, without a space between.
    fn is_adjacent_ahead(&self, mark: &str) -> bool {
        let next = self.tokens.get(self.at);
        let second = self.tokens.get(self.at.saturating_add(1));
        self.is_mark_ahead(1, mark)
            && next.zip(second).is_some_and(|(next, second)| next.span.end == second.span.start)
    }

    fn starts_where_last_ended(&self) -> bool {
        let last = self.at.checked_sub(1).and_then(|last| self.tokens.get(last));
        let next = self.tokens.get(self.at);
        last.zip(next).is_some_and(|(last, next)| last.span.end == next.span.start)
    }

    pub(super) fn is_word_ahead(&self, ahead: usize, words: &[&str]) -> bool {
        let token = self.tokens.get(self.at.saturating_add(ahead));
        token.is_some_and(
            |token| matches!(&token.kind, TokenKind::Word(word) if words.contains(&word.as_str())),
        )
    }

    pub(super) fn take_mark(&mut self, mark: &str) -> bool {
        let is_it = self.is_mark(mark);
        if is_it {
            self.advance();
        }
        is_it
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let is_it = self.is_word_ahead(0, &[word]);
        if is_it {
            self.advance();
        }
        is_it
    }

    /// The place of the next token; empty at the end.
    pub(super) fn here(&self) -> Span {
        let end = self.text.trim_end().len();
        self.tokens.get(self.at).map_or(end..end, |token| token.span.clone())
    }

    /// The next token as it is written; empty at the end.
    pub(super) fn found(&self) -> String {
        self.text.get(self.here()).unwrap_or_default().to_owned()
    }

    /// From the token `start` to the last one read.
    pub(super) fn span_since(&self, start: usize) -> Span {
        let first = self.tokens.get(start).map_or(0, |token| token.span.start);
        let last = self.at.checked_sub(1).and_then(|last| self.tokens.get(last));
        first..last.map_or(first, |token| token.span.end).max(first)
    }

    /// The text from the token `start` to the one before `end`.
    fn slice(&self, start: usize, end: usize) -> &str {
        let last = end.checked_sub(1).filter(|last| *last >= start);
        let tokens = last.and_then(|last| self.tokens.get(start).zip(self.tokens.get(last)));
        let text = tokens.and_then(|(first, last)| self.text.get(first.span.start..last.span.end));
        text.unwrap_or_default()
    }
}
