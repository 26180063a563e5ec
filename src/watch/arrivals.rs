//! Which files are complete: closed after they were written, moved or linked into place, or
//! unchanged for a while.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A file that is opened when it is created is so within microseconds; one that is not has been
/// linked, and is whole.
const OPENED_WITHIN: Duration = Duration::from_millis(100);
/// A file that did not change for so long, by the clock of its file system, needs no second look.
const LONG_AGO: Duration = Duration::from_secs(60);
/// A file that is open for writing, as far as events say, is read if nothing was written to it for
/// so long: the event may have been lost that it was closed.
const ABANDONED: Duration = Duration::from_secs(600);

/// What shows that a file was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    size: u64,
    modified: (i64, i64),
    /// Also changed by renaming and linking, and not to be set by anyone.
    changed: (i64, i64),
    inode: (u64, u64),
}

impl State {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }

    /// How long ago it was changed, by the clock on the wall.
    pub(super) fn age(self) -> Option<Duration> {
        let (seconds, nanoseconds) = self.changed;
        let since = Duration::new(
            u64::try_from(seconds).ok()?,
            u32::try_from(nanoseconds).unwrap_or_default(),
        );
        SystemTime::now().duration_since(UNIX_EPOCH.checked_add(since)?).ok()
    }

    /// The same file with the same content. That it was renamed or linked does not count.
    fn is_same(self, other: Self) -> bool {
        Self { changed: other.changed, ..self } == other
    }
}

/// How a file came that is not known to be complete.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Its name appeared just now.
    Created,
    /// It is open for writing.
    Written,
    /// It was found by a search.
    Found,
}

/// A file that is not known to be complete.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    way: Way,
    /// When it was looked at, or when it came.
    since: Instant,
    /// As it was then.
    state: Option<State>,
}

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) path: PathBuf,
    /// An event reported it, just now.
    pub(super) is_fresh: bool,
}

/// The files of the watched directories.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// How long a file that was found must not change.
    settle: Duration,
    waiting: BTreeMap<PathBuf, Waiting>,
    ready: VecDeque<Arrival>,
    /// Those in `ready`.
    queued: HashSet<PathBuf>,
    /// Files that were read, as they were then.
    read: HashMap<PathBuf, State>,
}

impl Arrivals {
    /// None yet. A file that was found, and reported by no event, is complete if it does not
    /// change during `settle`.
    pub(super) fn new(settle: Duration) -> Self {
        Self {
            settle,
            waiting: BTreeMap::new(),
            ready: VecDeque::new(),
            queued: HashSet::new(),
            read: HashMap::new(),
        }
    }

    /// A name appeared.
    pub(super) fn created(&mut self, path: PathBuf, now: Instant) {
        self.waiting.insert(path, Waiting { way: Way::Created, since: now, state: None });
    }

    /// A file was opened. If it appeared just now, then to be written.
    pub(super) fn opened(&mut self, path: &Path, now: Instant) {
        if let Some(waiting) = self.waiting.get_mut(path)
            && matches!(waiting.way, Way::Created)
        {
            *waiting = Waiting { way: Way::Written, since: now, state: None };
        }
    }

    /// A file that was opened was not written to. Who opened it may be another reader of cores, and
    /// the file be whole already.
    pub(super) fn only_read(&mut self, path: &Path, now: Instant) {
        if let Some(waiting) = self.waiting.get_mut(path)
            && matches!(waiting.way, Way::Written)
        {
            *waiting = Waiting { way: Way::Found, since: now, state: None };
        }
    }

    /// A file is complete, as an event says.
    pub(super) fn completed(&mut self, path: PathBuf) {
        self.waiting.remove(&path);
        self.queue(path, true);
    }

    /// A name is gone.
    pub(super) fn gone(&mut self, path: &Path) {
        self.waiting.remove(path);
        self.read.remove(path);
        if self.queued.remove(path) {
            self.ready.retain(|arrival| arrival.path != path);
        }
    }

    /// A file is there, and is `state` now.
    pub(super) fn found(&mut self, path: &Path, state: State, now: Instant) {
        if self.queued.contains(path) || self.read.get(path).is_some_and(|it| it.is_same(state)) {
            return;
        }
        let settle = self.settle;
        let waiting = self.waiting.entry(path.to_owned()).or_insert(Waiting {
            way: Way::Found,
            since: now,
            state: None,
        });
        let patience = match waiting.way {
            Way::Created => return,
            Way::Written => ABANDONED,
            Way::Found => settle,
        };
        let is_old = matches!(waiting.way, Way::Found)
            && waiting.state.is_none()
            && state.age().is_some_and(|age| age >= LONG_AGO);
        let is_same = waiting.state.is_some_and(|before| before.is_same(state));
        if is_old || is_same && now.saturating_duration_since(waiting.since) >= patience {
            self.waiting.remove(path);
            self.queue(path.to_owned(), false);
        } else if !is_same {
            (waiting.state, waiting.since) = (Some(state), now);
        }
    }

    /// Forgets what was read and is not in `there`, all that a search found.
    pub(super) fn keep(&mut self, there: &HashSet<PathBuf>) {
        self.read.retain(|path, _| there.contains(path));
        self.waiting.retain(|path, one| !matches!(one.way, Way::Found) || there.contains(path));
    }

    /// The files to be looked at now, whether they have changed. Those that were linked into
    /// place become ready by this.
    pub(super) fn due(&mut self, now: Instant) -> Vec<PathBuf> {
        let (mut linked, mut due) = (Vec::new(), Vec::new());
        for (path, waiting) in &self.waiting {
            if self.time(waiting).is_some_and(|time| time <= now) {
                match waiting.way {
                    Way::Created => linked.push(path.clone()),
                    Way::Written | Way::Found => due.push(path.clone()),
                }
            }
        }
        for path in linked {
            self.completed(path);
        }
        due
    }

    /// When [`Arrivals::due`] has something to do; `None` if never.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.values().filter_map(|waiting| self.time(waiting)).min()
    }

    fn time(&self, waiting: &Waiting) -> Option<Instant> {
        waiting.since.checked_add(match waiting.way {
            Way::Created => OPENED_WITHIN,
            Way::Written => ABANDONED,
            // At once, if it was not looked at yet.
            Way::Found if waiting.state.is_none() => Duration::ZERO,
            Way::Found => self.settle,
        })
    }

    /// Takes at most `most` files that are complete, the first to come first.
    pub(super) fn take(&mut self, most: usize) -> Vec<Arrival> {
        let taken: Vec<Arrival> = self.ready.drain(..most.min(self.ready.len())).collect();
        for arrival in &taken {
            self.queued.remove(&arrival.path);
        }
        taken
    }

    /// Files that could not be handled now; they come first again.
    pub(super) fn put_back(&mut self, arrivals: Vec<Arrival>) {
        for arrival in arrivals.into_iter().rev() {
            if self.queued.insert(arrival.path.clone()) {
                self.ready.push_front(arrival);
            }
        }
    }

    /// A file was read when it was `state`.
    pub(super) fn done(&mut self, path: PathBuf, state: State) {
        self.read.insert(path, state);
    }

    /// Files that are complete and not taken.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Files that are not known to be complete.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a search found files that may be complete in a moment.
    pub(super) fn are_settling(&self) -> bool {
        self.waiting.values().any(|waiting| !matches!(waiting.way, Way::Written))
    }

    fn queue(&mut self, path: PathBuf, is_fresh: bool) {
        if self.queued.insert(path.clone()) {
            self.ready.push_back(Arrival { path, is_fresh });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(2);

    fn state(size: u64) -> State {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        State { size, modified: (now, 0), changed: (now, 0), inode: (1, 1) }
    }

    fn taken(arrivals: &mut Arrivals) -> Vec<String> {
        let taken = arrivals.take(usize::MAX);
        taken.iter().map(|arrival| arrival.path.display().to_string()).collect()
    }

    #[test]
    fn a_file_that_is_written_is_ready_when_it_is_closed_and_not_before() {
        let (mut arrivals, start) = (Arrivals::new(SETTLE), Instant::now());
        let path = PathBuf::from("core.1");
        arrivals.created(path.clone(), start);
        arrivals.opened(&path, start);
        // It stops for longer than a file that was found may.
        for second in 0..120 {
            let now = start + Duration::from_secs(second);
            assert_eq!(arrivals.due(now), [] as [PathBuf; 0]);
            arrivals.found(&path, state(7), now);
        }
        assert_eq!(taken(&mut arrivals), [] as [String; 0]);
        arrivals.completed(path);
        assert_eq!(taken(&mut arrivals), ["core.1"]);
        assert_eq!(arrivals.next(), None);
    }

    #[test]
    fn a_file_whose_closing_was_missed_is_read_when_nothing_was_written_for_long() {
        let (mut arrivals, start) = (Arrivals::new(SETTLE), Instant::now());
        let path = PathBuf::from("core.1");
        arrivals.created(path.clone(), start);
        arrivals.opened(&path, start);
        arrivals.found(&path, state(7), start);
        arrivals.found(&path, state(8), start + ABANDONED);
        assert_eq!(arrivals.ready(), 0);
        arrivals.found(&path, state(8), start + ABANDONED * 2);
        assert_eq!(taken(&mut arrivals), ["core.1"]);
    }

    #[test]
    fn a_file_that_was_linked_into_place_is_ready_as_no_one_opened_it() {
        let (mut arrivals, start) = (Arrivals::new(SETTLE), Instant::now());
        arrivals.created(PathBuf::from("core.1"), start);
        assert_eq!(arrivals.due(start), [] as [PathBuf; 0]);
        assert_eq!(arrivals.next(), Some(start + OPENED_WITHIN));
        arrivals.due(start + OPENED_WITHIN);
        assert_eq!(taken(&mut arrivals), ["core.1"]);
    }

    #[test]
    fn a_file_that_another_reader_opened_first_is_ready_when_it_does_not_change() {
        let (mut arrivals, start) = (Arrivals::new(SETTLE), Instant::now());
        let path = Path::new("core.1");
        arrivals.created(path.to_owned(), start);
        arrivals.opened(path, start);
        arrivals.only_read(path, start);
        arrivals.found(path, state(1), start + SETTLE);
        assert_eq!(arrivals.ready(), 0);
        arrivals.found(path, state(1), start + SETTLE * 2);
        assert_eq!(taken(&mut arrivals), ["core.1"]);
    }

    #[test]
    fn a_file_that_was_found_is_ready_when_it_does_not_change() {
        let (mut arrivals, start) = (Arrivals::new(SETTLE), Instant::now());
        let path = Path::new("core.1");
        arrivals.found(path, state(1), start);
        arrivals.found(path, state(2), start + SETTLE);
        arrivals.found(path, state(2), start + SETTLE + SETTLE / 2);
        assert_eq!((arrivals.ready(), arrivals.waiting()), (0, 1));
        assert_eq!(arrivals.due(start + SETTLE * 2), [path]);
        arrivals.found(path, state(2), start + SETTLE * 2);
        assert_eq!(taken(&mut arrivals), ["core.1"]);
        // Read once, until it changes.
        arrivals.done(path.to_owned(), state(2));
        arrivals.found(path, state(2), start + SETTLE * 9);
        assert_eq!((arrivals.ready(), arrivals.waiting()), (0, 0));
        arrivals.found(path, state(3), start + SETTLE * 9);
        assert_eq!(arrivals.waiting(), 1);
    }

    #[test]
    fn a_file_that_is_old_already_is_ready_at_once() {
        let mut arrivals = Arrivals::new(SETTLE);
        let old = State { changed: (1_000_000_000, 0), ..state(1) };
        arrivals.found(Path::new("core.1"), old, Instant::now());
        assert_eq!(taken(&mut arrivals), ["core.1"]);
    }

    #[test]
    fn a_file_that_is_gone_is_not_read_and_one_put_back_comes_first() {
        let mut arrivals = Arrivals::new(SETTLE);
        for name in ["a", "b", "c"] {
            arrivals.completed(PathBuf::from(name));
            arrivals.completed(PathBuf::from(name));
        }
        let first = arrivals.take(1);
        arrivals.gone(Path::new("b"));
        arrivals.put_back(first);
        assert_eq!(taken(&mut arrivals), ["a", "c"]);
    }
}
