//! Connections, one task each on one thread; requests are answered by a few threads beside it,
//! since the store is read by calls that block.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use rustix::io::Errno;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout, timeout_at};

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

/// How long after an answer that there is none yet it is asked for again.
const AGAIN: Duration = Duration::from_millis(250);

/// What answers requests, on threads that may block.
pub(crate) trait Answers: Send + Sync {
    /// Whether the request needs neither the store nor much time.
    fn is_light(&self, request: &Request) -> bool;

    /// Answers it. To a `GET`, 503 with `Retry-After` says that there is no answer yet.
    fn answer(&self, request: &Request) -> Response;

    /// The answer to one that waited too long.
    fn busy(&self, request: &Request) -> Response;
}

/// What connections share.
struct Site {
    answers: Arc<dyn Answers>,
    limits: Limits,
    /// As many as may ask the store at once.
    store: Arc<Semaphore>,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (socket, address): (_, SocketAddr) = listener.accept().await?;
                // Answers are written whole: there is nothing to wait for. A client that is gone
                // already is found later.
                let _ = socket.set_nodelay(true);
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
    answers: Arc<dyn Answers>,
) -> io::Result<()> {
    let store = Arc::new(Semaphore::new(limits.at_once));
    let site = Arc::new(Site { answers, limits, store });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(limits.at_once + limits.light)
        .build()?;
    let outcome = runtime.block_on(accept(bound, stop, &site));
    runtime.shutdown_timeout(limits.farewell);
    outcome
}

async fn accept(bound: Bound, stop: StdUnixStream, site: &Arc<Site>) -> io::Result<()> {
    let limits = site.limits;
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
            Some(Err(error)) if is_exhausted(&error) => sleep(PAUSE).await,
            // Of one connection, which is gone.
            Some(Err(_)) => yield_now().await,
            Some(Ok((socket, peer))) => match open.enter(peer, &limits) {
                Some(counted) => {
                    let stream = Stream::new(socket, limits.write_time);
                    let ended = ended.clone();
                    let site = Arc::clone(site);
                    tokio::spawn(async move {
                        connection(stream, peer, site, ended).await;
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

/// Whether there is no room for another connection, which takes a while to change.
fn is_exhausted(error: &io::Error) -> bool {
    let of = Errno::from_io_error(error);
    matches!(of, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS))
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

async fn connection(stream: Stream, peer: Peer, site: Arc<Site>, mut ended: watch::Receiver<bool>) {
    let limits = site.limits;
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(written(respond(request, peer, &site).await)) }
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
    let mut last = pin!(sleep(limits.life + limits.grace));
    let mut end = pin!(ended.wait_for(|ended| *ended));
    let mut is_ending = false;
    poll_fn(|context| {
        // A client that takes an answer bit by bit does not keep the connection.
        if last.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
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
async fn respond(request: hyper::Request<Incoming>, peer: Peer, site: &Site) -> Response {
    let limits = site.limits;
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
        hyper::Method::DELETE => Method::Delete,
        _ => Method::Other,
    };
    if head.uri.authority().is_some() {
        return crate::problem::plain(400, "expected a path, not a whole URL");
    }
    let mut request = Request {
        method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        peer,
        is_again: false,
        gone: Arc::new(AtomicBool::new(false)),
    };
    let _waits = Waits(Arc::clone(&request.gone));
    let end = Instant::now() + limits.patience;
    loop {
        let answered = answered(&request, site, end).await;
        let is_wanted_again = answered.status == 503
            && request.method == Method::Get
            && answered.headers.iter().any(|(name, _)| *name == "retry-after");
        if !is_wanted_again || Instant::now() + AGAIN >= end {
            return answered;
        }
        // Without a thread meanwhile.
        request.is_again = true;
        sleep(AGAIN).await;
    }
}

/// Someone who waits for an answer: the connection drops it with what it was for.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Has a request answered on a thread, when there is one until `end`.
async fn answered(request: &Request, site: &Site, end: Instant) -> Response {
    let mut place = None;
    if !site.answers.is_light(request) {
        let Ok(Ok(one)) = timeout_at(end, Arc::clone(&site.store).acquire_owned()).await else {
            return site.answers.busy(request);
        };
        place = Some(one);
    }
    let (request, answers) = (request.clone(), Arc::clone(&site.answers));
    let answered = tokio::task::spawn_blocking(move || {
        // Kept as long as the thread is, also if the client is gone.
        let _place = place;
        answers.answer(&request)
    });
    answered.await.unwrap_or_else(|_| crate::problem::plain(500, "this is a bug in obit"))
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

#[cfg(test)]
mod tests;
