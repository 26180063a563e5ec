//! Who is notified, and of what.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use obit::delivery::ProgramSettings;
use obit::watch::{Delivery, On};

use crate::cli::args::delivery::{DeliveryArgs, runnable};
use crate::cli::args::quantities::seconds;
use crate::cli::args::store::length;
use crate::cli::failure::Failure;
use crate::cli::program::runnable;
use crate::cli::rules::unreadable;

/// Bytes of a secret, at least and at most.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: u64 = 1 << 12;

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

#[cfg(feature = "webhook")]
fn webhook(url: &str, secret: Option<&Path>) -> Result<Delivery, Failure> {
    let secret = secret.map(read_secret).transpose()?;
    let webhook = obit::watch::Webhook::new(url, secret);
    webhook.map(Delivery::Webhook).map_err(|error| Failure::usage(&format!("--webhook: {error}")))
}

#[cfg(not(feature = "webhook"))]
fn webhook(_: &str, secret: Option<&Path>) -> Result<Delivery, Failure> {
    secret.map(read_secret).transpose()?;
    Err(Failure::usage(&"--webhook: this obit was built without the feature `webhook`"))
}

/// A secret, without the line break at its end that editors add.
pub(in crate::cli) fn read_secret(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mode = file.metadata().map_err(|error| unreadable(path, &error))?.mode();
    if mode & 0o007 != 0 {
        let problem =
            format!("everybody may read the secret in {0}; chmod 600 {0}", path.display());
        return Err(Failure::usage(&problem));
    }
    let mut secret = Vec::new();
    let read = file.take(LONGEST_SECRET).read_to_end(&mut secret);
    read.map_err(|error| unreadable(path, &error))?;
    while secret.pop_if(|byte| matches!(byte, b'\n' | b'\r')).is_some() {}
    if secret.len() < SHORTEST_SECRET {
        let path = path.display();
        let problem = format!("the secret in {path} is shorter than {SHORTEST_SECRET} bytes");
        return Err(Failure::usage(&problem));
    }
    Ok(secret)
}

/// A length of time, or 0.
fn quiet(text: &str) -> Result<i64, String> {
    if text == "0" { Ok(0) } else { length(text) }
}

/// An address that is one line of a header, and no option of a program.
fn address(text: &str) -> Result<String, String> {
    let is_address = !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ',' | ';' | '<' | '>' | '"'));
    match is_address {
        true => Ok(text.to_owned()),
        false => Err("expected an address, such as ops@example.org".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_address_is_one_and_begins_no_header() {
        assert_eq!(address("ops@example.org").as_deref(), Ok("ops@example.org"));
        assert_eq!(address("root").as_deref(), Ok("root"));
        for text in ["", "-oQ/tmp", "a\nBcc: b", "a, b", "a b", "A <a@b>"] {
            assert!(address(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_secret_that_everybody_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_secret(&path).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_secret(&path).unwrap(), b"0123456789abcdef");
        std::fs::write(&path, "short\n").unwrap();
        assert!(read_secret(&path).is_err());
    }
}
