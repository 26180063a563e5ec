//! Which group to look at first.

use serde::{Deserialize, Serialize};

use crate::history::{Status, Verdict};
use obit_report::Confidence;
use obit_report::Severity;

/// A group's rank: `score` is the product of the others. docs/triage.md states the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rank {
    /// The product: the higher, the sooner.
    pub score: f64,
    /// How bad such a crash is.
    pub severity: f64,
    /// How many there are: 1 and a half for each doubling.
    pub count: f64,
    /// Where it goes.
    pub trend: f64,
    /// How sure the cause is.
    pub confidence: f64,
}

impl Rank {
    /// Of a group of `count` dumps.
    pub fn of(
        severity: Option<&str>,
        count: u64,
        verdict: &Verdict,
        confidence: Option<Confidence>,
    ) -> Self {
        let severity = match severity.and_then(Severity::named) {
            Some(Severity::High) => 8.0,
            Some(Severity::Medium) => 4.0,
            Some(Severity::Low) | None => 2.0,
            Some(Severity::Info) => 1.0,
        };
        let trend = match verdict.status {
            Status::Regressed => 3.0,
            Status::New | Status::Increasing => 2.0,
            Status::Active => 1.0,
            Status::Fading => 0.5,
            Status::Resolved => 0.1,
            Status::Ignored => 0.0,
        };
        // On weak evidence, half the way from a group that goes on.
        let is_weak = !verdict.is_sure && trend > 0.1;
        let trend = if is_weak { (1.0 + trend) / 2.0 } else { trend };
        let confidence = match confidence {
            Some(Confidence::Proved) => 1.0,
            Some(Confidence::Likely) => 0.9,
            _ => 0.75,
        };
        let count = 1.0 + (count.max(1) as f64).log2() / 2.0;
        Self { score: severity * count * trend * confidence, severity, count, trend, confidence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(severity: &str, count: u64, status: Status, is_sure: bool) -> f64 {
        let verdict = Verdict { status, is_sure, ..Verdict::default() };
        Rank::of(Some(severity), count, &verdict, Some(Confidence::Proved)).score
    }

    #[test]
    fn the_factors_multiply() {
        assert_eq!(rank("high", 1, Status::Active, true), 8.0);
        assert_eq!(rank("high", 16, Status::Active, true), 24.0);
        assert_eq!(rank("high", 16, Status::Regressed, true), 72.0);
        assert_eq!(rank("low", 16, Status::Regressed, false), 12.0);
        assert_eq!(rank("high", 1_000_000, Status::Ignored, true), 0.0);
    }

    #[test]
    fn a_new_bad_crash_goes_before_many_harmless_old_ones() {
        assert!(rank("high", 2, Status::New, true) > rank("low", 1_000, Status::Active, true));
        assert!(rank("low", 4, Status::Regressed, true) > rank("low", 4, Status::Fading, true));
    }
}
