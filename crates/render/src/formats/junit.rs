//! JUnit's report: a test case for each crash or group.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Format, Item};
use crate::summary;
use crate::visible;

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
    let mut case = TestCase::new(item.test_name(), status(item)?);
    case.set_classname(item.program());
    if let (false, Some(group)) = (item.is_open(), &item.group) {
        case.set_system_out(format!("{}\n{}\n", group.in_words(), visible(&item.report.id)));
    }
    Ok(case)
}

fn status(item: &Item<'_>) -> io::Result<TestCaseStatus> {
    if item.is_open() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(summary::kind(item.report)).set_message(item.sentence());
        status.set_description(item.page()?);
        return Ok(status);
    }
    if item.is_ignored() {
        let mut status = TestCaseStatus::skipped();
        status.set_message(item.sentence());
        return Ok(status);
    }
    Ok(TestCaseStatus::success())
}
