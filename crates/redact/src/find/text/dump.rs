//! Dumps of memory: bytes as hexadecimal digits, with their addresses before them and as
//! text behind them, as `hexdump -C`, `xxd`, `od` and gdb's `x` write; and lists of bytes.

use std::ops::Range;

use super::encodings::find_wrapped;
use super::wrapped::is_text;
use super::{Text, is_blank, is_word};
use crate::find::Carried;
use crate::find::scan::Scan;

/// Bytes of a line; more are no dump.
const MOST_BYTES: usize = 64;
/// Lines that are read together.
const MOST_LINES: usize = 1 << 12;

/// A byte of a dump.
struct Byte {
    value: u8,
    /// Its digits.
    place: Range<usize>,
    /// Its character behind the digits.
    column: Option<usize>,
}

/// The bytes of consecutive lines.
#[derive(Default)]
struct Dump {
    bytes: Vec<Byte>,
    /// The first byte of each line.
    lines: Vec<usize>,
    /// Whether the text of a line is that of its bytes.
    has_text: bool,
    end: usize,
}

impl Scan<'_> {
    /// The dump whose first line starts at `start`; gives its end if the bytes are surely
    /// those of a dump.
    pub(in crate::find) fn dump(&mut self, start: usize) -> Option<usize> {
        let text = self.text;
        // Most lines begin with a word.
        let first = text.run(start, 8, is_blank);
        let is_address = (0..4).all(|at| {
            let byte = text.at(first + at);
            byte.is_ascii_hexdigit() || at == 1 && byte == b'x'
        });
        if !is_address || start < self.dumped_in_vain {
            return None;
        }
        address(text, first)?;
        let from = line_above(text, start, first).unwrap_or(start);
        let mut dump = Dump { end: from, ..Dump::default() };
        while dump.lines.len() < MOST_LINES && dump.line(text).is_some() {}
        if dump.bytes.len() < 8 {
            return None;
        }
        if !self.dumped(&dump) && !dump.has_text {
            self.dumped_in_vain = dump.end;
            return None;
        }
        Some(dump.end)
    }

    /// `68 75 6e`, `0x68, 0x75`, `68:75:6e` that starts at `start`.
    pub(in crate::find) fn bytes_listed(&mut self, start: usize) -> Option<usize> {
        if start < self.dumped_in_vain || self.wraps == 0 || is_word(self.text.before(start)) {
            return None;
        }
        let text = self.text;
        let mut dump = Dump { lines: vec![0], ..Dump::default() };
        let mut place = start;
        let separator = text.run(start, 4, is_word);
        let separator = text.at(separator);
        while let Some((value, digits)) = listed_byte(text, place) {
            dump.end = digits.end;
            dump.bytes.push(Byte { value, place: digits, column: None });
            if text.at(dump.end) != separator {
                break;
            }
            place = text.run(dump.end + 1, 40, |byte| byte.is_ascii_whitespace());
        }
        self.dumped_in_vain = dump.end;
        let values: Vec<u8> = dump.bytes.iter().map(|byte| byte.value).collect();
        if values.len() < 6 || !is_text(&values, 9) || !self.dumped(&dump) {
            return None;
        }
        Some(dump.end)
    }

    /// Hides what the bytes of a dump say; whether that is anything.
    fn dumped(&mut self, dump: &Dump) -> bool {
        let Some(wraps) = self.wraps.checked_sub(1) else { return false };
        let values: Vec<u8> = dump.bytes.iter().map(|byte| byte.value).collect();
        let found = find_wrapped(&values, &mut Carried::default(), wraps);
        for span in &found {
            let mut start = span.range.start;
            while start < span.range.end {
                let next = dump.lines.partition_point(|line| *line <= start);
                let next = dump.lines.get(next).copied().unwrap_or(usize::MAX);
                let end = next.min(span.range.end);
                let bytes = dump.bytes.get(start..end).unwrap_or_default();
                if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
                    self.hide(first.place.start..last.place.end, span.kind);
                    if let (Some(first), Some(last)) = (first.column, last.column) {
                        self.hide(first..last + 1, span.kind);
                    }
                }
                start = end;
            }
        }
        !found.is_empty()
    }
}

/// `68` or `0x68` at `place`.
fn listed_byte(text: Text<'_>, place: usize) -> Option<(u8, Range<usize>)> {
    let start = if text.has(place, b"0x") { place + 2 } else { place };
    let end = start + 2;
    let value = byte(text, start)?;
    (!is_word(text.at(end))).then_some((value, place..end))
}

fn byte(text: Text<'_>, place: usize) -> Option<u8> {
    let digit = |at: usize| char::from(text.at(at)).to_digit(16);
    u8::try_from(digit(place)? << 4 | digit(place + 1)?).ok()
}

impl Dump {
    /// Takes the line at the end; `None` if it is none of a dump.
    fn line(&mut self, text: Text<'_>) -> Option<()> {
        let start = text.run(self.end, 8, is_blank);
        let groups = address(text, start)?;
        let first = self.bytes.len();
        let (mut place, width) = self.groups(text, groups)?;
        let count = self.bytes.len() - first;
        let has_column = self.column(text, place, first);
        match has_column {
            Some(end) => {
                place = end;
                self.has_text |= count >= 8;
            }
            None => {
                // Two bytes as a number, lower byte first: `hexdump` without options.
                if width == 2 && text.at(groups + 1) != b'x' {
                    self.swap(first);
                }
                place = text.run(place, 80, is_blank);
            }
        }
        place = text.run(place, 1, |byte| byte == b'\r');
        let is_end = matches!(text.at(place), b'\n' | 0);
        if !is_end || count < 4 && self.lines.is_empty() {
            self.bytes.truncate(first);
            return None;
        }
        self.lines.push(first);
        self.end = (place + 1).min(text.len());
        Some(())
    }

    /// Reads groups of digits from `start` on; gives where they end, and the bytes of one.
    fn groups(&mut self, text: Text<'_>, start: usize) -> Option<(usize, usize)> {
        let mut place = start;
        let mut end = start;
        let mut width = 0;
        let first = self.bytes.len();
        while self.bytes.len() - first < MOST_BYTES {
            let is_number = text.has(place, b"0x");
            let from = if is_number { place + 2 } else { place };
            let until = text.run(from, 17, |byte| byte.is_ascii_hexdigit());
            let bytes = (until - from) / 2;
            let is_last = width > 0 && bytes < width;
            if !matches!(until - from, 2 | 4 | 8 | 16)
                || width > 0 && bytes > width
                || !is_blank(text.at(until))
                    && !matches!(text.at(until), b'\n' | b'\r' | 0)
                    && !is_dashed(text, until, self.bytes.len() - first)
            {
                break;
            }
            if width == 0 {
                width = bytes;
            }
            for at in 0..bytes {
                // A number has its lowest byte last.
                let at = if is_number { bytes - 1 - at } else { at };
                let digits = from + 2 * at..from + 2 * at + 2;
                let place = if is_number { place..until } else { digits.clone() };
                self.bytes.push(Byte { value: byte(text, digits.start)?, place, column: None });
            }
            end = until;
            let is_middle = width == 1 && is_dashed(text, until, self.bytes.len() - first - 1);
            let gap = if is_middle { until + 1 } else { text.run(until, 3, is_blank) };
            // Two blanks are in the middle of a line, and before its text.
            if is_last || gap == until || gap > until + 2 {
                break;
            }
            place = gap;
        }
        (self.bytes.len() > first).then_some((end, width))
    }

    /// Whether the bytes from `first` on are behind `place` as text; gives its end.
    fn column(&mut self, text: Text<'_>, place: usize, first: usize) -> Option<usize> {
        let mut start = text.run(place, 80, is_blank);
        let mark = text.at(start);
        let is_marked = matches!(mark, b'|' | b'>');
        start += usize::from(is_marked);
        let bytes = self.bytes.get_mut(first..)?;
        // Blanks before the text may be its own.
        let blanks = bytes.iter().take_while(|byte| byte.value == b' ').count();
        if !is_marked && start > place + blanks {
            start -= blanks;
        }
        if start == place || bytes.is_empty() {
            return None;
        }
        let mut end = start;
        for byte in bytes.iter_mut() {
            let shown = text.at(end);
            let fits = shown == byte.value || shown == b'.' || shown >= 0x80;
            // Blanks at the end of a line are cut.
            let is_cut = byte.value == b' ' && matches!(shown, b'\n' | 0);
            if !fits && !is_cut {
                bytes.iter_mut().for_each(|byte| byte.column = None);
                return None;
            }
            if fits {
                byte.column = Some(end);
                end += 1;
            }
        }
        if is_marked {
            let closing = if mark == b'|' { b'|' } else { b'<' };
            end += usize::from(text.at(end) == closing);
        }
        Some(end)
    }

    /// Exchanges the bytes of each pair from `first` on.
    fn swap(&mut self, first: usize) {
        for pair in self.bytes.get_mut(first..).unwrap_or_default().chunks_exact_mut(2) {
            if let [one, other] = pair {
                std::mem::swap(&mut one.value, &mut other.value);
                let whole = one.place.start..other.place.end;
                (one.place, other.place) = (whole.clone(), whole);
            }
        }
    }
}

/// Where the first line of a dump begins whose second one is at `start`, with its address at
/// `address`, if the first one follows other words: `INFO received: 00000000  70 61 …`.
fn line_above(text: Text<'_>, start: usize, address: usize) -> Option<usize> {
    // The last digits of an address differ from line to line.
    const VARIES: usize = 2;
    const LONGEST: usize = 256;
    let digits = text.run(address, 17, |byte| byte.is_ascii_hexdigit() || byte == b'x');
    let head = text.slice(address..digits.saturating_sub(VARIES));
    let end = text.run_back(start, 2, |byte| matches!(byte, b'\n' | b'\r'));
    let above = text.slice(text.run_back(end, LONGEST, |byte| byte != b'\n' && byte != 0)..end);
    let at = memchr::memmem::find(above, head).filter(|at| *at > 0 && head.len() >= 4)?;
    let from = end - above.len() + at;
    let mut dump = Dump { end: from, ..Dump::default() };
    dump.line(text)?;
    let is_word_before = is_word(text.before(from));
    (dump.has_text && dump.end == start && !is_word_before).then_some(from)
}

/// Whether the dash in the middle of a line of WinDbg is at `place`, behind the byte number
/// `at` of it.
fn is_dashed(text: Text<'_>, place: usize, at: usize) -> bool {
    at == 7 && text.at(place) == b'-' && text.at(place + 1).is_ascii_hexdigit()
}

/// Where the bytes behind the address at `start` begin: `00000010  `, `7ffe10: `,
/// `0x7ffe10 <buffer+16>:⇥`.
fn address(text: Text<'_>, start: usize) -> Option<usize> {
    let is_number = text.has(start, b"0x");
    let from = if is_number { start + 2 } else { start };
    let digits = text.run(from, 17, |byte| byte.is_ascii_hexdigit());
    let mut end = digits;
    // `000001f2`0014d930`, of WinDbg.
    if text.at(end) == b'`' && digits - from == 8 {
        end = text.run(end + 1, 8, |byte| byte.is_ascii_hexdigit());
    }
    if text.has(end, b" <") {
        end = text.run(end, 128, |byte| byte != b'>' && byte != b'\n') + 1;
    }
    let is_marked = text.at(end) == b':';
    let least = if is_marked { 4 } else { 6 };
    if digits - from < least || (!is_marked && is_number) {
        return None;
    }
    let behind = end + usize::from(is_marked);
    let groups = text.run(behind, 4, is_blank);
    (groups > behind).then_some(groups)
}

#[cfg(test)]
mod tests {
    use crate::find::hidden;

    #[test]
    fn a_value_is_hidden_in_its_digits_and_in_the_text_beside_them() {
        let dump = "\
00000000  70 61 73 73 77 6f 72 64  3d 68 75 6e 74 65 72 32  |password=hunter2|
00000010  74 75 6c 69 70 20 78 79                           |tulip xy|
";
        let wanted = ["68 75 6e 74 65 72 32", "hunter2", "74 75 6c 69 70", "tulip"];
        assert_eq!(hidden(dump), wanted);
        let dump = "\
00000000: 7061 7373 776f 7264 3d68 756e 7465 7232  password=hunter2
00000010: 7475 6c69 7020 7879                      tulip xy
";
        let wanted = ["68 756e 7465 7232", "hunter2", "7475 6c69 70", "tulip"];
        assert_eq!(hidden(dump), wanted);
    }

    #[test]
    fn a_dump_of_windbg_has_a_dash_in_the_middle() {
        let dump = "\
000001f2`0014d930  70 61 73 73 77 6f 72 64-3d 68 75 6e 74 65 72 32  password=hunter2
000001f2`0014d940  74 75 6c 69 70 00 00 00-00 00 00                 tulip......
";
        let wanted = ["68 75 6e 74 65 72 32", "hunter2", "74 75 6c 69 70", "tulip"];
        assert_eq!(hidden(dump), wanted);
        let dump = "\
00014650  00 00 00 00 00 6e 61 6d 65 3d 4d 65 68 6d 65 74  .....name=Mehmet
00014660  20 59 69 6c 64 69 72 69 6d 26                     Yildirim&
";
        let wanted = ["4d 65 68 6d 65 74", "Mehmet", "20 59 69 6c 64 69 72 69 6d", " Yildirim"];
        assert_eq!(hidden(dump), wanted);
    }

    #[test]
    fn the_first_line_of_a_dump_may_follow_other_words() {
        let dump = "\
INFO received: 00000000  70 61 73 73 77 6f 72 64  3d 68 75 6e 74 65 72 32  |password=hunter2|
00000010  74 75 6c 69 70 20 78 79                           |tulip xy|
";
        let wanted = ["68 75 6e 74 65 72 32", "hunter2", "74 75 6c 69 70", "tulip"];
        assert_eq!(hidden(dump), wanted);
    }

    #[test]
    fn bytes_and_words_of_a_debugger_are_read_in_the_order_of_memory() {
        let dump = "\
0x7ffc8c0:\t0x70\t0x61\t0x73\t0x73\t0x77\t0x6f\t0x72\t0x64
0x7ffc8c8 <buffer+8>:\t0x3d\t0x68\t0x75\t0x6e\t0x74\t0x65\t0x72\t0x32
";
        assert_eq!(hidden(dump), ["0x68\t0x75\t0x6e\t0x74\t0x65\t0x72\t0x32"]);
        let dump = "0x7ffc8c0:\t0x73736170\t0x64726f77\t0x6e75683d\t0x32726574\n";
        assert_eq!(hidden(dump), ["0x6e75683d\t0x32726574"]);
        let dump = "0000000 6170 7373 6f77 6472 683d 6e75 6574 3272\n0000010\n";
        assert_eq!(hidden(dump), ["683d 6e75 6574 3272"]);
    }

    #[test]
    fn lists_of_bytes_are_read() {
        let digits = "70 61 73 73 77 6f 72 64 3d 68 75 6e 74 65 72 32";
        assert_eq!(hidden(&format!("data: {digits} end")), ["68 75 6e 74 65 72 32"]);
        let literal = format!("{{0x{}}}", digits.replace(' ', ", 0x"));
        assert_eq!(hidden(&literal), ["0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0x32"]);
        assert_eq!(hidden(&digits.replace(' ', ":")), ["68:75:6e:74:65:72:32"]);
    }

    #[test]
    fn numbers_that_are_no_text_stay() {
        for dump in [
            "00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|\n",
            "00400000 00452000 r-xp 00000000 08:02 173521\n",
            "0x7ffc8c0:\t0x0000000000000001\t0x00007ffc00001230\n",
            "Code: 48 8b 05 20 2f 00 00 48 85 c0 74 05 ff d0\n",
            "at 12:30:45 10 20 30 40 50 60 70 80\n",
        ] {
            assert_eq!(hidden(dump), [""; 0], "{dump}");
        }
    }
}
