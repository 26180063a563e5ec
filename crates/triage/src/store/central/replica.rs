//! The copy of the store that a client answers from: where it is, up to which revision it
//! goes, and which of its rows a change touched.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::store::error::StoreError;
use crate::store::portable::TABLES;
use crate::store::tables;

/// Up to which change of the server a replica goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) revision: i64,
    /// The token of that change. With another one it is a replica of something else.
    pub(super) token: String,
}

impl Place {
    /// That of a replica; `None` of one that was never filled.
    pub(super) fn of(replica: &Connection) -> rusqlite::Result<Option<Self>> {
        replica
            .prepare_cached("SELECT revision, token FROM central")?
            .query_row([], |row| Ok(Self { revision: row.get(0)?, token: row.get(1)? }))
            .optional()
    }

    /// Writes it down.
    pub(super) fn set(&self, replica: &Connection) -> rusqlite::Result<()> {
        replica.execute("DELETE FROM central", [])?;
        replica.execute(
            "INSERT INTO central (revision, token) VALUES (?1, ?2)",
            params![self.revision, self.token],
        )?;
        Ok(())
    }
}

/// The user's directory of caches, by the XDG base directory specification.
pub(super) fn caches() -> Option<PathBuf> {
    directory("XDG_CACHE_HOME", ".cache")
}

/// The user's directory of what is to outlast a program.
pub(super) fn state() -> Option<PathBuf> {
    directory("XDG_STATE_HOME", ".local/state")
}

fn directory(variable: &str, usual: &str) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || Some(PathBuf::from(env::var_os("HOME")?).join(usual));
    named.or_else(usual).filter(|path| path.is_absolute())
}

/// What files for the store at this address are called by.
pub(super) fn name(shown: &str) -> String {
    let digest = Sha256::digest(shown.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The file of the replica of the store at this address.
pub(super) fn file(caches: &Path, shown: &str) -> PathBuf {
    // Tables of another version are filled anew.
    let file = format!("{}-{}.db", name(shown), tables::VERSION);
    caches.join("obit/central").join(file)
}

/// Whether a replica may be used: what others can write would be believed, and through a link
/// a file of someone else would be written.
pub(super) fn is_private(file: &Path) -> Result<(), StoreError> {
    let error = |path: &Path, said: &str| StoreError::Io {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::PermissionDenied, said),
    };
    let user = rustix::process::geteuid().as_raw();
    for (path, is_directory) in
        file.parent().map(|it| (it, true)).into_iter().chain([(file, false)])
    {
        let found = match path.symlink_metadata() {
            Ok(found) => found,
            // It is made.
            Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(StoreError::Io { path: path.to_owned(), source }),
        };
        let said = match is_directory {
            true if !found.is_dir() => "not a directory",
            false if !found.is_file() => "not a file",
            _ if found.uid() != user => "it belongs to another user",
            _ if found.mode() & 0o022 != 0 => "others may write to it",
            _ => continue,
        };
        return Err(error(path, said));
    }
    Ok(())
}

/// Removes a replica. It is filled again from the server.
pub(super) fn remove(file: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        // One that is not there is as good.
        let _ = fs::remove_file(name);
    }
}

/// Readies a replica: it says how far it goes, and its connection sees what is touched.
pub(super) fn prepare(replica: &Connection) -> rusqlite::Result<()> {
    // A power cut may take back what can be had again.
    replica.pragma_update(None, "synchronous", "NORMAL")?;
    // What is taken out of the store is not to stay in free pages.
    replica.pragma_update(None, "secure_delete", true)?;
    replica.execute_batch(
        "CREATE TABLE IF NOT EXISTS central (
           revision INTEGER NOT NULL,
           token TEXT NOT NULL
         ) STRICT",
    )?;
    for table in TABLES {
        let name = table.name;
        let of = |row: &str| {
            let columns: Vec<_> = table.key.iter().map(|key| format!("{row}.{key}")).collect();
            format!("INSERT INTO touched_{name} VALUES ({});", columns.join(", "))
        };
        let (old, new, key) = (of("old"), of("new"), table.key.join(", "));
        replica.execute_batch(&format!(
            "CREATE TEMP TABLE touched_{name} ({key});
             CREATE TEMP TRIGGER touched_{name}_in AFTER INSERT ON main.{name} BEGIN {new} END;
             CREATE TEMP TRIGGER touched_{name}_up AFTER UPDATE ON main.{name} BEGIN
               {old} {new} END;
             CREATE TEMP TRIGGER touched_{name}_out AFTER DELETE ON main.{name} BEGIN {old} END;"
        ))?;
    }
    Ok(())
}

/// Forgets what was touched.
pub(super) fn forget_touched(replica: &Connection) -> rusqlite::Result<()> {
    for table in TABLES {
        replica.prepare_cached(&format!("DELETE FROM touched_{}", table.name))?.execute([])?;
    }
    Ok(())
}
