use std::process::{Child, Command};
use std::thread::JoinHandle;

use super::*;
use crate::Tid;

const SETTINGS: Settings = Settings {
    quota: Quota { bytes: 1 << 30, percent: 100, free_percent: 0, crashes: 100 },
    rates: Rates { per_program: 2, per_user: 10, seconds: 60 },
    core_bytes: 1 << 30,
    time: Duration::from_secs(20),
    honours_core_limit: true,
};

struct Kernel {
    _directory: tempfile::TempDir,
    spool: Spool,
    child: Child,
}

impl Kernel {
    /// A process that lives, in the part of one that crashed, and a spool.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::create(&directory.path().join("cores")).unwrap();
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        // `spawn` returns before the kernel has set where the arguments are.
        let words = format!("/proc/{}/cmdline", child.id());
        while std::fs::read(&words).unwrap().is_empty() {
            std::thread::yield_now();
        }
        Self { _directory: directory, spool, child }
    }

    fn announced(&self) -> Announced {
        Announced {
            process: Tid::try_from(self.child.id()).unwrap(),
            signal: 11,
            time: 1_767_225_600,
            dump_mode: Some(1),
            limit: Some(u64::MAX),
            host: Some("web-1".to_owned()),
            ..Announced::default()
        }
    }

    fn dumps(&self, announced: Announced, core: &[u8]) -> Result<Outcome, HandleError> {
        let (input, writer) = pipe(core);
        let outcome = handle(Source::Pipe(input, announced), &self.spool, &SETTINGS);
        writer.join().unwrap();
        outcome
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pipe(core: &[u8]) -> (OwnedFd, JoinHandle<()>) {
    let (input, mut writer) = io::pipe().unwrap();
    let core = core.to_vec();
    let thread = std::thread::spawn(move || drop(writer.write_all(&core)));
    (input.into(), thread)
}

fn captured(outcome: Result<Outcome, HandleError>) -> Captured {
    match outcome.unwrap() {
        Outcome::Captured(captured) => *captured,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_crash_is_a_compressed_core_with_what_the_kernel_knows_of_the_process() {
    let kernel = Kernel::new();
    let captured = captured(kernel.dumps(kernel.announced(), &[7; 5000]));
    let id = format!("sleep-1767225600-{}", kernel.child.id());
    assert_eq!(captured.record.id, id);
    let packed = kernel.spool.read(&id, Part::Core).unwrap();
    assert_eq!(zstd::decode_all(packed).unwrap(), [7; 5000]);
    let record: CrashRecord =
        serde_json::from_reader(kernel.spool.read(&id, Part::Facts).unwrap()).unwrap();
    assert_eq!(record, captured.record);
    assert_eq!((record.signal, record.core.end), (Some(11), End::Complete));
    assert_eq!(record.facts.command_line, ["sleep", "60"]);
    assert!(record.facts.exe.unwrap().contains('/'));
    assert!(!record.facts.has_other_root && record.facts.other_namespaces.is_empty());
}

#[test]
fn a_process_that_is_only_named_is_not_given_the_core() {
    let kernel = Kernel::new();
    let captured = captured(kernel.dumps(kernel.announced(), b"core"));
    assert_eq!(captured.record.facts.identity, Identity::Unverified);
    assert_eq!(captured.record.core.owner, None);
}

#[test]
fn a_core_of_a_privileged_program_is_not_given_to_its_user() {
    let facts = ProcessFacts {
        identity: Identity::Pidfd,
        users: Some([1000; 4]),
        groups: Some([1000; 4]),
        ..ProcessFacts::default()
    };
    let dumped = |mode| Announced { dump_mode: mode, ..Announced::default() };
    let expected =
        rustix::process::geteuid().is_root().then_some(Owner { user: 1000, group: 1000 });
    assert_eq!(owner(&dumped(Some(1)), None, &facts), expected);
    assert_eq!(owner(&dumped(Some(2)), None, &facts), None, "suidsafe");
    assert_eq!(owner(&dumped(None), None, &facts), None, "unknown");
    let both = ProcessFacts { users: Some([1000, 0, 0, 0]), ..facts };
    assert_eq!(owner(&dumped(Some(1)), None, &both), None, "of two users");
}

#[test]
fn a_process_that_wants_no_core_gets_none() {
    let kernel = Kernel::new();
    let announced = Announced { limit: Some(0), ..kernel.announced() };
    let outcome = kernel.dumps(announced, b"core").unwrap();
    assert!(matches!(outcome, Outcome::Unwanted { name } if name == "sleep"));
    assert!(kernel.spool.entries().unwrap().is_empty());
}

#[test]
fn a_program_that_crashes_again_and_again_is_counted() {
    let kernel = Kernel::new();
    for _ in 0..2 {
        captured(kernel.dumps(kernel.announced(), b"core"));
    }
    let third = kernel.dumps(kernel.announced(), b"core").unwrap();
    assert!(matches!(third, Outcome::TooMany { most: 2, refused: 1, .. }), "{third:?}");
    assert_eq!(kernel.spool.entries().unwrap().len(), 2, "each under a name of its own");
}

#[test]
fn a_process_that_is_gone_leaves_a_core_all_the_same() {
    let mut kernel = Kernel::new();
    let announced = kernel.announced();
    kernel.child.kill().unwrap();
    kernel.child.wait().unwrap();
    let captured = captured(kernel.dumps(announced, b"core"));
    assert!(captured.record.id.starts_with("unknown-1767225600-"), "{}", captured.record.id);
    assert_eq!(captured.record.facts, ProcessFacts::default());
}

#[test]
fn counts_that_cannot_be_written_lose_no_crash() {
    let kernel = Kernel::new();
    // A directory cannot be opened for writing.
    std::fs::create_dir(kernel.spool.path().join(".rates.json")).unwrap();
    captured(kernel.dumps(kernel.announced(), b"core"));
}

#[test]
fn a_core_that_is_complete_is_kept_though_the_spool_is_locked() {
    let kernel = Kernel::new();
    let (input, mut writer) = io::pipe().unwrap();
    let lock = kernel.spool.path().join(".lock");
    let thread = std::thread::spawn(move || {
        writer.write_all(b"core").unwrap();
        // By now the room for it was made.
        while !lock.exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(300));
        let lock = File::open(lock).unwrap();
        lock.lock().unwrap();
        drop(writer);
        lock
    });
    let source = Source::Pipe(input.into(), kernel.announced());
    let captured = captured(handle(source, &kernel.spool, &SETTINGS));
    assert_eq!(captured.record.core.bytes, 4);
    assert!(matches!(captured.trouble, Some(SpoolError::Locked(_))), "{:?}", captured.trouble);
    assert_eq!(kernel.spool.entries().unwrap().len(), 1);
    drop(thread.join().unwrap());
}

#[test]
fn nothing_leaves_nothing() {
    let kernel = Kernel::new();
    assert!(matches!(kernel.dumps(kernel.announced(), b""), Err(HandleError::Empty)));
    assert!(kernel.spool.entries().unwrap().is_empty());
}
