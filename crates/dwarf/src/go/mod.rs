//! Go's own table of functions (`.gopclntab`), which every Go program carries for its stack
//! traces: names, files, lines, inlined calls and frame sizes, with `-ldflags=-w -s`, too.
//!
//! Formats: cmd/link/internal/ld/pcln.go, runtime/symtab.go and debug/gosym/pclntab.go of Go.

mod frames;
mod functions;
mod header;
mod image_words;
mod inlined;
mod pc_values;
#[cfg(test)]
mod tests;

pub(crate) use functions::GoFunctions;
