//! The values of one column in one row group, as the bytes of a data page.

use crate::column::{Kind, Values};

/// The bytes of a page before they are compressed: definition levels, then the values that
/// are there, PLAIN.
pub(crate) fn encoded(values: &Values) -> Vec<u8> {
    let mut bytes = levels(&values.present());
    match values {
        Values::Text(values) => {
            for text in values.iter().flatten() {
                // A page is limited to far less.
                bytes.extend((text.len() as u32).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        Values::Integer(values) | Values::Time(values) => {
            values.iter().flatten().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        Values::Float(values) => {
            values.iter().flatten().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        Values::Boolean(values) => {
            bytes.extend(bits(&values.iter().flatten().copied().collect::<Vec<_>>()));
        }
    }
    bytes
}

/// Levels of one bit, with their length before them: one run, of equal ones or of bits.
fn levels(present: &[bool]) -> Vec<u8> {
    let mut run = Vec::new();
    let first = present.first().copied().unwrap_or(true);
    if present.is_empty() {
        // No run.
    } else if present.iter().all(|one| *one == first) {
        push_number(&mut run, (present.len() as u64) << 1);
        run.push(u8::from(first));
    } else {
        push_number(&mut run, (present.len().div_ceil(8) as u64) << 1 | 1);
        run.extend(bits(present));
    }
    let mut bytes = (run.len() as u32).to_le_bytes().to_vec();
    bytes.extend(run);
    bytes
}

/// The lowest bit first.
fn bits(values: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| {
        eight.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at)
    };
    values.chunks(8).map(byte).collect()
}

fn push_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The values of `rows` rows in the bytes of a page. `None` if these are no values of this type.
pub(crate) fn decoded(kind: Kind, bytes: &[u8], rows: usize) -> Option<Values> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (levels, mut rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let present = present(levels, rows)?;
    let values = match kind {
        Kind::Text => {
            let text = |_| {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                rest = after;
                Some(std::str::from_utf8(text).ok()?.to_owned())
            };
            Values::Text(spread(&present, text)?)
        }
        Kind::Integer | Kind::Time => {
            let values = spread(&present, |_| eight(&mut rest).map(i64::from_le_bytes))?;
            if kind == Kind::Time { Values::Time(values) } else { Values::Integer(values) }
        }
        Kind::Float => {
            Values::Float(spread(&present, |_| eight(&mut rest).map(f64::from_le_bytes))?)
        }
        Kind::Boolean => {
            let bit = |at: usize| rest.get(at / 8).map(|byte| byte >> (at % 8) & 1 == 1);
            let values = spread(&present, bit)?;
            let there = values.iter().flatten().count();
            rest = rest.get(there.div_ceil(8)..)?;
            Values::Boolean(values)
        }
    };
    rest.is_empty().then_some(values)
}

/// The next value of `take`, which gets its place among those that are there, for each row
/// that has one.
fn spread<T>(present: &[bool], mut take: impl FnMut(usize) -> Option<T>) -> Option<Vec<Option<T>>> {
    let mut values = Vec::with_capacity(present.len());
    let mut at = 0;
    for is_present in present {
        values.push(if *is_present { Some(take(at)?) } else { None });
        at += usize::from(*is_present);
    }
    Some(values)
}

fn eight(rest: &mut &[u8]) -> Option<[u8; 8]> {
    let (value, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*value)
}

/// Which of `rows` rows have a value.
fn present(mut levels: &[u8], rows: usize) -> Option<Vec<bool>> {
    let mut present = Vec::new();
    while present.len() < rows {
        let left = rows - present.len();
        let run = number(&mut levels)?;
        let count = usize::try_from(run >> 1).ok()?;
        if run & 1 == 0 {
            let (level, after) = levels.split_first()?;
            levels = after;
            if count == 0 || count > left || *level > 1 {
                return None;
            }
            present.resize(present.len() + count, *level == 1);
        } else {
            let (packed, after) = levels.split_at_checked(count)?;
            levels = after;
            if packed.is_empty() {
                return None;
            }
            let bits = packed.iter().flat_map(|byte| (0..8).map(move |at| byte >> at & 1 == 1));
            present.extend(bits.take(left));
        }
    }
    levels.is_empty().then_some(present)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_gaps_come_back_as_they_were() {
        let gap = |at: usize| at % 3 != 1;
        for rows in [0, 1, 7, 8, 9, 1_000] {
            let each = |is_there: &dyn Fn(usize) -> bool| {
                let at = || (0..rows).map(|at| is_there(at).then_some(at));
                [
                    Values::Text(at().map(|at| at.map(|at| "\u{fc}".repeat(at % 5))).collect()),
                    Values::Integer(at().map(|at| at.map(|at| i64::MIN + at as i64)).collect()),
                    Values::Time(at().map(|at| at.map(|at| at as i64)).collect()),
                    Values::Float(at().map(|at| at.map(|at| -0.5 * at as f64)).collect()),
                    Values::Boolean(at().map(|at| at.map(|at| at % 2 == 0)).collect()),
                ]
            };
            let all = [each(&gap), each(&|_| true), each(&|_| false)];
            for values in all.into_iter().flatten() {
                let bytes = encoded(&values);
                assert_eq!(decoded(values.kind(), &bytes, rows).as_ref(), Some(&values));
                assert_eq!(decoded(values.kind(), &bytes[..bytes.len() - 1], rows), None);
            }
        }
    }

    #[test]
    fn levels_that_say_more_than_there_is_are_refused() {
        // A run of 2^62 equal levels.
        let run = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1];
        assert_eq!(present(&run, 10), None);
        assert_eq!(present(&[0, 1], 10), None);
        assert_eq!(present(&[1], 10), None);
        assert_eq!(present(&[20, 2], 10), None);
    }
}
