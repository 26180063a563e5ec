//! The list of groups, as the views ask for it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::OptionalExtension;
use serde::Deserialize;

use super::connection::Store;
use super::error::StoreError;
use crate::history::Status;
use crate::views::{GroupSummary, Overview, Ranked, ViewOptions, headline, ranked};
use obit_report::{Cause, Signature};

impl Store {
    /// The groups as `options` ask for them, at most `most`, each with its signature and
    /// what its example says.
    ///
    /// # Errors
    /// Those of the database.
    pub fn overview(&self, options: &ViewOptions, most: usize) -> Result<Overview, StoreError> {
        let mut census = self.census()?;
        let mut ranked = ranked(&mut census, options, None);
        self.select(&mut ranked, options)?;
        let mut found = std::mem::take(&mut ranked.overview);
        found.groups.truncate(most);
        for group in &mut found.groups {
            ranked.complete(group);
            self.fill_in(group)?;
        }
        Ok(found)
    }

    /// All groups as `options` ask for them: of each status the first `in_full`, and of those
    /// behind them only what orders them, the reason and the signature.
    ///
    /// # Errors
    /// Those of the database.
    pub fn overview_by_status(
        &self,
        options: &ViewOptions,
        in_full: usize,
    ) -> Result<Overview, StoreError> {
        let mut census = self.census()?;
        let mut ranked = ranked(&mut census, options, None);
        self.select(&mut ranked, options)?;
        let mut found = std::mem::take(&mut ranked.overview);
        let mut seen: BTreeMap<Status, usize> = BTreeMap::new();
        for group in &mut found.groups {
            let seen = seen.entry(group.status).or_default();
            *seen += 1;
            if *seen <= in_full {
                ranked.complete(group);
                self.fill_in(group)?;
            } else {
                ranked.explain(group);
                group.signature = self.signature(group).map_err(|source| self.failed(source))?;
            }
        }
        Ok(found)
    }

    /// The groups of these ids, with all their dumps.
    ///
    /// # Errors
    /// Those of the database.
    pub fn groups_with_ids(&self, ids: &BTreeSet<String>) -> Result<Vec<GroupSummary>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut census = self.census()?;
        let options = ViewOptions::default();
        let mut ranked = ranked(&mut census, &options, None);
        let mut groups = std::mem::take(&mut ranked.overview.groups);
        groups.retain(|group| ids.contains(&group.id));
        for group in &mut groups {
            ranked.complete(group);
            self.fill_in(group)?;
        }
        Ok(groups)
    }

    /// Leaves out groups by what is known of groups alone. Signatures are read where they
    /// are asked for.
    pub(super) fn select(
        &self,
        ranked: &mut Ranked<'_>,
        options: &ViewOptions,
    ) -> Result<(), StoreError> {
        if options.filter.selects_signatures() {
            self.sign(&mut ranked.overview)?;
        }
        ranked.overview.retain(&options.filter);
        Ok(())
    }

    /// Fills in the signatures of all groups.
    pub(super) fn sign(&self, found: &mut Overview) -> Result<(), StoreError> {
        for group in &mut found.groups {
            group.signature = self.signature(group).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// The most frequent signature of a group, in words.
    fn signature(&self, group: &GroupSummary) -> rusqlite::Result<String> {
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT json_extract(json, '$.text') FROM trace WHERE n = ?1")?
            .query_row([group.key_row], |row| row.get(0))
            .optional()?;
        Ok(text.unwrap_or_default())
    }

    /// Fills in what the example says.
    fn describe(&self, group: &mut GroupSummary) -> rusqlite::Result<()> {
        let Some(row) = group.example_row else { return Ok(()) };
        let id = self
            .connection
            .query_row("SELECT id FROM dump WHERE n = ?1", [row], |row| row.get::<_, String>(0));
        group.example = id.optional()?;
        if let Some((cause, signature)) = self.cause_in(row)? {
            group.headline = Some(headline(&cause, signature.as_ref()));
            group.title = Some(cause.title.into_string());
        }
        Ok(())
    }

    /// Why the crash of this row happened, and its signature. Nothing else of its record is
    /// made.
    fn cause_in(&self, row: i64) -> rusqlite::Result<Option<(Cause, Option<Signature>)>> {
        #[derive(Deserialize)]
        struct OfRecord {
            cause: Option<Cause>,
            signature: Option<Signature>,
        }
        let json = self.json_in(row)?;
        let record: Option<OfRecord> = json.and_then(|json| serde_json::from_slice(&json).ok());
        Ok(record.and_then(|record| Some((record.cause?, record.signature))))
    }

    /// Fills in a group's signature and what its example says.
    pub(super) fn fill_in(&self, group: &mut GroupSummary) -> Result<(), StoreError> {
        let read = |group: &mut GroupSummary| -> rusqlite::Result<()> {
            group.signature = self.signature(group)?;
            self.describe(group)
        };
        read(group).map_err(|source| self.failed(source))
    }
}
