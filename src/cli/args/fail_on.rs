//! `--fail-on`: an exit code for scripts and CI.

use clap::Args;
use obit::analysis::CauseClass;
use obit::report::{Report, Severity};
use obit::triage::history::{Status, StatusCondition};
use obit::triage::views::GroupSummary;

use crate::cli::exit::Exit;
use crate::cli::message::say;
use crate::cli::nearest::nearest;

/// What makes the run end with 3.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Exit code")]
pub(crate) struct FailOn {
    /// Exit with 3 if a crash or a group matches one of these: severity>=high,
    /// class=null-read; of groups, new, regressed, increasing, or another status, new:sure
    /// where weak evidence is not to count, or surge
    #[arg(long, value_name = "CONDITIONS", value_delimiter = ',',
        value_parser = condition, hide_short_help = true)]
    fail_on: Vec<Condition>,
}

/// One condition to fail on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// A group with that status.
    Status(StatusCondition),
    /// A crash that is as bad, or worse.
    Severity(Severity),
    /// A crash of that class.
    Class(String),
    /// A group with an hour of far more crashes than usual.
    Surge,
}

/// Reasons that are printed one by one.
const MOST_REASONS: usize = 20;

impl FailOn {
    /// Whether any condition was given.
    pub(crate) fn is_set(&self) -> bool {
        !self.fail_on.is_empty()
    }

    /// Prints why to fail, a line for each group; 3 if there is any reason.
    pub(crate) fn exit(&self, groups: &[GroupSummary]) -> Exit {
        let reasons = self.reasons(groups);
        for reason in reasons.iter().take(MOST_REASONS) {
            say(&format!("--fail-on matched: {reason}"));
        }
        if let Some(rest) = reasons.len().checked_sub(MOST_REASONS).filter(|rest| *rest > 0) {
            say(&format!("--fail-on matched: {rest} more"));
        }
        if reasons.is_empty() { Exit::Success } else { Exit::Gate }
    }

    /// The same of one crash, which has no history.
    pub(crate) fn exit_of(&self, report: &Report) -> Exit {
        self.exit_of_all([report])
    }

    /// The same of several crashes.
    pub(crate) fn exit_of_all<'r>(&self, reports: impl IntoIterator<Item = &'r Report>) -> Exit {
        let groups: Vec<_> = reports.into_iter().filter_map(group_of).collect();
        if self.is_set() { self.exit(&groups) } else { Exit::Success }
    }

    fn reasons(&self, groups: &[GroupSummary]) -> Vec<String> {
        let failing = groups.iter().filter_map(|group| {
            let why = self.fail_on.iter().find_map(|condition| condition.why(group))?;
            Some(format!("{} {}: {why}", group.id, group.signature))
        });
        failing.collect()
    }
}

/// A crash, as if it were a group; `None` if its cause is not known.
fn group_of(report: &Report) -> Option<GroupSummary> {
    let cause = report.cause.as_ref()?;
    let signature = report.signature.as_ref().map(|s| s.text.as_str().to_owned());
    Some(GroupSummary {
        id: report.id.clone(),
        signature: signature.unwrap_or_default(),
        class: Some(cause.class.clone()),
        severity: cause.severity.clone(),
        ..GroupSummary::default()
    })
}

impl Condition {
    /// Why `group` matches, if it does.
    fn why(&self, group: &GroupSummary) -> Option<String> {
        match self {
            Self::Status(status) => {
                // What has no reason has no history.
                let is_met = status.is_met(group.status, group.is_sure);
                let matches = is_met && !group.reason.is_empty();
                matches.then(|| format!("{}: {}", group.status_words(), group.reason))
            }
            Self::Severity(least) => {
                let severity = group.severity.as_deref()?;
                let level = Severity::named(severity)?;
                (level >= *least).then(|| format!("severity {severity}"))
            }
            Self::Surge => group.surge.map(|surge| format!("surge: {}", surge.text())),
            Self::Class(class) => {
                (group.class.as_ref() == Some(class)).then(|| format!("class {class}"))
            }
        }
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    let text = text.trim();
    if let Some(status) = StatusCondition::named(text) {
        return Ok(Condition::Status(status));
    }
    if text == "surge" {
        return Ok(Condition::Surge);
    }
    if let Some(class) = text.strip_prefix("class=") {
        return known_class(class).map(Condition::Class);
    }
    let severity = text.strip_prefix("severity>=").and_then(Severity::named);
    severity.map(Condition::Severity).ok_or_else(|| {
        let (statuses, severities) = (Status::words(), Severity::words());
        format!(
            "expected {statuses}, any of them as new:sure or new:weak, surge, class=CLASS, or \
             severity>= followed by {severities}"
        )
    })
}

/// A condition on a class that is none would never match.
fn known_class(class: &str) -> Result<String, String> {
    if let Some(class) = CauseClass::named(class) {
        return Ok(class.word().to_owned());
    }
    let known: Vec<_> = CauseClass::ALL.iter().map(|class| class.word()).collect();
    Err(match nearest(class, &known) {
        Some(near) => format!("no cause class {class}; did you mean {near}?"),
        None => format!("no cause class {class}; `obit explain` lists them"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit::triage::history::Surge;

    fn group(status: Status, severity: &str, class: &str) -> GroupSummary {
        GroupSummary {
            status,
            severity: Some(severity.to_owned()),
            class: Some(class.to_owned()),
            reason: "a reason".to_owned(),
            ..GroupSummary::default()
        }
    }

    #[test]
    fn only_what_was_named_fails() {
        let conditions =
            ["new", "severity>=medium", "class=abort"].map(|text| condition(text).unwrap());
        let fail_on = FailOn { fail_on: conditions.to_vec() };
        let groups = [
            group(Status::New, "low", "null-read"),
            group(Status::Active, "high", "null-read"),
            group(Status::Active, "medium", "null-read"),
            group(Status::Active, "low", "abort"),
            group(Status::Regressed, "low", "null-read"),
        ];
        assert_eq!(fail_on.reasons(&groups).len(), 4);
        assert_eq!(fail_on.exit(&groups[4..]), Exit::Success);
        assert_eq!(fail_on.exit(&groups[..1]), Exit::Gate);
        assert!(FailOn::default().reasons(&groups).is_empty());
    }

    #[test]
    fn a_surge_fails_with_its_hour() {
        let fail_on = FailOn { fail_on: vec![condition("surge").unwrap()] };
        let quiet = group(Status::Active, "low", "abort");
        let surge = Surge { hour: 0, count: 24, expected: 1.0, p: 0.002 };
        let surging = GroupSummary { surge: Some(surge), ..quiet.clone() };
        assert_eq!(fail_on.exit(&[quiet]), Exit::Success);
        assert!(fail_on.reasons(&[surging])[0].contains("from 1970-01-01 00:00 UTC"));
    }

    #[test]
    fn a_class_may_be_given_by_a_former_name() {
        let fail_on = FailOn { fail_on: vec![condition("class=wild-read").unwrap()] };
        let groups = ["unmapped-read", "null-read"].map(|class| group(Status::New, "low", class));
        assert_eq!(fail_on.exit(&groups[..1]), Exit::Gate);
        assert_eq!(fail_on.exit(&groups[1..]), Exit::Success);
    }

    #[test]
    fn a_class_that_no_crash_can_have_is_refused() {
        assert!(condition("class=null-raed").unwrap_err().contains("did you mean null-read"));
        assert!(condition("class=x").unwrap_err().contains("obit explain"));
    }

    #[test]
    fn an_unknown_condition_is_refused_with_the_known_ones() {
        assert!(condition("bad").unwrap_err().contains("regressed"));
        assert!(condition("severity>=bad").unwrap_err().contains("high"));
        assert!(condition("class=nul-read").unwrap_err().contains("did you mean null-read?"));
    }
}
