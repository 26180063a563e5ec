//! Questions to cores: asked of what the program that runs the server hands in, one at a time.

use std::sync::TryLockError;
use std::sync::atomic::AtomicBool;

use obit_redact::Level;
use obit_render::served::{self, Place, QueryPage};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{App, Asked, Failed};
use crate::asked::Fields;
use crate::change::object;
use crate::gate::Who;
use crate::http::Response;
use crate::problem::Problem;

/// Rows of an answer.
const ROWS: usize = 500;
/// Characters of a question, and of its condition.
const LONGEST: usize = 1_000;

/// What is asked of the cores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreQuestion {
    /// As `obit query` takes it: `list.c:12 { n->next }`.
    pub query: String,
    /// A condition on the rows; empty if there is none.
    pub condition: String,
    /// Only the crashed thread.
    pub crashed: bool,
    /// Rows, at most.
    pub rows: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAsked {
    /// The question makes no sense; why.
    Refused(String),
    /// It took too long.
    Late,
    /// No one waits for the answer any more.
    Stopped,
    /// For the messages of the server alone.
    Failed(String),
}

/// What asks cores, from a directory that the owner of the server chose.
pub trait AskCores: Send + Sync {
    /// The answer as a document `obit.query/1`, redacted at this level. It ends early when `stop`
    /// is set.
    ///
    /// # Errors
    /// Why there is none.
    fn ask(
        &self,
        question: &CoreQuestion,
        level: Level,
        stop: &AtomicBool,
    ) -> Result<Vec<u8>, NotAsked>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    query: String,
    #[serde(default, rename = "where")]
    condition: String,
    #[serde(default)]
    crashed: bool,
    limit: Option<usize>,
}

impl App {
    pub(crate) fn query_page(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        self.cores()?;
        Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        Ok(self.queried(who, 200, &QueryPage { csrf: &who.csrf, ..QueryPage::default() }))
    }

    pub(crate) fn query(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        let fields = self.form(asked, who)?;
        fields.only(&["csrf", "query", "where", "crashed"])?;
        let question = CoreQuestion {
            query: fields.get("query").to_owned(),
            condition: fields.get("where").to_owned(),
            crashed: !fields.get("crashed").is_empty(),
            rows: ROWS,
        };
        let page = QueryPage {
            csrf: &who.csrf,
            query: &question.query,
            condition: &question.condition,
            crashed: question.crashed,
            ..QueryPage::default()
        };
        let answer = match self.asked_of_cores(&question, who, &asked.request.gone) {
            Ok(answer) => answer,
            Err(Failed::Problem(problem)) if problem.status == 422 => {
                let page = QueryPage { problem: Some(&problem.detail), ..page };
                return Ok(self.queried(who, 422, &page));
            }
            Err(failed) => return Err(failed),
        };
        let table = table(&answer);
        Ok(self.queried(who, 200, &QueryPage { table: Some(&table), ..page }))
    }

    pub(crate) fn api_query(&self, asked: &Asked<'_>, who: &Who) -> Result<Response, Failed> {
        Fields::read(asked.request.query.as_bytes())?.only(&[])?;
        if !asked.request.is_of_type("application/json") {
            let problem = "expected a body of the type application/json";
            return Err(Problem::new(415, problem).into());
        }
        self.cores()?;
        let body: Body = object(&asked.request.body)
            .map_err(|problem| Problem::new(400, format!("the body is no question: {problem}")))?;
        let rows = body.limit.unwrap_or(ROWS);
        if !(1..=ROWS).contains(&rows) {
            return Err(Problem::new(422, format!("limit: expected 1 to {ROWS}")).into());
        }
        let Body { query, condition, crashed, .. } = body;
        let question = CoreQuestion { query, condition, crashed, rows };
        let answer = self.asked_of_cores(&question, who, &asked.request.gone)?;
        Ok(Response::of(200, "application/json", answer))
    }

    fn cores(&self) -> Result<&dyn AskCores, Problem> {
        let cores = self.settings.cores.as_deref();
        cores.ok_or_else(|| {
            Problem::new(404, "this server asks no cores: start it with --cores DIR")
        })
    }

    /// Writes the question to the audit log, and asks it, if no other one is being asked.
    fn asked_of_cores(
        &self,
        question: &CoreQuestion,
        who: &Who,
        gone: &AtomicBool,
    ) -> Result<Vec<u8>, Failed> {
        let cores = self.cores()?;
        for (name, text) in [("query", &question.query), ("where", &question.condition)] {
            if text.chars().count() > LONGEST || text.contains(char::is_control) {
                let problem = format!("{name}: expected one line of at most {LONGEST} characters");
                return Err(Problem::new(422, problem).into());
            }
        }
        if question.query.trim().is_empty() {
            return Err(Problem::new(422, "query: expected a place, as list.c:12 or walk").into());
        }
        let _asking = match self.asking_cores.try_lock() {
            Ok(asking) => asking,
            Err(TryLockError::Poisoned(asking)) => asking.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let problem = "another question is being asked of the cores: ask again later";
                return Err(Problem::new(503, problem).with("retry-after", "10").into());
            }
        };
        self.audit(who, "query", "cores", &format!("{} {}", question.query, question.condition))?;
        cores.ask(question, who.role.level(), gone).map_err(|problem| {
            match problem {
                NotAsked::Refused(why) => Problem::new(422, why),
                NotAsked::Late => {
                    Problem::new(503, "the cores took too long: ask of fewer, or a smaller place")
                }
                NotAsked::Stopped => Problem::new(503, "the question was given up"),
                NotAsked::Failed(why) => {
                    (self.settings.log)(&why);
                    Problem::new(
                        500,
                        "the cores could not be asked; the server's own messages say why",
                    )
                }
            }
            .into()
        })
    }

    fn queried(&self, who: &Who, status: u16, page: &QueryPage<'_>) -> Response {
        self.html(status, Some(who), "Query", Place::Query, &served::query(page))
    }
}

/// The rows of an answer as texts.
fn table(answer: &[u8]) -> served::QueryTable {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let texts = |name: &str| -> Vec<String> {
        let all = answer.get(name).and_then(Value::as_array);
        all.into_iter().flatten().map(text).collect()
    };
    let columns = texts("columns");
    let rows = answer.get("rows").and_then(Value::as_array);
    let rows = rows.into_iter().flatten().map(|row| {
        columns.iter().map(|column| row.get(column).map(text).unwrap_or_default()).collect()
    });
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    served::QueryTable {
        rows: rows.collect(),
        total: count("total_rows"),
        cores: count("cores"),
        with_place: count("cores_with_place"),
        notes: texts("notes"),
        columns,
    }
}

/// A cell for people.
fn text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(object) => match object.iter().next() {
            Some((word, Value::String(why))) if word == "hidden" => why.clone(),
            Some((word, Value::String(why))) => format!("<{word}: {why}>"),
            _ => "?".to_owned(),
        },
        other => other.to_string(),
    }
}
