//! A line about a crash where administrators look: the journal, else syslog, else the kernel's
//! log. Without any of them there is none.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use obit_corefile::escape::is_hidden;

/// systemd's socket (systemd's "Native Journal Protocol").
const JOURNAL: &str = "/run/systemd/journal/socket";
/// The socket of syslog daemons (RFC 3164 as they take it locally).
const SYSLOG: &str = "/dev/log";
/// The kernel's log.
const KERNEL: &str = "/dev/kmsg";
/// The facility of system daemons.
const DAEMON: u8 = 3;
/// Bytes of a line: kmsg takes no more than about 1,000.
const LONGEST: usize = 800;

/// How urgent a line is (syslog(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Something could not be done.
    Error = 3,
    /// Something happened that someone should look at.
    Warning = 4,
    /// Something happened.
    Notice = 5,
}

/// Writes `message` with `fields`, whose names are those of the journal (`OBIT_CRASH_ID`).
/// Control characters, and those that are not seen or change the direction of text, become `?`.
/// The message must hold nothing that is not for everyone who
/// reads the journal.
pub fn log(priority: Priority, message: &str, fields: &[(&str, &str)]) {
    let message = one_line(message);
    let by_journal = || send(Path::new(JOURNAL), &native(priority, &message, fields));
    let by_syslog = || send(Path::new(SYSLOG), &syslog(priority, &message));
    let by_kernel =
        || OpenOptions::new().write(true).open(KERNEL)?.write_all(&syslog(priority, &message));
    // If no one takes it, there is no one to complain to.
    let _ = by_journal().or_else(|_| by_syslog()).or_else(|_| by_kernel());
}

/// One datagram, without waiting: a daemon that hangs must not hold the crashed process.
fn send(socket: &Path, datagram: &[u8]) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.connect(socket)?;
    sender.send(datagram).map(drop)
}

fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if is_hidden(c) { '?' } else { c }).collect();
    let end = (0..=LONGEST.min(line.len())).rev().find(|end| line.is_char_boundary(*end));
    line.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

fn native(priority: Priority, message: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let number = (priority as u8).to_string();
    let own = [("MESSAGE", message), ("PRIORITY", &number), ("SYSLOG_IDENTIFIER", "obit")];
    let mut datagram = Vec::new();
    for (name, value) in own.iter().chain(fields) {
        datagram.extend(format!("{name}={}\n", one_line(value)).bytes());
    }
    datagram
}

fn syslog(priority: Priority, message: &str) -> Vec<u8> {
    let number = DAEMON * 8 + priority as u8;
    format!("<{number}>obit[{}]: {message}", std::process::id()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_line_break_makes_no_second_field() {
        let fields = [("OBIT_PROGRAM", "a\nPRIORITY=0")];
        let text = String::from_utf8(native(Priority::Notice, "x\ny", &fields)).unwrap();
        assert_eq!(
            text,
            "MESSAGE=x?y\nPRIORITY=5\nSYSLOG_IDENTIFIER=obit\nOBIT_PROGRAM=a?PRIORITY=0\n"
        );
    }

    #[test]
    fn a_name_cannot_turn_the_line_around_nor_break_it() {
        assert_eq!(one_line("a\u{202e}b\u{2028}c\u{200b}\u{e9}"), "a?b?c?\u{e9}");
    }

    #[test]
    fn a_line_of_syslog_has_facility_and_priority() {
        let text = String::from_utf8(syslog(Priority::Error, "x")).unwrap();
        assert!(text.starts_with("<27>obit["), "{text}");
        assert!(one_line(&"\u{e9}".repeat(900)).len() <= LONGEST);
    }

    #[test]
    fn without_a_socket_there_is_an_error_and_no_wait() {
        assert!(send(Path::new("/nonexistent/socket"), b"x").is_err());
    }
}
