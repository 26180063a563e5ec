//! Hashes of functions by build, and which functions of a stack they are asked for.

use rusqlite::{TransactionBehavior, params};

use super::{Store, StoreError};
use crate::code::{Code, CodeRow, StackFunction};

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
        let path = self.path.clone();
        let mut write = || -> rusqlite::Result<()> {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
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
            transaction.commit()
        };
        write().map_err(|source| StoreError::Database { path, source })
    }

    pub(super) fn read_code(&self) -> rusqlite::Result<Code> {
        let mut code = Code::default();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::crash;
    use crate::{Incoming, Rules, stack_functions};

    #[test]
    fn what_is_known_of_code_is_kept_once_and_goes_with_its_dump() {
        let mut store = Store::temporary().unwrap();
        let rules = Rules::built_in();
        let made = crash(3, 1, &rules);
        let incoming = Incoming::of(made.record.clone()).unwrap();
        store.add(&[(made.stamp, incoming)], 0).unwrap();
        let stack = stack_functions(made.record, &rules);
        assert!(!stack.is_empty() && stack.len() <= crate::code::COMPARED);
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
