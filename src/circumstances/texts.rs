//! Texts in which a collector described a crash as a whole: what `coredumpctl info` prints, and the
//! record of `obit capture`, whose cores have the attributes of systemd-coredump.

use obit_capture::handler::CrashRecord;
use obit_report::Collector;
use obit_triage::time::seconds_from_calendar;

use super::collected::Collected;

/// What a text beside the core says.
pub(super) fn of(beside: &[(String, String)]) -> Option<Collected> {
    let text = |wanted: &str| {
        let found = beside.iter().find(|(name, _)| name == wanted);
        found.map(|(_, text)| text.as_str())
    };
    let of_record = || of_record(text("obit-capture")?);
    text("coredumpctl-info").map(of_info).or_else(of_record)
}

/// A record of `obit capture`.
fn of_record(text: &str) -> Option<Collected> {
    let record: CrashRecord = serde_json::from_str(text).ok()?;
    Some(Collected {
        time: Some(record.time),
        host: record.host,
        unit: record.facts.unit,
        pid: Some(record.process.into()),
        uid: record.facts.users.map(|[real, ..]| real.into()),
        signal: record.signal.map(Into::into),
        exe: record.facts.exe,
        ..Collected::nothing(Collector::Systemd)
    })
}

/// Lines of names and values. Source: systemd's `print_info` in coredumpctl.c.
fn of_info(text: &str) -> Collected {
    let mut found = Collected::nothing(Collector::Systemd);
    for line in text.lines().take(256) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        let first = value.split_ascii_whitespace().next().unwrap_or_default();
        let text = Some(value.to_owned()).filter(|value| !value.is_empty());
        match name.trim() {
            "PID" => found.pid = first.parse().ok(),
            "UID" => found.uid = first.parse().ok(),
            "Signal" => found.signal = first.parse().ok(),
            "Timestamp" => found.time = of_timestamp(value),
            "Executable" => found.exe = text,
            "Unit" => found.unit = found.unit.or(text),
            "User Unit" => found.unit = text,
            "Hostname" => found.host = text,
            "Package" => found.package = text,
            // The stack follows, with names of any kind.
            "Message" => break,
            _ => {}
        }
    }
    found
}

/// `Tue 2026-03-10 12:34:56 UTC (3 days ago)`. The abbreviation of another zone says too little.
fn of_timestamp(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let (date, clock, zone) = (words.next()?, words.next()?, words.next()?);
    if !matches!(zone, "UTC" | "GMT") {
        return None;
    }
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let mut clock = clock.splitn(3, ':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    seconds_from_calendar(
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?),
        (hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_coredumpctl_prints_is_read_up_to_the_stack() {
        let info = "           PID: 4711 (shop)\n           UID: 1000 (ann)\n        \
                    Signal: 11 (SEGV)\n     Timestamp: Tue 2026-03-10 12:34:56 UTC (3 days ago)\n  \
                    Executable: /usr/bin/shop\n          Unit: shop.service\n      Hostname: db1\n       \
                    Message: Process 4711 dumped core.\n   PID: 1\n";
        let some = |text: &str| Some(text.to_owned());
        let wanted = Collected {
            time: Some(1_773_146_096),
            host: some("db1"),
            unit: some("shop.service"),
            pid: Some(4711),
            uid: Some(1000),
            signal: Some(11),
            exe: some("/usr/bin/shop"),
            ..Collected::nothing(Collector::Systemd)
        };
        assert_eq!(of(&[("coredumpctl-info".to_owned(), info.to_owned())]), Some(wanted));
        assert_eq!(of_timestamp("Tue 2026-03-10 12:34:56 CET"), None);
        assert_eq!(of_timestamp("Tue 2026-13-40 12:34:56 UTC"), None);
    }

    #[test]
    fn the_record_of_obit_capture_is_read() {
        let record = r#"{"schema":"obit-capture/1","id":"shop-1-2","time":1773146096,
            "process":4711,"signal":11,"host":"db1","facts":{"identity":"dumping",
            "exe":"/usr/bin/shop","users":[1000,1000,1000,1000],"has_other_root":false},
            "core":{"bytes":1,"packed_bytes":1,"end":"complete"}}"#;
        let found = of(&[("obit-capture".to_owned(), record.to_owned())]).unwrap();
        assert_eq!(
            (found.time, found.pid, found.uid),
            (Some(1_773_146_096), Some(4711), Some(1000))
        );
        assert_eq!(of(&[("obit-capture".to_owned(), "{}".to_owned())]), None);
    }
}
