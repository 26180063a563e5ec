//! Why a store cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none.
    #[error("no store at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file or its directory cannot be made or opened.
    #[error("the store {} cannot be opened: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else, or of another version of obit.
    #[error("{} {problem}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: NotAStore,
    },
    /// Some of what was written is not there any more.
    #[error("the store {} is damaged: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, as SQLite or the check of the records reports it.
        problem: String,
    },
    /// What is to be imported makes no sense.
    #[error("line {line} is not from an exported store: {problem}")]
    Import {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        problem: ImportProblem,
    },
    /// Records that are to be added cannot be read.
    #[error("records that are to be added cannot be read: {0}")]
    Records(io::Error),
    /// No group, or no part of one, is called so, or too many are.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A store cannot be copied there.
    #[error("{} {problem}", path.display())]
    Copy {
        /// Where it was to go.
        path: PathBuf,
        /// What is wrong.
        problem: CopyProblem,
    },
    /// The central store cannot be used.
    #[error("{place}: {problem}")]
    Central {
        /// Its address, without a password.
        place: String,
        /// What is wrong.
        problem: CentralProblem,
    },
    /// SQLite reports an error.
    #[error("{}", in_words(path, *problem, source))]
    Database {
        /// The file.
        path: PathBuf,
        /// What kind of error it is.
        problem: DatabaseProblem,
        /// What SQLite says.
        source: DatabaseError,
    },
}

/// Why a file cannot be used as a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAStore {
    /// A directory, a FIFO, a device.
    #[error("is not a file")]
    NotAFile,
    /// A database of another program.
    #[error("is a database, but not an obit store")]
    OfAnotherProgram,
    /// Its tables are newer than those known here.
    #[error(
        "was written by {}: its tables are of version {tables}, this obit knows those up to {known}",
        newer(obit.as_deref())
    )]
    Newer {
        /// The version of its tables.
        tables: i64,
        /// The newest version known here.
        known: i64,
        /// The version of obit that it needs, if it says so.
        obit: Option<String>,
    },
    /// It has no tables, and none can be made.
    #[error("is empty")]
    Empty,
    /// Its tables are older, and it cannot be written.
    #[error("was written by an older obit and is read-only, so it cannot be upgraded")]
    OlderAndReadOnly,
}

/// What is wrong with a line of an exported store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// There is not one line.
    #[error("it is empty")]
    Empty,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It is no JSON.
    #[error("{0}")]
    NotJson(String),
    /// The first line is that of another kind of file.
    #[error("`schema` is not {wanted}")]
    OtherSchema {
        /// What an exported store has.
        wanted: &'static str,
    },
    /// A line is no object of JSON.
    #[error("not a JSON object")]
    NoObject,
    /// What a line holds is no object of JSON.
    #[error("no {kind}")]
    NoRow {
        /// What it is called there.
        kind: String,
    },
}

/// Why a store cannot be copied to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyProblem {
    /// Row numbers of two stores would mean different things.
    #[error("is not empty")]
    NotEmpty,
}

/// Why a central store cannot be used. No text has a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CentralProblem {
    /// The feature is not compiled in.
    #[error("this obit was built without the feature `postgres`")]
    NotBuilt,
    /// The address cannot be understood.
    #[error("{0}")]
    Address(String),
    /// No server answers there.
    #[error("the server cannot be reached: {0}")]
    NoServer(String),
    /// The server's certificate is not accepted, or it offers no TLS.
    #[error("no TLS with the server: {0}")]
    Tls(String),
    /// The server does not take the user or the password.
    #[error("the server refuses the user or the password: {0}")]
    Refused(String),
    /// There is no such database.
    #[error("{0}")]
    NoDatabase(String),
    /// The user may not do that.
    #[error("the user may not do that: {0}")]
    NotPermitted(String),
    /// The tables are older, and the user may not bring them up to date.
    #[error(
        "its tables are of version {tables}, this obit needs {known}, and the user may not \
         upgrade them"
    )]
    Older {
        /// The version of its tables.
        tables: i64,
        /// The version that is needed.
        known: i64,
    },
    /// The tables were upgraded by another obit.
    #[error("its tables are of version {tables}, this obit knows those up to {known}: update it")]
    Newer {
        /// The version of its tables.
        tables: i64,
        /// The newest version known here.
        known: i64,
    },
    /// Another client holds it.
    #[error("it is locked by another client")]
    Busy,
    /// The connection was lost before the change was complete.
    #[error("the connection was lost; nothing of the change was stored")]
    Lost,
    /// The connection was lost while the change was made permanent, and the server cannot be
    /// asked what became of it.
    #[error("the connection was lost; whether the last change was stored is not known")]
    Unsure,
    /// Another error of the server.
    #[error("{0}")]
    Other(String),
}

/// Why nothing can be done with a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// None has this id, or one that starts so.
    #[error("no group {id:?}")]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// Several have an id that starts so.
    #[error("more than one group starts with {id:?}")]
    Ambiguous {
        /// What was asked for.
        id: String,
    },
    /// A group was to be merged with itself.
    #[error("both are the same group")]
    Same,
    /// The group has no such signature.
    #[error("{group} has no signature {signature}: it has {}", has.join(", "))]
    NoSuchSignature {
        /// The group's id.
        group: String,
        /// What was asked for.
        signature: String,
        /// The signatures it has.
        has: Vec<String>,
    },
    /// All of the group was to be split off.
    #[error("{group} would have no crash left")]
    NothingLeft {
        /// The group's id.
        group: String,
    },
}

/// What kind of error a database reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseProblem {
    /// The disk is full.
    DiskFull,
    /// The file cannot be written.
    ReadOnly,
    /// The file, or one beside it, cannot be opened.
    CannotOpen,
    /// Another process holds it.
    Busy,
    /// It is damaged.
    Damaged,
    /// It is no database.
    NotADatabase,
    /// It cannot be read or written: the disk.
    Disk,
    /// Another one.
    Other,
}

/// What SQLite says.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(rusqlite::Error);

/// What kind of trouble it is, for the code that acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreTrouble {
    /// There is nothing that could be read.
    Unusable,
    /// It cannot be written now.
    NotWritten,
    /// It holds nothing by the name that was asked for.
    Asked,
}

impl StoreError {
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let problem = DatabaseProblem::of(&source);
        Self::Database { path: path.to_owned(), problem, source: DatabaseError(source) }
    }

    /// What kind of trouble it is.
    pub fn trouble(&self) -> StoreTrouble {
        match self {
            Self::Io { .. } | Self::Records(_) => StoreTrouble::NotWritten,
            Self::Group(_) => StoreTrouble::Asked,
            Self::Database { problem, .. } => match problem {
                DatabaseProblem::Damaged | DatabaseProblem::NotADatabase => StoreTrouble::Unusable,
                _ => StoreTrouble::NotWritten,
            },
            Self::Central { problem, .. } => match problem {
                CentralProblem::NotBuilt | CentralProblem::Address(_) => StoreTrouble::Asked,
                CentralProblem::NotPermitted(_)
                | CentralProblem::Busy
                | CentralProblem::Lost
                | CentralProblem::Unsure => StoreTrouble::NotWritten,
                _ => StoreTrouble::Unusable,
            },
            Self::Copy { .. } => StoreTrouble::Asked,
            Self::Missing { .. }
            | Self::NotAStore { .. }
            | Self::Damaged { .. }
            | Self::Import { .. } => StoreTrouble::Unusable,
        }
    }
}

impl DatabaseProblem {
    fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Self::CannotOpen,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged,
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            // No room for the index of the log.
            Some(ErrorCode::SystemIoFailure)
                if error.sqlite_error().is_some_and(|error| {
                    error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
                }) =>
            {
                Self::DiskFull
            }
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            _ => Self::Other,
        }
    }
}

fn newer(obit: Option<&str>) -> String {
    obit.map_or_else(|| "a newer obit".to_owned(), |version| format!("obit {version}"))
}

fn in_words(path: &Path, problem: DatabaseProblem, source: &DatabaseError) -> String {
    let path = path.display();
    let store = format!("the store {path}");
    match problem {
        DatabaseProblem::DiskFull => {
            format!("{store} cannot grow: the disk is full; what was stored is intact")
        }
        DatabaseProblem::ReadOnly => format!("{store} cannot be written: it is read-only"),
        DatabaseProblem::CannotOpen => format!("{store} cannot be opened ({source})"),
        DatabaseProblem::Busy => {
            format!("{store} is locked by another process")
        }
        DatabaseProblem::Damaged => format!("{store} is damaged ({source})"),
        DatabaseProblem::NotADatabase => {
            format!("{path} is not an obit store, or is damaged beyond repair")
        }
        DatabaseProblem::Disk => format!(
            "{store} cannot be read or written: the disk failed, or has no space left \
             ({source}); what was committed is intact"
        ),
        DatabaseProblem::Other => format!("{store}: {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_names_the_file_and_speaks_of_no_option() {
        let error = |code| {
            let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            StoreError::database(Path::new("/x/t.db"), source)
        };
        for (code, word) in [
            (rusqlite::ffi::SQLITE_FULL, "disk is full"),
            (rusqlite::ffi::SQLITE_IOERR_SHMSIZE, "disk is full"),
            (rusqlite::ffi::SQLITE_IOERR_WRITE, "disk failed"),
            (rusqlite::ffi::SQLITE_READONLY, "read-only"),
            (rusqlite::ffi::SQLITE_CANTOPEN, "cannot be opened"),
            (rusqlite::ffi::SQLITE_BUSY, "another process"),
            (rusqlite::ffi::SQLITE_CORRUPT, "is damaged"),
            (rusqlite::ffi::SQLITE_NOTADB, "not an obit store"),
        ] {
            let text = error(code).to_string();
            assert!(text.contains("/x/t.db") && text.contains(word), "{text}");
            assert!(!text.contains("--"), "{text}");
        }
        assert_eq!(error(rusqlite::ffi::SQLITE_FULL).trouble(), StoreTrouble::NotWritten);
        assert_eq!(error(rusqlite::ffi::SQLITE_CORRUPT).trouble(), StoreTrouble::Unusable);
    }
}
