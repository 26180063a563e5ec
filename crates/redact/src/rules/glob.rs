//! What names and types a rule means.

/// Whether `glob` means the value of this name: all of it, one of the names on the way to it
/// (`db` of `config.db.password`), or the way to what it is a part of (`config.db`).
pub(super) fn fits_name(glob: &str, name: &str) -> bool {
    if fits(glob, name) {
        return true;
    }
    let mut end = 0;
    while let Some(start) = name.get(end..).and_then(|rest| rest.find(is_of_name)) {
        let start = end + start;
        let rest = name.get(start..).unwrap_or_default();
        end = start + rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let (part, way) = (name.get(start..end), name.get(..end));
        if [part, way].into_iter().flatten().any(|name| fits(glob, name)) {
            return true;
        }
    }
    false
}

/// Whether a name is a way from a variable to a part of it: `config.db->hosts[3]`. In other
/// expressions a name need not be that of what is shown.
pub(super) fn is_way(name: &str) -> bool {
    name.replace("->", ".").chars().all(|c| is_of_name(c) || matches!(c, '.' | '[' | ']'))
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | ':' | '~')
}

/// Whether `glob` means this type: as it is written in the report, or without what a
/// declaration adds to it (`const`, `struct`, `&`). C's own types are in `std`, too.
pub(super) fn fits_type(glob: &str, type_name: &str) -> bool {
    if fits(glob, type_name) {
        return true;
    }
    let plain = plain(type_name);
    fits(without_words(glob), plain) || (!plain.contains("::") && is_of_std(glob, plain))
}

fn is_of_std(glob: &str, plain: &str) -> bool {
    glob.strip_prefix("std::").is_some_and(|glob| fits(glob, plain))
}

/// Words and signs that say how a type is used.
const WORDS: [&str; 6] = ["const ", "volatile ", "struct ", "class ", "union ", "enum "];
const ENDS: [&str; 3] = [" const", " volatile", "&"];

fn plain(mut name: &str) -> &str {
    loop {
        let before = name.len();
        name = without_words(name);
        name = ENDS.iter().fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
        name = name.trim();
        if name.len() == before {
            return name;
        }
    }
}

fn without_words(name: &str) -> &str {
    WORDS.iter().fold(name, |name, word| name.strip_prefix(word).unwrap_or(name))
}

/// Whether `text` is as `glob` says, in any case of letters: `*` is any text, `?` any
/// character. The last `*` is the only one that is gone back to.
pub(super) fn fits(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while let Some(byte) = text.get(place) {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((behind, from)) = star else { return false };
                star = Some((behind, from + 1));
                at = behind + 1;
                place = from + 1;
            }
        }
    }
    glob.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("*pin*", "userPin") && fits("a*b*c", "aXbYbZc") && fits("?", "x"));
        assert!(!fits("pin", "pins") && !fits("a*b", "a") && !fits("", "x"));
    }

    #[test]
    fn a_name_means_a_variable_its_parts_and_what_is_in_them() {
        for glob in ["config", "db", "password", "config.db", "*.db.*", "config.db.password"] {
            assert!(fits_name(glob, "config.db.password"), "{glob}");
        }
        for glob in ["conf", "db.password", "word", "config.password"] {
            assert!(!fits_name(glob, "config.db.password"), "{glob}");
        }
        assert!(fits_name("secret", "(*secret)[2] + 1") && fits_name("hosts", "c->hosts[3]"));
        assert!(is_way("c->db.hosts[3]") && !is_way("hosts ? secret : 0"));
    }

    #[test]
    fn a_type_is_meant_however_it_is_declared() {
        for (glob, name) in [
            ("tm", "struct tm"),
            ("std::tm", "tm"),
            ("std::tm", "const struct tm"),
            ("struct tm", "tm"),
            ("acme::Sealed<*>", "const acme::Sealed<int> &"),
            ("acme::Sealed<*>", "acme::Sealed<acme::Id>"),
            ("bool", "bool"),
            ("char *", "char *"),
        ] {
            assert!(fits_type(glob, name), "{glob} {name}");
        }
        for (glob, name) in [("std::tm", "acme::tm"), ("tm", "tm *"), ("Sealed", "acme::Sealed")] {
            assert!(!fits_type(glob, name), "{glob} {name}");
        }
    }
}
