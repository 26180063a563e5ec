//! Dumps are deleted, and what only they had.

use std::collections::BTreeSet;

use rusqlite::{ToSql, Transaction};

use super::connection::Store;
use super::error::StoreError;

/// Which dumps are deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToForget {
    /// The one with this id.
    Dump(String),
    /// Those that were found under these paths, which are SHA-256 digests.
    Files(Vec<[u8; 32]>),
    /// Those of crashes before this time, seconds since 1970.
    Before(i64),
}

/// What was deleted, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// Dumps, with their records.
    pub dumps: u64,
    /// Paths under which they were found.
    pub paths: u64,
    /// Groups that have no dump any more: their ids.
    pub groups: Vec<String>,
}

impl Store {
    /// Deletes dumps: their rows, records and paths, and groups that have no other, with
    /// what the user recorded about them. If `is_dry`, nothing is written.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget(&mut self, what: &ToForget, is_dry: bool) -> Result<Forgotten, StoreError> {
        let forgotten = if is_dry {
            self.rehearse(|transaction| Ok(forget(transaction, what)?))
        } else {
            self.change(|transaction| Ok(forget(transaction, what)?))
        }?;
        if !is_dry && forgotten.dumps > 0 {
            self.regroup()?;
        }
        Ok(forgotten)
    }
}

fn forget(transaction: &Transaction<'_>, what: &ToForget) -> rusqlite::Result<Forgotten> {
    let (mut forgotten, mut groups) = (Forgotten::default(), BTreeSet::new());
    for row in rows(transaction, what)? {
        let (paths, group): (i64, Option<i64>) = transaction
            .prepare_cached(
                "SELECT (SELECT count(*) FROM path WHERE path.dump = dump.n), trace.bug
                 FROM dump LEFT JOIN trace ON trace.n = dump.trace WHERE dump.n = ?1",
            )?
            .query_row([row], |row| Ok((row.get(0)?, row.get(1)?)))?;
        forgotten.paths += u64::try_from(paths).unwrap_or(0);
        groups.extend(group);
        transaction.prepare_cached("DELETE FROM dump WHERE n = ?1")?.execute([row])?;
        forgotten.dumps += 1;
    }
    for group in groups {
        forgotten.groups.extend(delete_if_empty(transaction, group)?);
    }
    forgotten.groups.sort();
    transaction.execute_batch(
        "DELETE FROM trace WHERE dumps = 0 AND bug IS NULL;
         DELETE FROM host WHERE NOT EXISTS (SELECT 1 FROM dump WHERE dump.host = host.n);
         DELETE FROM build WHERE NOT EXISTS (SELECT 1 FROM dump WHERE dump.build = build.n);",
    )?;
    Ok(forgotten)
}

fn rows(transaction: &Transaction<'_>, what: &ToForget) -> rusqlite::Result<Vec<i64>> {
    let all = |sql: &str, values: &[&dyn ToSql]| -> rusqlite::Result<Vec<i64>> {
        let mut statement = transaction.prepare_cached(sql)?;
        statement.query_map(values, |row| row.get(0))?.collect()
    };
    match what {
        ToForget::Dump(id) => all("SELECT n FROM dump WHERE id = ?1", &[id]),
        ToForget::Before(time) => {
            all("SELECT n FROM dump WHERE coalesce(time, added) < ?1", &[time])
        }
        ToForget::Files(files) => {
            let mut rows = BTreeSet::new();
            for file in files {
                rows.extend(all("SELECT dump FROM path WHERE key = ?1", &[&file.as_slice()])?);
            }
            Ok(rows.into_iter().collect())
        }
    }
}

/// Deletes a group that has no dump; its id.
fn delete_if_empty(transaction: &Transaction<'_>, group: i64) -> rusqlite::Result<Option<String>> {
    let (id, has_dumps): (String, bool) = transaction
        .prepare_cached(
            "SELECT id, EXISTS (SELECT 1 FROM trace WHERE bug = bug.n AND dumps > 0)
             FROM bug WHERE n = ?1",
        )?
        .query_row([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if has_dumps {
        return Ok(None);
    }
    for sql in [
        "DELETE FROM trace WHERE bug = ?1",
        "DELETE FROM suspected WHERE one = ?1 OR other = ?1",
        "DELETE FROM note WHERE bug = ?1",
        "UPDATE bug SET merged = NULL WHERE merged = ?1",
        "DELETE FROM bug WHERE n = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([group])?;
    }
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::{FileStamp, Found, PackedRecord};
    use crate::testkit::crash;
    use crate::views::ViewOptions;

    fn store(dumps: u64) -> (Store, Vec<(String, FileStamp)>) {
        let (rules, mut made) = (Rules::built_in(), Vec::new());
        let mut store = Store::temporary().unwrap();
        for n in 0..dumps {
            let crash = crash(5, n, &rules);
            made.push((crash.record.dump.clone(), crash.stamp.clone()));
            let packed = PackedRecord::of(&crash.record).unwrap();
            store.add(&[(crash.stamp, packed)], 0).unwrap();
        }
        store.regroup().unwrap();
        (store, made)
    }

    #[test]
    fn a_dump_is_gone_with_its_paths_and_a_group_with_its_last_dump() {
        let (mut store, made) = store(40);
        let before = store.counts().unwrap();
        let (alone, group) = {
            let found = store.overview(&ViewOptions::default(), usize::MAX).unwrap();
            let one = found.groups.iter().find(|group| group.count == 1).unwrap().clone();
            (one.example.unwrap(), one.id)
        };
        store.add_note(&group, "seen", 0).unwrap();
        let what = ToForget::Dump(alone.clone());
        let would = store.forget(&what, true).unwrap();
        assert_eq!(store.counts().unwrap(), before);
        let done = store.forget(&what, false).unwrap();
        assert_eq!(would, done);
        assert_eq!((done.dumps, done.paths, &done.groups), (1, 1, &vec![group.clone()]));
        let after = store.counts().unwrap();
        assert_eq!((after.dumps, after.groups), (before.dumps - 1, before.groups - 1));
        assert_eq!(store.find(&alone).unwrap(), Found::Nothing);
        assert_eq!(store.find(&group).unwrap(), Found::Nothing);
        let (_, stamp) = made.iter().find(|(dump, _)| *dump == alone).unwrap();
        assert!(!store.is_known(stamp).unwrap());
        store.check().unwrap();
    }

    #[test]
    fn dumps_are_named_by_their_files_or_their_age() {
        let (mut store, made) = store(30);
        let files = made.iter().take(3).map(|(_, stamp)| stamp.key).collect();
        assert_eq!(store.forget(&ToForget::Files(files), false).unwrap().dumps, 3);
        assert_eq!(store.forget(&ToForget::Before(i64::MIN), false).unwrap(), Forgotten::default());
        assert_eq!(store.forget(&ToForget::Before(i64::MAX), false).unwrap().dumps, 27);
        assert_eq!(store.counts().unwrap(), crate::store::Counts::default());
        store.check().unwrap();
    }
}
