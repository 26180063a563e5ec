//! Hashes of functions by build, and which functions of a stack they are asked for.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::connection::Store;
use super::error::StoreError;
use crate::census::{Census, code_questions, stack_functions};
use crate::history::{CodeHashes, CodeRow, StackFunction};
use crate::signature::Rules;

/// Code that is to be read, so that history can say whether builds differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeToRead {
    /// Functions on the stacks of dumps, by the row of the dump, that the store lacks.
    pub stacks: Vec<(i64, Vec<StackFunction>)>,
    /// Functions whose code it lacks, by build.
    pub needs: Vec<CodeNeed>,
}

/// Functions of one build whose code the store lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeNeed {
    /// The build ID of the program.
    pub build: String,
    /// Their symbols, by the name of the image they are in.
    pub symbols: BTreeMap<String, BTreeSet<String>>,
    /// Rows of the dumps of the build, the newest first: their records say where images were.
    pub dumps: Vec<i64>,
}

impl Store {
    /// Writes down what was found out, in one transaction. What is there already stays.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_code(
        &mut self,
        stacks: &[(i64, Vec<StackFunction>)],
        rows: &[CodeRow],
    ) -> Result<(), StoreError> {
        self.change(|transaction| {
            for (dump, stack) in stacks {
                // Another process may have removed the dump.
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO stack (dump, json)
                         SELECT n, ?2 FROM dump WHERE n = ?1",
                    )?
                    .execute(params![dump, serde_json::to_string(stack).unwrap_or_default()])?;
            }
            for row in rows {
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO code (build, module, symbol, hash)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![row.build, row.module, row.symbol, row.hash])?;
            }
            Ok(())
        })
    }

    /// The code that is wanted of groups that are new or were gone: of at most `most`
    /// groups, those with most dumps first. If dumps came behind the row `after`, of the
    /// groups of their programs: it is them that can raise a question.
    ///
    /// # Errors
    /// Those of the database.
    pub fn code_to_read(
        &self,
        rules: &Rules,
        most: usize,
        after: i64,
    ) -> Result<CodeToRead, StoreError> {
        let mut census = self.census_of_programs(after)?;
        let questions = code_questions(&mut census);
        let mut stacks: Vec<(i64, Vec<StackFunction>)> = Vec::new();
        let mut needs: BTreeMap<usize, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for question in questions.into_iter().take(most) {
            for dump in question.dumps {
                let stack = match census.code.stacks.entry(dump) {
                    Entry::Occupied(known) => known.get().clone(),
                    Entry::Vacant(unknown) => {
                        let Some(record) = self.record(dump)? else { continue };
                        let stack = stack_functions(record, rules);
                        stacks.push((dump, stack.clone()));
                        unknown.insert(stack).clone()
                    }
                };
                for function in &stack {
                    for at in &question.builds {
                        let Some(build) = census.builds.get(*at) else { continue };
                        if !census.code.knows(&build.id, function) {
                            let symbols = needs.entry(*at).or_default();
                            let symbols = symbols.entry(function.module.clone()).or_default();
                            symbols.insert(function.symbol.clone());
                        }
                    }
                }
            }
        }
        let mut dumps = dumps_of(&census, needs.keys());
        let needs = needs.into_iter().filter_map(|(at, symbols)| {
            let build = census.builds.get(at)?.id.clone();
            Some(CodeNeed { build, symbols, dumps: dumps.remove(&at).unwrap_or_default() })
        });
        Ok(CodeToRead { stacks, needs: needs.collect() })
    }

    /// The row of the dump that came last; 0 if there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn newest_row(&self) -> Result<i64, StoreError> {
        self.connection
            .query_row("SELECT coalesce(max(n), 0) FROM dump", [], |row| row.get(0))
            .map_err(|source| self.failed(source))
    }

    /// The ids of the dumps whose rows are behind `row`, in the order in which they came.
    ///
    /// # Errors
    /// Those of the database.
    pub fn dumps_after(&self, row: i64) -> Result<Vec<String>, StoreError> {
        let read = || {
            let mut statement =
                self.connection.prepare_cached("SELECT id FROM dump WHERE n > ?1 ORDER BY n")?;
            let rows = statement.query_map([row], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    pub(super) fn read_code(&self) -> rusqlite::Result<CodeHashes> {
        let mut code = CodeHashes::default();
        let mut statement =
            self.connection.prepare("SELECT build, module, symbol, hash FROM code")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            code.insert(CodeRow {
                build: row.get(0)?,
                module: row.get(1)?,
                symbol: row.get(2)?,
                hash: row.get(3)?,
            });
        }
        let mut statement = self.connection.prepare("SELECT dump, json FROM stack")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let json: String = row.get(1)?;
            code.stacks.insert(row.get(0)?, serde_json::from_str(&json).unwrap_or_default());
        }
        Ok(code)
    }
}

/// Rows of the dumps of each of these builds, the newest first.
fn dumps_of<'b>(
    census: &Census,
    builds: impl Iterator<Item = &'b usize>,
) -> BTreeMap<usize, Vec<i64>> {
    let mut dated: BTreeMap<usize, Vec<(i64, i64)>> = builds.map(|at| (*at, vec![])).collect();
    for sighting in &census.sightings {
        if let Some(dumps) = dated.get_mut(&sighting.event.build) {
            dumps.push((sighting.event.time, sighting.dump));
        }
    }
    let newest_first = |mut dumps: Vec<(i64, i64)>| {
        dumps.sort_unstable_by(|a, b| b.cmp(a));
        dumps.into_iter().map(|(_, dump)| dump).collect()
    };
    dated.into_iter().map(|(at, dumps)| (at, newest_first(dumps))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::COMPARED;
    use crate::store::PackedRecord;
    use crate::testkit::crash;

    #[test]
    fn what_is_known_of_code_is_kept_once_and_goes_with_its_dump() {
        let mut store = Store::temporary().unwrap();
        let rules = Rules::built_in();
        let made = crash(3, 1, &rules);
        let packed = PackedRecord::of(&made.record).unwrap();
        store.add(&[(made.stamp, packed)], 0).unwrap();
        let stack = stack_functions(made.record, &rules);
        assert!(!stack.is_empty() && stack.len() <= COMPARED);
        let function = stack[0].clone();
        let row = |hash: Option<&str>| CodeRow {
            build: "b1".to_owned(),
            module: function.module.clone(),
            symbol: function.symbol.clone(),
            hash: hash.map(str::to_owned),
        };
        // The second comes from a run that went on at the same time.
        for hash in [None, Some("0123456789abcdef")] {
            store.add_code(&[(1, stack.clone()), (77, stack.clone())], &[row(hash)]).unwrap();
        }
        let code = store.census().unwrap().code;
        assert_eq!(code.stacks.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(code.stacks[&1], stack);
        assert!(code.knows("b1", &function) && !code.knows("b2", &function));
        store.connection.execute("DELETE FROM dump", []).unwrap();
        assert!(store.census().unwrap().code.stacks.is_empty());
    }
}
