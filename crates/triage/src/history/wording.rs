//! Numbers as a reason states them.

use super::code_evidence::ChangedFunction;
use super::code_hashes::CodeChange;
use super::trend::Rate;

/// `3 of 47 dumps`.
pub(crate) fn part(rate: Rate) -> String {
    match rate.exposure {
        Some(exposure) => format!("{} in {exposure:.0} units of exposure", dumps(rate.count)),
        None => format!("{} of {}", rate.count, dumps(rate.dumps)),
    }
}

/// `1 dump`, `3 dumps`.
pub(crate) fn dumps(count: u64) -> String {
    if count == 1 { "1 dump".to_owned() } else { format!("{count} dumps") }
}

/// A length of time, given in days.
pub(crate) fn in_days(days: f64) -> String {
    if days < 2.0 { format!("{:.0} hours", days * 24.0) } else { format!("{days:.0} days") }
}

/// The probability, and whether that is weak evidence.
pub(crate) fn doubt(p: f64, limit: f64) -> String {
    if p < limit { format!(" ({})", p_text(p)) } else { format!(" ({}: weak evidence)", p_text(p)) }
}

/// `p = 0.012`.
pub(crate) fn p_text(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// What changed since a release, as the end of a reason.
pub(crate) fn changed_since(changes: &[ChangedFunction], release: &str) -> String {
    let differs = || changes.iter().filter(|change| change.what != CodeChange::Same);
    if changes.is_empty() {
        String::new()
    } else if differs().next().is_none() {
        format!("; the functions on its stack are the same as in {release}")
    } else {
        let names = listed(differs().map(|change| change.function.as_str()));
        format!("; changed since {release}: {names}")
    }
}

/// Functions that a reason names.
const NAMED: usize = 3;

/// The first of some functions by name, and how many more.
pub(crate) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(NAMED);
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if rest > 0 { format!("{shown} and {rest} more") } else { shown }
}
