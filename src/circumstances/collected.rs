//! What the program that collected a core recorded of the process: systemd-coredump in
//! attributes of the file and in the journal, apport in its report, ABRT in files beside the core.

use std::fs::File;
use std::path::Path;

use obit_corefile::notice::Notice;
use obit_redact::{Origin, Redactor};
use obit_report::{Collector, Recorded};

use super::unit_in;
use super::{apport, texts};

/// What the kernel puts behind the path of a program whose file is gone.
const DELETED: &str = " (deleted)";

/// What a collector recorded. What the core says as well is compared with it: the core is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(super) by: Collector,
    /// Seconds since 1970.
    pub(super) time: Option<i64>,
    pub(super) host: Option<String>,
    /// The systemd unit.
    pub(super) unit: Option<String>,
    /// As the collector saw the process: outside of its container.
    pub(super) pid: Option<i64>,
    pub(super) uid: Option<u64>,
    pub(super) signal: Option<i64>,
    pub(super) exe: Option<String>,
    /// The path is that of a script, and the program its interpreter.
    pub(super) is_script: bool,
    /// The package of the program.
    pub(super) package: Option<String>,
    /// How often the same crash was seen.
    pub(super) count: Option<u64>,
}

impl Collected {
    pub(super) fn nothing(by: Collector) -> Self {
        Self {
            by,
            time: None,
            host: None,
            unit: None,
            pid: None,
            uid: None,
            signal: None,
            exe: None,
            is_script: false,
            package: None,
            count: None,
        }
    }

    /// What was recorded of the core at `path`, which `file` is; `beside` are files beside it.
    pub(super) fn of(
        path: &Path,
        file: Option<&File>,
        beside: &[(String, String)],
    ) -> Option<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let is_apport = || name.ends_with(".crash").then(|| apport::read(file?)).flatten();
        let of_beside = of_beside(beside);
        let of_text = || texts::of(beside);
        let mut found =
            of_systemd(beside).or_else(is_apport).or_else(|| of_beside.clone()).or_else(of_text)?;
        // Attributes have no unit and no package; the journal has.
        if let Some(beside) = of_beside {
            found.unit = found.unit.or(beside.unit);
            found.package = found.package.or(beside.package);
        }
        Some(found)
    }

    /// Where it says something else than the core: the core's `signal` and the path of the
    /// program.
    pub(crate) fn contradictions(&self, signal: Option<i64>, exe: Option<&Path>) -> Vec<Notice> {
        let by = match self.by {
            Collector::Systemd => "systemd-coredump",
            Collector::Apport => "apport",
            Collector::Abrt => "ABRT",
        };
        let mut found = Vec::new();
        if let (Some(recorded), Some(signal)) = (self.signal, signal)
            && recorded != signal
        {
            found.push(Notice::MetadataContradicts {
                by,
                what: "signal",
                recorded: recorded.to_string(),
                core: signal.to_string(),
            });
        }
        // A container may have the program at another path than the machine.
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        if let (Some(recorded), Some(exe)) = (&self.exe, exe)
            && !self.is_script
        {
            let exe = exe.to_string_lossy();
            let exe = exe.strip_suffix(DELETED).unwrap_or(&exe);
            if base(recorded) != base(exe) {
                found.push(Notice::MetadataContradicts {
                    by,
                    what: "program",
                    recorded: recorded.clone(),
                    core: exe.to_owned(),
                });
            }
        }
        found
    }

    /// The part of a report.
    pub(super) fn report(&self, redactor: &mut Redactor) -> Recorded {
        Recorded {
            by: self.by,
            pid: self.pid,
            uid: self.uid,
            exe: self.exe.as_ref().map(|exe| redactor.show(Origin::Path, exe)),
            package: self
                .package
                .as_ref()
                .map(|package| redactor.show(Origin::PackageMetadata, package)),
            count: self.count,
        }
    }
}

/// Attributes `user.coredump.…`. Source: systemd's `fix_xattr` in coredump.c.
fn of_systemd(beside: &[(String, String)]) -> Option<Collected> {
    let attribute = |name: &str| {
        let is_it = |known: &str| known.strip_prefix("user.coredump.") == Some(name);
        Some(beside.iter().find(|(known, _)| is_it(known))?.1.clone())
    };
    let time = attribute("timestamp").and_then(|text| text.parse::<i64>().ok());
    let found = Collected {
        time: time.map(|microseconds| microseconds.div_euclid(1_000_000)),
        host: attribute("hostname"),
        pid: attribute("pid").and_then(|text| text.parse().ok()),
        uid: attribute("uid").and_then(|text| text.parse().ok()),
        signal: attribute("signal").and_then(|text| text.parse().ok()),
        exe: attribute("exe").map(|exe| exe.trim_end_matches(DELETED).to_owned()),
        ..Collected::nothing(Collector::Systemd)
    };
    (found != Collected::nothing(Collector::Systemd)).then_some(found)
}

/// Files in a directory of ABRT, or what the journal says, which has the name of a unit. Source:
/// abrt's `abrt-hook-ccpp.c`.
fn of_beside(beside: &[(String, String)]) -> Option<Collected> {
    let fact = |name: &str| {
        let mut found = beside.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, text)| text.as_str())
    };
    let number = |name: &str| fact(name)?.parse().ok();
    let microseconds: Option<i64> = number("timestamp");
    let signal = number("signal");
    let is_journal = microseconds.is_some() || signal.is_some() || fact("unit").is_some();
    let by = if is_journal { Collector::Systemd } else { Collector::Abrt };
    let seconds = microseconds.map(|time| time.div_euclid(1_000_000));
    // That of a user's service is a unit of the user's manager, in the unit of the manager.
    let unit = fact("user_unit").or_else(|| fact("unit")).map(str::to_owned);
    let found = Collected {
        time: seconds.or_else(|| number("time")),
        signal,
        host: fact("hostname").map(str::to_owned),
        unit: unit.or_else(|| fact("cgroup")?.lines().find_map(unit_in)),
        pid: number("global_pid").or_else(|| number("pid")),
        uid: fact("uid").and_then(|text| text.parse().ok()),
        exe: fact("executable").map(str::to_owned),
        package: fact("package").map(str::to_owned),
        count: fact("count").and_then(|text| text.parse().ok()),
        ..Collected::nothing(by)
    };
    (found != Collected::nothing(by)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_abrt_has_a_file_for_each_fact() {
        let beside = [
            ("cgroup", "12:cpu:/\n0::/system.slice/shop.service"),
            ("count", "3"),
            ("executable", "/usr/bin/shop"),
            ("global_pid", "4711"),
            ("hostname", "db1"),
            ("package", "shop-2.1-1.fc42"),
            ("pid", "7"),
            ("time", "1773146096"),
            ("uid", "1000"),
        ];
        let beside = beside.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let found = Collected::of(Path::new("/var/spool/abrt/x/coredump"), None, &beside).unwrap();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            Collected {
                time: Some(1_773_146_096),
                host: some("db1"),
                unit: some("shop.service"),
                pid: Some(4711),
                uid: Some(1000),
                exe: some("/usr/bin/shop"),
                package: some("shop-2.1-1.fc42"),
                count: Some(3),
                ..Collected::nothing(Collector::Abrt)
            }
        );
        assert_eq!(Collected::of(Path::new("coredump"), None, &[]), None);
    }

    #[test]
    fn the_journal_has_the_unit_that_attributes_lack() {
        let beside = [("unit", "web.service"), ("timestamp", "1773146096000000"), ("signal", "11")];
        let beside = beside.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let found = Collected::of(Path::new("core.web.1"), None, &beside).unwrap();
        assert_eq!((found.by, found.time), (Collector::Systemd, Some(1_773_146_096)));
        assert_eq!((found.unit.as_deref(), found.signal), (Some("web.service"), Some(11)));
    }

    #[test]
    fn the_core_is_right_where_a_collector_says_something_else() {
        let collected = Collected {
            signal: Some(11),
            exe: Some("/usr/bin/shop".to_owned()),
            ..Collected::nothing(Collector::Systemd)
        };
        let of = |signal, exe: &str| collected.contradictions(Some(signal), Some(Path::new(exe)));
        assert_eq!(of(11, "/usr/bin/shop"), []);
        // Below the root of a container, or replaced since.
        assert_eq!(of(11, "/opt/root/usr/bin/shop (deleted)"), []);
        let found = of(6, "/usr/bin/other");
        let [
            Notice::MetadataContradicts { what: "signal", .. },
            Notice::MetadataContradicts { what: "program", .. },
        ] = &found[..]
        else {
            panic!("{found:?}")
        };
        // Of a script the program is the interpreter.
        let script = Collected { is_script: true, ..collected.clone() };
        assert_eq!(script.contradictions(Some(11), Some(Path::new("/usr/bin/python3"))), []);
    }
}
