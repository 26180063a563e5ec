//! The list of groups, as the views ask for it.

use std::collections::HashMap;

use rusqlite::OptionalExtension;

use super::connection::Store;
use super::error::StoreError;
use crate::views::{GroupSummary, Overview, ViewOptions, headline, overview};

impl Store {
    /// The groups as `options` ask for them, at most `most`, each with its signature and
    /// what its example says.
    ///
    /// # Errors
    /// Those of the database.
    pub fn overview(&self, options: &ViewOptions, most: usize) -> Result<Overview, StoreError> {
        let mut census = self.census()?;
        let mut found = overview(&mut census, options);
        self.sign(&mut found)?;
        found.retain(&options.filter);
        found.groups.truncate(most);
        for group in &mut found.groups {
            self.describe(group).map_err(|source| self.failed(source))?;
        }
        Ok(found)
    }

    /// Fills in the signatures.
    pub(super) fn sign(&self, found: &mut Overview) -> Result<(), StoreError> {
        let signatures = self.foremost_signatures().map_err(|source| self.failed(source))?;
        for group in &mut found.groups {
            let signature = group.key_row.and_then(|row| signatures.get(&row));
            group.signature = signature.cloned().unwrap_or_default();
        }
        Ok(())
    }

    /// Signatures in words, by row of their trace.
    fn foremost_signatures(&self) -> rusqlite::Result<HashMap<i64, String>> {
        let mut statement =
            self.connection.prepare("SELECT n, json_extract(json, '$.text') FROM trace")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Fills in what the example says.
    fn describe(&self, group: &mut GroupSummary) -> rusqlite::Result<()> {
        let Some(row) = group.example_row else { return Ok(()) };
        let id = self
            .connection
            .query_row("SELECT id FROM dump WHERE n = ?1", [row], |row| row.get::<_, String>(0));
        group.example = id.optional()?;
        let record = self.record_in(row)?;
        if let Some(record) = record
            && let Some(cause) = record.cause
        {
            group.headline = Some(headline(&cause, record.signature.as_ref()));
            group.title = Some(cause.title.into_string());
        }
        Ok(())
    }

    /// Fills in a group's signature and what its example says.
    pub(super) fn fill_in(&self, group: &mut GroupSummary) -> Result<(), StoreError> {
        let read = |group: &mut GroupSummary| -> rusqlite::Result<()> {
            let signature: Option<String> = self
                .connection
                .prepare_cached("SELECT json_extract(json, '$.text') FROM trace WHERE n = ?1")?
                .query_row([group.key_row], |row| row.get(0))
                .optional()?;
            group.signature = signature.unwrap_or_default();
            self.describe(group)
        };
        read(group).map_err(|source| self.failed(source))
    }
}
