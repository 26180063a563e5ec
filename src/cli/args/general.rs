//! Options that every verb has.

use clap::{Args, ValueEnum};

/// Colours, pager, and how much is said.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct General {
    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        global = true,
        hide_short_help = true
    )]
    pub(crate) color: ColorChoice,
    /// Never start a pager [default: OBIT_PAGER, PAGER or less for output longer than
    /// the terminal]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_pager: bool,
    /// Show more: whole names, paths and lists, addresses, registers
    #[arg(short, long, conflicts_with = "quiet", global = true)]
    pub(crate) verbose: bool,
    /// Show less: only the crash, no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// When output has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal
    #[default]
    Auto,
    /// In files and pipes, too
    Always,
    /// Never
    Never,
}
