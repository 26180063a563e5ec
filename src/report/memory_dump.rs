//! Memory as `obit print CORE 'x/…'` shows it. The text of the variable that was asked for is
//! judged as its value is, any other text as a piece of something unknown; a unit that holds
//! a part of what may not be shown is masked.

use std::ops::Range;

use super::answer::{MemoryDump, MemoryRow};
use super::code::Code;
use super::values::Whose;
use super::{Flavor, Hex};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_disassembly::disassemble;
use obit_process::print::{Examined, MOST_LINES, Row, Subject, Unit, UnitFormat, UnitText};
use obit_process::process::Process;
use obit_process::value::Text;
use obit_redact::{Level, Named, Origin, Redactor, Shown, Whole};

/// Bytes before and after what is shown that may be of the same text.
const AROUND: u64 = 256;
/// Letters in a row that are looked at as text. Numbers have fewer.
const LEAST_TEXT: usize = 5;
/// Bytes in a row that look like chance and may be a key.
const RANDOM: u64 = 16;
/// The longest instruction of any machine, in bytes.
const LONGEST_INSTRUCTION: u64 = 16;
/// Bytes of one value that are looked at.
const LARGEST_VALUE: usize = 256;
/// What stands for a unit that may not be shown.
const HIDDEN: &str = "<redacted>";

/// Shows memory.
pub(super) struct Dumper<'d, 'p> {
    pub(super) process: &'p Process,
    pub(super) redactor: &'d mut Redactor,
    /// Where the frame goes on.
    pub(super) pc: Option<Avma>,
    /// Whose variables the names are, for rules that ask for it.
    pub(super) whose: Whose<'d>,
}

impl Dumper<'_, '_> {
    /// What `text` asked for.
    pub(super) fn dump(
        &mut self,
        text: &str,
        expression: Shown,
        examined: &Examined,
    ) -> MemoryDump {
        if examined.how.format == UnitFormat::Instruction {
            return self.instructions(expression, examined);
        }
        if let Some(token) = self.denied(text) {
            return hidden(expression, examined, &token);
        }
        let name = if is_named(text) { variable_in(text) } else { "" };
        let is_start = is_path(operand(text));
        let secret = self.secret_bytes(examined, name, is_start);
        // The name is that of the first string.
        let rows = examined.rows.iter().enumerate().map(|(index, row)| {
            let name = if index == 0 { name } else { "" };
            self.row(row, &secret, name, examined.subject, is_start)
        });
        let rows = rows.collect();
        MemoryDump { expression, rows, omitted: examined.omitted }
    }

    /// The token of memory that a rule of the user's hides by a name in the question.
    fn denied(&mut self, text: &str) -> Option<Shown> {
        let Whose { function, module, .. } = self.whose;
        let named = Named { name: operand(text).trim(), type_name: None, function, module };
        match self.redactor.judge(&named, &[]) {
            Whole::Hidden(token, _) => Some(token),
            _ => None,
        }
    }

    fn row(
        &mut self,
        row: &Row,
        secret: &[(u64, u64)],
        name: &str,
        subject: Subject,
        is_start: bool,
    ) -> MemoryRow {
        let mut shown = MemoryRow {
            address: Hex(self.redactor.show_word(row.at.0)),
            symbol: row.symbol.as_deref().map(|name| self.redactor.show(Origin::SymbolName, name)),
            ..MemoryRow::default()
        };
        for unit in &row.units {
            match &unit.text {
                UnitText::Number(text) => {
                    let is_secret = self.is_secret(unit, secret, name);
                    shown.values.push(match is_secret {
                        true => Shown::own(HIDDEN),
                        false => self.redactor.show(Origin::SymbolName, text),
                    });
                }
                UnitText::Text(text) => {
                    shown.text =
                        Some(match is_start || !self.is_end_of_hidden(row.at, &text.text) {
                            true => self.string(text, name, subject),
                            false => Shown::own(HIDDEN),
                        });
                    shown.text_cut = text.left_out != Some(0);
                }
            }
        }
        // The reason names the address, which may be a number that is hidden.
        let is_address_shown = shown.address == Hex(row.at.0);
        let absent = row.absent.as_ref().map(|why| match is_address_shown {
            true => why.to_string(),
            false => "memory at this address is not available".to_owned(),
        });
        shown.unavailable = absent.map(|why| self.redactor.show(Origin::OwnWords, &why));
        shown
    }

    fn string(&mut self, text: &Text, name: &str, subject: Subject) -> Shown {
        let named = Named { name, ..Named::default() };
        match text.left_out {
            // Of which member is not known.
            _ if subject == Subject::Record && text.text.len() >= LEAST_TEXT => {
                self.redactor.show_piece(&text.text)
            }
            Some(_) => self.redactor.show_value(Origin::VariableText, &named, &text.text),
            // It ends where memory does, or its end is not known.
            None => self.redactor.show_part(Origin::VariableText, &named, &text.text),
        }
    }

    /// Whether `text`, which is at `at`, is the end of a longer text that does not show it.
    fn is_end_of_hidden(&mut self, at: Avma, text: &str) -> bool {
        if self.redactor.level() == Level::Off || text.is_empty() {
            return false;
        }
        let (bytes, from) = self.around(at.0, at.0);
        let before = usize::try_from(at.0.saturating_sub(from)).unwrap_or(0);
        let before = bytes.get(..before).unwrap_or_default();
        let letters = before.iter().rev().take_while(|byte| matches!(**byte, 0x20..=0x7e)).count();
        let start = before.get(before.len().saturating_sub(letters)..).unwrap_or_default();
        if start.is_empty() {
            return false;
        }
        let whole = format!("{}{text}", String::from_utf8_lossy(start));
        !self.redactor.show_piece(&whole).as_str().ends_with(text)
    }

    /// Whether a unit has a byte of a text that may not be shown, spells one itself, or is a
    /// number that may not be shown.
    fn is_secret(&mut self, unit: &Unit, secret: &[(u64, u64)], name: &str) -> bool {
        if self.redactor.level() == Level::Off {
            return false;
        }
        let last = unit.at.0.saturating_add(unit.size.saturating_sub(1));
        if secret.iter().any(|(from, to)| *from <= last && unit.at.0 <= *to) {
            return true;
        }
        // What a pointer to a key points at is the key.
        if unit.size < 8 && self.redactor.names_key(name) {
            return true;
        }
        let named = Named { name, ..Named::default() };
        let is_word = unit.size == 8;
        if self.is_of_hidden_number(unit) {
            return true;
        }
        self.redactor.hide_number(&named, &unit.number.to_string()).is_some()
            || (is_word && self.redactor.show_word(unit.number) != unit.number)
    }

    /// Whether a unit has a part of a number of 4 or 8 bytes that is hidden elsewhere.
    fn is_of_hidden_number(&mut self, unit: &Unit) -> bool {
        let memory = &self.process.memory;
        let last = unit.at.0.saturating_add(unit.size.saturating_sub(1));
        for size in [4_u64, 8] {
            let mut at = unit.at.0 & !(size - 1);
            while at <= last {
                let bytes = memory.peek_up_to(Avma(at), usize::try_from(size).unwrap_or(8));
                if bytes.len() as u64 == size {
                    let number = memory.unsigned(&bytes);
                    // A pointer is no number of anyone.
                    let is_pointer = memory.region_at(Avma(number)).is_some();
                    let named = Named::default();
                    let digits = number.to_string();
                    if !is_pointer && self.redactor.hide_number(&named, &digits).is_some() {
                        return true;
                    }
                }
                at = at.saturating_add(size);
            }
        }
        false
    }

    /// The bytes of texts that may not be shown, as inclusive ranges of addresses. The texts
    /// are looked for a little before and after what is shown: of a part of one it is not
    /// known what it is.
    fn secret_bytes(&mut self, examined: &Examined, name: &str, is_start: bool) -> Vec<(u64, u64)> {
        let mut units = examined.rows.iter().flat_map(|row| &row.units);
        let last = units.rfind(|unit| matches!(unit.text, UnitText::Number(_)));
        let (Some(last), false) = (last, self.redactor.level() == Level::Off) else {
            return Vec::new();
        };
        let start = examined.start.0;
        let own = match examined.subject {
            Subject::Text { bytes } => start..start.saturating_add(bytes),
            Subject::Record | Subject::Other => start..start,
        };
        let (bytes, from) = self.around(start, last.at.0.saturating_add(last.size));
        self.secret_in(bytes, from, (own, is_start), name)
    }

    /// The bytes from `start` to `end` with some before and after, and where they begin.
    fn around(&self, start: u64, end: u64) -> (Vec<u8>, u64) {
        let memory = &self.process.memory;
        let before = (0..=AROUND).rev().step_by(32).find(|before| {
            let length = usize::try_from(*before).unwrap_or(0);
            let from = start.checked_sub(*before);
            from.is_some_and(|from| memory.read(Avma(from), &mut vec![0; length]).is_ok())
        });
        let from = start.saturating_sub(before.unwrap_or(0));
        let size = usize::try_from(end.saturating_add(AROUND).saturating_sub(from)).unwrap_or(0);
        (memory.read_up_to(Avma(from), size), from)
    }

    /// The same ranges among `bytes`, which are from address `from` on; `own` is the text that
    /// was asked for, and whether an object begins there.
    fn secret_in(
        &mut self,
        mut bytes: Vec<u8>,
        from: u64,
        (own, is_start): (Range<u64>, bool),
        name: &str,
    ) -> Vec<(u64, u64)> {
        let keys = self.redactor.key_ranges(&bytes).into_iter().map(|range| {
            let begin = from.saturating_add(range.start as u64);
            (begin, begin.saturating_add(range.len() as u64).saturating_sub(1))
        });
        let mut keys: Vec<_> = keys.collect();
        self.blank_pointers(&mut bytes, from, &own);
        if name.is_empty() {
            let word = self.process.memory.word();
            keys.extend(random_runs(&bytes, from, word));
        }
        // What is asked for begins and ends there, whatever lies beside it.
        let cut = |at: u64| usize::try_from(at.saturating_sub(from)).unwrap_or(usize::MAX);
        let (begin, end) = (cut(own.start).min(bytes.len()), cut(own.end).min(bytes.len()));
        let mut secret = keys;
        for range in [0..begin, begin..end, end..bytes.len()] {
            let is_own = range.start == begin && range.end == end;
            let part = bytes.get(range.clone()).unwrap_or_default();
            let at = from.saturating_add(range.start as u64);
            for (first, step) in [(0, 1), (0, 2), (1, 2)] {
                for (begin, text) in texts(part, first, step) {
                    if self.is_hidden(&text, is_own, name) {
                        let begin = at.saturating_add(begin as u64);
                        let length = (text.len() as u64).saturating_mul(step as u64);
                        secret.push((begin, begin.saturating_add(length).saturating_sub(1)));
                    }
                }
            }
        }
        // Where it begins may be within a text: it is judged as a whole, too.
        for (first, step) in [(0, 1), (0, 2), (1, 2)] {
            for (at, text) in texts(&bytes, first, step) {
                let length = (text.len() as u64).saturating_mul(step as u64);
                let at = from.saturating_add(at as u64);
                let after = at.saturating_add(length);
                if !is_start
                    && at < own.start
                    && own.start < after
                    && self.is_hidden(&text, false, "")
                {
                    secret.push((at, after.saturating_sub(1)));
                }
            }
        }
        secret
    }

    /// Whether a value in memory is of what may not be shown: of a text, in so far as it lies
    /// near. Where no type says what is there, any text counts as a piece of something unknown.
    pub(super) fn hides(&mut self, range: AvmaRange, is_computed: bool) -> bool {
        let memory = &self.process.memory;
        let size = usize::try_from(range.len()).unwrap_or(usize::MAX).min(LARGEST_VALUE);
        let value = memory.read_up_to(range.start, size);
        let has_letters = value.iter().any(|byte| !byte.is_ascii_control());
        if self.redactor.level() == Level::Off || !(has_letters || is_computed) {
            return false;
        }
        // Letter by letter a text is spelled.
        if is_computed && value.len() == 1 && has_letters {
            return true;
        }
        let (first, end) = (range.start.0, range.start.0.saturating_add(size as u64));
        let (mut bytes, from) = self.around(first, end);
        if is_computed {
            let secret = self.secret_in(bytes, from, (first..first, false), "");
            return secret.into_iter().any(|(begin, last)| begin < end && first <= last);
        }
        self.blank_pointers(&mut bytes, from, &(first..first));
        [(0, 1), (0, 2), (1, 2)].into_iter().any(|(start, step)| {
            texts(&bytes, start, step).into_iter().any(|(begin, text)| {
                let begin = from.saturating_add(begin as u64);
                let length = (text.len() as u64).saturating_mul(step as u64);
                let after = begin.saturating_add(length);
                // The last byte of a number may look like the first letter of the text behind.
                let is_of_text = match size {
                    ..=2 => begin < end && first < after,
                    _ => begin <= first && end <= after,
                };
                is_of_text && self.redactor.show(Origin::VariableText, &text).as_str() != text
            })
        })
    }

    /// Whether a text among the bytes may not be shown. What is the text of the variable that
    /// was asked for is judged as its value is; what else is there, as a piece of something
    /// unknown.
    fn is_hidden(&mut self, text: &str, is_own: bool, name: &str) -> bool {
        let shown = match is_own {
            true => {
                let named = Named { name, ..Named::default() };
                self.redactor.show_value(Origin::VariableText, &named, text)
            }
            false => self.redactor.show_piece(text),
        };
        shown.as_str() != text
    }

    /// Words that are addresses of mapped memory spell no text.
    fn blank_pointers(&self, bytes: &mut [u8], from: u64, own: &Range<u64>) {
        let memory = &self.process.memory;
        let size = memory.word();
        let skip = usize::try_from(from.wrapping_neg() % size as u64).unwrap_or(0);
        let words = bytes.get_mut(skip..).unwrap_or_default().chunks_exact_mut(size);
        let mut at = from.saturating_add(skip as u64);
        for word in words {
            let is_address = memory.region_at(Avma(memory.unsigned(word))).is_some();
            if is_address && !own.contains(&at) {
                word.fill(0);
            }
            at = at.saturating_add(size as u64);
        }
    }

    fn instructions(&mut self, expression: Shown, examined: &Examined) -> MemoryDump {
        let process = self.process;
        let count = examined.how.count.min(MOST_LINES);
        let size = usize::try_from(count.saturating_mul(LONGEST_INSTRUCTION)).unwrap_or(0);
        let mut bytes = process.memory.read_up_to(examined.start, size);
        let machine = process.dump.machine;
        let code = Code { process, flavor: Flavor::default() };
        let mut dump = MemoryDump { expression, ..MemoryDump::default() };
        if self.redactor.level() != Level::Off
            && let Some(region) = process.memory.region_at(examined.start)
        {
            // The numbers of instructions would spell what data is.
            if !region.permissions.execute {
                let mut row = self.place(&code, examined.start);
                row.unavailable = Some(Shown::own(NO_CODE));
                dump.rows.push(row);
                return dump;
            }
            let room = region.range.end.0.saturating_sub(examined.start.0);
            bytes.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        }
        let mut at = examined.start;
        let decoder = process.decoder_at(examined.start);
        let all = decoder.map(|it| disassemble(it, Flavor::default(), examined.start, &bytes));
        let all = all.unwrap_or_default();
        for instruction in all.iter().take(usize::try_from(count).unwrap_or(0)) {
            let mut row = self.place(&code, instruction.address);
            row.current = self.pc == Some(instruction.address);
            row.instruction = Some(code.shown(instruction, self.redactor));
            dump.rows.push(row);
            at = Avma(instruction.address.0.wrapping_add(instruction.len as u64));
        }
        let done = dump.rows.len() as u64;
        dump.omitted = examined.how.count.saturating_sub(done);
        if done < count {
            let why = match (decoder, process.memory.read(at, &mut [0])) {
                (None, _) if machine.decoder().is_some() => {
                    "no symbol says whether it is A32 or Thumb code".to_owned()
                }
                (None, _) => format!("obit does not disassemble {}", machine.name()),
                (Some(_), Err(why)) => why.to_string(),
                (Some(_), Ok(())) => "an instruction that is cut off".to_owned(),
            };
            let mut row = self.place(&code, at);
            row.unavailable = Some(self.redactor.show(Origin::OwnWords, &why));
            dump.rows.push(row);
            dump.omitted = dump.omitted.saturating_sub(1);
        }
        dump
    }

    fn place(&mut self, code: &Code<'_>, at: Avma) -> MemoryRow {
        let symbol = code.place(at).map(|name| self.redactor.show(Origin::SymbolName, &name));
        MemoryRow { address: Hex(self.redactor.show_word(at.0)), symbol, ..MemoryRow::default() }
    }
}

/// Where there is text among `bytes`, and what it says: UTF-8 if a character takes one byte,
/// else ASCII in units of `step` bytes, the other ones zero.
fn texts(bytes: &[u8], first: usize, step: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut begin = 0_usize;
    let mut take = |at: usize, c: Option<char>| match c {
        Some(c) => {
            if text.is_empty() {
                begin = at;
            }
            text.push(c);
        }
        None => {
            let whole = std::mem::take(&mut text);
            if whole.chars().count() >= LEAST_TEXT {
                found.push((begin, whole));
            }
        }
    };
    let is_letter = |c: &char| *c == '\t' || !c.is_control();
    if step == 1 {
        let mut at = 0_usize;
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                take(at, Some(c).filter(is_letter));
                at = at.saturating_add(c.len_utf8());
            }
            if !chunk.invalid().is_empty() {
                take(at, None);
                at = at.saturating_add(chunk.invalid().len());
            }
        }
    } else {
        for (index, unit) in bytes.get(first..).unwrap_or_default().chunks_exact(step).enumerate() {
            let at = first.saturating_add(index.saturating_mul(step));
            let c = match unit {
                [letter, rest @ ..] if rest.iter().all(|byte| *byte == 0) => {
                    Some(char::from(*letter)).filter(|c| c.is_ascii() && is_letter(c))
                }
                _ => None,
            };
            take(at, c);
        }
    }
    take(bytes.len(), None);
    found
}

/// Stretches of two words and more that look like chance, as inclusive ranges of addresses. Where
/// nothing names the memory, any of them may be a key.
fn random_runs(bytes: &[u8], from: u64, word: usize) -> Vec<(u64, u64)> {
    let skip = usize::try_from(from.wrapping_neg() % word as u64).unwrap_or(0);
    let words = bytes.get(skip..).unwrap_or_default().chunks_exact(word);
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut at = from.saturating_add(skip as u64);
    for bytes in words {
        let last = at.saturating_add(word as u64 - 1);
        if is_random(bytes) {
            match runs.last_mut() {
                Some(run) if run.1.saturating_add(1) == at => run.1 = last,
                _ => runs.push((at, last)),
            }
        }
        at = last.saturating_add(1);
    }
    let least = RANDOM.max(word as u64);
    runs.retain(|(first, last)| last - first + 1 >= least);
    runs
}

fn is_random(word: &[u8]) -> bool {
    let mut sorted = word.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let zeros = word.iter().filter(|byte| **byte == 0).count();
    sorted.len() * 4 >= word.len() * 3 && zeros * 8 <= word.len()
}

/// Why no instructions are shown.
const NO_CODE: &str = "this is not executable memory; `x/16xb` shows its bytes";

/// What is shown: the question without its command.
pub(crate) fn operand(text: &str) -> &str {
    text.split_once(char::is_whitespace).map_or(text, |(_, operand)| operand)
}

/// Whether an expression only names an object, by its members: nothing is added to its place.
fn is_path(expression: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let path = expression.trim().replace("->", ".");
    path.starts_with(|c: char| c.is_alphabetic() || c == '_') && path.chars().all(is_of_name)
}

/// Whether what is shown has a name: neither an address nor a register, `x/32gx $sp`.
fn is_named(text: &str) -> bool {
    let operand = operand(text);
    !operand.contains('$')
        && operand.contains(|c: char| c.is_alphabetic() || c == '_')
        && !operand.trim_start().starts_with("0x")
}

/// The last name in an expression: what the memory is, for rules that go by names.
fn variable_in(text: &str) -> &str {
    let operand = operand(text);
    let words = operand.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
    let mut names = words.filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    names.next().unwrap_or_default()
}

/// Memory of which nothing is shown but where it is.
fn hidden(expression: Shown, examined: &Examined, token: &Shown) -> MemoryDump {
    let rows = examined.rows.iter().map(|row| MemoryRow {
        address: Hex(row.at.0),
        values: row.units.iter().map(|_| token.clone()).collect(),
        ..MemoryRow::default()
    });
    MemoryDump { expression, rows: rows.collect(), omitted: examined.omitted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_begins_where_its_name_says_and_nothing_is_added() {
        for text in ["buf", "c->password", "ns::table.name"] {
            assert!(is_path(text), "{text}");
        }
        for text in ["v[1]+11", "&buf", "0x1000", "$sp", "buf - 1", "*p", ""] {
            assert!(!is_path(text), "{text}");
        }
    }

    #[test]
    fn text_is_found_in_letters_of_one_byte_and_of_two() {
        let bytes = b"\0\x01hunter22\0\xffab\0c\0h\0e\0l\0l\0o\0\0\0";
        assert_eq!(texts(bytes, 0, 1), [(2, "hunter22".to_owned())]);
        let wide: Vec<_> = (0..2).flat_map(|first| texts(bytes, first, 2)).collect();
        assert_eq!(wide, [(13, "bchello".to_owned())]);
        assert_eq!(texts("na\u{ef}ve".as_bytes(), 0, 1), [(0, "na\u{ef}ve".to_owned())]);
        assert!(texts(&[0xff; 9], 0, 1).is_empty());
    }

    #[test]
    fn two_words_that_look_like_chance_may_be_a_key_and_numbers_are_none() {
        let key = 0x52_73e8_41ea_e7f4_a7e7_676b_ccd0_14f9_u128.to_le_bytes();
        let small = [7_u64.to_le_bytes(), 0x40_0000_u64.to_le_bytes()].concat();
        let bytes = [&small[..], &key, &small, &key[..8], &small].concat();
        assert_eq!(random_runs(&bytes, 0x1000, 8), [(0x1010, 0x101f)]);
        assert_eq!(random_runs(&bytes[3..], 0x1003, 8), [(0x1010, 0x101f)]);
        for (text, is) in [
            ("x/32gx $sp", false),
            ("x/4gx 0x7ffe0010", false),
            ("x/16xb &user.token[4]", true),
            ("x/2gx $rsp + n", false),
        ] {
            assert_eq!(is_named(text), is, "{text}");
        }
    }

    #[test]
    fn memory_is_called_as_the_last_name_of_its_expression() {
        for (text, name) in [
            ("x/s user->password", "password"),
            ("x/16xb &user.token[4]", "token"),
            ("x/4gx $rsp", "rsp"),
            ("x/s 0x1234", ""),
            ("x/2s buf + 8", "buf"),
        ] {
            assert_eq!(variable_in(text), name, "{text}");
        }
    }
}
