//! A batch from its paths to the store.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::analyze::failed;
use super::code::Code;
use super::code_comparison::compare_code;
use super::first_look::{FirstLook, first_look, is_named_like_a_core};
use super::identity::{stamp_of, stamp_of_nth, stamp_without_file};
use super::journal::Journal;
use super::pool::{Done, FileAnswers, Job, WorkerPool};
use super::walk::{FoundFile, look_up, walk};
use super::worker_process::WorkerCommand;
use crate::report::BuildOptions;
use crate::sandbox::Broker;
use obit_corefile::mapped_file::open_regular;
use obit_triage::shard::{Listing, Shard};
use obit_triage::store::{FileStamp, Store, StoreError};
use obit_triage::{PackedRecord, RecordStatus};

/// Records that are committed together, at most.
const TOGETHER: usize = 64;
/// Time after which those that there are are committed.
const HELD: Duration = Duration::from_millis(500);

/// How a batch is done.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How workers are started.
    pub worker: WorkerCommand,
    /// Workers.
    pub jobs: NonZeroUsize,
    /// Time for one core.
    pub timeout: Duration,
    /// Follow links that lead out of the directories that were given.
    pub follow: bool,
    /// Read what was read before, too.
    pub rescan: bool,
    /// How failures are shown.
    pub build: BuildOptions,
    /// What the journal says of the cores.
    pub journal: Arc<Journal>,
    /// What opens files for the workers.
    pub broker: Arc<Broker>,
    /// Which part of the files is read.
    pub shard: Shard,
    /// Compare the code of the builds of programs.
    pub compares_code: bool,
    /// Set to end the batch early; what was read until then is kept.
    pub stop: Arc<AtomicBool>,
    /// What becomes of the cores that are being read then.
    pub when_stopped: WhenStopped,
}

/// What becomes of cores that are being read when a batch is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStopped {
    /// They are given up.
    #[default]
    Abandon,
    /// They are read to the end and stored.
    Finish,
}

/// In which order records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the files were given.
    #[default]
    Input,
    /// As they are done.
    Finished,
}

/// Receives the events of a batch while it runs.
pub trait Watcher {
    /// So many files were looked at so far, to find those that will be read.
    fn looked_at(&mut self, _files: u64) {}
    /// A file that was named is not there. It has no record.
    fn missing(&mut self, _why: &str) {}
    /// What was not searched or followed, in a sentence.
    fn left_out(&mut self, _what: &str) {}
    /// So many files will be read.
    fn planned(&mut self, _files: u64) {}
    /// A file was looked at and skipped.
    fn passed(&mut self, _path: &Path, _why: Code) {}
    /// A question was answered for a core; or not, why: a word and a sentence.
    fn answered(&mut self, _failure: Option<(&str, &str)>) {}
    /// A record is in the store.
    ///
    /// # Errors
    /// When it could not be reported: the batch ends.
    fn stored(&mut self, _record: &PackedRecord, _store: &Store) -> std::io::Result<()> {
        Ok(())
    }
}

/// Why a batch ended early. What was committed stays.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system starts no process.
    #[error("no worker can be started: {0}")]
    Worker(std::io::Error),
    /// The receiver of records failed.
    #[error(transparent)]
    Output(std::io::Error),
    /// It was to stop.
    #[error(
        "interrupted: {stored} of {planned} dumps were stored and are kept; run the same command \
         again to read the rest"
    )]
    Interrupted {
        /// Files that are in the store, of those that were to be read.
        stored: u64,
        /// Files that were to be read.
        planned: u64,
    },
}

/// What a batch came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The files that have a record, in the order of the input.
    pub files: Vec<[u8; 32]>,
    /// Dumps that were not known.
    pub new: u64,
    /// Files with a dump that was known, from another path or an earlier run.
    pub known: u64,
    /// Files that were read before, and have not changed.
    pub unchanged: u64,
    /// Dumps that now replace an incomplete one.
    pub completed: u64,
    /// Files without a report, by reason; those of this run.
    pub failed: BTreeMap<Code, u64>,
    /// Files that are not cores, by reason.
    pub passed: BTreeMap<Code, u64>,
    /// All files that were found, those of other parts among them.
    pub listing: Listing,
    /// Groups in the store.
    pub groups: u64,
    /// Of these, new ones.
    pub new_groups: u64,
    /// How long it took.
    pub took: Duration,
}

/// The jobs, and for each file the keys of its cores.
type Planned = (Vec<Job>, Vec<Vec<[u8; 32]>>);

impl Summary {
    /// Whether a file could not be looked at that may be a core: then it is not known what
    /// the batch is a part of.
    pub fn is_partial(&self) -> bool {
        self.failed.contains_key(&Code::Unreadable)
    }

    /// Files without a report.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// Reads all cores of `paths` and below them into `store`, those that it knows left out.
///
/// # Errors
/// When the store cannot be read or written, or `watcher` fails.
pub fn run(
    paths: impl IntoIterator<Item = PathBuf>,
    store: &mut Store,
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Summary, BatchError> {
    let paths: Vec<PathBuf> = paths.into_iter().collect();
    let mut listing = Listing::default();
    let search = |take: &mut dyn FnMut(FoundFile)| {
        let roots = paths.clone();
        walk(paths, settings.follow, &mut |found| {
            let path = below_roots(&roots, &found).as_os_str().as_bytes();
            listing.add(path);
            if settings.shard.takes(path) {
                take(found);
            }
        });
    };
    let summary = run_all(search, store, settings, watcher)?;
    Ok(Summary { listing, ..summary })
}

/// What says which part a file is of: its path below the directory that was given, which may
/// be elsewhere on another machine. Of a file that was named, or found by a pattern, as it is.
fn below_roots<'f>(roots: &[PathBuf], found: &'f FoundFile) -> &'f Path {
    let path = found.path.as_path();
    let root = roots.iter().find(|root| !found.named && path.starts_with(root));
    root.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path)
}

/// Reads `found` files, which were found below `roots`, into `store`, by the same rules as if
/// `roots` were searched now.
///
/// # Errors
/// Those of [`run`].
pub fn run_found(
    roots: &[PathBuf],
    found: impl IntoIterator<Item = PathBuf>,
    store: &mut Store,
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Summary, BatchError> {
    let search = |take: &mut dyn FnMut(FoundFile)| {
        let is_stopped = || settings.stop.load(Ordering::Relaxed);
        look_up(roots, found, settings.follow, take, &mut |_| {}, &is_stopped);
    };
    run_all(search, store, settings, watcher)
}

/// Reads the files that `search` finds.
fn run_all(
    search: impl FnOnce(&mut dyn FnMut(FoundFile)),
    store: &mut Store,
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Summary, BatchError> {
    let begun = Instant::now();
    let newest = store.newest_row()?;
    let mut batch = Batch {
        store,
        settings,
        watcher,
        summary: Summary::default(),
        held: Vec::new(),
        since: begun,
        looked_at: 0,
        stored: 0,
    };
    let (jobs, files) = batch.plan(search)?;
    let mut files: Vec<Vec<[u8; 32]>> = files;
    let planned = jobs.len() as u64;
    batch.watcher.planned(planned);
    if !jobs.is_empty() {
        let size = NonZeroUsize::new(jobs.len()).unwrap_or(settings.jobs).min(settings.jobs);
        let pool = WorkerPool::new(
            settings.worker.clone(),
            size,
            settings.timeout,
            settings.build.clone(),
            (&settings.broker, &settings.journal),
        );
        let most = match settings.when_stopped {
            WhenStopped::Abandon => size.get().saturating_mul(2),
            // One that waits would have to be read, too.
            WhenStopped::Finish => size.get(),
        };
        batch.read(jobs, &pool, most, &mut files)?;
    }
    batch.commit()?;
    let is_stopped = batch.is_stopped();
    let Batch { store, mut summary, stored, .. } = batch;
    let regrouped = store.regroup()?;
    if is_stopped {
        return Err(BatchError::Interrupted { stored: stored.min(planned), planned });
    }
    summary.groups = regrouped.groups;
    summary.new_groups = regrouped.new;
    if settings.compares_code {
        compare_code(store, &settings.worker, &settings.broker, newest)?;
    }
    summary.files = files.into_iter().flatten().collect();
    summary.took = begun.elapsed();
    Ok(summary)
}

struct Batch<'b> {
    store: &'b mut Store,
    settings: &'b Settings,
    watcher: &'b mut dyn Watcher,
    summary: Summary,
    /// Not committed yet.
    held: Vec<(FileStamp, PackedRecord)>,
    /// Since when there is something held.
    since: Instant,
    /// Files that were looked at.
    looked_at: u64,
    /// Records that were committed.
    stored: u64,
}

impl Batch<'_> {
    /// What is to be read, and for each place in the order of the input the file's key.
    fn plan(
        &mut self,
        search: impl FnOnce(&mut dyn FnMut(FoundFile)),
    ) -> Result<Planned, BatchError> {
        let (mut jobs, mut files) = (Vec::new(), Vec::new());
        let mut outcome = Ok(());
        search(&mut |found| {
            if outcome.is_ok() && !self.is_stopped() {
                self.looked_at += 1;
                self.watcher.looked_at(self.looked_at);
                outcome = self.plan_one(found, &mut jobs, &mut files);
            }
        });
        outcome?;
        self.say_what_is_left_out();
        self.commit()?;
        Ok((jobs, files))
    }

    fn plan_one(
        &mut self,
        found: FoundFile,
        jobs: &mut Vec<Job>,
        files: &mut Vec<Vec<[u8; 32]>>,
    ) -> Result<(), BatchError> {
        match first_look(&found) {
            FirstLook::Core(metadata) => {
                let stamp = stamp_of(&found.path, &metadata);
                let at = files.len();
                files.push(vec![stamp.key]);
                if self.is_known(&stamp)? {
                    self.summary.unchanged += 1;
                    self.add_further(&stamp, files)?;
                } else {
                    jobs.push(Job { at, path: found.path, stamp, named: found.named });
                }
            }
            FirstLook::Other(code) => self.pass(&found.path, code),
            // A slip of the hand is no crash.
            FirstLook::Failed(Code::Missing, why) => {
                *self.summary.failed.entry(Code::Missing).or_default() += 1;
                self.watcher.missing(&why);
            }
            FirstLook::Failed(code, why) => {
                let stamp = found.path.metadata().map(|metadata| stamp_of(&found.path, &metadata));
                let stamp = stamp.unwrap_or_else(|_| stamp_without_file(&found.path));
                files.push(vec![stamp.key]);
                let build = &self.settings.build;
                let file = open_regular(&found.path).ok();
                let record = failed(&found.path, file.as_ref(), build, code, &why);
                self.hold(stamp, PackedRecord::of(&record).map_err(BatchError::Output)?)?;
            }
        }
        Ok(())
    }

    /// Adds the keys of the further cores of an archive that is known.
    fn add_further(
        &mut self,
        stamp: &FileStamp,
        files: &mut [Vec<[u8; 32]>],
    ) -> Result<(), StoreError> {
        let Some(keys) = files.last_mut() else { return Ok(()) };
        for number in 1.. {
            let further = stamp_of_nth(stamp, number);
            if !self.store.is_known(&further)? {
                break;
            }
            keys.push(further.key);
            self.summary.unchanged += 1;
        }
        Ok(())
    }

    /// Says what the user may take for searched and was not.
    fn say_what_is_left_out(&mut self) {
        for what in left_out(&self.summary.passed) {
            self.watcher.left_out(&what);
        }
    }

    fn is_stopped(&self) -> bool {
        self.settings.stop.load(Ordering::Relaxed)
    }

    fn is_known(&self, stamp: &FileStamp) -> Result<bool, StoreError> {
        Ok(!self.settings.rescan && self.store.is_known(stamp)?)
    }

    fn pass(&mut self, path: &Path, code: Code) {
        *self.summary.passed.entry(code).or_default() += 1;
        self.watcher.passed(path, code);
    }

    fn read(
        &mut self,
        jobs: Vec<Job>,
        pool: &WorkerPool<PackedRecord>,
        most: usize,
        files: &mut [Vec<[u8; 32]>],
    ) -> Result<(), BatchError> {
        let mut jobs = jobs.into_iter();
        loop {
            let is_stopped = self.is_stopped();
            if is_stopped && self.settings.when_stopped == WhenStopped::Abandon {
                return Ok(());
            }
            while !is_stopped && pool.under_way() < most {
                let Some(job) = jobs.next() else { break };
                // Another run may have been quicker.
                if self.is_known(&job.stamp)? {
                    self.summary.unchanged += 1;
                    continue;
                }
                pool.give(job);
            }
            if pool.under_way() == 0 {
                return Ok(());
            }
            if let Some(done) = pool.take(HELD) {
                self.done(done, files)?;
            }
            if self.since.elapsed() >= HELD {
                self.commit()?;
            }
        }
    }

    fn done(
        &mut self,
        done: Done<PackedRecord>,
        files: &mut [Vec<[u8; 32]>],
    ) -> Result<(), BatchError> {
        // What interrupts a batch from its terminal ends its workers, too.
        if self.is_stopped() && self.settings.when_stopped == WhenStopped::Abandon {
            return Ok(());
        }
        let Done { job, found } = done;
        let FileAnswers { answers: records, notes, is_partial } =
            found.map_err(BatchError::Worker)?;
        notes.iter().for_each(|note| self.watcher.left_out(note));
        if let [record] = &*records
            && let Some(code) = code_of(record)
        {
            let is_other = match code {
                // It only looked like one: a packed text.
                Code::NotACore | Code::Missing => !job.named,
                Code::Packing => !job.named && !is_named_like_a_core(&job.path),
                _ => false,
            };
            if is_other {
                if let Some(file) = files.get_mut(job.at) {
                    file.clear();
                }
                self.pass(&job.path, code);
                return Ok(());
            }
        }
        let stamps = (0..records.len()).map(|number| stamp_of_nth(&job.stamp, number));
        let mut stamps: Vec<_> = stamps.collect();
        if is_partial || records.iter().any(|record| record.head().servers_failed) {
            // The next run unpacks it again, as `hold` has it for one core.
            stamps.iter_mut().for_each(|stamp| stamp.mtime = i64::MIN);
        }
        if let Some(file) = files.get_mut(job.at) {
            *file = stamps.iter().map(|stamp| stamp.key).collect();
        }
        // That of the archive itself comes last: it says that all of them are there.
        for (stamp, record) in stamps.into_iter().zip(records).rev() {
            self.hold(stamp, record)?;
        }
        Ok(())
    }

    fn hold(&mut self, stamp: FileStamp, record: PackedRecord) -> Result<(), BatchError> {
        if record.head().status == RecordStatus::Failed {
            let code = code_of(&record).unwrap_or(Code::Unreadable);
            *self.summary.failed.entry(code).or_default() += 1;
        }
        if self.held.is_empty() {
            self.since = Instant::now();
        }
        let mut stamp = stamp;
        if record.head().servers_failed {
            // No file has this time: the next run takes it for changed.
            stamp.mtime = i64::MIN;
        }
        self.held.push((stamp, record));
        if self.held.len() >= TOGETHER { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), BatchError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let added = self.store.add(&self.held, now())?;
        self.summary.new += added.new;
        self.summary.known += added.known;
        self.summary.completed += added.completed;
        self.stored += self.held.len() as u64;
        for (_, record) in self.held.drain(..) {
            self.watcher.stored(&record, self.store).map_err(BatchError::Output)?;
        }
        Ok(())
    }
}

/// What of the files that were skipped the user may take for read, in sentences.
pub(crate) fn left_out(passed: &BTreeMap<Code, u64>) -> Vec<String> {
    let kinds = [
        (Code::LinkOutside, "links out of what was given, not followed without --follow"),
        (Code::LinkOfOther, "links of other users where everyone may put them, not followed"),
        (Code::TooDeep, "directories within too many others, not searched"),
        (Code::TooMany, "searches that ended early: there are too many files"),
    ];
    let counted = kinds.iter().filter_map(|(code, what)| Some((passed.get(code)?, what)));
    counted.map(|(count, what)| format!("{what}: {count}")).collect()
}

/// Why there is no report.
fn code_of(record: &PackedRecord) -> Option<Code> {
    Code::of_word(&record.head().reason.as_ref()?.code)
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
