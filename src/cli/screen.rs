//! What the terminal is like: how wide, and whether colours are welcome.

use std::io;

use obit::render::{Color, DEFAULT_WIDTH, Detail, Names, PageOptions};

use super::args::{ColorChoice, Options};

/// Narrower pages are not laid out, however small the window.
const NARROWEST: usize = 40;

/// How to lay out a page for `destination`.
pub(crate) fn page_options(options: &Options, destination: Destination) -> PageOptions {
    let (output, content) = (&options.output, &options.content);
    let columns = output.width.map(usize::from).or_else(|| columns(destination));
    PageOptions {
        width: columns.unwrap_or(DEFAULT_WIDTH),
        shorten_tables: columns.is_some(),
        whole_stacks: content.frames.is_some(),
        color: color(output.color, destination),
        detail: match (output.quiet, output.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        },
        all_threads: content.all_threads,
        thread: content.thread,
        registers: content.registers,
        names: if content.raw { Names::Raw } else { Names::Demangled },
    }
}

/// Where the page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    StandardOutput,
    File,
}

fn color(choice: ColorChoice, destination: Destination) -> Color {
    let wanted = match (choice, destination) {
        (ColorChoice::Always, _) => true,
        (ColorChoice::Never, _) | (ColorChoice::Auto, Destination::File) => false,
        // Knows NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM=dumb and what a terminal is.
        (ColorChoice::Auto, Destination::StandardOutput) => {
            anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    };
    if wanted { Color::Always } else { Color::Never }
}

/// As the user or the terminal says; `None` if neither does.
fn columns(destination: Destination) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || match destination {
        Destination::StandardOutput => terminal_size::terminal_size_of(io::stdout()),
        Destination::File => None,
    };
    let measured = || terminal().map(|(columns, _)| usize::from(columns.0));
    let columns = said.filter(|columns| *columns > 0).or_else(measured);
    columns.map(|columns| columns.max(NARROWEST))
}
