//! What a frame, a file and a module are called on a page.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::visible::visible;
use super::{Detail, Names, PageOptions};
use obit_redact::Shown;
use obit_report::{FrameReport, SourcePlace};

/// Characters of one name that are laid out at all. A hostile symbol may have a million.
const LONGEST: usize = 4096;

/// Text of the report, fit for a terminal.
pub(super) fn shown(text: &Shown) -> String {
    let text = text.as_str();
    let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    match end.and_then(|end| text.get(..end)) {
        Some(start) => format!("{}\u{2026}", visible(start)),
        None => visible(text).into_owned(),
    }
}

/// The last part of a path.
pub(super) fn base_name(path: &Shown) -> String {
    let text = path.as_str();
    let base = text.rsplit('/').next().filter(|base| !base.is_empty());
    match base {
        Some(base) if base.len() < text.len() => shown(&path.suffix(text.len() - base.len())),
        _ => shown(path),
    }
}

/// The function, in the names the user asked for.
pub(super) fn function(frame: &FrameReport, names: Names) -> Option<String> {
    let (first, second) = match names {
        Names::Demangled => (&frame.function, &frame.linkage_name),
        Names::Raw => (&frame.linkage_name, &frame.function),
    };
    first.as_ref().or(second.as_ref()).map(shown)
}

/// `libfoo.so+0x1234`, or the bare address outside all modules.
pub(super) fn code_place(frame: &FrameReport) -> String {
    match &frame.module {
        Some(module) => format!("{}+{}", base_name(&module.path), module.offset),
        None => frame.pc.to_string(),
    }
}

/// `t.cc:10:72`; in full with `-v`.
pub(super) fn source(place: &SourcePlace, options: &PageOptions) -> String {
    let mut text = match options.detail {
        Detail::Verbose => shown(&place.file),
        Detail::Quiet | Detail::Normal => brief_file(&place.file),
    };
    for number in [place.line, place.column.filter(|_| place.line.is_some())].into_iter().flatten()
    {
        text.push(':');
        text.push_str(&number.to_string());
    }
    text
}

/// File names that say nothing without their directory.
const GENERIC: [&str; 6] = ["mod.rs", "lib.rs", "main.rs", "main.c", "main.cc", "main.cpp"];

fn brief_file(path: &Shown) -> String {
    let base = base_name(path);
    if !GENERIC.contains(&base.as_str()) {
        return base;
    }
    let text = path.as_str();
    let directory = text.len().checked_sub(base.len() + 1).and_then(|end| text.get(..end));
    let parent = directory.map(|directory| directory.rfind('/').map_or(0, |slash| slash + 1));
    parent.map_or(base, |start| shown(&path.suffix(start)))
}

/// A name short enough to be in a row of them: without parameters and symbol version,
/// with `<…>` for template arguments, and without hashes of crates.
pub(super) fn brief(name: &str) -> String {
    let name = &*without_crate_hashes(name);
    let mut short = String::with_capacity(name.len());
    let mut rest = name.split('@').next().filter(|start| !start.is_empty()).unwrap_or(name);
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("operator") {
            let symbol = match after.strip_prefix("()") {
                Some(_) => 2,
                None => after.find(|c: char| !"<>=!+-*/%^&|~[],".contains(c)).unwrap_or(0),
            };
            let (operator, after) = rest.split_at("operator".len() + symbol);
            short.push_str(operator);
            rest = after;
            continue;
        }
        let follows_name =
            short.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '}'));
        match c {
            '(' if rest.starts_with(ANONYMOUS) => {
                short.push_str(ANONYMOUS);
                rest = rest.get(ANONYMOUS.len()..).unwrap_or_default();
            }
            // The receiver of a method of Go's: `main.(*Conn).read`.
            '(' if short.ends_with('.') => {
                let Some(end) = closing_parenthesis(rest) else { break };
                let (receiver, after) = rest.split_at(end);
                short.push_str(receiver);
                rest = after;
            }
            '(' if !short.is_empty() => {
                // `main()::{lambda()#1}::operator()`: the function of a local one.
                let Some(end) = closing_parenthesis(rest) else { break };
                let after = rest.get(end..).unwrap_or_default();
                let inside = ["::", " const::", "#"].iter().any(|next| after.starts_with(next));
                let in_braces = short.rfind('{') > short.rfind('}');
                if !inside && !in_braces {
                    break;
                }
                short.push_str(if end == 2 { "()" } else { "(\u{2026})" });
                rest = after;
            }
            '<' if follows_name => {
                let Some(end) = closing(rest) else { return name.to_owned() };
                short.push_str("<\u{2026}>");
                rest = rest.get(end..).unwrap_or_default();
            }
            c => {
                short.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    short
}

/// A Rust name without the hashes of crates, which distinguish two versions of a crate:
/// `core::panicking::panic` of `core[c1f1a4ba060b9bfa]::panicking::panic`.
pub(super) fn without_crate_hashes(name: &str) -> Cow<'_, str> {
    /// Hexadecimal digits of a hash (v0 mangling, "Crate identifier").
    const DIGITS: RangeInclusive<usize> = 10..=16;
    let mut kept = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        let digits = after.find(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
        let digits = digits.filter(|end| DIGITS.contains(end));
        let follows_name = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        match digits.and_then(|end| after.get(end..)?.strip_prefix("]::")) {
            Some(path) if follows_name => {
                kept.push_str(before);
                kept.push_str("::");
                rest = path;
            }
            _ => {
                kept.push_str(before);
                kept.push('[');
                rest = after;
            }
        }
    }
    if rest.len() == name.len() {
        return Cow::Borrowed(name);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// A C++ name without its parameters: `ns::walk` of `ns::walk(Node*) const`.
pub(super) fn without_parameters(name: &str) -> &str {
    // What follows them is short: ` const`, ` &&`, ` [clone .cold]`.
    let end = name.rfind(')').map_or(0, |at| at + 1);
    let after = name.get(end..).unwrap_or_default();
    let is_end = after.is_empty() || after.starts_with(' ') && !after.contains("::");
    if !is_end {
        return name;
    }
    let mut depth = 0_usize;
    for (at, c) in name.get(..end).unwrap_or_default().char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let before = name.get(..at).unwrap_or_default();
            let is_whole = c == '(' && !before.is_empty() && !before.ends_with("operator");
            return if is_whole { before } else { name };
        }
    }
    name
}

const ANONYMOUS: &str = "(anonymous namespace)";

/// Bytes up to and with the `)` that closes the `(` at the start.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Bytes up to and with the `>` that closes the `<` at the start.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_redact::{Level, Origin, Redactor};

    #[test]
    fn a_brief_name_has_no_parameters_and_no_template_arguments() {
        let cases = [
            ("ns::walk(Node*)", "ns::walk"),
            (
                "std::vector<int, std::allocator<int> >::push_back(int&&)",
                "std::vector<\u{2026}>::push_back",
            ),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("S::operator()(int) const", "S::operator()"),
            ("operator<<(std::ostream&, S)", "operator<<"),
            ("<T as core::fmt::Debug>::fmt", "<T as core::fmt::Debug>::fmt"),
            (
                "core::ops::function::FnOnce::call_once{{vtable.shim}}",
                "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            ),
            ("pthread_cond_wait@@GLIBC_2.3.2", "pthread_cond_wait"),
            ("a<b", "a<b"),
            ("main.(*Conn).read", "main.(*Conn).read"),
            ("main.(*Conn).read.func1(int)", "main.(*Conn).read.func1"),
            ("f<(A)1>(int)", "f<\u{2026}>"),
            ("main", "main"),
            (
                "main::{lambda(int)#1}::operator()(int) const",
                "main::{lambda(\u{2026})#1}::operator()",
            ),
            ("run(int)::{lambda()#2}::_FUN(void*)", "run(\u{2026})::{lambda()#2}::_FUN"),
            ("spawn::{closure#1}<f::{closure_env#0}, ()>", "spawn::{closure#1}<\u{2026}>"),
            ("", ""),
        ];
        for (name, short) in cases {
            assert_eq!(brief(name), short);
        }
    }

    #[test]
    fn hashes_of_crates_are_left_out() {
        let cases = [
            ("core[c1f1a4ba060b9bfa]::panicking::panic", "core::panicking::panic"),
            (
                "<alloc[1f6e0d3a2b4c5d6e]::vec::Vec<core[c1f1a4ba060b9bfa]::A>>::push",
                "<alloc::vec::Vec<core::A>>::push",
            ),
            ("take::<[u8; 4]>", "take::<[u8; 4]>"),
            ("a[0]::b", "a[0]::b"),
            ("f[cold]", "f[cold]"),
        ];
        for (name, short) in cases {
            assert_eq!(without_crate_hashes(name), short);
        }
    }

    #[test]
    fn parameters_are_left_out_where_arguments_are() {
        let cases = [
            ("ns::walk(Node*, int (*)(char)) const", "ns::walk"),
            ("main", "main"),
            ("S::operator()(int)", "S::operator()"),
            ("S::operator()", "S::operator()"),
            ("f(int) [clone .cold]", "f"),
            ("(anonymous namespace)::f", "(anonymous namespace)::f"),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("f(int)::{lambda()#1}::operator()(int) const", "f(int)::{lambda()#1}::operator()"),
            ("<T as core::fmt::Debug>::fmt", "<T as core::fmt::Debug>::fmt"),
            (")", ")"),
        ];
        for (name, short) in cases {
            assert_eq!(without_parameters(name), short);
        }
    }

    #[test]
    fn a_file_is_called_by_its_base_name_unless_every_file_is_called_so() {
        let mut redactor = Redactor::new(Level::Off, "");
        let mut brief = |path| brief_file(&redactor.show(Origin::SourcePath, path));
        assert_eq!(brief("/src/app/walk.cc"), "walk.cc");
        assert_eq!(brief("/src/app/mod.rs"), "app/mod.rs");
        assert_eq!(brief("app/mod.rs"), "app/mod.rs");
        assert_eq!(brief("mod.rs"), "mod.rs");
        assert_eq!(brief("dir/"), "dir/");
    }
}
