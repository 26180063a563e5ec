//! What a batch came to, in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use obit::batch::{Code, Summary};

/// What a batch came to, in a line or three.
pub(super) fn in_words(summary: &Summary) -> String {
    let counted = |count: u64, one: &str, some: &str| {
        format!("{count} {}", if count == 1 { one } else { some })
    };
    let mut parts = vec![format!(
        "{}: {} new, {} known",
        counted(summary.files.len() as u64, "core", "cores"),
        summary.new,
        summary.known + summary.unchanged,
    )];
    if summary.completed > 0 {
        parts.push(format!("{} now complete", summary.completed));
    }
    if summary.failures() > 0 {
        let reasons = reasons(&summary.failed);
        parts.push(format!("{} failed ({reasons})", summary.failures()));
    }
    let mut text = parts.join(", ");
    let _ = writeln!(
        text,
        "; {}, {} new; {:.1} s",
        counted(summary.groups, "group", "groups"),
        summary.new_groups,
        summary.took.as_secs_f64()
    );
    let passed: u64 = summary.passed.values().sum();
    if passed > 0 {
        let files = counted(passed, "other file", "other files");
        let _ = writeln!(text, "skipped {files} ({})", reasons(&summary.passed));
    }
    text
}

fn reasons(counts: &BTreeMap<Code, u64>) -> String {
    let each = counts.iter().map(|(code, count)| format!("{count} {}", code.word()));
    each.collect::<Vec<_>>().join(", ")
}
