//! From text to tokens.

use super::literal::{FloatSuffix, IntegerSuffix, Literal};
use super::span::Span;
use super::syntax_error::{Problem, SyntaxError};

/// Bytes of an expression that are read: a real one is a line. Limits the tokens, too.
pub(super) const MAX_TEXT: usize = 4096;

/// What the compilers of C++ call a namespace without a name.
const ANONYMOUS_NAMESPACE: &str = "(anonymous namespace)";

/// Longest first: the first that fits is taken. `>>` is left to the parser, which knows
/// what it closes.
const PUNCTUATION: [&str; 53] = [
    "<<=", "..=", "...", "->*", "<=>", "->", "::", "..", "<<", "<=", ">=", "==", "!=", "&&", "||",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "++", "--", ".*", "=>", ":=", "(", ")", "[",
    "]", "{", "}", ".", ",", ";", ":", "?", "=", "@", "+", "-", "*", "/", "%", "<", ">", "&", "|",
    "^", "~", "!",
];

/// A token and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A word of the program or of a language.
    Word(String),
    /// A name in single quotes, taken as it is.
    Quoted(String),
    /// `$name`.
    Register(String),
    Literal(Literal),
    Punctuation(&'static str),
}

/// The tokens of `text`.
///
/// # Errors
/// The first thing that is not a token.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    if text.len() > MAX_TEXT {
        let problem = Problem::TooLong { limit: MAX_TEXT };
        return Err(SyntaxError::new(text.len()..text.len(), problem));
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    loop {
        lexer.skip_while(char::is_whitespace);
        let start = lexer.at;
        let Some(kind) = lexer.token(tokens.last().map(|token| &token.kind))? else { break };
        tokens.push(Token { kind, span: start..lexer.at });
    }
    Ok(tokens)
}

struct Lexer<'t> {
    text: &'t str,
    /// Bytes read; at the start of a character.
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.skip(c.len_utf8());
        Some(c)
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.skip(end);
        rest.get(..end).unwrap_or_default()
    }

    fn error(&self, start: usize, problem: Problem) -> SyntaxError {
        SyntaxError::new(start..self.at.max(start), problem)
    }

    /// The next token, `None` at the end. The token before it distinguishes `tuple.0.1` from
    /// `0.1`.
    fn token(&mut self, before: Option<&TokenKind>) -> Result<Option<TokenKind>, SyntaxError> {
        let start = self.at;
        let Some(first) = self.peek() else { return Ok(None) };
        let after_dot = before == Some(&TokenKind::Punctuation("."));
        if first.is_ascii_digit() && after_dot {
            let digits = self.skip_while(|c| c.is_ascii_digit());
            return Ok(Some(TokenKind::Word(digits.to_owned())));
        }
        let follows_dot = self.rest().get(1..).and_then(|rest| rest.chars().next());
        let is_operand = matches!(
            before,
            Some(TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Punctuation(")" | "]"))
        );
        let is_fraction =
            first == '.' && !is_operand && follows_dot.is_some_and(|c| c.is_ascii_digit());
        if first.is_ascii_digit() || is_fraction {
            return self.number().map(Some);
        }
        if let Some(word) = self.compound_word() {
            return Ok(Some(TokenKind::Word(word)));
        }
        if starts_word(first) {
            let word = self.word();
            let has_prefix = matches!(word, "L" | "u" | "U" | "u8" | "b");
            return Ok(Some(match self.peek() {
                Some('\'') if has_prefix => self.single_quoted()?,
                Some('"') if has_prefix => self.double_quoted()?,
                Some('#') if word == "r" => {
                    self.skip(1);
                    TokenKind::Word(self.word().to_owned())
                }
                _ => TokenKind::Word(word.to_owned()),
            }));
        }
        match first {
            '\'' => return self.single_quoted().map(Some),
            '"' => return self.double_quoted().map(Some),
            '$' => {
                self.skip(1);
                return Ok(Some(TokenKind::Register(self.word().to_owned())));
            }
            _ => {}
        }
        if let Some(found) = PUNCTUATION.iter().find(|mark| self.rest().starts_with(**mark)) {
            self.skip(found.len());
            return Ok(Some(TokenKind::Punctuation(found)));
        }
        self.take();
        Err(self.error(start, Problem::StrayCharacter(first)))
    }

    fn word(&mut self) -> &'t str {
        self.skip_while(continues_word)
    }

    /// Names that compilers make up: `(anonymous namespace)`, `{closure#0}`, `{impl#3}`,
    /// `{lambda(int)#1}`.
    fn compound_word(&mut self) -> Option<String> {
        let rest = self.rest();
        if rest.starts_with(ANONYMOUS_NAMESPACE) {
            self.skip(ANONYMOUS_NAMESPACE.len());
            return Some(ANONYMOUS_NAMESPACE.to_owned());
        }
        let inside = rest.strip_prefix('{')?;
        let (inside, _) = inside.split_once('}')?;
        let (_, number) = inside.rsplit_once('#')?;
        if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        self.skip(inside.len().saturating_add(2));
        Some(format!("{{{inside}}}"))
    }

    fn number(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        let radix = match self.rest().get(..2) {
            Some("0x" | "0X") => 16,
            Some("0b" | "0B") => 2,
            Some("0o" | "0O") => 8,
            _ => 10,
        };
        if radix != 10 {
            self.skip(2);
            let digits = self.skip_while(|c| c.is_digit(radix) || c == '_');
            return self.integer(start, digits, radix);
        }
        let digits = self.skip_while(|c| c.is_ascii_digit() || c == '_');
        // `0..n` is a range, and `1.e` a member of a number.
        let mut after = self.rest().chars();
        let (next, second) = (after.next(), after.next());
        let is_fraction = next == Some('.') && !second.is_some_and(|c| c == '.' || starts_word(c));
        let is_exponent = |next: Option<char>, second: Option<char>| {
            matches!(next, Some('e' | 'E'))
                && second.is_some_and(|c| c.is_ascii_digit() || c == '+' || c == '-')
        };
        if is_fraction || is_exponent(next, second) {
            return self.float(start);
        }
        let is_octal = digits.len() > 1 && digits.starts_with('0');
        // A suffix of Rust marks a number of Rust, where a leading zero does not make it octal.
        let is_rusts = self.rest().starts_with(['i', 'f']) || {
            let mut suffix = self.rest().chars();
            suffix.next() == Some('u')
                && suffix.next().is_some_and(|c| c.is_ascii_digit() || c == 's')
        };
        self.integer(start, digits, if is_octal && !is_rusts { 8 } else { 10 })
    }

    fn integer(
        &mut self,
        start: usize,
        digits: &str,
        radix: u32,
    ) -> Result<TokenKind, SyntaxError> {
        let digits: String = digits.chars().filter(|c| *c != '_').collect();
        let suffix = self.word();
        let literal = |why| self.error(start, Problem::Literal(why));
        if digits.is_empty() {
            return Err(literal("a number without digits"));
        }
        if radix == 8 && digits.contains(['8', '9']) {
            return Err(literal("a number that starts with 0 is octal, and has no 8 or 9"));
        }
        if matches!(suffix, "f32" | "f64") && radix == 10 {
            return Ok(TokenKind::Literal(Literal::Float {
                value: digits.parse().unwrap_or(f64::INFINITY),
                suffix: float_suffix(suffix).unwrap_or_default(),
            }));
        }
        let value = u128::from_str_radix(&digits, radix)
            .map_err(|_| literal("a number of more than 128 bits"))?;
        let Some(suffix) = integer_suffix(suffix) else {
            return Err(literal("a number with an unknown suffix"));
        };
        Ok(TokenKind::Literal(Literal::Integer { value, suffix, is_decimal: radix == 10 }))
    }

    /// The digits before the point have been read.
    fn float(&mut self, start: usize) -> Result<TokenKind, SyntaxError> {
        if self.peek() == Some('.') {
            self.skip(1);
            self.skip_while(|c| c.is_ascii_digit() || c == '_');
        }
        let mut exponent = self.rest().chars();
        if matches!(exponent.next(), Some('e' | 'E'))
            && exponent.next().is_some_and(|c| c.is_ascii_digit() || c == '+' || c == '-')
        {
            self.skip(2);
            self.skip_while(|c| c.is_ascii_digit() || c == '_');
        }
        let digits: String = self.text.get(start..self.at).unwrap_or_default().replace('_', "");
        let suffix = float_suffix(self.word());
        let (Some(suffix), Ok(value)) = (suffix, digits.parse()) else {
            return Err(self.error(start, Problem::Literal("not a number")));
        };
        Ok(TokenKind::Literal(Literal::Float { value, suffix }))
    }

    /// A character, or a name that could not be written without quotes.
    fn single_quoted(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        self.skip(1);
        let mut ahead = self.rest().chars();
        match (ahead.next(), ahead.next()) {
            (Some('\\'), _) => {
                self.skip(1);
                let code = self.escape(start)?;
                if self.take() != Some('\'') {
                    return Err(self.error(start, Problem::Unclosed('\'')));
                }
                Ok(TokenKind::Literal(Literal::Character(code)))
            }
            (Some(c), Some('\'')) if c != '\'' => {
                self.take();
                self.skip(1);
                Ok(TokenKind::Literal(Literal::Character(u32::from(c))))
            }
            _ => {
                let name = self.skip_while(|c| c != '\'').to_owned();
                if self.take().is_none() {
                    self.at = start.saturating_add(1);
                    return Err(self.error(start, Problem::Unclosed('\'')));
                }
                if name.is_empty() {
                    let problem = Problem::Literal("empty quotes");
                    return Err(self.error(start, problem));
                }
                Ok(TokenKind::Quoted(name))
            }
        }
    }

    fn double_quoted(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        self.skip(1);
        let mut bytes = Vec::new();
        loop {
            match self.take() {
                Some('"') => return Ok(TokenKind::Literal(Literal::Text(bytes))),
                Some('\\') => match self.escape(start)? {
                    code @ 0..=0xff => bytes.extend(u8::try_from(code)),
                    code => {
                        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                },
                Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => {
                    self.at = start.saturating_add(1);
                    return Err(self.error(start, Problem::Unclosed('"')));
                }
            }
        }
    }

    /// What follows a backslash, in C and Rust: `\n`, `\x1b`, `\033`, `\u{1f4a9}`, `\u00e9`.
    fn escape(&mut self, start: usize) -> Result<u32, SyntaxError> {
        let bad = Problem::Literal("unknown escape; write a backslash as `\\\\`");
        let digits = match self.take() {
            Some('n') => return Ok(0x0a),
            Some('t') => return Ok(0x09),
            Some('r') => return Ok(0x0d),
            Some('a') => return Ok(0x07),
            Some('b') => return Ok(0x08),
            Some('v') => return Ok(0x0b),
            Some('f') => return Ok(0x0c),
            Some('e') => return Ok(0x1b),
            Some(c @ ('\\' | '\'' | '"' | '?')) => return Ok(u32::from(c)),
            Some('x') => self.digits(2),
            Some('u') if self.peek() == Some('{') => {
                self.skip(1);
                let digits = self.skip_while(|c| c.is_ascii_hexdigit());
                if self.take() == Some('}') { digits } else { "" }
            }
            Some('u') => self.digits(4),
            Some('U') => self.digits(8),
            Some(c) if c.is_digit(8) => {
                self.at = self.at.saturating_sub(1);
                let rest = self.rest();
                let end = rest.find(|c: char| !c.is_digit(8)).unwrap_or(rest.len()).min(3);
                self.skip(end);
                let digits = rest.get(..end).unwrap_or_default();
                return u32::from_str_radix(digits, 8).map_err(|_| self.error(start, bad));
            }
            _ => "",
        };
        u32::from_str_radix(digits, 16).map_err(|_| self.error(start, bad))
    }

    /// Up to `most` hexadecimal digits.
    fn digits(&mut self, most: usize) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len()).min(most);
        self.skip(end);
        rest.get(..end).unwrap_or_default()
    }
}

fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Names made by Go's linker contain a middle dot.
fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '·'
}

fn float_suffix(suffix: &str) -> Option<FloatSuffix> {
    match suffix {
        "" | "f64" | "l" | "L" => Some(FloatSuffix::None),
        "f" | "F" | "f32" => Some(FloatSuffix::Single),
        _ => None,
    }
}

fn integer_suffix(suffix: &str) -> Option<IntegerSuffix> {
    let fixed = |is_signed, bits| Some(IntegerSuffix::Fixed { is_signed, bits });
    match suffix {
        "i8" => return fixed(true, 8),
        "i16" => return fixed(true, 16),
        "i32" => return fixed(true, 32),
        "i64" => return fixed(true, 64),
        "i128" => return fixed(true, 128),
        "u8" => return fixed(false, 8),
        "u16" => return fixed(false, 16),
        "u32" => return fixed(false, 32),
        "u64" => return fixed(false, 64),
        "u128" => return fixed(false, 128),
        "isize" => return Some(IntegerSuffix::Size { is_signed: true }),
        "usize" => return Some(IntegerSuffix::Size { is_signed: false }),
        _ => {}
    }
    match suffix.to_ascii_lowercase().as_str() {
        "" => Some(IntegerSuffix::None),
        "u" => Some(IntegerSuffix::Unsigned),
        "l" | "ll" => Some(IntegerSuffix::Long),
        "ul" | "lu" | "ull" | "llu" => Some(IntegerSuffix::UnsignedLong),
        "z" => Some(IntegerSuffix::Size { is_signed: true }),
        "uz" | "zu" => Some(IntegerSuffix::Size { is_signed: false }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> TokenKind {
        let mut tokens = tokens(text).unwrap();
        assert_eq!(tokens.len(), 1, "{text}: {tokens:?}");
        tokens.remove(0).kind
    }

    fn problem(text: &str) -> Problem {
        tokens(text).unwrap_err().problem
    }

    fn spelled(text: &str) -> Vec<&str> {
        tokens(text).unwrap().into_iter().map(|token| &text[token.span]).collect()
    }

    #[test]
    fn integers_are_read_in_every_base_with_every_suffix() {
        let integer = |value, suffix, is_decimal| {
            TokenKind::Literal(Literal::Integer { value, suffix, is_decimal })
        };
        let none = IntegerSuffix::None;
        assert_eq!(only("1_000"), integer(1000, none, true));
        assert_eq!(only("0x_ff"), integer(255, none, false));
        assert_eq!(only("017"), integer(15, none, false));
        assert_eq!(only("0o17"), integer(15, none, false));
        assert_eq!(only("0b101"), integer(5, none, false));
        assert_eq!(only("0"), integer(0, none, true));
        assert_eq!(only("7ull"), integer(7, IntegerSuffix::UnsignedLong, true));
        assert_eq!(only("7LU"), integer(7, IntegerSuffix::UnsignedLong, true));
        let u8 = IntegerSuffix::Fixed { is_signed: false, bits: 8 };
        assert_eq!(only("010u8"), integer(10, u8, true));
        assert_eq!(
            only("0xffusize"),
            integer(255, IntegerSuffix::Size { is_signed: false }, false)
        );
    }

    #[test]
    fn malformed_numbers_are_refused() {
        for text in
            ["0x", "09", "12abc", "1.5x", "1e", "0b2", "340282366920938463463374607431768211456"]
        {
            assert!(matches!(problem(text), Problem::Literal(_)), "{text}");
        }
    }

    #[test]
    fn floats_are_distinguished_from_ranges_and_tuple_fields() {
        let float = |value, suffix| TokenKind::Literal(Literal::Float { value, suffix });
        assert_eq!(only("1.5"), float(1.5, FloatSuffix::None));
        assert_eq!(only(".5f"), float(0.5, FloatSuffix::Single));
        assert_eq!(only("1e-3"), float(0.001, FloatSuffix::None));
        assert_eq!(only("2f32"), float(2.0, FloatSuffix::Single));
        assert_eq!(spelled("p[0..n]"), ["p", "[", "0", "..", "n", "]"]);
        assert_eq!(spelled("p[1..=2]"), ["p", "[", "1", "..=", "2", "]"]);
        assert_eq!(spelled("t.0.1"), ["t", ".", "0", ".", "1"]);
        assert_eq!(spelled("f(x).0"), ["f", "(", "x", ")", ".", "0"]);
    }

    #[test]
    fn a_quoted_character_is_a_literal_and_more_of_them_a_name() {
        assert_eq!(only("'a'"), TokenKind::Literal(Literal::Character(97)));
        assert_eq!(only("'é'"), TokenKind::Literal(Literal::Character(0xe9)));
        assert_eq!(only(r"'\n'"), TokenKind::Literal(Literal::Character(10)));
        assert_eq!(only(r"'\''"), TokenKind::Literal(Literal::Character(39)));
        assert_eq!(only(r"'\x1b'"), TokenKind::Literal(Literal::Character(27)));
        assert_eq!(only(r"'\033'"), TokenKind::Literal(Literal::Character(27)));
        assert_eq!(only(r"'\u{1f4a9}'"), TokenKind::Literal(Literal::Character(0x1f4a9)));
        assert_eq!(only("b'x'"), TokenKind::Literal(Literal::Character(120)));
        assert_eq!(only("L'x'"), TokenKind::Literal(Literal::Character(120)));
        assert_eq!(only("'main.c'"), TokenKind::Quoted("main.c".into()));
    }

    #[test]
    fn texts_are_bytes_with_their_escapes_resolved() {
        assert_eq!(
            only(r#""a\t\"b\xff""#),
            TokenKind::Literal(Literal::Text(b"a\t\"b\xff".to_vec()))
        );
        assert_eq!(only("\"é\""), TokenKind::Literal(Literal::Text("é".into())));
    }

    #[test]
    fn an_open_quote_is_reported_where_it_is() {
        for text in ["'abc", "\"abc", r"'\n", "'"] {
            let error = tokens(text).unwrap_err();
            assert!(matches!(error.problem, Problem::Unclosed(_)), "{text}: {error}");
            assert_eq!(error.span.start, 0);
        }
    }

    #[test]
    fn names_that_compilers_make_up_are_one_word() {
        assert_eq!(spelled("a::{closure#0}::b"), ["a", "::", "{closure#0}", "::", "b"]);
        assert_eq!(spelled("(anonymous namespace)::x"), ["(anonymous namespace)", "::", "x"]);
        assert_eq!(spelled("{int} x"), ["{", "int", "}", "x"]);
        assert_eq!(only("r#type"), TokenKind::Word("type".into()));
        assert_eq!(only("$rip"), TokenKind::Register("rip".into()));
    }

    #[test]
    fn what_is_longer_than_the_limit_is_not_read() {
        let text = "a".repeat(MAX_TEXT + 1);
        assert_eq!(problem(&text), Problem::TooLong { limit: MAX_TEXT });
        assert_eq!(tokens(&text[1..]).unwrap().len(), 1);
    }
}
