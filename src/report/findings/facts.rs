//! Findings beside the cause, in words.

use super::super::notice_text::bytes;
use crate::report::{Evidence, EvidenceKind, Hex};
use obit_analysis::{Caught, Fact, Fault, Purpose};
use obit_redact::{Origin, Redactor};

/// `fact` as evidence.
pub(in super::super) fn fact(fact: &Fact, redactor: &mut Redactor) -> Evidence {
    let own = |redactor: &mut Redactor, text: &str| redactor.show(Origin::OwnWords, text);
    let (kind, text) = match fact {
        Fact::Aftermath(said) => {
            let text = match (said.text.as_str(), &said.exception) {
                ("", Some(exception)) => format!("the signal handler then threw {exception}"),
                ("", None) => "the signal handler then ended the process".to_owned(),
                (text, _) => format!("the signal handler then reported: {text}"),
            };
            (EvidenceKind::Text, redactor.show(Origin::MessageText, &text))
        }
        Fact::Earlier(signal) => {
            let at = signal.address().map(|at| format!(" at {}", Hex(at.0))).unwrap_or_default();
            let text = format!("in the handler of an earlier {}{at}", signal.name());
            (EvidenceKind::Memory, own(redactor, &text))
        }
        Fact::SystemCall(number, name) => {
            let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
            (EvidenceKind::Memory, own(redactor, &format!("system call {number}{name}")))
        }
        Fact::Errno(number, name) => {
            (EvidenceKind::Variable, own(redactor, &format!("errno is {name} ({number})")))
        }
        Fact::Handled { exception, text } => {
            let said = text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            let text = format!("while handling {exception}{said}");
            (EvidenceKind::Text, redactor.show(Origin::MessageText, &text))
        }
        Fact::LargeFrame(size) => {
            let text = format!("{} of the stack belong to one frame", bytes(*size));
            (EvidenceKind::Memory, own(redactor, &text))
        }
        Fact::SentAgain(pid) => {
            let text = format!("a handler was given the signal of pid {pid} and sent it again");
            (EvidenceKind::Memory, own(redactor, &text))
        }
        Fact::TrapMessage(text) => {
            (EvidenceKind::Text, redactor.show(Origin::MessageText, &format!("trap: {text}")))
        }
        Fact::PanicAt(file, line, column) => {
            let text = format!("the panic was raised at {file}:{line}:{column}");
            (EvidenceKind::Text, redactor.show(Origin::MessageText, &text))
        }
        Fact::JoinableThread => {
            let text = "a std::thread that was still joinable was destroyed or assigned to";
            (EvidenceKind::Text, own(redactor, text))
        }
        Fact::Watchdog(microseconds) => {
            let seconds = *microseconds / 1_000_000;
            let text = format!("systemd's watchdog was enabled (WATCHDOG_USEC: {seconds} s)");
            (EvidenceKind::Text, own(redactor, &text))
        }
    };
    Evidence { kind, text, frame: None, address: None }
}

/// What else is known of the instruction that failed.
pub(in super::super) fn instruction(fault: &Fault, redactor: &mut Redactor) -> Vec<Evidence> {
    let division = fault.division.map(|numbers| {
        let divisor = numbers.divisor;
        let text = match numbers.dividend {
            Some(dividend) => format!("{dividend} divided by {divisor}"),
            None => format!("divided by {divisor}"),
        };
        (EvidenceKind::Register, text)
    });
    let check = fault.check.map(|check| {
        (EvidenceKind::Instruction, format!("a check of UndefinedBehaviorSanitizer: {check}"))
    });
    let purpose = fault.purpose.map(|purpose| {
        let text = match purpose {
            Purpose::CodeAddress => "the value being read is the address to execute next",
            Purpose::WriteAddress => "the value being read is the address of the next write",
        };
        (EvidenceKind::Instruction, text.to_owned())
    });
    let evidence = |(kind, text): (_, String)| {
        let text = redactor.show(Origin::OwnWords, &text);
        Evidence { kind, text, frame: None, address: None }
    };
    division.into_iter().chain(check).chain(purpose).map(evidence).collect()
}

/// What the kernel passed to the handler that caught the fault.
pub(in super::super) fn caught(caught: &Caught, redactor: &mut Redactor) -> Evidence {
    let signal = &caught.signal;
    let code = signal.code_name().map(|code| format!(" ({code})")).unwrap_or_default();
    let text = format!("{}{code} was caught by a handler, which has not returned", signal.name());
    let text = redactor.show(Origin::OwnWords, &text);
    let address = signal.address().map(|at| Hex(redactor.show_word(at.0)));
    Evidence { kind: EvidenceKind::Memory, text, frame: None, address }
}
