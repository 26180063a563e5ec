//! The Debug Adapter Protocol: a crash in an editor's debugger, where nothing runs.
//!
//! `wire` reads and writes messages, `server` keeps their order, `launch` is what a core is opened
//! with, `debuggee` a core that is open, with the numbers by which frames and variables are named.
//! The other files answer: `cause`, `stack`, `variables`, `evaluate`, `code`, `files`; `refusals`
//! says what a core cannot do.
//!
//! Answers are those of [`crate::session`], so they are redacted at the session's level.

mod capabilities;
mod cause;
mod code;
mod debuggee;
mod evaluate;
mod files;
mod launch;
mod refusals;
mod server;
mod stack;
mod text;
mod variables;
mod wire;

pub use launch::Launch;
pub use server::{Outside, Settings, run, serve};
