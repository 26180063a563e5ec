//! A damaged store is made whole: what can be read of it is kept.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::central::{Central, is_central};
use super::connection::Store;
use super::error::{DatabaseProblem, StoreError};
use super::open::{PAGES, sync_directory_of};
use super::read::Counts;
use super::salvage::{Gaps, Lost, Names};
use super::tables::{APPLICATION_ID, VERSION, prepare};

/// How long other processes are waited for: they would go on with what is replaced.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a damaged store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Which store: its file, or its address without a password.
    pub path: PathBuf,
    /// What is in it now.
    pub counts: Counts,
    /// What is not.
    pub lost: Vec<Lost>,
    /// The damaged file, as it was; `None` if the store was whole.
    pub copy: Option<PathBuf>,
}

impl Store {
    /// Checks the store at `path`. If it is damaged, keeps a copy of it, and puts in its place
    /// what can be read. On an error the store is as it was. Of a store on a server, this
    /// machine's copy is made anew and checked.
    ///
    /// # Errors
    /// When another process has it open, when nothing of it can be read, and those of making
    /// a new one.
    pub fn repair(path: &Path) -> Result<Repaired, StoreError> {
        if is_central(path) {
            let (path, counts) = Central::repair(path)?;
            return Ok(Repaired { path, counts, lost: Vec::new(), copy: None });
        }
        let damage = match Self::open(path).and_then(|store| store.check()) {
            Ok(counts) => {
                let path = path.to_owned();
                return Ok(Repaired { path, counts, lost: Vec::new(), copy: None });
            }
            Err(error) if is_damage(&error) => error,
            Err(error) => return Err(error),
        };
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        // Closing a file gives up all locks that this process has on it (POSIX), so this one
        // stays open as long as the lock is needed.
        let file = File::open(path).map_err(io)?;
        let mut alone = alone(path)?;
        let copy = copy_beside(path, &file).map_err(io)?;
        let saved = Workplace::beside(path).map_err(io).and_then(|work| {
            let (new, lost) = save(&work, &copy, path)?;
            if Names::of(&new.connection).are_none() {
                return Err(new.damaged("nothing can be read"));
            }
            let counts = new.check()?;
            put(new, &mut alone, path)?;
            Ok((counts, lost))
        });
        match saved {
            Ok((counts, lost)) => {
                Ok(Repaired { path: path.to_owned(), counts, lost, copy: Some(copy) })
            }
            Err(error) => {
                let _ = fs::remove_file(beside(&copy, "-wal"));
                let _ = fs::remove_file(&copy);
                // That of the copy says no more.
                Err(if is_damage(&error) { damage } else { error })
            }
        }
    }
}

/// Whether making the store anew may help.
fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged { .. } => true,
        StoreError::Database { problem, .. } => matches!(
            problem,
            DatabaseProblem::Damaged | DatabaseProblem::NotADatabase | DatabaseProblem::Other
        ),
        _ => false,
    }
}

/// A connection that no other process has one beside. `None` where the file is so damaged that
/// none can have one.
fn alone(path: &Path) -> Result<Option<Connection>, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // From here on the lock is held until the connection is closed.
        connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
        Ok(connection)
    };
    match open().map_err(|source| StoreError::database(path, source)) {
        Ok(connection) => Ok(Some(connection)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies the store, and the log of changes that belongs to it, to a name that is free.
fn copy_beside(path: &Path, file: &File) -> io::Result<PathBuf> {
    let names = (1_u32..).map(|number| match number {
        1 => beside(path, ".damaged"),
        number => beside(path, &format!(".damaged.{number}")),
    });
    for copy in names {
        let mut out = match private(&copy) {
            Ok(out) => out,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let copied = io::copy(&mut &*file, &mut out).and_then(|_| out.sync_all()).and_then(|()| {
            let log = beside(path, "-wal");
            let mut log = match File::open(log) {
                Ok(log) => log,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                // Its changes would be lost.
                Err(error) => return Err(error),
            };
            if log.metadata()?.len() == 0 {
                return Ok(());
            }
            let mut out = private(&beside(&copy, "-wal"))?;
            io::copy(&mut log, &mut out)?;
            out.sync_all()
        });
        if let Err(error) = copied {
            let _ = fs::remove_file(beside(&copy, "-wal"));
            let _ = fs::remove_file(&copy);
            return Err(error);
        }
        return Ok(copy);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A new file for the user alone.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// A directory that is gone when the work is done.
struct Workplace(PathBuf);

impl Workplace {
    /// On the same file system as the store, so that it can take its place.
    fn beside(path: &Path) -> io::Result<Self> {
        // One that was killed leaves its own.
        for number in 1_u32.. {
            let directory = beside(path, &format!(".repair-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&directory) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(directory)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A new store of all that can be read of `copy`, and what cannot. Neither `copy` nor the store
/// at `path` is written to.
fn save(work: &Workplace, copy: &Path, path: &Path) -> Result<(Store, Vec<Lost>), StoreError> {
    let io = |source| StoreError::Io { path: work.0.clone(), source };
    let (from, to) = (work.0.join("damaged"), work.0.join("new"));
    fs::copy(copy, &from).map_err(io)?;
    let log = beside(copy, "-wal");
    if log.exists() {
        fs::copy(log, beside(&from, "-wal")).map_err(io)?;
    }
    restore_header(&from).map_err(io)?;
    let failed = |source| StoreError::database(path, source);
    let mut connection =
        Connection::open_with_flags(&from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    match prepare(&mut connection, path) {
        Ok(()) => {}
        // Older tables that cannot be brought up to date are read as they are.
        Err(error) if is_damage(&error) => {}
        Err(error) => return Err(error),
    }
    let damaged = Store { central: None, connection, path: from, view: None, unwritable: None };
    let mut new = Store::create(&to)?;
    let was = Names::of(&damaged.connection);
    let (reader, writer) = io::pipe().map_err(io)?;
    let mut gaps = Gaps::default();
    let (exported, imported) = thread::scope(|scope| {
        let import = scope.spawn(|| {
            let imported = new.import_what_can_be(BufReader::new(reader));
            (new, imported)
        });
        let mut out = BufWriter::new(writer);
        let exported = damaged.export_beside(&mut out, &mut gaps);
        // A reader that went away has its own error.
        let _ = out.flush();
        drop(out);
        let damage = |problem: &str| damaged.damaged(problem);
        (exported, import.join().map_err(|_| damage("what could be read cannot be stored")))
    });
    let (new, imported) = imported?;
    imported?;
    exported.map(drop)?;
    let lost = gaps.lost(&was, &Names::of(&new.connection));
    Ok((new, lost))
}

/// Fields of the header that are the same in every store, with their places (the SQLite
/// database file format, section 1.3): without them nothing else can be read.
const HEADER: [(u64, &[u8]); 5] = [
    (0, b"SQLite format 3\0"),
    // Pages of 4 KiB.
    (16, &[0x10, 0x00]),
    // Written and read with a log; no reserved space; payload fractions.
    (18, &[2, 2, 0, 64, 32, 32]),
    // The format of the schema.
    (44, &[0, 0, 0, 4]),
    // UTF-8.
    (56, &[0, 0, 0, 1]),
];

/// Writes these fields, if others show that it is a store.
fn restore_header(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let number = |place: u64| -> io::Result<i64> {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, place)?;
        Ok(i64::from(u32::from_be_bytes(bytes)))
    };
    const USER_VERSION: u64 = 60;
    const APPLICATION: u64 = 68;
    let is_store = match (number(APPLICATION), number(USER_VERSION)) {
        (Ok(application), Ok(version)) => {
            application == APPLICATION_ID && (1..=VERSION).contains(&version)
        }
        // Too short for a header.
        _ => false,
    };
    if is_store {
        for (place, bytes) in HEADER {
            file.write_all_at(bytes, place)?;
        }
    }
    Ok(())
}

/// Puts `new` in the place of the store at `path`: in the file itself, so that a process that
/// waits for it finds it whole; or, if that cannot be, as a file of its own.
fn put(new: Store, alone: &mut Option<Connection>, path: &Path) -> Result<(), StoreError> {
    if let Some(old) = alone {
        let written = Backup::new(&new.connection, old)
            .and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None));
        if written.is_ok() {
            let _ = old.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
            return Ok(());
        }
    }
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    let made = new.path.clone();
    // Closed, so that its log is in it.
    new.connection.close().map_err(|(_, source)| StoreError::database(path, source))?;
    File::open(&made).and_then(|file| file.sync_all()).map_err(io)?;
    // A log belongs to one file only.
    for end in ["-wal", "-shm"] {
        match fs::remove_file(beside(path, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    fs::rename(&made, path).map_err(io)?;
    sync_directory_of(path);
    Ok(())
}
