//! Events to a server, by HTTP.

use std::sync::atomic::AtomicBool;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::delivery::{HttpError, Server};

/// Attempts to deliver one event.
const ATTEMPTS: u32 = 8;

/// The name of the event, the same in each attempt.
const DELIVERY: &str = "X-Obit-Delivery";
/// `sha256=` and the HMAC-SHA-256 (RFC 2104) of the body, in hexadecimal digits: what receivers
/// of other webhooks check, too.
const SIGNATURE: &str = "X-Obit-Signature-256";

/// A server that gets events.
#[derive(Clone)]
pub struct Webhook {
    server: Server,
    /// Signs bodies.
    secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for Webhook {
    /// The secret is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

impl Webhook {
    /// The server at `url`. Bodies are signed with `secret`.
    ///
    /// # Errors
    /// When `url` is none of HTTP, or names no host.
    pub fn new(url: &str, secret: Option<Vec<u8>>) -> Result<Self, HttpError> {
        Ok(Self { server: Server::new(url, ATTEMPTS)?, secret })
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
    ) -> Result<(), HttpError> {
        let signature = self.secret.as_deref().and_then(|secret| signature(secret, body));
        let mut headers = vec![("Content-Type", "application/json"), (DELIVERY, id)];
        headers.extend(signature.as_deref().map(|signature| (SIGNATURE, signature)));
        self.server.post(&headers, body, closing).map(drop)
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
    use std::thread;

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
            assert!(matches!(error, HttpError::Status(found) if found == status), "{error}");
            assert!(!asked.join().unwrap()[0].to_lowercase().contains("x-obit-signature"));
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_given_up_when_the_process_ends() {
        let webhook = Webhook::new("http://127.0.0.1:1/", None).unwrap();
        let error = webhook.post("event-1", b"{}\n", &AtomicBool::new(true)).unwrap_err();
        assert!(matches!(error, HttpError::GivenUp { attempts: 1, .. }), "{error}");
        assert!(matches!(Webhook::new("file:///etc/passwd", None), Err(HttpError::Scheme)));
    }

    #[test]
    fn a_url_that_no_request_can_have_is_refused_and_is_not_repeated() {
        for url in
            ["http://", "http:///hook", "http://host/a b secret", "http://host:port/", "http://@/"]
        {
            let Err(error) = Webhook::new(url, None) else { panic!("{url} is accepted") };
            assert!(matches!(error, HttpError::Url(_)), "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert!(Webhook::new("http://[::1]:8080/hook?a=b", None).is_ok());
        let error = Webhook::new("https://user:secret@example.org/", None).unwrap_err();
        assert!(matches!(error, HttpError::User), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
