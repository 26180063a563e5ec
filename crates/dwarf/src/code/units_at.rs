//! Which units describe an address: by `.debug_aranges`, else by what their root entries
//! and functions cover.

use gimli::constants as dw;

use crate::model::keys::List;
use crate::units::file::{Aranges, DwarfFile};
use crate::units::functions::Functions;
use crate::units::range_map::RangeMap;
use crate::units::unit::Unit;

impl<'d> DwarfFile<'d> {
    /// The units that may describe `at`, the likeliest first.
    pub(crate) fn units_at(&self, at: u64) -> impl Iterator<Item = &Unit<'d>> {
        let by_table = self.aranges().map.find(at);
        // Units that the table is silent about are looked at only when it is of no help.
        let by_root = std::iter::once_with(move || self.roots().find(at)).flatten();
        let numbers = by_table.into_iter().chain(by_root.filter(move |n| Some(*n) != by_table));
        numbers.filter_map(|number| self.unit(List::Info, usize::try_from(number).ok()?))
    }

    fn aranges(&self) -> &Aranges {
        self.aranges.get_or_init(|| {
            let units = self.list(List::Info);
            let mut covered = vec![false; units.len()];
            let mut ranges = Vec::new();
            let section = self.sources.aranges();
            let mut headers = section.headers();
            let mut read = || {
                while let Some(header) = headers.next()? {
                    let start = header.debug_info_offset().0;
                    let Some(index) = units.starting_at(start) else { continue };
                    let Ok(number) = u32::try_from(index) else { break };
                    let mut entries = header.entries();
                    while let Some(entry) = entries.next()? {
                        let range = entry.range();
                        if range.begin == 0 || range.end <= range.begin {
                            continue;
                        }
                        ranges.push((range.begin, range.end, number));
                        if let Some(covered) = covered.get_mut(index) {
                            *covered = true;
                        }
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                self.context().report(".debug_aranges", error);
            }
            Aranges { map: RangeMap::new(ranges), covered }
        })
    }

    /// Addresses of the units that `.debug_aranges` does not mention, by their roots.
    fn roots(&self) -> &RangeMap {
        self.roots.get_or_init(|| {
            let covered = &self.aranges().covered;
            let mut ranges = Vec::new();
            for index in 0..self.list(List::Info).len() {
                if covered.get(index).copied().unwrap_or(false) || !self.context().spend(1) {
                    continue;
                }
                let Some(unit) = self.unit(List::Info, index) else { continue };
                if !matches!(unit.tag, dw::DW_TAG_compile_unit | dw::DW_TAG_skeleton_unit) {
                    continue;
                }
                let Ok(number) = u32::try_from(index) else { break };
                let mut own = self.ranges(unit, &unit.ranges);
                if unit.ranges.is_empty() && unit.dwo_name.is_none() {
                    // Some producers leave it to the functions to say.
                    let functions = Functions::of(self, unit, &unit.shallow);
                    own = functions.ranges().collect();
                }
                ranges.extend(own.into_iter().map(|(start, end)| (start, end, number)));
            }
            RangeMap::new(ranges)
        })
    }
}
