//! Names of library types without what libraries put into them for themselves.

/// The name before its template arguments.
pub(super) fn without_arguments(name: &str) -> &str {
    let name = name.split('<').next().unwrap_or(name);
    name.split("[abi:").next().unwrap_or(name)
}

/// The public name of a library's class template: `std::vector` of
/// `std::__1::vector<int, …>`. `None` if it is not one of the standard library, or a type
/// nested in one.
pub(super) fn of(full: &str) -> Option<String> {
    let path = without_arguments(full);
    let arguments = full.get(path.len()..)?;
    if !is_one_list(arguments) {
        return None;
    }
    let mut parts = path.split("::");
    // libstdc++ has its debug mode's outermost containers in a namespace of their own.
    parts.next().filter(|first| matches!(*first, "std" | "__gnu_debug"))?;
    let mut family = String::from("std");
    let mut rest = parts.peekable();
    while let Some(part) = rest.next() {
        // Inline namespaces: `__cxx11`, `__1`, `_V2`, `__debug`, `__exception_ptr`.
        if rest.peek().is_none() || !part.starts_with('_') {
            family.push_str("::");
            family.push_str(part);
        }
    }
    Some(family)
}

/// Whether `text` is empty, an ABI tag, or one list of template arguments with nothing
/// behind it.
fn is_one_list(text: &str) -> bool {
    let text = match text.strip_prefix("[abi:").and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => text,
    };
    text.is_empty() || argument_list(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// Splits `<a, b<c>> rest` into `a, b<c>` and ` rest`.
pub(super) fn argument_list(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let mut depth = Depth::default();
    for (at, c) in inner.char_indices() {
        if c == '>' && depth.is_outside() && !inner.get(..at)?.ends_with('-') {
            return Some((inner.get(..at)?.trim_end(), inner.get(at.checked_add(1)?..)?));
        }
        depth.pass(c, inner.get(..at)?);
    }
    None
}

/// The arguments of such a list: `a` and `b<c, d>` of `a, b<c, d>`.
pub(super) fn arguments(list: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut depth = Depth::default();
    let mut start = 0;
    for (at, c) in list.char_indices() {
        if c == ',' && depth.is_outside() {
            found.extend(list.get(start..at).map(str::trim));
            start = at.saturating_add(1);
        }
        depth.pass(c, list.get(..at).unwrap_or_default());
    }
    found.extend(list.get(start..).map(str::trim).filter(|last| !last.is_empty()));
    found
}

/// Brackets that are open. Angles within others may be operators and do not count.
#[derive(Default)]
struct Depth {
    round: usize,
    angle: usize,
}

impl Depth {
    fn is_outside(&self) -> bool {
        self.round == 0 && self.angle == 0
    }

    fn pass(&mut self, c: char, before: &str) {
        match c {
            '(' | '[' | '{' => self.round = self.round.saturating_add(1),
            ')' | ']' | '}' => self.round = self.round.saturating_sub(1),
            '<' if self.round == 0 => self.angle = self.angle.saturating_add(1),
            '>' if self.round == 0 && !before.ends_with('-') => {
                self.angle = self.angle.saturating_sub(1);
            }
            _ => {}
        }
    }
}

/// The name people know a string type by, for the characters it is made of.
pub(super) fn label(family: &'static str, character: &str) -> Option<&'static str> {
    let names = match character {
        "char" => ["std::string", "std::string_view"],
        "wchar_t" => ["std::wstring", "std::wstring_view"],
        "char8_t" => ["std::u8string", "std::u8string_view"],
        "char16_t" => ["std::u16string", "std::u16string_view"],
        "char32_t" => ["std::u32string", "std::u32string_view"],
        _ => return None,
    };
    let [owned, borrowed] = names;
    match family {
        "std::basic_string" => Some(owned),
        "std::basic_string_view" => Some(borrowed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_namespaces_and_arguments_do_not_count() {
        for name in [
            "std::vector<int, std::allocator<int> >",
            "std::__1::vector<int, std::__1::allocator<int>>",
            "std::__debug::vector<int>",
            "__gnu_debug::vector<int>",
            "std::__cxx1998::vector<int>",
            "std::vector",
            "std::vector[abi:v160006]<int>",
        ] {
            assert_eq!(of(name).as_deref(), Some("std::vector"), "{name}");
        }
        assert_eq!(of("std::filesystem::__cxx11::path").as_deref(), Some("std::filesystem::path"));
        assert_eq!(
            of("std::__exception_ptr::exception_ptr").as_deref(),
            Some("std::exception_ptr")
        );
        assert_eq!(of("std::thread::id").as_deref(), Some("std::thread::id"));
    }

    #[test]
    fn a_type_nested_in_a_container_is_not_a_container() {
        assert_eq!(of("std::vector<int>::iterator"), None);
        assert_eq!(of("std::map<int, std::less<int> >::value_compare<int>"), None);
    }

    #[test]
    fn others_have_vectors_too() {
        assert_eq!(of("mine::vector<int>"), None);
        assert_eq!(of("vector<int>"), None);
    }

    #[test]
    fn arguments_are_parted_at_their_own_commas_only() {
        let (list, rest) =
            argument_list("<int (*)(char, long), f<(1>2), b>, x::operator->>::y").unwrap();
        assert_eq!(rest, "::y");
        assert_eq!(arguments(list), ["int (*)(char, long)", "f<(1>2), b>", "x::operator->"]);
        assert_eq!(argument_list("<a"), None);
    }
}
