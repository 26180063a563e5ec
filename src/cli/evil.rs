//! What a parser that was taken over might do, to test that it cannot. Only in builds with debug
//! assertions, which no release has.

use std::fs::File;
use std::hint::black_box;
use std::io;
use std::net::TcpStream;
use std::process::Command;

use rustix::process::Signal;

use super::message::say;

/// Names what is tried.
const VARIABLE: &str = "OBIT_TEST_EVIL";

/// Names what is tried after a part of the report was sent.
const LATE: &str = "panic-late";

/// The same, where a part of the report was sent already.
#[allow(clippy::panic)]
pub(crate) fn act_late() {
    assert!(std::env::var_os(VARIABLE).is_none_or(|name| name != LATE), "on purpose");
}

/// Tries what the environment names, in a worker that is confined. What is refused without
/// ending the worker is reported.
#[allow(clippy::panic)]
pub(crate) fn act() {
    let Some(name) = std::env::var_os(VARIABLE) else { return };
    let outcome = match name.to_str().unwrap_or_default() {
        "open" => File::open("/etc/passwd").map(drop),
        "open-proc" => File::open("/proc/self/environ").map(drop),
        "write" => File::create("/tmp/obit-evil").map(drop),
        "connect" => TcpStream::connect("127.0.0.1:9").map(drop),
        "exec" => Command::new("/bin/true").status().map(drop),
        "ptrace" => ptrace(),
        "kill" => kill(),
        "memory" => {
            black_box(vec![1_u8; 4 << 30]);
            Ok(())
        }
        "panic" => panic!("on purpose"),
        "hang" => loop {
            std::thread::sleep(std::time::Duration::from_secs(1));
        },
        LATE => return,
        other => Err(io::Error::other(format!("{other} is not known"))),
    };
    match outcome {
        Ok(()) => say("evil: done"),
        Err(error) => say(&format!("evil: refused: {error}")),
    }
}

fn ptrace() -> io::Result<()> {
    // The only way without a system call of our own: the file of another process' memory.
    let parent = rustix::process::getppid().map_or(1, |pid| pid.as_raw_nonzero().get());
    File::options().write(true).open(format!("/proc/{parent}/mem")).map(drop)
}

fn kill() -> io::Result<()> {
    let parent = rustix::process::getppid().ok_or_else(|| io::Error::other("no parent"))?;
    Ok(rustix::process::kill_process(parent, Signal::TERM)?)
}
