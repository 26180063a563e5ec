//! A bug in obit must not look like a bug in the crashed program.

use std::panic::{self, AssertUnwindSafe};

use super::message::say;

/// Runs `work`; `None` if it panicked, and then one line says so. What may be half
/// changed by a panic is not used again: the process ends.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!(" ({at})"));
        let payload = info.payload();
        let formatted = payload.downcast_ref::<String>().map(String::as_str);
        let what = formatted.or_else(|| payload.downcast_ref::<&str>().copied());
        let what = what.unwrap_or("no message");
        say(&format!(
            "this is a bug in obit {}{place}: {what}; please report it with the command line",
            env!("CARGO_PKG_VERSION")
        ));
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    drop(panic::take_hook());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_in_no_outcome_and_not_in_an_abort() {
        assert_eq!(caught(|| 3), Some(3));
        assert_eq!(caught(|| -> u8 { panic!("on purpose") }), None);
    }
}
