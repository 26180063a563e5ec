//! A core with more threads than anyone reads costs no more than the bound allows, and a report on
//! many threads, which is handed over in portions, is as one that is made as a whole.

use obit::report::json::{read_report, write_report};
use obit_corefile::testkit::{CoreBuilder, CoreFile};

use crate::fixture::{obit, stderr, stdout};

/// Threads of a report at most, beside those that matter.
const MOST: i32 = 16_000;

#[test]
fn a_report_has_so_many_threads_and_the_one_that_crashed_wherever_it_is() {
    let crashed = MOST + 20;
    let stack = 0x7ffd_0000_0000;
    let registers = [("rsp", stack + 0xff0), ("rip", 0x40_1000)];
    let mut core = CoreBuilder::x86_64();
    for tid in 1..crashed {
        core = core.thread(tid, &registers);
    }
    let core = core.signal(11).thread(crashed, &registers).segment(stack, &[0; 0x1000], 0x1000);
    let core = core.write();
    let report = obit::open(core.path()).unwrap().report();
    assert_eq!(report.threads.len(), MOST as usize + 1);
    assert_eq!(
        report.threads.iter().find(|thread| thread.crashed).unwrap().tid,
        i64::from(crashed)
    );
    let notice = report.notices.iter().find(|notice| notice.text.as_str().contains("threads"));
    assert!(notice.unwrap().text.as_str().contains("16000"), "{notice:?}");
}

/// Threads whose JSON takes several portions.
const MANY: i32 = 1500;

/// A core of [`MANY`] threads, of which `crashed` did.
fn core_of_many(crashed: i32) -> CoreFile {
    let stack = 0x7ffd_0000_0000;
    let registers = [("rsp", stack + 0xff0), ("rip", 0x40_1000)];
    let thread = |core: CoreBuilder, tid| {
        let core = core.signal(if tid == crashed { 11 } else { 0 });
        core.thread(tid, &registers)
    };
    let core = (1..=MANY).fold(CoreBuilder::x86_64(), thread);
    core.segment(stack, &[0; 0x1000], 0x1000).write()
}

#[test]
fn json_in_portions_is_that_of_the_whole_report() {
    for crashed in [1, 700, MANY] {
        let core = core_of_many(crashed);
        let json = |mode: &str, format: &str| {
            let mut command = obit();
            command.args(["--format", format, "--sandbox", mode]).arg(core.path());
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            stdout(&output)
        };
        let written = json("on", "json");
        assert_eq!(written, json("off", "json"));
        assert_eq!(written, json("on", "ndjson"));
        let report = read_report(written.as_bytes()).unwrap();
        assert!(report.threads.iter().map(|thread| thread.tid).eq(1..=i64::from(MANY)));
        let mut whole = Vec::new();
        write_report(&report, &mut whole).unwrap();
        assert_eq!(written, String::from_utf8(whole).unwrap());
    }
}

#[test]
fn a_thread_that_is_not_there_is_refused_with_the_first_of_those_that_are() {
    let core = core_of_many(3);
    let refused = |format: &str| {
        let output = obit().args(["--thread=9999", "--format", format]).arg(core.path()).output();
        let output = output.unwrap();
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let (code, page, why) = refused("json");
    assert_eq!((code, page.as_str()), (Some(64), ""));
    assert!(why.contains("it has 1, 2, 3, 4, 5, 6, 7, 8, \u{2026}"), "{why}");
    assert_eq!(refused("human"), (code, page, why));
}

#[test]
fn of_a_worker_that_dies_between_portions_there_is_what_was_known_before() {
    let core = core_of_many(1);
    let mut command = obit();
    let output = command.arg("--json").arg(core.path()).env("OBIT_TEST_EVIL", "panic-late");
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(70), "{}", stderr(&output));
    let report = read_report(stdout(&output).as_bytes()).unwrap();
    assert!(report.has_ended_early());
    assert_eq!((report.threads.len(), report.signal.unwrap().name.as_str()), (0, "SIGSEGV"));
}
