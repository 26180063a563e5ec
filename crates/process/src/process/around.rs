//! What values ask of the process around them: names of addresses, classes of vtables,
//! bounds and members that are computed.

use super::{FrameView, Process};
use crate::value::{Object, Surroundings, TypeRef};
use obit_corefile::addr::{Avma, Svma};
use obit_dwarf::{
    Bound, DebugInfo, Expression, Location, NoPlace, Piece, Place, TypeKind, VariableId,
};

impl<'v, 'p: 'v> Surroundings<'v> for FrameView<'p> {
    fn symbol_at(&self, at: Avma) -> Option<(String, u64)> {
        let index = self.process.modules.index_at(at)?;
        let module = self.process.modules.get(index)?;
        let symbol = self.process.modules.debug(index)?.symbol_at(module.to_svma(at))?;
        (symbol.offset < symbol.size.max(1)).then_some((symbol.name, symbol.offset))
    }

    fn definition_of(&self, declared: TypeRef<'v>) -> Option<TypeRef<'v>> {
        if let Some(id) = declared.debug.definition_of(declared.id) {
            return Some(declared.other(id));
        }
        let name = declared.name();
        let is_enumeration = matches!(declared.get().kind, TypeKind::Enumeration(_));
        let same_kind = |ty: &TypeRef<'_>| match ty.get().kind {
            TypeKind::Record(_) => !is_enumeration,
            TypeKind::Enumeration(_) => is_enumeration,
            _ => false,
        };
        self.others(declared.debug).find_map(|debug| {
            let id = debug.find_type(&name, |id| same_kind(&TypeRef { debug, id }))?;
            Some(TypeRef { debug, id })
        })
    }

    fn class_of_vtable(&self, vtable: Avma) -> Option<(TypeRef<'v>, i64)> {
        let index = self.process.modules.index_at(vtable)?;
        let debug = self.process.modules.debug(index)?;
        let at = self.process.modules.get(index)?.to_svma(vtable);
        let symbol = debug.symbol_at(at).filter(|symbol| symbol.offset < symbol.size.max(1));
        match symbol.as_ref().and_then(|symbol| symbol.name.strip_prefix("vtable for ")) {
            Some(class) => self.cpp_class(debug, class, vtable),
            None => rust_type(debug, at).map(|ty| (ty, 0)),
        }
    }

    fn go_type(&self, at: Avma) -> Option<TypeRef<'v>> {
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let debug = modules.debug(index)?;
        let id = debug.go_type_at(modules.get(index)?.to_svma(at))?;
        Some(TypeRef { debug, id })
    }

    fn bound(&self, of: TypeRef<'v>, bound: &Bound, object: Option<Avma>) -> Option<i64> {
        match bound {
            Bound::Constant(value) => Some(*value),
            // Of the record around, which only the value knows.
            Bound::Unknown | Bound::Member(_) => None,
            Bound::Expression(expression) => {
                let asked = self.asked(of.debug, object)?;
                of.debug.compute(expression, None, &asked).ok().map(|value| value as i64)
            }
            Bound::Variable(id) => self.deeper(|| {
                let variable = of.debug.variable_of(*id)?;
                let module = self.module_of(of.debug)?;
                self.object(module, &variable)?.signed(self.scene()).ok()
            }),
            Bound::Stored(location, size) => self.stored(of, location, *size, object),
        }
    }

    fn data_address(
        &self,
        of: TypeRef<'v>,
        location: &Expression,
        descriptor: Avma,
    ) -> Result<Avma, NoPlace> {
        let asked = self.asked(of.debug, Some(descriptor)).ok_or(NoPlace::NoFrame)?;
        of.debug.compute(location, None, &asked).map(Avma)
    }

    fn member_address(
        &self,
        of: TypeRef<'v>,
        offset: &Expression,
        object: Avma,
    ) -> Result<Avma, NoPlace> {
        let asked = self.asked(of.debug, Some(object)).ok_or(NoPlace::NoFrame)?;
        of.debug.compute(offset, Some(object.0), &asked).map(Avma)
    }

    fn variable(&self, of: &'v DebugInfo, id: VariableId) -> Option<Object<'v>> {
        let known = self.process.modules.debug(self.module_of(of)?)?;
        self.variable_of(known, id)
    }
}

impl Process {
    /// The concrete type of the Rust trait object whose vtable lies at `vtable`.
    pub fn rust_type_of_vtable(&self, vtable: Avma) -> Option<TypeRef<'_>> {
        let index = self.modules.index_at(vtable)?;
        let at = self.modules.get(index)?.to_svma(vtable);
        rust_type(self.modules.debug(index)?, at)
    }
}

impl<'p> FrameView<'p> {
    /// The unsigned number of `size` bytes at a location; `None` if it is absent or not in
    /// one place.
    fn stored(
        &self,
        of: TypeRef<'_>,
        location: &Location,
        size: u8,
        object: Option<Avma>,
    ) -> Option<i64> {
        let asked = self.asked(of.debug, object)?;
        let pieces = of.debug.locate(location, &asked).ok()?;
        let [Piece { bits: None, bit_offset: 0, place }] = pieces.as_slice() else { return None };
        let size = usize::from(size);
        let memory = &self.process.memory;
        let bytes = match place {
            Place::Memory(at) => {
                let mut bytes = vec![0; size];
                memory.read(*at, &mut bytes).ok()?;
                bytes
            }
            Place::Register(register) => self.register(*register)?,
            Place::Bytes(bytes) => bytes.to_vec(),
            Place::ImplicitPointer { .. } | Place::OptimizedOut => return None,
        };
        // A register is wider than the number in its low end.
        let low = match memory.is_little_endian() {
            true => bytes.get(..size),
            false => bytes.get(bytes.len().checked_sub(size)?..),
        };
        i64::try_from(memory.unsigned(low?)).ok()
    }

    /// The class called `name` whose vtable's address point is `vtable`, and the offset of
    /// the vtable pointer in the complete object. The word two before an address point is the
    /// offset to top (Itanium C++ ABI § 2.5.2).
    fn cpp_class<'v>(
        &self,
        debug: &'p DebugInfo,
        name: &str,
        vtable: Avma,
    ) -> Option<(TypeRef<'v>, i64)>
    where
        'p: 'v,
    {
        let memory = &self.process.memory;
        let word = memory.word() as u64;
        let to_top = memory.read_word(Avma(vtable.0.checked_sub(2 * word)?)).ok()?;
        let to_top = if word == 4 { i64::from(to_top as u32 as i32) } else { to_top as i64 };
        let is_class = |ty: &TypeRef<'_>| match &ty.get().kind {
            TypeKind::Record(record) => !record.is_declaration,
            _ => false,
        };
        // The class may be defined in the module of the vtable or in another one.
        std::iter::once(debug).chain(self.others(debug)).find_map(|debug| {
            let id = debug.find_type(name, |id| is_class(&TypeRef { debug, id }))?;
            Some((TypeRef { debug, id }, to_top.checked_neg()?))
        })
    }

    /// The debug information of the other modules that were asked something before: those
    /// of the stacks. To read all of them for one type would take seconds.
    fn others<'v>(&self, but: &DebugInfo) -> impl Iterator<Item = &'v DebugInfo>
    where
        'p: 'v,
    {
        let modules = &self.process.modules;
        let but = std::ptr::from_ref(but);
        (0..modules.list().len())
            .filter_map(|index| modules.debug_if_searched(index))
            .filter(move |debug| !std::ptr::eq(*debug, but))
    }
}

/// The type a trait object's vtable was made for: rustc describes the vtable as a variable
/// whose type names it.
fn rust_type(debug: &DebugInfo, vtable: Svma) -> Option<TypeRef<'_>> {
    let (variable, start) = debug.variable_at(vtable)?;
    let TypeKind::Record(record) = &debug.type_at(variable.ty?).kind else { return None };
    (start == vtable).then_some(TypeRef { debug, id: record.containing_type? })
}
