//! Which group to look at first.

use serde::{Deserialize, Serialize};

use crate::history::{Status, Verdict};
use obit_report::Confidence;
use obit_report::Severity;

/// A group's rank: `score` is the product of the others. docs/history.md states the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rank {
    /// The product: the higher, the sooner.
    pub score: f64,
    /// How bad such a crash is.
    pub severity: f64,
    /// How many there are: the number to the power of 0.3.
    pub count: f64,
    /// Where it goes.
    pub trend: f64,
    /// How sure the cause is.
    pub confidence: f64,
}

/// Ten times as many dumps count twice.
const VOLUME: f64 = 0.3;

impl Rank {
    /// Of a group of `count` dumps.
    pub fn of(
        severity: Option<&str>,
        count: u64,
        verdict: &Verdict,
        confidence: Option<Confidence>,
    ) -> Self {
        let severity = match severity.and_then(Severity::named) {
            Some(Severity::High) => 7.0,
            Some(Severity::Medium) => 5.0,
            Some(Severity::Low) | None => 3.0,
            Some(Severity::Info) => 1.0,
        };
        let trend = match verdict.status {
            Status::Ignored => 0.0,
            Status::Resolved => 0.1,
            // Weak evidence makes neither more nor less of it.
            _ if !verdict.is_sure => 1.0,
            Status::Regressed => 4.0,
            Status::New | Status::Increasing => 3.0,
            Status::Active => 1.0,
            Status::Fading => 0.5,
        };
        let confidence = match confidence {
            Some(Confidence::Proved) => 1.0,
            Some(Confidence::Likely) => 0.9,
            _ => 0.75,
        };
        let count = (count.max(1) as f64).powf(VOLUME);
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
        assert_eq!(rank("high", 1, Status::Active, true), 7.0);
        assert_eq!(rank("medium", 1, Status::Regressed, true), 20.0);
        assert_eq!(rank("high", 1_000_000, Status::Ignored, true), 0.0);
        let tenfold =
            rank("low", 1000, Status::Active, true) / rank("low", 100, Status::Active, true);
        assert!((1.9..2.1).contains(&tenfold), "{tenfold}");
    }

    #[test]
    fn a_new_bad_crash_goes_before_many_harmless_old_ones() {
        assert!(rank("high", 2, Status::New, true) > rank("low", 1_000, Status::Active, true));
        assert!(rank("low", 4, Status::Regressed, true) > rank("low", 4, Status::Fading, true));
    }

    #[test]
    fn many_more_crashes_outweigh_the_severity_and_weak_evidence_weighs_nothing() {
        assert!(rank("low", 2_448, Status::New, true) > rank("high", 136, Status::New, true));
        for status in [Status::Regressed, Status::New, Status::Fading] {
            assert_eq!(rank("low", 9, status, false), rank("low", 9, Status::Active, true));
        }
    }
}
