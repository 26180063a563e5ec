//! Tables for spreadsheets (RFC 4180).

use super::Format;
use crate::difference::write_difference_csv;
use crate::groups::write_groups_csv;
use obit_triage::overview::Overview;

pub(super) const CSV: Format = Format {
    about: "A table for spreadsheets: of groups alone",
    groups: Some(|out, groups, _, _| write_groups_csv(out, groups)),
    group: Some(|out, group, _| {
        let groups = vec![group.group.clone()];
        write_groups_csv(out, &Overview { groups, ..Overview::default() })
    }),
    difference: Some(|out, difference, _| write_difference_csv(out, difference)),
    digest: Some(|out, groups, _, _| write_groups_csv(out, groups)),
    ..Format::new("csv", "csv")
};
