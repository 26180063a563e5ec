//! Split DWARF: the part of a unit that the compiler put into a `.dwo` file, or `dwp` into
//! a package (DWARF 5 § 3.1.3, appendix F; before that GNU's DebugFission).

use std::sync::OnceLock;

use crate::model::keys::{DwarfPart, List};
use crate::units::file::DwarfFile;
use crate::units::unit::{Lent, Unit};

/// Finds the half that belongs to the skeleton `unit` of `parent`: in the package by its
/// number, else by its name.
fn open<'d>(parent: &DwarfFile<'d>, unit: &Unit<'d>) -> Option<DwarfFile<'d>> {
    let name = unit.dwo_name?;
    let lent = Lent {
        low_pc: unit.inner.low_pc,
        addr_base: unit.inner.addr_base,
        ranges_base: unit.inner.rnglists_base,
        language: unit.language,
    };
    let part = DwarfPart::Split(unit.index);
    let context = parent.context();
    if let Some((package, id)) = parent.package().zip(unit.inner.dwo_id) {
        match package.find_cu(id, &parent.dwarf) {
            Ok(Some(dwarf)) => return Some(DwarfFile::split(dwarf, parent.sources, part, lent)),
            Ok(None) => {}
            Err(error) => context.report("a unit of the .dwp package", error),
        }
    }
    let directory = unit.inner.comp_dir.map_or(&[][..], |directory| directory.slice());
    match (context.split)(&context.files, directory, name.slice()) {
        Ok(image) => {
            let dwarf = parent.sources.split(image, &parent.dwarf);
            let file = DwarfFile::split(dwarf, parent.sources, part, lent);
            let found = file.first_compilation().and_then(|found| found.inner.dwo_id);
            if unit.inner.dwo_id.is_some() && found.is_some() && found != unit.inner.dwo_id {
                context.log.malformed(|| format!("{} is of another build", name.to_string_lossy()));
                return None;
            }
            Some(file)
        }
        Err(searched) => {
            context.log.part_missing(name.slice(), searched);
            None
        }
    }
}

/// Where the functions of `unit`, one of `.debug_info`, are described: in its split half if
/// it has one.
pub(crate) fn whole<'x, 'd>(
    file: &'x DwarfFile<'d>,
    unit: &'x Unit<'d>,
) -> (&'x DwarfFile<'d>, &'x Unit<'d>) {
    if unit.dwo_name.is_none() {
        return (file, unit);
    }
    let halves = file
        .splits
        .get_or_init(|| (0..file.unit_count(List::Info)).map(|_| OnceLock::new()).collect());
    let half = usize::try_from(unit.index).ok().and_then(|index| halves.get(index));
    let half = half.and_then(|half| half.get_or_init(|| open(file, unit).map(Box::new)).as_deref());
    half.and_then(|half| Some((half, half.first_compilation()?))).unwrap_or((file, unit))
}

impl<'d> DwarfFile<'d> {
    /// The file of this image that `part` names; `self` is the main file.
    pub(crate) fn part(&self, part: DwarfPart) -> Option<&Self> {
        match part {
            DwarfPart::Main => Some(self),
            DwarfPart::Split(unit) => {
                let unit = self.unit(List::Info, usize::try_from(unit).ok()?)?;
                Some(whole(self, unit).0)
            }
            DwarfPart::PackageType(row) => self.package_type(row),
        }
    }

    /// The type unit in this row of the package's index.
    fn package_type(&self, row: u32) -> Option<&Self> {
        let package = self.package()?;
        let files = self
            .package_types
            .get_or_init(|| (0..=package.tu_index.unit_count()).map(|_| OnceLock::new()).collect());
        let file = files.get(usize::try_from(row).ok()?)?.get_or_init(|| {
            let dwarf = package.tu_sections(row, &self.dwarf);
            let dwarf =
                dwarf.map_err(|error| self.context().report("a type unit of the package", error));
            Some(Box::new(Self::package_part(dwarf.ok()?, self.sources, row)))
        });
        file.as_deref()
    }
}
