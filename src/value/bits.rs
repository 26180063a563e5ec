//! The bytes of objects, gathered bit by bit from wherever their parts are.

use super::object::{Absence, Contents, Object, Part, PartSource, Scene};
use crate::addr::Avma;
use crate::debuginfo::NoPlace;
use crate::memory::AddressSpace;

/// Bytes of one object that are read at once. Larger ones are read by their elements.
const OBJECT_BYTES: u64 = 1 << 20;

impl<'d> Object<'d> {
    /// Its bytes in memory order, a bit-field's bits moved to the low end of as many bytes
    /// as its type has.
    ///
    /// # Errors
    /// The first part that is absent.
    pub fn bytes(&self, scene: Scene<'d>) -> Result<Vec<u8>, Absence> {
        if let Contents::Absent(why) = &self.contents {
            return Err(why.clone());
        }
        let size = self.size(scene).ok_or(Absence::Incomplete)?;
        if size > OBJECT_BYTES {
            return Err(Absence::TooLarge(OBJECT_BYTES));
        }
        // At most 2^20.
        let whole = size.saturating_mul(8);
        let bits = self.bit_size.unwrap_or(whole);
        if bits > whole {
            return Err(Absence::Malformed("a bit-field that is larger than its type"));
        }
        let order = BitOrder::of(scene.memory);
        let mut out = Bits::new(usize::try_from(size).unwrap_or(0), order);
        if order == BitOrder::HighFirst {
            out.skip(whole.saturating_sub(bits));
        }
        match &self.contents {
            Contents::Memory(at) => out.push_memory(scene.memory, *at, self.bit_offset, bits)?,
            Contents::Parts(parts) => gather(parts, self.bit_offset, bits, scene, &mut out)?,
            Contents::Absent(why) => return Err(why.clone()),
        }
        Ok(out.bytes)
    }

    /// The part that holds its first bit, and how many bits of the part precede it.
    pub(super) fn first_part(&self) -> Option<(&Part<'d>, u64)> {
        let Contents::Parts(parts) = &self.contents else { return None };
        let mut before = self.bit_offset;
        for part in parts.iter() {
            match before.checked_sub(part.bits) {
                Some(rest) => before = rest,
                None => return Some((part, before)),
            }
        }
        None
    }

    /// Why one of its parts is absent, the first such, even if no member lies there.
    pub(super) fn absent_part(&self, scene: Scene<'d>) -> Option<&Absence> {
        let Contents::Parts(parts) = &self.contents else { return None };
        let bits = self.bit_size.or_else(|| self.size(scene)?.checked_mul(8))?;
        let end = self.bit_offset.saturating_add(bits);
        let mut start = 0_u64;
        for part in parts.iter() {
            let next = start.saturating_add(part.bits);
            if let PartSource::Absent(why) = &part.source
                && start < end
                && next > self.bit_offset
            {
                return Some(why);
            }
            start = next;
        }
        None
    }
}

/// Appends `bits` bits of `parts` to `out`, from bit `start` on.
fn gather(
    parts: &[Part<'_>],
    start: u64,
    bits: u64,
    scene: Scene<'_>,
    out: &mut Bits,
) -> Result<(), Absence> {
    let (mut skip, mut left) = (start, bits);
    for part in parts {
        let Some(here) = part.bits.checked_sub(skip).filter(|here| *here > 0) else {
            skip = skip.saturating_sub(part.bits);
            continue;
        };
        if left == 0 {
            break;
        }
        let taken = here.min(left);
        match &part.source {
            PartSource::Memory(at) => {
                let from = part.bit_offset.checked_add(skip).ok_or(OVERFLOW)?;
                out.push_memory(scene.memory, *at, from, taken)?;
            }
            PartSource::Bytes(bytes) => {
                let from = out.order.within(bytes, part).ok_or(TOO_SHORT)?;
                let from = from.checked_add(skip).ok_or(OVERFLOW)?;
                out.push(bytes, from, taken).ok_or(TOO_SHORT)?;
            }
            PartSource::ImplicitPointer(_) => return Err(Absence::ImplicitPointer),
            PartSource::Absent(why) => return Err(why.clone()),
        }
        left = left.saturating_sub(taken);
        skip = 0;
    }
    // What no piece tells of is nowhere (DWARF 5 § 2.6.1.2).
    if left > 0 { Err(NoPlace::OptimizedOut.into()) } else { Ok(()) }
}

const OVERFLOW: Absence = Absence::Malformed("a part beyond the end of memory");
const TOO_SHORT: Absence = Absence::Malformed("a part that is larger than what holds it");

/// Which bit of a byte comes first in memory order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BitOrder {
    /// The least significant: little-endian machines.
    LowFirst,
    /// The most significant.
    HighFirst,
}

impl BitOrder {
    fn of(memory: &AddressSpace) -> Self {
        if memory.is_little_endian() { Self::LowFirst } else { Self::HighFirst }
    }

    /// The first bit of `part` in the bytes that hold it. A register may be larger than
    /// its part, which then is in its low end: first if the lowest byte is.
    fn within(self, bytes: &[u8], part: &Part<'_>) -> Option<u64> {
        match self {
            Self::LowFirst => Some(part.bit_offset),
            Self::HighFirst => {
                let all = u64::try_from(bytes.len()).ok()?.checked_mul(8)?;
                all.checked_sub(part.bit_offset.checked_add(part.bits)?)
            }
        }
    }

    fn mask(self, bit: u64) -> u8 {
        let shift = (bit % 8) as u32;
        match self {
            Self::LowFirst => 1_u8.wrapping_shl(shift),
            Self::HighFirst => 0x80_u8.wrapping_shr(shift),
        }
    }
}

/// Bits in memory order, filled from the front.
pub(super) struct Bits {
    pub(super) bytes: Vec<u8>,
    order: BitOrder,
    filled: u64,
}

impl Bits {
    pub(super) fn new(size: usize, order: BitOrder) -> Self {
        Self { bytes: vec![0; size], order, filled: 0 }
    }

    /// Leaves `bits` bits zero.
    pub(super) fn skip(&mut self, bits: u64) {
        self.filled = self.filled.saturating_add(bits);
    }

    /// Appends `bits` bits of memory that begin `offset` bits after `at`.
    fn push_memory(
        &mut self,
        memory: &AddressSpace,
        at: Avma,
        offset: u64,
        bits: u64,
    ) -> Result<(), Absence> {
        let at = Avma(at.0.wrapping_add(offset / 8));
        let (rest, end) = (offset % 8, (offset % 8).checked_add(bits).ok_or(OVERFLOW)?);
        let mut buffer = vec![0; usize::try_from(end.div_ceil(8)).map_err(|_| OVERFLOW)?];
        memory.read(at, &mut buffer)?;
        self.push(&buffer, rest, bits).ok_or(OVERFLOW)
    }

    /// Appends `bits` bits of `source` from bit `from` on; `None` if it has not as many.
    pub(super) fn push(&mut self, source: &[u8], from: u64, bits: u64) -> Option<()> {
        let whole = [from, bits, self.filled].iter().all(|number| number.is_multiple_of(8));
        if whole {
            let at = |bit: u64| usize::try_from(bit / 8).ok();
            let source = source.get(at(from)?..at(from.checked_add(bits)?)?)?;
            let end = self.filled.checked_add(bits)?;
            self.bytes.get_mut(at(self.filled)?..at(end)?)?.copy_from_slice(source);
            self.filled = end;
            return Some(());
        }
        for bit in 0..bits {
            let from = from.checked_add(bit)?;
            let byte = source.get(usize::try_from(from / 8).ok()?)?;
            if byte & self.order.mask(from) != 0 {
                let to = usize::try_from(self.filled / 8).ok()?;
                *self.bytes.get_mut(to)? |= self.order.mask(self.filled);
            }
            self.filled = self.filled.checked_add(1)?;
        }
        Some(())
    }
}
