//! `--fail-on`: an exit code for machines that decide.

use clap::Args;
use obit::triage::filter::{SEVERITIES, severity_level};
use obit::triage::history::Status;
use obit::triage::overview::GroupSummary;

use super::exit::Exit;
use super::say;

/// What makes the run end with 3.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Gate {
    /// End with 3 if a group is one of these: new, regressed, increasing, or another status;
    /// severity>=high
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = alarm)]
    pub(crate) fail_on: Vec<Alarm>,
}

/// One thing to fail on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// A group that stands so.
    Status(Status),
    /// A group that is as bad, or worse: a place in the list of severities.
    Severity(i64),
}

/// Reasons that are told one by one.
const MOST_REASONS: usize = 20;

impl Gate {
    /// Whether there is anything to fail on.
    pub(crate) fn is_shut(&self) -> bool {
        !self.fail_on.is_empty()
    }

    /// Why to fail, a line for each group.
    pub(crate) fn reasons<'g>(
        &self,
        groups: impl IntoIterator<Item = &'g GroupSummary>,
    ) -> Vec<String> {
        let failing = groups.into_iter().filter_map(|group| {
            let severity = group.severity.as_deref().unwrap_or_default();
            let level = severity_level(severity);
            let why = self.fail_on.iter().find_map(|alarm| match *alarm {
                Alarm::Status(status) if status == group.status => {
                    Some(format!("{}: {}", status.word(), group.reason))
                }
                Alarm::Severity(least) if level.is_some_and(|level| level >= least) => {
                    Some(format!("severity {severity}"))
                }
                _ => None,
            })?;
            Some(format!("{} {}: {why}", group.id, group.signature))
        });
        failing.collect()
    }

    /// Tells the reasons; 3 if there are any.
    pub(crate) fn exit(reasons: &[String]) -> Exit {
        for reason in reasons.iter().take(MOST_REASONS) {
            say(&format!("fails on {reason}"));
        }
        if let Some(rest) = reasons.len().checked_sub(MOST_REASONS).filter(|rest| *rest > 0) {
            say(&format!("fails on {rest} more"));
        }
        if reasons.is_empty() { Exit::Success } else { Exit::Gate }
    }
}

fn alarm(text: &str) -> Result<Alarm, String> {
    if let Some(status) = Status::named(text.trim()) {
        return Ok(Alarm::Status(status));
    }
    let severity = text.trim().strip_prefix("severity>=").and_then(severity_level);
    severity.map(Alarm::Severity).ok_or_else(|| {
        let statuses: Vec<&str> = Status::ALL.iter().map(|status| status.word()).collect();
        format!("write {}, or severity>= and {}", statuses.join(", "), SEVERITIES.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(status: Status, severity: &str) -> GroupSummary {
        GroupSummary { status, severity: Some(severity.to_owned()), ..GroupSummary::default() }
    }

    #[test]
    fn the_gate_fails_on_what_it_was_told_alone() {
        let fail_on = ["new", "severity>=medium"].map(|text| alarm(text).unwrap());
        let gate = Gate { fail_on: fail_on.to_vec() };
        let groups = [
            group(Status::New, "low"),
            group(Status::Active, "high"),
            group(Status::Active, "medium"),
            group(Status::Regressed, "low"),
        ];
        assert_eq!(gate.reasons(&groups).len(), 3);
        assert!(Gate::default().reasons(&groups).is_empty());
        assert_eq!(Gate::exit(&[]), Exit::Success);
        assert_eq!(Gate::exit(&["x".to_owned()]), Exit::Gate);
    }

    #[test]
    fn a_word_that_is_none_says_which_are() {
        assert!(alarm("bad").unwrap_err().contains("regressed"));
        assert!(alarm("severity>=bad").unwrap_err().contains("high"));
    }
}
