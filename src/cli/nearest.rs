//! The word that was probably meant.

use strsim::osa_distance;

/// The nearest of `words` to what was typed; `None` if none is near enough to be meant.
///
/// One slip in three letters is near: `traige`, `--jsn`, `nul-read`. So is the beginning of
/// a word, from three letters on, if only one word begins so.
pub(crate) fn nearest<'w>(typed: &str, words: &[&'w str]) -> Option<&'w str> {
    /// A longer one is no slip of a word of ours.
    const LONGEST: usize = 64;
    let length = typed.chars().count();
    if length > LONGEST {
        return None;
    }
    let slips = (length / 3).max(1);
    let near = words.iter().map(|word| (osa_distance(typed, word), *word));
    let near = near.filter(|(distance, _)| *distance <= slips && *distance < length);
    if let Some((_, word)) = near.min() {
        return Some(word);
    }
    let mut begun = words.iter().filter(|word| length >= 3 && word.starts_with(typed));
    begun.next().copied().filter(|_| begun.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_corrected_and_another_word_is_left_alone() {
        let words = ["analyze", "top", "triage", "diff", "digest", "signature"];
        for (typed, meant) in [
            ("traige", "triage"),
            ("dif", "diff"),
            ("tpo", "top"),
            ("analyse", "analyze"),
            ("sig", "signature"),
            ("triages", "triage"),
        ] {
            assert_eq!(nearest(typed, &words), Some(meant), "{typed}");
        }
        for typed in ["core", "server", "di", "", "x", "vmcore"] {
            assert_eq!(nearest(typed, &words), None, "{typed}");
        }
    }
}
