//! Groups of all that is there.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError};
use crate::{Trace, Wishes, group};

/// What grouping anew changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regrouped {
    /// Groups that there are.
    pub groups: u64,
    /// Of these, ones that there were not.
    pub new: u64,
}

/// One group, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRow {
    /// What it is called by.
    pub id: String,
    /// As the user named it.
    pub name: Option<String>,
    /// Its most frequent signature.
    pub signature: String,
    /// Dumps.
    pub count: u64,
}

/// Two groups that may be one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suspected {
    /// The one's id.
    pub one: String,
    /// The other's.
    pub other: String,
    /// How alike they are, from 0 to 1.
    pub likeness: f64,
}

struct Row {
    n: i64,
    trace: Trace,
    bug: Option<i64>,
    count: u64,
    cell: Option<String>,
}

impl Store {
    /// Groups all traces anew and gives each group the id of the old one it has most of.
    ///
    /// # Errors
    /// Those of the database.
    pub fn regroup(&mut self) -> Result<Regrouped, StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Database { path: path.clone(), source };
        self.regroup_all().map_err(failed)
    }

    fn regroup_all(&mut self) -> rusqlite::Result<Regrouped> {
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut rows = Vec::new();
        {
            let mut statement = transaction.prepare(
                // What no dump has any more keeps its group and has no say.
                "SELECT trace.n, json, bug, count(*), cell FROM trace
                 JOIN dump ON dump.trace = trace.n GROUP BY trace.n",
            )?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let json: String = row.get(1)?;
                let trace = serde_json::from_str(&json).unwrap_or_default();
                let count: i64 = row.get(3)?;
                let count = u64::try_from(count).unwrap_or(0);
                let cell = row.get(4)?;
                rows.push(Row { n: row.get(0)?, trace, bug: row.get(2)?, count, cell });
            }
        }
        let traces: Vec<Trace> = rows.iter().map(|row| row.trace.clone()).collect();
        let counts: Vec<u64> = rows.iter().map(|row| row.count).collect();
        let wishes = wishes(&transaction)?;
        let grouping = group(&traces, &counts, &wishes);
        // The largest share of an old group goes on under its id.
        let mut shares: Vec<(u64, std::cmp::Reverse<i64>, usize)> = Vec::new();
        for (at, members) in grouping.groups.iter().enumerate() {
            let mut by_bug: BTreeMap<i64, u64> = BTreeMap::new();
            for row in members.iter().filter_map(|member| rows.get(*member)) {
                if let Some(bug) = row.bug {
                    *by_bug.entry(bug).or_default() += row.count.max(1);
                }
            }
            shares.extend(by_bug.into_iter().map(|(bug, n)| (n, std::cmp::Reverse(bug), at)));
        }
        shares.sort_unstable_by(|a, b| b.cmp(a));
        let mut bugs: Vec<Option<i64>> = vec![None; grouping.groups.len()];
        let mut taken = BTreeSet::new();
        for (_, std::cmp::Reverse(bug), at) in shares {
            if let Some(slot @ None) = bugs.get_mut(at)
                && taken.insert(bug)
            {
                *slot = Some(bug);
            }
        }
        let mut regrouped =
            Regrouped { groups: grouping.groups.len() as u64, ..Regrouped::default() };
        for (row, cell) in rows.iter().zip(&grouping.cells) {
            if row.cell.as_ref() != Some(cell) {
                transaction
                    .prepare_cached("UPDATE trace SET cell = ?1 WHERE n = ?2")?
                    .execute(params![cell, row.n])?;
            }
        }
        for (members, bug) in grouping.groups.iter().zip(&mut bugs) {
            let members = || members.iter().filter_map(|member| rows.get(*member));
            let n = match *bug {
                Some(n) => n,
                None => {
                    regrouped.new += 1;
                    let n = new_bug(
                        &transaction,
                        members().map(|r| r.trace.signature.as_str()),
                        &taken,
                    )?;
                    taken.insert(n);
                    n
                }
            };
            *bug = Some(n);
            let mut set = transaction.prepare_cached("UPDATE trace SET bug = ?1 WHERE n = ?2")?;
            for row in members().filter(|row| row.bug != Some(n)) {
                set.execute([n, row.n])?;
            }
        }
        transaction.execute("DELETE FROM suspected", [])?;
        for (one, other, likeness) in &grouping.suspected {
            if let (Some(Some(one)), Some(Some(other))) = (bugs.get(*one), bugs.get(*other)) {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO suspected VALUES (?1, ?2, ?3)")?
                    .execute(params![one.min(other), one.max(other), likeness])?;
            }
        }
        transaction.commit()?;
        Ok(regrouped)
    }

    /// Pairs of groups that may be one, the most alike first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn suspected(&self) -> Result<Vec<Suspected>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT a.id, b.id, likeness FROM suspected
                 JOIN bug a ON a.n = one JOIN bug b ON b.n = other
                 ORDER BY likeness DESC, a.id, b.id",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Suspected { one: row.get(0)?, other: row.get(1)?, likeness: row.get(2)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// All groups, the largest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn groups(&self) -> Result<Vec<GroupRow>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT bug.id, bug.name, sum(c), max(c), json_extract(json, '$.text') FROM
                   (SELECT trace.n AS t, bug AS b, json, count(dump.n) AS c FROM trace
                    JOIN dump ON dump.trace = trace.n GROUP BY trace.n)
                 JOIN bug ON bug.n = b GROUP BY b ORDER BY sum(c) DESC, bug.id",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(GroupRow {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    count: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                    signature: row.get(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// A new group is called by the first eight digits of its smallest signature's id, or more
/// if another has these. A group that was joined to another and is parted from it again
/// gets its name back.
pub(super) fn new_bug<'s>(
    transaction: &rusqlite::Transaction<'_>,
    signatures: impl Iterator<Item = &'s str>,
    taken: &BTreeSet<i64>,
) -> rusqlite::Result<i64> {
    let signature = signatures.min().unwrap_or_default();
    let mut find = transaction.prepare_cached("SELECT n FROM bug WHERE id = ?1")?;
    let mut insert = transaction.prepare_cached("INSERT INTO bug (id) VALUES (?1)")?;
    let short = [8, 12, 16].map(|length| signature.get(..length).unwrap_or(signature).to_owned());
    let numbered = (2_u64..).map(|number| format!("{signature}.{number}"));
    for id in short.into_iter().chain(numbered) {
        match find.query_row([&id], |row| row.get(0)).optional()? {
            Some(n) if !taken.contains(&n) => return Ok(n),
            Some(_) => {}
            None => return insert.insert([&id]),
        }
    }
    Err(rusqlite::Error::QueryReturnedNoRows)
}

fn wishes(transaction: &rusqlite::Transaction<'_>) -> rusqlite::Result<Wishes> {
    let mut wishes = Wishes::default();
    let mut statement = transaction.prepare("SELECT one, other, together FROM wish")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let pair = (row.get(0)?, row.get(1)?);
        let is_together: bool = row.get(2)?;
        let list = if is_together { &mut wishes.together } else { &mut wishes.apart };
        list.push(pair);
    }
    Ok(wishes)
}
