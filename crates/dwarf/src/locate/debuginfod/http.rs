//! One GET request. The only place that knows the HTTP library.

use std::io::Read;
use std::time::Duration;

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

    pub(super) fn new(settings: &Debuginfod) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(Self::REDIRECTS)
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
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(HttpError::Scheme);
        }
        let mut request = self.agent.get(url);
        for (name, value) in &settings.headers {
            request = request.header(name, value);
        }
        if settings.max_bytes.is_some() {
            request = request.header("X-DEBUGINFOD-MAXSIZE", most_bytes.to_string());
        }
        let request = request.config().timeout_global(Some(left)).build();
        let response = request.call().map_err(Box::new)?;
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
