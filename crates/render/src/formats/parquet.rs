//! Columns for engines (DuckDB, Spark, pandas).

use std::collections::BTreeSet;
use std::io;

use super::{Format, LogCommands};
use obit_parquet::{Column, Kind, Values, write};
use obit_query::{Cell, Datum, Findings, Table, Unavailable};
use obit_report::json;
use serde_json::{Map, Value};

pub(super) const PARQUET: Format = Format {
    about: "Parquet: typed columns for engines, of the rows of a query",
    is_binary: true,
    log_commands: LogCommands::AsIs,
    findings: Some(|out, findings, _| write_findings(out, findings)),
    ..Format::new("parquet", "parquet")
};

/// The key of what a query came to besides its rows, in the metadata.
const QUERY: &str = "obit.query";
/// The column that says why cells of a row have no value.
const MISSING: &str = "unavailable";

fn write_findings(out: &mut dyn io::Write, findings: &Findings) -> io::Result<()> {
    let Table { columns, rows } = &findings.table;
    let mut taken = BTreeSet::new();
    let mut written: Vec<Column> = Vec::with_capacity(columns.len() + 1);
    for (at, name) in columns.iter().enumerate() {
        let cells: Vec<&Cell> = rows.iter().filter_map(|row| row.get(at)).collect();
        written.push(Column { name: unique(name, &mut taken), values: values(&cells) });
    }
    let missing = rows.iter().map(|row| why_missing(columns, row)).collect();
    let name = unique(MISSING, &mut taken);
    written.push(Column { name, values: Values::Text(missing) });
    let mut about = findings.clone();
    about.table.rows.clear();
    let mut json = Vec::new();
    json::write_line(&about, &mut json)?;
    let json = String::from_utf8_lossy(&json);
    write(out, &written, &[(QUERY, json.trim_end())])
}

/// Engines distinguish columns by their names, whatever their case.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut unique = name.to_owned();
    while !taken.insert(unique.to_lowercase()) {
        unique.push('_');
    }
    unique
}

/// The values of a column, of the type that all of them have; else texts.
fn values(cells: &[&Cell]) -> Values {
    let known = || cells.iter().filter(|cell| cell.is_known());
    let is = |kind| known().next().is_some() && known().all(|cell| fits(cell, kind));
    let kinds = [Kind::Boolean, Kind::Integer, Kind::Float];
    match kinds.into_iter().find(|kind| is(*kind)) {
        Some(Kind::Boolean) => Values::Boolean(
            cells
                .iter()
                .map(|cell| match cell.datum {
                    Datum::Boolean(value) => Some(value),
                    _ => None,
                })
                .collect(),
        ),
        Some(Kind::Integer) => Values::Integer(cells.iter().map(|cell| integer(cell)).collect()),
        Some(Kind::Float) => Values::Float(cells.iter().map(|cell| float(cell)).collect()),
        _ => {
            let text = |cell: &&Cell| cell.is_known().then(|| text(cell));
            Values::Text(cells.iter().map(text).collect())
        }
    }
}

fn fits(cell: &Cell, kind: Kind) -> bool {
    cell.formatted.is_none()
        && match kind {
            Kind::Boolean => matches!(cell.datum, Datum::Boolean(_)),
            Kind::Integer => integer(cell).is_some(),
            Kind::Float => float(cell).is_some(),
            Kind::Text | Kind::Time => true,
        }
}

fn integer(cell: &Cell) -> Option<i64> {
    match &cell.datum {
        Datum::Integer(value) => i64::try_from(*value).ok(),
        Datum::Character(code, _) => Some(*code),
        _ => None,
    }
}

/// Integers among floats, as far as a float is as exact.
fn float(cell: &Cell) -> Option<f64> {
    const EXACT: i128 = 1 << 53;
    match &cell.datum {
        Datum::Float(value) => Some(*value),
        Datum::Integer(value) => (value.abs() <= EXACT).then_some(*value as f64),
        _ => None,
    }
}

/// As in JSON: a pointer is its address.
fn text(cell: &Cell) -> String {
    match &cell.datum {
        Datum::Pointer(at, _) if cell.formatted.is_none() => format!("{at:#x}"),
        _ => cell.words(),
    }
}

/// Why cells have no value, as an object of JSON by the names of the columns.
fn why_missing(columns: &[String], row: &[Cell]) -> Option<String> {
    let mut why = Map::new();
    for (name, cell) in columns.iter().zip(row) {
        let reason = match &cell.datum {
            Datum::Hidden(token) => token.clone(),
            Datum::Unavailable(Unavailable::OptimizedOut) => "optimized out".to_owned(),
            Datum::Unavailable(Unavailable::Reason(why) | Unavailable::NoMeaning(why)) => {
                why.clone()
            }
            _ => continue,
        };
        why.insert(name.clone(), Value::String(reason));
    }
    (!why.is_empty()).then(|| Value::Object(why).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_parquet::Reader;

    fn written(rows: Vec<Vec<Datum>>, columns: &[&str]) -> Vec<u8> {
        let mut table = Table::new(columns.iter().map(|name| (*name).to_owned()));
        rows.into_iter().for_each(|row| table.push(row.into_iter().map(Cell::from).collect()));
        let mut out = Vec::new();
        write_findings(&mut out, &Findings { table, ..Findings::default() }).unwrap();
        out
    }

    #[test]
    fn a_column_has_the_type_of_its_values_and_what_is_missing_says_why() {
        let missing = || Datum::Unavailable(Unavailable::OptimizedOut);
        let out = written(
            vec![
                vec![Datum::Integer(7), missing(), Datum::Integer(1), Datum::Pointer(16, None)],
                vec![
                    Datum::Integer(-7),
                    Datum::Boolean(true),
                    Datum::Float(0.5),
                    Datum::Hidden("<email:a91f>".to_owned()),
                ],
            ],
            &["n", "flag", "share", "p"],
        );
        let mut reader = Reader::open(&out).unwrap();
        assert_eq!(reader.column("n").unwrap(), Values::Integer(vec![Some(7), Some(-7)]));
        assert_eq!(reader.column("flag").unwrap(), Values::Boolean(vec![None, Some(true)]));
        assert_eq!(reader.column("share").unwrap(), Values::Float(vec![Some(1.0), Some(0.5)]));
        let pointers = Values::Text(vec![Some("0x10".to_owned()), None]);
        assert_eq!(reader.column("p").unwrap(), pointers);
        let why = ["{\"flag\":\"optimized out\"}", "{\"p\":\"<email:a91f>\"}"];
        let why = why.map(|why| Some(why.to_owned())).to_vec();
        assert_eq!(reader.column(MISSING).unwrap(), Values::Text(why));
        assert!(reader.metadata(QUERY).unwrap().contains("\"schema\":\"obit.query/1\""));
    }

    #[test]
    fn what_no_number_of_a_column_holds_is_text_and_names_are_distinct() {
        let large = Datum::Integer(u64::MAX.into());
        let out = written(
            vec![vec![large, Datum::Integer(1), Datum::Integer(2)]],
            &["a", "A", "unavailable"],
        );
        let mut reader = Reader::open(&out).unwrap();
        let text = Values::Text(vec![Some(u64::MAX.to_string())]);
        assert_eq!(reader.column("a").unwrap(), text);
        assert_eq!(reader.column("A_").unwrap(), Values::Integer(vec![Some(1)]));
        assert_eq!(reader.column("unavailable").unwrap(), Values::Integer(vec![Some(2)]));
        assert_eq!(reader.column("unavailable_").unwrap(), Values::Text(vec![None]));
    }
}
