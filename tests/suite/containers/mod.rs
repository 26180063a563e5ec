//! The catalogue of docs/containers.md: what obit says of each container of a library, in
//! a core of a program that held one of each.

mod readable;

mod cpp;
mod go;
mod hostile;
mod own;
mod rust;
