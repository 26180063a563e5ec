//! The language of questions about many crash dumps, and the table of their answers.
//!
//! **For** a program that evaluates expressions at one place of the code in many dumps: what
//! the user wrote is read ([`Query`]), frames are compared with the place ([`Place`]), and what
//! was found is a [`Table`] of typed [`Cell`]s that is filtered ([`Filter`]), counted, sorted
//! and cut.
//!
//! **Not for** reading dumps and evaluating expressions: an expression is a text here.
//!
//! ```
//! use obit_query::{Cell, Datum, Filter, Query, Table};
//!
//! let query = Query::parse("list.c:10-20 { n->next, depth = level }")?;
//! assert!(query.place.is_at(Some("walk"), Some(("src/list.c", 12))));
//! assert_eq!(query.columns[1].name, "depth");
//!
//! let mut table = Table::new(["function", "depth"].map(str::to_owned));
//! for depth in [3, 400] {
//!     table.push(vec![Datum::Text("walk".to_owned()).into(), Datum::Integer(depth).into()]);
//! }
//! let filter = Filter::parse("depth > 100 and function ~ '^w'", &table.columns)?;
//! table.keep(&filter);
//! assert_eq!(table.rows.len(), 1);
//! # Ok::<(), obit_query::QueryError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod cell;
mod compare;
#[cfg(feature = "schema")]
mod document;
mod error;
mod filter;
mod findings;
mod function_name;
mod place;
mod query;
mod table;
mod words;

pub use cell::{Cell, Datum, Unavailable};
#[cfg(feature = "schema")]
pub use document::{CellDocument, FindingsDocument};
pub use error::QueryError;
pub use filter::Filter;
pub use findings::{Failed, Findings, RowObject};
pub use place::{Lines, Place};
pub use query::{Column, Query};
pub use table::{Direction, SortKey, Table};
