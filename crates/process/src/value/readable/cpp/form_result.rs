//! What a formatter of this folder gives, or why it gives nothing.

use crate::value::Absence;
use crate::value::readable::Readable;

/// Why there is no readable form.
pub(super) enum Trouble {
    /// It is laid out as no library known does it.
    Unfamiliar,
    /// A part of it is not known; the plain structure says why.
    Absent,
    /// It breaks this rule of its kind.
    Damaged(&'static str),
}

impl From<Absence> for Trouble {
    fn from(_: Absence) -> Self {
        Self::Absent
    }
}

/// A readable form, or why there is none.
pub(super) type Told<'d> = Result<Readable<'d>, Trouble>;
