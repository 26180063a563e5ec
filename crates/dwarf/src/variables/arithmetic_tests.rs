//! DWARF expressions give the number that the operations of DWARF 5 § 2.5.1 define: any
//! expression, compared with the same computed in Rust.

use gimli::constants as dw;
use proptest::prelude::*;

use crate::model::location::{EntryValue, Location, NoPlace, Piece, Place, Surroundings};
use crate::testing::dwarf_builder::{Is, Unit, debug_info, uleb};
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::Register;
use obit_corefile::memory::ReadError;

/// A frame whose registers and memory are functions of their number and address.
struct Frame;

fn register(number: u16) -> u64 {
    u64::from(number).wrapping_mul(0x0123_4567_89ab_cdef)
}

fn byte(at: u64) -> u8 {
    (at ^ (at >> 8)).wrapping_mul(37) as u8
}

impl Surroundings for Frame {
    fn register(&self, wanted: Register) -> Option<u64> {
        Some(register(wanted.0))
    }

    fn register_name(&self, register: Register) -> String {
        format!("{register:?}")
    }

    fn register_bytes(&self, _: Register) -> Option<Vec<u8>> {
        None
    }

    fn read(&self, at: Avma, buf: &mut [u8]) -> Result<(), ReadError> {
        buf.iter_mut().zip(0..).for_each(|(to, nth)| *to = byte(at.0.wrapping_add(nth)));
        Ok(())
    }

    fn to_avma(&self, at: Svma) -> Avma {
        Avma(at.0)
    }

    fn cfa(&self) -> Option<Avma> {
        Some(Avma(0x7000))
    }

    fn frame_base(&self) -> Option<&Location> {
        None
    }

    fn thread_local(&self, offset: u64) -> Result<Avma, NoPlace> {
        Ok(Avma(offset))
    }

    fn entry_value(&self, _: EntryValue) -> Result<u64, NoPlace> {
        Err(NoPlace::NoFrame)
    }

    fn lookup_pc(&self) -> Option<Svma> {
        None
    }
}

/// What an expression computes, as a tree.
#[derive(Clone, Debug)]
enum Term {
    Constant(u64),
    Signed(i64),
    RegisterPlus(u16, i32),
    Cfa,
    One(gimli::DwOp, Box<Self>),
    Two(gimli::DwOp, Box<Self>, Box<Self>),
    /// So many bytes that an address leads to.
    Read(u8, Box<Self>),
}

const ONE: [gimli::DwOp; 3] = [dw::DW_OP_abs, dw::DW_OP_neg, dw::DW_OP_not];
const TWO: [gimli::DwOp; 17] = [
    dw::DW_OP_and,
    dw::DW_OP_div,
    dw::DW_OP_minus,
    dw::DW_OP_mod,
    dw::DW_OP_mul,
    dw::DW_OP_or,
    dw::DW_OP_plus,
    dw::DW_OP_shl,
    dw::DW_OP_shr,
    dw::DW_OP_shra,
    dw::DW_OP_xor,
    dw::DW_OP_eq,
    dw::DW_OP_ge,
    dw::DW_OP_gt,
    dw::DW_OP_le,
    dw::DW_OP_lt,
    dw::DW_OP_ne,
];

impl Term {
    /// The operations, operands first.
    fn write(&self, code: &mut Vec<u8>) {
        match self {
            Self::Constant(small @ 0..32) => code.push(dw::DW_OP_lit0.0 + *small as u8),
            Self::Constant(number) if number % 2 == 0 => {
                code.push(dw::DW_OP_constu.0);
                uleb(code, *number);
            }
            Self::Constant(number) => {
                code.push(dw::DW_OP_const8u.0);
                code.extend(number.to_le_bytes());
            }
            Self::Signed(number) => {
                code.push(dw::DW_OP_const8s.0);
                code.extend(number.to_le_bytes());
            }
            Self::RegisterPlus(register, offset) => {
                code.push(dw::DW_OP_breg0.0 + *register as u8);
                let mut left = *offset;
                while !(-64..64).contains(&left) {
                    code.push(left as u8 & 0x7f | 0x80);
                    left >>= 7;
                }
                code.push(left as u8 & 0x7f);
            }
            Self::Cfa => code.push(dw::DW_OP_call_frame_cfa.0),
            Self::One(operation, of) => {
                of.write(code);
                code.push(operation.0);
            }
            Self::Two(operation, first, second) => {
                first.write(code);
                second.write(code);
                code.push(operation.0);
            }
            Self::Read(8, at) => {
                at.write(code);
                code.push(dw::DW_OP_deref.0);
            }
            Self::Read(size, at) => {
                at.write(code);
                code.extend([dw::DW_OP_deref_size.0, *size]);
            }
        }
    }

    /// What it is; `None` where a number is divided by zero.
    fn value(&self) -> Option<u64> {
        Some(match self {
            Self::Constant(number) => *number,
            Self::Signed(number) => *number as u64,
            Self::RegisterPlus(number, offset) => {
                register(*number).wrapping_add_signed((*offset).into())
            }
            Self::Cfa => 0x7000,
            Self::One(operation, of) => {
                let number = of.value()? as i64;
                (match *operation {
                    dw::DW_OP_abs => number.wrapping_abs(),
                    dw::DW_OP_neg => number.wrapping_neg(),
                    _ => !number,
                }) as u64
            }
            Self::Two(operation, first, second) => {
                two(*operation, first.value()?, second.value()?)?
            }
            Self::Read(size, at) => {
                let at = at.value()?;
                let bytes = (0..u64::from(*size)).rev().map(|nth| byte(at.wrapping_add(nth)));
                bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
            }
        })
    }
}

fn two(operation: gimli::DwOp, first: u64, second: u64) -> Option<u64> {
    let (a, b) = (first as i64, second as i64);
    let shift = u32::try_from(second).unwrap_or(u32::MAX);
    Some(match operation {
        dw::DW_OP_and => first & second,
        dw::DW_OP_div => (second != 0).then(|| a.wrapping_div(b) as u64)?,
        dw::DW_OP_minus => first.wrapping_sub(second),
        dw::DW_OP_mod => first.checked_rem(second)?,
        dw::DW_OP_mul => first.wrapping_mul(second),
        dw::DW_OP_or => first | second,
        dw::DW_OP_plus => first.wrapping_add(second),
        dw::DW_OP_shl => first.checked_shl(shift).unwrap_or(0),
        dw::DW_OP_shr => first.checked_shr(shift).unwrap_or(0),
        dw::DW_OP_shra => a.checked_shr(shift).unwrap_or(a >> 63) as u64,
        dw::DW_OP_xor => first ^ second,
        dw::DW_OP_eq => u64::from(a == b),
        dw::DW_OP_ge => u64::from(a >= b),
        dw::DW_OP_gt => u64::from(a > b),
        dw::DW_OP_le => u64::from(a <= b),
        dw::DW_OP_lt => u64::from(a < b),
        _ => u64::from(a != b),
    })
}

fn terms() -> impl Strategy<Value = Term> {
    let edge = prop_oneof![Just(0), Just(1), Just(63), Just(64), Just(u64::MAX), Just(1 << 63)];
    let leaf = prop_oneof![
        prop_oneof![any::<u64>(), edge, 0..40_u64].prop_map(Term::Constant),
        any::<i64>().prop_map(Term::Signed),
        (0..32_u16, any::<i32>()).prop_map(|(register, by)| Term::RegisterPlus(register, by)),
        Just(Term::Cfa),
    ];
    leaf.prop_recursive(6, 48, 2, |inner| {
        let size = prop::sample::select(&[1_u8, 2, 3, 4, 8][..]);
        prop_oneof![
            (prop::sample::select(&ONE[..]), inner.clone())
                .prop_map(|(operation, of)| Term::One(operation, of.into())),
            (prop::sample::select(&TWO[..]), inner.clone(), inner.clone())
                .prop_map(|(operation, a, b)| Term::Two(operation, a.into(), b.into())),
            (size, inner).prop_map(|(size, at)| Term::Read(size, at.into())),
        ]
    })
}

/// What obit makes of a variable whose location is `code`.
fn located(code: &[u8]) -> Result<Vec<Piece>, NoPlace> {
    let mut unit = Unit::new(0x1000, 0x1000);
    let given = [(dw::DW_AT_name, Is::Text("x")), (dw::DW_AT_location, Is::Expression(code))];
    unit.leaf(dw::DW_TAG_variable, &given);
    let info = debug_info(Unit::images(vec![unit]));
    // Without a type it is not found by name.
    let expression = crate::model::location::Expression::new(code, info_key());
    info.locate(&Location::Expression(expression), &Frame)
}

fn info_key() -> crate::model::keys::DieKey {
    use crate::model::keys::{DieKey, DwarfPart, List};
    DieKey { part: DwarfPart::Main, list: List::Info, unit: 0, offset: 12 }
}

proptest! {
    #[test]
    fn an_expression_gives_the_value_that_the_standard_defines(term in terms()) {
        let mut code = Vec::new();
        term.write(&mut code);
        code.push(dw::DW_OP_stack_value.0);
        let wanted = term.value().map(u64::to_le_bytes);
        match located(&code) {
            Ok(pieces) => {
                let [Piece { bits: None, bit_offset: 0, place: Place::Bytes(bytes) }] = &pieces[..]
                else {
                    return Err(TestCaseError::fail(format!("{pieces:?}")));
                };
                prop_assert_eq!(Some(&bytes[..]), wanted.as_ref().map(|bytes| &bytes[..]));
            }
            Err(error) => prop_assert!(wanted.is_none(), "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_an_expression_that_ends(code in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = located(&code);
    }
}
