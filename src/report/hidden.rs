//! What a report hides, where and why, without showing it: `obit redact --explain`.

use super::answer::{Hidden, HiddenText};
use super::{BuildOptions, build};
use obit_process::process::Process;
use obit_redact::{Decision, Reason, Redactor};

/// The version of this document.
const SCHEMA: &str = "obit.hidden/1";

/// What a report on `process` hides.
pub fn hidden(process: &Process, options: BuildOptions) -> Hidden {
    let redactor = options.redactor(process).with_log();
    let (report, redactor) = build::build_with(process, options, redactor);
    let (decisions, left_out) = redactor.decisions();
    Hidden {
        schema: SCHEMA.to_owned(),
        id: report.id,
        policy: report.redactions.policy,
        counts: report.redactions.counts,
        hidden: decisions.iter().map(|decision| one(decision, &redactor)).collect(),
        left_out,
        unjudged: redactor
            .unjudged()
            .iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect(),
    }
}

fn one(decision: &Decision, redactor: &Redactor) -> HiddenText {
    let rule = match &decision.reason {
        Reason::Rule(rule) => Some(redactor.aside(rule)),
        _ => None,
    };
    HiddenText {
        place: decision.place.clone(),
        origin: decision.origin.map_or("number", |origin| origin.word()).to_owned(),
        reason: decision.reason.word().to_owned(),
        rule,
        kind: decision.kind.to_owned(),
        token: decision.token.clone(),
    }
}
