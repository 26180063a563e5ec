//! Markdown, as GitHub and GitLab read it.

use super::{Audience, Format};

pub(super) const MARKDOWN: Format = Format {
    aliases: &["md"],
    about: "Markdown, for a ticket",
    audience: Audience::Document,
    report: Some(|out, report, _, page| crate::markdown::write_markdown(out, report, page)),
    groups: Some(|out, groups, _, _| crate::groups::write_groups_markdown(out, groups)),
    group: Some(|out, group, _| crate::group::write_group_markdown(out, group)),
    difference: Some(|out, difference, _| {
        crate::difference::write_difference_markdown(out, difference)
    }),
    digest: Some(crate::digest::write_digest),
    ..Format::new("markdown", "md")
};
