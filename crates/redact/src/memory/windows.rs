//! Parts of texts, and where they are again.

use std::collections::HashSet;

use super::mask::MASK;
use super::printable::{is_printable, printable_runs};

/// Bytes of a window, and of the shortest text that is looked for.
const SHORTEST: usize = 6;
/// Windows of which no more are kept, so that hostile input costs no more.
const MOST: usize = 1 << 23;

type Window = [u8; SHORTEST];

/// All parts of six bytes of some texts, in 8-bit characters.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    all: HashSet<Window>,
}

impl Windows {
    /// Adds the texts in `bytes`, but for filling: blanks, and what masks are made of.
    pub fn add(&mut self, bytes: &[u8]) {
        let runs = printable_runs(bytes, SHORTEST);
        for window in runs.flat_map(|(_, run)| run.windows(SHORTEST)) {
            let as_many =
                |one: &u8| window.iter().filter(|byte| *byte == one || **byte == MASK).count();
            let is_filling = window.iter().any(|one| as_many(one) + 2 >= SHORTEST);
            if !is_filling
                && self.all.len() < MOST
                && let Ok(window) = Window::try_from(window)
            {
                self.all.insert(window);
            }
        }
    }

    /// Adds the texts in `bytes` in 8-bit characters and in UTF-16 of either alignment.
    pub fn add_all(&mut self, bytes: &[u8]) {
        self.add(bytes);
        for phase in [0, 1] {
            self.add(&narrowed(bytes, phase));
        }
    }

    /// Adds the text of `was` that is not the same in `is`.
    pub fn add_masked(&mut self, was: &[u8], is: &[u8]) {
        let differs = |at: usize| was.get(at) != is.get(at);
        let mut at = 0;
        while at < was.len() {
            let is_masked =
                |at: &usize| was.get(*at).is_some_and(|b| is_printable(*b)) && differs(*at);
            let length = (at..was.len()).take_while(is_masked).count();
            if length >= SHORTEST {
                self.add(was.get(at..at + length).unwrap_or(&[]));
            }
            at += length.max(1);
        }
    }

    /// The same in 8-bit characters and in UTF-16 of either alignment.
    pub fn add_all_masked(&mut self, was: &[u8], is: &[u8]) {
        self.add_masked(was, is);
        for phase in [0, 1] {
            self.add_masked(&narrowed(was, phase), &narrowed(is, phase));
        }
    }

    /// Takes away what is in `others`.
    pub fn remove(&mut self, others: &Self) {
        self.all.retain(|window| !others.all.contains(window));
    }

    /// Calls `found` with offset and length (bytes) of each window that is in `bytes`, in
    /// 8-bit characters first, then in UTF-16 of either alignment.
    pub fn find(&self, bytes: &[u8], mut found: impl FnMut(usize, usize)) {
        for (at, window) in windows(bytes) {
            if self.holds(window) {
                found(at, SHORTEST);
            }
        }
        for phase in [0, 1] {
            for (at, window) in windows(&narrowed(bytes, phase)) {
                if self.holds(window) {
                    found(phase + 2 * at, 2 * SHORTEST);
                }
            }
        }
    }

    fn holds(&self, window: &[u8]) -> bool {
        Window::try_from(window).is_ok_and(|window| self.all.contains(&window))
    }
}

/// Windows of printable characters, each with its offset.
fn windows(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    printable_runs(bytes, SHORTEST).flat_map(|(start, run)| {
        run.windows(SHORTEST).enumerate().map(move |(at, window)| (start + at, window))
    })
}

/// The characters of UTF-16 text that are ASCII, zero for any other.
fn narrowed(bytes: &[u8], phase: usize) -> Vec<u8> {
    let pairs = bytes.get(phase..).unwrap_or(&[]).chunks_exact(2);
    pairs.map(|pair| if let [byte, 0] = pair { *byte } else { 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(windows: &Windows, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        windows.find(bytes, |at, length| all.push((at, length)));
        all
    }

    #[test]
    fn a_text_is_found_in_8_bits_and_in_utf_16() {
        let mut windows = Windows::default();
        windows.add(b"geheim");
        assert_eq!(found(&windows, b"\0\0geheim."), [(2, 6)]);
        let wide: Vec<u8> = "!geheim".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(found(&windows, &wide), [(2, 12)]);
        assert_eq!(found(&windows, &[&b"\0"[..], &wide].concat()), [(3, 12)]);
        assert_eq!(found(&windows, b"gehei\0m"), []);
    }

    #[test]
    fn only_text_that_was_masked_is_added_and_filling_is_not() {
        let mut windows = Windows::default();
        windows.add_all_masked(b"ada@sample1.org kept kept", b"xxxxxxxxxxxxxxx kept kept");
        windows.add_all_masked(b"       xxxxxxxx", &[0; 15]);
        assert_eq!(found(&windows, b"kept kept"), []);
        assert_eq!(found(&windows, b"sample1"), [(0, 6), (1, 6)]);
        assert_eq!(found(&windows, b"       xxxxxxxx"), []);
        let mut public = Windows::default();
        public.add(b"sample1.org");
        windows.remove(&public);
        assert_eq!(found(&windows, b"sample1"), []);
    }
}
