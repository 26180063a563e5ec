//! A line as a command and its words, and which command an abbreviation means.

use super::commands::{COMMANDS, Command};
use super::refused::REFUSED;
use super::state::{Trouble, refuse};

/// `print/x job->id` taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words<'l> {
    /// `print`.
    pub(super) command: &'l str,
    /// `x`: what follows the command after a slash.
    pub(super) format: Option<&'l str>,
    /// `job->id`.
    pub(super) rest: &'l str,
}

impl<'l> Words<'l> {
    pub(super) fn of(line: &'l str) -> Self {
        let line = line.trim();
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = match line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => line.find(|c| !is_of_name(c)).unwrap_or(line.len()),
            // `!ls`, `| bt`.
            false => line.chars().next().map_or(0, char::len_utf8),
        };
        let (command, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        // `p-1`, `x.y`: as gdb, a name is as long as a command can be.
        let (command, rest) = match command.find(['-', '.']) {
            Some(at) if !is_known(command) => {
                let (command, _) = command.split_at_checked(at).unwrap_or((command, ""));
                (command, line.get(at..).unwrap_or_default())
            }
            _ => (command, rest),
        };
        let rest = rest.trim_start();
        let (format, rest) = match rest.strip_prefix('/') {
            Some(format) => {
                let end = format.find(char::is_whitespace).unwrap_or(format.len());
                let (format, rest) = format.split_at_checked(end).unwrap_or((format, ""));
                (Some(format), rest.trim_start())
            }
            None => (None, rest),
        };
        Self { command, format, rest }
    }

    /// The first word, and what follows it.
    pub(super) fn first(text: &str) -> (&str, &str) {
        let text = text.trim_start();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        (word, rest.trim_start())
    }

    /// Refuses words where the command has none.
    pub(super) fn none(&self) -> Result<(), Trouble> {
        match (self.format, self.rest) {
            (None, "") => Ok(()),
            _ => refuse(format!("`{}` takes no arguments", self.command)),
        }
    }

    /// Refuses a format where the command has none.
    pub(super) fn no_format(&self) -> Result<(), Trouble> {
        match self.format {
            None => Ok(()),
            Some(format) => refuse(format!("`{}` has no /{format}", self.command)),
        }
    }
}

/// What a word means.
#[derive(Debug)]
pub(super) enum Found {
    Command(&'static Command),
    /// A command of gdb that has no answer here, and why.
    Refused(&'static str),
}

fn is_known(word: &str) -> bool {
    all().any(|(name, _)| name == word)
}

/// All names of commands, with the one that each stands for.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let commands = COMMANDS.iter().flat_map(|command| {
        let aliases = command.aliases.iter().map(|alias| (*alias, command.name));
        aliases.chain([(command.name, command.name)])
    });
    let refused = REFUSED.iter().flat_map(|(names, _)| {
        let first = names.first().copied().unwrap_or_default();
        names.iter().map(move |name| (*name, first))
    });
    commands.chain(refused)
}

fn named(name: &str) -> Option<Found> {
    let command = COMMANDS.iter().find(|command| command.name == name);
    let refused = || REFUSED.iter().find(|(names, _)| names.first() == Some(&name));
    command.map(Found::Command).or_else(|| refused().map(|(_, why)| Found::Refused(why)))
}

/// The command that `word` means: its name, another name of it, or the beginning of one.
///
/// # Errors
/// There is none, or there are several.
pub(super) fn find(word: &str) -> Result<Found, Trouble> {
    let exact = all().find(|(name, _)| *name == word).map(|(_, command)| command);
    let meant = match exact {
        Some(command) => command,
        None => one_of(word, all(), "command")?,
    };
    named(meant).map_or_else(|| refuse(format!("no command {word:?}; `help` lists them")), Ok)
}

/// The one thing whose name begins with `word`.
pub(super) fn one_of<'n>(
    word: &str,
    names: impl Iterator<Item = (&'n str, &'n str)>,
    what: &str,
) -> Result<&'n str, Trouble> {
    /// Names that are listed.
    const LISTED: usize = 12;
    let begun = names.filter(|(name, _)| !word.is_empty() && name.starts_with(word));
    let mut meant: Vec<&str> = begun.map(|(_, command)| command).collect();
    meant.sort_unstable();
    meant.dedup();
    match meant.as_slice() {
        [one] => Ok(one),
        [] => {
            let word: String = word.chars().take(40).collect();
            refuse(format!("no {what} {word:?}; `help` lists them"))
        }
        several => {
            let listed: Vec<_> = several.iter().take(LISTED).copied().collect();
            let more = if several.len() > LISTED { ", \u{2026}" } else { "" };
            refuse(format!("ambiguous {what} {word:?}: {}{more}", listed.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_a_format_and_the_rest() {
        let words = |line| {
            let Words { command, format, rest } = Words::of(line);
            (command.to_owned(), format.map(str::to_owned), rest.to_owned())
        };
        let of = |command: &str, format: Option<&str>, rest: &str| {
            (command.to_owned(), format.map(str::to_owned), rest.to_owned())
        };
        assert_eq!(words("print/x job->id"), of("print", Some("x"), "job->id"));
        assert_eq!(words("p $pc"), of("p", None, "$pc"));
        assert_eq!(words("p$pc"), of("p", None, "$pc"));
        assert_eq!(words("p -1"), of("p", None, "-1"));
        assert_eq!(words("p-1"), of("p", None, "-1"));
        assert_eq!(words("x/4xw &a[1]"), of("x", Some("4xw"), "&a[1]"));
        assert_eq!(words("p a / b"), of("p", None, "a / b"));
        assert_eq!(words("info  threads"), of("info", None, "threads"));
        assert_eq!(words("core-file x"), of("core-file", None, "x"));
        assert_eq!(words("!ls"), of("!", None, "ls"));
        assert_eq!(words("\u{e9}"), of("\u{e9}", None, ""));
        assert_eq!(words(""), of("", None, ""));
    }

    #[test]
    fn abbreviations_mean_what_they_mean_in_gdb() {
        let meant = |word: &str| match find(word) {
            Ok(Found::Command(command)) => command.name.to_owned(),
            Ok(Found::Refused(_)) => "refused".to_owned(),
            Err(trouble) => trouble.to_string(),
        };
        for (word, command) in [
            ("bt", "backtrace"),
            ("where", "backtrace"),
            ("backt", "backtrace"),
            ("f", "frame"),
            ("i", "info"),
            ("inf", "info"),
            ("p", "print"),
            ("l", "list"),
            ("q", "quit"),
            ("h", "help"),
            ("x", "x"),
            ("t", "thread"),
            ("thr", "thread"),
            ("disas", "disassemble"),
            ("wha", "whatis"),
            ("pt", "ptype"),
            ("dow", "down"),
            ("b", "refused"),
            ("c", "refused"),
            ("r", "refused"),
            ("s", "refused"),
            ("n", "refused"),
            ("fin", "refused"),
            ("del", "refused"),
        ] {
            assert_eq!(meant(word), command, "{word}");
        }
        for word in ["dis", "pri"] {
            assert!(meant(word).starts_with("ambiguous command"), "{}", meant(word));
        }
        assert!(meant("xyz").starts_with("no command"));
        assert!(meant("").starts_with("no command"));
    }
}
