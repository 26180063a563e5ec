//! The text of an assertion of libstdc++ (`_GLIBCXX_ASSERTIONS`), which is printed and not
//! kept: it is made of the arguments of the call.

use super::origin::argument_value;
use super::said::{Said, Speaker};
use obit_corefile::escape::visible_utf8;
use obit_process::process::{Frame, Process};

/// `std::__glibcxx_assert_fail(const char *file, int line, const char *function, const char
/// *condition)`, and its name before GCC 12.
const FUNCTIONS: [&str; 2] = ["std::__glibcxx_assert_fail", "std::__replacement_assert"];
/// Bytes of each text.
const TEXT_BYTES: usize = 1024;

/// `said` with the text of the assertion, where it has none and all of it is known.
pub(super) fn with_text(process: &Process, said: Said) -> Said {
    if said.speaker != Speaker::Assertion || !said.text.is_empty() {
        return said;
    }
    match text(process) {
        Some(text) => Said { text, ..said },
        None => said,
    }
}

fn text(process: &Process) -> Option<String> {
    let frames = &process.crashed()?.frames;
    let failed = frames.iter().position(is_failure)?;
    let activation = frames.get(failed)?.activation.checked_add(1)?;
    let caller = frames.iter().position(|frame| frame.activation == activation)?;
    let argument = |number| argument_value(process, caller, number);
    let text = |number| {
        let bytes = process.memory.read_c_string(argument(number)?, TEXT_BYTES)?;
        Some(visible_utf8(&bytes)).filter(|text| !text.is_empty())
    };
    let line = u32::try_from(argument(1)?.0).ok()?;
    Some(worded(&text(0)?, line, &text(2)?, &text(3)?))
}

/// As libstdc++ prints it (`src/c++11/assert_fail.cc`).
fn worded(file: &str, line: u32, function: &str, condition: &str) -> String {
    format!("{file}:{line}: {function}: Assertion '{condition}' failed.")
}

fn is_failure(frame: &Frame) -> bool {
    let name = frame.function.as_deref().unwrap_or_default();
    let name = name.split('(').next().unwrap_or_default();
    FUNCTIONS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_which_the_library_prints() {
        let text = worded("stl_vector.h", 1123, "operator[](size_type)", "__n < this->size()");
        let expected =
            "stl_vector.h:1123: operator[](size_type): Assertion '__n < this->size()' failed.";
        assert_eq!(text, expected);
    }
}
