//! The tables, and how older ones become these.

use std::time::Duration;

use super::{Store, StoreError};

/// `obit` in ASCII, in the file's header.
const APPLICATION_ID: i64 = 0x6f62_6974;
/// The version of the tables.
const VERSION: i64 = 1;
/// How long another process' write is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Times are seconds since 1970 unless a name says otherwise.
const TABLES: &str = "
CREATE TABLE build (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,                 -- build ID of the program; '' where it has none
  program TEXT NOT NULL,
  version TEXT,                     -- of its package, or named by its path
  variant TEXT,                     -- how it was made, where its path tells
  UNIQUE (program, id)
) STRICT;
CREATE TABLE host (
  n INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE bug (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,          -- what the user calls the group by
  name TEXT,                        -- as the user named it
  state TEXT NOT NULL DEFAULT 'open',
  state_build TEXT,
  state_time INTEGER
) STRICT;
CREATE TABLE trace (
  n INTEGER PRIMARY KEY,
  json TEXT NOT NULL UNIQUE,        -- triage::Trace
  bug INTEGER REFERENCES bug (n)
) STRICT;
CREATE INDEX trace_bug ON trace (bug);
CREATE TABLE dump (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,          -- Record::dump
  crash TEXT NOT NULL,              -- Record::id, '' where it could not be read
  status TEXT NOT NULL,
  reason TEXT,
  complete INTEGER NOT NULL,        -- 0 where the file was cut
  time INTEGER,
  added INTEGER NOT NULL,
  host INTEGER REFERENCES host (n),
  build INTEGER REFERENCES build (n),
  trace INTEGER REFERENCES trace (n),
  class TEXT,
  severity TEXT,
  confidence TEXT,
  module TEXT                       -- image of the frame to blame
) STRICT;
CREATE INDEX dump_crash ON dump (crash);
CREATE INDEX dump_trace ON dump (trace, time);
CREATE TABLE record (
  dump INTEGER PRIMARY KEY REFERENCES dump (n) ON DELETE CASCADE,
  json BLOB NOT NULL                -- triage::Record, zstd
) STRICT;
CREATE TABLE path (
  key BLOB PRIMARY KEY,             -- SHA-256 of the absolute path
  shown TEXT NOT NULL,              -- the path, redacted
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL,           -- nanoseconds since 1970
  inode INTEGER NOT NULL,
  device INTEGER NOT NULL,
  dump INTEGER NOT NULL REFERENCES dump (n) ON DELETE CASCADE
) STRICT;
CREATE INDEX path_dump ON path (dump);
CREATE TABLE wish (
  one TEXT NOT NULL,                -- signature ids
  other TEXT NOT NULL,
  together INTEGER NOT NULL,        -- else apart
  PRIMARY KEY (one, other)
) STRICT;
CREATE TABLE suspected (
  one INTEGER NOT NULL REFERENCES bug (n),
  other INTEGER NOT NULL REFERENCES bug (n),
  likeness REAL NOT NULL,
  PRIMARY KEY (one, other)
) STRICT;
CREATE TABLE note (
  n INTEGER PRIMARY KEY,
  bug INTEGER NOT NULL REFERENCES bug (n),
  time INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
";

pub(super) fn prepare(store: &mut Store) -> Result<(), StoreError> {
    let path = store.path.clone();
    let failed = |source| StoreError::Database { path: path.clone(), source };
    let not_ours =
        |problem: &str| StoreError::NotAStore { path: path.clone(), problem: problem.to_owned() };
    let connection = &mut store.connection;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    let number = |c: &rusqlite::Connection, name: &str| {
        c.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).map_err(failed)
    };
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    // One process makes the tables, the others wait and then find them.
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed)?;
    let is_empty = number(&transaction, "schema_version")? == 0;
    if is_empty {
        transaction.execute_batch(TABLES).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    } else if number(&transaction, "application_id")? != APPLICATION_ID {
        return Err(not_ours("is a database, but not one of obit's"));
    } else if number(&transaction, "user_version")? > VERSION {
        return Err(not_ours("was written by a newer obit: use that one"));
    }
    transaction.commit().map_err(failed)
}
