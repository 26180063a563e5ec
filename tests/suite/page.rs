//! The page of a crash: which parts it has, on three cores. What a browser makes of it,
//! tests/browser checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use crate::fixture::{obit, stdout};

/// A null pointer; one among locks and freed memory; a deadlock.
const CORES: [(&str, &str); 3] = [
    ("null-field", "null-field/core.zst"),
    ("probe-vector", "causes-cpp-O0/probe_vector.core.zst"),
    ("deadlock", "causes-c-O2/deadlock.core.zst"),
];

fn written(core: &str) -> String {
    let out = obit()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .args([core, "--format", "html"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{core}: {}", crate::fixture::stderr(&out));
    stdout(&out)
}

/// Titles, frames, threads and drawings of a page, in order.
fn outline(page: &str) -> String {
    let marks: [(&str, &str); 7] = [
        ("<h1 id=\"cause-title\">", "cause: "),
        ("<h2 id=\"", "part "),
        ("<a class=\"frame ", "frame "),
        ("<details class=\"thread\" id=\"", "thread "),
        ("<figure class=\"graph\">", "graph "),
        ("<figure class=\"bar-of\">", "bar "),
        ("<tr class=\"current\">", "here "),
    ];
    let mut found: Vec<(usize, String)> = Vec::new();
    for (mark, what) in marks {
        for (at, _) in page.match_indices(mark) {
            let rest = &page[at + mark.len()..];
            let text = match what {
                "part " | "thread " => rest.split('"').next().unwrap().to_owned(),
                "cause: " => rest.split("</h1>").next().unwrap().to_owned(),
                "frame " => rest
                    .split("<span class=\"name\">")
                    .nth(1)
                    .unwrap()
                    .split('<')
                    .next()
                    .unwrap()
                    .to_owned(),
                _ => String::new(),
            };
            found.push((at, format!("{what}{text}")));
        }
    }
    found.sort();
    found.into_iter().map(|(_, line)| line + "\n").collect()
}

#[test]
fn the_page_has_the_same_parts_for_the_same_three_cores() {
    for (name, core) in CORES {
        let page = written(core);
        assert!(page.len() < 400_000, "{core}: {} bytes", page.len());
        insta::assert_snapshot!(name, outline(&page));
    }
}

/// Columns of terminals: half of one, a window of code beside another, a wide one.
const WIDTHS: [&str; 3] = ["60", "120", "200"];

fn page(core: &str, more: &[&str]) -> String {
    let out = obit()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .arg(core)
        .args(more)
        .output()
        .unwrap();
    assert!(out.status.success(), "{core}: {}", crate::fixture::stderr(&out));
    stdout(&out)
}

#[test]
fn the_page_is_laid_out_for_narrow_and_for_wide_terminals() {
    for (name, core) in CORES {
        for columns in WIDTHS {
            let page = page(core, &["--width", columns, "--color", "never"]);
            insta::assert_snapshot!(format!("{name}-{columns}"), page);
            let most: usize = columns.parse().unwrap();
            for line in page.lines() {
                assert!(line.chars().count() <= most, "{name}, {columns} columns: {line}");
                assert_eq!(line, line.trim_end(), "{name}, {columns} columns");
            }
        }
    }
}

#[test]
fn a_page_without_colours_says_the_same() {
    for (name, core) in CORES {
        for more in [&["-a"][..], &["-v"], &["--summary"], &["--registers"]] {
            let plain = page(core, &[more, &["--color", "never"]].concat());
            let painted = page(core, &[more, &["--color", "always"]].concat());
            assert!(painted.contains('\u{1b}'), "{name} {more:?}");
            assert_eq!(without_colours(&painted), plain, "{name} {more:?}");
        }
    }
}

/// The text less `ESC [ … m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    plain
}

#[test]
fn a_summary_is_what_crashed_why_where_and_the_id() {
    for (name, core) in CORES {
        insta::assert_snapshot!(format!("{name}-summary"), page(core, &["--summary"]));
    }
}

#[test]
fn one_thread_is_shown_in_full_and_no_other() {
    let core = CORES[0].1;
    let other = page(core, &["--thread", "16964"]);
    assert!(other.contains("thread 16964\n#0 ") && other.contains(" reaper"), "{other}");
    assert!(!other.contains("threads not crashed") && !other.contains("16960"), "{other}");
}

#[test]
fn a_verbose_page_cuts_neither_the_function_to_blame_nor_its_path() {
    let page = page(CORES[1].1, &["-v", "--width", "60"]);
    let place: Vec<&str> = page.lines().skip_while(|line| !line.starts_with("in ")).collect();
    assert_eq!(place[0], "in    #0 (anonymous namespace)::walk");
    assert!(place[1].ends_with("/probes.cc:38:25"), "{page}");
}
