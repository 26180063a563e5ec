//! One GET request. The only place that knows the HTTP library.

use std::io::Read;
use std::time::Duration;
#[cfg(feature = "debuginfod")]
use std::time::Instant;

use thiserror::Error;

use super::settings::Debuginfod;

/// What a server said.
#[cfg_attr(not(feature = "debuginfod"), expect(dead_code, reason = "no server is asked"))]
pub(super) enum Answer {
    /// The file.
    Body {
        /// Its bytes; errors and timeouts come from `read`.
        reader: Box<dyn Read>,
        /// What the server says is its length on the wire.
        length: Option<u64>,
    },
    /// The server is well and does not have it.
    NotFound,
}

/// Why a server gave no answer to a question.
#[derive(Debug, Error)]
#[cfg_attr(not(feature = "debuginfod"), expect(dead_code, reason = "no server is asked"))]
pub(super) enum HttpError {
    /// The address is neither `http` nor `https`.
    #[error("only http and https servers are supported")]
    Scheme,
    /// It cannot be reached, or breaks off.
    #[cfg(feature = "debuginfod")]
    #[error("{0}")]
    Transport(#[from] Box<ureq::Error>),
    /// It refuses.
    #[error("HTTP status {0}")]
    Status(u16),
    /// Its redirects have no end, or lead nowhere.
    #[cfg(feature = "debuginfod")]
    #[error("its redirects lead nowhere")]
    Redirect,
    /// This program has no HTTP client.
    #[cfg(not(feature = "debuginfod"))]
    #[error("this obit was built without debuginfod")]
    NoClient,
}

/// The connections of one client.
#[cfg(feature = "debuginfod")]
#[derive(Debug)]
pub(super) struct Http {
    agent: ureq::Agent,
}

#[cfg(feature = "debuginfod")]
impl Http {
    /// Redirects that are followed: mirrors use one or two.
    const REDIRECTS: u32 = 5;

    /// One request, with the user's headers if it is to a server that the user named.
    fn ask(
        &self,
        url: &str,
        settings: &Debuginfod,
        is_named: bool,
        (most_bytes, left): (u64, Duration),
    ) -> Result<ureq::http::Response<ureq::Body>, HttpError> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(HttpError::Scheme);
        }
        let mut request = self.agent.get(url);
        for (name, value) in settings.headers.iter().filter(|_| is_named) {
            request = request.header(name, value);
        }
        if settings.max_bytes.is_some() {
            request = request.header("X-DEBUGINFOD-MAXSIZE", most_bytes.to_string());
        }
        let request = request.config().timeout_global(Some(left)).build();
        Ok(request.call().map_err(Box::new)?)
    }

    pub(super) fn new(settings: &Debuginfod) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Followed here: the library sends the user's headers to wherever they lead.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("obit/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(settings.timeout))
            .timeout_connect(Some(settings.timeout))
            .timeout_send_request(Some(settings.timeout))
            .timeout_recv_response(Some(settings.timeout))
            .timeout_per_read(Some(settings.timeout))
            .build()
            .new_agent();
        Self { agent }
    }

    /// Asks for `url`, the whole answer within `left`.
    ///
    /// # Errors
    /// Why the server is of no use: unreachable, silent, refusing.
    pub(super) fn get(
        &self,
        url: &str,
        settings: &Debuginfod,
        most_bytes: u64,
        left: Duration,
    ) -> Result<Answer, HttpError> {
        let end = Instant::now().checked_add(left);
        let (mut at, mut is_named) = (url.to_owned(), true);
        for _ in 0..=Self::REDIRECTS {
            let left = end.map_or(left, |end| end.saturating_duration_since(Instant::now()));
            let response = self.ask(&at, settings, is_named, (most_bytes, left))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return answer(response);
            }
            let location = response.headers().get("location").and_then(|it| it.to_str().ok());
            let next = location.and_then(|location| resolved(&at, location));
            at = next.ok_or(HttpError::Redirect)?;
            // Once it has led elsewhere, it may lead back only to what the other server wants.
            is_named &= origin(&at) == origin(url);
        }
        Err(HttpError::Redirect)
    }
}

/// What a response means.
#[cfg(feature = "debuginfod")]
fn answer(response: ureq::http::Response<ureq::Body>) -> Result<Answer, HttpError> {
    match response.status().as_u16() {
        200 => {
            let body = response.into_body();
            let length = body.content_length();
            Ok(Answer::Body { reader: Box::new(body.into_reader()), length })
        }
        // 406: larger than the X-DEBUGINFOD-MAXSIZE that was sent along.
        400 | 404 | 406 | 410 => Ok(Answer::NotFound),
        status => Err(HttpError::Status(status)),
    }
}

/// Scheme, host and port of a URL.
#[cfg(feature = "debuginfod")]
fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")?.checked_add("://".len())?;
    let length = url.get(start..)?.find(['/', '?', '#', '\\']);
    url.get(..length.map_or(Some(url.len()), |length| start.checked_add(length))?)
}

/// Where `location` leads to from `url` (RFC 3986 § 5.2, but for dots in paths, which servers
/// resolve).
#[cfg(feature = "debuginfod")]
fn resolved(url: &str, location: &str) -> Option<String> {
    let location = location.trim();
    if location.contains("://") {
        return Some(location.to_owned());
    }
    let (scheme, _) = url.split_once("://")?;
    if location.starts_with("//") {
        return Some(format!("{scheme}:{location}"));
    }
    let origin = origin(url)?;
    if location.starts_with('/') {
        return Some(format!("{origin}{location}"));
    }
    let path = url.get(origin.len()..)?.split(['?', '#']).next()?;
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    Some(format!("{origin}{directory}/{location}"))
}

/// The replacement where obit was built without the feature `debuginfod`.
#[cfg(not(feature = "debuginfod"))]
#[derive(Debug)]
pub(super) struct Http;

#[cfg(not(feature = "debuginfod"))]
impl Http {
    pub(super) fn new(_: &Debuginfod) -> Self {
        Self
    }

    /// Makes no request.
    ///
    /// # Errors
    /// Always.
    pub(super) fn get(
        &self,
        _: &str,
        _: &Debuginfod,
        _: u64,
        _: Duration,
    ) -> Result<Answer, HttpError> {
        Err(HttpError::NoClient)
    }
}
