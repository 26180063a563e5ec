//! A prompt with gdb's habits: a line is a command, its answer is text.
//!
//! `words` takes a line apart and finds its command, abbreviated as gdb allows, in the tables of
//! `commands` (what is answered) and `refused` (what a dump has no answer to). The other files
//! answer: `stack`, `threads`, `values`, `code`, `registers`, `information`, `search`, `own` (what
//! gdb does not have), `settings`. [`Shell`] keeps the chosen frame and what a repeated command
//! goes on from. All that is read of the crash comes from a [`Crash`], which the program connects
//! with a [`crate::session::Session`]: redacted, from a process that is confined.

mod code;
mod commands;
mod complete;
mod information;
mod own;
mod refused;
mod registers;
mod search;
mod settings;
mod stack;
mod state;
mod threads;
mod values;
mod words;

pub use complete::Completion;
pub use state::{Crash, Flow, Shell, Trouble};
