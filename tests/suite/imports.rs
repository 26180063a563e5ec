//! What collectors of cores record beside them: in reports, in the store, and as selectors.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::fixture::{Case, list, report, stderr, stdout};
use crate::triage::{Place, file_of, lines, numbered};
use rustix::fs::{XattrFlags, setxattr};
use serde_json::Value;

/// A directory as ABRT makes them.
fn abrt(place: &Place, name: &str, core: &[u8], facts: &[(&str, &str)]) -> PathBuf {
    let directory = place.cores().join(name);
    fs::create_dir(&directory).unwrap();
    for (name, text) in facts {
        fs::write(directory.join(name), text).unwrap();
    }
    let path = directory.join("coredump");
    fs::write(&path, core).unwrap();
    path
}

/// A report of apport with a core in it.
fn apport(core: &[u8], fields: &str) -> Vec<u8> {
    let packed = zstd::encode_all(core, 1).unwrap();
    let encoded = data_encoding::BASE64.encode(&packed);
    format!("ProblemType: Crash\n{fields}CoreDump: base64\n {encoded}\n").into_bytes()
}

fn notices_of(report: &Value, code: &str) -> usize {
    list(report, "notices").iter().filter(|notice| notice["code"] == code).count()
}

/// Sets attributes as systemd-coredump does; whether the file system has any.
fn attribute(path: &Path, attributes: &[(&str, &str)]) -> bool {
    attributes.iter().all(|(name, value)| {
        let name = format!("user.coredump.{name}");
        let is_set = setxattr(path, name, value.as_bytes(), XattrFlags::empty()).is_ok();
        // As systemd-coredump leaves it: of root, the process that reads it has no rights of its own.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        is_set
    })
}

#[test]
fn a_directory_of_abrt_says_when_where_and_in_which_unit() {
    let place = Place::new();
    let facts = [
        ("time", "1773146096"),
        ("hostname", "db1\n"),
        ("cgroup", "0::/system.slice/shop.service\n"),
        ("executable", "/tmp/obit-fixture/null-field/prog"),
        ("global_pid", "4711"),
        ("uid", "1000"),
        ("package", "shop-2.1-1.fc42"),
        ("count", "3"),
    ];
    let core = abrt(&place, "ccpp-1", &Case::named("null-field").plain_core(), &facts);
    let report = report(&core, &[]);
    let known = &report["circumstances"];
    assert_eq!(known["time"], "2026-03-10T12:34:56Z");
    assert_eq!((&known["time_source"], &known["host"]), (&"abrt".into(), &"db1".into()));
    assert_eq!(known["unit"], "shop.service");
    let recorded = &known["recorded"];
    assert_eq!((&recorded["by"], &recorded["pid"]), (&"abrt".into(), &4711.into()));
    assert_eq!((&recorded["package"], &recorded["count"]), (&"shop-2.1-1.fc42".into(), &3.into()));
    assert_eq!(notices_of(&report, "metadata-contradicts"), 0);
}

#[test]
fn attributes_of_systemd_coredump_are_read_and_the_core_is_right() {
    let place = Place::new();
    let path = place.put("core.prog.1", &Case::named("null-field").plain_core());
    let attributes = [
        ("pid", "4711"),
        ("uid", "1000"),
        ("signal", "6"),
        ("timestamp", "1773146096000000"),
        ("hostname", "db1"),
        ("exe", "/usr/bin/other"),
    ];
    if !attribute(&path, &attributes) {
        eprintln!("skipped: the file system has no attributes");
        return;
    }
    let report = report(&path, &[]);
    assert_eq!(report["circumstances"]["host"], "db1");
    assert_eq!(report["circumstances"]["time_source"], "systemd");
    assert_eq!(report["circumstances"]["recorded"]["exe"], "/usr/bin/other");
    assert_eq!(report["signal"]["name"], "SIGSEGV");
    assert!(report["process"]["exe"].as_str().unwrap().ends_with("/prog"));
    assert_eq!(notices_of(&report, "metadata-contradicts"), 2, "{}", report["notices"]);
}

#[test]
fn fields_of_an_apport_report_are_read() {
    let place = Place::new();
    let fields = "Date: Tue Mar 10 12:34:56 2026\nExecutablePath: /tmp/prog\nPackage: shop 2.1-1\n\
                  ProcStatus:\n Pid:\t4711\n Uid:\t1000\t1000\nSignal: 11\n";
    let text = apport(&Case::named("null-field").plain_core(), fields);
    let report = report(&place.put("_usr_bin_shop.1000.crash", &text), &[]);
    let recorded = &report["circumstances"]["recorded"];
    assert_eq!(report["circumstances"]["time_source"], "apport");
    assert_eq!((&recorded["by"], &recorded["pid"]), (&"apport".into(), &4711.into()));
    assert_eq!((&recorded["uid"], &recorded["package"]), (&1000.into(), &"shop 2.1-1".into()));
    assert_eq!(notices_of(&report, "metadata-contradicts"), 0);
}

#[test]
fn a_list_takes_the_selectors_of_coredumpctl() {
    let place = Place::new();
    let unit = |name: &str, pid: &str| {
        [("cgroup", format!("0::/system.slice/{name}")), ("global_pid", pid.to_owned())]
    };
    for (directory, number, unit) in
        [("one", 1, unit("web.service", "100")), ("two", 2, unit("db.service", "200"))]
    {
        let facts = unit.each_ref().map(|(name, text)| (*name, text.as_str()));
        abrt(&place, directory, &numbered(number), &facts);
    }
    place.put("core.3", &Case::named("null-field").plain_core());
    place.records(&[]);
    let listed = |selectors: &[&str]| {
        let mut command = place.command(&["list", "--format", "ndjson"]);
        let output = command.args(selectors).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let records = lines(&output);
        // Dumps of one second are in no order.
        let mut listed: Vec<_> = records
            .iter()
            .map(|record| {
                let path = record["core"]["path"].as_str().unwrap();
                let directory = Path::new(path).parent().unwrap().file_name().unwrap();
                format!("{}/{}", directory.to_str().unwrap(), file_of(record))
            })
            .collect();
        listed.sort();
        listed
    };
    assert_eq!(listed(&["--unit", "web"]), ["one/coredump"]);
    assert_eq!(listed(&["200"]), ["two/coredump"]);
    assert_eq!(listed(&["--pid", "100", "--pid", "200"]), ["one/coredump", "two/coredump"]);
    assert_eq!(listed(&["--pid", "100", "--unit", "db"]), [] as [String; 0]);
    assert_eq!(listed(&["--exe", "prog", "--since", "1970-01-02"]).len(), listed(&["prog"]).len());
    assert!(listed(&["/tmp/obit-fixture/null-field/prog"]).contains(&"cores/core.3".to_owned()));
    assert_eq!(listed(&["-n", "1", "100", "200"]).len(), 1);
    let none = place.command(&["list", "--json", "no-such-program"]).output().unwrap();
    assert_eq!(stdout(&none).trim(), "[]");
}

#[test]
fn the_journal_says_which_unit_a_core_of_systemd_coredump_is_of() {
    let place = Place::new();
    let one = place.put("core.web.1", &numbered(1));
    place.put("core.web.2", &numbered(2));
    // systemd-coredump sets them on each core, where the file system has any.
    attribute(&one, &[("pid", "4711"), ("hostname", "db1")]);
    let journal = place.root.path().join("journal");
    let entry = format!(
        "{{\"COREDUMP_FILENAME\":{:?},\"COREDUMP_UNIT\":\"web.service\",\"COREDUMP_PID\":\"4711\"}}\n",
        one.to_str().unwrap()
    );
    fs::write(&journal, entry).unwrap();
    place.records(&["--journal", journal.to_str().unwrap()]);
    let output = place.command(&["list", "--format", "ndjson", "--unit", "web"]).output().unwrap();
    let records = lines(&output);
    assert_eq!(records.iter().map(file_of).collect::<Vec<_>>(), ["core.web.1"]);
    assert_eq!(records[0]["circumstances"]["recorded"]["by"], "systemd");
    // A file without any entry of a core is the wrong one.
    fs::write(&journal, "MESSAGE=x\n\n").unwrap();
    let output = place.triage(&["--journal", journal.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
    assert!(stderr(&output).contains("journalctl"), "{}", stderr(&output));
}
