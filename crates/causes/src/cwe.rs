//! The entries of the Common Weakness Enumeration that classes refer to.

/// Number and name, as <https://cwe.mitre.org/> has them.
const ENTRIES: [(u32, &str); 18] = [
    (119, "Improper Restriction of Operations within the Bounds of a Memory Buffer"),
    (120, "Buffer Copy without Checking Size of Input ('Classic Buffer Overflow')"),
    (121, "Stack-based Buffer Overflow"),
    (122, "Heap-based Buffer Overflow"),
    (125, "Out-of-bounds Read"),
    (190, "Integer Overflow or Wraparound"),
    (248, "Uncaught Exception"),
    (369, "Divide By Zero"),
    (415, "Double Free"),
    (416, "Use After Free"),
    (476, "NULL Pointer Dereference"),
    (590, "Free of Memory not on the Heap"),
    (617, "Reachable Assertion"),
    (674, "Uncontrolled Recursion"),
    (761, "Free of Pointer not at Start of Buffer"),
    (770, "Allocation of Resources Without Limits or Throttling"),
    (787, "Out-of-bounds Write"),
    (833, "Deadlock"),
];

/// The name of entry `number`, if some class refers to it.
pub fn cwe_name(number: u32) -> Option<&'static str> {
    ENTRIES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CauseClass;

    #[test]
    fn every_number_of_a_class_has_a_name_and_every_entry_a_class() {
        let used: Vec<u32> =
            CauseClass::ALL.iter().flat_map(|class| class.cwe()).copied().collect();
        for number in &used {
            assert!(cwe_name(*number).is_some(), "CWE-{number}");
        }
        for (number, _) in ENTRIES {
            assert!(used.contains(&number), "CWE-{number}");
        }
    }
}
