//! An order of dumps that does not say which came first: what is shown is the same however
//! they were spread over runs, machines and workers.

use std::collections::HashMap;

use rusqlite::OptionalExtension;

use super::connection::Store;
use crate::census::Census;

/// Dumps whose ids are looked up one by one. Of more, all ids are read in their order.
const FEW: usize = 4_096;
/// Rows of keys that have a place.
const KEYS: usize = 1 << 24;

impl Store {
    /// Numbers the dumps of one group and one time by their ids.
    pub(super) fn break_ties(&self, census: &mut Census) -> rusqlite::Result<()> {
        let sightings = &mut census.sightings;
        let mut order: Vec<usize> = (0..sightings.len()).collect();
        let what = |at: &usize| sightings.get(*at).map(|one| (one.event.time, one.group));
        order.sort_unstable_by_key(what);
        let is_alike = |one: &usize, other: &usize| what(one) == what(other);
        let runs = order.chunk_by(is_alike).filter(|run| run.len() > 1);
        let tied: Vec<usize> = runs.flatten().copied().collect();
        if tied.is_empty() {
            return Ok(());
        }
        let rows = tied.iter().filter_map(|at| sightings.get(*at)).map(|one| one.dump);
        let places = self.places_by_id(&rows.collect::<Vec<_>>())?;
        for at in tied {
            if let Some(one) = sightings.get_mut(at) {
                one.tie = places.get(&one.dump).copied().unwrap_or(0);
            }
        }
        Ok(())
    }

    /// Places of dumps in the order of their ids, from 1, by their rows.
    fn places_by_id(&self, rows: &[i64]) -> rusqlite::Result<HashMap<i64, u32>> {
        let in_order: Vec<i64> = if rows.len() > FEW {
            let mut statement = self.connection.prepare("SELECT n FROM dump ORDER BY id")?;
            let all = statement.query_map([], |row| row.get(0))?;
            all.collect::<rusqlite::Result<_>>()?
        } else {
            let mut find = self.connection.prepare_cached("SELECT id FROM dump WHERE n = ?1")?;
            let mut named: Vec<(String, i64)> = Vec::with_capacity(rows.len());
            for row in rows {
                // Another process may have removed the dump.
                let id: Option<String> = find.query_row([row], |found| found.get(0)).optional()?;
                named.extend(id.map(|id| (id, *row)));
            }
            named.sort_unstable();
            named.into_iter().map(|(_, row)| row).collect()
        };
        Ok(in_order.into_iter().zip(1..).collect())
    }

    /// The places of keys in the order of signatures, by their rows.
    pub(super) fn key_order(&self) -> rusqlite::Result<Vec<u32>> {
        let mut statement = self.connection.prepare("SELECT n FROM trace ORDER BY signature")?;
        let rows = statement.query_map([], |row| row.get::<_, i64>(0))?;
        let mut order = Vec::new();
        for (row, place) in rows.zip(0..u32::MAX) {
            let Some(at) = usize::try_from(row?).ok().filter(|at| *at < KEYS) else { continue };
            if order.len() <= at {
                order.resize(at + 1, u32::MAX);
            }
            if let Some(slot) = order.get_mut(at) {
                *slot = place;
            }
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use crate::record::{FileFacts, Record};
    use crate::signature::Rules;
    use crate::store::{FileStamp, PackedRecord, Store};
    use crate::testkit::{Crash, crash};
    use crate::views::ViewOptions;
    use obit_redact::{Level, Shown};

    fn store<'c>(crashes: impl Iterator<Item = &'c Crash>) -> Store {
        let mut store = Store::temporary().unwrap();
        for crash in crashes {
            let packed = PackedRecord::of(&crash.record).unwrap();
            store.add(&[(crash.stamp.clone(), packed)], 1_800_000_000).unwrap();
        }
        store.regroup().unwrap();
        store
    }

    fn shown(store: &Store) -> Vec<String> {
        let found = store.overview(&ViewOptions::default(), usize::MAX).unwrap();
        found.groups.iter().map(|group| serde_json::to_string(group).unwrap()).collect()
    }

    /// Crashes that happened at one of three times.
    fn crashes(of: u64) -> Vec<Crash> {
        let rules = Rules::built_in();
        let mut made: Vec<Crash> = (0..of).map(|n| crash(11, n, &rules)).collect();
        for (n, one) in made.iter_mut().enumerate() {
            one.record.time = Some(1_770_000_000 + n as i64 % 3);
        }
        made
    }

    #[test]
    fn the_list_does_not_depend_on_the_order_in_which_dumps_came() {
        let crashes = crashes(600);
        let wanted = shown(&store(crashes.iter()));
        assert!(wanted.len() > 40);
        assert_eq!(shown(&store(crashes.iter().rev())), wanted);
        let by_thirds = (0..3).flat_map(|third| crashes.iter().skip(third).step_by(3));
        assert_eq!(shown(&store(by_thirds)), wanted);
    }

    #[test]
    fn of_two_copies_of_a_dump_the_earlier_time_counts_whichever_is_read_first() {
        let one = crashes(1).remove(0);
        let mut copy = one.clone();
        copy.record.time = one.record.time.map(|time| time - 500);
        copy.stamp = FileStamp { key: [9; 32], ..copy.stamp };
        let wanted = shown(&store([&copy].into_iter()));
        for both in [[&one, &copy], [&copy, &one]] {
            let store = store(both.into_iter());
            assert_eq!(shown(&store), wanted);
            assert_eq!(store.counts().unwrap().dumps, 1);
        }
    }

    #[test]
    fn files_of_two_machines_with_one_path_are_two() {
        let mut broken = crashes(1).remove(0);
        let reason = crate::Reason { code: "empty".to_owned(), ..Default::default() };
        let facts = |dump: &str| FileFacts { dump: dump.to_owned(), ..FileFacts::default() };
        broken.record = Record::failed(broken.record.core, facts("file-1"), reason, Level::Default);
        let mut other = crashes(2).remove(1);
        other.stamp = FileStamp { inode: 77, ..broken.stamp.clone() };
        let mut again = crashes(3).remove(2);
        again.stamp = broken.stamp.clone();
        let dumps = |crashes: &[&Crash]| {
            let mut store = Store::temporary().unwrap();
            for _ in 0..2 {
                let packed =
                    |one: &&Crash| Ok((one.stamp.clone(), PackedRecord::of(&one.record).unwrap()));
                store.add_all(&mut crashes.iter().map(packed), 1_800_000_000).unwrap();
            }
            store.counts().unwrap().dumps
        };
        assert_eq!(dumps(&[&broken, &other]), 2);
        other.stamp = FileStamp { device: 99, ..broken.stamp.clone() };
        assert_eq!(dumps(&[&broken, &other]), 2);
        // Machines that are copies of each other, as containers of one image.
        other.stamp = broken.stamp.clone();
        broken.record.host = Some(Shown::from_report("elsewhere".to_owned()));
        assert_eq!(dumps(&[&broken, &other]), 2);
        broken.record.host = None;
        // Of one file, what could be read later replaces what could not.
        assert_eq!(dumps(&[&broken, &again]), 1);
    }
}
