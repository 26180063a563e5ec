//! What to do about a store that cannot be used.

use std::path::Path;

use obit::triage::store::{DatabaseProblem, GroupError, NotAStore, StoreError};

/// What to do, as the end of the error's sentence; empty where the error says enough.
pub(super) fn advice(error: &StoreError) -> String {
    let text = match error {
        StoreError::Missing { .. } => ": `obit triage DIR` creates one",
        StoreError::Io { .. } => "; name another place with --db FILE",
        StoreError::NotAStore { problem: NotAStore::OfAnotherProgram, .. } => {
            ": name another with --db FILE"
        }
        StoreError::NotAStore { problem: NotAStore::Newer, .. } => ": use that version",
        StoreError::Group(GroupError::Unknown { .. } | GroupError::Ambiguous { .. }) => {
            ": `obit top` lists them"
        }
        StoreError::Damaged { path, .. } => return recovery(path),
        StoreError::Database { path, problem, .. } => match problem {
            DatabaseProblem::DiskFull => ": free some space, then run the same command again",
            DatabaseProblem::ReadOnly => "; name another with --db FILE",
            DatabaseProblem::CannotOpen => {
                ": does its directory exist, and can you write to it? Name another with --db FILE"
            }
            DatabaseProblem::Busy => ": try again later",
            DatabaseProblem::Damaged => return recovery(path),
            DatabaseProblem::NotADatabase => ": name another file with --db FILE, or move it away",
            _ => "",
        },
        _ => "",
    };
    text.to_owned()
}

fn recovery(path: &Path) -> String {
    format!(
        "; `obit db export SAVED --db {}` saves what can be read, and `obit db import SAVED` \
         makes a new store of it",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_that_a_user_can_fix_says_how() {
        let path = || Path::new("/x/t.db").to_owned();
        let said = |error: StoreError| format!("{error}{}", advice(&error));
        assert_eq!(
            said(StoreError::Missing { path: path() }),
            "no store at /x/t.db: `obit triage DIR` creates one"
        );
        let damaged = StoreError::Damaged { path: path(), problem: "x".to_owned() };
        assert!(said(damaged).contains("obit db export SAVED --db /x/t.db"));
        let newer = StoreError::NotAStore { path: path(), problem: NotAStore::Newer };
        assert_eq!(said(newer), "/x/t.db was written by a newer obit: use that version");
        let unknown = GroupError::Unknown { id: "ab".to_owned() };
        assert_eq!(said(unknown.into()), "no group \"ab\": `obit top` lists them");
    }
}
