//! What creates an issue in a tracker, and what finds the one that is there already. Nothing is
//! sent: who has the rights to do it gets the document.

use serde_json::{Value, json};

use super::percent;
use crate::formats::Item;
use crate::markdown::report::write_markdown;
use crate::{PageOptions, summary, visible};

/// Characters of a title.
const TITLE: usize = 160;
/// Bytes of a text: GitHub takes 65,536 characters, Jira half of that.
const TEXT: usize = 30_000;

/// A tracker of issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracker {
    /// GitHub, REST API of 2022-11-28.
    GitHub,
    /// GitLab, REST API 4.
    GitLab,
    /// Jira, REST API 2.
    Jira,
}

/// Where an issue is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `OWNER/REPOSITORY`, the path or number of a project, or its key.
    pub project: Option<String>,
    /// The start of the service's addresses, where it is not the usual one.
    pub base: Option<String>,
    /// Labels beside `obit` and the fingerprint.
    pub labels: Vec<String>,
}

/// The document: `method`, `url` and `body` of the request, and a request that finds an issue of
/// the same fingerprint.
pub(super) fn issue(item: &Item<'_>, tracker: Tracker, wanted: &Wanted) -> Value {
    let report = item.report;
    let group = item.group.as_ref().map(|group| group.summary.id.clone());
    let signature = report.signature.as_ref().map(|found| found.id.clone());
    // Letters and digits alone: it is looked for as one word.
    let key = group.or(signature).unwrap_or_else(|| report.id.clone());
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let fingerprint = format!("obitfp{key}");
    let title = match &item.group {
        Some(group) => format!("{} [{}]", summary::headline(report), group.numbers()),
        None => summary::headline(report),
    };
    let program = summary::program(report).map(|program| format!("{program}: "));
    let title = format!("{}{title}", program.unwrap_or_default());
    let title: String = title.chars().filter(|c| !c.is_control()).take(TITLE).collect();
    let text = text(item, &fingerprint);
    let mut labels = vec!["obit".to_owned()];
    labels.extend(wanted.labels.iter().cloned());
    let project = wanted.project.as_deref().unwrap_or_default();
    let base =
        |usual: &str| wanted.base.as_deref().unwrap_or(usual).trim_end_matches('/').to_owned();
    let (url, body, search) = match tracker {
        Tracker::GitHub => {
            let base = base("https://api.github.com");
            let repository: Vec<String> = project.split('/').map(percent).collect();
            let repository = repository.join("/");
            let query = percent(&format!("{fingerprint} in:body is:issue repo:{project}"));
            (
                format!("{base}/repos/{repository}/issues"),
                json!({"title": title, "body": text, "labels": labels}),
                format!("{base}/search/issues?q={query}"),
            )
        }
        Tracker::GitLab => {
            let base = base("https://gitlab.com/api/v4");
            let project = percent(project);
            (
                format!("{base}/projects/{project}/issues"),
                json!({"title": title, "description": text, "labels": labels.join(",")}),
                format!("{base}/projects/{project}/issues?in=description&search={fingerprint}"),
            )
        }
        Tracker::Jira => {
            let base = base("https://jira.example.org");
            labels.push(fingerprint.clone());
            // Labels of Jira have no blanks.
            let labels: Vec<String> =
                labels.iter().map(|label| label.replace(char::is_whitespace, "-")).collect();
            let query = percent(&format!("labels = \"{fingerprint}\""));
            let fields = json!({
                "project": {"key": project},
                "issuetype": {"name": "Bug"},
                "summary": title,
                "description": unformatted(&text),
                "labels": labels,
            });
            (
                format!("{base}/rest/api/2/issue"),
                json!({"fields": fields}),
                format!("{base}/rest/api/2/search?jql={query}"),
            )
        }
    };
    json!({
        "schema": "obit.issue/1",
        "tracker": match tracker {
            Tracker::GitHub => "github",
            Tracker::GitLab => "gitlab",
            Tracker::Jira => "jira",
        },
        "fingerprint": fingerprint,
        "method": "POST",
        "url": url,
        "headers": {"Content-Type": "application/json"},
        "body": body,
        "search": {"method": "GET", "url": search},
        "crash": visible(&report.id),
    })
}

/// A text that Jira shows as it is: its own markup (links, images, macros) would act on what
/// comes from a core.
fn unformatted(text: &str) -> String {
    format!("{{noformat}}\n{}\n{{noformat}}\n", text.replace("{noformat", "{ noformat").trim_end())
}

/// The report in Markdown, with the fingerprint at its end.
fn text(item: &Item<'_>, fingerprint: &str) -> String {
    let mut page = Vec::new();
    // Memory takes all that is written.
    let _ = write_markdown(&mut page, item.report, &PageOptions::default());
    let mut text = String::from_utf8_lossy(&page).into_owned();
    if text.len() > TEXT {
        let end = (0..=TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n\n\u{2026} the report is longer.");
    }
    if let Some(group) = &item.group {
        text = format!("{}\n\n{text}", crate::markdown::prose(&group.in_words()));
    }
    format!("{text}\n\n{fingerprint}\n")
}
