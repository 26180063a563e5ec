//! Size classes (`sc.h`): 8, then four to each doubling from 16 on.

/// Classes with slabs, up to 14 KiB.
pub(super) const SMALL: usize = 36;
/// All of them.
const CLASSES: usize = 232;

/// The bytes of size class number `class`.
pub(super) fn size_of(class: usize) -> Option<u64> {
    if class >= CLASSES {
        return None;
    }
    let Some(class) = class.checked_sub(1) else { return Some(8) };
    let (group, step) = (class / 4, class as u64 % 4);
    let Some(above) = group.checked_sub(1) else { return Some((step + 1) << 4) };
    // The first group is of steps of 16, the next one, too.
    let delta = u32::try_from(above).ok()?.checked_add(4)?;
    let base = 1_u64.checked_shl(delta.checked_add(2)?)?;
    base.checked_add((step + 1).checked_shl(delta)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_four_classes_to_each_doubling() {
        let sizes: Vec<u64> = (0..17).filter_map(size_of).collect();
        let small = [8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
        assert_eq!(sizes, small);
        assert_eq!(size_of(SMALL - 1), Some(14336));
        assert_eq!(size_of(SMALL), Some(16384));
        assert_eq!(size_of(231), Some(0x7000_0000_0000_0000));
        assert_eq!(size_of(232), None);
    }
}
