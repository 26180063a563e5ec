//! Requests to a server, tried again where that may help.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::http::{Request, Response};
use ureq::{Agent, Body, SendBody};

use super::credentials::Credentials;
use super::{listing, sign, time};
use crate::ObjectError;

/// How often a request is made.
pub(super) const ATTEMPTS: u32 = 5;
/// After the first attempt; doubled after each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How long the server may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long all of a request may take: 5 GiB at 1.5 MB a second.
const LONGEST: Duration = Duration::from_secs(3600);
/// Bytes of an answer that is no object.
const MOST_OF_AN_ANSWER: u64 = 8 << 20;
/// The SHA-256 of nothing.
pub(super) const NO_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A server.
pub(super) struct Client {
    agent: Agent,
    who: Credentials,
    /// `https` or `http`.
    scheme: &'static str,
    /// With its port, if that is not the usual one.
    host: String,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    /// Encoded.
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// The SHA-256 of the body.
    pub(super) digest: &'a str,
}

/// What came of an attempt.
pub(super) enum Failure {
    /// The server would say the same again.
    Final(ObjectError),
    /// Another attempt may do better.
    Passing(String),
}

/// The body of a request.
pub(super) struct Upload<'f> {
    pub(super) file: &'f mut File,
    pub(super) size: u64,
}

impl Client {
    pub(super) fn new(who: Credentials, scheme: &'static str, host: String) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A signature is for one host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("obit/", env!("CARGO_PKG_VERSION")))
            // What is stored compressed stays so.
            .accept_encoding("identity")
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .timeout_per_write(Some(PATIENCE))
            .timeout_global(Some(LONGEST))
            .build()
            .new_agent();
        Self { agent, who, scheme, host }
    }

    /// Does `attempt` until it succeeds, fails for good, or has failed too often.
    pub(super) fn repeat<T>(
        attempt: &mut dyn FnMut() -> Result<T, Failure>,
    ) -> Result<T, ObjectError> {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match attempt() {
                Ok(done) => return Ok(done),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(why)) if attempts >= ATTEMPTS => {
                    return Err(ObjectError::Unreachable { attempts, why });
                }
                Err(Failure::Passing(_)) => thread::sleep(pause),
            }
            pause *= 2;
        }
    }

    /// One request. Answers other than 200 to 299 and 404 are failures.
    pub(super) fn once(
        &self,
        ask: Ask<'_>,
        upload: Option<&mut Upload<'_>>,
    ) -> Result<Response<Body>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let stamp = time::stamp(now.as_secs());
        let mut headers = BTreeMap::from([
            ("host", self.host.as_str()),
            ("x-amz-content-sha256", ask.digest),
            ("x-amz-date", stamp.as_str()),
        ]);
        headers.extend(self.who.token.as_deref().map(|token| ("x-amz-security-token", token)));
        let Ask { method, path, query, digest } = ask;
        let signed = sign::Request { method, path, query, headers: headers.clone(), body: digest };
        let authorization = sign::authorization(&signed, &self.who, &stamp);
        let query = sign::query(query);
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}://{}{path}{mark}{query}", self.scheme, self.host);
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers.iter().filter(|(name, _)| **name != "host") {
            request = request.header(*name, *value);
        }
        let request = request.header("authorization", authorization);
        let refused = |_| Failure::Final(ObjectError::Answer("the request cannot be written"));
        let answer = match upload {
            Some(upload) => {
                let request = request.header("content-length", upload.size);
                let start = upload.file.seek(SeekFrom::Start(0));
                start.map_err(|source| Failure::Final(ObjectError::Source { source }))?;
                let mut body = Read::take(&mut *upload.file, upload.size);
                let request = request.body(SendBody::from_reader(&mut body)).map_err(refused)?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).map_err(refused)?),
        };
        let answer = answer.map_err(|error| Failure::Passing(error.to_string()))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 | 404 => Ok(answer),
            408 | 425 | 429 | 500..=599 => {
                Err(Failure::Passing(format!("the server answered with status {status}")))
            }
            _ => {
                let code = listing::code(&text(answer)?);
                Err(Failure::Final(ObjectError::Refused { status, code }))
            }
        }
    }
}

/// The text of an answer that is no object.
pub(super) fn text(answer: Response<Body>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let reader = answer.into_body().into_reader();
    reader
        .take(MOST_OF_AN_ANSWER + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Passing(error.to_string()))?;
    if bytes.len() as u64 > MOST_OF_AN_ANSWER {
        return Err(Failure::Final(ObjectError::Answer("it is longer than 8 MiB")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
