//! Threads of a report on their way from the process that makes them to the one that writes them:
//! each with its length before it, many in a message.

use std::cell::RefCell;
use std::io;

use obit::report::json::write_line;
use obit::report::{Portions, ThreadReport};
use obit::sandbox::Remote;

/// Bytes that are sent in one go: far more than the other side needs to be woken for.
const ENOUGH: usize = 64 << 10;

/// Bytes of a length.
const LENGTH: usize = size_of::<u32>();

/// Calls `add` with each of the threads that one message of a worker has.
///
/// # Errors
/// Those of `add`; when the message is not whole.
pub(crate) fn each_thread(
    mut message: &[u8],
    mut add: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    while let Some((length, rest)) = message.split_first_chunk::<LENGTH>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let thread = rest.split_at_checked(length);
        let (thread, rest) = thread.ok_or(io::ErrorKind::UnexpectedEof)?;
        add(thread)?;
        message = rest;
    }
    match message {
        [] => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Hands threads over as they come.
pub(crate) struct HandOver<'h> {
    /// Who is outside; `None` where this process writes the report.
    remote: Option<&'h Remote>,
    portions: &'h RefCell<Portions>,
    /// What was not sent yet.
    waiting: Vec<u8>,
    result: io::Result<()>,
}

impl<'h> HandOver<'h> {
    /// To the process outside, or to `portions` where there is none.
    pub(crate) fn new(remote: Option<&'h Remote>, portions: &'h RefCell<Portions>) -> Self {
        Self { remote, portions, waiting: Vec::new(), result: Ok(()) }
    }

    /// Takes the next thread. After an error no one takes more.
    pub(crate) fn take(&mut self, thread: &ThreadReport) {
        if self.result.is_err() {
            return;
        }
        self.result = match self.remote {
            Some(_) => self.add(thread),
            None => self.portions.borrow_mut().push(thread),
        };
        if self.waiting.len() >= ENOUGH {
            self.send();
        }
    }

    fn add(&mut self, thread: &ThreadReport) -> io::Result<()> {
        let start = self.waiting.len();
        self.waiting.extend_from_slice(&[0; LENGTH]);
        write_line(thread, &mut self.waiting)?;
        let (_, added) = self.waiting.split_at_mut(start);
        let (length, text) = added.split_first_chunk_mut().ok_or(io::ErrorKind::InvalidData)?;
        *length = u32::try_from(text.len()).map_err(io::Error::other)?.to_le_bytes();
        Ok(())
    }

    fn send(&mut self) {
        if let (Some(remote), Ok(())) = (self.remote, &self.result) {
            self.result = remote.portion(&self.waiting);
            #[cfg(debug_assertions)]
            super::evil::act_late();
        }
        self.waiting.clear();
    }

    /// Hands over what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.send();
        }
        self.result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(message: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        each_thread(message, |thread| {
            all.push(thread.to_vec());
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn a_message_that_ends_within_a_thread_is_refused() {
        let whole = [&[2, 0, 0, 0][..], b"ab", &[0, 0, 0, 0], &[1, 0, 0, 0], b"c"].concat();
        assert_eq!(threads(&whole).unwrap(), [&b"ab"[..], b"", b"c"]);
        assert_eq!(threads(&[]).unwrap(), Vec::<Vec<u8>>::new());
        for end in [1, 5, whole.len() - 1] {
            assert!(threads(&whole[..end]).is_err(), "{end}");
        }
        assert!(threads(&[0xff; 9]).is_err());
    }
}
