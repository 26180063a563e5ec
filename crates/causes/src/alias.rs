//! Former names of classes. Records, commands and CI files that use one keep working.

/// Former names of classes, each with the current one.
pub const FORMER_NAMES: [(&str, &str); 9] = [
    ("wild-read", "unmapped-read"),
    ("wild-write", "unmapped-write"),
    ("wild-access", "unmapped-access"),
    ("wild-call", "wild-jump"),
    ("forbidden-write", "write-protected"),
    ("forbidden-read", "read-protected"),
    ("forbidden-execute", "execute-protected"),
    ("beyond-file", "mapped-file-truncated"),
    ("signal-from-outside", "external-signal"),
];

/// The current name of the class called `name`, which may be a former one; any other text is
/// given back unchanged.
pub fn current_name(name: &str) -> &str {
    FORMER_NAMES.iter().find(|(former, _)| *former == name).map_or(name, |(_, current)| current)
}

/// The names that the class called `name` once had.
pub fn former_names(name: &str) -> impl Iterator<Item = &'static str> {
    FORMER_NAMES.iter().filter(move |(_, current)| **current == *name).map(|(former, _)| *former)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CauseClass;

    #[test]
    fn every_former_name_leads_to_a_class_and_is_no_class_itself() {
        for (former, current) in FORMER_NAMES {
            assert!(CauseClass::ALL.iter().any(|class| class.word() == current), "{current}");
            assert!(CauseClass::ALL.iter().all(|class| class.word() != former), "{former}");
            assert_eq!(CauseClass::named(former), CauseClass::named(current));
            assert_eq!(former_names(current).collect::<Vec<_>>(), [former]);
        }
    }

    #[test]
    fn a_name_that_is_not_a_former_one_is_kept() {
        assert_eq!(current_name("null-read"), "null-read");
        assert_eq!(current_name("a class of a later version"), "a class of a later version");
        assert_eq!(former_names("null-read").count(), 0);
    }
}
