//! The words that tables hold for a confidence.

use obit_report::Confidence;

const WORDS: [(Confidence, &str); 3] =
    [(Confidence::Guess, "guess"), (Confidence::Likely, "likely"), (Confidence::Proved, "proved")];

pub(crate) fn confidence_word(confidence: Confidence) -> &'static str {
    WORDS.into_iter().find(|(known, _)| *known == confidence).map_or("", |(_, word)| word)
}

/// `None` where a newer obit wrote another word.
pub(super) fn confidence_named(word: &[u8]) -> Option<Confidence> {
    let named = WORDS.into_iter().find(|(_, known)| known.as_bytes() == word);
    named.map(|(confidence, _)| confidence)
}
