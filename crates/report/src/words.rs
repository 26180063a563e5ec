//! A variable's value in one line: `3`, `97 'a'`, `"abc"`, `std::vector of 3 {1, 2, 3}`,
//! `{x = 1, … 12 more}`.
//!
//! The words may hold whatever the process held, control characters outside of quotes
//! included: the caller escapes them when printing.

use std::fmt::Write as _;

use super::{Variable, VariableStatus, VariableValue};
use obit_redact::Shown;

/// How much is shown of what pointers point at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointees {
    /// The address alone.
    Hidden,
    /// The address, and the first one's content where there is room.
    Shown,
    /// The address, and the content of all.
    All,
}

/// Structures within structures that are spelled out in one line.
const DEPTH: usize = 6;
/// Structures within structures that are spelled out where nothing is to be left out.
const WHOLE_DEPTH: usize = 64;
/// Characters of an address: `0x` and 16 digits.
const LONGEST_ADDRESS: usize = 18;
/// Columns below which no structure is opened: `{…}` says as much.
const LEAST_ROOM: usize = 8;
/// Equal elements in a row that are counted rather than listed. gdb's is 10.
const REPEATS: usize = 6;

impl Variable {
    /// The value in words of about `room` characters: longer where the value is one
    /// number or address, or names why there is none.
    pub fn words(&self, room: usize, pointees: Pointees) -> String {
        words(self, room, pointees, DEPTH)
    }

    /// The value in one line, however long.
    pub fn whole_words(&self) -> String {
        words(self, usize::MAX / 2, Pointees::All, WHOLE_DEPTH)
    }

    /// The value where it can be shown without children: a scalar, a text, an absence.
    pub fn leaf_words(&self, room: usize) -> Option<String> {
        match self.status {
            VariableStatus::Ok => {}
            VariableStatus::OptimizedOut => return Some("<optimized out>".to_owned()),
            VariableStatus::Unavailable => {
                let reason = self.reason.as_ref().map(|reason| format!(": {}", reason.as_str()));
                let reason = reason.unwrap_or_default();
                return Some(format!("<unavailable{reason}>"));
            }
            VariableStatus::ImplicitPointer => return Some("<synthetic pointer>".to_owned()),
        }
        if let Some(formatted) = &self.formatted {
            return Some(formatted.as_str().to_owned());
        }
        let text = self.text.as_ref().map(Shown::as_str);
        let Some(value) = &self.value else {
            return text.map(|text| self.string(text, room));
        };
        let number = match value {
            VariableValue::Bool(value) => value.to_string(),
            VariableValue::Integer(value) => value.to_string(),
            VariableValue::Float(value) => format!("{value:?}"),
            VariableValue::Text(value) => value.clone(),
        };
        let Some(text) = text else { return Some(number) };
        // More digits are the bits of a number that no JSON holds.
        let is_pointer = number.starts_with("0x") && number.len() <= LONGEST_ADDRESS;
        Some(match value {
            VariableValue::Bool(_) | VariableValue::Float(_) => text.to_owned(),
            VariableValue::Text(_) if is_pointer && self.points_at_text() => {
                let room = room.saturating_sub(number.len() + 1);
                format!("{number} {}", self.string(text, room))
            }
            VariableValue::Text(_) if is_pointer => match text.starts_with('<') {
                true => format!("{number} {text}"),
                false => format!("{number} <{text}>"),
            },
            VariableValue::Integer(code) if is_character(*code, text) => {
                format!("{number} {}'{}'", self.text_prefix, escaped(unquoted(text), '\''))
            }
            VariableValue::Integer(_) | VariableValue::Text(_) => text.to_owned(),
        })
    }

    /// Members or elements, whichever a person would rather read.
    pub fn children(&self) -> &[Self] {
        match self.elements.is_empty() && self.summary.is_none() {
            true => &self.members,
            false => &self.elements,
        }
    }

    /// What a reference stands for, as the language has it: the object itself.
    pub fn referent(&self) -> Option<&Self> {
        let name = self.type_name.as_ref()?.as_str();
        let is_reference = name.ends_with('&') || name.starts_with('&');
        self.pointee.as_deref().filter(|_| is_reference && self.text.is_none())
    }

    /// What a smart pointer, an optional or a variant holds: its one child, whose name adds
    /// nothing.
    pub fn content(&self) -> Option<&Self> {
        let is_content = |child: &&Self| matches!(child.name.as_str(), "value" | "get()");
        match self.elements.as_slice() {
            [child] if self.summary.is_some() => Some(child).filter(is_content),
            _ => None,
        }
    }

    /// Whether the names of its elements are keys rather than positions.
    pub fn is_keyed(&self) -> bool {
        let says_map = |summary: &Shown| summary.as_str().to_ascii_lowercase().contains("map");
        let mut positions = self.elements.iter().enumerate();
        self.summary.as_ref().is_some_and(says_map)
            || positions.any(|(at, child)| {
                let name = child.name.as_str();
                name.starts_with('[') && name != format!("[{at}]")
            })
    }

    /// Key and value, if it is an element of a map.
    pub fn as_entry(&self) -> Option<(&Self, &Self)> {
        let [key, value] = self.children() else { return None };
        let names = (key.name.as_str(), value.name.as_str());
        let is_entry = matches!(names, ("first", "second") | ("__0", "__1") | ("key", "value"));
        is_entry.then_some((key, value))
    }

    /// What is printed before the children: `std::vector of 3`, `0x55…`.
    pub fn head(&self) -> String {
        match (&self.summary, &self.value) {
            (Some(summary), _) => summary.as_str().to_owned(),
            (None, Some(_)) => self.leaf_words(usize::MAX).unwrap_or_default(),
            (None, None) => String::new(),
        }
    }

    /// Whether its name is a position: `[3]`, or Rust's `__3`.
    pub fn is_element(&self) -> bool {
        let name = self.name.as_str();
        name.is_empty() || name.starts_with('[') || self.is_tuple_field()
    }

    /// Whether it is empty, at most `depth` levels of it looked at.
    fn is_idle(&self, depth: usize) -> bool {
        let is_hollow = self.value.is_none()
            && self.text.is_none()
            && self.summary.is_none()
            && self.omitted == 0
            && self.status == VariableStatus::Ok
            && depth
                .checked_sub(1)
                .is_some_and(|depth| self.children().iter().all(|child| child.is_idle(depth)));
        is_hollow || self.name.as_str().starts_with("_vptr")
    }

    fn is_tuple_field(&self) -> bool {
        let number = self.name.as_str().strip_prefix("__");
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    }

    pub(crate) fn points_at_text(&self) -> bool {
        let Some(name) = &self.type_name else { return true };
        let name = name.as_str().to_ascii_lowercase();
        // Not `struct`.
        let mut words = name.split(|c: char| !c.is_alphanumeric() && c != '_');
        // Zig's pointers to what ends with a zero, and the strings of Nim.
        let is_text = |word: &str| {
            word.contains("char") || matches!(word, "str" | "nimstringdesc" | "ncstring")
        };
        name.starts_with("[*:0]") || !name.contains("(*") && words.any(is_text)
    }

    /// A text in quotes, cut to `room`.
    fn string(&self, text: &str, room: usize) -> String {
        let quoted = format!("{}\"{}\"", self.text_prefix, escaped(text, '"'));
        let longest = room.max(LEAST_ROOM);
        if quoted.chars().count() <= longest {
            return if self.text_cut { format!("{quoted}\u{2026}") } else { quoted };
        }
        // Cut between characters of the text, not within an escape.
        let mut cut = format!("{}\"", self.text_prefix);
        for c in text.chars() {
            let next = escaped(c.encode_utf8(&mut [0; 4]), '"');
            if cut.chars().count() + next.chars().count() + 2 > longest {
                break;
            }
            cut.push_str(&next);
        }
        format!("{cut}\"\u{2026}")
    }
}

fn words(variable: &Variable, room: usize, pointees: Pointees, depth: usize) -> String {
    if let Some(referent) = variable.referent() {
        return match depth.checked_sub(1) {
            Some(depth) => words(referent, room, pointees, depth),
            None => variable.head(),
        };
    }
    let children = variable.children();
    // Of some the rest is known where a part is lost.
    let is_lost = variable.status != VariableStatus::Ok && children.is_empty();
    let has_text = variable.text.is_some() || is_lost;
    if has_text || (variable.summary.is_none() && children.is_empty()) {
        let Some(leaf) = variable.leaf_words(room) else { return hollow(variable) };
        return with_pointee(leaf, variable, room, pointees, depth);
    }
    let head = variable.head();
    if children.is_empty() && variable.omitted == 0 {
        return with_pointee(head, variable, room, pointees, depth);
    }
    if let Some(content) = variable.content().filter(|content| content.value.is_some())
        && content.name.as_str() == "get()"
    {
        let left = room.saturating_sub(head.chars().count() + 1);
        let depth = depth.saturating_sub(1);
        return format!("{head} {}", words(content, left, pointees, depth));
    }
    let (open, close) = brackets(variable, children);
    let start = match (head.is_empty(), open) {
        (true, _) => open.to_owned(),
        // `Some(5)`
        (false, "(") => format!("{head}("),
        (false, _) => format!("{head} {open}"),
    };
    let room = room.saturating_sub(start.chars().count() + 1);
    let Some(depth) = depth.checked_sub(1) else { return format!("{start}\u{2026}{close}") };
    format!("{start}{}{close}", list(variable, room, pointees, depth))
}

/// A structure of which nothing is shown.
fn hollow(variable: &Variable) -> String {
    match variable.omitted {
        0 => "{}".to_owned(),
        _ => "{\u{2026}}".to_owned(),
    }
}

fn with_pointee(
    mut text: String,
    variable: &Variable,
    room: usize,
    pointees: Pointees,
    depth: usize,
) -> String {
    const ARROW: &str = " -> ";
    let Some(pointee) = &variable.pointee else { return text };
    let left = room.saturating_sub(text.chars().count() + ARROW.len());
    // Of a text, and of a pointer that is none, the pointee says nothing more.
    let wanted = pointees != Pointees::Hidden || variable.status == VariableStatus::ImplicitPointer;
    if wanted
        && variable.text.is_none()
        && left >= LEAST_ROOM
        && let Some(depth) = depth.checked_sub(1)
    {
        text.push_str(ARROW);
        let beyond = if pointees == Pointees::All { pointees } else { Pointees::Hidden };
        text.push_str(&words(pointee, left, beyond, depth));
    }
    text
}

/// Tuples and variants have round ones.
fn brackets(variable: &Variable, children: &[Variable]) -> (&'static str, &'static str) {
    let summary = variable.summary.as_ref().map(Shown::as_str);
    let is_variant = summary.is_some_and(|text| !text.contains(' ') && !text.contains("::"));
    let is_tuple = !children.is_empty() && children.iter().all(Variable::is_tuple_field);
    match is_tuple || is_variant && children.iter().all(Variable::is_element) {
        true => ("(", ")"),
        false => ("{", "}"),
    }
}

/// Children in a row, as many as fit, and how many do not.
fn list(parent: &Variable, room: usize, pointees: Pointees, depth: usize) -> String {
    let omitted = parent.omitted;
    let is_keyed = parent.is_keyed();
    let is_nameless =
        |child: &Variable| parent.content().is_some() || child.is_element() && !is_keyed;
    let mut row = String::new();
    let mut used = 0_usize;
    // Empty bases and members say nothing, nor does where a vtable lies.
    let counted = |child: &&Variable| child.is_element() || !child.is_idle(DEPTH);
    let children: Vec<&Variable> = parent.children().iter().filter(counted).collect();
    let mut rest = children.as_slice();
    while let Some((child, others)) = rest.split_first() {
        let reserve = match omitted.saturating_add(others.len() as u64) {
            0 => 0,
            left_out => ", \u{2026} 9 more".chars().count() + left_out.ilog10() as usize,
        };
        let left = room.saturating_sub(used.saturating_add(reserve));
        let mut text = String::new();
        let entry = child.as_entry().filter(|_| is_keyed);
        let shown = entry.map_or(*child, |(_, value)| value);
        if let Some((key, _)) = entry {
            let key = words(key, left / 2, Pointees::Hidden, depth);
            let _ = write!(text, "{key}: ");
        } else if !is_nameless(child) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{} = ", child.name.as_str());
        }
        let left_for_value = left.saturating_sub(text.chars().count());
        let nested = if left_for_value < LEAST_ROOM { 0 } else { depth };
        let equal = match is_nameless(child) {
            true => others.iter().take_while(|other| alike(other, child)).count(),
            false => 0,
        };
        text.push_str(&words(shown, left_for_value, pointees, nested));
        let equal = if equal + 1 >= REPEATS { equal } else { 0 };
        if equal > 0 {
            let _ = write!(text, " <repeats {} times>", equal + 1);
        }
        let separator = if row.is_empty() { 0 } else { 2 };
        let columns = text.chars().count() + separator;
        if columns > left {
            break;
        }
        if separator > 0 {
            row.push_str(", ");
        }
        row.push_str(&text);
        used = used.saturating_add(columns);
        rest = others.get(equal..).unwrap_or_default();
    }
    let left_out = omitted.saturating_add(rest.len() as u64);
    match (left_out, row.is_empty()) {
        (0, _) => {}
        (_, true) => row.push('\u{2026}'),
        (_, false) => drop(write!(row, ", \u{2026} {left_out} more")),
    }
    row
}

/// Whether two elements have the same content.
fn alike(one: &Variable, other: &Variable) -> bool {
    (one.status, &one.value, &one.text) == (other.status, &other.value, &other.text)
        && one.members == other.members
        && one.elements == other.elements
        && one.summary == other.summary
}

/// Whether `text` is the character with this code, rather than an enumerator's name.
pub(crate) fn is_character(code: i64, text: &str) -> bool {
    let mut chars = unquoted(text).chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => {
            i64::from(u32::from(c)) == code || text.starts_with('\'') || u32::from(c) >= 0x80
        }
        (Some('\\'), Some(_)) => true,
        _ => false,
    }
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    inner.filter(|inner| !inner.is_empty()).unwrap_or(text)
}

/// `text` as it would be written between quotes in a program. Bytes that were no UTF-8 are
/// as `\xff` in it already: the backslash is left alone.
fn escaped(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            '\0' => escaped.push_str("\\0"),
            c if c == quote => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => {
                let _ = write!(escaped, "\\x{:02x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
