//! Streamable HTTP: messages by `POST`, each client in a session of its own.
//!
//! An answer is one JSON document: there is no stream, so nothing is sent that was not asked for,
//! and no progress (the specification of 2025-11-25, "Transports").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::VERSIONS;
use super::rpc::{self, INVALID_REQUEST, Incoming};
use super::server::{Outside, Server, Settings, Shared};
use obit_serve::{Message, Messages, Reply, Verb, fresh_token};

/// Where messages go.
pub const PATH: &str = "/mcp";

/// Sessions at the same time, each of which may have several cores open.
const MOST: usize = 8;
/// How long a session is kept without a message, if there is no room for another.
const IDLE: Duration = Duration::from_secs(60);

/// A client, and when it was heard of last.
struct Seat {
    server: Arc<Server>,
    heard: Instant,
}

/// The clients of a server, which see nothing of each other.
pub struct Hub {
    shared: Shared,
    seats: Mutex<HashMap<String, Seat>>,
}

impl Hub {
    /// One without clients.
    pub fn new(settings: Settings, outside: Arc<dyn Outside>) -> Self {
        Self { shared: Shared::new(settings, outside), seats: Mutex::default() }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<String, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client whose session a message is of.
    fn server(&self, message: Message<'_>) -> Result<Arc<Server>, Reply> {
        let Some(session) = message.field("mcp-session-id") else {
            return Err(problem(
                400,
                &Value::Null,
                "the field Mcp-Session-Id is missing: send `initialize` first",
            ));
        };
        let mut seats = self.seats();
        match seats.get_mut(session) {
            Some(seat) => {
                seat.heard = Instant::now();
                Ok(Arc::clone(&seat.server))
            }
            None => Err(problem(404, &Value::Null, "this session has ended: send `initialize`")),
        }
    }

    fn posted(&self, message: Message<'_>) -> Reply {
        if !message.is_of_type("application/json") {
            return problem(415, &Value::Null, "a message is of the type application/json");
        }
        if !accepts_json(message.field("accept")) {
            return problem(406, &Value::Null, "answers are of the type application/json");
        }
        let version = message.field("mcp-protocol-version");
        if let Some(version) = version.filter(|version| !VERSIONS.contains(version)) {
            let text = format!(
                "the protocol version {version:.20?} is not spoken here; {} are",
                VERSIONS.join(", ")
            );
            return problem(400, &Value::Null, &text);
        }
        match rpc::read(message.body()) {
            Incoming::Invalid { id, code, problem } => json(400, &rpc::error(&id, code, &problem)),
            Incoming::Request { id, method, params } if method == "initialize" => {
                let server = Arc::new(self.shared.server(None));
                let answer = server.exchange(&id, &method, &params);
                if answer.get("error").is_some() {
                    return json(200, &answer);
                }
                match self.seat(server) {
                    Ok(session) => {
                        let mut reply = json(200, &answer);
                        reply.fields.push(("mcp-session-id", session));
                        reply
                    }
                    Err(why) => problem(503, &id, &why),
                }
            }
            Incoming::Request { id, method, params } => match self.server(message) {
                Ok(server) => json(200, &server.exchange(&id, &method, &params)),
                Err(reply) => reply,
            },
            Incoming::Notification { method, params } => match self.server(message) {
                Ok(server) => {
                    server.notified(&method, &params);
                    accepted()
                }
                Err(reply) => reply,
            },
            Incoming::Response => self.server(message).map_or_else(|reply| reply, |_| accepted()),
        }
    }

    /// A session for a client. One that was idle for long gives way.
    fn seat(&self, server: Arc<Server>) -> Result<String, String> {
        let session = fresh_token().map_err(|error| error.to_string())?;
        let mut seats = self.seats();
        if seats.len() >= MOST {
            let idle = seats.iter().max_by_key(|(_, seat)| seat.heard.elapsed());
            let idle = idle.filter(|(_, seat)| seat.heard.elapsed() > IDLE);
            match idle.map(|(session, _)| session.clone()) {
                Some(session) => drop(seats.remove(&session)),
                None => return Err(format!("{MOST} clients have a session: end one by DELETE")),
            }
        }
        seats.insert(session.clone(), Seat { server, heard: Instant::now() });
        Ok(session)
    }

    fn deleted(&self, message: Message<'_>) -> Reply {
        if let Err(reply) = self.server(message) {
            return reply;
        }
        let session = message.field("mcp-session-id").unwrap_or_default();
        let removed = self.seats().remove(session);
        if let Some(seat) = removed {
            seat.server.cancel_all();
        }
        Reply { status: 204, ..Reply::default() }
    }
}

impl Messages for Hub {
    fn is_urgent(&self, message: Message<'_>) -> bool {
        // What ends others must not wait for them.
        let ends = b"notifications/cancelled";
        message.verb() != Verb::Post
            || (message.body().len() < 4096
                && message.body().windows(ends.len()).any(|part| part == ends))
    }

    fn reply(&self, message: Message<'_>) -> Reply {
        match message.verb() {
            Verb::Post => self.posted(message),
            Verb::Delete => self.deleted(message),
            Verb::Get | Verb::Other => {
                let mut reply =
                    problem(405, &Value::Null, "messages are sent by POST; there is no stream");
                reply.fields.push(("allow", "POST, DELETE".to_owned()));
                reply
            }
        }
    }
}

/// Whether a client takes JSON.
fn accepts_json(accept: Option<&str>) -> bool {
    let takes = |part: &str| {
        let kind = part.split(';').next().unwrap_or_default().trim();
        ["application/json", "application/*", "*/*"]
            .iter()
            .any(|one| kind.eq_ignore_ascii_case(one))
    };
    accept.is_none_or(|accept| accept.split(',').any(takes))
}

fn accepted() -> Reply {
    Reply { status: 202, ..Reply::default() }
}

fn json(status: u16, message: &Value) -> Reply {
    Reply { status, json: message.to_string().into_bytes(), ..Reply::default() }
}

fn problem(status: u16, id: &Value, text: &str) -> Reply {
    json(status, &rpc::error(id, INVALID_REQUEST, text))
}

#[cfg(test)]
mod tests {
    use super::accepts_json;

    #[test]
    fn a_client_says_which_answers_it_takes() {
        for accept in
            ["application/json, text/event-stream", "*/*", "text/html, application/*;q=0.5"]
        {
            assert!(accepts_json(Some(accept)), "{accept}");
        }
        assert!(accepts_json(None));
        assert!(!accepts_json(Some("text/event-stream")));
        assert!(!accepts_json(Some("")));
    }
}
