//! Real cores against gdb's word, recorded in `tests/fixtures/*/expect.toml`.

use std::fs;

use crate::fixture::{Case, ExpectedFrame, base_name, list, report, thread};
use serde_json::Value;

/// Frames that lie between `main` and the end of the stack, where obit goes on and gdb
/// stops: at most `__libc_start_call_main`, `__libc_start_main` and `_start`.
const PAST_MAIN: usize = 3;

#[test]
fn the_signal_and_the_crashed_thread_are_those_gdb_names() {
    for case in Case::all() {
        let report = report(&case.core(), &[]);
        let name = &case.name;
        assert_eq!(report["signal"]["name"], case.expect.signal.as_str(), "{name}");
        assert_eq!(report["signal"]["code"], case.expect.code, "{name}");
        if let Some(address) = &case.expect.fault_address {
            assert_eq!(report["signal"]["fault_address"], address.as_str(), "{name}");
        }
        for expected in &case.expect.threads {
            assert_eq!(thread(&report, expected.tid)["crashed"], expected.crashed, "{name}");
        }
        assert_eq!(list(&report, "threads").len(), case.expect.threads.len(), "{name}");
    }
}

#[test]
fn every_frame_is_where_gdb_puts_it() {
    let mut differences = Vec::new();
    for case in Case::all() {
        let report = report(&case.core(), &[]);
        for expected in &case.expect.threads {
            let frames = list(thread(&report, expected.tid), "frames");
            let wanted = certain(&expected.frames, &case.expect.own);
            for (index, wanted) in wanted.iter().enumerate() {
                let got = frames.get(index).unwrap_or(&Value::Null);
                if let Some(problem) = difference(wanted, got) {
                    let Case { name, .. } = &case;
                    differences.push(format!("{name} {} #{index}: {problem}", expected.tid));
                }
            }
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn a_stack_of_95_000_frames_is_counted_and_both_its_ends_are_shown() {
    let case = Case::named("recursion");
    let report = report(&case.core(), &[]);
    let [expected] = case.expect.threads.as_slice() else { panic!("one thread") };
    let thread = thread(&report, expected.tid);
    let total = thread["truncated"]["frames_total"].as_u64().unwrap();
    let total = usize::try_from(total).unwrap();
    let range = expected.frames_total..=expected.frames_total + PAST_MAIN;
    assert!(range.contains(&total), "{total} frames, not {range:?}");
    let frames = list(thread, "frames");
    assert!(frames.len() < 1000, "{} frames are shown", frames.len());
    let main = expected.outermost.last().unwrap();
    let main_at = frames.iter().rposition(|frame| frame["pc"] == main.pc.as_str()).unwrap();
    for (wanted, got) in expected.outermost.iter().rev().zip(frames[..=main_at].iter().rev()) {
        assert_eq!(difference(wanted, got), None);
    }
    // The numbers go on past the gap: the outermost frame is the last of all.
    let gap = usize::try_from(thread["truncated"]["gap_after"].as_u64().unwrap()).unwrap();
    let index = |frame: &Value| usize::try_from(frame["index"].as_u64().unwrap()).unwrap();
    assert_eq!(index(&frames[gap - 1]), gap - 1);
    assert_eq!(index(&frames[gap]), gap + total - frames.len());
    let recursion = thread["truncated"]["recursion"].as_str().unwrap();
    assert!(recursion.contains("parse_sum") && recursion.contains("parse_factor"), "{recursion}");
}

#[test]
fn a_tail_call_is_reported_beside_the_frames_and_among_them_on_request() {
    let case = Case::named("inlines");
    let [expected] = case.expect.threads.as_slice() else { panic!("one thread") };
    let nested = report(&case.core(), &[]);
    let physical = list(thread(&nested, expected.tid), "frames")
        .iter()
        .find(|frame| frame["function"] == "length")
        .unwrap();
    assert_eq!(physical["tail_calls"][0]["function"], "bounded_length");
    let in_line = report(&case.core(), &["--tail-calls=frames".as_ref()]);
    let frames = list(thread(&in_line, expected.tid), "frames");
    for (wanted, got) in expected.frames.iter().zip(frames) {
        assert_eq!(difference(wanted, got), None);
    }
}

#[test]
fn a_frame_says_how_it_is_known() {
    let trust = |case: &Case, index: usize| {
        let report = report(&case.core(), &[]);
        thread(&report, case.expect.crashed)["frames"][index]["trust"].as_str().unwrap().to_owned()
    };
    for case in Case::all() {
        assert_eq!(trust(&case, 0), "context", "{}", case.name);
    }
    assert_eq!(trust(&Case::named("debug-frame"), 1), "cfi");
    // Frame 1 may be known better: a return address just past a call to frame 0's function.
    assert_eq!(trust(&Case::named("no-cfi"), 2), "code");
    // A return address on top of the stack just past an indirect call.
    assert_eq!(trust(&Case::named("jump-null"), 1), "inferred");
    assert_eq!(trust(&Case::named("jump-null"), 2), "cfi");
}

#[test]
fn symbols_alone_name_functions() {
    let case = Case::named("mini-debuginfo");
    let report = report(&case.core(), &[]);
    let frames = list(thread(&report, case.expect.crashed), "frames");
    let names: Vec<_> = frames.iter().map(|frame| frame["function"].as_str().unwrap()).collect();
    assert_eq!(names[..5], ["letters", "count_items", "count_items", "report", "main"]);
    assert!(frames[0]["source"].is_null());
}

#[test]
fn without_the_program_threads_and_build_ids_remain_and_no_certain_frame_is_invented() {
    for case in Case::all() {
        let alone = tempfile::tempdir().unwrap();
        let core = alone.path().join("core.zst");
        fs::copy(case.core(), &core).unwrap();
        let report = report(&core, &[]);
        let name = &case.name;

        let wanted: Vec<i64> = case.expect.threads.iter().map(|thread| thread.tid).collect();
        let mut got: Vec<i64> =
            list(&report, "threads").iter().map(|thread| thread["tid"].as_i64().unwrap()).collect();
        got.sort_unstable();
        assert_eq!(got, wanted, "{name}");

        for (file, build_id) in &case.expect.build_ids {
            let module = list(&report, "modules")
                .iter()
                .find(|module| base_name(module["path"].as_str().unwrap_or("")) == file)
                .unwrap_or_else(|| panic!("{name}: no module {file}"));
            assert_eq!(module["build_id"], build_id.as_str(), "{name} {file}");
            assert_ne!(module["file"], "found", "{name} {file}");
        }

        for expected in &case.expect.threads {
            let frames = list(thread(&report, expected.tid), "frames");
            // The core holds code and call frame information of the vDSO, and of a program
            // that fits into the one page the kernel keeps of each image.
            let real = |frame: &Value| expected.frames.iter().any(|f| frame["pc"] == f.pc.as_str());
            for frame in frames.iter().filter(|frame| frame["pc"] != frames[0]["pc"]) {
                assert!(frame["trust"] == "scan" || real(frame), "{name}: {frame}");
            }
        }
    }
}

/// The frames every machine must agree on: up to the first in a file that is not kept
/// beside the core. Tail calls are reported beside the frames.
fn certain<'f>(frames: &'f [ExpectedFrame], own: &[String]) -> Vec<&'f ExpectedFrame> {
    frames
        .iter()
        .enumerate()
        .take_while(|(index, frame)| match &frame.module {
            Some(module) => module == "[vdso]" || own.contains(module),
            // Where gdb has lost its way it ends with a frame at no address, and the one before
            // it may be any word of the stack, as behind the `clone` of Go's threads. Only the
            // innermost one is truly there, after a call of nothing.
            None => {
                let is_lost = |at: usize| frames.get(at).is_some_and(|frame| frame.pc == "0x0");
                *index == 0 || !is_lost(*index) && !is_lost(index + 1)
            }
        })
        .map(|(_, frame)| frame)
        .filter(|frame| frame.kind != "tailcall")
        .collect()
}

/// In what `got` is not what gdb has.
fn difference(wanted: &ExpectedFrame, got: &Value) -> Option<String> {
    let mut problems = Vec::new();
    let mut check = |what: &str, wanted: &str, got: &str| {
        if wanted != got {
            problems.push(format!("{what} is {got}, gdb has {wanted}"));
        }
    };
    check("pc", &wanted.pc, got["pc"].as_str().unwrap_or("absent"));
    check("kind", &wanted.kind, got["kind"].as_str().unwrap_or("absent"));
    if let (Some(file), Some(line)) = (&wanted.file, wanted.line) {
        let source = &got["source"];
        let got_file = base_name(source["file"].as_str().unwrap_or("absent"));
        check("file", file, got_file);
        check("line", &line.to_string(), &source["line"].to_string());
        // Where only symbols say, one address has several names and gdb takes any; and
        // names with scopes and arguments are spelt in more than one way.
        if let Some(function) = wanted.function.as_deref().filter(|name| is_plain(name)) {
            check("function", function, got["function"].as_str().unwrap_or("absent"));
        }
    }
    (!problems.is_empty()).then(|| problems.join(", "))
}

/// A C identifier.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
