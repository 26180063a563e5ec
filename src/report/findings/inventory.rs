//! What a count of the heap adds to a cause, in words.

use super::super::heap_report::words;
use super::super::notice_text::bytes;
use crate::report::{Confidence, Evidence, EvidenceKind, Finding, Hex};
use obit_analysis::memory::{Freed, HeapObject, MemoryUse, StalePointer};
use obit_heap::{BlockType, TooLarge, Trust, TypedBy};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};

/// What is known of the block whose end something ran over, for the finding of the damage.
pub(super) fn add_object(
    finding: &mut Finding,
    object: &HeapObject,
    process: &Process,
    redactor: &mut Redactor,
) {
    let address = Some(Hex(redactor.show_word(object.block.start.0)));
    let mut add = |text: Shown| {
        finding.evidence.push(Evidence { kind: EvidenceKind::Heap, text, frame: None, address });
    };
    if let Some(ty) = &object.ty {
        let name = redactor.show(Origin::SymbolName, &ty.name);
        add(words::joined(&["the chunk before the damage ", holds(ty), "`", name.as_str(), "`"]));
        finding.confidence = Some(match ty.by {
            TypedBy::Vtable => Confidence::Proved,
            TypedBy::DebugInfo => Confidence::Likely,
        });
        finding.object_type = Some(name);
    }
    if let Some(path) = &object.path {
        let path = redactor.show(Origin::SymbolName, path);
        add(words::joined(&["the source calls it `", path.as_str(), "`"]));
    }
    match &object.way {
        Some(way) => {
            let way = words::way(process, way, redactor);
            add(words::joined(&["it is reached by ", &arrows(&way)]));
            finding.path = way;
        }
        None => add(Shown::own(match object.trust {
            Trust::Proved => "nothing that the program can reach points to it",
            Trust::Likely => "nothing that was found points to it",
            Trust::Unknown => "nothing that is in the core points to it",
        })),
    }
}

fn holds(ty: &BlockType) -> &'static str {
    match ty.by {
        TypedBy::Vtable => "holds a ",
        TypedBy::DebugInfo => "holds, by the type of what points to it, likely a ",
    }
}

fn arrows(way: &[Shown]) -> String {
    let steps: Vec<&str> = way.iter().map(Shown::as_str).collect();
    steps.join(" -> ")
}

/// A freed block.
pub(super) fn freed(found: &Freed, process: &Process, redactor: &mut Redactor) -> Finding {
    let address = redactor.show_word(found.block.start.0);
    let size = found.block.room;
    let former = found.former.as_ref().and_then(|former| former.name.as_ref());
    let name = former.map(|name| redactor.show(Origin::SymbolName, name));
    let subject = match &name {
        Some(name) => format!("a freed block that likely held a `{}`", name.as_str()),
        None => format!("a freed block of {}", bytes(size)),
    };
    let count = (found.pointers.len() as u64).saturating_add(found.more);
    let title = match count {
        0 => format!("nothing reachable points to {subject} any more"),
        1 => format!("1 pointer still leads to {subject}"),
        count => format!("{count} pointers still lead to {subject}"),
    };
    let mut evidence = Vec::new();
    let mut add = |text: String, address: u64| {
        let text = Shown::from_report(text);
        let address = Some(Hex(address));
        evidence.push(Evidence { kind: EvidenceKind::Heap, text, frame: None, address });
    };
    let state = words::state(found.block.state);
    let what = match (&name, &found.former) {
        (Some(name), _) => format!(
            "{size} bytes ({state}); its type is that of what points to it: `{}`",
            name.as_str()
        ),
        (None, Some(_)) => {
            format!("{size} bytes ({state}); pointers of different types lead to it")
        }
        (None, None) => format!("{size} bytes ({state}); what was in it is not known"),
    };
    add(what, address);
    for stale in &found.pointers {
        let (text, at) = pointer(stale, process, redactor);
        add(text, at.unwrap_or(address));
    }
    if found.more > 0 {
        add(format!("{} more pointers lead there", found.more), address);
    }
    Finding {
        kind: "freed-object".to_owned(),
        title: Shown::from_report(title),
        evidence,
        confidence: name.is_some().then_some(Confidence::Likely),
        object_type: name,
        ..Finding::default()
    }
}

fn pointer(
    stale: &StalePointer,
    process: &Process,
    redactor: &mut Redactor,
) -> (String, Option<u64>) {
    let Some(owner) = &stale.owner else {
        let tid = stale.pointer.tid.map(|tid| format!(" of thread {tid}")).unwrap_or_default();
        return (format!("a register{tid} points to it"), None);
    };
    let named = |_: usize, redactor: &mut Redactor| {
        stale.type_name.as_ref().map(|name| redactor.show(Origin::SymbolName, name))
    };
    let (region, text) = words::owner(process, owner, named, redactor);
    let owner = text.map(|text| format!(" `{}`", text.as_str())).unwrap_or_default();
    let path = stale.path.as_ref().map(|path| redactor.show(Origin::SymbolName, path));
    let path = path.map(|path| format!(" (`{}`)", path.as_str())).unwrap_or_default();
    let way = stale.way.as_ref().map(|way| words::way(process, way, redactor));
    let way = way.map(|way| format!(", reached by {}", arrows(&way))).unwrap_or_default();
    let at = stale.pointer.at.map(|at| redactor.show_word(at.0));
    (format!("{region}{owner}{path} points to it{way}"), at)
}

/// Who holds the memory.
pub(super) fn memory_use(found: &MemoryUse, process: &Process, redactor: &mut Redactor) -> Finding {
    let mut evidence = Vec::new();
    let mut add = |text: String| {
        let text = Shown::from_report(text);
        evidence.push(Evidence { kind: EvidenceKind::Heap, text, frame: None, address: None });
    };
    for (ty, blocks, size) in &found.types {
        let name = redactor.show(Origin::SymbolName, &ty.name);
        let by = words::typed_by(ty.by);
        let share = share(*size, found.bytes);
        add(format!(
            "{}{share} in {} of type `{}` ({by})",
            bytes(*size),
            count(*blocks),
            name.as_str()
        ));
    }
    for held in &found.holders {
        let (kind, name) = words::holder(process, &held.by, redactor);
        let share = share(held.bytes, found.bytes);
        let blocks = count(held.blocks);
        add(format!(
            "{}{share} in {blocks} held by `{}` ({kind})",
            bytes(held.bytes),
            name.as_str()
        ));
    }
    for one in &found.collections {
        let path = redactor.show(Origin::SymbolName, &one.path);
        let name = redactor.show(Origin::SymbolName, &one.type_name);
        let size = one.retained.map_or(one.bytes, |(_, bytes)| bytes);
        let share = share(size, found.bytes);
        let (path, name) = (path.as_str(), name.as_str());
        add(format!("{}{share} under `{path}` ({name}), {} elements", bytes(size), one.elements));
    }
    if found.lost_bytes > 0 {
        let sure = match found.lost_trust {
            Trust::Proved => "",
            Trust::Likely => " (likely)",
            Trust::Unknown => " (uncertain: memory that may hold pointers is not in the core)",
        };
        let share = share(found.lost_bytes, found.bytes);
        add(format!("{}{share} that nothing points to{sure}", bytes(found.lost_bytes)));
    }
    let title = format!("the heap holds {} in {}", bytes(found.bytes), count(found.blocks));
    Finding {
        kind: "memory-use".to_owned(),
        title: Shown::from_report(title),
        evidence,
        confidence: Some(match found.trust {
            Trust::Proved => Confidence::Proved,
            Trust::Likely => Confidence::Likely,
            Trust::Unknown => Confidence::Guess,
        }),
        ..Finding::default()
    }
}

fn count(blocks: u64) -> String {
    match blocks {
        1 => "1 block".to_owned(),
        blocks => format!("{blocks} blocks"),
    }
}

/// ` (12 %)`.
fn share(part: u64, whole: u64) -> String {
    let percent = part.saturating_mul(100).checked_div(whole);
    percent.map(|percent| format!(" ({percent} %)")).unwrap_or_default()
}

/// Nothing was counted.
pub(super) fn not_counted(size: &TooLarge) -> Finding {
    let size = match size {
        TooLarge::Bytes(size) => format!("{} of memory that can be written", bytes(*size)),
        TooLarge::Blocks(blocks) => count(*blocks),
    };
    let title = format!(
        "the heap was not counted for this report ({size}): `obit heap CORE` says what it holds"
    );
    Finding {
        kind: "heap-not-counted".to_owned(),
        title: Shown::from_report(title),
        ..Finding::default()
    }
}
