//! What the user says of groups: kept for ever, and stronger than any measure.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::groups::new_bug;
use super::{Store, StoreError};

impl Store {
    /// The group that `id` calls: all of its digits, or as many as no other starts with.
    ///
    /// # Errors
    /// When there is none, or several, and those of the database.
    pub fn group_named(&self, id: &str) -> Result<String, StoreError> {
        group(&self.connection, id)
            .map_err(|source| self.failed(source))?
            .map(|(_, id)| id)
            .map_err(|problem| StoreError::NoSuchGroup { problem })
    }

    /// Names a group, or takes its name away.
    ///
    /// # Errors
    /// When there is no such group, and those of the database.
    pub fn name_group(&mut self, id: &str, name: &str) -> Result<(), StoreError> {
        self.wish(|transaction| {
            let (n, _) = match group(transaction, id)? {
                Ok(group) => group,
                Err(problem) => return Ok(Err(problem)),
            };
            let name = Some(name.trim()).filter(|name| !name.is_empty());
            transaction.execute("UPDATE bug SET name = ?1 WHERE n = ?2", params![name, n])?;
            Ok(Ok(()))
        })
    }

    /// Makes two groups one, now and whatever comes. [`Store::regroup`] does it.
    ///
    /// # Errors
    /// When there is no such group, and those of the database.
    pub fn merge_groups(&mut self, one: &str, other: &str) -> Result<(), StoreError> {
        self.wish(|transaction| {
            let ((one, _), (other, _)) =
                match (group(transaction, one)?, group(transaction, other)?) {
                    (Ok(one), Ok(other)) => (one, other),
                    (Err(problem), _) | (_, Err(problem)) => return Ok(Err(problem)),
                };
            if one == other {
                return Ok(Err("that is one group".to_owned()));
            }
            let (ours, theirs) = (cells(transaction, one)?, cells(transaction, other)?);
            for a in &ours {
                for b in &theirs {
                    forget(transaction, a, b)?;
                }
            }
            if let Some(first) = ours.first() {
                for cell in ours.iter().skip(1).chain(&theirs) {
                    set(transaction, first, cell, true)?;
                }
            }
            // Whichever goes on keeps what either was named.
            transaction.execute(
                "UPDATE bug SET name = (SELECT coalesce(a.name, b.name) FROM bug a, bug b
                   WHERE a.n = ?1 AND b.n = ?2) WHERE n IN (?1, ?2)",
                params![one, other],
            )?;
            Ok(Ok(()))
        })
    }

    /// Parts signatures from a group: together they become one of their own.
    /// [`Store::regroup`] does it.
    ///
    /// # Errors
    /// When there is no such group, it does not have them or nothing would remain, and those
    /// of the database.
    pub fn split_group(&mut self, id: &str, signatures: &[String]) -> Result<(), StoreError> {
        self.wish(|transaction| {
            let (n, id) = match group(transaction, id)? {
                Ok(group) => group,
                Err(problem) => return Ok(Err(problem)),
            };
            let all = cells(transaction, n)?;
            let mut parted = BTreeSet::new();
            for wanted in signatures {
                let found = all.iter().filter(|cell| cell.starts_with(wanted.as_str()));
                let before = parted.len();
                parted.extend(found);
                if parted.len() == before || wanted.is_empty() {
                    let list = all.join(", ");
                    return Ok(Err(format!("{id} has no signature {wanted}: it has {list}")));
                }
            }
            let rest: Vec<&String> = all.iter().filter(|cell| !parted.contains(cell)).collect();
            if rest.is_empty() {
                return Ok(Err(format!("nothing of {id} would remain")));
            }
            for one in &parted {
                for other in &rest {
                    set(transaction, one, other, false)?;
                }
            }
            if let Some(first) = parted.first() {
                for other in parted.iter().skip(1) {
                    set(transaction, first, other, true)?;
                }
            }
            // The rest goes on under the id, however small it is.
            let taken: BTreeSet<i64> = transaction
                .prepare("SELECT DISTINCT bug FROM trace WHERE bug IS NOT NULL")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let bug = new_bug(
                transaction,
                parted.iter().filter_map(|cell| cell.split('@').next()),
                &taken,
            )?;
            for cell in &parted {
                transaction.execute(
                    "UPDATE trace SET bug = ?1
                     WHERE bug = ?2 AND coalesce(cell, json ->> '$.signature') = ?3",
                    params![bug, n, cell],
                )?;
            }
            Ok(Ok(()))
        })
    }

    /// The signatures of a group, each with `@` and a caller behind it where only the
    /// crashes of that caller are meant, and in words.
    ///
    /// # Errors
    /// When there is no such group, and those of the database.
    pub fn signatures(&self, id: &str) -> Result<Vec<(String, String)>, StoreError> {
        let id = self.group_named(id)?;
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT coalesce(cell, json ->> '$.signature'), min(json ->> '$.text') FROM trace
                 WHERE bug = (SELECT n FROM bug WHERE id = ?1) GROUP BY 1 ORDER BY 1",
            )?;
            let rows = statement.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Does all of `change` or nothing.
    fn wish(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<(), String>>,
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Database { path: path.clone(), source };
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(failed)?;
        match change(&transaction).map_err(failed)? {
            Ok(()) => transaction.commit().map_err(failed),
            Err(problem) => Err(StoreError::NoSuchGroup { problem }),
        }
    }
}

/// The row of a group and its id, or why there is none.
fn group(connection: &Connection, id: &str) -> rusqlite::Result<Result<(i64, String), String>> {
    let all = "SELECT n, id FROM bug WHERE EXISTS (SELECT 1 FROM trace WHERE bug = bug.n)";
    let exact = connection
        .prepare_cached(&format!("{all} AND id = ?1"))?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some(found) = exact {
        return Ok(Ok(found));
    }
    let mut statement =
        connection.prepare_cached(&format!("{all} AND substr(id, 1, length(?1)) = ?1 LIMIT 2"))?;
    let found: Vec<(i64, String)> = statement
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(match <[_; 1]>::try_from(found) {
        Ok([only]) if !id.is_empty() => Ok(only),
        Err(several) if several.len() > 1 => {
            Err(format!("more than one group starts with {id:?}: `obit top` lists them"))
        }
        _ => Err(format!("there is no group {id:?}: `obit top` lists them")),
    })
}

/// The parts of a group that a wish can be about, in order.
fn cells(connection: &Connection, bug: i64) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT coalesce(cell, json ->> '$.signature') FROM trace WHERE bug = ?1
         ORDER BY 1",
    )?;
    statement.query_map([bug], |row| row.get(0))?.collect()
}

/// A pair has one wish: the last.
fn set(
    transaction: &Transaction<'_>,
    one: &str,
    other: &str,
    together: bool,
) -> rusqlite::Result<()> {
    if one != other {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO wish (one, other, together) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![one.min(other), one.max(other), together])?;
    }
    Ok(())
}

fn forget(transaction: &Transaction<'_>, one: &str, other: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM wish WHERE one = ?1 AND other = ?2")?
        .execute(params![one.min(other), one.max(other)])?;
    Ok(())
}
