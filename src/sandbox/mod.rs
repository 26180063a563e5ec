//! The analysis of one core in a process that can do nothing else, and the process outside that
//! hands it files.
//!
//! The worker has no way to a file but to ask for it by name; [`Broker`] decides, opens it and
//! sends the descriptor. So the names in a core decide nothing: what may be opened is the policy
//! of [`crate::debuginfo::locate::LocalFiles`], and as root that of the core's owner.

mod archive;
mod broker;
mod remote;
mod wire;
mod with_companions;

pub use archive::{Archive, NoArchive, UNPACK_MEMORY, unpack_for};
pub use broker::{Attended, Broker, Owner, TakePortion};
pub use obit_sandbox::{Confined, Ended, Limits, Worker, support};
pub use remote::{Remote, Task};
pub use with_companions::WithCompanions;

/// Whether the analysis is confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By what the kernel has.
    #[default]
    On,
    /// Not at all: it runs in this process.
    Off,
    /// Completely, or nothing is read.
    Require,
}

/// Confines this process as `mode` says; without a sandbox only its memory is bounded.
pub fn confine(limits: &Limits, mode: Mode) -> Confined {
    match mode {
        Mode::Off => obit_sandbox::bound(limits),
        Mode::On | Mode::Require => obit_sandbox::confine(limits),
    }
}
