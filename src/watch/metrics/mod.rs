//! What a watch did, in numbers, as Prometheus reads them.

mod file;
mod page;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use file::MetricsFile;
pub use page::serve_metrics;

/// The numbers. They are shared with the threads that deliver and that answer for them.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Numbers>);

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    /// Dumps that the store did not have.
    pub(super) new: u64,
    /// Files with a dump that it had.
    pub(super) known: u64,
    /// Files that cannot be read as a core.
    pub(super) failed: u64,
    /// Files that are something else.
    pub(super) skipped: u64,
    /// Groups in the store.
    pub(super) groups: u64,
    /// Groups that were new, since the start.
    pub(super) new_groups: u64,
    /// Times that the store could not be written.
    pub(super) store_errors: u64,
    /// Times that events were missed.
    pub(super) overflows: u64,
    /// Searches of the directories.
    pub(super) scans: u64,
    /// Files that are complete and wait to be read.
    pub(super) queued: u64,
    /// Files that are not known to be complete.
    pub(super) incomplete: u64,
    /// Seconds from when the last dump was complete until it was stored.
    pub(super) lag: f64,
    /// When a dump was stored last, seconds since 1970.
    pub(super) last_success: Option<f64>,
    /// Notifications by way and outcome.
    pub(super) notifications: BTreeMap<(&'static str, &'static str), u64>,
}

impl Metrics {
    pub(super) fn change(&self, change: impl FnOnce(&mut Numbers)) {
        change(&mut self.numbers());
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the text format of Prometheus (exposition format 0.0.4).
    pub fn text(&self) -> String {
        let numbers = self.numbers().clone();
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, values: &[(&str, String)]| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let version = format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
        family("obit_build_info", "gauge", "The version of obit.", &[(&version, "1".to_owned())]);
        family(
            "obit_watch_dumps_total",
            "counter",
            "Files that were read, by outcome.",
            &[
                ("{result=\"new\"}", numbers.new.to_string()),
                ("{result=\"known\"}", numbers.known.to_string()),
                ("{result=\"failed\"}", numbers.failed.to_string()),
                ("{result=\"skipped\"}", numbers.skipped.to_string()),
            ],
        );
        let mut one = |name: &str, kind: &str, help: &str, value: String| {
            family(name, kind, help, &[("", value)]);
        };
        one("obit_watch_groups", "gauge", "Groups in the store.", numbers.groups.to_string());
        one(
            "obit_watch_new_groups_total",
            "counter",
            "Groups that were new when a dump was stored.",
            numbers.new_groups.to_string(),
        );
        one(
            "obit_watch_store_errors_total",
            "counter",
            "Times that the store could not be written.",
            numbers.store_errors.to_string(),
        );
        one(
            "obit_watch_missed_events_total",
            "counter",
            "Times that events were missed and the directories searched.",
            numbers.overflows.to_string(),
        );
        one(
            "obit_watch_scans_total",
            "counter",
            "Searches of the directories.",
            numbers.scans.to_string(),
        );
        one(
            "obit_watch_queue_length",
            "gauge",
            "Files that are complete and wait to be read.",
            numbers.queued.to_string(),
        );
        one(
            "obit_watch_incomplete",
            "gauge",
            "Files that are being written.",
            numbers.incomplete.to_string(),
        );
        one(
            "obit_watch_lag_seconds",
            "gauge",
            "From when the last dump was complete until it was stored.",
            format!("{:.3}", numbers.lag),
        );
        if let Some(time) = numbers.last_success {
            one(
                "obit_watch_last_success_timestamp_seconds",
                "gauge",
                "When a dump was stored last.",
                format!("{time:.3}"),
            );
        }
        if !numbers.notifications.is_empty() {
            let values: Vec<(String, String)> = numbers
                .notifications
                .iter()
                .map(|((by, result), count)| {
                    (format!("{{by=\"{by}\",result=\"{result}\"}}"), count.to_string())
                })
                .collect();
            let values: Vec<(&str, String)> =
                values.iter().map(|(labels, count)| (labels.as_str(), count.clone())).collect();
            family(
                "obit_watch_notifications_total",
                "counter",
                "Notifications, by way and outcome.",
                &values,
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_its_help_and_its_type_once_and_before_its_values() {
        let metrics = Metrics::default();
        metrics.change(|numbers| {
            numbers.new = 3;
            numbers.lag = 0.25;
            numbers.last_success = Some(1_773_100_800.5);
            *numbers.notifications.entry(("webhook", "failed")).or_default() += 2;
            *numbers.notifications.entry(("exec", "delivered")).or_default() += 1;
        });
        let text = metrics.text();
        for line in [
            "obit_watch_dumps_total{result=\"new\"} 3",
            "obit_watch_lag_seconds 0.250",
            "obit_watch_last_success_timestamp_seconds 1773100800.500",
            "obit_watch_notifications_total{by=\"exec\",result=\"delivered\"} 1",
            "obit_watch_notifications_total{by=\"webhook\",result=\"failed\"} 2",
        ] {
            assert!(text.lines().any(|one| one == line), "no {line} in\n{text}");
        }
        let typed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .collect();
        let mut once = typed.clone();
        once.dedup();
        assert_eq!(typed, once);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(typed.contains(&name), "{line}");
        }
        assert!(text.ends_with('\n'));
    }
}
