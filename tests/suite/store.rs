//! The store of `obit triage`: who may read it, moving it, emptying it, and files that are
//! none.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::triage::{Place, file_of, numbered};
use crate::fixture::{Case, obit, stderr, stdout};

#[test]
fn the_store_is_its_owner_s_alone() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    let state = place.root.path().join("home");
    let mut command = obit();
    command.arg("triage").arg(place.cores()).env("XDG_STATE_HOME", &state);
    assert!(command.status().unwrap().success());
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(&state.join("obit")), 0o700);
    assert_eq!(mode(&state.join("obit/triage.db")), 0o600);
}

#[test]
fn an_export_makes_the_same_store_again_and_two_stores_become_one() {
    let (here, there) = (Place::new(), Place::new());
    here.put("core.1", &numbered(1));
    here.put("core.null.zst", &fs::read(Case::named("null-field").core()).unwrap());
    there.put("core.2", &numbered(2));
    there.put("core.1", &numbered(1));
    here.records(&[]);
    there.records(&[]);
    let saved = here.root.path().join("saved");
    let output = here.command(&["db", "export"]).arg(&saved).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let empty = Place::new();
    for place in [&empty, &there] {
        let output = place.command(&["db", "import"]).arg(&saved).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        place.is_whole();
    }
    assert_eq!(here.list(), empty.list());
    let files: BTreeSet<_> = there.list().iter().map(|r| file_of(r).to_owned()).collect();
    assert_eq!(files.len(), 3);
    // Once more changes nothing.
    let before = there.list();
    there.command(&["db", "import"]).arg(&saved).output().unwrap();
    assert_eq!(there.list(), before);
    // The paths came along: nothing is read again.
    let output = empty.command(&["triage"]).arg(here.cores()).output().unwrap();
    assert!(stdout(&output).starts_with("2 cores: 0 new, 2 known"), "{}", stdout(&output));
}

#[test]
fn an_import_that_makes_no_sense_changes_nothing() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.records(&[]);
    let before = place.list();
    for text in ["", "nonsense\n", "{\"schema\":\"obit.store/1\"}\n{\"dump\":{\"id\":\"x\"}}\n"] {
        let saved = place.root.path().join("saved");
        fs::write(&saved, text).unwrap();
        let output = place.command(&["db", "import"]).arg(&saved).output().unwrap();
        assert_ne!(output.status.code(), Some(0), "{text}");
        assert_eq!(place.list(), before);
    }
}

#[test]
fn old_records_go_and_their_dumps_still_count() {
    let place = Place::new();
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    for number in 1..=5 {
        let path = place.put(&format!("core.{number}"), &numbered(number));
        fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    }
    place.records(&[]);
    let before: BTreeSet<_> = place.list().iter().map(|r| r["dump"].to_string()).collect();
    let gc = ["db", "gc", "--keep", "90d", "--keep-per-group", "2"];
    let output = place.command(&gc).output().unwrap();
    assert!(stdout(&output).starts_with("3 records deleted"), "{}", stdout(&output));
    let list = place.list();
    assert_eq!(list.iter().map(|r| r["dump"].to_string()).collect::<BTreeSet<_>>(), before);
    assert_eq!(list.iter().filter(|record| record["signal"].is_object()).count(), 2);
    assert!(list.iter().all(|record| record["group"] == list[0]["group"]));
    place.is_whole();
    assert!(stdout(&place.triage(&[])).starts_with("5 cores: 0 new, 5 known"));
}

#[test]
fn a_damaged_store_is_an_error_that_says_how_to_save_it() {
    let place = Place::new();
    for number in 0..40 {
        place.put(&format!("core.{number}"), &numbered(number + 1));
    }
    place.records(&[]);
    let mut bytes = fs::read(place.db()).unwrap();
    let magic = b"\x28\xb5\x2f\xfd";
    let record = bytes.windows(4).rposition(|window| window == magic).unwrap();
    bytes[record + 20..record + 60].fill(0xa5);
    fs::write(place.db(), &bytes).unwrap();
    let list = place.command(&["list"]).output().unwrap();
    let check = place.command(&["db", "check"]).output().unwrap();
    assert_eq!(check.status.code(), Some(2));
    assert!(stderr(&check).contains("obit db check --repair"), "{}", stderr(&check));
    assert_eq!((list.status.code(), stdout(&list).lines().count()), (Some(2), 39));
    let saved = place.root.path().join("saved");
    let export = place.command(&["db", "export"]).arg(&saved).output().unwrap();
    assert_eq!(export.status.code(), Some(1), "{}", stderr(&export));
    let other = Place::new();
    let import = other.command(&["db", "import"]).arg(&saved).output().unwrap();
    assert!(import.status.success(), "{}", stderr(&import));
    other.is_whole();
    // What was lost is read again.
    let output = other.command(&["triage"]).arg(place.cores()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let list = other.list();
    assert_eq!(list.len(), 40);
    assert!(list.iter().all(|record| record["signal"].is_object()));
}

#[test]
fn a_damaged_store_is_repaired_in_its_place_and_what_is_lost_is_listed() {
    let place = Place::new();
    for number in 0..40 {
        place.put(&format!("core.{number}"), &numbered(number + 1));
    }
    place.records(&[]);
    let repair = || place.command(&["db", "check", "--repair"]).output().unwrap();
    let whole = repair();
    assert!(whole.status.success() && stdout(&whole).contains("is intact"), "{}", stdout(&whole));
    let mut bytes = fs::read(place.db()).unwrap();
    let magic = b"\x28\xb5\x2f\xfd";
    let record = bytes.windows(4).rposition(|window| window == magic).unwrap();
    bytes[record + 20..record + 60].fill(0xa5);
    fs::write(place.db(), &bytes).unwrap();
    let output = repair();
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}{}", stderr(&output));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].ends_with("is repaired: dumps: 40, failed: 0, groups: 1"), "{said}");
    let copy = place.db().with_extension("db.damaged");
    assert_eq!(lines[1], format!("the damaged file is kept as {}", copy.display()));
    assert!(lines[2].starts_with("lost: the record of the dump ") && lines[2].contains("/core."));
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!(copy.metadata().unwrap().mode() & 0o777, 0o600);
    assert!(fs::read(copy).unwrap() == bytes);
    place.is_whole();
    // What was lost is read again.
    assert!(place.triage(&[]).status.success());
    let list = place.list();
    assert_eq!(list.len(), 40);
    assert!(list.iter().all(|record| record["signal"].is_object()));
}

#[test]
fn of_a_store_of_which_nothing_can_be_read_nothing_is_changed() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.records(&[]);
    let mut bytes = fs::read(place.db()).unwrap();
    bytes[100..].fill(0xa5);
    fs::write(place.db(), &bytes).unwrap();
    let output = place.command(&["db", "check", "--repair"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.starts_with(&format!("obit: the store {} is damaged", place.db().display())));
    assert!(said.contains("move it away"), "{said}");
    assert!(fs::read(place.db()).unwrap() == bytes);
    let beside = fs::read_dir(place.db().parent().unwrap()).unwrap();
    let names: Vec<_> = beside.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("damaged")), "{names:?}");
}

#[test]
fn what_is_no_store_is_not_touched() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    let text = place.root.path().join("text");
    fs::write(&text, "a file of somebody's that is longer than a header of SQLite. ".repeat(99))
        .unwrap();
    let before = fs::read(&text).unwrap();
    for db in [text.as_path(), place.cores().as_path()] {
        let mut command = obit();
        let output = command.arg("triage").arg(place.cores()).arg("--db").arg(db).output().unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(2 | 74)), "{code:?} {}", stderr(&output));
        assert!(stderr(&output).contains(&db.display().to_string()), "{}", stderr(&output));
    }
    assert_eq!(fs::read(&text).unwrap(), before);
    let missing = place.command(&["list"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("obit triage DIR"), "{}", stderr(&missing));
    let nowhere = OsStr::new("/proc/nowhere/triage.db");
    let mut command = obit();
    let output =
        command.arg("triage").arg(place.cores()).arg("--db").arg(nowhere).output().unwrap();
    assert_eq!(output.status.code(), Some(74), "{}", stderr(&output));
}

#[test]
fn dumps_are_forgotten_by_path_by_id_and_by_age_and_it_is_said() {
    let place = Place::new();
    for case in ["null-field", "recursion"] {
        place.put(&format!("core.{case}.zst"), &fs::read(Case::named(case).core()).unwrap());
    }
    let says = |verb: &[&str]| {
        let output = place.command(verb).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{verb:?}: {}", stderr(&output));
        stdout(&output)
    };
    place.records(&[]);
    let path = place.cores().join("core.null-field.zst");
    let path = path.to_str().unwrap();
    assert!(says(&["forget", path, "--dry-run"]).starts_with("would delete 1 dump with 1 path"));
    assert_eq!(place.list().len(), 2);
    assert!(says(&["forget", path]).starts_with("deleted 1 dump with 1 path, and the group "));
    let left = place.list();
    assert_eq!(left.len(), 1);
    let dump = left[0]["dump"].as_str().unwrap();
    says(&["forget", dump]);
    assert!(place.list().is_empty());
    place.records(&[]);
    assert!(says(&["forget", "--older-than", "0d"]).starts_with("deleted 2 dumps"));
    place.is_whole();
    let unknown = place.command(&["forget", "/home/ann/nothing"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(64));
    // What the user wrote is not hidden from the user.
    assert!(stderr(&unknown).contains("/home/ann/nothing"), "{}", stderr(&unknown));
}

#[test]
fn the_id_of_a_merged_group_leads_to_the_other_and_a_state_is_confirmed() {
    let place = Place::new();
    for case in ["null-field", "recursion"] {
        place.put(&format!("core.{case}.zst"), &fs::read(Case::named(case).core()).unwrap());
    }
    let groups: Vec<String> = place
        .records(&[])
        .iter()
        .map(|record| record["group"].as_str().unwrap().to_owned())
        .collect();
    let merge = ["group", "merge", &groups[0], &groups[1]];
    assert_eq!(place.command(&merge).output().unwrap().status.code(), Some(0));
    let now = place.list()[0]["group"].as_str().unwrap().to_owned();
    let gone = groups.iter().find(|group| **group != now).unwrap();
    let shown = place.command(&["show", gone]).output().unwrap();
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    assert!(stdout(&shown).starts_with(&now));
    assert!(stderr(&shown).contains(&format!("group {gone} was merged into {now}")));
    let state = place.command(&["state", gone, "resolved", "--in", "2.0"]).output().unwrap();
    assert_eq!(stdout(&state), format!("{now}: resolved in 2.0\n"));
}

#[test]
fn a_list_takes_conditions_and_a_limit() {
    let place = Place::new();
    for case in ["null-field", "recursion"] {
        place.put(&format!("core.{case}.zst"), &fs::read(Case::named(case).core()).unwrap());
    }
    place.put("core.empty", b"");
    place.records(&[]);
    let count = |more: &[&str]| {
        let output = place.command(&[&["list"], more].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output).lines().count()
    };
    assert_eq!(count(&[]), 3);
    assert_eq!(count(&["-n", "1"]), 1);
    assert_eq!(count(&["--failed"]), 1);
    assert_eq!(count(&["--where", "class=stack-overflow"]), 1);
    assert_eq!(count(&["--where", "count>=1"]), 2);
    assert_eq!(count(&["--failed", "--where", "count>=1"]), 0);
    assert_eq!(count(&["--until", "@1"]), 0);
}

/// Runs lines of `sh` in a mount namespace, with `$cores`, `$more`, `$db` and `obit`, after
/// `mounts`. What they print, or `None` where nothing can be mounted.
fn in_mounts(place: &Place, mounts: &str, lines: &str) -> Option<String> {
    let directory = place.root.path().join("store");
    let more = place.root.path().join("more");
    for made in [&directory, &more] {
        fs::create_dir_all(made).unwrap();
    }
    for number in 100..160 {
        fs::write(more.join(format!("core.{number}")), numbered(number)).unwrap();
    }
    let functions = r#"obit() { "$program" "$@" --db "$db" 2>&1; echo "exit $?"; }"#;
    let script = format!("{{ {mounts} ; }} || exit 99\n{functions}\n{lines}");
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .env("program", env!("CARGO_BIN_EXE_obit"))
        .env("directory", &directory)
        .env("db", directory.join("t.db"))
        .env("cores", place.cores())
        .env("more", more)
        .output();
    match output {
        Ok(output) if output.status.success() => Some(stdout(&output)),
        _ => {
            eprintln!("skipped: nothing can be mounted here (root and unshare are needed)");
            None
        }
    }
}

#[test]
fn on_a_full_disk_what_was_stored_stays_and_the_same_command_goes_on_later() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    let Some(said) = in_mounts(
        &place,
        r#"mount -t tmpfs -o size=2m none "$directory""#,
        r#"obit triage "$cores"
        head -c 4m /dev/zero >"$directory/full" 2>/dev/null
        obit triage "$more"
        obit db check
        obit db gc
        rm "$directory/full"
        obit triage "$more"
        obit db check"#,
    ) else {
        return;
    };
    let exits: Vec<_> = said.lines().filter(|line| line.starts_with("exit ")).collect();
    assert_eq!(exits, ["exit 0", "exit 74", "exit 0", "exit 74", "exit 0", "exit 0"], "{said}");
    let problems: Vec<_> = said.lines().filter(|line| line.contains("cannot")).collect();
    let is_said = |line: &&str| {
        line.contains("/t.db") && line.contains("the disk is full") && line.contains("run the same")
    };
    assert!(problems.len() == 2 && problems.iter().all(is_said), "{said}");
    let checked: Vec<_> = said.lines().filter(|line| line.contains("is intact: dumps")).collect();
    assert!(checked[0].contains("dumps: 1,") && checked[1].contains("dumps: 61,"), "{said}");
}

#[test]
fn a_store_on_a_read_only_file_system_can_be_read_and_an_addition_says_why_not() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    let Some(said) = in_mounts(
        &place,
        r#"mount -t tmpfs none "$directory""#,
        r#"obit triage "$cores"
        mount -o remount,ro "$directory"
        obit triage "$more"
        obit top
        obit db check
        obit db check --repair
        mount -o remount,rw "$directory"
        obit triage "$more"
        obit db check"#,
    ) else {
        return;
    };
    let exits: Vec<_> = said.lines().filter(|line| line.starts_with("exit ")).collect();
    let wanted = ["exit 0", "exit 74", "exit 0", "exit 0", "exit 0", "exit 0", "exit 0"];
    assert_eq!(exits, wanted, "{said}");
    let problem = said.lines().find(|line| line.contains("ead-only")).unwrap();
    assert!(problem.contains("/t.db") && problem.contains("--db FILE"), "{said}");
    assert!(said.trim_end().lines().any(|line| line.contains("dumps: 61,")), "{said}");
}
