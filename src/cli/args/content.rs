//! What is read of a core and put into the report.

use clap::Args;
use obit::report::{BuildOptions, Context, Flavor, TailCalls, WhichRegisters, WhoseLocals};

use super::choices::{FLAVORS, LOCALS, TAIL_CALLS, one_of};

/// How much is read, at most.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to show")]
pub(crate) struct ReadLimits {
    /// Innermost frames of a deep stack; 0 is all [default: 300]
    ///
    /// The outermost 20 are also kept. Without this option a page shows as many frames as
    /// fit on a screen.
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) frames: Option<usize>,
    /// Levels of members, elements and pointees of one variable [default: 6]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) max_depth: Option<usize>,
    /// Elements of one array or container [default: 64]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) max_elements: Option<usize>,
}

/// Whose variables are read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to show")]
pub(crate) struct Locals {
    /// Whose local variables to read
    #[arg(
        long,
        value_parser = one_of(LOCALS),
        default_value = "crashed",
        value_name = "WHOSE",
        hide_short_help = true
    )]
    pub(crate) locals: WhoseLocals,
}

/// Whose registers are shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to show")]
pub(crate) struct Registers {
    /// Registers of each thread that is shown in full; in JSON, of every thread
    #[arg(long, hide_short_help = true)]
    pub(crate) registers: bool,
}

impl Registers {
    pub(crate) fn apply(&self, build: &mut BuildOptions) {
        if self.registers {
            build.registers = WhichRegisters::All;
        }
    }
}

/// Source and code of frames.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to show")]
pub(crate) struct Code {
    /// Lines of source, or instructions, around the crash [default: 2; 8 on an HTML page]
    #[arg(short = 'C', long, value_name = "N", hide_short_help = true)]
    context: Option<u32>,
    /// Show neither source lines nor instructions, and look for no source files
    #[arg(long, hide_short_help = true)]
    no_source: bool,
    /// Syntax of x86 instructions, which are shown where there is no source
    #[arg(
        long,
        value_parser = one_of(FLAVORS),
        default_value = "att",
        value_name = "SYNTAX",
        hide_short_help = true
    )]
    disassembly_flavor: Flavor,
    /// Where JSON lists inferred tail calls [if given without a value: frames]
    #[arg(
        long,
        value_parser = one_of(TAIL_CALLS),
        num_args = 0..=1,
        require_equals = true,
        default_value = "nested",
        default_missing_value = "frames",
        value_name = "WHERE",
        hide_short_help = true
    )]
    tail_calls: TailCalls,
}

impl Code {
    pub(crate) fn apply(&self, build: &mut BuildOptions) {
        match self.context {
            _ if self.no_source => build.context = Context::Nothing,
            Some(lines) => build.context = Context::Lines(lines),
            None => {}
        }
        build.flavor = self.disassembly_flavor;
        build.tail_calls = self.tail_calls;
    }
}
