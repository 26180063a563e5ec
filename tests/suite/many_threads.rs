//! A core with more threads than anyone reads costs no more than the bound allows.

use obit_corefile::testkit::CoreBuilder;

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
