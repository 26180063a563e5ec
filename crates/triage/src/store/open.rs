//! The file: made, opened, looked over.

use std::ffi::c_int;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::central::{Central, Tables, is_central};
use super::connection::Store;
use super::error::{DatabaseProblem, NotAStore, StoreError};
use super::tables;

/// Bytes of a store that is looked through each time it is opened to be written; of a
/// larger one, this is done to the tables that are small.
const LOOKED_THROUGH: i64 = 64 << 20;
/// Tables that hold no more than a row for each group, build or host. Of a large store,
/// `trace` takes longer than adding a dump: each of its keys is JSON that is taken apart.
const SMALL: [&str; 6] = ["build", "host", "bug", "wish", "suspected", "note"];

/// Pages that are copied at once.
pub(super) const PAGES: c_int = 1024;

impl Store {
    /// Opens the store at `path` to add to it, and makes it if it is not there. A path that
    /// starts with `postgres://` is the address of a server.
    ///
    /// # Errors
    /// When it cannot be made, read or understood, or is damaged.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        if is_central(path) {
            return Central::open(path, Tables::Made);
        }
        let store = Self::made(path)?;
        store.look_through()?;
        Ok(store)
    }

    /// Opens the file at `path`, and makes it if it is not there.
    pub(super) fn made(path: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(io)?;
        }
        // What lies beside it (`-wal`, `-shm`) gets its mode. It holds people's crashes.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(not_a_file(path));
        }
        if metadata.len() == 0 {
            sync_directory_of(path);
        }
        drop(file);
        Self::with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens the store at `path`, a file or the address of a server; only to read, where it cannot be written.
    ///
    /// # Errors
    /// When it is not there, or cannot be read or understood.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if is_central(path) {
            return Central::open(path, Tables::Expected);
        }
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(not_a_file(path)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Missing { path: path.to_owned() });
            }
            Err(source) => return Err(StoreError::Io { path: path.to_owned(), source }),
        }
        let first = match Self::with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE) {
            Ok(store) => return Ok(store),
            Err(error) => error,
        };
        // In a directory that cannot be written, and on a full disk, there may be no place for
        // the log's index.
        // Without a log nothing writes to the file, and it can be read as it is.
        let is_not_openable = matches!(
            &first,
            StoreError::Database {
                problem: DatabaseProblem::CannotOpen
                    | DatabaseProblem::ReadOnly
                    | DatabaseProblem::DiskFull
                    | DatabaseProblem::Disk,
                ..
            }
        );
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let has_log = Path::new(&log).metadata().is_ok_and(|metadata| metadata.len() > 0);
        if !is_not_openable || has_log {
            return Err(first);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let unwritable = match &first {
            StoreError::Database { problem: DatabaseProblem::DiskFull, .. } => {
                Some(DatabaseProblem::DiskFull)
            }
            _ => None,
        };
        Ok(Self { unwritable, ..Self::with_uri(path, &immutable(path), flags)? })
    }

    /// A store that is gone when it is closed.
    ///
    /// # Errors
    /// When there is no temporary space.
    pub fn temporary() -> Result<Self, StoreError> {
        // SQLite keeps it in memory as long as it is small.
        Self::with_uri(
            Path::new("(temporary)"),
            Path::new(""),
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )
    }

    pub(super) fn with_flags(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        Self::with_uri(path, path, flags)
    }

    fn with_uri(path: &Path, place: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(place, flags)
            .map_err(|source| StoreError::database(path, source))?;
        match tables::prepare(&mut connection, path) {
            Ok(()) => {}
            Err(StoreError::NotAStore { problem: NotAStore::OlderAndReadOnly, .. }) => {
                connection = upgraded_copy(&connection, path)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self { central: None, connection, path: path.to_owned(), view: None, unwritable: None })
    }

    /// Looks for damage, no longer than a user would wait each time.
    fn look_through(&self) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let number = |name: &str| {
            let sql = format!("PRAGMA {name}");
            self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(failed)
        };
        let size = number("page_count")?.saturating_mul(number("page_size")?);
        if size <= LOOKED_THROUGH {
            return self.said_ok("quick_check(1)");
        }
        SMALL.iter().try_for_each(|table| self.said_ok(&format!("quick_check({table})")))
    }

    pub(super) fn said_ok(&self, pragma: &str) -> Result<(), StoreError> {
        let said: String = self
            .connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
            .map_err(|source| self.failed(source))?;
        match said.as_str() {
            "ok" => Ok(()),
            problem => Err(self.damaged(problem)),
        }
    }

    pub(super) fn damaged(&self, problem: &str) -> StoreError {
        // SQLite's reports have several lines.
        let problem = problem.lines().collect::<Vec<_>>().join(", ");
        StoreError::Damaged { path: self.path().to_owned(), problem }
    }
}

/// A copy of a store that cannot be upgraded where it is. It is gone when it is closed, so
/// nothing can be written to it.
fn upgraded_copy(old: &Connection, path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::database(path, source);
    let mut copy = Connection::open("").map_err(failed)?;
    Backup::new(old, &mut copy)
        .and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None))
        .map_err(failed)?;
    tables::prepare(&mut copy, path)?;
    copy.pragma_update(None, "query_only", true).map_err(failed)?;
    Ok(copy)
}

/// Makes sure that the name of a new file outlasts a power cut. SQLite does so for its log
/// only, and as here goes on where a file system cannot.
pub(super) fn sync_directory_of(path: &Path) {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let _ = File::open(directory.unwrap_or(Path::new("."))).and_then(|file| file.sync_all());
}

fn not_a_file(path: &Path) -> StoreError {
    StoreError::NotAStore { path: path.to_owned(), problem: NotAStore::NotAFile }
}

/// As SQLite's URIs name a file that nothing changes.
fn immutable(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    PathBuf::from(uri)
}
