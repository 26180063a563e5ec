//! What a chunk's header was overwritten with: text that ran on, numbers of an array, one
//! value. It says what kind of write ran over, long after it was done.

/// The form of what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// Text that began before the header.
    Text,
    /// One integer, or two of 32 bits.
    Integers,
    /// A floating-point number.
    Floating,
}

/// Bytes by which the writes of two crashes may be known as the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The size field's value.
    Value(u64),
    /// A text of one to four characters that is repeated, from its smallest rotation on.
    Repeated(String),
}

/// What a header was overwritten with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Overrun {
    /// Its form.
    pub written: Written,
    /// Its bytes; `None` for text that is not repeated.
    pub pattern: Option<Pattern>,
}

/// Bytes before a size field that are looked at.
pub(super) const BEFORE: usize = 16;
/// Characters in sequence that make a text: fewer occur by chance.
const LEAST_TEXT: usize = 6;
/// Last bytes of a text that must repeat something.
const REPEATED: usize = 8;
/// Integers of programs are mostly smaller.
const SMALL: u64 = 1 << 24;
/// Exponents of doubles between 1e-14 and 1e14.
const EXPONENTS: std::ops::RangeInclusive<u64> = 0x3d0..=0x42d;

/// What `field`, which is the number `value`, was overwritten with, `before` being the bytes
/// before it.
pub(super) fn of(value: u64, field: &[u8], before: &[u8]) -> Option<Overrun> {
    if is_text(field, before) {
        let inside = field.iter().take_while(|byte| is_printed(**byte));
        let text: Vec<u8> = before.iter().chain(inside).copied().collect();
        let last = text.get(text.len().saturating_sub(REPEATED)..).unwrap_or_default();
        let pattern = repeated(last).map(Pattern::Repeated);
        return Some(Overrun { written: Written::Text, pattern });
    }
    let exponent = value >> 52 & 0x7ff;
    let written = if field.len() == 8 && EXPONENTS.contains(&exponent) {
        Written::Floating
    } else if are_integers(value, field.len()) {
        Written::Integers
    } else {
        return None;
    };
    Some(Overrun { written, pattern: Some(Pattern::Value(value)) })
}

fn is_printed(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\t')
}

/// Whether text runs into `field`, to its end or to a NUL.
fn is_text(field: &[u8], before: &[u8]) -> bool {
    let outside = before.iter().rev().take_while(|byte| is_printed(**byte)).count();
    let inside = field.iter().take_while(|byte| is_printed(**byte)).count();
    let is_ended = field.get(inside).is_none_or(|byte| *byte == 0);
    inside > 0 && is_ended && inside.saturating_add(outside) >= LEAST_TEXT
}

/// The characters that `text` repeats.
fn repeated(text: &[u8]) -> Option<String> {
    let is_unit = |unit: &[u8]| text.chunks(unit.len()).all(|part| part == unit);
    let units = [1, 2, 4].into_iter().filter(|_| text.len() == REPEATED);
    let unit = units.filter_map(|length| text.get(..length)).find(|unit| is_unit(unit))?;
    let turned = |by: usize| {
        let (end, start) = unit.split_at_checked(by)?;
        Some([start, end].concat())
    };
    let smallest = (0..unit.len()).filter_map(turned).min()?;
    String::from_utf8(smallest).ok()
}

/// Whether `value` is a small integer, or two of half a word, of either sign; never zero,
/// which anything may have written.
fn are_integers(value: u64, word: usize) -> bool {
    let is_small = |number: u64, most: u64| number < SMALL || most.saturating_sub(number) < SMALL;
    match word {
        8 => {
            let most = u64::from(u32::MAX);
            value != 0 && is_small(value >> 32, most) && is_small(value & most, most)
        }
        _ => value != 0 && is_small(value, u64::from(u32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrun(value: u64, before: &[u8]) -> Option<Overrun> {
        of(value, &value.to_le_bytes(), before)
    }

    fn text(field: &[u8; 8], before: &[u8]) -> Option<Overrun> {
        overrun(u64::from_le_bytes(*field), before)
    }

    #[test]
    fn text_that_runs_into_the_header_is_text_to_its_end() {
        let whole = text(b"path/to/", b"/a/long/").unwrap();
        assert_eq!(whole, Overrun { written: Written::Text, pattern: None });
        let last = text(b"e\0\0\0\0\0\0\0", b"/a/nam").unwrap();
        assert_eq!(last.written, Written::Text);
        let alone = text(b"*\0\0\0\0\0\0\0", &[0; 8]).unwrap();
        assert_eq!(alone.written, Written::Integers, "one character is a number");
    }

    #[test]
    fn a_text_that_is_repeated_is_the_same_wherever_it_is_cut() {
        let unit = |field: &[u8; 8]| text(field, b"").unwrap().pattern;
        let pattern = Some(Pattern::Repeated("\\n".to_owned()));
        assert_eq!(unit(br"\n\n\n\n"), pattern);
        assert_eq!(unit(br"n\n\n\n\"), pattern);
        assert_eq!(unit(b"mmmmmmmm"), Some(Pattern::Repeated("m".to_owned())));
        assert_eq!(unit(b"mmmmmmma"), None);
        let ended = text(b"mm\0\0\0\0\0\0", b"mmmmmmmm").unwrap().pattern;
        assert_eq!(ended, Some(Pattern::Repeated("m".to_owned())));
    }

    #[test]
    fn numbers_of_an_array_are_neither_text_nor_pointers() {
        let written = |value| overrun(value, &[0; 16]).map(|overrun| overrun.written);
        assert_eq!(written(7.5_f64.to_bits()), Some(Written::Floating));
        assert_eq!(written(0xc5_0000_00b4), Some(Written::Integers));
        assert_eq!(written(0xffff_ffff_ffff_fffe), Some(Written::Integers));
        assert_eq!(written(0x7f12_3456_7890), None);
        assert_eq!(written(0), None);
    }
}
