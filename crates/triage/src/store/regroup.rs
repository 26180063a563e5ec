//! Crashes grouped anew: those that what came since can change, or all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::connection::Store;
use super::error::StoreError;
use super::regroup_scope::Scope;
use super::sightings::complete_blocks;
use crate::groups::{Constraints, CrashKey, Grouping, group};

/// What grouping anew changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Regrouped {
    /// Groups that there are.
    pub groups: u64,
    /// Of these, ones that there were not.
    pub new: u64,
}

/// Crashes with one key.
struct Row {
    n: i64,
    key: CrashKey,
    bug: Option<i64>,
    count: u64,
    subgroup: Option<String>,
    /// [`Merge`](crate::groups::Merge) as JSON.
    why: Option<String>,
}

impl Store {
    /// Groups what dumps were added to or removed from, and all that this can change: the
    /// crashes of the same images. The groups are those that [`Store::regroup_all`] makes.
    ///
    /// # Errors
    /// Those of the database.
    pub fn regroup(&mut self) -> Result<Regrouped, StoreError> {
        self.change(|transaction| {
            let scope = Scope::of_changes(transaction)?;
            Ok(regroup(transaction, &scope)?)
        })
    }

    /// Groups all crashes anew and gives each group the id of the old one it has most of.
    ///
    /// # Errors
    /// Those of the database.
    pub fn regroup_all(&mut self) -> Result<Regrouped, StoreError> {
        self.change(|transaction| Ok(regroup(transaction, &Scope::All)?))
    }
}

fn regroup(transaction: &Transaction<'_>, scope: &Scope) -> rusqlite::Result<Regrouped> {
    let rows = rows(transaction, scope)?;
    let mut new = 0;
    if !rows.is_empty() {
        let keys: Vec<CrashKey> = rows.iter().map(|row| row.key.clone()).collect();
        let counts: Vec<u64> = rows.iter().map(|row| row.count).collect();
        let grouping = group(&keys, &counts, &constraints(transaction)?);
        write_subgroups(transaction, &rows, &grouping)?;
        let bugs;
        (bugs, new) = write_groups(transaction, scope, &rows, &grouping)?;
        write_suspected(transaction, scope, &rows, &grouping, &bugs)?;
    }
    transaction.execute("UPDATE trace SET grouped = dumps WHERE dumps <> grouped", [])?;
    scope.close(transaction)?;
    complete_blocks(transaction)?;
    let groups: i64 = transaction.query_row(
        "SELECT count(DISTINCT bug) FROM trace WHERE dumps > 0",
        [],
        |row| row.get(0),
    )?;
    Ok(Regrouped { groups: u64::try_from(groups).unwrap_or(0), new })
}

fn rows(transaction: &Transaction<'_>, scope: &Scope) -> rusqlite::Result<Vec<Row>> {
    // What no dump has any more keeps its group and has no say.
    const LIVE: &str = "SELECT n, json, bug, dumps, cell, why FROM trace WHERE dumps > 0";
    let mut rows = Vec::new();
    match scope {
        Scope::All => {
            let mut statement = transaction.prepare(&format!("{LIVE} ORDER BY n"))?;
            read_rows(statement.query([])?, &mut rows)?;
        }
        Scope::Images(images) => {
            let mut statement = transaction.prepare(&format!("{LIVE} AND image = ?1"))?;
            for image in images {
                read_rows(statement.query([image])?, &mut rows)?;
            }
            // As of all: which of two groups is first may depend on it.
            rows.sort_by_key(|row| row.n);
        }
    }
    Ok(rows)
}

fn read_rows(mut found: rusqlite::Rows<'_>, rows: &mut Vec<Row>) -> rusqlite::Result<()> {
    while let Some(row) = found.next()? {
        let json: String = row.get(1)?;
        let count: i64 = row.get(3)?;
        rows.push(Row {
            n: row.get(0)?,
            key: serde_json::from_str(&json).unwrap_or_default(),
            bug: row.get(2)?,
            count: u64::try_from(count).unwrap_or(0),
            subgroup: row.get(4)?,
            why: row.get(5)?,
        });
    }
    Ok(())
}

fn write_subgroups(
    transaction: &Transaction<'_>,
    rows: &[Row],
    grouping: &Grouping,
) -> rusqlite::Result<()> {
    let mut set =
        transaction.prepare_cached("UPDATE trace SET cell = ?1, why = ?2 WHERE n = ?3")?;
    let merges = grouping.merges.iter();
    for ((row, subgroup), merge) in rows.iter().zip(&grouping.subgroups).zip(merges) {
        let why = merge.as_ref().and_then(|merge| serde_json::to_string(merge).ok());
        if row.subgroup.as_ref() != Some(subgroup) || row.why != why {
            set.execute(params![subgroup, why, row.n])?;
        }
    }
    Ok(())
}

/// The row in `bug` of each group, and how many of them are new.
fn write_groups(
    transaction: &Transaction<'_>,
    scope: &Scope,
    rows: &[Row],
    grouping: &Grouping,
) -> rusqlite::Result<(Vec<i64>, u64)> {
    let (kept, mut taken) = kept_bugs(rows, grouping);
    let (mut bugs, mut new) = (Vec::new(), 0);
    // Of each old group, how many of its dumps went into which other.
    let mut moved: BTreeMap<i64, BTreeMap<i64, u64>> = BTreeMap::new();
    let mut set = transaction.prepare_cached("UPDATE trace SET bug = ?1 WHERE n = ?2")?;
    for (members, bug) in grouping.groups.iter().zip(kept) {
        let members = || members.iter().filter_map(|member| rows.get(*member));
        let n = match bug {
            Some(n) => n,
            None => {
                new += 1;
                let signatures = members().map(|row| row.key.signature.as_str());
                let is_taken = |n| Ok(taken.contains(&n) || scope.leaves_some_of(transaction, n)?);
                let n = new_bug(transaction, signatures, &is_taken)?;
                taken.insert(n);
                n
            }
        };
        bugs.push(n);
        for row in members().filter(|row| row.bug != Some(n)) {
            set.execute([n, row.n])?;
            if let Some(old) = row.bug {
                *moved.entry(old).or_default().entry(n).or_default() += row.count;
            }
        }
    }
    let mut follow = transaction.prepare_cached("UPDATE bug SET merged = ?1 WHERE n = ?2")?;
    for (old, into) in moved {
        if let Some((into, _)) = into.into_iter().max_by_key(|(n, count)| (*count, Reverse(*n))) {
            follow.execute([into, old])?;
        }
    }
    Ok((bugs, new))
}

/// The old group that each group goes on as, if any, and all of these: the largest share of
/// an old group goes on under its id.
fn kept_bugs(rows: &[Row], grouping: &Grouping) -> (Vec<Option<i64>>, BTreeSet<i64>) {
    let mut shares: Vec<(u64, Reverse<i64>, usize)> = Vec::new();
    for (at, members) in grouping.groups.iter().enumerate() {
        let mut by_bug: BTreeMap<i64, u64> = BTreeMap::new();
        for row in members.iter().filter_map(|member| rows.get(*member)) {
            if let Some(bug) = row.bug {
                *by_bug.entry(bug).or_default() += row.count.max(1);
            }
        }
        shares.extend(by_bug.into_iter().map(|(bug, n)| (n, Reverse(bug), at)));
    }
    shares.sort_unstable_by(|a, b| b.cmp(a));
    let mut bugs: Vec<Option<i64>> = vec![None; grouping.groups.len()];
    let mut taken = BTreeSet::new();
    for (_, Reverse(bug), at) in shares {
        if let Some(slot @ None) = bugs.get_mut(at)
            && taken.insert(bug)
        {
            *slot = Some(bug);
        }
    }
    (bugs, taken)
}

fn write_suspected(
    transaction: &Transaction<'_>,
    scope: &Scope,
    rows: &[Row],
    grouping: &Grouping,
    bugs: &[i64],
) -> rusqlite::Result<()> {
    match scope {
        Scope::All => drop(transaction.execute("DELETE FROM suspected", [])?),
        Scope::Images(_) => {
            let old = rows.iter().filter_map(|row| row.bug);
            let all: BTreeSet<i64> = old.chain(bugs.iter().copied()).collect();
            let mut delete =
                transaction.prepare_cached("DELETE FROM suspected WHERE one = ?1 OR other = ?1")?;
            for bug in all {
                delete.execute([bug])?;
            }
        }
    }
    let mut insert =
        transaction.prepare_cached("INSERT OR IGNORE INTO suspected VALUES (?1, ?2, ?3)")?;
    for (one, other, likeness) in &grouping.suspected {
        if let (Some(one), Some(other)) = (bugs.get(*one), bugs.get(*other)) {
            insert.execute(params![one.min(other), one.max(other), likeness])?;
        }
    }
    Ok(())
}

/// A new group is called by the first eight digits of its smallest signature's id, or more
/// if another has these. A group that was joined to another and is parted from it again
/// gets its name back.
pub(super) fn new_bug<'s>(
    transaction: &Transaction<'_>,
    signatures: impl Iterator<Item = &'s str>,
    is_taken: &dyn Fn(i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<i64> {
    let signature = signatures.min().unwrap_or_default();
    let mut find = transaction.prepare_cached("SELECT n FROM bug WHERE id = ?1")?;
    let mut insert = transaction.prepare_cached("INSERT INTO bug (id) VALUES (?1)")?;
    let short = [8, 12, 16].map(|length| signature.get(..length).unwrap_or(signature).to_owned());
    let numbered = (2_u64..).map(|number| format!("{signature}.{number}"));
    for id in short.into_iter().chain(numbered) {
        match find.query_row([&id], |row| row.get(0)).optional()? {
            Some(n) if !is_taken(n)? => return Ok(n),
            Some(_) => {}
            None => return insert.insert([&id]),
        }
    }
    Err(rusqlite::Error::QueryReturnedNoRows)
}

fn constraints(transaction: &Transaction<'_>) -> rusqlite::Result<Constraints> {
    let mut constraints = Constraints::default();
    let mut statement = transaction.prepare("SELECT one, other, together FROM wish")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let pair = (row.get(0)?, row.get(1)?);
        let is_together: bool = row.get(2)?;
        let list = if is_together { &mut constraints.together } else { &mut constraints.apart };
        list.push(pair);
    }
    Ok(constraints)
}
