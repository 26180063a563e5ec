//! When and where a process crashed, beside what the core itself holds: by what its collector
//! recorded (systemd-coredump, apport, ABRT), a time in the file's name, and the file's age; the
//! environment of the process names the container and the unit.

mod apport;
mod collected;
mod texts;

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use obit_capture::Surroundings;
use obit_redact::{Origin, Redactor};
use obit_report::{Circumstances, Collector, TimeSource};
use obit_triage::time::instant_of;

use self::collected::Collected;

/// 2001-09-09 to 2100: ten digits of these are a time.
const PLAUSIBLE: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

/// What `obit run` and `obit snapshot` recorded in a note of the core, if there is one.
///
/// # Errors
/// There is one that cannot be read: a note about such cores.
pub(crate) fn surroundings(note: &[u8]) -> Result<Option<Surroundings>, &'static str> {
    if note.is_empty() {
        return Ok(None);
    }
    let found: Surroundings = serde_json::from_slice(note)
        .map_err(|_| "cores whose note of sockets and pipes is damaged or cut and was not used")?;
    match found.schema.as_str() {
        "obit-surroundings/1" => Ok(Some(found)),
        _ => Err("cores whose note of sockets and pipes has a form that this version of obit \
                  does not know and did not use"),
    }
}

/// What is known of a crash beside the core's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileEvidence {
    /// Seconds since 1970, and what says so.
    pub(crate) time: Option<(i64, TimeSource)>,
    /// The machine.
    pub(crate) host: Option<String>,
    /// What the collector of the core recorded.
    pub(crate) collected: Option<Collected>,
}

impl FileEvidence {
    /// What is known of the core file at `path`, which `file` is if it could be opened; `beside`
    /// are names and texts of files beside it.
    pub(crate) fn of(path: &Path, file: Option<&File>, beside: &[(String, String)]) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let collected = Collected::of(path, file, beside);
        let by_collector = || {
            let collected = collected.as_ref()?;
            let source = match collected.by {
                Collector::Systemd => TimeSource::Systemd,
                Collector::Apport => TimeSource::Apport,
                Collector::Abrt => TimeSource::Abrt,
            };
            Some((collected.time.filter(|time| PLAUSIBLE.contains(time))?, source))
        };
        let by_systemd = || {
            let time = of_systemd(&name).filter(|time| PLAUSIBLE.contains(time));
            time.map(|at| (at, TimeSource::Systemd))
        };
        let by_name = || of_digits(&name).map(|at| (at, TimeSource::FileName));
        let by_file = || {
            let modified = match file {
                Some(file) => rustix::fs::fstat(file).ok()?.st_mtime,
                None => path.metadata().ok()?.mtime(),
            };
            Some((modified, TimeSource::FileModified))
        };
        let time = by_collector().or_else(by_systemd).or_else(by_name).or_else(by_file);
        let host = collected.as_ref().and_then(|collected| collected.host.clone());
        Self { time, host, collected }
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> Option<i64> {
        self.time.map(|(seconds, _)| seconds)
    }

    /// Whether the time is that of the file, which a copy changes.
    pub(crate) fn is_of_file(&self) -> bool {
        self.time.is_some_and(|(_, source)| source == TimeSource::FileModified)
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
        let unit = unit.or_else(|| self.collected.as_ref()?.unit.clone());
        let recorded = self.collected.as_ref().map(|collected| collected.report(redactor));
        let mut show =
            |text: Option<String>| text.map(|text| redactor.show(Origin::ProcessName, &text));
        Circumstances {
            time: self.seconds().map(instant_of),
            time_source: self.time.map(|(_, source)| source),
            host: show(host),
            container: show(container),
            unit: show(unit),
            recorded,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_cannot_be_read_is_said_and_not_used() {
        assert_eq!(surroundings(b""), Ok(None));
        for note in [
            &b"{"[..],
            br#"{"schema":"obit-surroundings/1","sockets":7}"#,
            br#"{"schema":"obit-surroundings/1","sock"#,
        ] {
            assert!(surroundings(note).unwrap_err().contains("damaged"));
        }
        for note in [&b"{}"[..], br#"{"schema":"x"}"#] {
            assert!(surroundings(note).unwrap_err().contains("does not know"));
        }
        assert!(surroundings(br#"{"schema":"obit-surroundings/1","new":1}"#).unwrap().is_some());
    }
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
    fn else_the_time_of_the_file_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("core.4711");
        std::fs::write(&path, "x").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(
            FileEvidence::of(&path, None, &[]).time,
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
