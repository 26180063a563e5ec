//! `obit triage` reads the code of a program's builds, where their files are there: history
//! learns from it whether a release could have shown a crash.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::fixture::{obit, stderr};

const PROGRAM: &str = r#"
static int *volatile gone, *volatile lost;
__attribute__((noinline)) static int first(void) { return *gone + SHIFT; }
__attribute__((noinline)) static int second(void) { return *lost * 3; }
int main(int count, char **words) { return (words[1][0] == 'f' ? first() : second()) + count; }
"#;

/// The program with the number of its release in the first of its functions.
fn build(place: &Path, release: &str) -> PathBuf {
    let directory = place.join(release);
    fs::create_dir(&directory).unwrap();
    let source = directory.join("prog.c");
    fs::write(&source, PROGRAM).unwrap();
    let program = directory.join("prog");
    let mut compiler = Command::new("cc");
    compiler.args(["-g", "-O1", "-Wl,--build-id", "-o"]).arg(&program).arg(&source);
    assert!(compiler.arg(format!("-DSHIFT={release}")).status().unwrap().success());
    program
}

#[test]
fn functions_of_two_builds_are_compared_by_their_code() {
    let place = tempfile::tempdir().unwrap();
    // As root, programs are read as a user who owns nothing.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let cores = place.path().join("cores");
    fs::create_dir(&cores).unwrap();
    // The crash in `first` is new in the second build.
    for (release, crashes, age) in [("1", "sss", 2), ("2", "ssfff", 1)] {
        let program = build(place.path(), release);
        let cores = cores.join(release);
        for crash in crashes.chars() {
            let mut run = obit();
            run.args(["run", "-q", "--keep", "core", "-o"]).arg(&cores).arg("--").arg(&program);
            let output = run.arg(crash.to_string()).output().unwrap();
            assert_eq!(output.status.code(), Some(139), "{}", stderr(&output));
        }
        for entry in fs::read_dir(&cores).unwrap() {
            let file = fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(86_400 * age)).unwrap();
        }
    }
    let store = place.path().join("store.db");
    let output = obit().arg("triage").arg(&cores).arg("--db").arg(&store).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let store = rusqlite::Connection::open(&store).unwrap();
    let hashes = |symbol: &str| {
        let sql = "SELECT hash FROM code WHERE module = 'prog' AND symbol = ?1 ORDER BY build";
        let mut rows = store.prepare(sql).unwrap();
        let rows = rows.query_map([symbol], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<String>>()
    };
    let (first, main) = (hashes("first"), hashes("main"));
    assert!(matches!(&first[..], [one, other] if one != other && !one.is_empty()), "{first:?}");
    assert!(matches!(&main[..], [one, other] if one == other && !one.is_empty()), "{main:?}");
}
