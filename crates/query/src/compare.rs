//! How cells are compared: with what a filter says, and with each other.

use std::cmp::Ordering;

use regex::Regex;

use crate::cell::{Cell, Datum};

/// What a cell is compared with.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Integer(i128),
    Float(f64),
    Boolean(bool),
    /// A text in quotes or a word.
    Text(String),
    Null,
    Pattern(Regex),
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

impl Operator {
    fn takes(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Like => false,
        }
    }
}

/// Whether `cell` is so; `None` where there is no value, it is hidden, or it is of a type that
/// has nothing to do with what is wanted.
pub(crate) fn is_so(cell: &Cell, operator: Operator, wanted: &Wanted) -> Option<bool> {
    if !cell.is_known() {
        return None;
    }
    if let Wanted::Pattern(pattern) = wanted {
        return Some(pattern.is_match(&text_of(cell)));
    }
    let is_sorting = !matches!(operator, Operator::Equal | Operator::NotEqual);
    // A NaN equals nothing, and is neither less nor greater.
    let of_float = |order: Option<Ordering>| {
        Some(order.map_or(operator == Operator::NotEqual, |order| operator.takes(order)))
    };
    let order = match (&cell.datum, wanted) {
        (Datum::Integer(a) | Datum::Enumerator(_, a), Wanted::Integer(b)) => a.cmp(b),
        (Datum::Character(a, _), Wanted::Integer(b)) => i128::from(*a).cmp(b),
        (Datum::Pointer(a, _), Wanted::Integer(b)) => i128::from(*a).cmp(b),
        (Datum::Pointer(a, _), Wanted::Null) => a.cmp(&0),
        // A pointer to a text is not null.
        (Datum::Text(_), Wanted::Null) if !is_sorting => Ordering::Greater,
        (Datum::Boolean(a), Wanted::Boolean(b)) => a.cmp(b),
        (Datum::Boolean(a), Wanted::Integer(b)) => i128::from(*a).cmp(b),
        (Datum::Integer(a), Wanted::Float(b)) => return of_float((*a as f64).partial_cmp(b)),
        (Datum::Float(a), Wanted::Float(b)) => return of_float(a.partial_cmp(b)),
        (Datum::Float(a), Wanted::Integer(b)) => return of_float(a.partial_cmp(&(*b as f64))),
        (Datum::Text(a) | Datum::Aggregate(a), Wanted::Text(b)) => a.as_str().cmp(b),
        (Datum::Enumerator(a, _), Wanted::Text(b)) if !is_sorting => {
            // `RED` is `color::RED`, too.
            let is_end = a.strip_suffix(b.as_str()).is_some_and(|before| before.ends_with("::"));
            if a == b || is_end { Ordering::Equal } else { Ordering::Greater }
        }
        (Datum::Character(_, Some(a)), Wanted::Text(b)) => a.to_string().as_str().cmp(b),
        (Datum::Pointer(_, Some(name)), Wanted::Text(b)) if !is_sorting => name.as_str().cmp(b),
        _ => return None,
    };
    Some(operator.takes(order))
}

/// What a pattern is looked for in.
fn text_of(cell: &Cell) -> String {
    match &cell.datum {
        Datum::Character(_, Some(character)) => character.to_string(),
        Datum::Pointer(_, Some(name)) => name.clone(),
        _ => cell.words(),
    }
}

/// The order of cells of one column: numbers by value, then texts, then what is hidden, then
/// what is not known.
pub(crate) fn order(a: &Cell, b: &Cell) -> Ordering {
    let (one, other) = (class(a), class(b));
    one.cmp(&other).then_with(|| match (&a.datum, &b.datum) {
        _ if one == 0 => numeric(&a.datum, &b.datum),
        _ => a.words().cmp(&b.words()),
    })
}

fn class(cell: &Cell) -> u8 {
    match cell.datum {
        Datum::Integer(_)
        | Datum::Float(_)
        | Datum::Boolean(_)
        | Datum::Character(..)
        | Datum::Pointer(..) => 0,
        Datum::Text(_) | Datum::Enumerator(..) | Datum::Aggregate(_) => 1,
        Datum::Hidden(_) => 2,
        Datum::Unavailable(_) => 3,
    }
}

fn numeric(a: &Datum, b: &Datum) -> Ordering {
    let whole = |datum: &Datum| match datum {
        Datum::Integer(value) => Some(*value),
        Datum::Boolean(value) => Some(i128::from(*value)),
        Datum::Character(code, _) => Some(i128::from(*code)),
        Datum::Pointer(at, _) => Some(i128::from(*at)),
        _ => None,
    };
    let float = |datum: &Datum| match datum {
        Datum::Float(value) => *value,
        other => whole(other).map_or(f64::NAN, |value| value as f64),
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => float(a).total_cmp(&float(b)),
    }
}
