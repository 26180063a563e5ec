//! A store in PostgreSQL that many machines use.
//!
//! The server has the tables of [`portable`](super::portable), and each row says in which
//! revision of the store it was written last. Every client has a copy of them in SQLite, its
//! *replica*, and takes what is newer than it before it answers a question; so all questions
//! are answered by the code that answers them for a store that is a file.
//!
//! A change is made by one client at a time, which holds a lock on one row of the server. It
//! takes what is newer, makes the change in the replica, sends the rows that it touched, and
//! commits here only what was committed there. So all replicas have the same rows with the
//! same numbers, hence the same groups.

use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
mod address;
#[cfg(feature = "postgres")]
mod client;
#[cfg(feature = "postgres")]
mod open;
#[cfg(feature = "postgres")]
mod pgpass;
#[cfg(feature = "postgres")]
mod pull;
#[cfg(feature = "postgres")]
mod push;
#[cfg(feature = "postgres")]
mod replica;
#[cfg(feature = "postgres")]
mod schema;
#[cfg(all(test, feature = "postgres"))]
mod tests;
#[cfg(feature = "postgres")]
mod text;
#[cfg(feature = "postgres")]
mod tls;
#[cfg(feature = "postgres")]
mod trouble;
#[cfg(not(feature = "postgres"))]
mod without;

#[cfg(feature = "postgres")]
pub(super) use client::Central;
#[cfg(not(feature = "postgres"))]
pub(super) use without::Central;

/// Whether a store is named by an address and not by a file. Only those of PostgreSQL can be
/// opened; any other is no file either, since it may have a password.
pub fn is_central(store: &Path) -> bool {
    let text = store.as_os_str().as_encoded_bytes();
    let scheme = text.windows(3).position(|part| part == b"://").and_then(|end| text.get(..end));
    scheme.is_some_and(|scheme| {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(is_part)
    })
}

/// The address of a store on a server as it may be shown: without a password. `None` if it is
/// none, or this program cannot read it.
pub fn address_shown(store: &Path) -> Option<String> {
    Central::shown(store)
}

/// What files that belong to a store lie beside, such as a log: the store's own file, or for
/// a store on a server a name in the user's directory of state.
pub fn files_beside(store: &Path) -> PathBuf {
    // Of an address that is none nothing is used: the store is not opened.
    let unusable = || PathBuf::from("obit-central");
    match is_central(store) {
        true => Central::files(store).unwrap_or_else(unusable),
        false => store.to_owned(),
    }
}

/// What a client does about the tables when it opens a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tables {
    /// They are to be there.
    Expected,
    /// They are made if they are not.
    Made,
}
