//! The tables on the server, and how older ones become these.
//!
//! They are those of [`portable`](crate::store::portable). What is new there needs a step here.

use std::cmp::Ordering;

use postgres::Client;
use postgres::error::SqlState;

use super::Tables;
use super::address::Address;
use super::trouble::{Stopped, problem};
use crate::store::error::{CentralProblem, NotAStore, StoreError};

/// The version of obit that makes the tables.
const OBIT: &str = env!("CARGO_PKG_VERSION");
/// The version of the tables on the server.
pub(super) const VERSION: i64 = STEPS.len() as i64 + 1;
/// What makes tables of version 1 into those of version 2, and so on.
const STEPS: &[&str] = &[];
/// `obit` in ASCII: clients that make or upgrade tables do so one after another.
const LOCK: i64 = 0x6f62_6974;

/// What distinguishes two rows of `code`. Symbols are longer than an index of PostgreSQL takes,
/// so it has their digest; lengths keep apart what is written one after another.
pub(super) const CODE_KEY: &str = r"sha256(decode(replace(
  length(build)::text || ':' || build || length(module)::text || ':' || module || symbol,
  '\', '\\'), 'escape'))";

/// The tables of version 1. References are checked at the end of a transaction, and so is what
/// must differ: rows are written in no particular order.
const TABLES: &str = r#"
CREATE SCHEMA IF NOT EXISTS obit;
CREATE TABLE obit.store (
  one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
  tables BIGINT NOT NULL,           -- the version of the tables
  obit TEXT NOT NULL,               -- the version of obit that made them what they are
  revision BIGINT NOT NULL,         -- of the last change; locked by who makes the next
  whole_from BIGINT NOT NULL DEFAULT 0  -- copies of an earlier revision are made anew
);
CREATE TABLE obit.revision (
  n BIGINT PRIMARY KEY,
  token TEXT NOT NULL,              -- random: shows that a change is the one that was meant
  writer TEXT NOT NULL DEFAULT current_user,
  time TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE obit.gone (
  revision BIGINT NOT NULL,
  "table" TEXT NOT NULL,
  key TEXT NOT NULL                 -- JSON array; bytes as hexadecimal digits
);
CREATE INDEX gone_revision ON obit.gone (revision);
CREATE TABLE obit.build (
  n BIGINT PRIMARY KEY,
  id TEXT NOT NULL,
  program TEXT NOT NULL,
  version TEXT,
  variant TEXT,
  local BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  -- A hash, since a text may be longer than what an ordered index takes.
  EXCLUDE USING hash ((length(program)::text || ':' || program || id) WITH =)
    DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE obit.host (
  n BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  revision BIGINT NOT NULL,
  EXCLUDE USING hash (name WITH =) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE obit.bug (
  n BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED,
  name TEXT,
  state TEXT NOT NULL,
  state_build TEXT,
  state_time BIGINT,
  assignee TEXT,
  link TEXT,
  merged BIGINT REFERENCES obit.bug (n) DEFERRABLE INITIALLY DEFERRED,
  revision BIGINT NOT NULL
);
CREATE TABLE obit.trace (
  n BIGINT PRIMARY KEY,
  json TEXT NOT NULL,
  cell TEXT,
  bug BIGINT REFERENCES obit.bug (n) DEFERRABLE INITIALLY DEFERRED,
  why TEXT,
  dumps BIGINT NOT NULL,
  grouped BIGINT NOT NULL,
  revision BIGINT NOT NULL
);
CREATE INDEX trace_bug ON obit.trace (bug);
CREATE TABLE obit.dump (
  n BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED,
  crash TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  complete BIGINT NOT NULL,
  kept BIGINT NOT NULL,
  time BIGINT,
  added BIGINT NOT NULL,
  host BIGINT REFERENCES obit.host (n) DEFERRABLE INITIALLY DEFERRED,
  build BIGINT REFERENCES obit.build (n) DEFERRABLE INITIALLY DEFERRED,
  trace BIGINT REFERENCES obit.trace (n) DEFERRABLE INITIALLY DEFERRED,
  class TEXT,
  severity TEXT,
  confidence TEXT,
  module TEXT,
  level TEXT,
  revision BIGINT NOT NULL
);
CREATE INDEX dump_trace ON obit.dump (trace);
CREATE INDEX dump_host ON obit.dump (host);
CREATE INDEX dump_build ON obit.dump (build);
CREATE TABLE obit.record (
  dump BIGINT PRIMARY KEY REFERENCES obit.dump (n) DEFERRABLE INITIALLY DEFERRED,
  json BYTEA NOT NULL,              -- zstd
  revision BIGINT NOT NULL
);
ALTER TABLE obit.record ALTER COLUMN json SET STORAGE EXTERNAL;
CREATE TABLE obit.path (
  key BYTEA PRIMARY KEY,
  shown TEXT NOT NULL,
  size BIGINT NOT NULL,
  mtime BIGINT NOT NULL,
  inode BIGINT NOT NULL,
  device BIGINT NOT NULL,
  dump BIGINT NOT NULL REFERENCES obit.dump (n) DEFERRABLE INITIALLY DEFERRED,
  revision BIGINT NOT NULL
);
CREATE INDEX path_dump ON obit.path (dump);
CREATE TABLE obit.wish (
  one TEXT NOT NULL,
  other TEXT NOT NULL,
  together BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (one, other)
);
CREATE TABLE obit.suspected (
  one BIGINT NOT NULL REFERENCES obit.bug (n) DEFERRABLE INITIALLY DEFERRED,
  other BIGINT NOT NULL REFERENCES obit.bug (n) DEFERRABLE INITIALLY DEFERRED,
  likeness DOUBLE PRECISION NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (one, other)
);
CREATE INDEX suspected_other ON obit.suspected (other);
CREATE TABLE obit.note (
  n BIGINT PRIMARY KEY,
  bug BIGINT NOT NULL REFERENCES obit.bug (n) DEFERRABLE INITIALLY DEFERRED,
  time BIGINT NOT NULL,
  text TEXT NOT NULL,
  revision BIGINT NOT NULL
);
CREATE INDEX note_bug ON obit.note (bug);
CREATE TABLE obit.code (
  build TEXT NOT NULL,
  module TEXT NOT NULL,
  symbol TEXT NOT NULL,
  hash TEXT,
  revision BIGINT NOT NULL
);
CREATE INDEX code_build ON obit.code USING hash (build);
CREATE TABLE obit.stack (
  dump BIGINT PRIMARY KEY REFERENCES obit.dump (n) DEFERRABLE INITIALLY DEFERRED,
  json TEXT NOT NULL,
  revision BIGINT NOT NULL
);
CREATE TABLE obit."grouping" (
  rules BIGINT PRIMARY KEY,
  revision BIGINT NOT NULL
);
CREATE INDEX build_revision ON obit.build (revision);
CREATE INDEX host_revision ON obit.host (revision);
CREATE INDEX bug_revision ON obit.bug (revision);
CREATE INDEX trace_revision ON obit.trace (revision);
CREATE INDEX dump_revision ON obit.dump (revision);
CREATE INDEX record_revision ON obit.record (revision);
CREATE INDEX path_revision ON obit.path (revision);
CREATE INDEX wish_revision ON obit.wish (revision);
CREATE INDEX suspected_revision ON obit.suspected (revision);
CREATE INDEX note_revision ON obit.note (revision);
CREATE INDEX code_revision ON obit.code (revision);
CREATE INDEX stack_revision ON obit.stack (revision);
"#;

/// Makes sure that the tables are those of this obit.
pub(super) fn prepare(
    client: &mut Client,
    tables: Tables,
    address: &Address,
) -> Result<(), StoreError> {
    let failed = |error: postgres::Error| address.error(problem(&error));
    let not_ours = |problem| StoreError::NotAStore { path: address.shown.clone().into(), problem };
    let Some((version, obit)) = version(client).map_err(failed)? else {
        return match tables {
            Tables::Expected => Err(StoreError::Missing { path: address.shown.clone().into() }),
            Tables::Made => bring_up(client, STEPS).map_err(failed),
        };
    };
    match version {
        VERSION => Ok(()),
        newer if newer > VERSION => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
            let obit = Some(obit)
                .filter(|obit| (1..=32).contains(&obit.len()) && obit.chars().all(is_plain));
            Err(not_ours(NotAStore::Newer { tables: newer, known: VERSION, obit }))
        }
        older if older < 1 => {
            Err(address.error(CentralProblem::Older { tables: older, known: VERSION }))
        }
        older => bring_up(client, STEPS).map_err(|error| match error.code() {
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                address.error(CentralProblem::Older { tables: older, known: VERSION })
            }
            _ => failed(error),
        }),
    }
}

/// Whether the tables are still those of this obit, which another may have upgraded.
pub(super) fn is_ours(work: &mut postgres::Transaction<'_>) -> Result<(), Stopped> {
    let row = work.query_one("SELECT tables FROM obit.store", &[])?;
    let (tables, known): (i64, i64) = (row.try_get(0)?, VERSION);
    match tables.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Less => Err(Stopped::Server(CentralProblem::Older { tables, known })),
        Ordering::Greater => Err(Stopped::Server(CentralProblem::Newer { tables, known })),
    }
}

/// The version of the tables, if there are any, and the obit that made them.
fn version(
    client: &mut impl postgres::GenericClient,
) -> Result<Option<(i64, String)>, postgres::Error> {
    let there = client.query_one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'store' AND
           relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'obit'))",
        &[],
    )?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client.query_opt("SELECT tables, obit FROM obit.store", &[])?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// Makes the tables, or what is missing to the newest ones, in one transaction.
fn bring_up(client: &mut Client, steps: &[&str]) -> Result<(), postgres::Error> {
    let mut work = client.transaction()?;
    work.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    let newest = steps.len() as i64 + 1;
    let done = match version(&mut work)? {
        Some((version, _)) => version,
        None => {
            work.batch_execute(TABLES)?;
            work.batch_execute(&format!("CREATE UNIQUE INDEX code_key ON obit.code ({CODE_KEY})"))?;
            work.execute(
                "INSERT INTO obit.store (tables, obit, revision) VALUES (1, $1, 0)",
                &[&OBIT],
            )?;
            let token = super::client::token();
            work.execute("INSERT INTO obit.revision (n, token) VALUES (0, $1)", &[&token])?;
            1
        }
    };
    for step in steps.iter().skip(usize::try_from(done.saturating_sub(1)).unwrap_or(0)) {
        work.batch_execute(step)?;
    }
    if done < newest {
        work.execute("UPDATE obit.store SET tables = $1, obit = $2", &[&newest, &OBIT])?;
    }
    work.commit()
}
