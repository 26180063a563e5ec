//! `obit pack`: a crash in one file, which says the same on a machine that has nothing of it.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::fixture::{Case, list, obit, report, stderr};
use obit_age::{Identity, Lock, Unlock};
use serde_json::Value;

/// A core and its program, and nothing else.
struct Machine {
    directory: TempDir,
    case: Case,
}

impl Machine {
    fn of(case: &str) -> Self {
        let (directory, case) = (tempfile::tempdir().unwrap(), Case::named(case));
        fs::write(directory.path().join("core"), case.plain_core()).unwrap();
        fs::copy(case.program(), directory.path().join("prog")).unwrap();
        Self { directory, case }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn obit(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = obit();
        command.current_dir(self.directory.path()).args(words);
        command
    }

    /// Packs with these options, and removes what was packed.
    #[track_caller]
    fn packed(&self, options: &[&str]) -> String {
        let words = [&["pack", "core", "prog", "-o", "crash.obit"], options].concat();
        let output = self.command(&words).env("OBIT_PASSPHRASE", "correct horse").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        for name in ["core", "prog"] {
            fs::remove_file(self.path(name)).unwrap();
        }
        stderr(&output)
    }

    fn report(&self) -> Value {
        let output = self.obit(&["--json", "crash.obit"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn functions(report: &Value) -> Vec<String> {
    let frames = list(&list(report, "threads")[0], "frames").iter();
    frames.map(|frame| frame["function"].to_string()).collect()
}

#[test]
fn a_packed_crash_says_the_same_without_the_program() {
    for case in ["null-field", "cpp"] {
        let machine = Machine::of(case);
        let before =
            report(&machine.case.core(), &["-e".as_ref(), machine.case.program().as_os_str()]);
        let said = machine.packed(&[]);
        assert!(said.contains("not encrypted: the scrubbed core"), "{said}");
        let after = machine.report();
        assert_eq!((&before["id"], functions(&before)), (&after["id"], functions(&after)));
        let class = |report: &Value| report["cause"]["class"].clone();
        assert_eq!(class(&before), class(&after));
    }
}

#[test]
fn sources_are_packed_on_request_and_shown_elsewhere() {
    let machine = tempfile::tempdir().unwrap();
    let at = |name: &str| machine.path().join(name);
    fs::write(at("m.c"), "int main(void)\n{\n    return *(volatile int *)0;\n}\n").unwrap();
    let run = |words: &[&str]| obit().current_dir(machine.path()).args(words).output().unwrap();
    let mut cc = Command::new("cc");
    let built = cc.current_dir(machine.path()).args(["-g", "m.c", "-o", "m"]);
    assert!(built.status().unwrap().success());
    run(&["run", "--", "./m"]);
    let cores = fs::read_dir(at("obit-crashes")).unwrap().map(|entry| entry.unwrap().path());
    let core = cores.into_iter().find(|path| path.extension().is_some_and(|end| end == "core"));
    let core = core.unwrap().to_str().unwrap().to_owned();
    for (options, is_shown) in [(&[][..], false), (&["--sources"], true)] {
        let name = if is_shown { "with.obit" } else { "without.obit" };
        let output = run(&[&["pack", &core, "m", "-o", name], options].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    fs::remove_file(at("m.c")).unwrap();
    for (name, is_shown) in [("without.obit", false), ("with.obit", true)] {
        let page = String::from_utf8(run(&[name]).stdout).unwrap();
        assert_eq!(page.contains("return *(volatile int *)0;"), is_shown, "{page}");
    }
}

#[test]
fn two_packed_files_of_one_crash_are_equal() {
    let machine = Machine::of("null-field");
    for name in ["one", "two"] {
        let output = machine.obit(&["pack", "core", "prog", "-o", name]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let content = |name: &str| {
        let file = fs::File::open(machine.path(name)).unwrap();
        let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
        let entries = archive.entries().unwrap().map(Result::unwrap);
        let read = |mut entry: tar::Entry<'_, _>| {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().into_owned(), bytes)
        };
        // Tokens of hidden values differ from report to report.
        let same = entries.map(read).filter(|(path, _)| path != Path::new("report.json"));
        same.collect::<Vec<_>>()
    };
    assert!(content("one") == content("two"));
    let names: Vec<_> = content("one").into_iter().map(|(path, _)| path).collect();
    let by_id = |path: &PathBuf| path.starts_with(".build-id");
    assert_eq!(names.iter().filter(|path| !by_id(path)).count(), 2, "{names:?}");
    assert!(names.iter().any(by_id));
}

#[test]
fn only_who_has_the_key_reads_an_encrypted_one() {
    let machine = Machine::of("null-field");
    let (key, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    fs::write(machine.path("key"), format!("# mine\n{}\n", key.reveal())).unwrap();
    fs::write(machine.path("other"), other.reveal()).unwrap();
    fs::write(machine.path("team"), format!("# the team\n\n{}\n", key.recipient())).unwrap();
    let said = machine.packed(&["--recipients-file", "team"]);
    assert!(said.contains("encrypted to 1 key"), "{said}");
    let file = fs::read(machine.path("crash.obit")).unwrap();
    assert!(!file.windows(8).any(|bytes| bytes == b"null_fie"));

    let output = machine.obit(&["--identity", "key", "--json", "crash.obit"]);
    let after: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(after["cause"]["class"], "null-read");
    for (options, code, what) in [
        (&[][..], 64, "crash.obit is encrypted: give the file with your secret key"),
        (&["--identity", "other"], 2, "it is encrypted to other keys"),
        (&["--identity", "team"], 64, "team, line 3: this is a public key"),
        (&["--identity", "none"], 64, "none: No such file or directory"),
    ] {
        let output = machine.obit(&[options, &["crash.obit"]].concat());
        assert!(stderr(&output).contains(what), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{what}");
    }
    let mut cut = file.clone();
    cut.truncate(file.len() / 2);
    fs::write(machine.path("cut.obit"), cut).unwrap();
    let output = machine.obit(&["--identity", "key", "cut.obit"]);
    assert!(stderr(&output).contains("damaged, changed or cut short"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_passphrase_opens_what_was_written_with_it() {
    let machine = Machine::of("null-field");
    let said = machine.packed(&["--passphrase"]);
    assert!(said.contains("encrypted by a passphrase"), "{said}");
    let read = |passphrase: &str| {
        machine.command(&["--json", "crash.obit"]).env("OBIT_PASSPHRASE", passphrase).output()
    };
    let right: Value = serde_json::from_slice(&read("correct horse").unwrap().stdout).unwrap();
    assert_eq!(right["cause"]["class"], "null-read");
    let wrong = read("correct hose").unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("the passphrase is wrong"), "{}", stderr(&wrong));
}

#[test]
fn nothing_is_written_for_a_wrong_key_or_without_redaction() {
    let machine = Machine::of("null-field");
    let secret = Identity::generate().unwrap().reveal();
    for (options, what) in [
        (&["--recipient", "age1nonsense"][..], "--recipient age1nonsense: this is not a key"),
        (&["--recipient", &secret], "this is a secret key"),
        (&["--recipients-file", "none"], "none: No such file"),
        (&["--redact=off"], "what is not redacted is packed encrypted only"),
        (
            &["--passphrase", "--recipient", "age1x"],
            "--passphrase and --recipient cannot be used together",
        ),
    ] {
        let words = [&["pack", "core", "prog", "-o", "crash.obit"], options].concat();
        let output = machine.command(&words).env("OBIT_PASSPHRASE", "x").output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
        assert!(stderr(&output).contains(what), "{what}: {}", stderr(&output));
        assert!(!machine.path("crash.obit").exists());
        if what.contains("secret") {
            assert!(!stderr(&output).contains(&secret), "the key is shown");
        }
    }
    let output = machine.obit(&["pack", "core", "prog"]);
    assert!(stderr(&output).contains("try `obit pack CORE -o crash.obit`"));
}

#[test]
fn a_core_that_age_encrypted_is_read_as_it_is() {
    let machine = Machine::of("null-field");
    let key = Identity::generate().unwrap();
    fs::write(machine.path("key"), key.reveal()).unwrap();
    let mut file = Vec::new();
    let mut out = obit_age::encrypt(&Lock::Recipients(vec![key.recipient()]), &mut file).unwrap();
    out.write_all(&machine.case.plain_core()).unwrap();
    out.finish().unwrap();
    fs::write(machine.path("core.age"), file).unwrap();
    let output = machine.obit(&["--identity", "key", "--json", "core.age", "prog"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let after: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(after["cause"]["class"], "null-read");
}

#[test]
fn age_reads_what_obit_encrypts_and_the_other_way_round() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let run = |words: &[&OsStr]| Command::new("age").args(words).output();
    if run(&["--version".as_ref()]).is_err() {
        eprintln!("skipped: age is not installed");
        return;
    }
    let key = Identity::generate().unwrap();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(at("key"), key.reveal()).unwrap();
    fs::write(at("plain"), &content).unwrap();

    let file = fs::File::create(at("ours.age")).unwrap();
    let mut out = obit_age::encrypt(&Lock::Recipients(vec![key.recipient()]), file).unwrap();
    out.write_all(&content).unwrap();
    out.finish().unwrap();
    let (ours, key_file) = (at("ours.age"), at("key"));
    let theirs = run(&["-d".as_ref(), "-i".as_ref(), key_file.as_os_str(), ours.as_os_str()]);
    assert!(theirs.unwrap().stdout == content);

    let (plain, to) = (at("plain"), key.recipient().to_string());
    let made = run(&["-r".as_ref(), to.as_ref(), plain.as_os_str()]).unwrap();
    let mut read = Vec::new();
    let unlock = Unlock::Identities(std::slice::from_ref(&key));
    obit_age::decrypt(made.stdout.as_slice(), &unlock).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == content);
}

#[test]
fn unpack_writes_the_files_and_never_over_others() {
    let machine = Machine::of("null-field");
    machine.packed(&[]);
    let output = machine.obit(&["unpack", "crash.obit"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(machine.path("crash/core").exists() && machine.path("crash/.build-id").is_dir());
    let text = fs::read(machine.path("crash/report.json")).unwrap();
    let packed: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(packed["id"], machine.report()["id"]);
    let again = machine.obit(&["unpack", "crash.obit"]);
    assert_eq!(again.status.code(), Some(64));
    assert!(stderr(&again).contains("crash exists; give another directory"), "{}", stderr(&again));
    fs::write(machine.path("text"), "no archive").unwrap();
    let other = machine.obit(&["unpack", "text", "-o", "elsewhere"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(!machine.path("elsewhere").exists());
}

#[test]
fn what_cannot_be_written_leaves_no_directory_behind() {
    let machine = Machine::of("null-field");
    let core = machine.case.plain_core();
    let mut archive = tar::Builder::new(Vec::new());
    // A file where another wants a directory.
    let program = fs::read(machine.case.program()).unwrap();
    for (name, content) in [("core", &core), ("p", &program), ("p/q", &program)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    fs::write(machine.path("bad.tar"), archive.into_inner().unwrap()).unwrap();
    let output = machine.obit(&["unpack", "bad.tar", "-o", "out"]);
    assert_eq!(output.status.code(), Some(74), "{}", stderr(&output));
    let left: Vec<_> =
        fs::read_dir(machine.directory.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.is_file()), "{left:?}");
}

#[test]
fn libraries_of_one_name_without_build_ids_stay_apart() {
    let machine = tempfile::tempdir().unwrap();
    let at = |name: &str| machine.path().join(name);
    let compile = |words: &[&str]| {
        let flags = ["-g", "-O0", "-Wl,--build-id=none"];
        let built = Command::new("cc").current_dir(machine.path()).args(flags).args(words).status();
        assert!(built.unwrap().success());
    };
    for (name, function) in [("a", "fa"), ("b", "fb")] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("l.c"), format!("void {function}(int *p) {{ *p = 1; }}\n"))
            .unwrap();
        compile(&["-shared", "-fPIC", &format!("{name}/l.c"), "-o", &format!("{name}/libl.so")]);
    }
    let main = "void fa(int *); void fb(int *); int main(void) { int i; fa(&i); fb(0); }\n";
    fs::write(at("m.c"), main).unwrap();
    compile(&["m.c", "a/libl.so", "b/libl.so", "-o", "m"]);
    let run = obit().current_dir(machine.path()).args(["run", "--", "./m"]).output().unwrap();
    let core = fs::read_dir(at("obit-crashes")).unwrap().map(|entry| entry.unwrap().path());
    let core = core.into_iter().find(|path| path.extension().is_some_and(|end| end == "core"));
    let core = core.unwrap_or_else(|| panic!("{}", stderr(&run)));
    let pack = obit().current_dir(machine.path()).arg("pack").arg(&core).args(["-o", "p"]).output();
    assert_eq!(pack.as_ref().unwrap().status.code(), Some(0), "{}", stderr(&pack.unwrap()));
    for name in ["a", "b", "m", "m.c"] {
        let path = at(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    let output = obit().current_dir(machine.path()).args(["--json", "p"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(functions(&report)[..2], ["\"fb\"", "\"main\""]);
}
