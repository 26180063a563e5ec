//! What a worker can do, and what becomes of it otherwise. Tests run in threads, so each worker
//! is started by a process of its own: this test binary, asked for one case.

use super::*;
use std::process::Command;

/// Names the case that the process is to run.
const CASE: &str = "OBIT_SANDBOX_CASE";

/// How a worker ends that runs `case`, by a process with one thread.
fn ended(case: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::tests::one_case", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("ended: "));
    line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).1.to_owned()
}

#[test]
fn one_case() {
    let Ok(case) = std::env::var(CASE) else { return };
    if case == "empty root" {
        let directory = tempfile::tempdir().unwrap();
        rustix::process::chroot(directory.path()).unwrap();
        std::env::set_current_dir("/").unwrap();
    }
    let limits = Limits { memory: Some(256 << 20) };
    let worker = Worker::start(&limits, &[], |channel, confined| {
        let missing: Vec<_> = confined.missing.iter().map(|(layer, _)| layer.name()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        channel.send(0, &[run(&case).as_bytes()], None)
    });
    let worker = worker.unwrap();
    let answer = worker.channel().receive(None).ok().flatten();
    let answer = answer.map(|frame| String::from_utf8_lossy(&frame.payload).into_owned());
    let (ended, _) = worker.wait_with_words();
    println!("ended: {ended:?} {}", answer.unwrap_or_default());
}

/// What a parser that was taken over would try.
fn run(case: &str) -> String {
    let reported = |outcome: io::Result<()>| match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => error.kind().to_string(),
    };
    match case {
        "open" => reported(File::open("/etc/passwd").map(drop)),
        "write" => reported(File::create("/tmp/obit-evil").map(drop)),
        "stat" => reported(std::fs::metadata("/etc/passwd").map(drop)),
        "connect" => reported(std::net::TcpStream::connect("127.0.0.1:1").map(drop)),
        "exec" => reported(Command::new("/bin/true").status().map(drop)),
        "kill" => {
            let parent = rustix::process::getppid().unwrap();
            reported(rustix::process::kill_process(parent, Signal::TERM).map_err(io::Error::from))
        }
        "thread" => match std::thread::Builder::new().spawn(|| 7) {
            Ok(thread) => format!("{}", thread.join().unwrap()),
            Err(error) => error.to_string(),
        },
        "threads" => {
            let sleep = || std::thread::sleep(Duration::from_secs(3600));
            let more = || std::thread::Builder::new().spawn(sleep).ok();
            let threads: Vec<_> = std::iter::from_fn(more).take(10_000).collect();
            format!("{}", threads.len())
        }
        "ptrace" => {
            let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
            let nothing = std::ptr::null_mut::<libc::c_void>();
            // SAFETY: attaching reads and writes no memory of this process.
            #[allow(unsafe_code)]
            let done = unsafe { libc::ptrace(libc::PTRACE_SEIZE, parent, nothing, nothing) };
            reported(if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) })
        }
        "memory of another" => {
            let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
            let mut byte = 0_u8;
            let here = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
            // SAFETY: the kernel writes one byte to `byte`, if it writes any.
            #[allow(unsafe_code)]
            let done = unsafe { libc::process_vm_readv(parent, &here, 1, &here, 1, 0) };
            reported(if done == 1 { Ok(()) } else { Err(io::Error::last_os_error()) })
        }
        "fork" => {
            // SAFETY: the child, should there be one, ends at once.
            #[allow(unsafe_code)]
            let pid = unsafe {
                let pid = libc::fork();
                if pid == 0 {
                    libc::_exit(0);
                }
                pid
            };
            format!("{pid}")
        }
        "memory" => {
            let bytes = std::hint::black_box(vec![1_u8; 4 << 30]);
            format!("{}", bytes.len())
        }
        "panic" => panic!("on purpose"),
        "nothing" | "empty root" => "done".to_owned(),
        other => panic!("{other}"),
    }
}

#[test]
fn files_are_refused_and_the_work_goes_on() {
    for case in ["open", "write", "stat"] {
        assert_eq!(ended(case), "InGoodOrder permission denied", "{case}");
    }
    assert_eq!(ended("nothing"), "InGoodOrder done");
    assert_eq!(ended("thread"), "InGoodOrder 7");
}

#[test]
fn network_programs_signals_and_processes_end_it() {
    for case in ["connect", "exec", "kill", "fork", "ptrace", "memory of another"] {
        assert_eq!(ended(case).trim(), "Forbidden", "{case}");
    }
}

#[test]
fn a_root_directory_without_devices_is_enough() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can change the root directory");
        return;
    }
    assert_eq!(ended("empty root"), "InGoodOrder done");
}

#[test]
fn threads_end_where_memory_does() {
    // Stacks of 2 MiB in 256 MiB.
    let ended = ended("threads");
    let threads = ended.strip_prefix("InGoodOrder ").and_then(|count| count.parse::<u32>().ok());
    assert!(threads.is_some_and(|count| (8..=128).contains(&count)), "{ended}");
}

#[test]
fn too_much_memory_and_a_panic_end_it() {
    assert_eq!(ended("memory").trim(), "OutOfMemory");
    assert_eq!(ended("panic").trim(), "Panicked");
}
