//! Numbers and what operators make of them: C's promotions and conversions; Rust's and
//! Go's, which have none.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::BinaryOp;

/// The type of an integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IntegerType {
    pub(super) is_signed: bool,
    /// 1 to 128.
    pub(super) bits: u32,
    /// Whether operators keep it: in C it gives way to `int`.
    pub(super) rules: Rules,
    /// What the program calls it, if it is a type of the program.
    pub(super) name: Option<Arc<str>>,
}

/// Whose rules a type follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// C's and C++'s.
    C,
    /// Rust's and Go's: explicit conversions only. A literal takes the type of the other
    /// operand.
    Strict,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NumberError {
    #[error("division by zero")]
    DivisionByZero,
    #[error("a shift by a negative number of bits")]
    NegativeShift,
    #[error("this operator takes integers")]
    NotInteger,
}

/// Bits of `int`, on every machine obit knows.
const INT_BITS: u32 = 32;

impl IntegerType {
    pub(super) fn c(is_signed: bool, bits: u32) -> Self {
        Self { is_signed, bits: bits.clamp(1, 128), rules: Rules::C, name: None }
    }

    /// C's `char`, of whatever sign.
    pub(super) fn char() -> Self {
        Self { name: Some("char".into()), ..Self::c(true, 8) }
    }

    pub(super) fn int() -> Self {
        Self::c(true, INT_BITS)
    }

    /// Its name, on a machine whose `long` has `long_bits`.
    pub(super) fn spell(&self, long_bits: u32) -> Arc<str> {
        if let Some(name) = &self.name {
            return Arc::clone(name);
        }
        let name = match (self.rules, self.bits, self.is_signed) {
            (Rules::C, 8, true) => "signed char",
            (Rules::C, 8, false) => "unsigned char",
            (Rules::C, 16, true) => "short",
            (Rules::C, 16, false) => "unsigned short",
            (Rules::C, 32, true) => "int",
            (Rules::C, 32, false) => "unsigned int",
            (Rules::C, bits, true) if bits == long_bits => "long",
            (Rules::C, bits, false) if bits == long_bits => "unsigned long",
            (Rules::C, 64, true) => "long long",
            (Rules::C, 64, false) => "unsigned long long",
            (Rules::C, 128, true) => "__int128",
            (Rules::C, 128, false) => "unsigned __int128",
            (_, bits, true) => return format!("i{bits}").into(),
            (_, bits, false) => return format!("u{bits}").into(),
        };
        name.into()
    }

    /// As an operand of C's arithmetic (C11 § 6.3.1.1).
    fn promoted(self) -> Self {
        match self.rules {
            Rules::C if self.bits < INT_BITS => Self::int(),
            Rules::C | Rules::Strict => self,
        }
    }

    /// The type of an operation on both (C11 § 6.3.1.8).
    fn common(self, other: Self) -> Self {
        let (one, two) = (self.promoted(), other.promoted());
        match (one.rules, two.rules) {
            (Rules::Strict, Rules::C) => return one,
            (Rules::C, Rules::Strict) => return two,
            (Rules::C, Rules::C) | (Rules::Strict, Rules::Strict) => {}
        }
        match one.bits.cmp(&two.bits) {
            Ordering::Less => two,
            Ordering::Greater => one,
            Ordering::Equal if one.is_signed == two.is_signed && one.name != two.name => {
                Self { name: None, ..one }
            }
            Ordering::Equal if two.is_signed => one,
            Ordering::Equal => two,
        }
    }
}

/// An integer of a type. Bits above those of the type repeat its sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    bits: u128,
    pub(super) ty: IntegerType,
}

impl Integer {
    /// `value` modulo what the type holds.
    pub(super) fn new(value: u128, ty: IntegerType) -> Self {
        let unused = 128_u32.saturating_sub(ty.bits);
        let high = value.wrapping_shl(unused);
        let bits = match ty.is_signed {
            true => (high as i128).wrapping_shr(unused) as u128,
            false => high.wrapping_shr(unused),
        };
        Self { bits, ty }
    }

    pub(super) fn signed(self) -> i128 {
        self.bits as i128
    }

    pub(super) fn unsigned(&self) -> u128 {
        self.bits
    }

    /// Its low 64 bits: an address, an index.
    pub(super) fn low(&self) -> u64 {
        self.bits as u64
    }

    pub(super) fn is_negative(&self) -> bool {
        self.ty.is_signed && (self.bits as i128) < 0
    }

    fn as_float(&self) -> f64 {
        match self.ty.is_signed {
            true => self.bits as i128 as f64,
            false => self.bits as f64,
        }
    }

    fn promoted(self) -> Self {
        Self { ty: self.ty.promoted(), ..self }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match self.ty.is_signed {
            true => (self.bits as i128).cmp(&(other.bits as i128)),
            false => self.bits.cmp(&other.bits),
        }
    }
}

/// A number that an expression evaluates to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    Boolean(bool),
    Integer(Integer),
    Float {
        value: f64,
        /// A `float`, and not a `double`.
        is_single: bool,
    },
}

impl Number {
    pub(super) fn int(value: i128) -> Self {
        Self::Integer(Integer::new(value as u128, IntegerType::int()))
    }

    pub(super) fn float(value: f64, is_single: bool) -> Self {
        let value = if is_single { f64::from(value as f32) } else { value };
        Self::Float { value, is_single }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Boolean(value) => *value,
            Self::Integer(integer) => integer.bits != 0,
            Self::Float { value, .. } => *value != 0.0,
        }
    }

    /// As an integer of `ty`; a float is truncated.
    pub(super) fn to_integer(&self, ty: IntegerType) -> Integer {
        let bits = match self {
            Self::Boolean(value) => u128::from(*value),
            Self::Integer(integer) => integer.bits,
            Self::Float { value, .. } if *value < 0.0 => *value as i128 as u128,
            Self::Float { value, .. } => *value as u128,
        };
        Integer::new(bits, ty)
    }

    pub(super) fn to_float(&self) -> f64 {
        match self {
            Self::Boolean(value) => f64::from(u8::from(*value)),
            Self::Integer(integer) => integer.as_float(),
            Self::Float { value, .. } => *value,
        }
    }

    /// The integer it is, a truth value as C takes it.
    pub(super) fn integer(&self) -> Option<Integer> {
        match self {
            Self::Boolean(value) => Some(Integer::new(u128::from(*value), IntegerType::int())),
            Self::Integer(integer) => Some(integer.clone()),
            Self::Float { .. } => None,
        }
    }

    pub(super) fn negated(&self) -> Self {
        match self.integer() {
            Some(integer) => {
                let integer = integer.promoted();
                Self::Integer(Integer::new(integer.bits.wrapping_neg(), integer.ty))
            }
            None => match self {
                Self::Float { value, is_single } => Self::float(-value, *is_single),
                Self::Boolean(_) | Self::Integer(_) => self.clone(),
            },
        }
    }

    pub(super) fn promoted(&self) -> Self {
        self.integer().map_or_else(|| self.clone(), |integer| Self::Integer(integer.promoted()))
    }

    pub(super) fn complement(&self) -> Result<Self, NumberError> {
        let integer = self.integer().ok_or(NumberError::NotInteger)?.promoted();
        Ok(Self::Integer(Integer::new(!integer.bits, integer.ty)))
    }

    /// `left op right`. `&&` and `||` look at both.
    pub(super) fn binary(op: BinaryOp, left: &Self, right: &Self) -> Result<Self, NumberError> {
        match op {
            BinaryOp::And => return Ok(Self::Boolean(left.is_true() && right.is_true())),
            BinaryOp::Or => return Ok(Self::Boolean(left.is_true() || right.is_true())),
            _ => {}
        }
        match (left.integer(), right.integer()) {
            (Some(left), Some(right)) => integers(op, left, right),
            _ => floats(op, left, right),
        }
    }
}

fn integers(op: BinaryOp, left: Integer, right: Integer) -> Result<Number, NumberError> {
    if matches!(op, BinaryOp::ShiftLeft | BinaryOp::ShiftRight) {
        return shift(op, left.promoted(), &right).map(Number::Integer);
    }
    let ty = left.ty.clone().common(right.ty.clone());
    let (left, right) = (Integer::new(left.bits, ty.clone()), Integer::new(right.bits, ty.clone()));
    if let Some(truth) = compared(op, Some(left.compare(&right))) {
        return Ok(Number::Boolean(truth));
    }
    let divided = |signed: fn(i128, i128) -> i128, unsigned: fn(u128, u128) -> u128| {
        if right.bits == 0 {
            return Err(NumberError::DivisionByZero);
        }
        Ok(match ty.is_signed {
            true => signed(left.bits as i128, right.bits as i128) as u128,
            false => unsigned(left.bits, right.bits),
        })
    };
    let bits = match op {
        BinaryOp::Add => left.bits.wrapping_add(right.bits),
        BinaryOp::Subtract => left.bits.wrapping_sub(right.bits),
        BinaryOp::Multiply => left.bits.wrapping_mul(right.bits),
        BinaryOp::Divide => divided(i128::wrapping_div, u128::wrapping_div)?,
        BinaryOp::Remainder => divided(i128::wrapping_rem, u128::wrapping_rem)?,
        BinaryOp::BitAnd => left.bits & right.bits,
        BinaryOp::BitOr => left.bits | right.bits,
        BinaryOp::BitXor => left.bits ^ right.bits,
        _ => return Err(NumberError::NotInteger),
    };
    Ok(Number::Integer(Integer::new(bits, ty)))
}

/// The result has the type of the left operand (C11 § 6.5.7). What C leaves undefined
/// moves all bits out.
fn shift(op: BinaryOp, left: Integer, right: &Integer) -> Result<Integer, NumberError> {
    if right.is_negative() {
        return Err(NumberError::NegativeShift);
    }
    let count = u32::try_from(right.bits).unwrap_or(u32::MAX);
    let bits = match op {
        BinaryOp::ShiftLeft => left.bits.checked_shl(count).unwrap_or(0),
        _ if left.is_negative() => (left.bits as i128).checked_shr(count).unwrap_or(-1) as u128,
        _ => left.bits.checked_shr(count).unwrap_or(0),
    };
    Ok(Integer::new(bits, left.ty))
}

fn floats(op: BinaryOp, left: &Number, right: &Number) -> Result<Number, NumberError> {
    let is_single = |number: &Number| matches!(number, Number::Float { is_single: true, .. });
    let is_float = |number: &Number| matches!(number, Number::Float { .. });
    let both = (is_single(left) || !is_float(left)) && (is_single(right) || !is_float(right));
    let (left, right) = (left.to_float(), right.to_float());
    if let Some(truth) = compared(op, left.partial_cmp(&right)) {
        return Ok(Number::Boolean(truth));
    }
    let value = match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        _ => return Err(NumberError::NotInteger),
    };
    Ok(Number::float(value, both))
}

/// The result of a comparison for `ordering`, `None` for operators that do not compare. NaN
/// has no order, and is only unequal.
pub(super) fn compared(op: BinaryOp, ordering: Option<Ordering>) -> Option<bool> {
    Some(match op {
        BinaryOp::Equal => ordering == Some(Ordering::Equal),
        BinaryOp::NotEqual => ordering != Some(Ordering::Equal),
        BinaryOp::Less => ordering == Some(Ordering::Less),
        BinaryOp::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        BinaryOp::Greater => ordering == Some(Ordering::Greater),
        BinaryOp::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(value: i128, is_signed: bool, bits: u32) -> Number {
        Number::Integer(Integer::new(value as u128, IntegerType::c(is_signed, bits)))
    }

    fn strict(value: i128, is_signed: bool, bits: u32) -> Number {
        let ty = IntegerType { rules: Rules::Strict, ..IntegerType::c(is_signed, bits) };
        Number::Integer(Integer::new(value as u128, ty))
    }

    fn of(op: BinaryOp, left: &Number, right: &Number) -> (i128, String) {
        match Number::binary(op, left, right).unwrap() {
            Number::Integer(integer) => {
                let name = integer.ty.spell(64).to_string();
                (integer.signed(), name)
            }
            Number::Boolean(truth) => (i128::from(truth), "bool".into()),
            Number::Float { .. } => panic!("a float"),
        }
    }

    fn named(value: i128, name: &str) -> (i128, String) {
        (value, name.to_owned())
    }

    #[test]
    fn small_integers_become_int_in_c() {
        let byte = c(200, false, 8);
        assert_eq!(of(BinaryOp::Add, &byte, &byte), named(400, "int"));
        assert_eq!(of(BinaryOp::ShiftLeft, &byte, &c(4, true, 32)), named(3200, "int"));
        let complement = c(0x0f, false, 8).complement().unwrap();
        assert_eq!(complement, c(-16, true, 32));
    }

    #[test]
    fn the_wider_type_wins_and_of_equal_ones_the_unsigned() {
        let minus = c(-1, true, 32);
        assert_eq!(of(BinaryOp::Add, &minus, &c(1, true, 64)), named(0, "long"));
        assert_eq!(of(BinaryOp::Less, &minus, &c(1, false, 32)), named(0, "bool"));
        assert_eq!(of(BinaryOp::Less, &minus, &c(1, true, 32)), named(1, "bool"));
        assert_eq!(
            of(BinaryOp::BitOr, &minus, &c(0, false, 32)),
            named(0xffff_ffff, "unsigned int")
        );
        let wide = of(BinaryOp::BitOr, &minus, &c(0, false, 64));
        assert_eq!(wide, named(i128::from(u64::MAX), "unsigned long"));
    }

    #[test]
    fn results_wrap_within_their_type() {
        let most = c(i128::from(i32::MAX), true, 32);
        assert_eq!(of(BinaryOp::Add, &most, &c(1, true, 32)), named(i32::MIN.into(), "int"));
        let least = c(i64::MIN.into(), true, 64);
        assert_eq!(of(BinaryOp::Divide, &least, &c(-1, true, 32)), named(i64::MIN.into(), "long"));
        assert_eq!(of(BinaryOp::Remainder, &least, &c(-1, true, 32)), named(0, "long"));
        assert_eq!(c(i64::MIN.into(), true, 64).negated(), c(i64::MIN.into(), true, 64));
    }

    #[test]
    fn strict_types_are_kept_and_literals_follow_them() {
        let byte = strict(200, false, 8);
        assert_eq!(of(BinaryOp::Add, &byte, &byte), named(144, "u8"));
        assert_eq!(of(BinaryOp::Add, &byte, &Number::int(1)), named(201, "u8"));
    }

    #[test]
    fn division_truncates_toward_zero_and_not_by_zero() {
        assert_eq!(of(BinaryOp::Divide, &Number::int(-7), &Number::int(2)), named(-3, "int"));
        assert_eq!(of(BinaryOp::Remainder, &Number::int(-7), &Number::int(2)), named(-1, "int"));
        for op in [BinaryOp::Divide, BinaryOp::Remainder] {
            let result = Number::binary(op, &Number::int(1), &Number::int(0));
            assert_eq!(result, Err(NumberError::DivisionByZero));
        }
    }

    #[test]
    fn a_shift_by_more_than_there_is_moves_all_out() {
        assert_eq!(of(BinaryOp::ShiftLeft, &Number::int(1), &Number::int(200)), named(0, "int"));
        assert_eq!(of(BinaryOp::ShiftRight, &Number::int(-8), &Number::int(1)), named(-4, "int"));
        assert_eq!(of(BinaryOp::ShiftRight, &Number::int(-8), &Number::int(200)), named(-1, "int"));
        let result = Number::binary(BinaryOp::ShiftLeft, &Number::int(1), &Number::int(-1));
        assert_eq!(result, Err(NumberError::NegativeShift));
    }

    #[test]
    fn integers_become_floats_beside_floats_and_nan_equals_nothing() {
        let half = Number::float(0.5, false);
        let sum = Number::binary(BinaryOp::Add, &half, &Number::int(1)).unwrap();
        assert_eq!(sum, Number::float(1.5, false));
        let single = Number::float(0.1, true);
        let twice = Number::binary(BinaryOp::Add, &single, &single).unwrap();
        assert_eq!(twice, Number::float(f64::from(0.2_f32), true));
        let nan = Number::float(f64::NAN, false);
        let is = |op| Number::binary(op, &nan, &nan).unwrap();
        assert_eq!(is(BinaryOp::Equal), Number::Boolean(false));
        assert_eq!(is(BinaryOp::NotEqual), Number::Boolean(true));
        assert_eq!(is(BinaryOp::GreaterOrEqual), Number::Boolean(false));
        assert!(Number::binary(BinaryOp::Remainder, &half, &half).is_err());
    }

    #[test]
    fn a_float_loses_its_fraction_when_made_an_integer() {
        let ty = IntegerType::int();
        assert_eq!(Number::float(-2.9, false).to_integer(ty.clone()).signed(), -2);
        assert_eq!(Number::float(f64::NAN, false).to_integer(ty).signed(), 0);
    }
}
