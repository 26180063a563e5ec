//! Events to a server, by HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Attempts to deliver one event.
const ATTEMPTS: u32 = 8;
/// After the first attempt; doubled after each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// At most, also where the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether the process ends.
const TICK: Duration = Duration::from_millis(50);

/// The name of the event, the same in each attempt.
const DELIVERY: &str = "X-Obit-Delivery";
/// `sha256=` and the HMAC-SHA-256 (RFC 2104) of the body, in hexadecimal digits: what receivers
/// of other webhooks check, too.
const SIGNATURE: &str = "X-Obit-Signature-256";

/// A server that gets events.
#[derive(Clone)]
pub struct Webhook {
    url: String,
    agent: ureq::Agent,
    /// Signs bodies.
    secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for Webhook {
    /// The secret is one, and so may a part of the URL be.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

/// Why an event did not reach the server.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It would not be sent by HTTP.
    #[error("a webhook begins with http:// or https://")]
    Scheme,
    /// It is not the address of a server. The URL may contain a secret and is not repeated.
    #[error("not a valid URL: {0}")]
    Url(String),
    /// The server cannot be reached, or does not answer.
    #[error("{0}")]
    Transport(Box<ureq::Error>),
    /// It answers that it does not want the event.
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
    Delivered,
    /// Another may do better, after this time if the server asks for it.
    Failed(WebhookError, Option<Duration>),
    /// The server would say the same again.
    Refused(WebhookError),
}

impl Webhook {
    /// The server at `url`. Bodies are signed with `secret`.
    ///
    /// # Errors
    /// When `url` is none of HTTP, or names no host.
    pub fn new(url: &str, secret: Option<Vec<u8>>) -> Result<Self, WebhookError> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(WebhookError::Scheme);
        }
        let uri: ureq::http::Uri = url.parse().map_err(|error| {
            let error: ureq::http::uri::InvalidUri = error;
            WebhookError::Url(error.to_string())
        })?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(WebhookError::Url("it has no host".to_owned()));
        }
        let server = uri.authority().map_or("", |it| it.as_str()).rsplit('@').next();
        let port = server.zip(uri.host()).and_then(|(server, host)| server.strip_prefix(host));
        if port.is_some_and(|port| !port.is_empty()) && uri.port_u16().is_none() {
            return Err(WebhookError::Url("its port is not a number below 65536".to_owned()));
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
        Ok(Self { url: url.to_owned(), agent, secret })
    }

    /// Delivers the event `id`, and tries again where that may help, unless `closing` is set.
    ///
    /// # Errors
    /// What came of the last attempt.
    pub(super) fn post(
        &self,
        id: &str,
        body: &[u8],
        closing: &AtomicBool,
    ) -> Result<(), WebhookError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let (error, wished) = match self.attempt(id, body) {
                Attempt::Delivered => return Ok(()),
                Attempt::Refused(error) => return Err(error),
                Attempt::Failed(error, wished) => (error, wished),
            };
            if attempt >= ATTEMPTS {
                return Err(WebhookError::GivenUp { attempts: attempt, last: Box::new(error) });
            }
            let until = Instant::now() + wished.unwrap_or(pause).min(LONGEST_PAUSE);
            while Instant::now() < until && !closing.load(Ordering::SeqCst) {
                thread::sleep(TICK);
            }
            if closing.load(Ordering::SeqCst) {
                return Err(WebhookError::GivenUp { attempts: attempt, last: Box::new(error) });
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    fn attempt(&self, id: &str, body: &[u8]) -> Attempt {
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header(DELIVERY, id);
        if let Some(signature) = self.secret.as_deref().and_then(|secret| signature(secret, body)) {
            request = request.header(SIGNATURE, signature);
        }
        let response = match request.send(body) {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                return Attempt::Refused(WebhookError::Transport(Box::new(error)));
            }
            Err(error) => {
                return Attempt::Failed(WebhookError::Transport(Box::new(error)), None);
            }
        };
        let status = response.status().as_u16();
        match status {
            200..=299 => Attempt::Delivered,
            408 | 425 | 429 | 500..=599 => {
                let wished = response.headers().get("retry-after");
                let wished = wished.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
                Attempt::Failed(WebhookError::Status(status), wished.map(Duration::from_secs))
            }
            _ => Attempt::Refused(WebhookError::Status(status)),
        }
    }
}

/// Keys of any length are valid, so there always is one.
fn signature(secret: &[u8], body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(body);
    Some(format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let signature = signature(b"Jefe", b"what do ya want for nothing?").unwrap();
        let wanted = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature, wanted);
    }

    /// A server that answers with each status in turn, and what it was asked.
    fn server(statuses: &'static [u16]) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let mut asked = Vec::new();
            for status in statuses {
                let mut stream = listener.accept().unwrap().0;
                let mut request = String::new();
                let mut some = [0; 4096];
                while !request.ends_with("{}\n") {
                    let length = stream.read(&mut some).unwrap();
                    request.push_str(std::str::from_utf8(&some[..length]).unwrap());
                }
                asked.push(request);
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
            asked
        });
        (url, asked)
    }

    #[test]
    fn a_server_that_fails_is_asked_again_with_the_same_event() {
        let (url, asked) = server(&[500, 429, 204]);
        let webhook = Webhook::new(&url, Some(b"secret".to_vec())).unwrap();
        webhook.post("event-1", b"{}\n", &AtomicBool::new(false)).unwrap();
        let asked = asked.join().unwrap();
        assert_eq!(asked.len(), 3);
        let lower = asked[0].to_lowercase();
        assert!(lower.contains("x-obit-delivery: event-1\r\n"), "{lower}");
        let signature = signature(b"secret", b"{}\n").unwrap();
        assert!(lower.contains(&format!("x-obit-signature-256: {signature}\r\n")), "{lower}");
        assert_eq!(asked[0], asked[2]);
    }

    #[test]
    fn a_server_that_refuses_is_not_asked_again_and_a_redirect_is_not_followed() {
        for status in [404, 307] {
            let statuses: &'static [u16] = if status == 404 { &[404] } else { &[307] };
            let (url, asked) = server(statuses);
            let webhook = Webhook::new(&url, None).unwrap();
            let error = webhook.post("event-1", b"{}\n", &AtomicBool::new(false)).unwrap_err();
            assert!(matches!(error, WebhookError::Status(found) if found == status), "{error}");
            assert!(!asked.join().unwrap()[0].to_lowercase().contains("x-obit-signature"));
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_given_up_when_the_process_ends() {
        let webhook = Webhook::new("http://127.0.0.1:1/", None).unwrap();
        let error = webhook.post("event-1", b"{}\n", &AtomicBool::new(true)).unwrap_err();
        assert!(matches!(error, WebhookError::GivenUp { attempts: 1, .. }), "{error}");
        assert!(matches!(Webhook::new("file:///etc/passwd", None), Err(WebhookError::Scheme)));
    }

    #[test]
    fn a_url_that_no_request_can_have_is_refused_and_is_not_repeated() {
        for url in
            ["http://", "http:///hook", "http://host/a b secret", "http://host:port/", "http://@/"]
        {
            let Err(error) = Webhook::new(url, None) else { panic!("{url} is accepted") };
            assert!(matches!(error, WebhookError::Url(_)), "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for url in ["http://[::1]:8080/hook?a=b", "https://user:password@example.org/"] {
            assert!(Webhook::new(url, None).is_ok(), "{url}");
        }
    }
}
