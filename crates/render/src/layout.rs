//! Columns: how wide text is, how it is cut and how it is wrapped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of visible text.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` followed by blanks up to `columns`.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{:blanks$}", "")
}

/// `text` in at most `columns`, cut in the middle: a function's name is recognized by its
/// namespace and its last part.
pub(super) fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let tail = take(text.chars().rev(), room - room / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{}\u{2026}{tail}", take(text.chars(), room / 2))
}

/// `text` in at most `columns`, cut at its start: a path is recognized by its end.
pub(super) fn cut_start(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let tail = take(text.chars().rev(), columns.saturating_sub(1));
    format!("\u{2026}{}", tail.chars().rev().collect::<String>())
}

/// `text` in at most `columns`, cut at its end.
pub(super) fn cut_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    format!("{}\u{2026}", take(text.chars(), columns.saturating_sub(1)))
}

/// As many characters as fit.
fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    let fitting = chars.take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= columns
    });
    fitting.collect()
}

/// `text` in lines of at most `columns`, broken at blanks; a word that is wider has a
/// line of its own, whole, so that a path can be copied.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// `74012` as `74,012`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `132 KiB`: rounded down to three digits.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    let mut whole = count;
    let mut rest = 0;
    while whole >= 1024 && unit + 1 < UNITS.len() {
        rest = whole % 1024;
        whole /= 1024;
        unit += 1;
    }
    let tenths = rest * 10 / 1024;
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    match whole {
        0..10 if tenths > 0 => format!("{whole}.{tenths} {unit}"),
        _ => format!("{whole} {unit}"),
    }
}

/// `1 thread`, `3 threads`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_its_ends() {
        assert_eq!(cut_middle("abcdefghij", 10), "abcdefghij");
        assert_eq!(cut_middle("abcdefghijk", 10), "abcd\u{2026}ghijk");
        assert_eq!(cut_end("abcdefghijk", 4), "abc\u{2026}");
        assert_eq!(cut_start("/usr/lib/libc.so", 10), "\u{2026}b/libc.so");
        // Wide characters that would half fit are left out.
        assert_eq!(width(&cut_middle(&"\u{4e2d}".repeat(50), 11)), 9);
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a /very/long/path b", 6), ["a", "/very/long/path", "b"]);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(74_012), "74,012");
        assert_eq!(grouped(100), "100");
        assert_eq!(counted(1, "thread"), "1 thread");
    }
}
