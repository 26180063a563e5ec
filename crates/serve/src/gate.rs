//! Who asks, and whether the request is one that a page of the server, or a program, could have
//! sent: before anything is read of the store.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::http::{Method, Peer, Request};
use crate::problem::Problem;
use crate::sessions::{Lifetime, Sessions};
use crate::settings::{Auth, Trusted};
use crate::shared::{LINK_COOKIE, Link, Links, Maker};
use crate::stamp::Stamp;
use crate::users::{Role, Users, UsersError, UsersFile, hash_of, is_name, random_token};

/// The cookie that holds a session.
pub(crate) const COOKIE: &str = "obit_session";
/// Characters of a cookie or a token that are looked at.
const LONGEST: usize = 200;
const IDLE: Duration = Duration::from_secs(60 * 60);
const WHOLE: Duration = Duration::from_secs(12 * 60 * 60);

/// How someone is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Everyone who can connect.
    Open,
    /// By a token with each request.
    Bearer,
    /// By a session; the cookie.
    Session(String),
    /// A proxy says so.
    Proxy,
    /// By a shared link; the one page that it opens.
    Link(String),
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) way: Way,
    /// What forms of this person send along.
    pub(crate) csrf: String,
}

/// What lets requests in.
pub(crate) struct Gate {
    auth: Knows,
    pub(crate) sessions: Sessions,
    pub(crate) links: Links,
    /// `HOST:PORT` or `HOST`, in small letters.
    hosts: BTreeSet<String>,
    /// The address for people.
    base: Option<String>,
    /// Random, of this run: what a page sends along is made of it.
    secret: String,
}

enum Knows {
    NoOne,
    Tokens(Mutex<Kept>),
    Proxy { header: String, trusted: Vec<Trusted>, users: Option<Mutex<Kept>> },
}

/// The users as they were read last.
struct Kept {
    file: UsersFile,
    stamp: Stamp,
    users: Users,
}

impl Kept {
    fn read(path: &std::path::Path) -> Result<Mutex<Self>, UsersError> {
        let file = UsersFile::at(path);
        let stamp = file.stamp()?;
        let users = file.read()?;
        Ok(Mutex::new(Self { file, stamp, users }))
    }

    /// As they are now.
    fn now(&mut self) -> Result<&Users, UsersError> {
        let stamp = self.file.stamp()?;
        if stamp != self.stamp {
            self.users = self.file.read()?;
            self.stamp = stamp;
        }
        Ok(&self.users)
    }
}

fn with_users<T>(
    kept: &Mutex<Kept>,
    log: &dyn Fn(&str),
    ask: impl FnOnce(&Users) -> T,
) -> Result<T, Problem> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.now() {
        Ok(users) => Ok(ask(users)),
        Err(error) => {
            log(&error.to_string());
            Err(Problem::new(503, "the users cannot be read; the server's own messages say why"))
        }
    }
}

impl Gate {
    pub(crate) fn new(
        auth: &Auth,
        place: Option<SocketAddr>,
        names: &[String],
        url: Option<&str>,
    ) -> Result<Self, crate::listen::ServeError> {
        let auth = match auth {
            Auth::None => Knows::NoOne,
            Auth::Tokens(path) => Knows::Tokens(Kept::read(path)?),
            Auth::Proxy { header, trusted, users } => Knows::Proxy {
                header: header.clone(),
                trusted: trusted.clone(),
                users: users.as_deref().map(Kept::read).transpose()?,
            },
        };
        let mut hosts: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let of_machine = ["localhost", "127.0.0.1", "[::1]"];
        match place {
            Some(address) => {
                let port = address.port();
                hosts.extend(of_machine.iter().map(|name| format!("{name}:{port}")));
                hosts.insert(address.to_string());
                // A browser leaves out the port of the scheme.
                if port == 80 {
                    hosts.extend(of_machine.iter().map(|name| (*name).to_owned()));
                }
            }
            None => hosts.extend(of_machine.iter().map(|name| (*name).to_owned())),
        }
        let mut base = None;
        if let Some(url) = url {
            let url = url.trim_end_matches('/').to_lowercase();
            let host = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
            let is_host = |host: &&str| !host.is_empty() && !host.contains(['/', '@', '?', '#']);
            let host = host.filter(is_host).ok_or(crate::listen::ServeError::Url)?;
            hosts.insert(host.to_owned());
            base = Some(url);
        }
        let sessions = Sessions::new(Lifetime { idle: IDLE, whole: WHOLE });
        let secret = random_token()?;
        Ok(Self { auth, sessions, links: Links::default(), hosts, base, secret })
    }

    /// Whether browsers reach it by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.base.as_ref().is_some_and(|base| base.starts_with("https:"))
    }

    /// What a cookie is called: with `__Host-` browsers take it from this server alone, and by
    /// TLS alone.
    pub(crate) fn cookie_name(&self, name: &str) -> String {
        let prefix = if self.is_secure() { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    /// What the one who runs the server should know of who may do what.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        let Knows::Proxy { trusted, users: Some(users), .. } = &self.auth else { return None };
        let users = users.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = trusted.iter().any(|one| one.is_of_machine());
        (is_open && users.users.has_role(Role::Owner)).then_some(
            "every process of this machine can connect as the proxy does and name itself an \
             owner: listen on unix:PATH with --trusted-proxy unix, or run nothing else here",
        )
    }

    /// The link with this secret, if the one who made it still may.
    pub(crate) fn link(&self, token: &str, log: &dyn Fn(&str)) -> Result<Option<Link>, Problem> {
        let Some(link) = self.links.of(token) else { return Ok(None) };
        let Maker { name, key } = &link.maker;
        let role = match &self.auth {
            Knows::NoOne => Some(Role::Analyst),
            Knows::Tokens(kept) => with_users(kept, log, |users| {
                let is_same = key.as_ref().is_some_and(|key| users.has_key(name, key));
                is_same.then(|| users.role(name)).flatten()
            })?,
            Knows::Proxy { users: Some(kept), .. } => {
                with_users(kept, log, |users| users.role(name))?
            }
            Knows::Proxy { users: None, .. } => None,
        };
        Ok((role >= Some(Role::Analyst)).then_some(link))
    }

    /// As whom this person makes links.
    pub(crate) fn maker(&self, request: &Request, who: &Who) -> Maker {
        let key = match &who.way {
            Way::Session(cookie) => self.sessions.of(cookie).map(|(_, key)| key),
            Way::Bearer => bearer(request).map(hash_of),
            Way::Open | Way::Proxy | Way::Link(_) => None,
        };
        Maker { name: who.name.clone(), key }
    }

    /// Whether there is a login.
    pub(crate) fn has_login(&self) -> bool {
        matches!(self.auth, Knows::Tokens(_))
    }

    /// The address by which the client asks, without the last slash. To be called when the
    /// host is checked.
    pub(crate) fn base(&self, request: &Request) -> String {
        match &self.base {
            Some(base) => base.clone(),
            None => format!("http://{}", request.header("host").unwrap_or_default().to_lowercase()),
        }
    }

    /// Whether the name by which the client asks is one of this server: a name of someone else
    /// that leads to this machine must not open it to his page (DNS rebinding).
    pub(crate) fn check_host(&self, request: &Request) -> Result<(), Problem> {
        let host = request.header("host").unwrap_or_default().to_lowercase();
        if self.hosts.contains(&host) {
            return Ok(());
        }
        // A name that is allowed whatever the port is.
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        if !name.is_empty() && self.hosts.contains(name) {
            return Ok(());
        }
        let problem = "this server is not known by that name; `obit serve --host NAME` or --url \
                       adds one";
        Err(Problem::new(421, problem))
    }

    /// Who asks; `None` if no one is known.
    pub(crate) fn who(
        &self,
        request: &Request,
        log: &dyn Fn(&str),
    ) -> Result<Option<Who>, Problem> {
        let known = match &self.auth {
            Knows::NoOne => Some(("local".to_owned(), Role::Analyst, Way::Open)),
            Knows::Tokens(kept) => self.by_token(request, kept, log)?,
            Knows::Proxy { header, trusted, users } => {
                if !trusted.iter().any(|one| one.is(request.peer)) {
                    let problem = "this server is asked through its proxy only";
                    return Err(Problem::new(403, problem));
                }
                match request.header(header).map(str::trim) {
                    Some(name) if is_name(name) => {
                        let role = match users {
                            Some(kept) => with_users(kept, log, |users| users.role(name))?,
                            None => None,
                        };
                        let role = role.unwrap_or(Role::Viewer);
                        Some((name.to_owned(), role, Way::Proxy))
                    }
                    Some(_) => {
                        let problem = "the proxy's name of the user is not one: letters, digits \
                                       and . _ - @ are";
                        return Err(Problem::new(403, problem));
                    }
                    None => None,
                }
            }
        };
        let known = match (known, cookie(request, &self.cookie_name(LINK_COOKIE))) {
            (None, Some(token)) => self
                .link(token, log)?
                .map(|link| ("shared-link".to_owned(), Role::Viewer, Way::Link(link.group))),
            (known, _) => known,
        };
        Ok(known.map(|(name, role, way)| {
            let csrf = self.csrf(&name, &way);
            Who { name, role, way, csrf }
        }))
    }

    fn by_token(
        &self,
        request: &Request,
        kept: &Mutex<Kept>,
        log: &dyn Fn(&str),
    ) -> Result<Option<(String, Role, Way)>, Problem> {
        if let Some(field) = request.header("authorization") {
            let Some(token) = token_of(field) else { return Ok(None) };
            let found = with_users(kept, log, |users| {
                users.of_token(token).map(|(name, role)| (name.to_owned(), role))
            })?;
            return Ok(found.map(|(name, role)| (name, role, Way::Bearer)));
        }
        let Some(cookie) = cookie(request, &self.cookie_name(COOKIE)) else { return Ok(None) };
        let Some((name, key)) = self.sessions.of(cookie) else { return Ok(None) };
        // The token may have been replaced, or the user removed, since the login.
        let role = with_users(kept, log, |users| {
            users.has_key(&name, &key).then(|| users.role(&name)).flatten()
        })?;
        Ok(role.map(|role| (name, role, Way::Session(cookie.to_owned()))))
    }

    /// Whether the request has a token that is no one's.
    pub(crate) fn is_guess(&self, request: &Request, who: Option<&Who>) -> bool {
        let is_known = who.is_some_and(|who| who.way == Way::Bearer);
        self.has_login() && bearer(request).is_some() && !is_known
    }

    /// Begins a session for whom this token is of; `None` if it is of no one.
    pub(crate) fn log_in(
        &self,
        token: &str,
        log: &dyn Fn(&str),
    ) -> Result<Option<(String, Role, String)>, Problem> {
        let Knows::Tokens(kept) = &self.auth else { return Ok(None) };
        if token.len() > LONGEST {
            return Ok(None);
        }
        let found = with_users(kept, log, |users| {
            users.of_token(token).map(|(name, role)| (name.to_owned(), role))
        })?;
        let Some((name, role)) = found else { return Ok(None) };
        let cookie = self.sessions.begin(&name, hash_of(token));
        let cookie = cookie.map_err(|_| Problem::new(503, "the system has no randomness"))?;
        Ok(Some((name, role, cookie)))
    }

    /// What forms of a person send along. The outer hash keeps anyone from extending it.
    fn csrf(&self, name: &str, way: &Way) -> String {
        let session = match way {
            Way::Session(cookie) => hash_of(cookie),
            _ => format!("name:{name}"),
        };
        hash_of(&format!("{}{}", self.secret, hash_of(&format!("{}{session}", self.secret))))
    }

    /// Whether a request that changes something was sent by a page of this server, or by a
    /// program: a browser says which page it was.
    pub(crate) fn check_origin(&self, request: &Request) -> Result<(), Problem> {
        if request.method == Method::Get {
            return Ok(());
        }
        let foreign = || Err(Problem::new(403, "the request was sent by a page of another site"));
        if request.has("origin") {
            let origin = request.header("origin").unwrap_or_default().to_lowercase();
            let is_base = Some(&origin) == self.base.as_ref();
            let host = request.header("host").unwrap_or_default().to_lowercase();
            let is_here = ["http://", "https://"]
                .iter()
                .any(|scheme| origin.strip_prefix(scheme) == Some(host.as_str()));
            return if is_base || is_here { Ok(()) } else { foreign() };
        }
        match request.header("sec-fetch-site") {
            None | Some("same-origin" | "none") => Ok(()),
            Some(_) => foreign(),
        }
    }
}

/// The token that a request has for itself.
fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization").and_then(token_of)
}

pub(crate) fn token_of(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST).then_some(token)
}

/// The value of a cookie.
pub(crate) fn cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let all = request.header("cookie")?;
    let mut pairs = all.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(one, _)| *one == name)?;
    (!value.is_empty() && value.len() <= LONGEST).then_some(value)
}

/// By which requests are counted before it is known who asks.
pub(crate) fn client(peer: Peer) -> String {
    peer.counted().to_string()
}
