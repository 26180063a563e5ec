//! The store as many ask it at once: open connections, and answers that are kept until someone
//! changes the store.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use obit_redact::Level;
use obit_triage::{Store, StoreError};

/// Connections that wait to be used.
const IDLE: usize = 8;
/// Answers that are kept, and their bytes.
const KEPT: usize = 256;
const BYTES: usize = 64 << 20;

/// Answers that are made at once, since each may take long.
const MAKERS: usize = 2;
/// How long after a change the answer before it may still be given, while another is made.
const RECENT: Duration = Duration::from_secs(5);

/// A state of the store: another one, whenever someone changed it.
type Version = (u64, i64);

/// The store, open.
pub(crate) struct Desk {
    path: PathBuf,
    open: Mutex<Open>,
    kept: Mutex<Kept>,
    makers: AtomicUsize,
}

struct Open {
    /// Device and inode of the file.
    file: (u64, u64),
    /// How often the file was replaced by another one.
    replaced: u64,
    watcher: Store,
    idle: Vec<Store>,
}

/// Answers, with a number that grows with each use.
#[derive(Default)]
struct Kept {
    slots: HashMap<String, (u64, Arc<Slot>)>,
    uses: u64,
}

/// An answer.
#[derive(Default)]
struct Slot {
    /// Held while it is made.
    making: Mutex<()>,
    made: Mutex<Option<Made>>,
}

struct Made {
    version: Version,
    bytes: Bytes,
    /// When the store was seen last as it is in the answer.
    current: Instant,
}

impl Slot {
    /// The answer, if it is of this version.
    fn current(&self, version: Version) -> Option<Bytes> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made.as_mut().filter(|made| made.version == version)?;
        made.current = Instant::now();
        Some(made.bytes.clone())
    }

    /// The answer, if it is of the same file and was of its content a moment ago.
    fn recent(&self, version: Version, age: Duration) -> Option<Bytes> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made.as_ref().filter(|made| made.version.0 == version.0)?;
        (made.current.elapsed() < age).then(|| made.bytes.clone())
    }

    fn bytes(&self) -> usize {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.as_ref().map_or(0, |made| made.bytes.len())
    }
}

/// One who makes an answer, counted as long as this lives.
struct Maker<'d>(&'d AtomicUsize);

impl<'d> Maker<'d> {
    fn enter(makers: &'d AtomicUsize) -> Option<Self> {
        let more = |count| (count < MAKERS).then_some(count + 1);
        makers.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Self(makers))
    }
}

impl Drop for Maker<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Desk {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let watcher = Store::open(path)?;
        let open = Open { file: file_of(path), replaced: 0, watcher, idle: Vec::new() };
        Ok(Self {
            path: path.to_owned(),
            open: Mutex::new(open),
            kept: Mutex::default(),
            makers: AtomicUsize::new(0),
        })
    }

    /// Asks the store, at this level of redaction.
    pub(crate) fn ask<T, E: From<StoreError>>(
        &self,
        level: Level,
        ask: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        let (idle, replaced) = {
            let mut open = self.current()?;
            (open.idle.pop(), open.replaced)
        };
        let mut store = match idle {
            Some(store) => store,
            None => Store::open(&self.path)?,
        };
        store.view_at(level);
        let answer = ask(&mut store)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.replaced == replaced && open.idle.len() < IDLE {
            open.idle.push(store);
        }
        Ok(answer)
    }

    /// The answer that is kept as `key`, if the store is as it was then; else what `make` gives.
    /// While it is being made, or too many others are, the one before, if it was right a moment
    /// ago; otherwise `None`: it is to be asked for again.
    pub(crate) fn kept<E: From<StoreError>>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Option<Bytes>, E> {
        let slot = self.slot(key);
        let version = self.version()?;
        if let Some(bytes) = slot.current(version) {
            return Ok(Some(bytes));
        }
        let _making = match slot.making.try_lock() {
            Ok(making) => making,
            Err(TryLockError::Poisoned(making)) => making.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(slot.recent(version, RECENT)),
        };
        let Some(_maker) = Maker::enter(&self.makers) else {
            return Ok(slot.recent(version, RECENT));
        };
        // Before it is made: what changes meanwhile makes it old.
        let version = self.version()?;
        if let Some(bytes) = slot.current(version) {
            return Ok(Some(bytes));
        }
        let bytes = Bytes::from(make()?);
        let made = Made { version, bytes: bytes.clone(), current: Instant::now() };
        *slot.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(Some(bytes))
    }

    fn version(&self) -> Result<Version, StoreError> {
        let mut open = self.current()?;
        Ok((open.replaced, open.watcher.changes_of_others()?))
    }

    fn slot(&self, key: &str) -> Arc<Slot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses = kept.uses.wrapping_add(1);
        let used = kept.uses;
        if let Some((last, slot)) = kept.slots.get_mut(key) {
            *last = used;
            return Arc::clone(slot);
        }
        let mut bytes: usize = kept.slots.values().map(|(_, slot)| slot.bytes()).sum();
        while kept.slots.len() >= KEPT || bytes > BYTES {
            let oldest = kept.slots.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            let gone = kept.slots.remove(&oldest).map_or(0, |(_, slot)| slot.bytes());
            bytes = bytes.saturating_sub(gone);
        }
        let slot = Arc::<Slot>::default();
        kept.slots.insert(key.to_owned(), (used, Arc::clone(&slot)));
        slot
    }

    /// The connections to the file that is there now: it may have been replaced.
    fn current(&self) -> Result<MutexGuard<'_, Open>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file_of(&self.path);
        if file != open.file {
            open.watcher = Store::open(&self.path)?;
            open.idle.clear();
            open.file = file;
            open.replaced = open.replaced.wrapping_add(1);
        }
        Ok(open)
    }
}

/// Device and inode; zeros of a file that is not there.
fn file_of(path: &Path) -> (u64, u64) {
    path.metadata().map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_triage::testkit::crash;
    use obit_triage::{PackedRecord, Rules, State, ViewOptions};
    use std::cell::Cell;

    fn store(path: &Path, n: u64) -> Store {
        let mut store = Store::create(path).unwrap();
        let crash = crash(5, n, &Rules::built_in());
        store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 7).unwrap();
        store.regroup().unwrap();
        store
    }

    #[test]
    fn an_answer_is_kept_until_someone_changes_the_store_or_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let mut other = store(&path, 1);
        let desk = Desk::open(&path).unwrap();
        let made = Cell::new(0);
        let ask = || {
            let make = || {
                made.set(made.get() + 1);
                Ok::<_, StoreError>(format!("{}", made.get()).into_bytes())
            };
            desk.kept("k", make).unwrap().unwrap()
        };
        assert_eq!((ask(), ask()), (Bytes::from("1"), Bytes::from("1")));
        let group = other.groups().unwrap()[0].id.clone();
        other.set_state(&group, &State::Ignored, 8).unwrap();
        assert_eq!((ask(), ask()), (Bytes::from("2"), Bytes::from("2")));
        // By a connection of its own.
        desk.ask(Level::Default, |store| store.set_state(&group, &State::Open, 9)).unwrap();
        assert_eq!((ask(), ask()), (Bytes::from("3"), Bytes::from("3")));
        let new = directory.path().join("new.db");
        drop(store(&new, 2));
        drop(other);
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(directory.path().join(format!("t.db{end}")));
        }
        std::fs::rename(&new, &path).unwrap();
        assert_eq!((ask(), ask()), (Bytes::from("4"), Bytes::from("4")));
        let dumps = |store: &mut Store| store.overview(&ViewOptions::default(), 1);
        assert_eq!(desk.ask(Level::Default, dumps).unwrap().dumps, 1);
    }

    fn ask(desk: &Desk, key: &str, text: &str) -> Option<Bytes> {
        desk.kept(key, || Ok::<_, StoreError>(text.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn while_an_answer_is_made_others_get_the_one_before_if_it_was_right_just_now() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let mut other = store(&path, 1);
        let desk = Desk::open(&path).unwrap();
        let group = other.groups().unwrap()[0].id.clone();
        let make = |text: &str, meanwhile: &dyn Fn()| {
            let made = desk.kept("k", || {
                meanwhile();
                Ok::<_, StoreError>(text.as_bytes().to_vec())
            });
            assert_eq!(made.unwrap().unwrap(), text);
        };
        make("first", &|| assert_eq!(ask(&desk, "k", "none"), None));
        other.set_state(&group, &State::Ignored, 8).unwrap();
        make("second", &|| assert_eq!(ask(&desk, "k", "none").unwrap(), "first"));
        assert_eq!(ask(&desk, "k", "none").unwrap(), "second");
        // An hour later, and of another file.
        let slot = desk.slot("k");
        let version = desk.version().unwrap();
        assert!(slot.recent(version, RECENT).is_some());
        assert_eq!(slot.recent(version, Duration::ZERO), None);
        assert_eq!(slot.recent((version.0 + 1, version.1), RECENT), None);
    }

    #[test]
    fn two_answers_are_made_at_once_and_others_are_to_be_asked_for_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        drop(store(&path, 1));
        let desk = Desk::open(&path).unwrap();
        let make = |key: &str, meanwhile: &dyn Fn()| {
            let made = desk.kept(key, || {
                meanwhile();
                Ok::<_, StoreError>(key.as_bytes().to_vec())
            });
            assert_eq!(made.unwrap().unwrap(), key);
        };
        make("a", &|| make("b", &|| assert_eq!(ask(&desk, "c", "c"), None)));
        assert_eq!(ask(&desk, "c", "c").unwrap(), "c");
        // One that fails is not counted for ever.
        for _ in 0..3 {
            let failed = desk.kept("d", || Err(StoreError::Missing { path: path.clone() }));
            assert!(failed.is_err());
        }
        assert_eq!(ask(&desk, "d", "d").unwrap(), "d");
    }

    #[test]
    fn the_answer_that_was_used_least_recently_gives_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        drop(store(&path, 1));
        let desk = Desk::open(&path).unwrap();
        for n in 0..KEPT {
            ask(&desk, &n.to_string(), "old");
        }
        assert_eq!(ask(&desk, "0", "new").unwrap(), "old");
        ask(&desk, "one more", "old");
        assert_eq!(ask(&desk, "0", "new").unwrap(), "old");
        assert_eq!(ask(&desk, "2", "new").unwrap(), "old");
        assert_eq!(ask(&desk, "1", "new").unwrap(), "new");
        assert_eq!(desk.kept.lock().unwrap().slots.len(), KEPT);
    }

    #[test]
    fn a_store_that_went_away_is_an_error_and_not_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        drop(store(&path, 1));
        let desk = Desk::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let asked = desk.ask(Level::Default, |store| store.counts());
        assert!(matches!(asked, Err(StoreError::Missing { .. })));
    }
}
