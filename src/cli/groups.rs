//! Groups in the formats of other programs: one result for each, with the crash that tells
//! most of it.

use std::io::{self, Write};

use obit::render::exchange::{self, Item};
use obit::render::write_group_brief;
use obit::report::Report;
use obit::triage::overview::GroupSummary;
use obit::triage::store::Store;

use super::args::Format;
use super::outlet::Outlet;
use super::{Failure, say};

/// Groups that are written at all: viewers of these formats show fewer.
const MOST: usize = 5000;

/// The formats that have one result for each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    Brief,
    Sarif,
    Junit,
    Sentry,
    Github,
    Gitlab,
}

impl Exchange {
    /// Which of them `format` is, if it is one.
    pub(crate) fn of(format: Format) -> Option<Self> {
        match format {
            Format::Brief => Some(Self::Brief),
            Format::Sarif => Some(Self::Sarif),
            Format::Junit => Some(Self::Junit),
            Format::Sentry => Some(Self::Sentry),
            Format::Github => Some(Self::Github),
            Format::Gitlab => Some(Self::Gitlab),
            Format::Human
            | Format::Json
            | Format::Ndjson
            | Format::Html
            | Format::Markdown
            | Format::Csv => None,
        }
    }

    /// Writes `groups` of `store`.
    pub(crate) fn write(
        self,
        outlet: &Outlet,
        store: &Store,
        groups: &[GroupSummary],
    ) -> Result<(), Failure> {
        if groups.len() > MOST {
            say(&format!("the first {MOST} of {} groups are written", groups.len()));
        }
        let groups = groups.get(..MOST).unwrap_or(groups);
        let mut reports: Vec<Report> = Vec::with_capacity(groups.len());
        for group in groups {
            reports.push(store.example_of(group)?);
        }
        let both = groups.iter().zip(&reports);
        let items: Vec<Item<'_>> =
            both.map(|(group, report)| Item::of_group(group, report)).collect();
        Ok(outlet.write(|out| self.write_items(out, &items))?)
    }

    fn write_items(self, out: &mut dyn Write, items: &[Item<'_>]) -> io::Result<()> {
        match self {
            Self::Brief => items.iter().try_for_each(|item| match &item.group {
                Some(group) => write_group_brief(out, group.summary, item.report),
                None => obit::render::write_brief(out, item.report),
            }),
            Self::Sarif => exchange::write_sarif(out, items),
            Self::Junit => exchange::write_junit(out, items),
            Self::Sentry => exchange::write_sentry(out, items),
            Self::Github => exchange::write_github(out, items),
            Self::Gitlab => exchange::write_gitlab(out, items),
        }
    }
}
