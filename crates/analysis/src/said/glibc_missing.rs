//! What glibc's `abort` said, where the library's file is missing and no symbol says where it
//! keeps the message: it is known by how it is kept (`sysdeps/posix/libc_fatal.c`,
//! `assert/assert.c`: a mapping of its own that begins with its size).

use super::stack::Stack;
use super::{Said, c_text, glibc};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;
use obit_process::module::Module;
use obit_process::process::FrameTrust;

/// The page sizes that Linux has.
const PAGE: u64 = 4096;
/// The longest mapping that is taken for a message.
const LARGEST: u64 = 1 << 16;
/// Bytes of the library's variables that are searched, and of those without a file behind.
const VARIABLES: u64 = 1 << 18;

/// The message of the abort that ended the process.
pub(super) fn message(stack: &Stack<'_>) -> Option<Said> {
    let modules = &stack.process.modules;
    if !stack.is_aborted() {
        return None;
    }
    let library = modules.list().iter().find(|module| is_libc(module))?;
    if library.image.as_ref().is_some_and(|image| image.file().is_some()) {
        return None;
    }
    let memory = &stack.process.memory;
    let mut texts: Vec<String> =
        variables(memory, library).into_iter().filter_map(|word| text_at(memory, word)).collect();
    texts.sort_unstable();
    texts.dedup();
    // Of two it could be either.
    let [text] = texts.as_slice() else { return None };
    let (speaker, subject) = glibc::speaker(text);
    let raised = stack.raised_below(0);
    let frame = raised
        .filter(|at| stack.frames.get(*at).is_some_and(|frame| frame.trust != FrameTrust::Scan));
    let text = text.clone();
    Some(Said { speaker, text, exception: None, frame, subject, is_inferred: true })
}

fn is_libc(module: &Module) -> bool {
    let file = module.path.file_name().map(|name| name.to_string_lossy());
    file.is_some_and(|file| file.starts_with("libc.so") || file.starts_with("libc-2"))
}

/// The words of the library's variables: its own writable pages, and the anonymous ones that
/// follow them (`.bss`).
pub(super) fn variables(memory: &AddressSpace, library: &Module) -> Vec<u64> {
    let mut words = Vec::new();
    let mut end = None;
    for region in memory.regions() {
        let follows = Some(region.range.start) == end;
        let is_own = library.range.contains(region.range.start) || follows;
        if !is_own || !region.permissions.write {
            continue;
        }
        let size = region.range.end.0.saturating_sub(region.range.start.0).min(VARIABLES);
        let bytes = memory.read_up_to(region.range.start, usize::try_from(size).unwrap_or(0));
        words.extend(bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word)));
        // What follows the following is another's.
        end = (!follows).then_some(region.range.end);
    }
    words
}

/// The message of the record at `at`: a page or more that begin with their size, the text, and
/// nothing behind.
fn text_at(memory: &AddressSpace, at: u64) -> Option<String> {
    /// Bytes of the size.
    const SIZE: u64 = 4;
    if at == 0 || !at.is_multiple_of(PAGE) {
        return None;
    }
    let mut size = [0; SIZE as usize];
    memory.read(Avma(at), &mut size).ok()?;
    let size = memory.unsigned(&size);
    if size == 0 || !size.is_multiple_of(PAGE) || size > LARGEST {
        return None;
    }
    let whole = memory.read_up_to(Avma(at), usize::try_from(size).ok()?);
    let text = whole.get(usize::try_from(SIZE).ok()?..)?;
    let length = text.iter().position(|byte| *byte == 0)?;
    let (text, rest) = text.split_at_checked(length)?;
    let is_text = std::str::from_utf8(text)
        .is_ok_and(|text| text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
    // The size is that of the text, rounded up.
    let is_whole = whole.len() as u64 == size && (rest.len() as u64) < PAGE + SIZE;
    if length < 4 || !is_text || !is_whole || rest.iter().any(|byte| *byte != 0) {
        return None;
    }
    let text = c_text(memory, Avma(at.checked_add(SIZE)?))?;
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    fn record(size: u32, text: &[u8], length: usize) -> Option<String> {
        let mut bytes = size.to_le_bytes().to_vec();
        bytes.extend(text);
        bytes.resize(length, 0);
        text_at(&memory(&[(0x10_0000, &bytes)]), 0x10_0000)
    }

    #[test]
    fn a_message_is_a_page_with_its_size_a_text_and_nothing_behind() {
        let text = record(0x1000, b"free(): invalid pointer\n", 0x1000);
        assert_eq!(text.as_deref(), Some("free(): invalid pointer"));
    }

    #[test]
    fn another_size_no_text_or_something_behind_it_is_no_message() {
        assert_eq!(record(0x1001, b"free(): invalid pointer\n", 0x1000), None);
        assert_eq!(record(0x2000, b"free(): invalid pointer\n", 0x2000), None, "too large");
        assert_eq!(record(0x1000, b"free(): invalid pointer\0x", 0x1000), None);
        assert_eq!(record(0x1000, b"\x1b[31mfree()", 0x1000), None);
        assert_eq!(record(0x1000, b"a\0", 0x1000), None);
        assert_eq!(record(0x1000, b"free(): invalid pointer\n", 0x800), None, "not dumped");
    }
}
