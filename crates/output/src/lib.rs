//! What a crashed process was about to write and to answer: the bytes that lie in the buffers of
//! its writers and that no file ever got, and the request or statement its thread was working on.
//!
//! | question | where |
//! |---|---|
//! | what was written to a stream and never left the process | [`unwritten()`] |
//! | the request or statement of the crashed thread | [`mod@in_flight`] |
//! | ids by which requests are joined | [`ids`] |
//!
//! Nothing here may be shown as it is: texts are those of the process.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod ids;
pub mod in_flight;
mod memory;
mod typed;
pub mod unwritten;

pub use unwritten::unwritten;
