//! Why a store cannot be used, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is none.
    #[error("there is no store at {}: `obit triage DIR` makes one", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file or its directory cannot be made or opened.
    #[error("the store {} cannot be opened: {source}; name another place by --db FILE", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else, or of a newer obit.
    #[error("{} {problem}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Some of what was written is not there any more.
    #[error("the store {} is damaged: {problem}; {}", path.display(), recovery(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// What is to be imported makes no sense.
    #[error("line {line} is not of an exported store: {problem}")]
    Import {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// No group, or no part of one, is called so, or too many are.
    #[error("{problem}")]
    NoSuchGroup {
        /// What was asked for, and what is there.
        problem: String,
    },
    /// SQLite says no.
    #[error("{}", in_words(path, source))]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// What kind of trouble it is, for whoever has to act on it.
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
    /// What kind of trouble it is.
    pub fn trouble(&self) -> StoreTrouble {
        match self {
            Self::Io { .. } => StoreTrouble::NotWritten,
            Self::NoSuchGroup { .. } => StoreTrouble::Asked,
            Self::Database { source, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    StoreTrouble::Unusable
                }
                _ => StoreTrouble::NotWritten,
            },
            _ => StoreTrouble::Unusable,
        }
    }
}

fn recovery(path: &Path) -> String {
    let path = path.display();
    format!(
        "`obit db export SAVED --db {path}` saves what can be read, and `obit db import SAVED` \
         makes a new store of it"
    )
}

fn in_words(path: &Path, source: &rusqlite::Error) -> String {
    let store = format!("the store {}", path.display());
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => format!(
            "{store} cannot grow: the disk is full; what was stored is whole: make room, then \
             give the same command again"
        ),
        Some(ErrorCode::ReadOnly) => {
            format!("{store} cannot be written: it is read-only; name another by --db FILE")
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => format!(
            "{store} cannot be opened: is its directory there, and may you write to it? Name \
             another by --db FILE ({source})"
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{store} is in use by another process that does not end: try again later")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("{store} is damaged ({source}); {}", recovery(path))
        }
        Some(ErrorCode::NotADatabase) => format!(
            "{} is not a store of obit, or is damaged beyond repair: name another file by --db \
             FILE, or move it away",
            path.display()
        ),
        Some(ErrorCode::SystemIoFailure) => format!(
            "{store} cannot be read or written: the disk failed, or has no space left ({source}); \
             what was committed is whole"
        ),
        _ => format!("{store}: {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_which_file_and_what_to_do() {
        let error = |code| StoreError::Database {
            path: PathBuf::from("/x/t.db"),
            source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None),
        };
        for (code, word) in [
            (rusqlite::ffi::SQLITE_FULL, "make room"),
            (rusqlite::ffi::SQLITE_READONLY, "--db FILE"),
            (rusqlite::ffi::SQLITE_CANTOPEN, "--db FILE"),
            (rusqlite::ffi::SQLITE_BUSY, "try again"),
            (rusqlite::ffi::SQLITE_CORRUPT, "obit db export"),
            (rusqlite::ffi::SQLITE_NOTADB, "not a store"),
        ] {
            let text = error(code).to_string();
            assert!(text.contains("/x/t.db") && text.contains(word), "{text}");
        }
        assert_eq!(error(rusqlite::ffi::SQLITE_FULL).trouble(), StoreTrouble::NotWritten);
        assert_eq!(error(rusqlite::ffi::SQLITE_CORRUPT).trouble(), StoreTrouble::Unusable);
    }
}
