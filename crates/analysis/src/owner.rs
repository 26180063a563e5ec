//! Whose code a frame is: what [`obit_ownership`] needs to know of a frame of a process.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use obit_corefile::addr::{Avma, Svma};
use obit_dwarf::{self as dwarf, SourceFrame};
use obit_ownership::{
    self as ownership, Answer, Evidence, Language, Owner, is_c_library, undecorated,
};
use obit_process::process::{Frame, FrameKind, Process};

/// Whose code a frame is; `None` where neither its function nor its module is known.
fn owner(process: &Process, frame: &Frame) -> Option<Owner> {
    let is_known = frame.module.is_some() || frame.function.is_some();
    is_known.then(|| answer(process, frame).owner)
}

/// Whose code the frames of a process are, each function at one place asked once: the
/// threads of a pool wait in the same frames.
pub struct Owners<'p> {
    process: &'p Process,
    known: HashMap<(Avma, FrameKind), Vec<Owned>>,
}

/// A function at a place, and whose it is.
struct Owned {
    function: Option<Arc<str>>,
    owner: Option<Owner>,
}

impl<'p> Owners<'p> {
    /// Of the frames of `process`, none of them known.
    pub fn of(process: &'p Process) -> Self {
        Self { process, known: HashMap::new() }
    }

    /// Whose code a frame is; `None` where neither its function nor its module is known.
    pub fn owner(&mut self, frame: &Frame) -> Option<Owner> {
        let here = self.known.entry((frame.pc, frame.kind)).or_default();
        match here.iter().find(|known| known.function == frame.function) {
            Some(known) => known.owner,
            None => {
                let owner = owner(self.process, frame);
                here.push(Owned { function: frame.function.clone(), owner });
                owner
            }
        }
    }
}

/// Whether a frame is of anything but the application.
pub(super) fn is_foreign(process: &Process, frame: &Frame) -> bool {
    !answer(process, frame).owner.is_application()
}

/// Whether a frame is of a third-party library: not of the C library, and not recognized by
/// its name only.
pub(super) fn is_third_party(process: &Process, frame: &Frame) -> bool {
    let module = frame.module.and_then(|index| process.modules.get(index));
    let is_c_library = module.is_some_and(|of| is_c_library(&of.path.to_string_lossy()));
    let found = answer(process, frame);
    found.owner == Owner::SystemLibrary && found.evidence == Evidence::Module && !is_c_library
}

/// Whose code a frame is, and what says so.
pub(super) fn answer(process: &Process, frame: &Frame) -> Answer {
    let found = Place { process, module: frame.module }.answer(Function {
        name: frame.function.as_deref(),
        linkage_name: frame.linkage_name.as_deref(),
        source: frame.source.as_ref().map(|source| source.file.as_str()),
        language: frame.language,
    });
    let is_by_line = found.evidence == Evidence::Source && frame.kind != FrameKind::Inline;
    if is_by_line && has_own_ends(process, frame) {
        return Answer {
            owner: Owner::Application,
            evidence: Evidence::None,
            rule: None,
            is_called: false,
        };
    }
    found
}

/// Whether a function of module number `module` that was inlined or entered is of anything
/// but the application. What has no line is no one's to look at.
pub(super) fn is_foreign_call(process: &Process, module: usize, called: &SourceFrame) -> bool {
    called.location.is_none() || {
        let place = Place { process, module: Some(module) };
        !place.answer(function_of(called)).owner.is_application()
    }
}

/// Whether a source file of module number `module` is of anything but the application, by its
/// path alone.
pub(super) fn is_foreign_source(process: &Process, module: usize, file: &str) -> bool {
    let place = Place { process, module: Some(module) };
    let of = Function { source: Some(file), ..Function::default() };
    !place.answer(of).owner.is_application()
}

/// A function by its names and its unit.
#[derive(Clone, Copy, Default)]
struct Function<'f> {
    name: Option<&'f str>,
    linkage_name: Option<&'f str>,
    source: Option<&'f str>,
    language: Option<dwarf::Language>,
}

fn function_of(frame: &SourceFrame) -> Function<'_> {
    Function {
        name: frame.function.as_deref(),
        linkage_name: frame.linkage_name.as_deref(),
        source: frame.location.as_ref().map(|location| location.file.as_str()),
        language: frame.language,
    }
}

/// A module of a process.
#[derive(Clone, Copy)]
struct Place<'p> {
    process: &'p Process,
    module: Option<usize>,
}

impl Place<'_> {
    fn answer(self, function: Function<'_>) -> Answer {
        let modules = &self.process.modules;
        let path = |index: Option<usize>| Some(modules.get(index?)?.path.to_string_lossy());
        let (module, executable) = (path(self.module), path(modules.executable()));
        ownership::answer(&ownership::Frame {
            function: function.name,
            linkage_name: function.linkage_name,
            module: module.as_deref(),
            executable: executable.as_deref(),
            source: function.source,
            language: function.language.and_then(language),
        })
    }
}

fn language(language: dwarf::Language) -> Option<Language> {
    match language {
        dwarf::Language::C => Some(Language::C),
        dwarf::Language::Cpp => Some(Language::Cpp),
        dwarf::Language::Rust => Some(Language::Rust),
        dwarf::Language::Go => Some(Language::Go),
        dwarf::Language::Ada | dwarf::Language::Fortran | dwarf::Language::Scoped => {
            Some(Language::Other)
        }
        dwarf::Language::Unknown => None,
    }
}

/// Whether the physical function of a frame begins or ends in a source of the application.
///
/// The line it is at may be that of a header, where something of that was inlined and no
/// record of it was left.
fn has_own_ends(process: &Process, frame: &Frame) -> bool {
    let own = || {
        let index = frame.module?;
        let debug = process.modules.debug(index)?;
        let symbol = debug.symbol_at(process.modules.get(index)?.to_svma(frame.pc))?;
        let last = Svma(symbol.address.0.checked_add(symbol.size.checked_sub(1)?)?);
        let place = Place { process, module: frame.module };
        Some([symbol.address, last].into_iter().any(|at| {
            let outermost = debug.frames_at(at).pop();
            let outermost = outermost.filter(|outermost| outermost.location.is_some());
            outermost.is_some_and(|outermost| {
                place.answer(function_of(&outermost)).evidence != Evidence::Source
            })
        }))
    };
    own().unwrap_or(false)
}

/// What a frame's function and those it tail-called are called.
pub(super) fn names(frame: &Frame) -> impl Iterator<Item = Cow<'_, str>> {
    std::iter::once(frame)
        .chain(&frame.tail_calls)
        .flat_map(|frame| [frame.function.as_deref(), frame.linkage_name.as_deref()])
        .flatten()
        .map(undecorated)
}
