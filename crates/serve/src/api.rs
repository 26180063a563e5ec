//! The API: the JSON of the command line's answers to the same questions.

use bytes::Bytes;
use obit_redact::Level;
use obit_report::Report;
use obit_report::json::write_line;
use obit_triage::Record;
use obit_triage::store::{Found, Listed};
use obit_triage::views::{Counted, GroupSummary, Series};
use serde::Serialize;

use crate::answer::{App, Asked, Failed};
use crate::asked::{Fields, OF_VIEW};
use crate::audit::Line;
use crate::change::{object, of_json};
use crate::gate::Who;
use crate::http::Response;
use crate::pages::dump_named;
use crate::problem::Problem;
use crate::routes::Action;

/// What lists have at most.
const GROUPS: usize = 500;
const DUMPS: usize = 200;
const RECORDS: usize = 100;
const FOUND: usize = 20;
const LINES: usize = 1_000;
/// Where a list may begin.
const LAST: usize = 10_000_000;
/// The number of the last line of the audit log that can be asked for.
pub(crate) const LAST_LINE: usize = (1 << 52) - 1;

const JSON: &str = "application/json";

#[derive(Serialize)]
struct Dumps {
    dumps: Vec<Record>,
}

#[derive(Serialize)]
struct OverTime<'p> {
    dumps: u64,
    series: &'p Series,
    classes: &'p [Counted],
    builds: &'p [Counted],
}

#[derive(Serialize)]
struct FoundThings {
    groups: Vec<GroupSummary>,
    dumps: Vec<String>,
}

#[derive(Serialize)]
struct Audited {
    lines: Vec<Line>,
    anchor: Option<String>,
}

#[derive(Serialize)]
struct Changed<'c> {
    group: &'c str,
    revision: &'c str,
}

impl App {
    pub(crate) fn api(&self, asked: &Asked<'_>) -> Result<Response, Failed> {
        let fields = Fields::read(asked.request.query.as_bytes())?;
        match (asked.route.action, &asked.who) {
            (Action::ApiDescription, _) => {
                fields.only(&[])?;
                let text = self.settings.description;
                Ok(Response::of(200, JSON, Bytes::from_static(text.as_bytes())))
            }
            (action, Some(who)) => match action {
                Action::ApiGroups => self.api_groups(&fields, asked),
                Action::ApiGroup => self.api_group(&fields, asked),
                Action::ApiChangeGroup => self.api_change(&fields, asked, who),
                Action::ApiDumps => self.api_dumps(&fields, asked),
                Action::ApiDump => self.api_dump(&fields, asked),
                Action::ApiReveal => self.api_reveal(&fields, asked, who),
                Action::ApiBuilds => self.api_builds(&fields, asked),
                Action::ApiQuery => self.api_query(asked, who),
                Action::ApiSeries => self.api_series(&fields, asked),
                Action::ApiSearch => self.api_search(&fields, asked),
                Action::ApiAudit => self.api_audit(&fields),
                _ => Err(Problem::new(404, "there is no such page").into()),
            },
            (_, None) => Err(Problem::new(401, "send a token").into()),
        }
    }

    fn api_groups(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        only(fields, &["limit", "offset"])?;
        let most = fields.number("limit", 50, GROUPS)?;
        let skipped = fields.number("offset", 0, LAST)?;
        let view = fields.view(self.now())?;
        let body = self.kept_of("groups", fields, &view, asked, || {
            let options = self.options(&view.options);
            let page = self
                .desk
                .ask(asked.role().level(), |store| store.group_page(&options, skipped, most))?;
            Ok(json(&page.overview))
        })?;
        Ok(Response::of(200, JSON, body))
    }

    fn api_group(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        fields.only(&["limit"])?;
        let newest = fields.number("limit", 10, DUMPS)?;
        let (detail, revision) =
            self.desk.ask(asked.role().level(), |store| self.detail(store, &asked.id, newest))?;
        Ok(Response::of(200, JSON, json(&detail)).with("etag", format!("\"{revision}\"")))
    }

    fn api_change(
        &self,
        fields: &Fields,
        asked: &Asked<'_>,
        who: &Who,
    ) -> Result<Response, Failed> {
        fields.only(&[])?;
        of_type_json(asked)?;
        let Some(wanted) = asked.request.header("if-match") else {
            let problem = "send If-Match with the ETag of the group as it was read";
            return Err(Problem::new(428, problem).into());
        };
        let wanted = wanted.trim();
        let revision = wanted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        // A list and `*` would change what no one looked at.
        let revision = revision.filter(|revision| !revision.contains(['"', ',']));
        let revision = revision.ok_or_else(|| {
            Problem::new(400, "If-Match: expected one ETag in quotes, as the group had it")
        })?;
        let change = of_json(&asked.request.body, self.now())?;
        let (detail, _) =
            self.desk.ask(asked.role().level(), |store| self.detail(store, &asked.id, 0))?;
        let group = detail.group.id;
        let revision = self.change(who, &group, &change, revision)?;
        let body = json(&Changed { group: &group, revision: &revision });
        Ok(Response::of(200, JSON, body).with("etag", format!("\"{revision}\"")))
    }

    fn api_dumps(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        only(fields, &["limit", "failed"])?;
        let most = fields.number("limit", 20, RECORDS)?;
        let only_failed = match fields.get("failed") {
            "" | "no" => false,
            "yes" => true,
            _ => return Err(Problem::new(400, "failed: expected yes or no").into()),
        };
        let view = fields.view(self.now())?;
        let listed = Listed { view: self.options(&view.options), only_failed, most: Some(most) };
        let mut dumps = Vec::new();
        self.desk.ask(asked.role().level(), |store| {
            store.each_listed(&listed, &mut |record| {
                dumps.push(record);
                Ok(())
            })
        })?;
        Ok(Response::of(200, JSON, json(&Dumps { dumps })))
    }

    fn api_dump(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        fields.only(&[])?;
        let report = self.report(&asked.id, asked.role().level())?;
        Ok(Response::of(200, JSON, json(&report)))
    }

    fn api_reveal(
        &self,
        fields: &Fields,
        asked: &Asked<'_>,
        who: &Who,
    ) -> Result<Response, Failed> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            reason: String,
        }
        fields.only(&[])?;
        of_type_json(asked)?;
        let body: Body = object(&asked.request.body)
            .map_err(|problem| Problem::new(400, format!("the body has no reason: {problem}")))?;
        let dump = self.revealed(who, &asked.id, &body.reason)?;
        Ok(Response::of(200, JSON, json(&self.report(&dump, Level::Off)?)))
    }

    fn report(&self, id: &str, level: Level) -> Result<Report, Failed> {
        self.desk.ask(level, |store| {
            let dump = dump_named(store, id)?;
            store.report_of(&dump)?.ok_or_else(|| {
                Failed::from(Problem::new(410, "its record was removed from the store"))
            })
        })
    }

    fn api_builds(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        fields.only(&["program"])?;
        let (order, exposure) = (&self.settings.order, self.exposure());
        let mut builds = self
            .desk
            .ask(asked.role().level(), |store| store.builds(order.as_ref(), exposure.as_ref()))?;
        if !fields.get("program").is_empty() {
            builds.keep(fields.get("program"));
        }
        Ok(Response::of(200, JSON, json(&builds)))
    }

    fn api_series(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        only(fields, &[])?;
        let view = fields.view(self.now())?;
        let body = self.kept_of("series", fields, &view, asked, || {
            let options = self.options(&view.options);
            let page =
                self.desk.ask(asked.role().level(), |store| store.group_page(&options, 0, 0))?;
            Ok(json(&OverTime {
                dumps: page.overview.dumps,
                series: &page.overview.series,
                classes: &page.classes,
                builds: &page.builds,
            }))
        })?;
        Ok(Response::of(200, JSON, body))
    }

    /// Things of this id, name or start of an id, and groups with this in their signature.
    fn api_search(&self, fields: &Fields, asked: &Asked<'_>) -> Result<Response, Failed> {
        fields.only(&["q"])?;
        let wanted = fields.get("q");
        if wanted.is_empty() {
            return Err(Problem::new(400, "q: expected what to search for").into());
        }
        let filter = obit_triage::Filter::signature_with(wanted);
        let options = obit_triage::ViewOptions { filter, ..obit_triage::ViewOptions::default() };
        let options = self.options(&options);
        let found = self.desk.ask(asked.role().level(), |store| -> Result<_, Failed> {
            let (mut ids, mut dumps) = (std::collections::BTreeSet::new(), Vec::new());
            match store.find(wanted)? {
                Found::Group(id) | Found::Merged(_, id) => drop(ids.insert(id)),
                Found::Dump(id) => dumps.push(id),
                Found::Several(several) => {
                    for id in several {
                        match store.find(&id)? {
                            Found::Group(id) => drop(ids.insert(id)),
                            _ => dumps.push(id),
                        }
                    }
                }
                Found::Nothing => {}
            }
            let mut groups = store.groups_with_ids(&ids)?;
            let signed = store.overview(&options, FOUND)?.groups;
            groups.extend(signed.into_iter().filter(|group| !ids.contains(&group.id)));
            groups.truncate(FOUND);
            Ok(FoundThings { groups, dumps })
        })?;
        Ok(Response::of(200, JSON, json(&found)))
    }

    fn api_audit(&self, fields: &Fields) -> Result<Response, Failed> {
        fields.only(&["after", "limit"])?;
        let after = fields.number("after", 0, LAST_LINE)? as u64;
        let most = fields.number("limit", 100, LINES)?;
        let mut lines = Vec::new();
        let anchor = self.audit_lines(&mut |line| {
            if line.entry.n > after && lines.len() < most {
                lines.push(line.clone());
            }
        });
        let anchor = anchor.map_err(|error| {
            (self.settings.log)(&error.to_string());
            Problem::new(
                500,
                "the audit log is not whole or cannot be read; `obit audit verify` says more",
            )
        })?;
        let anchor = anchor.map(|anchor| anchor.to_string());
        Ok(Response::of(200, JSON, json(&Audited { lines, anchor })))
    }

    /// An answer that depends on the store, the parameters and the level alone.
    fn kept_of(
        &self,
        what: &str,
        fields: &Fields,
        view: &crate::asked::View,
        asked: &Asked<'_>,
        make: impl FnOnce() -> Result<Vec<u8>, Failed>,
    ) -> Result<Bytes, Failed> {
        let minute = if view.is_relative { self.now() / 60 } else { 0 };
        let key = format!("api {what} {:?} {minute} {}", asked.role().level(), fields.key());
        self.kept(&key, make)
    }
}

/// Fails if there is a parameter that is neither of lists nor one of these.
fn only(fields: &Fields, more: &[&str]) -> Result<(), Problem> {
    let known: Vec<&str> = OF_VIEW.iter().chain(more).copied().collect();
    fields.only(&known)
}

/// A page of another site cannot send this type without asking first.
fn of_type_json(asked: &Asked<'_>) -> Result<(), Problem> {
    match asked.request.is_of_type(JSON) {
        true => Ok(()),
        false => Err(Problem::new(415, "expected a body of the type application/json")),
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut body = Vec::new();
    // Writing to memory does not fail.
    let _ = write_line(value, &mut body);
    body
}
