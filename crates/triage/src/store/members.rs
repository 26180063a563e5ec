//! The signatures of a group, and why they are one group.

use super::connection::Store;
use super::error::StoreError;
use crate::groups::Merge;
use crate::views::GroupSignature;

impl Store {
    /// The signatures of a group: the one that most of its dumps have first. What
    /// [`Store::split_group`] takes.
    ///
    /// # Errors
    /// When there is no such group, and those of the database.
    pub fn signatures(&self, id: &str) -> Result<Vec<GroupSignature>, StoreError> {
        let id = self.group_named(id)?;
        self.signatures_of(&id).map_err(|source| self.failed(source))
    }

    pub(super) fn signatures_of(&self, id: &str) -> rusqlite::Result<Vec<GroupSignature>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT coalesce(cell, json ->> '$.signature'), min(json ->> '$.text'), sum(dumps),
               max(why)
             FROM (SELECT cell, json, why, (SELECT count(*) FROM dump WHERE trace = trace.n) AS dumps
                   FROM trace WHERE bug = (SELECT n FROM bug WHERE id = ?1))
             GROUP BY 1 ORDER BY 3 DESC, 1",
        )?;
        let rows = statement.query_map([id], |row| {
            let why: Option<String> = row.get(3)?;
            let merge: Option<Merge> = why.and_then(|json| serde_json::from_str(&json).ok());
            let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
            Ok(GroupSignature::of(row.get(0)?, row.get(1)?, count, merge))
        })?;
        rows.collect()
    }
}
