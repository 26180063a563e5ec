//! Texts on the stack: the buffers in which a library formatted what it printed last.

use super::stack::Stack;
use obit_corefile::addr::Avma;

/// Bytes of these frames that are searched.
const STACK_BYTES: u64 = 1 << 16;
/// Bytes below the stack pointer that are searched: the frames of functions that have
/// returned. A function that prints has a buffer of a few KiB, and the calls that end a
/// process need little stack.
const LEFT_BYTES: u64 = 1 << 13;
/// Bytes of the shortest text.
const LEAST: usize = 8;

/// The line that `find` finds, of the texts in the frames inward of frame `end`; else what the
/// functions left there that these frames had called, with `true`.
pub(super) fn line(
    stack: &Stack<'_>,
    end: usize,
    find: impl Fn(&str) -> Option<&str>,
) -> Option<(String, bool)> {
    let memory = &stack.process.memory;
    let (start, last) = extent(stack, end)?;
    let live = memory.read_up_to(start, length(start, last)?);
    if let Some(text) = only(&live, &find) {
        return Some((text, false));
    }
    let below = Avma(start.0.checked_sub(LEFT_BYTES)?);
    let left = memory.read_up_to(below, length(below, start)?);
    Some((only(&left, &find)?, true))
}

/// The words of the frames inward of frame `end`.
pub(super) fn words(stack: &Stack<'_>, end: usize) -> Option<Vec<u64>> {
    let memory = &stack.process.memory;
    let (start, last) = extent(stack, end)?;
    let bytes = memory.read_up_to(start, length(start, last)?);
    Some(bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word)).collect())
}

/// The words that functions that have returned left below the stack pointer.
pub(super) fn left(stack: &Stack<'_>) -> Option<Vec<u64>> {
    let memory = &stack.process.memory;
    let (start, _) = extent(stack, stack.frames.len())?;
    let below = Avma(start.0.checked_sub(LEFT_BYTES)?);
    let bytes = memory.read_up_to(below, length(below, start)?);
    Some(bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word)).collect())
}

/// The memory of these frames. The last of them may have been left by a scan, so that it is
/// not known where it ends.
fn extent(stack: &Stack<'_>, end: usize) -> Option<(Avma, Avma)> {
    (1..=end).rev().find_map(|end| stack.extent(end))
}

fn length(start: Avma, end: Avma) -> Option<usize> {
    usize::try_from(end.0.checked_sub(start.0)?.min(STACK_BYTES)).ok()
}

/// The only text in `bytes` that `find` finds.
fn only(bytes: &[u8], find: impl Fn(&str) -> Option<&str>) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    let texts = bytes.split(|byte| !is_text(*byte)).filter(|text| text.len() >= LEAST);
    for text in texts.filter_map(|text| std::str::from_utf8(text).ok()) {
        let Some(line) = find(text).map(str::trim_end) else { continue };
        // A copy of which something has been overwritten is a part of the whole one.
        if !found.iter().any(|known| known.contains(line)) {
            found.retain(|known| !line.contains(known.as_str()));
            found.push(line.to_owned());
        }
    }
    // Of two it could be either.
    if found.len() > 1 { None } else { found.pop() }
}

fn is_text(byte: u8) -> bool {
    byte >= 0x80 || byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::only;

    fn found(bytes: &[u8]) -> Option<String> {
        only(bytes, |line| line.get(line.find("oven: ")?..))
    }

    #[test]
    fn the_line_that_is_wanted_is_found_between_other_bytes() {
        assert_eq!(found(b"\x01\x02\x10oven: too hot\n\0").as_deref(), Some("oven: too hot"));
        assert_eq!(found(b"\0no line of it\0"), None);
    }

    #[test]
    fn of_two_lines_it_could_be_either_but_a_part_of_one_is_the_same() {
        assert_eq!(found(b"oven: too hot\0oven: too cold\0"), None);
        assert_eq!(found(b"oven: too\0oven: too hot\0").as_deref(), Some("oven: too hot"));
    }

    #[test]
    fn bytes_that_are_no_text_are_skipped() {
        assert_eq!(found(b"\xff\xfe\xfdoven: too hot\0"), None);
    }
}
