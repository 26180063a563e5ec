//! Values: what the bytes of a process mean, given a type and a place. A value is a tree
//! of plain DWARF structure, with a more readable form beside it.

mod absent_parts;
mod bits;
mod budget;
mod character;
mod decimal;
mod decode;
mod element_name;
mod extent;
mod fixed;
mod float;
mod format;
mod fortran_string;
#[cfg(test)]
mod fortran_tests;
mod integer;
mod located;
mod members;
mod model;
mod object;
mod open_array;
pub mod readable;
#[cfg(test)]
mod test_stage;
mod text;
mod tree;

pub use budget::Budget;
pub use format::{Typed, ValueFormat};
pub use model::{Float, FloatFormat, Scalar, State, Text, TextOrigin, Value};
pub use object::{Absence, Contents, Object, ObjectPart, PartSource, Scene, Surroundings, TypeRef};
pub use text::{string_at, utf8_text};
pub use tree::{tree, tree_as};
