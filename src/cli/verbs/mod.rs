//! A file for each verb: its options, and what it does.

#[cfg(feature = "serve")]
pub(crate) mod audit;
pub(crate) mod builds;
pub(crate) mod cache;
pub(crate) mod capture;
pub(crate) mod completions;
pub(crate) mod dap;
pub(crate) mod db;
mod db_forget;
pub(crate) mod diff;
pub(crate) mod differ;
pub(crate) mod digest;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
mod find;
pub(crate) mod find_memory;
pub(crate) mod forget;
pub(crate) mod group;
pub(crate) mod heap;
pub(crate) mod help;
pub(crate) mod incident;
pub(crate) mod man;
pub(crate) mod mcp;
#[cfg(feature = "serve")]
mod mcp_listen;
pub(crate) mod memory;
mod memory_place;
pub(crate) mod merge;
pub(crate) mod modules;
pub(crate) mod objects;
pub(crate) mod pack;
pub(crate) mod print;
pub(crate) mod query;
pub(crate) mod redact;
mod redact_policy;
pub(crate) mod report;
pub(crate) mod rewind;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod scrub;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod show;
pub(crate) mod signature;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod tasks;
pub(crate) mod top;
pub(crate) mod triage;
pub(crate) mod unpack;
pub(crate) mod version;
pub(crate) mod watch;
pub(crate) mod who_points_to;
