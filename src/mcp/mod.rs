//! The Model Context Protocol: what an agent asks of crashes, as tools with typed answers.
//!
//! `rpc` reads and writes messages (JSON-RPC 2.0), `server` keeps the order of the protocol,
//! `tools` is the table of what can be called, `call` turns a call into a question of
//! [`crate::session`] or of a store, `text` says an answer in few words. `roots` decides which
//! files a call may name, `audit` logs each call. `http` has a session for each client that asks
//! by HTTP, whose connections are [`crate::serve`]'s.
//!
//! Texts of a dump are data: they are escaped, and never part of what the protocol says itself.

mod arguments;
mod audit;
mod call;
mod cores;
#[cfg(feature = "serve")]
mod http;
mod of_store;
mod prompts;
mod resources;
mod roots;
mod rpc;
mod server;
mod stores;
mod text;
mod tools;

#[cfg(feature = "serve")]
pub use http::{Hub, PATH};
pub use roots::Roots;
pub use server::{Outside, Running, Settings, run};

/// Versions of the protocol that are spoken, the newest first.
pub const VERSIONS: [&str; 2] = ["2025-11-25", "2025-06-18"];
