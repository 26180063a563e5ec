//! Whole pages, as a person sees them.

use super::layout::width;
use super::samples::{at, crash, inside, missing, number, pointer, record, text, thread, walk};
use super::terminal::modules::write_modules;
use super::{Color, DEFAULT_WIDTH, Detail, PageOptions, write_page};
use obit_report::module::{DebugReport, ModuleFile, ModuleReport};
use obit_report::{
    Blame, Cause, Confidence, Evidence, EvidenceKind, Finding, FrameReport, Hex, InstructionReport,
    NoticeCode, NoticeReport, Report, Signature, SourceLine, SourceValue, Truncated, Variable,
    VariableStatus,
};

fn page_with(report: &Report, options: &PageOptions) -> String {
    let mut page = Vec::new();
    write_page(&mut page, report, options).unwrap();
    String::from_utf8(page).unwrap()
}

fn page(report: &Report, width: usize) -> String {
    page_with(report, &PageOptions { width, ..PageOptions::default() })
}

/// One crashed, two busy with something of their own, 62 idle in two pools.
fn many_threads() -> Report {
    let idle = |function: &str| {
        let libc = "/usr/lib/libc.so.6";
        vec![
            inside("__futex_abstimed_wait_common", libc, 0x98d61),
            inside("pthread_cond_wait@@GLIBC_2.3.2", libc, 0x9b7dd),
            at(function, "/src/t/pool.cc", 88),
            inside("start_thread", libc, 0x9caa4),
        ]
    };
    let mut threads = vec![thread(3022, "worker-1", walk())];
    threads.extend((3023..3064).map(|tid| thread(tid, "worker", idle("Pool::run(Job const&)"))));
    threads.push(thread(3070, "gc", vec![at("Heap::mark(std::vector<Obj*> const&)", "h.cc", 3)]));
    threads.push(thread(3071, "", vec![]));
    threads.extend((3080..3101).map(|tid| thread(tid, &format!("io-{tid}"), idle("Io::run()"))));
    crash(threads)
}

#[test]
fn a_crash_of_one_thread() {
    insta::assert_snapshot!(page(&crash(vec![thread(3022, "t", walk())]), DEFAULT_WIDTH));
}

#[test]
fn threads_of_the_same_stack_are_one_line() {
    insta::assert_snapshot!(page(&many_threads(), 100));
}

#[test]
fn a_narrow_terminal_shortens_what_can_be_shortened() {
    let page = page(&many_threads(), 60);
    insta::assert_snapshot!(page);
}

#[test]
fn a_wide_terminal_has_everything_in_its_line() {
    insta::assert_snapshot!(page(&many_threads(), 120));
}

#[test]
fn deep_recursion_is_counted_not_listed() {
    let fib = || at("fib(int)", "/src/t/fib.cc", 4);
    let mut frames: Vec<FrameReport> = (0..300).map(|_| fib()).collect();
    frames.push(at("main", "/src/t/fib.cc", 9));
    let mut deep = thread(3022, "t", frames);
    for (index, frame) in deep.frames.iter_mut().enumerate().skip(150) {
        frame.index = index as u64 + 74_012;
    }
    deep.truncated = Some(Truncated {
        frames_total: 74_313,
        shown: 301,
        gap_after: 150,
        recursion: Some(text("fib(int) repeats 74312 times, 48 bytes of stack each round")),
    });
    insta::assert_snapshot!(page(&crash(vec![deep]), 100));
}

#[test]
fn missing_modules_are_one_paragraph_with_one_hint() {
    let mut report = crash(vec![thread(3022, "t", vec![inside("", "/usr/lib/libbar.so", 0x9)])]);
    report.notices = (0..12).map(|at| missing(&format!("lib{at}.so"))).collect();
    let many = page(&report, 80);
    report.notices.truncate(1);
    let one = page(&report, 80);
    insta::assert_snapshot!(format!("{many}\n=====\n{one}"));
}

#[test]
fn stacks_cut_off_are_one_fact_reported_once_and_notices_fit_a_screen() {
    let mut report = many_threads();
    let notice = |code, subject: String, printed: String, hint: &str| NoticeReport {
        code,
        subject: Some(text(&subject)),
        text: text(&printed),
        hint: text(hint),
    };
    let hint = NoticeCode::CoreTruncated.hint();
    let cut = "the core is cut short".to_owned();
    report.notices = vec![notice(NoticeCode::CoreTruncated, String::new(), cut, hint)];
    for tid in 3023..3033 {
        let thread = format!("thread {tid}");
        let missing = format!("the stack of {thread} is not in the core: truncated");
        report.notices.push(notice(NoticeCode::StackMissing, thread.clone(), missing, hint));
        report.notices.push(notice(NoticeCode::UnwindStopped, thread, "ends".to_owned(), "none"));
    }
    for (at, code) in [NoticeCode::FileRefused, NoticeCode::LinkMapBroken].into_iter().enumerate() {
        let long = "words ".repeat(60);
        report.notices.push(notice(code, String::new(), long, &format!("hint {at}")));
    }
    let page = page(&report, 100);
    let (_, notices) = page.split_once("missing or in doubt\n").unwrap();
    let printed = "10 of 65 threads have no stack in the core (cut off): 3023, 3024,";
    assert!(notices.contains(printed) && !notices.contains("end early"), "{notices}");
    assert_eq!(notices.matches("ulimit").count(), 1, "{notices}");
    assert!(notices.contains("and 1 more (-v shows them)"), "{notices}");
    assert!(notices.lines().count() <= 12 + 3, "{notices}");
}

#[test]
fn hostile_names_are_shown_and_not_obeyed() {
    let long = "x".repeat(10_000);
    let frames = vec![
        at("evil\u{1b}[2J\u{1b}]0;pwned\u{7}(int)", "a\nb\u{202e}c.cc", 1),
        at(&long, "/src/long.cc", 2),
        inside("new\nline\u{9b}1m", "/lib/\u{2066}x.so", 1),
        at("\u{5173}\u{6570}::\u{e9}t\u{e9}()", "\u{4e2d}.cc", 3),
    ];
    let report = crash(vec![thread(3022, "a\u{1b}[31m\"\r\n", frames)]);
    let page = page(&report, 80);
    assert!(page.lines().all(|line| width(line) <= 80), "{page}");
    assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page:?}");
    insta::assert_snapshot!(page);
}

#[test]
fn colours_say_nothing_that_the_text_does_not() {
    let report = many_threads();
    let plain = page(&report, 100);
    let options = PageOptions { color: Color::Always, ..PageOptions::default() };
    let colored = page_with(&report, &options);
    assert!(colored.contains("\u{1b}[") && !plain.contains('\u{1b}'));
    assert_eq!(anstyle_stripped(&colored), plain);
}

/// Without `ESC [ … m`.
fn anstyle_stripped(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap().to_owned();
    plain.extend(parts.map(|part| part.split_once('m').unwrap().1));
    plain
}

#[test]
fn verbose_shows_whole_names_and_addresses_and_quiet_only_the_crash() {
    let name = format!("std::function<{}>::operator()(int) const", "int, ".repeat(40));
    let mut report = crash(vec![
        thread(3022, "t", vec![at(&name, "/src/t/t.cc", 10)]),
        thread(3023, "u", walk()),
    ]);
    report.notices = vec![missing("libfoo.so")];
    let options = PageOptions { width: 80, detail: Detail::Verbose, ..PageOptions::default() };
    let verbose = page_with(&report, &options);
    assert!(verbose.contains(&name) && verbose.contains("      /src/t/t.cc:10:5"), "{verbose}");
    assert!(verbose.contains("0x555555555139"), "{verbose}");
    let quiet = page_with(&report, &PageOptions { detail: Detail::Quiet, ..options });
    assert!(!quiet.contains("3023") && !quiet.contains("libfoo"), "{quiet}");
    assert!(quiet.contains("obit-0123456789abcdef"), "{quiet}");
}

#[test]
fn all_threads_and_one_thread_are_shown_in_full() {
    let report = many_threads();
    let all = page_with(&report, &PageOptions { all_threads: true, ..PageOptions::default() });
    assert!(all.contains("41 threads \"worker\"  (tids 3023\u{2013}3063)"), "{all}");
    assert_eq!(all.matches("start_thread").count(), 2, "{all}");
    let one = page_with(&report, &PageOptions { thread: Some(3070), ..PageOptions::default() });
    assert!(one.contains("thread 3070 \"gc\"") && !one.contains("start_thread"), "{one}");
}

#[test]
fn registers_are_shown_when_asked_for() {
    let mut report = crash(vec![thread(3022, "t", walk())]);
    let registers = [("rax", 0), ("rip", 0x5555_5555_5139), ("rsp", 0x7ffd_0000_1000)];
    report.threads[0].registers =
        registers.into_iter().map(|(name, value)| (name.to_owned(), Hex(value))).collect();
    let options = PageOptions { registers: true, width: 80, ..PageOptions::default() };
    let page = page_with(&report, &options);
    assert!(page.contains("rax 0x0000000000000000  rip 0x0000555555555139"), "{page}");
    let vector = ("xmm0".to_owned(), format!("0x{:032x}", 7));
    report.threads[0].vector_registers = [vector].into();
    let page = page_with(&report, &options);
    assert!(page.contains("xmm0 0x00000000000000000000000000000007\n"), "{page}");
}

#[test]
fn the_table_of_modules() {
    let mut report = crash(vec![]);
    report.modules = vec![
        ModuleReport {
            path: text("/usr/bin/t"),
            build_id: Some("5c1e0f7a99b04c55aa11bb22cc33dd44ee55ff66".to_owned()),
            base: Hex(0x5555_5555_4000),
            file: ModuleFile::Found,
            debug: DebugReport::Full,
            ..ModuleReport::default()
        },
        ModuleReport {
            path: text("/opt/very/long/path/to/a/plugin/directory/lib\u{1b}evil.so"),
            base: Hex(0x7fff_f7c0_0000),
            ..ModuleReport::default()
        },
    ];
    let mut table = Vec::new();
    let options = PageOptions { width: 100, ..PageOptions::default() };
    write_modules(&mut table, &report, &options).unwrap();
    insta::assert_snapshot!(String::from_utf8(table).unwrap());
}

/// `walk` with all that can be known of its frames.
fn explained() -> Vec<FrameReport> {
    let line =
        |line: u32, text_of: &str| SourceLine { line, text: text(text_of), values: Vec::new() };
    let mut frames = walk();
    let next = &mut frames[0];
    let place = next.source.as_mut().unwrap();
    place.lines = vec![
        line(5, ""),
        line(6, "Node *next(Node *n) {"),
        line(7, "\treturn n->next->v ? n->next : n;"),
        line(8, "}"),
    ];
    place.column = Some(17);
    place.doubt = Some(text("newer than the program: lines may have moved"));
    let value = |name: &str, value: &str| SourceValue { name: text(name), text: text(value) };
    place.lines[2].values = vec![value("n", "0x5555"), value("n->next", "0x0")];
    next.args = vec![pointer("n", 0x5555)];
    let walk = &mut frames[1];
    walk.source.as_mut().unwrap().lines = vec![
        line(9, "  for (;;) {"),
        line(10, &format!("    {} next(n);", "step(n); ".repeat(12))),
    ];
    walk.source.as_mut().unwrap().column = Some(113);
    walk.args = vec![pointer("n", 0x5555), number("count", 3)];
    let gone = |name: &str| Variable {
        name: text(name),
        status: VariableStatus::OptimizedOut,
        ..Variable::default()
    };
    walk.locals = vec![number("i", 12), gone("j"), gone("k")];
    walk.locals.push(record("here", (0..30).map(|at| number(&format!("field{at}"), at)).collect()));
    walk.locals.extend((0..9).map(|at| number(&format!("more{at}"), at)));
    frames
}

#[test]
fn frames_are_explained_by_their_source_arguments_and_locals() {
    insta::assert_snapshot!(page(&crash(vec![thread(3022, "t", explained())]), DEFAULT_WIDTH));
}

#[test]
fn a_narrow_page_keeps_the_place_visible() {
    let page = page(&crash(vec![thread(3022, "t", explained())]), 60);
    let wide: Vec<_> =
        page.lines().filter(|line| width(line) > 60 && !line.contains("scanning")).collect();
    assert!(wide.is_empty(), "{wide:?}");
    assert!(page.contains("next(n);"), "{page}");
}

#[test]
fn explanations_fit_a_screen_unless_all_is_wanted() {
    let mut frames = Vec::new();
    for _ in 0..20 {
        frames.extend(explained());
    }
    let report = crash(vec![thread(3022, "t", frames)]);
    let short = page(&report, 100).lines().filter(|line| !line.starts_with('#')).count();
    assert!(short < 60, "{short}");
    let options = PageOptions { detail: Detail::Verbose, ..PageOptions::default() };
    let whole = page_with(&report, &options);
    assert!(whole.contains("more8") && whole.contains("(int)"), "{whole}");
    assert!(whole.lines().count() > 200, "{whole}");
}

#[test]
fn code_is_shown_where_there_is_no_source() {
    let instruction = |offset: u64, printed: &str| InstructionReport {
        address: Hex(0x1130 + offset),
        place: Some(text(&format!("letters+{offset}"))),
        text: text(printed),
        ..InstructionReport::default()
    };
    let mut frames = vec![inside("letters", "/usr/bin/t", 0x1133)];
    frames[0].disassembly = vec![
        instruction(0, "mov    (%rdi),%rcx"),
        InstructionReport {
            current: true,
            note: Some(text("rcx = 0x10")),
            ..instruction(3, "cmpb   $0x0,(%rcx)")
        },
        instruction(12, "je     0x1150 <letters+32>"),
    ];
    insta::assert_snapshot!(page(&crash(vec![thread(3022, "t", frames)]), 80));
}

#[test]
fn hostile_source_and_values_are_shown_and_not_obeyed() {
    let evil = "\u{1b}[2J\u{202e}\r\n\u{7}";
    let mut frames = explained();
    for frame in &mut frames {
        for line in frame.source.iter_mut().flat_map(|place| &mut place.lines) {
            line.text = text(&format!("\t{evil}{}", "x".repeat(5000)));
            line.values = vec![SourceValue { name: text(evil), text: text(evil) }];
        }
        for variable in frame.args.iter_mut().chain(&mut frame.locals) {
            variable.name = text(evil);
            variable.text = Some(text(evil));
        }
        frame.disassembly = vec![InstructionReport {
            text: text(evil),
            note: Some(text(evil)),
            place: Some(text(evil)),
            ..InstructionReport::default()
        }];
    }
    frames[0].source = None;
    let report = crash(vec![thread(3022, "t", frames)]);
    for detail in [Detail::Normal, Detail::Verbose] {
        let page = page_with(&report, &PageOptions { detail, width: 80, ..PageOptions::default() });
        assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page:?}");
        assert!(!page.contains('\u{202e}'), "{page:?}");
    }
}

#[test]
fn a_class_that_is_proved_has_no_doubt_though_the_frame_to_blame_has() {
    let page = |report: &Report| page_with(report, &PageOptions::default());
    let mut report = understood();
    assert!(page(&report).contains("(null-read, likely)"), "{}", page(&report));
    let cause = report.cause.as_mut().unwrap();
    cause.class_confidence = Some(Confidence::Proved);
    cause.blame.as_mut().unwrap().confidence = Confidence::Likely;
    let page = page(&report);
    assert!(page.contains("(null-read)") && page.contains("likely #0"), "{page}");
}

#[test]
fn a_stack_that_stands_for_many_threads_shows_no_values() {
    let mut threads = vec![thread(3022, "t", walk())];
    threads.extend((3023..3025).map(|tid| thread(tid, "w", explained())));
    let options = PageOptions { all_threads: true, ..PageOptions::default() };
    let page = page_with(&crash(threads), &options);
    assert!(!page.contains("n=0x5555") && !page.contains("more0"), "{page}");
}

/// A crash that is understood, beside threads that wait for each other.
fn understood() -> Report {
    let seen = |kind, printed: &str, address: Option<u64>| Evidence {
        kind,
        text: text(printed),
        frame: Some(0),
        address: address.map(Hex),
    };
    let frames = explained();
    let blame = Blame {
        thread: Some(3022),
        frame: Some(0),
        task: None,
        function: frames[0].function.clone(),
        source: frames[0].source.clone(),
        expression: Some(text("n->next")),
        expression_confidence: None,
        returned_by: None,
        made_at_line: None,
        is_expression_of_callee: false,
        reason: Some(text("the value was loaded here")),
        confidence: Confidence::Proved,
    };
    let mut report = crash(vec![thread(3022, "t", frames), thread(3023, "u", walk())]);
    report.cause = Some(Cause {
        class: "null-read".to_owned(),
        title: text("a null pointer was read through"),
        explanation: Some(text("`n->next` is NULL; reading `v` at 0x28 (+0x28)")),
        confidence: Confidence::Likely,
        evidence: vec![
            seen(EvidenceKind::Instruction, "mov    0x28(%rax),%rdx", Some(0x5555_5555_5139)),
            seen(EvidenceKind::Register, "rax = 0x0", None),
            seen(EvidenceKind::Memory, "the first pages are never mapped", Some(0x28)),
            seen(EvidenceKind::Variable, "errno is ENOENT (2)", None),
        ],
        blame: Some(blame),
        next: vec![text("obit print CORE '*n'"), text("obit explain null-read")],
        ..Cause::default()
    });
    report.signature = Some(Signature { text: text("null-read in ns::next"), ..<_>::default() });
    report.findings = vec![Finding {
        kind: "deadlock".to_owned(),
        title: text("2 threads wait for each other"),
        threads: vec![3023, 3024],
        evidence: vec![seen(EvidenceKind::Lock, "thread 3023 holds mutex `a`", None)],
        ..Finding::default()
    }];
    report
}

/// Lines of a page before its first blank one.
fn first_screen(page: &str) -> Vec<&str> {
    page.lines().take_while(|line| !line.is_empty()).collect()
}

#[test]
fn the_first_screen_has_the_cause_what_shows_it_the_place_and_the_next_step() {
    let page = page(&understood(), 80);
    assert!(page.lines().all(|line| width(line) <= 80), "{page}");
    insta::assert_snapshot!(page);
}

#[test]
fn the_source_of_the_frame_to_look_at_is_shown_once() {
    let page = page(&understood(), 80);
    assert_eq!(page.matches("return n->next->v ? n->next : n;").count(), 1, "{page}");
    assert_eq!(page.matches("newer than the program").count(), 1, "{page}");
}

#[test]
fn the_first_screen_is_short_whatever_it_has_to_show_and_the_rest_is_below() {
    let mut report = understood();
    let finding = report.findings[0].clone();
    report.findings = vec![finding; 40];
    let cause = report.cause.as_mut().unwrap();
    let long = |word: &str| text(&format!("{word} ").repeat(150));
    cause.message = Some(long("said"));
    cause.explanation = Some(long("explained"));
    cause.title = long("title");
    cause.evidence[0].text = long("instruction");
    cause.evidence[3].text = long("errno");
    cause.next = vec![long("step"), text("obit explain null-read")];
    let page = page(&report, 80);
    let head = first_screen(&page);
    assert!(head.len() <= 25, "{page}");
    for label in ["why ", "said ", "in ", "seen ", "also ", "sig ", "next "] {
        assert!(head.iter().any(|line| line.starts_with(label)), "no {label}in\n{page}");
    }
    assert!(head.last().unwrap().contains("obit explain null-read"), "{page}");
    for word in ["said", "explained", "errno"] {
        assert!(page.matches(word).count() >= 150, "{word} is cut:\n{page}");
    }
    assert!(page.contains("… and 38 more below"), "{page}");
    assert!(page.contains("… and 28 more (-v shows them)"), "{page}");
}

#[test]
fn each_thread_of_a_deadlock_has_its_line_and_its_finding_is_not_reported_again() {
    let mut report = understood();
    let cycle = report.findings[0].evidence.clone();
    let cause = report.cause.as_mut().unwrap();
    cause.class = "deadlock".to_owned();
    cause.evidence = cycle;
    let page = page(&report, 80);
    assert_eq!(page.matches("thread 3023 holds mutex `a`").count(), 1, "{page}");
    assert!(!page.contains("also") && !page.contains("seen"), "{page}");
}

#[test]
fn hostile_words_of_a_cause_are_shown_and_not_obeyed() {
    let evil = "\u{1b}[2J\u{202e}\r\n\u{7}";
    let mut report = understood();
    let cause = report.cause.as_mut().unwrap();
    cause.class = "null-read".to_owned();
    cause.message = Some(text(evil));
    cause.explanation = Some(text(&evil.repeat(3000)));
    cause.next = vec![text(evil)];
    cause.blame.as_mut().unwrap().function = Some(text(evil));
    cause.evidence.iter_mut().for_each(|one| one.text = text(evil));
    report.findings[0].title = text(evil);
    for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
        let page = page_with(&report, &PageOptions { detail, width: 80, ..PageOptions::default() });
        assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page:?}");
        assert!(!page.contains('\u{202e}'), "{page:?}");
    }
}

#[test]
fn a_page_of_a_report_that_lacks_what_is_not_shown_is_the_same() {
    let frames = (0..120).map(|nth| FrameReport {
        args: vec![number("depth", nth)],
        locals: vec![number("left", 120 - nth)],
        ..at(&format!("step_{nth}"), "/src/t/t.c", 7)
    });
    let frames: Vec<_> = frames.collect();
    let waiting = vec![at("main", "/src/t/t.c", 1), frames[0].clone()];
    let mut report = crash(vec![thread(3022, "t", frames), thread(3023, "u", waiting)]);
    let blame = Blame {
        thread: Some(3022),
        frame: Some(60),
        function: report.threads[0].frames[60].function.clone(),
        ..Blame::default()
    };
    report.cause = Some(Cause { blame: Some(blame), ..Cause::default() });
    let with_variables = |report: &Report| {
        let frames = report.threads.iter().flat_map(|thread| &thread.frames);
        frames.filter(|frame| !frame.args.is_empty()).count()
    };
    let page = PageOptions::default();
    let verbose = PageOptions { detail: Detail::Verbose, ..page };
    let whole = PageOptions { whole_stacks: true, ..page };
    let everyones = PageOptions { all_threads: true, ..page };
    let others = PageOptions { thread: Some(3023), ..page };
    for (page, left) in [
        (page, 28 + 8 + 1),
        (verbose, 120),
        (whole, 120),
        (everyones, 28 + 8 + 1 + 1),
        (others, 1 + 1),
    ] {
        let mut less = report.clone();
        super::formats::Format::named("human").unwrap().drop_unshown(&mut less, &page);
        assert_eq!(page_with(&less, &page), page_with(&report, &page));
        assert_eq!(with_variables(&less), left);
    }
    let mut json = report.clone();
    super::formats::Format::named("json").unwrap().drop_unshown(&mut json, &page);
    assert_eq!(json, report);
}
