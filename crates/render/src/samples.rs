//! Reports made by hand, for the tests of the pages.

use obit_redact::{Level, Origin, Redactor, Shown};
use obit_report::{
    FrameKind, FrameReport, FrameTrust, Hex, ModulePlace, NoticeCode, NoticeReport, Report,
    SignalReport, SourcePlace, ThreadReport, Variable, VariableValue,
};

pub(super) fn text(text: &str) -> Shown {
    Redactor::new(Level::Off, "").show(Origin::OwnWords, text)
}

/// A frame with lines.
pub(super) fn at(function: &str, file: &str, line: u32) -> FrameReport {
    FrameReport {
        source: Some(SourcePlace {
            file: text(file),
            line: Some(line),
            column: Some(5),
            ..SourcePlace::default()
        }),
        ..inside(function, "/usr/bin/t", 0x1139)
    }
}

/// A frame known by a symbol; by an address alone if `function` is empty.
pub(super) fn inside(function: &str, module: &str, offset: u64) -> FrameReport {
    FrameReport {
        pc: Hex(0x5555_5555_4000 + offset),
        function: Some(function).filter(|name| !name.is_empty()).map(text),
        module: Some(ModulePlace { path: text(module), build_id: None, offset: Hex(offset) }),
        ..FrameReport::default()
    }
}

pub(super) fn thread(tid: i64, name: &str, mut frames: Vec<FrameReport>) -> ThreadReport {
    for (index, frame) in frames.iter_mut().enumerate() {
        frame.index = index as u64;
    }
    ThreadReport { tid, name: Some(text(name)), frames, ..ThreadReport::default() }
}

/// A null dereference in the first of `threads`.
pub(super) fn crash(mut threads: Vec<ThreadReport>) -> Report {
    if let Some(first) = threads.first_mut() {
        first.crashed = true;
    }
    let mut report = Report { id: "obit-0123456789abcdef".to_owned(), ..Report::default() };
    report.process.exe = Some(text("/usr/bin/t"));
    report.process.pid = Some(3022);
    report.process.build_id = Some("5c1e0f7a99b04c55aa11bb22cc33dd44ee55ff66".to_owned());
    report.signal = Some(SignalReport {
        number: 11,
        name: "SIGSEGV".to_owned(),
        code: Some(1),
        code_name: Some("SEGV_MAPERR".to_owned()),
        fault_address: Some(Hex(0x28)),
        ..SignalReport::default()
    });
    report.threads = threads;
    report
}

/// The stack most samples have.
pub(super) fn walk() -> Vec<FrameReport> {
    let mut inlined = at("ns::next(Node*)", "/src/t/node.h", 7);
    inlined.kind = FrameKind::Inline;
    let mut scanned = inside("", "/opt/lib/libplugin.so", 0x4242);
    scanned.trust = FrameTrust::Scan;
    let mut walk = at("ns::walk(Node*)", "/src/t/t.cc", 10);
    walk.tail_calls = vec![FrameReport {
        kind: FrameKind::TailCall,
        trust: FrameTrust::Inferred,
        ..at("ns::dispatch(Node*, int)", "/src/t/t.cc", 31)
    }];
    vec![
        inlined,
        walk,
        FrameReport { kind: FrameKind::Signal, ..FrameReport::default() },
        at("main", "/src/t/main.cc", 19),
        inside("__libc_start_main", "/usr/lib/libc.so.6", 0x2a1ca),
        scanned,
    ]
}

pub(super) fn missing(module: &str) -> NoticeReport {
    NoticeReport {
        code: NoticeCode::ModuleMissing,
        subject: Some(text(module)),
        text: text(&format!("no file for /usr/lib/{module} (build ID 5c1e0f7a)")),
        hint: text("copy the file with build ID 5c1e0f7a to /usr/lib, or pass --sysroot DIR"),
    }
}

pub(super) fn number(name: &str, value: i64) -> Variable {
    Variable {
        name: text(name),
        type_name: Some(text("int")),
        value: Some(VariableValue::Integer(value)),
        ..Variable::default()
    }
}

pub(super) fn pointer(name: &str, value: u64) -> Variable {
    Variable {
        name: text(name),
        type_name: Some(text("Node *")),
        value: Some(VariableValue::Text(format!("{value:#x}"))),
        ..Variable::default()
    }
}

pub(super) fn record(name: &str, members: Vec<Variable>) -> Variable {
    let type_name = Some(text("struct Node"));
    Variable { name: text(name), type_name, members, ..Variable::default() }
}
