//! Which rows and columns of the answers are written.

use clap::Args;
use obit::query::{BUILT_IN, Cell, Datum, Filter, Findings, QueryError, Table};
use obit::redact::without_digests;
use obit::render::Format;
use obit::render::formats::Audience;
use obit::report::FrameTrust;

use super::refusal::refuse;
use crate::cli::exit::Exit;

/// Rows that a person is shown.
const ROWS: usize = 50;
/// Columns that a person is shown.
const FOR_PERSON: [&str; 6] = ["core", "thread", "frame", "function", "file", "line"];

/// Which rows and columns.
#[derive(Clone, Debug, Args)]
pub(super) struct Wanted {
    /// Only rows that are so: `depth > 100 and function ~ '^my_' and not known(p)`; columns,
    /// ==, !=, <, <=, >, >=, ~ (regular expression), and, or, not; what is unknown or hidden
    /// is equal to nothing
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// Count the rows by the values of these columns
    #[arg(long, value_name = "COLUMNS")]
    group_by: Option<String>,
    /// Sort by these columns; -COLUMN: the largest first
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Write these columns: core, pid, thread, frame, function, file, line, trust, time,
    /// build, signal, class, group, host, and those of the query
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<String>,
    /// Rows to write; 0 is all [default: 50 in a table for a person, else all]
    #[arg(short = 'n', long, value_name = "N", visible_alias = "top")]
    limit: Option<usize>,
}

impl Wanted {
    /// Whether a built-in column is named anywhere.
    pub(super) fn names(&self, column: &str) -> bool {
        let lists = [&self.group_by, &self.sort, &self.columns];
        let texts = lists.into_iter().flatten().chain(&self.conditions);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        texts.flat_map(|text| text.split(|c| !is_word(c))).any(|word| word == column)
    }

    /// What is wrong with the options, given the names of all columns, was said.
    pub(super) fn refused(&self, names: &[String]) -> Option<Exit> {
        for text in &self.conditions {
            if let Err(error) = Filter::parse(text, names) {
                return Some(refuse("--where: ", &error, text, names));
            }
        }
        let table = Table::new(names.iter().cloned());
        let of_groups = |text: &str| {
            let groups = table.places(text)?;
            Ok::<_, QueryError>(table.grouped(&groups, DISTINCT))
        };
        let grouped = match &self.group_by {
            Some(text) => match of_groups(text) {
                Ok(grouped) => grouped,
                Err(error) => return Some(refuse("--group-by: ", &error, text, names)),
            },
            None => table,
        };
        if let Some(text) = &self.columns
            && let Err(error) = grouped.places(text)
        {
            return Some(refuse("--columns: ", &error, text, &grouped.columns));
        }
        if let Some(text) = &self.sort
            && let Err(error) = grouped.sort_keys(text)
        {
            return Some(refuse("--sort: ", &error, text, &grouped.columns));
        }
        None
    }

    /// Leaves in `findings` what is wanted. Whether there are groups of a store, and tokens are
    /// made with a key of the user's.
    pub(super) fn apply(
        &self,
        findings: &mut Findings,
        format: &Format,
        (has_groups, has_key): (bool, bool),
    ) -> Result<(), QueryError> {
        let mut undecided = 0;
        for text in &self.conditions {
            let filter = Filter::parse(text, &findings.table.columns)?;
            undecided += findings.table.keep(&filter);
        }
        if undecided > 0 {
            findings.notes.push(format!(
                "rows that --where could not decide, as a value is unknown, hidden, cut or of \
                 another type: {undecided}"
            ));
        }
        let doubtful = doubtful(&findings.table);
        if doubtful > 0 {
            findings.notes.push(format!("rows of frames that may not be real: {doubtful}"));
        }
        if let Some(text) = &self.group_by {
            let places = findings.table.places(text)?;
            let is_cut = |row: &&Vec<_>| places.iter().filter_map(|at| row.get(*at)).any(is_cut);
            let cut = findings.table.rows.iter().filter(is_cut).count();
            if cut > 0 {
                findings.notes.push(format!("rows grouped by the start of a longer value: {cut}"));
            }
            if !has_key {
                level_tokens(&mut findings.table, &places);
            }
            findings.table = findings.table.grouped(&places, DISTINCT);
            findings.is_grouped = true;
        }
        if let Some(text) = &self.sort {
            let keys = findings.table.sort_keys(text)?;
            findings.table.sort(&keys);
        }
        let is_for_person = format.audience == Audience::Terminal;
        if is_for_person && !findings.is_grouped {
            mark_doubtful(&mut findings.table);
        }
        findings.rows = findings.table.rows.len() as u64;
        match self.limit {
            Some(0) => {}
            Some(most) => findings.table.rows.truncate(most),
            None if is_for_person => findings.table.rows.truncate(ROWS),
            None => {}
        }
        let chosen = match &self.columns {
            Some(text) => Some(findings.table.places(text)?),
            None if findings.is_grouped => None,
            None => Some(self.usual(&findings.table, is_for_person, has_groups)),
        };
        if let Some(places) = chosen {
            findings.table = findings.table.selected(&places);
        }
        Ok(())
    }

    /// The columns that are written unless the user says which. The class is determined only if
    /// it is asked for.
    fn usual(&self, table: &Table, is_for_person: bool, has_groups: bool) -> Vec<usize> {
        let is_usual = |name: &str| match name {
            "class" => self.names("class"),
            "group" => self.names("group") || has_groups && !is_for_person,
            name => !is_for_person || FOR_PERSON.contains(&name) || self.names(name),
        };
        let all = table.columns.iter().enumerate();
        let taken = all.filter(|(at, name)| *at >= BUILT_IN.len() || is_usual(name));
        taken.map(|(at, _)| at).collect()
    }
}

/// What is counted of each group beside its rows: the column `core`, which is the first.
const DISTINCT: &[(usize, &str)] = &[(0, "cores")];

/// Makes equal what stands for hidden values in the columns at `places`: without a key of the
/// user's, the digest of a token is another in each report.
fn level_tokens(table: &mut Table, places: &[usize]) {
    for row in &mut table.rows {
        for at in places {
            let Some(cell) = row.get_mut(*at) else { continue };
            match &mut cell.datum {
                Datum::Text(text) | Datum::Aggregate(text) if cell.is_partly_hidden => {
                    *text = without_digests(text).into_owned();
                }
                Datum::Hidden(token) => *token = without_digests(token).into_owned(),
                _ => {}
            }
        }
    }
}

fn is_cut(cell: &Cell) -> bool {
    cell.is_cut
}

/// The places of two columns that every table has.
fn place_of(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| column == name)
}

/// Whether the frame of a row was found by scanning.
fn is_doubtful(row: &[Cell], trust: usize) -> bool {
    let scan = FrameTrust::Scan.word();
    matches!(row.get(trust).map(|cell| &cell.datum), Some(Datum::Text(word)) if word == scan)
}

/// Rows of frames that may not be real.
fn doubtful(table: &Table) -> usize {
    let Some(trust) = place_of(table, "trust") else { return 0 };
    table.rows.iter().filter(|row| is_doubtful(row, trust)).count()
}

/// Marks the function of such frames as a page does.
fn mark_doubtful(table: &mut Table) {
    let (Some(trust), Some(function)) = (place_of(table, "trust"), place_of(table, "function"))
    else {
        return;
    };
    for row in &mut table.rows {
        if is_doubtful(row, trust)
            && let Some(cell) = row.get_mut(function)
        {
            cell.formatted = Some(format!("? {}", cell.words()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_was_found_by_scanning_is_marked_and_counted() {
        let mut table = Table::new(["function", "trust"].map(str::to_owned));
        let text = |text: &str| Cell::from(Datum::Text(text.to_owned()));
        for trust in ["cfi", "scan"] {
            table.push(vec![text("walk"), text(trust)]);
        }
        table.push(vec![Cell::unknown("no symbol"), text("scan")]);
        assert_eq!(doubtful(&table), 2);
        mark_doubtful(&mut table);
        let names: Vec<String> = table.rows.iter().map(|row| row[0].words()).collect();
        assert_eq!(names, ["walk", "? walk", "? <unavailable: no symbol>"]);
    }

    #[test]
    fn tokens_in_a_text_are_levelled_for_groups_as_tokens_alone_are() {
        let mut table = Table::new(["mail".to_owned()]);
        for text in ["to <email:9b65>", "to <email:1234>"] {
            let cell = Datum::Text(text.to_owned()).into();
            table.push(vec![Cell { is_partly_hidden: true, ..cell }]);
        }
        level_tokens(&mut table, &[0]);
        assert_eq!(table.rows[0][0].words(), table.rows[1][0].words());
    }
}
