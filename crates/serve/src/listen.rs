//! A server that is bound: what is refused before anything is served, and how it runs.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use obit_triage::StoreError;

use crate::answer::App;
use crate::http::{Bound, Limits, run};
use crate::settings::{Auth, Listen, Settings};
use crate::users::UsersError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Everybody on the network could ask.
    #[error(
        "{0} is not an address of this machine alone: say who may ask with --auth, or listen on \
         127.0.0.1"
    )]
    Exposed(String),
    /// Programs of other machines could ask.
    #[error("{0} is not an address of this machine alone: listen on 127.0.0.1 or [::1]")]
    NotLoopback(String),
    /// The token could be guessed, or cannot be sent.
    #[error("a token is a word of {0} letters or more, without spaces")]
    Token(usize),
    /// The address cannot be listened on.
    #[error("cannot listen on {place}: {source}")]
    Bind {
        /// The address.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// There is something else where the socket would be.
    #[error("{} is there and is not a socket that no one listens on", .0.display())]
    Taken(PathBuf),
    /// The address for people is none.
    #[error("expected an http or https address without a path, such as https://crashes.example")]
    Url,
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The users are not known.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The system has no randomness or threads.
    #[error("the server cannot start: {0}")]
    Io(#[from] io::Error),
}

/// A server that is bound and not yet running.
pub struct Server {
    bound: Bound,
    app: App,
    url: String,
    socket: Option<PathBuf>,
}

impl Server {
    /// Binds the address and opens the store; nothing is answered yet.
    ///
    /// # Errors
    /// When nothing could be served, or to people who should not see it.
    pub fn bind(settings: Settings) -> Result<Self, ServeError> {
        let mut socket = None;
        let (bound, place) = match &settings.listen {
            Listen::Tcp(address) => {
                if !address.ip().is_loopback() && settings.auth == Auth::None {
                    return Err(ServeError::Exposed(address.to_string()));
                }
                let failed = |source| ServeError::Bind { place: address.to_string(), source };
                let listener = TcpListener::bind(address).map_err(failed)?;
                let address = listener.local_addr()?;
                (Bound::Tcp(listener), Some(address))
            }
            Listen::Unix(path) => {
                let listener = unix(path)?;
                socket = Some(path.clone());
                (Bound::Unix(listener), None)
            }
        };
        let url = match (&settings.url, place, &socket) {
            (Some(url), ..) => format!("{}/", url.trim_end_matches('/')),
            (None, Some(address), _) => format!("http://{address}/"),
            (None, None, path) => {
                format!("unix:{}", path.as_deref().unwrap_or(Path::new("")).display())
            }
        };
        let app = App::new(settings, place)?;
        Ok(Self { bound, app, url, socket })
    }

    /// Its address, for people.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers requests until something comes from `stop`, or its other end is closed.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn run(self, stop: UnixStream) -> Result<(), ServeError> {
        let outcome = run(self.bound, stop, Limits::default(), Arc::new(self.app));
        if let Some(path) = self.socket {
            // It may be gone already.
            let _ = fs::remove_file(path);
        }
        Ok(outcome?)
    }
}

/// A socket for this user alone. One that is left of a server that was killed is replaced.
fn unix(path: &Path) -> Result<UnixListener, ServeError> {
    let failed = |source| ServeError::Bind { place: path.display().to_string(), source };
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() || UnixStream::connect(path).is_ok() {
            return Err(ServeError::Taken(path.to_owned()));
        }
        fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}
