//! Functions of standard containers and smart pointers that only find an element, by their names.

/// Whether a function only returns the element of a standard container or pointer.
pub(super) fn is_accessor(function: &str) -> bool {
    method_of(function).is_some()
}

/// The method's name, if it is one of a standard container or pointer that only returns
/// its element.
pub(super) fn method_of(function: &str) -> Option<&'static str> {
    const METHODS: [&str; 8] =
        ["operator[]", "at", "operator*", "operator->", "get", "front", "back", "data"];
    if !function.starts_with("std::") {
        return None;
    }
    METHODS
        .into_iter()
        .find(|method| without_parameters(function).ends_with(&format!("::{method}")))
}

/// Whether the only parameter of `function` is an integer: `f(unsigned long) const`.
pub(super) fn is_indexed_by_number(function: &str) -> bool {
    let parameters = function.strip_prefix(without_parameters(function)).unwrap_or_default();
    let parameters = parameters.strip_prefix('(').unwrap_or_default();
    let parameter = parameters.split(')').next().unwrap_or_default();
    let words = ["unsigned", "signed", "long", "int", "short", "size_t"];
    !parameter.is_empty()
        && parameter.split(' ').all(|word| words.contains(&word.trim_start_matches("std::")))
}

/// `a<b(c)>::f` for `a<b(c)>::f(d) const`. What is in brackets after a dot is the receiver of a
/// method of Go's: `main.(*T).f`.
fn without_parameters(function: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in function.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth == 1 => {
                let name = function.get(..at).unwrap_or(function);
                return if name.ends_with('.') { function } else { name };
            }
            '(' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    function
}

/// `find(…)` for a call of `find(int)`.
pub(crate) fn call_of(function: &str) -> String {
    let name = without_parameters(function);
    format!("{name}(\u{2026})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_finds_an_element_is_known_by_its_name() {
        let get = "std::unique_ptr<Config, std::default_delete<Config> >::operator->() const";
        assert_eq!(method_of(get), Some("operator->"));
        assert_eq!(method_of("std::vector<int>::at(unsigned long)"), Some("at"));
        assert_eq!(method_of("shop::vector<int>::at(unsigned long)"), None);
        assert_eq!(method_of("std::vector<int>::size() const"), None);
    }

    #[test]
    fn keys_of_maps_are_no_numbers_of_elements() {
        assert!(is_indexed_by_number("std::vector<int>::operator[](unsigned long) const"));
        assert!(is_indexed_by_number("std::vector<int>::at(std::size_t)"));
        assert!(!is_indexed_by_number("std::map<K, V>::operator[](K const&)"));
    }

    #[test]
    fn a_call_is_written_without_the_types_of_its_parameters() {
        assert_eq!(call_of("find(int)"), "find(\u{2026})");
        assert_eq!(call_of("f<int (char)>::g(long) const"), "f<int (char)>::g(\u{2026})");
        assert_eq!(call_of("main.(*T).find"), "main.(*T).find(\u{2026})");
    }
}
