//! Names of functions, compared as debuggers compare them.

/// A part of a name between `::`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part<'n> {
    /// Without template arguments and parameters.
    base: &'n str,
    /// Template arguments, with their brackets; empty if there are none.
    arguments: &'n str,
}

/// Levels of brackets that are counted; a name with more is no compiler's.
const DEEPEST: usize = 200;

/// Whether a function called `name` is meant by `pattern`: the last parts of its qualified
/// name, without parameters. Template arguments count where the pattern has some. `*` and `?`
/// stand for any characters of one part.
pub(crate) fn is_meant(pattern: &str, name: &str) -> bool {
    // Names without `::` of other languages, such as Go's, are whole.
    if pattern == name {
        return true;
    }
    let (wanted, found) = (parts(pattern), parts(name));
    let mut found = found.iter().rev().filter(|part| !is_skipped(part, &wanted));
    !wanted.is_empty()
        && wanted.iter().rev().all(|wanted| found.next().is_some_and(|part| part.is(wanted)))
}

/// What C++ and Rust put between the names that a person writes.
fn is_skipped(part: &Part<'_>, wanted: &[Part<'_>]) -> bool {
    let is_hash = part.base.len() == 17
        && part.base.starts_with('h')
        && part.base.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit());
    let is_anonymous = part.base == "(anonymous namespace)";
    (is_hash || is_anonymous) && !wanted.iter().any(|wanted| wanted.base == part.base)
}

impl Part<'_> {
    fn is(&self, wanted: &Part<'_>) -> bool {
        let same = |a: &str, b: &str| {
            let plain =
                |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            a == b || plain(a) == plain(b)
        };
        let is_named = match is_operator(wanted.base) {
            true => same(wanted.base, self.base),
            false => is_like(wanted.base, self.base),
        };
        is_named && (wanted.arguments.is_empty() || same(wanted.arguments, self.arguments))
    }
}

fn is_operator(base: &str) -> bool {
    base.strip_prefix("operator").is_some_and(|rest| {
        !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') && !rest.is_empty()
    })
}

/// Whether `text` is like `pattern`, in which `*` stands for any characters and `?` for one.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut done) = (0, 0);
    // Where the last star was, and up to where it reaches.
    let mut star: Option<(usize, usize)> = None;
    while done < text.len() {
        let wanted = pattern.get(at).copied();
        if wanted == Some('*') {
            star = Some((at, done));
            at += 1;
        } else if wanted.is_some_and(|c| c == '?' || Some(&c) == text.get(done)) {
            (at, done) = (at + 1, done + 1);
        } else if let Some((from, reached)) = star {
            star = Some((from, reached + 1));
            (at, done) = (from + 1, reached + 1);
        } else {
            return false;
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

/// The parts of a qualified name. Parameters are left out.
fn parts(name: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let mut rest = name.trim();
    loop {
        let (part, after) = first_part(rest);
        if part.base.is_empty() {
            break;
        }
        found.push(part);
        match after.strip_prefix("::") {
            Some(next) => rest = next,
            None => break,
        }
    }
    found
}

/// The first part, and what follows it: `::` or nothing that counts.
fn first_part(name: &str) -> (Part<'_>, &str) {
    let mut end = base_end(name);
    let base = name.get(..end).unwrap_or_default().trim_end();
    let mut arguments = "";
    let after = name.get(end..).unwrap_or_default();
    let spaces = after.len() - after.trim_start().len();
    if after.trim_start().starts_with('<') {
        let length = closed(after.trim_start());
        arguments = after.get(spaces..spaces + length).unwrap_or_default();
        end += spaces + length;
    }
    let mut rest = name.get(end..).unwrap_or_default();
    if rest.starts_with('(') {
        rest = rest.get(closed(rest)..).unwrap_or_default();
        // `f(int) const::{lambda()#1}`.
        rest = rest.trim_start().strip_prefix("const").unwrap_or(rest);
    }
    (Part { base, arguments }, rest)
}

/// Where the name of a part ends and its arguments, parameters or the next part begin.
fn base_end(name: &str) -> usize {
    if let Some(symbol) = name.strip_prefix("operator")
        && !symbol.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    {
        let symbols = match symbol.trim_start() {
            text if text.starts_with("()") => 2,
            text => text.find(|c: char| !"<>=!+-*/%&|^~,[]".contains(c)).unwrap_or(text.len()),
        };
        let spaces = symbol.len() - symbol.trim_start().len();
        return "operator".len() + spaces + symbols;
    }
    let mut at = 0;
    while let Some(rest) = name.get(at..).filter(|rest| !rest.is_empty()) {
        let is_start = at == 0 || name.get(..at).is_some_and(|before| before.ends_with('.'));
        match rest.chars().next() {
            // `(anonymous namespace)`, `<T as Trait>`, `{lambda(int)#1}`, Go's `main.(*T).f`.
            Some('(' | '<' | '{') if is_start => at += closed(rest),
            Some('{') => at += closed(rest),
            Some('(' | '<') => break,
            Some(':') if rest.starts_with("::") => break,
            Some(c) => at += c.len_utf8(),
            None => break,
        }
    }
    at
}

/// Bytes of the group of brackets that `text` begins with; all of it if it is not closed.
fn closed(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '(' | '<' | '{' | '[' => depth += 1,
            '>' if before == '-' => {}
            ')' | '>' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + c.len_utf8();
        }
        if depth > DEEPEST {
            break;
        }
        before = c;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_matched_from_the_right_by_whole_parts() {
        for (pattern, name) in [
            ("walk", "walk"),
            ("walk", "list::walk"),
            ("list::walk", "ns::list::walk(node*)"),
            ("walk", "list::(anonymous namespace)::walk(node*) const"),
            ("push_back", "std::vector<int, std::allocator<int> >::push_back(int const&)"),
            ("vector::push_back", "std::vector<int, std::allocator<int> >::push_back(int const&)"),
            ("vector<int>::at", "my::vector< int >::at(unsigned long)"),
            ("operator<<", "ns::operator<< <char>(std::ostream&, char)"),
            ("operator()", "main::{lambda(int)#1}::operator()(int) const"),
            ("T::operator[]", "T::operator[](unsigned long)"),
            ("core::panicking::panic", "core::panicking::panic::h0123456789abcdef"),
            ("panic", "core::panicking::panic::h0123456789abcdef"),
            ("<app::Job as app::Run>::run", "<app::Job as app::Run>::run"),
            ("run", "<app::Job as app::Run>::run"),
            ("{closure#0}", "app::main::{closure#0}"),
            ("main.(*T).f", "main.(*T).f"),
            ("main.work", "main.work"),
        ] {
            assert!(is_meant(pattern, name), "{pattern} is {name}");
        }
        for (pattern, name) in [
            ("walk", "sidewalk"),
            ("walk", "walker"),
            ("list::walk", "walk"),
            ("list", "list::walk"),
            ("vector<int>::at", "my::vector<long>::at(unsigned long)"),
            ("operator<", "ns::operator<< <char>(std::ostream&, char)"),
            ("int", "walk(int)"),
            ("", "walk"),
        ] {
            assert!(!is_meant(pattern, name), "{pattern} is not {name}");
        }
    }

    #[test]
    fn a_star_stands_for_characters_of_one_part() {
        for (pattern, name) in [
            ("Foo::*", "ns::Foo::bar(int)"),
            ("http_*", "http_read"),
            ("*_read", "http_read"),
            ("h?tp_*d", "http_read"),
            ("*", "x"),
            ("operator*", "T::operator*()"),
        ] {
            assert!(is_meant(pattern, name), "{pattern} is {name}");
        }
        for (pattern, name) in
            [("Foo::*", "Foo::bar::baz"), ("http_*", "xhttp_read"), ("operator*", "T::operator+()")]
        {
            assert!(!is_meant(pattern, name), "{pattern} is not {name}");
        }
    }

    #[test]
    fn hostile_names_end() {
        let deep = "<".repeat(100_000);
        let stars = "*a".repeat(200);
        for name in [&*deep, "((((", "::::", "operator", "a::", &"a::".repeat(10_000), &stars] {
            assert!(!is_meant("walk", name));
            let _ = is_meant(name, "walk");
        }
        assert!(!is_meant(&stars, &"a".repeat(300)) || !stars.is_empty());
    }
}
