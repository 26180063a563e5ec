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

/// Whether `cell` is so; `None` where there is no value, a part of it is hidden, it is of a type
/// that has nothing to do with what is wanted, or what decides is in a part that was cut off.
pub(crate) fn is_so(cell: &Cell, operator: Operator, wanted: &Wanted) -> Option<bool> {
    if !cell.is_known() || cell.is_partly_hidden {
        return None;
    }
    match (&cell.datum, wanted) {
        (Datum::Text(text) | Datum::Aggregate(text), Wanted::Pattern(pattern)) if cell.is_cut => {
            // At the end of what is shown an anchor fits that does not fit the whole.
            let end = pattern.shortest_match(text);
            return end.is_some_and(|end| end < text.len()).then_some(true);
        }
        (_, Wanted::Pattern(pattern)) => return Some(pattern.is_match(&text_of(cell))),
        (Datum::Aggregate(_), _) if cell.is_cut => return None,
        (Datum::Text(start), Wanted::Text(text)) if cell.is_cut && text.starts_with(start) => {
            return None;
        }
        _ => {}
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
        (Datum::Integer(a), Wanted::Float(b)) => return of_float(exactly(*a, *b)),
        (Datum::Float(a), Wanted::Float(b)) => return of_float(a.partial_cmp(b)),
        (Datum::Float(a), Wanted::Integer(b)) => {
            return of_float(exactly(*b, *a).map(Ordering::reverse));
        }
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

/// An integer and a float by what they are, without rounding; `None` for a NaN.
fn exactly(a: i128, b: f64) -> Option<Ordering> {
    /// The first float beyond all integers.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if b.is_nan() {
        return None;
    }
    Some(if b >= BEYOND {
        Ordering::Less
    } else if b < -BEYOND {
        Ordering::Greater
    } else {
        let whole = b as i128;
        // What is left of the float is smaller than 1, of its sign.
        let rest = b - whole as f64;
        a.cmp(&whole).then(0.0.partial_cmp(&rest).unwrap_or(Ordering::Equal))
    })
}

/// The order of numbers, in which each has its place: a NaN is behind all others.
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
        _ => f64::NAN,
    };
    let order = match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => exactly(a, float(b)),
        (None, Some(b)) => exactly(b, float(a)).map(Ordering::reverse),
        (None, None) => float(a).partial_cmp(&float(b)),
    };
    let is_nan = |datum: &Datum| whole(datum).is_none() && float(datum).is_nan();
    order.unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, is_cut: bool) -> Cell {
        Cell { is_cut, ..Datum::Text(text.to_owned()).into() }
    }

    #[test]
    fn integers_and_floats_are_compared_without_rounding() {
        let large = (1_i128 << 53) + 1;
        let is = |cell: Datum, operator, wanted: Wanted| is_so(&cell.into(), operator, &wanted);
        let rounded = large as f64;
        assert_eq!(is(Datum::Integer(large), Operator::Equal, Wanted::Float(rounded)), Some(false));
        let float = Datum::Float(rounded);
        assert_eq!(is(float, Operator::Less, Wanted::Integer(large)), Some(true));
        assert_eq!(is(Datum::Integer(-1), Operator::Less, Wanted::Float(-0.5)), Some(true));
        for (beyond, order) in [(f64::INFINITY, true), (1e300, true), (-1e300, false)] {
            let found = is(Datum::Integer(i128::MAX), Operator::Less, Wanted::Float(beyond));
            assert_eq!(found, Some(order));
        }
        let nan = is(Datum::Integer(1), Operator::NotEqual, Wanted::Float(f64::NAN));
        assert_eq!(nan, Some(true));
    }

    #[test]
    fn numbers_of_all_types_have_one_order() {
        let large = 1_i128 << 53;
        let whole = [large - 1, large, large + 1, large + 2, 0, -1, i128::MAX, i128::MIN];
        let floats = [
            large as f64,
            (large + 2) as f64,
            -0.0,
            0.0,
            0.5,
            -1.5,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e300,
            -1e300,
            170_141_183_460_469_231_731_687_303_715_884_105_728.0,
        ];
        let all: Vec<Cell> = { whole.map(Datum::Integer).into_iter() }
            .chain(floats.map(Datum::Float))
            .chain([Datum::Boolean(true), Datum::Pointer(large as u64, None)])
            .map(Cell::from)
            .collect();
        assert!(all.len() >= 21);
        for a in &all {
            for b in &all {
                assert_eq!(order(a, b), order(b, a).reverse(), "{a:?} {b:?}");
                for c in &all {
                    if order(a, b).is_le() && order(b, c).is_le() {
                        assert!(order(a, c).is_le(), "{a:?} {b:?} {c:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_value_that_is_partly_hidden_is_compared_with_nothing() {
        let cell = Cell { is_partly_hidden: true, ..text("write to <email:9b65> now", false) };
        let pattern = Wanted::Pattern(Regex::new("alice").unwrap());
        for (operator, wanted) in [
            (Operator::Equal, Wanted::Text("write to <email:9b65> now".to_owned())),
            (Operator::NotEqual, Wanted::Text("write to alice@example.com now".to_owned())),
            (Operator::Less, Wanted::Text("x".to_owned())),
            (Operator::Like, pattern),
        ] {
            assert_eq!(is_so(&cell, operator, &wanted), None, "{operator:?}");
        }
    }

    #[test]
    fn a_text_that_was_cut_is_compared_as_far_as_that_decides() {
        let is = |operator, with: &str| {
            is_so(&text("abcd", true), operator, &Wanted::Text(with.to_owned()))
        };
        assert_eq!(is(Operator::Equal, "abcd"), None);
        assert_eq!(is(Operator::NotEqual, "abcdef"), None);
        assert_eq!(is(Operator::Less, "abcdef"), None);
        assert_eq!(is(Operator::Equal, "abx"), Some(false));
        assert_eq!(is(Operator::Less, "abx"), Some(true));
        assert_eq!(is(Operator::Greater, "abc"), Some(true));
        let like = |pattern: &str, is_cut| {
            let wanted = Wanted::Pattern(Regex::new(pattern).unwrap());
            is_so(&text("abcd", is_cut), Operator::Like, &wanted)
        };
        assert_eq!((like("bc", true), like("d$", true), like("e", true)), (Some(true), None, None));
        assert_eq!((like("d$", false), like("e", false)), (Some(true), Some(false)));
        let array = Cell { is_cut: true, ..Datum::Aggregate("{1, 2, \u{2026}}".to_owned()).into() };
        let equal = Wanted::Text("{1, 2, \u{2026}}".to_owned());
        assert_eq!(is_so(&array, Operator::Equal, &equal), None);
    }
}
