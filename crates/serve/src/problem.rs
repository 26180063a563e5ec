//! What went wrong, for programs (RFC 9457) and for people.

use obit_report::json::write_line;
use serde::Serialize;

use crate::http::Response;

/// The media type of a problem.
pub(crate) const MEDIA: &str = "application/problem+json";

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The status of the answer.
    pub(crate) status: u16,
    /// What was wrong, and what to do next.
    pub(crate) detail: String,
    /// Fields of the answer beside it.
    pub(crate) headers: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Document<'p> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'p str,
}

impl Problem {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), headers: Vec::new() }
    }

    /// With a field beside it.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What its status is called.
    pub(crate) fn title(&self) -> &'static str {
        match self.status {
            400 => "Bad request",
            401 => "Not logged in",
            403 => "Not allowed",
            404 => "Not found",
            405 => "Method not allowed",
            408 => "Request timeout",
            409 => "Conflict",
            410 => "Gone",
            412 => "Changed by someone else",
            413 => "Request too large",
            415 => "Unsupported media type",
            421 => "Unknown host",
            422 => "Not possible",
            428 => "Precondition required",
            429 => "Too many requests",
            503 => "Not available",
            _ => "Internal error",
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.title(),
            status: self.status,
            detail: &self.detail,
        };
        let mut body = Vec::new();
        // Writing to memory does not fail.
        let _ = write_line(&document, &mut body);
        let mut response = Response::of(self.status, MEDIA, body);
        response.headers.extend(self.headers.iter().cloned());
        response
    }
}

/// One line of text, before it is known who asked for what.
pub(crate) fn plain(status: u16, text: &str) -> Response {
    Response::of(status, "text/plain; charset=utf-8", format!("{text}\n"))
}
