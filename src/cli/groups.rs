//! Groups in the formats of other programs: one result for each, with the crash that tells
//! most of it.

use std::io::{self, Write};

use obit::render::exchange::{self, Baseline, Group, Item};
use obit::render::write_group_brief;
use obit::report::Report;
use obit::triage::store::Store;
use obit::triage::views::{Change, Difference, GroupSummary};

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

    /// Writes `groups` of `store`, with their history there.
    pub(crate) fn write(
        self,
        outlet: &Outlet,
        store: &Store,
        groups: &[GroupSummary],
    ) -> Result<(), Failure> {
        let mut reports: Vec<Report> = Vec::new();
        for group in some(groups) {
            reports.push(store.example_of(group)?);
        }
        let both = groups.iter().zip(&reports);
        let items: Vec<Item<'_>> =
            both.map(|(group, report)| Item::of_group(group, report)).collect();
        Ok(outlet.write(|out| self.write_items(out, &items))?)
    }

    /// Writes what differs between two stores, and what does not.
    pub(crate) fn write_difference(
        self,
        outlet: &Outlet,
        difference: &Difference,
        (old, new): (&Store, &Store),
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        for group in some(&difference.groups) {
            let is_gone = group.change == Change::Gone;
            let summary = GroupSummary {
                id: group.id.clone(),
                signature: group.signature.clone(),
                status: group.change.status(),
                is_sure: true,
                reason: group.reason.clone(),
                class: group.class.clone(),
                severity: group.severity.clone(),
                title: group.title.clone(),
                count: if is_gone { group.baseline } else { group.current },
                example_row: group.example_row,
                ..GroupSummary::default()
            };
            let report = if is_gone { old } else { new }.example_of(&summary)?;
            found.push((group.change, summary, report));
        }
        let items: Vec<Item<'_>> = found
            .iter()
            .map(|(change, summary, report)| {
                let baseline = match change {
                    Change::New => Baseline::New,
                    Change::More | Change::Fewer => Baseline::Updated,
                    Change::Same => Baseline::Unchanged,
                    Change::Gone => Baseline::Absent,
                };
                let group = Group { summary, standing: change.word(), baseline };
                Item { report, group: Some(group) }
            })
            .collect();
        Ok(outlet.write(|out| self.write_items(out, &items))?)
    }

    fn write_items(self, out: &mut dyn Write, items: &[Item<'_>]) -> io::Result<()> {
        match self {
            Self::Brief => items.iter().try_for_each(|item| match &item.group {
                Some(group) => write_group_brief(out, group, item.report),
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

/// As many as are written.
fn some<T>(groups: &[T]) -> &[T] {
    if groups.len() > MOST {
        say(&format!("the first {MOST} of {} groups are written", groups.len()));
    }
    groups.get(..MOST).unwrap_or(groups)
}
