//! Tables of values by pc: pairs of variable-length deltas, of the value and of the pc
//! (golang.org/s/go12symtab).

/// Pairs of one function that are read; the largest functions have some ten thousand.
pub(super) const MOST_OF_FUNCTION: usize = 1 << 20;

/// The value at `target` bytes into a function, from the table that `bytes` begins with;
/// `quantum` is the unit of pc deltas. `None` where the table ends before, or no more than
/// `left` pairs may be read.
pub(super) fn value_at(bytes: &[u8], quantum: u64, target: u64, left: &mut usize) -> Option<i32> {
    let mut rest = bytes;
    let (mut value, mut pc) = (-1_i32, 0_u64);
    for pair in 0..*left {
        *left = left.saturating_sub(1);
        let delta = varint(&mut rest)?;
        if delta == 0 && pair > 0 {
            return None;
        }
        let half = (delta >> 1).cast_signed();
        value = value.wrapping_add(if delta & 1 == 1 { !half } else { half });
        pc = pc.checked_add(u64::from(varint(&mut rest)?).checked_mul(quantum)?)?;
        if target < pc {
            return Some(value);
        }
    }
    None
}

fn varint(rest: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(table: &[u8], quantum: u64, target: u64) -> Option<i32> {
        value_at(table, quantum, target, &mut 4)
    }

    #[test]
    fn a_value_holds_from_its_pc_to_the_next() {
        // +11 for 4 bytes, then -3 for 0x100, then the end.
        let table = [22, 4, 5, 0x80, 2, 0];
        assert_eq!(value(&table, 1, 0), Some(10));
        assert_eq!(value(&table, 1, 3), Some(10));
        assert_eq!(value(&table, 1, 4), Some(7));
        assert_eq!(value(&table, 1, 0x103), Some(7));
        assert_eq!(value(&table, 1, 0x104), None);
        assert_eq!(value(&table, 4, 0x10f), Some(7));
    }

    #[test]
    fn a_first_delta_of_zero_is_no_end() {
        assert_eq!(value(&[0, 8, 0], 1, 2), Some(-1));
    }

    #[test]
    fn no_more_pairs_are_read_than_may_be() {
        let mut left = 3;
        assert_eq!(value_at(&[2; 100], 1, 50, &mut left), None);
        assert_eq!(left, 0);
    }

    #[test]
    fn a_table_that_is_cut_or_never_ends_a_number_gives_none() {
        assert_eq!(value(&[22], 1, 0), None);
        assert_eq!(value(&[0xff; 16], 1, 0), None);
        assert_eq!(value(&[], 1, 0), None);
    }
}
