//! `obit diff`: two sets of crashes compared.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::Output;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::period::Period;
use crate::cli::comparison::{Comparison, Side};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Which two, and how cores are read.
#[derive(Clone, Debug, Args)]
pub(crate) struct DiffArgs {
    /// What to compare with: a directory of cores, a core, or a store
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// What to compare: also a directory, a core or a store
    #[arg(value_name = "CURRENT")]
    current: PathBuf,
    #[command(flatten)]
    period: Period,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    width: Width,
    #[command(flatten)]
    fail_on: FailOn,
}

pub(crate) fn run(args: &DiffArgs, general: &General) -> Result<Exit, Failure> {
    let comparison =
        Comparison::new(&args.output, &args.width, &args.period, &args.fail_on, general)?;
    let side = |path| Side::read(path, &args.batch, args.output.format(), general);
    let (old, new) = (side(&args.baseline)?, side(&args.current)?);
    comparison.write(&old, &new)
}
