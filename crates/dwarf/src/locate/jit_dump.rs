//! Just-in-time compiled code in a file of `perf`'s jitdump format (Linux,
//! `tools/perf/Documentation/jitdump-specification.txt`): names, and lines where the compiler
//! recorded them.

use std::collections::HashMap;
use std::sync::Arc;

use super::jit_names::{Function, Line, MOST, NAME_BYTES};

/// `JiTD`, as the machine that wrote it orders bytes.
const MAGIC: u32 = 0x4a69_5444;
/// Bytes of the smallest file header, and of the header of a record.
const HEADER: usize = 40;
const RECORD: usize = 16;
/// Kinds of record.
const CODE_LOAD: u32 = 0;
const CODE_MOVE: u32 = 1;
const CODE_DEBUG_INFO: u32 = 2;
/// Instead of a file name: that of the entry before.
const SAME_FILE: &[u8] = b"\xff";

/// Reads the records of a file; `None` if it is not one, or of a process other than `pid`
/// where that is known. Reading ends at a record that is cut off.
pub(super) fn parse(bytes: &[u8], pid: Option<i64>) -> Option<Vec<Function>> {
    let magic: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let is_little = match MAGIC {
        magic_value if u32::from_le_bytes(magic) == magic_value => true,
        magic_value if u32::from_be_bytes(magic) == magic_value => false,
        _ => return None,
    };
    let header = Fields { bytes, is_little };
    let of = i64::from(header.u32(20)?);
    if pid.is_some_and(|pid| pid != of) {
        return None;
    }
    let mut found = Found::default();
    let mut at = usize::try_from(header.u32(8)?).ok().filter(|size| *size >= HEADER)?;
    while let Some(record) = bytes.get(at..) {
        let fields = Fields { bytes: record, is_little };
        let (Some(kind), Some(size)) = (fields.u32(0), fields.u32(4)) else { break };
        let Ok(size) = usize::try_from(size) else { break };
        let Some(body) = record.get(RECORD..size) else { break };
        let body = Fields { bytes: body, is_little };
        // A record that makes no sense is skipped: its size says where the next one is.
        let _skipped = match kind {
            CODE_LOAD => found.load(&body),
            CODE_MOVE => found.moved(&body),
            CODE_DEBUG_INFO => found.lines(&body),
            _ => None,
        };
        if found.functions.len() >= MOST {
            break;
        }
        at = at.saturating_add(size);
    }
    Some(found.functions)
}

/// What the records so far say.
#[derive(Default)]
struct Found {
    functions: Vec<Function>,
    /// The last function that was loaded at an address.
    at: HashMap<u64, usize>,
    /// Lines of the code at an address, whose record comes before that of the code.
    lines: HashMap<u64, Vec<Line>>,
    /// Lines of all functions.
    count: usize,
}

impl Found {
    /// `pid`, `tid`, `vma`, `code_addr`, `code_size`, `code_index`, name, code.
    fn load(&mut self, body: &Fields<'_>) -> Option<()> {
        const NAME: usize = 40;
        let (start, size) = (body.u64(16)?, body.u64(24)?);
        let lines = self.lines.remove(&start).unwrap_or_default();
        let name = text(body.bytes.get(NAME..)?)?;
        let end = start.checked_add(size).filter(|end| *end > start)?;
        // V8 (seen in Node 20) writes names of files that it has freed: with a NUL in one, all
        // that follows is read wrong, and its addresses are not of this function.
        let is_whole = lines.iter().all(|line| (start..=end).contains(&line.start));
        let is_named = |line: &Line| is_whole && line.line > 0 && !line.file.is_empty();
        let lines: Vec<Line> = lines.into_iter().filter(is_named).collect();
        self.at.insert(start, self.functions.len());
        self.functions.push(Function { start, end, name, lines });
        Some(())
    }

    /// `pid`, `tid`, `vma`, `old_code_addr`, `new_code_addr`, `code_size`, `code_index`.
    fn moved(&mut self, body: &Fields<'_>) -> Option<()> {
        let (from, to, size) = (body.u64(16)?, body.u64(24)?, body.u64(32)?);
        let old = self.functions.get(*self.at.get(&from)?)?;
        let end = to.checked_add(size).filter(|end| *end > to)?;
        let by = to.wrapping_sub(from);
        self.count = self.count.checked_add(old.lines.len()).filter(|count| *count <= MOST)?;
        let moved = |line: &Line| Line { start: line.start.wrapping_add(by), ..line.clone() };
        let lines = old.lines.iter().map(moved).collect();
        let moved = Function { start: to, end, name: old.name.clone(), lines };
        self.at.insert(to, self.functions.len());
        self.functions.push(moved);
        Some(())
    }

    /// `code_addr`, `nr_entry`, then entries: address, line, discriminator, file.
    fn lines(&mut self, body: &Fields<'_>) -> Option<()> {
        const ENTRY: usize = 16;
        let (code, count) = (body.u64(0)?, body.u64(8)?);
        let mut at = ENTRY;
        let mut lines: Vec<Line> = Vec::new();
        let mut file: Option<Arc<str>> = None;
        // An entry takes some bytes of the record, so there are no more than it has bytes.
        for _ in 0..count.min(body.bytes.len() as u64) {
            let (Some(start), Some(line)) = (body.u64(at), body.u32(at.saturating_add(8))) else {
                break;
            };
            let rest = body.bytes.get(at.checked_add(ENTRY)?..)?;
            let length = rest.iter().position(|byte| *byte == 0)?;
            let name = rest.get(..length)?;
            if name != SAME_FILE {
                file = text(rest).map(Arc::from);
            }
            lines.push(Line { start, line, file: file.clone().unwrap_or_default() });
            at = at.checked_add(ENTRY)?.checked_add(length)?.checked_add(1)?;
        }
        // Stable: of two at one address the later counts.
        lines.sort_by_key(|line| line.start);
        self.count = self.count.checked_add(lines.len()).filter(|count| *count <= MOST)?;
        self.lines.insert(code, lines);
        Some(())
    }
}

/// The text up to the NUL in `bytes`.
fn text(bytes: &[u8]) -> Option<String> {
    let length = bytes.iter().take(NAME_BYTES).position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    let is_name = !text.is_empty() && !text.contains(char::is_control);
    is_name.then(|| text.to_owned())
}

/// Numbers of the byte order of the file.
struct Fields<'b> {
    bytes: &'b [u8],
    is_little: bool,
}

impl Fields<'_> {
    fn u32(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn u64(&self, at: usize) -> Option<u64> {
        let bytes: [u8; 8] = self.bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(if self.is_little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::jit_names::JitNames;
    use super::*;
    use obit_corefile::addr::Avma;

    fn header(pid: u32) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            [MAGIC, 1, 40, 62, 0, pid].iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(HEADER, 0);
        bytes
    }

    fn record(kind: u32, body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(RECORD + body.len()).unwrap();
        let mut bytes: Vec<u8> =
            [kind, size, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(body);
        bytes
    }

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn load(start: u64, size: u64, name: &str) -> Vec<u8> {
        let mut body = words(&[0, start, start, size, 1]);
        body.extend(name.as_bytes());
        body.push(0);
        body.extend([0x90, 0x90]);
        record(CODE_LOAD, &body)
    }

    fn debug_info(start: u64, entries: &[(u64, u32, &[u8])]) -> Vec<u8> {
        let mut body = words(&[start, entries.len() as u64]);
        for (at, line, file) in entries {
            body.extend(at.to_le_bytes());
            body.extend(line.to_le_bytes());
            body.extend([0; 4]);
            body.extend(*file);
            body.push(0);
        }
        record(CODE_DEBUG_INFO, &body)
    }

    fn names(bytes: &[u8]) -> Option<JitNames> {
        Some(JitNames::of(parse(bytes, Some(77))?))
    }

    fn line(names: &JitNames, at: u64) -> Option<(String, Option<u32>)> {
        names.location(Avma(at)).map(|location| (location.file, location.line))
    }

    #[test]
    fn a_function_has_the_name_and_the_lines_of_its_records() {
        let entries: [(u64, u32, &[u8]); 2] = [(0x1000, 3, b"app.js"), (0x1008, 5, SAME_FILE)];
        let file = [header(77), debug_info(0x1000, &entries), load(0x1000, 0x20, "sum")].concat();
        let names = names(&file).unwrap();
        assert_eq!(names.at(Avma(0x101f)), Some("sum"));
        assert_eq!(names.at(Avma(0x1020)), None);
        assert_eq!(line(&names, 0x1004), Some(("app.js".to_owned(), Some(3))));
        assert_eq!(line(&names, 0x101f), Some(("app.js".to_owned(), Some(5))));
    }

    #[test]
    fn lines_that_are_not_of_the_function_are_damaged() {
        let entries: [(u64, u32, &[u8]); 2] = [(0x1000, 3, b"ap\0.js"), (0x1008, 5, b"app.js")];
        let file = [header(77), debug_info(0x1000, &entries), load(0x1000, 0x20, "sum")].concat();
        let names = names(&file).unwrap();
        assert_eq!(names.at(Avma(0x1000)), Some("sum"));
        assert_eq!(line(&names, 0x1004), None);
    }

    #[test]
    fn code_that_was_moved_keeps_its_name_and_lines() {
        let entries: [(u64, u32, &[u8]); 1] = [(0x1000, 3, b"app.js")];
        let moved = record(CODE_MOVE, &words(&[0, 0, 0x1000, 0x5000, 0x20, 1]));
        let file = [header(77), debug_info(0x1000, &entries), load(0x1000, 0x20, "sum"), moved];
        let names = names(&file.concat()).unwrap();
        assert_eq!(names.at(Avma(0x5004)), Some("sum"));
        assert_eq!(line(&names, 0x5004), Some(("app.js".to_owned(), Some(3))));
    }

    #[test]
    fn of_two_at_one_place_the_later_counts() {
        let file = [header(77), load(0x1000, 0x20, "old"), load(0x1000, 0x10, "new")].concat();
        assert_eq!(names(&file).unwrap().at(Avma(0x1004)), Some("new"));
    }

    #[test]
    fn a_file_of_another_process_or_format_is_none() {
        assert!(names(&[header(78), load(0x1000, 0x20, "sum")].concat()).is_none());
        assert!(names(b"7f00 20 sum\n").is_none());
        assert!(names(&header(77)[..20]).is_none());
    }

    #[test]
    fn what_is_cut_off_or_damaged_costs_only_itself() {
        let whole = [header(77), load(0x1000, 0x20, "sum"), load(0x2000, 0x20, "max")].concat();
        for length in 0..whole.len() {
            let found = names(&whole[..length]);
            assert!(found.is_none_or(|names| names.at(Avma(0x2000)).is_none()), "{length}");
        }
        let huge = load(0x1000, u64::MAX, "huge");
        let control = load(0x1000, 8, "\x1b[2J");
        let no_size = record(7, &[])[..4].to_vec();
        let file = [header(77), huge, control, load(0x2000, 8, "max"), no_size, vec![0; 12]];
        let names = names(&file.concat()).unwrap();
        assert_eq!((names.at(Avma(0x1000)), names.at(Avma(0x2000))), (None, Some("max")));
        let mut lines = debug_info(0x1000, &[(0x1000, 3, b"app.js")]);
        lines[RECORD + 8..RECORD + 16].copy_from_slice(&u64::MAX.to_le_bytes());
        let file = [header(77), lines, load(0x1000, 8, "sum")].concat();
        let found = self::names(&file).unwrap();
        assert_eq!(line(&found, 0x1000), Some(("app.js".to_owned(), Some(3))));
    }
}
