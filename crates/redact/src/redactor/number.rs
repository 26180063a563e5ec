//! Numbers of the machine that may be a piece of a text: registers, pointers, integers.

use super::Redactor;
use crate::kind::Kind;
use crate::log::Reason;
use crate::memory::is_card;
use crate::policy::{Level, Origin};
use crate::shown::Shown;
use crate::text_in_numbers;

impl Redactor {
    /// What stands for a register, an address or another word of memory: itself, or
    /// letters `x` if it spells text, since a piece of a text cannot be judged.
    pub fn show_word(&mut self, word: u64) -> u64 {
        if self.level == Level::Off {
            return word;
        }
        let reason = match self.remembered.has_number(word) {
            true => Reason::Known,
            false if is_card(word) => Reason::Content,
            false if text_in_numbers::is_text(word) => Reason::Piece,
            false => return word,
        };
        if self.is_mapped(word) || reason == Reason::Piece && self.is_near_a_mapping(word) {
            return word;
        }
        self.begin(None);
        self.hidden(Kind::Text, &word.to_string(), reason);
        text_in_numbers::masked(word)
    }

    /// The token for a number of eight bytes that are all letters: a part of a text that was
    /// read as a number. `None` if it may be shown.
    pub fn hide_spelled(&mut self, word: u64) -> Option<Shown> {
        if self.level == Level::Off || !text_in_numbers::is_whole_text(word) || self.is_mapped(word)
        {
            return None;
        }
        self.begin(None);
        Some(Shown::new(self.hidden(Kind::Text, &word.to_string(), Reason::Piece)))
    }

    /// What may leave of a piece of a longer text that no one knows. What says nothing, as
    /// `AAAAAAAA`, is shown.
    pub fn show_piece(&mut self, text: &str) -> Shown {
        match self.level {
            Level::Default if !text_in_numbers::is_dull(text.as_bytes()) => {
                self.begin(Some(Origin::VariableText));
                Shown::new(self.hidden(Kind::Text, text, Reason::Piece))
            }
            _ => self.show(Origin::VariableText, text),
        }
    }

    /// `text` but for the numbers in it that spell text.
    pub(super) fn without_words(&mut self, text: Shown) -> Shown {
        let numbers = text_in_numbers::numbers(text.as_str());
        let mut shown = String::new();
        let mut done = 0;
        for (range, number) in numbers {
            let is_known = self.remembered.has_number(number);
            let is_piece = || text_in_numbers::is_text(number) && !self.is_near_a_mapping(number);
            if !(is_known || is_piece()) || self.is_mapped(number) {
                continue;
            }
            shown.push_str(text.as_str().get(done..range.start).unwrap_or_default());
            shown.push_str(&self.hidden(Kind::Text, &number.to_string(), Reason::Piece));
            done = range.end;
        }
        if done == 0 {
            return text;
        }
        shown.push_str(text.as_str().get(done..).unwrap_or_default());
        Shown::new(shown)
    }

    /// Whether the upper half of a large number is that of an address of the process: a text would
    /// have it once in 65,536 times.
    fn is_near_a_mapping(&self, word: u64) -> bool {
        const HALF: u64 = 1 << 32;
        let first = word & !(HALF - 1);
        let last = first | (HALF - 1);
        let after = self.mapped.partition_point(|(start, _)| *start <= last);
        let before = after.checked_sub(1).and_then(|at| self.mapped.get(at));
        word >= HALF && before.is_some_and(|(_, end)| first <= *end)
    }

    fn is_mapped(&self, word: u64) -> bool {
        let after = self.mapped.partition_point(|(first, _)| *first <= word);
        let before = after.checked_sub(1).and_then(|at| self.mapped.get(at));
        before.is_some_and(|(_, last)| word <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(level: Level) -> Redactor {
        Redactor::new(level, "obit-0123")
    }

    #[test]
    fn an_address_that_leads_out_of_a_mapping_is_no_text() {
        let mut redactor = at(Level::Default).with_mapped([(0x563f_3c39_1000, 0x563f_3c39_2fff)]);
        let near = u64::from_le_bytes(*b"@,i7?V\0\0");
        assert!(text_in_numbers::is_text(near) && near >> 32 == 0x563f);
        assert_eq!(redactor.show_word(near), near);
        let shown = redactor.show(Origin::OwnWords, &format!("writing at {near:#x}"));
        assert_eq!(shown.as_str(), format!("writing at {near:#x}"));
        let far = u64::from_le_bytes(*b"@,i7@V\0\0");
        assert_eq!(redactor.show_word(far), 0x7878_7878_7878_7878);
    }

    #[test]
    fn words_that_spell_text_are_hidden_unless_something_is_mapped_there() {
        let word = u64::from_le_bytes(*b"hunter22");
        let mut redactor = at(Level::Default);
        assert_eq!(redactor.show_word(word), 0x7878_7878_7878_7878);
        assert_eq!(redactor.show_word(0x7fff_ffff_e180), 0x7fff_ffff_e180);
        assert_ne!(redactor.show_word(4_929_804_463_622_139), 4_929_804_463_622_139);
        assert!(redactor.hide_spelled(word).is_some());
        let text = format!("rax = {word:#x}; 0x10");
        for origin in [Origin::OwnWords, Origin::Code] {
            let shown = redactor.show(origin, &text);
            assert_eq!(shown.as_str(), "rax = <text>; 0x10");
        }
        let mut mapped = at(Level::Default).with_mapped([(word - 8, word + 8), (0, 16)]);
        assert_eq!(mapped.show_word(word), word);
        assert_eq!(mapped.show(Origin::Code, &text).as_str(), text);
        assert_eq!(at(Level::Off).show_word(word), word);
    }

    #[test]
    fn a_piece_of_a_text_is_hidden_unless_it_says_nothing() {
        let mut redactor = at(Level::Default);
        assert_eq!(redactor.show_piece("hunter22").as_str(), "<text>");
        assert_eq!(redactor.show_piece("AAAAAAAA").as_str(), "AAAAAAAA");
        assert_eq!(at(Level::Off).show_piece("hunter22").as_str(), "hunter22");
    }
}
