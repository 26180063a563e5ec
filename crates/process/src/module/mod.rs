//! What was loaded: executable, shared objects, vDSO; each at a load bias, each with the
//! file and the debug information that belong to it.

mod discover;
mod given;
mod image_in_core;
mod jit;
mod library;
mod link_map;
mod load;
mod loaded_module;
mod modules;
mod same_layout;
mod tls;

pub use library::Library;
pub use load::{Loaded, load};
pub use loaded_module::{FileState, Linked, Module, ModuleKind};
pub use modules::Modules;
pub use tls::thread_local_block;
