//! Whose code a stack frame is.
//!
//! Blame, signatures, folded stacks and the choice of memory to keep all need to distinguish the
//! application's frames from those of languages, systems and the machinery of dying. This
//! crate is the one place that does: [`answer`] takes what is known of a frame as plain
//! text and gives an [`Owner`].
//!
//! Evidence is weighed in this order: the function's name in its normal form (see
//! [`normalized`]), for names of one language only where the unit is in that language; the
//! module; last and weakest, the path of the source. The lists are the text files of
//! `data/`, one pattern a line.
//!
//! ```
//! use obit_ownership::{Frame, Language, Owner, answer};
//!
//! let frame = |function| Frame { function: Some(function), ..Frame::default() };
//! assert_eq!(answer(&frame("_start")).owner, Owner::Startup);
//! assert_eq!(answer(&frame("order_item")).owner, Owner::Application);
//!
//! // `core` is Rust's in a Rust unit only.
//! let spin = Frame { language: Some(Language::Cpp), ..frame("core::Engine::spin") };
//! assert_eq!(answer(&spin).owner, Owner::Application);
//! ```
//!
//! It reads no files and knows nothing of processes or debug information.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod asked_function;
mod c_name;
mod function_name;
mod module_name;
mod rows;
mod tables;

pub use answer::{Answer, Evidence, Frame, Language, Owner, answer, is_c_library};
pub use asked_function::is_function;
pub use c_name::library_name;
pub use function_name::{around_lambda, cut, normalized, undecorated};
pub use module_name::module_name;
