//! Directories in which cores appear: each is stored when it is complete, and who waits for it
//! is notified.
//!
//! The way of a core: `directories` reports what happens to names (inotify), and `scan` finds
//! what no event reported: what was there before, what came while the kernel's queue was full,
//! what another machine wrote to a network file system. `arrivals` decides when a file is
//! complete. [`run`] hands complete ones to [`crate::batch`], which looks at them by the rules of
//! its own search and reads them in its workers, and makes a
//! [`CrashEvent`](obit_triage::views::CrashEvent) of each dump that the store did not have.
//! `alerts` decides which of them anyone asked for, `notify` delivers those.

mod alerts;
mod arrivals;
mod directories;
mod metrics;
mod notify;
mod run;
mod scan;

pub use alerts::{Alerts, On};
pub use metrics::{Metrics, MetricsFile, serve_metrics};
#[cfg(feature = "webhook")]
pub use notify::Webhook;
pub use notify::{Delivery, Digest, Notifier};
pub use run::{Left, Settings, WatchError, run};

/// What takes lines for people, with nothing hidden yet.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// What went wrong, and what is left out.
    pub problem: fn(&str),
    /// What was done.
    pub news: fn(&str),
}
