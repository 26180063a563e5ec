//! `--fail-on`: an exit code for machines that decide.

use clap::Args;
use obit::report::Report;
use obit::triage::history::Status;
use obit::triage::views::{GroupSummary, Severity};

use super::exit::Exit;
use super::say;

/// What makes the run end with 3.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Gate {
    /// End with 3 if a crash or a group is one of these: severity>=high, class=null-read;
    /// of groups, new, regressed, increasing, or another status
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = alarm, global = true,
        hide_short_help = true)]
    fail_on: Vec<Alarm>,
}

/// One thing to fail on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Alarm {
    /// A group that stands so.
    Status(Status),
    /// A crash that is as bad, or worse.
    Severity(Severity),
    /// A crash of that class.
    Class(String),
}

/// Reasons that are told one by one.
const MOST_REASONS: usize = 20;

impl Gate {
    /// Whether there is anything to fail on.
    pub(crate) fn is_shut(&self) -> bool {
        !self.fail_on.is_empty()
    }

    /// Tells why to fail, a line for each group; 3 if there is any reason.
    pub(crate) fn exit(&self, groups: &[GroupSummary]) -> Exit {
        let reasons = self.reasons(groups);
        for reason in reasons.iter().take(MOST_REASONS) {
            say(&format!("fails on {reason}"));
        }
        if let Some(rest) = reasons.len().checked_sub(MOST_REASONS).filter(|rest| *rest > 0) {
            say(&format!("fails on {rest} more"));
        }
        if reasons.is_empty() { Exit::Success } else { Exit::Gate }
    }

    /// The same of one crash, of which there is no history.
    pub(crate) fn exit_of(&self, report: &Report) -> Exit {
        let Some(cause) = report.cause.as_ref().filter(|_| self.is_shut()) else {
            return Exit::Success;
        };
        let signature = report.signature.as_ref().map(|s| s.text.as_str().to_owned());
        self.exit(&[GroupSummary {
            id: report.id.clone(),
            signature: signature.unwrap_or_default(),
            class: Some(cause.class.clone()),
            severity: cause.severity.clone(),
            ..GroupSummary::default()
        }])
    }

    fn reasons(&self, groups: &[GroupSummary]) -> Vec<String> {
        let failing = groups.iter().filter_map(|group| {
            let why = self.fail_on.iter().find_map(|alarm| alarm.why(group))?;
            Some(format!("{} {}: {why}", group.id, group.signature))
        });
        failing.collect()
    }
}

impl Alarm {
    /// Why it goes off, if it does.
    fn why(&self, group: &GroupSummary) -> Option<String> {
        match self {
            Self::Status(status) => {
                // What has no reason has no history.
                let goes_off = *status == group.status && !group.reason.is_empty();
                goes_off.then(|| format!("{}: {}", status.word(), group.reason))
            }
            Self::Severity(least) => {
                let severity = group.severity.as_deref()?;
                let level = Severity::named(severity)?;
                (level >= *least).then(|| format!("severity {severity}"))
            }
            Self::Class(class) => {
                (group.class.as_ref() == Some(class)).then(|| format!("class {class}"))
            }
        }
    }
}

fn alarm(text: &str) -> Result<Alarm, String> {
    let text = text.trim();
    if let Some(status) = Status::named(text) {
        return Ok(Alarm::Status(status));
    }
    if let Some(class) = text.strip_prefix("class=") {
        return Ok(Alarm::Class(class.to_owned()));
    }
    let severity = text.strip_prefix("severity>=").and_then(Severity::named);
    severity.map(Alarm::Severity).ok_or_else(|| {
        let (statuses, severities) = (Status::words(), Severity::words());
        format!("write {statuses}, class=CLASS, or severity>= and {severities}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(status: Status, severity: &str, class: &str) -> GroupSummary {
        GroupSummary {
            status,
            severity: Some(severity.to_owned()),
            class: Some(class.to_owned()),
            reason: "so it is".to_owned(),
            ..GroupSummary::default()
        }
    }

    #[test]
    fn the_gate_fails_on_what_it_was_told_alone() {
        let fail_on = ["new", "severity>=medium", "class=abort"].map(|text| alarm(text).unwrap());
        let gate = Gate { fail_on: fail_on.to_vec() };
        let groups = [
            group(Status::New, "low", "null-read"),
            group(Status::Active, "high", "null-read"),
            group(Status::Active, "medium", "null-read"),
            group(Status::Active, "low", "abort"),
            group(Status::Regressed, "low", "null-read"),
        ];
        assert_eq!(gate.reasons(&groups).len(), 4);
        assert_eq!(gate.exit(&groups[4..]), Exit::Success);
        assert_eq!(gate.exit(&groups[..1]), Exit::Gate);
        assert!(Gate::default().reasons(&groups).is_empty());
    }

    #[test]
    fn a_word_that_is_none_says_which_are() {
        assert!(alarm("bad").unwrap_err().contains("regressed"));
        assert!(alarm("severity>=bad").unwrap_err().contains("high"));
    }
}
