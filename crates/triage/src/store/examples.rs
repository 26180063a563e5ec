//! The crash that stands for a group, and which groups a run has seen.

use std::collections::BTreeSet;

use super::connection::Store;
use super::error::StoreError;
use crate::record::Record;
use crate::views::GroupSummary;
use obit_redact::Shown;
use obit_report::{Cause, ProcessReport, Report, Signature};

impl Store {
    /// The report of the crash that is most informative about `group`. Where its record was deleted,
    /// what the history keeps of the group.
    ///
    /// # Errors
    /// Those of the database.
    pub fn example_of(&self, group: &GroupSummary) -> Result<Report, StoreError> {
        let record = match group.example_row {
            Some(row) => self.record(row)?,
            None => None,
        };
        Ok(record.map_or_else(|| from_history(group), Record::into_report))
    }

    /// Ids of the groups that the dumps of these files are in. Files are the keys of their
    /// paths.
    ///
    /// # Errors
    /// Those of the database.
    pub fn groups_of(&self, files: &[[u8; 32]]) -> Result<BTreeSet<String>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT bug.id FROM path JOIN dump ON dump.n = path.dump
                 JOIN trace ON trace.n = dump.trace JOIN bug ON bug.n = trace.bug
                 WHERE path.key = ?1",
            )?;
            let mut groups = BTreeSet::new();
            for key in files {
                let mut rows = statement.query([key.as_slice()])?;
                while let Some(row) = rows.next()? {
                    groups.insert(row.get(0)?);
                }
            }
            Ok(groups)
        };
        read().map_err(|source| self.failed(source))
    }
}

/// What is still known of a group without a record. All of it has left in a report before.
fn from_history(group: &GroupSummary) -> Report {
    let shown = |text: &String| Shown::from_report(text.clone());
    let cause = group.class.as_ref().map(|class| Cause {
        class: class.clone(),
        severity: group.severity.clone(),
        title: shown(group.title.as_ref().unwrap_or(class)),
        confidence: group.confidence.unwrap_or_default(),
        ..Cause::default()
    });
    Report {
        id: group.example.clone().unwrap_or_default(),
        process: ProcessReport {
            exe: group.programs.first().map(shown),
            ..ProcessReport::default()
        },
        cause,
        signature: (!group.signature.is_empty())
            .then(|| Signature { text: shown(&group.signature), ..Signature::default() }),
        ..Report::default()
    }
}
