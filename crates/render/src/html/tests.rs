//! The page as a whole: what it may not hold, and what it may weigh.

use super::*;
use crate::samples::{at, crash, inside, number, record, text, thread, walk};
use obit_report::memory::{MemoryReport, RangeReport};
use obit_report::module::ModuleReport;
use obit_report::{
    Cause, Finding, Hex, LockReport, NoticeCode, NoticeReport, SourceLine, SourceValue,
};

const EVIL: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'\u{202e}\u{1b}[31m\0";

fn page(report: &Report) -> String {
    let mut out = Vec::new();
    write_html(&mut out, report).unwrap();
    String::from_utf8(out).unwrap()
}

/// A report whose every text is `evil`, `count` of everything.
fn hostile(evil: &str, count: usize) -> Report {
    let frame = |line: usize| {
        let mut frame = at(evil, evil, u32::try_from(line).unwrap());
        let members = (0..6).map(|_| record(evil, vec![number(evil, 1)])).collect();
        frame.args = vec![record(evil, members)];
        frame.args[0].reason = Some(text(evil));
        frame.args[0].type_name = Some(text(evil));
        frame.locals = vec![obit_report::Variable {
            name: text(evil),
            text: Some(text(evil)),
            ..Default::default()
        }];
        let place = frame.source.as_mut().unwrap();
        let value = SourceValue { name: text(evil), text: text(evil) };
        let here = u32::try_from(line).unwrap();
        place.lines =
            vec![SourceLine { line: here, text: text(evil), values: vec![value.clone(); 4] }];
        place.doubt = Some(text(evil));
        frame.stack_bytes = Some(line as u64);
        frame
    };
    let threads = (0..count).map(|nth| {
        // No two stacks are the same.
        let mut frames = vec![inside(&format!("{evil}{nth}"), evil, 1)];
        frames.extend((0..count.min(12)).map(frame));
        thread(i64::try_from(nth).unwrap(), evil, frames)
    });
    let mut report = crash(threads.collect());
    let evidence = obit_report::Evidence { text: text(evil), ..Default::default() };
    report.id = evil.to_owned();
    report.core.path = text(evil);
    report.cause = Some(Cause {
        class: evil.to_owned(),
        severity: Some(evil.to_owned()),
        title: text(evil),
        explanation: Some(text(evil)),
        message: Some(text(evil)),
        evidence: vec![evidence.clone(); count],
        next: vec![text(&format!("obit {evil}")); count],
        ..Cause::default()
    });
    let lock = LockReport { name: text(evil), waiters: vec![1, 2, 3], ..Default::default() };
    let locks = vec![lock; count];
    let finding =
        Finding { title: text(evil), evidence: vec![evidence], locks, ..Default::default() };
    report.findings = vec![finding; count];
    let module = ModuleReport {
        path: text(evil),
        build_id: Some(evil.to_owned()),
        debug_path: Some(text(evil)),
        ..ModuleReport::default()
    };
    report.modules = vec![module; count];
    report.notices = (0..count)
        .map(|nth| NoticeReport {
            code: NoticeCode::ModuleMissing,
            subject: Some(text(evil)),
            text: text(evil),
            hint: text(&format!("{evil}{nth}")),
        })
        .collect();
    let ranges = (0..count as u64).map(|nth| RangeReport {
        start: Hex(nth << 30),
        size: 1 << 20,
        permissions: evil.to_owned(),
        path: Some(text(evil)),
        ..RangeReport::default()
    });
    report.memory = Some(MemoryReport { ranges: ranges.collect(), ..MemoryReport::default() });
    report.redactions.counts = [(evil.to_owned(), 1)].into();
    report.redactions.total = 1;
    report.obit.version = evil.to_owned();
    report
}

#[test]
fn no_name_becomes_markup_and_nothing_is_hidden() {
    let page = page(&hostile(EVIL, 3));
    // The page's own style and script are no report's.
    let body = page.split_once("</script></head>").unwrap().1;
    for bad in ["<script", "<img", "onerror=alert(2)>", " style=", " onclick="] {
        let found = body.find(bad).map(|at| &body[at.saturating_sub(80)..at + 20]);
        assert_eq!(found, None, "{bad}");
    }
    let hidden = |c: &char| *c != '\n' && crate::visible(&c.to_string()) != c.to_string();
    let found = body.char_indices().find(|(_, c)| hidden(c));
    let context = found.map(|(at, _)| body[..at].chars().rev().take(120).collect::<String>());
    let context = context.map(|text| text.chars().rev().collect::<String>());
    assert_eq!(context, None);
    assert!(body.contains("&lt;script&gt;alert(1)"));
    assert!(body.contains("\\u{202e}\\x1b[31m\\x00"));
}

#[test]
fn a_page_stays_small_whatever_the_report_holds() {
    let megabytes = |report: &Report| page(report).len() as f64 / 1e6;
    let long = "\"\u{202e}<".repeat(1500);
    for (name, report) in [("many", hostile(EVIL, 200)), ("long", hostile(&long, 12))] {
        let size = megabytes(&report);
        assert!(size < 5.0, "{name}: {size} MB");
    }
}

/// A hundred threads, each with a stack of its own.
fn crowd() -> Report {
    let threads = (0..100).map(|nth: i64| {
        let name = |at| format!("library_function_{nth}_{at}");
        let mut frames: Vec<_> =
            (0..30).map(|at| inside(&name(at), "/usr/lib/libcrowd.so", at)).collect();
        frames.extend(walk());
        thread(nth, &format!("worker-{nth}"), frames)
    });
    crash(threads.collect())
}

#[test]
fn a_hundred_threads_are_less_than_two_megabytes() {
    let size = page(&crowd()).len();
    assert!(size < 2_000_000, "{size} bytes");
}

#[test]
fn a_page_says_what_browsers_may_do_and_needs_nothing_else() {
    let page = page(&crash(vec![thread(7, "main", walk())]));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "no policy");
    for bad in ["src=\"", "http:", "https:", "'unsafe-inline'", " style=\""] {
        assert!(!page.contains(bad), "{bad}");
    }
    // The only link that is none to a place in the page: an icon, so that none is asked for.
    let links = page.matches("href=\"").count();
    assert_eq!(links, page.matches("href=\"#").count() + 1);
    assert!(page.contains("<link rel=\"icon\" href=\"data:,\">"));
}

#[test]
fn every_link_leads_somewhere_and_no_anchor_is_there_twice() {
    let mut report = hostile("name", 5);
    report.threads[0].frames[0].kind = obit_report::FrameKind::Signal;
    let page = page(&report);
    let ids: Vec<_> =
        page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let unique: std::collections::HashSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    let tids: Vec<_> = page.split(" data-tids=\"").skip(1).collect();
    for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        // Threads of one stack share an anchor; the script knows.
        let folded = link.starts_with('t')
            && tids.iter().any(|list| {
                let mut all = list.split('"').next().unwrap().split(' ');
                all.any(|tid| link.trim_start_matches('t').split('-').next() == Some(tid))
            });
        assert!(unique.contains(link) || folded, "#{link}");
    }
}

#[test]
fn an_empty_report_makes_a_page() {
    let page = page(&Report::default());
    assert!(page.contains("The cause of the crash is not known"), "{page}");
}

#[test]
#[ignore = "writes files for scripts/test-browser"]
fn pages_for_the_browser() {
    let directory = std::path::PathBuf::from(std::env::var_os("OBIT_WRITE_PAGES").unwrap());
    let long = format!("{EVIL}{}", "Long<Name>".repeat(1000));
    let mut report = hostile(EVIL, 3);
    report.threads.push(thread(99, &long, vec![at(&long, &long, 1)]));
    std::fs::write(directory.join("hostile.html"), page(&report)).unwrap();
    std::fs::write(directory.join("crowd.html"), page(&crowd())).unwrap();
    std::fs::write(directory.join("heavy.html"), page(&hostile(EVIL, 200))).unwrap();
}
