//! Groups in formats that have an entry for each, which need a crash to represent it.

use obit::render::formats::{Baseline, Group, Item, WriteItems};
use obit::report::Report;
use obit::triage::store::Store;
use obit::triage::views::{Change, Difference, GroupSummary};

use super::destination::Destination;
use super::failure::Failure;
use super::message::say;

/// Groups that are written at all: viewers of these formats show fewer.
const MOST: usize = 5000;

/// Writes `groups` of `store`, with their history there.
pub(crate) fn write_groups(
    write: WriteItems,
    destination: &Destination,
    store: &Store,
    groups: &[GroupSummary],
) -> Result<(), Failure> {
    let mut reports: Vec<Report> = Vec::new();
    for group in first(groups) {
        reports.push(store.example_of(group)?);
    }
    let both = groups.iter().zip(&reports);
    let items: Vec<Item<'_>> = both.map(|(group, report)| Item::of_group(group, report)).collect();
    Ok(destination.write(|out| write(out, &items))?)
}

/// Writes what differs between two stores, and what does not.
pub(crate) fn write_difference(
    write: WriteItems,
    destination: &Destination,
    difference: &Difference,
    (old, new): (&Store, &Store),
) -> Result<(), Failure> {
    let mut found = Vec::new();
    for group in first(&difference.groups) {
        let is_gone = group.change == Change::Gone;
        let summary = GroupSummary {
            id: group.id.clone(),
            signature: group.signature.clone(),
            status: group.change.status(),
            is_sure: group.is_sure,
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
            let group = Group { summary, status: change.word(), baseline };
            Item { report, group: Some(group) }
        })
        .collect();
    Ok(destination.write(|out| write(out, &items))?)
}

/// As many as are written.
fn first<T>(groups: &[T]) -> &[T] {
    if groups.len() > MOST {
        say(&format!("the first {MOST} of {} groups are written", groups.len()));
    }
    groups.get(..MOST).unwrap_or(groups)
}
