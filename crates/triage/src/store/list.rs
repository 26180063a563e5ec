//! Single dumps, selected as groups are.

use std::collections::BTreeSet;
use std::io;

use super::connection::Store;
use super::error::StoreError;
use crate::record::Record;
use crate::views::{ViewOptions, ranked};

/// Which dumps are listed.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Which dumps, and of which groups. What is not known of a file that could not be read
    /// does not match.
    pub view: ViewOptions,
    /// Only files that could not be read.
    pub only_failed: bool,
    /// Only so many of the newest.
    pub most: Option<usize>,
}

impl Store {
    /// Hands the records that are asked for to `take`, in the order in which they came,
    /// until it fails.
    ///
    /// # Errors
    /// Those of the database; damaged records, after all others were handed over.
    pub fn each_listed(
        &self,
        listed: &Listed,
        take: &mut dyn FnMut(Record) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        if !listed.only_failed && listed.most.is_none() && listed.view.takes_all() {
            return self.each_record(take);
        }
        self.each_record_in_rows(&self.listed_rows(listed)?, take)
    }

    /// The rows of the dumps that are asked for, in their order.
    fn listed_rows(&self, listed: &Listed) -> Result<Vec<i64>, StoreError> {
        let mut rows = if listed.view.takes_all() {
            let only = if listed.only_failed { "WHERE status <> 'ok'" } else { "" };
            let most = listed.most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
            self.rows_by_time(only, most)?
        } else {
            let mut dated = self.failed_rows(&listed.view)?;
            if !listed.only_failed {
                dated.extend(self.readable_rows(&listed.view)?);
            }
            dated.sort_unstable_by(|a, b| b.cmp(a));
            dated.truncate(listed.most.unwrap_or(usize::MAX));
            dated.into_iter().map(|(_, row)| row).collect()
        };
        rows.sort_unstable();
        Ok(rows)
    }

    fn rows_by_time(&self, only: &str, most: i64) -> Result<Vec<i64>, StoreError> {
        let read = || {
            // All of few are better put in order than found among all by time.
            let time =
                if only.is_empty() { "coalesce(time, added)" } else { "+coalesce(time, added)" };
            let mut statement = self.connection.prepare(&format!(
                "SELECT n FROM dump {only} ORDER BY {time} DESC, n DESC LIMIT ?1"
            ))?;
            let rows = statement.query_map([most], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Time and row of the dumps with a report that are asked for.
    fn readable_rows(&self, view: &ViewOptions) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut census = self.census()?;
        let filter = &view.filter;
        // Without conditions on groups, none has to be looked at.
        let none = BTreeSet::new();
        let only = (!filter.selects_groups()).then_some(&none);
        let mut ranked = ranked(&mut census, view, only);
        self.select(&mut ranked, view)?;
        let wanted: BTreeSet<usize> =
            ranked.overview.groups.iter().map(|group| group.place).collect();
        let is_of_group = |group: Option<usize>| {
            !filter.selects_groups() || group.is_some_and(|group| wanted.contains(&group))
        };
        let all = ranked.census().sightings.iter();
        let taken = all.filter(|one| is_of_group(one.group) && ranked.takes(one));
        Ok(taken.map(|one| (one.event.time, one.dump)).collect())
    }

    /// The same of files that could not be read.
    fn failed_rows(&self, view: &ViewOptions) -> Result<Vec<(i64, i64)>, StoreError> {
        if view.filter.selects_groups() {
            return Ok(Vec::new());
        }
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT coalesce(time, added), dump.n, host.name FROM dump
                 LEFT JOIN host ON host.n = dump.host WHERE status <> 'ok'",
            )?;
            let mut found = statement.query([])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                let (time, n): (i64, i64) = (row.get(0)?, row.get(1)?);
                let host: Option<String> = row.get(2)?;
                let host = host.map(|host| self.seen_host(host)).unwrap_or_default();
                if view.takes_time(time) && view.filter.takes_unreadable(time, &host) {
                    rows.push((time, n));
                }
            }
            Ok(rows)
        };
        read().map_err(|source| self.failed(source))
    }
}
