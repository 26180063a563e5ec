//! What the clients of one run share: how long they waited for servers, and which of these
//! failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The bit of the last server that has one of its own.
const LAST_SERVER: usize = 62;
/// Set when no server is asked any more.
const CLOSED: u64 = 1 << 63;

/// What the clients of one run share. Copies are the same.
#[derive(Clone, Debug, Default)]
pub struct Network(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Milliseconds of requests, summed over threads.
    spent: AtomicU64,
    /// A bit for each server that failed, and for each that answered.
    failed: AtomicU64,
    answered: AtomicU64,
    log: Option<fn(&str)>,
}

impl PartialEq for Network {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Network {}

impl Network {
    /// One that writes each request to `log`.
    #[must_use]
    pub fn with_log(log: fn(&str)) -> Self {
        Self(Arc::new(Shared { log: Some(log), ..Shared::default() }))
    }

    /// Whether a server failed in this run, or the time for all is spent: what is missing may
    /// be on a server.
    pub fn is_cut_short(&self) -> bool {
        self.0.failed.load(Ordering::Acquire) != 0
    }

    pub(super) fn log(&self, line: &str) {
        if let Some(log) = self.0.log {
            log(line);
        }
    }

    /// The time that requests took.
    pub(super) fn spent(&self) -> Duration {
        Duration::from_millis(self.0.spent.load(Ordering::Relaxed))
    }

    pub(super) fn has_failed(&self, server: usize) -> bool {
        self.0.failed.load(Ordering::Acquire) & bit(server) != 0
    }

    /// Notes that a server is not to be asked again.
    pub(super) fn note_failure(&self, server: usize) {
        self.0.failed.fetch_or(bit(server), Ordering::AcqRel);
    }

    /// Notes that no server is to be asked again.
    pub(super) fn note_end(&self) {
        self.0.failed.fetch_or(CLOSED, Ordering::AcqRel);
    }

    pub(super) fn has_answered(&self, server: usize) -> bool {
        self.0.answered.load(Ordering::Acquire) & bit(server) != 0
    }

    pub(super) fn note_answer(&self, server: usize) {
        self.0.answered.fetch_or(bit(server), Ordering::AcqRel);
    }

    /// A request begins; it ends when the guard is dropped.
    pub(super) fn request(&self) -> Request<'_> {
        Request { network: self, since: Instant::now() }
    }
}

/// While a request is under way.
pub(super) struct Request<'n> {
    network: &'n Network,
    /// What is not counted yet.
    since: Instant,
}

impl Request<'_> {
    /// Counts the time so far: others see it while a long download goes on.
    pub(super) fn count(&mut self) {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.since).as_millis();
        // What is left of a millisecond is counted with the next ones.
        if took > 0 {
            let took = u64::try_from(took).unwrap_or(u64::MAX);
            self.network.0.spent.fetch_add(took, Ordering::Relaxed);
            self.since = now;
        }
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.count();
    }
}

/// The bit of a server by its number; those beyond share the last.
fn bit(server: usize) -> u64 {
    1 << server.min(LAST_SERVER)
}
