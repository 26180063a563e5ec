//! Rows of cells: filtered, counted, sorted, cut.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, Datum};
use crate::compare::order;
use crate::error::QueryError;
use crate::filter::Filter;

/// Rows of cells under names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows; each has a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// Which way rows are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smaller values first.
    #[default]
    Ascending,
    /// Larger values first.
    Descending,
}

/// A column by which rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Its place.
    pub column: usize,
    /// Which way. What is not known comes last in both.
    pub direction: Direction,
}

/// The column with the number of rows of a group.
const COUNT: &str = "count";

impl Table {
    /// One without rows.
    pub fn new(columns: impl IntoIterator<Item = String>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row, which gets as many cells as there are columns.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize_with(self.columns.len(), || Cell::unknown("no value"));
        self.rows.push(row);
    }

    /// Leaves out the rows that the filter does not take; of how many of them that could not
    /// be decided, as a value is not known or hidden.
    pub fn keep(&mut self, filter: &Filter) -> u64 {
        let mut undecided = 0;
        self.rows.retain(|row| {
            let takes = filter.takes(row);
            undecided += u64::from(takes.is_none());
            takes == Some(true)
        });
        undecided
    }

    /// The places of the columns in a list of names. A name with a comma or a space goes into
    /// backquotes.
    ///
    /// # Errors
    /// One that does not exist, and where it is in the text.
    pub fn places(&self, text: &str) -> Result<Vec<usize>, QueryError> {
        let names = names(text).into_iter();
        names.map(|(start, name)| place_of(&self.columns, start, name)).collect()
    }

    /// The columns to sort by in a list of names: one with `-` before it counts from the
    /// largest.
    ///
    /// # Errors
    /// One that does not exist, and where it is in the text.
    pub fn sort_keys(&self, text: &str) -> Result<Vec<SortKey>, QueryError> {
        let key = |(start, name): (usize, &str)| {
            if let Ok(column) = place_of(&self.columns, start, name) {
                return Ok(SortKey { column, direction: Direction::Ascending });
            }
            let (start, name, direction) = match name.strip_prefix('-') {
                Some(name) => (start + 1, name, Direction::Descending),
                None => (start, name, Direction::Ascending),
            };
            Ok(SortKey { column: place_of(&self.columns, start, name)?, direction })
        };
        names(text).into_iter().map(key).collect()
    }

    /// A row for each combination of values of the columns at `places`, with the number of its
    /// rows, and for each column of `distinct` how many values it has there; most rows first.
    #[must_use]
    pub fn grouped(&self, places: &[usize], distinct: &[(usize, &str)]) -> Self {
        #[derive(Default)]
        struct Group<'t> {
            cells: Vec<&'t Cell>,
            count: u64,
            values: Vec<BTreeSet<String>>,
        }
        let mut groups: BTreeMap<Vec<String>, Group<'_>> = BTreeMap::new();
        for row in &self.rows {
            let cells: Vec<&Cell> = places.iter().filter_map(|at| row.get(*at)).collect();
            let key = cells.iter().map(|cell| key_of(cell)).collect();
            let group = groups.entry(key).or_default();
            group.cells = cells;
            group.count += 1;
            group.values.resize_with(distinct.len(), BTreeSet::new);
            for ((at, _), values) in distinct.iter().zip(&mut group.values) {
                values.extend(row.get(*at).map(key_of));
            }
        }
        let name = |at: &usize| self.columns.get(*at).cloned();
        let names = places.iter().filter_map(name).chain([COUNT.to_owned()]);
        let names = names.chain(distinct.iter().map(|(_, name)| (*name).to_owned()));
        let mut table = Self::new(names);
        let number = |count: usize| Datum::Integer(count as i128).into();
        for group in groups.into_values() {
            let mut row: Vec<Cell> = group.cells.into_iter().cloned().collect();
            row.push(Datum::Integer(group.count.into()).into());
            row.extend(group.values.iter().map(|values| number(values.len())));
            table.push(row);
        }
        table.sort(&[SortKey { column: places.len(), direction: Direction::Descending }]);
        table
    }

    /// Sorts the rows; equal ones stay in their order.
    pub fn sort(&mut self, keys: &[SortKey]) {
        self.rows.sort_by(|a, b| {
            let one = |key: &SortKey| {
                let (Some(a), Some(b)) = (a.get(key.column), b.get(key.column)) else {
                    return Ordering::Equal;
                };
                match key.direction {
                    Direction::Descending if a.is_known() && b.is_known() => order(b, a),
                    _ => order(a, b),
                }
            };
            keys.iter().map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
    }

    /// The columns at `places` alone, in that order.
    #[must_use]
    pub fn selected(&self, places: &[usize]) -> Self {
        let pick = |row: &Vec<Cell>| places.iter().filter_map(|at| row.get(*at).cloned()).collect();
        Self {
            columns: places.iter().filter_map(|at| self.columns.get(*at).cloned()).collect(),
            rows: self.rows.iter().map(pick).collect(),
        }
    }
}

/// What equal cells have in common. The digest of a hidden value is left in: it says only
/// which of them are equal, as the table itself does.
fn key_of(cell: &Cell) -> String {
    let kind = match cell.datum {
        Datum::Integer(_) => 'i',
        Datum::Float(_) => 'f',
        Datum::Boolean(_) => 'b',
        Datum::Character(..) => 'c',
        Datum::Text(_) => 't',
        Datum::Pointer(..) => 'p',
        Datum::Enumerator(..) => 'e',
        Datum::Aggregate(_) => 'a',
        Datum::Hidden(_) => 'h',
        Datum::Unavailable(_) => 'u',
    };
    format!("{kind}{}", cell.words())
}

/// The names of a list, each with its place in the text.
fn names(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut is_quoted = false;
    let ends = text.char_indices().chain([(text.len(), ',')]);
    for (at, c) in ends {
        is_quoted ^= c == '`';
        if c == ',' && (!is_quoted || at == text.len()) {
            let part = text.get(start..at).unwrap_or_default();
            let lead = part.len() - part.trim_start().len();
            let name = part.trim();
            if !name.is_empty() {
                found.push((start + lead, name));
            }
            start = at + 1;
        }
    }
    found
}

fn place_of(columns: &[String], start: usize, name: &str) -> Result<usize, QueryError> {
    let inner = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
    let wanted = inner.unwrap_or(name);
    columns.iter().position(|column| column == wanted).ok_or_else(|| QueryError {
        unknown_column: Some(wanted.to_owned()),
        ..QueryError::new(start..start + name.len(), format!("no column `{wanted}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Unavailable;

    #[test]
    fn many_numbers_of_mixed_types_are_sorted() {
        let large = 1_i128 << 53;
        let mut table = Table::new(["n".to_owned()]);
        for number in 0..32_i128 {
            let n = match number % 3 {
                0 => Datum::Integer(large + number % 5),
                1 => Datum::Float((large + number % 7) as f64),
                _ => Datum::Float(if number % 2 == 0 { f64::NAN } else { -0.0 }),
            };
            table.push(vec![n.into()]);
        }
        table.sort(&[SortKey { column: 0, direction: Direction::Ascending }]);
        let is_sorted = |pair: &[Vec<Cell>]| order(&pair[0][0], &pair[1][0]).is_le();
        assert!(table.rows.windows(2).all(is_sorted));
    }

    fn table() -> Table {
        let mut table = Table::new(["core", "n", "a, b"].map(str::to_owned));
        for (core, n) in [("a", Some(3)), ("b", Some(3)), ("b", Some(20)), ("b", None)] {
            let n = n.map_or(Datum::Unavailable(Unavailable::OptimizedOut), Datum::Integer);
            table.push(vec![Datum::Text(core.to_owned()).into(), n.into()]);
        }
        table
    }

    fn column(table: &Table, at: usize) -> Vec<String> {
        table.rows.iter().map(|row| row[at].words()).collect()
    }

    #[test]
    fn rows_are_counted_by_their_values() {
        let groups = table().grouped(&[1], &[(0, "cores")]);
        assert_eq!(groups.columns, ["n", "count", "cores"]);
        let rows: Vec<Vec<String>> =
            groups.rows.iter().map(|row| row.iter().map(Cell::words).collect()).collect();
        assert_eq!(rows, [["3", "2", "2"], ["20", "1", "1"], ["<optimized out>", "1", "1"]]);
    }

    #[test]
    fn what_is_not_known_is_sorted_to_the_end_in_both_directions() {
        let mut table = table();
        let keys = table.sort_keys("-n, core").unwrap();
        table.sort(&keys);
        assert_eq!(column(&table, 1), ["20", "3", "3", "<optimized out>"]);
        assert_eq!(column(&table, 0), ["b", "a", "b", "b"]);
        let keys = table.sort_keys("n").unwrap();
        table.sort(&keys);
        assert_eq!(column(&table, 1), ["3", "3", "20", "<optimized out>"]);
    }

    #[test]
    fn a_column_that_is_not_there_is_reported_with_its_place() {
        let error = table().sort_keys("core, -m").unwrap_err();
        assert_eq!((error.problem.as_str(), error.span), ("no column `m`", 7..8));
        assert_eq!(table().places("`a, b`,core").unwrap(), [2, 0]);
        assert!(table().places("").unwrap().is_empty());
    }

    #[test]
    fn a_filter_says_how_many_rows_it_could_not_decide() {
        let mut table = table();
        let filter = Filter::parse("n > 3", &table.columns).unwrap();
        assert_eq!(table.keep(&filter), 1);
        assert_eq!(column(&table, 1), ["20"]);
    }
}
