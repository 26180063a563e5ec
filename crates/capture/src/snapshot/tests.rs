//! Snapshots of real processes, which go on living.

use std::fs::File;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use obit_corefile::addr::Avma;
use obit_corefile::dump::Dump;
use obit_corefile::limits::Limits as ReadLimits;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::*;
use crate::live_program::Program;
use crate::ptrace;

const SLEEPER: &str = "int main(void) { ready(0, 0); for (;;) pause(); }";

fn take(program: &Program) -> Snapshot {
    let out = tempfile::tempfile().unwrap();
    snapshot(program.process(), &out, Limits { bytes: u64::MAX }).unwrap()
}

fn refused(process: Tid) -> String {
    let out = tempfile::tempfile().unwrap();
    let taken = snapshot(process, &out, Limits { bytes: u64::MAX });
    let Err(SnapshotError::Refused(refused)) = taken else { panic!("{taken:?}") };
    refused.to_string()
}

fn send(program: &Program, signal: Signal) {
    kill_process(Pid::from_raw(program.process()).unwrap(), signal).unwrap();
}

/// Waits until `is_so`, for a few seconds.
#[track_caller]
fn soon(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_process_goes_on_as_before() {
    let program = Program::start(SLEEPER, &[]);
    let taken = take(&program);
    assert!(taken.written.bytes > 0 && taken.missing.is_empty());
    assert_eq!(taken.threads.len(), 1);
    soon(|| program.state() == ('S', 0));
}

#[test]
fn a_process_that_was_stopped_stays_stopped_and_can_be_continued() {
    let mut program = Program::start(
        "int main(void) { ready(0, 0); for (;;) { write(1, \"x\", 1); usleep(1000); } }",
        &[],
    );
    send(&program, Signal::STOP);
    soon(|| program.state().0 == 'T');
    let taken = take(&program);
    assert_eq!(taken.threads[0].state, 'T');
    assert!(taken.written.bytes > 0);
    soon(|| program.state() == ('T', 0));
    thread::sleep(Duration::from_millis(50));
    assert_eq!(program.state(), ('T', 0));
    send(&program, Signal::CONT);
    soon(|| program.state().0 != 'T');
    assert_eq!(program.next_byte(), Some(b'x'));
}

#[test]
fn a_signal_that_arrives_meanwhile_is_delivered() {
    let mut program = Program::start(
        "static void handler(int s) { write(1, \"x\", 1); }
         int main(void) { signal(SIGUSR1, handler); ready(0, 0); for (;;) pause(); }",
        &[],
    );
    let process = program.process();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let out = tempfile::tempfile().unwrap();
                snapshot(process, &out, Limits { bytes: u64::MAX }).unwrap();
            }
        });
        for _ in 0..100 {
            send(&program, Signal::USR1);
            // Hangs if it was lost.
            assert_eq!(program.next_byte(), Some(b'x'));
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn threads_that_come_and_go_meanwhile_are_no_obstacle() {
    let program = Program::start(
        "static void *run(void *p) { usleep(100); return 0; }
         int main(void) { ready(0, 0); for (;;) { pthread_t t[8];
         for (int i = 0; i < 8; i++) pthread_create(t + i, 0, run, 0);
         for (int i = 0; i < 8; i++) pthread_join(t[i], 0); } }",
        &[],
    );
    for _ in 0..20 {
        assert!(take(&program).written.bytes > 0);
    }
    soon(|| program.state().1 == 0 && program.state().0 != 't');
}

#[test]
fn what_threads_did_is_known() {
    let program = Program::start(
        "static void *run(void *p) { for (volatile long n = 0;;) n++; }
         int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); usleep(200000);
         ready(0, 0); for (;;) pause(); }",
        &[],
    );
    soon(|| program.state().0 == 'S');
    let taken = take(&program);
    let of = |state: char| taken.threads.iter().find(|seen| seen.state == state).unwrap();
    assert!(of('R').used > of('S').used, "{:?}", taken.threads);
}

#[test]
fn a_number_that_is_no_process_is_refused_with_what_it_is() {
    assert!(refused(i32::MAX).contains("there is no process"));
    let own = i32::try_from(std::process::id()).unwrap();
    assert!(refused(own).contains("obit itself"));
    let program = Program::start(
        "static void *run(void *p) { for (;;) pause(); }
         int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); ready(0, 0);
         for (;;) pause(); }",
        &[],
    );
    let process = program.process();
    let threads = proc::threads(process).unwrap();
    let second = *threads.iter().find(|thread| **thread != process).unwrap();
    let problem = refused(second);
    assert!(problem.contains(&format!("try `obit snapshot {process}`")), "{problem}");
}

#[test]
fn a_zombie_is_refused_as_one() {
    let mut child = Command::new("true").spawn().unwrap();
    let process = i32::try_from(child.id()).unwrap();
    soon(|| Status::of(process).unwrap().state == b'Z');
    assert!(refused(process).contains("is a zombie"));
    child.wait().unwrap();
}

#[test]
fn a_process_that_is_traced_is_refused_with_the_name_of_the_tracer() {
    let program = Program::start(SLEEPER, &[]);
    let process = program.process();
    ptrace::seize(process, 0).unwrap();
    let problem = refused(process);
    let own = File::open("/proc/thread-self/comm").map(|file| io::read_to_string(file).unwrap());
    assert!(problem.contains(own.unwrap().trim()), "{problem}");
    ptrace::interrupt(process).unwrap();
    waitpid(Pid::from_raw(process), WaitOptions::empty()).unwrap();
    ptrace::detach(process, 0).unwrap();
    assert!(take(&program).written.bytes > 0);
}

#[test]
fn a_process_whose_first_thread_has_ended_is_read_by_another() {
    let program = Program::start(
        "static void *run(void *p) { ready(p, p); for (;;) pause(); }
         int main(void) { pthread_t t; pthread_create(&t, 0, run, malloc(8)); pthread_exit(0); }",
        &[],
    );
    soon(|| program.state().0 == 'Z');
    let out = tempfile::NamedTempFile::new().unwrap();
    let taken = snapshot(program.process(), out.as_file(), Limits { bytes: u64::MAX }).unwrap();
    assert!(taken.written.bytes > 0);
    let dump = Dump::open(out.path(), &ReadLimits::default()).unwrap();
    assert_eq!(dump.threads.len(), 1);
    let heap = dump.segment_at(Avma(program.numbers[0])).unwrap();
    assert!(heap.dumped > 0 && !dump.mapped_files.is_empty());
}

#[test]
fn a_parent_that_waits_for_its_vfork_child_is_refused_and_goes_on() {
    let mut program = Program::start(
        "int main(void) { ready(0, 0); if (vfork() == 0) { sleep(2); _exit(0); }
         write(1, \"x\", 1); for (;;) pause(); }",
        &[],
    );
    soon(|| program.state().0 == 'D');
    assert!(refused(program.process()).contains("does not stop"));
    assert_eq!(program.state().1, 0, "nothing traces it any more");
    assert_eq!(program.next_byte(), Some(b'x'));
    soon(|| program.state() == ('S', 0));
}

#[test]
fn a_thread_of_the_kernel_is_refused_as_one() {
    let is_kernel = Stat::of(2).is_ok_and(|stat| stat.is_of_kernel());
    if !is_kernel {
        eprintln!("skipped: no threads of the kernel are visible here");
        return;
    }
    assert!(refused(2).contains("is a thread of the kernel"));
}

#[test]
fn a_process_released_by_a_failure_goes_on() {
    let program = Program::start(SLEEPER, &[]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let taken = snapshot(program.process(), &full, Limits { bytes: u64::MAX });
    assert!(matches!(taken, Err(SnapshotError::Core(WriteError::Write(_)))), "{taken:?}");
    soon(|| program.state() == ('S', 0));
}

#[test]
fn a_process_that_does_not_stop_in_time_is_named_and_goes_on() {
    let program = Program::start(SLEEPER, &[]);
    let process = program.process();
    // The time is over when the request is made. Who made it traces the process until it ends.
    let asked = thread::spawn(move || {
        let stopped = Stopped::all(process, Instant::now());
        stopped.map(|stopped| stopped.threads()).map_err(|refused| refused.to_string())
    });
    let refused = asked.join().unwrap().unwrap_err();
    assert_eq!(refused, Refused::DoesNotStop(process).to_string());
    soon(|| program.state() == ('S', 0));
    assert!(take(&program).missing.is_empty());
}
