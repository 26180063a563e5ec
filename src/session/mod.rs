//! A crash that stays open and is asked one question after the other.
//!
//! [`Session`] is the side that asks: it has the open core and a confined worker, which it starts
//! anew if it ends. [`serve`] is the worker's side: it reads the core once, keeps the process and
//! its report, and answers each [`Question`]. What the report has is answered from it
//! ([`obit_session::of_report`]); expressions and memory as `obit print` and `obit query` answer
//! them, with the same redaction.

mod code;
mod evaluate;
mod find;
mod heap;
mod in_full;
mod lines;
mod locks;
mod look;
mod opened;
mod search;
mod tasks;
mod variables;
mod verify;
mod worker;

mod client;

pub use client::{Session, Setup, Stopper};
pub use obit_session::*;
pub use opened::Opened;
pub use search::Wanted;
pub use worker::serve;
