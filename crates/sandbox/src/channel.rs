//! Frames over a socket, each with at most one descriptor.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

/// Bytes of one frame: far beyond any report.
const MOST: u32 = 1 << 30;
/// Bytes of a payload that are sent together with the header.
const SHORT: usize = 4 << 10;
/// Bytes of a payload for which there is room before any of it is here.
const ROOM: usize = 64 << 10;
/// Kind of the frame, and length of its payload in bytes, the lowest first.
const HEADER: usize = 5;

/// How long the process outside waits until a worker reads what it was sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often, and for how long, to wait until descriptors that are under way were received.
const MOST_WAITS: u32 = 2000;
const WAIT: Duration = Duration::from_millis(5);

/// One end of a connection between a worker and the process outside.
#[derive(Debug)]
pub struct Channel {
    socket: UnixStream,
}

/// What is exchanged.
#[derive(Debug)]
pub struct Frame {
    /// What it means, by agreement of both sides.
    pub kind: u8,
    /// Its content.
    pub payload: Vec<u8>,
    /// A descriptor that came along.
    pub file: Option<File>,
}

impl Channel {
    /// Two connected ends. The first waits no longer than 30 s for the other side to read: a worker
    /// that was taken over could keep the process outside waiting.
    ///
    /// # Errors
    /// Those of `socketpair`.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = UnixStream::pair()?;
        one.set_write_timeout(Some(PATIENCE))?;
        Ok((Self { socket: one }, Self { socket: other }))
    }

    /// Sends a frame whose payload is `parts` one after the other.
    ///
    /// # Errors
    /// Those of `sendmsg`; also for more than 1 GiB.
    pub fn send(&self, kind: u8, parts: &[&[u8]], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length).ok().filter(|length| *length <= MOST);
        let length = length.ok_or_else(|| io::Error::other("a message is too long"))?;
        // What is short is sent at once: the other side is woken once, and finds all of it.
        let (together, apart) =
            if length as usize <= SHORT { (parts, &[][..]) } else { (&[][..], parts) };
        let mut start = vec![kind];
        start.extend_from_slice(&length.to_le_bytes());
        together.iter().for_each(|part| start.extend_from_slice(part));
        let sent = self.send_start(&start, file)?;
        (&self.socket).write_all(start.get(sent..).unwrap_or_default())?;
        apart.iter().try_for_each(|part| (&self.socket).write_all(part))
    }

    /// Sends the start of a frame, with a descriptor; how many bytes went.
    fn send_start(&self, start: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files: Vec<_> = file.into_iter().collect();
        if !files.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&files));
        }
        let mut waits = 0..MOST_WAITS;
        loop {
            let sent = rustix::net::sendmsg(
                &self.socket,
                &[IoSlice::new(start)],
                &mut control,
                SendFlags::NOSIGNAL,
            );
            match sent {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => return Ok(sent),
                Err(rustix::io::Errno::INTR) => {}
                // The user's sockets hold as many descriptors that were not received yet as a
                // process may have open (unix(7)): there is room when some are received.
                Err(rustix::io::Errno::TOOMANYREFS) if waits.next().is_some() => {
                    std::thread::sleep(WAIT);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next frame; `None` where the other side ended in good order.
    ///
    /// # Errors
    /// Those of `recvmsg`; `TimedOut` if it is not here at `until`; `InvalidData` for a length
    /// beyond 1 GiB.
    pub fn receive(&self, until: Option<Instant>) -> io::Result<Option<Frame>> {
        let mut header = [0; HEADER];
        let (count, file) = self.receive_header(&mut header, until)?;
        if count == 0 {
            return Ok(None);
        }
        let mut rest = Timed { socket: &self.socket, until };
        rest.read_exact(header.get_mut(count..).unwrap_or_default())?;
        let [kind, length @ ..] = header;
        let length = u32::from_le_bytes(length);
        if length > MOST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
        }
        // Beyond some room it grows by what comes, not by what the other side claims.
        let mut payload = Vec::with_capacity(ROOM.min(length as usize));
        let read = rest.take(u64::from(length)).read_to_end(&mut payload)?;
        if read as u64 != u64::from(length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(Frame { kind, payload, file }))
    }

    fn receive_header(
        &self,
        header: &mut [u8],
        until: Option<Instant>,
    ) -> io::Result<(usize, Option<File>)> {
        wait(&self.socket, until)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let count = loop {
            let received = rustix::net::recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(header)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            );
            match received {
                Ok(message) => break message.bytes,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        let mut files = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => files.last(),
            _ => None,
        });
        Ok((count, files.next().map(File::from)))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<OwnedFd> for Channel {
    fn from(socket: OwnedFd) -> Self {
        Self { socket: socket.into() }
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.socket.into()
    }
}

/// A socket that is read until a point in time.
struct Timed<'s> {
    socket: &'s UnixStream,
    until: Option<Instant>,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait(self.socket, self.until)?;
        self.socket.read(buffer)
    }
}

/// Waits until there is something to read.
fn wait(socket: &UnixStream, until: Option<Instant>) -> io::Result<()> {
    let Some(until) = until else { return Ok(()) };
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match rustix::event::poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_as_they_were_sent_with_their_descriptor() {
        let (one, other) = Channel::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"content").unwrap();
        one.send(7, &[b"a", b"", b"bc"], Some(file.as_fd())).unwrap();
        one.send(8, &[], None).unwrap();
        let first = other.receive(None).unwrap().unwrap();
        assert_eq!((first.kind, first.payload.as_slice()), (7, &b"abc"[..]));
        let metadata = first.file.unwrap().metadata().unwrap();
        assert_eq!(metadata.len(), 7);
        let second = other.receive(None).unwrap().unwrap();
        assert_eq!((second.kind, second.payload.len(), second.file.is_none()), (8, 0, true));
        drop(one);
        assert!(other.receive(None).unwrap().is_none());
    }

    #[test]
    fn frames_of_any_length_arrive_whole_and_in_order() {
        let (one, other) = Channel::pair().unwrap();
        let lengths = [0, 1, SHORT - 1, SHORT, SHORT + 1, ROOM, ROOM + 1, 3 << 20];
        let sender = std::thread::spawn(move || {
            for length in lengths {
                let payload: Vec<u8> = (0..length).map(|at| at.to_le_bytes()[0]).collect();
                let (start, end) = payload.split_at(length / 3);
                one.send(5, &[start, end], None).unwrap();
            }
        });
        for length in lengths {
            let frame = other.receive(None).unwrap().unwrap();
            assert_eq!((frame.kind, frame.payload.len()), (5, length));
            let is_right = |(at, byte): (usize, &u8)| *byte == at.to_le_bytes()[0];
            assert!(frame.payload.iter().enumerate().all(is_right));
        }
        sender.join().unwrap();
    }

    #[test]
    fn a_frame_that_does_not_come_is_waited_for_no_longer_than_said() {
        let (_one, other) = Channel::pair().unwrap();
        let error = other.receive(Some(Instant::now() + Duration::from_millis(5))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_frame_that_is_cut_or_too_long_is_an_error() {
        let (one, other) = Channel::pair().unwrap();
        (&one.socket).write_all(&[1, 9, 0, 0, 0, b'x']).unwrap();
        drop(one);
        assert!(other.receive(None).is_err());
        let (one, other) = Channel::pair().unwrap();
        (&one.socket).write_all(&[1, 0xff, 0xff, 0xff, 0xff]).unwrap();
        assert_eq!(other.receive(None).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
