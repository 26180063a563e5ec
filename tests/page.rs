//! The page of a crash: which parts it has, on three cores. What a browser makes of it,
//! tests/browser checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixture;

use std::path::Path;

use fixture::{obit, stdout};

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
    assert!(out.status.success(), "{core}: {}", fixture::stderr(&out));
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
