//! Findings on memory in words.

use super::inventory;
use crate::report::{Evidence, EvidenceKind, Finding, Hex};
use obit_analysis::CauseClass;
use obit_analysis::memory::{
    Bin, Block, BlockState, Content, Damage, Dangling, Fill, Hardware, MemoryFinding, ModulePlace,
    OnStack, Overrun, Pattern, PointedFrom, StackPlace, Verdict, Written,
};
use obit_corefile::addr::Avma;
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};

pub(super) fn finding(
    finding: &MemoryFinding,
    process: &Process,
    redactor: &mut Redactor,
) -> Finding {
    match finding {
        MemoryFinding::Dangling(found) => dangling(found, redactor),
        MemoryFinding::HeapDamage(damage, object) => {
            let mut finding = heap_damage(damage, redactor);
            if let Some(object) = object {
                inventory::add_object(&mut finding, object, process, redactor);
            }
            finding
        }
        MemoryFinding::Freed(found) => inventory::freed(found, process, redactor),
        MemoryFinding::MemoryUse(found) => inventory::memory_use(found, process, redactor),
        MemoryFinding::NotCounted(size) => inventory::not_counted(size),
        MemoryFinding::Hardware(found) => hardware(found, redactor),
    }
}

fn dangling(found: &Dangling, redactor: &mut Redactor) -> Finding {
    let chunk = block(&found.block);
    let mut title = String::new();
    let mut evidence = Vec::new();
    for holder in &found.holders {
        let function = holder.function.as_ref().map(|name| {
            let name = redactor.show(Origin::SymbolName, name);
            format!(" in `{}`", name.as_str())
        });
        let variable = format!("`{}`{}", holder.path, function.unwrap_or_default());
        if title.is_empty() {
            title = format!("{variable} points to {chunk}");
        }
        let offset = holder.pointer.0.wrapping_sub(found.block.start.0).cast_signed();
        let place = place_in(&Block { offset, ..found.block });
        let text = format!("{variable} is {}: {place}", Hex(holder.pointer.0));
        evidence.push(Evidence {
            kind: EvidenceKind::Variable,
            text: redactor.show(Origin::OwnWords, &text),
            frame: Some(holder.frame as u64),
            address: Some(Hex(redactor.show_word(holder.pointer.0))),
        });
    }
    let text = format!("{chunk} {}", room(&found.block));
    evidence.push(Evidence {
        kind: EvidenceKind::Heap,
        text: redactor.show(Origin::OwnWords, &text),
        frame: None,
        address: Some(Hex(found.block.start.0)),
    });
    Finding {
        kind: "dangling-pointer".to_owned(),
        title: redactor.show(Origin::OwnWords, &title),
        threads: vec![found.tid],
        evidence,
        ..Finding::default()
    }
}

fn heap_damage(damage: &Damage, redactor: &mut Redactor) -> Finding {
    let size = Hex(damage.size_field);
    let what = match damage.is_senseless {
        true => format!("the chunk size field is {size}, which is not a valid size"),
        false => format!(
            "the chunk size field {size} marks the chunk before it as free, but it is in use"
        ),
    };
    let mut evidence = Vec::new();
    let mut add = |kind, text: &str, address: Avma, redactor: &mut Redactor| {
        let text = redactor.show(Origin::OwnWords, text);
        evidence.push(Evidence { kind, text, frame: None, address: Some(Hex(address.0)) });
    };
    add(EvidenceKind::Heap, &what, damage.at, redactor);
    let title = match &damage.before {
        Some(before) => {
            let text = format!("the chunk before it is {} {}", block(before), room(before));
            add(EvidenceKind::Heap, &text, before.start, redactor);
            format!("corrupted heap metadata after {}", block(before))
        }
        None => "corrupted heap metadata at the first chunk".to_owned(),
    };
    if let Some(text) = &damage.text {
        let text = redactor.show_piece(text);
        let text = format!("the chunk size field contains text: {:?}", text.as_str());
        add(EvidenceKind::Text, &text, damage.at, redactor);
    }
    let pointed_from = damage.pointed_from.as_ref().map(|place| {
        let place = pointed_from(place, redactor);
        if let Some(before) = &damage.before {
            let text = format!("a pointer to it is in {}", place.as_str());
            add(EvidenceKind::Heap, &text, before.start, redactor);
        }
        place
    });
    let title = redactor.show(Origin::OwnWords, &title);
    Finding {
        kind: "heap-damage".to_owned(),
        title,
        threads: Vec::new(),
        evidence,
        chunk_size: damage.before.as_ref().map(|before| before.chunk_size),
        overwritten_with: damage.overrun.as_ref().map(|overrun| written(overrun).to_owned()),
        pattern: damage.overrun.as_ref().and_then(|overrun| pattern(overrun, redactor)),
        pointed_from,
        ..Finding::default()
    }
}

fn written(overrun: &Overrun) -> &'static str {
    match overrun.written {
        Written::Text => "text",
        Written::Integers => "integers",
        Written::Floating => "floating",
    }
}

fn pattern(overrun: &Overrun, redactor: &mut Redactor) -> Option<Shown> {
    Some(match overrun.pattern.as_ref()? {
        Pattern::Value(value) => redactor.show(Origin::OwnWords, &Hex(*value).to_string()),
        Pattern::Repeated(unit) => redactor.show_piece(unit),
    })
}

fn pointed_from(place: &PointedFrom, redactor: &mut Redactor) -> Shown {
    let text = match place {
        PointedFrom::Variable(name, into) => {
            let name = redactor.show(Origin::SymbolName, name);
            match into {
                0 => format!("`{}`", name.as_str()),
                _ => format!("`{}` + {into}", name.as_str()),
            }
        }
        PointedFrom::Block(size, into) => format!("{size}-byte heap chunk + {into}"),
    };
    redactor.show(Origin::OwnWords, &text)
}

fn hardware(found: &Hardware, redactor: &mut Redactor) -> Finding {
    let (title, text, address) = match found {
        Hardware::MemoryError(at) => (
            "memory hardware error".to_owned(),
            "the kernel reported a memory error (BUS_MCEERR)".to_owned(),
            *at,
        ),
        Hardware::Code { at, bits: 1, .. } => (
            "one bit of the code differs from the file: failing memory or a patch".to_owned(),
            "differs from the file with the same build ID in one bit".to_owned(),
            *at,
        ),
        Hardware::Code { at, bits, .. } => (
            "the code differs from the file: a patch or failing memory".to_owned(),
            format!("differs from the file with the same build ID, in {bits} bits from here on"),
            *at,
        ),
        Hardware::Impossible { address, instruction } => (
            "the instruction cannot cause this fault: possibly failing hardware".to_owned(),
            format!(
                "`{instruction}` accesses no memory, and the reported address is readable and writable"
            ),
            *address,
        ),
    };
    Finding {
        kind: "hardware".to_owned(),
        title: redactor.show(Origin::OwnWords, &title),
        threads: Vec::new(),
        evidence: vec![Evidence {
            kind: EvidenceKind::Memory,
            text: redactor.show(Origin::OwnWords, &text),
            frame: None,
            address: Some(Hex(address.0)),
        }],
        ..Finding::default()
    }
}

/// What is known of the pointer `used`: evidence beside the access, which was at
/// `accessed`.
pub(in super::super) fn verdict(
    verdict: &Verdict,
    class: CauseClass,
    used: Option<Avma>,
    accessed: Option<Avma>,
    redactor: &mut Redactor,
) -> Evidence {
    let kind = match verdict {
        Verdict::Link(_) | Verdict::ListHead | Verdict::Heap(_) | Verdict::PastHeap(_) => {
            EvidenceKind::Heap
        }
        _ => EvidenceKind::Memory,
    };
    let text = verdict_text(verdict, class, accessed, redactor);
    let text = redactor.show(Origin::OwnWords, &text);
    let address = used.map(|at| Hex(redactor.show_word(at.0)));
    Evidence { kind, text, frame: None, address }
}

fn verdict_text(
    verdict: &Verdict,
    class: CauseClass,
    accessed: Option<Avma>,
    redactor: &mut Redactor,
) -> String {
    // A block that was handed out again still holds what the allocator wrote.
    let read = match class {
        CauseClass::UseAfterFree => "use after free",
        _ => "use after free, or of a new block that was never initialized",
    };
    match verdict {
        Verdict::Fill(Fill { pattern, by: Some(by) }) => {
            format!("fill pattern {pattern:#x} ({by})")
        }
        Verdict::Fill(Fill { pattern, by: None }) => {
            format!("one byte repeated, {:#x}: probably a fill pattern", pattern & 0xff)
        }
        Verdict::Link(of) => format!(
            "not a pointer: allocator metadata in {} at {} ({read})",
            block(of),
            Hex(of.start.0)
        ),
        Verdict::ListHead => format!("the head of one of the allocator's free lists ({read})"),
        Verdict::Text(text) => {
            let text = redactor.show_piece(text);
            format!("looks like text: {:?}", text.as_str())
        }
        Verdict::Negative(-1) => "the number -1: an error (MAP_FAILED), not a pointer".to_owned(),
        Verdict::Negative(number) => format!("the number {number}: an error, not a pointer"),
        Verdict::Truncated(found) => format!(
            "looks like the lower half of {}, an address {}: a pointer stored in an int, or returned by an undeclared function",
            Hex(found.whole.0),
            if found.in_heap { "in the heap" } else { "on a stack" },
        ),
        Verdict::FlippedBit(found) => format!(
            "differs in bit {} from {}, an address near {}: possibly failing memory",
            found.bit,
            Hex(found.meant.0),
            found.register
        ),
        Verdict::Heap(of) => in_heap(of, accessed),
        Verdict::PastHeap(0) => "right after the end of the heap".to_owned(),
        Verdict::PastHeap(past) => format!("{} past the end of the heap", bytes(*past)),
        Verdict::Stack(place) => on_stack(place, redactor),
        Verdict::Unloaded(found) => {
            let name = redactor.show(Origin::Path, &found.name);
            format!(
                "{} into {}, which appears to have been unloaded",
                bytes(found.offset),
                name.as_str()
            )
        }
        Verdict::Module(place) => in_module(place, redactor),
        Verdict::File(place) => {
            let path = redactor.show_bytes(Origin::Path, place.path.as_os_str().as_encoded_bytes());
            format!("{} into the mapped file {}", bytes(place.offset), path.as_str())
        }
    }
}

fn in_heap(of: &Block, accessed: Option<Avma>) -> String {
    let place = format!("{} {}", place_in(of), room(of));
    let end = of.start.0.saturating_add(of.room);
    let past = accessed.and_then(|at| at.0.checked_sub(end));
    match past.filter(|_| matches!(of.state, BlockState::InUse | BlockState::Mapping)) {
        Some(past) => format!("{place}; the access is {} past its end", bytes(past)),
        None => place,
    }
}

/// `16 bytes into a freed 48-byte heap chunk (tcache)`.
fn place_in(of: &Block) -> String {
    let block = block(of);
    match of.offset {
        0 => format!("the start of {block}"),
        into @ 1.. => format!("{} into {block}", bytes(into.cast_unsigned())),
        before => {
            format!("in the header of {block}, {} before its data", bytes(before.unsigned_abs()))
        }
    }
}

/// `a freed 48-byte heap chunk (tcache)`.
fn block(of: &Block) -> String {
    let size = of.chunk_size;
    let list = match of.state {
        BlockState::InUse => return format!("a {size}-byte heap chunk in use"),
        BlockState::Mapping => return format!("a {size}-byte mmapped chunk in use"),
        BlockState::Top => {
            return "the heap's top chunk: never allocated, or freed and merged with it".to_owned();
        }
        BlockState::Freed(list) => list,
    };
    let list = match list {
        Some(Bin::Tcache) => " (tcache)",
        Some(Bin::Fastbin) => " (fastbin)",
        Some(Bin::Unsorted) => " (unsorted bin)",
        Some(Bin::Small) => " (small bin)",
        Some(Bin::Large) => " (large bin)",
        None => "",
    };
    format!("a freed {size}-byte heap chunk{list}")
}

/// Where it is, and how much of it the program may use.
fn room(of: &Block) -> String {
    match of.state {
        BlockState::Top => format!("at {}", Hex(of.start.0)),
        _ => format!("at {} ({} usable)", Hex(of.start.0), bytes(of.room)),
    }
}

fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        count => format!("{count} bytes"),
    }
}

fn on_stack(place: &StackPlace, redactor: &mut Redactor) -> String {
    let tid = place.tid;
    match &place.place {
        OnStack::Below(below) => format!(
            "within the stack of thread {tid}, {} below its stack pointer: a frame that has returned",
            bytes(*below)
        ),
        OnStack::Frame(index, Some(function)) => {
            let function = redactor.show(Origin::SymbolName, function);
            format!("on the stack of thread {tid}, in frame {index}, `{}`", function.as_str())
        }
        OnStack::Frame(index, None) => format!("on the stack of thread {tid}, in frame {index}"),
        OnStack::Above => format!("on the stack of thread {tid}"),
    }
}

fn in_module(place: &ModulePlace, redactor: &mut Redactor) -> String {
    let path = redactor.show_bytes(Origin::Path, place.path.as_os_str().as_encoded_bytes());
    let path = path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path);
    let content = match place.content {
        Content::Code => "code",
        Content::Constants => "constants",
        Content::Data => "data",
    };
    match &place.symbol {
        Some((symbol, offset)) => {
            let symbol = redactor.show(Origin::SymbolName, symbol);
            format!("in the {content} of {name}: {}+{offset:#x}", symbol.as_str())
        }
        None => format!("in the {content} of {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_redact::Level;

    fn said(found: &Verdict, accessed: u64, level: Level) -> String {
        let mut redactor = Redactor::new(level, "obit-0123");
        let used = Some(Avma(0x1000));
        let class = CauseClass::UnmappedRead;
        let evidence = verdict(found, class, used, Some(Avma(accessed)), &mut redactor);
        assert_eq!(evidence.address, Some(Hex(0x1000)));
        evidence.text.as_str().to_owned()
    }

    fn block(state: BlockState, offset: i64) -> Block {
        Block { start: Avma(0x1000), chunk_size: 48, room: 40, state, offset }
    }

    #[test]
    fn a_block_is_named_with_its_state_and_the_offset_into_it() {
        let text =
            |state, offset| said(&Verdict::Heap(block(state, offset)), 0x1000, Level::Default);
        assert_eq!(
            text(BlockState::Freed(Some(Bin::Tcache)), 16),
            "16 bytes into a freed 48-byte heap chunk (tcache) at 0x1000 (40 bytes usable)"
        );
        assert_eq!(
            text(BlockState::InUse, 0),
            "the start of a 48-byte heap chunk in use at 0x1000 (40 bytes usable)"
        );
        assert!(text(BlockState::InUse, -8).starts_with("in the header of a 48-byte heap chunk"));
    }

    #[test]
    fn an_access_past_a_block_says_how_far() {
        let found = Verdict::Heap(block(BlockState::InUse, 0));
        let text = said(&found, 0x1000 + 40 + 5, Level::Default);
        assert!(text.ends_with("; the access is 5 bytes past its end"), "{text}");
        let inside = said(&found, 0x1000 + 39, Level::Default);
        assert!(!inside.contains("past"), "{inside}");
    }

    #[test]
    fn text_in_a_pointer_is_a_piece_of_something_and_hidden_unless_it_says_nothing() {
        let found = Verdict::Text("hunter22".to_owned());
        assert_eq!(said(&found, 0, Level::Off), "looks like text: \"hunter22\"");
        for level in [Level::Default, Level::Strict] {
            let hidden = said(&found, 0, level);
            assert!(hidden.starts_with("looks like text: \"<") && !hidden.contains("hunter22"));
        }
        let dull = Verdict::Text("AAAAAAAA".to_owned());
        assert_eq!(said(&dull, 0, Level::Default), "looks like text: \"AAAAAAAA\"");
    }

    #[test]
    fn a_stack_says_whose_it_is() {
        let place = OnStack::Below(64);
        let found = Verdict::Stack(StackPlace { tid: 7, place });
        assert_eq!(
            said(&found, 0, Level::Default),
            "within the stack of thread 7, 64 bytes below its stack pointer: a frame that has returned"
        );
    }
}
