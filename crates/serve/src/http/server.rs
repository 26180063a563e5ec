//! Connections, one task each on one thread; requests are answered by a few threads beside it,
//! since the store is read by calls that block.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::limits::Limits;
use super::stream::{Clock, Socket, Stream};
use super::{Method, Peer, Request, Response};

/// How long nothing is accepted when the system has no descriptors for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener that is bound already.
pub(crate) enum Bound {
    Tcp(StdTcpListener),
    Unix(StdUnixListener),
}

/// What answers requests, on a thread that may block.
pub(crate) type Answer = dyn Fn(Request) -> Response + Send + Sync;

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (socket, address): (_, SocketAddr) = listener.accept().await?;
                // Answers are written whole: there is nothing to wait for.
                socket.set_nodelay(true)?;
                Ok((Socket::Tcp(socket), Peer::Ip(address.ip().to_canonical())))
            }
            Self::Unix(listener) => {
                let (socket, _) = listener.accept().await?;
                Ok((Socket::Unix(socket), Peer::Unix))
            }
        }
    }
}

/// Connections that are open, of each peer.
#[derive(Debug, Default)]
struct Open(Mutex<HashMap<Peer, usize>>);

/// One connection, counted as long as this lives.
struct Counted {
    open: Arc<Open>,
    peer: Peer,
}

impl Open {
    fn enter(self: &Arc<Self>, peer: Peer, limits: &Limits) -> Option<Counted> {
        let peer = peer.counted();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = open.get(&peer).copied().unwrap_or(0);
        // Behind a socket of the file system there is a proxy, and all its clients.
        let most = if peer == Peer::Unix { limits.connections } else { limits.per_address };
        if open.values().sum::<usize>() >= limits.connections || here >= most {
            return None;
        }
        open.insert(peer, here + 1);
        Some(Counted { open: Arc::clone(self), peer })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.peer)),
        }
    }
}

/// Answers requests until `stop` can be read; then those that came are answered.
///
/// # Errors
/// When no thread can be started, or the listener cannot be used.
pub(crate) fn run(
    bound: Bound,
    stop: StdUnixStream,
    limits: Limits,
    answer: Arc<Answer>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(limits.at_once)
        .build()?;
    let outcome = runtime.block_on(accept(bound, stop, limits, answer));
    runtime.shutdown_timeout(limits.farewell);
    outcome
}

async fn accept(
    bound: Bound,
    stop: StdUnixStream,
    limits: Limits,
    answer: Arc<Answer>,
) -> io::Result<()> {
    let listener = match bound {
        Bound::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            Listener::Tcp(TcpListener::from_std(listener)?)
        }
        Bound::Unix(listener) => {
            listener.set_nonblocking(true)?;
            Listener::Unix(UnixListener::from_std(listener)?)
        }
    };
    stop.set_nonblocking(true)?;
    let stop = UnixStream::from_std(stop)?;
    let mut stopped = pin!(stop.readable());
    let (ending, ended) = watch::channel(false);
    let open = Arc::new(Open::default());
    loop {
        let next = {
            let mut accepted = pin!(listener.accept());
            poll_fn(|context| {
                if stopped.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                accepted.as_mut().poll(context).map(Some)
            })
            .await
        };
        match next {
            None => break,
            Some(Err(_)) => sleep(PAUSE).await,
            Some(Ok((socket, peer))) => match open.enter(peer, &limits) {
                Some(counted) => {
                    let stream = Stream::new(socket, limits.write_time);
                    let ended = ended.clone();
                    let answer = Arc::clone(&answer);
                    tokio::spawn(async move {
                        connection(stream, peer, limits, answer, ended).await;
                        drop(counted);
                    });
                }
                None => refuse(&socket),
            },
        }
    }
    drop(listener);
    // Those without a request are closed at once, the others when they are answered.
    let _ = ending.send(true);
    drop(ended);
    let _ = timeout(limits.farewell, ending.closed()).await;
    Ok(())
}

/// Refuses a client because there are too many, as far as that can be done without waiting.
fn refuse(socket: &Socket) {
    const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
        retry-after: 5\r\ncontent-length: 0\r\n\r\n";
    let _ = match socket {
        Socket::Tcp(socket) => socket.try_write(BUSY),
        Socket::Unix(socket) => socket.try_write(BUSY),
    };
}

async fn connection(
    stream: Stream,
    peer: Peer,
    limits: Limits,
    answer: Arc<Answer>,
    mut ended: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let answer = Arc::clone(&answer);
        async move { Ok::<_, Infallible>(written(respond(request, peer, limits, answer).await)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(Clock)
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head)
        .max_headers(limits.fields)
        .half_close(false)
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    let mut life = pin!(sleep(limits.life));
    let mut end = pin!(ended.wait_for(|ended| *ended));
    let mut is_ending = false;
    poll_fn(|context| {
        if !is_ending {
            let is_over = life.as_mut().poll(context).is_ready();
            if is_over || end.as_mut().poll(context).is_ready() {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
        // What a client did wrong is its own affair.
        connection.as_mut().poll(context).map(drop)
    })
    .await;
}

/// Reads the whole request and has it answered.
async fn respond(
    request: hyper::Request<Incoming>,
    peer: Peer,
    limits: Limits,
    answer: Arc<Answer>,
) -> Response {
    let (head, body) = request.into_parts();
    let too_large = || crate::problem::plain(413, "the body of the request is too large");
    if body.size_hint().lower() > limits.body as u64 {
        return too_large().with("connection", "close");
    }
    let read = timeout(limits.body_time, Limited::new(body, limits.body).collect()).await;
    let body = match read {
        Err(_) => {
            return crate::problem::plain(408, "the body of the request did not come in time")
                .with("connection", "close");
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return too_large().with("connection", "close");
        }
        Ok(Err(_)) => return crate::problem::plain(400, "the body of the request is malformed"),
        Ok(Ok(collected)) => collected.to_bytes(),
    };
    let method = match head.method {
        hyper::Method::GET | hyper::Method::HEAD => Method::Get,
        hyper::Method::POST => Method::Post,
        hyper::Method::PATCH => Method::Patch,
        _ => Method::Other,
    };
    if head.uri.authority().is_some() {
        return crate::problem::plain(400, "expected a path, not a whole URL");
    }
    let request = Request {
        method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        peer,
    };
    let answered = tokio::task::spawn_blocking(move || answer(request)).await;
    answered.unwrap_or_else(|_| crate::problem::plain(500, "this is a bug in obit"))
}

fn written(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut written = hyper::Response::new(Full::new(response.body));
    *written.status_mut() = hyper::StatusCode::from_u16(response.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        // A value with a control character is no field; none is made of what clients send.
        if let Ok(value) = HeaderValue::from_str(&value) {
            written.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    written
}
