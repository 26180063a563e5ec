//! From a request to its answer: who asks, whether that may be, then the page or the API.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use obit_render::served::{Frame, POLICY, Place, problem as problem_page};
use obit_triage::StoreError;
use obit_triage::history::Exposure;
use obit_triage::store::StoreTrouble;

use crate::audit::{Anchor, AuditError, AuditLog, Entry, Line};
use crate::desk::Desk;
use crate::exposures::Exposures;
use crate::gate::{Gate, Way, Who, client};
use crate::http::{Answers, Method, Request, Response};
use crate::listen::ServeError;
use crate::problem::Problem;
use crate::rate::{Allowance, Rate};
use crate::routes::{Action, Matched, Route, find, is_api};
use crate::settings::Settings;
use crate::shared::Link;
use crate::sparse::Sparse;
use crate::users::Role;

/// Wrong tokens of a client: a few at once, then one in six seconds.
const GUESSES: Allowance = Allowance { per_second: 1.0 / 6.0, at_once: 10.0 };
/// Entries on refused logins, and on openings of each shared link.
const ALIKE: Allowance = Allowance { per_second: 1.0 / 60.0, at_once: 10.0 };
/// Changes of a person, and links, reveals and logins.
const CHANGES: Allowance = Allowance { per_second: 2.0, at_once: 60.0 };
/// Requests at once, in seconds of the rate.
const BURST: f64 = 4.0;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// By the store.
    Store(StoreError),
    /// By what was asked.
    Problem(Problem),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// A request with what is known of it.
pub(crate) struct Asked<'r> {
    pub(crate) request: &'r Request,
    pub(crate) route: Route,
    /// The open part of the path.
    pub(crate) id: String,
    /// `None` where everybody may ask.
    pub(crate) who: Option<Who>,
}

impl Asked<'_> {
    /// Who asks; where everybody may, no one who is known.
    pub(crate) fn role(&self) -> Role {
        self.who.as_ref().map_or(Role::Viewer, |who| who.role)
    }
}

/// The server, without its connections.
pub(crate) struct App {
    pub(crate) desk: Desk,
    pub(crate) gate: Gate,
    pub(crate) log: AuditLog,
    pub(crate) settings: Settings,
    exposures: Exposures,
    /// Held while a question is asked of the cores.
    pub(crate) asking_cores: Mutex<()>,
    asking: Rate,
    guesses: Rate,
    changes: Rate,
    refusals: Sparse,
    openings: Sparse,
    audited: Mutex<Audited>,
}

/// What this server knows of its audit log.
struct Audited {
    /// The last line that it wrote or found.
    last: Option<Anchor>,
    /// What was wrong with the log when it started; nothing is written to it then.
    closed: Option<&'static str>,
}

impl App {
    pub(crate) fn new(
        mut settings: Settings,
        place: Option<SocketAddr>,
    ) -> Result<Self, ServeError> {
        let desk = Desk::open(&settings.store)?;
        let gate = Gate::new(&settings.auth, place, &settings.hosts, settings.url.as_deref())?;
        if let Some(warning) = gate.warning() {
            (settings.log)(warning);
        }
        let log = AuditLog::beside(&settings.store);
        let found = match log.path().exists() {
            true => log.repair((settings.clock)()),
            false => Ok(None),
        };
        let audited = match found {
            Ok(last) => Audited { last, closed: None },
            Err(error) => {
                (settings.log)(&error.to_string());
                (settings.log)(
                    "nothing can be changed, revealed or shared until the server is started with \
                     a whole audit log: move this one away, and keep it",
                );
                let why = match error {
                    AuditError::Io { .. } => "could not be used",
                    _ => "was changed before",
                };
                Audited { last: None, closed: Some(why) }
            }
        };
        let asking = settings.rate.map(|rate| {
            let per_second = f64::from(rate.max(1));
            Allowance { per_second, at_once: per_second * BURST }
        });
        Ok(Self {
            desk,
            gate,
            log,
            exposures: Exposures::of(settings.exposure.take()),
            settings,
            asking_cores: Mutex::new(()),
            asking: Rate::new(asking),
            guesses: Rate::new(Some(GUESSES)),
            changes: Rate::new(Some(CHANGES)),
            refusals: Sparse::new(ALIKE),
            openings: Sparse::new(ALIKE),
            audited: Mutex::new(audited),
        })
    }

    pub(crate) fn now(&self) -> i64 {
        (self.settings.clock)()
    }

    /// How much each build ran, as the file says now.
    pub(crate) fn exposure(&self) -> Option<Arc<Exposure>> {
        self.exposures.current(&*self.settings.log).0
    }

    /// An answer that depends on `key`, the exposures and the store alone.
    pub(crate) fn kept(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<Vec<u8>, Failed>,
    ) -> Result<Bytes, Failed> {
        let (_, version) = self.exposures.current(&*self.settings.log);
        self.desk.kept(&format!("{version} {key}"), make)?.ok_or_else(|| {
            let problem = Problem::new(503, "the answer is being made: ask again in a few seconds");
            problem.with("retry-after", "2").into()
        })
    }
}

impl Answers for App {
    fn is_light(&self, request: &Request) -> bool {
        match find(request.method, &request.path) {
            Matched::Route(route, _) => matches!(
                route.action,
                Action::Style
                    | Action::Script
                    | Action::AskLogin
                    | Action::Login
                    | Action::Logout
                    | Action::AskShared
                    | Action::OpenShared
                    | Action::ApiDescription
            ),
            Matched::Methods(_) | Matched::Nothing => true,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        self.fielded(self.let_in(request))
    }

    fn busy(&self, request: &Request) -> Response {
        let problem = Problem::new(503, "the server is busy: ask again in a few seconds");
        self.fielded(self.refused(request, None, &problem.with("retry-after", "5")))
    }
}

impl App {
    /// With the fields that every answer has.
    fn fielded(&self, mut response: Response) -> Response {
        let has =
            |response: &Response, name: &str| response.headers.iter().any(|(one, _)| *one == name);
        for (name, value) in [
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            // With `no-referrer` a browser hides from which page a form is (`Origin: null`).
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            if !has(&response, name) {
                response.headers.push((name, value.to_owned()));
            }
        }
        if self.gate.is_secure() {
            let year = "max-age=31536000";
            response.headers.push(("strict-transport-security", year.to_owned()));
        }
        response
    }

    fn let_in(&self, request: &Request) -> Response {
        if let Err(problem) = self.gate.check_host(request) {
            return problem.json();
        }
        if !request.is_again
            && let Err(seconds) = self.asking.take(&client(request.peer))
        {
            return self.refused(request, None, &too_many(seconds));
        }
        let (route, id) = match find(request.method, &request.path) {
            Matched::Route(route, id) => (route, id),
            Matched::Methods(methods) => {
                let problem = Problem::new(405, "this address does not take that method");
                let problem = problem.with("allow", methods.join(", "));
                return self.refused(request, None, &problem);
            }
            Matched::Nothing => {
                return self.refused(request, None, &Problem::new(404, "there is no such page"));
            }
        };
        let who = match self.gate.who(request, &*self.settings.log) {
            Ok(who) => who,
            Err(problem) => return self.refused(request, None, &problem),
        };
        let asked = Asked { request, route, id, who };
        let answered = self
            .check(&asked)
            .map_err(Failed::from)
            .and_then(|()| if is_api(route.path) { self.api(&asked) } else { self.page(&asked) });
        answered.unwrap_or_else(|failed| {
            let problem = self.problem_of(failed);
            self.refused(request, asked.who.as_ref(), &problem)
        })
    }

    /// Whether this person may ask this.
    fn check(&self, asked: &Asked<'_>) -> Result<(), Problem> {
        let Asked { request, route, who, .. } = asked;
        self.gate.check_origin(request)?;
        if self.gate.is_guess(request, who.as_ref()) {
            self.guessed(request)?;
        }
        let Some(least) = route.least else { return Ok(()) };
        let Some(who) = who else {
            let problem = Problem::new(401, "log in, or send a token: Authorization: Bearer TOKEN");
            return Err(problem.with("www-authenticate", "Bearer realm=\"obit\""));
        };
        if let Way::Link(page) = &who.way
            && (route.action != Action::Group || *page != asked.id)
        {
            return Err(Problem::new(403, "the shared link opens another page"));
        }
        if who.role < least {
            let problem = format!("this needs the role {least}; yours is {}", who.role);
            return Err(Problem::new(403, problem));
        }
        if request.method != Method::Get && route.action != Action::Logout {
            self.changes.take(&who.name).map_err(too_many)?;
        }
        Ok(())
    }

    /// Counts a token, or the secret of a link, that is none. What is right is not counted:
    /// those who guess do not keep others of the same address out.
    pub(crate) fn guessed(&self, request: &Request) -> Result<(), Problem> {
        self.guesses.take(&client(request.peer)).map_err(too_many)
    }

    /// Counts a login of someone who is known.
    pub(crate) fn came(&self, name: &str) -> Result<(), Problem> {
        self.changes.take(name).map_err(too_many)
    }

    /// Writes to the audit log that a token was refused, if not too many were.
    pub(crate) fn audit_refusal(&self, request: &Request) {
        let Some(detail) = self.refusals.detail("") else { return };
        let (name, csrf) = (String::new(), String::new());
        let no_one = Who { name, role: Role::Viewer, way: Way::Open, csrf };
        self.audit_presence(&no_one, "login-refused", &request.peer.to_string(), &detail);
    }

    /// Writes to the audit log that someone opened a shared link, if not too many did.
    pub(crate) fn audit_opening(&self, request: &Request, link: &Link) {
        let Some(detail) = self.openings.detail(&link.mark) else { return };
        let name = "shared-link".to_owned();
        let who = Who { name, role: Role::Viewer, way: Way::Open, csrf: String::new() };
        let by = format!("link {}, by {} {detail}", link.mark, request.peer);
        self.audit_presence(&who, "open-link", &link.group, by.trim_end());
    }

    /// A failure as its reader sees it. What the store says may name files, so it goes to the
    /// one who runs the server.
    pub(crate) fn problem_of(&self, failed: Failed) -> Problem {
        match failed {
            Failed::Problem(problem) => problem,
            Failed::Store(error) => {
                if error.trouble() == StoreTrouble::Asked && matches!(error, StoreError::Group(_)) {
                    return Problem::new(422, error.to_string());
                }
                (self.settings.log)(&error.to_string());
                let problem = match error.trouble() {
                    StoreTrouble::NotWritten => "the store cannot be written",
                    StoreTrouble::Unusable | StoreTrouble::Asked => "the store cannot be read",
                };
                let problem = format!("{problem}; the server's own messages say why");
                Problem::new(503, problem)
            }
        }
    }

    /// A failure as a page, or as JSON for programs.
    fn refused(&self, request: &Request, who: Option<&Who>, problem: &Problem) -> Response {
        if is_api(&request.path) {
            return problem.json();
        }
        if problem.status == 401 && self.gate.has_login() && request.method == Method::Get {
            return Response::see_other("/login");
        }
        let content = problem_page(problem.title(), &problem.detail);
        let mut response =
            self.html(problem.status, who, problem.title(), Place::Elsewhere, &content);
        response.headers.extend(problem.headers.iter().cloned());
        response
    }

    /// A page with what is around its content.
    pub(crate) fn html(
        &self,
        status: u16,
        who: Option<&Who>,
        title: &str,
        place: Place,
        content: &str,
    ) -> Response {
        let frame = Frame {
            user: who.map(|who| (who.name.clone(), who.role.word().to_owned())),
            can_log_out: who.is_some_and(|who| matches!(who.way, Way::Session(_))),
            can_audit: who.is_some_and(|who| who.role == Role::Owner),
            can_query: self.settings.cores.is_some()
                && who.is_some_and(|who| who.role >= Role::Analyst),
            csrf: who.map(|who| who.csrf.clone()).unwrap_or_default(),
        };
        Response::of(status, "text/html; charset=utf-8", frame.page(title, place, content))
    }

    /// Writes to the audit log that someone came or went. They may even if it cannot be
    /// written: only what they do needs the log.
    pub(crate) fn audit_presence(&self, who: &Who, action: &str, target: &str, detail: &str) {
        if self.audit(who, action, target, detail).is_err() {
            let name = if who.name.is_empty() { "no one" } else { who.name.as_str() };
            (self.settings.log)(&format!("not in the audit log: {action} of {name}, {target}"));
        }
    }

    /// Writes to the audit log; without that nothing is changed, revealed or shared.
    pub(crate) fn audit(
        &self,
        who: &Who,
        action: &str,
        target: &str,
        detail: &str,
    ) -> Result<(), Failed> {
        let entry = Entry {
            time: self.now(),
            user: who.name.clone(),
            role: who.role.word().to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            detail: detail.to_owned(),
            ..Entry::default()
        };
        let mut audited = self.audited.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = audited.closed {
            let problem = format!(
                "the audit log {why} when the server started, so nothing is changed, revealed or \
                 shared; `obit audit verify` says more"
            );
            return Err(Problem::new(503, problem).into());
        }
        match self.log.append(entry, audited.last.as_ref()) {
            Ok(anchor) => {
                audited.last = Some(anchor);
                Ok(())
            }
            Err(error) => {
                (self.settings.log)(&error.to_string());
                let problem = "the audit log cannot be written, so nothing is changed, revealed \
                               or shared";
                Err(Problem::new(503, problem).into())
            }
        }
    }

    /// Reads the whole audit log and checks it. What this server wrote last must be there.
    pub(crate) fn audit_lines(
        &self,
        take: &mut dyn FnMut(&Line),
    ) -> Result<Option<Anchor>, AuditError> {
        let last = self.audited.lock().unwrap_or_else(PoisonError::into_inner).last.clone();
        match last.is_some() || self.log.path().exists() {
            true => self.log.verify(last.as_ref(), take),
            false => Ok(None),
        }
    }
}

fn too_many(seconds: u64) -> Problem {
    let problem = format!("too many requests: ask again in {seconds} s");
    Problem::new(429, problem).with("retry-after", seconds.to_string())
}
