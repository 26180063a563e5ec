//! The worker's side: one core after the other, until there are no more.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};

use super::image_code::{CodeAnswer, CodeQuestion, answer};
use crate::sandbox::{Remote, Task, unpack_for};
use obit_corefile::dump::CoreFile;
use obit_corefile::limits::Limits;
use obit_dwarf::locate::Locator;

/// Bytes of memory of its own after which a worker makes room for a new one.
const ENOUGH: u64 = 96 << 20;

/// The worker goes on.
pub(super) const STAYS: u8 = 0;
/// The worker ends after this.
pub(super) const GOES: u8 = 1;
/// The worker ends after this, as it met a bug; a text follows instead of an answer.
pub(super) const BUG: u8 = 2;

/// How much memory this process takes, asked of a file that was opened while that was possible.
#[derive(Debug)]
pub struct MemoryUse {
    /// `/proc/self/statm`.
    file: File,
    /// Bytes of a page.
    page: u64,
}

impl MemoryUse {
    /// To be called before the process is confined.
    pub fn open() -> Option<Self> {
        let file = File::open("/proc/self/statm").ok()?;
        Some(Self { file, page: rustix::param::page_size() as u64 })
    }

    /// Bytes in memory that are not of files.
    fn own(&self) -> Option<u64> {
        let mut text = [0; 256];
        let length = self.file.read_at(&mut text, 0).ok()?;
        let pages = std::str::from_utf8(text.get(..length)?).ok()?;
        let mut pages = pages.split(' ').map(|count| count.parse::<u64>().ok());
        let (resident, shared) = (pages.nth(1)??, pages.next()??);
        Some(resident.saturating_sub(shared).saturating_mul(self.page))
    }
}

/// Answers each core that comes in by what `work` makes of it, and each question on code by what `locator`
/// finds; an archive is unpacked within `limits`.
///
/// # Errors
/// When the other side cannot be read or written.
pub fn serve(
    remote: &Remote,
    memory_use: Option<&MemoryUse>,
    (locator, limits): (&Locator, &Limits),
    work: &mut dyn FnMut(CoreFile) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    while let Some(task) = remote.next_task()? {
        let core = match task {
            Task::Core(core) => core,
            Task::Code(question) => {
                let question: CodeQuestion = serde_json::from_slice(&question)?;
                let answer: CodeAnswer = answer(locator, &question);
                remote.done(&[&serde_json::to_vec(&answer)?])?;
                continue;
            }
            Task::Archive(file, time) => {
                unpack_for(remote, file, time, limits)?;
                continue;
            }
            // A batch keeps no core.
            Task::Question(_) => return Err(io::ErrorKind::InvalidData.into()),
        };
        let Ok(answer) = panic::catch_unwind(AssertUnwindSafe(|| work(core))) else {
            // What may be half changed is not used again.
            return remote.done(&[&[BUG]]);
        };
        let answer = answer?;
        let goes = memory_use.and_then(MemoryUse::own).is_some_and(|bytes| bytes > ENOUGH);
        remote.done(&[&[if goes { GOES } else { STAYS }], &answer])?;
        if goes {
            break;
        }
    }
    Ok(())
}
