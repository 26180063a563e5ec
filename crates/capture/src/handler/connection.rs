//! A connection to the kernel's coredump socket (`include/uapi/linux/coredump.h`): patterns
//! that begin with `@` write the core at once (Linux 6.16), those with `@@` ask first (6.17).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::receive::is_ready;
use super::{Announced, pidfd};

/// What a server may want: bits of the masks.
const KERNEL: u64 = 1 << 0;
const REJECT: u64 = 1 << 2;
const WAIT: u64 = 1 << 3;
/// Bytes of the first versions of request and answer.
const FIRST_SIZE: u32 = 16;
/// Bytes that a request may have.
const LARGEST: usize = 4096;
/// The mark that follows an answer which the kernel accepts.
const ACCEPTED: u32 = 0;
/// How long the kernel may take for a request or a mark. It writes them at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a connection is not one of a crash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer is unknown (before Linux 6.5), or gone.
    #[error("the process at the other end is not known: {0}")]
    Peer(#[source] io::Error),
    /// Someone connected who does not dump a core.
    #[error("process {0} connected, but is not dumping a core")]
    NotDumping(i32),
    /// The kernel says nothing, or what obit does not know.
    #[error("the kernel's coredump protocol is not understood: {0}")]
    Protocol(&'static str),
    /// The connection broke.
    #[error("the connection to the kernel broke: {0}")]
    Io(#[from] io::Error),
}

/// A kernel that waits to write a core.
#[derive(Debug)]
pub(crate) struct Connection {
    /// By which the core comes.
    pub(crate) socket: OwnedFd,
    /// The process that crashed.
    pub(crate) pidfd: OwnedFd,
    /// What the kernel can do, if it asks.
    offered: Option<u64>,
}

impl Connection {
    /// Finds out who is at the other end, and reads the kernel's request if there is one.
    ///
    /// # Errors
    /// If it is not the kernel, for a process that is dumping.
    pub(crate) fn open(socket: OwnedFd) -> Result<(Self, Announced), ConnectionError> {
        let pidfd = pidfd::of_peer(socket.as_fd()).map_err(ConnectionError::Peer)?;
        let dumping = pidfd::dumping(&pidfd).ok_or(ConnectionError::NotDumping(0))?;
        if !dumping.is_dumping {
            return Err(ConnectionError::NotDumping(dumping.process));
        }
        let offered = request(socket.as_fd())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let announced = Announced {
            process: dumping.process,
            signal: dumping.signal.unwrap_or(0),
            time: i64::try_from(now.as_secs()).unwrap_or(0),
            ..Announced::default()
        };
        Ok((Self { socket, pidfd, offered }, announced))
    }

    /// Lets the kernel write the core, and hold the process until the connection is closed.
    ///
    /// # Errors
    /// If the kernel cannot do so.
    pub(crate) fn accept(&self) -> Result<(), ConnectionError> {
        let Some(offered) = self.offered else { return Ok(()) };
        self.answer((KERNEL | WAIT) & offered)?;
        match u32::from_ne_bytes(exactly(self.socket.as_fd())?) {
            ACCEPTED => Ok(()),
            _ => Err(ConnectionError::Protocol("the answer was refused")),
        }
    }

    /// Spares the kernel the work.
    pub(crate) fn reject(&self) -> Result<(), ConnectionError> {
        match self.offered {
            Some(offered) => self.answer(REJECT & offered),
            None => Ok(()),
        }
    }

    fn answer(&self, mask: u64) -> Result<(), ConnectionError> {
        let size = u64::from(FIRST_SIZE).to_ne_bytes();
        // `size` and `spare` are 32 bits each; the latter is 0 in either byte order.
        let (size, spare) = match cfg!(target_endian = "little") {
            true => size.split_at(4),
            false => {
                let (spare, size) = size.split_at(4);
                (size, spare)
            }
        };
        let bytes = [size, spare, &mask.to_ne_bytes()].concat();
        let sent = send(&self.socket, &bytes, SendFlags::NOSIGNAL).map_err(io::Error::from)?;
        match sent == bytes.len() {
            true => Ok(()),
            false => Err(ConnectionError::Protocol("an answer was cut")),
        }
    }
}

/// The mask of the kernel's request; `None` if the core itself comes first.
fn request(socket: BorrowedFd<'_>) -> Result<Option<u64>, ConnectionError> {
    let until = Instant::now().checked_add(PATIENCE);
    if !is_ready(socket, until)? {
        return Err(ConnectionError::Protocol("nothing came"));
    }
    let mut start = [0; 4];
    let (_, have) = recv(socket, &mut start, RecvFlags::PEEK).map_err(io::Error::from)?;
    if have < start.len() || start == *b"\x7fELF" {
        return Ok(None);
    }
    let size: [u8; 4] = exactly(socket)?;
    let size_answer: [u8; 4] = exactly(socket)?;
    let mask = u64::from_ne_bytes(exactly(socket)?);
    let size = u32::from_ne_bytes(size);
    let more = usize::try_from(size.saturating_sub(FIRST_SIZE)).unwrap_or(usize::MAX);
    if size < FIRST_SIZE || more > LARGEST || u32::from_ne_bytes(size_answer) < FIRST_SIZE {
        return Err(ConnectionError::Protocol("a request of impossible size"));
    }
    // What later kernels add.
    for _ in 0..more {
        let _: [u8; 1] = exactly(socket)?;
    }
    if mask & KERNEL == 0 {
        return Err(ConnectionError::Protocol("the kernel does not offer to write the core"));
    }
    Ok(Some(mask))
}

/// The next `N` bytes.
fn exactly<const N: usize>(socket: BorrowedFd<'_>) -> Result<[u8; N], ConnectionError> {
    let until = Instant::now().checked_add(PATIENCE);
    let mut bytes = [0; N];
    let mut have = 0_usize;
    while let Some(rest) = bytes.get_mut(have..).filter(|rest| !rest.is_empty()) {
        if !is_ready(socket, until)? {
            return Err(ConnectionError::Protocol("nothing came"));
        }
        match rustix::io::read(socket, rest) {
            Ok(0) => return Err(ConnectionError::Protocol("the connection was closed")),
            Ok(more) => have = have.saturating_add(more),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn request_bytes(size: u32, mask: u64) -> Vec<u8> {
        let mut bytes = size.to_ne_bytes().to_vec();
        bytes.extend(FIRST_SIZE.to_ne_bytes());
        bytes.extend(mask.to_ne_bytes());
        bytes.resize((size as usize).max(16), 0);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Option<u64>, String> {
        let (mut kernel, server) = UnixStream::pair().unwrap();
        kernel.write_all(bytes).unwrap();
        request(server.as_fd()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_core_that_comes_at_once_is_not_taken_for_a_request() {
        assert_eq!(read(b"\x7fELF\x02\x01").unwrap(), None);
    }

    #[test]
    fn a_request_is_read_also_one_of_a_later_kernel() {
        assert_eq!(read(&request_bytes(16, 15)).unwrap(), Some(15));
        assert_eq!(read(&request_bytes(32, 31)).unwrap(), Some(31));
    }

    #[test]
    fn what_no_kernel_sends_is_refused() {
        assert!(read(&request_bytes(8, 15)).unwrap_err().contains("impossible size"));
        assert!(read(&request_bytes(70_000, 15)).unwrap_err().contains("impossible size"));
        assert!(read(&request_bytes(16, 2)).unwrap_err().contains("does not offer"));
    }

    #[test]
    fn the_answer_has_the_layout_of_the_kernel() {
        let (mut kernel, server) = UnixStream::pair().unwrap();
        let pidfd = server.try_clone().unwrap().into();
        let connection = Connection { socket: server.into(), pidfd, offered: Some(15) };
        kernel.write_all(&0_u32.to_ne_bytes()).unwrap();
        connection.accept().unwrap();
        let mut answer = [0; 16];
        kernel.read_exact(&mut answer).unwrap();
        assert_eq!(answer[..4], 16_u32.to_ne_bytes());
        assert_eq!(answer[4..8], [0; 4]);
        assert_eq!(answer[8..], (KERNEL | WAIT).to_ne_bytes());
    }

    #[test]
    fn a_process_that_only_connects_is_not_a_crash() {
        let (_kept, server) = UnixStream::pair().unwrap();
        let refused = Connection::open(server.into()).unwrap_err();
        assert!(
            matches!(refused, ConnectionError::NotDumping(_) | ConnectionError::Peer(_)),
            "{refused}"
        );
    }
}
