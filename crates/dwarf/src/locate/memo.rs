//! Answers that are worked out once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Remembers one answer per question. Bounded by the number of questions, which the
/// modules of a core limit. Two threads with one question do the work once; two with
/// different ones do not wait for each other.
#[derive(Debug)]
pub(super) struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// The answer to `question`, by `work` if it was never asked.
    pub(super) fn get(&self, question: K, work: impl FnOnce() -> V) -> V {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = Arc::clone(known.entry(question).or_default());
        drop(known);
        answer.get_or_init(work).clone()
    }
}
