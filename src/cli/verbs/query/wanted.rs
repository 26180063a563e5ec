//! Which rows and columns of the answers are written.

use clap::Args;
use obit::query::{BUILT_IN, Datum, Filter, Findings, QueryError, Table};
use obit::redact::without_digests;
use obit::render::Format;
use obit::render::formats::Audience;

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
    /// Write these columns: core, pid, thread, frame, function, file, line, time, build,
    /// signal, class, group, host, and those of the query
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
                "rows that --where could not decide, as a value is unknown, hidden or of another \
                 type: {undecided}"
            ));
        }
        if let Some(text) = &self.group_by {
            let places = findings.table.places(text)?;
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
            if let Some(Datum::Hidden(token)) = row.get_mut(*at).map(|cell| &mut cell.datum) {
                *token = without_digests(token).into_owned();
            }
        }
    }
}
