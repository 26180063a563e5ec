//! The exception index table of 32-bit Arm (EHABI32 §§ 6, 10.3): all that most Arm
//! libraries have of unwind information. Its byte code is turned into a row.

use super::row::{Cfa, Convention, Row, Rule};
use obit_corefile::addr::Svma;
use obit_corefile::arch::Register;
use obit_corefile::elf::{ElfImage, SegmentKind};

/// `PT_ARM_EXIDX`.
const SEGMENT: u32 = 0x7000_0001;
/// `EXIDX_CANTUNWIND`.
const CANNOT_UNWIND: u32 = 1;
const SP: u16 = 13;
const LR: u16 = 14;
const PC: u16 = 15;

/// The row for `at`. `None` too for code marked as not unwindable, as compilers
/// mark all C code that is built without tables.
pub(super) fn row(image: &ElfImage, at: Svma) -> Option<Row<'static>> {
    let code = code_for(image, at)?;
    let mut frame = Frame::default();
    frame.run(&code)?;
    Some(frame.into_row())
}

/// The byte code for the function that holds `at`, in the order of execution.
fn code_for(image: &ElfImage, at: Svma) -> Option<Vec<u8>> {
    let segment = image.segments().iter().find(|s| s.kind == SegmentKind::Other(SEGMENT))?;
    let start = segment.vaddr.0;
    let count = segment.file_size / 8;
    let function = |index: u64| {
        let entry = start.checked_add(index.checked_mul(8)?)?;
        Some(near(entry, word(image, entry)?)? & !1)
    };
    // The last entry that starts at or below `at`; the table is sorted.
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if function(middle)? <= at.0 {
            low = middle.checked_add(1)?;
        } else {
            high = middle;
        }
    }
    let second = start.checked_add(low.checked_sub(1)?.checked_mul(8)?)?.checked_add(4)?;
    let value = word(image, second)?;
    if value == CANNOT_UNWIND {
        return None;
    }
    if value >> 31 != 0 {
        return compact(image, second, value);
    }
    let table = near(second, value)?;
    let first = word(image, table)?;
    if first >> 31 != 0 {
        return compact(image, table, first);
    }
    // A personality routine of a language; the code follows in the form all of them use.
    let next = table.checked_add(4)?;
    let value = word(image, next)?;
    bytes(image, next, value, 1, value >> 24)
}

/// The compact model: the code's form is in the first word.
fn compact(image: &ElfImage, at: u64, value: u32) -> Option<Vec<u8>> {
    match (value >> 24) & 0xf {
        0 => bytes(image, at, value, 1, 0),
        1 | 2 => bytes(image, at, value, 2, (value >> 16) & 0xff),
        _ => None,
    }
}

/// The bytes of `value` from `skip` on, most significant first, then those of `more` words.
fn bytes(image: &ElfImage, at: u64, value: u32, skip: usize, more: u32) -> Option<Vec<u8>> {
    let mut code: Vec<u8> = value.to_be_bytes().into_iter().skip(skip).collect();
    for index in 1..=u64::from(more) {
        let next = at.checked_add(index.checked_mul(4)?)?;
        code.extend(word(image, next)?.to_be_bytes());
    }
    Some(code)
}

fn word(image: &ElfImage, at: u64) -> Option<u32> {
    image.encoding().u32(image.bytes_at(Svma(at))?, 0)
}

/// A 31-bit offset from its own place.
fn near(at: u64, value: u32) -> Option<u64> {
    let offset = i64::from((value << 1).cast_signed() >> 1);
    Some(at.checked_add_signed(offset)? & 0xffff_ffff)
}

/// The virtual stack pointer as a register's value plus an offset, and what was popped.
#[derive(Debug)]
struct Frame {
    base: u16,
    offset: i64,
    /// Registers, and their places from `base`.
    saved: Vec<(u16, i64)>,
}

impl Default for Frame {
    fn default() -> Self {
        Self { base: SP, offset: 0, saved: Vec::new() }
    }
}

impl Frame {
    fn run(&mut self, code: &[u8]) -> Option<()> {
        let mut code = code.iter().copied();
        while let Some(op) = code.next() {
            let low = u32::from(op & 7);
            match op {
                0x00..=0x3f => self.skip(units(op, 4))?,
                0x40..=0x7f => self.skip(units(op, 4).wrapping_neg())?,
                0x80..=0x8f => {
                    let mask = (u32::from(op & 0xf) << 8) | u32::from(code.next()?);
                    // An empty mask: "refuse to unwind".
                    self.pop(Some(mask << 4).filter(|mask| *mask != 0)?)?;
                }
                // From here on offsets count from another register: registers popped
                // before cannot be described by it.
                0x90..=0x9f if self.saved.is_empty() && !matches!(op & 0xf, 13 | 15) => {
                    self.base = u16::from(op & 0xf);
                    self.offset = 0;
                }
                0xa0..=0xa7 => self.pop(low_registers(low))?,
                0xa8..=0xaf => self.pop(low_registers(low) | (1 << LR))?,
                0xb0 => return Some(()),
                0xb1 => {
                    let mask = code.next().filter(|mask| matches!(mask, 1..=0xf))?;
                    self.pop(u32::from(mask))?;
                }
                0xb2 => {
                    let size = uleb128(&mut code)?.checked_mul(4)?.checked_add(0x204)?;
                    self.skip(i64::try_from(size).ok()?)?;
                }
                // FSTMFDX leaves a word of its own.
                0xb3 => self.skip(doubles(code.next()?).wrapping_add(4))?,
                // The return address' authentication code.
                0xb4 => self.skip(4)?,
                0xb5 => {}
                0xb8..=0xbf => self.skip(doubles(op & 7).wrapping_add(4))?,
                0xc0..=0xc5 | 0xd0..=0xd7 => self.skip(doubles(op & 7))?,
                0xc6 | 0xc8 | 0xc9 => self.skip(doubles(code.next()?))?,
                0xc7 => {
                    let mask = code.next().filter(|mask| matches!(mask, 1..=0xf))?;
                    self.skip(i64::from(mask.count_ones()).wrapping_mul(4))?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn skip(&mut self, bytes: i64) -> Option<()> {
        self.offset = self.offset.checked_add(bytes)?;
        Some(())
    }

    /// Pops the registers of `mask`, the lowest from the lowest address.
    fn pop(&mut self, mask: u32) -> Option<()> {
        for register in 0..=PC {
            if mask & (1 << register) != 0 {
                if register == SP {
                    return None;
                }
                self.saved.push((register, self.offset));
                self.skip(4)?;
            }
        }
        Some(())
    }

    /// In the row the return address is where pc or else lr was popped.
    fn into_row(self) -> Row<'static> {
        let has_pc = self.saved.iter().any(|(register, _)| *register == PC);
        let rule = |(register, at): &(u16, i64)| {
            (Register(*register), Rule::Offset(at.wrapping_sub(self.offset)))
        };
        Row {
            cfa: Cfa::RegisterOffset(Register(self.base), self.offset),
            rules: self.saved.iter().map(rule).collect(),
            return_address: Register(if has_pc { PC } else { LR }),
            is_signal: false,
            convention: Convention::Platform,
            encoding: gimli::Encoding {
                address_size: 4,
                format: gimli::Format::Dwarf32,
                version: 4,
            },
        }
    }
}

/// As many units of `size` bytes as the low six bits say, plus one.
fn units(count: u8, size: i64) -> i64 {
    i64::from(count & 0x3f).wrapping_add(1).wrapping_mul(size)
}

/// The same for double registers, by the low four bits.
fn doubles(count: u8) -> i64 {
    units(count & 0xf, 8)
}

/// r4 to r[4 + count].
fn low_registers(count: u32) -> u32 {
    let upwards = 0xff_u32 >> 7_u32.saturating_sub(count & 7);
    upwards << 4
}

fn uleb128(code: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0_u64;
    // Four groups of seven bits are more than any stack frame takes.
    for shift in [0, 7, 14, 21] {
        let byte = code.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CFA's base and offset, then each register's place from the CFA.
    type Decoded = (u16, i64, Vec<(u16, i64)>);

    fn decoded(code: &[u8]) -> Option<Decoded> {
        let mut frame = Frame::default();
        frame.run(code)?;
        let places = frame.saved.iter().map(|(r, at)| (*r, *at - frame.offset)).collect();
        Some((frame.base, frame.offset, places))
    }

    #[test]
    fn what_a_prologue_pushed_is_popped_in_reverse() {
        // sub sp, #16 after push {r4, r5, lr}
        let saved = vec![(4, -12), (5, -8), (14, -4)];
        assert_eq!(decoded(&[0x03, 0xa9, 0xb0, 0xb0]), Some((13, 28, saved.clone())));
        // The same by mask: 0x8 and 0x403 say r4, r5, lr.
        assert_eq!(decoded(&[0x03, 0x84, 0x03]), Some((13, 28, saved.clone())));
        // From the frame pointer r7, eight bytes below the registers.
        assert_eq!(decoded(&[0x97, 0x01, 0xa9]), Some((7, 20, saved)));
    }

    #[test]
    fn floating_point_and_large_frames_are_skipped() {
        assert_eq!(decoded(&[0xc9, 0x83]), Some((13, 32, vec![])));
        assert_eq!(decoded(&[0xb9]), Some((13, 20, vec![])));
        assert_eq!(decoded(&[0xb2, 0x81, 0x01]), Some((13, 0x204 + 129 * 4, vec![])));
    }

    #[test]
    fn code_that_is_refused_cut_or_has_no_equivalent_row_gives_none() {
        assert_eq!(decoded(&[0x80, 0x00]), None, "refuse to unwind");
        assert_eq!(decoded(&[0x84]), None, "cut");
        assert_eq!(decoded(&[0xb2, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decoded(&[0xa8, 0x97]), None, "another base after registers were popped");
        assert_eq!(decoded(&[0x9d]), None, "reserved");
        assert_eq!(decoded(&[0x82, 0x00]), None, "sp itself is popped");
    }
}
