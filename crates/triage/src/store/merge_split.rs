//! What the user says of groups: kept for ever, and stronger than any measure.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::connection::{GivenUp, Store};
use super::error::{GroupError, StoreError};
use super::regroup::new_bug;

impl Store {
    /// The group that `id` calls: all of its digits, or as many as no other starts with.
    ///
    /// # Errors
    /// When there is none, or several, and those of the database.
    pub fn group_named(&self, id: &str) -> Result<String, StoreError> {
        match group(&self.connection, id) {
            Ok((_, id)) => Ok(id),
            Err(GivenUp::Database(source)) => Err(self.failed(source)),
            Err(GivenUp::Other(error)) => Err(error),
        }
    }

    /// Names a group, or takes its name away.
    ///
    /// # Errors
    /// When there is no such group, and those of the database.
    pub fn name_group(&mut self, id: &str, name: &str) -> Result<(), StoreError> {
        self.change(|transaction| {
            let (n, _) = group(transaction, id)?;
            let name = Some(name.trim()).filter(|name| !name.is_empty());
            transaction.execute("UPDATE bug SET name = ?1 WHERE n = ?2", params![name, n])?;
            Ok(())
        })
    }

    /// Makes two groups one, now and whatever comes. [`Store::regroup`] does it.
    ///
    /// # Errors
    /// When there is no such group, and those of the database.
    pub fn merge_groups(&mut self, one: &str, other: &str) -> Result<(), StoreError> {
        self.change(|transaction| {
            let ((one, _), (other, _)) = (group(transaction, one)?, group(transaction, other)?);
            if one == other {
                return Err(no(GroupError::Same));
            }
            let (ours, theirs) = (subgroups(transaction, one)?, subgroups(transaction, other)?);
            for a in &ours {
                for b in &theirs {
                    forget(transaction, a, b)?;
                }
            }
            if let Some(first) = ours.first() {
                for subgroup in ours.iter().skip(1).chain(&theirs) {
                    set(transaction, first, subgroup, true)?;
                }
            }
            ungroup(transaction, &[one, other])?;
            // Whichever goes on keeps what the user recorded about either.
            for column in ["name", "assignee", "link"] {
                let sql = format!(
                    "UPDATE bug SET {column} = (SELECT coalesce(a.{column}, b.{column})
                       FROM bug a, bug b WHERE a.n = ?1 AND b.n = ?2) WHERE n IN (?1, ?2)"
                );
                transaction.execute(&sql, params![one, other])?;
            }
            Ok(())
        })
    }

    /// Parts signatures from a group: together they become one of their own.
    /// [`Store::regroup`] does it.
    ///
    /// # Errors
    /// When there is no such group, it does not have them or nothing would remain, and those
    /// of the database.
    pub fn split_group(&mut self, id: &str, signatures: &[String]) -> Result<(), StoreError> {
        self.change(|transaction| {
            let (n, id) = group(transaction, id)?;
            let all = subgroups(transaction, n)?;
            let mut parted = BTreeSet::new();
            for wanted in signatures {
                let found = all.iter().filter(|subgroup| subgroup.starts_with(wanted.as_str()));
                let before = parted.len();
                parted.extend(found);
                if parted.len() == before || wanted.is_empty() {
                    let (signature, has) = (wanted.clone(), all.clone());
                    return Err(no(GroupError::NoSuchSignature { group: id, signature, has }));
                }
            }
            let rest: Vec<&String> =
                all.iter().filter(|subgroup| !parted.contains(subgroup)).collect();
            if rest.is_empty() {
                return Err(no(GroupError::NothingLeft { group: id }));
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
            let is_taken = |bug: i64| {
                transaction
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM trace WHERE bug = ?1)")?
                    .query_row([bug], |row| row.get(0))
            };
            let bug = new_bug(
                transaction,
                parted.iter().filter_map(|subgroup| subgroup.split('@').next()),
                &is_taken,
            )?;
            ungroup(transaction, &[n])?;
            for subgroup in &parted {
                transaction.execute(
                    "UPDATE trace SET bug = ?1
                     WHERE bug = ?2 AND coalesce(cell, json ->> '$.signature') = ?3",
                    params![bug, n, subgroup],
                )?;
            }
            Ok(())
        })
    }
}

fn no(error: GroupError) -> GivenUp {
    GivenUp::Other(error.into())
}

/// The row of a group and its id. A group that was merged into another stands for that.
fn group(connection: &Connection, id: &str) -> Result<(i64, String), GivenUp> {
    const LIVE: &str =
        "SELECT n, id FROM bug WHERE EXISTS (SELECT 1 FROM trace WHERE bug = bug.n AND dumps > 0)";
    let exact = connection
        .prepare_cached(&format!("{LIVE} AND id = ?1"))?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some(found) = exact {
        return Ok(found);
    }
    if let Some(found) = merged_into(connection, id)? {
        return Ok(found);
    }
    let end = format!("{id}\u{10ffff}");
    let mut statement =
        connection.prepare_cached(&format!("{LIVE} AND id >= ?1 AND id < ?2 LIMIT 2"))?;
    let found: Vec<(i64, String)> = statement
        .query_map([id, end.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let id = || id.to_owned();
    match <[_; 1]>::try_from(found) {
        Ok([only]) if !id().is_empty() => Ok(only),
        Err(several) if several.len() > 1 => Err(no(GroupError::Ambiguous { id: id() })),
        _ => Err(no(GroupError::Unknown { id: id() })),
    }
}

/// Groups that were merged into the next, at most.
const MERGES: usize = 64;

/// The group that now has most of the dumps of the group called `id`, if that has none.
pub(super) fn merged_into(
    connection: &Connection,
    id: &str,
) -> rusqlite::Result<Option<(i64, String)>> {
    let mut next: Option<i64> = connection
        .prepare_cached("SELECT merged FROM bug WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .flatten();
    for _ in 0..MERGES {
        let Some(n) = next else { return Ok(None) };
        let (id, merged, is_live) = connection
            .prepare_cached(
                "SELECT id, merged, EXISTS (SELECT 1 FROM trace WHERE bug = bug.n AND dumps > 0)
                 FROM bug WHERE n = ?1",
            )?
            .query_row([n], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, bool>(2)?)))?;
        if is_live {
            return Ok(Some((n, id)));
        }
        next = merged;
    }
    Ok(None)
}

/// Has the crashes of these groups grouped anew the next time.
fn ungroup(transaction: &Transaction<'_>, bugs: &[i64]) -> rusqlite::Result<()> {
    for bug in bugs {
        transaction
            .prepare_cached("UPDATE trace SET grouped = -1 WHERE bug = ?1 AND dumps > 0")?
            .execute([bug])?;
    }
    Ok(())
}

/// The parts of a group that a constraint can be about, in order.
fn subgroups(connection: &Connection, bug: i64) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT coalesce(cell, json ->> '$.signature') FROM trace WHERE bug = ?1
         ORDER BY 1",
    )?;
    statement.query_map([bug], |row| row.get(0))?.collect()
}

/// A pair has one constraint: the last.
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
