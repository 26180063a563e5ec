//! JUnit's report: a test case for each crash or group.

use std::io::{self, Write as _};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Baseline, Format, Group, Item};
use crate::gist;
use crate::groups::text;
use crate::{Color, PageOptions, visible, write_page};

pub(super) const JUNIT: Format = Format {
    about: "A JUnit report with a failed test",
    items: Some(write_junit),
    ..Format::new("junit", "xml")
};

/// Writes one test suite with a case for each of `items`: a crash failed, and a group unless
/// it is resolved (it passed) or ignored (it was skipped).
fn write_junit(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    let mut suite = TestSuite::new("crashes");
    for item in items {
        suite.add_test_case(case(item)?);
    }
    let mut report = Report::new("obit");
    report.add_test_suite(suite);
    report.serialize(&mut *out).map_err(io::Error::other)
}

fn case(item: &Item<'_>) -> io::Result<TestCase> {
    let report = item.report;
    let mut case = TestCase::new(name(item), status(item)?);
    case.set_classname(gist::program(report).unwrap_or_else(|| "unknown program".to_owned()));
    if let (false, Some(group)) = (item.is_open(), &item.group) {
        case.set_system_out(format!("{}\n{}\n", of_group(group), visible(&report.id)));
    }
    Ok(case)
}

/// What the crash or the group is called by. Two groups may have one signature: the id
/// tells them apart.
fn name(item: &Item<'_>) -> String {
    let report = item.report;
    if let Some(group) = &item.group {
        return format!("{} [{}]", group.name(), group.id());
    }
    let signature = report.signature.as_ref().map(|signature| visible(signature.text.as_str()));
    signature.unwrap_or_else(|| visible(&report.id)).into_owned()
}

fn status(item: &Item<'_>) -> io::Result<TestCaseStatus> {
    let report = item.report;
    let message = match &item.group {
        Some(group) => format!("{} ({})", gist::sentence(report), group.numbers()),
        None => gist::sentence(report),
    };
    if !item.is_open() {
        let is_ignored = item.group.is_some_and(|group| group.baseline != Baseline::Absent);
        let mut status =
            if is_ignored { TestCaseStatus::skipped() } else { TestCaseStatus::success() };
        if is_ignored {
            status.set_message(message);
        }
        return Ok(status);
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(gist::kind(report)).set_message(message);
    let mut page = Vec::new();
    if let Some(group) = &item.group {
        writeln!(page, "{}\n", of_group(group))?;
    }
    let options = PageOptions { color: Color::Never, ..PageOptions::default() };
    write_page(&mut page, report, &options)?;
    status.set_description(String::from_utf8_lossy(&page));
    Ok(status)
}

/// `group 7d769824: 13 crashes, regressed: seen in 1.0, not in 2.0, and back in 3.0`.
fn of_group(group: &Group<'_>) -> String {
    let reason = text(&group.summary.reason);
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    format!("group {}: {}{reason}", group.id(), group.numbers())
}
