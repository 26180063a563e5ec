//! Records that logging libraries keep of the message for which they end the process, found
//! by their structure.

use super::stack::Stack;
use super::{c_text, glibc_missing, message_buffer};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// Bytes of a source file's path.
const PATH_BYTES: usize = 1024;
/// Lines that a source file may have.
const MOST_LINES: u64 = 10_000_000;

/// GLib's message: of the fields that are handed on as `GLogField { const char *key; void
/// *value; gssize length; }`, the one with the key `MESSAGE` (`glib/gmessages.c`).
pub(super) fn glib(stack: &Stack<'_>, end: Option<usize>) -> Option<String> {
    let memory = &stack.process.memory;
    let words = message_buffer::words(stack, end.unwrap_or(stack.frames.len()))?;
    // The handler of the message may have returned to who ends the process: the fields are
    // then below the stack pointer, and the text is still held.
    glib_field(memory, &words).or_else(|| glib_field(memory, &message_buffer::left(stack)?))
}

fn glib_field(memory: &AddressSpace, words: &[u64]) -> Option<String> {
    const KEY: &[u8] = b"MESSAGE\0";
    const TERMINATED: u64 = u64::MAX;
    let texts = words.windows(3).filter_map(|field| {
        let [key, value, TERMINATED] = field else { return None };
        let mut name = [0; KEY.len()];
        memory.read(Avma(*key), &mut name).ok()?;
        (name == *KEY).then(|| c_text(memory, Avma(*value))).flatten()
    });
    let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    texts.dedup();
    // Of two it could be either.
    if texts.len() > 1 { None } else { texts.pop() }
}

/// glog's message: `struct CrashReason { const char *filename; int line_number; const char
/// *message; void *stack[32]; int depth; }` (`src/utilities.h`) among the variables of the
/// library that frame `at` is of.
pub(super) fn glog(stack: &Stack<'_>, at: usize) -> Option<String> {
    let module = stack.process.modules.get(stack.frames.get(at)?.module?)?;
    let memory = &stack.process.memory;
    crash_reason(memory, &glibc_missing::variables(memory, module))
}

fn crash_reason(memory: &AddressSpace, words: &[u64]) -> Option<String> {
    const STACK: u64 = 32;
    let is_code =
        |at: u64| memory.region_at(Avma(at)).is_some_and(|region| region.permissions.execute);
    words.windows(4 + STACK as usize).find_map(|record| {
        let [file, line, message, first, ..] = record else { return None };
        // `depth` is followed by padding.
        let depth = record.last()? & u64::from(u32::MAX);
        let is_record =
            (1..=MOST_LINES).contains(line) && (1..=STACK).contains(&depth) && is_code(*first);
        if !is_record {
            return None;
        }
        let file = memory.read_c_string(Avma(*file), PATH_BYTES)?;
        let file = String::from_utf8(file).ok()?;
        let text = c_text(memory, Avma(*message))?;
        let is_path = !file.is_empty() && !file.contains(char::is_control);
        let text = text.trim_end();
        (is_path && !text.is_empty()).then(|| format!("{file}:{line}: {text}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    const TEXTS: &[u8] = b"MESSAGE\0no eggs left\0loaf.cc\0";

    #[test]
    fn the_message_of_glib_is_the_value_of_its_field() {
        let memory = memory(&[(0x1000, TEXTS)]);
        let field = |key, value, length| glib_field(&memory, &[7, key, value, length]);
        assert_eq!(field(0x1000, 0x1008, u64::MAX).as_deref(), Some("no eggs left"));
        assert_eq!(field(0x1000, 0x1008, 12), None);
        assert_eq!(field(0x1008, 0x1008, u64::MAX), None);
        assert_eq!(field(0x1000, 0x9000, u64::MAX), None);
    }

    #[test]
    fn what_glog_keeps_of_a_crash_has_file_line_and_message() {
        let core = obit_corefile::testkit::CoreBuilder::x86_64().signal(6).thread(1, &[]);
        let core = core.segment(0x1000, TEXTS, 0x1000).segment_with(0x4000, &[0xc3], 0x1000, "rx");
        let found = |line, depth| {
            let mut words = vec![0x1015, line, 0x1008, 0x4000];
            words.resize(35, 0);
            words.push(depth);
            crash_reason(&loaded(&core), &words)
        };
        assert_eq!(found(12, 4).as_deref(), Some("loaf.cc:12: no eggs left"));
        assert_eq!(found(0, 4), None);
        assert_eq!(found(12, 33), None);
    }

    fn loaded(core: &obit_corefile::testkit::CoreBuilder) -> AddressSpace {
        use obit_corefile::limits::Limits;
        use obit_dwarf::locate::{Locator, SearchRules};
        use std::sync::Arc;
        let limits = Limits::default();
        let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
        let library = Arc::new(obit_process::module::Library::new(locator, None, limits));
        obit_process::module::load(&core.open().unwrap(), &library).memory
    }
}
