//! A passphrase, from the environment or from the terminal, where it is not shown.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::exit::Exit;
use super::failure::Failure;

/// The variable that holds it where no one can be asked.
const VARIABLE: &str = "OBIT_PASSPHRASE";
/// Bytes of the longest.
const LONGEST: usize = 1024;

/// Control characters of a terminal.
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: u8 = 8;
const KILL: u8 = 21;
const DELETE: u8 = 127;

/// The passphrase of what is read.
pub(super) fn to_open(what: &str) -> Result<String, Failure> {
    match std::env::var(VARIABLE) {
        Ok(passphrase) => Ok(passphrase),
        Err(_) => ask(&format!("Passphrase of {what}: ")),
    }
}

/// A new passphrase, asked for twice.
pub(super) fn to_write() -> Result<String, Failure> {
    let passphrase = match std::env::var(VARIABLE) {
        Ok(passphrase) => passphrase,
        Err(_) => {
            let first = ask("New passphrase: ")?;
            if ask("The same again: ")? != first {
                return Err(Failure::usage(&"the passphrases differ; nothing was written"));
            }
            first
        }
    };
    if passphrase.is_empty() {
        return Err(Failure::usage(&"the passphrase is empty; nothing was written"));
    }
    Ok(passphrase)
}

fn ask(prompt: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| {
        let what = format!("the passphrase cannot be asked for ({error}): set {VARIABLE}");
        Failure::usage(&what)
    };
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let quiet = Quiet::of(&terminal).map_err(failed)?;
    (&terminal).write_all(prompt.as_bytes()).map_err(failed)?;
    let line = line(&mut &terminal);
    drop(quiet);
    let _ = (&terminal).write_all(b"\n");
    match line.map_err(failed)? {
        Some(line) => Ok(line),
        None => Err(Failure { exit: Exit::Interrupted, message: None }),
    }
}

/// What is typed up to the end of the line; `None` if the user wants to end it all.
fn line(terminal: &mut dyn Read) -> io::Result<Option<String>> {
    let mut typed = Vec::new();
    // What is typed behind the line is for the next reader.
    #[allow(clippy::unbuffered_bytes)]
    for byte in terminal.bytes() {
        match byte? {
            b'\n' | b'\r' | END => break,
            INTERRUPT => return Ok(None),
            KILL => typed.clear(),
            // A letter of several bytes is one.
            BACKSPACE | DELETE => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            byte if typed.len() < LONGEST => typed.push(byte),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is too long")),
        }
    }
    let text = String::from_utf8(typed);
    text.map(Some).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// A terminal that shows nothing of what is typed, and is as before when this is dropped.
struct Quiet<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Quiet<'t> {
    fn of(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Without signals the state is restored on Ctrl-C, too.
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_with_the_usual_corrections() {
        let typed = |keys: &str| line(&mut keys.as_bytes()).unwrap();
        assert_eq!(typed("horse\nrest"), Some("horse".into()));
        assert_eq!(typed("hore\u{7f}se\r"), Some("horse".into()));
        assert_eq!(typed("h\u{e4}\u{7f}orse\n"), Some("horse".into()));
        assert_eq!(typed("cow\u{15}horse\u{4}"), Some("horse".into()));
        assert_eq!(typed("\u{7f}horse"), Some("horse".into()));
        assert_eq!(typed("hor\u{3}se\n"), None);
    }
}
