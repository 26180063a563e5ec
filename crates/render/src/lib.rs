//! Outlets: the document laid out for people. What is not in the
//! [`Report`](obit_report::Report) does not exist here.
//!
//! Not for: JSON for programs to read back (`obit_report::json`), and deciding what may be
//! shown: a report is redacted already.
//!
//! ```
//! use obit_render::{PageOptions, write_page};
//! use obit_report::{Report, SignalReport};
//!
//! let signal = SignalReport { name: "SIGSEGV".to_owned(), ..SignalReport::default() };
//! let report = Report { signal: Some(signal), ..Report::default() };
//! let mut page = Vec::new();
//! write_page(&mut page, &report, &PageOptions::default())?;
//! assert!(String::from_utf8(page)?.contains("SIGSEGV"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | question | where |
//! |---|---|
//! | a crash for a terminal | [`write_page`], [`PageOptions`] |
//! | a crash or many for a browser | [`write_html`], [`write_triage_html`] |
//! | the list of groups for a terminal | [`write_groups`] |
//! | formats for other programs, by name | [`FORMATS`], [`Format`] |
//! | documents for other services | [`Export`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod chain;
mod export;
mod fold;
pub mod formats;
mod heap;
mod html;
mod identity;
mod layout;
mod log_commands;
mod markdown;
mod name;
mod style;
mod summary;
mod terminal;
mod visible;

pub use export::{Export, Exported, Tracker, Wanted};
pub use formats::{FORMATS, Format};
pub use html::served;
pub use html::{
    Beside, DUMPS_FILE, DumpsPage, Remembered, crash_file, dumps_page, write_html,
    write_html_of_group, write_triage_html,
};
pub use log_commands::{Inert, inert};
pub use markdown::digest::DIGEST_ROWS;
pub use terminal::groups::write_groups;
pub use terminal::heap::write_heap;
pub use terminal::page::write_page;
pub use terminal::printed::write_printed;
pub use terminal::prompt;
pub use terminal::tasks::write_tasks;
pub use visible::visible;

/// How a page is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// Columns. What cannot be shortened may be wider.
    pub width: usize,
    /// Whether a table may be shortened to `width`. Where no one said how wide, another
    /// program may read it: paths and build IDs stay whole.
    pub shorten_tables: bool,
    /// Whether to write colours. Without them the page says the same.
    pub color: Color,
    /// How much to say.
    pub detail: Detail,
    /// Every thread's stack in full, rather than groups of threads in one line each.
    pub all_threads: bool,
    /// This thread's stack in full instead of the crashed one's.
    pub thread: Option<i64>,
    /// All frames that the report holds, rather than what fits a screen.
    pub whole_stacks: bool,
    /// Registers of each thread that is shown in full.
    pub registers: bool,
    /// Which names to show.
    pub names: Names,
}

/// Whether to write colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    #[default]
    Never,
    /// ANSI escapes.
    Always,
}

/// How much to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The crash alone.
    Quiet,
    /// What fits a screen.
    #[default]
    Normal,
    /// Whole names, paths, addresses and lists.
    Verbose,
}

/// Which names of functions to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// For people.
    #[default]
    Demangled,
    /// The linker's.
    Raw,
}

/// Columns of a page that is not shown on a terminal.
pub const DEFAULT_WIDTH: usize = 100;

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            width: DEFAULT_WIDTH,
            shorten_tables: true,
            whole_stacks: false,
            color: Color::default(),
            detail: Detail::default(),
            all_threads: false,
            thread: None,
            registers: false,
            names: Names::default(),
        }
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
