//! Which crashes are reported to those who wait, and how often.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::{Duration, Instant};

use obit_triage::Status;
use obit_triage::history::StatusCondition;

/// Groups whose last report is remembered; of more, those that were quiet longest are forgotten.
const MOST: usize = 65_536;

/// Which crashes are reported, by the status of their group with the crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// All, and files that cannot be read.
    Any,
    /// Those of groups of this status.
    Status(StatusCondition),
}

impl FromStr for On {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let status = StatusCondition::named(text).map(Self::Status);
        status.ok_or_else(|| format!("expected any, or a status: {}", Status::words()))
    }
}

/// Decides what is reported: what was asked for, and each group at most once in a while for the
/// same status.
#[derive(Debug)]
pub struct Alerts {
    on: Vec<On>,
    quiet_for: Duration,
    /// When a group was last reported with a status, and how many dumps were not since.
    reported: HashMap<(String, Status), (Instant, u64)>,
}

impl Alerts {
    /// Reports what one of `on` asks for; not the same group with the same status again within
    /// `quiet_for`.
    pub fn new(on: Vec<On>, quiet_for: Duration) -> Self {
        Self { on, quiet_for, reported: HashMap::new() }
    }

    /// Whether anything is asked for.
    pub fn are_any(&self) -> bool {
        !self.on.is_empty()
    }

    /// Whether a dump that could not be read is reported.
    pub(super) fn take_unreadable(&self) -> bool {
        self.on.contains(&On::Any)
    }

    /// Whether a dump of `group` is reported now: how many like it were not, since the last that
    /// was.
    pub(super) fn take(
        &mut self,
        group: &str,
        status: Status,
        is_sure: bool,
        now: Instant,
    ) -> Option<u64> {
        let is_asked_for = self.on.iter().any(|on| match on {
            On::Any => true,
            On::Status(condition) => condition.is_met(status, is_sure),
        });
        if !is_asked_for {
            return None;
        }
        let key = (group.to_owned(), status);
        if let Some((last, unreported)) = self.reported.get_mut(&key)
            && now.saturating_duration_since(*last) < self.quiet_for
        {
            *unreported += 1;
            return None;
        }
        if self.reported.len() >= MOST {
            let quiet_for = self.quiet_for;
            self.reported.retain(|_, (last, _)| now.saturating_duration_since(*last) < quiet_for);
            if self.reported.len() >= MOST {
                self.reported.clear();
            }
        }
        Some(self.reported.insert(key, (now, 0)).map_or(0, |(_, unreported)| unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn alerts(on: &[&str]) -> Alerts {
        Alerts::new(on.iter().map(|word| word.parse().unwrap()).collect(), HOUR)
    }

    #[test]
    fn what_is_asked_for_is_reported_by_status_and_evidence() {
        let now = Instant::now();
        let mut some = alerts(&["new:sure", "regressed"]);
        assert_eq!(some.take("a", Status::New, true, now), Some(0));
        assert_eq!(some.take("b", Status::New, false, now), None);
        assert_eq!(some.take("c", Status::Regressed, false, now), Some(0));
        assert_eq!(some.take("d", Status::Active, true, now), None);
        assert_eq!(alerts(&["any"]).take("d", Status::Active, true, now), Some(0));
        assert!(alerts(&["any"]).take_unreadable() && !some.take_unreadable());
        let said = On::from_str("newer").unwrap_err();
        assert!(said.contains("regressed") && said.contains("any"), "{said}");
    }

    #[test]
    fn a_group_is_reported_once_in_a_while_for_a_status_and_the_rest_is_counted() {
        let now = Instant::now();
        let mut alerts = alerts(&["any"]);
        assert_eq!(alerts.take("a", Status::Increasing, true, now), Some(0));
        assert_eq!(alerts.take("a", Status::Increasing, true, now + HOUR / 2), None);
        assert_eq!(alerts.take("a", Status::Increasing, true, now + HOUR / 2), None);
        // Another status is news.
        assert_eq!(alerts.take("a", Status::Regressed, true, now + HOUR / 2), Some(0));
        assert_eq!(alerts.take("a", Status::Increasing, true, now + HOUR), Some(2));
        assert_eq!(alerts.take("b", Status::Increasing, true, now + HOUR), Some(0));
    }
}
