//! What a page of many crashes asks of the store.

use std::collections::BTreeMap;

use super::connection::Store;
use super::detail::Surroundings;
use super::error::StoreError;
use crate::views::{Survey, Unreadable, ViewOptions, ranked};

impl Store {
    /// The groups as `options` ask for them: at most `most`, the first `in_full` of them in
    /// full with at most `newest` of its dumps; and at most `unreadable` of the files that
    /// are not cores.
    ///
    /// # Errors
    /// Those of the database.
    pub fn survey(
        &self,
        options: &ViewOptions,
        most: usize,
        in_full: usize,
        newest: usize,
        unreadable: usize,
    ) -> Result<Survey, StoreError> {
        let mut census = self.census()?;
        let mut ranked = ranked(&mut census, options, None);
        self.sign(&mut ranked.overview)?;
        ranked.overview.retain(&options.filter);
        let mut found = std::mem::take(&mut ranked.overview);
        let around = Surroundings::of(ranked.census());
        let suspects = self.all_suspected_same()?;
        // Those that are left out may be named, too: as the likes of others.
        let signatures: BTreeMap<String, String> =
            found.groups.iter().map(|g| (g.id.clone(), g.signature.clone())).collect();
        found.groups.truncate(most);
        let mut survey = Survey::default();
        for (at, group) in found.groups.iter_mut().enumerate() {
            ranked.complete(group);
            self.fill_in(group)?;
            if at >= in_full {
                continue;
            }
            let mut detail = self.in_full(group.clone(), &around, newest)?;
            let likes = suspects.get(&group.id).map_or(&[][..], Vec::as_slice);
            detail.suspect(likes, |id| signatures.get(id).cloned());
            survey.details.push(detail);
        }
        survey.overview = found;
        (survey.unreadable, survey.reasons) = self.unreadable(unreadable)?;
        Ok(survey)
    }

    /// Files that are not cores, the newest `most` of them, and how many there are of each
    /// reason.
    fn unreadable(
        &self,
        most: usize,
    ) -> Result<(Vec<Unreadable>, BTreeMap<String, u64>), StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT coalesce(reason, ''), count(*) FROM dump WHERE status <> 'ok' GROUP BY 1",
            )?;
            let counts = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
            })?;
            let reasons: BTreeMap<String, u64> = counts.collect::<rusqlite::Result<_>>()?;
            let mut statement = self.connection.prepare(
                "SELECT n, id, coalesce(reason, ''), time FROM dump WHERE status <> 'ok'
                 ORDER BY coalesce(time, added) DESC, id LIMIT ?1",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = statement.query_map([most], |row| {
                let unreadable = Unreadable {
                    dump: row.get(1)?,
                    code: row.get(2)?,
                    time: row.get(3)?,
                    ..Unreadable::default()
                };
                Ok((row.get::<_, i64>(0)?, unreadable))
            })?;
            Ok((rows.collect::<rusqlite::Result<Vec<_>>>()?, reasons))
        };
        let (rows, reasons) = read().map_err(|source| self.failed(source))?;
        let mut all = Vec::new();
        for (row, mut one) in rows {
            one.path = self.paths_of(row)?.into_iter().next();
            if let Some(reason) = self.record(row)?.and_then(|record| record.reason) {
                one.text = reason.text.into_string();
            }
            all.push(one);
        }
        Ok((all, reasons))
    }
}
