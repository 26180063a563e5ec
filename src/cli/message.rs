//! What is printed on the standard error, and what of it is hidden.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use obit::redact::{Level, Origin, Redactor};
use obit::render::{inert, visible};

/// A message on the standard error.
pub(crate) fn say(message: &str) {
    say_line("obit: ", &discreet(message));
}

/// One line on the standard error, after `start`: nothing in it is obeyed by a terminal or
/// by a CI runner. If the standard error is closed, there is no one to read it.
pub(crate) fn say_line(start: &str, text: &str) {
    let line = format!("{start}{}", visible(text));
    let mut stderr = io::stderr();
    let line = if stderr.is_terminal() { line } else { inert(&line).into_owned() };
    let _ = writeln!(stderr, "{line}");
}

/// How much messages hide: what `--redact` says, once that is known.
static LEVEL: OnceLock<Level> = OnceLock::new();

/// Set where messages quote nothing but what the user wrote and what is redacted already.
static IS_PLAIN: OnceLock<bool> = OnceLock::new();

/// From now on messages hide as much as `level` says, or nothing if they are `plain`.
pub(crate) fn hide(level: Level, plain: bool) {
    // Set once; a second time there is none.
    let _ = LEVEL.set(level);
    let _ = IS_PLAIN.set(plain);
}

/// What of a message may be printed: it may quote a path, an option or an expression, and
/// logs keep what is written to the standard error.
pub(crate) fn discreet(message: &str) -> String {
    match IS_PLAIN.get() {
        Some(true) => message.to_owned(),
        _ => shown(Origin::OwnWords, message),
    }
}

/// What of a text of the command line may be printed.
pub(crate) fn shown(origin: Origin, text: &str) -> String {
    let level = LEVEL.get().copied().unwrap_or_default();
    Redactor::without_key(level).show(origin, text).into_string()
}
