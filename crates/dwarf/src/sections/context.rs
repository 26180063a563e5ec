//! What all readers of one image share: files, limits, the work that is left, and what
//! went wrong.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::locate::DebugFiles;
use crate::sections::cache::SectionCache;
use obit_corefile::elf::ElfImage;
use obit_corefile::limits::Limits;
use obit_corefile::notice::Notice;

/// Finds the `.dwo` file of a unit: given the image's files, `DW_AT_comp_dir` and
/// `DW_AT_dwo_name`, the file, or else the places where it was looked for.
pub type SplitLoader =
    Arc<dyn Fn(&DebugFiles, &[u8], &[u8]) -> Result<Arc<ElfImage>, Vec<PathBuf>> + Send + Sync>;

/// What is wrong in one image's debug information, each problem reported once.
#[derive(Debug)]
pub(crate) struct NoticeLog {
    path: String,
    notices: Mutex<BTreeSet<Notice>>,
}

/// Notices kept per image; a damaged file has as many faults as it has entries.
const MAX_NOTICES: usize = 32;

impl NoticeLog {
    pub(crate) fn new(path: String) -> Self {
        Self { path, notices: Mutex::default() }
    }

    /// Something in a debug section could not be read.
    pub(crate) fn malformed(&self, problem: impl FnOnce() -> String) {
        self.add(|path| Notice::DwarfMalformed { path, problem: problem() });
    }

    pub(crate) fn part_missing(&self, name: &[u8], searched: Vec<PathBuf>) {
        let name = String::from_utf8_lossy(name).into_owned();
        self.add(|path| Notice::DebugPartMissing { path, name, searched });
    }

    fn add(&self, notice: impl FnOnce(String) -> Notice) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.len() < MAX_NOTICES {
            notices.insert(notice(self.path.clone()));
        }
    }

    pub(crate) fn all(&self) -> Vec<Notice> {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.iter().cloned().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// Everything that is needed to load and to judge, whatever file is read.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) files: DebugFiles,
    pub(crate) limits: Limits,
    pub(crate) log: Arc<NoticeLog>,
    pub(crate) split: SplitLoader,
    pub(crate) cache: Option<SectionCache>,
    /// Entries, rows and ranges that may still be read for this image. Small inputs can
    /// describe the same bytes over and over; honest ones never come near the end.
    pub(crate) work: Arc<AtomicU64>,
}

impl Context {
    /// Takes `amount` of the work that may still be done; `false` when there is none left.
    pub(crate) fn spend(&self, amount: u64) -> bool {
        let taken = self
            .work
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount));
        if taken.is_err() {
            let limit = self.limits.entries_per_lookup as u64;
            self.log.add(|_| Notice::LimitReached { what: "debugging information entries", limit });
        }
        taken.is_ok()
    }

    /// Reports `error`, met while reading `what`.
    pub(crate) fn report(&self, what: &str, error: gimli::Error) {
        self.log.malformed(|| format!("{what}: {error}"));
    }
}

/// Counts the entries or rows of one walk: against its own limit, and against the work
/// that may be done in all, which is taken in portions as threads share it.
pub(crate) struct Meter<'x> {
    context: &'x Context,
    portion: u64,
    left: usize,
}

/// Entries taken at a time.
const PORTION: u64 = 1024;

impl<'x> Meter<'x> {
    pub(crate) fn new(context: &'x Context, limit: usize) -> Self {
        Self { context, portion: 0, left: limit }
    }

    /// Whether one more may be read.
    #[inline]
    pub(crate) fn step(&mut self) -> bool {
        if self.portion == 0 {
            if !self.context.spend(PORTION) {
                return false;
            }
            self.portion = PORTION;
        }
        self.portion = self.portion.saturating_sub(1);
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// Whether `count` more may be read.
    pub(crate) fn steps(&mut self, count: usize) -> bool {
        let wanted = count as u64;
        while self.portion < wanted {
            if !self.context.spend(PORTION) {
                return false;
            }
            self.portion = self.portion.saturating_add(PORTION);
        }
        self.portion = self.portion.saturating_sub(wanted);
        let may = self.left >= count;
        self.left = self.left.saturating_sub(count);
        may
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.context.work.fetch_add(self.portion, Ordering::Relaxed);
    }
}
