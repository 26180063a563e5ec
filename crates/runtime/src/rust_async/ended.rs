//! How a task has ended.

use super::spot::{Reader, Spot, plain};
use crate::model::Local;

/// Bytes of a panic's message.
const LONGEST_MESSAGE: u64 = 1024;

/// That a task has panicked, and with which message, or that it was cancelled.
pub(super) fn failure<'p>(reader: &Reader<'p>, stage: Spot<'p>) -> Option<Local> {
    let result = payload(reader, variant(reader, stage, "Finished")?)?;
    let error = payload(reader, variant(reader, result, "Err")?)?;
    let repr = reader.field(error, "repr")?;
    if variant(reader, repr, "Cancelled").is_some() {
        return Some(local("cancelled", "true".to_owned()));
    }
    let mut panic = payload(reader, variant(reader, repr, "Panic")?)?;
    // What makes it shareable between threads.
    for _ in 0..8 {
        if reader.field(panic, "vtable").is_some() {
            break;
        }
        panic = reader.fields(panic).into_iter().next()?.1;
    }
    let message = message(reader, panic);
    Some(local("panicked", message.unwrap_or_else(|| "with what is no text".to_owned())))
}

/// The text that most panics carry: a `String` or a `&str`.
fn message<'p>(reader: &Reader<'p>, panic: Spot<'p>) -> Option<String> {
    let payload = reader.behind_vtable(panic)?;
    let text = match &*payload.name() {
        "&str" => reader.text(payload, LONGEST_MESSAGE)?,
        "alloc::string::String" => {
            let vector = reader.field(payload, "vec")?;
            let start = reader.word(vector.inside("pointer")?.at)?;
            let length = reader.word(reader.field(vector, "len")?.at)?.min(LONGEST_MESSAGE);
            let start = obit_corefile::addr::Avma(start);
            let length = usize::try_from(length).ok()?;
            String::from_utf8_lossy(&reader.process.memory.read_up_to(start, length)).into_owned()
        }
        _ => return None,
    };
    Some(format!("{text:?}"))
}

/// The active variant of an enum if it is the one called `name`.
fn variant<'p>(reader: &Reader<'p>, spot: Spot<'p>, name: &str) -> Option<Spot<'p>> {
    let member = reader.active(spot)?.first()?;
    let found = spot.member(member)?;
    let own = plain(found.ty).get().name.clone().or_else(|| member.name.clone())?;
    (own.split_once('<').map_or(&*own, |(own, _)| own) == name).then_some(found)
}

fn payload<'p>(reader: &Reader<'p>, variant: Spot<'p>) -> Option<Spot<'p>> {
    reader.field(variant, "__0")
}

fn local(name: &str, value: String) -> Local {
    Local { name: name.to_owned(), is_argument: false, value }
}
