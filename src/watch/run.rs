//! The watch itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Log;
use super::alerts::Alerts;
use super::arrivals::{Arrival, Arrivals, State};
use super::directories::{Directories, Happened};
use super::metrics::{Metrics, MetricsFile};
use super::notify::Notifier;
use super::scan::Scan;
use crate::batch::{
    self, BatchError, Code, FirstLook, FoundFile, Summary, Watcher, first_look, look_up, run_found,
    stamp_of,
};
use obit_triage::store::{Store, StoreError};
use obit_triage::views::{CrashEvent, EVENT_SCHEMA, GroupSummary};
use obit_triage::{PackedRecord, Record, RecordStatus};

/// New directories that are searched one by one; of more, all that is there is searched.
const NEW_DIRECTORIES: usize = 64;
/// Files that are read before events are looked at again.
const TOGETHER: usize = 64;
/// How long the store is left alone when it could not be written: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// Between two searches while a directory that the user named is gone.
const MISSING: Duration = Duration::from_secs(2);
/// How long it is looked which of the files that are left are cores to be read.
const LAST_LOOK: Duration = Duration::from_millis(500);
/// The longest sleep: by then the file of metrics is to be written again.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What is watched, and how.
#[derive(Debug)]
pub struct Settings {
    /// Directories that the user named.
    pub roots: Vec<PathBuf>,
    /// How cores are read. Its `stop` ends the watch.
    pub batch: batch::Settings,
    /// Readable as soon as `stop` is set.
    pub wake: OwnedFd,
    /// How long a file that no event reported must not change to be complete.
    pub settle: Duration,
    /// Between two searches for what no event reported.
    pub scan_every: Duration,
    /// Only what is there now.
    pub once: bool,
    /// Where the metrics are written.
    pub metrics_file: Option<MetricsFile>,
}

/// What was not done when a watch ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Cores that are complete and were not read. When there are too many files to look at them
    /// while the process ends, those that were not looked at are counted, too.
    pub unread: usize,
    /// Files that are not complete.
    pub incomplete: usize,
}

/// Why a watch ended early.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The events of directories cannot be waited for.
    #[error("cannot wait for events: {0}")]
    Wait(io::Error),
    /// Of a watch of what is there now: the cores could not be read or stored.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// Watches until it is to stop; or reads what is there, if that is all that is asked for.
///
/// # Errors
/// When it cannot go on. That the store cannot be written for a while is none: it is tried again.
pub fn run(
    store: &mut Store,
    settings: &Settings,
    alerts: Alerts,
    notifier: &Notifier,
    metrics: &Arc<Metrics>,
    log: Log,
) -> Result<Left, WatchError> {
    let directories = match Directories::new() {
        Ok(directories) => Some(directories),
        Err(error) => {
            let seconds = settings.scan_every.as_secs();
            (log.problem)(&format!("no inotify ({error}): searching every {seconds} s"));
            None
        }
    };
    let mut watch = Watch {
        settings,
        alerts,
        notifier,
        metrics,
        log,
        directories,
        arrivals: Arrivals::new(settings.settle),
        unwatched: BTreeSet::new(),
        next_scan: Instant::now(),
        not_before: None,
        pause: PAUSES.0,
        newest: None,
        stored: HashMap::new(),
        given_up: Vec::new(),
        left_out: BTreeSet::new(),
    };
    let outcome = watch.go(store);
    watch.publish();
    outcome
}

struct Watch<'w> {
    settings: &'w Settings,
    alerts: Alerts,
    notifier: &'w Notifier,
    metrics: &'w Arc<Metrics>,
    log: Log,
    /// `None` where the system has no inotify.
    directories: Option<Directories>,
    arrivals: Arrivals,
    unwatched: BTreeSet<PathBuf>,
    next_scan: Instant,
    /// The store is left alone until then.
    not_before: Option<Instant>,
    pause: Duration,
    /// Where the rows of the store begin of which no event was made; `None` if it was made of all.
    newest: Option<i64>,
    /// Records that were stored since.
    stored: HashMap<String, Record>,
    /// Files that were taken to be read when the watch was stopped; some of them were not.
    given_up: Vec<PathBuf>,
    /// Messages about files and directories that are left out; each is printed once.
    left_out: BTreeSet<String>,
}

impl Watch<'_> {
    fn go(&mut self, store: &mut Store) -> Result<Left, WatchError> {
        self.scan();
        loop {
            if self.is_stopped() {
                return Ok(self.left(store));
            }
            self.look()?;
            let now = Instant::now();
            if self.not_before.is_none_or(|time| time <= now) {
                let taken = self.arrivals.take(TOGETHER);
                if !taken.is_empty() || self.newest.is_some() {
                    self.read(store, taken)?;
                    self.publish();
                    continue;
                }
            }
            let is_done = self.arrivals.ready() == 0 && !self.arrivals.are_settling();
            if self.settings.once && is_done {
                return Ok(self.left(store));
            }
            self.publish();
            self.wait()?;
        }
    }

    fn is_stopped(&self) -> bool {
        self.settings.batch.stop.load(Ordering::SeqCst)
    }

    fn left(&mut self, store: &Store) -> Left {
        let mut paths = std::mem::take(&mut self.given_up);
        paths.extend(self.arrivals.take(usize::MAX).into_iter().map(|arrival| arrival.path));
        let (settings, end) = (self.settings, Instant::now() + LAST_LOOK);
        let mut unread = paths.len();
        let mut leave = |found: FoundFile| {
            // A store that cannot be read knows none.
            let is_unknown = |metadata: Metadata| {
                !store.is_known(&stamp_of(&found.path, &metadata)).unwrap_or(false)
            };
            let is_to_be_read = match first_look(&found) {
                FirstLook::Core(metadata) => is_unknown(metadata),
                FirstLook::Failed(..) => fs::metadata(&found.path).is_ok_and(is_unknown),
                FirstLook::Other(_) => false,
            };
            unread = unread.saturating_sub(usize::from(!is_to_be_read));
        };
        let is_stopped = || Instant::now() >= end;
        let follow = settings.batch.follow;
        look_up(&settings.roots, paths, follow, &mut leave, &mut |_| {}, &is_stopped);
        Left { unread, incomplete: self.arrivals.waiting() }
    }

    /// Takes in all that happened, and searches where that is due.
    fn look(&mut self) -> Result<(), WatchError> {
        let happened = match &mut self.directories {
            Some(directories) => directories.happened().map_err(WatchError::Wait)?,
            None => Vec::new(),
        };
        let now = Instant::now();
        let mut is_scan_due = now >= self.next_scan;
        let mut new = BTreeSet::new();
        for one in happened {
            match one {
                Happened::Created(path) => self.arrivals.created(path, now),
                Happened::Read(path) => self.arrivals.only_read(&path, now),
                Happened::Opened(path) => self.arrivals.opened(&path, now),
                Happened::Closed(path) | Happened::MovedIn(path) => self.arrivals.completed(path),
                Happened::Gone(path) => self.arrivals.gone(&path),
                Happened::NewDirectory(path) => drop(new.insert(path)),
                Happened::Missed => {
                    self.metrics.change(|numbers| numbers.overflows += 1);
                    is_scan_due = true;
                }
            }
        }
        if is_scan_due || new.len() > NEW_DIRECTORIES {
            self.scan();
        } else if !new.is_empty() {
            self.search(Some(&new));
        }
        for path in self.arrivals.due(now) {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    self.arrivals.found(&path, State::of(&metadata), now);
                }
                _ => self.arrivals.gone(&path),
            }
        }
        Ok(())
    }

    /// Searches all that is there.
    fn scan(&mut self) {
        // One that is made anew has no watched directory above it that reports it.
        let is_missing = self.settings.roots.iter().any(|root| !root.is_dir());
        let every = self.settings.scan_every;
        let pause = if is_missing { every.min(MISSING) } else { every };
        self.search(None);
        self.next_scan = Instant::now() + pause;
    }

    /// Searches `only` these directories, or all.
    fn search(&mut self, only: Option<&BTreeSet<PathBuf>>) {
        let mut scan = Scan {
            roots: &self.settings.roots,
            follow: self.settings.batch.follow,
            directories: &mut self.directories,
            arrivals: &mut self.arrivals,
            unwatched: &mut self.unwatched,
            stop: &self.settings.batch.stop,
        };
        let problems = match only {
            Some(directories) => scan.below(directories),
            None => scan.all(),
        };
        problems.iter().for_each(|problem| (self.log.problem)(problem));
        self.metrics.change(|numbers| numbers.scans += 1);
    }

    /// Sleeps until something happens or is due.
    fn wait(&self) -> Result<(), WatchError> {
        let now = Instant::now();
        let mut until = now + LONGEST_SLEEP;
        let is_pending = self.arrivals.ready() > 0 || self.newest.is_some();
        let retry = self.not_before.filter(|_| is_pending);
        for time in self.arrivals.next().into_iter().chain(retry).chain([self.next_scan]) {
            until = until.min(time);
        }
        let left = until.saturating_duration_since(now);
        let timeout =
            Timespec::try_from(left).map_err(|_| WatchError::Wait(Errno::INVAL.into()))?;
        let mut sources = vec![PollFd::from_borrowed_fd(self.settings.wake.as_fd(), PollFlags::IN)];
        if let Some(directories) = &self.directories {
            sources.push(PollFd::from_borrowed_fd(directories.events(), PollFlags::IN));
        }
        match poll(&mut sources, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(WatchError::Wait(error.into())),
        }
    }

    /// Reads files into the store, and reports the dumps that are new.
    fn read(&mut self, store: &mut Store, taken: Vec<Arrival>) -> Result<(), WatchError> {
        let states: HashMap<PathBuf, State> = taken
            .iter()
            .filter_map(|one| Some((one.path.clone(), State::of(&fs::metadata(&one.path).ok()?))))
            .collect();
        let outcome = self.store(store, &taken, &states);
        match outcome {
            Ok(()) => {
                self.pause = PAUSES.0;
                self.not_before = None;
                for (path, state) in states {
                    self.arrivals.done(path, state);
                }
                Ok(())
            }
            Err(BatchError::Interrupted { .. }) => {
                self.given_up.extend(taken.into_iter().map(|arrival| arrival.path));
                Ok(())
            }
            Err(error) if self.settings.once => Err(error.into()),
            Err(error) => {
                self.metrics.change(|numbers| numbers.store_errors += 1);
                let seconds = self.pause.as_secs();
                (self.log.problem)(&format!("{error}; trying again in {seconds} s"));
                self.arrivals.put_back(taken);
                self.not_before = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(PAUSES.1);
                Ok(())
            }
        }
    }

    fn store(
        &mut self,
        store: &mut Store,
        taken: &[Arrival],
        states: &HashMap<PathBuf, State>,
    ) -> Result<(), BatchError> {
        let newest = match self.newest {
            Some(newest) => newest,
            None => *self.newest.insert(store.newest_row()?),
        };
        let mut stored = Stored::default();
        let files = taken.iter().map(|arrival| arrival.path.clone());
        let settings = self.settings;
        let outcome = run_found(&settings.roots, files, store, &settings.batch, &mut stored);
        self.stored.extend(stored.records);
        for what in stored.left_out {
            if self.left_out.insert(what.clone()) {
                (self.log.problem)(&what);
            }
        }
        // Without groups there is nothing to report yet: the next attempt does it, of all dumps
        // since `newest`.
        if !matches!(outcome, Ok(_) | Err(BatchError::Interrupted { .. })) {
            return outcome.map(drop);
        }
        let fresh = taken.iter().filter(|arrival| arrival.is_fresh);
        let lag = fresh.filter_map(|arrival| states.get(&arrival.path)?.age()).max();
        let ids = store.dumps_after(newest)?;
        let new: Vec<Record> = ids.iter().filter_map(|id| self.stored.get(id).cloned()).collect();
        let (all, readable) = (new.len(), new.iter().filter(|record| is_readable(record)).count());
        let counts = Counts {
            new: readable as u64,
            new_failed: (all - readable) as u64,
            readable: stored.readable,
            lag,
        };
        self.count(store, outcome.as_ref().ok(), &counts)?;
        self.report(store, new)?;
        self.newest = None;
        self.stored.clear();
        outcome.map(drop)
    }

    fn count(
        &self,
        store: &Store,
        summary: Option<&Summary>,
        counts: &Counts,
    ) -> Result<(), StoreError> {
        let groups = store.counts()?.groups;
        self.metrics.change(|numbers| {
            numbers.groups = groups;
            // Some that replace an incomplete one have its row.
            let some = summary.map_or(0, |summary| summary.new + summary.completed);
            let new = counts.new.max(some.saturating_sub(counts.new_failed));
            numbers.new += new;
            if counts.readable > 0 {
                numbers.last_success = Some(clock());
                numbers.lag = counts.lag.map_or(numbers.lag, |lag| lag.as_secs_f64());
            }
            let Some(summary) = summary else { return };
            numbers.known += counts.readable.saturating_sub(new) + summary.unchanged;
            numbers.failed += summary.failures();
            numbers.skipped += summary.passed.values().sum::<u64>();
            numbers.new_groups += summary.new_groups;
        });
        Ok(())
    }

    /// Says what came, and sends the events that are asked for.
    fn report(&mut self, store: &Store, new: Vec<Record>) -> Result<(), StoreError> {
        let mut of_dump = BTreeMap::new();
        for record in &new {
            if let Some(group) = store.group_of(&record.dump)? {
                of_dump.insert(record.dump.clone(), group);
            }
        }
        let ids: BTreeSet<String> = of_dump.values().cloned().collect();
        let groups = store.groups_with_ids(&ids)?;
        let time = clock() as i64;
        for record in new {
            let id = of_dump.get(&record.dump);
            let group = groups.iter().find(|group| Some(&group.id) == id);
            (self.log.news)(&line(&record, group));
            let unreported = match group {
                Some(group) => {
                    let now = Instant::now();
                    self.alerts.take(&group.id, group.status, group.is_sure, now)
                }
                None => self.alerts.take_unreadable().then_some(0),
            };
            let Some(unreported) = unreported else { continue };
            self.notifier.send(CrashEvent {
                schema: EVENT_SCHEMA.to_owned(),
                id: format!("{}-{time}", record.dump),
                time,
                status: group.map(|group| group.status),
                unreported,
                group: group.cloned(),
                record: Record { group: id.cloned(), ..record },
            });
        }
        Ok(())
    }

    /// Brings the metrics up to date.
    fn publish(&self) {
        let (queued, incomplete) = (self.arrivals.ready() as u64, self.arrivals.waiting() as u64);
        self.metrics.change(|numbers| {
            numbers.queued = queued;
            numbers.incomplete = incomplete;
        });
        if let Some(file) = &self.settings.metrics_file
            && let Err(error) = file.write(self.metrics)
        {
            (self.log.problem)(&format!("the metrics cannot be written: {error}"));
        }
    }
}

/// The records of a batch, by their dumps.
#[derive(Default)]
struct Stored {
    records: HashMap<String, Record>,
    /// How many files have a dump that could be read.
    readable: u64,
    left_out: Vec<String>,
}

/// What the summary of a batch does not say.
struct Counts {
    /// Dumps that are new and could be read.
    new: u64,
    /// Those that are new and could not.
    new_failed: u64,
    /// Files with a dump that could be read, stored before or not.
    readable: u64,
    /// From when the last dump was complete until now, if an event reported it.
    lag: Option<Duration>,
}

impl Watcher for Stored {
    fn left_out(&mut self, what: &str) {
        self.left_out.push(what.to_owned());
    }

    fn passed(&mut self, _: &Path, _: Code) {}

    fn stored(&mut self, record: &PackedRecord, _: &Store) -> io::Result<()> {
        if let Some(record) = record.record() {
            self.readable += u64::from(is_readable(&record));
            self.records.insert(record.dump.clone(), record);
        }
        Ok(())
    }
}

fn is_readable(record: &Record) -> bool {
    record.status != RecordStatus::Failed
}

/// What came, in a line.
fn line(record: &Record, group: Option<&GroupSummary>) -> String {
    let path = record.core.path.as_str();
    if let (RecordStatus::Failed, Some(reason)) = (record.status, &record.reason) {
        return format!("{}: {}", reason.code, reason.text.as_str());
    }
    let title = record.cause.as_ref().map_or("a crash", |cause| cause.title.as_str());
    match group {
        Some(group) => {
            let headline = group.headline.as_deref().unwrap_or(title);
            let (id, status) = (&group.id, group.status_words());
            format!("{path}: {headline} (group {id}: {status}, {} in all)", group.total)
        }
        None => format!("{path}: {title} (no group)"),
    }
}

/// Seconds since 1970.
fn clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
