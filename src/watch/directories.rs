//! What happens to the names in directories, by inotify(7).

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Directories that are watched; those beyond are searched now and then. The kernel's own limit
/// for a user is `fs.inotify.max_user_watches`.
const MOST: usize = 8192;
/// Bytes of events that are read at once.
const BUFFER: usize = 16 << 10;
/// Events after which the others wait: someone causes them faster than they are read.
const TOGETHER: usize = 1 << 14;

/// Creations and openings are distinguished since a file may appear whole, by a link: that is
/// how systemd-coredump gives a file without a name (`O_TMPFILE`) its name, and it is never
/// closed under that name.
const WANTED: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::OPEN)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CLOSE_NOWRITE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK);

/// For a directory that the user named: no other reports that it is moved away.
const WANTED_OF_NAMED: WatchFlags = WANTED.union(WatchFlags::MOVE_SELF);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// A file got its name.
    Created(PathBuf),
    /// A file was opened, to be written or to be read.
    Opened(PathBuf),
    /// One that was open for writing was closed.
    Closed(PathBuf),
    /// One that was open to be read was closed.
    Read(PathBuf),
    /// A file was moved to this name.
    MovedIn(PathBuf),
    /// The name is gone.
    Gone(PathBuf),
    /// There is a new directory, perhaps with files.
    NewDirectory(PathBuf),
    /// Events are missing: what is there has to be looked up.
    Missed,
}

/// Watched directories.
#[derive(Debug)]
pub(super) struct Directories {
    events: OwnedFd,
    /// By the numbers that events have.
    watched: HashMap<i32, Watched>,
}

/// A watched directory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Watched {
    path: PathBuf,
    /// The user named it: no other watched directory reports that it is made anew.
    is_named: bool,
}

/// Whether a directory is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// It was watched already.
    Known,
    /// From now on. What was in it before caused no event.
    New,
}

impl Directories {
    /// None yet.
    ///
    /// # Errors
    /// When the system has no inotify, or the user no more instances of it.
    pub(super) fn new() -> io::Result<Self> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { events, watched: HashMap::new() })
    }

    /// Readable when something happened.
    pub(super) fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    /// Watches a directory. A link is followed only if the user named it.
    ///
    /// # Errors
    /// When it is gone, is none, may not be read, or there are too many.
    pub(super) fn watch(&mut self, directory: &Path, is_named: bool) -> io::Result<Watch> {
        let flags = if is_named { WANTED_OF_NAMED } else { WANTED | WatchFlags::DONT_FOLLOW };
        // The same directory again has the same number.
        let number = inotify::add_watch(&self.events, directory, flags)?;
        if self.watched.len() >= MOST && !self.watched.contains_key(&number) {
            inotify::remove_watch(&self.events, number)?;
            let problem = format!("more than {MOST} directories are not watched");
            return Err(io::Error::other(problem));
        }
        let watched = Watched { path: directory.to_owned(), is_named };
        let before = self.watched.insert(number, watched);
        let is_known = before.is_some_and(|before| before.path == directory);
        if is_named && !is_known {
            // One that was here before and has gone elsewhere, with a directory above it.
            let mut all = self.watched.iter();
            let old = all.find(|(of, one)| **of != number && one.path == directory);
            if let Some(old) = old.map(|(of, _)| *of) {
                self.watched.remove(&old);
                self.unwatch(old);
            }
        }
        Ok(if is_known { Watch::Known } else { Watch::New })
    }

    /// Ends what the kernel watches. It may have ended it already, with the directory.
    fn unwatch(&self, number: i32) {
        let _ = inotify::remove_watch(&self.events, number);
    }

    /// What happened since it was asked last. When very much did, there is more to ask for.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn happened(&mut self) -> io::Result<Vec<Happened>> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(self.events.as_fd(), &mut buffer);
        let (mut all, mut events) = (Vec::new(), 0);
        // What is in the buffer would be lost with the reader.
        while events < TOGETHER || !reader.is_buffer_empty() {
            match reader.next() {
                Ok(event) => {
                    events += 1;
                    let (number, flags) = (event.wd(), event.events());
                    let name = event.file_name();
                    let mut dropped = Vec::new();
                    all.extend(happened(&mut self.watched, number, flags, name, &mut dropped));
                    dropped.into_iter().for_each(|number| self.unwatch(number));
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(all)
    }
}

/// What an event says. Directories that are no longer watched by it are added to `dropped`.
fn happened(
    watched: &mut HashMap<i32, Watched>,
    number: i32,
    flags: ReadFlags,
    name: Option<&CStr>,
    dropped: &mut Vec<i32>,
) -> Option<Happened> {
    if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
        return Some(Happened::Missed);
    }
    if flags.intersects(ReadFlags::IGNORED | ReadFlags::UNMOUNT | ReadFlags::DELETE_SELF) {
        // It may be there again: moved away and made anew by what rotates directories.
        let is_named = watched.remove(&number).is_some_and(|watched| watched.is_named);
        return is_named.then_some(Happened::Missed);
    }
    let directory = watched.get(&number)?;
    if flags.contains(ReadFlags::MOVE_SELF) {
        let path = directory.path.clone();
        return drop_below(watched, &path, dropped).then_some(Happened::Missed);
    }
    let path = directory.path.join(OsStr::from_bytes(name?.to_bytes()));
    if flags.contains(ReadFlags::ISDIR) {
        if flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
            return Some(Happened::NewDirectory(path));
        }
        if flags.contains(ReadFlags::MOVED_FROM) {
            // What happens in it now has another path, which is watched anew if it is below the
            // directories that were given.
            return drop_below(watched, &path, dropped).then_some(Happened::Missed);
        }
        return None;
    }
    Some(match flags {
        flags if flags.contains(ReadFlags::MOVED_TO) => Happened::MovedIn(path),
        flags if flags.contains(ReadFlags::CLOSE_WRITE) => Happened::Closed(path),
        flags if flags.contains(ReadFlags::CLOSE_NOWRITE) => Happened::Read(path),
        flags if flags.contains(ReadFlags::CREATE) => Happened::Created(path),
        flags if flags.contains(ReadFlags::OPEN) => Happened::Opened(path),
        flags if flags.intersects(ReadFlags::MOVED_FROM | ReadFlags::DELETE) => {
            Happened::Gone(path)
        }
        _ => return None,
    })
}

/// Forgets a directory and those below it. Gives whether the user named one of them.
fn drop_below(watched: &mut HashMap<i32, Watched>, path: &Path, dropped: &mut Vec<i32>) -> bool {
    let mut is_one_named = false;
    watched.retain(|number, known| {
        let is_kept = !known.path.starts_with(path);
        if !is_kept {
            dropped.push(*number);
            is_one_named |= known.is_named;
        }
        is_kept
    });
    is_one_named
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn watched(is_named: bool) -> HashMap<i32, Watched> {
        HashMap::from([(1, Watched { path: PathBuf::from("/d"), is_named })])
    }

    #[test]
    fn an_overflow_of_the_kernels_queue_is_reported_as_missed_events() {
        let mut watched = watched(true);
        let found = happened(&mut watched, -1, ReadFlags::QUEUE_OVERFLOW, None, &mut Vec::new());
        assert_eq!(found, Some(Happened::Missed));
        assert_eq!(watched.len(), 1);
    }

    #[test]
    fn a_directory_that_is_gone_is_watched_no_more_and_looked_for_again() {
        let mut named = watched(true);
        assert_eq!(
            happened(&mut named, 1, ReadFlags::IGNORED, None, &mut Vec::new()),
            Some(Happened::Missed)
        );
        assert!(named.is_empty());
        assert_eq!(
            happened(&mut named, 1, ReadFlags::CLOSE_WRITE, Some(c"core.1"), &mut Vec::new()),
            None
        );
        // The one above reports what is made in the place of another.
        assert_eq!(
            happened(&mut watched(false), 1, ReadFlags::IGNORED, None, &mut Vec::new()),
            None
        );
    }

    #[test]
    fn writing_moving_and_linking_are_distinguished() {
        let root = tempfile::tempdir().unwrap();
        let (inside, outside) = (root.path().join("d"), root.path().join("e"));
        fs::create_dir(&inside).unwrap();
        fs::write(&outside, "x").unwrap();
        let mut directories = Directories::new().unwrap();
        assert_eq!(directories.watch(&inside, true).unwrap(), Watch::New);
        assert_eq!(directories.watch(&inside, true).unwrap(), Watch::Known);
        fs::write(inside.join("written"), "x").unwrap();
        fs::hard_link(&outside, inside.join("linked")).unwrap();
        fs::rename(&outside, inside.join("moved")).unwrap();
        fs::read(inside.join("moved")).unwrap();
        fs::remove_file(inside.join("linked")).unwrap();
        fs::create_dir(inside.join("sub")).unwrap();
        let of = |name: &str| inside.join(name);
        assert_eq!(
            directories.happened().unwrap(),
            [
                Happened::Created(of("written")),
                Happened::Opened(of("written")),
                Happened::Closed(of("written")),
                Happened::Created(of("linked")),
                Happened::MovedIn(of("moved")),
                Happened::Opened(of("moved")),
                Happened::Read(of("moved")),
                Happened::Gone(of("linked")),
                Happened::NewDirectory(of("sub")),
            ]
        );
        assert_eq!(directories.happened().unwrap(), []);
    }

    #[test]
    fn a_link_that_was_found_is_not_watched() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        std::os::unix::fs::symlink("d", root.path().join("link")).unwrap();
        let mut directories = Directories::new().unwrap();
        assert!(directories.watch(&root.path().join("link"), false).is_err());
        assert!(directories.watch(&root.path().join("link"), true).is_ok());
    }

    /// The watches of the kernel.
    fn in_the_kernel(directories: &Directories) -> usize {
        let of = std::os::fd::AsRawFd::as_raw_fd(&directories.events());
        let about = fs::read_to_string(format!("/proc/self/fdinfo/{of}")).unwrap();
        about.lines().filter(|line| line.starts_with("inotify ")).count()
    }

    #[test]
    fn a_directory_that_is_moved_is_watched_no_more() {
        let root = tempfile::tempdir().unwrap();
        let (named, elsewhere) = (root.path().join("d"), root.path().join("e"));
        fs::create_dir_all(named.join("a/b")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        let mut directories = Directories::new().unwrap();
        assert_eq!(directories.watch(&named, true).unwrap(), Watch::New);
        for within in ["a", "a/b"] {
            assert_eq!(directories.watch(&named.join(within), false).unwrap(), Watch::New);
        }
        assert_eq!(in_the_kernel(&directories), 3);
        fs::rename(named.join("a"), elsewhere.join("a")).unwrap();
        assert_eq!(directories.happened().unwrap(), []);
        assert_eq!((directories.watched.len(), in_the_kernel(&directories)), (1, 1));
        // The one that the user named, with one below it.
        fs::rename(elsewhere.join("a"), named.join("a")).unwrap();
        directories.watch(&named.join("a"), false).unwrap();
        assert_eq!(directories.happened().unwrap(), [Happened::NewDirectory(named.join("a"))]);
        fs::rename(&named, elsewhere.join("d")).unwrap();
        assert_eq!(directories.happened().unwrap(), [Happened::Missed]);
        assert_eq!((directories.watched.len(), in_the_kernel(&directories)), (0, 0));
        fs::create_dir(&named).unwrap();
        assert_eq!(directories.watch(&named, true).unwrap(), Watch::New);
    }

    #[test]
    fn a_named_directory_whose_parent_was_moved_is_watched_in_its_new_place_only() {
        let root = tempfile::tempdir().unwrap();
        let named = root.path().join("parent/d");
        fs::create_dir_all(&named).unwrap();
        let mut directories = Directories::new().unwrap();
        directories.watch(&named, true).unwrap();
        fs::rename(root.path().join("parent"), root.path().join("old")).unwrap();
        fs::create_dir_all(&named).unwrap();
        assert_eq!(directories.watch(&named, true).unwrap(), Watch::New);
        assert_eq!((directories.watched.len(), in_the_kernel(&directories)), (1, 1));
        fs::write(root.path().join("old/d/core.1"), "x").unwrap();
        assert_eq!(directories.happened().unwrap(), []);
    }
}
