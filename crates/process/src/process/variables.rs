//! The variables of a frame: where they are, given the frame's registers, its memory, and
//! what its callers passed.

use std::cell::Cell;
use std::sync::Arc;

use super::caller::At;
use super::frame::Frame;
use super::frame_view::{FrameView, Level};
use crate::value::{Absence, Contents, Object, ObjectPart, PartSource, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_dwarf::{DebugInfo, NoPlace, Piece, Place, Surroundings as Asked, Variable, VariableId};

/// Implicit pointers to implicit pointers that are followed, bounds of bounds.
const DEEPEST: usize = 8;

impl<'p> FrameView<'p> {
    /// What its values are read against.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            memory: &self.process.memory,
            around: self,
            limits: &self.process.limits,
            formatters: &self.process.formatters,
        }
    }

    /// The frame.
    pub fn frame(&self) -> &'p Frame {
        self.frame
    }

    /// The debug information of its module.
    pub fn debug(&self) -> Option<&'p DebugInfo> {
        self.process.modules.debug(self.frame.module?)
    }

    /// Arguments and locals in scope, innermost block first, with their objects; `None` for
    /// one without a type.
    pub fn variables(&self) -> Vec<(Variable, Option<Object<'p>>)> {
        let Some(scope) = self.scopes.frames.get(self.nth) else { return Vec::new() };
        let object = |variable| self.object(self.frame.module?, variable);
        scope.variables.iter().map(|variable| (variable.clone(), object(variable))).collect()
    }

    /// The scopes at `instruction`, another one of the same activation: one view for each call
    /// inlined there, the innermost first. The registers are still those of the moment the
    /// frame was left.
    pub fn seen_from(&self, instruction: Avma) -> Vec<Self> {
        let view = |nth| Self {
            scopes: Arc::default(),
            nth,
            instruction: Some(instruction),
            depth: Cell::new(0),
            ..*self
        };
        let scopes = view(0).scopes_of(Level::of(self.frame));
        let views =
            (0..scopes.frames.len()).map(|nth| Self { scopes: Arc::clone(&scopes), ..view(nth) });
        views.collect()
    }

    /// The names of the variables in scope.
    pub fn names(&self) -> Vec<Arc<str>> {
        let scope = self.scopes.frames.get(self.nth);
        let variables = scope.into_iter().flat_map(|scope| &scope.variables);
        variables.filter_map(|variable| variable.name.clone()).collect()
    }

    /// Where each variable in scope is, as far as its location is known.
    pub fn places(&self) -> Vec<(Variable, Vec<Piece>)> {
        let Some(scope) = self.scopes.frames.get(self.nth) else { return Vec::new() };
        let Some((module, debug)) = self.frame.module.zip(self.debug()) else { return Vec::new() };
        let asked = At::new(self, Level::of(self.frame), module, None);
        let place = |variable: &Variable| {
            Some((variable.clone(), debug.locate(&variable.location, &asked).ok()?))
        };
        scope.variables.iter().filter_map(place).collect()
    }

    /// Where `variable` of the module is, as this frame sees it; `None` if it has no type.
    pub fn object(&self, module: usize, variable: &Variable) -> Option<Object<'p>> {
        let debug = self.process.modules.debug(module)?;
        let ty = TypeRef { debug, id: variable.ty? };
        let asked = At::new(self, Level::of(self.frame), module, None);
        let mut object = Object::at(ty, Avma(0));
        object.contents = match debug.locate(&variable.location, &asked) {
            Ok(pieces) => self.contents(&asked, &object, &pieces),
            Err(reason) => Contents::Absent(reason.into()),
        };
        if let Contents::Parts(parts) = &object.contents
            && let [ObjectPart { bits: wide, source: PartSource::Bytes(_), .. }] = **parts
            && !self.process.memory.is_little_endian()
        {
            // A register or a number is wider than what is in it: the last bytes count.
            let bits = object.size(self.scene()).unwrap_or(0).saturating_mul(8);
            object.bit_offset = wide.saturating_sub(bits);
        }
        Some(object)
    }

    /// A register of this frame as bytes, in memory order.
    pub fn register(&self, register: Register) -> Option<Vec<u8>> {
        self.register_bytes(Level::of(self.frame), register)
    }

    fn contents(&self, asked: &At<'_, 'p>, object: &Object<'p>, pieces: &[Piece]) -> Contents<'p> {
        match pieces {
            [] => Contents::Absent(NoPlace::OptimizedOut.into()),
            [Piece { bits: None, bit_offset: 0, place: Place::Memory(at) }] => {
                Contents::Memory(*at)
            }
            _ => {
                let parts = pieces.iter().map(|piece| {
                    let (source, width) = self.source(asked, &piece.place);
                    let bits = piece.bits.or(width);
                    let whole = || object.size(self.scene()).map(|size| size.saturating_mul(8));
                    let bits = bits.or_else(whole).unwrap_or(0);
                    ObjectPart { bits, bit_offset: piece.bit_offset, source }
                });
                let parts: Arc<[_]> = parts.collect();
                match (pieces, &*parts) {
                    // The whole is nowhere, for one reason.
                    (
                        [Piece { bits: None, .. }],
                        [ObjectPart { source: PartSource::Absent(reason), .. }],
                    ) => Contents::Absent(reason.clone()),
                    _ => Contents::Parts(parts),
                }
            }
        }
    }

    /// What a place holds, and how wide it is if that is known.
    fn source(&self, asked: &At<'_, 'p>, place: &Place) -> (PartSource<'p>, Option<u64>) {
        let bytes = |bytes: Arc<[u8]>| {
            let bits = (bytes.len() as u64).saturating_mul(8);
            (PartSource::Bytes(bytes), Some(bits))
        };
        match place {
            Place::Memory(at) => (PartSource::Memory(*at), None),
            Place::Bytes(found) => bytes(Arc::clone(found)),
            Place::Register(register) => match asked.register_bytes(*register) {
                Some(found) => bytes(Arc::from(found)),
                None => {
                    let lost = NoPlace::RegisterLost(asked.register_name(*register));
                    (PartSource::Absent(lost.into()), None)
                }
            },
            Place::ImplicitPointer { target, offset } => {
                let debug = self.process.modules.debug(asked.module());
                let target = debug.and_then(|debug| self.variable_of(debug, *target));
                let target = target.map(|object| Arc::new(object.moved(object.ty, *offset)));
                let bits = (self.process.memory.word() as u64).saturating_mul(8);
                (PartSource::ImplicitPointer(target), Some(bits))
            }
            Place::OptimizedOut => (PartSource::Absent(Absence::from(NoPlace::OptimizedOut)), None),
        }
    }

    pub(super) fn variable_of(&self, debug: &'p DebugInfo, id: VariableId) -> Option<Object<'p>> {
        self.deeper(|| self.object(self.module_of(debug)?, &debug.variable_of(id)?))
    }

    /// Which module `debug` belongs to.
    pub(super) fn module_of(&self, debug: &DebugInfo) -> Option<usize> {
        let modules = &self.process.modules;
        let is_it = |index: &usize| {
            modules.debug_if_searched(*index).is_some_and(|known| std::ptr::eq(known, debug))
        };
        self.frame.module.filter(is_it).or_else(|| (0..modules.list().len()).find(is_it))
    }

    pub(super) fn deeper<T>(&self, ask: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.depth.get() >= DEEPEST {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let found = ask();
        self.depth.set(self.depth.get() - 1);
        found
    }

    pub(super) fn asked<'v>(
        &'v self,
        debug: &DebugInfo,
        object: Option<Avma>,
    ) -> Option<At<'v, 'p>> {
        let module = self.module_of(debug)?;
        Some(At::new(self, Level::of(self.frame), module, object))
    }
}
