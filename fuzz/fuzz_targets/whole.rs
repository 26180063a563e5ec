//! A core and its program, from opening both to the report as text.
//!
//! An input is a script of changes to a crash of `tests/fixtures` (see `obit_fuzz::Script`);
//! its second byte chooses one more format to write.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use obit::render::formats::ReportView;
use obit::render::{Detail, FORMATS, Format, PageOptions};
use obit::report::{BuildOptions, Report, WhichRegisters, WhoseLocals, build};
use obit_fuzz::{Part, Script, mutate, process_of};

fn options() -> BuildOptions {
    BuildOptions {
        key: Some(Arc::from(&b"key"[..])),
        registers: WhichRegisters::All,
        locals: WhoseLocals::All,
        always_code: true,
        memory: true,
        ..BuildOptions::default()
    }
}

fn write(format: &Format, report: &Report, page: &PageOptions) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(writer) = format.report() {
        writer.write(&mut text, report, ReportView::Page, page).expect("memory takes it");
    }
    text
}

fuzz_target!(|data: &[u8]| {
    let script = Script::of(data);
    let Some(process) = process_of(&script) else { return };
    let choice = usize::from(script.choice);
    let report = build(&process, options());
    let detail = if choice & 0x80 == 0 { Detail::Normal } else { Detail::Verbose };
    let page = PageOptions { detail, all_threads: true, registers: true, ..PageOptions::default() };
    let other = FORMATS.get(choice & 0x1f).map_or("json", |format| format.name);
    for name in ["human", "json", other] {
        let format = Format::named(name).expect("a format of that name");
        let text = write(format, &report, &page);
        let is_text = |byte: &u8| matches!(byte, b'\n' | b'\t' | b'\r' | 0x20..=0x7e | 0x80..);
        assert!(text.iter().all(is_text), "a control character in {name}");
        assert!(std::str::from_utf8(&text).is_ok(), "{name} is not UTF-8");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &[Part::Core, Part::Program, Part::Program])
});
