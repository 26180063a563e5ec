//! An entry with all it takes to follow its references: within its unit, to other units,
//! to the supplement, and between the halves of split DWARF.

use gimli::UnitOffset;

use crate::model::keys::{DieKey, DwarfPart};
use crate::sections::sources::{Slice, Value};
use crate::units::file::DwarfFile;
use crate::units::unit::{Die, Unit};

/// An entry and where it was read.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'x, 'd> {
    /// The main file of the image.
    pub(crate) root: &'x DwarfFile<'d>,
    /// The file it stands in.
    pub(crate) file: &'x DwarfFile<'d>,
    pub(crate) unit: &'x Unit<'d>,
    pub(crate) offset: UnitOffset,
}

impl<'x, 'd> Entry<'x, 'd> {
    /// The entry of `key` in the image whose main file is `root`.
    pub(crate) fn at(root: &'x DwarfFile<'d>, key: DieKey) -> Option<Self> {
        let file = root.part(key.part)?;
        let unit = file.unit(key.list, usize::try_from(key.unit).ok()?)?;
        Some(Self { root, file, unit, offset: UnitOffset(key.offset) })
    }

    /// What names it for good.
    pub(crate) fn key(&self) -> DieKey {
        let (list, unit) = (self.unit.list, self.unit.index);
        DieKey { part: self.file.part, list, unit, offset: self.offset.0 }
    }

    /// Another entry of the same unit.
    pub(crate) fn sibling(&self, offset: UnitOffset) -> Self {
        Self { offset, ..*self }
    }

    /// The entry that `value` refers to from here.
    pub(crate) fn follow(&self, value: Value<'d>) -> Option<Self> {
        if let Some(die) = self.file.resolve(self.unit, value) {
            return Some(Self { unit: die.unit, offset: die.offset, ..*self });
        }
        let gimli::AttributeValue::DebugTypesRef(signature) = value else { return None };
        let row = self.root.package()?.tu_index.find(signature.0)?;
        let file = self.root.part(DwarfPart::PackageType(row))?;
        let die = file.type_die(signature.0)?;
        Some(Self { file, unit: die.unit, offset: die.offset, ..*self })
    }

    /// As the modules that know but one file see it.
    pub(crate) fn die(&self) -> Die<'x, 'd> {
        Die { unit: self.unit, offset: self.offset }
    }

    /// The string in `value`.
    pub(crate) fn string(&self, value: Value<'d>) -> Option<Slice<'d>> {
        self.file.string(self.unit, value)
    }
}
