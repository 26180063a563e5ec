//! What a census says, in words.

use obit_corefile::addr::Avma;
use obit_heap::{
    Census, Doubt, From, Holder, NotRetained, Owner, Reach, Roots, State, TypedBy, Way,
};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};

pub(in super::super) fn state(state: State) -> &'static str {
    match state {
        State::Live => "live",
        State::Mapping => "mapping",
        State::Free => "free",
        State::Cached => "cached",
        State::Fast => "fastbin",
        State::Top => "top",
        State::Own => "allocator",
        State::Unknown => "unknown",
    }
}

pub(in super::super) fn typed_by(by: TypedBy) -> &'static str {
    match by {
        TypedBy::Vtable => "vtable",
        TypedBy::DebugInfo => "debug-info",
    }
}

/// Texts that may leave, one after the other.
pub(in super::super) fn joined(parts: &[&str]) -> Shown {
    Shown::from_report(parts.concat())
}

fn in_function(lead: &str, function: Option<Shown>) -> Shown {
    match function {
        Some(name) => joined(&[lead, ", ", name.as_str()]),
        None => joined(&[lead]),
    }
}

fn module_name(process: &Process, module: usize, redactor: &mut Redactor) -> Shown {
    let path = process.modules.get(module).map(|module| module.path.to_string_lossy());
    let path = path.unwrap_or_default();
    redactor.show(Origin::Path, path.rsplit('/').next().unwrap_or_default())
}

/// The kind of a holder, and what it is.
pub(in super::super) fn holder(
    process: &Process,
    holder: &Holder,
    redactor: &mut Redactor,
) -> (&'static str, Shown) {
    match holder {
        Holder::Global(_, Some(name)) => ("global", redactor.show(Origin::SymbolName, name)),
        Holder::Global(module, None) => {
            let name = module_name(process, *module, redactor);
            ("global", joined(&["unnamed variables of ", name.as_str()]))
        }
        Holder::Stack(tid, function) => {
            let lead = format!("stack of thread {tid}");
            let function = function.as_ref().map(|name| redactor.show(Origin::SymbolName, name));
            ("stack", in_function(&lead, function))
        }
        Holder::Register(tid) => {
            ("register", Shown::from_report(format!("registers of thread {tid}")))
        }
        Holder::Other => ("other", Shown::own("other memory that the program mapped")),
    }
}

/// The word of the memory that a place is in, and what is there.
pub(in super::super) fn owner(
    process: &Process,
    owner: &Owner,
    type_of: impl FnOnce(usize, &mut Redactor) -> Option<Shown>,
    redactor: &mut Redactor,
) -> (&'static str, Option<Shown>) {
    let with = |name: Shown, into: u64| match into {
        0 => name,
        _ => joined(&[name.as_str(), &format!("+{into}")]),
    };
    match owner {
        Owner::Global { symbol: Some((name, into)), .. } => {
            ("global", Some(with(redactor.show(Origin::SymbolName, name), *into)))
        }
        Owner::Global { symbol: None, module } => {
            ("global", Some(module_name(process, *module, redactor)))
        }
        Owner::Stack { tid, function } => {
            let function = function.as_ref().map(|name| redactor.show(Origin::SymbolName, name));
            ("stack", Some(in_function(&format!("thread {tid}"), function)))
        }
        Owner::BelowStack { tid } => {
            ("below-stack", Some(Shown::from_report(format!("thread {tid}"))))
        }
        Owner::Block { index, offset, state } => {
            let word = match state {
                State::Live | State::Mapping | State::Unknown => "heap",
                State::Own => "allocator",
                _ => "freed",
            };
            let name = type_of(*index, redactor).unwrap_or_else(|| Shown::own("block"));
            (word, Some(with(name, *offset)))
        }
        Owner::Allocator => ("allocator", None),
        Owner::Other => ("other", None),
    }
}

/// A root of a way.
pub(super) fn root(process: &Process, from: &From, redactor: &mut Redactor) -> Shown {
    match from {
        From::Root(at, _) => {
            let of = obit_heap::owner_of(process, None, *at);
            let (word, text) = owner(process, &of, |_, _| None, redactor);
            let at = redactor.show_word(at.0);
            let place = format!("{word} {at:#x}");
            match text {
                Some(text) => joined(&[text.as_str(), " (", &place, ")"]),
                None => joined(&[&place]),
            }
        }
        From::Register(tid) => Shown::from_report(format!("a register of thread {tid}")),
        From::Block(_) => Shown::own("a block"),
    }
}

/// A way to a block: the root, then the blocks.
pub(in super::super) fn way(process: &Process, way: &Way, redactor: &mut Redactor) -> Vec<Shown> {
    let mut steps = vec![root(process, &way.root, redactor)];
    for (nth, step) in way.steps.iter().enumerate() {
        if way.gap() == Some(nth) {
            steps.push(Shown::from_report(format!("{} more blocks", way.omitted)));
        }
        let name = step.type_name.as_ref().map(|name| redactor.show(Origin::SymbolName, name));
        let name = name.unwrap_or_else(|| Shown::own("block"));
        let at = redactor.show_word(step.block.start.0);
        let text = format!(" of {} bytes at {at:#x}", step.block.room);
        steps.push(joined(&[name.as_str(), &text]));
    }
    steps
}

/// Why it is not known what is held alone.
pub(super) fn not_retained(reason: &NotRetained) -> Shown {
    let what = match reason {
        NotRetained::TooManyPointers(most) => format!("more than {most} pointers between blocks"),
        NotRetained::TooManyRoots(most) => format!("more than {most} roots"),
    };
    Shown::from_report(format!("what is held by one root alone was not found: {what}"))
}

/// Said where no heap was read.
pub(crate) const NO_HEAP: &str = "no heap of an allocator that is known was found";

/// A doubt of a census.
pub(super) fn doubt(doubt: &Doubt) -> String {
    let place = |at: &Avma| format!("{at}");
    match doubt {
        Doubt::BrokenList => "a list of freed blocks is damaged: blocks of its size that are \
                                  not on what is left of it are counted as unknown"
            .to_owned(),
        Doubt::ArenaNotFound(at) => {
            format!("the memory of the arena at {} was not found", place(at))
        }
        Doubt::PartsNotFound { arena, bytes } => {
            format!("{bytes} bytes of the arena at {} were not found", place(arena))
        }
        Doubt::MemoryMissing(at) => {
            format!("behind {} memory of the heap is not in the core", place(at))
        }
        Doubt::Damaged(at) => format!(
            "the header at {} is damaged; blocks up to where headers make sense again are not \
                 counted",
            place(at)
        ),
        Doubt::NotReadBehind(at, _) => format!(
            "the header at {} is damaged, and nothing behind it in this arena was read",
            place(at)
        ),
        Doubt::MappingsDiffer { found_blocks, counted_blocks, found, counted } => format!(
            "{found_blocks} blocks with {found} bytes were found as mappings of their own; the \
                 allocator counts {counted_blocks} with {counted}: blocks are missing, or some are \
                 none"
        ),
        Doubt::MappingsNotCounted => "what the allocator counts in mappings was not found: \
                                          blocks that are mappings may be missing"
            .to_owned(),
        Doubt::ForeignMemory(range) => format!(
            "from {} to {} lies memory that the program took itself: where blocks go on was \
                 found by their headers",
            place(&range.start),
            place(&range.end)
        ),
        Doubt::UnknownMachine => "registers of this machine are not known".to_owned(),
        Doubt::NotRead { allocator, missing } => format!(
            "{allocator} is in the process, and its heap was not read: {missing}; no block of \
                 it is counted"
        ),
        Doubt::AtOdds { allocator, what, at, times } => {
            let more = match times {
                0 | 1 => String::new(),
                _ => format!(", and in {} places more", times.saturating_sub(1)),
            };
            format!(
                "{allocator}: {what} at {}{more}: blocks there are left out or counted as \
                     unknown",
                place(at)
            )
        }
    }
}

/// What the figures leave open.
pub(super) fn notices(census: &Census, reach: &Reach, roots: &Roots) -> Vec<Shown> {
    let mut all: Vec<String> = Vec::new();
    all.extend(census.doubts.iter().map(doubt));
    if reach.missing_bytes > 0 {
        all.push(format!(
            "{} bytes that may hold pointers are not in the core: what they alone lead to is among \
             the lost blocks",
            reach.missing_bytes
        ));
    }
    if roots.untouched_bytes > 0 {
        all.push(format!(
            "{} bytes of mappings are not in the core: never written, or excluded by the program; a \
             pointer in them would hold blocks that are among the lost ones",
            roots.untouched_bytes
        ));
    }
    if roots.missing_file_bytes > 0 {
        all.push(format!(
            "{} bytes of mapped files are not in the core: a pointer in them would hold blocks that \
             are among the lost ones",
            roots.missing_file_bytes
        ));
    }
    if roots.lost_stacks > 0 {
        all.push(format!(
            "the stacks of {} threads were not found: what they alone lead to is among the lost \
             blocks",
            roots.lost_stacks
        ));
    }
    if roots.unbounded_stacks > 0 {
        all.push(format!(
            "how far the stacks of {} threads go down is not known: what lies below their pointers \
             in the same mappings leads to nothing",
            roots.unbounded_stacks
        ));
    }
    all.into_iter().map(Shown::from_report).collect()
}
