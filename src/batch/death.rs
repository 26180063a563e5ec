//! When and where a process died, as the file's name, its attributes and its age tell.

use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use obit_corefile::mapped_file::open_regular;
use obit_triage::time::seconds_from_calendar;

/// 2001-09-09 to 2100: ten digits of these are a time.
const PLAUSIBLE: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;
/// Bytes of an apport report in which its date is looked for.
const HEAD: u64 = 4096;

/// What is known of a death beside the core's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Death {
    /// Seconds since 1970.
    pub time: Option<i64>,
    /// The machine.
    pub host: Option<String>,
}

/// What is told of the core at `path`: by systemd-coredump's attributes and names, by
/// apport's `Date`, by a time in the name (`%t` of core_pattern), else by the file's own.
pub fn death_of(path: &Path) -> Death {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let attribute = |name: &str| {
        let mut value = [0; 512];
        let length = rustix::fs::getxattr(path, name, &mut value[..]).ok()?;
        let text = std::str::from_utf8(value.get(..length)?).ok()?;
        Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.is_empty())
    };
    let microseconds = |text: String| Some(text.parse::<i64>().ok()?.div_euclid(1_000_000));
    let is_plausible = |time: &i64| PLAUSIBLE.contains(time);
    let time = attribute("user.coredump.timestamp")
        .and_then(microseconds)
        .or_else(|| of_systemd(&name))
        .filter(is_plausible)
        .or_else(|| if name.ends_with(".crash") { of_apport(path) } else { None })
        .or_else(|| of_digits(&name))
        .or_else(|| path.metadata().ok().as_ref().map(Metadata::mtime));
    Death { time, host: attribute("user.coredump.hostname") }
}

/// `core.COMM.UID.BOOTID.PID.TIMESTAMP`, perhaps packed; the time is in microseconds.
/// Source: systemd's `make_filename` in coredump.c, which escapes dots in COMM.
fn of_systemd(name: &str) -> Option<i64> {
    let packed = [".zst", ".lz4", ".xz"].iter().find_map(|end| name.strip_suffix(end));
    let mut parts = packed.unwrap_or(name).strip_prefix("core.")?.rsplit('.');
    let mut next = || parts.next();
    let (time, pid, boot, user) = (next()?, next()?, next()?, next()?);
    next()?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_boot = boot.len() == 32 && boot.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_boot || !is_number(pid) || !is_number(user) {
        return None;
    }
    Some(time.parse::<i64>().ok()?.div_euclid(1_000_000))
}

/// The last number of ten digits that is a plausible time. A process id has seven at most.
fn of_digits(name: &str) -> Option<i64> {
    let runs = name.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 10);
    runs.filter_map(|run| run.parse().ok()).rfind(|time| PLAUSIBLE.contains(time))
}

/// `Date: Tue Mar 10 12:34:56 2026`, in the time of the machine, read as UTC.
/// Source: apport's `report.py` (`time.asctime()`).
fn of_apport(path: &Path) -> Option<i64> {
    let mut head = Vec::new();
    open_regular(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    of_asctime(head.lines().find_map(|line| line.strip_prefix("Date: "))?)
}

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
    fn names_tell_the_time_of_death() {
        let boot = "0123456789abcdef0123456789abcdef";
        let name = format!("core.my\\x2eapp.1000.{boot}.4711.1767225600123456.zst");
        assert_eq!(of_systemd(&name), Some(1_767_225_600));
        assert_eq!(of_systemd("core.app.1000.0123.4711.1767225600123456"), None);
        assert_eq!(of_digits("core-app-4711-1767225600"), Some(1_767_225_600));
        assert_eq!(of_digits("core.app.1767225600.4711.gz"), Some(1_767_225_600));
        assert_eq!(of_digits("core.4194303"), None);
        assert_eq!(of_digits("core-app-9999999999"), None);
    }

    #[test]
    fn the_date_of_a_report_is_read() {
        assert_eq!(of_asctime("Thu Jan  1 00:00:00 1970"), Some(0));
        assert_eq!(of_asctime("Tue Mar 10 12:34:56 2026"), Some(1_773_146_096));
        assert_eq!(of_asctime("Thu Feb 29 23:59:59 2024"), Some(1_709_251_199));
        assert_eq!(of_asctime("Fri Feb 30 00:00:00 2024"), None);
        assert_eq!(of_asctime("some day"), None);
    }

    #[test]
    fn else_the_file_s_own_time_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("core.4711");
        std::fs::write(&path, "x").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(death_of(&path).time, Some(1_767_225_600));
    }
}
