//! The tables, and how older ones become these.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use obit_causes::FORMER_NAMES;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::connection::GivenUp;
use super::error::{NotAStore, StoreError};

/// `obit` in ASCII, in the file's header.
pub(super) const APPLICATION_ID: i64 = 0x6f62_6974;
/// The version of the tables.
pub(super) const VERSION: i64 = 10;
/// The version of obit that has these tables.
const OBIT: &str = env!("CARGO_PKG_VERSION");
/// How long another process' write is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tables of version 1. Times are seconds since 1970 unless a name says otherwise.
const TABLES: &str = "
CREATE TABLE build (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,                 -- build ID of the program; '' where it has none
  program TEXT NOT NULL,
  version TEXT,                     -- of its package, or named by its path
  variant TEXT,                     -- how it was made, where its path shows it
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
  json TEXT NOT NULL UNIQUE,        -- triage::CrashKey
  cell TEXT,                        -- Grouping::subgroups
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
  kept INTEGER NOT NULL DEFAULT 1,  -- 0 where the record was deleted for its age
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
  one TEXT NOT NULL,                -- cells, or signature ids
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

/// What makes tables of version 1 into those of version 2, those of 2 into 3, and so on.
const STEPS: &[&str] = &[
    "
CREATE TABLE code (
  build TEXT NOT NULL,              -- build ID of the program
  module TEXT NOT NULL,             -- name of the image
  symbol TEXT NOT NULL,             -- of the function, without what compilers add
  hash TEXT,                        -- NULL: not in the image; '': it has none
  PRIMARY KEY (build, module, symbol)
) STRICT, WITHOUT ROWID;
CREATE TABLE stack (
  dump INTEGER PRIMARY KEY REFERENCES dump (n) ON DELETE CASCADE,
  json TEXT NOT NULL                -- triage::code::StackFunction, innermost first
) STRICT;
",
    "", // Of `rename_classes`.
    "
ALTER TABLE build ADD COLUMN local INTEGER NOT NULL DEFAULT 0; -- 1: a path where people build
",
    "
ALTER TABLE bug ADD COLUMN assignee TEXT; -- who works on it
ALTER TABLE bug ADD COLUMN link TEXT;     -- its ticket: an http or https URL
",
    "
ALTER TABLE trace ADD COLUMN why TEXT; -- groups::Merge, of the subgroup
",
    "
ALTER TABLE trace ADD COLUMN dumps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trace ADD COLUMN grouped INTEGER NOT NULL DEFAULT -1; -- dumps when it was grouped
-- An imported key may be anything.
ALTER TABLE trace ADD COLUMN image TEXT
  AS (CASE WHEN json_valid(json) THEN coalesce(json ->> '$.image', '') ELSE '' END);
ALTER TABLE trace ADD COLUMN signature TEXT
  AS (CASE WHEN json_valid(json) THEN coalesce(json ->> '$.signature', '') ELSE '' END);
UPDATE trace SET dumps = (SELECT count(*) FROM dump WHERE dump.trace = trace.n);
CREATE TRIGGER dump_in AFTER INSERT ON dump BEGIN
  UPDATE trace SET dumps = dumps + 1 WHERE n = new.trace;
END;
CREATE TRIGGER dump_out AFTER DELETE ON dump BEGIN
  UPDATE trace SET dumps = dumps - 1 WHERE n = old.trace;
END;
CREATE INDEX trace_ungrouped ON trace (n) WHERE dumps <> grouped;
CREATE INDEX trace_grouped ON trace (bug) WHERE dumps > 0;
CREATE INDEX trace_image ON trace (image);
CREATE INDEX trace_signature ON trace (signature);
CREATE INDEX suspected_other ON suspected (other);
CREATE TABLE grouping (
  rules INTEGER NOT NULL            -- triage::groups::RULES when all were grouped last
) STRICT;
ALTER TABLE bug ADD COLUMN merged INTEGER REFERENCES bug (n); -- most of its dumps went there
CREATE INDEX dump_failed ON dump (n) WHERE status <> 'ok';
CREATE INDEX dump_host ON dump (host);
CREATE INDEX dump_build ON dump (build);
CREATE INDEX dump_time ON dump (coalesce(time, added));
",
    "
CREATE TABLE sightings (
  block INTEGER PRIMARY KEY,        -- n / 1024 of its dumps
  packed BLOB NOT NULL              -- sightings::Block
) STRICT;
CREATE TRIGGER sightings_in AFTER INSERT ON dump BEGIN
  DELETE FROM sightings WHERE block = new.n / 1024;
END;
CREATE TRIGGER sightings_out AFTER DELETE ON dump BEGIN
  DELETE FROM sightings WHERE block = old.n / 1024;
END;
CREATE TRIGGER sightings_changed AFTER UPDATE OF n, status, complete, time, added, host, build,
  trace, class, severity, confidence, module ON dump BEGIN
  DELETE FROM sightings WHERE block IN (old.n / 1024, new.n / 1024);
END;
",
    "
ALTER TABLE dump ADD COLUMN level TEXT; -- of its redaction; NULL: of before that was stored
",
    "
CREATE TABLE made_by (
  obit TEXT NOT NULL                -- the version of obit that made the tables what they are
) STRICT;
",
];
const _: () = assert!(STEPS.len() + 1 == VERSION as usize);

/// Makes the tables of the database at `path`, or brings them up to date.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::database(path, source);
    let not_ours = |problem| StoreError::NotAStore { path: path.to_owned(), problem };
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    let is_read_only = connection.is_readonly("main").map_err(failed)?;
    let state = Header::of(connection).map_err(failed)?;
    if !state.is_empty && state.application != APPLICATION_ID {
        return Err(not_ours(NotAStore::OfAnotherProgram));
    }
    if state.version > VERSION {
        return Err(not_ours(newer(connection, state.version)));
    }
    if is_read_only {
        return match state {
            Header { is_empty: true, .. } => Err(not_ours(NotAStore::Empty)),
            Header { version, .. } if version < VERSION => {
                Err(not_ours(NotAStore::OlderAndReadOnly))
            }
            _ => Ok(()),
        };
    }
    with_log(connection).map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    if state.is_empty || state.version < VERSION {
        bring_up(connection, STEPS).map_err(failed)?;
    }
    Ok(())
}

/// Whether the tables are still those of this obit: another one may have changed them since
/// the store was opened.
pub(super) fn are_current(transaction: &Transaction<'_>) -> Result<(), GivenUp> {
    let version = Header::of(transaction)?.version;
    if version <= VERSION {
        return Ok(());
    }
    let path = PathBuf::from(transaction.path().unwrap_or_default());
    let problem = newer(transaction, version);
    Err(StoreError::NotAStore { path, problem }.into())
}

/// Which obit a store of newer tables needs.
fn newer(connection: &Connection, tables: i64) -> NotAStore {
    let is_version = |text: &String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        (1..=32).contains(&text.len()) && text.chars().all(is_plain)
    };
    let obit: rusqlite::Result<String> =
        connection.query_row("SELECT obit FROM made_by", [], |row| row.get(0));
    NotAStore::Newer { tables, known: VERSION, obit: obit.ok().filter(is_version) }
}

/// What the header of the file says.
struct Header {
    is_empty: bool,
    application: i64,
    version: i64,
}

impl Header {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |name: &str| {
            connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
        };
        Ok(Self {
            is_empty: number("schema_version")? == 0,
            application: number("application_id")?,
            version: number("user_version")?,
        })
    }
}

/// Changes are written to a log first: readers do not wait for writers, and a killed writer
/// leaves no trace. Two processes that ask for the log at once do not wait for each other
/// inside SQLite.
fn with_log(connection: &Connection) -> rusqlite::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let set = connection.pragma_update(None, "journal_mode", "WAL");
        let is_busy = set.as_ref().is_err_and(|error| {
            error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
        });
        if !is_busy || Instant::now() > end {
            return set;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes the tables, or what is missing to the newest ones, in one transaction. One process
/// does so, the others wait and find it done.
fn bring_up(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let newest = steps.len() as i64 + 1;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let state = Header::of(&transaction)?;
    if state.is_empty {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    let done = usize::try_from(state.version.saturating_sub(1)).unwrap_or(0);
    for step in steps.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    rename_classes(&transaction)?;
    if has_column(&transaction, "made_by", "obit")? {
        transaction.execute("DELETE FROM made_by", [])?;
        transaction.execute("INSERT INTO made_by (obit) VALUES (?1)", [OBIT])?;
    }
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()
}

/// The tables as the obit of this version of them made them.
#[cfg(test)]
pub(super) fn of_version(connection: &mut Connection, version: i64) {
    let steps = usize::try_from(version - 1).ok().and_then(|steps| STEPS.get(..steps));
    bring_up(connection, steps.expect("a version that there was")).unwrap();
}

/// Gives crashes whose class has another name since they were stored the current one, so
/// that one like them that is added now is of the same class and key.
fn rename_classes(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    // What is like what else may change with it.
    if has_column(transaction, "trace", "grouped")? {
        transaction.execute("UPDATE trace SET grouped = -1", [])?;
    }
    // The class is the last member of a key, and quotes within a name are escaped.
    let end_of_key = |class: &str| format!("\"class\":\"{class}\"}}");
    for (former, current) in FORMER_NAMES {
        transaction.execute("UPDATE dump SET class = ?2 WHERE class = ?1", [former, current])?;
        transaction.execute(
            "UPDATE OR IGNORE trace SET json = substr(json, 1, length(json) - length(?1)) || ?2
             WHERE substr(json, -length(?1)) = ?1",
            [end_of_key(former), end_of_key(current)],
        )?;
    }
    Ok(())
}

fn has_column(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)",
        [table, column],
        |row| row.get(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::CrashKey;

    #[test]
    fn older_tables_become_the_newest_step_by_step_and_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        bring_up(&mut connection, &[]).unwrap();
        connection.execute("INSERT INTO host (name) VALUES ('a')", []).unwrap();
        let steps = [
            "ALTER TABLE host ADD COLUMN rack TEXT",
            "ALTER TABLE host ADD COLUMN room TEXT; UPDATE host SET room = 'cellar'",
        ];
        bring_up(&mut connection, &steps[..1]).unwrap();
        for _ in 0..2 {
            bring_up(&mut connection, &steps).unwrap();
        }
        let room: String =
            connection.query_row("SELECT room FROM host", [], |row| row.get(0)).unwrap();
        assert_eq!(room, "cellar");
        assert_eq!(Header::of(&connection).unwrap().version, 3);
    }

    #[test]
    fn a_store_of_the_first_version_gets_what_was_added_since() {
        let tables = |connection: &Connection| -> Vec<(String, String)> {
            let mut statement = connection
                .prepare("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name")
                .unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<rusqlite::Result<_>>().unwrap()
        };
        let mut new = Connection::open_in_memory().unwrap();
        bring_up(&mut new, STEPS).unwrap();
        let mut old = Connection::open_in_memory().unwrap();
        bring_up(&mut old, &[]).unwrap();
        assert_ne!(tables(&old), tables(&new));
        bring_up(&mut old, STEPS).unwrap();
        assert_eq!(tables(&old), tables(&new));
    }

    #[test]
    fn crashes_of_a_class_that_was_renamed_get_its_current_name() {
        let key = |class: &str| {
            let key =
                CrashKey { text: "\"}".to_owned(), class: class.to_owned(), ..CrashKey::default() };
            serde_json::to_string(&key).unwrap()
        };
        let mut store = Connection::open_in_memory().unwrap();
        bring_up(&mut store, &STEPS[..1]).unwrap();
        for class in ["wild-read", "null-read"] {
            store.execute("INSERT INTO trace (json) VALUES (?1)", [key(class)]).unwrap();
            store
                .execute(
                    "INSERT INTO dump (id, crash, status, complete, added, class)
                     VALUES (?1, '', 'ok', 1, 0, ?1)",
                    [class],
                )
                .unwrap();
        }
        bring_up(&mut store, STEPS).unwrap();
        let column = |query| -> Vec<String> {
            let mut statement = store.prepare(query).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<rusqlite::Result<_>>().unwrap()
        };
        let keys = column("SELECT json FROM trace ORDER BY n");
        assert_eq!(keys, [key("unmapped-read"), key("null-read")]);
        assert_eq!(column("SELECT class FROM dump ORDER BY n"), ["unmapped-read", "null-read"]);
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        bring_up(&mut connection, &[]).unwrap();
        let steps = ["ALTER TABLE host ADD COLUMN rack TEXT; SELECT nonsense"];
        assert!(bring_up(&mut connection, &steps).is_err());
        assert_eq!(Header::of(&connection).unwrap().version, 1);
        assert!(connection.prepare("SELECT rack FROM host").is_err());
    }
}
