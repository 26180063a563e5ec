//! Types as an expression writes them, and values read as other types.

use std::sync::Arc;

use super::ast::{BaseName, Expr, ExprKind, RecordWord, TypeExpr};
use super::eval::{Evaluator, Loaded};
use super::number::{IntegerType, Number, Rules};
use super::operand::{Operand, Stop, Ty, Wrong};
use crate::value::{Contents, Object, ObjectPart, PartSource, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;
use obit_dwarf::types::Encoding;

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    /// The type that is written.
    pub(super) fn written_type(&self, ty: &TypeExpr) -> Result<Ty<'v>, Stop> {
        Ok(match ty {
            TypeExpr::Base(base) => self.base_type(*base)?,
            TypeExpr::Named { word, path } => {
                let word = match word {
                    Some(RecordWord::Struct) => "struct ",
                    Some(RecordWord::Union) => "union ",
                    Some(RecordWord::Enum) => "enum ",
                    None => "",
                };
                let name = format!("{word}{path}");
                let known = self.type_named(&name);
                let builtin = || if word.is_empty() { self.builtin(&name) } else { None };
                known.or_else(builtin).ok_or(Wrong::NoType(name))?
            }
            TypeExpr::Const(ty) | TypeExpr::Volatile(ty) => self.written_type(ty)?,
            TypeExpr::Pointer(target) => self.written_type(target)?.pointer_to(),
            // A reference is replaced by what it refers to.
            TypeExpr::Reference(target) | TypeExpr::RvalueReference(target) => {
                self.written_type(target)?
            }
            TypeExpr::Array(element, count) => {
                Ty::Array(Box::new(self.written_type(element)?), *count)
            }
            TypeExpr::Function { .. } => Ty::Function,
        })
    }

    /// A type of C's own: the program's of that name, else as the ABI has it.
    fn base_type(&self, base: BaseName) -> Result<Ty<'v>, Stop> {
        let long = self.word_bits();
        let integer = |is_signed, bits| Ty::Integer(IntegerType::c(is_signed, bits));
        // gcc's name, then clang's.
        let (names, ty): (&[&str], _) = match base {
            BaseName::Void => return Ok(Ty::Void),
            BaseName::Bool => (&["bool", "_Bool"], Some(Ty::Boolean)),
            BaseName::Char => (&["char"], None),
            BaseName::SignedChar => (&["signed char"], Some(integer(true, 8))),
            BaseName::UnsignedChar => (&["unsigned char"], Some(integer(false, 8))),
            BaseName::Short => (&["short int", "short"], Some(integer(true, 16))),
            BaseName::UnsignedShort => {
                (&["short unsigned int", "unsigned short"], Some(integer(false, 16)))
            }
            BaseName::Int => (&["int"], Some(integer(true, 32))),
            BaseName::UnsignedInt => (&["unsigned int"], Some(integer(false, 32))),
            BaseName::Long => (&["long int", "long"], Some(integer(true, long))),
            BaseName::UnsignedLong => {
                (&["long unsigned int", "unsigned long"], Some(integer(false, long)))
            }
            BaseName::LongLong => (&["long long int", "long long"], Some(integer(true, 64))),
            BaseName::UnsignedLongLong => {
                (&["long long unsigned int", "unsigned long long"], Some(integer(false, 64)))
            }
            BaseName::Int128 => (&["__int128"], Some(integer(true, 128))),
            BaseName::UnsignedInt128 => {
                (&["__int128 unsigned", "unsigned __int128"], Some(integer(false, 128)))
            }
            BaseName::Float => (&["float"], Some(Ty::Float { is_single: true })),
            BaseName::Double => (&["double"], Some(Ty::Float { is_single: false })),
            BaseName::LongDouble => (&["long double"], None),
            BaseName::Char8 => (&["char8_t"], Some(integer(false, 8))),
            BaseName::Char16 => (&["char16_t"], Some(integer(false, 16))),
            BaseName::Char32 => (&["char32_t"], Some(integer(false, 32))),
            BaseName::WideChar => (&["wchar_t"], Some(integer(true, 32))),
        };
        if let Some(known) = names.iter().find_map(|name| self.type_named(name)) {
            return Ok(known);
        }
        // Whether `char` is signed depends on the program. The machine's ABI is the fallback.
        let signed = || integer(!matches!(self.machine_name(), "aarch64" | "arm" | "riscv64"), 8);
        match (ty, base) {
            (Some(ty), _) => Ok(ty),
            (None, BaseName::Char) => Ok(signed()),
            (None, _) => Err(Wrong::NoType(names.concat()).into()),
        }
    }

    fn machine_name(&self) -> &'static str {
        self.process.dump.machine.name()
    }

    /// Types of Rust and Go by their names, if the program has no type of that name.
    fn builtin(&self, name: &str) -> Option<Ty<'v>> {
        let strict = |is_signed, bits| {
            let ty = IntegerType::c(is_signed, bits);
            Ty::Integer(IntegerType { rules: Rules::Strict, name: Some(Arc::from(name)), ..ty })
        };
        match name {
            "usize" | "uintptr" => return Some(strict(false, self.word_bits())),
            "isize" => return Some(strict(true, self.word_bits())),
            "f32" | "float32" => return Some(Ty::Float { is_single: true }),
            "f64" | "float64" => return Some(Ty::Float { is_single: false }),
            "byte" => return Some(strict(false, 8)),
            "rune" => return Some(strict(true, 32)),
            "size_t" | "uintptr_t" => {
                return Some(Ty::Integer(IntegerType::c(false, self.word_bits())));
            }
            "ssize_t" | "intptr_t" | "ptrdiff_t" => {
                return Some(Ty::Integer(IntegerType::c(true, self.word_bits())));
            }
            _ => {}
        }
        // Rust's `u8`, Go's `uint8`, C's `uint8_t`.
        let (rest, is_c) = match name.strip_suffix("_t") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (is_signed, bits) = match rest.strip_prefix('u') {
            Some(rest) => (false, rest.strip_prefix("int").unwrap_or(rest)),
            None => (true, rest.strip_prefix("int").or_else(|| rest.strip_prefix('i'))?),
        };
        let bits = bits.parse().ok().filter(|bits| [8, 16, 32, 64, 128].contains(bits))?;
        if is_c {
            return Some(Ty::Integer(IntegerType::c(is_signed, bits)));
        }
        Some(strict(is_signed, bits))
    }

    /// Whether `path` names a type and not a variable.
    pub(super) fn is_type(&self, path: &super::Path) -> bool {
        // A class is called as its constructors are.
        if self.name(path).is_ok_and(|found| !matches!(found, Operand::Function { .. })) {
            return false;
        }
        let name = path.to_string();
        self.type_named(&name).is_some() || self.builtin(&name).is_some()
    }

    /// The type of a value or, of a name that has no value, the type of that name.
    pub(super) fn type_of_either(&self, expression: &Expr) -> Result<Ty<'v>, Stop> {
        let value = self.eval(expression);
        if let ExprKind::Name(path) = &expression.kind
            && matches!(value, Err(Stop::Wrong { .. }) | Ok(Operand::Function { .. }))
        {
            let name = path.to_string();
            if let Some(ty) = self.type_named(&name).or_else(|| self.builtin(&name)) {
                return Ok(ty);
            }
        }
        Ok(match value? {
            Operand::Object(object) => self.type_of(&object),
            Operand::Place(ty, _) => ty,
            Operand::Number(number) => match number {
                Number::Boolean(_) => Ty::Boolean,
                Number::Integer(integer) => Ty::Integer(integer.ty),
                Number::Float { is_single, .. } => Ty::Float { is_single },
            },
            Operand::Pointer(_, Ty::Function) => {
                return Err(Wrong::FunctionType.into());
            }
            Operand::Pointer(_, target) => target.pointer_to(),
            Operand::Text(bytes) => {
                let count = (bytes.len() as u64).saturating_add(1);
                Ty::Array(Box::new(Ty::Integer(IntegerType::char())), count)
            }
            Operand::Bytes(bytes) => {
                let byte = Ty::Integer(IntegerType::c(false, 8));
                Ty::Array(Box::new(byte), bytes.len() as u64)
            }
            Operand::Function { .. } => return Err(Wrong::FunctionType.into()),
            Operand::List(list) => match list.items.first() {
                Some((_, Operand::Object(first))) => {
                    Ty::Array(Box::new(self.type_of(first)), list.total)
                }
                _ => return Err(Wrong::NoType(list.type_name.to_string()).into()),
            },
        })
    }

    /// What a typedef names; any other type as it is.
    pub(super) fn without_typedef(&self, ty: &Ty<'v>) -> Ty<'v> {
        match ty {
            Ty::Known(known) => match known.get().kind {
                TypeKind::Typedef(Some(target)) => Ty::Known(known.other(target)),
                TypeKind::Typedef(None) => Ty::Void,
                _ => ty.clone(),
            },
            _ => ty.clone(),
        }
    }

    /// `operand` read as `ty`.
    pub(super) fn cast(&self, ty: Ty<'v>, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        match ty {
            Ty::Known(ty) => self.cast_to_known(ty, operand),
            Ty::Pointer(target) => self.cast_to_pointer(*target, operand),
            Ty::Boolean => self.number(operand, |number| Number::Boolean(number.is_true()), &ty),
            Ty::Integer(ref integer) => {
                let convert = |number: &Number| Number::Integer(number.to_integer(integer.clone()));
                self.number(operand, convert, &ty)
            }
            Ty::Float { is_single } => {
                self.number(operand, |number| Number::float(number.to_float(), is_single), &ty)
            }
            Ty::Array(..) => match self.address_of(operand)? {
                Operand::Pointer(at, _) => Ok(Operand::Place(ty, at)),
                _ => Err(self.no_cast(operand, &ty)),
            },
            Ty::Void | Ty::Function => Err(self.no_cast(operand, &ty)),
        }
    }

    fn no_cast(&self, operand: &Operand<'v>, to: &Ty<'v>) -> Stop {
        let from = self.type_name(operand).to_string();
        Wrong::Cast { from, to: to.name(self.scene).to_string() }.into()
    }

    fn number(
        &self,
        operand: &Operand<'v>,
        convert: impl Fn(&Number) -> Number,
        to: &Ty<'v>,
    ) -> Result<Operand<'v>, Stop> {
        let number = match self.load(operand)? {
            Loaded::Number(number) => number,
            Loaded::Pointer(at, _) if !matches!(to, Ty::Float { .. }) => {
                let ty = IntegerType::c(false, self.word_bits());
                Number::Integer(super::number::Integer::new(u128::from(at.0), ty))
            }
            Loaded::Pointer(..) | Loaded::Other => return Err(self.no_cast(operand, to)),
        };
        Ok(Operand::Number(convert(&number)))
    }

    fn cast_to_pointer(&self, target: Ty<'v>, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        if let Loaded::Pointer(at, from) = self.load(operand)? {
            let moved = match (&from, &target) {
                (Ty::Known(from), Ty::Known(to)) => self.adjusted(at, *from, *to),
                _ => at,
            };
            return Ok(Operand::Pointer(moved, target));
        }
        Ok(Operand::Pointer(self.address(operand)?, target))
    }

    /// Where the object of class `to` lies that a pointer to `from` means: of several
    /// bases each has a place of its own.
    fn adjusted(&self, at: Avma, from: TypeRef<'v>, to: TypeRef<'v>) -> Avma {
        let is_record =
            |ty: TypeRef<'v>| matches!(ty.resolved(self.scene).get().kind, TypeKind::Record(_));
        if at.0 == 0 || !is_record(from) || !is_record(to) {
            return at;
        }
        let name = |ty: TypeRef<'v>| ty.resolved(self.scene).name();
        if name(from) == name(to) {
            return at;
        }
        let base_of = |derived: TypeRef<'v>, base: TypeRef<'v>| {
            self.base(&Object::at(derived, at), &name(base))?.address()
        };
        if let Some(base) = base_of(from, to) {
            return base;
        }
        match base_of(to, from) {
            Some(base) => Avma(at.0.wrapping_sub(base.0.wrapping_sub(at.0))),
            None => at,
        }
    }

    fn cast_to_known(&self, ty: TypeRef<'v>, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        let scene = self.scene;
        let plain = ty.resolved(scene);
        let entry = plain.get();
        match &entry.kind {
            TypeKind::Pointer { target, .. } => {
                let target = target.map_or(Ty::Void, |target| Ty::Known(plain.other(target)));
                let Operand::Pointer(at, _) = self.cast_to_pointer(target, operand)? else {
                    return Err(self.no_cast(operand, &Ty::Known(ty)));
                };
                Ok(self.object_of(ty, u128::from(at.0)))
            }
            TypeKind::Base(base) if matches!(base.encoding, Encoding::Float) => {
                let number = self.load(operand)?;
                let Loaded::Number(number) = number else {
                    return Err(self.no_cast(operand, &Ty::Known(ty)));
                };
                let value = number.to_float();
                match entry.byte_size {
                    Some(4) => Ok(self.object_of(ty, u128::from((value as f32).to_bits()))),
                    Some(8) => Ok(self.object_of(ty, u128::from(value.to_bits()))),
                    _ => Err(self.no_cast(operand, &Ty::Known(ty))),
                }
            }
            TypeKind::Base(_) | TypeKind::Enumeration(_) | TypeKind::Subrange(_) => {
                let Some(mut integer) = self.integer_type(ty) else {
                    return Err(self.no_cast(operand, &Ty::Known(ty)));
                };
                let is_boolean = matches!(&entry.kind,
                    TypeKind::Base(base) if base.encoding == Encoding::Boolean);
                integer.name = None;
                let convert = |number: &Number| match is_boolean {
                    true => Number::Boolean(number.is_true()),
                    false => Number::Integer(number.to_integer(integer.clone())),
                };
                let to = Ty::Known(ty);
                let Operand::Number(number) = self.number(operand, convert, &to)? else {
                    return Err(self.no_cast(operand, &to));
                };
                let value = number.integer().map_or(0, |integer| integer.unsigned());
                Ok(self.object_of(ty, value))
            }
            _ => self.reread(ty, operand),
        }
    }

    /// The same bytes as another record or array: a base of it, what lies at its address,
    /// or a type that is not larger.
    fn reread(&self, ty: TypeRef<'v>, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        let refused = || self.no_cast(operand, &Ty::Known(ty));
        let Operand::Object(object) = operand else {
            return match self.address_of(operand) {
                Ok(Operand::Pointer(at, _)) => Ok(Operand::Object(Object::at(ty, at))),
                _ => Err(refused()),
            };
        };
        let object = self.through_references(object)?;
        if let Some(base) = self.base(&object, &ty.resolved(self.scene).name()) {
            return Ok(Operand::Object(base.cast(ty)));
        }
        if let Some(at) = object.address() {
            return Ok(Operand::Object(Object::at(ty, at)));
        }
        let wanted = Object::at(ty, Avma(0)).size(self.scene);
        if wanted.is_some() && object.size(self.scene) >= wanted {
            return Ok(Operand::Object(object.cast(ty)));
        }
        Err(refused())
    }

    /// An object of `ty` that holds `value` and has no address.
    fn object_of(&self, ty: TypeRef<'v>, value: u128) -> Operand<'v> {
        let size = Object::at(ty, Avma(0)).size(self.scene).unwrap_or(0).min(16);
        let mut bytes = value.to_le_bytes().to_vec();
        bytes.truncate(usize::try_from(size).unwrap_or(0));
        if !self.scene.memory.is_little_endian() {
            bytes.reverse();
        }
        let bits = size.saturating_mul(8);
        let part = ObjectPart { bits, bit_offset: 0, source: PartSource::Bytes(bytes.into()) };
        Operand::Object(Object::new(ty, Contents::Parts([part].into())))
    }
}
