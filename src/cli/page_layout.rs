//! How a page is laid out: how wide, in which colours, with how much detail.

use std::io;

use obit::render::{Color, DEFAULT_WIDTH, Detail, Names, PageOptions};

use super::args::content::{ReadLimits, Registers};
use super::args::general::{ColorChoice, General};
use super::args::page::{PageContent, Width};
use super::destination::Destination;

/// Narrower pages are not laid out, however small the window.
const NARROWEST: usize = 40;

/// How to lay out any page for `destination`.
pub(crate) fn page_options(
    general: &General,
    width: &Width,
    destination: &Destination,
) -> PageOptions {
    let columns = width.width.map(usize::from).or_else(|| columns(destination));
    PageOptions {
        width: columns.unwrap_or(DEFAULT_WIDTH),
        shorten_tables: columns.is_some(),
        color: color(general.color, destination),
        detail: match (general.quiet, general.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        },
        ..PageOptions::default()
    }
}

/// The page of a crash, with what `content` asks for.
pub(crate) fn crash_page(
    page: PageOptions,
    content: &PageContent,
    registers: &Registers,
    limits: Option<&ReadLimits>,
) -> PageOptions {
    PageOptions {
        whole_stacks: limits.is_some_and(|limits| limits.frames.is_some()),
        all_threads: content.all_threads,
        thread: content.thread,
        registers: registers.registers,
        names: if content.raw { Names::Raw } else { Names::Demangled },
        ..page
    }
}

fn color(choice: ColorChoice, destination: &Destination) -> Color {
    let is_colored = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // Knows NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM=dumb and what a terminal is.
        ColorChoice::Auto => {
            destination.is_standard_output()
                && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    };
    if is_colored { Color::Always } else { Color::Never }
}

/// As the user or the terminal says; `None` if neither does.
fn columns(destination: &Destination) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || {
        let is_terminal = destination.is_standard_output();
        let size = if is_terminal { terminal_size::terminal_size_of(io::stdout()) } else { None };
        size.map(|(columns, _)| usize::from(columns.0))
    };
    let columns = said.filter(|columns| *columns > 0).or_else(measured);
    columns.map(|columns| columns.max(NARROWEST))
}
