//! A process made of types and bytes, for tests.

use std::io::Write;
use std::sync::Arc;

use super::readable::UserFormatters;
use super::{Object, Scene, Surroundings, TypeRef};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::limits::Limits;
use obit_corefile::memory::{
    Absent, AddressSpace, Backing, Builder, CoreBytes, Permissions, Region,
};
use obit_dwarf::sample_types::{debug_info_of, id, number_of};
use obit_dwarf::{Bound, DebugInfo, Expression, NoPlace, Type, VariableId};

/// What a test reads values from.
pub(crate) struct Stage {
    debug: DebugInfo,
    memory: AddressSpace,
    limits: Limits,
    /// Address, name, size.
    symbols: Vec<(u64, &'static str, u64)>,
    /// Address point, class, bytes from the complete object to the subobject.
    vtables: Vec<(u64, u32, i64)>,
    /// Declared type, its definition.
    definitions: Vec<(u32, u32)>,
}

impl Stage {
    /// Little-endian, with `chunks` of memory.
    pub(crate) fn new(types: Vec<Type>, chunks: &[(u64, &[u8])]) -> Self {
        Self::with_order(types, chunks, true)
    }

    pub(crate) fn big_endian(types: Vec<Type>, chunks: &[(u64, &[u8])]) -> Self {
        Self::with_order(types, chunks, false)
    }

    fn with_order(types: Vec<Type>, chunks: &[(u64, &[u8])], is_little_endian: bool) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        let mut regions = Vec::new();
        let mut core_offset = 0;
        for (at, bytes) in chunks {
            file.write_all(bytes).unwrap();
            let core_len = bytes.len() as u64;
            let backing = Backing { core_offset, core_len, file: None, absent: Absent::NotDumped };
            let range = AvmaRange::from_len(Avma(*at), core_len);
            regions.push(Region {
                range,
                permissions: Permissions::default(),
                backing,
                name: None,
            });
            core_offset += core_len;
        }
        let core = Arc::new(CoreBytes::new(file, core_offset));
        let mut builder = Builder::new(core, is_little_endian, 8);
        regions.into_iter().for_each(|region| builder.add(region));
        Self {
            debug: debug_info_of(types),
            memory: builder.freeze(),
            limits: Limits::default(),
            symbols: Vec::new(),
            vtables: Vec::new(),
            definitions: Vec::new(),
        }
    }

    pub(crate) fn symbol(mut self, at: u64, name: &'static str, size: u64) -> Self {
        self.symbols.push((at, name, size));
        self
    }

    pub(crate) fn vtable(mut self, at: u64, class: u32, offset: i64) -> Self {
        self.vtables.push((at, class, offset));
        self
    }

    pub(crate) fn definition(mut self, declared: u32, definition: u32) -> Self {
        self.definitions.push((declared, definition));
        self
    }

    /// Runs a test on it.
    pub(crate) fn ask<T>(&self, ask: impl for<'d> FnOnce(Play<'d>) -> T) -> T {
        let around = Around { stage: self };
        let formatters = UserFormatters::default();
        let scene = Scene {
            memory: &self.memory,
            around: &around,
            limits: &self.limits,
            formatters: &formatters,
        };
        ask(Play { scene, debug: &self.debug })
    }
}

/// A stage that is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Play<'d> {
    pub(crate) scene: Scene<'d>,
    debug: &'d DebugInfo,
}

impl<'d> Play<'d> {
    /// Type number `n`.
    pub(crate) fn ty(self, n: u32) -> TypeRef<'d> {
        TypeRef { debug: self.debug, id: id(n) }
    }

    /// The object of type number `n` at `at`.
    pub(crate) fn object(self, n: u32, at: u64) -> Object<'d> {
        Object::at(self.ty(n), Avma(at))
    }
}

struct Around<'d> {
    stage: &'d Stage,
}

impl<'d> Surroundings<'d> for Around<'d> {
    fn symbol_at(&self, at: Avma) -> Option<(String, u64)> {
        let symbols = self.stage.symbols.iter();
        let mut holding = symbols.filter(|(start, _, size)| (*start..start + size).contains(&at.0));
        holding.next().map(|(start, name, _)| ((*name).to_owned(), at.0 - start))
    }

    fn definition_of(&self, declared: TypeRef<'d>) -> Option<TypeRef<'d>> {
        let mut known = self.stage.definitions.iter();
        let (_, definition) = known.find(|(of, _)| id(*of) == declared.id)?;
        Some(declared.other(id(*definition)))
    }

    fn class_of_vtable(&self, vtable: Avma) -> Option<(TypeRef<'d>, i64)> {
        let (_, class, offset) = self.stage.vtables.iter().find(|(at, ..)| *at == vtable.0)?;
        Some((TypeRef { debug: &self.stage.debug, id: id(*class) }, *offset))
    }

    /// A variable's value is the word that lies its number behind the object.
    fn bound(&self, _: TypeRef<'d>, bound: &Bound, object: Option<Avma>) -> Option<i64> {
        let Bound::Variable(variable) = bound else { return None };
        let at = object?.0.checked_add(number_of(*variable))?;
        Some(self.stage.memory.read_word(Avma(at)).ok()? as i64)
    }

    /// The first word of the descriptor.
    fn data_address(
        &self,
        _: TypeRef<'d>,
        _: &Expression,
        descriptor: Avma,
    ) -> Result<Avma, NoPlace> {
        Ok(Avma(self.stage.memory.read_word(descriptor)?))
    }

    fn member_address(&self, _: TypeRef<'d>, _: &Expression, _: Avma) -> Result<Avma, NoPlace> {
        Err(NoPlace::NoFrame)
    }

    fn variable(&self, _: &'d DebugInfo, _: VariableId) -> Option<Object<'d>> {
        None
    }
}
