//! Threads of a report on their way from the process that makes them to the one that writes them.

use std::cell::RefCell;
use std::io;

use obit::report::json::write_line;
use obit::report::{Portions, ThreadReport};
use obit::sandbox::Remote;

/// Bytes that are sent in one go: far more than the other side needs to be woken for.
const ENOUGH: usize = 64 << 10;

/// Hands threads over as they come.
pub(crate) struct HandOver<'h> {
    /// Who is outside; `None` where this process writes the report.
    remote: Option<&'h Remote>,
    portions: &'h RefCell<Portions>,
    /// Lines that were not sent yet.
    lines: Vec<u8>,
    result: io::Result<()>,
}

impl<'h> HandOver<'h> {
    /// To the process outside, or to `portions` where there is none.
    pub(crate) fn new(remote: Option<&'h Remote>, portions: &'h RefCell<Portions>) -> Self {
        Self { remote, portions, lines: Vec::new(), result: Ok(()) }
    }

    /// Takes the next thread. After an error there is nobody to take more.
    pub(crate) fn take(&mut self, thread: &ThreadReport) -> bool {
        if self.result.is_ok() {
            self.result = match self.remote {
                Some(_) => write_line(thread, &mut self.lines),
                None => self.portions.borrow_mut().push(thread),
            };
            if self.lines.len() >= ENOUGH {
                self.send();
            }
        }
        true
    }

    fn send(&mut self) {
        if let (Some(remote), Ok(())) = (self.remote, &self.result) {
            self.result = remote.portion(&self.lines);
        }
        self.lines.clear();
    }

    /// Hands over what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.lines.is_empty() {
            self.send();
        }
        self.result
    }
}
