//! What an id on the command line stands for.

use obit::triage::store::{Found, Store};

use crate::cli::failure::Failure;
use crate::cli::message::say;

/// What `id` stands for. A group that was merged into another stands for that, which is
/// said.
pub(super) fn find(store: &Store, id: &str) -> Result<Found, Failure> {
    Ok(match store.find(id)? {
        Found::Merged(group, into) => {
            say(&format!("group {group} was merged into {into}"));
            Found::Group(into)
        }
        found => found,
    })
}

/// The group that `id` names, or the one of the crash that it names.
pub(super) fn group(store: &Store, id: &str) -> Result<String, Failure> {
    match find(store, id)? {
        Found::Group(group) => Ok(group),
        Found::Dump(dump) => match store.group_of(&dump)? {
            Some(group) => Ok(group),
            None => {
                let problem = format!("{dump} is in no group");
                Err(Failure::usage(&problem))
            }
        },
        found => Err(not_found(id, &found)),
    }
}

/// Why `id` names nothing.
pub(super) fn not_found(id: &str, found: &Found) -> Failure {
    let problem = match found {
        Found::Several(ids) => format!("{id:?} is ambiguous: {}", ids.join(", ")),
        _ => format!(
            "nothing in the store has the id or name {id:?}; see `obit top` and `obit list`"
        ),
    };
    Failure::usage(&problem)
}
