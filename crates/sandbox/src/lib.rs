//! A process that may read what it is handed, compute and answer, and nothing else.
//!
//! A parser of hostile input may have a bug. It runs in a process of its own that gave up
//! everything but its memory and one [`Channel`]: no file can be opened, nothing run, no other
//! process seen, no network reached. Files come through the channel, as open descriptors that
//! the process outside chose to hand over.
//!
//! | to … | use |
//! |---|---|
//! | run a function in such a process | [`Worker::start`] |
//! | confine the current process | [`confine`] |
//! | exchange frames and descriptors | [`Channel`], [`Frame`] |
//! | open a file with the rights of someone else | [`as_user`] |
//! | learn what the kernel supports | [`support()`] |
//!
//! Not for: deciding which files may be opened. Who runs the worker answers its requests.
//!
//! ```
//! use obit_sandbox::{Channel, Ended, Limits, Worker};
//!
//! let worker = Worker::start(&Limits::default(), &[], |channel, _| {
//!     let is_refused = std::fs::File::open("/etc/passwd").is_err();
//!     channel.send(1, &[&[u8::from(is_refused)]], None)
//! })?;
//! let frame = worker.channel().receive(None)?.unwrap();
//! assert_eq!(frame.payload, [1]);
//! assert_eq!(worker.wait(), Ended::InGoodOrder);
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod channel;
mod confine;
mod files_of_worker;
mod landlock;
mod syscalls;
mod user;
mod worker;

pub use channel::{Channel, Frame};
pub use confine::{Confined, Layer, Limits, bound, confine, support};
pub use user::as_user;
pub use worker::{Ended, Worker};
