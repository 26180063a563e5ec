//! Rows of any table as objects of JSON, and back.

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde_json::{Map, Value};

/// A row, by column.
pub(super) type Object = Map<String, Value>;

/// The row of `table` whose `column` holds `text`, made if it is not there.
pub(super) fn interned(
    transaction: &Transaction<'_>,
    table: &str,
    column: &str,
    text: &str,
) -> rusqlite::Result<i64> {
    let found = transaction
        .prepare_cached(&format!("SELECT n FROM {table} WHERE {column} = ?1"))?
        .query_row([text], |row| row.get(0))
        .optional()?;
    if let Some(n) = found {
        return Ok(n);
    }
    transaction
        .prepare_cached(&format!("INSERT INTO {table} ({column}) VALUES (?1)"))?
        .execute([text])?;
    Ok(transaction.last_insert_rowid())
}

/// Puts a row into `table` unless its like is there; columns that are unknown are left out.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    table: &str,
    row: &Object,
) -> rusqlite::Result<bool> {
    let mut columns = Vec::new();
    {
        let statement = transaction.prepare_cached(&format!("SELECT * FROM {table}"))?;
        columns.extend(statement.column_names().map(str::to_owned));
    }
    columns.retain(|column| row.contains_key(column));
    let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let sql = format!(
        "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        places.join(", ")
    );
    let cells = columns.iter().map(|column| match (table, column.as_str(), row.get(column)) {
        ("path", "key", Some(Value::String(hex))) => Cell::Blob(of_hex(hex)),
        (_, _, value) => value.map_or(Cell::Null, cell_of),
    });
    let added = transaction.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(cells))?;
    Ok(added > 0)
}

/// The row of `table` with this number.
pub(super) fn row_of(
    connection: &Connection,
    table: &str,
    n: i64,
) -> rusqlite::Result<Option<Object>> {
    connection
        .prepare_cached(&format!("SELECT * FROM {table} NOT INDEXED WHERE rowid = ?1"))?
        .query_row([n], object)
        .optional()
}

/// A row, by column.
pub(super) fn object(row: &Row<'_>) -> rusqlite::Result<Object> {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let mut object = Object::new();
    for (at, name) in statement.column_names().enumerate() {
        let value = match row.get_ref(at)? {
            ValueRef::Null => continue,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            ValueRef::Blob(bytes) => {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
            }
        };
        object.insert(name.to_owned(), value);
    }
    Ok(object)
}

/// The text that a query gives for one number.
pub(super) fn cell(connection: &Connection, sql: &str, n: i64) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached(sql)?.query_row([n], |row| row.get(0)).optional()
}

pub(super) fn cell_of(value: &Value) -> Cell {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
        Value::Bool(yes) => Cell::Integer(i64::from(*yes)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cell::Integer(number),
            None => Cell::Real(number.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => Cell::Text(text.clone()),
    }
}

pub(super) fn of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}
