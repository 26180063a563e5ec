//! Exposures as a table with a header, or as a list of names and numbers.

use super::periods::Periods;
use super::ran::Stretch;
use super::{Exposure, HOSTS, Row};
use crate::time::{TimeError, When};

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// A line of a list without a number.
    #[error("expected NAME,NUMBER or NAME = NUMBER")]
    NoNumber,
    /// What should be an exposure is none.
    #[error("{0:?} is not an exposure: expected a number that is not negative")]
    NotAnExposure(String),
    /// A quote without its end, or text behind it.
    #[error("a quoted field does not end with a quote")]
    Quote,
    /// More or fewer fields than the header.
    #[error("{found} fields, but the header has {expected}")]
    Fields {
        /// Of this row.
        found: usize,
        /// Of the header.
        expected: usize,
    },
    /// A column that means nothing.
    #[error(
        "unknown column {0:?}: columns are build, version or release; exposure, or hours, hosts, \
         sessions, requests; unit, program, from, to"
    )]
    Column(String),
    /// A column twice, or two that mean the same.
    #[error("two columns say the same: {0:?} is the second")]
    Twice(String),
    /// Nothing names the build.
    #[error("no build, version or release")]
    NoName,
    /// A time is none.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A time that depends on when it is read.
    #[error("{0:?} is not a point in time: expected 2026-03-01, 2026-03-01T12:30 or @SECONDS")]
    NotAPoint(String),
    /// One end of a period is missing, or it ends before it begins.
    #[error("expected from and to, from before to")]
    Period,
    /// Two periods of one build have time in common: whether the one is in the other is not known.
    #[error(
        "the period overlaps that of line {line}, for the same build: how much of it is counted in \
         both? State periods that do not overlap, or the sum"
    )]
    Overlap {
        /// The line of the other.
        line: usize,
    },
    /// Two units.
    #[error("unit {unit:?} after {known:?}: rates need one unit (beside hosts)")]
    Units {
        /// Of this row.
        unit: String,
        /// Of those before.
        known: String,
    },
}

type Failed = (usize, RowProblem);

/// What a column says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Program,
    From,
    To,
    Amount(Option<String>),
    Unit,
}

/// Units that may head the column of the exposure.
const UNITS: &[&str] =
    &["days", "devices", "hours", HOSTS, "requests", "runs", "sessions", "users"];

impl Column {
    fn named(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "build" | "build_id" | "version" | "release" => Self::Name,
            "program" => Self::Program,
            "from" => Self::From,
            "to" => Self::To,
            "exposure" => Self::Amount(None),
            "unit" => Self::Unit,
            word if UNITS.contains(&word) => Self::Amount(Some(word.to_owned())),
            _ => return None,
        })
    }

    fn is_amount(&self) -> bool {
        matches!(self, Self::Amount(_))
    }
}

/// The exposures of a text.
pub(super) fn parse(text: &str) -> Result<Exposure, Failed> {
    let is_content = |(_, line): &(usize, &str)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    };
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(is_content);
    let first = lines.clone().next();
    if let Some((_, header)) = first {
        let separator = [',', ';', '\t'].into_iter().find(|sign| header.contains(*sign));
        if let Some(separator) = separator
            && let Ok(fields) = fields(header, separator)
            && is_header(&fields)
        {
            let at = lines.next().map_or(1, |(at, _)| at);
            let columns = columns(&fields).map_err(|problem| (at, problem))?;
            return table(lines, separator, &columns);
        }
    }
    list(text)
}

/// Whether these are names of columns: one of a build and one of its exposure.
fn is_header(fields: &[String]) -> bool {
    let named = |is: &dyn Fn(&Column) -> bool| {
        fields.iter().filter_map(|field| Column::named(field)).any(|column| is(&column))
    };
    named(&|column| *column == Column::Name) && named(&Column::is_amount)
}

fn columns(fields: &[String]) -> Result<Vec<Column>, RowProblem> {
    let mut columns: Vec<Column> = Vec::new();
    for field in fields {
        let column = Column::named(field).ok_or_else(|| RowProblem::Column(field.clone()))?;
        let is_same =
            |known: &Column| (known.is_amount() && column.is_amount()) || *known == column;
        if columns.iter().any(is_same) {
            return Err(RowProblem::Twice(field.clone()));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn table<'t>(
    lines: impl Iterator<Item = (usize, &'t str)>,
    separator: char,
    columns: &[Column],
) -> Result<Exposure, Failed> {
    let mut exposure = Exposure::default();
    let mut periods = Periods::default();
    for (at, line) in lines {
        let read = || {
            let fields = fields(line, separator)?;
            if fields.len() != columns.len() {
                let (found, expected) = (fields.len(), columns.len());
                return Err(RowProblem::Fields { found, expected });
            }
            row(&fields, columns)
        };
        let (name, unit, row) = read().map_err(|problem| (at, problem))?;
        if let Some(unit) = unit.filter(|_| !row.is_hosts) {
            let counted = exposure.count_in(&unit);
            counted.map_err(|known| (at, RowProblem::Units { unit, known }))?;
        }
        // A row that was written twice counts once.
        if periods.add(at, &name, &row) {
            exposure.add(&name, row);
        }
    }
    periods.check().map_err(|(at, line)| (at, RowProblem::Overlap { line }))?;
    if exposure.unit.is_none() && exposure.of.values().flatten().any(|row| row.is_hosts) {
        exposure.unit = Some(HOSTS.to_owned());
    }
    Ok(exposure)
}

fn row(fields: &[String], columns: &[Column]) -> Result<(String, Option<String>, Row), RowProblem> {
    let field = |wanted: &Column| {
        let at = columns.iter().position(|column| column == wanted)?;
        fields.get(at).map(|field| field.trim()).filter(|field| !field.is_empty())
    };
    let name = field(&Column::Name).ok_or(RowProblem::NoName)?;
    let amount = columns.iter().zip(fields).find(|(column, _)| column.is_amount());
    let (column, amount) = amount.ok_or(RowProblem::NoNumber)?;
    let of_column = match column {
        Column::Amount(Some(unit)) => Some(unit.clone()),
        _ => None,
    };
    let unit = field(&Column::Unit).map(str::to_ascii_lowercase).or(of_column);
    let amount = number(amount).ok_or_else(|| RowProblem::NotAnExposure(amount.clone()))?;
    let point = |column: &Column| match field(column) {
        None => Ok(None),
        Some(text) => match When::parse(text)? {
            When::At(time) => Ok(Some(time)),
            When::Ago(_) => Err(RowProblem::NotAPoint(text.to_owned())),
        },
    };
    let period = match (point(&Column::From)?, point(&Column::To)?) {
        (None, None) => None,
        (Some(from), Some(to)) if from < to => Some((from, to)),
        _ => return Err(RowProblem::Period),
    };
    let program = field(&Column::Program).map(str::to_owned);
    let is_hosts = unit.as_deref() == Some(HOSTS);
    let row = Row { program, stretch: Stretch { amount, period }, is_hosts };
    Ok((name.to_owned(), unit, row))
}

/// The fields of a line (RFC 4180); one that begins with a quote ends with one.
fn fields(line: &str, separator: char) -> Result<Vec<String>, RowProblem> {
    let mut fields = Vec::new();
    let mut rest = line.trim_end_matches('\r');
    loop {
        let Some(quoted) = rest.trim_start_matches(' ').strip_prefix('"') else {
            match rest.split_once(separator) {
                Some((field, behind)) => {
                    fields.push(field.trim().to_owned());
                    rest = behind;
                    continue;
                }
                None => {
                    fields.push(rest.trim().to_owned());
                    return Ok(fields);
                }
            }
        };
        let (mut field, mut signs) = (String::new(), quoted.char_indices().peekable());
        let mut end = None;
        while let Some((at, sign)) = signs.next() {
            match sign {
                '"' if signs.peek().is_some_and(|(_, next)| *next == '"') => {
                    field.push('"');
                    signs.next();
                }
                '"' => {
                    end = Some(at + 1);
                    break;
                }
                sign => field.push(sign),
            }
        }
        let behind = end.and_then(|end| quoted.get(end..)).ok_or(RowProblem::Quote)?;
        fields.push(field);
        let behind = behind.trim_start_matches(' ');
        if behind.is_empty() {
            return Ok(fields);
        }
        rest = behind.strip_prefix(separator).ok_or(RowProblem::Quote)?;
    }
}

/// `NAME,NUMBER` a line, or the same in TOML (`"2.1" = 1200`). A first line without a number
/// is a heading; `#` starts a comment, and a line in brackets is left out.
fn list(text: &str) -> Result<Exposure, Failed> {
    let mut exposure = Exposure::default();
    let mut is_first = true;
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('[') {
            continue;
        }
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        let pair = line.rsplit_once(['=', ',', '\t', ';']);
        match pair.and_then(|(name, text)| Some((name, number(&unquoted(text))?))) {
            Some((name, amount)) => {
                let stretch = Stretch { amount, period: None };
                exposure.add(&unquoted(name), Row { stretch, ..Row::default() });
            }
            // A number that is none is no heading.
            None if is_first && pair.is_some_and(|(_, text)| is_words(text)) => {}
            None => {
                let problem = match pair {
                    Some((_, text)) => RowProblem::NotAnExposure(unquoted(text)),
                    None => RowProblem::NoNumber,
                };
                return Err((at + 1, problem));
            }
        }
        is_first = false;
    }
    Ok(exposure)
}

fn is_words(text: &str) -> bool {
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    !is_number(text) && text.chars().any(char::is_alphabetic)
}

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().replace('_', "").parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::build::Build;

    fn wrong(text: &str) -> (usize, String) {
        let (line, problem) = parse(text).unwrap_err();
        (line, problem.to_string())
    }

    fn amount(text: &str, program: &str, name: &str) -> Option<f64> {
        let exposure = parse(text).unwrap();
        exposure.of_release(program, name, &[]).and_then(|ran| ran.in_all(None))
    }

    #[test]
    fn a_table_names_its_columns_in_any_order() {
        let text = "# last month\nexposure,unit,version,program\n1200,hours,2.1,shopd\n\
                    \"1,5\",hours,2.1,other\n";
        assert_eq!(wrong(text).0, 4);
        let text = "exposure,unit,version,program\n1200,hours,2.1,shopd\n80,hours,2.1,shopd\n\
                    7,Hours,2.1,cartd\n";
        assert_eq!(amount(text, "shopd", "2.1"), Some(1280.0));
        assert_eq!(amount(text, "cartd", "2.1"), Some(7.0));
        assert_eq!(amount(text, "maild", "2.1"), None);
        assert_eq!(parse(text).unwrap().unit(), Some("hours"));
        let text = "build;requests\r\n\"2.1 \"\"final\"\"\";10\r\n";
        assert_eq!(amount(text, "x", "2.1 \"final\""), Some(10.0));
    }

    #[test]
    fn hosts_are_counted_beside_the_exposure() {
        let text = "version,exposure,unit\n2.1,1200,hours\n2.1,40,hosts\n";
        let exposure = parse(text).unwrap();
        let hosts = exposure.hosts_of_release("x", "2.1", &[]).and_then(|ran| ran.in_all(None));
        assert_eq!((amount(text, "x", "2.1"), hosts), (Some(1200.0), Some(40.0)));
        assert_eq!(exposure.unit(), Some("hours"));
        // Alone they are the exposure.
        assert_eq!(amount("version,hosts\n2.1,40\n", "x", "2.1"), Some(40.0));
    }

    #[test]
    fn a_build_is_named_by_the_start_of_its_id_and_the_longest_start_counts() {
        let build = Build { id: "abcdef0123".to_owned(), ..Build::default() };
        let text = "build,hours\nABCDEF,1\nabcdef01,2\n";
        let ran = parse(text).unwrap().of_release("x", "?", &[&build]);
        assert_eq!(ran.and_then(|ran| ran.in_all(None)), Some(2.0));
    }

    #[test]
    fn a_row_that_makes_no_sense_is_named_with_its_line() {
        for (text, line, says) in [
            ("version,hours\n2.1,1\n2.2,-3\n", 3, "not an exposure"),
            ("version,hours\n2.1,NaN\n", 2, "not an exposure"),
            ("version,hours\n2.1,inf\n", 2, "not an exposure"),
            ("version,hours\n2.1\n", 2, "1 fields, but the header has 2"),
            ("version,hours\n,3\n", 2, "no build"),
            ("version,hours\n\"2.1,3\n", 2, "quote"),
            ("version,hours,form\n2.1,3,x\n", 1, "unknown column \"form\""),
            ("version,build,hours\n2.1,3,x\n", 1, "two columns"),
            ("version,hours,from,to\n2.1,3,2026-01-01,\n", 2, "from and to"),
            ("version,hours,from,to\n2.1,3,2026-02-01,2026-01-01\n", 2, "from before to"),
            ("version,hours,from,to\n2.1,3,7d,2026-01-01\n", 2, "not a point in time"),
            ("version,hours,from,to\n2.1,3,soon,2026-01-01\n", 2, "not a time"),
            ("version,exposure,unit\n2.1,3,hours\n2.1,3,days\n", 3, "one unit"),
            ("2.1,1\n2.2,x\n", 2, "not an exposure"),
            ("2.1,-1\n", 1, "not an exposure"),
            ("2.1,1\nb\n", 2, "expected NAME,NUMBER"),
        ] {
            let (found, problem) = wrong(text);
            assert_eq!(found, line, "{text}: {problem}");
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }

    #[test]
    fn a_row_that_is_repeated_counts_once_and_periods_do_not_overlap() {
        let rows = |rows: &[&str]| format!("version,hours,program,from,to\n{}\n", rows.join("\n"));
        let (january, february) =
            ("2.1,10,shopd,2026-01-01,2026-02-01", "2.1,20,shopd,2026-02-01,2026-03-01");
        let twice = rows(&[january, february, january]);
        assert_eq!(amount(&twice, "shopd", "2.1"), Some(30.0));
        for (other, line) in [
            ("2.1,11,shopd,2026-01-01,2026-02-01", 2),
            ("2.1,5,shopd,2026-01-15,2026-01-16", 2),
            ("2.1,5,shopd,2025-12-01,2026-01-02", 2),
            ("2.1,5,shopd,2026-02-15,2026-02-16", 3),
            // Of all programs.
            ("2.1,5,,2026-01-31,2026-02-02", 2),
        ] {
            let (found, problem) = wrong(&rows(&[january, february, other]));
            assert_eq!(found, 4, "{other}: {problem}");
            assert!(problem.contains(&format!("overlaps that of line {line},")), "{problem}");
        }
        for other in [
            "2.2,5,shopd,2026-01-15,2026-01-16",
            "2.1,5,cartd,2026-01-15,2026-01-16",
            "2.1,5,shopd,2026-03-01,2026-03-02",
            // Without a period, rows are parts of one number.
            "2.1,5,shopd,,",
        ] {
            assert!(parse(&rows(&[january, february, other])).is_ok(), "{other}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_part_of_no_name() {
        for text in ["\u{feff}2.1,1200\n", "\u{feff}version,hours\n2.1,1200\n"] {
            let exposure = Exposure::parse(text).unwrap();
            let ran = exposure.of_release("x", "2.1", &[]).and_then(|ran| ran.in_all(None));
            assert_eq!(ran, Some(1200.0), "{text}");
        }
    }

    #[test]
    fn a_list_needs_no_header_and_may_be_toml() {
        for text in [
            "2.1,1_200\n",
            "\"2.1\" = 1200 # hours\n",
            "[exposure]\n2.1=1200\n",
            "name,hrs\n2.1,1200\n",
        ] {
            assert_eq!(amount(text, "x", "2.1"), Some(1200.0), "{text}");
        }
    }
}
