//! Which Unix sockets are connected to each other: `/proc/net/unix` does not say it, the kernel's
//! interface for `ss` does (sock_diag(7)).
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::os::fd::{FromRawFd, OwnedFd};

/// `NLMSG_HDRLEN`: `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct unix_diag_msg`.
const MESSAGE: usize = 16;
/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `UDIAG_SHOW_PEER`.
const SHOW_PEER: u32 = 4;
/// `UNIX_DIAG_PEER`, the attribute.
const PEER: u16 = 2;
/// Bytes of one answer: the kernel fills no more (`NLMSG_GOODSIZE`, 32 KiB at most).
const BUFFER: usize = 64 << 10;
/// Answers that are read: a machine with a million sockets must not hold the process for long.
const MOST_ANSWERS: usize = 512;

/// The inode of the other end of each connected Unix socket in obit's own network namespace;
/// none where the kernel does not answer.
pub(crate) fn peers() -> BTreeMap<u64, u64> {
    let mut all = BTreeMap::new();
    // An answer that breaks off is a partial one.
    let _ = ask(&mut all);
    all
}

fn ask(all: &mut BTreeMap<u64, u64>) -> Option<()> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: socket(2) takes three numbers and touches no memory of this process.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_SOCK_DIAG) };
    if socket < 0 {
        return None;
    }
    // SAFETY: the descriptor was just made, is open, and nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    rustix::net::sockopt::set_socket_timeout(
        &socket,
        rustix::net::sockopt::Timeout::Recv,
        Some(std::time::Duration::from_secs(1)),
    )
    .ok()?;
    rustix::io::write(&socket, &request()).ok()?;
    let mut answer = vec![0; BUFFER];
    for _ in 0..MOST_ANSWERS {
        let length = rustix::io::read(&socket, &mut answer).ok()?;
        if !take(answer.get(..length)?, all)? {
            break;
        }
    }
    Some(())
}

/// `struct nlmsghdr` and `struct unix_diag_req`, for the sockets of all states.
fn request() -> Vec<u8> {
    let mut bytes = Vec::new();
    // Length, type, NLM_F_REQUEST | NLM_F_DUMP, sequence, port.
    bytes.extend(40_u32.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(0x301_u16.to_ne_bytes());
    bytes.extend([0; 8]);
    // Family, protocol, padding; states; inode; what to show; cookie.
    bytes.extend([u8::try_from(libc::AF_UNIX).unwrap_or(1), 0, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(SHOW_PEER.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes
}

/// Takes the messages of one answer; whether more follow. `None` for an error.
fn take(mut answer: &[u8], all: &mut BTreeMap<u64, u64>) -> Option<bool> {
    while answer.len() >= HEADER {
        let length = usize::try_from(number(answer, 0)?).ok()?;
        let message = answer.get(HEADER..length)?;
        match short(answer, 4)? {
            BY_FAMILY => add(message, all),
            // NLMSG_DONE
            3 => return Some(false),
            _ => return None,
        };
        answer = answer.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(true)
}

/// `struct unix_diag_msg` has the inode after four bytes; attributes follow.
fn add(message: &[u8], all: &mut BTreeMap<u64, u64>) -> Option<()> {
    let inode = number(message, 4)?;
    let mut attributes = message.get(MESSAGE..)?;
    while attributes.len() >= 4 {
        let length = usize::from(short(attributes, 0)?);
        if length < 4 {
            return None;
        }
        if short(attributes, 2)? == PEER {
            let peer = number(attributes, 4)?;
            if peer != 0 {
                all.insert(inode.into(), peer.into());
            }
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_cut_or_of_length_zero_end_the_answer() {
        let mut all = BTreeMap::new();
        assert_eq!(take(&[0; 16], &mut all), None);
        assert_eq!(take(&[0xff; 64], &mut all), None);
        assert_eq!(take(&[], &mut all), Some(true));
        let mut message = vec![0; 16];
        message[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        // An attribute of length zero.
        message.extend([0; 8]);
        assert_eq!(add(&message, &mut all), None);
        message.truncate(16);
        message.extend(8_u16.to_ne_bytes());
        message.extend(PEER.to_ne_bytes());
        message.extend(9_u32.to_ne_bytes());
        add(&message, &mut all).unwrap();
        assert_eq!(all.into_iter().collect::<Vec<_>>(), [(7, 9)]);
    }
}
