//! Evaluates an expression in one frame of a process.

use std::sync::Arc;

use super::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use super::literal::{FloatSuffix, IntegerSuffix, Literal};
use super::number::{Integer, IntegerType, Number, Rules, compared};
use super::operand::{Operand, Stop, Ty, Wrong};
use crate::process::{FrameView, Process};
use crate::value::{Float, FloatFormat, Object, Scalar, Scene, TypeRef, ValueFormat};
use obit_corefile::addr::Avma;
use obit_dwarf::types::{BaseType, Encoding, Subrange};
use obit_dwarf::{Language, TypeKind};

/// References to references, wrappers in wrappers that are followed.
pub(super) const FOLLOWED: usize = 8;

/// Evaluates expressions in one frame.
pub(super) struct Evaluator<'v, 'p> {
    pub(super) process: &'p Process,
    pub(super) view: &'v FrameView<'p>,
    /// Index of the frame's module.
    pub(super) module: Option<usize>,
    pub(super) pc: Avma,
    /// Where the frame's own unit is looked up.
    pub(super) lookup_pc: Avma,
    pub(super) scene: Scene<'v>,
    /// Elements of a slice that are looked up.
    pub(super) max_elements: usize,
    /// How scalars are spelled; `None` is as their types have it.
    pub(super) format: Option<ValueFormat>,
}

/// What arithmetic takes.
#[derive(Debug)]
pub(super) enum Loaded<'d> {
    Number(Number),
    Pointer(Avma, Ty<'d>),
    /// Nothing it could take.
    Other,
}

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    pub(super) fn new(process: &'p Process, view: &'v FrameView<'p>, max_elements: usize) -> Self {
        let frame = view.frame();
        let (module, pc, scene) = (frame.module, frame.pc, view.scene());
        let lookup_pc = view.lookup_pc();
        Self { process, view, module, pc, lookup_pc, scene, max_elements, format: None }
    }

    pub(super) fn eval(&self, expression: &Expr) -> Result<Operand<'v>, Stop> {
        self.kind(expression).map_err(|stop| stop.at(&expression.span))
    }

    fn kind(&self, expression: &Expr) -> Result<Operand<'v>, Stop> {
        match &expression.kind {
            ExprKind::Literal(literal) => Ok(self.literal(literal)),
            ExprKind::Boolean(value) => Ok(Operand::Number(Number::Boolean(*value))),
            ExprKind::Null => Ok(Operand::Pointer(Avma(0), Ty::Void)),
            ExprKind::Name(path) => self.name(path),
            ExprKind::Register(name) => self.register(name),
            ExprKind::Member { of, name } => match self.eval(of) {
                Ok(of) => {
                    // Where the name is written.
                    let end = expression.span.end;
                    let span = end.saturating_sub(name.len())..end;
                    self.member(&of, name).map_err(|stop| stop.at(&span))
                }
                // Packages and modules: Go's `main.counter`, which is its name in debug
                // information; those of D have `::` there, those of Ada `__`.
                Err(stop) => {
                    let found = |name: String| self.global(&name).or_else(|| self.function(&name));
                    let names = dotted(expression).into_iter().flat_map(|name| {
                        let others = ["::", "__"].map(|scope| name.replace('.', scope));
                        std::iter::once(name).chain(others)
                    });
                    { names }.find_map(found).ok_or(stop)
                }
            },
            ExprKind::Index { of, index } => {
                let of = self.eval(of)?;
                let at = self.eval(index)?;
                let at = self.integer(&at).map_err(|stop| stop.at(&index.span))?;
                self.index(&of, at)
            }
            ExprKind::Slice { of, start, end, is_inclusive } => {
                let of = self.eval(of)?;
                let bound = |bound: &Option<Box<Expr>>| match bound {
                    None => Ok(None),
                    Some(bound) => {
                        let value = self.eval(bound)?;
                        self.integer(&value).map(Some).map_err(|stop| stop.at(&bound.span))
                    }
                };
                let (start, end) = (bound(start)?, bound(end)?);
                let end = end.map(|end| end.saturating_add(i128::from(*is_inclusive)));
                self.slice(&of, start.unwrap_or(0), end)
            }
            ExprKind::Repeat { first, count } => {
                let first = self.eval(first)?;
                let wanted = self.eval(count)?;
                let wanted = self.integer(&wanted).map_err(|stop| stop.at(&count.span))?;
                self.repeat(&first, wanted)
            }
            ExprKind::Unary(op, operand) => {
                let operand = self.eval(operand)?;
                self.unary(*op, &operand)
            }
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::Conditional { condition, then, otherwise } => {
                let is_true = self.is_true(condition)?;
                self.eval(if is_true { then } else { otherwise })
            }
            ExprKind::Cast(ty, operand) => {
                let ty = self.written_type(ty)?;
                let operand = self.eval(operand)?;
                self.cast(ty, &operand)
            }
            ExprKind::ObjectAt(ty, operand) => {
                let ty = self.written_type(ty)?;
                let operand = self.eval(operand)?;
                Ok(self.place(ty, self.address(&operand)?))
            }
            ExprKind::SizeOf(operand) => self.size_of_either(operand),
            ExprKind::SizeOfType(ty) => self.size(&self.written_type(ty)?),
        }
    }

    fn unary(&self, op: UnaryOp, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        let operator = match op {
            UnaryOp::Dereference => return self.dereference(operand),
            UnaryOp::AddressOf => return self.address_of(operand),
            UnaryOp::Plus => "`+`",
            UnaryOp::Minus => "`-`",
            UnaryOp::Complement => "`~`",
            UnaryOp::Not => "`!`",
        };
        let number = match (self.load(operand)?, op) {
            (Loaded::Pointer(at, _), UnaryOp::Not) => Number::Boolean(at.0 == 0),
            (Loaded::Number(number), UnaryOp::Plus) => number.promoted(),
            (Loaded::Number(number), UnaryOp::Minus) => number.negated(),
            (Loaded::Number(number), UnaryOp::Complement) => number.complement()?,
            (Loaded::Number(number), UnaryOp::Not) => match &number {
                // Rust's `!` inverts all bits.
                Number::Integer(integer) if integer.ty.rules == Rules::Strict => {
                    number.complement()?
                }
                _ => Number::Boolean(!number.is_true()),
            },
            _ => return Err(self.refused(operator, operand)),
        };
        Ok(Operand::Number(number))
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Result<Operand<'v>, Stop> {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let decides = op == BinaryOp::Or;
                let is_decided = self.is_true(left)? == decides;
                let truth = if is_decided { decides } else { self.is_true(right)? };
                return Ok(Operand::Number(Number::Boolean(truth)));
            }
            _ => {}
        }
        let (left, right) = match (self.eval(left), self.eval(right)) {
            (Ok(left), Ok(right)) => (left, right),
            // An enumerator may be named without its scope beside a value of its enumeration.
            (Ok(known), Err(stop)) => {
                let other = self.enumerator_for(&known, right).ok_or(stop)?;
                (known, other)
            }
            (Err(stop), Ok(known)) => {
                let other = self.enumerator_for(&known, left).ok_or(stop)?;
                (other, known)
            }
            (Err(stop), Err(_)) => return Err(stop),
        };
        if matches!(left, Operand::Text(_)) || matches!(right, Operand::Text(_)) {
            return self.compare_text(op, &left, &right);
        }
        let refused = || {
            let (left, right) = (self.type_name(&left), self.type_name(&right));
            Stop::from(Wrong::Operands { left: left.to_string(), right: right.to_string() })
        };
        match (self.load(&left)?, self.load(&right)?) {
            (Loaded::Number(left), Loaded::Number(right)) => {
                Ok(Operand::Number(Number::binary(op, &left, &right)?))
            }
            (Loaded::Pointer(at, target), Loaded::Number(number)) => {
                self.pointer_and_number(op, at, target, &number).unwrap_or_else(|| Err(refused()))
            }
            (Loaded::Number(number), Loaded::Pointer(at, target)) => match op {
                BinaryOp::Add => self
                    .pointer_and_number(op, at, target, &number)
                    .unwrap_or_else(|| Err(refused())),
                _ => {
                    let number = number.integer().ok_or_else(refused)?;
                    let truth = compared(op, Some(number.low().cmp(&at.0))).ok_or_else(refused)?;
                    Ok(Operand::Number(Number::Boolean(truth)))
                }
            },
            (Loaded::Pointer(one, target), Loaded::Pointer(other, _)) => {
                if op == BinaryOp::Subtract {
                    let distance = i128::from(one.0.wrapping_sub(other.0) as i64);
                    let size = i128::from(self.stride(&target)?);
                    let count = distance.checked_div(size).unwrap_or(distance);
                    let ty = IntegerType::c(true, self.word_bits());
                    return Ok(Operand::Number(Number::Integer(Integer::new(count as u128, ty))));
                }
                let truth = compared(op, Some(one.0.cmp(&other.0))).ok_or_else(refused)?;
                Ok(Operand::Number(Number::Boolean(truth)))
            }
            _ => Err(refused()),
        }
    }

    /// `pointer op number`; `None` if the operator is not defined for these.
    fn pointer_and_number(
        &self,
        op: BinaryOp,
        at: Avma,
        target: Ty<'v>,
        number: &Number,
    ) -> Option<Result<Operand<'v>, Stop>> {
        let number = number.integer()?;
        if let Some(truth) = compared(op, Some(at.0.cmp(&number.low()))) {
            return Some(Ok(Operand::Number(Number::Boolean(truth))));
        }
        let size = match self.stride(&target) {
            Ok(size) => size,
            Err(stop) => return Some(Err(stop)),
        };
        let distance = number.low().wrapping_mul(size);
        let moved = match op {
            BinaryOp::Add => at.0.wrapping_add(distance),
            BinaryOp::Subtract => at.0.wrapping_sub(distance),
            _ => return None,
        };
        Some(Ok(Operand::Pointer(self.masked(moved), target)))
    }

    /// Bytes from one object of the type to the next; of `void` and of functions 1, as gcc
    /// and gdb have it.
    pub(super) fn stride(&self, target: &Ty<'v>) -> Result<u64, Stop> {
        if self.is_void(target) {
            return Ok(1);
        }
        let size = target.size(self.scene);
        size.ok_or_else(|| Wrong::NoSize(target.name(self.scene).to_string()).into())
    }

    fn is_void(&self, ty: &Ty<'v>) -> bool {
        match ty {
            Ty::Void | Ty::Function => true,
            Ty::Known(ty) => matches!(
                ty.resolved(self.scene).get().kind,
                TypeKind::Unspecified
                    | TypeKind::Function(_)
                    | TypeKind::Typedef(None)
                    | TypeKind::Qualified { target: None, .. }
            ),
            _ => false,
        }
    }

    fn is_true(&self, expression: &Expr) -> Result<bool, Stop> {
        let operand = self.eval(expression)?;
        match self.load(&operand).map_err(|stop| stop.at(&expression.span))? {
            Loaded::Number(number) => Ok(number.is_true()),
            Loaded::Pointer(at, _) => Ok(at.0 != 0),
            Loaded::Other => Err(self.refused("a condition", &operand).at(&expression.span)),
        }
    }

    /// What arithmetic can do with an operand. Arrays and functions decay to pointers.
    pub(super) fn load(&self, operand: &Operand<'v>) -> Result<Loaded<'v>, Stop> {
        match operand {
            Operand::Object(object) => self.load_object(object),
            Operand::Place(ty, at) => self.load_place(ty, *at),
            Operand::Number(number) => Ok(Loaded::Number(number.clone())),
            Operand::Pointer(at, target) => Ok(Loaded::Pointer(*at, target.clone())),
            Operand::Function { at, .. } => Ok(Loaded::Pointer(*at, Ty::Function)),
            Operand::Text(_) | Operand::Bytes(_) | Operand::List(_) => Ok(Loaded::Other),
        }
    }

    fn load_object(&self, object: &Object<'v>) -> Result<Loaded<'v>, Stop> {
        let object = self.through_references(object)?;
        let scene = self.scene;
        let ty = object.resolved(scene);
        let entry = ty.get();
        match &entry.kind {
            TypeKind::Pointer { target, .. } => {
                let at = Avma(object.unsigned(scene)?);
                let target = target.map_or(Ty::Void, |target| Ty::Known(ty.other(target)));
                Ok(Loaded::Pointer(at, target))
            }
            TypeKind::Array(_) => {
                let Some(first) = object.index(scene, 0) else { return Ok(Loaded::Other) };
                match first.address() {
                    Some(at) => Ok(Loaded::Pointer(at, self.type_of(&first))),
                    None => {
                        object.bytes(scene)?;
                        Err(Wrong::NoAddress("an array in registers").into())
                    }
                }
            }
            TypeKind::Function(_) => match object.address() {
                Some(at) => Ok(Loaded::Pointer(at, Ty::Known(ty))),
                None => Ok(Loaded::Other),
            },
            _ => {
                let Some(scalar) = object.scalar(scene)? else { return Ok(Loaded::Other) };
                Ok(self.number_of(&object, scalar).map_or(Loaded::Other, Loaded::Number))
            }
        }
    }

    fn number_of(&self, object: &Object<'v>, scalar: Scalar) -> Option<Number> {
        let ty = self.integer_type(object.ty);
        Some(match scalar {
            Scalar::Signed(value) => Number::Integer(Integer::new(value as u128, ty?)),
            Scalar::Unsigned(value) => Number::Integer(Integer::new(value, ty?)),
            Scalar::Character { code, .. } => {
                Number::Integer(Integer::new(i128::from(code) as u128, ty?))
            }
            Scalar::Address(at) => Number::Integer(Integer::new(u128::from(at), ty?)),
            Scalar::Boolean(value) => Number::Boolean(value),
            Scalar::Float(float) => self.float(float)?,
            Scalar::Raw(_) => return None,
        })
    }

    /// `None` for formats that a `double` does not hold whole: a result would be a guess.
    fn float(&self, float: Float) -> Option<Number> {
        let value = match float.format {
            FloatFormat::Binary64 => f64::from_bits(u64::try_from(float.bits).ok()?),
            FloatFormat::Binary32 => f64::from(f32::from_bits(u32::try_from(float.bits).ok()?)),
            FloatFormat::Binary16 | FloatFormat::BFloat16 => float.finite()?,
            FloatFormat::Extended80
            | FloatFormat::Binary128
            | FloatFormat::Decimal32
            | FloatFormat::Decimal64
            | FloatFormat::Decimal128 => return None,
        };
        Some(Number::float(value, float.format != FloatFormat::Binary64))
    }

    /// The integers of a type of the program; `None` if it has none.
    pub(super) fn integer_type(&self, ty: TypeRef<'v>) -> Option<IntegerType> {
        let mut plain = ty.resolved(self.scene);
        for _ in 0..FOLLOWED {
            let below = match &plain.get().kind {
                TypeKind::Subrange(Subrange { base: Some(below), .. }) => *below,
                TypeKind::Enumeration(enumeration) => match enumeration.underlying {
                    Some(below) => below,
                    // gcc's C: unsigned, unless an enumerator is negative.
                    None => {
                        let mut values = enumeration.enumerators.iter();
                        let is_signed = values.any(|(_, value)| *value < 0);
                        let bits = u32::try_from(plain.get().byte_size?.checked_mul(8)?).ok()?;
                        return Some(IntegerType::c(is_signed, bits));
                    }
                },
                _ => break,
            };
            plain = plain.other(below).resolved(self.scene);
        }
        let entry = plain.get();
        let TypeKind::Base(BaseType { encoding, .. }) = entry.kind else { return None };
        let is_signed = match encoding {
            Encoding::Signed | Encoding::SignedChar | Encoding::SignedFixed => true,
            Encoding::Unsigned
            | Encoding::UnsignedChar
            | Encoding::UnsignedFixed
            | Encoding::Boolean
            | Encoding::Utf
            | Encoding::Address
            | Encoding::Other(_) => false,
            Encoding::ComplexFloat
            | Encoding::Float
            | Encoding::ImaginaryFloat
            | Encoding::DecimalFloat => return None,
        };
        let bits = u32::try_from(entry.byte_size?.checked_mul(8)?).ok()?;
        let rules = match entry.language {
            Language::Rust | Language::Go => Rules::Strict,
            Language::C
            | Language::Ada
            | Language::Cpp
            | Language::Fortran
            | Language::Scoped
            | Language::Unknown => Rules::C,
        };
        let name = if rules == Rules::Strict { entry.name.clone() } else { None };
        (1..=128).contains(&bits).then_some(IntegerType { is_signed, bits, rules, name })
    }

    fn load_place(&self, ty: &Ty<'v>, at: Avma) -> Result<Loaded<'v>, Stop> {
        let size = match ty {
            Ty::Array(element, _) => return Ok(Loaded::Pointer(at, (**element).clone())),
            Ty::Function => return Ok(Loaded::Pointer(at, Ty::Function)),
            Ty::Known(ty) => return self.load_object(&Object::at(*ty, at)),
            _ => ty.size(self.scene),
        };
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return Ok(Loaded::Other);
        };
        let mut bytes = [0; 16];
        let Some(bytes) = bytes.get_mut(..size) else { return Ok(Loaded::Other) };
        self.scene.memory.read(at, bytes)?;
        if !self.scene.memory.is_little_endian() {
            bytes.reverse();
        }
        let value = bytes.iter().rev().fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
        Ok(match ty {
            Ty::Pointer(target) => Loaded::Pointer(Avma(value as u64), (**target).clone()),
            Ty::Integer(ty) => Loaded::Number(Number::Integer(Integer::new(value, ty.clone()))),
            Ty::Boolean => Loaded::Number(match value {
                0 | 1 => Number::Boolean(value == 1),
                _ => Number::int(value as i128),
            }),
            Ty::Float { is_single: true } => {
                Loaded::Number(Number::float(f32::from_bits(value as u32).into(), true))
            }
            Ty::Float { is_single: false } => {
                Loaded::Number(Number::float(f64::from_bits(value as u64), false))
            }
            Ty::Known(_) | Ty::Void | Ty::Array(..) | Ty::Function => Loaded::Other,
        })
    }

    /// An index, a count.
    pub(super) fn integer(&self, operand: &Operand<'v>) -> Result<i128, Stop> {
        match self.load(operand)? {
            Loaded::Number(number) => match number.integer() {
                Some(integer) => Ok(integer.signed()),
                None => Err(self.refused("an index", operand)),
            },
            _ => Err(self.refused("an index", operand)),
        }
    }

    /// An address: a pointer's value, or a number's.
    pub(super) fn address(&self, operand: &Operand<'v>) -> Result<Avma, Stop> {
        match self.load(operand)? {
            Loaded::Pointer(at, _) => Ok(at),
            Loaded::Number(number) => match number.integer() {
                Some(integer) => Ok(self.masked(integer.low())),
                None => Err(self.refused("an address", operand)),
            },
            Loaded::Other => Err(self.refused("an address", operand)),
        }
    }

    /// Of a value or, if a name is of none, of a type. A class is called as its
    /// constructors are.
    fn size_of_either(&self, operand: &Expr) -> Result<Operand<'v>, Stop> {
        let value = self.eval(operand);
        if let ExprKind::Name(path) = &operand.kind
            && matches!(value, Err(Stop::Wrong { .. }) | Ok(Operand::Function { .. }))
            && let Some(ty) = self.type_named(&path.to_string())
        {
            return self.size(&ty);
        }
        self.size_of(&value?).map_err(|stop| stop.at(&operand.span))
    }

    fn size_of(&self, operand: &Operand<'v>) -> Result<Operand<'v>, Stop> {
        let size = match operand {
            Operand::Object(object) => self.through_references(object)?.size(self.scene),
            Operand::Text(bytes) => Some((bytes.len() as u64).saturating_add(1)),
            Operand::Bytes(bytes) => Some(bytes.len() as u64),
            Operand::Number(number) => Some(match number {
                Number::Boolean(_) => 1,
                Number::Integer(integer) => u64::from(integer.ty.bits.div_ceil(8)),
                Number::Float { is_single: true, .. } => 4,
                Number::Float { is_single: false, .. } => 8,
            }),
            Operand::Place(ty, _) => ty.size(self.scene),
            Operand::Pointer(..) => Some(self.scene.memory.word() as u64),
            Operand::Function { .. } | Operand::List(_) => None,
        };
        let size = size.ok_or_else(|| Wrong::NoSize(self.type_name(operand).to_string()))?;
        Ok(self.size_number(size))
    }

    fn size(&self, ty: &Ty<'v>) -> Result<Operand<'v>, Stop> {
        let size = ty.size(self.scene);
        let size = size.ok_or_else(|| Wrong::NoSize(ty.name(self.scene).to_string()))?;
        Ok(self.size_number(size))
    }

    fn size_number(&self, size: u64) -> Operand<'v> {
        let ty = IntegerType::c(false, self.word_bits());
        Operand::Number(Number::Integer(Integer::new(u128::from(size), ty)))
    }

    fn literal(&self, literal: &Literal) -> Operand<'v> {
        match literal {
            Literal::Integer { value, suffix, is_decimal } => {
                let ty = self.literal_type(*value, *suffix, *is_decimal);
                Operand::Number(Number::Integer(Integer::new(*value, ty)))
            }
            Literal::Float { value, suffix } => {
                Operand::Number(Number::float(*value, *suffix == FloatSuffix::Single))
            }
            Literal::Character(code) => Operand::Number(Number::int(i128::from(*code))),
            Literal::Text(bytes) => Operand::Text(Arc::from(bytes.as_slice())),
        }
    }

    /// The type of an integer literal: the first that holds it (C11 § 6.4.4.1).
    fn literal_type(&self, value: u128, suffix: IntegerSuffix, is_decimal: bool) -> IntegerType {
        let word = self.word_bits();
        let (least, only) = match suffix {
            IntegerSuffix::None => (32, None),
            IntegerSuffix::Unsigned => (32, Some(false)),
            IntegerSuffix::Long => (word, None),
            IntegerSuffix::UnsignedLong => (word, Some(false)),
            IntegerSuffix::Fixed { is_signed, bits } => {
                let ty = IntegerType::c(is_signed, u32::from(bits));
                return IntegerType { rules: Rules::Strict, ..ty };
            }
            IntegerSuffix::Size { is_signed } => return IntegerType::c(is_signed, word),
        };
        let bits = 128_u32.saturating_sub(value.leading_zeros());
        for size in [32, 64, 128] {
            if size < least {
                continue;
            }
            if only != Some(false) && bits < size {
                return IntegerType::c(true, size);
            }
            if (only == Some(false) || !is_decimal) && bits <= size {
                return IntegerType::c(false, size);
            }
        }
        IntegerType::c(false, 128)
    }

    pub(super) fn word_bits(&self) -> u32 {
        if self.scene.memory.word() == 8 { 64 } else { 32 }
    }

    /// An address as wide as the machine's are.
    pub(super) fn masked(&self, at: u64) -> Avma {
        Avma(if self.word_bits() == 64 { at } else { at & u64::from(u32::MAX) })
    }

    pub(super) fn refused(&self, operator: &'static str, operand: &Operand<'v>) -> Stop {
        Wrong::Operand { operator, ty: self.type_name(operand).to_string() }.into()
    }
}

/// `a.b.c` as it is written; `None` if it is anything else.
fn dotted(expression: &Expr) -> Option<String> {
    match &expression.kind {
        ExprKind::Name(path) => Some(path.to_string()),
        ExprKind::Member { of, name } => Some(format!("{}.{name}", dotted(of)?)),
        _ => None,
    }
}
