//! One crash as one page for a browser: a file that needs no other and asks nobody.
//!
//! The [`page`] is the frame that pages share, [`crash`] puts this one together, each
//! other module is one part of it. Text of the report passes [`escape`], and what a part
//! may cost is a [`room::Room`]: a page stays readable whatever the report holds.

mod assets;
mod cause;
mod commands;
mod crash;
mod editor;
mod escape;
mod instructions;
mod lock_graph;
mod memory_map;
mod modules;
mod notices;
mod page;
mod registers;
mod room;
mod source;
mod stack_use;
mod threads;
mod variables;

use std::io;

use crate::report::Report;

/// Writes the page of one crash.
///
/// # Errors
/// Those of `out`.
pub fn write_html(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    out.write_all(crash::crash(report).into_string().as_bytes())
}

#[cfg(test)]
mod tests;
