//! Many cores: found, each made a [`Record`](obit_triage::Record), whatever they are.
//!
//! The way of a core: [`walk`] finds files below what the user named, `first_look` decides by
//! a few bytes which may be cores, [`run`] leaves out those the store knows and hands the
//! others to a [`WorkerPool`]. A thread of the pool hands the open core to its worker process
//! ([`crate::sandbox`]), [`serve`] receives it there, [`analyze`] makes the record, and the packed
//! record comes back the same way. An archive is unpacked by such a process first, and each core
//! in it is handed out like a file. [`run`] stores them some at a time; when all are in, the
//! store groups anew, and `code_comparison` reads the code that history asks for.
//!
//! A core is read in another process, so that one that hangs, takes all memory or finds a
//! bug in obit costs its own record and nothing else.

mod analyze;
mod answer;
mod code;
mod code_comparison;
mod first_look;
mod glob;
mod identity;
mod image_code;
mod journal;
mod merge;
mod pool;
mod run;
mod system_directory;
mod walk;
mod worker;
mod worker_process;

pub use analyze::{analyze, failed};
pub use answer::Answer;
pub use code::Code;
pub use first_look::{FirstLook, first_look};
pub use identity::{path_key, stamp_of};
pub use journal::{Journal, JournalError};
pub use merge::{Gathered, Merged};
pub use pool::{Done, FileAnswers, Job, WorkerPool};
pub(crate) use run::left_out;
pub use run::{BatchError, Order, Settings, Summary, Watcher, WhenStopped, run, run_found};
pub use walk::{FoundFile, NotRead, first_of_none, look_up, walk, walk_directories};
pub use worker::{MemoryUse, serve};
pub use worker_process::WorkerCommand;
pub(crate) use worker_process::{NoAnswer, WorkerProcess};
