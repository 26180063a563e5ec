//! Requests in flight, in words.

use crate::report::Hex;
use crate::report::answer::{InFlight as Document, InFlightId};
use obit_output::ids::{ids, is_distinctive};
use obit_output::in_flight::{InFlight, RequestKind, Trust};
use obit_process::process::Process;
use obit_redact::{Named, Origin, Redactor, Shown};

/// Ids of one request.
const MOST_IDS: usize = 16;

/// The requests of the crashed thread, and what may be missing of them.
pub(super) fn documents(
    process: &Process,
    found: &[InFlight],
    is_cut: bool,
    redactor: &mut Redactor,
) -> (Vec<Document>, Vec<Shown>) {
    let documents = found.iter().map(|one| document(process, one, redactor)).collect();
    let notes = is_cut.then(|| {
        Shown::own("there is more in the frames and objects of the thread than was looked at")
    });
    (documents, notes.into_iter().collect())
}

fn document(process: &Process, found: &InFlight, redactor: &mut Redactor) -> Document {
    let request = &found.request;
    // As one text: what is in one line may say what is in the next.
    let mut whole = vec![request.text.clone()];
    whole.extend(request.headers.iter().cloned());
    let whole = whole.join(&b'\n');
    let (text, headers) = match request.headers.is_empty() {
        true if request.kind == RequestKind::Redis => {
            (command(&request.text, redactor), Vec::new())
        }
        true => (redactor.show_bytes(Origin::MessageText, &request.text), Vec::new()),
        false => {
            let shown = redactor.show_bytes(Origin::MessageText, &whole);
            let mut lines =
                shown.as_str().split('\n').map(|line| Shown::from_report(line.to_owned()));
            (lines.next().unwrap_or_default(), lines.collect())
        }
    };
    let mut all: Vec<InFlightId> = Vec::new();
    ids(&whole, &mut |kind, id| {
        let shown = redactor.show_bytes(Origin::MessageText, &id.to_ascii_lowercase());
        let is_known = all.iter().any(|known| known.kind == kind && known.id == shown);
        if !is_known && all.len() < MOST_IDS && is_distinctive(id) {
            all.push(InFlightId { kind: kind.to_owned(), id: shown });
        }
    });
    Document {
        kind: word(request.kind).to_owned(),
        text,
        headers,
        is_cut: request.is_cut,
        trust: trust_word(found.trust).to_owned(),
        place: redactor.show(Origin::OwnWords, &place(process, found)),
        address: Hex(found.at.0),
        ids: all,
    }
}

/// A command of Redis; what follows `AUTH` is a user and a password, or a password alone.
fn command(text: &[u8], redactor: &mut Redactor) -> Shown {
    let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case(b"AUTH"));
    let Some((open, secret)) = at.and_then(|at| words.split_at_checked(at + 1)) else {
        return redactor.show_bytes(Origin::MessageText, text);
    };
    let mut shown = redactor.show_bytes(Origin::MessageText, &open.join(&b' ')).into_string();
    let named = Named { name: "password", ..Named::default() };
    for word in secret {
        let word = String::from_utf8_lossy(word);
        shown.push(' ');
        shown.push_str(redactor.show_value(Origin::VariableText, &named, &word).as_str());
    }
    Shown::from_report(shown)
}

fn word(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Http => "http",
        RequestKind::Sql => "sql",
        RequestKind::Redis => "redis",
        RequestKind::Grpc => "grpc",
        RequestKind::JsonRpc => "json-rpc",
    }
}

fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Variable => "variable",
        Trust::Frame => "frame",
        Trust::Object => "object",
        Trust::Memory => "memory",
    }
}

/// `variable query_string of frame #5 exec_simple_query`.
fn place(process: &Process, found: &InFlight) -> String {
    let frame = found.frame.and_then(|at| {
        let thread = process.crashed()?;
        let function = thread.frames.get(at)?.function.as_deref();
        let number = thread.number_of(at);
        Some(match function {
            Some(function) => format!("frame #{number} {function}"),
            None => format!("frame #{number}"),
        })
    });
    let frame = frame.unwrap_or_else(|| "the crashed thread".to_owned());
    match (found.trust, &found.variable) {
        (Trust::Variable, Some(variable)) => format!("variable {variable} of {frame}"),
        (Trust::Variable | Trust::Frame, _) => format!("pointed to by {frame}"),
        (Trust::Object, _) => {
            format!("in an object that {frame} leads to; it may be of another request")
        }
        (Trust::Memory, _) => "somewhere in memory; nothing of the thread leads to it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_redact::Level;

    #[test]
    fn what_a_client_of_redis_authenticates_with_is_hidden() {
        let mut redactor = Redactor::with_random_key(Level::Default);
        let mut of = |text: &str| command(text.as_bytes(), &mut redactor).into_string();
        for text in ["AUTH admin redispw123", "auth redispw123", "HELLO 3 AUTH admin redispw123"] {
            let shown = of(text);
            assert!(
                !shown.contains("redispw") && shown.to_ascii_uppercase().contains("AUTH "),
                "{shown}"
            );
        }
        assert_eq!(of("GET cart:17"), "GET cart:17");
    }
}
