//! The stacks of a crashed process that are no threads of the kernel: goroutines, tasks of
//! asynchronous programs, and the frames of interpreters.
//!
//! Each runtime has a folder with a reader; all fill in the same [`Runtime`] and [`Task`]. A
//! reader claims only what its runtime's structures confirm: what does not agree is a [`Gap`].
//!
//! Names and texts are those of the process: nothing here may be shown as it is.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod go;
mod model;
mod python;
mod rust_async;

pub use model::{
    Blocker, Created, Gap, Kind, Local, Place, Runtime, State, Task, TaskFrame, TaskFrameKind,
    TaskKind, Verdict, Wait, WaitKind,
};

use obit_process::process::Process;

/// A reader: `None` where its runtime is not in the process.
type Reader = fn(&Process) -> Option<Runtime>;

const READERS: &[(Kind, Reader)] =
    &[(Kind::Go, go::read), (Kind::Tokio, rust_async::read), (Kind::CPython, python::read)];

/// The runtimes of the process with their tasks.
pub fn runtimes(process: &Process) -> Vec<Runtime> {
    READERS.iter().filter_map(|(_, read)| read(process)).collect()
}

/// The interpreters of Python whose code the thread with this index runs, as its frames show; a
/// thread that runs none costs a look at their names.
pub fn python_of(process: &Process, thread: usize) -> Option<Runtime> {
    python::runs(process.threads.get(thread)?).then(|| python::read(process)).flatten()
}

/// Go's runtime, where the process has it.
pub fn go(process: &Process) -> Option<Runtime> {
    go::read(process)
}
