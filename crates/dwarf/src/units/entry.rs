//! An entry with all it takes to follow its references: within its unit, to other units,
//! to the supplement, and between the halves of split DWARF.

use gimli::UnitOffset;

use crate::model::keys::{DieKey, DwarfPart};
use crate::model::language::Language;
use crate::sections::sources::{Slice, Value};
use crate::units::file::DwarfFile;
use crate::units::unit::{Die, Unit};

/// An entry and where it was read.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'x, 'd> {
    /// The main file of the image.
    pub(crate) root: &'x DwarfFile<'d>,
    /// The file it is in.
    pub(crate) file: &'x DwarfFile<'d>,
    pub(crate) unit: &'x Unit<'d>,
    pub(crate) offset: UnitOffset,
    /// Of an entry of a unit that states no language, as dwz's partial units do, that of the
    /// entry whose reference led here.
    pub(crate) referrer: Language,
}

impl<'x, 'd> Entry<'x, 'd> {
    pub(crate) fn new(
        root: &'x DwarfFile<'d>,
        file: &'x DwarfFile<'d>,
        unit: &'x Unit<'d>,
        offset: UnitOffset,
    ) -> Self {
        Self { root, file, unit, offset, referrer: Language::Unknown }
    }

    /// The entry of `key` in the image whose main file is `root`.
    pub(crate) fn at(root: &'x DwarfFile<'d>, key: DieKey) -> Option<Self> {
        let file = root.part(key.part)?;
        let unit = file.unit(key.list, usize::try_from(key.unit).ok()?)?;
        Some(Self::new(root, file, unit, UnitOffset(key.offset)))
    }

    /// The same, reached from an entry of this language.
    pub(crate) fn referred_from(self, referrer: Language) -> Self {
        let is_stated = self.unit.language != Language::Unknown;
        Self { referrer: if is_stated { Language::Unknown } else { referrer }, ..self }
    }

    /// The language of its unit, or of the entry that led here.
    fn stated_language(&self) -> Language {
        match self.unit.language {
            Language::Unknown => self.referrer,
            stated => stated,
        }
    }

    /// The language it is written in; where nothing states it, that of the program.
    pub(crate) fn language(&self) -> Language {
        match self.stated_language() {
            Language::Unknown => self.root.main_language(),
            stated => stated,
        }
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
        let language = self.stated_language();
        if let Some(die) = self.file.resolve(self.unit, value) {
            let found = Self { unit: die.unit, offset: die.offset, ..*self };
            return Some(found.referred_from(language));
        }
        let gimli::AttributeValue::DebugTypesRef(signature) = value else { return None };
        let row = self.root.package()?.tu_index.find(signature.0)?;
        let file = self.root.part(DwarfPart::PackageType(row))?;
        let die = file.type_die(signature.0)?;
        let found = Self { file, unit: die.unit, offset: die.offset, ..*self };
        Some(found.referred_from(language))
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
