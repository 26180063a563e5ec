//! A crash in one line: for the journal, for `status`.

use obit::dump::signal_name;
use obit_capture::handler::{CrashRecord, End};

/// `SIGSEGV`; `an unknown signal` where the kernel did not say.
pub(super) fn signal(number: Option<i32>) -> String {
    let name = number.and_then(|number| signal_name(u16::try_from(number).ok()?));
    match (name, number) {
        (Some(name), _) => name.to_owned(),
        (None, Some(number)) => format!("signal {number}"),
        (None, None) => "an unknown signal".to_owned(),
    }
}

/// `4.2 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_240
        && let Some(larger) = units.next()
    {
        tenths /= 1024;
        unit = Some(larger);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, unit.unwrap_or(&""))
}

/// Why a core is not complete; nothing for one that is.
pub(super) fn cut(end: End) -> &'static str {
    match end {
        End::Complete => "",
        End::SizeLimit => "cut at max-core-bytes",
        End::CoreLimit => "cut at RLIMIT_CORE of the process",
        End::NoSpace => "cut: the spool is full",
        End::TimeLimit => "cut: the time limit was over",
        _ => "cut",
    }
}

/// For the journal: names of the process, its signal and the id, and nothing that it had in
/// memory.
pub(super) fn captured(record: &CrashRecord) -> String {
    let mut line = format!(
        "{} (pid {}) crashed with {}, captured as {}",
        record.name(),
        record.process,
        signal(record.signal),
        record.id
    );
    let cut = cut(record.core.end);
    if !cut.is_empty() {
        line.push_str(&format!(" ({cut})"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_and_one_digit_behind_the_point() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(4 << 30), "4.0 GiB");
        assert_eq!(size(1023 << 20), "1023.0 MiB");
    }

    #[test]
    fn a_signal_is_named_where_it_is_known() {
        assert_eq!(signal(Some(11)), "SIGSEGV");
        assert_eq!(signal(None), "an unknown signal");
    }
}
