//! From the offset of an instruction to its line: `co_lnotab` until 3.9, `co_linetable` of PEP 626
//! in 3.10, the location table since (Objects/lnotab_notes.txt, Objects/locations.md).

/// The line of the instruction at `offset`, in bytes of bytecode. `None` where the table gives it
/// none.
pub(super) fn line(minor: u8, table: &[u8], first: i64, offset: i64) -> Option<i64> {
    if offset < 0 {
        return Some(first);
    }
    match minor {
        ..=9 => Some(by_increments(table, first, offset)),
        10 => by_ranges(table, first, offset),
        _ => by_locations(table, first, offset),
    }
}

fn signed(byte: u8) -> i64 {
    i64::from(byte.cast_signed())
}

fn by_increments(table: &[u8], first: i64, offset: i64) -> i64 {
    let (mut line, mut at) = (first, 0_i64);
    for pair in table.chunks_exact(2) {
        let [step, lines] = pair else { break };
        at = at.saturating_add(i64::from(*step));
        if at > offset {
            break;
        }
        line = line.saturating_add(signed(*lines));
    }
    line
}

fn by_ranges(table: &[u8], first: i64, offset: i64) -> Option<i64> {
    const NO_LINE: i64 = -128;
    let (mut line, mut end) = (first, 0_i64);
    for pair in table.chunks_exact(2) {
        let [size, lines] = pair else { break };
        end = end.saturating_add(i64::from(*size));
        let lines = signed(*lines);
        if lines != NO_LINE {
            line = line.saturating_add(lines);
        }
        if offset < end {
            return (lines != NO_LINE).then_some(line);
        }
    }
    None
}

fn by_locations(table: &[u8], first: i64, offset: i64) -> Option<i64> {
    /// Bytes of a code unit.
    const UNIT: i64 = 2;
    let (mut line, mut end) = (first, 0_i64);
    let mut entries = table;
    while let Some((head, rest)) = entries.split_first() {
        // Only the first byte of an entry has its highest bit set.
        if head & 0x80 == 0 {
            return None;
        }
        let size = i64::from(head & 7).saturating_add(1).saturating_mul(UNIT);
        end = end.saturating_add(size);
        let has_line = match (head >> 3) & 15 {
            15 => false,
            13 | 14 => {
                line = line.saturating_add(signed_varint(rest)?);
                true
            }
            code @ 10..=12 => {
                line = line.saturating_add(i64::from(code).saturating_sub(10));
                true
            }
            _ => true,
        };
        if offset < end {
            return has_line.then_some(line);
        }
        let next = rest.iter().position(|byte| byte & 0x80 != 0).unwrap_or(rest.len());
        entries = rest.get(next..).unwrap_or_default();
    }
    None
}

/// Six bits a byte, the lowest first; bit 6 says that more follow; bit 0 of the number is the
/// sign.
fn signed_varint(bytes: &[u8]) -> Option<i64> {
    let (mut number, mut shift) = (0_u64, 0_u32);
    for byte in bytes.iter().take(6) {
        number |= u64::from(byte & 63).checked_shl(shift)?;
        shift = shift.saturating_add(6);
        if byte & 64 == 0 {
            let magnitude = i64::try_from(number >> 1).ok()?;
            return Some(if number & 1 == 1 { magnitude.saturating_neg() } else { magnitude });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn increments_of_39_are_signed_and_add_up() {
        let table = [0, 1, 8, 2, 4, 0xff];
        let lines: Vec<_> = [0, 7, 8, 12, 99].map(|at| line(9, &table, 10, at)).to_vec();
        assert_eq!(lines, [11, 11, 13, 12, 12].map(Some).to_vec());
    }

    #[test]
    fn a_range_of_310_may_have_no_line() {
        let table = [2, 0, 4, 1, 2, 0x80, 2, 1];
        let lines: Vec<_> = [0, 2, 4, 6, 8, 10].map(|at| line(10, &table, 5, at)).to_vec();
        assert_eq!(lines, [Some(5), Some(6), Some(6), None, Some(7), None]);
    }

    #[test]
    fn locations_of_311_are_read_in_all_their_forms() {
        // Short; one line on; long, three lines on; none; without column, two lines back.
        let table = [
            0x80, 0x00, // code 0, one unit
            0xd8, 0x00, 0x00, // code 11: one line on
            0xf1, 0x06, 0x00, 0x00, 0x00, // code 14, two units
            0xf8, // code 15
            0xe8, 0x05, // code 13
        ];
        let at = [0, 2, 4, 6, 8, 10, 12];
        let lines: Vec<_> = at.map(|at| line(11, &table, 1, at)).to_vec();
        assert_eq!(lines, [Some(1), Some(2), Some(5), Some(5), None, Some(3), None]);
    }

    #[test]
    fn before_the_first_instruction_it_is_the_line_of_the_definition() {
        assert_eq!(line(12, &[], 7, -2), Some(7));
    }

    #[test]
    fn a_damaged_table_ends_without_a_line() {
        assert_eq!(line(13, &[0x00, 0x80], 7, 0), None);
        assert_eq!(line(13, &[0xf0, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f], 7, 0), None);
    }
}
