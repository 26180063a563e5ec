//! What the runtime calls the reasons for which goroutines wait: its own table
//! (`waitReasonStrings` in `runtime/runtime2.go`), which differs from version to version.

use obit_corefile::addr::Avma;

use super::image::GoImage;
use crate::WaitKind;

/// The second reason of all versions; the first has no text.
const SECOND: &str = "GC assist marking";
/// Places of each section that look like the table and are read.
const CANDIDATES: usize = 16;
/// Reasons that are read, and the longest text of one.
const MOST: usize = 128;
const LONGEST: u64 = 64;

impl GoImage<'_> {
    /// The texts by the number of the reason; empty where the table is not found.
    pub(super) fn wait_reasons(&self) -> Vec<String> {
        if let Some(start) = self.symbol("runtime.waitReasonStrings") {
            let memory = &self.process.memory;
            let bytes = memory.read_up_to(start, MOST.saturating_mul(16));
            let words: Vec<u64> = bytes.chunks_exact(8).map(|word| memory.unsigned(word)).collect();
            return self.texts(&words).unwrap_or_default();
        }
        let mut found = Vec::new();
        for (_, words) in self.words() {
            let places = words.windows(4).enumerate().filter(|(_, window)| {
                matches!(**window, [_, 0, text, length]
                    if length == SECOND.len() as u64 && text != 0)
            });
            let places = places.take(CANDIDATES);
            found.extend(places.filter_map(|(at, _)| self.texts(words.get(at..)?)));
        }
        match found.as_mut_slice() {
            [one] => std::mem::take(one),
            _ => Vec::new(),
        }
    }

    /// The texts of a table that begins with `words`: it ends where no text is.
    fn texts(&self, words: &[u64]) -> Option<Vec<String>> {
        let mut texts = vec![String::new()];
        for pair in words.chunks_exact(2).take(MOST).skip(1) {
            let [text, length] = *pair else { break };
            let Some(text) = self.text(text, length) else { break };
            texts.push(text);
        }
        (texts.get(1).map(String::as_str) == Some(SECOND)).then_some(texts)
    }

    fn text(&self, at: u64, length: u64) -> Option<String> {
        let length = usize::try_from(length).ok().filter(|_| (1..=LONGEST).contains(&length))?;
        let bytes = self.process.memory.read_up_to(Avma(at), length);
        let is_plain =
            bytes.len() == length && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        is_plain.then(|| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What is waited for, by the runtime's name of it and by the functions that wait: up to Go 1.20
/// all of package `sync` is called `semacquire`.
pub(super) fn kind<'f>(reason: &str, mut functions: impl Iterator<Item = &'f str>) -> WaitKind {
    match reason {
        "sleep" => WaitKind::Timer,
        "IO wait" => WaitKind::Io,
        "sync.Cond.Wait" => WaitKind::Notification,
        "semacquire" => {
            match functions.find_map(|name| name.strip_prefix("sync.(*")?.split(')').next()) {
                Some("WaitGroup") => WaitKind::Join,
                _ => WaitKind::Lock,
            }
        }
        _ if reason.starts_with("chan receive") => WaitKind::Receive,
        _ if reason.starts_with("chan send") => WaitKind::Send,
        _ if reason.starts_with("select") => WaitKind::Select,
        _ if reason.starts_with("sync.WaitGroup.") => WaitKind::Join,
        _ if reason.starts_with("sync.") => WaitKind::Lock,
        _ => WaitKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_at_a_semaphore_is_known_by_the_functions() {
        let of = |reason, functions: &[&'static str]| kind(reason, functions.iter().copied());
        let group = ["runtime.gopark", "sync.runtime_Semacquire", "sync.(*WaitGroup).Wait"];
        assert_eq!(of("semacquire", &group), WaitKind::Join);
        let mutex = ["sync.runtime_SemacquireMutex", "sync.(*Mutex).lockSlow"];
        assert_eq!(of("semacquire", &mutex), WaitKind::Lock);
        assert_eq!(of("sync.RWMutex.RLock", &[]), WaitKind::Lock);
        assert_eq!(of("sync.WaitGroup.Wait", &[]), WaitKind::Join);
        assert_eq!(of("chan receive (nil chan)", &[]), WaitKind::Receive);
        assert_eq!(of("select (no cases)", &[]), WaitKind::Select);
        assert_eq!(of("GC worker (idle)", &[]), WaitKind::Other);
    }
}
