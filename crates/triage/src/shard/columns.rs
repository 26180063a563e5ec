//! What engines ask of many records, as columns.

use obit_parquet::{Kind, Values};

use crate::record::{Record, RecordStatus};
use crate::store::{RecordHead, confidence_word};

/// What a column says of a record.
pub(super) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    /// Seconds since 1970.
    Time(Option<i64>),
}

/// A column: its name, and its cell in the row of a record.
type Column = (&'static str, Kind, fn(&Record, &RecordHead) -> Cell);

/// All but the last, which is the record itself.
pub(super) const COLUMNS: &[Column] = &[
    ("dump", Kind::Text, |record, _| text(&record.dump)),
    ("report", Kind::Text, |record, _| text(&record.id)),
    ("status", Kind::Text, |record, _| {
        text(if record.status == RecordStatus::Ok { "ok" } else { "failed" })
    }),
    ("reason", Kind::Text, |record, _| {
        Cell::Text(record.reason.as_ref().map(|reason| reason.code.clone()))
    }),
    ("time", Kind::Time, |record, _| Cell::Time(record.time)),
    ("host", Kind::Text, |_, head| Cell::Text(head.host.clone())),
    ("program", Kind::Text, |_, head| of_build(head, |build| Some(build.program.clone()))),
    ("build_id", Kind::Text, |_, head| of_build(head, |build| Some(build.id.clone()))),
    ("version", Kind::Text, |_, head| of_build(head, |build| build.version.clone())),
    ("arch", Kind::Text, |record, _| text(&record.core.arch)),
    ("signal", Kind::Text, |record, _| {
        Cell::Text(record.signal.as_ref().map(|signal| signal.name.clone()))
    }),
    ("class", Kind::Text, |_, head| Cell::Text(head.class.clone())),
    ("severity", Kind::Text, |_, head| Cell::Text(head.severity.clone())),
    ("confidence", Kind::Text, |record, _| {
        let word = |cause: &obit_report::Cause| confidence_word(cause.confidence).to_owned();
        Cell::Text(record.cause.as_ref().map(word))
    }),
    ("title", Kind::Text, |record, _| {
        Cell::Text(record.cause.as_ref().map(|cause| cause.title.as_str().to_owned()))
    }),
    ("signature_id", Kind::Text, |record, _| {
        Cell::Text(record.signature.as_ref().map(|signature| signature.id.clone()))
    }),
    ("signature", Kind::Text, |record, _| {
        let words = |signature: &obit_report::Signature| signature.text.as_str().to_owned();
        Cell::Text(record.signature.as_ref().map(words))
    }),
    ("function", Kind::Text, |record, _| {
        Cell::Text(record.frames.first().map(|name| name.as_str().to_owned()))
    }),
    ("blamed", Kind::Text, |record, _| {
        Cell::Text(record.blamed.as_ref().map(|name| name.as_str().to_owned()))
    }),
    ("module", Kind::Text, |_, head| Cell::Text(head.module.clone())),
    ("pid", Kind::Integer, |record, _| Cell::Integer(record.process.pid)),
    ("path", Kind::Text, |record, _| text(record.core.path.as_str())),
    ("size", Kind::Integer, |record, _| Cell::Integer(i64::try_from(record.core.size).ok())),
    ("complete", Kind::Boolean, |_, head| Cell::Boolean(Some(head.is_complete))),
    ("redaction", Kind::Text, |record, _| text(&record.redactions.policy)),
];

/// The column with the record and the state of its file, as a line of JSON has them.
pub(super) const RECORD: &str = "record";

/// What is not known is missing, not empty.
fn text(text: &str) -> Cell {
    Cell::Text((!text.is_empty()).then(|| text.to_owned()))
}

fn of_build(head: &RecordHead, what: impl Fn(&crate::store::BuildHead) -> Option<String>) -> Cell {
    Cell::Text(head.build.as_ref().and_then(what).filter(|text| !text.is_empty()))
}

/// Adds a cell to its column; its bytes, about.
pub(super) fn push(values: &mut Values, cell: Cell) -> usize {
    const NUMBER: usize = 8;
    match (values, cell) {
        (Values::Text(values), Cell::Text(text)) => {
            let bytes = text.as_ref().map_or(0, String::len);
            values.push(text);
            bytes
        }
        (Values::Integer(values), Cell::Integer(number)) => {
            values.push(number);
            NUMBER
        }
        (Values::Time(values), Cell::Time(seconds)) => {
            // A time that cannot be written is not known to those who read columns.
            values.push(seconds.and_then(|seconds| seconds.checked_mul(1_000_000)));
            NUMBER
        }
        (Values::Boolean(values), Cell::Boolean(flag)) => {
            values.push(flag);
            1
        }
        // The types of `COLUMNS` are those of their cells: a test writes each.
        _ => 0,
    }
}
