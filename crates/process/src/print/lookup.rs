//! What names mean in a frame: its variables first, innermost block first; then members
//! of `this`; then globals, those of the frame's own unit and module first; enumerators;
//! functions.

use std::sync::Arc;

use super::ast::{Expr, ExprKind};
use super::eval::Evaluator;
use super::near::nearest;
use super::no_frame::NoFrame;
use super::number::{Integer, IntegerType, Number};
use super::operand::{Operand, Stop, Ty, Wrong};
use super::path::{Path, squeeze};
use crate::value::{Absence, Budget, Contents, Object, TypeRef, Value, tree};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_dwarf::{DebugInfo, Location, NoPlace, TypeKind, Variable};

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    /// What `path` names.
    pub(super) fn name(&self, path: &Path) -> Result<Operand<'v>, Stop> {
        if let ([name], false, None) = (path.segments.as_slice(), path.is_global, &path.within) {
            if let Some(local) = self.local(name) {
                return local;
            }
            if let Some(Ok(this)) = self.local("this")
                && let Ok(member) = self.member(&this, name)
            {
                return Ok(member);
            }
        }
        let text = asked_as(path);
        let found = match &path.within {
            Some(file) => self
                .variable_of_file(file, &text)
                .or_else(|| self.global(&format!("{file}::{text}"))),
            None => self.global(&text),
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if let Some((name, scopes)) = path.segments.split_last()
            && !scopes.is_empty()
            && let Some(found) = self.in_scope(&scopes.join("::"), name)
        {
            return found;
        }
        if let Some(within) = &path.within
            && let Some(found) = self.variable_of_function(within, &text)
        {
            return found;
        }
        if let Some(enumerator) = self.enumerator_in_unit(&text) {
            return Ok(enumerator);
        }
        if let Some(function) = self.function(&text) {
            return Ok(function);
        }
        // Go's null, unless the program calls something else so.
        if text == "nil" {
            return Ok(Operand::Pointer(Avma(0), Ty::Void));
        }
        Err(Wrong::NotFound { name: path.to_string(), near: self.near(&text) }.into())
    }

    /// Whether a variable of the frame or of the program is called so.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        let path = Path { segments: vec![name.to_owned()], ..Path::default() };
        match self.name(&path) {
            Ok(Operand::Function { .. }) | Err(Stop::Wrong { .. }) => false,
            Ok(_) | Err(Stop::Absent(_)) => true,
        }
    }

    /// The arguments or the other variables of the frame, those without a name left out.
    pub(super) fn variables(&self, are_arguments: bool, budget: &Budget) -> Vec<Value> {
        let variables = self.view.variables().into_iter();
        let wanted = variables.filter(|(variable, _)| variable.is_argument == are_arguments);
        let named = wanted.filter_map(|(variable, object)| Some((variable.name?, object)));
        let value = |(name, object): (Arc<str>, Option<Object<'v>>)| match object {
            Some(object) => tree(&object, Some(name), self.scene, budget),
            None => Value::without_type(Some(name)),
        };
        named.map(value).collect()
    }

    /// A variable of the frame. `None` if it has none of this name.
    fn local(&self, name: &str) -> Option<Result<Operand<'v>, Stop>> {
        let mut variables = self.view.variables().into_iter();
        let (_, object) = variables.find(|(variable, _)| is_called(variable, name))?;
        // Without a type it has no place either.
        Some(object.map(Operand::Object).ok_or_else(|| NoPlace::OptimizedOut.into()))
    }

    /// Modules, those first that are more likely to be meant.
    fn modules(&self) -> impl Iterator<Item = (usize, &'p DebugInfo)> {
        let modules = &self.process.modules;
        let first = [self.module, modules.executable()];
        let rest = (0..modules.list().len()).filter(move |index| !first.contains(&Some(*index)));
        let second = first[1].filter(|index| first[0] != Some(*index));
        let order = first[0].into_iter().chain(second).chain(rest);
        order.filter_map(|index| Some((index, modules.debug(index)?)))
    }

    /// The global or static variable called `name`.
    pub(super) fn global(&self, name: &str) -> Option<Operand<'v>> {
        self.modules().find_map(|(index, debug)| {
            let found = debug.variables_named(name);
            let home = self.module == Some(index);
            let pc = self.process.modules.get(index)?.to_svma(self.lookup_pc);
            let is_of_unit = |it: &&Variable| home && debug.is_of_unit_at(it.id, pc);
            let nearest = found.iter().find(is_of_unit).or_else(|| exact(debug, &found, name));
            Some(Operand::Object(self.view.object(index, nearest.or(found.first())?)?))
        })
    }

    fn variable_of_file(&self, file: &str, name: &str) -> Option<Operand<'v>> {
        self.modules().find_map(|(index, debug)| {
            let found = debug.variables_named(name);
            let variable = found.iter().find(|it| {
                let source = debug.source_of(it.id);
                source.is_some_and(|source| {
                    let rest = source.strip_suffix(file);
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
                })
            })?;
            Some(Operand::Object(self.view.object(index, variable)?))
        })
    }

    pub(super) fn function(&self, name: &str) -> Option<Operand<'v>> {
        self.modules().find_map(|(index, debug)| {
            let module = self.process.modules.get(index)?;
            if let Some(found) = debug.functions_named(name).first() {
                let at = module.to_avma(found.entry);
                return Some(Operand::Function { name: found.name.clone(), at });
            }
            let at = module.to_avma(debug.function_named(name)?);
            Some(Operand::Function { name: name.into(), at })
        })
    }

    /// The type called `name`: one with a definition is preferred to one that is only declared.
    pub(super) fn type_named(&self, name: &str) -> Option<Ty<'v>> {
        let mut declared = None;
        for (_, debug) in self.modules() {
            for id in debug.types_named(name) {
                let ty = TypeRef { debug, id };
                if Ty::Known(ty).size(self.scene).is_some() {
                    return Some(Ty::Known(ty));
                }
                declared.get_or_insert(ty);
            }
        }
        declared.map(Ty::Known)
    }

    /// `scope::name` where the scope is not a namespace: an enumeration, a class, a function.
    fn in_scope(&self, scope: &str, name: &str) -> Option<Result<Operand<'v>, Stop>> {
        if let Some(Ty::Known(ty)) = self.type_named(scope) {
            if let Some(enumerator) = self.enumerator_of(ty, name) {
                return Some(Ok(enumerator));
            }
            if let Some(member) = self.static_member(&Object::at(ty, Avma(0)), name) {
                return Some(Ok(member));
            }
            // A member of a base, in a method.
            let this = self.local("this")?.ok()?;
            return self.member(&this, &format!("{scope}::{name}")).ok().map(Ok);
        }
        self.variable_of_function(scope, name)
    }

    /// A static variable of a function, or any of the function that the frame is in.
    fn variable_of_function(
        &self,
        function: &str,
        name: &str,
    ) -> Option<Result<Operand<'v>, Stop>> {
        let own = self.view.frame().function.as_deref();
        if own.is_some_and(|own| squeeze(own) == squeeze(function))
            && let Some(local) = self.local(name)
        {
            return Some(local);
        }
        self.modules().find_map(|(index, debug)| {
            let entry = debug.functions_named(function).first()?.entry;
            let scopes = debug.scopes_at(entry);
            let variables = &scopes.frames.last()?.variables;
            let variable = variables.iter().find(|variable| is_called(variable, name))?;
            let bias = self.process.modules.get(index)?.bias;
            Some(match debug.locate(&variable.location, &NoFrame { bias, scene: self.scene }) {
                Ok(_) => self
                    .view
                    .object(index, variable)
                    .map(Operand::Object)
                    .ok_or_else(|| Stop::from(NoPlace::OptimizedOut)),
                // What a frame would say, this one must not be asked for.
                Err(_) => Err(NoPlace::NoFrame.into()),
            })
        })
    }

    /// An enumerator without its enumeration's name, as C has them.
    fn enumerator_in_unit(&self, name: &str) -> Option<Operand<'v>> {
        let index = self.module?;
        let debug = self.process.modules.debug(index)?;
        let at = self.process.modules.get(index)?.to_svma(self.lookup_pc);
        let id = debug.enumeration_with(name, at)?;
        self.enumerator_of(TypeRef { debug, id }, name)
    }

    fn enumerator_of(&self, ty: TypeRef<'v>, name: &str) -> Option<Operand<'v>> {
        let plain = ty.resolved(self.scene);
        let TypeKind::Enumeration(enumeration) = &plain.get().kind else { return None };
        let (_, value) = enumeration.enumerators.iter().find(|(known, _)| **known == *name)?;
        let integer = Integer::new(*value as u128, self.integer_type(ty)?);
        self.cast(Ty::Known(ty), &Operand::Number(Number::Integer(integer))).ok()
    }

    /// The enumerator that `expression` names, of the enumeration that `beside` is of.
    pub(super) fn enumerator_for(
        &self,
        beside: &Operand<'v>,
        expression: &Expr,
    ) -> Option<Operand<'v>> {
        let ExprKind::Name(path) = &expression.kind else { return None };
        let Operand::Object(object) = beside else { return None };
        let object = self.through_references(object).ok()?;
        self.enumerator_of(object.ty, path.segments.last()?)
    }

    /// A static data member: by its definition, or as the compiler folded it.
    pub(super) fn static_member(&self, object: &Object<'v>, name: &str) -> Option<Operand<'v>> {
        let ty = object.resolved(self.scene);
        let TypeKind::Record(record) = &ty.get().kind else { return None };
        let found = record.statics.iter().find(|it| *it.name == *name)?;
        let full = format!("{}::{name}", ty.name());
        if let Some(operand @ Operand::Object(_)) = self.global(&full) {
            let is_there = |object: &Object<'v>| !matches!(object.contents, Contents::Absent(_));
            if found.constant.is_none() || matches!(&operand, Operand::Object(o) if is_there(o)) {
                return Some(operand);
            }
        }
        let ty = ty.other(found.ty?);
        let Some(constant) = found.constant else {
            let why = Absence::NoPlace(NoPlace::OptimizedOut);
            return Some(Operand::Object(Object::absent(ty, why)));
        };
        let integer = Integer::new(constant as u128, self.integer_type(ty)?);
        self.cast(Ty::Known(ty), &Operand::Number(Number::Integer(integer))).ok()
    }

    /// `$name`.
    pub(super) fn register(&self, name: &str) -> Result<Operand<'v>, Stop> {
        let machine = self.process.dump.machine;
        let Some(facts) = machine.facts() else {
            return Err(Wrong::NoRegister(name.to_owned()).into());
        };
        let (register, low_bits) = match name {
            "pc" => (Some(facts.pc), None),
            "sp" => (Some(facts.sp), None),
            "fp" => (Some(facts.fp), None),
            _ => match facts.register_named(name) {
                Some(register) => (Some(register), None),
                None => part_of_register(name).map_or((None, None), |(whole, bits)| {
                    (facts.register_named(&whole), Some(bits))
                }),
            },
        };
        let Some(register) = register else {
            return Err(Wrong::NoRegister(name.to_owned()).into());
        };
        let bytes = match (register == facts.pc).then_some(self.pc) {
            Some(pc) => self.bytes_of(pc.0),
            None => match self.view.register(register) {
                Some(bytes) => bytes,
                None => return Err(self.lost(register)),
            },
        };
        if bytes.len() > 16 {
            return Ok(Operand::Bytes(bytes));
        }
        let value = self.number_in(&bytes);
        if low_bits.is_none() {
            let at = self.masked(value as u64);
            if register == facts.pc {
                return Ok(Operand::Pointer(at, Ty::Function));
            }
            if register == facts.sp || register == facts.fp && name == "fp" {
                return Ok(Operand::Pointer(at, Ty::Void));
            }
        }
        let bits =
            low_bits.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap_or(8).saturating_mul(8));
        let ty = IntegerType::c(true, bits);
        Ok(Operand::Number(Number::Integer(Integer::new(value, ty))))
    }

    fn lost(&self, register: Register) -> Stop {
        let machine = self.process.dump.machine;
        let name = machine.facts().and_then(|facts| facts.register_name(register));
        NoPlace::RegisterLost(name.map_or_else(|| register.0.to_string(), str::to_owned)).into()
    }

    /// A number in the byte order of the machine.
    fn bytes_of(&self, value: u64) -> Vec<u8> {
        let mut bytes = value.to_le_bytes().to_vec();
        bytes.truncate(self.scene.memory.word());
        if !self.scene.memory.is_little_endian() {
            bytes.reverse();
        }
        bytes
    }

    fn number_in(&self, bytes: &[u8]) -> u128 {
        let fold = |value: u128, byte: &u8| (value << 8) | u128::from(*byte);
        match self.scene.memory.is_little_endian() {
            true => bytes.iter().rev().fold(0, fold),
            false => bytes.iter().fold(0, fold),
        }
    }

    /// Names in scope that are similar to `name`.
    fn near(&self, name: &str) -> Vec<String> {
        let locals = self.view.variables();
        let locals = locals.iter().filter_map(|(variable, _)| variable.name.as_deref());
        let members = match self.local("this") {
            Some(Ok(Operand::Object(this))) => {
                this.pointee(self.scene).map(|this| this.members(self.scene)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let members = members.iter().filter_map(|(name, _)| name.as_deref());
        nearest(name, locals.chain(members).map(str::to_owned))
    }
}

fn is_called(variable: &Variable, name: &str) -> bool {
    variable.name.as_deref().is_some_and(|known| known == name || squeeze(known) == name)
}

/// Of several variables the one that is called so without further scopes, and defined.
fn exact<'f>(debug: &DebugInfo, found: &'f [Variable], name: &str) -> Option<&'f Variable> {
    if name.starts_with("::") {
        return None;
    }
    let whole = debug.variables_named(&format!("::{name}"));
    let is_whole = |it: &&Variable| {
        it.location != Location::OptimizedOut && whole.iter().any(|other| other.id == it.id)
    };
    found.iter().find(is_whole)
}

/// The name as the index of names has it: without Rust's words for where one is.
fn asked_as(path: &Path) -> String {
    let relative = |segment: &&String| matches!(segment.as_str(), "crate" | "self" | "super");
    let skipped = match path.segments.len() {
        0 | 1 => 0,
        _ => path.segments.iter().take_while(relative).count(),
    };
    let name = path.segments.get(skipped..).unwrap_or_default().join("::");
    if path.is_global { format!("::{name}") } else { name }
}

/// The register of x86-64 and aarch64 whose low bits have a name of their own, and how
/// many they are: `$eax`, `$r8d`, `$w0`.
fn part_of_register(name: &str) -> Option<(String, u32)> {
    if let Some(number) = name.strip_prefix('w') {
        return number.parse::<u8>().is_ok().then(|| (format!("x{number}"), 32));
    }
    if let Some(rest) = name.strip_prefix('e') {
        return (rest.len() == 2).then(|| (format!("r{rest}"), 32));
    }
    let numbered =
        name.strip_prefix('r').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if let Some(rest) = numbered {
        let bits = match rest.chars().next_back()? {
            'd' => 32,
            'w' => 16,
            'b' | 'l' => 8,
            _ => return None,
        };
        let number = rest.get(..rest.len().checked_sub(1)?)?;
        return Some((format!("r{number}"), bits));
    }
    match name.as_bytes() {
        [_, b'x' | b'i' | b'p'] => Some((format!("r{name}"), 16)),
        [letter @ b'a'..=b'd', b'l'] => Some((format!("r{}x", char::from(*letter)), 8)),
        [_, b'i' | b'p', b'l'] => Some((format!("r{}", name.get(..2)?), 8)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_registers_are_their_low_bits() {
        for (name, whole, bits) in [
            ("eax", "rax", 32),
            ("esp", "rsp", 32),
            ("ax", "rax", 16),
            ("al", "rax", 8),
            ("sil", "rsi", 8),
            ("r8d", "r8", 32),
            ("r15b", "r15", 8),
            ("w0", "x0", 32),
        ] {
            assert_eq!(part_of_register(name), Some((whole.to_owned(), bits)), "{name}");
        }
        assert_eq!(part_of_register("r8"), None);
        assert_eq!(part_of_register("foo"), None);
        assert_eq!(part_of_register(""), None);
    }

    #[test]
    fn words_for_where_one_is_are_left_out_of_paths() {
        let path = |text: &str| Path::quoted(text);
        assert_eq!(asked_as(&path("crate::module::LIMIT")), "module::LIMIT");
        assert_eq!(asked_as(&path("self")), "self");
        assert_eq!(asked_as(&path("::count")), "::count");
    }
}
