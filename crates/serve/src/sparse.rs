//! Entries of the audit log that clients can cause as often as they like: so many are written
//! that the log stays readable and small, and each says how many were not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::rate::{Allowance, Rate};

/// Things whose entries are counted apart.
const MOST: usize = 4_096;

/// Which of many alike entries are written.
#[derive(Debug)]
pub(crate) struct Sparse {
    written: Rate,
    left_out: Mutex<HashMap<String, u64>>,
}

impl Sparse {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { written: Rate::new(Some(allowance)), left_out: Mutex::default() }
    }

    /// The detail of an entry on `what`; `None` if there are too many, then it is counted.
    pub(crate) fn detail(&self, what: &str) -> Option<String> {
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if self.written.take(what).is_err() {
            if left_out.len() < MOST || left_out.contains_key(what) {
                let count = left_out.entry(what.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
            return None;
        }
        Some(match left_out.remove(what) {
            Some(count) => format!("and {count} before that are not in the log"),
            None => String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_bounded_and_say_how_many_there_are_not() {
        let sparse = Sparse::new(Allowance { per_second: 20.0, at_once: 2.0 });
        let all: Vec<_> = (0..5).map(|_| sparse.detail("a")).collect();
        assert_eq!(all, [Some(String::new()), Some(String::new()), None, None, None]);
        assert_eq!(sparse.detail("b"), Some(String::new()));
        std::thread::sleep(std::time::Duration::from_millis(80));
        assert_eq!(sparse.detail("a").unwrap(), "and 3 before that are not in the log");
    }
}
