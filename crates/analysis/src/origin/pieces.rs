//! Variables that are in several registers: small structures, and Go's strings, slices and
//! interfaces.

use super::body::Slot;
use super::names::{Named, Names};
use obit_corefile::addr::Avma;
use obit_dwarf::{Piece, Place};
use obit_process::value::{Object, TypeRef};

impl<'t> Names<'t> {
    /// The part of a variable in several registers that is in `slot`.
    pub(super) fn of_pieces(
        &self,
        name: &str,
        ty: TypeRef<'t>,
        pieces: &[Piece],
        slot: Slot,
    ) -> Option<Named<'t>> {
        let Slot::Register(wanted) = slot else { return None };
        let mut before = 0_u64;
        for piece in pieces {
            let bits = piece.bits?;
            if piece.bit_offset == 0 && piece.place == Place::Register(wanted) {
                let (start, size) = (Avma(before / 8), Some(bits / 8));
                let is_whole = before.is_multiple_of(8) && bits.is_multiple_of(8);
                let object = Object::at(ty, Avma(0));
                return is_whole.then(|| self.within(name, &object, start, size, None)).flatten();
            }
            before = before.checked_add(bits)?;
        }
        None
    }
}
