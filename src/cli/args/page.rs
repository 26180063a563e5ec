//! How a page for a person is laid out, and what of a crash it shows.

use clap::Args;

/// The width of a page.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Width {
    /// Columns of the page [default: the terminal's, or 100]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..),
        hide_short_help = true)]
    pub(crate) width: Option<u16>,
}

/// What of a crash its page shows.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to show")]
pub(crate) struct PageContent {
    /// Every thread's stack in full; identical stacks are shown once
    #[arg(short, long, help_heading = "Output")]
    pub(crate) all_threads: bool,
    /// A few lines: what crashed, why, the frame to look at, the id of the crash
    #[arg(long, conflicts_with = "verbose", hide_short_help = true)]
    pub(crate) summary: bool,
    /// This thread's stack instead of the crashed thread's
    #[arg(long, value_name = "TID", hide_short_help = true)]
    pub(crate) thread: Option<i64>,
    /// Linker names of functions, as `nm` prints them
    #[arg(short, long, hide_short_help = true)]
    pub(crate) raw: bool,
}
