//! What source calls a register or a place in memory at one instruction: a variable, a
//! member of what one points at, what an accessor of a library returned.

use super::accessor::{is_indexed_by_number, method_of};
use super::body::{Definition, Slot};
use super::moment::Moment;
use super::path::part_at;
use super::stub;
use super::trace::is_stub;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Machine, Register};
use obit_disassembly::{MemoryOperand, Next, Part, Term};
use obit_dwarf::types::PointerKind;
use obit_dwarf::{Piece, Place, TypeKind};
use obit_process::process::FrameView;
use obit_process::value::{Object, Scene, TypeRef};

/// Definitions that are followed for one name; each load of `a->b->c` takes some.
const DEEPEST: usize = 24;
/// Characters of a name.
const LONGEST: usize = 200;

/// Something source has words for.
#[derive(Clone, Debug)]
pub(super) struct Named<'t> {
    /// `self->items[i].next`.
    pub(super) text: String,
    /// It, where its type is known; its address may be made up.
    pub(super) object: Option<Object<'t>>,
    /// How many calls inlined into one another are around the function whose variable it
    /// begins with; `None` for what belongs to no function.
    pub(super) depth: Option<usize>,
}

impl Named<'_> {
    /// Whether it is a member or an element of something.
    pub(super) fn is_part(&self) -> bool {
        self.text.contains(['.', '[']) || self.text.contains("->")
    }
}

/// What an accessor of a library returned.
#[derive(Clone, Debug)]
pub(super) struct Returned<'t> {
    pub(super) named: Named<'t>,
    /// The address of it, not its value.
    pub(super) is_reference: bool,
    /// It is the pointer that a smart pointer holds.
    is_smart: bool,
}

/// A pointer into what something points at.
struct Pointer<'t> {
    to: Named<'t>,
    offset: i64,
    /// A variable that was added, and the bytes each of its ones counts.
    index: Option<(String, u64)>,
    /// It is what `to` names itself, not what `to` points at: an accessor returned it.
    is_place: bool,
    /// It is that, but the accessor is a smart pointer's, whose parts are written with an arrow.
    is_smart: bool,
    /// It is a variable of the program, whose address code names.
    is_global: bool,
}

/// A frame's words.
pub(super) struct Names<'t> {
    pub(super) moment: &'t Moment<'t>,
    pub(super) view: &'t FrameView<'t>,
}

impl<'t> Names<'t> {
    fn scene(&self) -> Scene<'t> {
        self.view.scene()
    }

    /// The variable, or the part of one, that is in `slot` before step `at`.
    pub(super) fn variable(&self, at: usize, slot: Slot) -> Option<Named<'t>> {
        let instruction = self.moment.body.steps.get(at)?.address;
        let debug = self.view.debug()?;
        let views = self.view.seen_from(instruction);
        let foreign = self.moment.foreign_calls(instruction);
        let is_foreign = |outward: usize| foreign.get(outward).copied().unwrap_or(false);
        // Names of a library's inlined functions (`this`, `__k`) are not the program's.
        let has_own = (0..views.len()).any(|outward| !is_foreign(outward));
        let (mut untyped, mut in_part) = (None, None);
        for (outward, view) in views.iter().enumerate() {
            if has_own && is_foreign(outward) {
                continue;
            }
            let depth = views.len().checked_sub(outward + 1);
            for (variable, pieces) in view.places() {
                let (Some(name), Some(ty)) = (&variable.name, variable.ty) else { continue };
                let ty = TypeRef { debug, id: ty };
                let [Piece { bits: None, bit_offset: 0, place }] = &*pieces else {
                    let found = self.of_pieces(name, ty, &pieces, slot);
                    in_part = in_part.or(found.map(|found| Named { depth, ..found }));
                    continue;
                };
                match (place, slot) {
                    (Place::Register(register), Slot::Register(wanted)) if *register == wanted => {
                        let object = Some(Object::at(ty, Avma(0)));
                        let named = Named { text: name.to_string(), object, depth };
                        // What a callback is given and the pointer it makes of that may share a
                        // register.
                        if !self.is_untyped(&named) {
                            return Some(named);
                        }
                        untyped.get_or_insert(named);
                    }
                    (Place::Memory(start), Slot::Memory(at, size)) => {
                        let found =
                            self.within(name, &Object::at(ty, *start), at, Some(size), None);
                        if let Some(found) = found {
                            return Some(Named { depth, ..found });
                        }
                    }
                    _ => {}
                }
            }
        }
        // Where a whole variable is as well, compilers forget that its parts are no more.
        in_part.or(untyped)
    }

    /// Whether it is a pointer to nothing in particular (`void *`).
    fn is_untyped(&self, named: &Named<'t>) -> bool {
        let Some(object) = &named.object else { return false };
        let ty = object.resolved(self.scene());
        matches!(ty.get().kind, TypeKind::Pointer { target: None, .. })
    }

    /// The part of `object`, called `name`, that lies at `at`.
    pub(super) fn within(
        &self,
        name: &str,
        object: &Object<'t>,
        at: Avma,
        size: Option<u64>,
        index: Option<(&str, u64)>,
    ) -> Option<Named<'t>> {
        let into = at.0.checked_sub(object.address()?.0)?;
        if into >= object.size(self.scene())? {
            return None;
        }
        let part = part_at(self.scene(), object, into, size, index)?;
        let text = format!("{name}{}", part.text);
        Some(Named { text, object: Some(part.object), depth: None })
    }

    /// What is in a register before step `at`.
    pub(super) fn register(&self, at: usize, register: Register) -> Option<Named<'t>> {
        self.register_within(at, register, DEEPEST)
    }

    fn register_within(&self, at: usize, register: Register, depth: usize) -> Option<Named<'t>> {
        if let Some(named) = self.variable(at, Slot::Register(register)) {
            return Some(named);
        }
        let depth = depth.checked_sub(1)?;
        let reaching = self.moment.reaching(at, Slot::Register(register));
        match *reaching.definitions {
            [
                Definition::Written(
                    by,
                    Term::Memory(operand) | Term::SignExtendedMemory(operand, _),
                ),
            ] => self.memory_within(by, &operand, depth),
            [Definition::Written(by, Term::Register(part) | Term::SignExtended(part, _))] => {
                self.register_within(by, part.register, depth)
            }
            [Definition::Called(by)] => {
                let returned = self.returned(by, depth)?;
                (!returned.is_reference).then_some(returned.named)
            }
            _ => None,
        }
    }

    /// What lies in memory where `operand` of step `at` points.
    pub(super) fn memory(&self, at: usize, operand: &MemoryOperand) -> Option<Named<'t>> {
        self.memory_within(at, operand, DEEPEST)
    }

    fn memory_within(&self, at: usize, operand: &MemoryOperand, depth: usize) -> Option<Named<'t>> {
        let address = self.moment.address(operand, at).map(|known| Avma(known.value));
        let size = operand.size;
        if let Some(address) = address.filter(|address| self.moment.is_own(*address)) {
            return self.variable(at, Slot::Memory(address, size?));
        }
        if let (None, None, None) = (operand.base, operand.index, operand.segment) {
            return self.global(Avma(operand.displacement.cast_unsigned()), size);
        }
        let pointer = self.pointer(at, operand, depth);
        let variable = || self.variable(at, Slot::Memory(address?, size?));
        let named = pointer.and_then(|pointer| self.pointee(&pointer, size)).or_else(variable);
        named.or_else(|| self.global(address?, size)).filter(|named| named.text.len() <= LONGEST)
    }

    /// A variable that lives as long as its module.
    fn global(&self, at: Avma, size: Option<u64>) -> Option<Named<'t>> {
        let process = self.moment.process;
        let index = process.modules.index_at(at)?;
        let module = process.modules.get(index)?;
        let debug = process.modules.debug(index)?;
        if let Some((name, object)) = self.global_object(at) {
            return self.within(&name, &object, at, size, None);
        }
        let is_code = process.memory.region_at(at).is_some_and(|of| of.permissions.execute);
        if is_code {
            return None;
        }
        let symbol = debug.symbol_at(module.to_svma(at))?;
        let is_it = symbol.offset == 0 && symbol.size > 0;
        is_it.then_some(Named { text: symbol.name, object: None, depth: None })
    }

    /// The whole of such a variable that holds `at`, and its name.
    fn global_object(&self, at: Avma) -> Option<(String, Object<'t>)> {
        let modules = &self.moment.process.modules;
        let index = modules.index_at(at)?;
        let (module, debug) = (modules.get(index)?, modules.debug(index)?);
        let (variable, start) = debug.variable_at(module.to_svma(at))?;
        let object = Object::at(TypeRef { debug, id: variable.ty? }, module.to_avma(start));
        Some((variable.name.as_ref()?.to_string(), object))
    }

    /// The array of the program that code names by its address.
    fn global_array(&self, at: Avma) -> Option<Pointer<'t>> {
        let (text, object) = self.global_object(at)?;
        let offset = i64::try_from(at.0.checked_sub(object.address()?.0)?).ok()?;
        let to = Named { text, object: Some(object), depth: None };
        Some(Pointer { to, offset, index: None, is_place: true, is_smart: false, is_global: true })
    }

    /// What the address of `operand` points into.
    fn pointer(&self, at: usize, operand: &MemoryOperand, depth: usize) -> Option<Pointer<'t>> {
        let depth = depth.checked_sub(1)?;
        if operand.segment.is_some() {
            return None;
        }
        let (base, index) = match (operand.base, operand.index) {
            (Some(base), index) => (base, index),
            (None, Some((index, 1))) => (index, None),
            _ => return None,
        };
        // A sum of two registers does not say which of them is the pointer.
        let orders = match index {
            Some((other, 1)) => vec![(base, index), (other, Some((base, 1)))],
            _ => vec![(base, index)],
        };
        orders.into_iter().find_map(|(base, index)| {
            let mut pointer = self.pointer_in(at, base.register, depth)?;
            pointer.offset = pointer.offset.checked_add(operand.displacement)?;
            if let Some((part, scale)) = index {
                let (name, bytes) = self.index(at, part, scale, depth)?;
                // Which element it was says more than the name of what counts.
                let number = self.moment.part(part, at).and_then(|known| {
                    let offset = known.value.checked_mul(scale)?;
                    Some((offset / bytes.max(1)).to_string()).filter(|_| known.is_certain)
                });
                let index = (number.unwrap_or(name), bytes);
                if pointer.index.replace(index).is_some() {
                    return None;
                }
            }
            Some(pointer)
        })
    }

    fn pointer_in(&self, at: usize, register: Register, depth: usize) -> Option<Pointer<'t>> {
        if let Some(to) = self.variable(at, Slot::Register(register)) {
            return self.as_pointer(to);
        }
        let depth = depth.checked_sub(1)?;
        let reaching = self.moment.reaching(at, Slot::Register(register));
        match *reaching.definitions {
            [Definition::Written(_, Term::Constant(at))] => self.global_array(Avma(at)),
            [
                Definition::Written(
                    _,
                    Term::Address(MemoryOperand { base: None, index: None, displacement, .. }),
                ),
            ] => self.global_array(Avma(displacement.cast_unsigned())),
            [Definition::Written(by, Term::Address(operand))] => self.pointer(by, &operand, depth),
            [Definition::Called(by)] => {
                let Returned { named: to, is_smart, .. } = self.returned(by, depth)?;
                Some(Pointer {
                    to,
                    offset: 0,
                    index: None,
                    is_place: true,
                    is_smart,
                    is_global: false,
                })
            }
            _ => self.as_pointer(self.register_within(at, register, depth)?),
        }
    }

    /// Whether a register holds what source calls a pointer.
    pub(super) fn is_pointer(&self, at: usize, register: Register) -> bool {
        self.pointer_in(at, register, DEEPEST).is_some()
    }

    /// Whether what a register holds was read from memory or handed over: an array's own
    /// address is not.
    pub(super) fn is_loaded(&self, at: usize, register: Register) -> bool {
        let reaching = self.moment.reaching(at, Slot::Register(register));
        !matches!(
            *reaching.definitions,
            [Definition::Written(_, Term::Address(_) | Term::Constant(_))]
        )
    }

    /// Whether what a register holds is the address of a variable that the code itself names:
    /// of the frame, or of the program.
    pub(super) fn is_fixed(&self, at: usize, register: Register) -> bool {
        let facts = self.moment.facts;
        let (mut at, mut register) = (at, register);
        for _ in 0..DEEPEST {
            let reaching = self.moment.reaching(at, Slot::Register(register));
            match *reaching.definitions {
                [Definition::Written(by, Term::Register(part))] if part.shift == 0 => {
                    (at, register) = (by, part.register);
                }
                [Definition::Written(_, Term::Constant(_))] => return true,
                [Definition::Written(_, Term::Address(operand))] => {
                    let is_own =
                        |part: Part| part.register == facts.sp || part.register == facts.fp;
                    return operand.index.is_none() && operand.base.is_none_or(is_own);
                }
                _ => return false,
            }
        }
        false
    }

    fn as_pointer(&self, to: Named<'t>) -> Option<Pointer<'t>> {
        let ty = to.object.as_ref()?.resolved(self.scene());
        matches!(ty.get().kind, TypeKind::Pointer { .. }).then_some(Pointer {
            to,
            offset: 0,
            index: None,
            is_place: false,
            is_smart: false,
            is_global: false,
        })
    }

    /// The variable that counts in an index, and the bytes of each step.
    fn index(&self, at: usize, part: Part, scale: u64, depth: usize) -> Option<(String, u64)> {
        let depth = depth.checked_sub(1)?;
        if let Some(named) = self.variable(at, Slot::Register(part.register)) {
            return Some((named.text, scale));
        }
        let reaching = self.moment.reaching(at, Slot::Register(part.register));
        match *reaching.definitions {
            [Definition::Written(by, Term::Address(operand))]
                if operand.base.is_none() && operand.displacement == 0 =>
            {
                let (part, factor) = operand.index?;
                self.index(by, part, scale.checked_mul(factor)?, depth)
            }
            [Definition::Written(by, Term::Register(part) | Term::SignExtended(part, _))] => {
                self.index(by, part, scale, depth)
            }
            [
                Definition::Written(
                    by,
                    Term::Memory(operand) | Term::SignExtendedMemory(operand, _),
                ),
            ] => Some((self.memory_within(by, &operand, depth)?.text, scale)),
            _ => None,
        }
    }

    /// What a pointer leads to.
    fn pointee(&self, pointer: &Pointer<'t>, size: Option<u64>) -> Option<Named<'t>> {
        let Pointer { to, offset, index, is_place, is_smart, is_global } = pointer;
        if *is_place {
            let Some((name, step)) = index else {
                // Parts of the program's variables are found by their addresses.
                return if *is_global {
                    None
                } else {
                    self.part_of_returned(to, *offset, size, *is_smart)
                };
            };
            let into = u64::try_from(*offset).ok()?;
            let index = Some((name.as_str(), *step));
            let part = part_at(self.scene(), to.object.as_ref()?, into, size, index)?;
            let text = format!("{}{}", to.text, part.text);
            return Some(Named { text, object: Some(part.object), depth: to.depth });
        }
        let ty = to.object.as_ref()?.resolved(self.scene());
        let TypeKind::Pointer { kind, target } = ty.get().kind else { return None };
        let Some(target) = target else {
            let is_start = *offset == 0 && index.is_none();
            let text = format!("*{}", to.text);
            return is_start.then_some(Named { text, object: None, depth: to.depth });
        };
        let target = Object::at(ty.other(target), Avma(0));
        let bytes = target.size(self.scene()).filter(|bytes| *bytes > 0)?;
        let length = i64::try_from(bytes).ok()?;
        let (nth, into) = (offset.div_euclid(length), offset.rem_euclid(length).cast_unsigned());
        let mut index = index.as_ref().map(|(name, step)| (name.as_str(), *step));
        let name = &to.text;
        // A dereference that comes before a member or an index of what it yields.
        let base = match (kind, nth, index) {
            (PointerKind::Pointer, 0, Some((by, step))) if step == bytes => {
                index = None;
                format!("{name}[{by}]")
            }
            (PointerKind::Pointer, 0, _) => String::new(),
            (PointerKind::Pointer, ..) => format!("{name}[{nth}]"),
            (PointerKind::LvalueReference | PointerKind::RvalueReference, 0, _) => name.clone(),
            _ => return None,
        };
        let part = part_at(self.scene(), &target, into, size, index)?;
        let text = if !base.is_empty() {
            format!("{base}{}", part.text)
        } else if let Some(member) = part.text.strip_prefix('.') {
            let arrow = if self.has_arrows() { "->" } else { "." };
            format!("{}{arrow}{member}", in_parentheses(name))
        } else if part.text.is_empty() && !self.is_hidden(&target, &part.object) {
            format!("*{name}")
        } else if part.text.is_empty() {
            name.clone()
        } else {
            format!("(*{name}){}", part.text)
        };
        let text = captured(text);
        Some(Named { text, object: Some(part.object), depth: to.depth })
    }

    /// What lies `offset` bytes into what an accessor returned.
    fn part_of_returned(
        &self,
        to: &Named<'t>,
        offset: i64,
        size: Option<u64>,
        is_smart: bool,
    ) -> Option<Named<'t>> {
        let Some(whole) = &to.object else { return (offset == 0).then(|| to.clone()) };
        let part = part_at(self.scene(), whole, u64::try_from(offset).ok()?, size, None)?;
        let text = match part.text.strip_prefix('.') {
            Some(member) if is_smart => format!("{}->{member}", in_parentheses(&to.text)),
            _ => format!("{}{}", to.text, part.text),
        };
        Some(Named { text, object: Some(part.object), depth: to.depth })
    }

    /// Whether a library's wrapper is between the two: the name of the outer one is enough.
    fn is_hidden(&self, outer: &Object<'t>, inner: &Object<'t>) -> bool {
        let is_record = |object: &Object<'t>| {
            matches!(object.resolved(self.scene()).get().kind, TypeKind::Record(_))
        };
        is_record(outer) && !is_record(inner)
    }

    /// Whether the language writes members of a pointee with an arrow.
    fn has_arrows(&self) -> bool {
        let source = self.view.frame().source.as_ref();
        !source.is_some_and(|source| source.file.ends_with(".rs") || source.file.ends_with(".go"))
    }

    /// The member that an access by way of the pointer in `register` wanted.
    pub(super) fn wanted(&self, at: usize, operand: &MemoryOperand) -> Option<String> {
        let pointer = self.pointer(at, operand, DEEPEST)?;
        let TypeKind::Pointer { target: Some(target), .. } =
            pointer.to.object.as_ref()?.resolved(self.scene()).get().kind
        else {
            return None;
        };
        let ty = pointer.to.object.as_ref()?.resolved(self.scene()).other(target);
        let target = Object::at(ty, Avma(0));
        let offset = u64::try_from(pointer.offset).ok()?;
        if pointer.index.is_some() || offset >= target.size(self.scene())? {
            return None;
        }
        let part = part_at(self.scene(), &target, offset, operand.size, None)?;
        part.text.strip_prefix('.').map(str::to_owned)
    }

    /// What a function that was called at step `by` returned, where the function only finds
    /// its way in a container or a smart pointer.
    pub(super) fn accessed(&self, by: usize) -> Option<Returned<'t>> {
        self.returned(by, DEEPEST)
    }

    fn returned(&self, by: usize, depth: usize) -> Option<Returned<'t>> {
        let depth = depth.checked_sub(1)?;
        let function = self.called(by)?;
        let method = method_of(&function)?;
        let registers = argument_registers(self.moment.process.dump.machine);
        let [first, second, ..] = *registers else { return None };
        let Named { text: on, depth: inlined, .. } = self.object_in(by, first, depth)?;
        let text = match method {
            // A key is passed by its address.
            "operator[]" | "at" if !is_indexed_by_number(&function) => format!("{on}[\u{2026}]"),
            "operator[]" | "at" => {
                let size = u64::from(self.moment.facts.word);
                let part = Part { register: second, shift: 0, size };
                let number = self.moment.part(part, by);
                let index = match number {
                    Some(number) => number.value.to_string(),
                    None => self.index(by, part, 1, depth).filter(|(_, bytes)| *bytes == 1)?.0,
                };
                format!("{on}[{index}]")
            }
            "operator*" | "operator->" | "get" => on,
            method => format!("{on}.{method}()"),
        };
        let named = Named { text, object: self.referent_of_result(by), depth: inlined };
        let is_reference = matches!(method, "operator[]" | "at" | "operator*" | "front" | "back");
        let is_smart = matches!(method, "operator->" | "get");
        Some(Returned { named, is_reference, is_smart })
    }

    /// The name of what a register points at: `ns` for `&ns` and for a reference to it.
    fn object_in(&self, at: usize, register: Register, depth: usize) -> Option<Named<'t>> {
        let depth = depth.checked_sub(1)?;
        let reaching = self.moment.reaching(at, Slot::Register(register));
        if let [Definition::Written(by, Term::Address(operand))] = *reaching.definitions {
            let address = self.moment.address(&operand, by).map(|known| Avma(known.value));
            if let Some(address) = address.filter(|address| self.moment.is_own(*address)) {
                return self.variable(by, Slot::Memory(address, 1));
            }
            if operand.base.is_none() {
                return self.global(address?, None);
            }
        }
        if let [Definition::Written(by, Term::Register(part))] = *reaching.definitions {
            return self.object_in(by, part.register, depth);
        }
        let pointer = self.pointer_in(at, register, depth)?;
        let named = self.pointee(&pointer, None)?;
        let text = named.text.strip_prefix('*').map_or(named.text.clone(), str::to_owned);
        Some(Named { text, ..named })
    }

    /// What the pointer or reference refers to that the function returned which step `by` calls.
    fn referent_of_result(&self, by: usize) -> Option<Object<'t>> {
        let Next::Calls(Some(target)) = self.moment.body.steps.get(by)?.next else { return None };
        let modules = &self.moment.process.modules;
        let index = modules.index_at(target)?;
        let (module, debug) = (modules.get(index)?, modules.debug(index)?);
        let id = debug.type_returned_by(module.to_svma(target))?;
        let returned = TypeRef { debug, id }.resolved(self.scene());
        let TypeKind::Pointer { target: Some(target), .. } = returned.get().kind else {
            return None;
        };
        Some(Object::at(returned.other(target), Avma(0)))
    }

    /// The function that step `by` calls, by the name of its symbol; of a library's, by the name
    /// that programs call it by.
    pub(super) fn called(&self, by: usize) -> Option<String> {
        let Next::Calls(Some(target)) = self.moment.body.steps.get(by)?.next else { return None };
        let process = self.moment.process;
        self.function_at(target).or_else(|| {
            let name = self.function_at(stub::target(process, target)?)?;
            let name = name.strip_prefix("_IO_new_").unwrap_or(&name);
            let name = obit_ownership::library_name(name);
            // Where all file offsets have 64 bits, both are one function.
            let is_of_files = matches!(name, "fopen64" | "freopen64" | "mmap64" | "readdir64");
            let name = name.strip_suffix("64").filter(|_| is_of_files).unwrap_or(name);
            Some(name.to_owned())
        })
    }

    /// The name of the function that begins at `at`.
    fn function_at(&self, at: Avma) -> Option<String> {
        let modules = &self.moment.process.modules;
        let index = modules.index_at(at)?;
        let symbol = modules.debug(index)?.symbol_at(modules.get(index)?.to_svma(at))?;
        (symbol.offset == 0 && !is_stub(&symbol.name)).then_some(symbol.name)
    }
}

/// What a lambda captured by its own name: `x` for gcc's `__closure->__x`.
fn captured(text: String) -> String {
    let inner = text.strip_prefix("__closure->__").or_else(|| text.strip_prefix("*__closure->__"));
    inner.map(str::to_owned).unwrap_or(text)
}

/// `(*p)` for `*p`.
fn in_parentheses(name: &str) -> String {
    match name.starts_with('*') {
        true => format!("({name})"),
        false => name.to_owned(),
    }
}

/// The registers of a call's first arguments, in their order (psABI).
pub(super) fn argument_registers(machine: Machine) -> &'static [Register] {
    machine.facts().map(|facts| facts.arguments).unwrap_or_default()
}
