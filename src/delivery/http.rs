//! A server that gets documents by HTTP.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// After the first attempt; doubled after each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// At most, also where the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether the process ends.
const TICK: Duration = Duration::from_millis(50);
/// Bytes of an answer that are read.
const MOST_OF_AN_ANSWER: u64 = 64 << 10;

/// A server that gets documents.
#[derive(Clone)]
pub struct Server {
    url: String,
    agent: ureq::Agent,
    attempts: u32,
}

impl std::fmt::Debug for Server {
    /// A part of the URL may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

/// Why a document did not reach the server.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It would not be sent by HTTP.
    #[error("the address of a server begins with http:// or https://")]
    Scheme,
    /// It is not the address of a server. The URL may contain a secret and is not repeated.
    #[error("not a valid URL: {0}")]
    Url(String),
    /// It has a user or a password, which a request does not take from there.
    #[error("a user or a password in the URL is not sent")]
    User,
    /// The server cannot be reached, or does not answer.
    #[error("{0}")]
    Transport(Box<ureq::Error>),
    /// It answers that it does not want the document.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The same after all attempts.
    #[error("given up after {attempts} attempts: {last}")]
    GivenUp {
        /// How many there were.
        attempts: u32,
        /// What came of the last one.
        last: Box<Self>,
    },
}

/// What to do after an attempt.
#[derive(Debug)]
enum Attempt {
    Delivered(Vec<u8>),
    /// Another may do better, after this time if the server asks for it.
    Failed(HttpError, Option<Duration>),
    /// The server would say the same again.
    Refused(HttpError),
}

impl Server {
    /// The server at `url`, which is tried at most so often for each document.
    ///
    /// # Errors
    /// When `url` is none of HTTP, or names no host.
    pub fn new(url: &str, attempts: u32) -> Result<Self, HttpError> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(HttpError::Scheme);
        }
        let uri: ureq::http::Uri = url.parse().map_err(|error| {
            let error: ureq::http::uri::InvalidUri = error;
            HttpError::Url(error.to_string())
        })?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(HttpError::Url("it has no host".to_owned()));
        }
        let authority = uri.authority().map_or("", |it| it.as_str());
        if authority.contains('@') {
            return Err(HttpError::User);
        }
        let server = Some(authority);
        let port = server.zip(uri.host()).and_then(|(server, host)| server.strip_prefix(host));
        if port.is_some_and(|port| !port.is_empty()) && uri.port_u16().is_none() {
            return Err(HttpError::Url("its port is not a number below 65536".to_owned()));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // The body is for this server.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("obit/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        Ok(Self { url: url.to_owned(), agent, attempts })
    }

    /// Delivers `body` with `headers`, and tries again where that may help, unless `closing` is
    /// set. Gives the start of the answer.
    ///
    /// # Errors
    /// What came of the last attempt.
    pub fn post(
        &self,
        headers: &[(&str, &str)],
        body: &[u8],
        closing: &AtomicBool,
    ) -> Result<Vec<u8>, HttpError> {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (error, wished) = match self.attempt(headers, body) {
                Attempt::Delivered(answer) => return Ok(answer),
                Attempt::Refused(error) => return Err(error),
                Attempt::Failed(error, wished) => (error, wished),
            };
            let given_up = |last| Err(HttpError::GivenUp { attempts, last: Box::new(last) });
            if attempts >= self.attempts {
                return given_up(error);
            }
            let until = Instant::now() + wished.unwrap_or(pause).min(LONGEST_PAUSE);
            while Instant::now() < until && !closing.load(Ordering::SeqCst) {
                thread::sleep(TICK);
            }
            if closing.load(Ordering::SeqCst) {
                return given_up(error);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(&self, headers: &[(&str, &str)], body: &[u8]) -> Attempt {
        let mut request = self.agent.post(&self.url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match request.send(body) {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                return Attempt::Refused(HttpError::Transport(Box::new(error)));
            }
            Err(error) => {
                return Attempt::Failed(HttpError::Transport(Box::new(error)), None);
            }
        };
        let status = response.status().as_u16();
        match status {
            200..=299 => {
                let mut answer = Vec::new();
                let reader = response.into_body().into_reader();
                // The document is delivered, whatever becomes of the answer.
                let _ = reader.take(MOST_OF_AN_ANSWER).read_to_end(&mut answer);
                Attempt::Delivered(answer)
            }
            408 | 425 | 429 | 500..=599 => {
                let wished = response.headers().get("retry-after");
                let wished = wished.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
                Attempt::Failed(HttpError::Status(status), wished.map(Duration::from_secs))
            }
            _ => Attempt::Refused(HttpError::Status(status)),
        }
    }
}
