//! Names with the scopes around them.

/// A name with the scopes around it, in any of the languages: `ns::Class<int>::member`,
/// `crate::module::STATIC`, `'file.c'::variable`, `function::variable`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    /// `::name`: looked for in no scope of a function.
    pub is_global: bool,
    /// `'main.c'::`, `'f(int)'::`: a source file, or a function whose name needs quotes.
    pub within: Option<String>,
    /// Scopes and the name, each with its template arguments, without spaces.
    pub segments: Vec<String>,
}

impl Path {
    /// A name that is written with quotes around it, all scopes included.
    pub(super) fn quoted(text: &str) -> Self {
        let (is_global, text) = match text.strip_prefix("::") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let segments = scopes(text).into_iter().map(squeeze).collect();
        Self { is_global, within: None, segments }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(within) = &self.within {
            write!(f, "'{within}'::")?;
        } else if self.is_global {
            f.write_str("::")?;
        }
        f.write_str(&self.segments.join("::"))
    }
}

/// The parts of a name between each `::` that is not in brackets.
pub(super) fn scopes(name: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0_usize, 0_usize);
    let mut bytes = name.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'<' | b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.next_if(|(_, next)| *next == b':').is_some() => {
                found.extend(name.get(start..at));
                start = at.saturating_add(2);
            }
            _ => {}
        }
    }
    found.extend(name.get(start..));
    found
}

/// A name without the spaces that mean nothing: compilers differ in where they put them.
pub(super) fn squeeze(name: &str) -> String {
    let mut squeezed = String::with_capacity(name.len());
    let mut had_space = false;
    for c in name.chars() {
        if c.is_whitespace() {
            had_space = true;
            continue;
        }
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        if had_space && joins(c) && squeezed.chars().next_back().is_some_and(joins) {
            squeezed.push(' ');
        }
        had_space = false;
        squeezed.push(c);
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_end_at_colons_outside_of_brackets() {
        assert_eq!(scopes("a::b<c::d>::e(f::g)::h"), ["a", "b<c::d>", "e(f::g)", "h"]);
        assert_eq!(scopes("(anonymous namespace)::x"), ["(anonymous namespace)", "x"]);
        assert_eq!(scopes("a:b"), ["a:b"]);
        assert_eq!(scopes("a::"), ["a", ""]);
    }

    #[test]
    fn names_are_the_same_however_compilers_space_them() {
        let name = "std::map<int,unsigned long,std::less<int>>";
        assert_eq!(squeeze("std::map<int, unsigned  long, std::less<int> >"), name);
        assert_eq!(squeeze(name), name);
    }
}
