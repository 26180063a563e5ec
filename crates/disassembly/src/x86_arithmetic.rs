//! What x86 instructions compute of general registers and memory, and their conditions.

use iced_x86::{
    ConditionCode, Decoder, DecoderOptions, InstructionInfoFactory, Mnemonic, RflagsBits,
};

use super::arithmetic::{Arithmetic, Condition, Operation, Operator};
use super::effects::low_bytes;
use super::flow::Term;
use super::x86_flow::Shape;
use obit_corefile::addr::Avma;

pub(super) fn arithmetic(bits: u32, start: Avma, code: &[u8]) -> Option<Arithmetic> {
    let mut decoder = Decoder::with_ip(bits, code, start.0, DecoderOptions::NONE);
    let decoded = decoder.decode();
    if decoded.is_invalid() {
        return None;
    }
    let mut factory = InstructionInfoFactory::new();
    let shape = Shape::new(bits, &decoded, factory.info(&decoded));
    Some(Arithmetic {
        operation: operation(&shape),
        condition: condition(decoded.condition_code()),
        flags: flags(decoded.rflags_modified()),
    })
}

fn condition(code: ConditionCode) -> Option<Condition> {
    let number = match code {
        ConditionCode::None => return None,
        ConditionCode::o => 0,
        ConditionCode::no => 1,
        ConditionCode::b => 2,
        ConditionCode::ae => 3,
        ConditionCode::e => 4,
        ConditionCode::ne => 5,
        ConditionCode::be => 6,
        ConditionCode::a => 7,
        ConditionCode::s => 8,
        ConditionCode::ns => 9,
        ConditionCode::p => 10,
        ConditionCode::np => 11,
        ConditionCode::l => 12,
        ConditionCode::ge => 13,
        ConditionCode::le => 14,
        ConditionCode::g => 15,
    };
    Some(Condition(number))
}

fn flags(modified: u32) -> u64 {
    let rows = [
        (RflagsBits::CF, Condition::CF),
        (RflagsBits::PF, Condition::PF),
        (RflagsBits::ZF, Condition::ZF),
        (RflagsBits::SF, Condition::SF),
        (RflagsBits::OF, Condition::OF),
    ];
    rows.iter().filter(|(bit, _)| modified & bit != 0).fold(0, |all, (_, flag)| all | flag)
}

fn operation(shape: &Shape) -> Option<Operation> {
    let decoded = shape.decoded;
    if decoded.is_string_instruction() {
        return None;
    }
    let size = shape.size(0)?;
    if !matches!(size, 1 | 2 | 4 | 8) {
        return None;
    }
    let of = |operator, left, right, to| Some(Operation { operator, size, left, right, to });
    let plain = |operator| of(operator, shape.source(0)?, shape.source(1)?, shape.target(0));
    let with = |operator, left, right| of(operator, left, Term::Constant(right), shape.target(0));
    let is_immediate_form = decoded.op_count() == 3;
    match decoded.mnemonic() {
        Mnemonic::Add => plain(Operator::Add),
        Mnemonic::Sub => plain(Operator::Subtract),
        Mnemonic::Cmp => of(Operator::Subtract, shape.source(0)?, shape.source(1)?, None),
        Mnemonic::Test => of(Operator::And, shape.source(0)?, shape.source(1)?, None),
        Mnemonic::And => plain(Operator::And),
        Mnemonic::Or => plain(Operator::Or),
        Mnemonic::Xor if shape.is_same_register(0, 1) => with(Operator::Xor, Term::Constant(0), 0),
        Mnemonic::Xor => plain(Operator::Xor),
        Mnemonic::Inc => with(Operator::Add, shape.source(0)?, 1),
        Mnemonic::Dec => with(Operator::Subtract, shape.source(0)?, 1),
        Mnemonic::Neg => {
            of(Operator::Subtract, Term::Constant(0), shape.source(0)?, shape.target(0))
        }
        Mnemonic::Not => with(Operator::Xor, shape.source(0)?, low_bytes(u64::MAX, size)),
        Mnemonic::Shl | Mnemonic::Sal => plain(Operator::ShiftLeft),
        Mnemonic::Shr => plain(Operator::ShiftRight),
        Mnemonic::Sar => plain(Operator::ShiftRightSigned),
        Mnemonic::Imul if is_immediate_form => {
            of(Operator::Multiply, shape.source(1)?, shape.source(2)?, shape.target(0))
        }
        Mnemonic::Imul if decoded.op_count() == 2 => plain(Operator::Multiply),
        _ => match decoded.condition_code() {
            ConditionCode::None => None,
            _ if size == 1 && decoded.op_count() == 1 => with(Operator::Set, Term::Constant(0), 0),
            _ if decoded.op_count() == 2 && !shape.is_vector_operand(0) => plain(Operator::Select),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &[u8]) -> Arithmetic {
        arithmetic(64, Avma(0x1000), code).unwrap()
    }

    #[test]
    fn a_comparison_writes_flags_only() {
        // cmp $0xffffffffffffffff,%eax
        let found = of(&[0x83, 0xf8, 0xff]);
        let operation = found.operation.unwrap();
        assert_eq!((operation.operator, operation.size), (Operator::Subtract, 4));
        assert_eq!((operation.right, operation.to), (Term::Constant(0xffff_ffff), None));
        assert_eq!(found.flags, Condition::FLAGS);
    }

    #[test]
    fn a_conditional_jump_names_its_condition() {
        let found = of(&[0x75, 0xfe]);
        assert_eq!((found.condition, found.operation, found.flags), (Some(Condition(5)), None, 0));
        assert!(Condition(5).holds(0) && !Condition(5).holds(Condition::ZF));
        assert!(Condition(12).holds(Condition::SF) && Condition(15).holds(0));
        assert_eq!(Condition(14).name(), "le");
    }

    #[test]
    fn an_increment_leaves_the_carry_alone() {
        assert_eq!(of(&[0x48, 0xff, 0xc0]).flags, Condition::FLAGS & !Condition::CF);
        // not %eax
        assert_eq!(of(&[0xf7, 0xd0]).flags, 0);
    }
}
