//! From activations to frames with names, each distinct pc asked for once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::recursion;
use super::{Frame, FrameKind, Recursion};
use crate::module::Modules;
use crate::unwind::{Activation, Left, Stack, Trust};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Machine;
use obit_corefile::limits::Limits;
use obit_dwarf::{Language, SourceFrame, SourceLocation};

/// Outermost frames of a cut stack that are kept: enough to see who began.
const OUTERMOST_KEPT: usize = 20;

/// Names frames; keeps what it has found for the threads to come.
pub(super) struct Naming<'m> {
    machine: Machine,
    modules: &'m Modules,
    limits: &'m Limits,
    known: HashMap<Avma, Rc<[Place]>>,
    tail_calls: HashMap<(Avma, Avma), Rc<Vec<Avma>>>,
}

/// A [`SourceFrame`] that the frames at its address share.
struct Place {
    function: Option<Arc<str>>,
    linkage_name: Option<Arc<str>>,
    location: Option<Arc<SourceLocation>>,
    language: Option<Language>,
    is_inline: bool,
    from_symbol: bool,
}

/// The frames of one stack.
pub(super) struct Named {
    pub(super) frames: Vec<Frame>,
    pub(super) omitted: Option<(usize, usize)>,
    pub(super) recursion: Option<Recursion>,
}

impl<'m> Naming<'m> {
    pub(super) fn new(machine: Machine, modules: &'m Modules, limits: &'m Limits) -> Self {
        Self { machine, modules, limits, known: HashMap::new(), tail_calls: HashMap::new() }
    }

    /// Names the frames of `stack`: all of them, or the innermost and the outermost of
    /// a very deep one.
    pub(super) fn name(&mut self, stack: &Stack) -> Named {
        let total = stack.frames.len();
        let skipped_after = stack.skipped.map_or(total, |skipped| skipped.after).min(total);
        let innermost = self.limits.frames_shown.min(skipped_after);
        let outermost = match self.limits.frames_shown >= total {
            true => total - innermost,
            false => OUTERMOST_KEPT.min(total - innermost),
        };
        let mut frames = Vec::new();
        for index in 0..innermost {
            self.push(stack, index, &mut frames);
        }
        let skipped = stack.depth() - total;
        let left_out = total - innermost - outermost + skipped;
        let last = frames.len().saturating_sub(1);
        let omitted = (left_out > 0).then_some((left_out, last));
        for index in total - outermost..total {
            self.push(stack, index, &mut frames);
        }
        let recursion = recursion::find(&stack.frames, self.machine).map(|found| Recursion {
            cycle: found.cycle.iter().map(|frame| self.function_of(frame)).collect(),
            rounds: found.rounds + skipped / found.cycle.len().max(1),
            bytes_per_round: found.bytes_per_round,
        });
        frames.shrink_to_fit();
        Named { frames, omitted, recursion }
    }

    fn push(&mut self, stack: &Stack, index: usize, frames: &mut Vec<Frame>) {
        let Some(activation) = stack.frames.get(index) else { return };
        let module = self.modules.index_at(activation.lookup_pc());
        let trust = activation.trust;
        let bare = Frame::unnamed(FrameKind::Normal, trust, index, activation.pc, module);
        if activation.is_signal {
            // Only the symbol of the trampoline is useful. It is looked up at the pc: the byte
            // before is padding or belongs to another function.
            let named = self.at(activation.pc);
            let function = named.last().and_then(|physical| physical.function.clone());
            let linkage_name = named.last().and_then(|physical| physical.linkage_name.clone());
            frames.push(Frame { kind: FrameKind::Signal, function, linkage_name, ..bare });
            return;
        }
        let caller = stack.frames.get(index + 1);
        let tail_calls = caller.map(|caller| self.between(activation, index, caller));
        let tail_calls = tail_calls.unwrap_or_default();
        let named = self.at(activation.lookup_pc());
        if named.is_empty() {
            frames.push(Frame { tail_calls, ..bare });
            return;
        }
        for place in named.iter() {
            let kind = if place.is_inline { FrameKind::Inline } else { FrameKind::Normal };
            frames.push(named_frame(&bare, kind, place));
        }
        if let Some(physical) = frames.last_mut() {
            physical.tail_calls = tail_calls;
        }
    }

    /// The functions that jumped instead of calling, between `callee` and its `caller`.
    fn between(&mut self, callee: &Activation, index: usize, caller: &Activation) -> Vec<Frame> {
        let called = caller.left == Left::Called && !callee.is_signal && !caller.is_signal;
        if !called || caller.trust > Trust::CallSite {
            return Vec::new();
        }
        let key = (caller.pc, callee.lookup_pc());
        let found = match self.tail_calls.get(&key) {
            Some(found) => Rc::clone(found),
            None => {
                let found =
                    Rc::new(self.find_tail_calls(callee.lookup_pc(), caller).unwrap_or_default());
                self.tail_calls.insert(key, Rc::clone(&found));
                found
            }
        };
        let mut frames = Vec::new();
        for pc in found.iter() {
            let named = self.at(Left::Called.lookup_pc(*pc));
            let module = self.modules.index_at(*pc);
            let kind = FrameKind::TailCall;
            let bare = Frame::unnamed(kind, Trust::CallSite, index, *pc, module);
            // As in gdb, one frame: the innermost function stands for those it is inlined in.
            frames
                .extend(named.first().map(|place| named_frame(&bare, FrameKind::TailCall, place)));
        }
        frames
    }

    fn find_tail_calls(&mut self, callee: Avma, caller: &Activation) -> Option<Vec<Avma>> {
        let from = self.modules.index_at(caller.lookup_pc())?;
        let to = self.modules.index_at(callee)?;
        let (calling, called_in) = (self.modules.get(from)?, self.modules.get(to)?);
        let debug = self.modules.debug(from)?;
        let return_pc = calling.to_svma(caller.pc);
        let name = debug.called_name(return_pc);
        // The usual case: the function that was called is the one that runs.
        if let Some(name) = &name {
            let named = self.at(callee);
            let runs = named
                .last()
                .and_then(|physical| physical.linkage_name.as_ref().or(physical.function.as_ref()));
            if runs.is_some_and(|runs| **runs == **name) {
                return None;
            }
        }
        let callee = called_in.to_svma(callee);
        let calls = if from == to {
            debug.tail_calls(return_pc, callee)
        } else {
            self.modules.debug(to)?.tail_calls_from(&name?, callee)
        };
        Some(calls.iter().map(|call| called_in.to_avma(call.pc)).collect())
    }

    /// The functions at a lookup pc, innermost first.
    fn at(&mut self, at: Avma) -> Rc<[Place]> {
        if let Some(known) = self.known.get(&at) {
            return Rc::clone(known);
        }
        let found = match self.modules.index_at(at) {
            Some(index) => self
                .modules
                .get(index)
                .and_then(|module| Some(self.modules.debug(index)?.frames_at(module.to_svma(at)))),
            None => {
                let name = self.modules.jit_name_at(at);
                name.map(|name| vec![of_map(name, self.modules.jit_location_at(at))])
            }
        };
        let found: Rc<[Place]> = found.into_iter().flatten().map(Place::from).collect();
        self.known.insert(at, Rc::clone(&found));
        found
    }

    fn function_of(&mut self, frame: &Activation) -> String {
        let named = self.at(frame.lookup_pc());
        let name = named.last().and_then(|physical| physical.function.clone());
        name.map_or_else(|| frame.pc.to_string(), |name| name.to_string())
    }
}

impl From<SourceFrame> for Place {
    fn from(of: SourceFrame) -> Self {
        Self {
            function: of.function.map(Arc::from),
            linkage_name: of.linkage_name.map(Arc::from),
            location: of.location.map(Arc::new),
            language: of.language,
            is_inline: of.is_inline,
            from_symbol: of.from_symbol,
        }
    }
}

/// A function that only a file for `perf` names.
fn of_map(name: &str, location: Option<SourceLocation>) -> SourceFrame {
    SourceFrame {
        function: Some(name.to_owned()),
        linkage_name: None,
        location,
        language: None,
        is_inline: false,
        from_symbol: true,
    }
}

fn named_frame(bare: &Frame, kind: FrameKind, place: &Place) -> Frame {
    Frame {
        kind,
        function: place.function.clone(),
        linkage_name: place.linkage_name.clone(),
        from_symbol: place.from_symbol,
        language: place.language,
        source: place.location.clone(),
        ..bare.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::process::{Options, Process};
    use obit_corefile::testkit::{CoreBuilder, CoreFile};
    use obit_dwarf::locate::SearchRules;

    /// The name of the innermost frame of a process that stopped in code of no file.
    fn name(rules: SearchRules) -> Option<String> {
        const CODE: u64 = 0x7f00_0000;
        let core = CoreBuilder::x86_64().thread(77, &[("rip", CODE + 4)]).process(77, "vm", "./vm");
        let core = core.segment_with(CODE, &[0x90; 64], 0x1000, "rx").write();
        let process = Process::open(core.path(), Options { rules, ..Options::default() }, &());
        process.unwrap().threads.first()?.frames.first()?.function.as_deref().map(str::to_owned)
    }

    #[test]
    fn code_of_no_module_has_the_name_that_a_map_for_perf_gives_it() {
        let map = CoreFile::new(b"7f000000 10 LazyCompile:*sum app.js:3\n");
        let jit_map = Some(map.path().to_owned());
        let expected = Some("LazyCompile:*sum app.js:3".to_owned());
        assert_eq!(name(SearchRules { jit_map, ..SearchRules::default() }), expected);
        assert_eq!(name(SearchRules::default()), None);
    }

    #[test]
    fn a_map_beside_the_core_is_that_of_its_process() {
        let directory = tempfile::tempdir().unwrap();
        let beside = |pid: u32| {
            let file = directory.path().join(format!("perf-{pid}.map"));
            std::fs::write(&file, "7f000000 10 sum\n").unwrap();
            let core_directory = Some(directory.path().to_owned());
            let found = name(SearchRules { core_directory, ..SearchRules::default() });
            std::fs::remove_file(file).unwrap();
            found
        };
        assert_eq!(beside(77).as_deref(), Some("sum"));
        assert_eq!(beside(78), None);
    }
}
