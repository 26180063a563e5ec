//! How a task has ended.

use super::spot::{Reader, Spot, plain};
use crate::model::Local;
use obit_corefile::addr::Avma;
use obit_process::value::TypeRef;

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

/// The text that most panics carry: a `String` or a `&str`. The standard library's tables of
/// functions have no type, but functions that are made for one.
fn message<'p>(reader: &Reader<'p>, panic: Spot<'p>) -> Option<String> {
    let at = reader.word(reader.field(panic, "pointer")?.at)?;
    let vtable = reader.word(reader.field(panic, "vtable")?.at)?;
    let word = reader.process.memory.word() as u64;
    // What drops it, its size and alignment, and the only function of `Any`.
    let function = |number: u64| {
        let at = reader.word(Avma(vtable.checked_add(word.checked_mul(number)?)?))?;
        let modules = &reader.process.modules;
        let index = modules.index_at(Avma(at))?;
        let symbol = modules.debug(index)?.symbol_at(modules.get(index)?.to_svma(Avma(at)))?;
        (symbol.offset == 0).then(|| without_hashes(&symbol.name))
    };
    let (drop, type_id) = (function(0).unwrap_or_default(), function(3).unwrap_or_default());
    let type_name = match &*drop {
        "core::ptr::drop_in_place<alloc::string::String>"
        | "core::ptr::drop_in_place::<alloc::string::String>" => "alloc::string::String",
        _ if type_id.starts_with("<&str as core::any::Any>") => "&str",
        _ if type_id.starts_with("<alloc::string::String as ") => "alloc::string::String",
        _ => return None,
    };
    let debug = panic.ty.debug;
    let id = debug.find_type(type_name, |_| true)?;
    let payload = Spot { ty: TypeRef { debug, id }, at: Avma(at) };
    let text = if type_name == "&str" {
        reader.text(payload, LONGEST_MESSAGE)?
    } else {
        let vector = reader.field(payload, "vec")?;
        let start = reader.word(vector.inside("pointer")?.at)?;
        let length = reader.word(reader.field(vector, "len")?.at)?.min(LONGEST_MESSAGE);
        let length = usize::try_from(length).ok()?;
        let bytes = reader.process.memory.read_up_to(Avma(start), length);
        String::from_utf8_lossy(&bytes).into_owned()
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

/// A name without the hashes of crates: `core[c1f1a4ba060b9bfa]::any::Any`.
fn without_hashes(name: &str) -> String {
    const DIGITS: usize = 16;
    let mut found = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        found.push_str(before);
        let hash = after.split_once(']').filter(|(inside, _)| {
            inside.len() == DIGITS && inside.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        rest = match hash {
            Some((_, after)) => after,
            None => {
                found.push('[');
                after
            }
        };
    }
    found.push_str(rest);
    found
}

#[cfg(test)]
mod tests {
    use super::without_hashes;

    #[test]
    fn hashes_of_crates_are_left_out_and_slices_are_not() {
        let name = "<&[u8] as core[c1f1a4ba060b9bfa]::any::Any>::type_id";
        assert_eq!(without_hashes(name), "<&[u8] as core::any::Any>::type_id");
        assert_eq!(without_hashes("a[b"), "a[b");
    }
}
