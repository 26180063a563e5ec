//! What of the memory of a process may leave: bytes in, bytes of the same length out.
//!
//! [`Judge`] masks; [`Windows`] collects what was masked and finds it again.

mod cards;
mod mask;
mod phrases;
mod places;
mod printable;
mod ranges;
mod windows;

pub use cards::{card_digits, is_card};
pub use mask::{Judge, MASK};
pub use phrases::{PHRASES, find as find_phrases};
pub use places::{Hidden, Places};
pub(crate) use printable::is_printable;
pub use printable::is_text_of_all;
pub use ranges::Ranges;
pub use windows::Windows;
