//! The result of a formatter of this folder.

use crate::value::Absence;
use crate::value::readable::Readable;

/// Why there is no readable form.
pub(super) enum Trouble {
    /// Its layout is that of no library known.
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
pub(super) type FormResult<'d> = Result<Readable<'d>, Trouble>;
