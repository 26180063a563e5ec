//! What is asked for, in gdb's words: `p/x EXPR`, `x/4gx EXPR`, `ptype EXPR`, `info locals`.
//! Anything else is an expression.

use super::examine::{Examine, UnitFormat, UnitSize};
use super::parser::parse;
use super::syntax_error::{Problem, SyntaxError};
use crate::value::ValueFormat;

/// A command and where its operand begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) command: Command,
    /// Byte of the text at which the expression or type begins.
    pub(super) start: usize,
}

/// What is wanted of the operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Its value.
    Print(Option<ValueFormat>),
    /// The memory at its address.
    Examine(Examine),
    /// The definition of its type.
    Ptype,
    /// The name of its type.
    Whatis,
    /// The local variables of the frame.
    Locals,
    /// The arguments of the frame.
    Arguments,
    /// A command of gdb that another command of obit answers.
    Elsewhere(&'static str),
}

/// Reads a request. A word that is a command's and a variable's too is the variable's where
/// the whole text is an expression: `p *q` multiplies if there is a `p`.
///
/// # Errors
/// A format that does not exist.
pub(super) fn request(
    text: &str,
    is_variable: &dyn Fn(&str) -> bool,
) -> Result<Request, SyntaxError> {
    let begin = text.len().saturating_sub(text.trim_start().len());
    let trimmed = text.get(begin..).unwrap_or_default();
    let letters = trimmed.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
    let (word, rest) = trimmed.split_at_checked(letters).unwrap_or(("", trimmed));
    let is_expression = || is_variable(word) && parse(text, &|_| false).is_ok();
    if let Some((format, operand)) = format_behind(rest) {
        let span = begin.saturating_add(letters)..text.len().saturating_sub(operand.len());
        let command = match word {
            "" | "p" | "print" | "output" | "inspect" => Some(print(format)),
            "x" => Some(examine(format)),
            _ => None,
        };
        match command {
            Some(Ok(command)) => return Ok(Request { command, start: span.end }),
            Some(Err(why)) if !is_expression() => {
                let end = span.start.saturating_add(format.len()).saturating_add(1);
                return Err(SyntaxError::new(span.start..end, Problem::Format(why)));
            }
            Some(Err(_)) | None => {}
        }
    }
    let plain = Request { command: Command::Print(None), start: 0 };
    let operand = rest.trim_start();
    // gdb's end of the options of a command: the word is one, whatever variables there are.
    if let Some(behind) = operand.strip_prefix("-- ")
        && let Some(command) = of_operand(word)
    {
        let start = text.len().saturating_sub(behind.trim_start().len());
        return Ok(Request { command, start });
    }
    let is_alone = operand.is_empty();
    if !is_alone && operand.len() == rest.len() {
        return Ok(plain);
    }
    let of_operand = if is_alone { None } else { of_operand(word) };
    let command = match (of_operand, word, is_alone) {
        (Some(command), ..) => command,
        (None, "info" | "i", false) => match information(operand) {
            Some(command) => command,
            None if word == "i" => return Ok(plain),
            None => {
                let why = "`info locals` and `info args` are the ones that obit print answers";
                let span = text.len().saturating_sub(operand.len())..text.len();
                return Err(SyntaxError::new(span, Problem::Format(why.to_owned())));
            }
        },
        _ => match elsewhere(trimmed.trim_end()) {
            Some(command) => Command::Elsewhere(command),
            None => return Ok(plain),
        },
    };
    if is_expression() {
        return Ok(plain);
    }
    Ok(Request { command, start: text.len().saturating_sub(operand.len()) })
}

/// The command that takes an expression or a type.
fn of_operand(word: &str) -> Option<Command> {
    Some(match word {
        "p" | "print" | "output" | "inspect" => Command::Print(None),
        "x" => Command::Examine(Examine::default()),
        "ptype" => Command::Ptype,
        "whatis" => Command::Whatis,
        _ => return None,
    })
}

/// `/16xb buf`: the letters, and what follows them.
fn format_behind(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.strip_prefix('/')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (format, operand) = rest.split_at_checked(end)?;
    let is_format = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_one = !format.is_empty() && format.chars().all(is_format);
    is_one.then(|| (format, operand.trim_start()))
}

/// The format of `print`: one letter.
fn print(format: &str) -> Result<Command, String> {
    let mut letters = format.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return Err(match format.starts_with(|c: char| c.is_ascii_digit()) {
            true => "a count is for `x`: x/4x ADDRESS; for elements write `first @ count`".into(),
            false => format!("print takes one format letter of {}", ValueFormat::LETTERS),
        });
    };
    match ValueFormat::of_letter(letter) {
        Some(format) => Ok(Command::Print(Some(format))),
        None if UnitSize::of_letter(letter).is_some() => {
            Err("a size letter is for `x`: x/4xb ADDRESS".to_owned())
        }
        None if letter == 'i' => Err("instructions are printed by `x`: x/4i ADDRESS".to_owned()),
        None => Err(format!("no format `{letter}`; formats are {}", ValueFormat::LETTERS)),
    }
}

/// The count, format and size of `x`, the letters in any order.
fn examine(format: &str) -> Result<Command, String> {
    if format.starts_with('-') {
        return Err("x reads upward only: give the address to start at".to_owned());
    }
    let digits = format.find(|c: char| !c.is_ascii_digit()).unwrap_or(format.len());
    let (count, letters) = format.split_at_checked(digits).unwrap_or((format, ""));
    let mut wanted = Examine::default();
    if !count.is_empty() {
        wanted.count = count.parse().map_err(|_| format!("`{count}` is too large a count"))?;
    }
    for letter in letters.chars() {
        if let Some(size) = UnitSize::of_letter(letter) {
            wanted.size = Some(size);
            continue;
        }
        wanted.format = match (letter, ValueFormat::of_letter(letter)) {
            ('i', _) => UnitFormat::Instruction,
            (_, Some(format)) => UnitFormat::Value(format),
            (_, None) => {
                let known = ValueFormat::LETTERS;
                return Err(format!("no format `{letter}`; formats are {known} i, sizes b h w g"));
            }
        };
    }
    Ok(Command::Examine(wanted))
}

/// What follows `info`.
fn information(what: &str) -> Option<Command> {
    let what = what.split_whitespace().next()?;
    Some(match what {
        "locals" | "lo" => Command::Locals,
        "args" | "ar" => Command::Arguments,
        "registers" | "reg" | "r" | "all-registers" => Command::Elsewhere("obit CORE --registers"),
        "threads" | "thr" => Command::Elsewhere("obit CORE --all-threads"),
        "sharedlibrary" | "shared" | "dll" | "files" => Command::Elsewhere("obit modules CORE"),
        "frame" | "f" | "stack" | "s" => Command::Elsewhere("obit CORE -v"),
        "signals" | "signal" | "program" | "proc" => Command::Elsewhere("obit CORE"),
        "symbol" => Command::Elsewhere("obit print CORE '/a ADDRESS'"),
        "line" | "source" => Command::Elsewhere("obit CORE --context 8"),
        _ => return None,
    })
}

/// The command of obit that does what another of gdb's does.
fn elsewhere(text: &str) -> Option<&'static str> {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next()?, words.next());
    Some(match (first, second) {
        ("bt" | "backtrace" | "where", None) => "obit CORE",
        ("bt" | "backtrace" | "where", Some("full" | "-full")) => "obit CORE -v",
        ("thread", Some("apply")) => "obit CORE --all-threads",
        ("list" | "l", None) => "obit CORE --context 8",
        ("disassemble" | "disas", _) => "obit print CORE 'x/20i $pc'",
        ("frame" | "up" | "down", _) => "obit print CORE EXPR -f N",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Command, &str) {
        let found = request(text, &|name| name == "v").unwrap();
        (found.command, &text[found.start..])
    }

    fn refused(text: &str) -> String {
        request(text, &|_| false).unwrap_err().to_string()
    }

    #[test]
    fn a_word_before_two_dashes_is_a_command_though_a_variable_has_its_name() {
        for (text, command) in
            [("print -- *v", Command::Print(None)), ("ptype --  v", Command::Ptype)]
        {
            let found = request(text, &|_| true).unwrap();
            assert_eq!(found.command, command);
            assert!(matches!(&text[found.start..], "*v" | "v"), "{}", &text[found.start..]);
        }
        // A sum with a variable of that name otherwise.
        assert_eq!(request("print - v", &|_| true).unwrap().start, 0);
    }

    #[test]
    fn a_format_precedes_the_expression_with_or_without_gdbs_word() {
        let hex = Command::Print(Some(ValueFormat::Hex));
        for text in ["/x flags", " /x  flags", "p/x flags", "print/x flags"] {
            assert_eq!(read(text), (hex.clone(), "flags"), "{text}");
        }
        assert_eq!(read("p -1"), (Command::Print(None), "-1"));
        assert_eq!(read("print job->id"), (Command::Print(None), "job->id"));
        assert_eq!(refused("/q x"), "no format `q`; formats are x d u o t c a f s z");
        assert_eq!(refused("p/xb x"), "print takes one format letter of x d u o t c a f s z");
        assert_eq!(refused("/b x"), "a size letter is for `x`: x/4xb ADDRESS");
    }

    #[test]
    fn a_text_without_a_command_is_an_expression() {
        for text in ["flags", "p", "x / y", "x/y + 1", "print_it", "ptype_of(x)", "v /x w", ""] {
            let command = request(text, &|_| true).unwrap().command;
            assert_eq!(command, Command::Print(None), "{text}");
        }
        // `v` is a variable: the whole is a product.
        assert_eq!(request("p *v", &|name| name == "p").unwrap().start, 0);
        assert_eq!(read("p *v"), (Command::Print(None), "*v"));
    }

    #[test]
    fn x_has_a_count_a_format_and_a_size_in_any_order() {
        let of = |text: &str| match read(text) {
            (Command::Examine(wanted), _) => wanted,
            other => panic!("{other:?}"),
        };
        let value = UnitFormat::Value;
        for (text, count, format, size) in [
            ("x/16xb buf", 16, value(ValueFormat::Hex), Some(UnitSize::Byte)),
            ("x/4gx $rsp", 4, value(ValueFormat::Hex), Some(UnitSize::Giant)),
            ("x/s p", 1, value(ValueFormat::Text), None),
            ("x/5i $pc", 5, UnitFormat::Instruction, None),
            ("x/8wd &a", 8, value(ValueFormat::Decimal), Some(UnitSize::Word)),
            ("x &a", 1, value(ValueFormat::Hex), None),
        ] {
            assert_eq!(of(text), Examine { count, format, size }, "{text}");
        }
        assert_eq!(read("x/8wd &a").1, "&a");
        assert_eq!(
            refused("x/2q p"),
            "no format `q`; formats are x d u o t c a f s z i, sizes b h w g"
        );
        assert_eq!(refused("x/-2x p"), "x reads upward only: give the address to start at");
        assert_eq!(
            refused("x/99999999999999999999x p"),
            "`99999999999999999999` is too large a count"
        );
    }

    #[test]
    fn any_text_is_read_or_refused_within_itself() {
        const PARTS: [&str; 16] = [
            "x",
            "/",
            "p",
            "ptype",
            "info",
            " ",
            "16",
            "gx",
            "-",
            "bt",
            "locals",
            "*",
            "\u{e9}",
            "q",
            "99999999999999999999",
            "\t",
        ];
        let mut random = 1_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..6 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += PARTS[usize::try_from(random >> 33).unwrap() % PARTS.len()];
            }
            match request(&text, &|name| name == "x") {
                Ok(found) => assert!(text.get(found.start..).is_some(), "{text:?}"),
                Err(error) => assert!(text.get(error.span).is_some(), "{text:?}"),
            }
        }
    }

    #[test]
    fn other_commands_of_gdb_are_answered_or_lead_to_one_of_obit() {
        assert_eq!(read("ptype struct job"), (Command::Ptype, "struct job"));
        assert_eq!(read("whatis job"), (Command::Whatis, "job"));
        assert_eq!(read("info locals").0, Command::Locals);
        assert_eq!(read("info args").0, Command::Arguments);
        assert_eq!(read("info registers rip").0, Command::Elsewhere("obit CORE --registers"));
        assert_eq!(read("bt full").0, Command::Elsewhere("obit CORE -v"));
        assert_eq!(request("bt", &|_| true).unwrap().command, Command::Print(None));
        assert!(refused("info nothing").contains("info locals"));
    }
}
