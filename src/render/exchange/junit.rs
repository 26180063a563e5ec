//! JUnit's report: a failed test case for each crash or group.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Item;
use crate::render::gist;
use crate::render::{Color, PageOptions, visible, write_page};

/// Writes one test suite with a failed case for each of `items`.
///
/// # Errors
/// Those of `out`.
pub fn write_junit(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
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
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(gist::kind(report)).set_message(gist::sentence(report));
    let mut page = Vec::new();
    let options = PageOptions { color: Color::Never, ..PageOptions::default() };
    write_page(&mut page, report, &options)?;
    status.set_description(String::from_utf8_lossy(&page));
    let signature = report.signature.as_ref().map(|signature| visible(signature.text.as_str()));
    let name = signature.unwrap_or_else(|| visible(&report.id));
    let mut case = TestCase::new(name, status);
    case.set_classname(gist::program(report).unwrap_or_else(|| "unknown program".to_owned()));
    Ok(case)
}
