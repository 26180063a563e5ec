//! What a thread executed last, for people.

use std::io;

use crate::PageOptions;
use crate::layout::counted;
use crate::name;
use crate::style::Style;
use obit_report::answer::{RewindBlock, RewindLine, RewindReport, RewindVariable};

/// Unchanged variables of a line that are shown.
const UNCHANGED: usize = 8;

/// Writes the lines, the last one first.
pub(crate) fn write_rewound(
    out: &mut dyn io::Write,
    found: &RewindReport,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    writeln!(out, "{}", color.paint(Style::Focus, &heading(found)))?;
    // Where nothing is certain, the heading says so.
    let has_marks = found.proved > 0;
    if has_marks && found.instructions > found.proved {
        writeln!(out, "{}", color.paint(Style::Aside, "~ is likely, the rest is certain"))?;
    }
    for block in &found.blocks {
        let indent = if block.rounds > 1 { "    " } else { "  " };
        writeln!(out)?;
        if block.rounds > 1 {
            writeln!(out, "  {}", color.paint(Style::Focus, &rounds(block)))?;
        }
        for line in &block.lines {
            writeln!(out, "{indent}{}", color.paint(Style::Place, &place(line, has_marks)))?;
            for detail in details(line, has_marks) {
                writeln!(out, "{indent}    {}", color.paint(Style::Aside, &detail))?;
            }
        }
    }
    writeln!(out)?;
    if found.omitted > 0 {
        let left = usize::try_from(found.omitted).unwrap_or(usize::MAX);
        let more = format!("\u{2026} {} more; --lines shows more", counted(left, "line"));
        writeln!(out, "{}", color.paint(Style::Aside, &more))?;
    }
    let before = format!("before: {}", name::shown(&found.end_text));
    writeln!(out, "{}", color.paint(Style::Doubt, &before))?;
    let last = format!("{}  --redact={}", found.id, found.policy);
    writeln!(out, "{}", color.paint(Style::Aside, &crate::visible(&last)))
}

/// `thread 77: the last 351 instructions, 57 of them certain`.
fn heading(found: &RewindReport) -> String {
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let before = match found.frame {
        0 => String::new(),
        frame => format!(" before the call in frame #{frame}"),
    };
    if found.instructions == 0 {
        let before = if before.is_empty() { " before the end" } else { &before };
        return format!("thread {}: no instruction{before} is known", found.tid);
    }
    let certain = match found.proved {
        proved if proved == found.instructions => ", all certain".to_owned(),
        0 => ", all likely".to_owned(),
        proved => format!(", the last {proved} certain"),
    };
    format!(
        "thread {}: the last {}{before}{certain}, newest first",
        found.tid,
        counted(count(found.instructions), "instruction")
    )
}

fn rounds(block: &RewindBlock) -> String {
    format!("{} times, the last:", block.rounds)
}

fn place(line: &RewindLine, has_marks: bool) -> String {
    let mark = if line.confidence == "proved" || !has_marks { "" } else { "~ " };
    let function = line.function.as_ref().map_or_else(|| "??".to_owned(), name::shown);
    let place = match (&line.file, line.line) {
        (Some(file), Some(number)) => format!(" at {}:{number}", name::shown(file)),
        (Some(file), None) => format!(" at {}", name::shown(file)),
        (None, _) => format!(" at {:#x}", line.address.0),
    };
    let text = line.text.as_ref().map(|text| format!("  {}", name::shown(text).trim()));
    format!("{mark}{function}{place}{}", text.unwrap_or_default())
}

fn details(line: &RewindLine, has_marks: bool) -> Vec<String> {
    let instructions = usize::try_from(line.instructions).unwrap_or(usize::MAX);
    let mut first = counted(instructions, "instruction");
    for branch in &line.branches {
        let taken = if branch.taken { "taken" } else { "not taken" };
        first.push_str(&format!(", {} {taken}", crate::visible(&branch.jump)));
    }
    let (changed, same): (Vec<_>, Vec<_>) =
        line.variables.iter().partition(|variable| variable.before.is_some());
    let value = |variable| value(variable, has_marks);
    let changed = changed.into_iter().map(value);
    let same = same.into_iter().take(UNCHANGED).map(value);
    let values: Vec<_> = changed.chain(same).collect();
    let values = (!values.is_empty()).then(|| values.join(", "));
    [Some(first), values].into_iter().flatten().collect()
}

/// `i = 4 (was 3)`.
fn value(variable: &RewindVariable, has_marks: bool) -> String {
    let mark = if variable.confidence == "proved" || !has_marks { "" } else { "~" };
    let before = variable.before.as_ref().map(|it| format!(" (was {})", name::shown(it)));
    let (name, value) = (name::shown(&variable.name), name::shown(&variable.value));
    format!("{name} = {mark}{value}{}", before.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::FORMATS;
    use obit_redact::Shown;

    fn shown(text: &str) -> Shown {
        Shown::from_report(text.to_owned())
    }

    fn found() -> RewindReport {
        let line = RewindLine {
            function: Some(shown("sum\u{1b}[2J")),
            file: Some(shown("a.c")),
            line: Some(7),
            text: Some(shown("  total += *at;")),
            instructions: 3,
            confidence: "likely".to_owned(),
            branches: vec![obit_report::answer::RewindBranch {
                jump: "jne".to_owned(),
                taken: true,
                ..Default::default()
            }],
            variables: vec![RewindVariable {
                name: shown("total"),
                value: shown("9"),
                before: Some(shown("4")),
                confidence: "proved".to_owned(),
            }],
            ..RewindLine::default()
        };
        RewindReport {
            id: "obit-1".to_owned(),
            policy: "default".to_owned(),
            tid: 7,
            instructions: 30,
            proved: 4,
            end_text: shown("several instructions can have come before"),
            blocks: vec![RewindBlock { rounds: 10, lines: vec![line] }],
            ..RewindReport::default()
        }
    }

    #[test]
    fn lines_are_shown_with_what_they_changed_and_how_often_they_ran() {
        let mut out = Vec::new();
        write_rewound(&mut out, &found(), &PageOptions::default()).unwrap();
        let expected = "\
thread 7: the last 30 instructions, the last 4 certain, newest first
~ is likely, the rest is certain

  10 times, the last:
    ~ sum\\x1b[2J at a.c:7  total += *at;
        3 instructions, jne taken
        total = 9 (was 4)

before: several instructions can have come before
obit-1  --redact=default
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn where_nothing_is_certain_nothing_is_marked_but_the_whole() {
        let mut out = Vec::new();
        let mut found = RewindReport { proved: 0, frame: 5, ..found() };
        found.blocks[0].lines[0].variables[0].confidence = "likely".to_owned();
        write_rewound(&mut out, &found, &PageOptions::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        let heading = "thread 7: the last 30 instructions before the call in frame #5, all likely, \
                       newest first\n\n";
        assert!(text.starts_with(heading) && !text.contains('~'), "{text}");
    }

    #[test]
    fn every_format_that_writes_it_has_the_line_and_no_control_character() {
        let writers = FORMATS.iter().filter_map(|format| Some((format.name, format.rewound()?)));
        let mut names = Vec::new();
        for (name, write) in writers {
            let mut out = Vec::new();
            write(&mut out, &found(), &PageOptions::default()).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("total"), "{name}: {text}");
            assert!(!text.contains('\u{1b}'), "{name}: {text}");
            names.push(name);
        }
        assert_eq!(names, ["human", "json", "ndjson"]);
    }
}
