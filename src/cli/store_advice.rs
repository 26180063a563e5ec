//! What to do about a store that cannot be used.

use std::path::Path;

use obit::triage::store::{
    CentralProblem, CopyProblem, DatabaseProblem, GroupError, NotAStore, StoreError, is_central,
};

/// What to do, as the end of the error's sentence; empty where the error says enough.
pub(super) fn advice(error: &StoreError) -> String {
    let text = match error {
        StoreError::Missing { .. } => ": `obit triage DIR` creates one",
        StoreError::Io { .. } => "; name another place with --db FILE",
        StoreError::NotAStore { problem: NotAStore::OfAnotherProgram, .. } => {
            ": name another with --db FILE"
        }
        StoreError::NotAStore { problem: NotAStore::Newer { obit, .. }, .. } => {
            let needed = obit.as_ref().map_or_else(
                || "a newer obit".to_owned(),
                |version| format!("obit {version} or newer"),
            );
            return format!("; use {needed}, or name another store with --db FILE");
        }
        StoreError::Group(GroupError::Unknown { .. } | GroupError::Ambiguous { .. }) => {
            ": `obit top` lists them"
        }
        StoreError::Copy { problem: CopyProblem::NotEmpty, .. } => {
            ": `obit db export` and `obit db import` bring two stores together"
        }
        StoreError::Central { problem, .. } => match problem {
            CentralProblem::NotBuilt => {
                ": build it with `cargo build --release --features postgres`, or name a file with \
                 --db FILE"
            }
            CentralProblem::NoServer(_) => ": is it running, and do host and port belong to it?",
            CentralProblem::Tls(_) => {
                "; name the file of its authority with ?sslrootcert=FILE, or, on a network that \
                 you trust, add ?sslmode=disable"
            }
            CentralProblem::Refused(_) => {
                ": see PGPASSWORD, ~/.pgpass and the server's pg_hba.conf"
            }
            CentralProblem::NoDatabase(_) => ": `createdb` makes one",
            CentralProblem::NotPermitted(_) => {
                ": docs/central-store.md has the rights of each role"
            }
            CentralProblem::Older { .. } => ": its owner upgrades them with `obit triage`",
            CentralProblem::Busy => ": try again later",
            CentralProblem::Lost => ": run the same command again",
            CentralProblem::Unsure => {
                ": run the same command again; a dump that is stored is not counted twice"
            }
            _ => "",
        },
        StoreError::Damaged { path, .. } => return recovery(path),
        StoreError::Database { path, problem, .. } => match problem {
            DatabaseProblem::DiskFull => ": free some space, then run the same command again",
            DatabaseProblem::ReadOnly => "; name another with --db FILE",
            DatabaseProblem::CannotOpen => {
                ": does its directory exist, and can you write to it? Name another with --db FILE"
            }
            DatabaseProblem::Busy => ": try again later",
            DatabaseProblem::Damaged => return recovery(path),
            DatabaseProblem::Disk => {
                ": free some space, or see the kernel's log for the disk, then run the same \
                 command again; or name another store with --db FILE"
            }
            DatabaseProblem::NotADatabase => ": name another file with --db FILE, or move it away",
            _ => "",
        },
        _ => "",
    };
    text.to_owned()
}

fn recovery(path: &Path) -> String {
    if is_central(path) {
        return format!(
            "; `obit db check --repair --db {}` makes this machine's copy anew",
            path.display()
        );
    }
    format!(
        "; `obit db check --repair --db {}` keeps a copy of it, saves what can be read, and \
         lists what is lost",
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
        assert!(said(damaged).contains("obit db check --repair --db /x/t.db"));
        let newer = |obit: Option<&str>| {
            let obit = obit.map(str::to_owned);
            let problem = NotAStore::Newer { tables: 12, known: 9, obit };
            said(StoreError::NotAStore { path: path(), problem })
        };
        assert_eq!(
            newer(Some("2.1.0")),
            "/x/t.db was written by obit 2.1.0: its tables are of version 12, this obit knows \
             those up to 9; use obit 2.1.0 or newer, or name another store with --db FILE"
        );
        assert!(newer(None).contains("by a newer obit"), "{}", newer(None));
        let unknown = GroupError::Unknown { id: "ab".to_owned() };
        assert_eq!(said(unknown.into()), "no group \"ab\": `obit top` lists them");
    }
}
