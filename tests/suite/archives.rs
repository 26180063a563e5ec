//! Archives that hold a core with the files that belong to it, and exports of the journal that hold
//! cores: read as if they were unpacked, and never unpacked where others could see it.

use std::ffi::OsStr;
use std::fs;
use std::io::{Cursor, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::fixture::{Case, list, obit, report, run, stderr, stdout};
use crate::triage::{Place, lines, numbered, reason_of};
use serde_json::Value;

/// A tar archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        append(&mut builder, name, tar::EntryType::Regular, content);
    }
    builder.into_inner().unwrap()
}

/// Adds an entry of any name and type, as the crate alone would not.
fn append(builder: &mut tar::Builder<Vec<u8>>, name: &str, kind: tar::EntryType, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mtime(1_773_146_096);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// An export of the journal with an entry for each core.
fn export(cores: &[Vec<u8>]) -> Vec<u8> {
    let mut export = Vec::new();
    for (number, core) in cores.iter().enumerate() {
        export.extend(b"__CURSOR=s=1\n_SYSTEMD_UNIT=systemd-coredump@1-2-0.service\n_UID=0\n");
        export.extend(format!("COREDUMP_PID={}\n", 4711 + number).bytes());
        export.extend(b"COREDUMP_EXE=/tmp/obit-fixture/null-field/prog\nCOREDUMP\n");
        export.extend((core.len() as u64).to_le_bytes());
        export.extend(core);
        export.extend(b"\nCOREDUMP_UNIT=web.service\nCOREDUMP_HOSTNAME=db1\n");
        export.extend(b"COREDUMP_TIMESTAMP=1773146096000000\n\n");
    }
    export
}

/// The files of a case in a directory of an archive.
fn bundle(case: &Case, others: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("case/core.1".to_owned(), case.plain_core())];
    for name in others {
        files.push((format!("case/{name}"), fs::read(case.directory.join(name)).unwrap()));
    }
    files
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect()
}

/// A file in a directory of its own.
fn put(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    (directory, path)
}

/// What a report says of frames: functions and lines.
fn frames(report: &Value) -> Vec<(String, Value)> {
    let threads = list(report, "threads");
    let frames = threads.iter().flat_map(|thread| list(thread, "frames"));
    frames.map(|frame| (frame["function"].to_string(), frame["line"].clone())).collect()
}

#[test]
fn an_archive_is_reported_on_as_if_it_were_unpacked_and_the_program_given() {
    let case = Case::named("shared-lib");
    let files = bundle(&case, &["prog", "libshapes.so", "main.c", "shapes.c"]);
    let unpacked = tempfile::tempdir().unwrap();
    for (name, content) in &files {
        fs::create_dir_all(unpacked.path().join("case")).unwrap();
        fs::write(unpacked.path().join(name), content).unwrap();
    }
    let exe = unpacked.path().join("case/prog");
    let expected = report(&unpacked.path().join("case/core.1"), &[exe.as_os_str()]);
    let archive = tar(&borrowed(&files));
    for (name, archive) in [
        ("bundle.tar", archive.clone()),
        ("bundle.tar.zst", zstd(&archive)),
        ("bundle.zip", zip(&borrowed(&files))),
        ("bundle", zstd(&archive)),
    ] {
        for sandbox in ["--sandbox=on", "--sandbox=off"] {
            let (_kept, path) = put(name, &archive);
            let found = report(&path, &[OsStr::new(sandbox)]);
            assert_eq!(frames(&found), frames(&expected), "{name}");
            assert_eq!(found["cause"]["class"], expected["cause"]["class"]);
            assert_eq!(found["id"], expected["id"]);
            let core = found["core"]["path"].as_str().unwrap();
            assert!(core.ends_with(&format!("{name}/case/core.1")), "{core}");
            let at = |report: &Value| {
                let modules = list(report, "modules");
                let library = modules.iter().find(|module| {
                    module["path"].as_str().is_some_and(|path| path.ends_with("libshapes.so"))
                });
                library.unwrap()["file"].clone()
            };
            assert_eq!(at(&found), at(&expected), "{name}");
        }
    }
}

#[test]
fn a_member_of_another_build_is_not_used() {
    let case = Case::named("null-field");
    let other = fs::read(Case::named("recursion").program()).unwrap();
    let (_kept, path) = put("x.tar", &tar(&[("core", &case.plain_core()), ("prog", &other)]));
    let found = report(&path, &[]);
    let codes: Vec<_> =
        list(&found, "notices").iter().map(|notice| notice["code"].to_string()).collect();
    assert!(codes.iter().any(|code| code.contains("module-mismatch")), "{codes:?}");
}

#[test]
fn of_several_cores_one_is_selected_by_its_path_in_the_archive() {
    let files = [("a/core.1", numbered(1)), ("b/core.2", numbered(2))];
    let files = files.map(|(name, core)| (name.to_owned(), core));
    let (_kept, path) = put("two.tar", &tar(&borrowed(&files)));
    let output = run([path.as_os_str()]);
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
    let said = stderr(&output);
    for wanted in ["holds 2 cores", "two.tar/a/core.1", "two.tar/b/core.2", "obit triage"] {
        assert!(said.contains(wanted), "{said}");
    }
    let found = report(&path.join("b/core.2"), &[]);
    assert!(found["core"]["path"].as_str().unwrap().ends_with("two.tar/b/core.2"));
    let output = run([path.join("c/core.3").as_os_str()]);
    assert!(stderr(&output).contains("has no core c/core.3"), "{}", stderr(&output));
    let output = run(["modules".as_ref(), path.join("b/core.2").as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn an_archive_without_a_core_says_so() {
    let (_kept, path) = put("x.zip", &zip(&[("readme", b"no core here")]));
    let output = run([path.as_os_str()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("is a ZIP archive without a core (1 file)"));
}

#[test]
fn a_batch_has_a_record_for_each_core_of_an_archive_and_reads_it_once() {
    let place = Place::new();
    let files = [("a/core.1", numbered(1)), ("core.2", numbered(2)), ("readme", b"x".to_vec())];
    let files = files.map(|(name, core)| (name.to_owned(), core));
    place.put("two.tar.zst", &zstd(&tar(&borrowed(&files))));
    place.put("sources.tar", &tar(&[("main.c", b"int main;")]));
    place.put("core.3", &numbered(3));
    let paths = |records: &[Value]| {
        let mut paths: Vec<_> = records
            .iter()
            .map(|record| {
                let path = Path::new(record["core"]["path"].as_str().unwrap()).to_owned();
                path.strip_prefix(place.cores()).unwrap().display().to_string()
            })
            .collect();
        paths.sort();
        paths
    };
    let wanted = ["core.3", "two.tar.zst/a/core.1", "two.tar.zst/core.2"];
    assert_eq!(paths(&place.records(&[])), wanted);
    // Nothing has changed: nothing is read, and all of them are still listed.
    let output = place.triage(&["--format", "ndjson"]);
    assert_eq!(paths(&lines(&output)), wanted);
    assert_eq!(paths(&place.list()), wanted);
    place.is_whole();
}

#[test]
fn what_collectors_wrote_is_read_in_an_archive_too() {
    let core = Case::named("null-field").plain_core();
    let info = "  PID: 4711 (prog)\n  UID: 1000 (ann)\n  Signal: 11 (SEGV)\n  Timestamp: Tue \
                2026-03-10 12:34:56 UTC (1 day ago)\n  Executable: /usr/bin/prog\n  Unit: \
                shop.service\n  Hostname: db1\n";
    let (_kept, path) = put("x.tar", &tar(&[("info.txt", info.as_bytes()), ("core.prog", &core)]));
    let found = &report(&path, &[])["circumstances"];
    assert_eq!((&found["host"], &found["unit"]), (&"db1".into(), &"shop.service".into()));
    assert_eq!(found["time"], "2026-03-10T12:34:56Z");
    assert_eq!(found["recorded"]["pid"], 4711);
    let abrt: [(&str, &[u8]); 4] = [
        ("ccpp/coredump", &core),
        ("ccpp/time", b"1773146096"),
        ("ccpp/hostname", b"db2\n"),
        ("ccpp/uid", b"1000"),
    ];
    let (_kept, path) = put("x.zip", &zip(&abrt));
    let found = &report(&path, &[])["circumstances"];
    assert_eq!((&found["host"], &found["recorded"]["by"]), (&"db2".into(), &"abrt".into()));
}

#[test]
fn each_core_in_a_journal_has_a_record_with_the_metadata_of_its_entry() {
    let place = Place::new();
    let journal = place.root.path().join("journal.export");
    fs::write(&journal, export(&[numbered(1), numbered(2)])).unwrap();
    let mut command = place.command(&["triage", "--format", "ndjson"]);
    let output = command.arg("--journal").arg(&journal).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = lines(&output);
    assert_eq!(records.len(), 2);
    for record in &records {
        let known = &record["circumstances"];
        assert_eq!((&known["host"], &known["unit"]), (&"db1".into(), &"web.service".into()));
        assert_eq!(known["time"], "2026-03-10T12:34:56Z");
        assert_eq!(known["recorded"]["by"], "systemd");
    }
    let output = place.command(&["list", "--format", "ndjson", "--pid", "4712"]).output().unwrap();
    assert_eq!(lines(&output).len(), 1);
    // The same alone, and compressed.
    let (_kept, path) = put("one.journal.zst", &zstd(&export(&[numbered(1)])));
    assert_eq!(report(&path, &[])["circumstances"]["host"], "db1");
}

/// Runs `obit` with a directory for temporary files of its own; nothing may be left there.
fn run_in(directory: &Path, args: &[&OsStr]) -> Output {
    let output = obit().env("TMPDIR", directory).args(args).output().unwrap();
    let left: Vec<_> = fs::read_dir(directory).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    output
}

#[test]
fn links_devices_and_names_that_lead_out_are_ignored_with_a_notice() {
    let core = Case::named("null-field").plain_core();
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, "passwd", tar::EntryType::Symlink, b"");
    append(&mut builder, "tty", tar::EntryType::Char, b"");
    append(&mut builder, "../../evil", tar::EntryType::Regular, b"x");
    append(&mut builder, "/tmp/evil", tar::EntryType::Regular, b"x");
    append(&mut builder, "core", tar::EntryType::Regular, &core);
    let (kept, path) = put("evil.tar", &builder.into_inner().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let output = run_in(temporary.path(), &[path.as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("links and devices, which are not followed: 2"));
    assert!(stderr(&output).contains("lead out of the archive, ignored: 2"));
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 1);
    assert!(!Path::new("/tmp/evil").exists());
}

#[test]
fn a_name_with_control_characters_reaches_no_terminal() {
    let core = Case::named("null-field").plain_core();
    let name = "\u{1b}]0;owned\u{7}core\nx";
    let (_kept, path) = put("x.tar", &tar(&[(name, &core), ("core.2", &core)]));
    let output = run([path.as_os_str()]);
    assert!(!stderr(&output).contains('\u{1b}'), "{:?}", stderr(&output));
    assert!(stderr(&output).contains("\\x1b]0;owned"), "{:?}", stderr(&output));
    let output = run([path.join(name).as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output) + &stderr(&output);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
}

#[test]
fn bombs_and_crowds_cost_little() {
    let core = Case::named("null-field").plain_core();
    let begun = Instant::now();
    // 2 GiB of zeros behind the core in its member, and in a member of their own.
    let mut builder = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    for (name, start) in [("core", &core[..]), ("zeros", b"")] {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_size(1 << 30);
        header.set_cksum();
        let zeros = std::io::Read::take(std::io::repeat(0), (1 << 30) - start.len() as u64);
        builder.append(&header, std::io::Read::chain(start, zeros)).unwrap();
    }
    let bomb = builder.into_inner().unwrap().finish().unwrap();
    assert!(bomb.len() < 4 << 20);
    let (_kept, path) = put("bomb.tar.zst", &bomb);
    let temporary = tempfile::tempdir().unwrap();
    let output = run_in(temporary.path(), &[OsStr::new("--summary"), path.as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // 100,000 files.
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, "core", tar::EntryType::Regular, &core);
    for number in 0..100_000 {
        append(&mut builder, &format!("f/{number}"), tar::EntryType::Regular, b"");
    }
    let (_kept, path) = put("crowd.tar", &builder.into_inner().unwrap());
    let output = run_in(temporary.path(), &[OsStr::new("--summary"), path.as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("more than 65536 files"), "{}", stderr(&output));
    let took = begun.elapsed();
    assert!(took.as_secs() < 120, "{took:?}");
}

#[test]
fn an_archive_that_is_cut_gives_what_there_is() {
    let case = Case::named("null-field");
    let files = bundle(&case, &["prog"]);
    let packed = zstd(&tar(&borrowed(&files)));
    let (_kept, path) = put("cut.tar.zst", &packed[..packed.len() * 3 / 4]);
    let temporary = tempfile::tempdir().unwrap();
    let output = run_in(temporary.path(), &[path.as_os_str()]);
    assert!(stderr(&output).contains("the rest was not read"), "{}", stderr(&output));
    let (_kept, path) = put("cut.zip", &zip(&borrowed(&files))[..5000]);
    let output = run_in(temporary.path(), &[path.as_os_str()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("the ZIP archive cannot be read"), "{}", stderr(&output));
}

#[test]
fn more_files_than_may_be_open_are_ignored_with_a_notice() {
    let case = Case::named("null-field");
    let core = case.plain_core();
    // An ELF header of a shared object.
    let mut header = core[..64].to_vec();
    header[16] = 3;
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..300 {
        append(&mut builder, &format!("lib/{number}.so"), tar::EntryType::Regular, &header);
    }
    append(&mut builder, "core", tar::EntryType::Regular, &core);
    let (_kept, path) = put("many.tar", &builder.into_inner().unwrap());
    let program = env!("CARGO_BIN_EXE_obit");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -n 200; exec \"$0\" --summary \"$1\"", program]).arg(&path);
    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("ulimit -n"), "{}", stderr(&output));
}

#[test]
fn a_worker_waits_while_other_processes_have_more_descriptors_under_way_than_it_may_send() {
    let core = Case::named("null-field").plain_core();
    let (_kept, path) = put("one.tar", &tar(&[("core", &core)]));
    // A worker may send 256 before some are received; so many frames do not fit into one socket.
    // If this runs as root, the worker is another user, for whom these do not count.
    let file = fs::File::open(&path).unwrap();
    let channels = [(); 2].map(|()| {
        let (sender, receiver) = obit_sandbox::Channel::pair().unwrap();
        (0..150).for_each(|_| sender.send(0, &[], Some(file.as_fd())).unwrap());
        (sender, receiver)
    });
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        drop(channels);
    });
    let output = run([path.as_os_str(), OsStr::new("--summary")]);
    holder.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn an_archive_that_ends_before_any_core_is_a_failure_with_that_reason() {
    let place = Place::new();
    let text = b"what happened\n".repeat(1000);
    let archive = tar(&[("readme", b"text"), ("notes", &text), ("core", &numbered(1))]);
    let path = place.put("case.tar", &archive[..6000]);
    let output = place.command(&["triage", "--format", "ndjson"]).arg(&path).output().unwrap();
    let records = lines(&output);
    let [record] = &*records else { panic!("{records:?}") };
    assert_eq!(reason_of(record), "packing");
    let why = record["reason"]["text"].as_str().unwrap();
    assert!(why.contains("it ends within a file"), "{why}");
    assert!(stderr(&output).contains("the rest was not read"), "{}", stderr(&output));
}

#[test]
fn an_archive_that_was_not_read_to_its_end_is_read_again_by_the_next_run() {
    let place = Place::new();
    let archive = tar(&[("core.1", &numbered(1)), ("core.2", &numbered(2))]);
    place.put("case.tar", &archive[..archive.len() - 4096]);
    let wanted = place.records(&[]).len();
    let output = place.triage(&["--format", "ndjson"]);
    assert!(stderr(&output).contains("the rest was not read"), "{}", stderr(&output));
    assert_eq!((lines(&output).len(), place.list().len()), (wanted, wanted));
    // Once it is whole, it is read a last time.
    place.put("case.tar", &archive);
    assert_eq!(place.records(&[]).len(), 2);
    let output = place.triage(&[]);
    assert!(!stderr(&output).contains("the rest was not read"), "{}", stderr(&output));
    assert_eq!(place.list().len(), 2);
    place.is_whole();
}
