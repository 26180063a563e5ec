//! Commands that CI runners look for in the log of a job: text of a crashed process is
//! written so that they find none.
//!
//! GitHub, Gitea and Forgejo obey lines that begin, after blanks, with `::name::` or
//! `::name key=value::`; GitHub and Azure `##[name]`, Azure `##vso[name]` and TeamCity
//! `##teamcity[name]` anywhere in a line.

use std::borrow::Cow;
use std::io::{self, Write};

/// The longest name of a command that is looked for. The longest that exists has 22.
const NAME: usize = 48;
/// Bytes in which the end of a command's properties is looked for.
const PROPERTIES: usize = 1 << 16;
/// A global operator of C++, `::operator new`, is no command: it stays as it is written.
const OPERATOR: &[u8] = b"operator";

/// How a format writes text that a runner would obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogCommands {
    /// A backslash before the sign that makes it a command; Markdown does not show it.
    Backslash,
    /// As JSON writes any character of a string: the value stays the same.
    Json,
    /// As XML writes any character.
    Xml,
    /// As it is: the format consists of such commands, or is no log.
    AsIs,
}

/// `text`, a line of a message, with nothing in it that a CI runner would obey.
pub fn inert(text: &str) -> Cow<'_, str> {
    let mut out = Inert::new(Vec::with_capacity(text.len() + 1), LogCommands::Backslash);
    // Writing to memory does not fail, and only ASCII is inserted, before ASCII.
    let written = out.write_all(text.as_bytes()).and_then(|()| out.finish());
    match written.map(String::from_utf8) {
        Ok(Ok(shown)) if shown != text => Cow::Owned(shown),
        _ => Cow::Borrowed(text),
    }
}

/// Passes on what is written to it, commands of CI runners made ineffective. What may
/// become a command is held back until it is decided: [`Inert::finish`] writes the rest.
#[derive(Debug)]
pub struct Inert<W: Write> {
    to: W,
    how: LogCommands,
    held: Vec<u8>,
    /// Only blanks were written since the last end of a line.
    at_start: bool,
}

/// What the first bytes of a text are.
enum Found {
    /// So many bytes that are no part of a command.
    Plain(usize),
    /// A command: the sign that is to be changed comes after so many bytes.
    Command(usize),
    /// Undecided; more bytes are needed.
    Undecided,
}

impl<W: Write> Inert<W> {
    pub(crate) fn new(to: W, how: LogCommands) -> Self {
        Self { to, how, held: Vec::new(), at_start: true }
    }

    /// Writes what was held back, and hands the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        let held = std::mem::take(&mut self.held);
        self.pass(&held, true)?;
        Ok(self.to)
    }

    /// Passes on what of `text` is decided, at the end all, and says how much is left.
    fn pass(&mut self, text: &[u8], is_end: bool) -> io::Result<usize> {
        let mut rest = text;
        while !rest.is_empty() {
            let begins_line = self.at_start;
            let found = match rest {
                [b':', ..] if begins_line && self.has_lines() => line_command(rest),
                [b':', ..] if begins_line => Found::Plain(1),
                [b'#', ..] => bracket_command(rest),
                // Its text is never at the start of a line: brackets are all that counts.
                _ if !self.has_lines() => Found::Plain(before_number_sign(rest)),
                _ => Found::Plain(plain(rest, &mut self.at_start)),
            };
            self.at_start &= !matches!(rest, [b':' | b'#', ..]);
            let (taken, sign) = match found {
                Found::Plain(taken) => (taken, false),
                Found::Command(taken) => (taken, true),
                Found::Undecided if is_end => (rest.len(), false),
                Found::Undecided => {
                    self.at_start = begins_line;
                    break;
                }
            };
            let Some((passed, left)) = rest.split_at_checked(taken) else { break };
            self.to.write_all(passed)?;
            rest = left;
            if let (true, Some((byte, left))) = (sign, rest.split_first()) {
                self.to.write_all(self.changed(*byte).as_bytes())?;
                rest = left;
            }
        }
        Ok(rest.len())
    }

    /// Whether text of a process can be at the start of a line: in JSON it is in a string,
    /// after a quotation mark.
    fn has_lines(&self) -> bool {
        self.how != LogCommands::Json
    }

    fn changed(&self, sign: u8) -> String {
        match self.how {
            LogCommands::Json => format!("\\u{sign:04x}"),
            LogCommands::Xml => format!("&#{sign};"),
            LogCommands::Backslash => format!("\\{}", char::from(sign)),
            LogCommands::AsIs => char::from(sign).to_string(),
        }
    }
}

impl<W: Write> Write for Inert<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.how == LogCommands::AsIs {
            return self.to.write(bytes);
        }
        // Hardly anything is ever held back: what is not is not copied.
        if self.held.is_empty() {
            let left = self.pass(bytes, false)?;
            self.held.extend(bytes.iter().skip(bytes.len().saturating_sub(left)));
            return Ok(bytes.len());
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let left = self.pass(&held, false)?;
        held.drain(..held.len().saturating_sub(left));
        self.held = held;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// How many bytes of `text`, which does not begin with one, there are before the next `#`.
fn before_number_sign(text: &[u8]) -> usize {
    // By blocks, for which a compiler has single instructions.
    let (blocks, _) = text.as_chunks::<32>();
    let is_in = |block: &[u8; 32]| block.iter().fold(false, |found, byte| found | (*byte == b'#'));
    let free = blocks.iter().take_while(|block| !is_in(block)).count() * 32;
    let rest = text.get(free..).unwrap_or_default();
    free + rest.iter().position(|byte| *byte == b'#').unwrap_or(rest.len())
}

/// How many bytes there are before the next that may begin a command, and whether only
/// blanks come before it in its line.
fn plain(text: &[u8], at_start: &mut bool) -> usize {
    let mut taken = 0;
    while let Some(rest) = text.get(taken..) {
        match rest {
            [] | [b'#', ..] => break,
            [b':', ..] if *at_start => break,
            [b'\n', ..] => {
                *at_start = true;
                taken += 1;
            }
            _ => {
                let blank = if *at_start { blank(rest) } else { None };
                *at_start = blank.is_some();
                taken += blank.unwrap_or(1);
            }
        }
    }
    taken
}

/// The bytes of the blank that `text` begins with, any that Unicode has: runners skip all.
/// A part of a character may be one.
fn blank(text: &[u8]) -> Option<usize> {
    match text {
        [byte, ..] if byte.is_ascii() => byte.is_ascii_whitespace().then_some(1),
        [_, ..] => {
            let head = text.get(..text.len().min(4)).unwrap_or(text);
            match head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
                Some(c) => c.is_whitespace().then_some(c.len_utf8()),
                None => Some(1),
            }
        }
        [] => None,
    }
}

/// Whether `text`, which begins a line with a colon, is `::name::` or `::name …::`.
fn line_command(text: &[u8]) -> Found {
    let Some(after) = text.strip_prefix(b"::") else {
        return if text == b":" { Found::Undecided } else { Found::Plain(1) };
    };
    let name = after.iter().take_while(|byte| is_of_name(**byte)).count();
    if name > NAME || after.get(..name) == Some(OPERATOR) {
        return Found::Plain(2);
    }
    match after.get(name..) {
        None | Some([] | [b':']) => Found::Undecided,
        Some([b':', b':', ..]) if name > 0 => Found::Command(0),
        Some([b' ', properties @ ..]) if name > 0 => {
            let end = properties.iter().position(|byte| *byte == b'\n');
            let line = properties.get(..end.unwrap_or(properties.len())).unwrap_or(properties);
            match line.windows(2).any(|two| two == b"::") {
                true => Found::Command(0),
                false if end.is_some() => Found::Plain(2),
                false if line.len() > PROPERTIES => Found::Command(0),
                false => Found::Undecided,
            }
        }
        Some(_) => Found::Plain(2),
    }
}

/// Whether `text`, which begins with `#`, is `##name[`.
fn bracket_command(text: &[u8]) -> Found {
    let Some(after) = text.strip_prefix(b"##") else {
        return if text == b"#" { Found::Undecided } else { Found::Plain(1) };
    };
    let name = after.iter().take_while(|byte| is_of_name(**byte)).count();
    match after.get(name) {
        _ if name > NAME => Found::Plain(1),
        None => Found::Undecided,
        Some(b'[') => Found::Command(2 + name),
        Some(_) => Found::Plain(1),
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, how: LogCommands, part: usize) -> String {
        let mut out = Inert::new(Vec::new(), how);
        for part in text.as_bytes().chunks(part) {
            out.write_all(part).unwrap();
        }
        String::from_utf8(out.finish().unwrap()).unwrap()
    }

    #[test]
    fn commands_at_the_start_of_a_line_and_in_brackets_are_not_found_any_more() {
        let shown = |text: &str| {
            let whole = inert(text).into_owned();
            for part in 1..5 {
                assert_eq!(written(text, LogCommands::Backslash, part), whole, "{part}: {text}");
            }
            whole
        };
        assert_eq!(shown("::set-output name=x::y"), "\\::set-output name=x::y");
        assert_eq!(shown("a\n \t\u{3000}::error::b\n"), "a\n \t\u{3000}\\::error::b\n");
        assert_eq!(shown("x ##vso[task.complete]"), "x ##vso\\[task.complete]");
        assert_eq!(shown("####[error]##teamcity[x"), "####\\[error]##teamcity\\[x");
        assert_eq!(shown("::group::##[x]"), "\\::group::##\\[x]");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in [
            "::operator new(unsigned long)",
            "::operator delete[](void*)",
            "a ::set-output name=x::y",
            "#0 main\n## Crash\n##",
            "::",
            "::\n:::x",
            "  ::f(int)",
            "::jobs.waiting = 3\n::jobs = 3",
            "\u{e9}::error::",
            "std::vec<##[",
        ] {
            let is_marked = text.contains("##[");
            assert_eq!(matches!(inert(text), Cow::Owned(_)), is_marked, "{text}");
        }
    }

    #[test]
    fn documents_keep_their_values() {
        let text = "{\"a\": \"##vso[x] ::b::\"}";
        let json = written(text, LogCommands::Json, 3);
        assert_eq!(json, "{\"a\": \"##vso\\u005bx] ::b::\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&json), read(text));
        let xml = written("<a>\n::debug::x ##[y</a>", LogCommands::Xml, 2);
        assert_eq!(xml, "<a>\n&#58;:debug::x ##&#91;y</a>");
        assert_eq!(written("::error::##[", LogCommands::AsIs, 4), "::error::##[");
    }
}
