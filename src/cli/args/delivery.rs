//! Who gets what obit has to say, by mail or by HTTP.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use obit::delivery::ProgramSettings;
use obit::watch::Delivery;

use super::choices::{Choice, one_of};
use crate::cli::failure::Failure;
use crate::cli::program::runnable;
use crate::cli::rules::unreadable;

/// Bytes of a secret, at least and at most.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: u64 = 1 << 12;

/// What a webhook gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Slack,
}

const FORMS: &[Choice<Form>] = &[
    ("json", "The document, for programs", Form::Json),
    ("slack", "A message, as incoming webhooks of Slack take it", Form::Slack),
];

/// By mail or by HTTP.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeliveryArgs {
    /// Post it as JSON to this URL
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// What is posted [default: json]
    #[arg(long, value_name = "FORM", value_parser = one_of(FORMS), requires = "webhook",
        default_value = "json", hide_default_value = true, hide_short_help = true)]
    webhook_form: Form,
    /// Sign what is posted with the secret in this file (HMAC-SHA-256)
    #[arg(long, value_name = "FILE", requires = "webhook", hide_short_help = true)]
    webhook_secret: Option<PathBuf>,
    /// Mail to this address
    #[arg(long, value_name = "ADDR", value_parser = address)]
    mail: Option<String>,
    /// The program that takes mails (with -t -i) [default: /usr/sbin/sendmail]
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "/usr/sbin/sendmail",
        hide_default_value = true,
        hide_short_help = true
    )]
    sendmail: PathBuf,
}

impl DeliveryArgs {
    /// The ways that are asked for; a program may take `timeout`.
    pub(crate) fn ways(&self, timeout: Duration) -> Result<Vec<Delivery>, Failure> {
        let mut ways = Vec::new();
        if let Some(url) = &self.webhook {
            ways.push(webhook(url, self.webhook_form, self.webhook_secret.as_deref())?);
        }
        if let Some(address) = &self.mail {
            let program = runnable(&self.sendmail)?;
            let sendmail = ProgramSettings { program, timeout };
            ways.push(Delivery::Mail { address: address.clone(), sendmail });
        }
        Ok(ways)
    }
}

#[cfg(feature = "webhook")]
fn webhook(url: &str, form: Form, secret: Option<&Path>) -> Result<Delivery, Failure> {
    let secret = secret.map(read_secret).transpose()?;
    let webhook = obit::watch::Webhook::new(url, secret);
    let way = match form {
        Form::Json => Delivery::Webhook,
        Form::Slack => Delivery::Chat,
    };
    webhook.map(way).map_err(|error| Failure::usage(&format!("--webhook: {error}")))
}

#[cfg(not(feature = "webhook"))]
fn webhook(_: &str, _: Form, secret: Option<&Path>) -> Result<Delivery, Failure> {
    secret.map(read_secret).transpose()?;
    Err(Failure::usage(&"--webhook: this obit was built without the feature `webhook`"))
}

/// A secret that signs: long enough that it cannot be guessed.
pub(crate) fn read_secret(path: &Path) -> Result<Vec<u8>, Failure> {
    let secret = read_private(path)?;
    if secret.len() < SHORTEST_SECRET {
        let path = path.display();
        let problem = format!("the secret in {path} is shorter than {SHORTEST_SECRET} bytes");
        return Err(Failure::usage(&problem));
    }
    Ok(secret)
}

/// What a file holds that not everybody may read, without the line break at its end that
/// editors add.
pub(crate) fn read_private(path: &Path) -> Result<Vec<u8>, Failure> {
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
    Ok(secret)
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
        assert_eq!(read_private(&path).unwrap(), b"short");
    }
}
