//! Markdown, as GitHub and GitLab read it.

use super::{Audience, Format};
use crate::markdown::{
    contents, difference, digest, group, groups, heap, incidents, report, tasks,
};

pub(super) const MARKDOWN: Format = Format {
    aliases: &["md"],
    about: "Markdown, for a ticket",
    audience: Audience::Document,
    report: Some(|out, report, _, page| report::write_markdown(out, report, page)),
    groups: Some(|out, groups, _, _| groups::write_groups_markdown(out, groups)),
    group: Some(|out, group, _| group::write_group_markdown(out, group)),
    difference: Some(|out, difference, _| difference::write_difference_markdown(out, difference)),
    digest: Some(digest::write_digest),
    contents: Some(|out, found, _| contents::write_contents_markdown(out, found)),
    heap: Some(|out, answer, _| heap::write_heap_markdown(out, answer)),
    tasks: Some(|out, found, _| tasks::write_tasks_markdown(out, found)),
    incidents: Some(|out, found, _| incidents::write_incidents_markdown(out, found)),
    ..Format::new("markdown", "md")
};
