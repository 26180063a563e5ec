//! A pager for what is longer than the screen: chosen and run as git does it.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGQUIT};

/// The one that is there as a rule.
const DEFAULT: &str = "less";
/// Text that is kept in case that the pager cannot be run.
const KEPT: usize = 1 << 20;
/// What a shell ends with when it could not run a command, and when there is none.
const NOT_RUN: [i32; 2] = [126, 127];

/// Who shows what is longer than the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pager {
    /// A command for the shell, from the user's own environment.
    command: OsString,
    /// Lines and columns of the terminal.
    rows: usize,
    columns: usize,
}

impl Pager {
    /// The pager for the standard output, if that is a terminal and the user wants one.
    pub(crate) fn of_terminal() -> Option<Self> {
        let out = io::stdout();
        if !out.is_terminal() || std::env::var_os("TERM").is_none_or(|term| term == "dumb") {
            return None;
        }
        let command = chosen(std::env::var_os("OBIT_PAGER"), std::env::var_os("PAGER"))?;
        let (columns, rows) = terminal_size::terminal_size_of(&out)?;
        Some(Self { command, rows: rows.0.into(), columns: columns.0.into() })
    }

    fn start(&self) -> io::Result<Child> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&self.command).stdin(Stdio::piped());
        // As git has it: end where all fits, show colours, leave the text on the screen.
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if std::env::var_os(name).is_none() {
                shell.env(name, value);
            }
        }
        shell.spawn()
    }
}

/// The first that is set; one that is empty, or `cat`, means none.
fn chosen(own: Option<OsString>, common: Option<OsString>) -> Option<OsString> {
    let command = match own.or(common) {
        Some(command) => command,
        // A pager that is not installed was not asked for.
        None => is_installed(DEFAULT).then(|| OsString::from(DEFAULT))?,
    };
    let is_none = command.is_empty() || command == "cat";
    (!is_none).then_some(command)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH");
    let directories = path.as_deref().map(OsStr::to_owned).unwrap_or_default();
    std::env::split_paths(&directories)
        .any(|directory| Path::new(&directory).join(program).is_file())
}

/// Holds text back until it is more than a screen, and then hands it to the pager.
pub(crate) struct Paged<'p> {
    pager: &'p Pager,
    held: Vec<u8>,
    rows: Rows,
    to: To,
}

enum To {
    /// Nothing yet.
    Nowhere,
    /// The pager. Its input is closed when the reader goes away: that is no failure.
    Pager(Child),
    /// The terminal: there is no shell.
    Terminal,
}

impl<'p> Paged<'p> {
    pub(crate) fn new(pager: &'p Pager) -> Self {
        let rows = Rows { columns: pager.columns.max(1), ..Rows::default() };
        Self { pager, held: Vec::new(), rows, to: To::Nowhere }
    }

    /// Shows what fits a screen, or waits for the pager to end.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.to, To::Terminal) {
            To::Nowhere => self.show_held(),
            To::Terminal => Ok(()),
            To::Pager(mut child) => {
                drop(child.stdin.take());
                let code = child.wait()?.code();
                // It was the user's typing error; the text is not lost for it.
                match code.is_some_and(|code| NOT_RUN.contains(&code)) {
                    true => self.show_held(),
                    false => Ok(()),
                }
            }
        }
    }

    fn show_held(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(&std::mem::take(&mut self.held))?;
        out.flush()
    }

    /// The screen is full.
    fn start(&mut self) -> io::Result<()> {
        // Who interrupts wants the pager to stop, which then has the terminal.
        for signal in [SIGINT, SIGQUIT] {
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
        }
        match self.pager.start() {
            Ok(child) => {
                self.to = To::Pager(child);
                let held = std::mem::take(&mut self.held);
                self.hand_over(&held);
                self.held = held;
            }
            Err(_) => {
                self.to = To::Terminal;
                self.show_held()?;
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, text: &[u8]) {
        let To::Pager(child) = &mut self.to else { return };
        let written = child.stdin.as_mut().map(|input| input.write_all(text));
        if let Some(Err(_)) = written {
            child.stdin = None;
        }
    }
}

impl Write for Paged<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Nowhere => {
                self.held.extend_from_slice(text);
                self.rows.add(text);
                // The last line is the prompt's.
                if self.rows.count >= self.pager.rows {
                    self.start()?;
                }
            }
            To::Pager(_) => {
                if self.held.len() <= KEPT {
                    self.held.extend_from_slice(text);
                }
                self.hand_over(text);
            }
            To::Terminal => return io::stdout().write(text),
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Paged<'_> {
    /// A pager that goes on without us would fight the shell for the terminal.
    fn drop(&mut self) {
        if let To::Pager(child) = &mut self.to {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Lines of the terminal that a text takes.
#[derive(Clone, Debug, Default)]
struct Rows {
    count: usize,
    columns: usize,
    column: usize,
    is_escape: bool,
}

impl Rows {
    fn add(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'\n' => {
                    self.count += 1;
                    self.column = 0;
                }
                0x1b => self.is_escape = true,
                _ if self.is_escape => self.is_escape = !byte.is_ascii_alphabetic(),
                // Continues a character.
                0x80..=0xbf => {}
                _ if self.column == self.columns => {
                    self.count += 1;
                    self.column = 1;
                }
                _ => self.column += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<OsString> {
        Some(OsString::from(text))
    }

    #[test]
    fn the_first_pager_that_is_named_counts_and_cat_is_none() {
        assert_eq!(chosen(some("most"), some("more")), some("most"));
        assert_eq!(chosen(None, some("more -d")), some("more -d"));
        assert_eq!(chosen(some(""), some("more")), None);
        assert_eq!(chosen(None, some("cat")), None);
    }

    #[test]
    fn long_lines_take_several_rows_and_colours_none() {
        let rows = |text: &str| {
            let mut rows = Rows { columns: 10, ..Rows::default() };
            rows.add(text.as_bytes());
            rows.count
        };
        assert_eq!(rows("one\ntwo\n"), 2);
        assert_eq!(rows("0123456789\n"), 1);
        assert_eq!(rows("0123456789a\n"), 2);
        assert_eq!(rows("\u{1b}[1;31m0123456789\u{1b}[0m\n"), 1);
        assert_eq!(rows("\u{2026}\u{2026}\u{2026}\u{2026}\n"), 1);
    }
}
