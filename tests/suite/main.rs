//! What the program promises, tested on the kept cores: one binary, because each takes
//! seconds to link. `cargo test --test suite causes` runs one file of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unreachable_pub)]

mod fixture;

mod agreement;
mod archives;
mod cache;
mod canary;
mod capture;
mod causes;
mod causes_compiled;
mod central;
mod ci_examples;
mod cli;
mod code_of_builds;
mod containers;
mod dap;
mod debuginfod;
mod digest;
mod docs;
mod export;
mod exposures;
mod first_screen;
mod formats;
mod golden;
mod groups;
mod heap;
mod heap_causes;
mod history;
mod imports;
mod incident;
mod jit;
mod layering;
mod levels;
mod log_commands;
mod many_threads;
mod mcp;
mod mcp_find;
mod mcp_http;
mod memory;
mod merge;
mod minidump_core;
mod newcomer;
mod objects;
mod odd_names;
#[cfg(feature = "serve")]
mod openapi;
mod oracle;
mod pack;
mod page;
mod pager;
mod planted_keys;
mod planted_numbers;
mod print;
mod privacy;
mod private_files;
mod query;
mod query_hidden;
mod redact;
mod redaction_rules;
mod rewound;
mod run;
mod sandbox;
mod schemas;
mod scrub;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod signature;
mod snapshot;
mod store;
mod stripped;
mod tasks;
mod tasks_python;
mod tasks_rust;
mod time;
mod tokens;
mod triage;
mod triage_page;
mod unwritten;
mod variables;
mod watch;
