//! When and where a process crashed, beside what the core itself holds: by systemd-coredump's
//! attributes and file names, apport's report, a time in the file's name, and the file's age;
//! the environment of the process names the container and the unit.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use obit_redact::{Origin, Redactor};
use obit_report::{Circumstances, TimeSource};
use obit_triage::time::{instant_of, seconds_from_calendar};

/// 2001-09-09 to 2100: ten digits of these are a time.
const PLAUSIBLE: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;
/// Bytes of an apport report in which its date is looked for.
const HEAD: usize = 4096;

/// What is known of a crash beside the core's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileEvidence {
    /// Seconds since 1970, and what says so.
    pub(crate) time: Option<(i64, TimeSource)>,
    /// The machine.
    pub(crate) host: Option<String>,
}

impl FileEvidence {
    /// What is known of the core file at `path`, which `file` is if it could be opened.
    pub(crate) fn of(path: &Path, file: Option<&File>) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let attribute = |name: &str| {
            let mut value = [0; 512];
            let length = rustix::fs::fgetxattr(file?, name, &mut value[..]).ok()?;
            let text = std::str::from_utf8(value.get(..length)?).ok()?;
            Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.is_empty())
        };
        let microseconds = |text: String| Some(text.parse::<i64>().ok()?.div_euclid(1_000_000));
        let by_systemd = || {
            let time = attribute("user.coredump.timestamp").and_then(microseconds);
            let time = time.or_else(|| of_systemd(&name));
            time.filter(|time| PLAUSIBLE.contains(time)).map(|at| (at, TimeSource::Systemd))
        };
        let by_apport = || {
            let time = if name.ends_with(".crash") { of_apport(file?) } else { None };
            time.map(|at| (at, TimeSource::Apport))
        };
        let by_name = || of_digits(&name).map(|at| (at, TimeSource::FileName));
        let by_file = || {
            let modified = match file {
                Some(file) => rustix::fs::fstat(file).ok()?.st_mtime,
                None => path.metadata().ok()?.mtime(),
            };
            Some((modified, TimeSource::FileModified))
        };
        Self {
            time: by_systemd().or_else(by_apport).or_else(by_name).or_else(by_file),
            host: attribute("user.coredump.hostname"),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> Option<i64> {
        self.time.map(|(seconds, _)| seconds)
    }

    /// The part of a report: what the file says, and `environment` of the process.
    pub(crate) fn report(
        &self,
        environment: Option<&[Vec<u8>]>,
        redactor: &mut Redactor,
    ) -> Circumstances {
        let value = |name: &str| {
            let entries = environment.unwrap_or_default().iter();
            let mut values =
                entries.filter_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
            let text = std::str::from_utf8(values.next()?).ok()?;
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let container = match value("KUBERNETES_SERVICE_HOST") {
            Some(_) => Some("kubernetes".to_owned()),
            None => value("container"),
        };
        let host = self.host.clone().or_else(|| container.as_ref().and(value("HOSTNAME")));
        let unit = UNIT_PATHS.iter().find_map(|name| unit_in(&value(name)?));
        let mut show =
            |text: Option<String>| text.map(|text| redactor.show(Origin::ProcessName, &text));
        Circumstances {
            time: self.seconds().map(instant_of),
            time_source: self.time.map(|(_, source)| source),
            host: show(host),
            container: show(container),
            unit: show(unit),
        }
    }
}

/// Variables that systemd sets for a service, to paths with the unit's name in them
/// (systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager").
const UNIT_PATHS: [&str; 2] = ["MEMORY_PRESSURE_WATCH", "CREDENTIALS_DIRECTORY"];

/// `web.service` of `/sys/fs/cgroup/system.slice/web.service/memory.pressure`.
fn unit_in(path: &str) -> Option<String> {
    const KINDS: [&str; 2] = [".service", ".scope"];
    let is_unit =
        |part: &&str| KINDS.iter().any(|kind| part.len() > kind.len() && part.ends_with(kind));
    path.rsplit('/').find(is_unit).map(str::to_owned)
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
fn of_apport(file: &File) -> Option<i64> {
    let mut head = [0; HEAD];
    let length = file.read_at(&mut head, 0).ok()?;
    let head = String::from_utf8_lossy(head.get(..length)?);
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
    use obit_redact::{Level, Shown};

    #[test]
    fn a_file_name_holds_the_time() {
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
    fn else_the_time_of_the_file_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("core.4711");
        std::fs::write(&path, "x").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(
            FileEvidence::of(&path, None).time,
            Some((1_767_225_600, TimeSource::FileModified))
        );
    }

    #[test]
    fn the_environment_names_container_and_unit() {
        let entries =
            |lines: &[&str]| lines.iter().map(|l| l.as_bytes().to_vec()).collect::<Vec<_>>();
        let mut redactor = Redactor::new(Level::Off, "");
        let mut found = |lines: &[&str]| {
            let evidence = FileEvidence::default().report(Some(&entries(lines)), &mut redactor);
            let text = |shown: Option<Shown>| shown.map(|shown| shown.as_str().to_owned());
            (text(evidence.host), text(evidence.container), text(evidence.unit))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found(&["HOSTNAME=laptop"]), (None, None, None));
        assert_eq!(
            found(&["HOSTNAME=web-7d9f", "KUBERNETES_SERVICE_HOST=10.0.0.1"]),
            (some("web-7d9f"), some("kubernetes"), None)
        );
        assert_eq!(
            found(&["container=podman", "CREDENTIALS_DIRECTORY=/run/credentials/web.service"]),
            (None, some("podman"), some("web.service"))
        );
        assert_eq!(
            unit_in("/sys/fs/cgroup/a.slice/web.service/memory.pressure"),
            some("web.service")
        );
        assert_eq!(unit_in("/run/credentials/.service"), None);
    }
}
