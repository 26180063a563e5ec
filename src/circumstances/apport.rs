//! Fields of an apport report beside the core in it. Source: apport's `report.py`
//! (`add_proc_info`, `add_package`) and `problem_report.py` (`write`).

use std::fs::File;
use std::os::unix::fs::FileExt;

use obit_report::Collector;
use obit_triage::time::seconds_from_calendar;

use super::collected::Collected;

/// Bytes in which the fields are looked for. Those with binary content, such as the core, are
/// the last ones.
const HEAD: usize = 256 << 10;
/// The field that the core is in.
const CORE: &str = "CoreDump:";

/// What the report in `file` says.
pub(super) fn read(file: &File) -> Option<Collected> {
    let mut head = vec![0; HEAD];
    let length = file.read_at(&mut head, 0).ok()?;
    let head = String::from_utf8_lossy(head.get(..length)?).into_owned();
    head.starts_with("ProblemType:").then(|| of_text(&head))
}

fn of_text(head: &str) -> Collected {
    let mut found = Collected::nothing(Collector::Apport);
    let mut field = "";
    for line in head.lines().take_while(|line| !line.starts_with(CORE)) {
        // A field of several lines has a blank before each but the first.
        if let Some(more) = line.strip_prefix(' ') {
            if field == "ProcStatus" {
                status_line(more, &mut found);
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        field = name;
        let value = value.trim();
        match name {
            "Date" => found.time = of_asctime(value),
            "ExecutablePath" => found.exe = Some(value.to_owned()),
            "InterpreterPath" => found.is_script = true,
            "Package" => found.package = Some(value.to_owned()),
            "Signal" => found.signal = value.parse().ok(),
            "CrashCounter" => found.count = value.parse().ok(),
            "ProcStatus" => status_line(value, &mut found),
            _ => {}
        }
    }
    found
}

/// A line of `/proc/PID/status`: of the ids of a user, the first is the real one.
fn status_line(line: &str, found: &mut Collected) {
    let Some((name, value)) = line.split_once(':') else { return };
    let first = value.split_ascii_whitespace().next();
    match name {
        "Pid" => found.pid = first.and_then(|text| text.parse().ok()),
        "Uid" => found.uid = first.and_then(|text| text.parse().ok()),
        _ => {}
    }
}

/// `Date: Tue Mar 10 12:34:56 2026`, in the time of the machine, read as UTC.
/// Source: apport's `report.py` (`time.asctime()`).
fn of_asctime(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_ascii_whitespace().skip(1);
    let (month, day, clock, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = u8::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let mut parts = clock.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let (day, year) = (day.parse::<u8>().ok()?, year.parse::<i32>().ok()?);
    if year >= 2100 {
        return None;
    }
    seconds_from_calendar((year, month, day), (hour, minute, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_before_the_core_are_read() {
        let report = "ProblemType: Crash\nCrashCounter: 2\nDate: Tue Mar 10 12:34:56 2026\n\
                      ExecutablePath: /usr/bin/shop\nPackage: shop 2.1-1\nProcCmdline: shop --x\n\
                      ProcStatus:\n Name:\tshop\n Pid:\t4711\n Uid:\t1000\t1001\t1000\t1000\n\
                      Signal: 11\nCoreDump: base64\n H4sI\nSignal: 6\n";
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of_text(report),
            Collected {
                time: Some(1_773_146_096),
                pid: Some(4711),
                uid: Some(1000),
                signal: Some(11),
                exe: some("/usr/bin/shop"),
                package: some("shop 2.1-1"),
                count: Some(2),
                ..Collected::nothing(Collector::Apport)
            }
        );
    }

    #[test]
    fn the_date_of_a_report_is_read() {
        assert_eq!(of_asctime("Thu Jan  1 00:00:00 1970"), Some(0));
        assert_eq!(of_asctime("Tue Mar 10 12:34:56 2026"), Some(1_773_146_096));
        assert_eq!(of_asctime("Thu Feb 29 23:59:59 2024"), Some(1_709_251_199));
        assert_eq!(of_asctime("Fri Feb 30 00:00:00 2024"), None);
        assert_eq!(of_asctime("some day"), None);
    }
}
