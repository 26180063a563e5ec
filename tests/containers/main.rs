//! The catalogue of docs/containers.md: what obit says of each container of a library, in
//! a core of a program that held one of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unreachable_pub)]

mod readable;

mod cpp;
mod go;
mod hostile;
mod own;
mod rust;
