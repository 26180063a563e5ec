//! The worker's side: one core after the other, until there are no more.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use rustix::process::{Resource, Rlimit, Signal};

use super::messages;
use obit_triage::{PackedRecord, Record};

/// Bytes of memory of its own after which a worker makes room for a new one.
const ENOUGH: u64 = 96 << 20;

/// The worker goes on.
pub(super) const STAYS: u8 = 0;
/// The worker ends after this.
pub(super) const GOES: u8 = 1;
/// The worker ends after this, as it met a bug; a text follows instead of a record.
pub(super) const BUG: u8 = 2;

/// Sees to it that this process takes no more than `memory` bytes of its own, leaves no core
/// itself, and does not outlive the one that started it.
///
/// The limit is on what is written to (`RLIMIT_DATA`): a map of a large debug file takes
/// addresses, not memory.
pub fn with_limits(memory: u64) {
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    // Where a limit cannot be set, the time still is one.
    let _ = rustix::process::setrlimit(Resource::Data, limit(memory));
    let _ = rustix::process::setrlimit(Resource::Core, limit(0));
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Answers each path that comes in by a record.
///
/// # Errors
/// When the other side cannot be read or written.
pub fn serve(
    from: &mut impl Read,
    to: &mut impl Write,
    work: &mut dyn FnMut(&Path) -> Record,
) -> io::Result<()> {
    while let Some(path) = messages::receive(from)? {
        let path = Path::new(OsStr::from_bytes(&path));
        let Ok(record) = panic::catch_unwind(AssertUnwindSafe(|| work(path))) else {
            // What may be half changed is not used again.
            return messages::send(to, &[&[BUG]]);
        };
        let record = PackedRecord::of(&record)?.to_message()?;
        let goes = own_memory().is_some_and(|bytes| bytes > ENOUGH);
        messages::send(to, &[&[if goes { GOES } else { STAYS }], &record])?;
        if goes {
            break;
        }
    }
    Ok(())
}

/// Bytes in memory that are not of files.
fn own_memory() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = pages.split(' ').map(|count| count.parse::<u64>().ok());
    let (resident, shared) = (pages.nth(1)??, pages.next()??);
    Some(resident.saturating_sub(shared).saturating_mul(rustix::param::page_size() as u64))
}
