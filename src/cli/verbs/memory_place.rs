//! What is at an address that an expression gives: of `obit heap at` and `obit who-points-to`.

use obit::addr::Avma;
use obit::print::{self, Answer};
use obit::process::Process;
use obit::redact::Level;
use obit::report::heap::HeapAnswer;
use obit::report::place;
use obit::value::Budget;

use crate::cli::args::general::General;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::request::Request;

/// What is at `text`; with `most`, so many words that point there.
pub(super) fn answer(
    request: &Request,
    general: &General,
    text: &str,
    frame: Option<usize>,
    most: Option<usize>,
) -> Result<HeapAnswer, Failure> {
    let found = request.on_process(general, |process| {
        let at = address_of(process, text, frame)?;
        // What is not an address may be a number that is hidden.
        if request.build.redaction != Level::Off && process.memory.region_at(at).is_none() {
            let problem = "nothing is mapped there (`--redact off` looks for any number)";
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        Ok(place(process, &request.build, at, most))
    })?;
    Ok(HeapAnswer::Place(Box::new(found)))
}

/// The address that `text` is, or that the pointer has which it names; of an object its place.
pub(super) fn address_of(
    process: &Process,
    text: &str,
    frame: Option<usize>,
) -> Result<Avma, Failure> {
    if let Some(number) = number(text) {
        return Ok(Avma(number));
    }
    let thread = process.threads.iter().position(|thread| thread.crashed).unwrap_or(0);
    let Some(view) = process.frame_view(thread, frame.unwrap_or(0)) else {
        let problem = "no such frame could be unwound; give an address";
        return Err(Failure::new(Exit::Unusable, &problem));
    };
    let asked = format!("x/1xb {text}");
    match print::answer(process, &view, &asked, &Budget::default()) {
        Ok(Answer::Memory(examined)) => Ok(examined.start),
        Ok(_) => Err(Failure::usage(&format!("`{text}` is no place in memory"))),
        Err(error) => {
            let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
            Err(Failure::usage(&format!("`{text}`: {error}{hint}")))
        }
    }
}

/// `0x…` or a decimal number.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_hexadecimal_with_its_prefix_only() {
        assert_eq!(number("0x10"), Some(16));
        assert_eq!(number("10"), Some(10));
        assert_eq!(number("a0"), None);
    }
}
