//! Messages of a protocol over HTTP, for programs of this machine that know a token.
//!
//! Here is who may ask: by an address and a name of this machine alone, from no page of another
//! site, with the token. What a message means is its protocol's.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crate::gate::token_of;
use crate::http::{Answers, Bound, Limits, Method, Request, Response, run};
use crate::listen::ServeError;
use crate::problem::plain;
use crate::users::{hash_of, random_token};

/// Bytes of a message.
const LONGEST: usize = 4 << 20;
/// Messages that are answered at once, and of those that do not wait for others.
const AT_ONCE: usize = 16;
const URGENT: usize = 4;
/// How long a message waits for its turn.
const PATIENCE: Duration = Duration::from_secs(120);
/// Characters of a token, at least.
const SHORTEST_TOKEN: usize = 16;

/// A new token that no one can guess; as good a name for a session.
///
/// # Errors
/// The system has no randomness.
pub fn fresh_token() -> io::Result<String> {
    random_token()
}

/// What a request is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// To take a message.
    Post,
    /// To end a session.
    Delete,
    /// To hear what comes: `GET`.
    Get,
    /// Anything else.
    Other,
}

/// A message, from someone who may send one.
#[derive(Clone, Copy, Debug)]
pub struct Message<'r>(&'r Request);

impl<'r> Message<'r> {
    /// What is to be done.
    pub fn verb(self) -> Verb {
        match self.0.method {
            Method::Post => Verb::Post,
            Method::Delete => Verb::Delete,
            Method::Get => Verb::Get,
            Method::Patch | Method::Other => Verb::Other,
        }
    }

    /// A field that is there once and is text.
    pub fn field(self, name: &str) -> Option<&'r str> {
        self.0.header(name)
    }

    /// Whether the body is of this type, whatever its parameters are.
    pub fn is_of_type(self, wanted: &str) -> bool {
        self.0.is_of_type(wanted)
    }

    /// The body.
    pub fn body(self) -> &'r [u8] {
        &self.0.body
    }
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Fields.
    pub fields: Vec<(&'static str, String)>,
    /// JSON; nothing if it is empty.
    pub json: Vec<u8>,
}

/// What understands messages. Called on threads that may block, several at once.
pub trait Messages: Send + Sync {
    /// Whether a message must not wait for others, such as one that ends them.
    fn is_urgent(&self, message: Message<'_>) -> bool;

    /// Answers a message.
    fn reply(&self, message: Message<'_>) -> Reply;
}

/// A server of messages that is bound and not yet running.
pub struct MessageServer {
    listener: TcpListener,
    address: SocketAddr,
    path: &'static str,
    token: String,
}

impl MessageServer {
    /// Binds an address of this machine alone. Messages go to `path`.
    ///
    /// # Errors
    /// It is another address, it is taken, or the token could be guessed.
    pub fn bind(address: SocketAddr, path: &'static str, token: &str) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address.to_string()));
        }
        if token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServeError::Token(SHORTEST_TOKEN));
        }
        let failed = |source| ServeError::Bind { place: address.to_string(), source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, path, token: hash_of(token) })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Answers messages until something comes from `stop`, or its other end is closed.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn run(self, stop: UnixStream, messages: Arc<dyn Messages>) -> Result<(), ServeError> {
        let limits = Limits {
            body: LONGEST,
            at_once: AT_ONCE,
            light: URGENT,
            patience: PATIENCE,
            ..Limits::default()
        };
        let Self { listener, address, path, token } = self;
        let door = Door { port: address.port(), path, token, messages };
        Ok(run(Bound::Tcp(listener), stop, limits, Arc::new(door))?)
    }
}

/// Who may ask, and who answers.
struct Door {
    port: u16,
    path: &'static str,
    /// The hash of the token, so that a comparison says nothing of it.
    token: String,
    messages: Arc<dyn Messages>,
}

impl Door {
    /// Why a request is not answered.
    fn refusal(&self, request: &Request) -> Option<Response> {
        // A name of someone else that leads to this machine must not open it to his page (DNS
        // rebinding).
        let host = request.header("host").unwrap_or_default();
        if !is_here(host, self.port) {
            return Some(plain(421, "this server is asked by a name of this machine alone"));
        }
        if request.has("origin") {
            let origin = request.header("origin").unwrap_or_default();
            let page = origin.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"));
            if !page.is_some_and(|(_, host)| is_local(host)) {
                return Some(plain(403, "the request was sent by a page of another site"));
            }
        }
        if request.path != self.path {
            return Some(plain(404, &format!("messages go to {}", self.path)));
        }
        let token = request.header("authorization").and_then(token_of);
        if token.map(hash_of).as_ref() != Some(&self.token) {
            let refused = plain(401, "the token is missing or another one");
            return Some(refused.with("www-authenticate", "Bearer realm=\"obit\""));
        }
        None
    }
}

impl Answers for Door {
    fn is_light(&self, request: &Request) -> bool {
        self.refusal(request).is_some() || self.messages.is_urgent(Message(request))
    }

    fn answer(&self, request: &Request) -> Response {
        if let Some(refusal) = self.refusal(request) {
            return refusal;
        }
        let Reply { status, fields, json } = self.messages.reply(Message(request));
        let mut response = match json.is_empty() {
            true => Response { status, ..Response::default() },
            false => Response::of(status, "application/json", json),
        };
        response.headers.push(("cache-control", "no-store".to_owned()));
        response.headers.extend(fields);
        response
    }

    fn busy(&self, _: &Request) -> Response {
        plain(503, "too many messages are being answered").with("retry-after", "5")
    }
}

/// Whether `host` is a name of this machine alone, of any port.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    matches!(name.to_ascii_lowercase().as_str(), "localhost" | "127.0.0.1" | "::1")
}

/// The same with the port of this server.
fn is_here(host: &str, port: u16) -> bool {
    let asked = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let asked = asked.map_or(Some(80), |(_, port)| port.parse().ok());
    is_local(host) && asked == Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;

    impl Messages for Echo {
        fn is_urgent(&self, _: Message<'_>) -> bool {
            false
        }

        fn reply(&self, message: Message<'_>) -> Reply {
            Reply { status: 200, json: message.body().to_vec(), ..Reply::default() }
        }
    }

    fn status(fields: &[(&str, &str)], path: &str) -> u16 {
        let token = hash_of("0123456789abcdef");
        let door = Door { port: 7000, path: "/mcp", token, messages: Arc::new(Echo) };
        let mut headers = hyper::HeaderMap::new();
        for (name, value) in fields {
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let request = Request {
            method: Method::Post,
            path: path.to_owned(),
            query: String::new(),
            headers,
            body: bytes::Bytes::from_static(b"{}"),
            peer: crate::http::Peer::Unix,
            is_again: false,
            gone: Arc::default(),
        };
        door.answer(&request).status
    }

    #[test]
    fn only_who_knows_the_token_and_the_name_is_answered_and_no_page_of_another_site() {
        let token = ("authorization", "Bearer 0123456789abcdef");
        let here = ("host", "127.0.0.1:7000");
        assert_eq!(status(&[here, token], "/mcp"), 200);
        assert_eq!(status(&[("host", "LOCALHOST:7000"), token], "/mcp"), 200);
        assert_eq!(status(&[("host", "[::1]:7000"), token], "/mcp"), 200);
        assert_eq!(status(&[here, token, ("origin", "http://localhost:3000")], "/mcp"), 200);
        assert_eq!(status(&[here], "/mcp"), 401);
        assert_eq!(status(&[here, ("authorization", "Bearer 0123456789abcdeg")], "/mcp"), 401);
        assert_eq!(status(&[here, ("authorization", "Basic 0123456789abcdef")], "/mcp"), 401);
        assert_eq!(status(&[here, token, token], "/mcp"), 401);
        assert_eq!(status(&[here, token], "/other"), 404);
        for host in ["evil.example:7000", "127.0.0.1:7001", "127.0.0.1", "", "localhost.evil:7000"]
        {
            assert_eq!(status(&[("host", host), token], "/mcp"), 421, "{host}");
        }
        for origin in ["http://evil.example", "null", "", "http://127.0.0.1.evil", "file://"] {
            assert_eq!(status(&[here, token, ("origin", origin)], "/mcp"), 403, "{origin}");
        }
    }

    #[test]
    fn an_address_of_others_and_a_token_that_can_be_guessed_are_refused() {
        let bind = |address: &str, token| {
            MessageServer::bind(address.parse().unwrap(), "/mcp", token).map(drop)
        };
        assert!(matches!(bind("0.0.0.0:0", "0123456789abcdef"), Err(ServeError::NotLoopback(_))));
        assert!(matches!(bind("127.0.0.1:0", "short"), Err(ServeError::Token(_))));
        assert!(matches!(bind("127.0.0.1:0", "0123456789 abcdef"), Err(ServeError::Token(_))));
        assert!(bind("127.0.0.1:0", "0123456789abcdef").is_ok());
    }
}
