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

use std::path::Path;

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
mod tls;
#[cfg(feature = "postgres")]
mod trouble;
#[cfg(not(feature = "postgres"))]
mod without;

#[cfg(feature = "postgres")]
pub(super) use client::Central;
#[cfg(not(feature = "postgres"))]
pub(super) use without::Central;

/// Whether a store is named by the address of a server and not by a file.
pub fn is_central(store: &Path) -> bool {
    let text = store.as_os_str().as_encoded_bytes();
    [&b"postgres://"[..], b"postgresql://"].iter().any(|scheme| text.starts_with(scheme))
}

/// What a client does about the tables when it opens a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tables {
    /// They are to be there.
    Expected,
    /// They are made if they are not.
    Made,
}
