//! Logging libraries that end the process at a fatal message: GLib, glog, Abseil.

use super::stack::Stack;
use super::{Said, Speaker, c_text, log_record};
use obit_corefile::addr::Avma;

/// Functions of glog and Abseil that are called for a fatal message alone. Abseil's
/// namespace holds its version: `absl::lts_20240116::log_internal::…`.
const FATAL: [&str; 7] = [
    "google::LogMessage::Fail",
    "google::LogMessageFatal::~LogMessageFatal",
    "google::NullStreamFatal::~NullStreamFatal",
    "log_internal::LogMessage::Die",
    "log_internal::LogMessage::FailWithoutStackTrace",
    "log_internal::LogMessageFatal::~LogMessageFatal",
    "log_internal::LogMessageQuietlyFatal::~LogMessageQuietlyFatal",
];

/// Functions of GLib that log, and that report a failed `g_assert`.
const GLIB_LOG: [&str; 6] = [
    "g_log",
    "g_logv",
    "g_log_default_handler",
    "g_log_structured",
    "g_log_structured_array",
    "_g_log_abort",
];
const GLIB_ASSERTION: [&str; 7] = [
    "g_assertion_message",
    "g_assertion_message_expr",
    "g_assertion_message_cmpint",
    "g_assertion_message_cmpnum",
    "g_assertion_message_cmpstr",
    "g_assertion_message_cmpstrv",
    "g_assertion_message_error",
];

/// What a logging library ended the process for.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() && !stack.is_trapped() {
        return None;
    }
    let is_fatal = |name: &str| FATAL.iter().any(|fatal| is_function(name, fatal));
    if let Some(at) = inner(stack, stack.find(is_fatal)) {
        let text = log_record::glog(stack, at).unwrap_or_default();
        return Some(Said { text, ..bare(stack, at, Speaker::FatalLog) });
    }
    if let Some(at) = inner(stack, stack.find_one_of(&GLIB_ASSERTION)) {
        let text = glib_assertion(stack, at).unwrap_or_default();
        return Some(Said { text, ..bare(stack, at, Speaker::Assertion) });
    }
    let at = inner(stack, stack.find_one_of(&GLIB_LOG))?;
    let said = bare(stack, at, Speaker::FatalLog);
    let text = log_record::glib(stack, said.frame).unwrap_or_default();
    let said = Said { text, ..said };
    let is_memory = {
        let end = said.frame.unwrap_or(stack.frames.len());
        let allocating = ["g_malloc", "g_malloc0", "g_malloc_n", "g_realloc", "g_try_malloc"];
        stack.find_one_of(&allocating).is_some_and(|at| at < end)
    };
    Some(if is_memory { Said { speaker: Speaker::OutOfMemory, ..said } } else { said })
}

/// `at`, unless it or what it called is the program's own.
fn inner(stack: &Stack<'_>, at: Option<usize>) -> Option<usize> {
    at.filter(|at| stack.is_library_up_to(at.saturating_add(1)))
}

fn bare(stack: &Stack<'_>, at: usize, speaker: Speaker) -> Said {
    let frame = stack.raised_below(at);
    Said { speaker, text: String::new(), exception: None, frame, subject: None, is_inferred: false }
}

/// Whether `name` is `function`, in whatever inline namespace, with whatever arguments.
pub(super) fn is_function(name: &str, function: &str) -> bool {
    let name = name.split('(').next().unwrap_or(name);
    let Some(before) = name.strip_suffix(function) else { return false };
    before.is_empty() || before.ends_with("::")
}

/// What GLib keeps for a debugger of the core: `__glib_assert_msg` (`gtestutils.c`).
fn glib_assertion(stack: &Stack<'_>, at: usize) -> Option<String> {
    let (modules, memory) = (&stack.process.modules, &stack.process.memory);
    let index = stack.frames.get(at)?.module?;
    let variable = modules.debug(index)?.datum_named("__glib_assert_msg")?;
    let text = memory.read_word(modules.get(index)?.to_avma(variable)).ok()?;
    c_text(memory, Avma(text)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_function;

    #[test]
    fn a_function_is_known_in_any_inline_namespace_and_with_its_arguments() {
        let of = "log_internal::LogMessage::Die";
        assert!(is_function("absl::lts_20240116::log_internal::LogMessage::Die()", of));
        assert!(is_function("absl::log_internal::LogMessage::Die", of));
        assert!(!is_function("mylog_internal::LogMessage::Die", of));
        assert!(!is_function("absl::log_internal::LogMessage::DieLater", of));
    }
}
