//! A stream that ends with an error when it goes on for too long.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Passes on what it reads, up to a number of bytes and a point in time.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    until: Option<Instant>,
}

impl<R> Bounded<R> {
    /// At most `most` bytes, for no longer than `time`.
    pub(super) fn new(inner: R, most: u64, time: Duration) -> Self {
        Self { inner, left: most, until: Instant::now().checked_add(time) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("it is larger than any archive that is read"));
        }
        if self.until.is_some_and(|until| Instant::now() > until) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long to unpack"));
        }
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.inner.read(buf.get_mut(..most).unwrap_or(&mut []))?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
