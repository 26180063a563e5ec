//! `find`.

use std::io::Write;

use super::state::{Done, Shell, Trouble, refuse, say};
use super::values::{address, number};
use super::words::Words;
use crate::session::{Answer, FindAnswer, Question, SearchFor};
use obit_render::prompt;

/// Hits that are shown.
const MOST: u64 = 100;
/// Answers that are asked for, each of which has an end in time.
const MOST_ANSWERS: usize = 64;

/// `/b`, `/10w`.
fn size_and_count(format: Option<&str>) -> Result<(Option<u8>, u64), Trouble> {
    let (mut size, mut count) = (None, String::new());
    for letter in format.unwrap_or_default().chars() {
        match letter {
            'b' => size = Some(1),
            'h' => size = Some(2),
            'w' => size = Some(4),
            'g' => size = Some(8),
            '0'..='9' => count.push(letter),
            '/' => {}
            _ => return refuse(format!("find has sizes b h w g and a count, not `{letter}`")),
        }
    }
    let count = if count.is_empty() { MOST } else { count.parse().unwrap_or(MOST).clamp(1, MOST) };
    Ok((size, count))
}

pub(super) fn find(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let (size, most) = size_and_count(words.format)?;
    let usage = "write `find START, +LENGTH, VALUE`, `find START, END, VALUE`, or `find \"TEXT\"` \
                 for all memory";
    let parts = operands(words.rest);
    let (from, end, what) = match parts.as_slice() {
        [""] | [] => return refuse(usage),
        [what] => (0, u64::MAX, *what),
        [start, end, what] => {
            let start = address(shell, start)?;
            let end = match end.strip_prefix('+') {
                Some(length) => start.saturating_add(number(shell, length)?),
                // gdb's END is the last byte.
                None => address(shell, end)?.saturating_add(1),
            };
            (start, end, *what)
        }
        [_, _] => return refuse(usage),
        _ => return refuse("one value or text is searched for at a time"),
    };
    let text = what.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let searched = match text {
        Some(text) => SearchFor::Text(text.to_owned()),
        // As gdb: the size of an int, unless the value needs more.
        None => {
            let value = number(shell, what)?;
            let size = size.unwrap_or(if value > u64::from(u32::MAX) { 8 } else { 4 });
            SearchFor::Value(value, size)
        }
    };
    search(shell, &searched, (from, end), most, out)
}

fn search(
    shell: &mut Shell,
    what: &SearchFor,
    (mut from, end): (u64, u64),
    most: u64,
    out: &mut dyn Write,
) -> Done {
    let mut found = 0;
    let mut incomplete = None;
    let mut is_whole = false;
    for _ in 0..MOST_ANSWERS {
        let question = Question::Find { what: what.clone(), from, most: most - found };
        let Answer::Find(FindAnswer { hits, next_cursor, incomplete: why, .. }) =
            shell.ask(&question)?
        else {
            return refuse("no answer");
        };
        incomplete = why;
        for hit in hits {
            if hit.address.0 >= end {
                is_whole = true;
                break;
            }
            let what = hit.what.as_ref().map(prompt::plain);
            let what = what.map(|what| format!("  {what}")).unwrap_or_default();
            say(out, &format!("{}{what}", hit.address))?;
            found += 1;
        }
        let next = next_cursor.as_deref().and_then(|next| next.strip_prefix("0x"));
        let next = next.and_then(|next| u64::from_str_radix(next, 16).ok());
        match next {
            None => is_whole = true,
            Some(next) if next >= end => is_whole = true,
            Some(next) => from = next,
        }
        if is_whole || found >= most {
            break;
        }
    }
    if let Some(why) = incomplete {
        writeln!(out, "{}", prompt::doubt(&prompt::plain(&why), &shell.page))?;
    }
    let more = if is_whole { "" } else { "; there may be more" };
    match found {
        0 => say(out, &format!("Pattern not found{more}.")),
        1 => say(out, &format!("1 pattern found{more}.")),
        _ => say(out, &format!("{found} patterns found{more}.")),
    }
}

/// The operands between commas that are not in brackets or quotes.
fn operands(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{' | '<') => depth += 1,
            (None, ')' | ']' | '}' | '>') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text.get(begin..at).unwrap_or_default().trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..).unwrap_or_default().trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_between_commas_outside_of_brackets_and_quotes() {
        assert_eq!(operands("&a[1], +8, 5"), ["&a[1]", "+8", "5"]);
        assert_eq!(operands("f(1, 2), \"a, b\""), ["f(1, 2)", "\"a, b\""]);
        assert_eq!(operands("\"x"), ["\"x"]);
    }
}
