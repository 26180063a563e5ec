//! Who is notified, and of what.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use obit::delivery::ProgramSettings;
use obit::watch::{Delivery, On};

use crate::cli::args::delivery::DeliveryArgs;
use crate::cli::args::quantities::seconds;
use crate::cli::args::store::length;
use crate::cli::failure::Failure;
use crate::cli::program::runnable;

/// The options of notifications.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Notifications")]
pub(super) struct NotifyArgs {
    /// Notify of crashes whose group then has one of these statuses (new, regressed, increasing,
    /// …), or of any [default: new,regressed,increasing]
    #[arg(
        long,
        value_name = "STATUS,…",
        value_delimiter = ',',
        default_value = "new,regressed,increasing",
        hide_default_value = true
    )]
    pub(super) on: Vec<On>,
    /// Run this program, without a shell, with the event as JSON on its standard input
    #[arg(long, value_name = "PROGRAM")]
    exec: Option<PathBuf>,
    /// Seconds that the program may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds,
        hide_short_help = true)]
    exec_timeout: Duration,
    #[command(flatten)]
    delivery: DeliveryArgs,
    /// No second notification of a group with the same status for so long; 0 for one each
    #[arg(long, value_name = "LENGTH", default_value = "1h", value_parser = quiet,
        hide_short_help = true)]
    quiet_for: i64,
}

impl NotifyArgs {
    pub(super) fn quiet_for(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.quiet_for).unwrap_or(0))
    }

    /// The ways of delivery that are asked for.
    pub(super) fn ways(&self) -> Result<Vec<Delivery>, Failure> {
        let mut ways = Vec::new();
        if let Some(program) = &self.exec {
            let program = runnable(program)?;
            ways.push(Delivery::Exec(ProgramSettings { program, timeout: self.exec_timeout }));
        }
        ways.extend(self.delivery.ways(self.exec_timeout)?);
        Ok(ways)
    }
}

/// A length of time, or 0.
fn quiet(text: &str) -> Result<i64, String> {
    if text == "0" { Ok(0) } else { length(text) }
}
