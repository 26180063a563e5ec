//! Groups of all that is there.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::{Store, StoreError};
use crate::triage::{Trace, Wishes, group};

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

struct Row {
    n: i64,
    trace: Trace,
    bug: Option<i64>,
    count: u64,
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
                "SELECT trace.n, json, bug, count(dump.n) FROM trace
                 LEFT JOIN dump ON dump.trace = trace.n GROUP BY trace.n",
            )?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let json: String = row.get(1)?;
                let trace = serde_json::from_str(&json).unwrap_or_default();
                let count: i64 = row.get(3)?;
                let count = u64::try_from(count).unwrap_or(0);
                rows.push(Row { n: row.get(0)?, trace, bug: row.get(2)?, count });
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
        for (members, bug) in grouping.groups.iter().zip(&mut bugs) {
            let members = || members.iter().filter_map(|member| rows.get(*member));
            let n = match *bug {
                Some(n) => n,
                None => {
                    regrouped.new += 1;
                    new_bug(&transaction, members().map(|row| row.trace.signature.as_str()))?
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

/// A new group is called by the first eight digits of its smallest signature's id that are
/// free.
fn new_bug<'s>(
    transaction: &rusqlite::Transaction<'_>,
    signatures: impl Iterator<Item = &'s str>,
) -> rusqlite::Result<i64> {
    let signature = signatures.min().unwrap_or_default();
    let mut insert = transaction
        .prepare_cached("INSERT INTO bug (id) VALUES (?1) ON CONFLICT DO NOTHING RETURNING n")?;
    for length in [8, 12, 16] {
        let id = signature.get(..length).unwrap_or(signature);
        let made: Vec<i64> =
            insert.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        if let Some(n) = made.first() {
            return Ok(*n);
        }
    }
    let mut number = 2;
    loop {
        let made: Vec<i64> = insert
            .query_map([format!("{signature}.{number}")], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if let Some(n) = made.first() {
            return Ok(*n);
        }
        number += 1;
    }
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
