//! The core, read from the kernel and compressed while it comes.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::frames::{FRAME, FrameWriter, Room};

/// Bytes of a core between two looks at the room that it has.
pub(crate) const STRIDE: u64 = 64 << 20;

/// What a core may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceiveLimits {
    /// Bytes of the core.
    pub(crate) bytes: u64,
    /// `RLIMIT_CORE` of the process, if it holds.
    pub(crate) of_process: Option<u64>,
    /// How long the kernel may take.
    pub(crate) time: Duration,
}

/// Why a core ends where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum End {
    /// The kernel wrote no more.
    Complete,
    /// It has as many bytes as a core may have.
    SizeLimit,
    /// The limit of the process (`RLIMIT_CORE`) was reached.
    CoreLimit,
    /// The spool has no more room for it.
    NoSpace,
    /// It took too long.
    TimeLimit,
}

/// What was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes of the core.
    pub(crate) bytes: u64,
    /// Bytes of the compressed file.
    pub(crate) packed_bytes: u64,
    pub(crate) end: End,
}

/// Reads `input` to its end, or to a limit, into `out`. What was read is kept in any case: a
/// core that was cut short still has most stacks.
///
/// `room` makes room: of the length of the compressed file so far, it gives the length that
/// it may have. It is asked first with 0, then at each stride, and whenever that is reached or the
/// disk is full.
///
/// # Errors
/// Those of reading, and of writing if the disk is not full.
pub(crate) fn receive(
    input: BorrowedFd<'_>,
    out: &File,
    limits: &ReceiveLimits,
    room: &mut dyn FnMut(u64) -> u64,
) -> io::Result<Received> {
    let until = Instant::now().checked_add(limits.time);
    // A pipe of a frame: the kernel fills it while the frame before is compressed. It is no
    // pipe, or it stays as it is.
    let _ = rustix::pipe::fcntl_setpipe_size(input, FRAME);
    let mut frames = FrameWriter::new(out, room(0))?;
    let most = limits.bytes.min(limits.of_process.unwrap_or(u64::MAX));
    let at_most = if most < limits.bytes { End::CoreLimit } else { End::SizeLimit };
    let mut chunk = vec![0; FRAME];
    let (mut bytes, mut looked_at) = (0_u64, 0_u64);
    let end = loop {
        let (have, end) = fill(input, &mut chunk, until)?;
        let wanted = usize::try_from(most.saturating_sub(bytes)).unwrap_or(usize::MAX);
        let kept = chunk.get(..have.min(wanted)).unwrap_or_default();
        if !kept.is_empty() {
            let mut written = write(&mut frames, kept)?;
            if written == Room::Full {
                frames.allow(room(frames.written()));
                written = write(&mut frames, kept)?;
            }
            if written == Room::Full {
                break End::NoSpace;
            }
            bytes = bytes.saturating_add(kept.len() as u64);
        }
        if have > wanted {
            break at_most;
        }
        if let Some(end) = end {
            break end;
        }
        if bytes.saturating_sub(looked_at) >= STRIDE {
            looked_at = bytes;
            // Other captures take of that room, too.
            frames.allow(room(frames.written()));
        }
    };
    Ok(Received { bytes, packed_bytes: frames.finish()?, end })
}

/// A disk or a quota that is full is no error, but the end.
fn write(frames: &mut FrameWriter<'_>, bytes: &[u8]) -> io::Result<Room> {
    frames.write(bytes).or_else(|error| if is_full(&error) { Ok(Room::Full) } else { Err(error) })
}

/// Whether a disk or a quota is full.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Reads until `buffer` is full, the data end, or time is over: how much, and which of the two
/// latter.
fn fill(
    input: BorrowedFd<'_>,
    buffer: &mut [u8],
    until: Option<Instant>,
) -> io::Result<(usize, Option<End>)> {
    let mut have = 0_usize;
    while let Some(rest) = buffer.get_mut(have..).filter(|rest| !rest.is_empty()) {
        if !is_ready(input, until)? {
            return Ok((have, Some(End::TimeLimit)));
        }
        match rustix::io::read(input, rest) {
            Ok(0) => return Ok((have, Some(End::Complete))),
            Ok(more) => have = have.saturating_add(more),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((have, None))
}

/// Waits until there is something to read, or the end; false if time is over, whatever there is
/// to read.
pub(crate) fn is_ready(input: BorrowedFd<'_>, until: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(false);
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = [PollFd::from_borrowed_fd(input, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};
    use std::os::fd::AsFd;

    use super::*;

    const ALL: ReceiveLimits =
        ReceiveLimits { bytes: u64::MAX, of_process: None, time: Duration::from_secs(20) };

    /// What becomes of `content` when it comes through a pipe that stays open if it `hangs`.
    fn receive_all(content: Vec<u8>, limits: &ReceiveLimits, hangs: bool) -> (Received, Vec<u8>) {
        receive_into(content, limits, hangs, &mut |_| u64::MAX)
    }

    fn receive_into(
        content: Vec<u8>,
        limits: &ReceiveLimits,
        hangs: bool,
        room: &mut dyn FnMut(u64) -> u64,
    ) -> (Received, Vec<u8>) {
        let (input, mut writer) = io::pipe().unwrap();
        let thread = std::thread::spawn(move || {
            // The reader may close the pipe before the end.
            let _ = writer.write_all(&content);
            hangs.then_some(writer)
        });
        let mut file = tempfile::tempfile().unwrap();
        let received = receive(input.as_fd(), &file, limits, room).unwrap();
        drop(input);
        drop(thread.join().unwrap());
        let mut packed = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut packed).unwrap();
        assert_eq!(packed.len() as u64, received.packed_bytes);
        (received, zstd::decode_all(&packed[..]).unwrap())
    }

    fn content() -> Vec<u8> {
        (0..3 * FRAME + 5).map(|at| (at / 1000) as u8).collect()
    }

    #[test]
    fn all_that_the_kernel_writes_is_kept() {
        let (received, kept) = receive_all(content(), &ALL, false);
        assert_eq!(received.end, End::Complete);
        assert!(kept == content());
    }

    #[test]
    fn a_core_that_is_too_long_is_cut_and_the_pipe_is_closed() {
        let limits = ReceiveLimits { bytes: 1_500_000, ..ALL };
        let (received, kept) = receive_all(content(), &limits, false);
        assert_eq!((received.end, received.bytes), (End::SizeLimit, 1_500_000));
        assert!(kept == content()[..1_500_000]);
        let limits = ReceiveLimits { of_process: Some(4096), ..ALL };
        let (received, _) = receive_all(content(), &limits, false);
        assert_eq!((received.end, received.bytes), (End::CoreLimit, 4096));
    }

    #[test]
    fn a_core_as_long_as_its_limit_is_complete() {
        let limits = ReceiveLimits { bytes: content().len() as u64, ..ALL };
        let (received, _) = receive_all(content(), &limits, false);
        assert_eq!(received.end, End::Complete);
    }

    #[test]
    fn a_writer_that_stops_ends_the_core_when_time_is_over() {
        let limits = ReceiveLimits { time: Duration::from_millis(100), ..ALL };
        let (received, kept) = receive_all(content(), &limits, true);
        assert_eq!(received.end, End::TimeLimit);
        assert!(kept == content());
    }

    #[test]
    fn a_writer_that_never_stops_is_ended_when_time_is_over() {
        let (input, mut writer) = io::pipe().unwrap();
        let thread = std::thread::spawn(move || while writer.write_all(&[0; 1 << 16]).is_ok() {});
        let limits = ReceiveLimits { time: Duration::from_millis(100), ..ALL };
        let file = tempfile::tempfile().unwrap();
        let begun = Instant::now();
        let received = receive(input.as_fd(), &file, &limits, &mut |_| u64::MAX).unwrap();
        assert_eq!(received.end, End::TimeLimit);
        assert!(received.bytes > 0 && begun.elapsed() < Duration::from_secs(10));
        drop(input);
        thread.join().unwrap();
    }

    #[test]
    fn without_room_the_core_is_cut_after_a_frame() {
        let (received, kept) = receive_into(content(), &ALL, false, &mut |_| 3000);
        assert_eq!(received.end, End::NoSpace);
        assert!(received.packed_bytes <= 3000);
        assert!(kept == content()[..kept.len()]);
    }

    #[test]
    fn where_older_crashes_can_go_the_core_is_complete() {
        let mut asked = Vec::new();
        let mut room = |written| {
            asked.push(written);
            written + 3000
        };
        let (received, kept) = receive_into(content(), &ALL, false, &mut room);
        assert_eq!(received.end, End::Complete);
        assert!(kept == content());
        assert!(asked.len() > 1 && asked.is_sorted(), "{asked:?}");
    }
}
