//! Cores of real processes, read back.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use obit_corefile::addr::Avma;
use obit_corefile::arch::Machine;
use obit_corefile::dump::Dump;
use obit_corefile::limits::Limits as ReadLimits;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::*;
use crate::live_program::Program;
use crate::{proc, ptrace};

const UNLIMITED: Limits = Limits { bytes: u64::MAX };

/// All threads in ptrace-stops, the leader first.
fn hold(program: &Program) -> Held {
    let process = program.process();
    let threads = proc::threads(process).unwrap();
    for thread in &threads {
        ptrace::seize(*thread, 0).unwrap();
        ptrace::interrupt(*thread).unwrap();
        let all = WaitOptions::from_bits_retain(libc::__WALL.cast_unsigned());
        assert!(waitpid(Pid::from_raw(*thread), all).unwrap().unwrap().1.stopped());
    }
    Held { process, threads, signal: 0, signal_info: None }
}

fn core(program: &Program, limits: Limits) -> (File, Result<Written, WriteError>) {
    let held = hold(program);
    let path = program.directory.path().join("core");
    let out = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    let written = write_core(&held, &out, limits);
    for thread in &held.threads {
        ptrace::detach(*thread, 0).unwrap();
    }
    (out, written)
}

/// The core, read back.
fn dump_of(program: &Program) -> Dump {
    let (_, written) = core(program, UNLIMITED);
    assert_eq!(written.unwrap().left_out, 0);
    Dump::open(&program.directory.path().join("core"), &ReadLimits::default()).unwrap()
}

/// How many bytes of the mapping that holds `address` are in the file.
fn in_file(dump: &Dump, address: u64) -> u64 {
    dump.segment_at(Avma(address)).unwrap().dumped
}

/// The bytes of the core at `address`.
fn bytes_at<const N: usize>(dump: &Dump, address: u64) -> [u8; N] {
    let segment = dump.segment_at(Avma(address)).unwrap();
    let mut bytes = [0; N];
    let offset = segment.offset + (address - segment.range.start.0);
    assert_eq!(dump.bytes.read_at(offset, &mut bytes), N);
    bytes
}

const SLEEPER: &str = "int main(void) { char *p = malloc(9); strcpy(p, \"content\");
    ready(p, 0); for (;;) pause(); }";

#[test]
fn a_core_has_the_program_its_memory_and_its_registers() {
    let program = Program::start(SLEEPER, &[]);
    let dump = dump_of(&program);
    assert!(dump.notices.is_empty(), "{:?}", dump.notices);
    let info = dump.process.as_ref().unwrap();
    assert_eq!(info.command, "program");
    assert_eq!(info.pid, i64::from(program.process()));
    assert_eq!(info.parent, Some(i64::from(std::process::id())));
    assert_eq!(&bytes_at(&dump, program.numbers[0]), b"content\0");
    let thread = dump.crashed_thread().unwrap();
    assert!(thread.complete && thread.tid == i64::from(program.process()));
    let sp = thread.registers.get(dump.machine.facts().unwrap().sp).unwrap();
    assert!(in_file(&dump, sp) > 0, "the stack");
    assert!(dump.mapped_files.iter().any(|file| *file.path == program.path && !file.deleted));
}

#[test]
fn every_thread_is_in_the_core_with_registers_of_its_own() {
    let program = Program::start(
        "static pthread_barrier_t all;
         static void *run(void *p) { pthread_barrier_wait(&all); for (;;) pause(); }
         int main(void) { pthread_t t; pthread_barrier_init(&all, 0, 51);
         for (int i = 0; i < 50; i++) pthread_create(&t, 0, run, 0);
         pthread_barrier_wait(&all); ready(0, 0); for (;;) pause(); }",
        &[],
    );
    let dump = dump_of(&program);
    let sp = dump.machine.facts().unwrap().sp;
    let stacks: std::collections::HashSet<_> =
        dump.threads.iter().filter_map(|thread| thread.registers.get(sp)).collect();
    assert_eq!((dump.threads.len(), stacks.len()), (51, 51));
    for stack in stacks {
        assert!(in_file(&dump, stack) > 0);
    }
}

#[test]
fn memory_that_must_not_be_dumped_is_absent() {
    let program = Program::start(
        "int main(void) { char *a = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         char *b = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         madvise(a, 1 << 20, MADV_DONTDUMP); memset(a, 1, 1 << 20); memset(b, 1, 1 << 20);
         ready(a, b); for (;;) pause(); }",
        &[],
    );
    let dump = dump_of(&program);
    assert_eq!(in_file(&dump, program.numbers[0]), 0);
    assert_eq!(in_file(&dump, program.numbers[1]), 1 << 20);
    assert_eq!(bytes_at(&dump, program.numbers[1] + 5000), [1; 8]);
}

#[test]
fn the_filter_of_the_process_decides_about_shared_memory() {
    const BODY: &str =
        "int main(void) { char *p = mmap(0, 4 << 20, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
         p[0] = 7; p[(3 << 20) + 5] = 8; ready(p, p + (3 << 20) + 5); for (;;) pause(); }";
    let program = Program::start(BODY, &[]);
    let dump = dump_of(&program);
    assert_eq!(bytes_at(&dump, program.numbers[0]), [7, 0]);
    assert_eq!(bytes_at(&dump, program.numbers[1]), [8, 0]);

    let program = Program::start(BODY, &[]);
    let filter = proc::path(program.process(), "coredump_filter");
    File::options().write(true).open(filter).unwrap().write_all(b"0x31").unwrap();
    assert_eq!(in_file(&dump_of(&program), program.numbers[0]), 0);
}

#[test]
fn a_reservation_of_terabytes_costs_nothing() {
    let program = Program::start(
        "int main(void) { char *p = mmap(0, 4ul << 40, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
         char *q = mmap(0, 4ul << 40, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
         q[3ul << 40] = 9; ready(p, q + (3ul << 40)); for (;;) pause(); }",
        &[],
    );
    let begin = Instant::now();
    let (file, written) = core(&program, UNLIMITED);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let written = written.unwrap();
    assert!(written.length > 4 << 40 && written.bytes < 1 << 20, "{written:?}");
    assert!(file.metadata().unwrap().blocks() * 512 < 2 << 20);
    let dump = Dump::open(&program.directory.path().join("core"), &ReadLimits::default()).unwrap();
    assert_eq!(in_file(&dump, program.numbers[0]), 0);
    assert_eq!(bytes_at(&dump, program.numbers[1]), [9, 0]);
}

#[test]
fn a_reservation_that_no_file_could_hold_is_ended_behind_its_last_page() {
    let program = Program::start(
        "int main(void) { char *p = mmap(0, 32ul << 40, 3,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
         p[5ul << 30] = 9; ready(p, p + (5ul << 30)); for (;;) pause(); }",
        &[],
    );
    let dump = dump_of(&program);
    assert_eq!(bytes_at(&dump, program.numbers[1]), [9, 0]);
}

#[test]
fn what_exceeds_the_limit_is_counted_and_stacks_are_kept() {
    let program = Program::start(
        "int main(void) { char *p = mmap(0, 8 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         memset(p, 1, 8 << 20); ready(p, 0); for (;;) pause(); }",
        &[],
    );
    let (_, written) = core(&program, Limits { bytes: 2 << 20 });
    let written = written.unwrap();
    assert!(written.bytes <= 2 << 20 && written.left_out > 5 << 20, "{written:?}");
    let dump = Dump::open(&program.directory.path().join("core"), &ReadLimits::default()).unwrap();
    let thread = dump.crashed_thread().unwrap();
    let sp = thread.registers.get(dump.machine.facts().unwrap().sp).unwrap();
    assert_ne!(bytes_at(&dump, sp & !4095), [0; 4096]);
}

#[test]
fn a_deleted_program_is_named_as_deleted() {
    let program = Program::start(SLEEPER, &[]);
    std::fs::remove_file(&program.path).unwrap();
    let dump = dump_of(&program);
    let file = dump.mapped_files.iter().find(|file| *file.path == program.path).unwrap();
    assert!(file.deleted);
    // Its first page, by which the build ID is found.
    assert_eq!(&bytes_at(&dump, file.range.start.0), b"\x7fELF");
}

#[test]
fn a_process_that_forbids_dumps_is_not_dumped() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root may stop such a process");
        return;
    }
    let program = Program::start(
        "int main(void) { setuid(65534); prctl(4 /* PR_SET_DUMPABLE */, 0);
         ready(0, 0); for (;;) pause(); }",
        &[],
    );
    let (_, written) = core(&program, UNLIMITED);
    assert!(matches!(written, Err(WriteError::NotDumpable)), "{written:?}");
}

#[test]
fn a_page_that_the_process_supplies_itself_is_not_waited_for() {
    let program = Program::start(
        "#include <linux/userfaultfd.h>\n#include <sys/ioctl.h>\n#include <sys/syscall.h>\n
         int main(void) { int fd = syscall(SYS_userfaultfd, 0); struct uffdio_api api = {0};
         api.api = UFFD_API; ioctl(fd, UFFDIO_API, &api);
         char *p = mmap(0, 1 << 20, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0); p[5000] = 7;
         struct uffdio_register it = {0}; it.mode = UFFDIO_REGISTER_MODE_MISSING;
         it.range.start = (unsigned long)p; it.range.len = 1 << 20;
         int failed = ioctl(fd, UFFDIO_REGISTER, &it); ready(p, (void *)(long)!!failed);
         for (;;) pause(); }",
        &[],
    );
    if program.numbers[1] != 0 {
        eprintln!("skipped: userfaultfd is not allowed here");
        return;
    }
    let dump = dump_of(&program);
    assert_eq!(bytes_at(&dump, program.numbers[0] + 5000), [7, 0]);
}

#[test]
fn what_lies_behind_guard_pages_is_in_the_core() {
    let program = Program::start(
        "int main(void) { char *p = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         memset(p, 7, 1 << 20);
         long failed = madvise(p, 128 << 10, 102 /* MADV_GUARD_INSTALL, Linux 6.13 */);
         ready(p, (void *)(long)!!failed); for (;;) pause(); }",
        &[],
    );
    if program.numbers[1] != 0 {
        eprintln!("skipped: the kernel has no guard pages");
        return;
    }
    let dump = dump_of(&program);
    assert_eq!(bytes_at(&dump, program.numbers[0]), [0; 8]);
    assert_eq!(bytes_at(&dump, program.numbers[0] + (128 << 10)), [7; 8]);
}

#[test]
fn what_lies_beyond_the_end_of_a_file_is_not_read() {
    let program = Program::start(
        "#include <fcntl.h>\n
         int main(void) { int fd = open(\"/proc/self/exe\", O_RDONLY);
         char *p = mmap(0, 1ul << 34, 3, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
         strcpy(p, \"content\"); ready(p, 0); for (;;) pause(); }",
        &[],
    );
    let begin = Instant::now();
    let dump = dump_of(&program);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(&bytes_at(&dump, program.numbers[0]), b"content\0");
}

#[test]
fn a_process_that_is_killed_meanwhile_leaves_a_core_that_is_known_to_be_cut() {
    let mut program = Program::start(SLEEPER, &[]);
    let held = hold(&program);
    let memory = open_memory(held.process).unwrap();
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let out = tempfile::tempfile().unwrap();
    let run = copy::Run { addresses: 0..1 << 20, offset: 0 };
    let copied = Copy::new(&memory, &out, 4096, u64::MAX).run(&[run]).unwrap();
    assert!(copied.is_cut && copied.left_out == 1 << 20, "{copied:?}");
}

#[test]
fn a_full_file_system_is_an_error_of_writing() {
    let program = Program::start(SLEEPER, &[]);
    let held = hold(&program);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let written = write_core(&held, &full, UNLIMITED);
    assert!(matches!(written, Err(WriteError::Write(_))), "{written:?}");
}

#[test]
fn a_32_bit_process_has_a_core_of_32_bits() {
    let probe = tempfile::tempdir().unwrap();
    let source = probe.path().join("probe.c");
    std::fs::write(&source, "#include <stdio.h>\nint main(void) { return 0; }").unwrap();
    let mut compiler = Command::new("cc");
    compiler.arg("-m32").arg(&source).arg("-o").arg(probe.path().join("a"));
    if !cfg!(target_arch = "x86_64") || !compiler.output().unwrap().status.success() {
        eprintln!("skipped: cc -m32 does not work here");
        return;
    }
    let program = Program::start(SLEEPER, &["-m32"]);
    let dump = dump_of(&program);
    assert_eq!((dump.machine, dump.encoding.is_64), (Machine::I386, false));
    let thread = dump.crashed_thread().unwrap();
    assert!(thread.complete, "{thread:?}");
    assert_eq!(&bytes_at(&dump, program.numbers[0]), b"content\0");
    assert_eq!(dump.process.as_ref().unwrap().pid, i64::from(program.process()));
    assert!(dump.notices.is_empty(), "{:?}", dump.notices);
}
