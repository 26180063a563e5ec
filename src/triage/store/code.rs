//! Hashes of functions by build, and which functions of a stack they are asked for.

use rusqlite::{TransactionBehavior, params};

use super::{Store, StoreError};
use crate::triage::code::{Code, CodeRow, StackFunction};

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
