//! `obit watch`: what is read and when, who is notified, and what a watch survives.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::fixture::{Case, script, stderr};
use crate::triage::{Place, numbered};
use serde_json::Value;

/// How long something is waited for that takes far less.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon a core is stored that is complete, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(10);

/// A watch that is killed when the test ends.
struct Watching(Child);

impl Watching {
    /// Begins, and waits until the directories are watched.
    fn of(place: &Place, more: &[&str]) -> Self {
        let metrics = place.root.path().join("ready.prom");
        let _ = fs::remove_file(&metrics);
        let mut command = place.command(&["watch"]);
        command.arg(place.cores()).arg("--metrics").arg(&metrics).args(more);
        let watching = Self(command.stderr(Stdio::piped()).spawn().unwrap());
        until("the watch to begin", || metrics.exists());
        watching
    }

    /// Ends it by `signal`, and gives what it wrote.
    fn end(mut self, signal: &str) -> Output {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut errors = Vec::new();
        self.0.stderr.take().unwrap().read_to_end(&mut errors).unwrap();
        Output { status: self.0.wait().unwrap(), stdout: Vec::new(), stderr: errors }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// Writes `content` elsewhere and renames it into the watched directory.
fn rename_in(place: &Place, name: &str, content: &[u8]) {
    let draft = place.root.path().join("draft");
    fs::write(&draft, content).unwrap();
    fs::rename(draft, place.cores().join(name)).unwrap();
}

/// A program that keeps each of its inputs in a file of its own, and the directory of these.
fn keeper(place: &Place) -> (PathBuf, PathBuf) {
    let (program, kept) = (place.root.path().join("keep it"), place.root.path().join("kept"));
    fs::create_dir_all(&kept).unwrap();
    let keep = "cat > \"$kept/new.$$\" && mv \"$kept/new.$$\" \"$kept/event.$$\"";
    script(&program, &format!("kept='{}'\n{keep}", kept.display()));
    (program, kept)
}

/// The events that were kept.
fn events(kept: &Path) -> Vec<Value> {
    let names = fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().path());
    let whole =
        names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("event"));
    whole.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn dumps(place: &Place) -> Vec<String> {
    if !place.db().exists() {
        return Vec::new();
    }
    place.list().iter().map(|record| record["core"]["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_core_that_is_renamed_or_linked_into_place_is_stored_soon() {
    let place = Place::new();
    let watching = Watching::of(&place, &[]);
    rename_in(&place, "core.1", &numbered(1));
    let took = until("the core", || dumps(&place).len() == 1);
    assert!(took < SOON, "{took:?}");
    // In a directory that was made meanwhile, too; and by a link, as systemd-coredump does.
    fs::create_dir_all(place.cores().join("new/within")).unwrap();
    rename_in(&place, "new/within/core.2", &numbered(2));
    let linked = place.root.path().join("linked");
    fs::write(&linked, numbered(3)).unwrap();
    fs::hard_link(&linked, place.cores().join("core.3")).unwrap();
    until("all cores", || dumps(&place).len() == 3);
    let output = watching.end("-TERM");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    place.is_whole();
}

#[test]
fn a_core_that_is_written_slowly_is_not_read_before_it_is_closed() {
    let place = Place::new();
    let watching = Watching::of(&place, &["--settle", "0.2", "--scan-every", "0.3"]);
    let core = numbered(1);
    let (one, rest) = core.split_at(core.len() / 2);
    let mut file = File::create(place.cores().join("core.1")).unwrap();
    file.write_all(one).unwrap();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(dumps(&place), [] as [String; 0]);
    file.write_all(rest).unwrap();
    drop(file);
    until("the core", || dumps(&place).len() == 1);
    let records = place.list();
    assert_eq!(records[0]["core"]["truncated"], false);
    drop(watching);
}

#[test]
fn what_was_there_before_is_read_once_however_often_it_is_watched() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    let (program, kept) = keeper(&place);
    let once = || {
        let mut command = place.command(&["watch", "--once", "--settle", "0.2", "--on", "any"]);
        command.arg("--exec").arg(&program).arg(place.cores());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    once();
    assert_eq!((dumps(&place).len(), events(&kept).len()), (1, 1));
    once();
    place.put("core.copy", &numbered(1));
    once();
    assert_eq!((dumps(&place).len(), events(&kept).len()), (1, 1));
    let options = ["--on", "any", "--quiet-for", "0s", "--exec", program.to_str().unwrap()];
    let watching = Watching::of(&place, &options);
    rename_in(&place, "core.2", &numbered(2));
    until("the second core", || events(&kept).len() == 2);
    drop(watching);
    assert_eq!(dumps(&place).len(), 2);
}

#[test]
fn an_event_has_the_status_of_the_group_and_no_shell_reads_it() {
    let place = Place::new();
    let (program, kept) = keeper(&place);
    let program = program.to_str().unwrap();
    let watching = Watching::of(&place, &["--on", "new,regressed", "--exec", program]);
    rename_in(&place, "core.$(touch owned); x", &Case::named("null-field").plain_core());
    until("the event", || events(&kept).len() == 1);
    let event = &events(&kept)[0];
    assert_eq!(event["schema"], "obit.event/1");
    assert_eq!(event["status"], "new");
    assert_eq!(event["group"]["status"], "new");
    assert_eq!(event["group"]["count"], 1);
    assert_eq!(event["group"]["id"], event["record"]["group"]);
    assert_eq!(event["record"]["schema"], "obit.record/1");
    assert_eq!(event["record"]["cause"]["class"], event["group"]["class"]);
    assert!(event["record"]["core"]["path"].as_str().unwrap().ends_with("core.$(touch owned); x"));
    assert!(!Path::new("owned").exists() && !place.cores().join("owned").exists());
    // A second one of the group is news of the same kind, and not reported again.
    rename_in(&place, "core.2", &numbered(2));
    rename_in(&place, "core.3", &numbered(3));
    until("all dumps", || dumps(&place).len() == 3);
    until("the other group's event", || events(&kept).len() == 2);
    drop(watching);
    // Redacted as the store is.
    let text = events(&kept).iter().map(Value::to_string).collect::<String>();
    assert!(text.contains("\"policy\":\"default\""), "{text}");
}

#[test]
fn an_event_is_sent_when_the_store_could_be_grouped_only_later() {
    let place = Place::new();
    let (program, kept) = keeper(&place);
    let program = program.to_str().unwrap();
    let watching = Watching::of(&place, &["--on", "any", "--exec", program]);
    let store = rusqlite::Connection::open(place.db()).unwrap();
    let fault = "CREATE TRIGGER fault BEFORE UPDATE OF grouped ON trace
                 BEGIN SELECT RAISE(ABORT, 'a full disk'); END";
    store.execute_batch(fault).unwrap();
    rename_in(&place, "core.1", &Case::named("null-field").plain_core());
    until("the dump", || dumps(&place).len() == 1);
    thread::sleep(Duration::from_millis(500));
    assert_eq!(events(&kept).len(), 0);
    // The event does not depend on the file, which may be gone by then.
    fs::remove_file(place.cores().join("core.1")).unwrap();
    store.execute_batch("DROP TRIGGER fault").unwrap();
    until("the event", || events(&kept).len() == 1);
    let event = &events(&kept)[0];
    assert_eq!(event["group"]["id"], event["record"]["group"]);
    assert_eq!(event["status"], "new");
    let output = watching.end("-TERM");
    assert!(stderr(&output).contains("trying again"), "{}", stderr(&output));
}

#[test]
fn a_webhook_that_fails_is_tried_again_and_does_not_stop_the_watch() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let secret = place.root.path().join("secret");
    fs::write(&secret, "0123456789abcdef\n").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let server = thread::spawn(move || {
        let mut bodies = Vec::new();
        for status in [500, 503, 200] {
            let mut stream = listener.accept().unwrap().0;
            let mut request = Vec::new();
            let mut some = [0; 65536];
            while !request.ends_with(b"}\n") {
                let length = stream.read(&mut some).unwrap();
                request.extend_from_slice(&some[..length]);
            }
            let answer =
                format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            bodies.push(String::from_utf8(request).unwrap());
        }
        bodies
    });
    let options = ["--on", "any", "--webhook", &url, "--webhook-secret", secret.to_str().unwrap()];
    let watching = Watching::of(&place, &options);
    rename_in(&place, "core.1", &numbered(1));
    let stored = until("the core", || dumps(&place).len() == 1);
    assert!(stored < SOON, "{stored:?}");
    let requests = server.join().unwrap();
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    let bodies: BTreeSet<String> = requests.iter().map(|request| body(request)).collect();
    assert_eq!(bodies.len(), 1, "the same event three times");
    let head = requests[0].split_once("\r\n\r\n").unwrap().0.to_lowercase();
    assert!(head.contains("x-obit-signature-256: sha256="), "{head}");
    let event: Value = serde_json::from_str(bodies.first().unwrap()).unwrap();
    assert_eq!(event["record"]["core"]["path"], dumps(&place)[0].as_str());
    let output = watching.end("-TERM");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_program_that_hangs_ends_with_the_watch_and_is_reported() {
    let place = Place::new();
    let (program, group) = (place.root.path().join("hang"), place.root.path().join("group"));
    script(&program, &format!("echo $$ > {}\nsleep 1000", group.display()));
    let options = ["--on", "any", "--exec-timeout", "900", "--exec", program.to_str().unwrap()];
    let watching = Watching::of(&place, &options);
    rename_in(&place, "core.1", &numbered(1));
    let pid = || fs::read_to_string(&group).unwrap_or_default();
    until("the program to begin", || pid().ends_with('\n'));
    let output = watching.end("-TERM");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("did not end before the watch and was killed"), "{said}");
    assert!(said.contains("1 notification was not delivered"), "{said}");
    assert!(!Path::new("/proc").join(pid().trim()).exists());
}

#[test]
fn a_mail_is_handed_to_sendmail() {
    let place = Place::new();
    let sendmail = place.root.path().join("sendmail");
    let mail = place.root.path().join("mail");
    script(&sendmail, &format!("{{ echo \"args $*\"; cat; }} > {}", mail.display()));
    place.put("core.1", &numbered(1));
    let mut command = place.command(&["watch", "--once", "--settle", "0.2", "--on", "any"]);
    command.args(["--mail", "ops@example.org", "--sendmail"]).arg(&sendmail).arg(place.cores());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mail = fs::read_to_string(mail).unwrap();
    assert!(mail.starts_with("args -t -i\nTo: ops@example.org\nSubject: [obit] "), "{mail}");
}

#[test]
fn fifos_links_out_of_the_directory_and_junk_are_no_crashes() {
    let place = Place::new();
    let outside = place.root.path().join("outside");
    fs::write(&outside, numbered(7)).unwrap();
    let watching = Watching::of(&place, &[]);
    assert!(
        Command::new("mkfifo").arg(place.cores().join("core.fifo")).status().unwrap().success()
    );
    symlink(&outside, place.cores().join("core.link")).unwrap();
    symlink(place.root.path(), place.cores().join("all")).unwrap();
    let junk = File::create(place.cores().join("core.junk")).unwrap();
    junk.set_len(1 << 40).unwrap();
    drop(junk);
    rename_in(&place, "notes.txt", b"nothing");
    rename_in(&place, "core.1", &numbered(1));
    until("the core", || !dumps(&place).is_empty());
    thread::sleep(Duration::from_millis(300));
    let found = dumps(&place);
    assert!(found.len() == 1 && found[0].ends_with("core.1"), "{found:?}");
    let output = watching.end("-INT");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_directory_that_is_made_anew_is_watched_again() {
    let place = Place::new();
    let watching = Watching::of(&place, &["--scan-every", "600"]);
    fs::remove_dir(place.cores()).unwrap();
    thread::sleep(Duration::from_millis(300));
    fs::create_dir(place.cores()).unwrap();
    rename_in(&place, "core.1", &numbered(1));
    until("the core", || dumps(&place).len() == 1);
    // Moved away, as by what rotates directories.
    fs::rename(place.cores(), place.root.path().join("old")).unwrap();
    fs::create_dir(place.cores()).unwrap();
    rename_in(&place, "core.2", &numbered(2));
    until("the core in the directory that replaced it", || dumps(&place).len() == 2);
    drop(watching);
}

#[test]
fn after_kill_9_in_the_middle_every_core_is_there_exactly_once() {
    let place = Place::new();
    const CORES: u32 = 60;
    for number in 0..CORES / 2 {
        place.put(&format!("core.{number}"), &numbered(number + 1));
    }
    let watching = Watching::of(&place, &["--settle", "0.1"]);
    for number in CORES / 2..CORES {
        rename_in(&place, &format!("core.{number}"), &numbered(number + 1));
    }
    until("some of the cores", || !dumps(&place).is_empty());
    watching.end("-KILL");
    let watching = Watching::of(&place, &["--settle", "0.1"]);
    until("all cores", || dumps(&place).len() >= CORES as usize);
    watching.end("-TERM");
    let found = dumps(&place);
    let once: BTreeSet<&String> = found.iter().collect();
    assert_eq!((found.len(), once.len()), (CORES as usize, CORES as usize));
    place.is_whole();
}

#[test]
fn a_watch_that_is_stopped_finishes_the_core_in_hand_and_says_what_is_left() {
    let place = Place::new();
    for number in 0..200 {
        place.put(&format!("core.{number}"), &numbered(number + 1));
    }
    place.put("notes.txt", b"not a core");
    let watching = Watching::of(&place, &["--settle", "0.1", "--jobs", "1"]);
    until("some of the cores", || !dumps(&place).is_empty());
    let output = watching.end("-TERM");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let stored = dumps(&place).len();
    assert!((1..200).contains(&stored), "{stored}");
    let left = format!("; {} files were not read", 200 - stored);
    assert!(stderr(&output).contains(&left), "{}", stderr(&output));
    assert!(place.list().iter().all(|record| record["status"] == "ok"));
}

#[test]
fn the_metrics_are_text_that_prometheus_reads() {
    let place = Place::new();
    place.put("core.1", &numbered(1));
    place.put("core.2", &numbered(1)[..100]);
    let prom = place.root.path().join("obit.prom");
    let mut command = place.command(&["watch", "--once", "--settle", "0.2", "--quiet"]);
    let output = command.arg(place.cores()).arg("--metrics").arg(&prom).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(&prom).unwrap();
    let mut families = BTreeSet::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            assert!(families.insert(family.split(' ').next().unwrap().to_owned()), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(families.contains(series.split('{').next().unwrap()), "{line}");
        }
    }
    for wanted in [
        "obit_watch_dumps_total{result=\"new\"} 1",
        "obit_watch_dumps_total{result=\"known\"} 0",
        "obit_watch_dumps_total{result=\"failed\"} 1",
        "obit_watch_groups 1",
    ] {
        assert!(text.lines().any(|line| line == wanted), "no {wanted} in\n{text}");
    }
    // A file that cannot be read is not a success.
    assert!(text.contains("obit_watch_last_success_timestamp_seconds"), "{text}");
    fs::remove_file(place.cores().join("core.1")).unwrap();
    fs::write(place.cores().join("core.2"), &numbered(1)[..90]).unwrap();
    let mut command = place.command(&["watch", "--once", "--settle", "0.2", "--quiet"]);
    let output = command.arg(place.cores()).arg("--metrics").arg(&prom).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(&prom).unwrap();
    assert!(text.contains("obit_watch_dumps_total{result=\"failed\"} 1\n"), "{text}");
    assert!(!text.contains("obit_watch_last_success_timestamp_seconds"), "{text}");
    assert_eq!(fs::metadata(&prom).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_read() {
    let place = Place::new();
    for (options, why) in [
        (&["--exec", "notify --now"][..], "without a shell"),
        (&["--webhook", "ftp://x/"], "http://"),
        (&["--mail=-oQ/tmp"], "address"),
        (&["--metrics", "0.0.0.0:9273"], "this machine"),
        (&["--on", "newish"], "regressed"),
    ] {
        let output = place.command(&["watch"]).args(options).arg(place.cores()).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{options:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{options:?}: {}", stderr(&output));
    }
    let output = place
        .command(&["watch"])
        .arg(place.cores())
        .arg("--metrics")
        .arg(place.cores().join("obit.prom"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
    assert!(stderr(&output).contains("which is watched"), "{}", stderr(&output));
    let output = place.command(&["watch"]).arg(place.cores().join("none")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(!place.db().exists());
}
