//! What a change touched in the replica goes to the server.

use postgres::Transaction as Work;
use postgres::types::ToSql;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use super::schema::CODE_KEY;
use super::text::for_server;
use super::trouble::Stopped;
use crate::store::portable::{Kind, TABLES, Table};

/// Rows, and bytes of them, that are sent at once.
const ROWS: usize = 2_000;
const BYTES: usize = 4 << 20;
/// Sends the rows that were touched as those of `revision`; how many are other than they were,
/// or gone.
pub(super) fn push(
    replica: &Connection,
    work: &mut Work<'_>,
    revision: i64,
) -> Result<u64, Stopped> {
    let mut pushed = 0;
    for table in TABLES {
        pushed += delete(replica, work, table, revision)?;
    }
    for table in TABLES {
        pushed += upsert(replica, work, table, revision)?;
    }
    Ok(pushed)
}

/// The condition that a row of the table is the one that was touched.
fn is_same(table: &Table) -> String {
    let pairs: Vec<_> = table.key.iter().map(|key| format!("t.{key} IS touched.{key}")).collect();
    pairs.join(" AND ")
}

fn delete(
    replica: &Connection,
    work: &mut Work<'_>,
    table: &Table,
    revision: i64,
) -> Result<u64, Stopped> {
    let mut pushed = 0;
    let (name, key) = (table.name, table.key.join(", "));
    let mut gone = replica.prepare_cached(&format!(
        "SELECT DISTINCT {key} FROM touched_{name} AS touched
         WHERE NOT EXISTS (SELECT 1 FROM {name} AS t WHERE {})",
        is_same(table)
    ))?;
    let kinds: Vec<Kind> = table.key_kinds().collect();
    let mut batch = Batch::of(&kinds);
    let mut rows = gone.query([])?;
    loop {
        let row = rows.next()?;
        if let Some(row) = row {
            for at in 0..kinds.len() {
                batch.take(at, row.get(at)?);
            }
            batch.rows += 1;
        }
        if batch.rows > 0 && (row.is_none() || batch.is_full()) {
            let columns: Vec<_> =
                table.key.iter().map(|key| format!("t.{key} = k.{key}")).collect();
            let json = kinds.iter().zip(table.key).map(|(kind, key)| match kind {
                Kind::Blob => format!("encode(t.{key}, 'hex')"),
                _ => format!("t.{key}"),
            });
            let json = json.collect::<Vec<_>>().join(", ");
            let sql = format!(
                "WITH gone AS (DELETE FROM obit.\"{name}\" AS t USING {} AS k ({key})
                   WHERE {} RETURNING json_build_array({json})::text AS key)
                 INSERT INTO obit.gone (revision, \"table\", key)
                 SELECT ${}::bigint, '{name}', key FROM gone",
                batch.unnest(),
                columns.join(" AND "),
                kinds.len() + 1,
            );
            pushed += batch.execute(work, &sql, revision)?;
        }
        if row.is_none() {
            return Ok(pushed);
        }
    }
}

fn upsert(
    replica: &Connection,
    work: &mut Work<'_>,
    table: &Table,
    revision: i64,
) -> Result<u64, Stopped> {
    let mut pushed = 0;
    let (name, key) = (table.name, table.key.join(", "));
    let names = table.names();
    let columns: Vec<_> = names.iter().map(|column| format!("t.{column}")).collect();
    let mut written = replica.prepare_cached(&format!(
        "SELECT {} FROM (SELECT DISTINCT {key} FROM touched_{name}) AS touched
         JOIN {name} AS t ON {}",
        columns.join(", "),
        is_same(table)
    ))?;
    let kinds: Vec<Kind> = table.columns.iter().map(|(_, kind)| *kind).collect();
    let mut batch = Batch::of(&kinds);
    let mut rows = written.query([])?;
    loop {
        let row = rows.next()?;
        if let Some(row) = row {
            for at in 0..kinds.len() {
                batch.take(at, row.get(at)?);
            }
            batch.rows += 1;
        }
        if batch.rows > 0 && (row.is_none() || batch.is_full()) {
            let others: Vec<_> = names.iter().filter(|it| !table.key.contains(it)).collect();
            let list = |prefix: &str| {
                let all: Vec<_> = others.iter().map(|it| format!("{prefix}.{it}")).collect();
                all.join(", ")
            };
            let set: Vec<_> = others.iter().map(|it| format!("{it} = excluded.{it}")).collect();
            // What is as it was is not sent to everyone again.
            let conflict = match others.is_empty() {
                true => "NOTHING".to_owned(),
                false => format!(
                    "UPDATE SET {}, revision = excluded.revision
                     WHERE ({}) IS DISTINCT FROM ({})",
                    set.join(", "),
                    list("t"),
                    list("excluded")
                ),
            };
            let all = names.join(", ");
            let sql = format!(
                "INSERT INTO obit.\"{name}\" AS t ({all}, revision)
                 SELECT {all}, ${}::bigint FROM {} AS k ({all})
                 ON CONFLICT ({}) DO {conflict}",
                kinds.len() + 1,
                batch.unnest(),
                if name == "code" { CODE_KEY } else { &key },
            );
            pushed += batch.execute(work, &sql, revision)?;
        }
        if row.is_none() {
            return Ok(pushed);
        }
    }
}

/// Rows that are sent at once, column by column.
struct Batch {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

enum Column {
    Integer(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
    Blob(Vec<Option<Vec<u8>>>),
}

impl Batch {
    fn of(kinds: &[Kind]) -> Self {
        let column = |kind: &Kind| match kind {
            Kind::Integer => Column::Integer(Vec::new()),
            Kind::Real => Column::Real(Vec::new()),
            Kind::Text => Column::Text(Vec::new()),
            Kind::Blob => Column::Blob(Vec::new()),
        };
        Self { columns: kinds.iter().map(column).collect(), rows: 0, bytes: 0 }
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// Takes the cell of a column. The tables are strict, so it is of the column's kind.
    fn take(&mut self, at: usize, cell: Cell) {
        match (self.columns.get_mut(at), cell) {
            (Some(Column::Integer(column)), Cell::Integer(number)) => column.push(Some(number)),
            (Some(Column::Real(column)), Cell::Real(number)) => column.push(Some(number)),
            (Some(Column::Text(column)), Cell::Text(text)) => {
                self.bytes += text.len();
                column.push(Some(for_server(text)));
            }
            (Some(Column::Blob(column)), Cell::Blob(bytes)) => {
                self.bytes += bytes.len();
                column.push(Some(bytes));
            }
            (Some(Column::Integer(column)), _) => column.push(None),
            (Some(Column::Real(column)), _) => column.push(None),
            (Some(Column::Text(column)), _) => column.push(None),
            (Some(Column::Blob(column)), _) => column.push(None),
            (None, _) => {}
        }
    }

    /// The columns as a table.
    fn unnest(&self) -> String {
        let array = |(at, column): (usize, &Column)| {
            let kind = match column {
                Column::Integer(_) => "bigint",
                Column::Real(_) => "double precision",
                Column::Text(_) => "text",
                Column::Blob(_) => "bytea",
            };
            format!("${}::{kind}[]", at + 1)
        };
        let arrays: Vec<_> = self.columns.iter().enumerate().map(array).collect();
        format!("unnest({})", arrays.join(", "))
    }

    /// Sends the rows and is empty again; how many rows changed.
    fn execute(&mut self, work: &mut Work<'_>, sql: &str, revision: i64) -> Result<u64, Stopped> {
        let mut values: Vec<&(dyn ToSql + Sync)> = Vec::new();
        for column in &self.columns {
            values.push(match column {
                Column::Integer(column) => column,
                Column::Real(column) => column,
                Column::Text(column) => column,
                Column::Blob(column) => column,
            });
        }
        values.push(&revision);
        let changed = work.execute(sql, &values)?;
        for column in &mut self.columns {
            match column {
                Column::Integer(column) => column.clear(),
                Column::Real(column) => column.clear(),
                Column::Text(column) => column.clear(),
                Column::Blob(column) => column.clear(),
            }
        }
        (self.rows, self.bytes) = (0, 0);
        Ok(changed)
    }
}
