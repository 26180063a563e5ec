//! The triage store as pages and as an HTTP API, for several people at once.
//!
//! **For** looking at groups and crashes in a browser, changing states, and asking from other
//! programs. Each question is answered by [`obit_triage`] and laid out by [`obit_render`], as
//! for the command line; here is who may ask, and what became of it: [`Role`]s, sessions, the
//! [`AuditLog`].
//!
//! **Not for** reading cores, and not an open service: it speaks HTTP without TLS, for this
//! machine or behind a proxy.
//!
//! | question | names |
//! |---|---|
//! | how is it started? | [`Settings`], [`Server`] |
//! | who may do what? | [`Role`], [`Auth`], [`new_token`] |
//! | who did what? | [`AuditLog`], [`Anchor`] |
//! | what is asked of cores? | [`AskCores`], [`CoreQuestion`] |
//! | what does the API promise? | [`openapi`] |
//! | how does another protocol use its HTTP? | [`MessageServer`], [`Messages`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod answer;
mod api;
mod asked;
mod audit;
mod change;
mod cores;
mod desk;
mod exposures;
mod gate;
mod http;
mod listen;
mod messages;
mod openapi;
mod pages;
mod problem;
mod rate;
mod routes;
mod sessions;
mod settings;
mod shared;
mod sparse;
mod stamp;
mod users;

pub use audit::{Anchor, AuditError, AuditLog, Entry, Line};
pub use cores::{AskCores, CoreQuestion, NotAsked};
pub use exposures::ExposureFile;
pub use listen::{ServeError, Server};
pub use messages::{Message, MessageServer, Messages, Reply, Verb, fresh_token};
pub use openapi::openapi;
pub use settings::{Auth, Listen, Settings, Trusted};
pub use users::{Role, UsersError, new_token};
