//! Groups of all that is there.

use std::collections::HashMap;

use super::connection::Store;
use super::error::StoreError;

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

impl Store {
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
                   (SELECT n AS t, bug AS b, json, dumps AS c FROM trace WHERE dumps > 0)
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

    /// Groups that may be the same as this, and how alike they are, the most alike first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn suspected_same(&self, group: &str) -> Result<Vec<(String, f64)>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT other.id, likeness FROM suspected
                 JOIN bug AS this ON this.n IN (suspected.one, suspected.other)
                 JOIN bug AS other ON other.n IN (suspected.one, suspected.other)
                   AND other.n <> this.n
                 WHERE this.id = ?1 ORDER BY likeness DESC, other.id",
            )?;
            let rows = statement.query_map([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The same of all groups, by their ids.
    pub(super) fn all_suspected_same(
        &self,
    ) -> Result<HashMap<String, Vec<(String, f64)>>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT a.id, b.id, likeness FROM suspected
                 JOIN bug AS a ON a.n = suspected.one JOIN bug AS b ON b.n = suspected.other",
            )?;
            let mut rows = statement.query([])?;
            let mut all: HashMap<String, Vec<(String, f64)>> = HashMap::new();
            while let Some(row) = rows.next()? {
                let (one, other): (String, String) = (row.get(0)?, row.get(1)?);
                let likeness = row.get(2)?;
                all.entry(one.clone()).or_default().push((other.clone(), likeness));
                all.entry(other).or_default().push((one, likeness));
            }
            for likes in all.values_mut() {
                likes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            }
            Ok(all)
        };
        read().map_err(|source| self.failed(source))
    }
}
