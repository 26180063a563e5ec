//! Whether a frame is of the function that someone names.

use crate::function_name::normalized;

/// Whether the function `name` is the one that is asked for, whose leading namespaces, template
/// arguments and argument types may be left out. `None` if the names do not say.
pub fn is_function(name: &str, asked: &str) -> Option<bool> {
    let asked = asked.trim();
    if asked.is_empty() {
        return None;
    }
    if name == asked {
        return Some(true);
    }
    let (plain, plain_asked) = (normalized(name), normalized(asked));
    let last = |name: &str| name.rsplit("::").next().unwrap_or_default().to_owned();
    if last(&plain) != last(&plain_asked) {
        return if is_alias(&last(&plain), &last(&plain_asked)) { None } else { Some(false) };
    }
    let mut of_name = plain.rsplit("::");
    let is_end = plain_asked.rsplit("::").all(|part| of_name.next() == Some(part));
    // Other arguments make another function, of the same plain name.
    (is_end && (plain_asked == asked || is_part(name, asked))).then_some(true)
}

/// Whether `name` may be an internal name of a function: `__memcpy_avx_unaligned` of `memcpy`.
fn is_alias(name: &str, asked: &str) -> bool {
    let asked = asked.trim_start_matches('_');
    name.starts_with("__") && !asked.is_empty() && name.contains(asked)
}

/// Whether whole components of `name`, with their arguments, are what is asked for.
fn is_part(name: &str, asked: &str) -> bool {
    name.match_indices(asked).any(|(at, found)| {
        let before = name.get(..at).unwrap_or_default();
        let after = name.get(at + found.len()..).unwrap_or_default();
        let is_begin = before.is_empty() || before.ends_with("::") || before.ends_with(' ');
        is_begin && !before.contains(['<', '(']) && (after.is_empty() || after.starts_with('('))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_without_what_qualifies_it() {
        for (name, asked) in [
            ("walk", "walk"),
            ("shop::Cart::total(int) const", "total"),
            ("shop::Cart::total(int) const", "Cart::total"),
            ("Foo<int>::bar", "bar"),
            ("Foo<int>::bar", "Foo::bar"),
            ("ns::Foo<int>::bar(char)", "Foo<int>::bar"),
            ("(anonymous namespace)::parse(int)", "parse"),
            ("walk.cold", "walk"),
        ] {
            assert_eq!(is_function(name, asked), Some(true), "{name}, {asked}");
        }
    }

    #[test]
    fn another_function_is_distinct_from_one_that_may_be_it() {
        for (name, asked, is_it) in [
            ("walker", "walk", Some(false)),
            ("Foo<int>::bar", "Foo", Some(false)),
            ("Foo<char>::bar", "Foo<int>::bar", None),
            ("take(int)", "take(char)", None),
            ("bar", "Foo::bar", None),
            ("Other::bar", "Foo::bar", None),
            ("__memcpy_avx_unaligned_erms", "memcpy", None),
            ("walk", " ", None),
        ] {
            assert_eq!(is_function(name, asked), is_it, "{name}, {asked}");
        }
    }
}
