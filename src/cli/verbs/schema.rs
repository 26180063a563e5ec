//! `obit schema`: what programs read, described.

use clap::Args;

use crate::cli::args::OutputFile;
use crate::cli::args::choices::{DOCUMENTS, one_of};
use crate::cli::args::general::General;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;

/// Which schema.
#[derive(Clone, Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The document to describe
    #[arg(long, value_parser = one_of(DOCUMENTS), default_value = "report",
        value_name = "DOCUMENT")]
    of: &'static str,
    #[command(flatten)]
    file: OutputFile,
}

pub(crate) fn run(args: &SchemaArgs, general: &General) -> Result<Exit, Failure> {
    let destination = Destination::of(&args.file, TERMINAL, general, None)?;
    destination.write(|out| out.write_all(args.of.as_bytes()))?;
    Ok(Exit::Success)
}
