//! Where documents are sent, and with what.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use clap::Args;
use obit::render::{Export, Exported};

use crate::cli::args::delivery::read_private;
use crate::cli::failure::Failure;

/// Where documents are sent.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Sending")]
pub(super) struct SendArgs {
    /// Post each document there: a URL, for sentry a DSN; @FILE reads it from a file, env from
    /// OTEL_EXPORTER_OTLP_ENDPOINT or SENTRY_DSN
    #[arg(long, value_name = "URL|@FILE|env")]
    send: Option<String>,
    /// A header of the request, as `NAME: VALUE`; @FILE reads it from a file (repeatable). With
    /// `--send env`, those of OTEL_EXPORTER_OTLP_HEADERS are sent, too
    #[arg(long, value_name = "HEADER|@FILE", requires = "send")]
    header: Vec<String>,
}

/// Headers that say how a request is sent, not what it is.
const OF_THE_CONNECTION: [&str; 6] =
    ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE"];

impl SendArgs {
    /// The server, if documents are to be sent.
    pub(super) fn server(&self, export: Export) -> Result<Option<Target>, Failure> {
        let Some(send) = &self.send else { return Ok(None) };
        if matches!(export, Export::Issue(_)) {
            let problem = "--send: issues are not sent by obit; a program of --exec gets the \
                           request";
            return Err(Failure::usage(&problem));
        }
        let is_of_environment = send == "env";
        let (text, is_whole) = match send.strip_prefix('@') {
            Some(file) => (from_file(Path::new(file))?, false),
            None if is_of_environment => from_environment(export)?,
            None => (send.clone(), false),
        };
        let mut headers = Vec::new();
        for header in &self.header {
            let text = match header.strip_prefix('@') {
                Some(file) => from_file(Path::new(file))?,
                None => header.clone(),
            };
            let header = text.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
            let header = header.filter(|(name, value)| is_header(name, value));
            let (name, value) = header.ok_or_else(|| {
                Failure::usage(
                    &"--header: expected `NAME: VALUE` in one line (not shown here, as \
                                 it may be a secret)",
                )
            })?;
            if OF_THE_CONNECTION.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                let problem = format!("--header: {name} is set by obit for each request");
                return Err(Failure::usage(&problem));
            }
            headers.push((name.to_owned(), value.to_owned()));
        }
        let url = match export {
            Export::Otlp => {
                // They are for the collector of the environment, and may be its password.
                if is_of_environment {
                    let others = otlp_headers()?.into_iter().filter(|(name, _)| {
                        !headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
                    });
                    let others: Vec<_> = others.collect();
                    headers.extend(others);
                }
                if is_whole { text } else { logs_address(&text) }
            }
            Export::Sentry => {
                let (url, key) = of_dsn(&text).ok_or_else(|| {
                    Failure::usage(&"--send: not a DSN of Sentry (https://KEY@HOST/PROJECT)")
                })?;
                let client = concat!("obit/", env!("CARGO_PKG_VERSION"));
                let value =
                    format!("Sentry sentry_version=7, sentry_client={client}, sentry_key={key}");
                headers.push(("X-Sentry-Auth".to_owned(), value));
                url
            }
            Export::CloudEvents | Export::Issue(_) => text,
        };
        Target::new(&url, headers, export).map(Some)
    }
}

/// A server, with what it gets beside each document.
pub(super) struct Target {
    #[cfg(feature = "webhook")]
    server: obit::delivery::Server,
    #[cfg(feature = "webhook")]
    headers: Vec<(String, String)>,
    #[cfg(feature = "webhook")]
    export: Export,
}

#[cfg(feature = "webhook")]
impl Target {
    /// Attempts to deliver one document.
    const ATTEMPTS: u32 = 5;

    fn new(url: &str, headers: Vec<(String, String)>, export: Export) -> Result<Self, Failure> {
        let server = obit::delivery::Server::new(url, Self::ATTEMPTS);
        let server = server.map_err(|error| {
            let advice = match error {
                obit::delivery::HttpError::User => {
                    ": use --header @FILE with a line `Authorization: Basic …`"
                }
                _ => "",
            };
            Failure::usage(&format!("--send: {error}{advice}"))
        })?;
        Ok(Self { server, headers, export })
    }

    /// Sends a document; else why that failed, in words without the address.
    pub(super) fn send(&self, document: &Exported, closing: &AtomicBool) -> Result<(), String> {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut headers: Vec<_> = own.collect();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Type")) {
            headers.push(("Content-Type", document.media_type));
        }
        let answer = self.server.post(&headers, &document.content, closing);
        let answer = answer.map_err(|error| error.to_string())?;
        match self.export {
            Export::Otlp => rejected(&answer).map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }
}

#[cfg(not(feature = "webhook"))]
impl Target {
    fn new(_: &str, _: Vec<(String, String)>, _: Export) -> Result<Self, Failure> {
        Err(Failure::usage(&"--send: this obit was built without the feature `webhook`"))
    }

    pub(super) fn send(&self, _: &Exported, _: &AtomicBool) -> Result<(), String> {
        Ok(())
    }
}

/// What a collector did not take though it answered with 200 (OTLP, "Partial Success").
#[cfg(feature = "webhook")]
fn rejected(answer: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    let rejected = partial.get("rejectedLogRecords")?;
    let is_some = match rejected {
        serde_json::Value::String(text) => text != "0",
        number => number.as_u64() != Some(0),
    };
    is_some.then(|| "the collector rejected the record".to_owned())
}

/// One line of a file that not everybody may read.
fn from_file(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(read_private(path)?).ok().filter(|text| !text.contains('\n'));
    text.ok_or_else(|| Failure::usage(&format!("{}: expected one line of text", path.display())))
}

/// The address of logs alone, which is used as it is.
const LOGS: &str = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";

/// An address of the environment, and whether nothing is added to it (OpenTelemetry protocol
/// exporter, "Endpoint URLs for OTLP/HTTP").
fn from_environment(export: Export) -> Result<(String, bool), Failure> {
    let names: &[&str] = match export {
        Export::Otlp => &[LOGS, "OTEL_EXPORTER_OTLP_ENDPOINT"],
        Export::Sentry => &["SENTRY_DSN"],
        Export::CloudEvents | Export::Issue(_) => &["K_SINK"],
    };
    let set = |name: &&str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let found = names.iter().find_map(|name| Some((set(name)?, *name == LOGS)));
    found.ok_or_else(|| Failure::usage(&format!("--send env: {} is not set", names.join(" or "))))
}

/// `NAME=VALUE,…` with values as in URLs (OpenTelemetry, "Specifying headers").
fn otlp_headers() -> Result<Vec<(String, String)>, Failure> {
    const NAMES: [&str; 2] = ["OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    let found = NAMES.iter().find_map(|name| Some((name, std::env::var(name).ok()?)));
    let Some((name, text)) = found else { return Ok(Vec::new()) };
    let mut headers = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let header = part.split_once('=').map(|(name, value)| (name.trim(), plain(value.trim())));
        match header.filter(|(name, value)| is_header(name, value)) {
            Some((name, value)) => headers.push((name.to_owned(), value)),
            None => {
                let problem = format!("{name}: expected NAME=VALUE,NAME=VALUE");
                return Err(Failure::usage(&problem));
            }
        }
    }
    Ok(headers)
}

/// A value of which some bytes are written as `%20`.
fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%');
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a request can have it: no line break begins another header.
fn is_header(name: &str, value: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.chars().all(is_name)
        && value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// The address of logs: a collector's has the path added to it, before a query.
fn logs_address(text: &str) -> String {
    const PATH: &str = "/v1/logs";
    let (place, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    match place.trim_end_matches('/') {
        place if place.ends_with(PATH) => format!("{place}{query}"),
        place => format!("{place}{PATH}{query}"),
    }
}

/// The address of envelopes, and the public key, of `https://KEY@HOST/PATH/PROJECT`.
fn of_dsn(dsn: &str) -> Option<(String, String)> {
    let (scheme, rest) = dsn.trim().split_once("://")?;
    let (keys, rest) = rest.split_once('@')?;
    let key = keys.split(':').next()?;
    let (place, project) = rest.trim_end_matches('/').rsplit_once('/')?;
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_whole = is_plain(key) && is_plain(project) && !place.is_empty();
    let (host, path) = place.split_once('/').map_or((place, ""), |(host, path)| (host, path));
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    is_whole.then(|| (format!("{scheme}://{host}{path}/api/{project}/envelope/"), key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_has_the_address_of_envelopes_and_the_key() {
        let of = |dsn| of_dsn(dsn).unwrap();
        assert_eq!(
            of("https://abc123@o1.ingest.sentry.io/42"),
            ("https://o1.ingest.sentry.io/api/42/envelope/".to_owned(), "abc123".to_owned())
        );
        assert_eq!(
            of("http://abc:secret@127.0.0.1:9000/deep/er/7/").0,
            "http://127.0.0.1:9000/deep/er/api/7/envelope/"
        );
        for dsn in ["", "https://o1.ingest.sentry.io/42", "https://@h/1", "https://k@h", "k@h/1"] {
            assert!(of_dsn(dsn).is_none(), "{dsn}");
        }
    }

    #[test]
    fn a_header_is_one_line_and_values_of_the_environment_are_decoded() {
        assert!(is_header("Authorization", "Bearer x"));
        for (name, value) in [("", "x"), ("A b", "x"), ("A", "x\r\nB: y"), ("A\n", "x")] {
            assert!(!is_header(name, value), "{name:?}");
        }
        assert_eq!(plain("Bearer%20a%2Cb%"), "Bearer a,b%");
    }

    #[test]
    fn a_collector_gets_logs_at_their_path() {
        assert_eq!(logs_address("http://h:4318"), "http://h:4318/v1/logs");
        assert_eq!(logs_address("http://h:4318/v1/logs/"), "http://h:4318/v1/logs");
        assert_eq!(logs_address("http://h/otel?key=a/b"), "http://h/otel/v1/logs?key=a/b");
        assert_eq!(logs_address("http://h/v1/logs?key=a"), "http://h/v1/logs?key=a");
    }

    #[cfg(feature = "webhook")]
    #[test]
    fn a_partial_success_is_none() {
        assert!(rejected(b"{}").is_none() && rejected(b"").is_none());
        assert!(rejected(br#"{"partialSuccess":{"rejectedLogRecords":"0"}}"#).is_none());
        assert!(rejected(br#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#).is_some());
        assert!(rejected(br#"{"partialSuccess":{"rejectedLogRecords":1}}"#).is_some());
    }
}
