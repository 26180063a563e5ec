//! What a client may cost.

use std::time::Duration;

/// What a client may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Connections of one address at once.
    pub(crate) per_address: usize,
    /// Bytes of the first line and the fields of a request.
    pub(crate) head: usize,
    /// Fields of a request.
    pub(crate) fields: usize,
    /// Bytes of a body.
    pub(crate) body: usize,
    /// How long the head of a request may take to come, and a connection may be idle.
    pub(crate) head_time: Duration,
    /// How long a body may take to come.
    pub(crate) body_time: Duration,
    /// How long a client may take nothing of what is written to it.
    pub(crate) write_time: Duration,
    /// How long a connection takes requests.
    pub(crate) life: Duration,
    /// How long after that the last answer may take to be written.
    pub(crate) grace: Duration,
    /// How long requests that are answered are waited for at the end.
    pub(crate) farewell: Duration,
    /// Requests of the store that are answered at once; others wait.
    pub(crate) at_once: usize,
    /// Requests beside them that do not need the store.
    pub(crate) light: usize,
    /// How long a request waits to be answered.
    pub(crate) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            per_address: 64,
            // What the parser takes at least.
            head: 16 << 10,
            fields: 64,
            body: 64 << 10,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            write_time: Duration::from_secs(20),
            life: Duration::from_secs(600),
            grace: Duration::from_secs(30),
            farewell: Duration::from_secs(5),
            at_once: 4,
            light: 2,
            patience: Duration::from_secs(15),
        }
    }
}
