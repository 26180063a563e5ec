//! The pages, and what their forms do.

use std::time::Duration;

use obit_redact::Level;
use obit_render::served::{self, AuditRow, FEED_ENTRIES, FEED_MEDIA, GroupView, Place};
use obit_triage::store::Found;
use obit_triage::views::{Filter, GroupDetail, Sort, ViewOptions};
use obit_triage::{Record, Store};

use crate::answer::{App, Asked, Failed};
use crate::asked::{Fields, OF_VIEW};
use crate::change::of_form;
use crate::gate::{COOKIE, Way, Who};
use crate::http::Response;
use crate::problem::Problem;
use crate::routes::Action;
use crate::shared::{LINK_COOKIE, mark_of};
use crate::users::{Role, random_token};

/// Groups of a page, dumps of a group, lines of the audit log.
const GROUPS: usize = 50;
const DUMPS: usize = 50;
const LINES: usize = 200;
/// The last page that can be asked for.
const LAST_PAGE: usize = 100_000;
/// How long assets may be kept, in seconds.
const KEPT: &str = "private, max-age=300";

impl App {
    pub(crate) fn page(&self, asked: &Asked<'_>) -> Result<Response, Failed> {
        match (asked.route.action, &asked.who) {
            (Action::Style, _) => {
                let style = Response::of(200, "text/css; charset=utf-8", served::style());
                Ok(style.with("cache-control", KEPT))
            }
            (Action::Script, _) => {
                let script = Response::of(200, "text/javascript; charset=utf-8", served::script());
                Ok(script.with("cache-control", KEPT))
            }
            (Action::AskLogin, who) => Ok(self.ask_login(who.as_ref())),
            (Action::Login, _) => self.log_in(asked),
            (Action::AskShared, who) => {
                let content = served::shared(None);
                Ok(self.html(200, who.as_ref(), "Shared page", Place::Elsewhere, &content))
            }
            (Action::OpenShared, who) => self.open_shared(asked, who.as_ref()),
            (action, Some(who)) => match action {
                Action::Dashboard => self.dashboard(asked, who),
                Action::Group => self.group(asked, who, 200, None),
                Action::ChangeGroup => self.change_group(asked, who),
                Action::Share => self.share(asked, who),
                Action::Crash => self.crash(asked, who),
                Action::AskReveal => self.ask_reveal(asked, who, None),
                Action::Reveal => self.reveal(asked, who),
                Action::Compare => self.compare(asked, who),
                Action::Builds => self.builds(asked, who),
                Action::AskQuery => self.query_page(asked, who),
                Action::Query => self.query(asked, who),
                Action::Audit => self.audit_page(asked, who),
                Action::Logout => self.log_out(asked, who),
                Action::Feed => self.feed(asked, who),
                _ => Err(Problem::new(404, "there is no such page").into()),
            },
            // Those who are not known got no further.
            (_, None) => Err(Problem::new(401, "log in first").into()),
        }
    }

    fn dashboard(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        let fields = Fields::read(asked.request.query.as_bytes())?;
        let known: Vec<&str> = OF_VIEW.iter().copied().chain(["page"]).collect();
        fields.only(&known)?;
        let view = fields.view(self.now())?;
        let page = fields.number("page", 1, LAST_PAGE)?.max(1);
        // The id or name of one thing leads to it.
        if !fields.get("find").is_empty() {
            match self.desk.ask(who.role.level(), |store| store.find(fields.get("find")))? {
                Found::Group(id) | Found::Merged(_, id) => {
                    return Ok(Response::see_other(&served::group_path(&id)));
                }
                Found::Dump(id) => return Ok(Response::see_other(&served::crash_path(&id))),
                Found::Several(_) | Found::Nothing => {}
            }
        }
        let minute = if view.is_relative { self.now() / 60 } else { 0 };
        let key = format!("/ {:?} {minute} {}", who.role.level(), fields.key());
        let content = self.kept(&key, || {
            let options = self.options(&view.options);
            let skipped = (page - 1).saturating_mul(GROUPS);
            let groups = self
                .desk
                .ask(who.role.level(), |store| store.group_page(&options, skipped, GROUPS))?;
            Ok(served::dashboard(&groups, &fields.typed(page, GROUPS)).into_bytes())
        })?;
        let content = String::from_utf8_lossy(&content);
        Ok(self.html(200, Some(who), "Groups", Place::Groups, &content))
    }

    fn group(
        &self,
        asked: &Asked<'_>,
        who: &Who,
        status: u16,
        problem: Option<&str>,
    ) -> Result<Response, Failed> {
        if asked.request.method == crate::http::Method::Get {
            Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        }
        let (detail, revision) =
            self.desk.ask(who.role.level(), |store| self.detail(store, &asked.id, DUMPS))?;
        if detail.group.id != asked.id && status == 200 {
            return Ok(Response::see_other(&served::group_path(&detail.group.id)));
        }
        let can_change = who.role >= Role::Analyst;
        let view = GroupView {
            detail: &detail,
            revision: &revision,
            csrf: can_change.then_some(who.csrf.as_str()),
            can_reveal: who.role >= Role::Owner,
            problem,
        };
        let title = format!("Group {}", detail.group.id);
        Ok(self.html(status, Some(who), &title, Place::Groups, &served::group(&view)))
    }

    /// A group in full, by its id, its name or the start of its id; and its revision.
    pub(crate) fn detail(
        &self,
        store: &Store,
        id: &str,
        dumps: usize,
    ) -> Result<(GroupDetail, String), Failed> {
        let nothing = || Failed::from(Problem::new(404, "no group has this id"));
        let id = match store.find(id)? {
            Found::Group(id) | Found::Merged(_, id) => id,
            Found::Dump(dump) => store.group_of(&dump)?.ok_or_else(nothing)?,
            Found::Several(_) | Found::Nothing => return Err(nothing()),
        };
        // Before the rest: what is changed meanwhile makes it old.
        let revision = store.revision(&id)?.ok_or_else(nothing)?;
        let detail = store.detail(&id, &self.options(&ViewOptions::default()), dumps)?;
        Ok((detail.ok_or_else(nothing)?, revision))
    }

    fn change_group(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        let fields = self.form(asked, who)?;
        let made = of_form(&fields, self.now())
            .map_err(Failed::from)
            .and_then(|change| self.change(who, &asked.id, &change, fields.get("revision")));
        match made {
            Ok(_) => Ok(Response::see_other(&served::group_path(&asked.id))),
            Err(failed) => {
                let problem = self.problem_of(failed);
                match problem.status {
                    412 | 422 => {
                        let status = if problem.status == 412 { 409 } else { 422 };
                        self.group(asked, who, status, Some(&problem.detail))
                    }
                    _ => Err(problem.into()),
                }
            }
        }
    }

    /// The fields of a form that a page of this person sent.
    pub(crate) fn form(&self, asked: &Asked<'_>, who: &Who) -> Result<Fields, Problem> {
        if !asked.request.is_of_type("application/x-www-form-urlencoded") {
            return Err(Problem::new(415, "expected a form of a page of this server"));
        }
        let fields = Fields::read(&asked.request.body)?;
        if who.way != Way::Bearer && fields.get("csrf") != who.csrf {
            let problem = "the form is not of this session: load its page again";
            return Err(Problem::new(403, problem));
        }
        Ok(fields)
    }

    fn crash(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        self.crash_at(&asked.id, who.role.level())
    }

    /// The page of a crash at this level, as far as it was stored.
    fn crash_at(&self, id: &str, level: Level) -> Result<Response, Failed> {
        let (report, group) = self.desk.ask(level, |store| {
            let dump = dump_named(store, id)?;
            let report = store.report_of(&dump)?.ok_or_else(|| {
                Failed::from(Problem::new(410, "its record was removed from the store"))
            })?;
            Ok::<_, Failed>((report, store.group_of(&dump)?))
        })?;
        let mut page = Vec::new();
        // Writing to memory does not fail.
        let _ = served::write_crash(&mut page, &report, group.as_deref());
        let response = Response::of(200, "text/html; charset=utf-8", page);
        Ok(response.with("content-security-policy", served::crash_policy()))
    }

    fn ask_reveal(
        &self,
        asked: &Asked<'_>,
        who: &Who,
        problem: Option<&str>,
    ) -> Result<Response, Failed> {
        let dump = self.desk.ask(who.role.level(), |store| dump_named(store, &asked.id))?;
        let content = served::reveal(&dump, &who.csrf, problem);
        let status = if problem.is_some() { 422 } else { 200 };
        Ok(self.html(status, Some(who), "Reveal a crash", Place::Elsewhere, &content))
    }

    fn reveal(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        let fields = self.form(asked, who)?;
        match self.revealed(who, &asked.id, fields.get("reason")) {
            Ok(dump) => self.crash_at(&dump, Level::Off),
            Err(Failed::Problem(problem)) if problem.status == 422 => {
                self.ask_reveal(asked, who, Some(&problem.detail))
            }
            Err(failed) => Err(failed),
        }
    }

    /// Writes to the audit log that this person reveals this dump, if the store holds more of it
    /// than is shown otherwise.
    pub(crate) fn revealed(&self, who: &Who, id: &str, reason: &str) -> Result<String, Failed> {
        let reason = reason.trim();
        if !(3..=500).contains(&reason.chars().count()) {
            let problem = "say why: the reason has 3 to 500 characters";
            return Err(Problem::new(422, problem).into());
        }
        let (dump, level) = self.desk.ask(Level::Off, |store| {
            let dump = dump_named(store, id)?;
            let record = store.record_of(&dump)?.ok_or_else(|| {
                Failed::from(Problem::new(410, "its record was removed from the store"))
            })?;
            Ok::<_, Failed>((dump, record.redactions.level()))
        })?;
        if level >= who.role.level() {
            let problem = format!(
                "the store holds this crash redacted at the level {}: there is nothing to reveal",
                level.word()
            );
            return Err(Problem::new(422, problem).into());
        }
        self.audit(who, "reveal", &dump, reason)?;
        Ok(dump)
    }

    fn compare(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        let fields = Fields::read(asked.request.query.as_bytes())?;
        fields.only(&["one", "other"])?;
        let (one, other) = (fields.get("one"), fields.get("other"));
        let content = if one.is_empty() || other.is_empty() {
            served::compare(one, other, None, None)
        } else if let Some((a, b)) = self.two_crashes(who.role.level(), one, other)? {
            let content = served::compare_crashes(&a, &b);
            return Ok(self.html(200, Some(who), "Two crashes compared", Place::Groups, &content));
        } else {
            let pair = self.desk.ask(who.role.level(), |store| {
                Ok::<_, Failed>((self.detail(store, one, 0)?.0, self.detail(store, other, 0)?.0))
            });
            match pair {
                Ok((a, b)) => served::compare(one, other, Some((&a, &b)), None),
                Err(Failed::Problem(problem)) if problem.status == 404 => served::compare(
                    one,
                    other,
                    None,
                    Some("these are not two groups, nor two crashes"),
                ),
                Err(failed) => return Err(failed),
            }
        };
        Ok(self.html(200, Some(who), "Two compared", Place::Groups, &content))
    }

    /// The records of two crashes, if both ids are of crashes whose records are there.
    fn two_crashes(
        &self,
        level: Level,
        one: &str,
        other: &str,
    ) -> Result<Option<(Record, Record)>, Failed> {
        self.desk.ask(level, |store| {
            let record = |id: &str| match dump_named(store, id) {
                Ok(dump) => Ok(store.record_of(&dump)?),
                Err(Failed::Problem(_)) => Ok(None),
                Err(failed) => Err(failed),
            };
            let one = record(one)?;
            Ok(one.zip(record(other)?))
        })
    }

    fn builds(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        let key = format!("/builds {:?}", who.role.level());
        let content = self.kept(&key, || {
            let (order, exposure) = (&self.settings.order, self.exposure());
            let builds = self
                .desk
                .ask(who.role.level(), |store| store.builds(order.as_ref(), exposure.as_ref()))?;
            Ok(served::builds(&builds).into_bytes())
        })?;
        let content = String::from_utf8_lossy(&content);
        Ok(self.html(200, Some(who), "Builds", Place::Builds, &content))
    }

    fn audit_page(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        let mut rows = std::collections::VecDeque::new();
        let verified = self.audit_lines(&mut |line| {
            let entry = &line.entry;
            if rows.len() == LINES {
                rows.pop_back();
            }
            rows.push_front(AuditRow {
                n: entry.n,
                time: entry.time,
                user: entry.user.clone(),
                role: entry.role.clone(),
                action: entry.action.clone(),
                target: entry.target.clone(),
                detail: entry.detail.clone(),
            });
        });
        let rows = Vec::from(rows);
        let (anchor, problem) = match verified {
            Ok(anchor) => (anchor.map(|anchor| anchor.to_string()), None),
            Err(error) => {
                (self.settings.log)(&error.to_string());
                (None, Some(error.to_string()))
            }
        };
        let content = served::audit(&rows, anchor.as_deref(), problem.as_deref());
        Ok(self.html(200, Some(who), "Audit log", Place::Audit, &content))
    }

    fn feed(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        let base = self.gate.base(asked.request);
        let key = format!("/feed {:?} {base}", who.role.level());
        let feed = self.kept(&key, || {
            let wrong = |error| Failed::from(Problem::new(500, format!("{error}")));
            let (mut groups, mut all) = (Vec::new(), 0);
            // What is new is so since it was first seen.
            for (status, sort) in [("new", Sort::First), ("regressed", Sort::Last)] {
                let filter = Filter::parse(&format!("status={status}"), self.now());
                let filter = filter.map_err(wrong)?;
                let view = ViewOptions { filter, sort, ..ViewOptions::default() };
                let view = self.options(&view);
                let found =
                    self.desk.ask(who.role.level(), |store| store.overview(&view, FEED_ENTRIES))?;
                all += usize::try_from(found.groups_total).unwrap_or(usize::MAX);
                groups.extend(found.groups);
            }
            Ok(served::feed(groups, all, self.now(), &base).into_bytes())
        })?;
        Ok(Response::of(200, FEED_MEDIA, feed))
    }

    fn ask_login(&self, who: Option<&Who>) -> Response {
        if !self.gate.has_login() {
            return Response::see_other("/");
        }
        let content = served::login(None);
        self.html(
            200,
            who.filter(|who| matches!(who.way, Way::Session(_))),
            "Log in",
            Place::Elsewhere,
            &content,
        )
    }

    fn log_in(&self, asked: &Asked<'_>) -> Result<Response, Failed> {
        if !asked.request.is_of_type("application/x-www-form-urlencoded") {
            return Err(Problem::new(415, "expected the form of the page /login").into());
        }
        let fields = Fields::read(&asked.request.body)?;
        let Some((name, role, cookie)) =
            self.gate.log_in(fields.get("token"), &*self.settings.log)?
        else {
            self.guessed(asked.request)?;
            self.audit_refusal(asked.request);
            let content = served::login(Some("this token is not one of this server"));
            return Ok(self.html(401, None, "Log in", Place::Elsewhere, &content));
        };
        if let Err(problem) = self.came(&name) {
            self.gate.sessions.end(&cookie);
            return Err(problem.into());
        }
        let who = Who { name, role, way: Way::Session(cookie.clone()), csrf: String::new() };
        self.audit_presence(&who, "login", &asked.request.peer.to_string(), "");
        Ok(Response::see_other("/").with("set-cookie", self.cookie(COOKIE, &cookie)))
    }

    fn log_out(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        self.form(asked, who)?;
        if let Way::Session(cookie) = &who.way {
            self.gate.sessions.end(cookie);
            self.audit_presence(who, "logout", "", "");
        }
        let gone = format!("{}; Max-Age=0", self.cookie(COOKIE, ""));
        Ok(Response::see_other("/login").with("set-cookie", gone))
    }

    fn share(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        let fields = self.form(asked, who)?;
        let hours = match fields.number("hours", 24, 720)? {
            0 => return Err(Problem::new(422, "hours: expected 1 to 720").into()),
            hours => hours as u64,
        };
        let (detail, _) = self.desk.ask(Level::Strict, |store| self.detail(store, &asked.id, 0))?;
        let id = detail.group.id;
        let token = random_token()
            .map_err(|_| Failed::from(Problem::new(503, "the system has no randomness")))?;
        self.audit(who, "share", &id, &format!("for {hours} h, link {}", mark_of(&token)))?;
        let maker = self.gate.maker(asked.request, who);
        if !self.gate.links.keep(&token, &id, maker, Duration::from_secs(hours * 3_600)) {
            return Err(Problem::new(503, "there are too many shared links").into());
        }
        let link = format!("{}/shared#{token}", self.gate.base(asked.request));
        let content = served::link(&link, &id, hours);
        Ok(self.html(200, Some(who), "Shared link", Place::Elsewhere, &content))
    }

    fn open_shared(&self, asked: &Asked<'_>, who: Option<&Who>) -> Result<Response, Failed> {
        if !asked.request.is_of_type("application/x-www-form-urlencoded") {
            return Err(Problem::new(415, "expected the form of the page /shared").into());
        }
        let fields = Fields::read(&asked.request.body)?;
        let token = fields.get("token");
        match self.gate.link(token, &*self.settings.log)? {
            Some(link) => {
                self.audit_opening(asked.request, &link);
                Ok(Response::see_other(&served::group_path(&link.group))
                    .with("set-cookie", self.cookie(LINK_COOKIE, token)))
            }
            None => {
                self.guessed(asked.request)?;
                let content = served::shared(Some(
                    "this link is not one of this server, or it holds no more",
                ));
                Ok(self.html(410, who, "Shared page", Place::Elsewhere, &content))
            }
        }
    }

    fn cookie(&self, name: &str, value: &str) -> String {
        let secure = if self.gate.is_secure() { "; Secure" } else { "" };
        let name = self.gate.cookie_name(name);
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}")
    }

    /// `options` with what is known of the builds.
    pub(crate) fn options(&self, options: &ViewOptions) -> ViewOptions {
        let (order, exposure) = (self.settings.order.clone(), self.exposure());
        ViewOptions { order, exposure, ..options.clone() }
    }
}

/// The dump that an id, or the start of one, names.
pub(crate) fn dump_named(store: &Store, id: &str) -> Result<String, Failed> {
    match store.find(id)? {
        Found::Dump(dump) => Ok(dump),
        // The whole id of one may be the start of others.
        Found::Several(ids) if ids.iter().any(|one| one == id) => Ok(id.to_owned()),
        _ => Err(Problem::new(404, "no crash has this id").into()),
    }
}
