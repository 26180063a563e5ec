//! `/proc/PID/stat`: name, times, flags (`fs/proc/array.c`, `do_task_stat`).

use std::io;

use super::{decimal, malformed, read, read_of_thread, words};
use crate::Tid;

/// `PF_KTHREAD` (`include/linux/sched.h`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What is used of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The name, at most 15 bytes.
    pub(crate) name: Vec<u8>,
    /// `R`, `S`, `T`, `t`, `Z` …
    pub(crate) state: u8,
    /// Flags of the thread in the kernel, `PF_…`.
    pub(crate) flags: u64,
    /// Clock ticks in user code and in the kernel; of a process, those of all its threads.
    pub(crate) times: (u64, u64),
    /// The same of the children it waited for.
    pub(crate) children: (u64, u64),
    /// Nice value, -20 to 19.
    pub(crate) nice: i8,
}

impl Stat {
    /// That of a process.
    pub(crate) fn of(process: Tid) -> io::Result<Self> {
        Self::parse(&read(process, "stat")?).ok_or_else(malformed)
    }

    /// That of one thread.
    pub(crate) fn of_thread(process: Tid, thread: Tid) -> io::Result<Self> {
        Self::parse(&read_of_thread(process, thread, "stat")?).ok_or_else(malformed)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        // The name may hold anything, parentheses, too.
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let name = text.get(open.checked_add(1)?..close)?.to_vec();
        let fields: Vec<_> = words(text.get(close.checked_add(1)?..)?.trim_ascii_end()).collect();
        // proc(5) counts fields from 1, and the state is the third.
        let field = |number: usize| fields.get(number.checked_sub(3)?).copied();
        let number = |at: usize| decimal::<u64>(field(at)?);
        // Signed in the kernel, though never negative.
        let of_child = |at: usize| u64::try_from(decimal::<i64>(field(at)?)?).ok();
        Some(Self {
            name,
            state: *field(3)?.first()?,
            flags: number(9)?,
            times: (number(14)?, number(15)?),
            children: (of_child(16)?, of_child(17)?),
            nice: decimal(field(19)?)?,
        })
    }

    /// Whether it is a thread of the kernel, which has no memory of its own.
    pub(crate) fn is_of_kernel(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let text = b"7 (a) S (\xff) t 1 7 7 0 -1 4194560 1 2 3 4 11 12 13 14 20 -5 3 0 99\n";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(stat.name, b"a) S (\xff");
        assert_eq!((stat.state, stat.nice), (b't', -5));
        assert_eq!((stat.times, stat.children), ((11, 12), (13, 14)));
        assert!(!stat.is_of_kernel());
    }

    #[test]
    fn the_kernels_own_threads_are_known_by_their_flag() {
        let text = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1";
        assert!(Stat::parse(text).unwrap().is_of_kernel());
    }

    #[test]
    fn a_stat_of_ones_own_can_be_read_and_a_cut_one_is_none() {
        assert!(Stat::of(i32::try_from(std::process::id()).unwrap()).is_ok());
        assert_eq!(Stat::parse(b"7 (a"), None);
        assert_eq!(Stat::parse(b"7 (a) S 1"), None);
    }
}
