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
    /// How long a connection is kept at all.
    pub(crate) life: Duration,
    /// How long requests that are answered are waited for at the end.
    pub(crate) farewell: Duration,
    /// Requests that are answered at once; others wait.
    pub(crate) at_once: usize,
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
            farewell: Duration::from_secs(5),
            at_once: 4,
        }
    }
}
