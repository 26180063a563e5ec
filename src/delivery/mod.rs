//! Ways by which something leaves obit: a server by HTTP, a program of the user.

#[cfg(feature = "webhook")]
mod http;
mod program;

#[cfg(feature = "webhook")]
pub use http::{HttpError, Server};
pub use program::{ProgramError, ProgramSettings};
