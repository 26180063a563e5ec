//! `x/NFU ADDRESS`: memory as numbers, characters or strings, in gdb's rows.

use super::eval::{Evaluator, Loaded};
use super::operand::{Operand, Stop, Ty};
use crate::value::{Absence, Scalar, Text, Typed, ValueFormat, string_at};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// How memory is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examine {
    /// Units, strings or instructions.
    pub count: u64,
    /// What a unit is shown as.
    pub format: UnitFormat,
    /// Its size, where it is given.
    pub size: Option<UnitSize>,
}

impl Default for Examine {
    fn default() -> Self {
        Self { count: 1, format: UnitFormat::Value(ValueFormat::Hex), size: None }
    }
}

/// What a unit of memory is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitFormat {
    /// A number, a character, an address, a string.
    Value(ValueFormat),
    /// A machine instruction.
    Instruction,
}

/// The size of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitSize {
    /// `b`: 1 byte.
    Byte,
    /// `h`: 2 bytes.
    Half,
    /// `w`: 4 bytes.
    Word,
    /// `g`: 8 bytes.
    Giant,
}

impl UnitSize {
    pub(super) fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'b' => Self::Byte,
            'h' => Self::Half,
            'w' => Self::Word,
            'g' => Self::Giant,
            _ => return None,
        })
    }

    /// In bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
            Self::Giant => 8,
        }
    }

    /// Units in a row, as gdb has them.
    fn in_row(self) -> u64 {
        match self {
            Self::Byte | Self::Half => 8,
            Self::Word => 4,
            Self::Giant => 2,
        }
    }
}

/// Bytes shown at most.
pub const MOST_BYTES: u64 = 1 << 16;
/// Bytes of the strings shown at most.
const MOST_STRING_BYTES: u64 = 1 << 20;
/// Strings and instructions shown at most.
pub const MOST_LINES: u64 = 2000;

/// Memory that was looked at.
#[derive(Clone, Debug)]
pub struct Examined {
    /// How.
    pub how: Examine,
    /// Where it starts.
    pub start: Avma,
    /// What the address is of.
    pub subject: Subject,
    /// Rows of units; empty for instructions, which the caller decodes.
    pub rows: Vec<Row>,
    /// Units that were asked for and are not shown.
    pub omitted: u64,
}

/// What an address is of, by the type of its expression: redaction decides by that whether
/// the bytes are a text of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A text: an array of so many bytes, or a string that takes as many.
    Text {
        /// Bytes from the address on.
        bytes: u64,
    },
    /// An object with members: whatever they are.
    Record,
    /// Anything else: a number, a register, other objects.
    Other,
}

/// Memory at one address.
#[derive(Clone, Debug)]
pub struct Row {
    /// Of its first byte.
    pub at: Avma,
    /// The function or variable there, with the distance from its start.
    pub symbol: Option<String>,
    /// What it holds.
    pub units: Vec<Unit>,
    /// Why the next unit could not be read.
    pub absent: Option<Absence>,
}

/// One unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its first byte.
    pub at: Avma,
    /// How many bytes it has.
    pub size: u64,
    /// Its bytes as a number; of a string, nothing.
    pub number: u64,
    /// How it is shown.
    pub text: UnitText,
}

/// How a unit is shown.
#[derive(Clone, Debug)]
pub enum UnitText {
    /// Spelled from its bytes.
    Number(String),
    /// A string.
    Text(Text),
}

impl<'v, 'p: 'v> Evaluator<'v, 'p> {
    /// The address that `x` starts at: of an array or a structure its own, else the value.
    pub(super) fn start(&self, operand: &Operand<'v>) -> Result<(Avma, Subject), Stop> {
        if let Operand::Object(object) = operand {
            let object = self.through_references(object)?;
            match object.resolved(self.scene).get().kind {
                TypeKind::Record(_) => {
                    if let Some(at) = object.address() {
                        return Ok((at, Subject::Record));
                    }
                }
                TypeKind::Array(_) => {
                    let first = object.index(self.scene, 0);
                    if let (Some(at), Some(first)) = (object.address(), first) {
                        let bytes = object.size(self.scene).unwrap_or(0);
                        return Ok((at, self.subject(&Ty::Known(first.ty), || bytes)));
                    }
                }
                _ => {}
            }
        }
        let at = self.address(operand)?;
        let target = match self.load(operand)? {
            Loaded::Pointer(_, target) => target,
            Loaded::Number(_) | Loaded::Other => return Ok((at, Subject::Other)),
        };
        let string = || {
            let found = string_at(at, 1, 0, self.scene);
            found.map_or(0, |(_, length)| length)
        };
        let subject = match target {
            Ty::Array(element, count) => self.subject(&element, || count),
            other => self.subject(&other, string),
        };
        Ok((at, subject))
    }

    /// What `bytes` bytes of elements of this type are.
    fn subject(&self, element: &Ty<'v>, bytes: impl FnOnce() -> u64) -> Subject {
        let Ty::Known(ty) = element else { return Subject::Other };
        let entry = ty.resolved(self.scene).get();
        match &entry.kind {
            TypeKind::Record(_) => Subject::Record,
            TypeKind::Base(_) if entry.byte_size == Some(1) => Subject::Text { bytes: bytes() },
            _ => Subject::Other,
        }
    }

    /// The memory from `start` on.
    pub(super) fn examine(
        &self,
        how: Examine,
        (start, subject): (Avma, Subject),
        longest: usize,
    ) -> Examined {
        let mut found = Examined { how, start, subject, rows: Vec::new(), omitted: 0 };
        match how.format {
            UnitFormat::Instruction => {}
            UnitFormat::Value(ValueFormat::Text) => self.strings(&mut found, longest),
            UnitFormat::Value(format) => self.units(&mut found, format),
        }
        found
    }

    fn strings(&self, found: &mut Examined, longest: usize) {
        let size = found.how.size.filter(|size| *size != UnitSize::Giant);
        let size = size.map_or(1, UnitSize::bytes);
        let mut at = found.start;
        let count = found.how.count.min(MOST_LINES);
        for done in 0..count {
            let mut row = Row { at, symbol: self.symbol(at), units: Vec::new(), absent: None };
            match string_at(at, size, longest, self.scene) {
                Ok((text, length)) => {
                    row.units.push(Unit {
                        at,
                        size: length,
                        number: 0,
                        text: UnitText::Text(text),
                    });
                    found.rows.push(row);
                    match at.0.checked_add(length) {
                        // All the strings together have a limit, too.
                        Some(next) if next.wrapping_sub(found.start.0) < MOST_STRING_BYTES => {
                            at = Avma(next);
                        }
                        _ => {
                            found.omitted = found.how.count.saturating_sub(done.saturating_add(1));
                            return;
                        }
                    }
                }
                Err(why) => {
                    row.absent = Some(why.into());
                    found.rows.push(row);
                    found.omitted = found.how.count.saturating_sub(done.saturating_add(1));
                    return;
                }
            }
        }
        found.omitted = found.how.count.saturating_sub(count);
    }

    fn units(&self, found: &mut Examined, format: ValueFormat) {
        let word = if self.word_bits() == 64 { UnitSize::Giant } else { UnitSize::Word };
        let size = match (format, found.how.size) {
            // An address has one size.
            (ValueFormat::Address, None) => word,
            (ValueFormat::Character, None) => UnitSize::Byte,
            (_, size) => size.unwrap_or(UnitSize::Word),
        };
        let count = found.how.count.min(MOST_BYTES.div_ceil(size.bytes()));
        let mut at = found.start;
        let mut done = 0_u64;
        let mut cursor = self.scene.memory.cursor();
        while done < count {
            let mut row = Row { at, symbol: self.symbol(at), units: Vec::new(), absent: None };
            for _ in 0..size.in_row().min(count.saturating_sub(done)) {
                let mut bytes = [0; 8];
                let length = usize::try_from(size.bytes()).unwrap_or(8);
                let Some(bytes) = bytes.get_mut(..length) else { return };
                if let Err(why) = cursor.read(at, bytes) {
                    row.absent = Some(why.into());
                    break;
                }
                let number = self.scene.memory.unsigned(bytes);
                let text = UnitText::Number(self.unit(number, size, format));
                row.units.push(Unit { at, size: size.bytes(), number, text });
                at = Avma(at.0.wrapping_add(size.bytes()));
                done = done.saturating_add(1);
            }
            let is_end = row.absent.is_some();
            found.rows.push(row);
            if is_end {
                break;
            }
        }
        found.omitted = found.how.count.saturating_sub(done);
        if found.rows.last().is_some_and(|row| row.absent.is_some()) {
            found.omitted = found.omitted.saturating_sub(1);
        }
    }

    /// A unit as gdb's `x` spells it: `x` and `t` with all their digits.
    fn unit(&self, number: u64, size: UnitSize, format: ValueFormat) -> String {
        let bits = u32::try_from(size.bytes().saturating_mul(8)).unwrap_or(64);
        let is_signed = !matches!(format, ValueFormat::Unsigned);
        let scalar = Scalar::Unsigned(number.into());
        let typed = Typed { scalar: &scalar, bits, is_signed };
        let symbol = |at| self.symbol(Avma(at));
        let spelled = match format {
            ValueFormat::Hex => ValueFormat::PaddedHex.spell(typed, self.word_bits(), symbol),
            ValueFormat::Binary => {
                let digits = usize::try_from(bits).unwrap_or(64);
                Some(format!("{number:0digits$b}"))
            }
            _ => format.spell(typed, self.word_bits(), symbol),
        };
        spelled.unwrap_or_else(|| number.to_string())
    }

    fn symbol(&self, at: Avma) -> Option<String> {
        let (name, offset) = self.scene.around.symbol_at(at)?;
        Some(if offset == 0 { name } else { format!("{name}+{offset}") })
    }
}
