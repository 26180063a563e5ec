//! What is newer on the server comes into the replica.

use std::collections::BTreeSet;

use postgres::Transaction as Work;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use rusqlite::config::DbConfig;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};
use serde_json::Value;

use super::replica::Place;
use super::text::from_server;
use super::trouble::Stopped;
use crate::store::portable::{Kind, TABLES, Table};
use crate::store::sightings::{block_of, complete_blocks};

/// Takes over all changes since the last that the replica has. `work` sees one state of the
/// server.
pub(super) fn pull(replica: &mut Connection, work: &mut Work<'_>) -> Result<Place, Stopped> {
    // The rows are taken as they are: what triggers do was done where they were made, and what
    // refers to what is right when all are there.
    let on = |replica: &Connection, yes: bool| -> rusqlite::Result<()> {
        replica.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, yes)?;
        replica.pragma_update(None, "foreign_keys", yes)
    };
    on(replica, false)?;
    let pulled = pull_rows(replica, work);
    on(replica, true)?;
    pulled
}

fn pull_rows(replica: &mut Connection, work: &mut Work<'_>) -> Result<Place, Stopped> {
    // A change by another process of this machine must not come in between.
    let local = replica.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let here = Place::of(&local)?;
    let row = work.query_one(
        "SELECT store.revision, revision.token,
           (SELECT token FROM obit.revision WHERE n = $1 AND n >= store.whole_from)
         FROM obit.store AS store JOIN obit.revision AS revision ON revision.n = store.revision",
        &[&here.as_ref().map(|here| here.revision)],
    )?;
    let there = Place { revision: row.try_get(0)?, token: row.try_get(1)? };
    let at_ours: Option<String> = row.try_get(2)?;
    if here.as_ref() == Some(&there) {
        return Ok(there);
    }
    // Of another store, of one that was put back to an earlier state, or from before something
    // was forgotten, all is taken.
    let since = here.filter(|here| Some(&here.token) == at_ours.as_ref()).map(|it| it.revision);
    let mut blocks = BTreeSet::new();
    match since {
        Some(since) => delete(&local, work, since, &mut blocks)?,
        None => {
            for table in TABLES {
                local.execute(&format!("DELETE FROM {}", table.name), [])?;
            }
            local.execute("DELETE FROM sightings", [])?;
        }
    }
    for table in TABLES {
        let mut insert = local.prepare_cached(&table.insert())?;
        let names = table.names().join(", ");
        each(work, table, &names, since, |row| {
            if table.name == "dump"
                && let Ok(n) = row.try_get::<_, i64>(0)
            {
                blocks.insert(block_of(n));
            }
            let kinds = table.columns.iter().map(|(_, kind)| *kind);
            insert.execute(params_from_iter(cells(row, kinds)?))?;
            Ok(())
        })?;
    }
    if !blocks.is_empty() {
        let mut stale = local.prepare_cached("DELETE FROM sightings WHERE block = ?1")?;
        for block in blocks {
            stale.execute([block])?;
        }
        complete_blocks(&local)?;
    }
    there.set(&local)?;
    local.commit()?;
    Ok(there)
}

/// Deletes rows that are gone, and those that come in another form.
fn delete(
    local: &Connection,
    work: &mut Work<'_>,
    since: i64,
    blocks: &mut BTreeSet<i64>,
) -> Result<(), Stopped> {
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let sql = "SELECT \"table\", key FROM obit.gone WHERE revision > $1 AND \"table\" = ANY($2)";
    let values: [&(dyn ToSql + Sync); 2] = [&since, &names];
    // One at a time: there may be any number of them.
    let mut rows = work.query_raw(sql, values)?;
    while let Some(row) = rows.next()? {
        let (name, key): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(table) = TABLES.iter().find(|table| table.name == name) else { continue };
        let key = key_of(table, &key);
        if let ("dump", Some(Cell::Integer(n))) = (table.name, key.first()) {
            blocks.insert(block_of(*n));
        }
        if key.len() == table.key.len() {
            local.prepare_cached(&delete_one(table))?.execute(params_from_iter(key))?;
        }
    }
    drop(rows);
    for table in TABLES {
        let mut statement = local.prepare_cached(&delete_one(table))?;
        each(work, table, &table.key.join(", "), Some(since), |row| {
            statement.execute(params_from_iter(cells(row, table.key_kinds())?))?;
            Ok(())
        })?;
    }
    Ok(())
}

fn delete_one(table: &Table) -> String {
    let key: Vec<_> =
        table.key.iter().enumerate().map(|(at, key)| format!("{key} = ?{}", at + 1)).collect();
    format!("DELETE FROM {} WHERE {}", table.name, key.join(" AND "))
}

/// Hands over these columns of rows that were written after a revision, or of all.
fn each(
    work: &mut Work<'_>,
    table: &Table,
    columns: &str,
    since: Option<i64>,
    mut take: impl FnMut(&postgres::Row) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let sql = format!("SELECT {columns} FROM obit.\"{}\" WHERE revision > $1", table.name);
    let mut rows = work.query_raw(&sql, [since.unwrap_or(-1)])?;
    while let Some(row) = rows.next()? {
        take(&row)?;
    }
    Ok(())
}

fn cells(row: &postgres::Row, kinds: impl Iterator<Item = Kind>) -> Result<Vec<Cell>, Stopped> {
    let cell = |(at, kind)| -> Result<Cell, postgres::Error> {
        let cell = match kind {
            Kind::Integer => row.try_get::<_, Option<i64>>(at)?.map(Cell::Integer),
            Kind::Real => row.try_get::<_, Option<f64>>(at)?.map(Cell::Real),
            Kind::Text => row.try_get::<_, Option<String>>(at)?.map(from_server).map(Cell::Text),
            Kind::Blob => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Cell::Blob),
        };
        Ok(cell.unwrap_or(Cell::Null))
    };
    Ok(kinds.enumerate().map(cell).collect::<Result<_, _>>()?)
}

/// The key that `gone` names, as far as it makes sense.
fn key_of(table: &Table, json: &str) -> Vec<Cell> {
    let Ok(Value::Array(values)) = serde_json::from_str(json) else { return Vec::new() };
    let cell = |(value, kind): (Value, Kind)| match (kind, value) {
        (Kind::Integer, Value::Number(number)) => number.as_i64().map(Cell::Integer),
        (Kind::Real, Value::Number(number)) => number.as_f64().map(Cell::Real),
        (Kind::Text, Value::String(text)) => Some(Cell::Text(from_server(text))),
        (Kind::Blob, Value::String(hex)) => Some(Cell::Blob(crate::store::rows::of_hex(&hex))),
        _ => None,
    };
    values.into_iter().zip(table.key_kinds()).filter_map(cell).collect()
}
