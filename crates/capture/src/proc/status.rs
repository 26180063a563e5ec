//! `/proc/PID/status`: users, namespaces, signals, who traces (`fs/proc/array.c`,
//! `proc_pid_status`).

use std::io;

use super::{decimal, hexadecimal, malformed, read, read_of_thread, words};
use crate::Tid;

/// What is used of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// `R`, `S`, `T`, `t`, `Z` …
    pub(crate) state: u8,
    /// The process it is a thread of.
    pub(crate) process: Tid,
    /// The parent of the process.
    pub(crate) parent: Tid,
    /// The thread that traces this one, 0 for none.
    pub(crate) tracer: Tid,
    /// Real and effective user.
    pub(crate) users: (u32, u32),
    /// Real and effective group.
    pub(crate) groups: (u32, u32),
    /// The thread in each pid namespace, from that of the reader to its own.
    pub(crate) ids: Vec<Tid>,
    /// Its process group in the same namespaces.
    pub(crate) process_groups: Vec<Tid>,
    /// Its session in the same namespaces.
    pub(crate) sessions: Vec<Tid>,
    /// Signals pending for the thread alone, a bit each.
    pub(crate) pending: u64,
    /// Signals it blocks.
    pub(crate) blocked: u64,
    /// How often it gave up the processor to wait for something.
    pub(crate) waits: u64,
}

impl Status {
    /// That of a process.
    pub(crate) fn of(process: Tid) -> io::Result<Self> {
        Self::parse(&read(process, "status")?).ok_or_else(malformed)
    }

    /// That of one thread.
    pub(crate) fn of_thread(process: Tid, thread: Tid) -> io::Result<Self> {
        Self::parse(&read_of_thread(process, thread, "status")?).ok_or_else(malformed)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut status = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = line.split_at(colon);
            let value = value.get(1..)?;
            let first = words(value).next();
            match name {
                b"State" => status.state = *first?.first()?,
                b"Tgid" => status.process = decimal(first?)?,
                b"PPid" => status.parent = decimal(first?)?,
                b"TracerPid" => status.tracer = decimal(first?)?,
                b"Uid" => status.users = pair(value)?,
                b"Gid" => status.groups = pair(value)?,
                b"NSpid" => status.ids = all(value)?,
                b"NSpgid" => status.process_groups = all(value)?,
                b"NSsid" => status.sessions = all(value)?,
                b"SigPnd" => status.pending = hexadecimal(first?)?,
                b"voluntary_ctxt_switches" => status.waits = decimal(first?)?,
                b"SigBlk" => status.blocked = hexadecimal(first?)?,
                _ => {}
            }
        }
        (status.state != 0).then_some(status)
    }

    /// The thread in its own pid namespace: what it knows itself as, and what locks record as
    /// their owner.
    pub(crate) fn own_id(&self) -> Option<Tid> {
        self.ids.last().copied()
    }
}

fn pair(value: &[u8]) -> Option<(u32, u32)> {
    let mut values = words(value);
    Some((decimal(values.next()?)?, decimal(values.next()?)?))
}

fn all(value: &[u8]) -> Option<Vec<Tid>> {
    words(value).map(decimal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"Name:\tod\xff:d\\nname\nState:\tt (tracing stop)\nTgid:\t77\nPPid:\t4\nTracerPid:\t9\n\
        Uid:\t1000\t1001\t1001\t1001\nGid:\t5\t6\t6\t6\nNSpid:\t77\t3\nNSpgid:\t77\t1\n\
        NSsid:\t70\t0\nSigPnd:\t0000000000000200\nSigBlk:\tfffffffe7ffbfeff\n";

    #[test]
    fn the_last_id_is_that_of_the_innermost_namespace() {
        let status = Status::parse(TEXT).unwrap();
        assert_eq!((status.process, status.own_id()), (77, Some(3)));
        assert_eq!((status.state, status.parent, status.tracer), (b't', 4, 9));
        assert_eq!((status.users, status.groups), ((1000, 1001), (5, 6)));
        assert_eq!((status.pending, status.blocked), (0x200, 0xffff_fffe_7ffb_feff));
    }

    #[test]
    fn a_status_of_ones_own_can_be_read() {
        let own = i32::try_from(std::process::id()).unwrap();
        let status = Status::of(own).unwrap();
        assert_eq!(status.ids.first(), Some(&own));
    }

    #[test]
    fn what_is_no_status_is_none() {
        assert_eq!(Status::parse(b""), None);
        assert_eq!(Status::parse(b"State:\n"), None);
        assert_eq!(Status::parse(b"State:\tS\nPPid:\tx\n"), None);
    }
}
