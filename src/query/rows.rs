//! The table of the answers: built-in columns, then those of the query.

use super::answer::{CoreAnswer, FrameAnswer};
use obit_query::{Cell, Column, Datum, Table};
use obit_redact::Shown;

/// The columns that every table has.
pub const BUILT_IN: [&str; 14] = [
    "core", "pid", "thread", "frame", "function", "file", "line", "trust", "time", "build",
    "signal", "class", "group", "host",
];

/// The table of `answers`; `group_of` is the group of a core by its place among them, or why it
/// is not known.
pub fn table(
    answers: &[CoreAnswer],
    columns: &[Column],
    group_of: &dyn Fn(usize) -> Result<String, String>,
) -> Table {
    let names = BUILT_IN.iter().map(|name| (*name).to_owned());
    let mut table = Table::new(names.chain(columns.iter().map(|column| column.name.clone())));
    for (at, answer) in answers.iter().enumerate() {
        if answer.frames.is_empty() {
            continue;
        }
        let group = match group_of(at) {
            Ok(group) => Datum::Text(group).into(),
            Err(why) => Cell::unknown(why),
        };
        for frame in &answer.frames {
            table.push(row(answer, frame, &group));
        }
    }
    table
}

fn row(answer: &CoreAnswer, frame: &FrameAnswer, group: &Cell) -> Vec<Cell> {
    let core = &answer.core;
    let text = |text: Option<&str>, absent: &str| match text {
        Some(text) => Datum::Text(text.to_owned()).into(),
        None => Cell::unknown(absent),
    };
    let number = |number: i64| Datum::Integer(number.into()).into();
    let host = core.host.as_ref().map(Shown::as_str);
    let mut row = vec![
        Datum::Text(core.path.as_str().to_owned()).into(),
        core.pid.map_or_else(|| Cell::unknown("not in the core"), number),
        number(frame.thread),
        Datum::Integer(frame.frame.into()).into(),
        text(frame.function.as_deref(), "no symbol"),
        text(frame.file.as_deref(), "no line information"),
        match frame.line {
            Some(line) => Datum::Integer(line.into()).into(),
            None => Cell::unknown("no line information"),
        },
        Datum::Text(frame.trust.word().to_owned()).into(),
        text(core.time.as_deref(), "not recorded"),
        text(core.build.as_deref(), "the program has no build ID"),
        text(core.signal.as_deref(), "not in the core"),
        text(core.class.as_deref(), "no cause found"),
        group.clone(),
        text(host, "not recorded"),
    ];
    row.extend(frame.cells.iter().cloned());
    row
}

#[cfg(test)]
mod tests {
    use obit_report::FrameTrust;

    #[test]
    fn how_a_frame_was_found_is_called_as_in_reports() {
        for trust in [
            FrameTrust::Context,
            FrameTrust::Cfi,
            FrameTrust::Code,
            FrameTrust::FramePointer,
            FrameTrust::Scan,
            FrameTrust::Inferred,
        ] {
            let written = serde_json::to_value(trust).unwrap();
            assert_eq!(written, trust.word());
        }
    }
}
