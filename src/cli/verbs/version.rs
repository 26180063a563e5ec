//! `obit version`: what `obit --version` prints.

use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

pub(crate) fn run() -> Result<Exit, Failure> {
    let standard_output = Destination::new(None, None)?;
    standard_output.write(|out| writeln!(out, "obit {}", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Success)
}
